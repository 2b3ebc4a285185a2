# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2119,SC2120 # what the tests call
#
# What the tests of hmapctl have in common; make puts it into each of them.  A
# check that fails says what was run and what came of it, and ends its test.  A
# process is dear where this runs, so the shell does by itself what it can.

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
	{
		IFS= read -r line
		IFS= read -r more && line=
	} <err
	case $line in
	*"$1"*) return 0 ;;
	esac
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
	printed
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

# To be called first where a parameter or the device's mode is changed
restore_at_end()
{
	mode=$(stat -c %a /dev/hmap)
	parameters=$(cd /sys/module/hmap/parameters && grep '' max_* finish_delay_ms)
	trap 'chmod "$mode" /dev/hmap
	      for name in $parameters; do
			parameter "${name%:*}" "${name#*:}"
	      done' EXIT
}

parameter()	# NAME VALUE
{
	echo "$2" >"/sys/module/hmap/parameters/$1"
}

as_nobody()	# STATUS COMMAND
{
	grep -q '^nobody:' /etc/passwd 2>/dev/null || {
		mkdir -p /etc
		echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
	}
	run "$1" su -s /bin/sh nobody -c "$2"
}

# Skip the test where the kernel has no debugfs.
need_debugfs()
{
	[ -d /sys/kernel/debug ] && return
	echo '# the kernel has no debugfs'
	exit 4
}

# NAME...: run test_NAME for each, and exit
run_tests()
{
	echo 'KTAP version 1'
	echo "1..$#"
	maps=/sys/kernel/debug/hmap
	number=0
	failed=0
	for name in "$@"; do
		number=$((number + 1))
		("test_$name")
		case $? in
		0)	echo "ok $number $name" ;;
		4)	echo "ok $number $name # SKIP" ;;
		*)	failed=1
			echo "not ok $number $name" ;;
		esac
		for map in m n s v; do
			if [ -L $maps/$map ] || [ ! -d $maps ]; then
				hmapctl unlink $map 2>/dev/null
			fi
		done
	done
	exit $failed
}
