/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a key is, and reading its elem without a lock.
 *
 * The code is written once, for any type, and is another for each kind of key
 * that is a constant where it is called, and for each type that is one.
 */
#ifndef _HMAP_LOOKUP_H
#define _HMAP_LOOKUP_H

#include <linux/prefetch.h>

#include "key.h"

/* A slot of a bucket. */
struct hmap_place {
	struct bmap *b;
	unsigned int slot;	/* BUCKET_CNT: behind b, which is the last */
};

/* As bmap_key(), where the kind of key may tell how many bytes a slot has. */
static __always_inline void *key_at(const struct hmap_type *t, const u8 kind,
				    struct bmap *b, unsigned int slot)
{
	if (kind == HMAP_KEY_U64)
		return (void *)b + sizeof(*b) + slot * sizeof(u64);
	if (kind == HMAP_KEY_U32)
		return (void *)b + sizeof(*b) + slot * sizeof(u32);
	return bmap_key(t, b, slot);
}

/* Likewise bmap_elem(). */
static __always_inline void *elem_at(const struct hmap_type *t, const u8 kind,
				     struct bmap *b, unsigned int slot)
{
	return key_at(t, kind, b, BUCKET_CNT) + slot * t->elem_slot;
}

/*
 * Look for a key in a chain.  Where it is not there, and @empty is not NULL,
 * @empty is the first slot that is free.
 */
static __always_inline bool
hmap_find(const struct hmap_type *t, const u8 kind, struct bmap *b, u8 top,
	  const void *key, struct hmap_place *at, struct hmap_place *empty)
{
	u64 word, match;
	bool rest;

	if (empty)
		empty->b = NULL;
	do {
		word = tophash_load(b);
		smp_rmb();	/* pairs with the release in put_entry() */
		at->b = b;
		for (match = tophash_match(word, top); match;
		     match &= match - 1) {
			at->slot = tophash_first(match);
			if (key_equal(t, kind, key, key_at(t, kind, b, at->slot)))
				return true;
		}
		if (empty && !empty->b && tophash_match_empty(word)) {
			empty->b = b;
			empty->slot = tophash_first(tophash_match_empty(word));
		}
		rest = tophash_match(word, EMPTY_REST);
	} while (!rest && (b = bmap_overflow(t, b)));

	if (empty && !empty->b) {
		empty->b = at->b;
		empty->slot = BUCKET_CNT;
	}
	return false;
}

/*
 * The bucket to look in: the old one until it is evacuated.  A key and its elem
 * lie in one of the next two cache lines, or in both, and are not to wait until
 * the tophash tells which.
 */
static __always_inline struct bmap *
hmap_true_bucket(const struct hmap *h, const struct hmap_type *t,
		 const struct bucket_array *a, u64 hash)
{
	const struct bucket_array *old = oldbuckets_of(h);
	struct bmap *b;

	if (unlikely(old)) {
		b = bucket_of(t, old, hash);
		if (!evacuated(b))
			return b;
	}
	b = bucket_of(t, a, hash);
	prefetch((void *)b + 64);
	prefetch((void *)b + 128);
	return b;
}

/*
 * Copy what the slot of an elem holds: the elem, or a pointer to its block.
 * It counts only if the stripe holds still.
 */
static __always_inline int
hmap_read_slot(const struct hmap *h, const struct hmap_type *t, const u8 kind,
	       u64 hash, const void *key, void *to)
{
	const struct bucket_array *a = buckets_of(h);
	struct hmap_place at;

	if (unlikely(!a) ||
	    !hmap_find(t, kind, hmap_true_bucket(h, t, a, hash), tophash(hash),
		       key, &at, NULL))
		return -ENOENT;
	if (to)
		hmap_copy(to, elem_at(t, kind, at.b, at.slot), t->elem_slot);
	return 0;
}

/* Without the lock; -EAGAIN if a writer was in the way. */
static __always_inline int
hmap_read_try(const struct hmap *h, const struct hmap_type *t, const u8 kind,
	      const void *key, void *to)
{
	union choice choice = choice_of(h);
	u64 hash = key_hash(t, kind, key, choice.hash0);
	struct stripe *s = stripe_of(h, choice, hash);
	unsigned int seq = raw_read_seqcount(&s->seq);
	int ret;

	if (unlikely(seq & 1 || !stripe_valid(h, choice)))
		return -EAGAIN;
	ret = hmap_read_slot(h, t, kind, hash, key, to);
	return likely(!read_seqcount_retry(&s->seq, seq)) ? ret : -EAGAIN;
}

#endif /* _HMAP_LOOKUP_H */
