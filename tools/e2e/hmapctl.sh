#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# hmapctl against the device: what it prints, and its exit status.  A check that
# fails says what was run and what came of it, and ends its test.  A process is
# dear where this runs, so the shell does by itself what it can.
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

show()	# FILE: what it has, as far as a line shows it
{
	head -c 600 "$1" | sed "s/^/#   $1: /"
}

# STATUS COMMAND...: leaves files out and err
run()
{
	expected=$1
	shift
	"$@" >out 2>err </dev/null
	status=$?
	[ "$status" = "$expected" ] && return
	show err
	die "$*: exit status $status, not $expected"
}

# [LINE]...: all that the last run wrote to stdout
printed()
{
	while IFS= read -r line; do
		[ "$line" = "${1-nothing}" ] ||
			die "printed '$line', not '${1-nothing}'"
		shift
	done <out
	[ $# = 0 ] || die "did not print '$1'"
}

# PATTERN: the last run wrote a line like that to stdout
has()
{
	grep -Eq -- "$1" out && return
	show out
	die "did not print a line like: $1"
}

# STRING: the last run has one line in err, which has this in it
complained()
{
	IFS= read -r line <err
	case $line in
	*"$1"*)
		[ "$line" = "$(cat err)" ] && [ ! -s out ] && return ;;
	esac
	show out
	show err
	die "did not complain in one line of: $1"
}

# STATUS STRING COMMAND...
refused()
{
	wanted=$2
	expected=$1
	shift 2
	run "$expected" "$@"
	complained "$wanted"
}

# NAME FILE: the map holds exactly the lines of the file
holds()
{
	run 0 hmapctl dump "$1"
	sort out >a
	sort "$2" >b
	cmp -s a b && return
	show a
	show b
	die "the dump of $1 differs from $2"
}

create()	# NAME KEY ELEM [OPTION]...
{
	name=$1 key=$2 elem=$3
	shift 3
	run 0 hmapctl create "$name" --key "$key" --elem "$elem" "$@"
	printed
}

subcommands='create list insert lookup delete load dump show clear unlink'

test_help()
{
	run 2 hmapctl
	grep -q '^usage: hmapctl' err || die 'no usage on stderr'
	run 0 hmapctl help
	[ "$(grep -c '^  [a-z]' out)" = 10 ] || die 'help lists not 10 commands'
	for cmd in $subcommands; do
		run 0 hmapctl "$cmd" --help
		read -r line <out
		case $line in
		"usage: hmapctl $cmd "*) ;;
		*) die "the help of $cmd begins with: $line" ;;
		esac
	done
	mv out help
	run 0 hmapctl help "$cmd"
	cmp -s out help || die "two different helps for $cmd"
	run 0 hmapctl --version
}

test_wrong_usage()
{
	refused 2 "'frobnicate'" hmapctl frobnicate
	refused 2 "'frobnicate'" hmapctl help frobnicate
	for cmd in $subcommands; do
		refused 2 -- hmapctl "$cmd" --nonsense m k e
	done
	refused 2 hmapctl hmapctl lookup m
	refused 2 hmapctl hmapctl lookup m k e
	refused 2 hmapctl hmapctl list m
	refused 2 --key hmapctl create m --elem u64
	refused 2 --elem hmapctl create m --key u64
	refused 2 --key hmapctl create m --elem u64 --key
	for type in u16 bytes:0 bytes:513 bytes: bytes:x string:5 '' none; do
		refused 2 "--key '$type'" \
			hmapctl create m --key "$type" --elem u64
	done
	for type in u16 bytes:0 bytes:65537 var:0 var:65537 var: string ''; do
		refused 2 "--elem '$type'" \
			hmapctl create m --key u64 --elem "$type"
	done
	refused 2 "--hint '1k'" hmapctl create m --key u64 --elem u64 --hint 1k
	for n in x -1 '' 18446744073709551616; do
		refused 2 "--max-entries '$n'" \
			hmapctl create m --key u64 --elem u64 "--max-entries=$n"
	done
	refused 2 "--max-bytes '1T'" \
		hmapctl create m --key u64 --elem u64 --max-bytes 1T
	refused 2 "--mode '1000'" \
		hmapctl create m --key u64 --elem u64 --mode 1000
	refused 2 "'.m'" hmapctl create .m --key u64 --elem u64
	refused 2 "--mode '8'" hmapctl create m --key u64 --elem u64 --mode 8
	for name in '' .m '#1' a/b "$(printf 'a\tb')" "$(seq -s '' 40)"; do
		refused 2 "'$name'" hmapctl lookup "$name" 1
	done
	run 0 hmapctl list
	printed
}

