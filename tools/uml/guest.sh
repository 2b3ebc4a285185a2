#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# What runs when KUnit is through: end-to-end programs, whose results go through
# the kernel's log, and then what gcov has counted.

export PATH=/bin
/bin/busybox mkdir -p /proc /sys /tmp
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm
if [ -e /sys/kernel/debug/failslab ]; then
	echo 0 >/sys/kernel/debug/failslab/verbose
fi

log()	# PREFIX
{
	while IFS= read -r line; do
		echo "<5>$1$line" >/dev/kmsg
	done
}

status=0
run()	# PROGRAM
{
	{
		timeout -s KILL 600 "$1" 2>&1
		echo $? >/tmp/status
	} | log '    '
	[ "$(cat /tmp/status)" = 0 ] || {
		echo "not ok ${1##*/}" | log
		status=1
	}
}

# The kernel's command line may say which program is to be the first.
first=/e2e/e2e-${FIRST-}
[ ! -e "$first" ] || run "$first"
for program in /e2e/*; do
	[ "$program" = "$first" ] || run "$program"
done

# The files do not tell their sizes.
cd /sys/kernel/debug/gcov || exit
find . -name '*.gcda' | while read -r file; do
	mkdir -p "/tmp/gcov/${file%/*}"
	cat "$file" >"/tmp/gcov/$file"
done
[ ! -e /tmp/gcov ] || tar -cz -C /tmp/gcov . | base64 -w 800 | log 'gcov: '

echo "<1>guest: exit $status" >/dev/kmsg
poweroff -f
