// SPDX-License-Identifier: GPL-2.0
/*
 * What counts lines registers itself before main(), under a lock.  lockdep cannot
 * look at locks then, as there is no kernel yet.
 */
#include <linux/compiler.h>
#include <linux/debug_locks.h>

static void stop_lockdep(void)
{
	debug_locks = 0;
}

static void start_lockdep(void)
{
	debug_locks = 1;
}

/* Those of gcov have a priority, and so come before the others. */
static void (* const before_gcov)(void) __used __section(".preinit_array") =
	stop_lockdep;
static void (* const behind_gcov)(void) __used __section(".init_array") =
	start_lockdep;
