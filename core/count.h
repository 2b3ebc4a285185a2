/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting an entry where this CPU has room drawn for it: see count.c.
 */
#ifndef _HMAP_COUNT_H
#define _HMAP_COUNT_H

#include "internal.h"

/* Whether CPUs may hold room while the lineage's count is this. */
static __always_inline bool hmap_count_in_batches(const struct bucket_array *a,
						  unsigned long count)
{
	return a->batch && count > a->near &&
	       count < READ_ONCE(a->singly_from);
}

/*
 * Have those who insert see that a growth is due.  Who has room does not look,
 * and as long as he deletes as much as he inserts he has room.
 */
static inline void hmap_count_singly(struct bucket_array *a)
{
	WRITE_ONCE(a->singly_from, 0);
}

/* Use room that this CPU has drawn, unless the limit has been lowered since. */
static __always_inline bool hmap_count_take(struct bucket_array *a)
{
	struct hmap_cpu *c = this_cpu_ptr(a->h->cpu);
	struct lineage *l = a->l;

	return atomic_long_read(&l->count) <= READ_ONCE(a->h->max_entries) &&
	       atomic_long_dec_if_positive(&c->room[l->nr]) >= 0;
}

/* One entry less. */
static __always_inline void hmap_count_give(struct bucket_array *a)
{
	struct hmap_cpu *c = this_cpu_ptr(a->h->cpu);
	struct lineage *l = a->l;
	unsigned long count = atomic_long_read(&l->count);

	if (unlikely(atomic_long_inc_return(&c->room[l->nr]) > a->batch ||
		     !hmap_count_in_batches(a, count)))
		hmap_count_give_back(a);
}

#endif /* _HMAP_COUNT_H */
