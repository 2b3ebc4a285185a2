// SPDX-License-Identifier: GPL-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

type key = string

const kind = "string"

// Those that native/names.c has, too.
var names = func() (lines []string) {
	file, err := os.Open(os.Getenv("NAMES"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for in := bufio.NewScanner(file); in.Scan(); {
		lines = append(lines, in.Text())
	}
	return lines
}()

// With zeros behind its end, for elemOf.
func makeKey(i uint64) key {
	name := names[i%uint64(len(names))]
	if more := i / uint64(len(names)); more > 0 {
		name = fmt.Sprintf("%s+%d", name, more)
	}
	return (name + "\x00\x00\x00\x00\x00\x00\x00\x00")[:len(name)]
}

func elemOf(k *key) uint64 {
	return **(**uint64)(unsafe.Pointer(k))
}

func own(k key) key { return strings.Clone(k) }
