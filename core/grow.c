// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: a new array is made and published in one step, then filled from the
 * old one bucket by bucket.
 *
 * Small arrays are made by the insert that finds the map too full.  Larger
 * ones are made by a work item, while inserts go on into the present array;
 * only where they fill it to twice its load do those that may sleep wait.
 */
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "key.h"

/* The most bytes of buckets that an insert allocates and zeroes itself. */
#define SMALL_ARRAY	(7 * 1024)
#define GROW_RETRY	(HZ / 10)	/* after there was no memory */
#define FINISH_DELAY	(HZ / 10)
#define RESEED_DELAY	HZ		/* from one to the next */
#define ADVANCE		512	/* old buckets; twice a write: 1024 in all */

struct workqueue_struct *hmap_wq;

#if IS_ENABLED(CONFIG_KUNIT)
unsigned int hmap_test_delay_us;
EXPORT_SYMBOL_TEST(hmap_test_delay_us);
#endif

/* Whether that many entries are more than 13/2 a bucket. */
bool hmap_over_load(unsigned long count, u8 B)
{
	return count > BUCKET_CNT && count > 13 * ((1UL << B) / 2);
}
EXPORT_SYMBOL_TEST(hmap_over_load);

/*
 * As many overflow buckets as buckets in a map that is not over its load:
 * the chains have holes, left by deletes, and want to be packed.
 */
static bool too_many_overflow(const struct hmap *h, u8 B)
{
	return atomic_read(&h->noverflow) >= 1 << min_t(u8, B, 15);
}

static bool grow_put_off(const struct hmap *h)
{
	return time_before64(get_jiffies_64(), READ_ONCE(h->grow_retry));
}

/* Whether the next insert of a new key is to start a growth. */
bool hmap_wants_growth(const struct hmap *h)
{
	u8 B = READ_ONCE(h->B);

	if (rcu_access_pointer(h->oldbuckets))
		return false;
	return (hmap_over_load(atomic_long_read(&h->count) + 1, B) ||
		too_many_overflow(h, B)) && !grow_put_off(h);
}

bool hmap_grow_is_small(const struct hmap *h)
{
	return (size_t)h->t.bucket_size << (READ_ONCE(h->B) + 1) <= SMALL_ARRAY;
}

/* The work item charges the cgroup of who was the first to ask for it. */
static void charge_growth(struct hmap *h)
{
	struct mem_cgroup *memcg;

	if (!(h->param_flags & HMAP_ACCOUNT) || !in_task())
		return;
	memcg = get_mem_cgroup_from_mm(current->mm);
	mem_cgroup_put(xchg(&h->grow_memcg, memcg));
}

void hmap_grow_later(struct hmap *h)
{
	if (work_pending(&h->grow_work))
		return;
	charge_growth(h);
	queue_work(hmap_wq, &h->grow_work);
}

/*
 * Whether the caller may wait for the work item, which allocates as it likes
 * and runs on a workqueue without a rescuer.
 */
static bool may_flush(gfp_t gfp)
{
	const unsigned int flags = PF_WQ_WORKER | PF_MEMALLOC |
				   PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO;

	return (gfp & GFP_KERNEL) == GFP_KERNEL && !(current->flags & flags);
}

/*
 * Let the work item run, and catch up where inserts have outrun it.  Whoever
 * may not wait for it, but for memory, does its work.
 */
void hmap_grow_wait(struct hmap *h, gfp_t gfp)
{
	unsigned long count = atomic_long_read(&h->count);

	cond_resched();
	if (!hmap_over_load(count / 2, READ_ONCE(h->B)) ||
	    !hmap_wants_growth(h))
		return;
	if (may_flush(gfp))
		flush_work(&h->grow_work);
	else
		hmap_grow(h, gfp);
}

/* Whether chains are as long as they may get: past four times the load (S15). */
bool hmap_outgrown(const struct hmap *h)
{
	return hmap_over_load(atomic_long_read(&h->count) / 4,
			      READ_ONCE(h->B));
}

/* Why the map could not grow, or finish growing, a moment ago; or 0. */
int hmap_grow_refused(const struct hmap *h)
{
	return grow_put_off(h) ? READ_ONCE(h->grow_error) : 0;
}

