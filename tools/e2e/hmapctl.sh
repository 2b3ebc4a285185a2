#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# hmapctl against the device: what it prints, and its exit status.
#
# Tests are called by name:
# shellcheck disable=SC2317

# shellcheck source=harness.sh
. "$(dirname "$0")/harness.sh"

subcommands='create list insert lookup delete count xchg cmpxchg add take load
dump save restore copy show explain top watch limit rename chmod chown clear unlink
picture record help'

test_help()
{
	run 0 hmapctl help
	has '^usage: hmapctl'
	sed -n 's/^  \([a-z]*\) .*/\1/p' out >a
	# shellcheck disable=SC2086 # a word each
	printf '%s\n' $subcommands | cmp -s a - || die 'help lists others'
	for cmd in $subcommands; do
		run 0 hmapctl "$cmd" --help
		{
			read -r line
			while read -r more && [ "$more" ]; do :; done
			read -r what
		} <out
		[ "$what" ] || die "the help of $cmd says nothing"
		case $line in
		"usage: hmapctl $cmd"*) ;;
		*) die "the help of $cmd begins with: $line" ;;
		esac
	done
	mv out help
	run 0 hmapctl help "$cmd"
	cmp -s out help || die "two different helps for $cmd"
	run 0 hmapctl help values
	has '^Integers are decimal'
	run 0 hmapctl --version
}

test_wrong_usage()
{
	refused 2 "'frobnicate'" hmapctl frobnicate
	refused 2 "'frobnicate'" hmapctl help frobnicate
	refused 2 "'inser'; did you mean insert?" hmapctl inser m k e
	refused 2 "'ch'; did you mean chmod or chown?" hmapctl ch
	refused 2 "'--max' may be --max-entries or --max-bytes" \
		hmapctl create m --max 1
	refused 2 "'--jsn'; did you mean --json or --jsonl?" \
		hmapctl dump m --jsn
	for cmd in $subcommands; do
		refused 2 -- hmapctl "$cmd" --nonsense m k e
	done
	refused 2 hmapctl hmapctl lookup m
	refused 2 hmapctl hmapctl take m k e
	refused 2 hmapctl hmapctl cmpxchg m k e
	refused 2 hmapctl hmapctl add m k
	refused 2 hmapctl hmapctl list m
	refused 2 --key hmapctl create m --elem u64
	refused 2 --elem hmapctl create m --key u64
	refused 2 --key hmapctl create m --elem u64 --key
	refused 2 "'--json=1' takes no value" hmapctl list --json=1
	refused 2 "'-j'" hmapctl insert m k e -j
	refused 2 '--jsonl and --pretty' hmapctl dump m --jsonl --pretty
	for type in u16 bytes:0 bytes:513 bytes: bytes:x string:5 '' none; do
		refused 2 "--key '$type'" \
			hmapctl create m --key "$type" --elem u64
	done
	for type in u16 bytes:0 bytes:65537 var:0 var:65537 var: string ''; do
		refused 2 "--elem '$type'" \
			hmapctl create m --key u64 --elem "$type"
	done
	refused 2 '--key and --elem are missing' hmapctl create m
	for n in 1x k 16777216T; do
		refused 2 "--hint '$n'" \
			hmapctl create m --key u64 --elem u64 --hint "$n"
	done
	for n in x -1 '' 18446744073709551616; do
		refused 2 "--max-entries '$n'" \
			hmapctl create m --key u64 --elem u64 "--max-entries=$n"
	done
	refused 2 "mode '1000'" \
		hmapctl create m --key u64 --elem u64 --mode 1000
	refused 2 "'.m'" hmapctl create .m --key u64 --elem u64
	refused 2 "mode '8'" hmapctl create m --key u64 --elem u64 --mode 8
	for name in '' .m '#1' a/b; do
		refused 2 "'$name'" hmapctl lookup "$name" 1
	done
	refused 2 "'a?b'" hmapctl lookup "$(printf 'a\tb')" 1
	name=$(seq -s '' 40)
	refused 2 "this has ${#name}" hmapctl lookup "$name" 1
	run 0 hmapctl list
	printed
}

