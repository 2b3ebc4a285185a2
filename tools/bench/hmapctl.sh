#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What tools/bench/hmapctl runs in the guest, whose clock counts instructions: one
# a nanosecond.

set -e
nr=$(wc -l </entries)

# SUBCOMMAND FORMAT FILE
measure()
{
	local start=${EPOCHREALTIME/./}

	if [ "$1" = load ]; then
		hmapctl load m ${2:+"$2"} "$3"
	else
		hmapctl dump m ${2:+"$2"} >"$3"
	fi
	echo "$1${2:+ $2},$(((${EPOCHREALTIME/./} - start) * 1000 / nr))"
}

insmod /modules/hmap.ko
hmapctl create m --key u64 --elem u64
echo op,insns_per_entry
measure load '' /entries
for format in '' --json --jsonl --csv; do
	measure dump "$format" /tmp/entries
	hmapctl clear m
	measure load "$format" /tmp/entries
done