static void put_growth_off(struct hmap *h, int error, unsigned long delay)
{
	WRITE_ONCE(h->grow_error, error);
	WRITE_ONCE(h->grow_retry, get_jiffies_64() + delay);
}

/* === Replacing the array === */

/*
 * Take the stripes that are in use, and those that will be with @new_mask:
 * whoever reads that one early must find its stripe taken, too.  Returns the
 * mask that tells which these are.
 */
static u32 lock_all(struct hmap *h, u32 new_mask)
{
	u32 i, mask = max(h->stripe_mask, new_mask);

	lockdep_assert_held(&h->lock);
	for (i = 0; i <= mask; i++) {
		spin_lock_nest_lock(&h->stripes[i].lock, &h->lock);
		/* raw: lockdep knows no nest_lock for sequence counts */
		raw_write_seqcount_begin(&h->stripes[i].seq);
		__release(&h->stripes[i].lock);	/* sparse counts one by one */
	}
	return mask;
}

static void unlock_all(struct hmap *h, u32 mask)
{
	u32 i;

	for (i = 0; i <= mask; i++) {
		__acquire(&h->stripes[i].lock);
		raw_write_seqcount_end(&h->stripes[i].seq);
		spin_unlock(&h->stripes[i].lock);
	}
}

static void publish(struct hmap *h, struct bucket_array *old,
		    struct bucket_array *new)
{
	u32 new_mask = stripe_mask_of(h, old->B);
	bool same_size = new->B == old->B;
	u32 mask = lock_all(h, new_mask);

	WRITE_ONCE(h->B, new->B);
	WRITE_ONCE(h->stripe_mask, new_mask);
	WRITE_ONCE(h->nevacuate, 0);
	/* Iterators of buckets are iterators of oldbuckets from now on. */
	h->flags = (h->flags & HMAP_ITERATOR ? HMAP_OLD_ITERATOR : 0) |
		   (same_size ? HMAP_SAME_SIZE_GROW : 0);
	atomic_set(&h->noverflow, 0);
	atomic_long_set(&h->extra.next_overflow, 0);
	atomic_long_set(&h->extra.oldoverflow,
			atomic_long_xchg(&h->extra.overflow, 0));
	rcu_assign_pointer(h->oldbuckets, old);
	hmap_test_delay();
	rcu_assign_pointer(h->buckets, new);
	unlock_all(h, mask);

	WRITE_ONCE(h->generation, h->generation + 1);
	if (same_size)
		h->same_size_growths++;
	else
		h->growths++;
	queue_delayed_work(hmap_wq, &h->finish_work, h->finish_delay);
}

/**
 * hmap_grow() - Start a growth if one is due.
 * @h: the map
 * @gfp: how to allocate the new array
 *
 * Context: Any that @gfp allows; no stripe held.
 * Return: 0, also if none was due; or an errno as of hmap_insert(), and none
 * will be due for a while.
 */
int hmap_grow(struct hmap *h, gfp_t gfp)
{
	struct bucket_array *old, *new;
	unsigned long generation;
	bool due;
	u8 B;

	spin_lock_bh(&h->lock);
	due = hmap_wants_growth(h);
	B = h->B;
	if (hmap_over_load(atomic_long_read(&h->count) + 1, B))
		B++;
	generation = h->generation;
	spin_unlock_bh(&h->lock);
	if (!due)
		return 0;

	new = hmap_array_new(h, B, gfp);
	if (IS_ERR(new)) {
		put_growth_off(h, PTR_ERR(new), GROW_RETRY);
		return PTR_ERR(new);
	}

	spin_lock_bh(&h->lock);
	old = rcu_dereference_protected(h->buckets,
					lockdep_is_held(&h->lock));
	if (old && generation == h->generation) {
		publish(h, old, new);
		new = NULL;
	}
	spin_unlock_bh(&h->lock);
	hmap_array_free(new);	/* somebody else was faster */
	return 0;
}
EXPORT_SYMBOL_TEST(hmap_grow);

