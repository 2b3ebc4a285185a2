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

get()	# PATH CLIENT TIMES: the statuses of that many requests, and the last answer
{
	/usr/bin/python3 - "$@" <<-END
	import http.client, socket, sys

	path, client, times = sys.argv[1:]
	for _ in range(int(times)):
	    connection = http.client.HTTPConnection('web')
	    connection.sock = socket.socket(socket.AF_UNIX)
	    connection.sock.connect('socket')
	    connection.request('GET', path, headers={'X-Real-IP': client})
	    answer = connection.getresponse()
	    print(answer.status)
	print(answer.read().decode(), end='')
	END
}

wait_for()	# COMMAND...
{
	tries=300
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || die "still not so: $*"
		sleep 0.1
	done
}

workers()	# PID of their parent
{
	cat /proc/[0-9]*/stat 2>/dev/null |
		awk -v parent="$1" '$4 == parent { print $1 }'
}

are()		# NUMBER
{
	[ "$(workers "$server" | wc -l)" = "$1" ]
}

gone()		# PID...
{
	for pid in "$@"; do
		[ ! -e "/proc/$pid" ] || return
	done
}

no_clients()
{
	hmapctl dump web >held && ! grep -q 'client ' held
}

serve()		# WINDOW
{
	rm -f socket
	webserver.py --workers 3 --limit 20 --window "$1" socket &
	server=$!
	wait_for are 4
}

stop()
{
	pids=$(workers "$server")
	kill "$server"
	wait "$server" || die "the server failed"
	# shellcheck disable=SC2086 # several
	wait_for gone $pids
}

# A window that does not end here
test_webserver()
{
	serve 100000000
	pids=
	for part in 1 2 3; do
		get / 10.0.0.1 15 >"got.$part" &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || die "no answer"
	done
	[ "$(cat got.* | grep -cx 200)" = 20 ] || die "not limited to 20"
	[ "$(cat got.* | grep -cx 429)" = 25 ] || die "not all others refused"
	[ "$(get / 10.0.0.2 1)" = "200
request 21" ] || die "another client is refused"
	pids=$(workers "$server")
	# shellcheck disable=SC2086 # several
	kill -9 $pids
	# shellcheck disable=SC2086
	wait_for gone $pids
	wait_for are 4
	get / 10.0.0.1 1 | grep -qx 429 || die "forgets with its workers"
	get /stats x 1 | grep -q '"requests served": 21' || die "counts differ"
	hmapctl lookup web 'requests refused' >out
	[ "$(cat out)" = 26 ] || die "refused $(cat out), not 26"
	stop
	serve 1
	get / 10.0.0.1 1 | grep -qx 'request 22' || die "forgets with the server"
	wait_for no_clients
	stop
}

set -- counter cached symbols webserver
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
for map in cached symbols web; do
	hmapctl unlink $map 2>/dev/null
done
exit $failed
