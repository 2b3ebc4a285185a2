// SPDX-License-Identifier: GPL-2.0
/*
 * Iteration.
 *
 * A walk goes once round the buckets that there were when it began, 2^B of
 * them, from a random one on.  Within each it gives the entries by ascending
 * place, which is the hash with its bits reversed: a bucket of any array, be it
 * larger or not, then holds a run of places without gaps, and a doubling splits
 * that into two.  No entry ever changes its place while the seed stands, so the
 * place to go on from is all there is to a walk, and that is the cursor.
 *
 * An iterator copies the bucket that the cursor is in, with all it holds, under
 * its stripe.  What it has copied it gives as it is while nobody has written to
 * the stripe; otherwise it looks each entry up again, and passes over what is
 * gone.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/swab.h>

#include "key.h"

#define ITER_ROOM	(2 * BUCKET_CNT)	/* entries, to begin with */
#define ITER_FILLS	1024	/* buckets to try before a signal counts */
#define ITER_END	U64_MAX	/* hmap_cursor.start at the end */

/* An entry in the buffer: its key slot and elem slot follow. */
struct iter_entry {
	u64 place;
	u8 data[];
};

/* === Places === */

static u64 reverse_bits(u64 x)
{
	x = (x >> 1 & 0x5555555555555555ULL) | (x & 0x5555555555555555ULL) << 1;
	x = (x >> 2 & 0x3333333333333333ULL) | (x & 0x3333333333333333ULL) << 2;
	x = (x >> 4 & 0x0f0f0f0f0f0f0f0fULL) | (x & 0x0f0f0f0f0f0f0f0fULL) << 4;
	return swab64(x);
}

/* The last place in the bucket of 2^B that @place is in. */
static u64 last_place(u64 place, u8 B)
{
	return place | U64_MAX >> B;
}

/* Move a cursor behind a place that is in the bucket it is in. */
static void cursor_pass(struct hmap_cursor *cursor, u64 place)
{
	u8 B = cursor->start;
	u64 bucket;

	if (place != last_place(place, B)) {
		cursor->next = place + 1;
		return;
	}
	bucket = (reverse_bits(place) + 1) & bucket_mask(B);
	if (bucket == cursor->start >> 8)
		cursor->start = ITER_END;
	else
		cursor->next = reverse_bits(bucket);
}

/* === The buffer === */

static size_t elem_offset(const struct hmap_type *t)
{
	return sizeof(struct iter_entry) + ALIGN(t->key_slot, 8);
}

static struct iter_entry *iter_entry(const struct hmap_iter *it, unsigned int i)
{
	return it->entries + (size_t)i * it->entry_size;
}

static void *entry_elem(const struct hmap_iter *it, struct iter_entry *e)
{
	return (void *)e + elem_offset(&it->h->t);
}

/* Let go of the blocks that an entry in the buffer refers to. */
static void put_entry(struct hmap_iter *it, struct iter_entry *e)
{
	if (it->h->t.indirect_key)
		hmap_block_put(*(struct hmap_block **)e->data);
	if (it->h->t.indirect_elem)
		hmap_block_put(*(struct hmap_block **)entry_elem(it, e));
}

static void put_given(struct hmap_iter *it)
{
	if (it->given)
		put_entry(it, it->given);
	it->given = NULL;
}

static void put_entries(struct hmap_iter *it)
{
	while (it->next < it->nr)
		put_entry(it, iter_entry(it, it->next++));
}

