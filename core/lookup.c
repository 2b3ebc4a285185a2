// SPDX-License-Identifier: GPL-2.0
/*
 * Lookup.
 *
 * The code is written once, for any kind of key, and made into one copy each
 * for the kinds that have a fast path.
 */
#include "lookup.h"

/* === What is not in the bucket itself === */

/* What the following return where the bucket has been evacuated. */
#define READ_MOVED	1

/* Go on in the chain of a bucket, in a section that has been begun. */
static int read_chain(const struct bucket_array *a, struct bmap *head, u32 seq,
		      u64 word, u8 top, const void *key, void *to)
{
	const struct hmap_type *t = &a->h->t;
	struct hmap_place at;
	bool found;

	found = hmap_find_behind(t, a, t->key_kind, head, word, top, key, &at);
	if (found && to)
		hmap_copy(to, bmap_elem(t, at.b, at.slot), t->elem_slot);
	if (!guard_read_valid(head, seq))
		return -EAGAIN;
	if (found)
		return 0;
	return tophash_evacuated(word) ? READ_MOVED : -ENOENT;
}

/**
 * hmap_read_rest() - Do what hmap_read_bucket() does not do itself.
 * @a: the array
 * @head: the bucket
 * @seq: what its sequence was when it was looked at
 * @word: what its tophash bytes were, none of which was the key's
 * @hash: the key's
 * @key: the key
 * @to: where to copy the elem's slot, or NULL
 *
 * Context: Under rcu_read_lock().
 * Return: As hmap_read_bucket().
 */
int hmap_read_rest(const struct bucket_array *a, struct bmap *head, u32 seq,
		   u64 word, u64 hash, const void *key, void *to)
{
	int ret = read_chain(a, head, seq, word, tophash(hash), key, to);

	return ret == READ_MOVED ? -EAGAIN : ret;
}
EXPORT_SYMBOL_GPL(hmap_read_rest);

/* The same for a bucket of the old array. */
static int read_old(const struct bucket_array *old, u64 hash, const void *key,
		    void *to)
{
	const struct hmap_type *t = &old->h->t;
	struct bmap *head = bucket_of(t, old, hash);
	u32 seq = guard_read_begin(head);
	u64 word = tophash_load(head);
	struct hmap_place at;

	if (!hmap_find_in_bucket(t, t->key_kind, head, word, tophash(hash),
				 key, &at))
		return read_chain(old, head, seq, word, tophash(hash), key, to);
	if (to)
		hmap_copy(to, bmap_elem(t, at.b, at.slot), t->elem_slot);
	return guard_read_valid(head, seq) ? 0 : -EAGAIN;
}

/**
 * hmap_read_growing() - Read without a lock while there is an old array.
 * @a: the array
 * @old: the one it replaces
 * @hash: the key's
 * @key: the key
 * @to: where to copy the elem's slot, or NULL
 *
 * Context: Under rcu_read_lock().
 * Return: As hmap_read_try().
 */
int hmap_read_growing(struct bucket_array *a, struct bucket_array *old,
		      u64 hash, const void *key, void *to)
{
	const struct hmap_type *t = &a->h->t;
	int ret = read_old(old, hash, key, to);

	if (ret != READ_MOVED)
		return ret;
	smp_rmb();	/* pairs with the release in evac_mark() */
	return hmap_read_bucket(t, a, t->key_kind, bucket_of(t, a, hash), hash,
				key, to);
}
EXPORT_SYMBOL_GPL(hmap_read_growing);

/* === Where writers are in the way === */

