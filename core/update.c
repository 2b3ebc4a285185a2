// SPDX-License-Identifier: GPL-2.0
/*
 * Insert, update and delete.
 *
 * The code is written once, for any kind of key, and made into one copy each
 * for the kinds that have a fast path.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "trace.h"
#include "update.h"

/* New keys are refused past this many times the load, should growth be. */
#define MAX_LOADS	4

/* Buckets in a chain, which only keys that were made to collide can fill. */
#define MAX_CHAIN	128

/* What a try says that has to be done before the next. */
enum write_again {
	AGAIN = 1,
	AGAIN_FIRST,	/* make the first array */
	AGAIN_GROW,	/* start a growth */
	AGAIN_MEMORY,	/* get what the entry needs */
	AGAIN_EVACUATE,	/* get what the evacuation of its bucket needs */
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
	/* It may be long, and is copied when the guard has been let go. */
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

static struct bmap *bmap_before(const struct hmap_type *t,
				const struct bucket_array *w,
				struct bmap *head, const struct bmap *b)
{
	struct bmap *prev = head, *next;

	while ((next = bmap_overflow(t, w, prev)) != b)
		prev = next;
	return prev;
}

/* Make a slot empty, and say where nothing is in use behind it any more. */
static void mark_empty(const struct hmap_type *t, const struct bucket_array *w,
		       struct bmap *head, struct hmap_place at)
{
	struct bmap *b = at.b, *next = bmap_overflow(t, w, b);
	bool last = !next || next->tophash[0] == EMPTY_REST;
	u64 word = tophash_without(tophash_load(b), at.slot, last);

	WRITE_ONCE(b->tophash_word, cpu_to_le64(word));
	while (!word && b != head) {
		b = bmap_before(t, w, head, b);
		if (b == head)
			WRITE_ONCE(guard_of(head)->filter, 0);
		word = tophash_trim(tophash_load(b));
		WRITE_ONCE(b->tophash_word, cpu_to_le64(word));
	}
}

static noinline void delete_entry(struct hmap *h, struct hmap_op *op,
				  const struct bucket_array *w,
				  struct bmap *head, struct hmap_place at)
{
	void *key = bmap_key(&h->t, at.b, at.slot);
	void *elem = bmap_elem(&h->t, at.b, at.slot);

	leave_elem(h, op, elem);
	mark_empty(&h->t, w, head, at);
	if (h->t.mapped)
		bmap_wipe_slot(&h->t, at.b, at.slot);
	if (h->t.indirect_key) {
		op->old_key = slot_block(key);
		slot_set_block(key, NULL);
	}
	if (h->t.indirect_elem)
		slot_set_block(elem, NULL);
}

static __always_inline int write_present(struct hmap *h, struct hmap_op *op,
					 const struct bucket_array *w,
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
		delete_entry(h, op, w, head, at);
		return 0;
	}
	leave_elem(h, op, elem);
	put_elem(h, op, elem);
	return 0;
}

/* The chain's end, or its first free slot. */
static struct hmap_place free_place(const struct hmap_type *t,
				    const struct bucket_array *w, struct bmap *b)
{
	u64 empty = tophash_match_empty(tophash_load(b));
	struct bmap *next;

	while (!empty) {
		next = bmap_overflow(t, w, b);
		if (!next)
			return (struct hmap_place){ b, BUCKET_CNT };
		b = next;
		empty = tophash_match_empty(tophash_load(b));
	}
	return (struct hmap_place){ b, tophash_first(empty) };
}

/* Draw room for entries if there is neither a limit nor a growth to mind. */
bool hmap_count_more(struct bucket_array *a)
{
	unsigned long count = atomic_long_read(&a->l->count);

	return !hmap_wants_growth(a) && count < READ_ONCE(a->h->max_entries) &&
	       count < MAX_LOADS / 2 * a->grow_at && !hmap_count_draw(a);
}
EXPORT_SYMBOL_GPL(hmap_count_more);

/* Whether the next entry is one too many, but for room that CPUs hold. */
static bool growth_is_due(struct bucket_array *a)
{
	if (!hmap_wants_growth(a))
		return false;
	if (a->B > EXACT_B)
		return true;
	hmap_count_take_back(a);
	return hmap_wants_growth(a);
}

