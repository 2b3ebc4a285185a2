// SPDX-License-Identifier: GPL-2.0
/*
 * What the tests share, see util.h.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../core/key.h"
#include "util.h"

/* === Maps === */

static int init_map(struct kunit_resource *res, void *params)
{
	res->data = hmap_create(params);
	return PTR_ERR_OR_ZERO(res->data);
}

static void destroy_map(struct kunit_resource *res)
{
	hmap_destroy(res->data);
}

/* Make a map that is destroyed when the case has ended, however it does. */
struct hmap *hmap_test_create(struct kunit *test,
			      const struct hmap_params *params)
{
	struct hmap *h = kunit_alloc_resource(test, init_map, destroy_map,
					      GFP_KERNEL, (void *)params);

	KUNIT_ASSERT_NOT_NULL(test, h);
	return h;
}

#define KIND(what, kind, k, e, ...) {					\
	.name = what,							\
	.params = {							\
		.key_kind = HMAP_KEY_##kind,				\
		.key_size = k,						\
		.elem_size = e,						\
		##__VA_ARGS__						\
	}								\
}

static const struct hmap_test_kind kinds[] = {
	KIND("u32 to u32", U32, 4, 4),
	KIND("u64 to u64", U64, 8, 8),
	KIND("u64 to u8", U64, 8, 1),
	KIND("set of u64", U64, 8, 0),
	KIND("u32 to 129 bytes", U32, 4, 129),
	KIND("u64 to 0..300 bytes", U64, 8, 300, .flags = HMAP_VAR_ELEM),
	KIND("3 bytes to 7", BYTES, 3, 7),
	KIND("128 bytes to 128", BYTES, 128, 128),
	KIND("129 bytes to u64", BYTES, 129, 8),
	KIND("512 bytes to 512", BYTES, 512, 512),
	KIND("string to u64", STRING, 0, 8),
	KIND("set of strings", STRING, 0, 0),
	KIND("string to 0..300 bytes", STRING, 0, 300, .flags = HMAP_VAR_ELEM),
};

static void describe_kind(const struct hmap_test_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, describe_kind);

const void *hmap_test_kinds(const void *prev, char *desc)
{
	return kind_gen_params(prev, desc);
}

/* === Keys and elems === */

/*
 * The i-th key: i, and zeros up to the key's size.  Strings have four bytes
 * and more, so that one is another with zeros behind it.
 */
const void *hmap_test_key(const struct hmap *h, u32 i,
			  struct hmap_test_key *key)
{
	u32 size = h->t.key_kind == HMAP_KEY_STRING ? sizeof(i) + i % 61 :
						      h->t.key_size;

	memset(key->data, 0, size);
	memcpy(key->data, &i, min_t(u32, size, sizeof(i)));
	if (h->t.key_kind != HMAP_KEY_STRING)
		return key->data;
	key->string = (struct hmap_bytes){ key->data, size };
	return &key->string;
}

/* The i-th elem: of a length that depends on i where lengths vary. */
const void *hmap_test_elem(const struct hmap *h, u32 i,
			   struct hmap_test_elem *elem)
{
	u32 size = h->t.var_elem ? i % (h->t.elem_size + 1) : h->t.elem_size;

	memset(elem->data, i, size);
	memcpy(elem->data, &i, min_t(u32, size, sizeof(i)));
	if (!h->t.var_elem)
		return elem->data;
	elem->var = (struct hmap_bytes){ elem->data, size };
	return &elem->var;
}

/* === Hashes === */

/* &hmap_params.hasher: the first eight bytes of the key. */
u64 hmap_test_identity(const void *key, size_t len, u32 hash0)
{
	u64 hash = 0;

	memcpy(&hash, key, min(len, sizeof(hash)));
	return hash;
}

/* Likewise, but the same few bits no longer follow each other. */
u64 hmap_test_mixed(const void *key, size_t len, u32 hash0)
{
	u64 hash = hmap_test_identity(key, len, hash0);

	hash = (hash ^ hash >> 32) * GOLDEN_RATIO_64;
	return (hash ^ hash >> 32) * GOLDEN_RATIO_64;
}

/* === Faults === */

/* Whether current->fail_nth makes an allocation fail that may wait. */
bool hmap_test_may_fail(void)
{
#ifdef CONFIG_FAILSLAB
	void *p;

	current->fail_nth = 1;
	p = kmalloc(8, GFP_KERNEL);
	current->fail_nth = 0;
	kfree(p);
	return !p;
#else
	return false;
#endif
}

/* === The check === */

