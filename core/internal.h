/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map's own types, and its locking.
 *
 * Each bucket of an array has a guard (guard.h) that writers hold; it covers
 * the bucket's chain.  Guards are leaves: no two are held at once.  Lookups
 * read under rcu_read_lock(), and what they copied counts if the guard's
 * sequence stood still.
 *
 * An array that replaces another points to it by ->old.  A bucket of the old
 * one is the true one for its keys until it is marked evacuated; then the new
 * ones are.  So everybody asks the old bucket first, and who finds the bucket
 * it wants marked has come by an array that was replaced, and begins again at
 * hmap.buckets.  The new buckets are filled under the old one's guard alone,
 * since nobody looks at them before they see the mark.
 *
 * hmap.lock, a raw lock taken with interrupts off, never under a guard,
 * protects what replaces arrays: hmap.buckets, .l, .generation and the counts
 * of growths and walks.  ->old goes back to NULL by cmpxchg() when the last
 * bucket is marked, and whoever does that retires the old array.
 */
#ifndef _HMAP_INTERNAL_H
#define _HMAP_INTERNAL_H

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/kconfig.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "bmap.h"

/*
 * What the arrays have in common that replace each other by growth.  A clear
 * starts a new one, so that a writer that still works in an array of before
 * counts there.  There are two of them in a map, in turn.
 */
struct lineage {
	atomic_long_t count;		/* entries, and room drawn by CPUs */
	u64 epoch;			/* like hash0, under hmap.lock */
	u32 hash0;
	u8 nr;				/* which of the two this is */
};

/* What a CPU has drawn from what all share. */
struct hmap_cpu {
	atomic_long_t room[2];		/* entries it may add, by lineage */

	/* Its part in evacuating the array with this serial; interrupts off. */
	unsigned long serial;
	unsigned long next;		/* buckets it has claimed and not done */
	unsigned long end;
	atomic_long_t marked;		/* buckets it has evacuated */
} ____cacheline_aligned_in_smp;

/*
 * What an array of a mapped map has besides, in pages of its own before the
 * header, which ends where a page does: others see the buckets and the overflow
 * pages, and nothing else.
 */
struct array_pages {
	struct list_head list;		/* among those shown, see struct mapped */
	struct llist_node retired;	/* among those that are to be freed */
	struct bucket_array *a;
	u64 first;			/* number of the first page of buckets */
	unsigned long nr_bucket_pages;
	unsigned long nr;		/* overflow pages there are */
	unsigned long max;		/* and may come to be */
	bool missed;			/* one was looked for before it was there */
	void *page[];
};

/*
 * 2^B buckets, then nr_spare overflow buckets, each behind a guard, follow the
 * header.  What lookups read comes first; it stands while the array is
 * published, but for old, and for hash0 and frozen, see hmap_thaw().
 */
struct bucket_array {
	unsigned long mask;		/* 2^B - 1 */
	u32 hash0;
	u32 frozen;			/* a new hash0 is about to come */
	struct bucket_array *old;	/* by acquire; non-NULL while growing */
	u8 B;
	u8 batch;			/* entries a CPU draws at once, or 0 */
	u8 claim;			/* buckets a CPU claims at once */
	struct lineage *l;
	struct hmap *h;
	unsigned long near;		/* entries that all CPUs may have drawn */
	unsigned long singly_from;	/* entries from which on none is drawn */
	unsigned long grow_at;		/* entries: one more is over the load */
	unsigned long serial;		/* hmap.generation when published */
	u64 published;			/* ns; when, for tracing */
	unsigned long nr_spare;
	size_t bytes;			/* header and buckets */
	struct array_pages *pages;	/* of a mapped map; all begins there */

	/* Written as chains and growths need it. */
	atomic_long_t next_overflow ____cacheline_aligned_in_smp;
	atomic_long_t nr_overflow;	/* slab overflow buckets in chains */
	atomic_t noverflow;		/* see incrnoverflow() */
	atomic_long_t nevacuate;	/* lower buckets have been claimed */
	struct rcu_work free_work;

	u8 data[] ____cacheline_aligned;
};

/*
 * A key or elem stored by pointer.  It is never changed.  A slot holds one
 * reference, handed on when the entry is evacuated; hmap_hold() and iterators
 * take more.
 */
struct hmap_block {
	refcount_t refs;
	u32 len;
	struct hmap *h;			/* is charged until the block is freed */
	union {
		u64 hash;		/* of a key that is in a slot */
		struct rcu_head rcu;
	};
	u8 data[] __aligned(8);
};

/* What a mapped map has besides. */
struct mapped {
	/*
	 * Held for reading while a page is being shown, and while pages are
	 * taken away; for writing to take an array off the list.  Who holds it
	 * goes through the list without hmap.lock.
	 */
	struct rw_semaphore lock;
	struct hmap_mapping *mapping;	/* NULL: nobody sees anything */
	struct list_head arrays;	/* that are shown; changed under hmap.lock */
	u64 next_page;			/* likewise: number of the next new page */
	void *control;
	u64 secret[3];
	struct work_struct missed_work;
	struct llist_head retired;	/* arrays, a grace period later */
	struct work_struct free_work;
};