/**
 * hmap_insert_grows() - Tell whether an insert here has the map grow.
 * @a: its array
 *
 * It does not where it uses up room that this CPU has drawn, and where it is
 * refused.
 *
 * Context: Interrupts off, under rcu_read_lock(), no guard held.
 * Return: Whether an insert of a key that is not there does.
 */
bool hmap_insert_grows(struct bucket_array *a)
{
	const struct hmap_cpu *c = this_cpu_ptr(a->h->cpu);
	unsigned long count = atomic_long_read(&a->l->count);

	return !atomic_long_read(&c->room[a->l->nr]) &&
	       count < READ_ONCE(a->h->max_entries) && growth_is_due(a);
}

/* Take one more entry into the count where the CPU has no room for it. */
static noinline int count_entry(struct hmap_op *op, struct bucket_array *a)
{
	struct hmap *h = a->h;
	unsigned long count;
	int err;

	count = atomic_long_read(&a->l->count);
	if (unlikely(count >= READ_ONCE(h->max_entries)))
		return hmap_count_draw(a);
	if (unlikely(growth_is_due(a))) {
		/* The work item may have had no chance to run. */
		if (!op->grow_later && (hmap_grow_is_small(a) ||
					count >= MAX_LOADS * a->grow_at))
			return AGAIN_GROW;
		op->grow_later = true;
	}
	if (unlikely(count >= MAX_LOADS / 2 * a->grow_at)) {
		err = READ_ONCE(h->grow_error);
		if (err && count >= MAX_LOADS * a->grow_at) {
			trace_hmap_limit(h, HMAP_LIMIT_LOAD, err);
			return err;
		}
		op->grow_later = true;
	}
	return hmap_count_draw(a);
}

static bool chain_is_long(const struct hmap_type *t,
			  const struct bucket_array *w, struct bmap *b)
{
	unsigned int n;

	for (n = 0; b; n++)
		b = bmap_overflow(t, w, b);
	return n >= MAX_CHAIN;
}

static __always_inline void put_entry(struct hmap *h, struct hmap_op *op,
				      u64 hash, struct hmap_place at)
{
	if (op->key_block)
		op->key_block->hash = hash;
	slot_set_key(&h->t, bmap_key(&h->t, at.b, at.slot), op->key,
		     op->key_block);
	op->key_block = NULL;
	put_elem(h, op, bmap_elem(&h->t, at.b, at.slot));
	hmap_test_delay();
	WRITE_ONCE(at.b->tophash[at.slot], tophash(hash));
}

/*
 * Make an entry in a chain of array @w, of a map whose newest array is @a.  Sets
 * @give if the entry was counted, and is not there after all.
 */
static int write_absent(struct hmap *h, struct hmap_op *op,
			struct bucket_array *a, struct bucket_array *w,
			struct bmap *head, u64 hash, bool *give)
{
	struct hmap_place at;
	struct bmap *next;
	int ret;

	if (!makes_entry(op))
		return -ENOENT;
	if (key_needs_block(&h->t, op->key) && !op->key_block)
		return AGAIN_MEMORY;
	at = free_place(&h->t, w, head);
	if (unlikely(at.slot == BUCKET_CNT) && chain_is_long(&h->t, w, head)) {
		trace_hmap_limit(h, HMAP_LIMIT_CHAIN, -ENOSPC);
		return -ENOSPC;
	}
	ret = hmap_count_take(a) ? 0 : count_entry(op, a);
	if (ret)
		return ret;
	if (unlikely(at.slot == BUCKET_CNT)) {
		next = hmap_newoverflow(w, at.b, &op->overflow);
		if (!next) {
			*give = true;
			return AGAIN_MEMORY;
		}
		trace_hmap_overflow(w, head);
		at = (struct hmap_place){ next, 0 };
	}
	if (unlikely(at.b != head))
		filter_add(head, tophash(hash));
	put_entry(h, op, hash, at);
	return 0;
}

/*
 * Write to a chain of array @w under its guard; begin again if it was evacuated
 * after all.
 */
static __always_inline int write_chain(struct hmap *h, const u8 kind,
				       struct hmap_op *op,
				       struct bucket_array *a,
				       struct bucket_array *w, u64 hash)
{
	struct bmap *head = bucket_of(&h->t, w, hash);
	u8 top = tophash(hash);
	struct hmap_place at;
	unsigned long flags;
	bool give = false;
	int ret = AGAIN;
	u64 word;

