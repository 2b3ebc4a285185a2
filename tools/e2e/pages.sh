#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# An array of more than 4 MiB is mapped in large pages, as the kernel's page
# tables tell; where there are none to be had, in small ones, and the map works.
#
# Tests are called by name:
# shellcheck disable=SC2317

DEBUG=/sys/kernel/debug
FAIL=$DEBUG/fail_page_alloc

die()
{
	echo "# $*"
	exit 1
}

# Print from where to where the module's large arrays are.
large_arrays()
{
	awk '/\[hmap\]/ && $2 > 4194304 { print $1 }' /proc/vmallocinfo
}

# Print the levels of the page tables at which large arrays are mapped.
# Addresses are hexadecimal and equally long, and so compare as strings.
levels()
{
	large_arrays >areas
	awk -F '[- ]+' '
		NR == FNR { start[NR] = $1; end[NR] = $2; next }
		/ RW / { for (i in start)
				if ($1 < end[i] && $2 > start[i])
					print $NF }' \
		areas "$DEBUG/page_tables/kernel" | sort -u
}

# Arrays of maps that are gone are freed a little later.
wait_for_none()
{
	tries=100
	while [ "$(large_arrays)" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || die "an array is left"
		sleep 0.1
	done
}

# LEVEL: make a map with an array of 9 MiB, which is to be mapped at that
check_map()
{
	wait_for_none
	hmapctl create large --key u64 --elem u64 --hint 400000 || die "no map"
	found=$(levels | tr '\n' ' ')
	hmapctl insert large 1 2 || die "inserting failed"
	[ "$(hmapctl lookup large 1)" = 2 ] || die "no entry"
	hmapctl unlink large
	[ "$found" = "$1 " ] || die "mapped at $found, not at $1"
}

test_large_pages()
{
	check_map pmd
}

test_small_pages()
{
	echo 9 >"$FAIL/min-order"
	echo N >"$FAIL/ignore-gfp-wait"
	echo N >"$FAIL/ignore-gfp-highmem"
	echo 0 >"$FAIL/verbose"
	echo -1 >"$FAIL/times"
	echo 100 >"$FAIL/probability"
	(check_map pte)
	status=$?
	echo 0 >"$FAIL/probability"
	return "$status"
}

[ -e "$DEBUG/page_tables/kernel" ] && [ -e "$FAIL" ] || exit 4
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
# Real addresses for those who may see them, not hashes.
echo 1 >/proc/sys/kernel/kptr_restrict

echo 'KTAP version 1'
echo 1..2
failed=0
number=0
for name in large_pages small_pages; do
	number=$((number + 1))
	if ("test_$name"); then
		echo "ok $number $name"
	else
		failed=1
		echo "not ok $number $name"
	fi
done
exit "$failed"