test_life_of_a_map()
{
	create m u64 u64 --mode 640 --max-entries 1000 --max-bytes 1M --hint 10
	refused 1 "'m': there is a map of that name" \
		hmapctl create m --key u64 --elem u64
	run 0 hmapctl list
	has '^m +u64 +u64 +0 +[0-9]+ +0640 +(root|0)$'
	run 0 hmapctl insert m 1 2
	run 0 hmapctl show m
	has '^entries +1, at most 1000$'
	has '^bytes +[0-9]+, at most 1048576$'
	has '^buckets +2\^1$'
	has '^hit +1.00 slots checked$'
	run 0 hmapctl clear m
	run 0 hmapctl dump m
	printed
	run 0 hmapctl unlink m
	run 0 hmapctl list
	printed
	for cmd in 'lookup m 1' 'insert m 1 1' 'delete m 1' 'take m 1' \
		   'load m' 'dump m' 'show m' 'chmod m 600' 'clear m' \
		   'unlink m'; do
		# shellcheck disable=SC2086 # several words
		refused 1 "'m': there is no map of that name" hmapctl $cmd
	done
}

test_create_if_not_there()
{
	create m u64 u64 --exist-ok --max-entries 10
	run 0 hmapctl insert m 1 2
	create m u64 u64 --exist-ok --max-entries 20
	run 0 hmapctl lookup m 1
	printed 2
	for type in u32 var:8; do
		refused 1 'with other keys or elems' hmapctl create m \
			--key u64 --elem "$type" --exist-ok
	done
	run 0 hmapctl show m
	has '^entries +1, at most 10$'
}

# What list shows of a map without a name is none.
test_open_unnamed()
{
	refused 1 'one that has none is for who has it open' \
		hmapctl lookup id:1 1
}

test_create_mapped()
{
	create m string:8 bytes:3 --mapped
	run 0 hmapctl list
	has '^m +string:8 +bytes:3 '
	for key in '' 1 12345678; do
		run 0 hmapctl insert m "$key" abc
		run 0 hmapctl lookup m "$key"
		printed abc
	done
	refused 2 "key '123456789' is longer than the 8 bytes the map takes" \
		hmapctl insert m 123456789 abc
	for wrong in 'string u64' 'bytes:129 u64' 'u64 bytes:129' 'u64 var:8'; do
		refused 2 '--mapped takes' hmapctl create n --mapped \
			--key "${wrong% *}" --elem "${wrong#* }"
	done
	refused 2 'is for --mapped' hmapctl create n --key string:8 --elem u64
}

test_entries()
{
	create m string u32
	run 0 hmapctl insert m one 1
	run 0 hmapctl lookup m one
	printed '1'
	refused 1 "'m': key 'one': it is there already" \
		hmapctl insert m one 2 --noexist
	refused 1 "'m': key 'two': it is not there" \
		hmapctl insert m two 2 --exist
	run 0 hmapctl insert m two 0x2 --noexist
	run 0 hmapctl insert m one 4294967295 --exist
	run 0 hmapctl lookup m one
	printed '4294967295'
	refused 1 "'m': key 'three': it is not there" hmapctl lookup m three
	refused 1 "'m': key 'three': it is not there" hmapctl delete m three
	run 0 hmapctl delete m one
	refused 1 "'m': key 'one': it is not there" hmapctl lookup m one
	run 0 hmapctl insert m '' 7
	run 0 hmapctl lookup m ''
	printed '7'
	run 0 hmapctl insert m -- -k 8
	run 0 hmapctl lookup m -- -k
	printed '8'
	for n in x -1 '' 1.0 0x 4294967296 ' 1'; do
		refused 2 "elem '$n'" hmapctl insert m k -- "$n"
	done
	refused 2 'ELEM is missing' hmapctl insert m k
	refused 2 "key 'a\\'" hmapctl lookup m "a\\"
	refused 2 "key '\\x4'" hmapctl lookup m '\x4'
	refused 2 --exist hmapctl insert m k 1 --exist --noexist
	printf '%s\n' 'two	2' '	7' '-k	8' >want
	holds m want
}