	hmap_prefetch_to_write(head);
	local_irq_save(flags);
	guard_lock(head, guard_map_of(h));
	word = tophash_load(head);
	if (likely(!tophash_evacuated(word))) {
		if (hmap_find(&h->t, w, kind, head, word, top, op->key, &at))
			ret = write_present(h, op, w, head, at);
		else
			ret = write_absent(h, op, a, w, head, hash, &give);
	}
	guard_unlock(head, guard_map_of(h));
	if (give || (op->what == HMAP_TAKE && !ret))
		hmap_count_give(a);
	local_irq_restore(flags);
	return ret;
}

/*
 * The array to write to: the old one for a bucket that there is no memory to
 * evacuate, and which so stays the true one.  NULL: get memory first.
 */
static noinline struct bucket_array *array_to_write(struct hmap_op *op,
						    struct bucket_array *a,
						    struct bucket_array *old,
						    u64 hash)
{
	if (!hmap_evacuate(a, old, hash & old->mask, &op->overflow))
		return a;
	return op->no_memory ? old : NULL;
}

static __always_inline int write_try(struct hmap *h, const u8 kind,
				     struct hmap_op *op)
{
	struct bucket_array *a = buckets_of(h), *w = a, *old;
	u64 hash;

	if (unlikely(!a))
		return makes_entry(op) ? AGAIN_FIRST : -ENOENT;
	/* Pairs with the release in reseed_done(): hash0 is read after it. */
	if (unlikely(smp_load_acquire(&a->frozen))) {
		hmap_thaw(a);
		return AGAIN;
	}
	hash = key_hash(&h->t, kind, op->key, READ_ONCE(a->hash0));
	old = old_of(a);
	if (unlikely(old)) {
		w = array_to_write(op, a, old, hash);
		if (!w)
			return AGAIN_EVACUATE;
		hmap_test_delay();
	}
	return write_chain(h, kind, op, a, w, hash);
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

static noinline int write_inline(struct hmap *h, struct hmap_op *op)
{
	return write_try(h, KEY_INLINE_STRING, op);
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
	case HMAP_KEY_STRING:
		return write_string(h, op);
	default:
		return write_inline(h, op);
	}
}

static int make_first_array(struct hmap *h, gfp_t gfp)
{
	struct bucket_array *a = hmap_array_new(h, 0, gfp);

	if (IS_ERR(a))
		return PTR_ERR(a);
	hmap_publish_first(h, a);
	return 0;
}

static int get_key_block(struct hmap *h, struct hmap_op *op)
{
	struct hmap_bytes key = key_bytes(&h->t, h->t.key_kind, op->key);
	struct hmap_block *block = hmap_block_new(h, key.data, key.len, op->gfp);

	if (IS_ERR(block))
		return PTR_ERR(block);
	op->key_block = block;
	return 0;
}

/* Do what the last try asked for. */
static int prepare_again(struct hmap *h, struct hmap_op *op, int ret)
{
	switch (ret) {
	case AGAIN_FIRST:
		return make_first_array(h, op->gfp);
	case AGAIN_GROW:
		/* Where this one may not wait for memory, the work item does. */
		if (hmap_grow(h, op->gfp))
			op->grow_later = true;
		return 0;
	case AGAIN_MEMORY:
		if (key_needs_block(&h->t, op->key) && !op->key_block)
			return get_key_block(h, op);
		return hmap_overflow_reserve(h, &op->overflow, op->gfp);
	case AGAIN_EVACUATE:
		/* The bucket can wait in the old array if it has to. */
		op->no_memory = hmap_overflow_reserve(h, &op->overflow,
						      op->gfp);
		return 0;
	default:
		return 0;
	}
}

static void drop_block(struct hmap_block **block)
{
	hmap_block_put(*block);
	*block = NULL;
}

/* Likewise what no slot ever referred to. */
static void drop_unused(struct hmap_block **block)
{
	hmap_block_put_now(*block);
	*block = NULL;
}

