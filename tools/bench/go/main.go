// SPDX-License-Identifier: GPL-2.0

// What native/main.c does, for Go's own map: the same keys in the same order,
// the same rounds, the same lines.  The garbage collector runs between what is
// timed, never during it, unless -gc lets it run as in a program that leaves its
// settings alone, which is on the other CPU, too.  Only one CPU otherwise, since
// nobody may write to a Go map beside another; only the map owns what it stores,
// so that strings are copied when inserted.
//
// It is built once with each of the files that say what a key is: a generic
// function would not call the map's functions for keys of that type.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"time"
)

// A bijection, so that all keys differ: the finalizer of MurmurHash3.
func scramble(i uint64) uint64 {
	i = (i ^ i>>33) * 0xff51afd7ed558ccd
	i = (i ^ i>>33) * 0xc4ceb9fe1a85ec53
	return i ^ i>>33
}

func shuffle(order []uint32, seed uint64) {
	for i := uint64(len(order)) - 1; i > 0; i-- {
		j := (scramble(seed+i) >> 32) * (i + 1) >> 32
		order[i], order[j] = order[j], order[i]
	}
}

func makeKeys(first, orders, seed uint64, order []uint32) (keys []key) {
	half := uint64(len(order)) / 2
	for ; orders > 0; orders-- {
		shuffle(order[:half], seed)
		shuffle(order[half:], seed+half)
		for _, i := range order {
			keys = append(keys, makeKey(first+uint64(i)))
		}
		seed += uint64(len(order))
	}
	return keys
}

func insert(m map[key]uint64, keys []key) int {
	for i := range keys {
		m[own(keys[i])] = elemOf(&keys[i])
	}
	return len(m)
}

// Returns how often it found what it was to find.
func lookup(m map[key]uint64, keys []key) (good int) {
	for i := range keys {
		if elem, ok := m[keys[i]]; ok && elem == elemOf(&keys[i]) {
			good++
		}
	}
	return good
}

// As in native/native.h.
func chain(m map[key]uint64, keys []key) (good int) {
	wrong := uint64(0)
	for i := range keys {
		k := &keys[i-int(wrong)]
		elem, ok := m[*k]
		elem ^= elemOf(k)
		wrong = (elem | -elem) >> 63
		if ok {
			good++
		}
		good -= int(wrong)
	}
	return good
}

// Returns how many are left.
func remove(m map[key]uint64, keys []key) int {
	for i := range keys {
		delete(m, keys[i])
	}
	return len(m)
}

func iterate(m map[key]uint64) (good int) {
	for range m {
		good++
	}
	return good
}

// As in native/native.h.
func mix(m map[key]uint64, keys []key, writes uint32) (good int) {
	threshold := ^uint32(0) / 100 * writes
	chance := uint32(2463534242)
	out := -1
	for i := range keys {
		chance ^= chance << 13
		chance ^= chance >> 17
		chance ^= chance << 5
		if chance >= threshold {
			if elem, ok := m[keys[i]]; ok && elem == elemOf(&keys[i]) {
				good++
			}
		} else if out >= 0 {
			m[own(keys[out])] = elemOf(&keys[out])
			out = -1
			good++
		} else {
			delete(m, keys[i])
			out = i
			good++
		}
	}
	if out >= 0 {
		m[own(keys[out])] = elemOf(&keys[out])
	}
	return good
}

var ops = []string{"hit", "chain", "miss", "insert_grow", "insert_presized", "delete",
						"iterate", "mix9010", "mix5050"}
var took = make(map[string]time.Duration) // in this round
var figures = make(map[string][]float64)

// Times so many calls of f, of which it is known what it returns.
func clock(op string, times, want int, f func(i int) int) {
	good := 0
	start := time.Now()
	for i := 0; i < times; i++ {
		good += f(i)
	}
	took[op] += time.Since(start)
	if good != want*times {
		fmt.Fprintf(os.Stderr, "go: %s: %d of %d\n", op, good, want*times)
		os.Exit(1)
	}
}

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

const lookups = 1 << 17 // least number of keys to look up

type stream struct{ insert, miss, hit []key }

func makeStream(n int) (s stream) {
	order := make([]uint32, n)
	for i := range order {
		order[i] = uint32(i)
	}
	shuffle(order, 0)
	size := uint64(n)
	orders := lookups / size
	if orders == 0 {
		orders = 1
	}
	s.hit = makeKeys(0, orders, size, order)
	s.miss = makeKeys(size, orders, size, order)
	shuffle(order, 0)
	s.insert = makeKeys(0, 1, size, order)
	return s
}

// The i-th of the orders of n keys.
func nth(keys []key, n, i int) []key {
	at := i * n % len(keys)
	return keys[at : at+n]
}

// What leaves a map as it was.
func reads(m map[key]uint64, s stream, times int) {
	n := len(s.insert)
	clock("chain", times, n, func(i int) int { return chain(m, nth(s.hit, n, i)) })
	clock("miss", times, 0, func(i int) int { return lookup(m, nth(s.miss, n, i)) })
	clock("iterate", times, n, func(int) int { return iterate(m) })
	clock("hit", times, n, func(i int) int { return lookup(m, nth(s.hit, n, i)) })
	clock("mix9010", times, n, func(i int) int { return mix(m, nth(s.hit, n, i), 10) })
	clock("mix5050", times, n, func(i int) int { return mix(m, nth(s.hit, n, i), 50) })
}

func round(s stream, times int) {
	n := len(s.insert)
	for i := 0; i < times; i++ {
		m := make(map[key]uint64)
		clock("insert_grow", 1, n, func(int) int { return insert(m, s.insert) })
	}
	runtime.GC()
	m := make(map[key]uint64, n)
	for i := 1; i <= times; i++ {
		clock("insert_presized", 1, n, func(int) int { return insert(m, s.insert) })
		if i == times {
			reads(m, s, times)
		}
		clock("delete", 1, 0, func(int) int { return remove(m, s.hit[:n]) })
	}
	runtime.GC()
	for op, t := range took {
		figures[op] = append(figures[op], float64(t)/float64(n*times))
		delete(took, op)
	}
}

func bytesPerEntry(s stream) float64 {
	n := len(s.insert)
	maps := make([]map[key]uint64, 1+(1<<17)/n)
	before := allocated()
	for i := range maps {
		maps[i] = make(map[key]uint64)
		insert(maps[i], s.insert)
	}
	after := allocated()
	runtime.KeepAlive(maps)
	return float64(after-before) / float64(len(maps)*n)
}

func main() {
	n := flag.Int("size", 1000, "number of entries")
	rounds := flag.Int("rounds", 5, "rounds, of which the median counts")
	operations := flag.Int("operations", 2000000, "least number, in all rounds")
	gc := flag.Bool("gc", false, "leave the garbage collector on")
	flag.Parse()
	name := "go_gc"
	if !*gc {
		name = "go"
		debug.SetGCPercent(-1)
	}
	s := makeStream(*n)
	bytes := bytesPerEntry(s)
	times := *operations / *rounds / *n
	if times == 0 {
		times = 1
	}
	for i := 0; i < *rounds; i++ {
		round(s, times)
	}
	for _, op := range ops {
		sort.Float64s(figures[op])
		fmt.Printf("%s,%s,%s,%d,1,%.2f,%.2f\n", name, op, kind, *n,
			figures[op][*rounds/2], bytes)
	}
}