test_many_at_once()
{
	create m string u32
	printf '%s\t1\n' a b 'c\tc' '' >in
	run 0 hmapctl load m in
	run 0 hmapctl lookup m 'c\tc' a ''
	printed 'c\tc	1' 'a	1' '	1'
	run 1 hmapctl lookup m b x a y
	printed 'b	1' 'a	1'
	printf "hmapctl: map 'm': key '%s': it is not there\n" x y |
		cmp -s - err || die 'did not complain of x and y'
	run 0 hmapctl lookup m b a --json
	printed '[' '{"key":"b","elem":1},' '{"key":"a","elem":1}' ']'
	run 0 hmapctl lookup m b -j
	printed '{"key":"b","elem":1}'
	run 0 hmapctl lookup m b -p
	printed '{' '  "key": "b",' '  "elem": 1' '}'
	run 1 hmapctl lookup m x y -j
	printed '[]'
	refused 2 "'a\\'" hmapctl delete m a b "a\\"
	run 1 hmapctl delete m a x b
	complained "key 'x': it is not there"
	printf '%s\t1\n' 'c\tc' '' >want
	holds m want
}

# More than go into one call
test_thousands()
{
	create m u32 var:65536
	seq 1 3000 | awk '{ print $1 "\te" $1 }' >in
	run 0 hmapctl load m in
	holds m in
	# shellcheck disable=SC2046 # a word each
	run 0 hmapctl lookup m $(seq 3000 -1 1)
	seq 3000 -1 1 | awk '{ print $1 "\te" $1 }' | cmp -s - out ||
		die 'lookup of 3000 printed something else'
	# shellcheck disable=SC2046
	run 1 hmapctl delete m $(seq 2 3001)
	complained "key '3001'"
	printf '1\te1\n' >want
	holds m want

	sed '1500s/\t/ /' in >wrong
	refused 2 wrong:1500: hmapctl load m wrong
	complained 'what is before that line is in (tail -n +1500 goes on)'
	run 0 hmapctl clear m
	sed 1500q in >most
	create n u32 var:65536 --max-entries 1500
	run 0 hmapctl load n most
	run 0 hmapctl delete n 1
	refused 1 in:1501: hmapctl load n in
	complained 'tail -n +1501 goes on'
	holds n most
}

# COMMAND...: stopped and continued all the time, which interrupts its calls
stop_and_go()
{
	"$@" >out 2>err &
	while kill -STOP $! && kill -CONT $!; do
		:
	done 2>/dev/null
	wait $! || die "$* failed"
}

test_interrupted()
{
	create m u32 bytes:1000
	seq 1 5000 | awk '{ printf "%d\t%01000d\n", $1, $1 }' >in
	stop_and_go hmapctl load m in
	holds m in
	create n u64 u64 --hint 2000000
	stop_and_go hmapctl dump n
	printed
	stop_and_go hmapctl dump m
	sort out >a
	sort in | cmp -s - a || die 'the dump differs'
}

# Of what follows a line that is refused, some may be loaded.
test_load_goes_on()
{
	create m u32 u32 --max-entries 2
	printf '%s\t%s\n' 1 1 2 2 3 3 1 4 >in
	refused 1 in:3: hmapctl load m in
	complained 'tail -n +3 goes on'
	printf '%s\t%s\n' 1 4 2 2 >want
	holds m want
}

there()	# NAME KEY: within seconds
{
	for i in $(seq 100); do
		hmapctl lookup "$1" "$2" >out 2>err && return
		usleep 100000
	done
	die "$2 did not come to be in $1"
}

# What has come in is loaded, even if more may come.
test_load_does_not_wait()
{
	create m u32 u32
	mkfifo fifo
	hmapctl load m fifo 2>err &
	exec 3>fifo
	printf '1\t10\n2\t20\n3' >&3
	there m 2
	refused 1 'not there' hmapctl lookup m 3
	printf '\t30\n' >&3
	there m 3
	exec 3>&-
	wait $! || die 'load failed'
}

test_updates()
{
	create m string var:100
	run 0 hmapctl xchg m k one
	printed
	run 0 hmapctl xchg m k ''
	printed one
	run 0 hmapctl xchg m k two --exist
	printed ''
	run 1 hmapctl xchg m k three --noexist
	printed two
	complained "'m': key 'k': it is there already"
	refused 1 "key 'x': it is not there" hmapctl xchg m x one --exist
	run 1 hmapctl cmpxchg m k twos three
	printed two
	complained "'m': key 'k': its current value differs"
	run 0 hmapctl cmpxchg m k two three
	printed two
	refused 1 'it is not there' hmapctl cmpxchg m x two three
	refused 2 'not u32 or u64' hmapctl add m k 1
	run 0 hmapctl take m k
	printed three
	refused 1 "'m': key 'k': it is not there" hmapctl take m k
	run 0 hmapctl dump m
	printed
	create s u32 none
	run 0 hmapctl xchg s 1
	refused 1 'it is there already' hmapctl xchg s 1 --noexist
	refused 2 set hmapctl xchg s 1 1
	refused 2 set hmapctl cmpxchg s 1 1 1
	run 0 hmapctl take s 1
	printed
	refused 1 'it is not there' hmapctl take s 1
}

