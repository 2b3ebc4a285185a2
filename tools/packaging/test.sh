#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What someone does who installs hmap and uses it, as the guest runs it: from
# `make install` in a tree that has been built, through a map that two users and
# several processes share, to `make uninstall`.  Prints "ok NAME" or "not ok
# NAME" for each test, which build upon each other.
#
# Tests are called by name:
# shellcheck disable=SC2317

# Exits with the status of the command unless that is as it should be.
is()	# STATUS COMMAND...
{
	expected=$1
	shift
	"$@" >/tmp/out 2>&1
	status=$?
	cat /tmp/out
	[ $status = "$expected" ] && return
	echo "$*: exit status $status, not $expected"
	exit 1
}

# The last command wrote a line like that.
said()	# PATTERN
{
	grep -qx -- "$1" /tmp/out && return
	echo "it did not say: $1"
	exit 1
}

as()	# USER COMMAND, a line for the shell
{
	su -s /bin/sh "$1" -c "$2"
}

# All there is but for what runs, and what was there to be changed.
files()
{
	find / -xdev \( -path /src -o -path /etc -o -path '/usr/lib/python*' \) \
		-prune -o ! -type d -print | sort
}

test_install()
{
	files >/tmp/before
	is 0 make -s -C /src install
	grep -q '^hmap:' /etc/group
}

test_module()
{
	is 0 modprobe hmap
	udevadm settle
	is 0 stat -c '%a %U:%G' /dev/hmap
	said '660 root:hmap'
	is 0 cat /sys/module/hmap/version
	said "$(hmapctl --version | sed 's/hmapctl //')"
}

test_group()
{
	is 0 useradd -G hmap ann
	is 0 useradd -G hmap bob
	is 0 useradd eve
	is 0 as ann 'hmapctl create words --key string --elem u64 --mode 666'
	is 1 as eve 'hmapctl lookup words the'
	said 'hmapctl: .*/dev/hmap: Permission denied (sudo usermod -a -G hmap .*)'
}

test_load()
{
	seq 1 5000 | sed 's/.*/word&\t&/' >/tmp/words.tsv
	is 0 as ann 'hmapctl load words /tmp/words.tsv'
	is 0 as ann 'hmapctl lookup words word4711'
	said 4711
}

test_python()
{
	cat >/tmp/sum.py <<-END
	import hmap
	with hmap.open('words') as words:
	    print(len(words), words['word42'], sum(words.values()))
	END
	is 0 as bob 'python3 /tmp/sum.py'
	said '5000 42 12502500'
	# Python keeps the module compiled, if it may.
	is 0 python3 -c 'import hmap'
}

test_count()
{
	add='for i in 1 2 3 4 5 6 7 8 9 10; do
		hmapctl add words visits 1 >/dev/null || exit
	done'
	for user in ann bob ann bob; do
		as $user "$add" &
	done
	wait
	is 0 as ann 'hmapctl lookup words visits'
	said 40
}

# A program that was built with what pkg-config says
test_program()
{
	is 0 as ann 'counter /tmp/words.tsv /tmp/words.tsv /tmp/words.tsv'
	[ "$(grep -c '^3	word' /tmp/out)" = 5000 ]
}

test_limit()
{
	is 0 as ann 'hmapctl create few --key u32 --elem none --max-entries 2'
	is 0 as ann 'hmapctl insert few 1'
	is 0 as ann 'hmapctl insert few 2'
	is 1 as ann 'hmapctl insert few 3'
	said "hmapctl: .*'few'.*max_entries 2.*"
}

# One of the group may use the device, but not a map of mode 0600.
test_mode()
{
	is 1 as bob 'hmapctl lookup few 1'
	said "hmapctl: .*'few'.* mode .*"
	is 1 as bob 'hmapctl unlink few'
	said "hmapctl: .*'few'.* owner.*"
}

test_unload()
{
	is 0 as ann 'hmapctl unlink few'
	is 0 as ann 'hmapctl unlink words'
	is 0 rmmod hmap
	udevadm settle
	[ ! -e /dev/hmap ]
}

# As long as DKMS would build the module for the next kernel, its source stays.
test_uninstall_after_dkms()
{
	printf '#!/bin/sh\necho hmap/0.1: added\n' >/bin/dkms
	chmod +x /bin/dkms
	is 2 make -s -C /src uninstall
	said 'install: .* run: dkms remove hmap/.* --all'
	rm /bin/dkms
	command -v hmapctl
}

test_uninstall()
{
	is 0 make -s -C /src uninstall
	files >/tmp/after
	diff /tmp/before /tmp/after || exit
	[ -z "$(find /usr -name '*hmap*' ! -path '/usr/lib/modules/*')" ]
}

# What a system has, and a guest has not
export PATH=/usr/local/bin:/bin:/sbin:/usr/bin:/usr/sbin
mkdir -p /run
printf '%s\n' root:x:0: nobody:x:65534: >/etc/group
printf '%s\n' root:x:0:0::/:/bin/sh >/etc/passwd
/lib/systemd/systemd-udevd --daemon

sed -n 's/^test_\(.*\)()$/\1/p' "$0" >/tmp/names
while read -r name; do
	if ("test_$name" >/tmp/log 2>&1); then
		echo "ok $name"
	else
		sed 's/^/# /' /tmp/log
		echo "not ok $name"
		failed=1
	fi
done </tmp/names
# On a busy host, what the UART has last, up to 16 bytes, may be lost.
echo '# that was the last test'
[ -z "${failed-}" ]
