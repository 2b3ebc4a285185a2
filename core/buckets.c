// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: bucket arrays, overflow buckets, keys and elems stored by pointer.
 */
#include <linux/kmemleak.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "key.h"

/**
 * hmap_charge() - Count memory against the limits on a map.
 * @h: the map
 * @bytes: how much
 *
 * Context: Any.
 * Return: Whether the map may use that much more.
 */
bool hmap_charge(struct hmap *h, size_t bytes)
{
	struct hmap_pool *pool = h->pool;

	if (atomic_long_add_return(bytes, &h->bytes) > h->max_bytes)
		goto over;
	if (!pool || atomic_long_add_return(bytes, &pool->bytes) <=
		     READ_ONCE(pool->max_bytes))
		return true;
	atomic_long_sub(bytes, &pool->bytes);
over:
	atomic_long_sub(bytes, &h->bytes);
	return false;
}

void hmap_uncharge(struct hmap *h, size_t bytes)
{
	atomic_long_sub(bytes, &h->bytes);
	if (h->pool)
		atomic_long_sub(bytes, &h->pool->bytes);
}

void hmap_pool_put(struct hmap_pool *pool)
{
	if (pool)
		pool->put(pool);
}

/* === Blocks === */

static size_t block_size(u32 len)
{
	return sizeof(struct hmap_block) + len;
}

struct hmap_block *hmap_block_new(struct hmap *h, const void *data, u32 len,
				  gfp_t gfp)
{
	struct hmap_block *block;

	if (!hmap_charge(h, block_size(len)))
		return NULL;
	block = kvmalloc(block_size(len), hmap_gfp(h->param_flags, gfp));
	if (!block) {
		hmap_uncharge(h, block_size(len));
		return NULL;
	}
	refcount_set(&block->refs, 1);
	block->len = len;
	memcpy(block->data, data, len);
	return block;
}

/* Readers may still see what no slot refers to any more. */
void hmap_block_put(struct hmap_block *block)
{
	if (block && refcount_dec_and_test(&block->refs))
		kvfree_rcu(block, rcu);
}

/* Put the reference that a slot, or hmap_block_new()'s caller, held. */
void hmap_block_drop(struct hmap *h, struct hmap_block *block)
{
	if (!block)
		return;
	hmap_uncharge(h, block_size(block->len));
	hmap_block_put(block);
}

/* === Overflow buckets === */

/*
 * A cache for each size of bucket, made when a map first needs it and kept
 * until the module goes; there are few sizes, all multiples of eight.
 */
#define MAX_BUCKET_SIZE	(sizeof(struct bmap) + sizeof(struct bmap *) + \
			 2 * BUCKET_CNT * MAX_INLINE_SIZE)
static struct kmem_cache *caches[MAX_BUCKET_SIZE / 8 + 1];
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
	struct kmem_cache **cache = &caches[t->bucket_size / 8];
	char name[32];

	BUILD_BUG_ON(MAX_BUCKET_SIZE % 8);

	mutex_lock(&caches_lock);
	if (!*cache) {
		snprintf(name, sizeof(name), "hmap_bucket_%u", t->bucket_size);
		*cache = kmem_cache_create(name, t->bucket_size, 8, 0,
					   bucket_ctor);
	}
	t->overflow_cache = *cache;
	mutex_unlock(&caches_lock);
	return t->overflow_cache ? 0 : -ENOMEM;
}

struct bmap *hmap_overflow_alloc(struct hmap *h, gfp_t gfp)
{
	struct bmap *b;

	if (!hmap_charge(h, h->t.bucket_size))
		return NULL;
	b = kmem_cache_alloc(h->t.overflow_cache, hmap_gfp(h->param_flags, gfp));
	if (b)
		memset(b, 0, h->t.bucket_size);
	else
		hmap_uncharge(h, h->t.bucket_size);
	return b;
}

void hmap_overflow_free(struct hmap *h, struct bmap *b)
{
	if (!b)
		return;
	kmem_cache_free(h->t.overflow_cache, b);
	hmap_uncharge(h, h->t.bucket_size);
}

/*
 * noverflow is exact while it is small.  From B = 16 on it counts only one in
 * 2^(B-15), so that 2^15 of it always means about as many overflow buckets as
 * there are buckets.
 */
static void incrnoverflow(struct hmap *h, u8 B)
{
	if (B < 16 || !(get_random_u32() & ((1U << min(B - 15, 31)) - 1)))
		atomic_inc(&h->noverflow);
}

/**
 * hmap_newoverflow() - Get an overflow bucket for a chain.
 * @h: the map
 * @a: the array the chain belongs to
 * @reserve: an overflow bucket to use before asking the slab, or NULL in it;
 *	NULL once it is used
 *
 * Context: Under a stripe.
 * Return: A bucket of zeros, or NULL.
 */
struct bmap *hmap_newoverflow(struct hmap *h, struct bucket_array *a,
			      struct bmap **reserve)
{
	bool old = a != rcu_access_pointer(h->buckets);
	struct bmap *b;