/* There is no need to kill anyone for memory: a growth can be put off. */
static void grow_work(struct work_struct *work)
{
	struct hmap *h = container_of(work, struct hmap, grow_work);
	struct mem_cgroup *memcg = xchg(&h->grow_memcg, NULL);
	struct mem_cgroup *old = set_active_memcg(memcg);

	hmap_grow(h, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	set_active_memcg(old);
	mem_cgroup_put(memcg);
}

/* Of all maps, so that a cursor of one is not taken for one of another. */
u64 hmap_new_epoch(void)
{
	static atomic64_t last = ATOMIC64_INIT(0);

	return atomic64_inc_return(&last);
}

/* Under all stripes in use.  What goes by the hash must begin anew. */
static void set_seed(struct hmap *h)
{
	WRITE_ONCE(h->hash0, get_random_u32());
	WRITE_ONCE(h->epoch, hmap_new_epoch());
}

/**
 * hmap_replace() - Put an empty array and a new seed in place of all there is.
 * @h: the map
 * @new: the array, or NULL for none
 * @old: set to the arrays that were replaced; either may be NULL
 *
 * Context: Process or softirq context.
 */
void hmap_replace(struct hmap *h, struct bucket_array *new,
		  struct bucket_array *old[2])
{
	u32 mask, new_mask = stripe_mask_of(h, new ? new->B : 0);

	spin_lock_bh(&h->lock);
	mask = lock_all(h, new_mask);
	old[0] = rcu_dereference_protected(h->buckets,
					   lockdep_is_held(&h->lock));
	old[1] = rcu_dereference_protected(h->oldbuckets,
					   lockdep_is_held(&h->lock));
	WRITE_ONCE(h->B, new ? new->B : 0);
	WRITE_ONCE(h->stripe_mask, new_mask);
	set_seed(h);
	h->flags &= ~HMAP_SAME_SIZE_GROW;
	atomic_long_set(&h->count, 0);
	atomic_set(&h->noverflow, 0);
	atomic_long_set(&h->extra.next_overflow, 0);
	if (old[0])
		old[0]->nr_overflow = atomic_long_xchg(&h->extra.overflow, 0);
	if (old[1])
		old[1]->nr_overflow =
			atomic_long_xchg(&h->extra.oldoverflow, 0);
	RCU_INIT_POINTER(h->oldbuckets, NULL);
	hmap_test_delay();
	rcu_assign_pointer(h->buckets, new);
	unlock_all(h, mask);
	WRITE_ONCE(h->generation, h->generation + 1);
	spin_unlock_bh(&h->lock);
}
EXPORT_SYMBOL_TEST(hmap_replace);

/*
 * A map that has become empty draws a new seed, lest what someone has learnt
 * of the old one be of use for ever.  Iterators go by the hash, so not under
 * them.
 */
static void reseed_work(struct work_struct *work)
{
	struct hmap *h = container_of(to_delayed_work(work), struct hmap,
				      reseed_work);
	u32 mask;

	WRITE_ONCE(h->reseeded, get_jiffies_64());
	spin_lock_bh(&h->lock);
	if (!rcu_access_pointer(h->oldbuckets) && !h->iterators &&
	    !atomic_long_read(&h->count)) {
		mask = lock_all(h, h->stripe_mask);
		if (!atomic_long_read(&h->count))
			set_seed(h);
		unlock_all(h, mask);
	}
	spin_unlock_bh(&h->lock);
}

/* Not for every entry that comes and goes: it takes all stripes. */
void hmap_reseed_later(struct hmap *h)
{
	u64 now = get_jiffies_64(), due = READ_ONCE(h->reseeded) + RESEED_DELAY;

	if (!delayed_work_pending(&h->reseed_work))
		queue_delayed_work(hmap_wq, &h->reseed_work,
				   time_before64(now, due) ? due - now : 0);
}

/* === Evacuation === */

/* Where evacuated entries of one half go: Go's evacDst. */
struct evac_dst {
	struct bmap *b;
	unsigned int slot;
};

static __always_inline void evac_put(const struct hmap_type *t,
				     struct evac_dst *dst, u8 top,
				     struct bmap *from, unsigned int slot)
{
	void *key, *elem;

	if (dst->slot == BUCKET_CNT) {
		dst->b = bmap_overflow(t, dst->b);
		dst->slot = 0;
	}
	key = bmap_key(t, dst->b, dst->slot);
	if (t->indirect_key)
		slot_set_block(key, slot_block(bmap_key(t, from, slot)));
	else
		hmap_copy(key, bmap_key(t, from, slot), t->key_slot);
	elem = bmap_elem(t, dst->b, dst->slot);
	if (t->indirect_elem)
		slot_set_block(elem, slot_block(bmap_elem(t, from, slot)));
	else
		hmap_copy(elem, bmap_elem(t, from, slot), t->elem_slot);
	WRITE_ONCE(dst->b->tophash[dst->slot++], top);
}

/* Make a chain, empty as yet, long enough for @n entries. */
static int evac_room(struct hmap *h, struct bucket_array *a, struct bmap *b,
		     unsigned int n)
{
	struct bmap *next, *reserve = NULL;

	for (; n > BUCKET_CNT; n -= BUCKET_CNT) {
		next = bmap_overflow(&h->t, b);
		if (!next) {
			next = hmap_newoverflow(h, a, &reserve);
			if (!next)
				return -ENOMEM;
			bmap_set_overflow(&h->t, b, next);
		}
		b = next;
	}
	return 0;
}

static __always_inline bool goes_to_y(const struct hmap *h, const u8 kind,
				      struct bmap *b, unsigned int slot,
				      u64 newbit)
{
	return newbit && slot_hash(&h->t, kind, bmap_key(&h->t, b, slot),
				   h->hash0) & newbit;
}

/* Only a chain of several buckets can need overflow buckets for its halves. */
static int evac_prepare(struct hmap *h, struct bucket_array *a, struct bmap *b,
			u64 newbit, struct bmap *x, struct bmap *y)
{
	unsigned int i, nx = 0, ny = 0;

	if (!bmap_overflow(&h->t, b))
		return 0;
	for (; b; b = bmap_overflow(&h->t, b)) {
		for (i = 0; i < BUCKET_CNT; i++) {
			if (is_empty(b->tophash[i]))
				continue;
			if (goes_to_y(h, h->t.key_kind, b, i, newbit))
				ny++;
			else
				nx++;
		}
	}
	return evac_room(h, a, x, nx) ?: ny ? evac_room(h, a, y, ny) : 0;
}

static __always_inline void evac_bucket(struct hmap *h, const u8 kind,
					struct bmap *b, u64 newbit,
					struct evac_dst dst[2])
{
	unsigned int i, y;
	u8 top, mark;

	for (i = 0; i < BUCKET_CNT; i++) {
		top = b->tophash[i];
		mark = EVACUATED_EMPTY;
		if (!is_empty(top)) {
			y = goes_to_y(h, kind, b, i, newbit);
			evac_put(&h->t, &dst[y], top, b, i);
			mark = EVACUATED_X + y;
		}
		/* Pairs with the acquire in evacuated(). */
		smp_store_release(&b->tophash[i], mark);
	}
}

/**
 * hmap_evacuate() - Move an old bucket's entries to the new array.
 * @h: the map
 * @oldbucket: index of the bucket
 *
 * Context: Under the bucket's stripe, write section begun.
 * Return: 0, also if there is nothing to do; or -ENOMEM, and the old bucket
 * stays the true one.
 */
int hmap_evacuate(struct hmap *h, unsigned long oldbucket)
{
	struct bucket_array *a = buckets_of(h), *old = oldbuckets_of(h);
	struct evac_dst dst[2] = {};
	struct bmap *head, *b;
	u64 newbit;

	if (!old || oldbucket > bucket_mask(old->B))
		return 0;
	head = bucket_at(&h->t, old, oldbucket);
	if (evacuated(head))
		return 0;

	newbit = a->B == old->B ? 0 : 1UL << old->B;
	dst[0].b = bucket_at(&h->t, a, oldbucket);
	dst[1].b = bucket_at(&h->t, a, oldbucket + newbit);
	if (evac_prepare(h, a, head, newbit, dst[0].b, dst[1].b))
		return -ENOMEM;
	for (b = head; b; b = bmap_overflow(&h->t, b)) {
		if (h->t.key_kind == HMAP_KEY_U64)
			evac_bucket(h, HMAP_KEY_U64, b, newbit, dst);
		else
			evac_bucket(h, h->t.key_kind, b, newbit, dst);
	}
	return 0;
}
EXPORT_SYMBOL_TEST(hmap_evacuate);

/*
 * Move nevacuate on over what has been evacuated, a bounded way, and let the
 * old array go when that was all of it.  If somebody holds the lock, another
 * write, or the work item, will do it.
 */
static void advance_mark(struct hmap *h)
{
	struct bucket_array *old;
	unsigned long n, stop;

	if (!spin_trylock_bh(&h->lock))
		return;
	old = rcu_dereference_protected(h->oldbuckets,
					lockdep_is_held(&h->lock));
	if (!old)
		goto out;
	n = h->nevacuate;
	stop = min(n + ADVANCE, 1UL << old->B);
	while (n < stop && evacuated(bucket_at(&h->t, old, n)))
		n++;
	WRITE_ONCE(h->nevacuate, n);
	if (n == 1UL << old->B) {
		/*
		 * Who sees NULL sees what was evacuated, too: each mark was
		 * read with acquire above, and this is a release.
		 */
		smp_store_release(&h->oldbuckets, RCU_INITIALIZER(NULL));
		h->flags &= ~HMAP_SAME_SIZE_GROW;
		hmap_array_retire(old,
				  atomic_long_xchg(&h->extra.oldoverflow, 0));
	}
out:
	spin_unlock_bh(&h->lock);
}

static int evacuate_locked(struct hmap *h, unsigned long oldbucket)
{
	union choice choice = choice_of(h);
	struct stripe *s = stripe_of(h, choice, oldbucket);
	int err = 0;

	stripe_write_begin(s);
	if (stripe_valid(h, choice))
		err = hmap_evacuate(h, oldbucket);
	stripe_write_end(s);
	return err;
}

/* Whether others, or a write that touched it, were at nevacuate's bucket. */
static bool marked_evacuated(const struct hmap *h)
{
	unsigned long n = READ_ONCE(h->nevacuate);
	struct bucket_array *old;
	bool ret;

	rcu_read_lock();
	old = oldbuckets_of(h);
	ret = old && n <= old->mask && evacuated(bucket_at(&h->t, old, n));
	rcu_read_unlock();
	return ret;
}

/**
 * hmap_evacuate_next() - Do a write's share of a growth.
 * @h: the map
 *
 * That is the old bucket at nevacuate; the one that the write touched is moved
 * by the write itself.
 *
 * Context: Process or softirq context, no stripe held.
 */
void hmap_evacuate_next(struct hmap *h)
{
	if (marked_evacuated(h))
		advance_mark(h);
	if (!rcu_access_pointer(h->oldbuckets))
		return;
	evacuate_locked(h, READ_ONCE(h->nevacuate));
	advance_mark(h);
}
EXPORT_SYMBOL_TEST(hmap_evacuate_next);

/* Finish what writes have left of a growth. */
static void finish_work(struct work_struct *work)
{
	struct hmap *h = container_of(to_delayed_work(work), struct hmap,
				      finish_work);
	unsigned long generation = READ_ONCE(h->generation);

	while (rcu_access_pointer(h->oldbuckets) &&
	       READ_ONCE(h->generation) == generation) {
		if (evacuate_locked(h, READ_ONCE(h->nevacuate))) {
			put_growth_off(h, -ENOMEM, 2 * GROW_RETRY);
			queue_delayed_work(hmap_wq, &h->finish_work,
					   GROW_RETRY);
			return;
		}
		advance_mark(h);
		cond_resched();
	}
}

/* === Life === */

void hmap_grow_init(struct hmap *h)
{
	h->finish_delay = FINISH_DELAY;
	INIT_WORK(&h->grow_work, grow_work);
	INIT_DELAYED_WORK(&h->finish_work, finish_work);
	INIT_DELAYED_WORK(&h->reseed_work, reseed_work);
}

/* A growth that starts may queue finish_work, so stop that last. */
void hmap_grow_exit(struct hmap *h)
{
	cancel_delayed_work_sync(&h->reseed_work);
	cancel_work_sync(&h->grow_work);
	cancel_delayed_work_sync(&h->finish_work);
	mem_cgroup_put(h->grow_memcg);
}
