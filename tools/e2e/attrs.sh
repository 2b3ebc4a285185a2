#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What hmapctl changes of a map that is there: limit, rename, chmod, chown.
#
# Tests are called by name:
# shellcheck disable=SC2317

# shellcheck source=harness.sh
. "$(dirname "$0")/harness.sh"

test_limit()
{
	create m u64 u64
	run 0 hmapctl limit m --max-entries 1
	printed
	run 0 hmapctl show m
	has '^entries +0, at most 1$'
	run 0 hmapctl insert m 1 1
	refused 1 'max_entries 1' hmapctl insert m 2 2
	run 0 hmapctl limit m --max-bytes 1M --max-entries 0
	run 0 hmapctl show m --json
	has '"max_bytes": *1048576,'
	run 0 hmapctl insert m 2 2
	for limit in --max-entries --max-bytes; do
		refused 1 "$limit 18446744073709551615 is over the module's" \
			hmapctl limit m "$limit" 18446744073709551615
	done
	refused 2 'neither --max-entries nor --max-bytes' hmapctl limit m
	refused 2 "limit: --max-bytes 'x'" hmapctl limit m --max-bytes x
}

test_amounts()
{
	create m u64 u64 --max-entries 2k --max-bytes 3m --hint 1K
	run 0 hmapctl show m
	has '^entries +0, at most 2048$'
	has '^bytes +[0-9]+, at most 3145728$'
	has '^buckets +2\^8$'
	refused 1 '--max-bytes 2199023255552 is over' \
		hmapctl limit m --max-bytes 2T
	refused 1 '--max-entries 5368709120 is over' \
		hmapctl limit m --max-entries 5g
}

test_rename()
{
	create m u64 u64
	create n u64 u64
	run 0 hmapctl insert m 1 1
	refused 1 "'m': there is a map of the new name" hmapctl rename m n
	refused 2 "'a/b'" hmapctl rename m a/b
	run 0 hmapctl rename m s
	refused 1 "'m': there is no map of that name" hmapctl lookup m 1
	run 0 hmapctl lookup s 1
	printed 1
	refused 1 "'m': there is no map of that name" hmapctl rename m o
}

test_chmod()
{
	create m u64 u64
	run 0 hmapctl chmod m 640
	run 0 hmapctl show m
	has '^mode +0640'
	# The owner may write only.
	run 0 hmapctl chmod m 200
	run 0 hmapctl chmod m 664
	refused 2 "mode '8'" hmapctl chmod m 8
	refused 2 "mode 'u+w'" hmapctl chmod m u+w
}

owned()	# UID GID
{
	run 0 hmapctl show m --json
	has "\"uid\": *$1,"
	has "\"gid\": *$2,"
}

test_chown()
{
	restore_at_end
	chmod 666 /dev/hmap
	create m u64 u64
	run 0 hmapctl chown m 1:2
	owned 1 2
	run 0 hmapctl chown m 3
	owned 3 2
	run 0 hmapctl chown m :4
	owned 3 4
	as_nobody 1 'hmapctl chown m nobody'
	complained "'m': its mode does not let you"
	run 0 hmapctl chown m nobody
	owned 65534 4
	as_nobody 1 'hmapctl chown m 0'
	complained "'m': only its owner"
	for n in 4294967296 nemo ''; do
		refused 2 "no user '$n'" hmapctl chown m "$n"
		refused 2 "no group '$n'" hmapctl chown m "1:$n"
	done
}

run_tests limit amounts rename chmod chown
