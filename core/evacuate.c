// SPDX-License-Identifier: GPL-2.0
/*
 * Evacuation: the old array's entries move to the new one, bucket by bucket.
 *
 * A write moves the old bucket that it touches, and the next one in sequence;
 * a work item moves those that are left when the writes cease.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/prefetch.h>
#include <linux/sched.h>

#include "key.h"
#include "trace.h"

#define SKIP		32	/* marks that a write goes over, at most */
#define MAX_RETRY	(10 * HZ)

/* === A bucket === */

/* Where evacuated entries of one half go: Go's evacDst. */
struct evac_dst {
	struct bmap *head;
	struct bmap *b;
	unsigned int slot;
	u64 word;			/* tophash of the slots filled so far */
};

/* Have a bucket tell of the slots that were filled. */
static __always_inline void evac_show(struct evac_dst *dst)
{
	u64 word = dst->word;

	WRITE_ONCE(dst->b->tophash_word, cpu_to_le64(word));
	if (likely(dst->b == dst->head))
		return;
	for (; word; word >>= 8)
		filter_add(dst->head, word);
}

static __always_inline void evac_put(const struct hmap_type *t,
				     struct bucket_array *a,
				     struct evac_dst *dst, u8 top,
				     struct bmap *from, unsigned int slot)
{
	if (dst->slot == BUCKET_CNT) {
		evac_show(dst);
		dst->b = bmap_overflow(t, a, dst->b);
		dst->slot = 0;
		dst->word = 0;
	}
	hmap_copy(bmap_key(t, dst->b, dst->slot), bmap_key(t, from, slot),
		  t->key_slot);
	hmap_copy(bmap_elem(t, dst->b, dst->slot), bmap_elem(t, from, slot),
		  t->elem_slot);
	dst->word |= (u64)top << (8 * dst->slot++);
}

static __always_inline bool goes_to_y(const struct hmap_type *t, const u8 kind,
				      struct bmap *b, unsigned int slot,
				      u32 hash0, u64 newbit)
{
	return newbit && slot_hash(t, kind, bmap_key(t, b, slot), hash0) &
			 newbit;
}

/* Make a chain, empty as yet, long enough for @n entries. */
static int evac_room(struct bucket_array *a, struct bmap *head, unsigned int n,
		     struct bmap **reserve)
{
	const struct hmap_type *t = &a->h->t;
	struct bmap *b = head, *next;

	for (; n > BUCKET_CNT; n -= BUCKET_CNT) {
		next = bmap_overflow(t, a, b);
		if (!next) {
			next = hmap_newoverflow(a, b, reserve);
			if (!next)
				return -ENOMEM;
			trace_hmap_overflow(a, head);
		}
		b = next;
	}
	return 0;
}

/* Only a chain of several buckets can need overflow buckets for its halves. */
static noinline int evac_prepare(struct bucket_array *a,
				 const struct bucket_array *old,
				 struct bmap *head, u64 newbit,
				 const struct evac_dst dst[2],
				 struct bmap **reserve)
{
	const struct hmap_type *t = &a->h->t;
	unsigned int i, n[2] = {};
	struct bmap *b;
	int err;

	for (b = head; b; b = bmap_overflow(t, old, b)) {
		for (i = 0; i < BUCKET_CNT; i++) {
			if (!is_empty(b->tophash[i]))
				n[goes_to_y(t, t->key_kind, b, i, a->hash0,
					    newbit)]++;
		}
	}
	err = evac_room(a, dst[0].b, n[0], reserve);
	if (!err)
		err = evac_room(a, dst[1].b, n[1], reserve);
	return err;
}

/*
 * Mark a bucket, all its slots in one store where the machine has one that
 * wide, or else the first slot last.
 */
static __always_inline void evac_mark(struct bmap *b, u64 marks)
{
#ifdef CONFIG_64BIT
	/* Pairs with the acquire in evacuated(). */
	smp_store_release(&b->tophash_word, cpu_to_le64(marks));
#else
	unsigned int i;

	for (i = BUCKET_CNT; i--;)
		/* Likewise. */
		smp_store_release(&b->tophash[i], (u8)(marks >> (8 * i)));
#endif
}

