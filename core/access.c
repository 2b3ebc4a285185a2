// SPDX-License-Identifier: GPL-2.0
/*
 * Lookup, insert, update and delete.
 *
 * The code is written once, for any kind of key, and made into one copy each
 * for the kinds that have a fast path.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "lookup.h"

/* Times a lookup is tried without the lock. */
#define LOOKUP_TRIES	4

/* === Lookup === */

static int read_locked(struct hmap *h, const void *key, void *to)
{
	union choice choice = choice_of(h);
	u64 hash = key_hash(&h->t, h->t.key_kind, key, choice.hash0);
	struct stripe *s = stripe_of(h, choice, hash);
	int ret = -EAGAIN;

	spin_lock_bh(&s->lock);
	if (stripe_valid(h, choice))
		ret = hmap_read_slot(h, &h->t, h->t.key_kind, hash, key, to);
	spin_unlock_bh(&s->lock);
	return ret;
}

static noinline int read_again(struct hmap *h, const void *key, void *to)
{
	unsigned int tries;
	int ret = -EAGAIN;

	for (tries = 1; ret == -EAGAIN && tries < LOOKUP_TRIES; tries++)
		ret = hmap_read_try(h, &h->t, h->t.key_kind, key, to);
	while (ret == -EAGAIN)
		ret = read_locked(h, key, to);
	return ret;
}

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

