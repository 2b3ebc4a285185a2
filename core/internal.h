/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map's own types, and its locking.
 *
 * Writers hold a stripe: a spinlock with a sequence count, chosen by the low
 * bits of the hash.  All hashes of a bucket choose the same stripe, and so do
 * those of the two buckets it splits into: hmap.stripe_mask is never wider
 * than the smaller of the arrays there are has buckets.  A stripe protects
 * those buckets and their chains, in the old array and the new.
 *
 * Readers hold rcu_read_lock() and read within the stripe's sequence count.
 * What they copied counts only once the sequence is found unchanged; what they
 * followed before that is whole pointers to memory freed after a grace period.
 *
 * Whoever replaces the array, the seed or the mask holds hmap.lock and, within
 * it, every stripe that is in use before or afterwards.  So whoever holds a
 * stripe, or is in a read section that will be found unchanged, and has seen
 * within it that seed and mask are what the stripe was chosen by, knows that
 * they stay so, and hmap.buckets, too.
 *
 * While there is an old array, an old bucket is the true one until it is
 * marked evacuated, which takes its stripe; then the new ones are.  Nothing
 * else tells, so an evacuation may be done by anyone, in any order, or be put
 * off.  hmap.oldbuckets goes back to NULL under hmap.lock alone: all there is
 * to see in it by then is marks.
 *
 * Order: hmap.lock, then stripes; never one stripe alone within another.
 * All are taken with softirqs off.
 */
#ifndef _HMAP_INTERNAL_H
#define _HMAP_INTERNAL_H

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/kconfig.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "bmap.h"

struct stripe {
	spinlock_t lock;		/* see above */
	seqcount_spinlock_t seq;	/* odd while a bucket is being written */
} ____cacheline_aligned_in_smp;

/* What chooses the stripe of a key; read, and compared, in one. */
union choice {
	struct {
		u32 hash0;
		u32 stripe_mask;
	};
	u64 word;
};

/*
 * 2^B buckets, then nr_spare overflow buckets, follow the header.  All members
 * but the last two are set before the array is published.
 */
struct bucket_array {
	u8 B;
	unsigned long mask;		/* 2^B - 1 */
	unsigned long nr_spare;
	size_t size;			/* of header and buckets */
	size_t bytes;			/* charged for that */

	struct hmap *h;			/* the rest is for freeing it */
	unsigned long nr_overflow;	/* slab overflow buckets in its chains */
	struct rcu_work free_work;
};

/*
 * A key or elem stored by pointer.  It is never changed.  A slot holds one
 * reference, handed on when the entry is evacuated; hmap_hold() and iterators
 * take more.
 */
struct hmap_block {
	refcount_t refs;
	u32 len;
	struct hmap *h;
	struct rcu_head rcu;
	u8 data[] __aligned(8);
};

/* Go keeps lists here to keep buckets alive; the counts are what we need. */
struct hmap_extra {
	atomic_long_t overflow;		/* slab overflow buckets of buckets */
	atomic_long_t oldoverflow;	/* and of oldbuckets */
	atomic_long_t next_overflow;	/* spare ones of buckets handed out */
};

/* Go's order, but for a line of its own for what most writes write. */
struct hmap {
	atomic_long_t count;		/* entries; changed under a stripe */
	atomic_t noverflow;		/* see incrnoverflow() */
	struct hmap_extra extra;
	atomic_long_t bytes;		/* charged; at 0 the map is freed */
	atomic_t dying;			/* blocks that wait for a grace period */

	/* Written under lock and, but for flags and oldbuckets, all stripes. */
	u8 flags ____cacheline_aligned_in_smp;
	u8 B;				/* of buckets; 0 while there are none */
	union {
		struct {
			u32 hash0;
			u32 stripe_mask;	/* of the stripes in use */
		};
		union choice choice;
	};
	u64 epoch;			/* new with each seed */
	struct bucket_array __rcu *buckets;	/* NULL until the first insert */
	struct bucket_array __rcu *oldbuckets;	/* non-NULL while growing */

	/* Never change. */
	u32 max_stripe_mask;		/* of the stripes there are */
	struct stripe *stripes;
	struct hmap_type t;
	unsigned long max_entries;
	unsigned long max_bytes;
	struct hmap_pool *pool;		/* NULL if the map shares no limit */
	u32 param_flags;
	unsigned long finish_delay;	/* jiffies from a growth's start */

	spinlock_t lock;		/* see above; also protects these: */
	unsigned long nevacuate;	/* lower old buckets are evacuated */
	unsigned long iterators;	/* between hmap_iter_init() and _exit() */
	unsigned long generation;	/* arrays published so far */
	unsigned long growths;
	unsigned long same_size_growths;

	u64 grow_retry;			/* jiffies64; no growth before that */
	int grow_error;			/* why not */
	u64 reseeded;			/* jiffies64; when that was tried last */

	struct mem_cgroup *grow_memcg;	/* what grow_work is to charge, by xchg() */
	struct work_struct grow_work;
	struct delayed_work finish_work;
	struct delayed_work reseed_work;
	struct work_struct free_work;
};

/* Who asks for memory under a stripe may not wait for it. */
#define HMAP_GFP_STRIPE	(GFP_NOWAIT | __GFP_NOWARN)

