// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: a new array is made and published in one store, then filled from the
 * old one bucket by bucket, see evacuate.c.
 *
 * Small arrays are made by the insert that finds the map too full.  Larger
 * ones are made by a work item, while inserts go on into the present array;
 * only where they fill it to twice its load do those that may sleep wait.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "count.h"
#include "key.h"
#include "trace.h"

#define SMALL_ARRAY	7168	/* bytes that an insert makes itself */

/* A parameter, so that a growth can be held to be looked at. */
unsigned int hmap_finish_delay_ms = 100;

struct workqueue_struct *hmap_wq;
EXPORT_SYMBOL_TEST(hmap_wq);

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
unsigned int hmap_max_noverflow(const struct bucket_array *a)
{
	return 1 << min_t(u8, a->B, 15);
}

static bool too_many_overflow(const struct bucket_array *a)
{
	return atomic_read(&a->noverflow) >= hmap_max_noverflow(a);
}

static bool over_load_next(const struct bucket_array *a)
{
	return atomic_long_read(&a->l->count) >= a->grow_at;
}

static bool grow_put_off(const struct hmap *h)
{
	return time_before64(get_jiffies_64(), READ_ONCE(h->grow_retry));
}

/* Whether the next insert of a new key is to start a growth. */
bool hmap_wants_growth(const struct bucket_array *a)
{
	return (over_load_next(a) || too_many_overflow(a)) && !old_of(a) &&
	       !grow_put_off(a->h);
}

bool hmap_grow_is_small(const struct bucket_array *a)
{
	return (size_t)a->h->t.stride << (a->B + 1) <= SMALL_ARRAY;
}

static void charge_caller(struct mem_cgroup **memcg)
{
	mem_cgroup_put(xchg(memcg, get_mem_cgroup_from_mm(current->mm)));
}

/*
 * Work items charge the cgroup of who was the last to ask for a growth.  Each of
 * the two has a reference of its own, since they may run at the same time.
 */
static void charge_growth(struct hmap *h)
{
	if (!(h->param_flags & HMAP_ACCOUNT) || !in_task() || !current->mm)
		return;
	charge_caller(&h->grow_memcg);
	charge_caller(&h->finish_memcg);
}

/* Have the work item make a new array, or finish what is under way. */
void hmap_grow_later(struct hmap *h)
{
	struct bucket_array *a;
	bool growing;

	rcu_read_lock();
	a = buckets_of(h);
	growing = a && old_of(a);
	rcu_read_unlock();
	if (growing) {
		/* Unless it waits for memory. */
		if (READ_ONCE(h->finish_retry) == GROW_RETRY)
			mod_delayed_work(hmap_wq, &h->finish_work, 0);
	} else if (!work_pending(&h->grow_work)) {
		charge_growth(h);
		queue_work(hmap_wq, &h->grow_work);
	}
}

/* The work item's allocation must not wait for what the caller holds. */
static bool may_wait_for_work(gfp_t gfp)
{
	return (gfp & GFP_KERNEL) == GFP_KERNEL &&
	       !(current->flags & (PF_MEMALLOC | PF_MEMALLOC_NOFS |
				   PF_MEMALLOC_NOIO | PF_WQ_WORKER));
}

/* Let the work item run, and catch up where inserts have outrun it. */
void hmap_grow_wait(struct hmap *h, gfp_t gfp)
{
	struct bucket_array *a;
	bool outrun;

	cond_resched();
	rcu_read_lock();
	a = buckets_of(h);
	outrun = a && hmap_wants_growth(a) &&
		 atomic_long_read(&a->l->count) >= 2 * a->grow_at;
	rcu_read_unlock();
	if (outrun && may_wait_for_work(gfp))
		flush_work(&h->grow_work);
	else if (outrun)
		hmap_grow(h, gfp);
}

/* === Replacing the array === */

/*
 * Make an array the present one, or NULL for none, under hmap.lock.  It takes the
 * seed from the lineage now, since the seed may have changed while it was made.
 */
void hmap_publish(struct hmap *h, struct bucket_array *a)
{
	unsigned long serial = h->generation + 1;

	lockdep_assert_held(&h->lock);
	if (a) {
		a->l = h->l;
		a->hash0 = h->l->hash0;
		a->serial = serial;
		a->published = ktime_get_ns();
	}
	hmap_mapped_change(h);
	WRITE_ONCE(h->generation, serial);
	rcu_assign_pointer(h->buckets, a);
	hmap_mapped_changed(h);
}

