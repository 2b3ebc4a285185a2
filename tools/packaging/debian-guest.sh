#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What is tested in a Debian that has booted with the packages installed: prints
# "ok NAME" or "not ok NAME" for each test, which build upon each other.
#
# Tests are called by name:
# shellcheck disable=SC2317

# Nobody has called modprobe.
test_debian_boots()
{
	[ "$(systemctl is-active systemd-modules-load)" = active ] &&
	[ "$(stat -c '%a %U:%G' /dev/hmap)" = '660 root:hmap' ]
}

as_ann()
{
	su ann -c "$1"
}

test_debian_tools()
{
	useradd -m ann && ! as_ann 'hmapctl create well-known --key string --elem u64' &&
	usermod -a -G hmap ann && as_ann 'hmapctl create well-known --key string --elem u64' &&
	as_ann 'hmapctl insert well-known https 443'
}

test_debian_python()
{
	as_ann "python3 -c 'import hmap; hmap.open(\"well-known\", \"r+\").update(ssh=22)'" &&
	[ "$(as_ann 'hmapctl lookup well-known ssh')" = 22 ]
}

test_debian_c()
{
	printf 'a\nb\na\n' >/tmp/lines
	[ "$(as_ann 'counter /tmp/lines' | grep -c '^2	a')" = 1 ]
}

# The map goes with the module, as it does when the machine goes down, and comes
# back from the backup.
test_debian_service()
{
	systemctl enable --now hmap@well-known && systemctl reload hmap@well-known &&
	[ -s /var/lib/hmap/well-known ] && as_ann 'hmapctl insert well-known smtp 25' &&
	systemctl stop hmap@well-known &&
	modprobe -r hmap && modprobe hmap && udevadm settle &&
	! hmapctl lookup well-known ssh &&
	systemctl start hmap@well-known &&
	[ "$(as_ann 'hmapctl lookup well-known ssh smtp' | xargs)" = 'ssh 22 smtp 25' ]
}

# shellcheck disable=SC2013
for name in $(sed -n 's/^test_\(.*\)()$/\1/p' "$0"); do
	if ("test_$name") >/tmp/log 2>&1; then
		echo "ok $name"
	else
		sed 's/^/# /' /tmp/log
		echo "not ok $name"
		failed=1
	fi
done
echo '# that was the last test'
sync
echo "<1>guest: exit ${failed-0}" >/dev/kmsg
reboot -ff