/* Whoever is at the limit of a cgroup is told so, and not killed. */
static inline gfp_t hmap_gfp(u32 param_flags, gfp_t gfp)
{
	if (param_flags & HMAP_ACCOUNT)
		gfp |= __GFP_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	return gfp;
}

static inline unsigned long bucket_mask(u8 B)
{
	return (1UL << B) - 1;
}

static inline struct bmap *bucket_at(const struct hmap_type *t,
				     const struct bucket_array *a,
				     unsigned long i)
{
	return (void *)(a + 1) + i * t->bucket_size;
}

/* The bucket of a hash. */
static inline struct bmap *bucket_of(const struct hmap_type *t,
				     const struct bucket_array *a, u64 hash)
{
	return bucket_at(t, a, hash & a->mask);
}

static inline union choice choice_of(const struct hmap *h)
{
	return (union choice){ .word = READ_ONCE(h->choice.word) };
}

static inline struct stripe *stripe_of(const struct hmap *h,
				       union choice choice, u64 hash)
{
	return &h->stripes[hash & choice.stripe_mask];
}

/* Whether what a stripe was chosen by still holds; asked within the stripe. */
static inline bool stripe_valid(const struct hmap *h, union choice choice)
{
	return READ_ONCE(h->choice.word) == choice.word;
}

/*
 * The arrays, for who holds a stripe or rcu_read_lock().  A spinlock that is
 * held is a read section of RCU, too: the old array may go at any time.
 */
static inline struct bucket_array *buckets_of(const struct hmap *h)
{
	return rcu_dereference_check(h->buckets, rcu_read_lock_any_held());
}

static inline struct bucket_array *oldbuckets_of(const struct hmap *h)
{
	return rcu_dereference_check(h->oldbuckets, rcu_read_lock_any_held());
}

static inline u32 stripe_mask_of(const struct hmap *h, u8 B)
{
	return min_t(unsigned long, h->max_stripe_mask, bucket_mask(B));
}

static inline void stripe_write_begin(struct stripe *s)
	__acquires(&s->lock)
{
	spin_lock_bh(&s->lock);
	write_seqcount_begin(&s->seq);
}

static inline void stripe_write_end(struct stripe *s)
	__releases(&s->lock)
{
	write_seqcount_end(&s->seq);
	spin_unlock_bh(&s->lock);
}

/* === hash === */
u64 hmap_hash_bytes(const void *data, size_t len, u32 hash0);
extern u64 hmap_mix_secret[3];
void hmap_hash_init(void);

/* === buckets === */
int hmap_charge(struct hmap *h, size_t bytes);
void hmap_uncharge(struct hmap *h, size_t bytes);
size_t hmap_block_bytes(u32 len);
struct hmap_block *hmap_block_new(struct hmap *h, const void *data, u32 len,
				  gfp_t gfp);
void hmap_block_put(struct hmap_block *block);
void hmap_block_put_now(struct hmap_block *block);
int hmap_overflow_init(struct hmap_type *t);
void hmap_overflow_exit(struct hmap_type *t);
struct bmap *hmap_overflow_alloc(struct hmap *h, gfp_t gfp);
void hmap_overflow_free(struct hmap *h, struct bmap *b);
struct bmap *hmap_newoverflow(struct hmap *h, struct bucket_array *a,
			      struct bmap **reserve);
struct bucket_array *hmap_array_new(struct hmap *h, u8 B, gfp_t gfp);
void hmap_array_free(struct bucket_array *a);
void hmap_array_destroy(struct bucket_array *a);
void hmap_array_retire(struct bucket_array *a, unsigned long nr_overflow);
size_t hmap_own_bytes(const struct hmap *h);
int hmap_get(struct hmap *h);
void hmap_put(struct hmap *h);

/* === grow === */
extern struct workqueue_struct *hmap_wq;

bool hmap_over_load(unsigned long count, u8 B);
bool hmap_wants_growth(const struct hmap *h);
bool hmap_grow_is_small(const struct hmap *h);
int hmap_grow(struct hmap *h, gfp_t gfp);
void hmap_grow_later(struct hmap *h);
void hmap_grow_wait(struct hmap *h, gfp_t gfp);
bool hmap_outgrown(const struct hmap *h);
int hmap_grow_refused(const struct hmap *h);
u64 hmap_new_epoch(void);
void hmap_replace(struct hmap *h, struct bucket_array *new,
		  struct bucket_array *old[2]);
void hmap_reseed_later(struct hmap *h);
int hmap_evacuate(struct hmap *h, unsigned long oldbucket);
void hmap_evacuate_next(struct hmap *h);
void hmap_grow_init(struct hmap *h);
void hmap_grow_exit(struct hmap *h);

/* === the module === */
int hmap_core_init(void);
void hmap_core_exit(void);

/* What the KUnit module needs beyond the API. */
#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_TEST(sym)	EXPORT_SYMBOL_GPL(sym)
extern unsigned int hmap_test_delay_us;

/* Between stores whose order matters, so that a test can meet them apart. */
static inline void hmap_test_delay(void)
{
	udelay(READ_ONCE(hmap_test_delay_us));
}
#else
#define EXPORT_SYMBOL_TEST(sym)
static inline void hmap_test_delay(void) {}
#endif

#endif /* _HMAP_INTERNAL_H */