test_add()
{
	create m string u32
	run 0 hmapctl add m k 5
	printed 0
	run 0 hmapctl add m k 0x10
	printed 5
	run 0 hmapctl add m k -22
	printed 21
	run 0 hmapctl add m k 3 --exist
	printed 4294967295
	run 0 hmapctl lookup m k
	printed 2
	refused 1 'it is not there' hmapctl add m x 1 --exist
	for n in x '' - -x 4294967296 -4294967296; do
		refused 2 elem hmapctl add m k -- "$n"
	done
	create n u64 u64
	run 0 hmapctl add n 1 -1
	run 0 hmapctl lookup n 1
	printed 18446744073709551615
}

test_updates_as_json()
{
	create m string u64
	run 0 hmapctl xchg m k 1 -j
	printed '{"key":"k","present":false}'
	run 0 hmapctl add m k 2 --json
	printed '{"key":"k","present":true,"old":1}'
	run 0 hmapctl add m new 2 --json
	printed '{"key":"new","present":false,"old":0}'
	run 1 hmapctl cmpxchg m k 1 2 --json
	printed '{"key":"k","present":true,"old":3}'
	run 1 hmapctl xchg m k 1 --noexist -p
	printed '{' '  "key": "k",' '  "present": true,' '  "old": 3' '}'
	run 1 hmapctl take m x -j
	printed '{"key":"x","present":false}'
	create s u32 none
	run 0 hmapctl xchg s 7 -j
	run 0 hmapctl take s 7 -j
	printed '{"key":7,"present":true}'
}

test_arguments()
{
	create m string var:20
	printf 'a\000\n\377\134' >file
	run 0 hmapctl insert m @file hex:00ff10
	run 0 hmapctl lookup m hex:61000aff5c
	printed '\x00\xff\x10'
	run 0 hmapctl insert m '\x40file' '\x68ex:00'
	run 0 hmapctl insert m hex: 'a@hex:'
	printf '%s\n' 'a\x00\n\xff\\	\x00\xff\x10' \
		'\x40file	\x68ex:00' '	a@hex:' >want
	holds m want
	run 0 hmapctl lookup m '\x40file' -j
	printed '{"key":"@file","elem":"hex:00"}'
	printf '@file\t\\x68ex:00\n\thex:61:40:68-65 783a\n' >in
	run 0 hmapctl load m in
	holds m want
	: >empty
	run 0 hmapctl delete m @empty
	head -c 21 /dev/zero >long
	refused 2 "elem '@long' is longer" hmapctl insert m k @long
	refused 2 "elem 'hex:0'" hmapctl insert m k hex:0
	refused 2 "elem 'hex:0x'" hmapctl insert m k hex:0x
	refused 1 'nowhere: No such file' hmapctl insert m k @nowhere
	refused 1 "$dir: Is a directory" hmapctl insert m k "@$dir"

	create n bytes:4 u64
	run 0 hmapctl insert n hex:deadBEEF hex:0100000000000001
	run 0 hmapctl lookup n '\xde\xad\xbe\xef'
	printed 72057594037927937
	refused 2 'is shorter than the 4 bytes' hmapctl lookup n hex:00
	refused 2 'is shorter than the 8 bytes' hmapctl insert n 1234 hex:01
}

test_sets()
{
	create m bytes:2 none
	run 0 hmapctl insert m ab
	run 0 hmapctl insert m '\x00\n'
	run 0 hmapctl lookup m ab
	printed
	refused 1 'it is not there' hmapctl lookup m ba
	refused 2 set hmapctl insert m ab x
	refused 2 "key 'a'" hmapctl insert m a
	refused 2 "key 'abc'" hmapctl insert m abc
	printf '%s\n' ab '\x00\n' >want
	holds m want
	printf 'cd\nef\tx\n' >in
	refused 2 in:2: hmapctl load m in
	run 0 hmapctl lookup m cd
}

