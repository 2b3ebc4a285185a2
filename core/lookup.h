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

#define LOOKUP_TRIES	8	/* without the lock */

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

/* Look in one bucket, whose tophash bytes are @word. */
static __always_inline bool
hmap_find_in_bucket(const struct hmap_type *t, const u8 kind, struct bmap *b,
		    u64 word, u8 top, const void *key, struct hmap_place *at)
{
	u64 match;

	at->b = b;
	for (match = tophash_match(word, top); match; match &= match - 1) {
		at->slot = tophash_first(match);
		if (key_equal(t, kind, key, key_at(t, kind, b, at->slot)))
			return true;
	}
	return false;
}

/* Look in the chain behind a bucket, whose tophash bytes are @word. */
static __always_inline bool
hmap_find_behind(const struct hmap_type *t, const struct bucket_array *a,
		 const u8 kind, struct bmap *b, u64 word, u8 top,
		 const void *key, struct hmap_place *at)
{
	if (filter_lacks(b, top))
		return false;
	while (!tophash_match(word, EMPTY_REST)) {
		b = bmap_overflow(t, a, b);
		if (!b)
			return false;
		word = tophash_load(b);
		if (hmap_find_in_bucket(t, kind, b, word, top, key, at))
			return true;
	}
	return false;
}

/* Look in a bucket and the chain behind it, under the guard. */
static __always_inline bool
hmap_find(const struct hmap_type *t, const struct bucket_array *a,
	  const u8 kind, struct bmap *head, u64 word, u8 top, const void *key,
	  struct hmap_place *at)
{
	return hmap_find_in_bucket(t, kind, head, word, top, key, at) ||
	       hmap_find_behind(t, a, kind, head, word, top, key, at);
}

int hmap_read_rest(const struct bucket_array *a, struct bmap *head, u32 seq,
		   u64 word, u64 hash, const void *key, void *to);
int hmap_read_growing(struct bucket_array *a, struct bucket_array *old,
		      u64 hash, const void *key, void *to);

/*
 * Read from a bucket without its lock.  A key is always in the same slot while
 * it is there.  So a tophash word, read in one, that shows neither the key nor
 * that there may be more behind it is proof enough that the key is not there, and
 * so is a filter without the key's bit beside such a word; all other results
 * count only if the guard stands still.  In a mapped map evacuation wipes the
 * keys that it has moved, so there a tophash that is the key's counts as the key,
 * whatever the slot holds by now.
 *
 * Returns 0, -ENOENT, or -EAGAIN if a writer was in the way or the bucket has
 * been evacuated.
 */
static __always_inline int
hmap_read_bucket(const struct hmap_type *t, const struct bucket_array *a,
		 const u8 kind, struct bmap *head, u64 hash, const void *key,
		 void *to)
{
	u32 seq = guard_read_begin(head);
	u64 word = tophash_load(head);
	u8 top = tophash(hash);
	struct hmap_place at;

	if (likely(hmap_find_in_bucket(t, kind, head, word, top, key, &at))) {
		if (to)
			hmap_copy(to, elem_at(t, kind, at.b, at.slot),
				  t->elem_slot);
		return guard_read_valid(head, seq) ? 0 : -EAGAIN;
	}
	/* One branch, as nothing predicts whether a bucket is full. */
	if (IS_ENABLED(CONFIG_64BIT) && likely(!tophash_evacuated(word)) &&
	    likely(tophash_match(word, EMPTY_REST) | filter_lacks(head, top)) &&
	    likely(!t->mapped || !tophash_match(word, top))) {
		guard_read_end();
		return -ENOENT;
	}
	return hmap_read_rest(a, head, seq, word, hash, key, to);
}

/*
 * Look in the true bucket: the old one until it is evacuated.  -EAGAIN if a
 * writer was in the way or the array has been replaced.
 */
static __always_inline int
hmap_read_try(const struct hmap *h, const struct hmap_type *t, const u8 kind,
	      const void *key, void *to)
{
	struct bucket_array *a = buckets_of(h), *old;
	struct bmap *b;
	u64 hash;

	if (unlikely(!a))
		return -ENOENT;
	hash = key_hash(t, kind, key, READ_ONCE(a->hash0));
	b = bucket_of(t, a, hash);
	/* The key and its elem lie in one of the next two lines, or in both. */
	prefetch((void *)b + 64);
	prefetch((void *)b + 128);

	old = old_of(a);
	if (unlikely(old))
		return hmap_read_growing(a, old, hash, key, to);
	return hmap_read_bucket(t, a, kind, b, hash, key, to);
}

#endif /* _HMAP_LOOKUP_H */
