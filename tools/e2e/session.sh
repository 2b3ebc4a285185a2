#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# hmapctl without arguments: commands from standard input, in one process.
#
# Tests are called by name:
# shellcheck disable=SC2317,SC3045 # busybox has ulimit -n

# shellcheck source=harness.sh
. "$(dirname "$0")/harness.sh"

# STATUS: of the commands in the file in; leaves files out and err
session()
{
	hmapctl <in >out 2>err
	status=$?
	[ "$status" = "$1" ] && return
	show err
	die "exit status $status, not $1"
}

test_commands()
{
	cat >in <<-'END'
		# A comment, and an empty line

		create m --key string --elem u32
		  insert   m  one  1
		insert m 'two words' 2
		insert m "it's" 3
		insert m tab\tbed 4
		insert m '' -- 5
		lookup m one
		add m one -1 --json
		dump m --prefix t
		count m
	END
	session 0
	[ ! -s err ] || die "complained: $(cat err)"
	sed '3,4d' out >a
	printf '%s\n' 1 '{"key":"one","present":true,"old":1}' 5 | cmp -s a - ||
		die "printed $(cat out)"
	printf '%s\t%s\n' one 0 'two words' 2 "it's" 3 'tab\tbed' 4 '' 5 >want
	holds m want
}

# One that fails is not the last, and takes nothing with it.
test_errors()
{
	cat >in <<-'END'
		create m --key u32 --elem u32
		lookup m 1
		lookup m x
		lookup n 1
		frobnicate
		dump m --limit x
		lookup m 'x
		load m
		insert m 1 1 --jsn
		insert m 1 2
		lookup m 1
		quit
		insert m 3 4
	END
	session 2
	printed 2
	cat >want <<-'END'
		hmapctl: stdin:2: map 'm': key '1': it is not there
		hmapctl: stdin:3: map 'm': key 'x' is not a whole number from 0 to 4294967295
		hmapctl: stdin:4: map 'n': there is no map of that name
		hmapctl: stdin:5: there is no subcommand 'frobnicate' (see hmapctl help)
		hmapctl: stdin:6: dump: --limit 'x' is not a whole number below 2^64, which K, M, G or T may follow
		hmapctl: stdin:7: a quote does not end, or there are too many words
		hmapctl: stdin:8: stdin has the commands; please name a file
		hmapctl: stdin:9: insert: there is no option '--jsn' (see hmapctl help insert)
	END
	cmp -s err want || {
		show err
		die 'complained of something else'
	}
	echo 'lookup m 9' >in
	session 1
	: >in
	session 0
}

# A thousand of them, half of which fail: no descriptor is left open.
test_many()
{
	create m u32 u32
	ulimit -n 32
	seq 500 | sed 's/.*/insert m & &\nlookup m 0/' >in
	session 1
	ulimit -n 1024
	run 0 hmapctl count m
	printed 500
	cat >some <<-END
		save m backup
		restore backup --name m
		restore backup --name n
		unlink n
		load m backup --jsonl
		insert m 1 @nowhere
		dump m --match
	END
	seq 40 | sed -e 'r some' -e d >in
	ulimit -n 32
	session 2
	grep -q 'Too many open files' err && die 'descriptors are left open'
	[ "$(grep -c 'is there twice\|another member' err)" = 40 ] ||
		die "complained $(head -n 5 err)"
	run 0 hmapctl count m
	printed 500
}

test_full_disk()
{
	create m u32 u32
	printf 'insert m 1 1\nlookup m 1\ninsert m 2 2\n' >in
	hmapctl <in >/dev/full 2>err && die 'printed on a full disk'
	complained 'standard output: No space left'
}

run_tests commands errors many full_disk
