# SPDX-License-Identifier: GPL-2.0
#
# make		build hmap.ko for the running kernel, and hmapctl
# make demo	see a map at work in the distribution's kernel, in QEMU
# make test	run all tests in a kernel made to find mistakes, in QEMU
# make check	have the sources looked over by checkpatch, sparse and others
# make stall	count the instructions of the longest insert into a growing map
# make shell	get a shell in QEMU, with hmap.ko loaded and hmapctl at hand
# make clean	remove what these have built
# make help	show this
#
# KDIR=		the headers of another kernel to build hmap.ko for
# KERNEL=	what to test in: debug (the default), kcsan, or rt
# STRESS_MS=	how long each case of the stress tests takes
# ENTRIES=	how many entries stall inserts
#
# All that is built goes to build/, but for kernels, which are kept in
# ~/.cache/hmap.  What these need they install on Debian.

MAKEFLAGS += --no-print-directory
KDIR ?= /lib/modules/$(shell uname -r)/build

all: module hmapctl

module:
	@dir=$$(tools/qemu/module $(KDIR)) && echo "built $${dir#$(CURDIR)/}/hmap.ko"

hmapctl:
	@tools/qemu/packages gcc libc6-dev libjson-c-dev
	@$(MAKE) -s -C tools/hmapctl O=$(CURDIR)/build/hmapctl
	@echo built build/hmapctl/hmapctl

demo test shell:
	@tools/qemu/$@

stall:
	@tools/bench/stall $(ENTRIES)

check:
	@tools/check

clean:
	$(RM) -r build

help:
	@sed -n '3,/^$$/s/^# \?//p' $(firstword $(MAKEFILE_LIST))

.PHONY: all module hmapctl demo test shell stall check clean help
