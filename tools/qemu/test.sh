#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tests, as the guest runs them.  All output goes through the kernel's log,
# so that it stands in the order in which things happened beside what the
# kernel has to say; the log as a whole is KTAP.

SUITES=$(cat /suites)
SKIP=4
HUNG_SECONDS=100	# KUnit takes it for the limit of a test case, too

# 0x1000 module out of tree, 0x2000 not signed, 0x40000 KUnit has run
HARMLESS_TAINT=$((0x1000 | 0x2000 | 0x40000))

log()	# PREFIX
{
	while IFS= read -r line || [ -n "$line" ]; do
		printf '<5>%s%.900s\n' "$1" "$line" >/dev/kmsg
	done
}

result()	# STATUS NAME
{
	number=$((number + 1))
	case $1 in
	0)	echo "ok $number $2" ;;
	"$SKIP")	echo "ok $number $2 # SKIP this kernel does not tell" ;;
	*)	echo "not ok $number $2" ;;
	esac | log
}

# A leak is known by the second scan; objects under five seconds old are spared.
leaks()
{
	[ -e /sys/kernel/debug/kmemleak ] || return $SKIP
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak &&
	echo scan >/sys/kernel/debug/kmemleak &&
	cat /sys/kernel/debug/kmemleak >/tmp/leaks || return 1
	head -n 200 /tmp/leaks | log '# '
	[ ! -s /tmp/leaks ]
}

load()
{
	[ -e /sys/module/hmap ] || insmod /modules/hmap.ko 2>&1 | log '# '
}

set -- /e2e/e2e-*
[ -e "$1" ] || shift
echo 10 >/proc/sys/kernel/hung_task_check_interval_secs
echo $HUNG_SECONDS >/proc/sys/kernel/hung_task_timeout_secs
echo 1 >/proc/sys/kernel/hung_task_panic

# The last result, on what the kernel had to say, is for the host to give.
{
	echo 'guest: results'
	echo 'KTAP version 1'
	echo "1..$((SUITES + $# + 6))"
} | log

load
# Tests of what happens without memory let allocations fail that may wait, too.
if [ -e /sys/kernel/debug/failslab ]; then
	echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
	echo 0 >/sys/kernel/debug/failslab/verbose
fi
if [ "$SUITES" != 0 ]; then
	insmod /modules/hmap_kunit.ko 2>&1 | log '# '
	rmmod hmap_kunit 2>&1 | log '# '
fi
number=$SUITES

for program in "$@"; do
	load
	{
		timeout -s KILL $((600 * ${LONG:-1})) "$program" 2>&1
		echo $? >/tmp/status
	} | log '    '
	result "$(cat /tmp/status)" "${program##*/}"
done

lockdep_on()
{
	[ -e /proc/lockdep_stats ] || return $SKIP
	grep -q 'debug_locks: *1' /proc/lockdep_stats
}

load
leaks
result $? no-leak-while-loaded
rmmod hmap 2>&1 | log '# '
[ ! -e /sys/module/hmap ]
result $? unload
leaks
result $? no-leak-after-unload
lockdep_on
result $? lockdep-still-on
[ $(($(cat /proc/sys/kernel/tainted) & ~HARMLESS_TAINT)) = 0 ]
result $? not-tainted
