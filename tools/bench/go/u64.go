// SPDX-License-Identifier: GPL-2.0

package main

type key = uint64

const kind = "u64"

func makeKey(i uint64) key { return scramble(i) }
func elemOf(k *key) uint64 { return *k }
func own(k key) key        { return k }
