// SPDX-License-Identifier: GPL-2.0
/*
 * Iteration.
 *
 * A walk goes once round the buckets that there were when it began, 2^B of
 * them, from a random one on.  A bucket is copied when the walk comes to it,
 * its keys only, under its stripe: so the walk does not mind what moves
 * afterwards, and holds nothing that a growth would have to wait for.  Each
 * key is then looked up as it is given, and passed over if it is gone.
 *
 * A map only ever grows while it is walked (hmap_clear() ends the walk, which
 * the seed tells).  So if it has grown since the walk began, what was bucket b
 * then are now the buckets b + split * 2^B for all values of split, and no
 * entry has moved from one such family to another.  The members are visited
 * with split counted from its top bit down: when a growth gives split another
 * bit at the top, the buckets already visited become both halves of what they
 * were, and those still to come likewise.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "key.h"

#define SNAPSHOT_ROOM	(2 * BUCKET_CNT)	/* keys, to begin with */

static void drop_snapshot(struct hmap_iter *it)
{
	struct hmap_block **blocks = it->snapshot;

	if (it->h->t.indirect_key)
		while (it->next < it->nr)
			hmap_block_put(blocks[it->next++]);
	it->next = 0;
	it->nr = 0;
}

static void drop_given(struct hmap_iter *it)
{
	hmap_block_put(it->held_key);
	it->held_key = NULL;
	hmap_release(&it->held_elem);
}

/**
 * hmap_iter_init() - Begin a walk over a map.
 * @it: the iterator
 * @h: the map
 *
 * An entry that is in the map from the first hmap_iter_next() to the last is
 * given exactly once, whatever other CPUs do meanwhile.  One that is deleted
 * before it is given is not given, and one that is inserted may be.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int hmap_iter_init(struct hmap_iter *it, struct hmap *h)
{
	const struct hmap_type *t = &h->t;

	*it = (struct hmap_iter){ .h = h, .room = SNAPSHOT_ROOM };
	it->snapshot = kmalloc_array(it->room, t->key_slot, GFP_KERNEL);
	it->buf = kmalloc(t->key_slot + t->elem_slot, GFP_KERNEL);
	if (!it->snapshot || !it->buf) {
		kfree(it->snapshot);
		kfree(it->buf);
		return -ENOMEM;
	}

	spin_lock_bh(&h->lock);
	h->iterators++;
	h->flags |= HMAP_ITERATOR | HMAP_OLD_ITERATOR;
	it->hash0 = h->hash0;
	it->B = h->B;
	spin_unlock_bh(&h->lock);

	it->start = get_random_u64() & bucket_mask(it->B);
	it->offset = get_random_u32() % BUCKET_CNT;
	it->bucket = it->start;
	return 0;
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

	drop_given(it);
	drop_snapshot(it);
	kvfree(it->snapshot);
	kfree(it->buf);
	spin_lock_bh(&h->lock);
	if (!--h->iterators)
		h->flags &= ~(HMAP_ITERATOR | HMAP_OLD_ITERATOR);
	spin_unlock_bh(&h->lock);
}
EXPORT_SYMBOL_GPL(hmap_iter_exit);

/* Copy a key of the bucket to the snapshot, or just count it. */
static void add_key(struct hmap_iter *it, const void *slot)
{
	u32 size = it->h->t.key_slot;
	struct hmap_block *block;

	if (it->nr++ >= it->room)
		return;
	if (it->h->t.indirect_key) {
		block = slot_block(slot);
		refcount_inc(&block->refs);
	}
	memcpy(it->snapshot + (it->nr - 1) * size, slot, size);
}

/* Copy the keys of a chain whose hashes end in the low bits of @bucket. */
static void add_chain(struct hmap_iter *it, struct bmap *b, unsigned long mask,
		      unsigned long bucket, bool all)
{
	const struct hmap_type *t = &it->h->t;
	unsigned int i, slot;
	const void *key;

	for (; b; b = bmap_overflow(t, b)) {
		for (i = 0; i < BUCKET_CNT; i++) {
			slot = (i + it->offset) % BUCKET_CNT;
			if (is_empty(b->tophash[slot]))
				continue;
			key = bmap_key(t, b, slot);
			if (all || (slot_hash(t, t->key_kind, key, it->hash0) &
				    mask) == bucket)
				add_key(it, key);
		}
	}
}

/*
 * Count split on in bits B and up of a bucket's index, from the top one down,
 * and go to the next bucket when all have been visited.
 */
static void advance(struct hmap_iter *it, u8 B)
{
	unsigned long bit;

	for (bit = 1UL << (B - it->B) >> 1; bit; bit >>= 1) {
		it->split ^= bit;
		if (it->split & bit)
			return;
	}
	it->bucket = (it->bucket + 1) & bucket_mask(it->B);
	it->done = it->bucket == it->start;
}

