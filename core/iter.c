// SPDX-License-Identifier: GPL-2.0
/*
 * Iteration.
 *
 * A walk goes once round the buckets that there were when it began, 2^B of
 * them, from a random one on.  Each hash, with its bits reversed, is a place
 * that its entry keeps while the seed stands.  The places of a bucket are a run
 * of such numbers, and when a bucket splits, its run falls into two halves.  So
 * wherever entries have moved since, what is still to be given of the bucket
 * that the walk is at are those from some number on, up to the end of the run
 * of what was one bucket then.  That number, the bucket the walk began at, and
 * B are all there is to know of a walk.
 *
 * A bucket is copied under its guard, and its entries are given from the copy
 * while its sequence stands; then each is looked up as it is given.  They are
 * sorted by their places where someone may stop in the middle of a bucket, that
 * is, in walks from a cursor.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swab.h>

#include "key.h"

#define COPY_ROOM	2	/* buckets, to begin with */
#define COPY_FREE	8	/* buckets, at most, that are charged to no cgroup */
#define MANY_EMPTY	1024	/* buckets, after which signals are heeded */
#define RESCHED_EVERY	16	/* buckets */
#define CURSOR_END	U64_MAX	/* &hmap_cursor.start: nothing left to give */

/*
 * Copies are short-lived and, as long as chance alone makes chains, so small that
 * they are charged to no cgroup: a map must be readable where the cgroup is full.
 */
#define GFP_COPY	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

struct hmap_iter_order {
	u64 place;
	unsigned int nth;	/* entry of the copy */
};

/* The bits of a hash in reverse order; not every kernel has <linux/bitrev.h>. */
static u64 place_of(u64 hash)
{
	hash = swab64(hash);
	hash = (hash & 0x0f0f0f0f0f0f0f0fULL) << 4 |
	       (hash >> 4 & 0x0f0f0f0f0f0f0f0fULL);
	hash = (hash & 0x3333333333333333ULL) << 2 |
	       (hash >> 2 & 0x3333333333333333ULL);
	return (hash & 0x5555555555555555ULL) << 1 |
	       (hash >> 1 & 0x5555555555555555ULL);
}

/* The bits of a place that tell the entries of one of 2^B buckets apart. */
static u64 place_mask(u8 B)
{
	return B ? U64_MAX >> B : U64_MAX;
}

/* The array of the walk's epoch, or NULL for none, or -ESTALE. */
static struct bucket_array *array_of_walk(const struct hmap_iter *it)
{
	struct bucket_array *a = buckets_of(it->h);
	struct lineage *l = a ? a->l : READ_ONCE(it->h->l);

	return READ_ONCE(l->epoch) == it->epoch ? a : ERR_PTR(-ESTALE);
}

/* === The copy === */

static struct bmap *copied_bucket(const struct hmap_iter *it, unsigned int i)
{
	return it->copy + i * it->h->t.bucket_size;
}

/* The slots in use of a bucket that was copied, as tophash_match() tells them. */
static u64 slots_in_use(const struct bmap *b)
{
	return ~tophash_match_empty(tophash_load(b)) & 0x8080808080808080ULL;
}

static void hold_blocks(const struct hmap_type *t, struct bmap *b)
{
	struct hmap_block *block;
	unsigned int i;
	u64 slots;

	for (slots = slots_in_use(b); slots; slots &= slots - 1) {
		i = tophash_first(slots);
		block = t->indirect_key ? slot_block(bmap_key(t, b, i)) : NULL;
		if (block)
			refcount_inc(&block->refs);
		if (t->indirect_elem)
			refcount_inc(&slot_block(bmap_elem(t, b, i))->refs);
	}
}

static void put_blocks(const struct hmap_type *t, struct bmap *b)
{
	unsigned int i;
	u64 slots;

	for (slots = slots_in_use(b); slots; slots &= slots - 1) {
		i = tophash_first(slots);
		if (t->indirect_key)
			hmap_block_put(slot_block(bmap_key(t, b, i)));
		if (t->indirect_elem)
			hmap_block_put(slot_block(bmap_elem(t, b, i)));
	}
}

static void drop_copy(struct hmap_iter *it)
{
	unsigned int i, n = it->inlined ? 0 : min(it->nr, it->room);

	for (i = 0; i < n; i++)
		put_blocks(&it->h->t, copied_bucket(it, i));
	it->nr = 0;
	it->left = 0;
	it->nr_order = 0;
	it->next = 0;
}

