# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts beside this file have to know of the machine ARCH= names, by
# default x86_64.  To be sourced after lib.sh.

# karch		what the kernel calls it
# cross		what stands before the names of its compiler and binutils
# image		where a kernel's build directory has the image that boots
# machine	the names of its fragments in config/
# shellcheck disable=SC2034
case ${ARCH:=x86_64} in
x86_64)
	karch=x86_64 cross='' image=arch/x86/boot/bzImage
	machine=(x86 x86_64)
	;;
*)
	die "ARCH=$ARCH is not known: it is x86_64"
	;;
esac
