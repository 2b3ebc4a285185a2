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
must 'insmod /modules/hmap.ko'
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

heading "A map from names to addresses"
must 'hmapctl create symbols --key string --elem u64'
must 'time hmapctl load symbols symbols.tsv'

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