test_integer_borders()
{
	create m u64 u64
	printf '%s\t%s\n' 0 0 1 18446744073709551615 18446744073709551615 1 \
		9223372036854775808 4294967296 >in
	run 0 hmapctl load m in
	holds m in
	run 0 hmapctl lookup m 0xFFFFFFFFFFFFFFFF
	printed '1'
	printf '1\t18446744073709551616\n' >in
	refused 2 in:1: hmapctl load m in
	create n u32 u32
	printf '%s\t%s\n' 0 4294967295 4294967295 0 0x10 0x00000011 >in
	run 0 hmapctl load n in
	run 0 hmapctl lookup n 16
	printed '17'
	printf '1\t1\n4294967296\t1\n' >in
	refused 2 in:2: hmapctl load n in
}

test_load_complains()
{
	create m u32 u32
	for line in x '1' '1	2	3' '' '1	x' '	1' '1	' '1 2' ' 1	2'; do
		printf '1\t1\n2\t2\n%s\n3\t3\n' "$line" >in
		refused 2 in:3: hmapctl load m in
		complained 'tail -n +3 goes on'
	done
	printf '1\t1\n2\t2\n' >want
	holds m want
	refused 1 nowhere hmapctl load m nowhere
	refused 1 "$dir" hmapctl load m "$dir"
}

test_load_from_stdin()
{
	create m u32 u32
	printf '1\t10\n2\t20' | hmapctl load m 2>err || die 'load failed'
	printf '3\t30\n' | hmapctl load m - 2>err || die 'load - failed'
	printf '1\t10\n2\t20\n3\t30\n' >want
	holds m want
	printf '4\t40\nx\n' | hmapctl load m 2>err >out && die 'not refused'
	complained stdin:2:
	run 0 hmapctl load m
}

# Whatever is opened must not get the number of a stream that is closed.
test_closed_streams()
{
	create m u32 u32
	hmapctl load m <&- 2>err && die 'loads from where there is no stdin'
	complained 'stdin: Bad file descriptor'
	run 0 hmapctl insert m 1 1
	hmapctl xchg m 1 1 >&- 2>err && die 'prints where there is no stdout'
	complained 'standard output: Bad file descriptor'
	hmapctl lookup m 2 2>&- && die 'finds what is not there'
	run 0 hmapctl dump m
	printed '1	1'
}

test_limits()
{
	create m u32 u32 --max-entries 5
	for i in 1 2 3 4 5 6 7; do
		printf '%s\t1\n' "$i"
	done >in
	refused 1 'in:6: ' hmapctl load m in
	complained 'max_entries 5'
	complained 'tail -n +6 goes on'
	head -n 5 in >want
	holds m want
	refused 1 'max_entries 5' hmapctl insert m 6 1
	run 0 hmapctl insert m 5 1
	create n string bytes:65536 --max-bytes 256K
	elem=$(head -c 65536 /dev/zero | tr '\0' e)
	for i in 1 2 3 4; do
		printf '%s\t%s\n' "$i" "$elem"
	done >in
	refused 1 'in:4: ' hmapctl load n in
	complained 'max_bytes 262144'
	head -n 3 in >want
	holds n want
}

# All bytes, in keys and in elems, as dump writes them
all_bytes()
{
	awk 'BEGIN {
		for (i = 0; i < 256; i++) {
			c = sprintf("%c", i)
			if (i == 92) c = "\\\\"
			else if (i == 9) c = "\\t"
			else if (i == 10) c = "\\n"
			else if (i == 13) c = "\\r"
			else if (i < 32 || i > 126) c = sprintf("\\x%02x", i)
			first = i == 64 ? "\\x40" : c
			printf "%sk%s\t%s%s%d\n", first, c, first, c, i
			all = all c
		}
		printf "%s\t%s\n", all, all
	}'
}

test_round_trip()
{
	all_bytes >in
	create m string var:1000
	run 0 hmapctl load m in
	holds m in
	run 0 hmapctl dump m
	cp out dumped
	create n string var:1000
	run 0 hmapctl load n dumped
	holds n in
	run 0 hmapctl show n
	has '^entries +257,'
}

# What is not escaped although it may be, as other programs write it
test_raw_bytes()
{
	create m string var:1000
	awk 'BEGIN {
		for (i = 1; i < 256; i++)
			if (i != 9 && i != 10 && i != 92)
				printf "%d:%c\t%c\n", i, i, i
	}' >raw
	LC_ALL=C
	export LC_ALL
	run 0 hmapctl load m raw
	printf '%s\n' '255:\xff	\xff' >want
	run 0 hmapctl dump m
	grep -F '255:' out | cmp -s - want || die 'byte 255 is lost'
	run 0 hmapctl lookup m '13:\r'
	printed '\r'
	[ "$(hmapctl dump m | wc -l)" = 252 ] || die 'not 252 entries'
}

