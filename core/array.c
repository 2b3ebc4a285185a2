// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays of buckets, and overflow buckets.
 */
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "count.h"
#include "key.h"

/* === Overflow buckets === */

/*
 * A cache for each size of bucket that there are maps with; there are few
 * sizes, all multiples of eight.
 */
#define MAX_BUCKET_SIZE	(sizeof(struct bmap) + 8 + \
			 2 * BUCKET_CNT * MAX_INLINE_SIZE)
static struct {
	struct kmem_cache *cache;
	unsigned int maps;
} caches[MAX_BUCKET_SIZE / 8 + 1];
static DEFINE_MUTEX(caches_lock);	/* protects caches */

int hmap_overflow_init(struct hmap_type *t)
{
	unsigned int i = t->bucket_size / 8;
	struct kmem_cache *cache;
	char name[32];

	mutex_lock(&caches_lock);
	cache = caches[i].cache;
	if (!cache) {
		snprintf(name, sizeof(name), "hmap_bucket_%u", t->bucket_size);
		/* With a constructor, objects would take more than their size. */
		cache = unmerged_cache_create(name, t->bucket_size, 8);
		caches[i].cache = cache;
	}
	if (cache)
		caches[i].maps++;
	mutex_unlock(&caches_lock);
	t->overflow_cache = cache;
	return cache ? 0 : -ENOMEM;
}

void hmap_overflow_exit(struct hmap_type *t)
{
	unsigned int i = t->bucket_size / 8;

	if (!t->overflow_cache)
		return;
	mutex_lock(&caches_lock);
	if (!--caches[i].maps) {
		kmem_cache_destroy(caches[i].cache);
		caches[i].cache = NULL;
	}
	mutex_unlock(&caches_lock);
}

/**
 * hmap_overflow_reserve() - Get ready for hmap_newoverflow().
 * @h: the map
 * @reserve: set to a bucket of zeros, unless arrays have room for more
 * @gfp: how to allocate it
 *
 * Context: Any that @gfp allows; no guard held.
 * Return: 0, or an errno as hmap_alloc().
 */
int hmap_overflow_reserve(struct hmap *h, struct bmap **reserve, gfp_t gfp)
{
	struct bmap *b;
	int err;

	if (h->t.mapped)
		return hmap_mapped_reserve(h, gfp);
	if (!hmap_may_alloc())
		return -ENOMEM;
	err = hmap_charge(h, h->t.bucket_size);
	if (err)
		return err;
	b = kmem_cache_zalloc(h->t.overflow_cache,
			      hmap_gfp(h->param_flags, gfp));
	if (!b) {
		hmap_uncharge(h, h->t.bucket_size);
		return -ENOMEM;
	}
	*reserve = b;
	return 0;
}

void hmap_overflow_free(struct hmap *h, struct bmap *b)
{
	kmem_cache_free(h->t.overflow_cache, b);
	hmap_uncharge(h, h->t.bucket_size);
}

/*
 * noverflow is exact while it is small.  From B = 16 on it counts only one in
 * 2^(B-15), so that 2^15 of it always means about as many overflow buckets as
 * there are buckets.  get_random_u32() takes locks that a guard may not be held
 * for, so the hash of the @nth bucket is what decides.
 */
static void incrnoverflow(struct bucket_array *a, unsigned long nth)
{
	u32 mask = (1U << min(max(a->B - 15, 0), 31)) - 1;

	if (mask && hmap_hash_u64(a->h->t.secret, nth, a->hash0) & mask)
		return;
	if (atomic_inc_return(&a->noverflow) != hmap_max_noverflow(a))
		return;
	hmap_count_singly(a);
	/* Have the very next insert see it. */
	if (a->B <= EXACT_B)
		hmap_count_take_back(a);
}

/* Take the next spare bucket, and tell which it is; false if none is left. */
static bool take_spare(struct bucket_array *a, unsigned long *nth)
{
	if (atomic_long_read(&a->next_overflow) >= a->nr_spare)
		return false;
	hmap_test_delay();
	*nth = atomic_long_fetch_inc(&a->next_overflow);
	if (*nth < a->nr_spare)
		return true;
	atomic_long_dec(&a->next_overflow);
	return false;
}

/**
 * hmap_newoverflow() - Chain an overflow bucket.
 * @a: the array the chain belongs to
 * @last: the last bucket of the chain
 * @reserve: an overflow bucket to use where no spare one is left, or NULL in
 *	it; NULL once it is used
 *
 * Context: Under a guard.
 * Return: A bucket of zeros, or NULL: come back with a reserve.
 */
struct bmap *hmap_newoverflow(struct bucket_array *a, struct bmap *last,
			      struct bmap **reserve)
{
	const struct hmap_type *t = &a->h->t;
	struct bmap *b = *reserve;
	unsigned long nth;

	if (take_spare(a, &nth)) {
		b = bucket_at(t, a, a->mask + 1 + nth);
	} else if (t->mapped) {
		if (!hmap_mapped_take(a, &nth))
			return NULL;
		b = hmap_mapped_bucket(a, nth + 1);
	} else {
		if (!b)
			return NULL;
		*reserve = NULL;
		nth = a->nr_spare + atomic_long_fetch_inc(&a->nr_overflow);
	}
	incrnoverflow(a, nth);
	if (t->mapped)
		/* Pairs with the address dependency in bmap_overflow(). */
		smp_store_release(bmap_link(t, last), nth + 1);
	else
		/* Likewise. */
		smp_store_release(bmap_overflow_slot(t, last), b);
	return b;
}
EXPORT_SYMBOL_TEST(hmap_newoverflow);

