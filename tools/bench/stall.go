// SPDX-License-Identifier: GPL-2.0

// What stall.c does, for Go's own map: the longest single insert while it
// grows from empty, in nanoseconds of the clock.  In QEMU with -icount shift=0
// those are instructions of the guest.  The garbage collector is off, so that
// it is the map alone that is timed.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"strconv"
	"time"
)

func keyOf(i uint64) uint64 {
	i = (i ^ i>>33) * 0xff51afd7ed558ccd
	i = (i ^ i>>33) * 0xc4ceb9fe1a85ec53
	return i ^ i>>33
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	debug.SetGCPercent(-1)
	m := make(map[uint64]uint64)
	took := make([]int, n)
	for i := range took {
		key := keyOf(uint64(i))
		start := time.Now()
		m[key] = key
		took[i] = int(time.Since(start))
	}
	sort.Ints(took)
	at := func(q int) int { return took[(n-1)*q/10000] }
	fmt.Printf("stall: go,%d,%d,%d,%d,%d,insns\n", n, at(5000), at(9900),
		at(9999), took[n-1])
}
