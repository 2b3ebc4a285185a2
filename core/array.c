// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays of buckets, and overflow buckets.
 */
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

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

/*
 * A cache with a constructor is not merged with others of its size, so that
 * /proc/slabinfo tells which it is.
 */
static void bucket_ctor(void *b)
{
}

int hmap_overflow_init(struct hmap_type *t)
{
	unsigned int i = t->bucket_size / 8;
	struct kmem_cache *cache;
	char name[32];

	mutex_lock(&caches_lock);
	cache = caches[i].cache;
	if (!cache) {
		snprintf(name, sizeof(name), "hmap_bucket_%u", t->bucket_size);
		cache = kmem_cache_create(name, t->bucket_size, 8, 0,
					  bucket_ctor);
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

/* A bucket of zeros, or an ERR_PTR as hmap_alloc(). */
struct bmap *hmap_overflow_alloc(struct hmap *h, gfp_t gfp)
{
	struct bmap *b;
	int err;

	if (!hmap_may_alloc())
		return ERR_PTR(-ENOMEM);
	err = hmap_charge(h, h->t.bucket_size);
	if (err)
		return ERR_PTR(err);
	b = kmem_cache_alloc(h->t.overflow_cache, hmap_gfp(h->param_flags, gfp));
	if (!b) {
		hmap_uncharge(h, h->t.bucket_size);
		return ERR_PTR(-ENOMEM);
	}
	memset(b, 0, h->t.bucket_size);
	return b;
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

	if (!mask || !(hmap_hash_u64(nth, a->hash0) & mask))
		atomic_inc(&a->noverflow);
}

/**
 * hmap_newoverflow() - Get an overflow bucket for a chain.
 * @a: the array the chain belongs to
 * @reserve: an overflow bucket to use where no spare one is left, or NULL in
 *	it; NULL once it is used
 *
 * Context: Under a guard.
 * Return: A bucket of zeros, or NULL: come back with a reserve.
 */
struct bmap *hmap_newoverflow(struct bucket_array *a, struct bmap **reserve)
{
	struct bmap *b = *reserve;
	unsigned long i;

	if (atomic_long_read(&a->next_overflow) < a->nr_spare) {
		i = atomic_long_fetch_inc(&a->next_overflow);
		if (i < a->nr_spare) {
			incrnoverflow(a, i);
			return bucket_at(&a->h->t, a, a->mask + 1 + i);
		}
		atomic_long_dec(&a->next_overflow);
	}
	if (b) {
		*reserve = NULL;
		i = atomic_long_fetch_inc(&a->nr_overflow);
		incrnoverflow(a, a->nr_spare + i);
	}
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

/*
 * What all CPUs may have drawn is at most 1/64 of what makes the array grow, and
 * where it is small they draw and claim singly, which keeps S6 and S7 exact.
 */
static void set_batches(struct bucket_array *a)
{
	a->batch = 1;
	a->claim = 1;
	if (a->B <= 8)
		return;
	a->batch = clamp_t(unsigned long, a->grow_at / 64 / nr_cpu_ids, 1,
			   MAX_BATCH);
	a->claim = clamp_t(unsigned long, (a->mask + 1) / 8 / nr_cpu_ids, 1,
			   MAX_CLAIM);
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

	a = hmap_alloc(h, size, gfp | __GFP_ZERO);
	if (IS_ERR(a))
		return a;
	a->h = h;
	a->B = B;
	a->mask = nr - 1;
	a->grow_at = load_of(B);
	a->nr_spare = nr_spare;
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
		next = bmap_overflow(t, b);
		if (b != head && (b < spare || b >= end))
			hmap_overflow_free(h, b);
	}
}

/* Free an array that owns nothing but its own memory. */
void hmap_array_free(struct bucket_array *a)
{
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
	if (atomic_long_read(&a->nr_overflow) || t->indirect_key ||
	    t->indirect_elem) {
		for (i = 0; i <= a->mask; i++) {
			b = bucket_at(t, a, i);
			if (!evacuated(b) || bmap_overflow(t, b))
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
