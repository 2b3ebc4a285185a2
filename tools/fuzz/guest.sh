#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What guest runs: the fuzzers, then whether all that they left can be freed.

# shellcheck disable=SC1091
. /settings
NOBODY=65534

# Who passes bad pointers to the device may pass them to a library as well.
echo 0 >/proc/sys/debug/exception-trace

fail()
{
	echo "not ok: $*"
	status=1
}

leaks()
{
	[ -e /sys/kernel/debug/kmemleak ] || return 1
	sleep 6			# objects are spared that are under five seconds old
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	head -n 60 /sys/kernel/debug/kmemleak | grep .
}

# They end by themselves, and may be killed if they do not.
limited()
{
	timeout -s KILL $((SECONDS_EACH + 60)) "$@"
}

# Trinity makes calls until it is told to end.  It crashes when it makes sockets
# where the kernel has few kinds of them, so it gets no files but the device.
others()	# HOW TO RUN A COMMAND...
{
	half=$((SECONDS_EACH / 2))
	limited "$@" "exec stress-ng --dev 4 --dev-file /dev/hmap --timeout $half \
		--temp-path /tmp --metrics-brief" || fail "stress-ng: $*"
	limited "$@" "cd /tmp && exec timeout -s INT $half trinity -l off \
		--dangerous --enable-fds=pseudo -C 4 -V /dev/hmap -c ioctl -c mmap \
		-c read -c write -c poll -c dup -c madvise" 2>&1 |
		grep -a 'Ran .* syscalls' || fail "trinity: $*"
}

status=0
insmod /modules/hmap.ko || exit 1
chmod 0666 /dev/hmap
if [ -n "$OTHERS" ]; then
	mkdir -p /etc
	chmod 1777 /tmp
	echo "nobody:x:$NOBODY:$NOBODY::/:/bin/sh" >/etc/passwd
	others sh -c
	others su nobody -c
else
	limited ioctl "$CALLS" "$SECONDS_EACH" || fail root
	limited ioctl "$CALLS" "$SECONDS_EACH" $NOBODY || fail nobody
fi
sync
rmmod hmap || fail rmmod
leaks && fail leaks
exit $status
