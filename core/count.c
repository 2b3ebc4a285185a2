// SPDX-License-Identifier: GPL-2.0
/*
 * Counting entries.
 *
 * A CPU draws room for a batch of entries from the lineage's count, and writes
 * nothing that others write until that is used up.  Near the limit it draws one
 * at a time, near zero it gives back one at a time; and whoever finds no room
 * left takes back what other CPUs have drawn before saying so.  Up to B = 8 the
 * same goes for the growth that is due, so that it comes with the very entry that
 * it is due with; above, it may come early by what has been drawn.
 *
 * All calls are made with interrupts off.
 */
#include <linux/cpumask.h>

#include "count.h"
#include "trace.h"

#define LEN_TRIES	4

/*
 * Room that is drawn or given back while it is summed up would be counted as
 * entries, or entries as room; all of that changes the count.
 */
unsigned long hmap_lineage_len(const struct hmap *h, const struct lineage *l)
{
	unsigned int tries = LEN_TRIES;
	const atomic_long_t *room;
	long count, len;
	int cpu;

	do {
		count = atomic_long_read_acquire(&l->count);
		len = count;
		for_each_possible_cpu(cpu) {
			room = &per_cpu_ptr(h->cpu, cpu)->room[l->nr];
			len -= atomic_long_read_acquire(room);
		}
	} while (atomic_long_read(&l->count) != count && --tries);
	return max(len, 0L);
}
EXPORT_SYMBOL_TEST(hmap_lineage_len);

/* Take back what CPUs have drawn; whether there was any. */
bool hmap_count_take_back(struct bucket_array *a)
{
	struct lineage *l = a->l;
	atomic_long_t *room;
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		room = &per_cpu_ptr(a->h->cpu, cpu)->room[l->nr];
		if (atomic_long_read(room))
			sum += atomic_long_xchg(room, 0);
	}
	atomic_long_sub(sum, &l->count);
	return sum;
}
EXPORT_SYMBOL_TEST(hmap_count_take_back);

/* Draw room from the count and use one of it; 0 or -ENOSPC. */
int hmap_count_draw(struct bucket_array *a)
{
	unsigned long max = READ_ONCE(a->h->max_entries), n;
	struct lineage *l = a->l;
	long count;

	count = atomic_long_read(&l->count);
	do {
		while (count >= max) {
			if (!hmap_count_take_back(a)) {
				trace_hmap_limit(a->h, HMAP_LIMIT_ENTRIES,
						 -ENOSPC);
				return -ENOSPC;
			}
			count = atomic_long_read(&l->count);
		}
		n = hmap_count_in_batches(a, count) && max - count > a->near ?
		    a->batch : 1;
	} while (!atomic_long_try_cmpxchg(&l->count, &count, count + n));
	if (n > 1)
		atomic_long_add(n - 1, &this_cpu_ptr(a->h->cpu)->room[l->nr]);
	return 0;
}

/* Give back the room of this CPU.  An empty map is to have a new seed. */
void hmap_count_give_back(struct bucket_array *a)
{
	struct lineage *l = a->l;
	long n = atomic_long_xchg(&this_cpu_ptr(a->h->cpu)->room[l->nr], 0);

	if (atomic_long_sub_return(n, &l->count) <= a->near)
		hmap_reseed_later(a->h);
}
EXPORT_SYMBOL_GPL(hmap_count_give_back);