static __always_inline int read_kind(struct hmap *h, const void *key, void *to)
{
	switch (h->t.key_kind) {
	case HMAP_KEY_U32:
		return read_u32(h, key, to);
	case HMAP_KEY_U64:
		return read_u64(h, key, to);
	case HMAP_KEY_BYTES:
		return read_bytes(h, key, to);
	default:
		return read_string(h, key, to);
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
 * Context: Process or softirq context; does not sleep.  Takes no lock unless
 * writers keep writing to the same part of the map.
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
	const struct bucket_array *a = rcu_dereference(h->buckets);
	u32 hash0 = choice_of(h).hash0;
	u64 hash;

	for (; a && n; n--, keys += stride) {
		hash = key_hash(&h->t, kind, keys, hash0);
		prefetch(bucket_of(&h->t, a, hash));
	}
}

/**
 * hmap_prefetch() - Have the buckets of several keys brought into the cache.
 * @h: the map
 * @keys: the keys, one behind the other
 * @stride: bytes from one key, as the API passes it, to the next
 * @n: how many; more than a few dozen drive each other out
 *
 * For who is about to look for all of them: the memory is waited for once.
 *
 * Context: Process or softirq context; does not sleep.
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
 * Context: Process or softirq context; does not sleep.
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
 * Context: Process or softirq context; does not sleep.
 */
void hmap_release(struct hmap_held *held)
{
	hmap_block_put(held->block);
	held->block = NULL;
}
EXPORT_SYMBOL_GPL(hmap_release);

/* === Writing === */

/* What a try says that has to be done before the next. */
enum write_again {
	AGAIN = 1,
	AGAIN_FIRST,	/* make the first array */
	AGAIN_GROW,	/* start a growth */
	AGAIN_MEMORY,	/* get what is needed with op->gfp */
};

static bool stores_elem(const struct hmap_op *op)
{
	return op->what <= HMAP_CMPXCHG;
}

static bool makes_entry(const struct hmap_op *op)
{
	return (op->what == HMAP_STORE || op->what == HMAP_ADD) &&
	       op->mode != HMAP_EXIST;
}

static struct hmap_bytes elem_bytes(const struct hmap_type *t, const void *elem)
{
	if (t->var_elem)
		return *(const struct hmap_bytes *)elem;
	return (struct hmap_bytes){ elem, t->elem_size };
}

static __always_inline void put_elem(struct hmap *h, struct hmap_op *op,
				     void *slot)
{
	if (!h->t.indirect_elem) {
		hmap_copy(slot, op->elem, h->t.elem_size);
		return;
	}
	slot_set_block(slot, op->elem_block);
	op->elem_block = NULL;
}

/* Tell of the elem that is there; -EMSGSIZE if there is no room for it. */
static __always_inline int see_elem(struct hmap *h, struct hmap_op *op,
				    const void *slot)
{
	struct hmap_block *block;
	u32 room = op->old_len;

	op->present = true;
	if (!h->t.indirect_elem) {
		op->old_len = h->t.elem_size;
		if (op->old)
			hmap_copy(op->old, slot, h->t.elem_size);
		return 0;
	}
	block = slot_block(slot);
	op->old_len = block->len;
	if (!op->old)
		return 0;
	if (block->len > room)
		return -EMSGSIZE;
	/* It may be long, and is copied when the stripe has been let go. */
	refcount_inc(&block->refs);
	op->seen = block;
	return 0;
}

static void leave_elem(struct hmap *h, struct hmap_op *op, const void *slot)
{
	if (h->t.indirect_elem)
		op->old_elem = slot_block(slot);
}

static bool elem_equal(const struct hmap_type *t, const void *slot,
		       const void *elem)
{
	struct hmap_bytes bytes = elem_bytes(t, elem);
	const struct hmap_block *block;

	if (!t->indirect_elem)
		return !memcmp(slot, bytes.data, bytes.len);
	block = slot_block(slot);
	return block->len == bytes.len &&
	       !memcmp(block->data, bytes.data, bytes.len);
}

static void add_to_elem(struct hmap *h, struct hmap_op *op, void *slot)
{
	if (h->t.elem_size == 8)
		*(u64 *)slot += *(const u64 *)op->elem;
	else
		*(u32 *)slot += *(const u32 *)op->elem;
}

/*
 * Make a slot empty; and if nothing is in use behind it, it and the empty
 * ones before it, back through the chain, say so from now on.
 */
static void mark_empty(const struct hmap_type *t, struct bmap *head,
		       struct hmap_place at)
{
	struct bmap *b = at.b, *next = bmap_overflow(t, b), *prev;
	unsigned int i = at.slot;

	WRITE_ONCE(b->tophash[i], EMPTY_ONE);
	if (i == BUCKET_CNT - 1 ? next && next->tophash[0] != EMPTY_REST :
				  b->tophash[i + 1] != EMPTY_REST)
		return;
	do {
		WRITE_ONCE(b->tophash[i], EMPTY_REST);
		if (i) {
			i--;
			continue;
		}
		if (b == head)
			return;
		for (prev = head; (next = bmap_overflow(t, prev)) != b;)
			prev = next;
		b = prev;
		i = BUCKET_CNT - 1;
	} while (b->tophash[i] == EMPTY_ONE);
}

static noinline void delete_entry(struct hmap *h, struct hmap_op *op,
				  struct bmap *head, struct hmap_place at)
{
	void *key = bmap_key(&h->t, at.b, at.slot);
	void *elem = bmap_elem(&h->t, at.b, at.slot);

	leave_elem(h, op, elem);
	mark_empty(&h->t, head, at);
	if (h->t.indirect_key) {
		op->old_key = slot_block(key);
		slot_set_block(key, NULL);
	}
	if (h->t.indirect_elem)
		slot_set_block(elem, NULL);
	if (!atomic_long_dec_return(&h->count))
		hmap_reseed_later(h);
}

static __always_inline int write_present(struct hmap *h, struct hmap_op *op,
					 struct bmap *head, struct hmap_place at)
{
	void *elem = bmap_elem(&h->t, at.b, at.slot);
	int err;

	err = see_elem(h, op, elem);
	if (err)
		return err;

	if (makes_entry(op) && op->mode == HMAP_NOEXIST)
		return -EEXIST;

	switch (op->what) {
	case HMAP_STORE:
		break;
	case HMAP_CMPXCHG:
		if (!elem_equal(&h->t, elem, op->expect))
			return -ESTALE;
		break;
	case HMAP_ADD:
		add_to_elem(h, op, elem);
		return 0;
	case HMAP_TAKE:
		delete_entry(h, op, head, at);
		return 0;
	}
	leave_elem(h, op, elem);
	put_elem(h, op, elem);
	return 0;
}

static int put_entry(struct hmap *h, const u8 kind, struct hmap_op *op,
		     struct bucket_array *a, u8 top, struct hmap_place at)
{
	const struct hmap_type *t = &h->t;
	struct hmap_bytes bytes;
	struct bmap *next;
	void *key;

	if (t->indirect_key && !op->key_block) {
		bytes = key_bytes(t, kind, op->key);
		op->key_block = hmap_block_new(h, bytes.data, bytes.len,
					       HMAP_GFP_STRIPE);
		if (IS_ERR(op->key_block)) {
			op->key_block = NULL;
			return AGAIN_MEMORY;
		}
	}
	if (at.slot == BUCKET_CNT) {
		next = hmap_newoverflow(h, a, &op->overflow);
		if (!next)
			return AGAIN_MEMORY;
		bmap_set_overflow(t, at.b, next);
		at = (struct hmap_place){ next, 0 };
	}

	key = bmap_key(t, at.b, at.slot);
	if (t->indirect_key) {
		slot_set_block(key, op->key_block);
		op->key_block = NULL;
	} else {
		hmap_copy(key, op->key, t->key_size);
	}
	put_elem(h, op, bmap_elem(t, at.b, at.slot));
	/* Pairs with the smp_rmb() in hmap_find(). */
	smp_store_release(&at.b->tophash[at.slot], top);
	return 0;
}

/* Count an entry that is about to be there. */
static bool count_entry(struct hmap *h)
{
	unsigned long max = READ_ONCE(h->max_entries);
	long count = atomic_long_read(&h->count);

	do {
		if (count >= max)
			return false;
	} while (!atomic_long_try_cmpxchg(&h->count, &count, count + 1));
	return true;
}

static int write_absent(struct hmap *h, const u8 kind, struct hmap_op *op,
			struct bucket_array *a, u8 top, struct hmap_place at)
{
	int ret;

	if (!makes_entry(op))
		return -ENOENT;
	/* What is refused does not make the map grow. */
	if (unlikely(atomic_long_read(&h->count) >= READ_ONCE(h->max_entries)))
		return -ENOSPC;
	if (unlikely(hmap_wants_growth(h))) {
		/* Those who can't wait for the work item do what they can. */
		if (hmap_grow_is_small(h) || hmap_outgrown(h))
			return AGAIN_GROW;
		hmap_grow_later(h);
		op->outrun = true;
	} else if (unlikely(hmap_outgrown(h))) {
		ret = hmap_grow_refused(h);
		if (ret)
			return ret;
	}
	if (!count_entry(h))
		return -ENOSPC;
	ret = put_entry(h, kind, op, a, top, at);
	if (ret)
		atomic_long_dec(&h->count);
	return ret;
}

/*
 * The array to write to: the old one for a bucket that there is no memory to
 * evacuate, and which so stays the true one.
 */
static __always_inline struct bucket_array *array_to_write(struct hmap *h,
							   u64 hash)
{
	struct bucket_array *old = oldbuckets_of(h);

	if (unlikely(old) && hmap_evacuate(h, hash & old->mask))
		return old;
	return buckets_of(h);
}

static __always_inline int write_try(struct hmap *h, const u8 kind,
				     struct hmap_op *op)
{
	struct bucket_array *a;
	struct hmap_place at, empty;
	union choice choice = choice_of(h);
	u64 hash = key_hash(&h->t, kind, op->key, choice.hash0);
	struct stripe *s = stripe_of(h, choice, hash);
	struct bmap *head;
	int ret;

	stripe_write_begin(s);
	ret = AGAIN;
	if (unlikely(!stripe_valid(h, choice)))
		goto out;
	a = array_to_write(h, hash);
	ret = makes_entry(op) ? AGAIN_FIRST : -ENOENT;
	if (unlikely(!a))
		goto out;

	head = bucket_of(&h->t, a, hash);
	if (hmap_find(&h->t, kind, head, tophash(hash), op->key, &at, &empty))
		ret = write_present(h, op, head, at);
	else
		ret = write_absent(h, kind, op, a, tophash(hash), empty);
out:
	stripe_write_end(s);
	return ret;
}

static noinline int write_u32(struct hmap *h, struct hmap_op *op)
{
	return write_try(h, HMAP_KEY_U32, op);
}

static noinline int write_u64(struct hmap *h, struct hmap_op *op)
{
	return write_try(h, HMAP_KEY_U64, op);
}

static noinline int write_bytes(struct hmap *h, struct hmap_op *op)
{
	return write_try(h, HMAP_KEY_BYTES, op);
}

static noinline int write_string(struct hmap *h, struct hmap_op *op)
{
	return write_try(h, HMAP_KEY_STRING, op);
}

static __always_inline int write_kind(struct hmap *h, struct hmap_op *op)
{
	switch (h->t.key_kind) {
	case HMAP_KEY_U32:
		return write_u32(h, op);
	case HMAP_KEY_U64:
		return write_u64(h, op);
	case HMAP_KEY_BYTES:
		return write_bytes(h, op);
	default:
		return write_string(h, op);
	}
}

static int make_first_array(struct hmap *h, gfp_t gfp)
{
	struct bucket_array *a = hmap_array_new(h, 0, gfp);

	if (IS_ERR(a))
		return PTR_ERR(a);
	/* Where there is no array, nobody changes one. */
	spin_lock_bh(&h->lock);
	if (!rcu_access_pointer(h->buckets)) {
		rcu_assign_pointer(h->buckets, a);
		a = NULL;
	}
	spin_unlock_bh(&h->lock);
	hmap_array_free(a);
	return 0;
}

static int get_block(struct hmap *h, struct hmap_block **to,
		     struct hmap_bytes bytes, gfp_t gfp)
{
	struct hmap_block *block = hmap_block_new(h, bytes.data, bytes.len, gfp);

	if (IS_ERR(block))
		return PTR_ERR(block);
	*to = block;
	return 0;
}

static int get_memory(struct hmap *h, struct hmap_op *op)
{
	struct bmap *b;

	if (h->t.indirect_key && !op->key_block)
		return get_block(h, &op->key_block,
				 key_bytes(&h->t, h->t.key_kind, op->key),
				 op->gfp);
	b = hmap_overflow_alloc(h, op->gfp);
	if (IS_ERR(b))
		return PTR_ERR(b);
	op->overflow = b;
	return 0;
}

/* Do what the last try asked for. */
static int prepare_again(struct hmap *h, struct hmap_op *op, int ret)
{
	switch (ret) {
	case AGAIN_FIRST:
		return make_first_array(h, op->gfp);
	case AGAIN_GROW:
		hmap_grow(h, op->gfp);	/* or put off, which will do, too */
		return 0;
	case AGAIN_MEMORY:
		return get_memory(h, op);
	default:
		return 0;
	}
}

static void finish_blocks(struct hmap_op *op)
{
	if (op->seen)
		memcpy(op->old, op->seen->data, op->seen->len);
	hmap_block_put(op->seen);
	hmap_block_put(op->old_key);
	hmap_block_put(op->old_elem);
	hmap_block_put_now(op->key_block);
	hmap_block_put_now(op->elem_block);
	op->seen = NULL;
	op->old_key = NULL;
	op->old_elem = NULL;
	op->key_block = NULL;
	op->elem_block = NULL;
}

/* Leaves the private members of an op as they were to begin with. */
static void finish(struct hmap *h, struct hmap_op *op)
{
	if (h->t.indirect_key || h->t.indirect_elem)
		finish_blocks(op);
	if (unlikely(op->overflow)) {
		hmap_overflow_free(h, op->overflow);
		op->overflow = NULL;
	}
	if (unlikely(rcu_access_pointer(h->oldbuckets)))
		hmap_evacuate_next(h);
	if (unlikely(op->outrun)) {
		op->outrun = false;
		if (gfpflags_allow_blocking(op->gfp))
			hmap_grow_wait(h, op->gfp);
	}
}

/* Refuse what makes no sense, and get the memory that is needed in any case. */
static int prepare(struct hmap *h, struct hmap_op *op)
{
	const struct hmap_type *t = &h->t;
	struct hmap_bytes bytes;

	if (t->key_kind == HMAP_KEY_STRING &&
	    key_bytes(t, t->key_kind, op->key).len > HMAP_MAX_STRING_LEN)
		return -EINVAL;
	if (op->what == HMAP_ADD &&
	    (t->var_elem || (t->elem_size != 4 && t->elem_size != 8)))
		return -EOPNOTSUPP;
	if (!t->indirect_elem || !stores_elem(op))
		return 0;

	bytes = elem_bytes(t, op->elem);
	if (bytes.len > t->elem_size)
		return -EINVAL;
	return get_block(h, &op->elem_block, bytes, op->gfp);
}

/**
 * hmap_update() - Change an entry, and tell what it was before, in one step.
 * @h: the map
 * @op: what to do
 *
 * This is what the other calls that write are made of.  Grows the map a step
 * if a growth is under way, and starts one if one is due.
 *
 * Context: Process or softirq context; sleeps only if &hmap_op.gfp allows.
 * Return: 0; -EEXIST or -ENOENT where &hmap_op.mode forbids it, or there is
 * nothing to compare or take; -ESTALE if the elem is another than expected;
 * -EMSGSIZE if it has more than &hmap_op.old_len bytes; -ENOSPC if the map
 * holds as many entries, or uses as much memory, as it may; -EDQUOT if its pool
 * does; -ENOMEM if there is no memory; -EINVAL if a string or an elem is too
 * long; -EOPNOTSUPP for HMAP_ADD where elems are no integers.  Unless 0 is
 * returned the map is as it was.
 */
int hmap_update(struct hmap *h, struct hmap_op *op)
{
	int ret, err;

	op->present = false;
	ret = prepare(h, op);
	if (unlikely(ret))
		return ret;

	do {
		err = 0;
		ret = write_kind(h, op);
		if (ret > 0)
			err = prepare_again(h, op, ret);
	} while (unlikely(ret > 0 && !err));
	if (ret > 0)
		ret = err;

	finish(h, op);
	return ret;
}
EXPORT_SYMBOL_GPL(hmap_update);

/**
 * hmap_insert() - Store an elem under a key.
 * @h: the map
 * @key: the key
 * @elem: the elem; may be NULL for a set
 * @mode: whether the key has to be absent or present
 * @gfp: how to allocate what is needed
 *
 * Context: Process or softirq context; sleeps only if @gfp allows.
 * Return: 0; -EEXIST or -ENOENT where @mode forbids it; -ENOSPC, -EDQUOT,
 * -ENOMEM and -EINVAL as hmap_update().
 */
int hmap_insert(struct hmap *h, const void *key, const void *elem,
		enum hmap_mode mode, gfp_t gfp)
{
	struct hmap_op op = {
		.what = HMAP_STORE,
		.mode = mode,
		.key = key,
		.elem = elem,
		.gfp = gfp,
	};

	return hmap_update(h, &op);
}
EXPORT_SYMBOL_GPL(hmap_insert);

/**
 * hmap_delete() - Take a key and its elem out.
 * @h: the map
 * @key: the key
 *
 * Context: Process or softirq context; does not sleep.
 * Return: 0; -ENOENT if the key is not there; -EINVAL if a string is too long.
 */
int hmap_delete(struct hmap *h, const void *key)
{
	return hmap_take(h, key, NULL);
}
EXPORT_SYMBOL_GPL(hmap_delete);

/**
 * hmap_take() - Take a key out and copy its elem.
 * @h: the map
 * @key: the key
 * @elem: where to put the elem, or NULL
 *
 * Context: Process or softirq context; does not sleep.
 * Return: 0; -ENOENT if the key is not there; -EINVAL if a string is too long;
 * -EOPNOTSUPP if @elem is given and elems vary in length: use hmap_update().
 */
int hmap_take(struct hmap *h, const void *key, void *elem)
{
	struct hmap_op op = {
		.what = HMAP_TAKE,
		.key = key,
		.old = elem,
		.old_len = h->t.elem_size,
		.gfp = HMAP_GFP_STRIPE,
	};

	if (h->t.var_elem && elem)
		return -EOPNOTSUPP;
	return hmap_update(h, &op);
}
EXPORT_SYMBOL_GPL(hmap_take);

/**
 * hmap_xchg() - Store an elem under a key that is there, and copy the old one.
 * @h: the map
 * @key: the key
 * @elem: the new elem
 * @old: where to put the old elem, or NULL
 * @gfp: how to allocate what is needed
 *
 * Context: Process or softirq context; sleeps only if @gfp allows.
 * Return: 0; -ENOENT if the key is not there; -ENOSPC, -EDQUOT, -ENOMEM and
 * -EINVAL as hmap_update(); -EOPNOTSUPP if @old is given and elems vary in
 * length: use hmap_update().
 */
int hmap_xchg(struct hmap *h, const void *key, const void *elem, void *old,
	      gfp_t gfp)
{
	struct hmap_op op = {
		.what = HMAP_STORE,
		.mode = HMAP_EXIST,
		.key = key,
		.elem = elem,
		.old = old,
		.old_len = h->t.elem_size,
		.gfp = gfp,
	};

	if (h->t.var_elem && old)
		return -EOPNOTSUPP;
	return hmap_update(h, &op);
}
EXPORT_SYMBOL_GPL(hmap_xchg);

/**
 * hmap_cmpxchg() - Store an elem under a key if the present one is as expected.
 * @h: the map
 * @key: the key
 * @old: what the elem is expected to be, byte for byte
 * @elem: the new elem
 * @gfp: how to allocate what is needed
 *
 * Context: Process or softirq context; sleeps only if @gfp allows.
 * Return: 0; -ESTALE if the elem is another than @old; -ENOENT if the key is
 * not there; -ENOSPC, -EDQUOT, -ENOMEM and -EINVAL as hmap_update().
 */
int hmap_cmpxchg(struct hmap *h, const void *key, const void *old,
		 const void *elem, gfp_t gfp)
{
	struct hmap_op op = {
		.what = HMAP_CMPXCHG,
		.key = key,
		.elem = elem,
		.expect = old,
		.gfp = gfp,
	};

	return hmap_update(h, &op);
}
EXPORT_SYMBOL_GPL(hmap_cmpxchg);

/**
 * hmap_fetch_add() - Add to an elem that is a u32 or a u64.
 * @h: the map, whose elems are of 4 or 8 bytes
 * @key: the key
 * @delta: what to add; the sum wraps round
 * @old: set to what the elem was, or NULL
 *
 * Context: Process or softirq context; does not sleep.
 * Return: 0; -ENOENT if the key is not there; -EOPNOTSUPP if elems are no
 * integers.
 */
int hmap_fetch_add(struct hmap *h, const void *key, u64 delta, u64 *old)
{
	u32 delta32 = delta, old32 = 0;
	bool is_u32 = h->t.elem_size == sizeof(u32);
	struct hmap_op op = {
		.what = HMAP_ADD,
		.mode = HMAP_EXIST,
		.key = key,
		.elem = is_u32 ? (void *)&delta32 : &delta,
		.old = is_u32 ? (void *)&old32 : old,
		.gfp = HMAP_GFP_STRIPE,
	};
	int err;

	err = hmap_update(h, &op);
	if (!err && is_u32 && old)
		*old = old32;
	return err;
}
EXPORT_SYMBOL_GPL(hmap_fetch_add);