/* Publish the first array of a map, unless somebody else has, or free it. */
void hmap_publish_first(struct hmap *h, struct bucket_array *a)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	if (!buckets_locked(h)) {
		hmap_publish(h, a);
		a = NULL;
	}
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (a)
		hmap_array_free(a);
}

/* Returns whether @new now replaces the array with serial @generation. */
static bool publish_growth(struct hmap *h, struct bucket_array *new,
			   unsigned long generation)
{
	struct bucket_array *a;
	unsigned long flags;
	bool due;

	raw_spin_lock_irqsave(&h->lock, flags);
	a = buckets_locked(h);
	due = a && a->serial == generation && !old_of(a);
	if (due) {
		if (new->B == a->B)
			h->same_size_growths++;
		else
			h->growths++;
		new->old = a;
		trace_hmap_grow_start(a, new);
		hmap_publish(h, new);
		hmap_test_delay();
	}
	raw_spin_unlock_irqrestore(&h->lock, flags);
	return due;
}

/* There is no memory for a growth of the array with serial @generation. */
static void refuse_growth(struct hmap *h, unsigned long generation, int err,
			  gfp_t gfp)
{
	struct bucket_array *a;

	WRITE_ONCE(h->grow_error, err);
	if (gfpflags_allow_blocking(gfp))
		WRITE_ONCE(h->grow_retry, get_jiffies_64() + GROW_RETRY);
	rcu_read_lock();
	a = buckets_of(h);
	if (a && a->serial == generation)
		hmap_count_singly(a);
	rcu_read_unlock();
}

/**
 * hmap_grow() - Start a growth if one is due.
 * @h: the map
 * @gfp: how to allocate the new array
 *
 * Context: Any that @gfp allows; no guard held.
 * Return: 0, also if none was due; or an errno as hmap_alloc(), and none will
 * be due for a while.
 */
int hmap_grow(struct hmap *h, gfp_t gfp)
{
	struct bucket_array *a, *new;
	unsigned long generation = 0;
	bool due;
	u8 B = 0;

	rcu_read_lock();
	a = buckets_of(h);
	due = a && hmap_wants_growth(a);
	if (due) {
		B = a->B + over_load_next(a);
		generation = a->serial;
	}
	rcu_read_unlock();
	if (!due)
		return 0;

	new = hmap_array_new(h, B, gfp);
	if (IS_ERR(new)) {
		refuse_growth(h, generation, PTR_ERR(new), gfp);
		return PTR_ERR(new);
	}
	WRITE_ONCE(h->grow_error, 0);
	charge_growth(h);
	if (!publish_growth(h, new, generation)) {
		hmap_array_free(new);	/* somebody else was faster */
		return 0;
	}
	/* It may be pending for long, because of the growth before. */
	WRITE_ONCE(h->finish_retry, GROW_RETRY);
	mod_delayed_work(hmap_wq, &h->finish_work, h->finish_delay);
	return 0;
}
EXPORT_SYMBOL_TEST(hmap_grow);

/* Take the cgroup that a work item is to charge; hmap_leave_memcg() follows. */
struct mem_cgroup *hmap_enter_memcg(struct mem_cgroup **from)
{
	struct mem_cgroup *memcg = xchg(from, NULL);

	set_active_memcg(memcg);
	return memcg;
}

/* Give it back for the next time, unless there is a newer one. */
void hmap_leave_memcg(struct mem_cgroup **to, struct mem_cgroup *memcg)
{
	set_active_memcg(NULL);
	if (memcg && cmpxchg(to, NULL, memcg))
		mem_cgroup_put(memcg);
}

/* Do not invoke the OOM killer: growth can be deferred. */
static void grow_work(struct work_struct *work)
{
	struct hmap *h = container_of(work, struct hmap, grow_work);
	struct mem_cgroup *memcg = hmap_enter_memcg(&h->grow_memcg);

	hmap_grow(h, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	hmap_leave_memcg(&h->grow_memcg, memcg);
}

/* === Life === */

void hmap_grow_init(struct hmap *h)
{
	h->finish_delay = msecs_to_jiffies(READ_ONCE(hmap_finish_delay_ms));
	h->finish_retry = GROW_RETRY;
	INIT_WORK(&h->grow_work, grow_work);
	INIT_DELAYED_WORK(&h->finish_work, hmap_finish_work);
}

/* A growth that starts may queue finish_work, so stop that last. */
void hmap_grow_exit(struct hmap *h)
{
	cancel_work_sync(&h->grow_work);
	cancel_delayed_work_sync(&h->finish_work);
	mem_cgroup_put(h->grow_memcg);
	mem_cgroup_put(h->finish_memcg);
}