static void free_copy(struct hmap_iter *it)
{
	kvfree(it->copy);
	kvfree(it->order);
}

static int alloc_copy(struct hmap_iter *it, unsigned int room)
{
	struct hmap_iter_order *order = NULL;
	gfp_t gfp = GFP_COPY;
	void *copy;

	if (room > COPY_FREE)
		gfp = hmap_gfp(it->h->param_flags, gfp);
	copy = kvmalloc_array(room, it->h->t.bucket_size, gfp);
	if (it->sorted)
		order = kvmalloc_array(room, BUCKET_CNT * sizeof(*order), gfp);
	if (!copy || (it->sorted && !order)) {
		kvfree(copy);
		kvfree(order);
		return -ENOMEM;
	}
	free_copy(it);
	it->copy = copy;
	it->order = order;
	it->room = room;
	return 0;
}

/*
 * Copy a chain, or just count its buckets where there is no room, under its
 * guard, or without it if nothing is stored by pointer: then it counts if the
 * guard stands still.
 */
static void copy_chain(struct hmap_iter *it, const struct bucket_array *a,
		       struct bmap *b)
{
	const struct hmap_type *t = &it->h->t;
	struct bmap *copy;

	for (; b; b = bmap_overflow(t, a, b)) {
		if (likely(it->nr < it->room)) {
			copy = copied_bucket(it, it->nr);
			memcpy(copy, b, t->bucket_size);
			if (!it->inlined)
				hold_blocks(t, copy);
		}
		it->nr++;
		if (tophash_match(tophash_load(b), EMPTY_REST))
			break;
	}
}

static bool copy_without_lock(struct hmap_iter *it,
			      const struct bucket_array *a, struct bmap *head)
{
	if (!it->inlined)
		return false;
	it->seq = guard_read_begin(head);
	if (!evacuated(head))
		copy_chain(it, a, head);
	if (guard_read_valid(head, it->seq))
		return true;
	it->nr = 0;
	return false;
}

static void copy_locked(struct hmap_iter *it, const struct bucket_array *a,
			struct bmap *head)
{
	unsigned long flags;

	local_irq_save(flags);
	guard_lock(head, guard_map_of(it->h));
	if (!evacuated(head))
		copy_chain(it, a, head);
	/* What it will be when the lock is let go. */
	it->seq = READ_ONCE(guard_of(head)->seq) + 1;
	guard_unlock(head, guard_map_of(it->h));
	local_irq_restore(flags);
}

/* Where the walk is. */
static u64 pos_of(const struct hmap_iter *it)
{
	return place_of(it->bucket) | it->rest;
}

/*
 * Which places of a bucket are still to be given.  An array with fewer buckets
 * than the walk has is an old one, whose buckets hold what are several buckets to
 * the walk.
 */
static void choose_part(struct hmap_iter *it, const struct bucket_array *a)
{
	it->part = it->rest & place_mask(a->B) || a->B < it->B;
	if (likely(!it->part))
		return;
	it->part_first = pos_of(it);
	it->part_last = it->part_first | place_mask(max(it->B, a->B));
}

/* As copy_chain(); false if the bucket has been evacuated. */
static bool copy_bucket(struct hmap_iter *it, const struct bucket_array *a,
			unsigned long bucket)
{
	struct bmap *head = bucket_at(&it->h->t, a, bucket);

	/* Nothing is there, and so nothing changes it unseen. */
	if (!READ_ONCE(head->tophash[0]))
		return true;
	if (!copy_without_lock(it, a, head))
		copy_locked(it, a, head);
	it->head = head;
	it->serial = a->serial;
	it->hash0 = a->hash0;
	choose_part(it, a);
	return it->nr;
}

/* Whether a bucket of array @a is the one that was copied, and as it was. */
static bool is_copied(const struct hmap_iter *it, const struct bucket_array *a)
{
	if (!a || a->serial != it->serial)
		return false;
	/* Pairs with the release in guard_unlock(). */
	return smp_load_acquire(&guard_of(it->head)->seq) == it->seq;
}

