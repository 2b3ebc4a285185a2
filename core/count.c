// SPDX-License-Identifier: GPL-2.0
/*
 * Counting entries.
 *
 * Where a table is large, a CPU draws room for a batch of entries from the
 * lineage's count, and writes nothing that others write until that is used up.
 * Near the limit and near zero it draws and gives back one at a time; and whoever
 * finds no room left takes back what other CPUs have drawn before saying so.
 *
 * All calls are made with interrupts off.
 */
#include <linux/cpumask.h>

#include "trace.h"

/* This many or fewer entries in the count may all be room that CPUs hold. */
static unsigned long hmap_count_near(const struct bucket_array *a)
{
	return a->batch == 1 ? 0 : (unsigned long)a->batch * nr_cpu_ids;
}

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

/* Use room that this CPU has drawn, unless the limit has been lowered since. */
bool hmap_count_take(struct bucket_array *a)
{
	struct hmap_cpu *c = this_cpu_ptr(a->h->cpu);
	struct lineage *l = a->l;

	return atomic_long_read(&l->count) <= READ_ONCE(a->h->max_entries) &&
	       atomic_long_dec_if_positive(&c->room[l->nr]) >= 0;
}

/* Take back what CPUs have drawn; whether there was any. */
static bool hmap_take_back_room(struct hmap *h, struct lineage *l)
{
	atomic_long_t *room;
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		room = &per_cpu_ptr(h->cpu, cpu)->room[l->nr];
		if (atomic_long_read(room))
			sum += atomic_long_xchg(room, 0);
	}
	atomic_long_sub(sum, &l->count);
	return sum;
}

/* Draw room from the count and use one of it; 0 or -ENOSPC. */
int hmap_count_draw(struct bucket_array *a)
{
	unsigned long near = hmap_count_near(a), max, n;
	struct lineage *l = a->l;
	struct hmap *h = a->h;
	long count;

	max = READ_ONCE(h->max_entries);
	count = atomic_long_read(&l->count);
	do {
		while (count >= max) {
			if (!hmap_take_back_room(h, l)) {
				trace_hmap_limit(h, HMAP_LIMIT_ENTRIES,
						 -ENOSPC);
				return -ENOSPC;
			}
			count = atomic_long_read(&l->count);
		}
		n = count <= near || max - count <= near ? 1 : a->batch;
	} while (!atomic_long_try_cmpxchg(&l->count, &count, count + n));
	if (n > 1)
		atomic_long_add(n - 1, &this_cpu_ptr(h->cpu)->room[l->nr]);
	return 0;
}

/* One entry less.  An empty map is to have a new seed before long. */
void hmap_count_give(struct bucket_array *a)
{
	unsigned long near = hmap_count_near(a);
	struct lineage *l = a->l;
	atomic_long_t *room;
	long n;

	if (!near) {
		if (!atomic_long_dec_return(&l->count))
			hmap_reseed_later(a->h);
		return;
	}
	room = &this_cpu_ptr(a->h->cpu)->room[l->nr];
	n = atomic_long_inc_return(room);
	if (n <= a->batch && atomic_long_read(&l->count) > near &&
	    atomic_long_read(&l->count) <= READ_ONCE(a->h->max_entries))
		return;
	n = atomic_long_xchg(room, 0);
	if (atomic_long_sub_return(n, &l->count) <= near)
		hmap_reseed_later(a->h);
}