static void finish_blocks(struct hmap_op *op)
{
	if (op->seen) {
		memcpy(op->old, op->seen->data, op->seen->len);
		hmap_block_put(op->seen);
		op->seen = NULL;
	}
	drop_block(&op->old_key);
	drop_block(&op->old_elem);
	drop_unused(&op->key_block);
	drop_unused(&op->elem_block);
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
	op->no_memory = false;
	hmap_evacuate_next(h);
	if (unlikely(op->grow_later)) {
		op->grow_later = false;
		hmap_grow_later(h);
		if (gfpflags_allow_blocking(op->gfp))
			hmap_grow_wait(h, op->gfp);
	}
}

/* Refuse what makes no sense, and get the memory that is needed in any case. */
static int prepare(struct hmap *h, struct hmap_op *op)
{
	const struct hmap_type *t = &h->t;
	struct hmap_block *block;
	struct hmap_bytes bytes;
	int err;

	if (kind_is_string(t->key_kind) &&
	    key_bytes(t, t->key_kind, op->key).len >
	    (t->key_size ?: HMAP_MAX_STRING_LEN))
		return -EINVAL;
	if (op->what == HMAP_ADD &&
	    (t->var_elem || (t->elem_size != 4 && t->elem_size != 8)))
		return -EOPNOTSUPP;
	if (t->indirect_elem && stores_elem(op)) {
		bytes = elem_bytes(t, op->elem);
		if (bytes.len > t->elem_size)
			return -EINVAL;
		block = hmap_block_new(h, bytes.data, bytes.len, op->gfp);
		if (IS_ERR(block))
			return PTR_ERR(block);
		op->elem_block = block;
	}
	/* The lookup costs little: the write then finds all in the cache. */
	if (key_needs_block(t, op->key) && makes_entry(op) &&
	    hmap_lookup(h, op->key, NULL) == -ENOENT) {
		err = get_key_block(h, op);
		if (err)
			drop_unused(&op->elem_block);
		return err;
	}
	return 0;
}

/**
 * hmap_update() - Change an entry, and tell what it was before, in one step.
 * @h: the map
 * @op: what to do
 *
 * This is what the other calls that write are made of.  Grows the map a step
 * if a growth is under way, and starts one if one is due.
 *
 * Context: Any but NMI, and not under a lock of the scheduler, since a work item
 * may be woken; sleeps only if &hmap_op.gfp allows.  The same goes for the other
 * calls that write.
 * Return: 0; -EEXIST or -ENOENT where &hmap_op.mode forbids it, or there is
 * nothing to compare or take; -ESTALE if the elem is another than expected;
 * -EMSGSIZE if it has more than &hmap_op.old_len bytes; -ENOSPC if the map
 * holds as many entries, or uses as much memory, as it may; -EDQUOT if the maps
 * of its pool do; -ENOMEM if there is no memory; -EINVAL if a string or an elem
 * is too long; -EOPNOTSUPP for HMAP_ADD where elems are no integers.  Unless 0
 * is returned the map is as it was.
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
		rcu_read_lock();
		ret = write_kind(h, op);
		rcu_read_unlock();
		if (unlikely(ret > 0))
			err = prepare_again(h, op, ret);
	} while (unlikely(ret > 0 && !err));
	if (ret > 0)
		ret = err;

	finish(h, op);
	return ret;
}
EXPORT_SYMBOL_GPL(hmap_update);

/* === By kind === */

/* What is most often all there is to an insert, and to a delete. */
#define DEFINE_TRIES(kind, KIND)					\
static noinline int insert_##kind(struct hmap *h, const void *key,	\
				  const void *elem, enum hmap_mode mode) \
{									\
	return hmap_insert_try(h, &h->t, KIND, key, elem, mode);	\
}									\
									\
static noinline int take_##kind(struct hmap *h, const void *key,	\
				void *elem)				\
{									\
	return hmap_take_try(h, &h->t, KIND, key, elem);		\
}

DEFINE_TRIES(u32, HMAP_KEY_U32)
DEFINE_TRIES(u64, HMAP_KEY_U64)
DEFINE_TRIES(bytes, HMAP_KEY_BYTES)
DEFINE_TRIES(string, HMAP_KEY_STRING)

/**
 * hmap_insert_any() - Do what hmap_insert_try() does not do itself.
 * @h: the map
 * @key: the key
 * @elem: the elem
 * @mode: whether the key has to be absent or present
 * @gfp: how to allocate what is needed
 *
 * Context: Any but NMI; sleeps only if @gfp allows.
 * Return: As hmap_insert().
 */
