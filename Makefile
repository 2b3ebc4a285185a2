# SPDX-License-Identifier: GPL-2.0
#
# make		build libhmap, hmapctl, and hmap.ko for the running kernel
# make install	put hmapctl, libhmap, its Python module, the manuals and what else
#		there is under PREFIX, a udev rule, and the module's source where
#		`dkms install` builds it for the running kernel and those to come
# make uninstall	remove what that has put there
# make deb	build Debian packages of all that; they go to build/deb
# make demo	see a map at work in the distribution's kernel, in QEMU
# make tour	see all that is written about Go's map happen to one, step by step
# make test	run all tests in a kernel made to find mistakes, in QEMU
# make test-all	the same in all kernels, configurations and machines, or in all
#		that are of the given KERNEL, CONFIG or ARCH; takes hours
# make test-install	install, use and remove it all as a user would, in QEMU
# make coverage	tell which lines and branches of the module tests run
# make mutants	change N lines of the module, or of FILES of it, one at a time,
#		and see whether tests tell
# make soak	use maps from many processes for TIME seconds, and see that
#		memory stays flat
# make check	have the sources looked over by checkpatch, sparse and others
# make compile	have the compiler look at the module in all versions of the
#		kernel that it is for
# make randconfig	likewise in N random configurations
# make model	have a model of the core checked in every order of events by spin
# make fuzz	run the core in a process, under sanitizers, on inputs that are
#		made up, for TIME seconds
# make fuzz-guest	call /dev/hmap in QEMU with arguments that are made up, for
#		TIME seconds as root and as long as another user
# make bench	compare hmap with its peers: time, memory, instructions; figures
#		and plots go to build/bench
# make share	what a process pays for a lookup in a table that it shares
# make stall	count the instructions of the longest insert into a growing map
# make shell	try hmap: a shell in QEMU, in a machine that it is installed on
# make clean	remove what these have built
# make help	show this
#
# KDIR=		the headers of another kernel to build hmap.ko for
# PREFIX=	where to install; /usr/local
# DESTDIR=	a root directory to install in, for making a package
# KERNEL=	what to test in: 5.10, 6.1 (the default), 6.12, or another that
#		Debian has the source of; or stock or rt, the ones that it ships.
#		The default of shell is stock
# CONFIG=	how that source is built: debug (the default on x86_64), light (on
#		others), kcsan, or another of tools/qemu/config
# ARCH=		the machine to test on: x86_64 (the default), i386, s390x, arm64,
#		arm64_64k (that has pages of 64 KiB), or riscv64
# APT=no	install no packages, but say which are missing
# ONLY=		what test runs in place of all: programs of tools/e2e, and kunit
# STRESS_MS=	how long each case of the stress tests takes
# LONG=		how many times longer some of the end-to-end tests take
# N=		how many random configurations; 20
# ENTRIES=	how many entries stall inserts
# TIME=		seconds that fuzz takes, and fuzz-guest for each user; 60
# BITS=32	have fuzz run the core as it is on 32-bit machines
# OTHERS=1	have fuzz-guest run stress-ng and trinity
# QUICK=1	let bench take a minute or two
#
# All that is built goes to build/, but for kernels, which are kept in
# ~/.cache/hmap.  What these need they install on Debian, by apt.

MAKEFLAGS += --no-print-directory
KDIR ?= /lib/modules/$(shell uname -r)/build

ifneq ($(words $(CURDIR)),1)
$(error Kbuild cannot build in a path with a blank: move $(CURDIR))
endif

# Where the running kernel has no headers here, there is still much to build.
all: lib hmapctl $(if $(wildcard $(KDIR)/Makefile)$(filter-out file,$(origin KDIR)),module,no-module)

no-module:
	@tools/qemu/module $(KDIR) || \
		echo "hmap.ko is not built; to try it in a virtual machine: make shell"

module:
	@dir=$$(tools/qemu/module $(KDIR)) && echo "built $${dir#$(CURDIR)/}/hmap.ko"

lib:
	@tools/qemu/packages gcc libc6-dev
	@$(MAKE) -s -C tools/lib O=$(CURDIR)/build/lib
	@echo built build/lib/libhmap.so

hmapctl:
	@tools/qemu/packages gcc groff-base libc6-dev libyajl-dev libcsv-dev libedit-dev libncurses-dev
	@$(MAKE) -s -C tools/hmapctl O=$(CURDIR)/build/hmapctl
	@echo built build/hmapctl/hmapctl

demo test test-all shell:
	@tools/qemu/$@

tour:
	@tools/qemu/demo tour

install:
	@tools/packaging/install

uninstall:
	@tools/packaging/install --remove

deb:
	@tools/packaging/deb

test-install:
	@tools/packaging/test

stall:
	@tools/bench/stall $(ENTRIES)

share:
	@tools/bench/share/run

bench:
	@tools/bench/run

coverage:
	@tools/coverage/run

mutants:
	@N="$(N)" SEED="$(SEED)" tools/mutants/run $(FILES)

soak:
	@TIME="$(TIME)" tools/soak/run

check:
	@tools/check

model:
	@tools/model

compile:
	@tools/qemu/compile $(or $(KERNEL),5.10 6.1 6.12 7.2)

randconfig:
	@tools/qemu/compile $(shell seq $(or $(N),20))

fuzz:
	@tools/fuzz/run $(TIME)

fuzz-guest:
	@tools/fuzz/guest $(TIME)

clean:
	$(RM) -r build

help:
	@sed -n '3,/^$$/s/^# \?//p' $(firstword $(MAKEFILE_LIST))

.PHONY: all module no-module lib hmapctl install uninstall deb demo tour test test-all test-install shell bench share stall mutants coverage soak check model compile randconfig fuzz fuzz-guest clean help