/* Read from a bucket with its lock. */
static int read_bucket_locked(const struct bucket_array *a, u64 hash,
			      const void *key, void *to)
{
	struct hmap *h = a->h;
	const struct hmap_type *t = &h->t;
	struct bmap *head = bucket_of(t, a, hash);
	unsigned long flags;
	struct hmap_place at;
	int ret = -ENOENT;
	u64 word;

	local_irq_save(flags);
	guard_lock(head, guard_map_of(h));
	word = tophash_load(head);
	if (tophash_evacuated(word)) {
		ret = READ_MOVED;
	} else if (hmap_find(t, a, t->key_kind, head, word, tophash(hash), key,
			     &at)) {
		if (to)
			hmap_copy(to, bmap_elem(t, at.b, at.slot),
				  t->elem_slot);
		ret = 0;
	}
	guard_unlock(head, guard_map_of(h));
	local_irq_restore(flags);
	return ret;
}

/* As hmap_read_try(), but waits for writers; -EAGAIN if the array has gone. */
static int read_locked(struct hmap *h, const void *key, void *to)
{
	struct bucket_array *a = buckets_of(h), *old;
	int ret = READ_MOVED;
	u64 hash;

	if (!a)
		return -ENOENT;
	hash = key_hash(&h->t, h->t.key_kind, key, READ_ONCE(a->hash0));
	old = old_of(a);
	if (old)
		ret = read_bucket_locked(old, hash, key, to);
	if (ret == READ_MOVED)
		ret = read_bucket_locked(a, hash, key, to);
	return ret == READ_MOVED ? -EAGAIN : ret;
}

static noinline int read_again(struct hmap *h, const void *key, void *to)
{
	unsigned int tries;
	int ret = -EAGAIN;

	for (tries = 1; ret == -EAGAIN && tries < LOOKUP_TRIES; tries++) {
		cpu_relax();
		ret = hmap_read_try(h, &h->t, h->t.key_kind, key, to);
	}
	while (ret == -EAGAIN)
		ret = read_locked(h, key, to);
	return ret;
}

/* === By kind === */

/* A function for each kind, since kinds that share one share its registers. */
static noinline int read_u32(struct hmap *h, const void *key, void *to)
{
	int ret = hmap_read_try(h, &h->t, HMAP_KEY_U32, key, to);

	return likely(ret != -EAGAIN) ? ret : read_again(h, key, to);
}

static noinline int read_u64(struct hmap *h, const void *key, void *to)
{
	int ret = hmap_read_try(h, &h->t, HMAP_KEY_U64, key, to);

	return likely(ret != -EAGAIN) ? ret : read_again(h, key, to);
}

static noinline int read_bytes(struct hmap *h, const void *key, void *to)
{
	int ret = hmap_read_try(h, &h->t, HMAP_KEY_BYTES, key, to);

	return likely(ret != -EAGAIN) ? ret : read_again(h, key, to);
}

static noinline int read_string(struct hmap *h, const void *key, void *to)
{
	int ret = hmap_read_try(h, &h->t, HMAP_KEY_STRING, key, to);

	return likely(ret != -EAGAIN) ? ret : read_again(h, key, to);
}

static noinline int read_inline(struct hmap *h, const void *key, void *to)
{
	int ret = hmap_read_try(h, &h->t, KEY_INLINE_STRING, key, to);

	return likely(ret != -EAGAIN) ? ret : read_again(h, key, to);
}

static __always_inline int read_kind(struct hmap *h, const void *key, void *to)
{
	switch (h->t.key_kind) {
	case HMAP_KEY_U32:
		return read_u32(h, key, to);
	case HMAP_KEY_U64:
		return read_u64(h, key, to);
	case HMAP_KEY_BYTES:
		return read_bytes(h, key, to);
	case HMAP_KEY_STRING:
		return read_string(h, key, to);
	default:
		return read_inline(h, key, to);
	}
}

static noinline int lookup_block(struct hmap *h, const void *key, void *elem)
{
	struct hmap_block *block;
	int ret;

	if (h->t.var_elem && elem)
		return -EOPNOTSUPP;
	rcu_read_lock();
	ret = read_kind(h, key, &block);
	if (!ret && elem)
		memcpy(elem, block->data, block->len);
	rcu_read_unlock();
	return ret;
}

