// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: bucket arrays, overflow buckets, keys and elems stored by pointer.
 */
#include <linux/err.h>
#include <linux/kmemleak.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "key.h"

/* === Limits === */

static bool fits(const atomic_long_t *used, size_t bytes, unsigned long max)
{
	return bytes <= max && atomic_long_read(used) <= max - bytes;
}

/* Others must never see more than what was granted: add only what fits. */
static bool add_if_fits(atomic_long_t *used, size_t bytes, unsigned long max)
{
	long old = atomic_long_read(used);

	do {
		if (bytes > max || old > max - bytes)
			return false;
	} while (!atomic_long_try_cmpxchg(used, &old, old + bytes));
	return true;
}

/**
 * hmap_charge() - Count memory against the limits on a map.
 * @h: the map
 * @bytes: how much
 *
 * Context: Any.
 * Return: 0; -ENOSPC if the map may not use that much more, -EDQUOT if its
 * pool may not.
 */
int hmap_charge(struct hmap *h, size_t bytes)
{
	struct hmap_pool *pool = h->pool;
	unsigned long max = pool ? READ_ONCE(pool->max_bytes) : 0;

	if (pool && !fits(&pool->bytes, bytes, max))
		return fits(&h->bytes, bytes, READ_ONCE(h->max_bytes)) ?
		       -EDQUOT : -ENOSPC;
	if (!add_if_fits(&h->bytes, bytes, READ_ONCE(h->max_bytes)))
		return -ENOSPC;
	if (!pool || add_if_fits(&pool->bytes, bytes, max))
		return 0;
	atomic_long_sub(bytes, &h->bytes);
	return -EDQUOT;
}
EXPORT_SYMBOL_TEST(hmap_charge);

/*
 * Whatever is charged to a map keeps it: returns whether that was the last of
 * it, which leaves the map to the caller.
 */
static bool uncharge_last(struct hmap *h, size_t bytes)
{
	if (h->pool)
		atomic_long_sub(bytes, &h->pool->bytes);
	return !atomic_long_sub_return(bytes, &h->bytes);
}

void hmap_uncharge(struct hmap *h, size_t bytes)
{
	if (uncharge_last(h, bytes))
		queue_work(hmap_wq, &h->free_work);
}
EXPORT_SYMBOL_TEST(hmap_uncharge);

/* === Memory === */

/* The most that memory_alloc() can take for so many bytes. */
static size_t memory_size(size_t size)
{
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_size_roundup(size);
	if (size > KMALLOC_MAX_SIZE && size >= PMD_SIZE)
		return ALIGN(size, PMD_SIZE);	/* as vmalloc_huge() may */
	return PAGE_ALIGN(size);
}

/*
 * kvmalloc() would round a size that is just over a power of two, as ours are,
 * up to the next one.  Avoid that, and do not reclaim or compact for contiguous
 * pages, which get larger TLB entries.
 */
static void *memory_alloc(size_t size, gfp_t gfp)
{
	void *p = NULL;

	gfp |= __GFP_NOWARN;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc(size, gfp);
	if (size <= KMALLOC_MAX_SIZE)
		p = alloc_pages_exact(size, gfp & ~__GFP_RECLAIM);
	if (p) {
		/* To be searched for pointers to overflow buckets and blocks. */
		kmemleak_alloc(p, size, 1, gfp);
		return p;
	}
	if (!gfpflags_allow_blocking(gfp))
		return NULL;
	return size <= KMALLOC_MAX_SIZE ? __vmalloc(size, gfp) :
					  vmalloc_huge(size, gfp);
}

static void memory_free(void *p, size_t size)
{
	if (is_vmalloc_addr(p)) {
		vfree(p);
	} else if (size > KMALLOC_MAX_CACHE_SIZE) {
		kmemleak_free(p);
		free_pages_exact(p, size);
	} else {
		kfree(p);
	}
}

/* === Blocks === */

static size_t block_size(u32 len)
{
	return sizeof(struct hmap_block) + len;
}

size_t hmap_block_bytes(u32 len)
{
	return memory_size(block_size(len));
}
EXPORT_SYMBOL_TEST(hmap_block_bytes);

/* How many blocks that count against the same limits wait for RCU. */
static atomic_t *dying(struct hmap *h)
{
	return h->pool ? &h->pool->dying : &h->dying;
}

/*
 * Blocks that nobody refers to any more still count until a grace period is
 * over.  Wait for them, where that is allowed, before refusing another.
 */
static int charge_block(struct hmap *h, size_t bytes, gfp_t gfp)
{
	int err = hmap_charge(h, bytes);

	if (!err || !gfpflags_allow_blocking(gfp) || !atomic_read(dying(h)))
		return err;
	rcu_barrier();
	return hmap_charge(h, bytes);
}

/* Returns a block with one reference, or an ERR_PTR. */
struct hmap_block *hmap_block_new(struct hmap *h, const void *data, u32 len,
				  gfp_t gfp)
{
	size_t bytes = hmap_block_bytes(len);
	struct hmap_block *block;
	int err;

	err = charge_block(h, bytes, gfp);
	if (err)
		return ERR_PTR(err);
	block = memory_alloc(block_size(len), hmap_gfp(h->param_flags, gfp));
	if (!block) {
		hmap_uncharge(h, bytes);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&block->refs, 1);
	block->len = len;
	block->h = h;
	memcpy(block->data, data, len);
	return block;
}