test_largest()
{
	create m string var:65536
	key=$(head -c 4096 /dev/zero | tr '\0' k)
	elem=$(head -c 65536 /dev/zero | tr '\0' 0 | sed 's/0/\\x00/g')
	printf '%s\t%s\n' "$key" "$elem" '' '' "$key" x k '' >in
	run 0 hmapctl load m in
	tail -n 3 in >want
	holds m want
	printf '%sk\t\n' "$key" >in
	refused 2 in:1: hmapctl load m in
	printf 'k\t%sx\n' "$elem" >in
	refused 2 in:1: hmapctl load m in
	holds m want
}

test_json()
{
	create m string u64
	run 0 hmapctl dump m --json
	printed '[]'
	run 0 hmapctl insert m 'a"\\/b' 18446744073709551615
	run 0 hmapctl dump m --json
	printed '[' '{"key":"a\"\\/b","elem":18446744073709551615}' ']'
	run 0 hmapctl insert m '\xff\x00' 0
	run 0 hmapctl insert m 'caf\xc3\xa9\x1f' 1
	run 0 hmapctl dump m --json
	sed '1d; $d; s/,$//' out | sort >a
	printf '%s\n' '{"key":"a\"\\/b","elem":18446744073709551615}' \
		'{"key":"café\u001F","elem":1}' \
		'{"key":{"hex":"ff00"},"elem":0}' | sort >b
	cmp -s a b || {
		show a
		show b
		die 'the JSON differs'
	}

	create s bytes:1 none
	run 0 hmapctl insert s x
	run 0 hmapctl dump s --json
	printed '[' '{"key":"x"}' ']'
	run 0 hmapctl show s --json
	for member in '"name":"s"' '"key":"bytes:1"' '"elem":"none"' \
		      '"count":1' '"mode":"0600"' '"state":"at rest"' \
		      '"overhead":[0-9.]+' '"chains_of":\{"1":1\}'; do
		has "$member"
	done
	[ "$(head -c 1 out)$(tail -c 2 out)" = '{}' ] ||
		die 'show --json is not an object'
	run 0 hmapctl list --json
	[ "$(grep -c '"name":"[ms]"' out)" = 2 ] ||
		die 'list --json does not list two maps'
}

test_json_lines()
{
	all_bytes >in
	create m string var:1000
	run 0 hmapctl load m in
	run 0 hmapctl dump m --jsonl
	[ "$(grep -c '^{"key":.*,"elem":.*}$' out)" = 257 ] ||
		die 'not 257 objects of a line each'
	cp out objects
	create n string var:1000
	run 0 hmapctl load n objects --jsonl
	holds n in
	hmapctl unlink n
	create n u64 u32
	create s bytes:3 none
	printf '%s\t%s\n' 0 4294967295 18446744073709551615 0 >in
	run 0 hmapctl load n in
	run 0 hmapctl dump n --jsonl
	mv out objects
	run 0 hmapctl clear n
	run 0 hmapctl load n objects --jsonl
	holds n in
	printf '%s\n' abc '\x00\x01\xff' >in
	run 0 hmapctl load s in
	run 0 hmapctl dump s --jsonl
	mv out objects
	run 0 hmapctl clear s
	hmapctl load s --jsonl <objects 2>err || die 'load from stdin failed'
	holds s in
}