struct check {
	struct hmap *h;
	const char *wrong;		/* what, NULL if nothing is */
	unsigned long bucket;		/* where */
	unsigned long entries;
	unsigned long spare;		/* of the array's overflow buckets */
	unsigned long slab;
	size_t bytes;
};

static bool expect(struct check *c, bool right, const char *what)
{
	if (!right && !c->wrong)
		c->wrong = what;
	return right;
}

static struct hmap_bytes slot_key(const struct hmap_type *t, const void *slot)
{
	const struct hmap_block *block;

	if (!t->indirect_key)
		return (struct hmap_bytes){ slot, t->key_size };
	block = slot_block(slot);
	return (struct hmap_bytes){ block->data, block->len };
}

/* No key like that in an earlier slot of the chain. */
static bool is_first(const struct hmap_type *t, struct bmap *head,
		     const void *slot)
{
	struct hmap_bytes key = slot_key(t, slot), other;
	unsigned int i;
	struct bmap *b;
	void *s;

	for (b = head; b; b = bmap_overflow(t, b)) {
		for (i = 0; i < BUCKET_CNT; i++) {
			s = bmap_key(t, b, i);
			if (s == slot)
				return true;
			if (is_empty(b->tophash[i]))
				continue;
			other = slot_key(t, s);
			if (other.len == key.len &&
			    !memcmp(other.data, key.data, key.len))
				return false;
		}
	}
	return false;
}

static void count_block(struct check *c, const struct hmap_block *block)
{
	if (expect(c, block, "an entry without its block"))
		c->bytes += hmap_block_bytes(block->len);
}

static void check_entry(struct check *c, const struct bucket_array *a,
			struct bmap *head, struct bmap *b, unsigned int i)
{
	const struct hmap_type *t = &c->h->t;
	void *slot = bmap_key(t, b, i);
	u64 hash;

	c->entries++;
	if (t->indirect_elem)
		count_block(c, slot_block(bmap_elem(t, b, i)));
	if (t->indirect_key)
		count_block(c, slot_block(slot));
	if (c->wrong)
		return;
	hash = slot_hash(t, t->key_kind, slot, c->h->hash0);
	expect(c, b->tophash[i] == tophash(hash), "not the key's tophash");
	expect(c, (hash & bucket_mask(a->B)) == c->bucket,
	       "not the key's bucket");
	expect(c, is_first(t, head, slot), "a key twice");
}

/* A bucket that is the true one for its keys; or is empty, until it is. */
static void check_chain(struct check *c, const struct bucket_array *a,
			struct bmap *head, bool empty)
{
	u8 last = MIN_TOPHASH, top;
	unsigned int i;
	struct bmap *b;

	for (b = head; b; b = bmap_overflow(&c->h->t, b)) {
		for (i = 0; i < BUCKET_CNT && !c->wrong; i++) {
			top = b->tophash[i];
			expect(c, is_empty(top) || top >= MIN_TOPHASH,
			       "a mark where nothing was evacuated");
			expect(c, !empty || top == EMPTY_REST,
			       "an entry before evacuation");
			expect(c, last != EMPTY_REST || top == EMPTY_REST,
			       "something behind EMPTY_REST");
			expect(c, last != EMPTY_ONE || top != EMPTY_REST,
			       "EMPTY_ONE before EMPTY_REST");
			last = top;
			if (!c->wrong && !is_empty(top))
				check_entry(c, a, head, b, i);
		}
	}
	expect(c, last != EMPTY_ONE, "EMPTY_ONE at the end");
}

static void check_marks(struct check *c, struct bmap *b, bool same_size)
{
	unsigned int i;

	for (; b; b = bmap_overflow(&c->h->t, b))
		for (i = 0; i < BUCKET_CNT; i++)
			expect(c, b->tophash[i] == EVACUATED_X ||
			       b->tophash[i] == EVACUATED_EMPTY ||
			       (b->tophash[i] == EVACUATED_Y && !same_size),
			       "not marked evacuated");
}

static void count_overflow(struct check *c, const struct bucket_array *a,
			   struct bmap *b)
{
	const struct hmap_type *t = &c->h->t;

	while ((b = bmap_overflow(t, b))) {
		if (b < bucket_at(t, a, 1UL << a->B) ||
		    b >= bucket_at(t, a, (1UL << a->B) + a->nr_spare))
			c->slab++;
		else
			c->spare++;
	}
}

