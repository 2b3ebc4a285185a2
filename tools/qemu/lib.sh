# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts beside this file share.  To be sourced.

# shellcheck disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export CACHE=${XDG_CACHE_HOME:-~/.cache}/hmap
export LC_ALL=C

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

say()
{
	echo "# $*" >&2
}

# Two runs in one place would trip over each other's half-made files.
lock()
{
	mkdir -p "$1"
	exec {lock_fd}>"$1/.lock"
	flock -w 3600 "$lock_fd" || die "another run has held $1/.lock for an hour"
}
