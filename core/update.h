/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Insert and delete where nothing is concerned but the bucket itself, and an
 * entry that is held in its slot.  All else is left to hmap_update().
 *
 * As in lookup.h, a kind or a type that is a constant makes for code of its own.
 */
#ifndef _HMAP_UPDATE_H
#define _HMAP_UPDATE_H

#include <linux/prefetch.h>

#include "count.h"
#include "lookup.h"

bool hmap_count_more(struct bucket_array *a);
bool hmap_insert_grows(struct bucket_array *a);
int hmap_insert_any(struct hmap *h, const void *key, const void *elem,
		    enum hmap_mode mode, gfp_t gfp);
int hmap_take_any(struct hmap *h, const void *key, void *elem);

/* The lines of a bucket that a write is going to touch, all at once. */
static __always_inline void hmap_prefetch_to_write(struct bmap *head)
{
	prefetchw(head);
	prefetchw((void *)head + 64);
	prefetchw((void *)head + 128);
}

/*
 * The bucket to write to, and the hash of the key; NULL if there is more to do:
 * make the first array, keep a seed, go on with a growth.
 */
static __always_inline struct bmap *
hmap_bucket_to_write(const struct hmap *h, const struct hmap_type *t,
		     const u8 kind, const void *key, struct bucket_array **array,
		     u64 *hash)
{
	struct bucket_array *a = buckets_of(h);
	struct bmap *head;

	/* Pairs with the release in reseed_done(): hash0 is read after it. */
	if (unlikely(!a || smp_load_acquire(&a->frozen) || old_of(a)))
		return NULL;
	*array = a;
	*hash = key_hash(t, kind, key, READ_ONCE(a->hash0));
	head = bucket_of(t, a, *hash);
	hmap_prefetch_to_write(head);
	return head;
}

/* Whether a key that is not in the bucket is not behind it, either. */
static __always_inline bool hmap_ends_here(const struct bmap *head, u64 word,
					   u8 top)
{
	return !tophash_evacuated(word) &&
	       (tophash_match(word, EMPTY_REST) || filter_lacks(head, top));
}

/* Insert into a bucket under its guard; -EAGAIN if there is more to it. */
static __always_inline int
hmap_insert_in_bucket(const struct hmap_type *t, const u8 kind,
		      struct bucket_array *a, struct bmap *head, u64 hash,
		      const void *key, const void *elem, enum hmap_mode mode)
{
	u64 word = tophash_load(head), empty;
	struct hmap_place at;

	/* No tophash of a bucket that was evacuated matches. */
	if (hmap_find_in_bucket(t, kind, head, word, tophash(hash), key, &at)) {
		if (mode == HMAP_NOEXIST)
			return -EEXIST;
		hmap_copy(elem_at(t, kind, head, at.slot), elem, t->elem_slot);
		return 0;
	}
	empty = tophash_match_empty(word);
	if (unlikely(!empty || !hmap_ends_here(head, word, tophash(hash)) ||
		     mode == HMAP_EXIST))
		return -EAGAIN;
	if (unlikely(!hmap_count_take(a) && !hmap_count_more(a)))
		return -EAGAIN;
	at.slot = tophash_first(empty);
	slot_set_key(t, key_at(t, kind, head, at.slot), key, NULL);
	hmap_copy(elem_at(t, kind, head, at.slot), elem, t->elem_slot);
	hmap_test_delay();
	WRITE_ONCE(head->tophash[at.slot], tophash(hash));
	return 0;
}

/* Likewise take an entry out, and copy its elem if @to is not NULL. */
static __always_inline int
hmap_take_from_bucket(const struct hmap_type *t, const u8 kind,
		      const struct bucket_array *a, struct bmap *head, u64 hash,
		      const void *key, void *to)
{
	u64 word = tophash_load(head);
	struct hmap_place at;

	if (unlikely(!hmap_find_in_bucket(t, kind, head, word, tophash(hash),
					  key, &at)))
		return hmap_ends_here(head, word, tophash(hash)) ? -ENOENT :
								   -EAGAIN;
	/* What it becomes depends on the bucket behind. */
	if (unlikely(at.slot == BUCKET_CNT - 1 && bmap_overflow(t, a, head)))
		return -EAGAIN;
	if (to)
		hmap_copy(to, elem_at(t, kind, head, at.slot), t->elem_slot);
	word = tophash_without(word, at.slot, true);
	WRITE_ONCE(head->tophash_word, cpu_to_le64(word));
	if (t->mapped)
		bmap_wipe_slot(t, head, at.slot);
	return 0;
}

/*
 * What of hmap_insert() is most often all of it, in a map of type @t; -EAGAIN
 * where it is not.
 */
static __always_inline int
hmap_insert_try(struct hmap *h, const struct hmap_type *t, const u8 kind,
		const void *key, const void *elem, enum hmap_mode mode)
{
	int ret = -EAGAIN;
	struct bucket_array *a;
	unsigned long flags;
	struct bmap *head;
	u64 hash;

	if (t->indirect_elem || key_needs_block(t, key))
		return -EAGAIN;
	rcu_read_lock();
	head = hmap_bucket_to_write(h, t, kind, key, &a, &hash);
	if (likely(head)) {
		local_irq_save(flags);
		guard_lock(head, guard_map_of(h));
		ret = hmap_insert_in_bucket(t, kind, a, head, hash, key, elem,
					    mode);
		guard_unlock(head, guard_map_of(h));
		local_irq_restore(flags);
	}
	rcu_read_unlock();
	return ret;
}

/* Likewise of hmap_take(). */
static __always_inline int
hmap_take_try(struct hmap *h, const struct hmap_type *t, const u8 kind,
	      const void *key, void *elem)
{
	int ret = -EAGAIN;
	struct bucket_array *a;
	unsigned long flags;
	struct bmap *head;
	u64 hash;

	if (t->indirect_elem || key_needs_block(t, key))
		return -EAGAIN;
	rcu_read_lock();
	head = hmap_bucket_to_write(h, t, kind, key, &a, &hash);
	if (likely(head)) {
		local_irq_save(flags);
		guard_lock(head, guard_map_of(h));
		ret = hmap_take_from_bucket(t, kind, a, head, hash, key, elem);
		guard_unlock(head, guard_map_of(h));
		if (likely(!ret))
			hmap_count_give(a);
		local_irq_restore(flags);
	}
	rcu_read_unlock();
	return ret;
}

#endif /* _HMAP_UPDATE_H */
