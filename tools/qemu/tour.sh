#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What `make tour` runs in the guest: what is written about Go's map, seen on a
# live one.  Fails if the map does anything but what is said.

# The host looks whether each place() is there.
# shellcheck disable=SC2016

cd /tmp || exit 1
debugfs=/sys/kernel/debug/hmap
wrong=0

chapter()	# TITLE
{
	[ -z "$title" ] || wait_for_key
	title=$*
	printf '\n\033[1m== %s\033[0m\n' "$title"
}

wait_for_key()
{
	grep -q '\<tour=wait\>' /proc/cmdline || return
	printf '\033[2m-- Enter goes on --\033[0m'
	read -r _
}

# Where in the source what is seen happens
place()	# FILE FUNCTION
{
	printf '\033[36m%s: %s()\033[0m\n' "$1" "$2"
}

# What was said has to be so.
so()	# COMMAND...
{
	"$@" && return
	echo "*** this is not so: $*"
	wrong=$((wrong + 1))
}

field()	# MAP NAME
{
	sed -n "/^struct hmap/,\$s/^$2 *//p" "$debugfs/$1/hmap"
}

# Do something to a map, and tell which fields of struct hmap have changed.
try()	# MAP COMMAND
{
	cat "$debugfs/$1/hmap" >before 2>/dev/null || : >before
	printf '\033[32m$ %s\033[0m\n' "$2"
	eval "$2" || wrong=$((wrong + 1))
	awk 'FNR == 1 { file++; on = 0 }
	     /^struct hmap/ { on = 1; next }
	     !on { next }
	     { name = $1; sub(/^[^ ]+ +/, "") }
	     file == 1 { was[name] = $0 }
	     file == 2 && $0 != was[name] {
		printf "  %-20s%s -> %s\n", name, was[name], $0
	     }' before "$debugfs/$1/hmap"
}

# The slots of a bucket and its chain, as debugfs shows them
slots()	# MAP BUCKET [oldbuckets]
{
	awk -v bucket="$2" -v array="${3-buckets}" '
		/^[a-z]/ { on = $0 == array }
		on && $1 == bucket' "$debugfs/$1/buckets"
}

# How many slots look like that
count()	# PATTERN MAP BUCKET [oldbuckets]
{
	pattern=$1
	shift
	slots "$@" | tr -s ' ' '\n' | sed '1,2d' | grep -cE "^($pattern)$"
}

used='[0-9a-f][0-9a-f]'

# The first N keys from FROM on that belong into a bucket
keys_of()	# MAP BUCKET FROM N
{
	seq "$3" $(($3 + 200)) | sed "s/^/explain $1 /" | hmapctl |
		awk -v bucket="$2" -v key="$3" '
			/^bucket/ { if ($6 == bucket) print key; key++ }' |
		head -n "$4"
}