static void block_free(struct hmap_block *block)
{
	struct hmap *h = block->h;
	u32 len = block->len;

	memory_free(block, block_size(len));
	hmap_uncharge(h, hmap_block_bytes(len));
}

static void block_free_rcu(struct rcu_head *rcu)
{
	struct hmap_block *block = container_of(rcu, struct hmap_block, rcu);

	atomic_dec(dying(block->h));
	block_free(block);
}

/* Readers may still see what no slot refers to any more. */
void hmap_block_put(struct hmap_block *block)
{
	if (!block || !refcount_dec_and_test(&block->refs))
		return;
	atomic_inc(dying(block->h));
	call_rcu(&block->rcu, block_free_rcu);
}

/* Put a reference to a block that no reader can find. */
void hmap_block_put_now(struct hmap_block *block)
{
	if (block && refcount_dec_and_test(&block->refs))
		block_free(block);
}

/* === Overflow buckets === */

/* A cache for each size of bucket that there are maps of. */
#define MAX_BUCKET_SIZE	(sizeof(struct bmap) + 8 + \
			 2 * BUCKET_CNT * MAX_INLINE_SIZE)
static struct bucket_cache {
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
	struct bucket_cache *c = &caches[t->bucket_size / 8];
	char name[32];

	BUILD_BUG_ON(MAX_BUCKET_SIZE % 8);

	mutex_lock(&caches_lock);
	if (!c->maps) {
		snprintf(name, sizeof(name), "hmap_bucket_%u", t->bucket_size);
		c->cache = kmem_cache_create(name, t->bucket_size, 8, 0,
					     bucket_ctor);
	}
	c->maps += !!c->cache;
	t->overflow_cache = c->cache;
	mutex_unlock(&caches_lock);
	return t->overflow_cache ? 0 : -ENOMEM;
}

void hmap_overflow_exit(struct hmap_type *t)
{
	struct bucket_cache *c = &caches[t->bucket_size / 8];

	if (!t->overflow_cache)
		return;
	mutex_lock(&caches_lock);
	if (!--c->maps) {
		kmem_cache_destroy(c->cache);
		c->cache = NULL;
	}
	mutex_unlock(&caches_lock);
}

/* Returns a bucket of zeros, or an ERR_PTR. */
struct bmap *hmap_overflow_alloc(struct hmap *h, gfp_t gfp)
{
	struct bmap *b;
	int err;

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
	if (IS_ERR(b))
		return NULL;
	atomic_long_inc(old ? &h->extra.oldoverflow : &h->extra.overflow);
	if (!old)
		incrnoverflow(h, a->B);
	return b;
}

/* === Arrays === */

/* Returns an array of zeros, or an ERR_PTR. */
struct bucket_array *hmap_array_new(struct hmap *h, u8 B, gfp_t gfp)
{
	size_t nr, nr_spare, size, bytes;
	struct bucket_array *a;
	int err;

	if (check_shl_overflow(1UL, B, &nr))
		return ERR_PTR(-ENOMEM);
	nr_spare = nr >> 4;
	if (check_mul_overflow(nr + nr_spare, (size_t)h->t.bucket_size,
			       &size) ||
	    check_add_overflow(size, sizeof(*a), &size) || size > LONG_MAX / 2)
		return ERR_PTR(-ENOMEM);

	bytes = memory_size(size);
	err = hmap_charge(h, bytes);
	if (err)
		return ERR_PTR(err);
	a = memory_alloc(size, hmap_gfp(h->param_flags, gfp) | __GFP_ZERO);
	if (!a) {
		hmap_uncharge(h, bytes);
		return ERR_PTR(-ENOMEM);
	}
	a->B = B;
	a->mask = bucket_mask(B);
	a->nr_spare = nr_spare;
	a->size = size;
	a->bytes = bytes;
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
	struct hmap *h;
	size_t bytes;

	if (!a)
		return;
	h = a->h;
	bytes = a->bytes;
	memory_free(a, a->size);
	hmap_uncharge(h, bytes);
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

	hmap_array_destroy(a);
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
	INIT_RCU_WORK(&a->free_work, array_free_work);
	queue_rcu_work(hmap_wq, &a->free_work);
}

/* === The map's own memory === */

static void map_free(struct hmap *h)
{
	hmap_overflow_exit(&h->t);
	if (h->pool)
		h->pool->put(h->pool);
	kvfree(h->stripes);
	kfree(h);
}

static void map_free_work(struct work_struct *work)
{
	map_free(container_of(work, struct hmap, free_work));
}

/* What a map takes that holds nothing. */
size_t hmap_own_bytes(const struct hmap *h)
{
	return kmalloc_size_roundup(sizeof(*h)) +
	       (h->max_stripe_mask + 1) * sizeof(*h->stripes);
}
EXPORT_SYMBOL_TEST(hmap_own_bytes);

/* Charge a new map for itself, or free it. */
int hmap_get(struct hmap *h)
{
	int err;

	INIT_WORK(&h->free_work, map_free_work);
	err = hmap_charge(h, hmap_own_bytes(h));
	if (err)
		map_free(h);
	return err;
}

/* What the map has left to callbacks may keep it for a while. */
void hmap_put(struct hmap *h)
{
	if (uncharge_last(h, hmap_own_bytes(h)))
		map_free(h);
}
