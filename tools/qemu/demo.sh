#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What `make demo` runs in the guest.  Fails if any answer differs from the file.

# The commands are shown before they are run.
# shellcheck disable=SC2016

cd /tmp || exit 1
debugfs=/sys/kernel/debug/hmap/symbols
wrong=0

heading()
{
	printf '\n\033[1m== %s\033[0m\n' "$*"
}

show()	# COMMAND...
{
	printf '\033[32m$ %s\033[0m\n' "$*"
	eval "$*"
}

# Show a command that has to work.
must()
{
	show "$@" && return
	echo "*** that failed"
	wrong=$((wrong + 1))
}

echo "This is Linux $(uname -r), $(cut -d. -f1 /proc/uptime) s after its boot."

heading "The module"
# A growth is to wait until it has been looked at.
must 'insmod /modules/hmap.ko finish_delay_ms=600000'
must 'ls -l /dev/hmap'

heading "The file: System.map, the names and addresses of this very kernel"
# Debian packs System.map among 860 MB of debug symbols.  The kernel, when it
# runs where it was linked to run, tells the same.
grep -v '\[' /proc/kallsyms >System.map
must 'tail -n 2 System.map'
must "awk '{ print \$3 \"\\t0x\" \$1 }' System.map >symbols.tsv"
# What is to become of it: of a name that several static symbols share, the
# last one stays.  awk cannot tell 64-bit integers, but printf can.
awk '{ addr[$3] = $1 }
     END { for (name in addr) print name, "0x" addr[name] }' System.map |
	xargs -n 2000 -s 500000 printf '%s\t%u\n' | sort >expected.tsv
lines=$(wc -l <symbols.tsv)
names=$(wc -l <expected.tsv)
echo "$lines lines with $names different names; the last line of a name counts."

heading "A map from names to addresses, half way"
must 'hmapctl create symbols --key string --elem u64'
# A growth is under way for some 4000 inserts when there are 53249 entries.
at=50000
must "head -n $at symbols.tsv | hmapctl load symbols"
until grep -q '^growing .* [1-9][0-9]* %' $debugfs/hmap || [ $at -ge "$lines" ]; do
	tail -n +$((at + 1)) symbols.tsv | head -n 1000 | hmapctl load symbols
	at=$((at + 1000))
done
echo "Writes have made it grow; whoever writes next moves two more buckets."
must "grep -E '^(B|buckets|oldbuckets|nevacuate|growing) ' $debugfs/hmap"
echo "The new array: . is a slot that is free, - one that was emptied."
must "sed -n '2,9p' $debugfs/buckets"
echo "The old one: X and Y say to which half of the new one an entry went, E that"
echo "a slot was empty.  Buckets that no write came to are still the true ones."
must "sed -n '/^oldbuckets/,+16p' $debugfs/buckets"
sed -n '/^oldbuckets/,$p' $debugfs/buckets | grep -q '[XY]' || {
	echo "*** no growth was seen"
	wrong=$((wrong + 1))
}

heading "All of it"
must "tail -n +$((at + 1)) symbols.tsv | hmapctl load symbols"
must "hmapctl show symbols | grep -E '^(entries|growths|state) '"

heading "Look some up"
for name in jiffies schedule vfs_read init_task; do
	must "hmapctl lookup symbols $name"
	[ "$(hmapctl lookup symbols $name)" = \
	  "$(awk -v n=$name '$1 == n { print $2 }' expected.tsv)" ] || {
		echo "*** the file says otherwise"
		wrong=$((wrong + 1))
	}
done
show 'hmapctl lookup symbols no_such_symbol' && wrong=$((wrong + 1))

heading "Delete some"
grep '^acpi_ex' expected.tsv | cut -f 1 >gone
echo "the $(wc -l <gone) names that begin with acpi_ex"
must 'while read -r name; do hmapctl delete symbols "$name" || exit; done <gone'
show "hmapctl lookup symbols $(head -n 1 gone)" && wrong=$((wrong + 1))

heading "Walk the rest and compare it with the file"
grep -v '^acpi_ex' expected.tsv >rest.tsv
must 'time hmapctl dump symbols >dump.tsv'
must 'sort dump.tsv | cmp - rest.tsv'

heading "What it looks like inside"
must "cat $debugfs/hmap"
must "cat $debugfs/stats"
must "head -n 12 $debugfs/buckets"

heading "The end"
must 'hmapctl unlink symbols'
must 'rmmod hmap'

echo
if [ $wrong = 0 ]; then
	echo "All answers agreed with the file: $lines lines, $names names," \
	     "$(wc -l <gone) deleted, $(wc -l <rest.tsv) walked."
else
	echo "$wrong answers were WRONG."
fi
[ $wrong = 0 ]
