#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What hmapctl prints of entries and reads of them: parts of a map, forms of
# values, JSON, CSV, keys from standard input.
#
# Tests are called by name:
# shellcheck disable=SC2317

# shellcheck source=harness.sh
. "$(dirname "$0")/harness.sh"

# [LINE]...: all that the last run wrote to stdout, in some order
printed_somehow()
{
	sort out >a
	printf '%s\n' "$@" | sort >b
	cmp -s a b && return
	show a
	show b
	die 'printed something else'
}

test_parts()
{
	create m string u32
	printf '%s\t1\n' eth0 eth1 'e*h' lo 'w\tlan/0' >in
	run 0 hmapctl load m in
	run 0 hmapctl dump m --prefix eth
	printed_somehow 'eth0	1' 'eth1	1'
	run 0 hmapctl dump m --match '*[01]'
	printed_somehow 'eth0	1' 'eth1	1' 'w\tlan/0	1'
	run 0 hmapctl dump m --match 'e[*]h'
	printed 'e*h	1'
	run 0 hmapctl dump m --prefix 'w\t' --json
	printed '[' '{"key":"w\tlan/0","elem":1}' ']'
	run 0 hmapctl dump m --match '?o' --prefix e
	printed
	for n in 0 3 9; do
		run 0 hmapctl dump m --limit "$n"
		[ "$(wc -l <out)" = "$((n < 5 ? n : 5))" ] ||
			die "--limit $n printed $(wc -l <out) lines"
	done
	run 0 hmapctl dump m --limit 1 --prefix eth1
	printed 'eth1	1'
	run 0 hmapctl count m
	printed 5
	run 0 hmapctl count m --prefix eth
	printed 2
	run 0 hmapctl count m --match 'e*'
	printed 3
	create n u64 none
	run 0 hmapctl insert n 1234
	run 0 hmapctl insert n 1334
	run 0 hmapctl dump n --prefix 12
	printed 1234
	refused 2 "--limit 'x'" hmapctl dump n --limit x
}

test_forms()
{
	# The number has the same bytes in either order.
	create m bytes:6 u32
	run 0 hmapctl insert m hex:52:54:00:12:34:56 33620226
	for key in 525400123456 52-54-00-12-34-56 '52 54 00 12 34 56' \
		   52:54:00123456; do
		run 0 hmapctl lookup m "hex:$key"
		printed 33620226
	done
	for key in 52:54:00:12:34: :52:54:00:12:34:56 5:2:54:00:12:34:56 \
		   52::54:00:12:34:56 52_54:00:12:34:56; do
		refused 2 'two hexadecimal digits' \
			hmapctl lookup m "hex:$key"
	done
	run 0 hmapctl dump m --output hex
	printed 'hex:52:54:00:12:34:56	hex:02:01:01:02'
	cp out in
	run 0 hmapctl dump m --output text
	printed 'RT\x00\x124V	\x02\x01\x01\x02'
	run 0 hmapctl dump m --output int
	printed 'hex:52:54:00:12:34:56	33620226'
	run 0 hmapctl lookup m hex:525400123456 --output hex
	printed 'hex:02:01:01:02'
	run 0 hmapctl dump m --output hex --jsonl
	printed '{"key":{"hex":"525400123456"},"elem":{"hex":"02010102"}}'
	run 0 hmapctl clear m
	run 0 hmapctl load m in
	run 0 hmapctl dump m --output int
	printed 'hex:52:54:00:12:34:56	33620226'
	refused 2 "--output 'dec' is not text, hex or int" \
		hmapctl dump m --output dec

	create n bytes:2 bytes:1
	run 0 hmapctl insert n aa c
	run 0 hmapctl dump n --output int
	printed "$((97 * 257))	99"
	create s string none
	run 0 hmapctl insert s abcd
	run 0 hmapctl dump s --output int
	printed hex:61:62:63:64
}

test_json_as_dumped()
{
	create m string u64
	create n string u64
	awk 'BEGIN { for (i = 0; i < 3000; i++) print "k\\x00" i "\t" i }' >in
	run 0 hmapctl load m in
	for form in --json --pretty --jsonl; do
		run 0 hmapctl dump m "$form"
		mv out dumped
		run 0 hmapctl clear n
		run 0 hmapctl load n dumped --json
		holds n in
	done
	# As other programs write it: no line is whole, or all is on one line
	tr '\n' ' ' <dumped >one-line
	run 0 hmapctl clear n
	run 0 hmapctl load n one-line --json
	holds n in
	{ printf '['; sed '$!s/$/,/' dumped; printf ']'; } |
		tr -d '\n' >one-line
	run 0 hmapctl clear n
	run 0 hmapctl load n one-line --json
	holds n in
}

test_json_that_is_wrong()
{
	create m string u32
	printf '%s\n' '[' '{"key": "a", "elem": 1},' '{"key": "b"' '}]' >in
	refused 2 'in:4: elem is missing; entries before it: 1' \
		hmapctl load m in --json
	printf '%s\n' '[{"key": "a", "elem": 1}' >in
	refused 2 'in:1: that is not JSON' hmapctl load m in --json
	for text in '[[]]' '7' '"x"' 'true' '[null]'; do
		echo "$text" >in
		refused 2 'an entry is an object' hmapctl load m in --json
	done
	echo '{"key":"a","elem":1,"entries":1}' >in
	refused 2 'another member than key and elem' hmapctl load m in --json
	refused 2 '--jsonl and --json exclude' hmapctl load m in --json --jsonl
	refused 2 '--csv and --pretty exclude' hmapctl dump m --csv --pretty
}

