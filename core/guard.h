/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard of a bucket: its lock and its sequence, in one word right before
 * the bucket, in the line that a lookup reads anyway; and beside them what a
 * lookup asks before it follows the chain.
 *
 * Bit 0 is set while a writer holds the lock; the rest counts the writers there
 * have been.  The guard of a bucket covers the chain behind it, too.  A guard is
 * a raw lock with interrupts off: nothing is allocated or freed under it, and
 * no other lock is taken.
 */
#ifndef _HMAP_GUARD_H
#define _HMAP_GUARD_H

#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/kcsan-checks.h>
#include <linux/lockdep.h>
#include <linux/seqlock.h>	/* KCSAN_SEQLOCK_REGION_MAX */
#include <linux/types.h>

#include "compat.h"

struct bmap;

struct guard {
	u32 seq;
	u32 filter;		/* of what lies behind the bucket, see bmap.h */
};

#define GUARD_LOCKED	1U

static __always_inline struct guard *guard_of(const struct bmap *head)
{
	return (struct guard *)head - 1;
}

/*
 * Readers: what was read counts if no writer was there meanwhile.  A lookup
 * whose result does not depend on that may end its section without asking.
 */
static __always_inline u32 guard_read_begin(const struct bmap *head)
{
	/* Pairs with the release in guard_unlock(). */
	u32 seq = smp_load_acquire(&guard_of(head)->seq);

	kcsan_atomic_next(KCSAN_SEQLOCK_REGION_MAX);
	return seq;
}

static __always_inline void guard_read_end(void)
{
	kcsan_atomic_next(0);
}

static __always_inline bool guard_read_valid(const struct bmap *head, u32 seq)
{
	guard_read_end();
	smp_rmb();	/* pairs with the smp_wmb() in guard_lock() */
	return likely(!(seq & GUARD_LOCKED) &&
		      READ_ONCE(guard_of(head)->seq) == seq);
}

/* Writers: interrupts are off already.  @map stands for all guards of a map. */
static __always_inline void guard_lock(struct bmap *head,
				       struct lockdep_map *map)
{
	struct guard *g = guard_of(head);
	u32 seq = READ_ONCE(g->seq) & ~GUARD_LOCKED;

	lock_map_acquire(map);
	while (unlikely(!try_cmpxchg_acquire(&g->seq, &seq,
					     seq | GUARD_LOCKED))) {
		while (seq & GUARD_LOCKED) {
			cpu_relax();
			seq = READ_ONCE(g->seq);
		}
	}
	smp_wmb();	/* pairs with the smp_rmb() in guard_read_valid() */
	kcsan_nestable_atomic_begin();
}

static __always_inline void guard_unlock(struct bmap *head,
					 struct lockdep_map *map)
{
	struct guard *g = guard_of(head);

	kcsan_nestable_atomic_end();
	lock_map_release(map);
	/* Pairs with the acquire in guard_read_begin() and guard_lock(). */
	smp_store_release(&g->seq, READ_ONCE(g->seq) + 1);
}

#endif /* _HMAP_GUARD_H */
