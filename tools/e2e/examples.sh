#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The examples do what they say.
#
# Tests are called by name:
# shellcheck disable=SC2317

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

die()
{
	echo "# $*"
	exit 1
}

same()	# FILE FILE: but for the order of lines
{
	sort "$1" >a
	sort "$2" >b
	diff a b >difference && return
	head -n 20 difference | sed 's/^/# /'
	die "$1 and $2 differ"
}

# Four processes count the same few lines, and some of their own.
test_counter()
{
	for file in 1 2 3 4; do
		seq 500 | sed "s/.*/&\nshared by all\n$file &/" >"part.$file"
	done
	counter part.* >counts || die "counter failed"
	grep -qx '2000	shared by all' counts || die "some did not count"
	sort part.* | uniq -c | sed -E 's/^ *([0-9]+) /\1\t/' >expected
	same counts expected
	printf 'no newline at the end' >one
	[ "$(counter one)" = "1	no newline at the end" ] || die "a line is lost"
	counter one missing >out 2>err && die "does not tell of a missing file"
	grep -q missing err || die "does not name the missing file"
}

runs()	# NUMBER: how often commands were run so far
{
	[ "$(wc -l <log)" = "$1" ] || die "$(wc -l <log) runs, not $1"
}

test_cached()
{
	: >log
	head -c 60000 /dev/urandom >bytes
	command='echo >>log; cat bytes'
	for time in first second third; do
		cached "$command" >out || die "the $time time failed"
		cmp -s out bytes || die "the $time time gave something else"
	done
	runs 1
	# However many want it, five share what four have room for.
	for n in 1 2 3 4 5; do
		[ "$(cached "echo >>log; echo $n")" = "$n" ] || die "not $n"
	done
	runs 6
	hmapctl dump cached >held
	[ "$(wc -l <held)" = 4 ] || die "the cache is not full"
	grep -q 'echo 5' held || die "what came last is not there"
	cached "echo >>log; echo 5" >out
	runs 6
	cached false 2>err && die "takes a failure for an output"
	grep -q '^cached: false: failed' err || die "no word of the failure"
}

test_symbols()
{
	head -n 5000 /proc/kallsyms >file
	symbols.py load file >out || die "loading failed"
	# Of a name that several static symbols share, the last one stays.
	awk '{ addr[$3] = $1 }
	     END { for (name in addr) print addr[name], name }' file >expected
	[ "$(cat out)" = "$(wc -l <expected) symbols" ] || die "$(cat out)"
	awk '{ print $2 }' expected | head -n 1000 | xargs symbols.py >found ||
		die "did not find all"
	head -n 1000 expected >some
	same found some
	symbols.py no_such_symbol >out && die "found what is not there"
	[ "$(cat out)" = 'no no_such_symbol' ] || die "$(cat out)"
	printf '%s\n' 'ff t one' '10 t two [hmap]' >file
	symbols.py load file 2>err && die "made a map that there was"
	grep -q 'there is a map of that name' err || die "not told why"
	symbols.py unload || die "unloading failed"
	symbols.py load file >out || die "loading again failed"
	[ "$(symbols.py two)" = '0000000000000010 two' ] || die "no two"
}

set -- counter cached symbols
echo 'KTAP version 1'
echo "1..$#"
number=0
failed=0
for name in "$@"; do
	number=$((number + 1))
	if ("test_$name"); then
		echo "ok $number $name"
	else
		failed=1
		echo "not ok $number $name"
	fi
done
for map in cached symbols; do
	hmapctl unlink $map 2>/dev/null
done
exit $failed