/* Whether what was copied is what is there; -ESTALE if the map is another. */
static int copy_is_current(const struct hmap_iter *it)
{
	const struct bucket_array *a;
	int ret;

	rcu_read_lock();
	a = buckets_of(it->h);
	ret = is_copied(it, a);
	if (unlikely(!ret)) {
		a = array_of_walk(it);
		if (IS_ERR(a))
			ret = PTR_ERR(a);
		else if (a)
			ret = is_copied(it, old_of(a));
	}
	rcu_read_unlock();
	return ret;
}

/* === The way round === */

/*
 * Go on behind a place of the bucket, given by those of its bits that vary there;
 * to the next bucket when it was the last.
 */
static void advance(struct hmap_iter *it, u64 rest)
{
	it->rest = (rest + 1) & place_mask(it->B);
	if (it->rest)
		return;
	it->bucket = (it->bucket + 1) & bucket_mask(it->B);
	it->done = it->bucket == it->start;
}

static void set_cursor(struct hmap_iter *it)
{
	it->cursor.epoch = it->epoch;
	it->cursor.start = it->done ? CURSOR_END : (u64)it->start << 8 | it->B;
	it->cursor.next = pos_of(it);
}

/* Set the cursor behind the entry of the copy that is about to be given. */
static void set_cursor_behind(struct hmap_iter *it, u64 place)
{
	struct hmap_iter at = {
		.epoch = it->epoch,
		.start = it->start,
		.B = it->B,
		.bucket = place_of(place) & bucket_mask(it->B),
	};

	advance(&at, place);
	/* Nothing is behind the last one. */
	at.done |= it->done && it->next == it->nr_order;
	set_cursor(&at);
	it->cursor = at.cursor;
}

/* Copy the bucket the walk is at, if there is room for it, and go on. */
static int copy_next(struct hmap_iter *it)
{
	struct bucket_array *a, *old;
	unsigned long bucket;
	int err = 0;

	rcu_read_lock();
again:
	a = array_of_walk(it);
	if (IS_ERR_OR_NULL(a)) {
		err = PTR_ERR_OR_ZERO(a);
		it->done = true;
		goto out;
	}
	bucket = a->B <= it->B ? it->bucket : place_of(pos_of(it));
	bucket &= a->mask;
	prefetch(bucket_at(&it->h->t, a, (bucket + 1) & a->mask));
	old = old_of(a);
	if (old && copy_bucket(it, old, bucket & old->mask))
		a = old;
	else if (!copy_bucket(it, a, bucket))
		goto again;
	if (it->nr <= it->room)
		advance(it, it->rest | place_mask(max(it->B, a->B)));
out:
	rcu_read_unlock();
	return err;
}

/* === What of the copy is to be given === */

static u64 place_in_copy(const struct hmap_iter *it, struct bmap *b,
			 unsigned int slot)
{
	const struct hmap_type *t = &it->h->t;

	return place_of(slot_hash(t, t->key_kind, bmap_key(t, b, slot),
				  it->hash0));
}

static u64 slots_to_give(const struct hmap_iter *it, struct bmap *b)
{
	u64 give = slots_in_use(b), slots = give, place;

	if (likely(!it->part))
		return give;
	for (; slots; slots &= slots - 1) {
		place = place_in_copy(it, b, tophash_first(slots));
		if (place < it->part_first || place > it->part_last)
			give &= ~(slots & -slots);
	}
	return give;
}

/* Most often there are eight to sort, or fewer. */
static void add_to_order(struct hmap_iter *it, u64 place, unsigned int nth)
{
	struct hmap_iter_order *order = it->order;
	unsigned int i;

	for (i = it->nr_order++; i && order[i - 1].place > place; i--)
		order[i] = order[i - 1];
	order[i] = (struct hmap_iter_order){ place, nth };
}

static void sort_copy(struct hmap_iter *it)
{
	unsigned int i, slot;
	struct bmap *b;
	u64 slots;

	for (i = 0; i < it->nr; i++) {
		b = copied_bucket(it, i);
		for (slots = slots_to_give(it, b); slots; slots &= slots - 1) {
			slot = tophash_first(slots);
			add_to_order(it, place_in_copy(it, b, slot),
				     i * BUCKET_CNT + slot);
		}
	}
}