# As other programs may write them
test_json_forms()
{
	create m string u64
	printf '%s\n' '{"elem":{"hex":"0100000000000001"},"key":"a\u0000\n"}' \
		' { "key" : "\ud83d\ude00\/\\ud800" , "elem" : 2 } ' \
		'{"key":"{18446744073709551616}","elem":18446744073709551615}' \
		'{"key":{"hex":""},"elem":0}' >in
	run 0 hmapctl load m in --jsonl
	printf '%s\n' 'a\x00\n	72057594037927937' '\xf0\x9f\x98\x80/\\ud800	2' \
		'{18446744073709551616}	18446744073709551615' '	0' >want
	holds m want
	while IFS= read -r line; do
		printf '%s\n' '{"key":"","elem":0}' "$line" >in
		refused 2 in:2: hmapctl load m in --jsonl
		complained 'tail -n +2 goes on'
	done <<-'END'
	x
	{}
	{"key":"a"}
	{"key":"a","elem":1
	{"key":"a","elem":1} x
	{"key":"a","elem":1,"x":2}
	{"key":"a","elem":-1}
	{"key":"a","elem":1.0}
	{"key":"a","elem":"1"}
	{"key":"a","elem":18446744073709551616}
	{"key":"a","elem":{"hex":"00"}}
	{"key":1,"elem":1}
	{"key":null,"elem":1}
	{"key":"\ud800","elem":1}
	{"key":"\ud800\u0041","elem":1}
	{"key":"\udc00\ud800","elem":1}
	{"key":{"hex":"0"},"elem":1}
	{"key":{"hex":"0g"},"elem":1}
	{"key":{"hex":"00","x":1},"elem":1}
	{"key":{"hex":"00","hex":"01"},"elem":1}
	{'key':"a","elem":1}
	{"key":[{"a":1}],"elem":1}
	END
	while IFS= read -r line; do
		printf '%s\n' '{"key":"","elem":0}' "$line" >in
		refused 2 'is there twice' hmapctl load m in --jsonl
		complained in:2:
	done <<-'END'
	{"key":"a","key":"b","elem":1}
	{"key":"a","elem":1,"elem":1}
	{"key":"a\":","k\u0065y":"b","elem":1}
	END
	for line in '{"key":"a\000b","elem":1}' '{"key":"a","elem":1}\000' \
		    '{"key":"a",\000"elem":1}'; do
		# shellcheck disable=SC2059 # the line has a \000 in it
		printf "$line" >in
		refused 2 'in:1: that is not JSON' hmapctl load m in --jsonl
	done
	# This one was whole before the mistake.
	run 0 hmapctl delete m a
	holds m want
}

test_write_errors()
{
	create m u32 u32
	run 0 hmapctl insert m 1 1
	printed
	for cmd in 'dump m' 'dump m --json' 'lookup m 1' 'show m' list help; do
		# shellcheck disable=SC2086 # several words
		hmapctl $cmd >/dev/full 2>err
		status=$?
		[ "$status" = 1 ] || die "$cmd: exit status $status on a full disk"
		complained 'standard output: No space left'
	done
}

test_limits_of_the_module()
{
	restore_at_end
	set -- hmapctl create m --key u64 --elem u64
	parameter max_entries 1000
	parameter max_bytes 1000000
	refused 1 "--max-entries 1001 is over the module's max_entries 1000, in /sys/module/hmap/parameters" \
		"$@" --max-entries 1001
	refused 1 "--hint 1001 is over the module's max_entries 1000" \
		"$@" --hint 1001
	refused 1 "--max-bytes 1000001 is over the module's max_bytes 1000000" \
		"$@" --max-bytes 1000001
	for hint in 0 900; do
		refused 1 "more memory than it may use (hint $hint, max_bytes 1024)" \
			"$@" --hint "$hint" --max-bytes 1K
	done
	run 0 "$@"
}

test_limits_of_a_user()
{
	restore_at_end
	chmod 666 /dev/hmap
	parameter max_user_maps 1
	parameter max_user_bytes 100000
	as_nobody 0 'hmapctl create m --key u32 --elem u32 --mode 666'
	as_nobody 1 'hmapctl create n --key u32 --elem u32'
	complained 'max_user_maps 1'
	as_nobody 1 'hmapctl create n --key u32 --elem u32 --hint 100'
	complained 'max_user_maps 1'
	parameter max_user_maps 3
	as_nobody 1 'hmapctl create n --key u32 --elem u32 --hint 100000'
	complained 'than your maps have left (hint 100000, max_user_bytes 100000)'
	parameter max_maps 0
	as_nobody 1 'hmapctl create n --key u32 --elem u32'
	complained 'max_maps 0'
	parameter max_maps 1024
	create n u32 u32
	as_nobody 1 'hmapctl lookup n 1'
	complained "'n': its mode does not let you"
	as_nobody 1 'hmapctl unlink n'
	complained "'n': only its owner"
	as_nobody 1 'hmapctl chmod n 666'
	complained "'n': its mode does not let you"
	as_nobody 0 'hmapctl list'
	has '^m +u32 +u32 +0 +[0-9]+ +0666 +nobody$'
	has '^n +- +- +- +- +0600 +(root|0)$'
	as_nobody 0 'hmapctl list --json'
	grep '"n"' out | grep -Eq '"key"|"count"' && die 'told of what is in n'
	run 0 hmapctl chmod n 622
	as_nobody 0 'hmapctl list'
	has '^n +u32 +u32 +- +- +0622 +(root|0)$'
	as_nobody 0 'hmapctl insert n 1 1'
	as_nobody 0 'seq 9 | sed "s/.*/&	&/" | hmapctl load n'
	as_nobody 0 'hmapctl delete n 1 2'
	as_nobody 1 'hmapctl lookup n 3'
	complained "'n': its mode does not let you"
	as_nobody 1 'hmapctl chmod n 666'
	complained "'n': only its owner"
	run 0 hmapctl limit n --max-entries 7
	as_nobody 1 'hmapctl insert n 1 1'
	complained "'n': key '1': it has reached its max_entries or max_bytes"
	run 0 hmapctl limit n --max-entries 0
	as_nobody 0 'hmapctl chmod m 660'
	as_nobody 0 'hmapctl limit m --max-entries 100000'
	as_nobody 1 'hmapctl chown m 0'
	complained "'m': only its owner"
	as_nobody 0 'hmapctl show m'
	has '^bytes of owner +[0-9]+, at most 100000$'
	seq 20000 | awk '{ print $1 "\t" $1 }' >in
	refused 1 'max_user_bytes 100000' hmapctl load m in
	run 0 hmapctl load n in
	run 0 hmapctl show n
	! grep 'of owner' out || die 'root is limited'
}

test_another_user_may_not()
{
	create m u32 u32
	as_nobody 1 'hmapctl list'
	complained 'the group hmap may open /dev/hmap: Permission denied (sudo usermod -a -G hmap'
	as_nobody 1 'hmapctl lookup m 1'
	complained '/dev/hmap: Permission denied'
}

# WORDS WANTED...: of the line, up to its last word, which is to be completed
completes()
{
	line=$1
	shift
	# shellcheck disable=SC2016 # for bash
	bash -c '
		. /hmapctl.bash
		compopt() { :; }
		IFS=" " read -ra COMP_WORDS <<<"$1|"
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		COMP_WORDS[COMP_CWORD]=${COMP_WORDS[COMP_CWORD]%|}
		_hmapctl hmapctl "${COMP_WORDS[COMP_CWORD]}" \
			"${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' - "$line" >out 2>err </dev/null
	[ ! -s err ] || {
		show err
		die "completing '$line' complained"
	}
	printed "$@"
}

test_completion()
{
	create m u32 u64
	create 'n n' u32 u64
	: >to-load
	mkdir inner
	completes 'hmapctl cr' create
	completes 'hmapctl ch' chmod chown
	completes 'hmapctl help val' values
	completes 'hmapctl lookup ' m 'n\ n'
	completes 'hmapctl lookup n' 'n\ n'
	completes 'hmapctl dump --json ' m 'n\ n'
	completes 'hmapctl dump m --js' --json --jsonl
	completes 'hmapctl insert m 1 2 --n' --noexist
	completes 'hmapctl create x --m' --max-entries --max-bytes --mode --mapped
	completes 'hmapctl create x --key u' u32 u64
	completes 'hmapctl create x --elem = b' bytes:
	completes 'hmapctl create ' ''
	completes 'hmapctl load m to-' to-load
	completes 'hmapctl load m inn' inner/
	completes 'hmapctl insert m @to-' @to-load
	completes 'hmapctl insert m k @inn' @inner/
	completes 'hmapctl picture ' m 'n\ n'
	completes 'hmapctl picture --html to-' to-load
	completes 'hmapctl record m -o inn' inner/
	completes 'hmapctl list ' ''
	completes 'hmapctl limit m --max' --max-entries --max-bytes
	hmapctl unlink 'n n'
}

tests='help wrong_usage life_of_a_map create_if_not_there open_unnamed
create_mapped entries many_at_once thousands interrupted load_goes_on
load_does_not_wait updates add updates_as_json arguments sets integer_borders
load_complains load_from_stdin closed_streams limits round_trip raw_bytes
largest json json_lines json_forms write_errors limits_of_the_module
limits_of_a_user another_user_may_not completion'

# shellcheck disable=SC2086 # a word each
run_tests $tests
