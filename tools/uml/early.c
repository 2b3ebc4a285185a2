// SPDX-License-Identifier: GPL-2.0
/*
 * What counts lines registers itself before main(), under a lock; but lockdep
 * cannot look at locks before the kernel has begun.  So it is off where lines are
 * counted.
 */
#include <linux/compiler.h>
#include <linux/debug_locks.h>

static void stop_lockdep(void)
{
	debug_locks = 0;
}

static void (* const before_all)(void) __used __section(".preinit_array") =
	stop_lockdep;