struct hmap {
	/* Read by every call, and written when an array is replaced. */
	struct bucket_array __rcu *buckets;	/* NULL until the first insert */
	struct hmap_type t;
	struct hmap_cpu __percpu *cpu;
	struct lineage *l;		/* of buckets, or of the first to come */
	unsigned long max_entries;
	unsigned long max_bytes;
	struct hmap_pool *pool;		/* NULL if the map shares no limit */
	u32 param_flags;
	unsigned long finish_delay;	/* jiffies from a growth's start */
	struct mapped *mapped;		/* NULL if the map is not */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	struct lockdep_map guard_map;	/* stands for all guards */
#endif

	atomic_long_t bytes ____cacheline_aligned_in_smp; /* see hmap_charge() */
	atomic_t dying;			/* blocks, if there is no pool */

	raw_spinlock_t lock ____cacheline_aligned_in_smp; /* see above */
	struct lineage lineages[2];
	unsigned long iterators;	/* between hmap_iter_init() and _exit() */
	unsigned long generation;	/* arrays published so far */
	unsigned long growths;
	unsigned long same_size_growths;

	struct mutex clear_lock;	/* one clear at a time */
	u64 grow_retry;			/* jiffies64; no growth before that */
	int grow_error;			/* why the last growth was refused, or 0 */
	unsigned long finish_retry;	/* jiffies to wait after it got no memory */
	u64 reseeded;			/* jiffies64 when that was last tried */

	u64 id;				/* ascends from 1, never used again */
	char name[HMAP_NAME_SIZE];	/* for tracing; under hmap.lock */

	refcount_t refs;		/* hmap_destroy()'s, and each dying array's */
	struct llist_node free_node;	/* in the end */
	struct mem_cgroup *grow_memcg;	/* for grow_work to take, by xchg() */
	struct mem_cgroup *finish_memcg; /* likewise for finish_work */
	struct work_struct grow_work;
	struct delayed_work finish_work;
	struct delayed_work reseed_work;
	struct rcu_work reseed_done;
	struct bucket_array *frozen;	/* reseed_work's, until reseed_done */
};

#ifdef CONFIG_DEBUG_LOCK_ALLOC
#define guard_map_of(h)	(&(h)->guard_map)
#else
#define guard_map_of(h)	NULL
#endif

/* A growth can wait, so it does not touch the reserves. */
#define HMAP_GFP_NOWAIT	(GFP_NOWAIT | __GFP_NOWARN | __GFP_NOMEMALLOC)

/* Whoever is at the limit of a cgroup is told so, and not killed. */
static inline gfp_t hmap_gfp(u32 param_flags, gfp_t gfp)
{
	if (param_flags & HMAP_ACCOUNT)
		gfp |= __GFP_ACCOUNT | __GFP_RETRY_MAYFAIL;
	return gfp | __GFP_NOWARN;
}

static inline unsigned long bucket_mask(u8 B)
{
	return (1UL << B) - 1;
}

static __always_inline struct bmap *bucket_at(const struct hmap_type *t,
					      const struct bucket_array *a,
					      unsigned long i)
{
	return (void *)a->data + sizeof(struct guard) + i * t->stride;
}

/* The bucket of a hash. */
static __always_inline struct bmap *bucket_of(const struct hmap_type *t,
					      const struct bucket_array *a,
					      u64 hash)
{
	return bucket_at(t, a, hash & a->mask);
}

/* The present array, for who holds rcu_read_lock() or has interrupts off. */
static __always_inline struct bucket_array *buckets_of(const struct hmap *h)
{
	return rcu_dereference_check(h->buckets, rcu_read_lock_any_held());
}

static inline struct bucket_array *buckets_locked(const struct hmap *h)
{
	return rcu_dereference_protected(h->buckets, lockdep_is_held(&h->lock));
}

struct bmap *hmap_mapped_bucket(const struct bucket_array *a, u32 number);

/* The array that @a replaces, while buckets of it are still to be evacuated. */
static __always_inline struct bucket_array *old_of(const struct bucket_array *a)
{
	/*
	 * Pairs with the cmpxchg() in hmap_grow_done(): who sees NULL sees what
	 * was evacuated.
	 */
	return smp_load_acquire(&a->old);
}

/*
 * Buckets are only ever added to a chain, at its end, and are freed with
 * their array, after a grace period: a chain that is followed under RCU ends.
 */
static inline struct bmap *bmap_overflow(const struct hmap_type *t,
					 const struct bucket_array *a,
					 struct bmap *b)
{
	if (unlikely(t->mapped))
		return hmap_mapped_bucket(a, READ_ONCE(*bmap_link(t, b)));
	return READ_ONCE(*bmap_overflow_slot(t, b));
}

/* === hash === */
u64 hmap_siphash(const void *data, size_t len, u32 hash0);
void hmap_hash_init(void);
void hmap_mix_secret_init(u64 secret[3]);