	if (!old && atomic_long_read(&h->extra.next_overflow) < a->nr_spare) {
		unsigned long i =
			atomic_long_fetch_inc(&h->extra.next_overflow);

		if (i < a->nr_spare) {
			incrnoverflow(h, a->B);
			return bucket_at(&h->t, a, (1UL << a->B) + i);
		}
		atomic_long_dec(&h->extra.next_overflow);
	}

	b = *reserve ?: hmap_overflow_alloc(h, HMAP_GFP_STRIPE);
	*reserve = NULL;
	if (!b)
		return NULL;
	atomic_long_inc(old ? &h->extra.oldoverflow : &h->extra.overflow);
	if (!old)
		incrnoverflow(h, a->B);
	return b;
}

/* === Arrays === */

/*
 * kvmalloc() would round a size that is just over a power of two, as ours are,
 * up to the next one.  Neither does this, nor reclaim or move anything to get
 * pages in a row, for which the CPU has larger mappings than vmalloc() makes.
 */
static void *array_alloc(size_t size, gfp_t gfp)
{
	void *p = NULL;

	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kzalloc(size, gfp);
	if (size <= KMALLOC_MAX_SIZE)
		p = alloc_pages_exact(size, gfp & ~__GFP_RECLAIM);
	if (p) {
		memset(p, 0, size);
		/* To be searched for pointers to overflow buckets and blocks. */
		kmemleak_alloc(p, size, 1, gfp);
		return p;
	}
	return gfpflags_allow_blocking(gfp) ?
	       vmalloc_huge(size, gfp | __GFP_ZERO) : NULL;
}

static void array_free(struct bucket_array *a)
{
	if (is_vmalloc_addr(a)) {
		vfree(a);
	} else if (a->bytes > KMALLOC_MAX_CACHE_SIZE) {
		kmemleak_free(a);
		free_pages_exact(a, a->bytes);
	} else {
		kfree(a);
	}
}

struct bucket_array *hmap_array_new(struct hmap *h, u8 B, gfp_t gfp)
{
	size_t nr, nr_spare, size;
	struct bucket_array *a;

	if (check_shl_overflow(1UL, B, &nr))
		return NULL;
	nr_spare = nr >> 4;
	if (check_mul_overflow(nr + nr_spare, (size_t)h->t.bucket_size,
			       &size) ||
	    check_add_overflow(size, sizeof(*a), &size) ||
	    size > LONG_MAX || !hmap_charge(h, size))
		return NULL;

	a = array_alloc(size, hmap_gfp(h->param_flags, gfp) | __GFP_NOWARN);
	if (!a) {
		hmap_uncharge(h, size);
		return NULL;
	}
	a->B = B;
	a->mask = bucket_mask(B);
	a->nr_spare = nr_spare;
	a->bytes = size;
	a->h = h;
	return a;
}

/* Free what slots and overflow pointers of a chain own. */
static void free_chain(struct bucket_array *a, struct bmap *head)
{
	bool live = !evacuated(head);
	struct hmap *h = a->h;
	const struct hmap_type *t = &h->t;
	struct bmap *spare = bucket_at(t, a, 1UL << a->B);
	struct bmap *end = bucket_at(t, a, (1UL << a->B) + a->nr_spare);
	struct bmap *b = head, *next;
	unsigned int i;

	for (; b; b = next) {
		for (i = 0; live && i < BUCKET_CNT; i++) {
			if (is_empty(b->tophash[i]))
				continue;
			if (t->indirect_key)
				hmap_block_drop(h, slot_block(bmap_key(t, b, i)));
			if (t->indirect_elem)
				hmap_block_drop(h, slot_block(bmap_elem(t, b, i)));
		}
		next = bmap_overflow(t, b);
		if (b != head && (b < spare || b >= end))
			hmap_overflow_free(h, b);
	}
}

/* Free an array that owns nothing but its own memory. */
void hmap_array_free(struct bucket_array *a)
{
	if (!a)
		return;
	hmap_uncharge(a->h, a->bytes);
	array_free(a);
}

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
	if (a->nr_overflow || t->indirect_key || t->indirect_elem) {
		for (i = 0; i < 1UL << a->B; i++) {
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
 * @nr_overflow: overflow buckets from the slab cache in its chains
 *
 * Context: Any.
 */
void hmap_array_retire(struct bucket_array *a, unsigned long nr_overflow)
{
	a->nr_overflow = nr_overflow;
	refcount_inc(&a->h->refs);
	INIT_RCU_WORK(&a->free_work, array_free_work);
	queue_rcu_work(hmap_wq, &a->free_work);
}

void hmap_put(struct hmap *h)
{
	if (!refcount_dec_and_test(&h->refs))
		return;
	hmap_uncharge(h, atomic_long_read(&h->bytes));	/* its own, by now */
	hmap_pool_put(h->pool);
	kvfree(h->stripes);
	kfree(h);
}
EXPORT_SYMBOL_TEST(hmap_put);

void hmap_buckets_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caches); i++)
		kmem_cache_destroy(caches[i]);
}
