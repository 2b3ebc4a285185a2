#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What hmapctl shows of the inside of maps, and of what they do: explain, top,
# watch.
#
# Tests are called by name:
# shellcheck disable=SC2317

# shellcheck source=harness.sh
. "$(dirname "$0")/harness.sh"

test_explain_empty()
{
	create m u64 u64
	run 0 hmapctl explain m 1
	has '^array    there is none'
	run 0 hmapctl explain m 1 --json
	has '"found": *false'
}

test_explain_hit_and_miss()
{
	create m string u64
	run 0 hmapctl insert m one 1
	run 0 hmapctl explain m one
	has '^hash     [01]{8}\.\.\.$'
	has '^bucket   the low 0 bits: 0 of 2\^0$'
	has '^slots     [0-9a-f]{2}( *\.){7}$'
	has '^ *slot 0 has the tophash: its key is equal$'
	has '^ *found in slot 0 of the bucket$'
	has '^insert   would replace the elem in slot 0 of the bucket$'
	run 0 hmapctl explain m two
	has '^ *a slot is emptyRest: .* the key is not there$'
	has '^insert   would take slot 1 of the bucket$'
	run 0 hmapctl explain m one --json
	has '"found": *true'
	has '"at": *\{ *"nth": *0, *"slot": *0 *\}'
}

# The ninth key has a map of one bucket grow.
test_explain_growth()
{
	create m u64 none
	seq 8 >keys
	run 0 hmapctl load m keys
	run 0 hmapctl explain m 9
	has '^ *this is the last of the chain: the key is not there$'
	has '^insert   would chain overflow bucket 1 and take its slot 0$'
	has '^ *but before that, it would have the map grow to twice the size$'
	run 0 hmapctl explain m 8
	has 'found in slot 7'
}

test_explain_refused()
{
	restore_at_end
	create m u64 u64 --mode 644
	refused 2 "'x'" hmapctl explain m x
	chmod 666 /dev/hmap
	as_nobody 1 'hmapctl explain m 1'
	complained "takes CAP_SYS_ADMIN"
	parameter explain 0
	refused 1 "takes CAP_SYS_ADMIN" hmapctl explain m 1
	parameter explain 1
}

test_top()
{
	create m u64 u64 --max-entries 2000
	create n u64 u64
	seq 1000 | while read -r i; do
		printf '%d\t%d\n' "$i" "$i"
	done >entries
	run 0 hmapctl load m entries
	run 0 hmapctl top --once --delay 0.1
	has '^ +ID ENTRIES +BYTES LIMIT% +LOAD GROW% +LOOK/S +INS/S +DEL/S HOLD NAME$'
	has '^ *[0-9]+ +1000 +[0-9]+ +50.0 +[0-9.]+ +[-0-9]+ +0 +0 +0 +0 m$'
	has '^ *[0-9]+ +0 +[0-9]+ +[0-9.]+ +0.00 +- +0 +0 +0 +0 n$'
}

test_top_rates()
{
	create m u64 u64
	hmapctl top --once --delay 2 >out &
	sleep 0.5
	seq 500 | sed 's/$/\t1/' | hmapctl load m
	hmapctl lookup m 1 2 3 4 >/dev/null
	hmapctl delete m 1 2
	wait
	awk '$NF == "m" { exit !($2 == 498 && $8 > 100 && $8 < 251 &&
				 $7 > 0 && $7 <= 2 && $9 > 0 && $9 <= 1) }' out ||
		{ show out; die "wrong rates"; }
}

order()	# COLUMN
{
	run 0 hmapctl top --once --delay 0.01 --sort "$1"
	sed '1d; s/.* //' out >names
	tr '\n' ' ' <names >order
	read -r names <order
}