int hmap_insert_any(struct hmap *h, const void *key, const void *elem,
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
EXPORT_SYMBOL_GPL(hmap_insert_any);

/**
 * hmap_take_any() - Do what hmap_take_try() does not do itself.
 * @h: the map
 * @key: the key
 * @elem: where to put the elem, or NULL
 *
 * Context: Any but NMI; does not sleep.
 * Return: As hmap_take().
 */
int hmap_take_any(struct hmap *h, const void *key, void *elem)
{
	struct hmap_op op = {
		.what = HMAP_TAKE,
		.key = key,
		.old = elem,
		.old_len = h->t.elem_size,
		.gfp = HMAP_GFP_NOWAIT,
	};

	if (h->t.var_elem && elem)
		return -EOPNOTSUPP;
	return hmap_update(h, &op);
}
EXPORT_SYMBOL_GPL(hmap_take_any);

/* === The calls made of it === */

/**
 * hmap_insert() - Store an elem under a key.
 * @h: the map
 * @key: the key
 * @elem: the elem; may be NULL for a set
 * @mode: whether the key has to be absent or present
 * @gfp: how to allocate what is needed
 *
 * Context: Any but NMI; sleeps only if @gfp allows.
 * Return: 0; -EEXIST or -ENOENT where @mode forbids it; -ENOSPC, -EDQUOT, -ENOMEM
 * and -EINVAL as hmap_update().
 */
int hmap_insert(struct hmap *h, const void *key, const void *elem,
		enum hmap_mode mode, gfp_t gfp)
{
	int ret;

	switch (h->t.key_kind) {
	case HMAP_KEY_U32:
		ret = insert_u32(h, key, elem, mode);
		break;
	case HMAP_KEY_U64:
		ret = insert_u64(h, key, elem, mode);
		break;
	case HMAP_KEY_BYTES:
		ret = insert_bytes(h, key, elem, mode);
		break;
	case HMAP_KEY_STRING:
		ret = insert_string(h, key, elem, mode);
		break;
	default:
		ret = -EAGAIN;
	}
	return likely(ret != -EAGAIN) ? ret :
					hmap_insert_any(h, key, elem, mode, gfp);
}
EXPORT_SYMBOL_GPL(hmap_insert);

/**
 * hmap_delete() - Take a key and its elem out.
 * @h: the map
 * @key: the key
 *
 * Context: Any but NMI; does not sleep.
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
 * Context: Any but NMI; does not sleep.
 * Return: 0; -ENOENT if the key is not there; -EINVAL if a string is too long;
 * -EOPNOTSUPP if @elem is given and elems vary in length: use hmap_update().
 */
int hmap_take(struct hmap *h, const void *key, void *elem)
{
	int ret;

	switch (h->t.key_kind) {
	case HMAP_KEY_U32:
		ret = take_u32(h, key, elem);
		break;
	case HMAP_KEY_U64:
		ret = take_u64(h, key, elem);
		break;
	case HMAP_KEY_BYTES:
		ret = take_bytes(h, key, elem);
		break;
	case HMAP_KEY_STRING:
		ret = take_string(h, key, elem);
		break;
	default:
		ret = -EAGAIN;
	}
	return likely(ret != -EAGAIN) ? ret : hmap_take_any(h, key, elem);
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
 * Context: Any but NMI; sleeps only if @gfp allows.
 * Return: 0; -ENOENT if the key is not there; -ENOMEM, -ENOSPC or -EDQUOT as
 * hmap_update(); -EINVAL if a string is too long; -EOPNOTSUPP if @old is given
 * and elems vary: use hmap_update().
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
 * Context: Any but NMI; sleeps only if @gfp allows.
 * Return: 0; -ESTALE if the elem is another than @old; -ENOENT if the key is
 * not there; -ENOMEM, -ENOSPC or -EDQUOT as hmap_update(); -EINVAL if a string
 * or @elem is too long.
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
 * @old: set to what the elem was; may be NULL
 *
 * Context: Any but NMI; does not sleep.
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
		.gfp = HMAP_GFP_NOWAIT,
	};
	int err;

	if (!old)
		op.old = NULL;
	err = hmap_update(h, &op);
	if (!err && is_u32 && old)
		*old = old32;
	return err;
}
EXPORT_SYMBOL_GPL(hmap_fetch_add);