/**
 * hmap_lookup() - Look for a key and copy its elem.
 * @h: the map
 * @key: the key
 * @elem: where to put the elem, &hmap_params.elem_size bytes; or NULL just to
 *	know whether the key is there.  Its contents are undefined unless 0 is
 *	returned
 *
 * What is copied is one elem, whole, that was stored for this key.  Where
 * elems are pointers to memory of the caller's, it is the caller who sees to
 * it that the memory is still there::
 *
 *	rcu_read_lock();
 *	if (!hmap_lookup(h, &key, &obj))
 *		use(obj);
 *	rcu_read_unlock();
 *
 * with whoever takes the pointer out of the map freeing it by kfree_rcu().
 *
 * Context: Any but NMI; does not sleep.  Takes no lock unless writers keep
 * writing to the same bucket.
 * Return: 0, -ENOENT if the key is not there, or -EOPNOTSUPP if @elem is given
 * and elems vary in length: use hmap_hold().
 */
int hmap_lookup(struct hmap *h, const void *key, void *elem)
{
	int ret;

	if (h->t.indirect_elem)
		return lookup_block(h, key, elem);
	rcu_read_lock();
	ret = read_kind(h, key, elem);
	rcu_read_unlock();
	return ret;
}
EXPORT_SYMBOL_GPL(hmap_lookup);

static __always_inline void
prefetch_kind(const struct hmap *h, const u8 kind, const void *keys,
	      size_t stride, unsigned int n)
{
	struct bucket_array *a = buckets_of(h), *old;
	struct bmap *b;
	u64 hash;

	if (!a)
		return;
	old = old_of(a);
	for (; n; n--, keys += stride) {
		hash = key_hash(&h->t, kind, keys, READ_ONCE(a->hash0));
		if (old)
			prefetch(bucket_of(&h->t, old, hash));
		b = bucket_of(&h->t, a, hash);
		prefetch(b);
		prefetch((void *)b + 64);
	}
}

/**
 * hmap_prefetch() - Have the buckets of several keys brought into the cache.
 * @h: the map
 * @keys: the keys, one behind the other
 * @stride: bytes from one key, as the API passes it, to the next
 * @n: how many; more than a few dozen drive each other out
 *
 * Call before looking up several keys, to overlap the cache misses.
 *
 * Context: Any but NMI; does not sleep.
 */
void hmap_prefetch(struct hmap *h, const void *keys, size_t stride,
		   unsigned int n)
{
	rcu_read_lock();
	if (h->t.key_kind == HMAP_KEY_U64)
		prefetch_kind(h, HMAP_KEY_U64, keys, stride, n);
	else
		prefetch_kind(h, h->t.key_kind, keys, stride, n);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(hmap_prefetch);

/**
 * hmap_hold() - Look for a key and keep its elem from being freed.
 * @h: the map, whose elems are over 128 bytes or vary in length
 * @key: the key
 * @held: set to the elem, which stays as it is until hmap_release()
 *
 * Context: Any but NMI; does not sleep.
 * Return: 0, -ENOENT if the key is not there, or -EOPNOTSUPP if elems are held
 * in the buckets: use hmap_lookup().
 */
int hmap_hold(struct hmap *h, const void *key, struct hmap_held *held)
{
	struct hmap_block *block;
	int ret;

	if (!h->t.indirect_elem)
		return -EOPNOTSUPP;
	rcu_read_lock();
	do
		ret = read_kind(h, key, &block);
	while (!ret && !refcount_inc_not_zero(&block->refs));
	rcu_read_unlock();
	if (!ret)
		*held = (struct hmap_held){ block->data, block->len, block };
	return ret;
}
EXPORT_SYMBOL_GPL(hmap_hold);

/**
 * hmap_release() - Let go of what hmap_hold() holds.
 * @held: the elem
 *
 * Context: Any but NMI; does not sleep.
 */
void hmap_release(struct hmap_held *held)
{
	hmap_block_put(held->block);
	held->block = NULL;
}
EXPORT_SYMBOL_GPL(hmap_release);