static int compare_places(const void *a, const void *b)
{
	const struct iter_entry *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* === Filling it === */

/* Copy an entry to the buffer, or just count it if there is no room. */
static void copy_entry(struct hmap_iter *it, struct bmap *b, unsigned int slot,
		       u64 place)
{
	const struct hmap_type *t = &it->h->t;
	const void *key = bmap_key(t, b, slot), *elem = bmap_elem(t, b, slot);
	struct iter_entry *e;

	if (it->nr++ >= it->room)
		return;
	e = iter_entry(it, it->nr - 1);
	e->place = place;
	memcpy(e->data, key, t->key_slot);
	memcpy(entry_elem(it, e), elem, t->elem_slot);
	if (t->indirect_key)
		refcount_inc(&slot_block(key)->refs);
	if (t->indirect_elem)
		refcount_inc(&slot_block(elem)->refs);
}

/* Copy what a chain holds from the cursor to it->end. */
static void copy_chain(struct hmap_iter *it, struct bmap *b, u32 hash0)
{
	const struct hmap_type *t = &it->h->t;
	unsigned int i;
	u64 place;

	for (; b; b = bmap_overflow(t, b)) {
		for (i = 0; i < BUCKET_CNT; i++) {
			if (is_empty(b->tophash[i]))
				continue;
			place = reverse_bits(slot_hash(t, t->key_kind,
						       bmap_key(t, b, i),
						       hash0));
			if (place >= it->cursor.next && place <= it->end)
				copy_entry(it, b, i, place);
		}
	}
}

/* Under the stripe: copy the bucket at the cursor, wherever it is now. */
static void copy_bucket(struct hmap_iter *it, u64 hash, u32 hash0)
{
	struct bucket_array *a = buckets_of(it->h);
	struct bucket_array *old = oldbuckets_of(it->h);
	const struct hmap_type *t = &it->h->t;
	u8 B = it->cursor.start;

	if (old && !evacuated(bucket_of(t, old, hash)))
		a = old;
	it->nr = 0;
	it->end = last_place(it->cursor.next, a ? max(B, a->B) : B);
	if (a)
		copy_chain(it, bucket_of(t, a, hash), hash0);
}

static u32 stripe_sequence(const struct stripe *s)
{
	return READ_ONCE(s->seq.seqcount.sequence);
}

/* Returns 1 if the bucket at the cursor was copied, or would be with room. */
static int try_bucket(struct hmap_iter *it)
{
	u64 hash = reverse_bits(it->cursor.next);
	union choice choice = choice_of(it->h);
	struct stripe *s = stripe_of(it->h, choice, hash);
	int ret = 0;

	spin_lock_bh(&s->lock);
	if (!stripe_valid(it->h, choice))
		goto out;
	ret = -ESTALE;
	if (it->h->epoch != it->cursor.epoch)
		goto out;
	copy_bucket(it, hash, choice.hash0);
	it->stripe = s;
	it->sequence = stripe_sequence(s);
	ret = 1;
out:
	spin_unlock_bh(&s->lock);
	return ret;
}

static int make_room(struct hmap_iter *it, unsigned int room)
{
	void *entries = kvmalloc_array(room, it->entry_size, GFP_KERNEL);

	if (!entries)
		return -ENOMEM;
	kvfree(it->entries);
	it->entries = entries;
	it->room = room;
	return 0;
}

/* Fill the buffer, which has been used up, with the bucket at the cursor. */
static int fill_buffer(struct hmap_iter *it)
{
	unsigned int wanted;
	int ret;

	it->next = 0;
	for (;;) {
		ret = try_bucket(it);
		if (ret < 0)
			return ret;
		if (ret && it->nr <= it->room)
			break;
		if (!ret)
			continue;
		wanted = it->nr;
		it->nr = it->room;
		put_entries(it);
		it->next = 0;
		it->nr = 0;
		ret = make_room(it, wanted);
		if (ret)
			return ret;
	}
	if (it->nr)
		sort(it->entries, it->nr, it->entry_size, compare_places, NULL);
	else
		cursor_pass(&it->cursor, it->end);
	return 0;
}

/* === Giving entries === */

/* The next entry is no longer to be given: move the cursor, where it may. */
static struct iter_entry *take_entry(struct hmap_iter *it)
{
	struct iter_entry *e = iter_entry(it, it->next++);

	it->last = true;
	if (it->next == it->nr)
		cursor_pass(&it->cursor, it->end);
	else if (iter_entry(it, it->next)->place != e->place)
		cursor_pass(&it->cursor, e->place);
	else
		it->last = false;
	return e;
}

static void show_entry(struct hmap_iter *it, struct iter_entry *e)
{
	const struct hmap_type *t = &it->h->t;
	const struct hmap_block *block;

	it->given = e;
	it->key = e->data;
	it->key_len = t->key_size;
	if (t->indirect_key) {
		block = *(struct hmap_block **)e->data;
		it->key = block->data;
		it->key_len = block->len;
	}
	it->elem = entry_elem(it, e);
	it->elem_len = t->elem_size;
	if (t->indirect_elem) {
		block = *(struct hmap_block **)entry_elem(it, e);
		it->elem = block->data;
		it->elem_len = block->len;
	}
}

/* Look an entry up again, and take over the elem that it has now. */
static int renew_entry(struct hmap_iter *it, struct iter_entry *e)
{
	const struct hmap_type *t = &it->h->t;
	void *elem = entry_elem(it, e);
	const struct hmap_block *block;
	struct hmap_bytes string;
	struct hmap_held held;
	const void *key = e->data;
	int err;

	if (t->indirect_key) {
		block = *(struct hmap_block **)e->data;
		string = (struct hmap_bytes){ block->data, block->len };
		key = t->key_kind == HMAP_KEY_STRING ? (void *)&string :
						       block->data;
	}
	if (!t->indirect_elem)
		return hmap_lookup(it->h, key, elem);
	err = hmap_hold(it->h, key, &held);
	if (!err) {
		hmap_block_put(*(struct hmap_block **)elem);
		*(struct hmap_block **)elem = held.block;
	}
	return err;
}

/* Whether nothing in the bucket was written since it was copied. */
static bool bucket_unchanged(const struct hmap_iter *it)
{
	return stripe_sequence(it->stripe) == it->sequence;
}

/* Show the next entry in the buffer that is still there; whether there is. */
static bool show_next(struct hmap_iter *it)
{
	struct iter_entry *e;

	while (it->next < it->nr) {
		e = take_entry(it);
		if (bucket_unchanged(it) || !renew_entry(it, e)) {
			show_entry(it, e);
			return true;
		}
		put_entry(it, e);
	}
	return false;
}

/**
 * hmap_iter_next() - Go on to the next entry.
 * @it: the iterator
 *
 * An entry that is in the map from the beginning of the walk to its end is
 * given exactly once, whatever other CPUs do meanwhile.  One that is deleted
 * before it is given is not given, and one that is inserted may be.
 *
 * Context: Process context, may sleep.
 * Return: 1 if there was one, which @it shows until the next call; 0 at the
 * end of the walk; -ENOMEM, and the walk is where it was; -EINTR if there was
 * no entry in a good many buckets and a signal is pending, and the next call
 * goes on from there; -ESTALE if the map was cleared, or became empty and drew
 * a new seed, since the walk began.
 */
int hmap_iter_next(struct hmap_iter *it)
{
	unsigned int fills = 0;
	int err;

	put_given(it);
	while (it->next < it->nr || it->cursor.start != ITER_END) {
		if (READ_ONCE(it->h->epoch) != it->cursor.epoch)
			return -ESTALE;
		if (it->next == it->nr) {
			if (++fills % ITER_FILLS == 0 && signal_pending(current))
				return -EINTR;
			err = fill_buffer(it);
			if (err)
				return err;
			cond_resched();
		}
		if (show_next(it))
			return 1;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(hmap_iter_next);

/* === Beginning and end === */

/* Under the map's lock. */
static int set_cursor(struct hmap_iter *it, const struct hmap_cursor *from)
{
	struct hmap *h = it->h;
	u8 B = h->B;

	if (!from || !memchr_inv(from, 0, sizeof(*from))) {
		it->cursor.epoch = h->epoch;
		it->cursor.next = get_random_u64();
		it->cursor.start = (it->cursor.next & bucket_mask(B)) << 8 | B;
		it->cursor.next = reverse_bits(it->cursor.start >> 8);
		return 0;
	}
	it->cursor = *from;
	if (from->epoch != h->epoch)
		return -ESTALE;
	if (from->start == ITER_END)
		return 0;
	/* All it takes for the walk to end: any bucket may be the next one. */
	B = from->start;
	if (B > h->B || from->start >> 8 > bucket_mask(B))
		return -EINVAL;
	return 0;
}

/**
 * hmap_iter_init() - Begin a walk over a map, or go on with one.
 * @it: the iterator
 * @h: the map
 * @from: where to go on, as an iterator had it in its cursor; NULL or all zeros
 *	to begin.  What is in it need not be trusted: at worst some entries are
 *	not given, or given again
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENOMEM; -ESTALE if @from is of another map, or this one was
 * cleared, or became empty and drew a new seed, since; -EINVAL if no iterator
 * of this map can have had @from.  hmap_iter_exit() is for 0 only.
 */
int hmap_iter_init(struct hmap_iter *it, struct hmap *h,
		   const struct hmap_cursor *from)
{
	const struct hmap_type *t = &h->t;
	int err;

	*it = (struct hmap_iter){
		.h = h,
		.entry_size = elem_offset(t) + ALIGN(t->elem_slot, 8),
	};
	err = make_room(it, ITER_ROOM);
	if (err)
		return err;

	spin_lock_bh(&h->lock);
	err = set_cursor(it, from);
	if (!err) {
		h->iterators++;
		h->flags |= HMAP_ITERATOR | HMAP_OLD_ITERATOR;
	}
	spin_unlock_bh(&h->lock);
	if (err)
		kvfree(it->entries);
	return err;
}
EXPORT_SYMBOL_GPL(hmap_iter_init);

/**
 * hmap_iter_exit() - Let go of what an iterator holds.
 * @it: the iterator; its cursor stays as it is
 *
 * Context: Process context.
 */
void hmap_iter_exit(struct hmap_iter *it)
{
	struct hmap *h = it->h;

	put_given(it);
	put_entries(it);
	kvfree(it->entries);
	spin_lock_bh(&h->lock);
	if (!--h->iterators)
		h->flags &= ~(HMAP_ITERATOR | HMAP_OLD_ITERATOR);
	spin_unlock_bh(&h->lock);
}
EXPORT_SYMBOL_GPL(hmap_iter_exit);