static void check_array(struct check *c, const struct bucket_array *a,
			const struct bucket_array *buckets,
			const struct bucket_array *old)
{
	const struct hmap *h = c->h;
	struct bmap *b, *was;

	c->spare = 0;
	c->slab = 0;
	c->bytes += a->bytes;
	for (c->bucket = 0; c->bucket < 1UL << a->B; c->bucket++) {
		b = bucket_at(&h->t, a, c->bucket);
		was = old ? bucket_at(&h->t, old,
				      c->bucket & bucket_mask(old->B)) : b;
		count_overflow(c, a, b);
		if (a == old && evacuated(b)) {
			check_marks(c, b, a->B == buckets->B);
		} else {
			expect(c, a != old || c->bucket >= h->nevacuate,
			       "not evacuated, but below nevacuate");
			check_chain(c, a, b,
				    a == buckets && old && !evacuated(was));
		}
		if (c->wrong)
			return;
	}
	c->bytes += c->slab * h->t.bucket_size;
}

static void check_arrays(struct check *c, const struct bucket_array *a,
			 const struct bucket_array *old)
{
	const struct hmap *h = c->h;
	bool same_size = h->flags & HMAP_SAME_SIZE_GROW;

	if (!a) {
		expect(c, !old && !h->B && !same_size, "a growth of no array");
		return;
	}
	expect(c, a->B == h->B, "B");
	expect(c, same_size == (old && old->B == a->B), "sameSizeGrow");
	expect(c, !old || same_size || old->B + 1 == a->B, "B of oldbuckets");
	expect(c, h->stripe_mask <= bucket_mask((old ?: a)->B), "stripe_mask");
	if (old) {
		check_array(c, old, a, old);
		expect(c, atomic_long_read(&h->extra.oldoverflow) == c->slab,
		       "extra.oldoverflow");
	}
	check_array(c, a, a, old);
	expect(c, atomic_long_read(&h->extra.overflow) == c->slab,
	       "extra.overflow");
	expect(c, atomic_long_read(&h->extra.next_overflow) == c->spare,
	       "extra.next_overflow");
	expect(c, h->B >= 16 ||
	       atomic_read(&h->noverflow) == c->slab + c->spare, "noverflow");
}

/* All that may be written is locked, and nothing that sleeps is called. */
static void check_locked(struct check *c)
{
	struct hmap *h = c->h;

	check_arrays(c, rcu_dereference_protected(h->buckets, true),
		     rcu_dereference_protected(h->oldbuckets, true));
	if (c->wrong)
		return;
	c->bucket = 0;
	expect(c, hmap_len(h) == c->entries, "count");
	c->bytes += hmap_own_bytes(h);
	expect(c, atomic_long_read(&h->bytes) >= c->bytes, "bytes");
}

/* Whether all that is charged is in the map, or is left for later. */
static bool check_once(struct check *c)
{
	struct hmap *h = c->h;
	bool settled;
	u32 i;

	spin_lock_bh(&h->lock);
	for (i = 0; i <= h->max_stripe_mask; i++) {
		spin_lock_nest_lock(&h->stripes[i].lock, &h->lock);
		__release(&h->stripes[i].lock);	/* sparse counts one by one */
	}
	check_locked(c);
	/* An iterator may hold what is no longer in the map. */
	settled = atomic_long_read(&h->bytes) == c->bytes || h->iterators;
	for (i = 0; i <= h->max_stripe_mask; i++) {
		__acquire(&h->stripes[i].lock);
		spin_unlock(&h->stripes[i].lock);
	}
	spin_unlock_bh(&h->lock);
	return settled || c->wrong;
}

#define SETTLE_TRIES	10	/* an array may be let go after each */

/*
 * Check all that holds of a map between one call and the next.  It may be
 * growing, by its work items as well, and may be walked; but nobody else may
 * be writing.
 */
void hmap_test_check(struct kunit *test, struct hmap *h)
{
	struct check c = { .h = h };
	unsigned int tries;

	for (tries = 0; !check_once(&c) && tries < SETTLE_TRIES; tries++) {
		hmap_barrier();
		c = (struct check){ .h = h };
	}
	KUNIT_ASSERT_NULL_MSG(test, c.wrong, "bucket %lu: %s", c.bucket,
			      c.wrong);
	KUNIT_ASSERT_LT_MSG(test, tries, SETTLE_TRIES,
			    "%ld bytes charged, %zu in use",
			    atomic_long_read(&h->bytes), c.bytes);
}

MODULE_DESCRIPTION("KUnit tests of hmap");
MODULE_AUTHOR("The hmap authors");
MODULE_LICENSE("GPL");