/* Copy a bucket's entries; returns the marks that it is to get. */
static __always_inline u64 evac_bucket(const struct hmap_type *t, const u8 kind,
				       struct bucket_array *a, struct bmap *b,
				       u64 newbit, struct evac_dst dst[2])
{
	u64 word = tophash_load(b), marks = 0;
	unsigned int i, y;
	u8 top, mark;

	for (i = 0; i < BUCKET_CNT; i++) {
		top = word >> (8 * i);
		mark = EVACUATED_EMPTY;
		if (!is_empty(top)) {
			y = goes_to_y(t, kind, b, i, a->hash0, newbit);
			evac_put(t, a, &dst[y], top, b, i);
			mark = EVACUATED_X + y;
		}
		marks |= (u64)mark << (8 * i);
	}
	return marks;
}

static __always_inline u64 evac_copy(const struct hmap_type *t,
				     struct bucket_array *a, struct bmap *b,
				     u64 newbit, struct evac_dst dst[2])
{
	if (t->key_kind == HMAP_KEY_U64)
		return evac_bucket(t, HMAP_KEY_U64, a, b, newbit, dst);
	return evac_bucket(t, t->key_kind, a, b, newbit, dst);
}

/* Once all of a chain is marked. */
static void evac_wipe(const struct bucket_array *old, struct bmap *b)
{
	const struct hmap_type *t = &old->h->t;

	for (; b; b = bmap_overflow(t, old, b))
		bmap_wipe(t, b);
}

/* Move a chain, under its guard: copy all of it, then mark it, its head last. */
static int evac_chain(struct bucket_array *a, struct bucket_array *old,
		      struct bmap *head, unsigned long oldbucket,
		      struct bmap **reserve)
{
	u64 newbit = a->B == old->B ? 0 : 1UL << old->B, marks;
	const struct hmap_type *t = &a->h->t;
	struct evac_dst dst[2] = {};
	struct bmap *b;
	int err;

	dst[0].head = bucket_at(t, a, oldbucket);
	dst[1].head = bucket_at(t, a, oldbucket + newbit);
	dst[0].b = dst[0].head;
	dst[1].b = dst[1].head;
	b = bmap_overflow(t, old, head);
	if (unlikely(b)) {
		err = evac_prepare(a, old, head, newbit, dst, reserve);
		if (err)
			return err;
	}
	marks = evac_copy(t, a, head, newbit, dst);
	for (; unlikely(b); b = bmap_overflow(t, old, b))
		evac_mark(b, evac_copy(t, a, b, newbit, dst));
	if (dst[0].word)
		evac_show(&dst[0]);
	if (dst[1].word)
		evac_show(&dst[1]);
	hmap_test_delay();
	evac_mark(head, marks);
	hmap_test_delay();
	if (unlikely(t->mapped))
		evac_wipe(old, head);
	return 0;
}

/**
 * hmap_mark_all() - Mark each bucket of an array as evacuated.
 * @a: the array, which no lookup finds any more; what it holds is lost
 *
 * Context: Process context, may sleep.
 */
void hmap_mark_all(struct bucket_array *a)
{
	struct hmap *h = a->h;
	unsigned long i, flags;
	struct bmap *head;

	for (i = 0; i <= a->mask; i++) {
		cond_resched();
		head = bucket_at(&h->t, a, i);
		if (evacuated(head))
			continue;
		local_irq_save(flags);
		guard_lock(head, guard_map_of(h));
		evac_mark(head, EVACUATED_EMPTY * 0x0101010101010101ULL);
		guard_unlock(head, guard_map_of(h));
		local_irq_restore(flags);
	}
}

/* === Progress === */

/*
 * Each CPU counts the buckets it has marked, so that writers do not meet in a
 * count; all of them together are as many as there are when the growth is done.
 * The count is asked for once all buckets have been claimed.  Of two CPUs, one
 * of which marks a bucket and one claims the last, at least one sees what the
 * other did, since both count and claim are full barriers.
 *
 * Someone may come late, with an array that a clear or further growths have
 * replaced since.  A CPU's part only ever goes on to later growths, so that what
 * it has done in the present one is not forgotten for that; and what someone
 * does in a growth that was cleared away need not be counted.
 */