test_csv()
{
	create m string var:100
	create n string var:100
	printf '%s\t%s\n' 'a,b' 'say "x"' 'two\nlines' '' '' ' x ' \
		'\x00' 'caf\xc3\xa9' '\xff' 'back\\slash' \
		'\x68ex:00' '\x40file' key elem >in
	run 0 hmapctl load m in
	run 0 hmapctl dump m --csv
	[ "$(head -n 1 out)" = "key,elem$(printf '\r')" ] || die 'no head'
	has '^"a,b","say ""x"""'
	has '^hex:ff,"back\\slash"'
	has '^hex:68:65:78:3a:30:30,"@file"'
	mv out dumped
	run 0 hmapctl load n dumped --csv
	holds n in

	run 0 hmapctl clear n
	printf 'key,elem\nkey,1\n a ,"2\n3"\nx,\n' >csv
	run 0 hmapctl load n csv --csv
	printf '%s\n' 'key	1' ' a 	2\n3' 'x	' >want
	holds n want
	create s u32 none
	printf '1\r\n2\r\n' >csv
	run 0 hmapctl load s csv --csv
	run 0 hmapctl dump s --csv
	has '^1'
	[ "$(wc -l <out)" = 3 ] || die 'not three lines'
}

test_csv_that_is_wrong()
{
	create m string u32
	for row in x 'x,1,2' 'x,y' '"x,1' 'x"y,1'; do
		printf 'a,1\nb,2\n%s\n' "$row" >in
		refused 2 in:3: hmapctl load m in --csv
		complained 'tail -n +3 goes on'
	done
	printf 'a\t1\nb\t2\n' >want
	holds m want
	create n u32 none
	printf '1\n1,2\n' >in
	refused 2 'in:2: there is not one field' hmapctl load n in --csv
	printf '1\n4294967296\n' >in
	refused 2 'in:2: key is not a whole number' hmapctl load n in --csv
}

test_keys_from_stdin()
{
	create m string u32
	seq 3000 | awk '{ print "k\\x00" $1 "\t" $1 }' >in
	run 0 hmapctl load m in
	cut -f 1 in | hmapctl lookup m - >out 2>err || die 'lookup - failed'
	cmp -s in out || die 'lookup - printed something else'
	printf 'k\\x001\nhex:6b003\n' | hmapctl lookup m - >out 2>err &&
		die 'half a byte was looked up'
	complained "stdin:2: map 'm': key 'hex:6b003' has bytes"
	printf 'k\\x001\nx\n' | hmapctl lookup m - --json >out 2>err &&
		die 'x was found'
	complained "'m': key 'x': it is not there"
	printed '[' '{"key":{"hex":"6b0031"},"elem":1}' ']'
	tail -n +2 in | cut -f 1 | hmapctl delete m - 2>err ||
		die 'delete - failed'
	head -n 1 in >want
	holds m want
	hmapctl lookup m - <in >out 2>err && die 'found what has an elem'
	run 0 hmapctl insert m '\x2d' 7
	run 0 hmapctl lookup m '\x2d'
	printed 7
}

# A key of 4,000 bytes and a terminal's escapes do not go into a message.
test_short_messages()
{
	create m string u32
	key=$(head -c 4000 /dev/zero | tr '\0' k)
	refused 1 'not there' hmapctl lookup m "$key"
	complained "key '$(echo "$key" | head -c 40)...': it is not there"
	refused 2 "elem 'x?[31m'" hmapctl insert m k "$(printf 'x\033[31m')"
}

test_closed_pipe()
{
	create m u32 u32
	seq 100000 | awk '{ print $1 "\t" $1 }' >in
	run 0 hmapctl load m in
	hmapctl dump m 2>err | head -n 1 >out
	[ -s out ] || die 'nothing printed'
	[ ! -s err ] || die "complained: $(cat err)"
	(trap '' PIPE; hmapctl dump m 2>err; echo $? >status) | head -n 1 >out
	[ ! -s err ] || die "complained: $(cat err)"
	[ "$(cat status)" = 1 ] || die 'did not fail'
}

test_list()
{
	run 0 hmapctl list
	printed
	create a-map-with-a-long-name bytes:512 var:65536 --mode 640
	create m u32 none
	run 0 hmapctl list
	has '^NAME +KEY +ELEM +ENTRIES +MEMORY +MODE +OWNER$'
	has '^a-map-with-a-long-name  bytes:512  var:65536 +0 +[0-9]+  0640  '
	has '^m                       u32        none      +0 +[0-9]+  0600  '
	hmapctl unlink a-map-with-a-long-name
}

run_tests parts forms json_as_dumped json_that_is_wrong csv csv_that_is_wrong \
	keys_from_stdin short_messages closed_pipe list
