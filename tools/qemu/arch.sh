# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts beside this file have to know of the machine ARCH= names, by
# default x86_64.  To be sourced after lib.sh.

# karch		what the kernel calls it
# debian	what Debian calls it
# cross		what stands before the names of its compiler and binutils
# packages	where these are from
# emulator	likewise QEMU for it
# image		where a kernel's build directory has the image that boots
# machine	the names of its fragments in config/
# config	the configuration to test in, unless CONFIG names another
# long		bytes in a long
# suite		the release that Debian's packages for it come from; by default the
#		system's
# shellcheck disable=SC2034
config=light long=8 suite=
case ${ARCH:=x86_64} in
x86_64)
	karch=x86_64 debian=amd64 cross='' image=arch/x86/boot/bzImage
	machine=(x86 x86_64) config=debug
	packages=(gcc g++ libc6-dev) emulator=qemu-system-x86
	;;
i386)
	karch=i386 debian=i386 cross=i686-linux-gnu- image=arch/x86/boot/bzImage
	machine=(x86 i386) long=4
	packages=({gcc,g++}-i686-linux-gnu) emulator=qemu-system-x86
	;;
s390x)
	karch=s390 debian=s390x cross=s390x-linux-gnu- image=arch/s390/boot/bzImage
	machine=(s390x)
	packages=({gcc,g++}-s390x-linux-gnu) emulator=qemu-system-misc
	;;
arm64 | arm64_64k)
	karch=arm64 debian=arm64 cross=aarch64-linux-gnu- image=arch/arm64/boot/Image
	machine=(arm64)
	[ "$ARCH" = arm64 ] || machine+=(pages64k)
	packages=({gcc,g++}-aarch64-linux-gnu) emulator=qemu-system-arm
	;;
riscv64)
	karch=riscv debian=riscv64 cross=riscv64-linux-gnu- image=arch/riscv/boot/Image
	machine=(riscv64) suite=unstable	# Debian 12 is not for it
	packages=({gcc,g++}-riscv64-linux-gnu) emulator=qemu-system-misc
	;;
*)
	die "ARCH=$ARCH is not known: it is x86_64, i386, s390x, arm64, arm64_64k or riscv64"
	;;
esac