/* This CPU's part in the evacuation of @old; NULL if that is long over. */
static struct hmap_cpu *part_in(struct bucket_array *old)
{
	struct hmap_cpu *c = this_cpu_ptr(old->h->cpu);

	if (likely(c->serial == old->serial))
		return c;
	if ((long)(c->serial - old->serial) > 0)
		return NULL;
	WRITE_ONCE(c->next, 0);
	WRITE_ONCE(c->end, 0);
	atomic_long_set(&c->marked, 0);
	/* Pairs with the acquire in marked_by(). */
	smp_store_release(&c->serial, old->serial);
	return c;
}

static bool all_claimed(const struct bucket_array *old)
{
	return atomic_long_read(&old->nevacuate) > old->mask;
}

/* Buckets of @old that a CPU has marked; another part may begin meanwhile. */
static unsigned long marked_by(const struct hmap_cpu *c,
			       const struct bucket_array *old)
{
	unsigned long n;

	/* Pairs with the release in part_in(). */
	if (smp_load_acquire(&c->serial) != old->serial)
		return 0;
	/* Pairs with the increment in count_marked(). */
	n = atomic_long_read_acquire(&c->marked);
	return READ_ONCE(c->serial) == old->serial ? n : 0;
}

static bool all_marked(const struct bucket_array *old)
{
	unsigned long n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += marked_by(per_cpu_ptr(old->h->cpu, cpu), old);
	return n > old->mask;
}

/**
 * hmap_grow_done() - Let the old array go, all buckets of which are marked.
 * @a: the new array
 * @old: the old one
 *
 * Context: Under rcu_read_lock() or with interrupts off, no guard held.
 */
static void hmap_grow_done(struct bucket_array *a, struct bucket_array *old)
{
	hmap_test_delay();
	/* Pairs with the acquire in old_of(); the winner retires the array. */
	if (cmpxchg(&a->old, old, NULL) != old)
		return;
	trace_hmap_grow_done(a, old);
	if (a->pages)
		hmap_mapped_update(a->h);
	hmap_array_retire(old);
}

static void count_marked(struct bucket_array *a, struct bucket_array *old)
{
	struct hmap_cpu *c = part_in(old);

	if (!c)
		return;
	atomic_long_inc_return(&c->marked);
	hmap_test_delay();
	if (all_claimed(old) && all_marked(old))
		hmap_grow_done(a, old);
}

/**
 * hmap_evacuate() - Move an old bucket's entries to the new array.
 * @a: the new array
 * @old: the array it replaces
 * @oldbucket: index of the bucket
 * @reserve: an overflow bucket that may be used, or NULL in it
 *
 * Context: Under rcu_read_lock(), no guard held.
 * Return: 0, also if there is nothing to do; or -ENOMEM: come back with a
 * reserve, or leave the old bucket the true one.
 */
int hmap_evacuate(struct bucket_array *a, struct bucket_array *old,
		  unsigned long oldbucket, struct bmap **reserve)
{
	struct hmap *h = a->h;
	struct bmap *head = bucket_at(&h->t, old, oldbucket);
	unsigned long flags;
	int err = 0;

	if (evacuated(head))
		return 0;
	prefetchw(bucket_at(&h->t, a, oldbucket));
	prefetchw(bucket_at(&h->t, a, (oldbucket + old->mask + 1) & a->mask));

	local_irq_save(flags);
	guard_lock(head, guard_map_of(h));
	if (evacuated(head)) {
		guard_unlock(head, guard_map_of(h));
	} else {
		err = evac_chain(a, old, head, oldbucket, reserve);
		guard_unlock(head, guard_map_of(h));
		if (!err) {
			trace_hmap_evacuate(old, oldbucket);
			count_marked(a, old);
		}
	}
	local_irq_restore(flags);
	return err;
}
EXPORT_SYMBOL_TEST(hmap_evacuate);

/*
 * The next old bucket for this CPU to evacuate, of those it has claimed, or -1
 * for none.  Buckets that writes have evacuated are gone over, a bounded way.
 */