/* Under the stripe of the bucket: copy it, wherever it is now. */
static void copy_bucket(struct hmap_iter *it, struct bucket_array *a,
			unsigned long bucket)
{
	struct bucket_array *old = oldbuckets_of(it->h);
	const struct hmap_type *t = &it->h->t;
	struct bmap *b;

	if (old) {
		b = bucket_at(t, old, bucket & bucket_mask(old->B));
		if (!evacuated(b)) {
			add_chain(it, b, bucket_mask(a->B), bucket,
				  old->B == a->B);
			return;
		}
	}
	add_chain(it, bucket_at(t, a, bucket), 0, 0, true);
}

/*
 * Copy the keys of the bucket the walk is at.  Returns true when that is done
 * or there is nothing more to copy; false to try again, with more room if
 * it->nr is over it->room.
 */
static bool try_bucket(struct hmap_iter *it)
{
	struct hmap *h = it->h;
	struct bucket_array *a;
	union choice choice;
	unsigned long bucket;
	struct stripe *s;
	bool valid;

	bucket = it->bucket | it->split << it->B;
	choice = choice_of(h);
	s = stripe_of(h, choice, bucket);
	spin_lock_bh(&s->lock);
	valid = stripe_valid(h, choice);
	a = buckets_of(h);
	it->done = !a || choice.hash0 != it->hash0;
	if (valid && !it->done) {
		copy_bucket(it, a, bucket);
		if (it->nr <= it->room)
			advance(it, a->B);
	}
	spin_unlock_bh(&s->lock);
	return it->done || (valid && it->nr <= it->room);
}

static int more_room(struct hmap_iter *it)
{
	unsigned int room = it->nr;
	void *snapshot;

	it->nr = it->room;
	drop_snapshot(it);
	snapshot = kvmalloc_array(room, it->h->t.key_slot, GFP_KERNEL);
	if (!snapshot)
		return -ENOMEM;
	kvfree(it->snapshot);
	it->snapshot = snapshot;
	it->room = room;
	return 0;
}

static int next_bucket(struct hmap_iter *it)
{
	bool copied;
	int err;

	it->next = 0;
	it->nr = 0;
	for (;;) {
		copied = try_bucket(it);
		if (copied)
			return 0;
		if (it->nr > it->room) {
			err = more_room(it);
			if (err)
				return err;
		}
	}
}

/* Give the next key of the snapshot if it is still there. */
static int give(struct hmap_iter *it)
{
	struct hmap *h = it->h;
	const struct hmap_type *t = &h->t;
	struct hmap_bytes string;
	const void *key;
	int err;

	memcpy(it->buf, it->snapshot + it->next++ * t->key_slot, t->key_slot);
	it->key = it->buf;
	it->key_len = t->key_size;
	if (t->indirect_key) {
		it->held_key = *(struct hmap_block **)it->buf;
		it->key = it->held_key->data;
		it->key_len = it->held_key->len;
	}

	key = it->key;
	if (t->key_kind == HMAP_KEY_STRING) {
		string = (struct hmap_bytes){ it->key, it->key_len };
		key = &string;
	}
	if (t->indirect_elem) {
		err = hmap_hold(h, key, &it->held_elem);
		it->elem = it->held_elem.data;
		it->elem_len = it->held_elem.len;
	} else {
		err = hmap_lookup(h, key, it->buf + t->key_slot);
		it->elem = it->buf + t->key_slot;
		it->elem_len = t->elem_size;
	}
	return err;
}

/**
 * hmap_iter_next() - Go on to the next entry.
 * @it: the iterator
 *
 * Context: Process context, may sleep.
 * Return: 1 if there was one, which @it shows until the next call; 0 at the
 * end of the walk; -ENOMEM, and the walk is where it was.
 */
int hmap_iter_next(struct hmap_iter *it)
{
	int err;

	for (;;) {
		drop_given(it);
		if (READ_ONCE(it->h->hash0) != it->hash0) {
			drop_snapshot(it);
			it->done = true;
		}
		if (it->next < it->nr) {
			if (!give(it))
				return 1;
			continue;
		}
		if (it->done)
			return 0;
		err = next_bucket(it);
		if (err)
			return err;
		cond_resched();
	}
}
EXPORT_SYMBOL_GPL(hmap_iter_next);

/**
 * hmap_iter_back() - Go back before the present entry.
 * @it: the iterator, whose last hmap_iter_next() returned 1
 *
 * The next hmap_iter_next() gives the entry again, as it is then, or goes on
 * if it is gone.
 *
 * Context: Process context.
 */
void hmap_iter_back(struct hmap_iter *it)
{
	/* The snapshot still has its key, and takes back the reference. */
	it->held_key = NULL;
	it->next--;
}
EXPORT_SYMBOL_GPL(hmap_iter_back);