/* Find the next slot to give; false if there is none left in the copy. */
static bool next_slot(struct hmap_iter *it, struct bmap **b, unsigned int *slot)
{
	unsigned int nth;

	if (it->sorted) {
		if (it->next == it->nr_order)
			return false;
		nth = it->order[it->next++].nth;
		*b = copied_bucket(it, nth / BUCKET_CNT);
		*slot = nth % BUCKET_CNT;
		return true;
	}
	while (!it->left) {
		if (it->next == it->nr)
			return false;
		it->from = copied_bucket(it, it->next++);
		it->left = slots_to_give(it, it->from);
	}
	*b = it->from;
	*slot = tophash_first(it->left);
	it->left &= it->left - 1;
	return true;
}

static int next_bucket(struct hmap_iter *it)
{
	unsigned int room;
	int err;

	for (;;) {
		drop_copy(it);
		err = copy_next(it);
		if (err || it->nr <= it->room)
			break;
		room = it->nr;
		drop_copy(it);
		err = alloc_copy(it, room);
		if (err)
			return err;
	}
	if (it->sorted)
		sort_copy(it);
	return err;
}

/* === The walk === */

/* Go on in a map of 2^@B buckets; a cursor may be anything but NULL. */
static int continue_from(struct hmap_iter *it, const struct hmap_cursor *from,
			 u8 B)
{
	u8 from_B = from->start & 0xff;

	if (from->epoch != it->epoch)
		return -ESTALE;
	it->done = from->start == CURSOR_END;
	if (it->done)
		return 0;
	if (from_B > B || from->start >> 8 > bucket_mask(from_B))
		return -EINVAL;
	it->B = from_B;
	it->start = from->start >> 8;
	it->bucket = place_of(from->next) & bucket_mask(from_B);
	it->rest = from->next & place_mask(from_B);
	return 0;
}

/* The map's seed stays while there is an iterator. */
static int begin(struct hmap_iter *it, const struct hmap_cursor *from)
{
	unsigned long random = get_random_long(), flags;
	struct hmap *h = it->h;
	struct bucket_array *a;
	int err = 0;

	raw_spin_lock_irqsave(&h->lock, flags);
	a = buckets_locked(h);
	it->epoch = h->l->epoch;
	it->B = a ? a->B : 0;
	if (from && from->epoch) {
		err = continue_from(it, from, it->B);
	} else {
		it->start = random & bucket_mask(it->B);
		it->bucket = it->start;
	}
	if (!err)
		h->iterators++;
	raw_spin_unlock_irqrestore(&h->lock, flags);
	return err;
}

/**
 * hmap_iter_init() - Begin a walk over a map, or go on with one.
 * @it: the iterator
 * @h: the map
 * @from: where to go on, or all zeros for a new walk, from which
 *	&hmap_iter.cursor is to tell where yet another can go on; or NULL for a
 *	walk that is not interrupted
 *
 * An entry that is in the map from the first hmap_iter_next() to the last is
 * given exactly once, whatever other CPUs do meanwhile.  One that is deleted
 * before it is given is not given, and one that is inserted may be.  A walk may
 * be cut into pieces by cursors.
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENOMEM; -ESTALE if the map has been cleared or got a new seed
 * since the walk began, or it was another map; -EINVAL if @from never was a
 * cursor of this map.
 */
int hmap_iter_init(struct hmap_iter *it, struct hmap *h,
		   const struct hmap_cursor *from)
{
	const struct hmap_type *t = &h->t;
	int err;

	*it = (struct hmap_iter){
		.key_len = t->key_size,
		.elem_len = t->elem_size,
		.h = h,
		.sorted = from,
		.inlined = !t->indirect_key && !t->indirect_elem,
		.fixed = !t->indirect_key && !t->indirect_elem &&
			 t->key_kind != KEY_INLINE_STRING,
	};
	it->elem_buf = kmalloc(max_t(size_t, t->elem_slot, 8), GFP_COPY);
	err = it->elem_buf ? alloc_copy(it, COPY_ROOM) : -ENOMEM;
	if (!err)
		err = begin(it, from);
	if (err) {
		free_copy(it);
		kfree(it->elem_buf);
	}
	return err;
}
EXPORT_SYMBOL_GPL(hmap_iter_init);

/**
 * hmap_iter_exit() - End a walk.
 * @it: the iterator
 *
 * Context: Process context.
 */
void hmap_iter_exit(struct hmap_iter *it)
{
	struct hmap *h = it->h;
	unsigned long flags;

	hmap_release(&it->held);
	drop_copy(it);
	free_copy(it);
	kfree(it->elem_buf);
	raw_spin_lock_irqsave(&h->lock, flags);
	h->iterators--;
	raw_spin_unlock_irqrestore(&h->lock, flags);
}
EXPORT_SYMBOL_GPL(hmap_iter_exit);

