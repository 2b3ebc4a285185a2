// SPDX-License-Identifier: GPL-2.0
/*
 * The seed of a map: drawn when a map is made or cleared, and anew when it has
 * become empty, lest what someone has learnt of the old one be of use for ever.
 *
 * The latter is nobody's operation, so no insert may be lost in it.  The array
 * is marked frozen, and a writer that sees that thaws it before it goes on.
 * After a grace period every writer that has not seen the mark is done; if the
 * array is still frozen, nobody writes, and if it is still empty, the seed can
 * be changed in place.
 */
#include <linux/jiffies.h>
#include <linux/random.h>

#include "internal.h"

#define RESEED_EVERY	HZ

static u64 next_epoch(void)
{
	static atomic64_t last = ATOMIC64_INIT(0);

	return atomic64_inc_return(&last);
}

/* Never the same twice, so that a test can tell. */
static u32 other_seed(u32 hash0)
{
	u32 seed;

	do
		seed = get_random_u32();
	while (seed == hash0);
	return seed;
}

/* Begin with no entries.  Nobody counts there, or has since a grace period. */
void hmap_lineage_init(struct hmap *h, struct lineage *l)
{
	atomic_long_t *room;
	int cpu;

	l->nr = l - h->lineages;
	l->hash0 = other_seed(h->l ? READ_ONCE(h->l->hash0) : 0);
	l->epoch = next_epoch();
	atomic_long_set(&l->count, 0);
	for_each_possible_cpu(cpu) {
		room = &per_cpu_ptr(h->cpu, cpu)->room[l->nr];
		atomic_long_set(room, 0);
	}
}

/* Whether the seed may change: growths and walks go by the hash. */
static bool may_reseed(const struct hmap *h, const struct bucket_array *a)
{
	lockdep_assert_held(&h->lock);
	return a && !old_of(a) && !h->iterators &&
	       !hmap_lineage_len(h, h->l);
}

static struct bucket_array *freeze(struct hmap *h)
{
	struct bucket_array *a;
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	a = buckets_locked(h);
	WRITE_ONCE(h->reseeded, get_jiffies_64());
	if (may_reseed(h, a))
		WRITE_ONCE(a->frozen, true);
	else
		a = NULL;
	raw_spin_unlock_irqrestore(&h->lock, flags);
	return a;
}

/* A grace period after the array was frozen. */
static void reseed_done(struct work_struct *work)
{
	struct hmap *h = container_of(to_rcu_work(work), struct hmap,
				      reseed_done);
	u32 seed = other_seed(READ_ONCE(READ_ONCE(h->l)->hash0));
	struct bucket_array *a = h->frozen;
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	/* An array that came in its place was never frozen. */
	if (a == buckets_locked(h) && a->frozen) {
		if (may_reseed(h, a)) {
			hmap_mapped_change(h);
			WRITE_ONCE(h->l->hash0, seed);
			WRITE_ONCE(h->l->epoch, next_epoch());
			WRITE_ONCE(a->hash0, seed);
			hmap_mapped_changed(h);
		}
		/* Pairs with the acquire in write_try(): the new seed first. */
		smp_store_release(&a->frozen, false);
	}
	raw_spin_unlock_irqrestore(&h->lock, flags);
	hmap_put(h);
}

static void reseed_work(struct work_struct *work)
{
	struct hmap *h = container_of(to_delayed_work(work), struct hmap,
				      reseed_work);

	if (work_busy(&h->reseed_done.work)) {
		queue_delayed_work(hmap_wq, &h->reseed_work, RESEED_EVERY);
		return;
	}
	h->frozen = freeze(h);
	if (!h->frozen)
		return;
	refcount_inc(&h->refs);
	queue_rcu_work(hmap_wq, &h->reseed_done);
}

/* Have a new seed drawn if the map is empty; looked at once a second at most. */
void hmap_reseed_later(struct hmap *h)
{
	u64 now = get_jiffies_64(), due = READ_ONCE(h->reseeded) + RESEED_EVERY;

	if (!delayed_work_pending(&h->reseed_work))
		queue_delayed_work(hmap_wq, &h->reseed_work,
				   time_before64(now, due) ? due - now : 0);
}

/**
 * hmap_thaw() - Keep the seed of an array that is about to be written to.
 * @a: the array, which the caller has seen frozen
 *
 * The caller then begins again, as the seed may have changed already.
 *
 * Context: Under rcu_read_lock().
 */
void hmap_thaw(struct bucket_array *a)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&a->h->lock, flags);
	/* Leave the store that released a new seed alone. */
	if (a->frozen)
		WRITE_ONCE(a->frozen, false);
	raw_spin_unlock_irqrestore(&a->h->lock, flags);
}

void hmap_seed_init(struct hmap *h)
{
	h->reseeded = get_jiffies_64() - RESEED_EVERY;
	INIT_DELAYED_WORK(&h->reseed_work, reseed_work);
	INIT_RCU_WORK(&h->reseed_done, reseed_done);
}
