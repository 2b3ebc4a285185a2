#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What `make soak` runs in the guest.

# What a CPU keeps of the pages that it has freed does not count as available.
echo 100000 >/proc/sys/vm/percpu_pagelist_high_fraction
insmod /modules/hmap.ko || exit
soak "$(cat /seconds)" || exit
rmmod hmap
