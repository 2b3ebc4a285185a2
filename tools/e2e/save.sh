#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Maps as a whole: hmapctl save, restore and copy.
#
# Tests are called by name:
# shellcheck disable=SC2317

# shellcheck source=harness.sh
. "$(dirname "$0")/harness.sh"

# NAME NAME: the maps are of one shape and have the same entries
same()
{
	for map in "$1" "$2"; do
		run 0 hmapctl show "$map" --json
		grep -o -E '"(key|elem|mapped|mode|uid|gid|count|max_[a-z]*)":[^,]*' \
			out >"is.$map"
		run 0 hmapctl dump "$map"
		sort out >"has.$map"
	done
	cmp -s "is.$1" "is.$2" || {
		show "is.$1"
		show "is.$2"
		die "$2 is not as $1"
	}
	cmp -s "has.$1" "has.$2" || die "$2 does not have what $1 has"
}

there_is_none()	# NAME
{
	refused 1 'there is no map of that name' hmapctl show "$1"
}

# All kinds, all bytes, and more than go into one call
fill()	# NAME
{
	case $1 in
	m)	create m string var:100 --mode 640 --max-entries 5000
		awk 'BEGIN { for (i = 0; i < 3000; i++)
			printf "%d\\x%02x\t\\x%02x\n", i, i % 256, i % 251 }' ;;
	n)	create n u64 u32 --max-bytes 1M
		seq 100 | awk '{ print $1 "\t" $1 }' ;;
	s)	create s bytes:3 none --mode 666
		printf '%s\n' abc '\x00\x00\x00' ;;
	v)	create v string:8 u64 --mapped
		printf '%s\t1\n' '' a 12345678 ;;
	esac >in
	run 0 hmapctl load "$1" in
}

test_round_trip()
{
	for name in m n v s; do
		fill "$name"
		run 0 hmapctl chown "$name" 1:2
		run 0 hmapctl save "$name" backup
		printed
		refused 1 "'$name': there is a map of that name" \
			hmapctl restore backup
		run 0 hmapctl restore backup --name copy
		same "$name" copy
		hmapctl unlink copy
		hmapctl rename "$name" was
		hmapctl restore <backup || die 'restore from stdin failed'
		same was "$name"
		hmapctl unlink was
	done
	head -n 1 backup | grep -q '^{"format":"hmap backup","version":1,' ||
		die "it begins with $(head -n 1 backup)"
	[ "$(tail -n 1 backup)" = '{"entries":2}' ] ||
		die "it ends with $(tail -n 1 backup)"
}

# Nothing is left of what fails.
test_backup_that_is_wrong()
{
	fill s
	run 0 hmapctl save s backup
	hmapctl unlink s
	sed '$d' backup >short
	refused 2 'the backup ends early' hmapctl restore short
	sed 2d backup >less
	refused 2 'another number of entries' hmapctl restore less
	# shellcheck disable=SC2016,SC2238 # for sed, and a file
	sed -n '2h; p; ${x; p}' backup >more
	refused 2 'the backup has ended before' hmapctl restore more
	sed 's/"version":1/"version":2/' backup >newer
	refused 2 'another version' hmapctl restore newer
	sed 's/"mode":"0666",//' backup >modeless
	refused 2 'it does not say mode' hmapctl restore modeless
	sed 's/"mode":"0666"/"mode":"u+w"/' backup >wrong
	refused 2 "mode 'u+w'" hmapctl restore wrong
	sed 's/bytes:3/bytes:0/' backup >wrong
	refused 2 'key is not u32' hmapctl restore wrong
	sed 's/"name":"s"/"name":"a\/b"/' backup >wrong
	refused 2 "'a/b'" hmapctl restore wrong
	sed 's/"max_entries":0/"max_entries":1/' backup >wrong
	refused 1 'max_entries 1' hmapctl restore wrong
	for file in /dev/null in; do
		refused 2 'no backup' hmapctl restore "$file"
	done
	refused 1 'nowhere: No such file' hmapctl restore nowhere
	there_is_none s
	run 0 hmapctl list
	printed
	run 0 hmapctl restore backup
	run 0 hmapctl count s
	printed 2
}

# A backup there is stays until the new one is whole.
test_save_that_fails()
{
	fill m
	echo old >backup
	refused 1 "'o': there is no map" hmapctl save o backup
	[ "$(cat backup)" = old ] || die 'the old backup is gone'
	mkdir inner
	refused 1 'inner: Is a directory' hmapctl save m inner
	refused 1 'nowhere/file: No such file' hmapctl save m nowhere/file
	hmapctl save m >/dev/full 2>err && die 'saved on a full disk'
	complained 'standard output: No space left'
	set -- backup.* inner.*
	[ "$*" = 'backup.* inner.*' ] || die "$* are left"
	run 0 hmapctl save m backup
	[ "$(wc -l <backup)" = 3002 ] || die 'not 3002 lines'
}

test_copy()
{
	for name in m n s v; do
		fill "$name"
		run 0 hmapctl copy "$name" copy
		same "$name" copy
		refused 1 "'copy': there is a map" hmapctl copy "$name" copy
		hmapctl unlink copy
	done
	refused 1 "'o': there is no map" hmapctl copy o p
	refused 2 "'a/b'" hmapctl copy m a/b
	there_is_none o
}

# What one may not own is one's own, and what one may not read stays unread.
test_as_nobody()
{
	restore_at_end
	chmod 666 /dev/hmap
	chmod 755 .
	fill s
	run 0 hmapctl save s backup
	chmod 644 backup
	as_nobody 0 "hmapctl restore $dir/backup --name n"
	run 0 hmapctl show n --json
	has '"uid":65534,'
	as_nobody 0 'hmapctl copy s m'
	run 0 hmapctl show m --json
	has '"uid":65534,'
	run 0 hmapctl chmod s 600
	as_nobody 1 'hmapctl save s'
	complained "'s': its mode does not let you"
}

run_tests round_trip backup_that_is_wrong save_that_fails copy as_nobody
