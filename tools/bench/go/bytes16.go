// SPDX-License-Identifier: GPL-2.0

package main

type key = [2]uint64

const kind = "bytes16"

func makeKey(i uint64) key { return key{scramble(i), scramble(^i)} }
func elemOf(k *key) uint64 { return k[0] }
func own(k key) key        { return k }