/* === memory === */
int hmap_charge(struct hmap *h, size_t bytes);
void hmap_uncharge(struct hmap *h, size_t bytes);
size_t hmap_alloc_size(size_t size);
bool hmap_may_alloc(void);
void *hmap_alloc(struct hmap *h, size_t size, gfp_t gfp);
void hmap_free(struct hmap *h, void *p, size_t size);

/* === block === */
struct hmap_block *hmap_block_new(struct hmap *h, const void *data, u32 len,
				  gfp_t gfp);
void hmap_block_put(struct hmap_block *block);
void hmap_block_put_now(struct hmap_block *block);

/* === array === */
int hmap_overflow_init(struct hmap_type *t);
void hmap_overflow_exit(struct hmap_type *t);
int hmap_overflow_reserve(struct hmap *h, struct bmap **reserve, gfp_t gfp);
void hmap_overflow_free(struct hmap *h, struct bmap *b);
struct bmap *hmap_newoverflow(struct bucket_array *a, struct bmap *last,
			      struct bmap **reserve);
struct bucket_array *hmap_array_new(struct hmap *h, u8 B, gfp_t gfp);
void hmap_array_free(struct bucket_array *a);
void hmap_array_destroy(struct bucket_array *a);
void hmap_array_retire(struct bucket_array *a);

/* === mapped === */
int hmap_mapped_init(struct hmap *h, const struct hmap_params *params);
void hmap_mapped_exit(struct hmap *h);
void hmap_mapped_free(struct hmap *h);
struct bucket_array *hmap_mapped_array_new(struct hmap *h, u8 B, size_t size,
					   gfp_t gfp);
void hmap_mapped_array_free(struct bucket_array *a);
bool hmap_mapped_take(struct bucket_array *a, unsigned long *nth);
int hmap_mapped_reserve(struct hmap *h, gfp_t gfp);
void hmap_mapped_change(struct hmap *h);
void hmap_mapped_changed(struct hmap *h);
void hmap_mapped_update(struct hmap *h);
void hmap_mapped_hide(struct bucket_array *a);
void hmap_mapped_free_later(struct bucket_array *a);
int hmap_mapping_init(void);
void hmap_mapping_exit(void);
void hmap_mapping_barrier(void);

/* === count === */
unsigned long hmap_lineage_len(const struct hmap *h, const struct lineage *l);
bool hmap_count_take_back(struct bucket_array *a);
int hmap_count_draw(struct bucket_array *a);
void hmap_count_give_back(struct bucket_array *a);

/* === grow === */
#define GROW_RETRY	(HZ / 10)	/* after there was no memory */

extern unsigned int hmap_finish_delay_ms;
extern struct workqueue_struct *hmap_wq;

/* Growth is exact up to that many buckets: see count.c. */
#define EXACT_B		8

bool hmap_over_load(unsigned long count, u8 B);
unsigned int hmap_max_noverflow(const struct bucket_array *a);
bool hmap_wants_growth(const struct bucket_array *a);
bool hmap_grow_is_small(const struct bucket_array *a);
int hmap_grow(struct hmap *h, gfp_t gfp);
void hmap_grow_later(struct hmap *h);
void hmap_grow_wait(struct hmap *h, gfp_t gfp);
void hmap_publish(struct hmap *h, struct bucket_array *a);
void hmap_publish_first(struct hmap *h, struct bucket_array *a);
struct mem_cgroup *hmap_enter_memcg(struct mem_cgroup **from);
void hmap_leave_memcg(struct mem_cgroup **to, struct mem_cgroup *memcg);
void hmap_grow_init(struct hmap *h);
void hmap_grow_exit(struct hmap *h);

/* === evacuate === */
int hmap_evacuate(struct bucket_array *a, struct bucket_array *old,
		  unsigned long oldbucket, struct bmap **reserve);
void hmap_evacuate_next(struct hmap *h);
void hmap_mark_all(struct bucket_array *a);
void hmap_finish_work(struct work_struct *work);

/* === seed === */
void hmap_lineage_init(struct hmap *h, struct lineage *l);
void hmap_reseed_later(struct hmap *h);
void hmap_thaw(struct bucket_array *a);
void hmap_seed_init(struct hmap *h);

/* === map === */
void hmap_replace(struct hmap *h, struct bucket_array *new);
void hmap_put(struct hmap *h);

/* === the module === */
int hmap_core_init(void);
void hmap_core_exit(void);

/*
 * What the KUnit module needs beyond the API, and a delay that tests set, to be
 * had wherever the order of two stores, or of a store and a load, matters.
 */
#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_TEST(sym)	EXPORT_SYMBOL_GPL(sym)
extern unsigned int hmap_test_delay_us;

static inline void hmap_test_delay(void)
{
	unsigned int us = READ_ONCE(hmap_test_delay_us);

	if (unlikely(us))
		udelay(us);
}
#else
#define EXPORT_SYMBOL_TEST(sym)
static inline void hmap_test_delay(void) { }
#endif

#endif /* _HMAP_INTERNAL_H */