test_top_sort()
{
	create m u64 u64
	create s u64 u64
	create n u64 u64
	run 0 hmapctl insert n 1 1
	order name
	[ "$names" = 'm n s' ] || die "by name: $names"
	order ENTRIES
	[ "$names" = 'n m s' ] || die "by entries: $names"
	order id
	[ "$names" = 'n s m' ] || die "by id: $names"
	refused 2 "'x': there is no such column" hmapctl top --once --sort x
	refused 2 "--delay '0'" hmapctl top --once --delay 0
	refused 2 'use --once' hmapctl top
}

# Each digit of an array is the entries of a bucket.
entries_shown()
{
	sed -n '5s/^count *[0-9]*//p' out | fold -w 1 |
		awk '{ n += index("123456789abcdefghijklmnopqrstuvwxyz", $1) }
		     END { print n }'
}

test_watch()
{
	need_debugfs
	create m u64 u64
	run 0 hmapctl watch m --once --delay 0.01
	has '^m  u64 -> 8 bytes$'
	has '^there is no array yet$'
	seq 0 51 | sed 's/$/\t1/' >entries
	run 0 hmapctl load m entries
	run 0 hmapctl watch m --once --delay 0.01
	has '^load 6.50 per bucket.* bytes [0-9]+ of '
	has '^count  +52 '
	has '^B  +3$'
	[ "$(wc -l <out)" -lt 25 ] || die "more than 24 lines"
	awk 'length > 80 { exit 1 }' out || die "more than 80 columns"
	[ "$(entries_shown)" = 52 ] || { show out; die "not 52 entries"; }
}

test_watch_utf8()
{
	need_debugfs
	create m u64 none
	seq 8 >keys
	run 0 hmapctl load m keys
	run 0 env LC_ALL=C.UTF-8 hmapctl watch m --once --delay 0.01
	has '^count  +8 +█$'
	run 0 env LC_ALL=C hmapctl watch m --once --delay 0.01
	has '^count  +8 +8$'
}

test_watch_growth()
{
	need_debugfs
	restore_at_end
	parameter finish_delay_ms 600000
	create m u64 none
	seq 0 53 >keys
	run 0 hmapctl load m keys
	run 0 hmapctl watch m --once --delay 0.01
	parameter finish_delay_ms 0
	has 'evacuated #+-+ [1-9][0-9]* %$'
	has '^struct hmap  +old 2\^3  +new 2\^4$'
	has ' [0-9a-z.]*X[0-9a-zX.]*  +[0-9a-z.]{16}$'
	[ "$(entries_shown)" = 54 ] || { show out; die "not 54 entries"; }
	awk '/evacuated/ { percent = $(NF - 1) }
	     /^count/ { moved = gsub("X", "") }
	     END { off = percent - 100 * moved / 8; exit off < -1 || off > 1 }' out ||
		{ show out; die "not so many are evacuated"; }
	refused 2 'use --once' hmapctl watch m
	refused 2 "--delay '0'" hmapctl watch m --once --delay 0
	run 0 hmapctl count m
	printed 54
}

test_watch_rates()
{
	need_debugfs
	create m u64 u64
	hmapctl watch m --once --delay 2 >out &
	sleep 0.5
	seq 500 | sed 's/$/\t1/' | hmapctl load m
	wait
	has '^0 lookups/s, [12][0-9][0-9] inserts/s, 0 deletes/s$'
}

test_watch_refused()
{
	restore_at_end
	create m u64 u64 --mode 644
	chmod 666 /dev/hmap
	for what in 'watch m --once' 'picture m' 'record m'; do
		as_nobody 1 "hmapctl $what"
		complained 'debugfs has to be mounted, and is for root'
	done
	refused 1 'no map of that name' hmapctl watch n --once
	refused 2 "--interval '3600001'" \
		hmapctl record m --frames 1 --interval 3600001
}

run_tests explain_empty explain_hit_and_miss explain_growth explain_refused \
	top top_rates top_sort watch watch_utf8 watch_growth watch_rates \
	watch_refused