test_life_of_a_map()
{
	create m u64 u64 --mode 640 --max-entries 1000 --max-bytes 1M --hint 10
	refused 1 "'m': there is a map of that name" \
		hmapctl create m --key u64 --elem u64
	run 0 hmapctl list
	has '^m +u64 +u64 +0 +[0-9]+ +0640 +0$'
	run 0 hmapctl insert m 1 2
	run 0 hmapctl show m
	has '^entries +1, at most 1000$'
	has '^bytes +[0-9]+, at most 1048576$'
	has '^buckets +2\^1$'
	has '^count +1$'
	has '^hit +1.00 slots checked$'
	run 0 hmapctl clear m
	run 0 hmapctl dump m
	printed
	run 0 hmapctl unlink m
	run 0 hmapctl list
	printed
	for cmd in 'lookup m 1' 'insert m 1 1' 'delete m 1' 'load m' 'dump m' \
		   'show m' 'clear m' 'unlink m'; do
		# shellcheck disable=SC2086 # several words
		refused 1 "'m': there is no map of that name" hmapctl $cmd
	done
}

test_entries()
{
	create m string u32
	run 0 hmapctl insert m one 1
	run 0 hmapctl lookup m one
	printed '1'
	refused 1 "'m': the key is there already" \
		hmapctl insert m one 2 --noexist
	refused 1 "'m': the key is not there" hmapctl insert m two 2 --exist
	run 0 hmapctl insert m two 0x2 --noexist
	run 0 hmapctl insert m one 4294967295 --exist
	run 0 hmapctl lookup m one
	printed '4294967295'
	refused 1 "'m': the key is not there" hmapctl lookup m three
	refused 1 "'m': the key is not there" hmapctl delete m three
	run 0 hmapctl delete m one
	refused 1 "'m': the key is not there" hmapctl lookup m one
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

test_sets()
{
	create m bytes:2 none
	run 0 hmapctl insert m ab
	run 0 hmapctl insert m '\x00\n'
	run 0 hmapctl lookup m ab
	printed
	refused 1 'the key is not there' hmapctl lookup m ba
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
		complained 'loaded before: 2'
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

test_limits()
{
	create m u32 u32 --max-entries 5
	for i in 1 2 3 4 5 6 7; do
		printf '%s\t1\n' "$i"
	done >in
	refused 1 'in:6: ' hmapctl load m in
	complained 'max_entries 5'
	complained 'loaded before: 5'
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
			printf "%sk%s\t%s%s%d\n", c, c, c, c, i
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
	printed '[' '{ "key": "a\"\\/b", "elem": 18446744073709551615 }' ']'
	run 0 hmapctl insert m '\xff\x00' 0
	run 0 hmapctl insert m 'caf\xc3\xa9\x1f' 1
	run 0 hmapctl dump m --json
	sed '1d; $d; s/,$//' out | sort >a
	printf '%s\n' '{ "key": "a\"\\/b", "elem": 18446744073709551615 }' \
		'{ "key": "café\u001f", "elem": 1 }' \
		'{ "key": { "hex": "ff00" }, "elem": 0 }' | sort >b
	cmp -s a b || {
		show a
		show b
		die 'the JSON differs'
	}

	create s bytes:1 none
	run 0 hmapctl insert s x
	run 0 hmapctl dump s --json
	printed '[' '{ "key": "x" }' ']'
	run 0 hmapctl show s --json
	for member in '"name": "s"' '"key": "bytes:1"' '"elem": "none"' \
		      '"count": 1' '"mode": "0600"' '"state": "at rest"'; do
		has "$member"
	done
	[ "$(head -c 1 out)$(tail -c 2 out)" = '{}' ] ||
		die 'show --json is not an object'
	run 0 hmapctl list --json
	[ "$(grep -c '"name": "[ms]"' out)" = 2 ] ||
		die 'list --json does not list two maps'
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

test_another_user_may_not()
{
	create m u32 u32
	grep -q '^nobody:' /etc/passwd 2>/dev/null || {
		mkdir -p /etc
		echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
	}
	su -s /bin/sh nobody -c 'hmapctl list' >out 2>err </dev/null
	status=$?
	[ "$status" = 1 ] || die "exit status $status"
	complained '/dev/hmap: Permission denied'
}

tests='help wrong_usage life_of_a_map entries sets integer_borders load_complains
load_from_stdin limits round_trip raw_bytes largest json write_errors
another_user_may_not'

# shellcheck disable=SC2086 # a word each
set -- $tests
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
	for map in m n s; do
		hmapctl unlink $map 2>/dev/null
	done
done
exit $failed