/* === Arrays === */

#define MAX_BATCH	64	/* entries; see struct bucket_array */
#define MAX_CLAIM	32	/* buckets, likewise */

/* Entries that 2^B buckets hold before one more makes them grow. */
static unsigned long load_of(u8 B)
{
	return B ? 13 * (1UL << (B - 1)) : BUCKET_CNT;
}

/* What all CPUs may have drawn is at most 1/64 of what makes the array grow. */
static void set_batches(struct bucket_array *a)
{
	unsigned long n = a->grow_at / 64 / nr_cpu_ids;

	a->batch = min_t(unsigned long, n, MAX_BATCH);
	a->near = a->batch * nr_cpu_ids;
	a->singly_from = a->B <= EXACT_B ? a->grow_at - a->near : LONG_MAX;

	n = (a->mask + 1) / 8 / nr_cpu_ids;
	a->claim = a->B <= EXACT_B ? 1 : clamp_t(unsigned long, n, 1, MAX_CLAIM);
}

/**
 * hmap_array_new() - Make an array of empty buckets.
 * @h: the map
 * @B: log_2 of how many
 * @gfp: how to allocate it
 *
 * Context: Any that @gfp allows.
 * Return: The array, or an ERR_PTR as hmap_alloc().
 */
struct bucket_array *hmap_array_new(struct hmap *h, u8 B, gfp_t gfp)
{
	size_t nr, nr_spare, size;
	struct bucket_array *a;

	if (check_shl_overflow(1UL, B, &nr))
		return ERR_PTR(-ENOMEM);
	nr_spare = nr >> 4;
	if (check_mul_overflow(nr + nr_spare, (size_t)h->t.stride, &size) ||
	    check_add_overflow(size, sizeof(*a), &size) || size > LONG_MAX / 2)
		return ERR_PTR(-ENOMEM);

	if (h->t.mapped)
		a = hmap_mapped_array_new(h, B, size - sizeof(*a), gfp);
	else
		a = hmap_alloc(h, size, gfp | __GFP_ZERO);
	if (IS_ERR(a))
		return a;
	a->h = h;
	a->B = B;
	a->mask = nr - 1;
	a->grow_at = load_of(B);
	a->nr_spare = nr_spare;
	if (!h->t.mapped)
		a->bytes = size;
	set_batches(a);
	return a;
}
EXPORT_SYMBOL_TEST(hmap_array_new);

/* Free what slots and overflow pointers of a chain own. */
static void free_chain(struct bucket_array *a, struct bmap *head)
{
	bool live = !evacuated(head);
	struct hmap *h = a->h;
	const struct hmap_type *t = &h->t;
	struct bmap *spare = bucket_at(t, a, a->mask + 1);
	struct bmap *end = bucket_at(t, a, a->mask + 1 + a->nr_spare);
	struct bmap *b = head, *next;
	unsigned int i;

	for (; b; b = next) {
		for (i = 0; live && i < BUCKET_CNT; i++) {
			if (is_empty(b->tophash[i]))
				continue;
			if (t->indirect_key)
				hmap_block_put_now(slot_block(bmap_key(t, b, i)));
			if (t->indirect_elem)
				hmap_block_put_now(slot_block(bmap_elem(t, b, i)));
		}
		next = bmap_overflow(t, a, b);
		if (b != head && (b < spare || b >= end))
			hmap_overflow_free(h, b);
	}
}

/* Free an array that owns nothing but its own memory. */
void hmap_array_free(struct bucket_array *a)
{
	if (a->pages)
		hmap_mapped_array_free(a);
	else
		hmap_free(a->h, a, a->bytes);
}
EXPORT_SYMBOL_TEST(hmap_array_free);

/**
 * hmap_array_destroy() - Free an array, and entries and chains that it holds.
 * @a: the array, or NULL; nobody can reach it any more
 *
 * Context: Process context, may sleep.
 */
void hmap_array_destroy(struct bucket_array *a)
{
	const struct hmap_type *t;
	struct bmap *b;
	unsigned long i;

	if (!a)
		return;
	t = &a->h->t;
	if (t->mapped) {
		hmap_mapped_hide(a);
	} else if (atomic_long_read(&a->nr_overflow) || t->indirect_key ||
		   t->indirect_elem) {
		for (i = 0; i <= a->mask; i++) {
			b = bucket_at(t, a, i);
			if (!evacuated(b) || bmap_overflow(t, a, b))
				free_chain(a, b);
			cond_resched();
		}
	}
	hmap_array_free(a);
}
EXPORT_SYMBOL_TEST(hmap_array_destroy);

static void array_free_work(struct work_struct *work)
{
	struct bucket_array *a = container_of(to_rcu_work(work),
					      struct bucket_array, free_work);
	struct hmap *h = a->h;

	if (h->t.mapped) {
		hmap_mapped_free_later(a);
		return;
	}
	hmap_array_destroy(a);
	hmap_put(h);
}

/**
 * hmap_array_retire() - Free an array once no reader can see it.
 * @a: the array; no new reader can find it
 *
 * Context: Any, no guard held.
 */
void hmap_array_retire(struct bucket_array *a)
{
	refcount_inc(&a->h->refs);
	INIT_RCU_WORK(&a->free_work, array_free_work);
	queue_rcu_work(hmap_wq, &a->free_work);
}