/* Show an elem of the copy, whose bucket is as it was. */
static void show_copy(struct hmap_iter *it, struct bmap *b, unsigned int slot)
{
	const struct hmap_type *t = &it->h->t;
	const struct hmap_block *block;

	it->elem = bmap_elem(t, b, slot);
	if (t->indirect_elem) {
		block = *(struct hmap_block **)it->elem;
		it->elem = block->data;
		it->elem_len = block->len;
	}
}

/* Show the elem that an entry of the copy has by now, if it is still there. */
static int show_present(struct hmap_iter *it)
{
	const struct hmap_type *t = &it->h->t;
	struct hmap_bytes string = { it->key, it->key_len };
	const void *key = it->key;
	int err;

	if (kind_is_string(t->key_kind))
		key = &string;
	if (t->indirect_elem) {
		err = hmap_hold(it->h, key, &it->held);
		it->elem = it->held.data;
		it->elem_len = it->held.len;
	} else {
		err = hmap_lookup(it->h, key, it->elem_buf);
		it->elem = it->elem_buf;
	}
	return err;
}

static void set_cursor_to_show(struct hmap_iter *it)
{
	const struct hmap_iter_order *order = &it->order[it->next - 1];

	it->last = it->next == it->nr_order || order[1].place != order->place;
	set_cursor_behind(it, order->place);
}

/* Show an entry of the copy: 1, 0 if it is gone, or an errno. */
static int show(struct hmap_iter *it, struct bmap *b, unsigned int slot)
{
	const struct hmap_type *t = &it->h->t;
	struct hmap_bytes key;
	int ret;

	it->key = bmap_key(t, b, slot);
	if (kind_is_string(t->key_kind) || t->indirect_key) {
		key = slot_bytes(t, t->key_kind, it->key);
		it->key = key.data;
		it->key_len = key.len;
	}
	if (it->sorted)
		set_cursor_to_show(it);
	ret = copy_is_current(it);
	if (likely(ret > 0))
		show_copy(it, b, slot);
	else if (!ret)
		ret = !show_present(it);
	return ret;
}

/* The walk has been once round; but was it over one and the same map? */
static int end_of_walk(struct hmap_iter *it)
{
	int err;

	set_cursor(it);
	rcu_read_lock();
	err = PTR_ERR_OR_ZERO(array_of_walk(it));
	rcu_read_unlock();
	return err;
}

static noinline int iter_next_slow(struct hmap_iter *it)
{
	unsigned int empty = 0, slot;
	struct bmap *b;
	int ret;

	for (;;) {
		if (it->held.block)
			hmap_release(&it->held);
		while (next_slot(it, &b, &slot)) {
			ret = show(it, b, slot);
			if (ret)
				return ret;
		}
		if (it->done)
			return end_of_walk(it);
		if (it->sorted)
			set_cursor(it);
		if (++empty > MANY_EMPTY && signal_pending(current))
			return -EINTR;
		ret = next_bucket(it);
		if (ret)
			return ret;
		if (++it->buckets % RESCHED_EVERY == 0)
			cond_resched();
	}
}

/**
 * hmap_iter_next() - Go on to the next entry.
 * @it: the iterator
 *
 * Context: Process context, may sleep.
 * Return: 1 if there was one, which @it shows until the next call; 0 at the
 * end of the walk; -ESTALE if the map was cleared; -ENOMEM or, after many empty
 * buckets with a signal pending, -EINTR, and the walk can go on.
 */
int hmap_iter_next(struct hmap_iter *it)
{
	const struct hmap_type *t = &it->h->t;
	bool ready = false;
	unsigned int slot;

	/* Only walks that are not sorted have any left. */
	if (likely(it->left && it->fixed)) {
		rcu_read_lock();
		ready = is_copied(it, buckets_of(it->h));
		rcu_read_unlock();
	}
	if (!ready)
		return iter_next_slow(it);
	slot = tophash_first(it->left);
	it->left &= it->left - 1;
	it->key = bmap_key(t, it->from, slot);
	it->elem = bmap_elem(t, it->from, slot);
	return 1;
}
EXPORT_SYMBOL_GPL(hmap_iter_next);
