# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The tests of the Debian packages, for tools/packaging/test to run in this order:
# they are built, installed in a Debian of their own, which is booted, and purged.
# To be sourced.

debian=$out/debian		# that Debian's root directory

in_debian()	# COMMAND...
{
	unshare --mount --pid --fork --mount-proc="$debian/proc" \
		chroot "$debian" env DEBIAN_FRONTEND=noninteractive "$@"
}

# Make a minimal Debian of what the packages depend on and what the test takes, or
# take the one that was made before.
debian_root()
{
	local deb depends suites tarball

	# "libc6 (>= 2.34), python3:any, systemd | systemd-sysusers", say
	mapfile -t depends < <(for deb in "$top"/build/deb/*.deb; do
		dpkg-deb -f "$deb" Depends | tr ',' '\n'
	done | sed -E 's/^ *([^ :|]+).*/\1/' | grep -v hmap | sort -u)
	depends+=(systemd-sysv udev kmod gcc libc6-dev "linux-headers-$release")
	tarball=$CACHE/debian/$(echo "${depends[@]}" | sha256sum | cut -c 1-12).tar
	if [ ! -e "$tarball" ]; then
		mkdir -p "${tarball%/*}"
		# The same sources as this machine has
		# shellcheck disable=SC2016
		mapfile -t suites < <(apt-get indextargets --format \
			'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(CODENAME) main' \
			'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u)
		mmdebstrap --quiet --variant=minbase --include="${depends[*]}" \
			--dpkgopt='path-exclude=/usr/share/locale/*' \
			--format=tar '' "$tarball.new" "${suites[@]}"
		mv "$tarball.new" "$tarball"
	fi
	rm -rf "$debian"
	mkdir -p "$debian"
	tar -x -C "$debian" -f "$tarball"
}

# But for what dpkg, DKMS and ldconfig note down, and the group that stays
debian_files()
{
	(cd "$debian" && find . -xdev \( -path ./proc -o -path ./var/lib/dpkg -o \
		-path ./var/log -o -path ./deb -o -name 'mok.*' -o -name __pycache__ -o \
		-name 'modules.*' -o -name 'ld.so.cache*' -o -name 'aux-cache' -o \
		-name 'group*' -o -name 'gshadow*' \) -prune -o ! -type d -print | sort)
}

debian_build()
{
	"$packaging/deb"
}

# Depends on nothing but what the packages say.
debian_install()
{
	debian_root
	debian_files >"$out/debian.before"
	cp -r "$top/build/deb" "$debian"
	in_debian sh -c 'dpkg -i /deb/*.deb'
	[ "$(modinfo -F version "$debian/lib/modules/$release/updates/dkms/hmap.ko")" = \
	  "$("$packaging/version")" ]
	in_debian gcc -Wall -Werror -o /usr/local/bin/counter \
		/usr/share/doc/libhmap-dev/examples/counter.c -lhmap
}

# As it is, with systemd, but without what only a compiler needs.
debian_boot()
{
	local system=$debian/etc/systemd/system

	install -m 644 "$packaging/debian.service" "$system/test.service"
	ln -s ../test.service "$system/multi-user.target.wants"
	install -m 755 "$packaging/debian-guest.sh" "$debian/test"
	tar -c -C "$debian" --exclude=./usr/src --exclude=./usr/lib/gcc \
		--exclude='./usr/bin/x86_64-*' --exclude='*.a' \
		--exclude=./usr/share --exclude=./deb --exclude='./proc/*' . |
		(rm -rf "$out/booted" && mkdir "$out/booted" && tar -x -C "$out/booted")
	cat >"$out/booted/init" <<-END
		#!/bin/sh
		mount -t devtmpfs dev /dev
		echo '<5>guest: up' >/dev/kmsg
		exec /sbin/init
	END
	chmod +x "$out/booted/init"
	(cd "$out/booted" && find . | busybox cpio -o -H newc) >"$out/debian.cpio"
	rm -rf "$out/booted" "$debian/test" "$system/test.service" \
		"$system/multi-user.target.wants/test.service"
	"$qemu/run" --time 300 --memory 2G --log "$out/debian.log" \
		"$kernel/vmlinuz" "$out/debian.cpio" | tee "$out/guest.log"
}

debian_purge()
{
	rm "$debian/usr/local/bin/counter"
	in_debian dpkg --purge python3-hmap libhmap-dev libhmap1 hmap-tools hmap-dkms
	debian_files >"$out/debian.after"
	diff "$out/debian.before" "$out/debian.after"
	rm -rf "$debian"
}
