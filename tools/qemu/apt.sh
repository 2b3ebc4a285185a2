# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
# Packages of other releases and machines than the system's.  To be sourced after
# lib.sh.

codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")

repository()	# SUITE
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI)' 'Component: main' \
		"Release: $1" 'Created-By: Packages' | head -n 1
}

# From here on apt knows these suites, for one machine, and keeps its lists in DIR,
# apart from the system's.
use_suites()	# DIR ARCHITECTURE SUITE...
{
	local apt=$1 architecture=$2 suite uri

	shift 2
	command -v apt-get >/dev/null || die "this takes Debian's packages"
	[ -n "$(repository "$codename")" ] || "$top/tools/qemu/packages" --update
	mkdir -p "$apt/lists/partial" "$apt/archives/partial"
	for suite; do
		case $suite in
		*-security) uri=$(repository "$codename-security") ;;
		*)	    uri=$(repository "$codename") ;;
		esac
		[ -z "$uri" ] || echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
			"$uri $suite main"
	done >"$apt/sources.list"
	cat >"$apt/conf" <<-END
		APT::Architecture "$architecture";
		APT::Architectures { "$architecture"; };
		APT::Sandbox::User "$(id -un)";
		Dir::Cache "$apt";
		Dir::State::lists "$apt/lists";
		Dir::State::status "/dev/null";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
	END
	export APT_CONFIG=$apt/conf
	apt-get -qq update
}