static long claim_bucket(struct bucket_array *a, struct bucket_array *old)
{
	struct hmap_cpu *c = part_in(old);
	unsigned int skip;
	unsigned long i;

	for (skip = 0; c && skip < SKIP; skip++) {
		if (c->next == c->end) {
			if (all_claimed(old))
				return -1;
			i = atomic_long_fetch_add(old->claim, &old->nevacuate);
			WRITE_ONCE(c->next, min(i, old->mask + 1));
			WRITE_ONCE(c->end, min(i + old->claim, old->mask + 1));
			if (all_claimed(old) && all_marked(old)) {
				hmap_grow_done(a, old);
				return -1;
			}
			continue;
		}
		i = c->next;
		WRITE_ONCE(c->next, i + 1);
		if (!evacuated(bucket_at(&old->h->t, old, i)))
			return i;
	}
	return -1;
}

/* Evacuate a bucket, with one that is allocated at need; under RCU. */
static int evacuate_alloc(struct bucket_array *a, struct bucket_array *old,
			  unsigned long i)
{
	struct bmap *reserve = NULL;
	struct hmap *h = a->h;
	int err;

	/* What the present array has room for is of no use to another. */
	do
		err = hmap_evacuate(a, old, i, &reserve);
	while (err && buckets_of(h) == a &&
	       !hmap_overflow_reserve(h, &reserve, HMAP_GFP_NOWAIT));
	if (reserve)
		hmap_overflow_free(h, reserve);
	return err;
}

/**
 * hmap_evacuate_next() - Do a write's share of a growth.
 * @h: the map
 *
 * That is the next old bucket in sequence; the one that the write touched is
 * moved by the write itself.
 *
 * Context: Any but NMI, no guard held.
 */
void hmap_evacuate_next(struct hmap *h)
{
	struct bucket_array *a, *old;
	unsigned long flags;
	long i;

	rcu_read_lock();
	a = buckets_of(h);
	old = a ? old_of(a) : NULL;
	if (unlikely(old)) {
		local_irq_save(flags);
		i = claim_bucket(a, old);
		local_irq_restore(flags);
		if (i >= 0)
			evacuate_alloc(a, old, i);
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_TEST(hmap_evacuate_next);

/*
 * Evacuate one bucket for hmap_finish_work(), in the growth to the array with
 * serial @generation.  Returns 1, 0 when the growth is over, or -ENOMEM as
 * hmap_evacuate().
 */
static int finish_bucket(struct hmap *h, unsigned long generation,
			 unsigned long i, struct bmap **reserve)
{
	struct bucket_array *a, *old;
	int ret = 0;

	rcu_read_lock();
	a = buckets_of(h);
	old = a && a->serial == generation ? old_of(a) : NULL;
	if (old && i <= old->mask) {
		ret = hmap_evacuate(a, old, i, reserve);
		if (!ret)
			ret = 1;
	} else if (old) {
		hmap_grow_done(a, old);
	}
	rcu_read_unlock();
	return ret;
}

/*
 * The delayed work that finishes what writes have left of a growth.  Where there
 * is no memory for a bucket, come back, each time later.
 */
void hmap_finish_work(struct work_struct *work)
{
	struct hmap *h = container_of(to_delayed_work(work), struct hmap,
				      finish_work);
	unsigned long generation = READ_ONCE(h->generation), retry, i = 0;
	struct mem_cgroup *memcg = hmap_enter_memcg(&h->finish_memcg);
	struct bmap *reserve = NULL;
	int ret;

	do {
		ret = finish_bucket(h, generation, i, &reserve);
		if (ret > 0) {
			i++;
		} else if (ret < 0) {
			if (hmap_overflow_reserve(h, &reserve, GFP_KERNEL |
						  __GFP_RETRY_MAYFAIL))
				break;
		}
		cond_resched();
	} while (ret);
	if (reserve)
		hmap_overflow_free(h, reserve);
	hmap_leave_memcg(&h->finish_memcg, memcg);

	if (ret) {
		retry = min_t(unsigned long, 2 * h->finish_retry, MAX_RETRY);
		WRITE_ONCE(h->finish_retry, retry);
		queue_delayed_work(hmap_wq, &h->finish_work, retry);
	}
}
