// SPDX-License-Identifier: GPL-2.0
/*
 * What the tests share, see util.h.
 */
#include <kunit/test.h>
#include <linux/hash.h>
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

const struct hmap_test_kind hmap_test_kinds[] = {
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
	KIND("mapped u64 to u64", U64, 8, 8, .flags = HMAP_MAPPED),
	KIND("mapped 128 bytes to 128", BYTES, 128, 128, .flags = HMAP_MAPPED),
	KIND("mapped string to 12 bytes", STRING, 64, 12, .flags = HMAP_MAPPED),
};

void hmap_test_describe_kind(const struct hmap_test_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

/* === Keys and elems === */

u32 hmap_test_key_len(const struct hmap *h, u32 i)
{
	return kind_is_string(h->t.key_kind) ? sizeof(i) + i % 61 :
					       h->t.key_size;
}

/* A number at the start of a key or an elem: an integer of its size, if it can. */
static void put_number(u8 *data, u32 size, u64 n)
{
	const u32 n32 = n;
	u32 i;

	if (size >= sizeof(n))
		memcpy(data, &n, sizeof(n));
	else if (size >= sizeof(n32))
		memcpy(data, &n32, sizeof(n32));
	else
		for (i = 0; i < size; i++)
			data[i] = n >> 8 * i;
}

u64 hmap_test_number(const u8 *data, u32 size)
{
	u64 n = 0;
	u32 n32;

	if (size >= sizeof(n)) {
		memcpy(&n, data, sizeof(n));
	} else if (size >= sizeof(n32)) {
		memcpy(&n32, data, sizeof(n32));
		n = n32;
	} else {
		while (size--)
			n = n << 8 | data[size];
	}
	return n;
}

/*
 * The i-th key: i, and zeros up to the key's size.  Strings have four bytes
 * and more, so that one is another with zeros behind it.
 */
const void *hmap_test_key(const struct hmap *h, u32 i,
			  struct hmap_test_key *key)
{
	u32 size = hmap_test_key_len(h, i);

	memset(key->data, 0, size);
	put_number(key->data, size, i);
	if (!kind_is_string(h->t.key_kind))
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
	put_number(elem->data, size, i);
	if (!h->t.var_elem)
		return elem->data;
	elem->var = (struct hmap_bytes){ elem->data, size };
	return &elem->var;
}

/* === Hashes === */

/* &hmap_params.hasher: the number at the start of the key. */
u64 hmap_test_identity(const void *key, size_t len, u32 hash0)
{
	return hmap_test_number(key, len);
}

/* Likewise, but the same few bits no longer follow each other. */
u64 hmap_test_mixed(const void *key, size_t len, u32 hash0)
{
	u64 hash = hmap_test_identity(key, len, hash0);

	hash = (hash ^ hash >> 32) * GOLDEN_RATIO_64;
	return (hash ^ hash >> 32) * GOLDEN_RATIO_64;
}

/*
 * Have a map draw the new seed now that it is to get sometime.  One that is
 * under way may yet be given up, and then there is another to come.
 */
void hmap_test_reseed(struct hmap *h)
{
	flush_rcu_work(&h->reseed_done);
	flush_delayed_work(&h->reseed_work);
	flush_rcu_work(&h->reseed_done);
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
	bool settled;			/* nothing waits for a grace period */
};

static bool expect(struct check *c, bool right, const char *what)
{
	if (!right && !c->wrong)
		c->wrong = what;
	return right;
}

/* No key like that in an earlier slot of the chain. */
static bool is_first(const struct hmap_type *t, const struct bucket_array *a,
		     struct bmap *head, const void *slot)
{
	struct hmap_bytes key = slot_bytes(t, t->key_kind, slot), other;
	unsigned int i;
	struct bmap *b;
	void *s;

	for (b = head; b; b = bmap_overflow(t, a, b)) {
		for (i = 0; i < BUCKET_CNT; i++) {
			s = bmap_key(t, b, i);
			if (s == slot)
				return true;
			if (is_empty(b->tophash[i]))
				continue;
			other = slot_bytes(t, t->key_kind, s);
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
		c->bytes += hmap_alloc_size(sizeof(*block) + block->len);
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
	if (t->indirect_key &&
	    (t->key_kind != HMAP_KEY_STRING || slot_block(slot)))
		count_block(c, slot_block(slot));
	if (c->wrong)
		return;
	hash = slot_hash(t, t->key_kind, slot, a->hash0);
	expect(c, b->tophash[i] == tophash(hash), "not the key's tophash");
	expect(c, (hash & bucket_mask(a->B)) == c->bucket,
	       "not the key's bucket");
	expect(c, is_first(t, a, head, slot), "a key twice");
}

/* Nothing is to be seen in a slot that is not in use, where others see it. */
static void check_wiped(struct check *c, struct bmap *b, unsigned int i)
{
	const struct hmap_type *t = &c->h->t;

	expect(c, !t->mapped ||
	       (!memchr_inv(bmap_key(t, b, i), 0, t->key_slot) &&
		!memchr_inv(bmap_elem(t, b, i), 0, t->elem_slot)),
	       "something in a slot that is not in use");
}

/* A bucket that is the true one for its keys; or is empty, until it is. */
static void check_chain(struct check *c, const struct bucket_array *a,
			struct bmap *head, bool empty)
{
	u8 last = MIN_TOPHASH, top;
	unsigned int i;
	struct bmap *b;

	for (b = head; b; b = bmap_overflow(&c->h->t, a, b)) {
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
			expect(c, b == head || is_empty(top) ||
			       !filter_lacks(head, top),
			       "an entry that the filter does not tell of");
			if (is_empty(top))
				check_wiped(c, b, i);
			else if (!c->wrong)
				check_entry(c, a, head, b, i);
		}
	}
	expect(c, last != EMPTY_ONE, "EMPTY_ONE at the end");
}

static void check_marks(struct check *c, const struct bucket_array *a,
			struct bmap *b, bool same_size)
{
	unsigned int i;

	for (; b; b = bmap_overflow(&c->h->t, a, b)) {
		for (i = 0; i < BUCKET_CNT; i++) {
			check_wiped(c, b, i);
			expect(c, b->tophash[i] == EVACUATED_X ||
			       b->tophash[i] == EVACUATED_EMPTY ||
			       (b->tophash[i] == EVACUATED_Y && !same_size),
			       "not marked evacuated");
		}
	}
}

static void count_overflow(struct check *c, const struct bucket_array *a,
			   struct bmap *b)
{
	const struct hmap_type *t = &c->h->t;

	while ((b = bmap_overflow(t, a, b))) {
		if (b < bucket_at(t, a, a->mask + 1) ||
		    b >= bucket_at(t, a, a->mask + 1 + a->nr_spare))
			c->slab++;
		else
			c->spare++;
	}
}

/* An array, and the new one that replaces it or the old one that it replaces. */
static void check_array(struct check *c, const struct bucket_array *a,
			const struct bucket_array *new,
			const struct bucket_array *old)
{
	const struct hmap *h = c->h;
	struct bmap *b, *was;

	c->spare = 0;
	c->slab = 0;
	c->bytes += hmap_alloc_size(a->bytes);
	expect(c, a->hash0 == h->l->hash0 && a->l == h->l, "seed or lineage");
	for (c->bucket = 0; c->bucket <= a->mask; c->bucket++) {
		b = bucket_at(&h->t, a, c->bucket);
		was = old ? bucket_at(&h->t, old, c->bucket & old->mask) : b;
		expect(c, !(guard_of(b)->seq & GUARD_LOCKED), "locked");
		count_overflow(c, a, b);
		if (new && evacuated(b))
			check_marks(c, a, b, a->B == new->B);
		else
			check_chain(c, a, b, old && !evacuated(was));
		if (c->wrong)
			return;
	}
	c->bytes += hmap_test_overflow_bytes(a);
	expect(c, atomic_long_read(&a->nr_overflow) == c->slab, "nr_overflow");
	expect(c, !a->pages || a->pages->nr <= a->pages->max, "overflow pages");
	expect(c, atomic_long_read(&a->next_overflow) == c->spare,
	       "next_overflow");
	/* Of an old array nobody asks, and tests set it to make one old. */
	expect(c, new || a->B >= 16 ||
	       atomic_read(&a->noverflow) == c->slab + c->spare, "noverflow");
}

static void check_map(struct check *c)
{
	struct hmap *h = c->h;
	const struct bucket_array *a = rcu_dereference(h->buckets), *old;

	if (a) {
		old = old_of(a);
		expect(c, !old || old->B == a->B || old->B + 1 == a->B,
		       "B of the old array");
		expect(c, !old || !old->old, "an old array of an old one");
		if (old)
			check_array(c, old, a, NULL);
		check_array(c, a, NULL, old);
	}
	if (c->wrong)
		return;
	c->bucket = 0;
	expect(c, hmap_len(h) == c->entries, "count");
	expect(c, hmap_len(h) <= h->max_entries, "max_entries");
	c->bytes += hmap_alloc_size(sizeof(*h)) +
		    nr_cpu_ids * sizeof(struct hmap_cpu);
	if (h->mapped)
		c->bytes += hmap_alloc_size(sizeof(*h->mapped)) + PAGE_SIZE;
	expect(c, atomic_long_read(&h->bytes) >= c->bytes, "bytes");
	if (c->settled)
		expect(c, atomic_long_read(&h->bytes) == c->bytes,
		       "bytes, with nothing left to free");
}

/* A growth that work items would go on with waits for the check. */
static void check(struct kunit *test, struct hmap *h, bool settled)
{
	struct check c = { .h = h, .settled = settled };
	bool finish;

	flush_work(&h->grow_work);
	finish = cancel_delayed_work_sync(&h->finish_work);
	if (settled)
		hmap_barrier();
	rcu_read_lock();
	check_map(&c);
	rcu_read_unlock();
	if (finish)
		queue_delayed_work(hmap_wq, &h->finish_work, h->finish_delay);
	KUNIT_ASSERT_NULL_MSG(test, c.wrong, "bucket %lu: %s", c.bucket,
			      c.wrong);
}

/*
 * Check all that holds of a map between one call and the next.  It may be
 * growing, and may be walked; but nobody else may be writing.
 */
void hmap_test_check(struct kunit *test, struct hmap *h)
{
	check(test, h, false);
}

/* Likewise, and that nothing is charged but what the map still uses. */
void hmap_test_check_settled(struct kunit *test, struct hmap *h)
{
	check(test, h, true);
}

MODULE_DESCRIPTION("KUnit tests of hmap");
MODULE_AUTHOR("The hmap authors");
MODULE_LICENSE("GPL");