# A large array is made by a work item.
wait_for_growth()	# MAP
{
	tries=0
	until [ "$(field "$1" oldbuckets)" != none ] || [ $tries = 100 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
}

load()	# MAP <KEYS
{
	sed 's/$/\t1/' | hmapctl load "$1"
}

insmod /modules/hmap.ko finish_delay_ms=600000 || exit
echo "A growth goes on only when there are writes here, so that it can be looked at."

chapter 'A map without entries has no buckets'
place core/map.c hmap_create
hmapctl create small --key u64 --elem u64 || exit
grep -A 12 '^struct hmap' "$debugfs/small/hmap"
so [ "$(field small buckets)" = none ]

chapter 'A bucket fills'
echo 'The low B bits of the hash pick a bucket; B is 0, so there is one.  Its high 8'
echo 'bits are the tophash of a slot.  A key takes the first slot that is free (.).'
place core/update.c make_first_array
place core/update.c put_entry
try small 'hmapctl insert small 1 1'
slots small 0
so [ "$(count "$used" small 0)" = 1 ]
try small 'seq 2 8 | load small'
slots small 0
so [ "$(count "$used" small 0)" = 8 ]
so [ "$(field small count)" = 8 ]
so [ "$(field small B)" = 0 ]

chapter 'A delete leaves emptyOne, then emptyRest'
echo 'A slot in the middle becomes emptyOne (-): a lookup has to go on behind it.'
place core/update.c mark_empty
try small 'hmapctl delete small 3'
slots small 0
so [ "$(count - small 0)" = 1 ]
echo 'With nothing behind them, all free slots at the end are emptyRest (.): a lookup'
echo 'ends there.  The emptyOne becomes one of them.'
try small 'hmapctl delete small 8 7 6 5 4'
slots small 0
so [ "$(count - small 0)" = 0 ]
so [ "$(count '\.' small 0)" = 6 ]

chapter 'The ninth key chains an overflow bucket'
hmapctl create map --key u64 --elem u64 --hint 26 || exit
so [ "$(field map B)" = 2 ]
keys_of map 1 1 10 >keys
ninth=$(sed -n 9p keys) tenth=$(sed -n 10p keys)
echo "Of the keys from 1 on, these are the first whose hash ends in 01:" \
	"$(head -n 9 keys | tr '\n' ' ')"
try map 'head -n 8 keys | load map'
slots map 1
so [ "$(count "$used" map 1)" = 8 ]
place core/update.c write_absent
place core/array.c hmap_newoverflow
echo "hmapctl explain map $ninth:"
hmapctl explain map "$ninth" | tail -n 1 | tee explained
so grep -q 'would chain overflow bucket 1 and take its slot 0' explained
try map "hmapctl insert map $ninth 1"
slots map 1
so [ "$(count '->' map 1)" = 1 ]
so [ "$(count "$used" map 1)" = 9 ]
so [ "$(field map noverflow)" = 1 ]

chapter 'The load passes 6.5, and it grows'
echo 'Fill the other buckets until there are 26 entries, 6.5 for each of 4 buckets:'
{ keys_of map 0 1 6; keys_of map 2 1 6; keys_of map 3 1 5; } >others
try map 'load map <others'
so [ "$(field map count)" = 26 ]
so grep -q '^load  *6.50' "$debugfs/map/hmap"
so [ "$(field map oldbuckets)" = none ]
echo 'The next new key first makes an array of twice the size:'
place core/grow.c hmap_over_load
place core/grow.c hmap_grow
slots map 1 >unsplit
try map "hmapctl insert map $tenth 1"
so [ "$(field map count)" = 27 ]
so [ "$(field map B)" = 3 ]
so [ "$(field map oldbuckets | cut -d ' ' -f 1)" = 2^2 ]
hmapctl watch map --once --delay 0.1 | tee frame
so grep -q '^struct hmap .*old 2^2  *new 2^3' frame
so grep -q '^B  *3$' frame

chapter 'A bucket splits to X and Y'
echo 'That insert moved the bucket that it was for.  This is old bucket 1 as it was:'
cat unsplit
echo 'Entries whose next bit of the hash is 0 are in X, new bucket 1, the others in Y,'
echo "new bucket 5; so is key $tenth, which came afterwards.  E is a slot that was empty."
place core/evacuate.c goes_to_y
place core/evacuate.c evac_bucket
echo oldbuckets
slots map 1 oldbuckets
echo buckets
slots map 1
slots map 5
x=$(count X map 1 oldbuckets) y=$(count Y map 1 oldbuckets)
so [ $((x + y)) = 9 ]
in_x=$(count "$used" map 1) in_y=$(count "$used" map 5)
so [ $((in_x + in_y)) = 10 ]
so [ "$in_x" -ge "$x" ]
so [ "$in_y" -ge "$y" ]
echo 'Each write moves some more, until the old array goes:'
place core/evacuate.c hmap_evacuate_next
place core/evacuate.c hmap_grow_done
try map 'while read -r key; do hmapctl insert map $key 2; done <others'
so [ "$(field map oldbuckets)" = none ]
so [ "$(field map count)" = 27 ]

chapter 'A walk crosses a growth'
echo 'A walk of 12000 entries, of which one is read before the map has to grow:'
place core/iter.c hmap_iter_next
hmapctl create walked --key u64 --elem u64 --hint 13312 || exit
mkfifo pipe
seq 12000 | load walked
hmapctl dump walked >pipe &
walk=$!
exec 3<pipe
read -r line <&3
try walked 'seq 12001 14000 | load walked && wait_for_growth walked'
so [ "$(field walked oldbuckets | cut -d ' ' -f 1)" = 2^11 ]
so kill -0 $walk
hmapctl watch walked --once --delay 0.1 | sed '/^bucket /,$d'
{ echo "$line"; cat <&3; } | cut -f 1 >walk
so wait $walk
awk '$1 <= 12000' walk | sort -n >once
seq 12000 | cmp - once && echo 'The walk has returned each of them once.'
so seq 12000 | cmp -s - once

hmapctl unlink small
hmapctl unlink map
hmapctl unlink walked
so rmmod hmap
echo
[ $wrong = 0 ] && echo "That was the tour: all was as said." ||
	echo "$wrong things were NOT as said."
[ $wrong = 0 ]
