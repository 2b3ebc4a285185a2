// SPDX-License-Identifier: GPL-2.0
/*
 * Lookup, insert, update and delete: where entries go (S3), what deletes leave
 * (S9), what is stored inline (S12), for all kinds of keys and elems.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/prandom.h>
#include <linux/smp.h>

#include "../core/typed.h"
#include "crew.h"
#include "util.h"

/* Buffers too large for the stack, and the map they are for. */
struct access {
	struct hmap *h;
	struct hmap_test_key key;
	struct hmap_test_elem elem;
	struct hmap_test_elem other;
	u8 got[HMAP_TEST_MAX_ELEM + 1];
};

static int access_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct access), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static struct access *access_map(struct kunit *test,
				 const struct hmap_params *params)
{
	struct access *a = test->priv;

	a->h = hmap_test_create(test, params);
	return a;
}

/* For a case that has a kind of map as its parameter. */
static struct access *access_kind(struct kunit *test)
{
	const struct hmap_test_kind *kind = test->param_value;

	return access_map(test, &kind->params);
}

static const void *key_of(struct access *a, u32 i)
{
	return hmap_test_key(a->h, i, &a->key);
}

static const void *elem_of(struct access *a, u32 i)
{
	return hmap_test_elem(a->h, i, &a->elem);
}

static int put(struct access *a, u32 key, u32 elem, enum hmap_mode mode)
{
	return hmap_insert(a->h, key_of(a, key), elem_of(a, elem), mode,
			   GFP_KERNEL);
}

static int del(struct access *a, u32 key)
{
	return hmap_delete(a->h, key_of(a, key));
}

static u32 elem_len(struct access *a, u32 elem)
{
	elem_of(a, elem);
	return a->h->t.var_elem ? a->elem.var.len : a->h->t.elem_size;
}

/* Whether what was copied to a->got is this elem, and nothing behind it. */
static bool got(struct access *a, u32 elem)
{
	u32 len = elem_len(a, elem);

	return !memcmp(a->got, a->elem.data, len) && a->got[len] == 0xee;
}

static void *got_nothing(struct access *a)
{
	return memset(a->got, 0xee, sizeof(a->got));
}

static bool holds(struct access *a, const struct hmap_held *held, u32 elem)
{
	return held->len == elem_len(a, elem) &&
	       !memcmp(held->data, a->elem.data, held->len);
}

/* Whether the key's elem is this one, by all ways of looking. */
static bool has(struct access *a, u32 key, u32 elem)
{
	struct hmap_held held;
	bool same = true;

	if (hmap_lookup(a->h, key_of(a, key), NULL))
		return false;
	if (a->h->t.indirect_elem) {
		if (hmap_hold(a->h, key_of(a, key), &held))
			return false;
		same = holds(a, &held, elem);
		hmap_release(&held);
	}
	if (!a->h->t.var_elem)
		same &= !hmap_lookup(a->h, key_of(a, key), got_nothing(a)) &&
			got(a, elem);
	return same;
}

static bool absent(struct access *a, u32 key)
{
	return hmap_lookup(a->h, key_of(a, key), NULL) == -ENOENT;
}

/* === All kinds === */

static void nothing_in_no_array(struct kunit *test)
{
	struct access *a = access_kind(test);
	struct hmap *h = a->h;
	long bytes = atomic_long_read(&h->bytes);

	KUNIT_EXPECT_TRUE(test, absent(a, 1));
	KUNIT_EXPECT_EQ(test, del(a, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_take(h, key_of(a, 1), NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, put(a, 1, 1, HMAP_EXIST), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_xchg(h, key_of(a, 1), elem_of(a, 1), NULL,
					GFP_KERNEL), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_cmpxchg(h, key_of(a, 1), elem_of(a, 1),
					   elem_of(a, 1), GFP_KERNEL), -ENOENT);
	KUNIT_EXPECT_NULL(test, hmap_test_array(h));
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), bytes);

	KUNIT_EXPECT_EQ(test, put(a, 1, 1, HMAP_NOEXIST), 0);
	KUNIT_EXPECT_NOT_NULL(test, hmap_test_array(h));
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, 0);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 1));
	hmap_test_check(test, h);
}

static void insert_modes(struct kunit *test)
{
	struct access *a = access_kind(test);

	KUNIT_EXPECT_EQ(test, put(a, 1, 1, HMAP_ANY), 0);
	KUNIT_EXPECT_EQ(test, put(a, 2, 2, HMAP_NOEXIST), 0);
	KUNIT_EXPECT_EQ(test, put(a, 3, 3, HMAP_EXIST), -ENOENT);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 1));
	KUNIT_EXPECT_TRUE(test, has(a, 2, 2));
	KUNIT_EXPECT_TRUE(test, absent(a, 3));

	KUNIT_EXPECT_EQ(test, put(a, 1, 4, HMAP_ANY), 0);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 4));
	KUNIT_EXPECT_EQ(test, put(a, 1, 5, HMAP_NOEXIST), -EEXIST);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 4));
	KUNIT_EXPECT_EQ(test, put(a, 1, 6, HMAP_EXIST), 0);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 6));
	KUNIT_EXPECT_TRUE(test, has(a, 2, 2));
	KUNIT_EXPECT_EQ(test, hmap_len(a->h), 2);
	hmap_test_check(test, a->h);
}

#define MANY	300

static void many_entries(struct kunit *test)
{
	struct access *a = access_kind(test);
	u32 i;

	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_EQ(test, put(a, i, i, HMAP_NOEXIST), 0);
	KUNIT_EXPECT_EQ(test, hmap_len(a->h), MANY);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_TRUE(test, has(a, i, i));
	for (; i < 2 * MANY; i++)
		KUNIT_ASSERT_TRUE(test, absent(a, i));
	for (i = 0; i < MANY; i += 3)
		KUNIT_ASSERT_EQ(test, put(a, i, i + 1, HMAP_EXIST), 0);
	for (i = 1; i < MANY; i += 3)
		KUNIT_ASSERT_EQ(test, del(a, i), 0);
	for (i = 1; i < MANY; i += 3)
		KUNIT_ASSERT_EQ(test, del(a, i), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_len(a->h), MANY / 3 * 2);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_TRUE(test, i % 3 == 1 ? absent(a, i) :
						has(a, i, i + (i % 3 == 0)));
	hmap_test_check(test, a->h);
}

static void take(struct kunit *test)
{
	struct access *a = access_kind(test);
	struct hmap *h = a->h;
	const int err = h->t.var_elem ? -EOPNOTSUPP : 0;

	KUNIT_ASSERT_EQ(test, put(a, 1, 201, HMAP_ANY), 0);
	KUNIT_EXPECT_EQ(test, hmap_take(h, key_of(a, 1), got_nothing(a)), err);
	if (!err)
		KUNIT_EXPECT_TRUE(test, got(a, 201));
	else
		KUNIT_EXPECT_TRUE(test, has(a, 1, 201));

	KUNIT_ASSERT_EQ(test, put(a, 1, 202, HMAP_ANY), 0);
	KUNIT_EXPECT_EQ(test, hmap_take(h, key_of(a, 1), NULL), 0);
	KUNIT_EXPECT_TRUE(test, absent(a, 1));
	KUNIT_EXPECT_EQ(test, hmap_take(h, key_of(a, 1), NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_len(h), 0);
	hmap_test_check(test, h);
}

static void xchg_elem(struct kunit *test)
{
	struct access *a = access_kind(test);
	struct hmap *h = a->h;
	const int err = h->t.var_elem ? -EOPNOTSUPP : 0;

	KUNIT_ASSERT_EQ(test, put(a, 1, 1, HMAP_ANY), 0);
	KUNIT_EXPECT_EQ(test, hmap_xchg(h, key_of(a, 1), elem_of(a, 2),
					got_nothing(a), GFP_KERNEL), err);
	if (!err)
		KUNIT_EXPECT_TRUE(test, got(a, 1));
	KUNIT_EXPECT_TRUE(test, has(a, 1, err ? 1 : 2));
	KUNIT_EXPECT_EQ(test, hmap_xchg(h, key_of(a, 1), elem_of(a, 3), NULL,
					GFP_KERNEL), 0);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 3));
	KUNIT_EXPECT_EQ(test, hmap_xchg(h, key_of(a, 2), elem_of(a, 4), NULL,
					GFP_KERNEL), -ENOENT);
	KUNIT_EXPECT_TRUE(test, absent(a, 2));
	KUNIT_EXPECT_EQ(test, hmap_len(h), 1);
	hmap_test_check(test, h);
}

static int cmpxchg_elem(struct access *a, u32 key, u32 old, u32 elem)
{
	return hmap_cmpxchg(a->h, key_of(a, key),
			    hmap_test_elem(a->h, old, &a->other),
			    elem_of(a, elem), GFP_KERNEL);
}

static void compare_and_exchange(struct kunit *test)
{
	struct access *a = access_kind(test);
	/* All elems of a set are equal. */
	const int stale = a->h->t.elem_size ? -ESTALE : 0;

	KUNIT_ASSERT_EQ(test, put(a, 1, 1, HMAP_ANY), 0);
	KUNIT_EXPECT_EQ(test, cmpxchg_elem(a, 1, 2, 3), stale);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 1));
	KUNIT_EXPECT_EQ(test, cmpxchg_elem(a, 1, 1, 3), 0);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 3));
	KUNIT_EXPECT_EQ(test, cmpxchg_elem(a, 1, 1, 3), stale);
	KUNIT_EXPECT_EQ(test, cmpxchg_elem(a, 1, 3, 3), 0);
	KUNIT_EXPECT_EQ(test, cmpxchg_elem(a, 2, 1, 1), -ENOENT);
	KUNIT_EXPECT_TRUE(test, absent(a, 2));
	KUNIT_EXPECT_EQ(test, hmap_len(a->h), 1);
	hmap_test_check(test, a->h);
}

static void hold_and_release(struct kunit *test)
{
	struct access *a = access_kind(test);
	struct hmap_held held[3];
	struct hmap *h = a->h;
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, put(a, i, i + 50, HMAP_ANY), 0);
	if (!h->t.indirect_elem) {
		KUNIT_EXPECT_EQ(test, hmap_hold(h, key_of(a, 0), held),
				-EOPNOTSUPP);
		return;
	}
	KUNIT_EXPECT_EQ(test, hmap_hold(h, key_of(a, 3), held), -ENOENT);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, hmap_hold(h, key_of(a, i), held + i), 0);

	/* What is held stays, whatever becomes of the entry. */
	KUNIT_EXPECT_EQ(test, put(a, 0, 7, HMAP_EXIST), 0);
	KUNIT_EXPECT_EQ(test, del(a, 1), 0);
	hmap_clear(h);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, holds(a, held + i, i + 50));
		KUNIT_EXPECT_EQ(test, refcount_read(&held[i].block->refs), 1);
		hmap_release(held + i);
	}
	hmap_test_check(test, h);
}

static void fetch_add(struct kunit *test)
{
	struct access *a = access_kind(test);
	struct hmap *h = a->h;
	const u64 mask = h->t.elem_size == 4 ? U32_MAX : U64_MAX;
	u64 old, zero = 0;

	if (h->t.var_elem || (h->t.elem_size != 4 && h->t.elem_size != 8)) {
		KUNIT_ASSERT_EQ(test, put(a, 1, 1, HMAP_ANY), 0);
		KUNIT_EXPECT_EQ(test, hmap_fetch_add(h, key_of(a, 1), 1, &old),
				-EOPNOTSUPP);
		KUNIT_EXPECT_TRUE(test, has(a, 1, 1));
		return;
	}
	KUNIT_EXPECT_EQ(test, hmap_fetch_add(h, key_of(a, 1), 1, &old),
			-ENOENT);
	KUNIT_ASSERT_EQ(test, hmap_insert(h, key_of(a, 1), &zero, HMAP_ANY,
					  GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, hmap_fetch_add(h, key_of(a, 1), 41, &old), 0);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_EQ(test, hmap_fetch_add(h, key_of(a, 1), -42, &old), 0);
	KUNIT_EXPECT_EQ(test, old, 41);
	KUNIT_EXPECT_EQ(test, hmap_fetch_add(h, key_of(a, 1), 3, &old), 0);
	KUNIT_EXPECT_EQ(test, old, mask);
	KUNIT_EXPECT_EQ(test, hmap_fetch_add(h, key_of(a, 1), 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, hmap_fetch_add(h, key_of(a, 1), 0, &old), 0);
	KUNIT_EXPECT_EQ(test, old, 2);
	hmap_test_check(test, h);
}

/* === Updates === */

static const struct update {
	enum hmap_what what;
	enum hmap_mode mode;
} updates[] = {
	{ HMAP_STORE, HMAP_ANY },
	{ HMAP_STORE, HMAP_NOEXIST },
	{ HMAP_STORE, HMAP_EXIST },
	{ HMAP_CMPXCHG },
	{ HMAP_ADD, HMAP_ANY },
	{ HMAP_ADD, HMAP_EXIST },
	{ HMAP_TAKE },
};

static bool adds(const struct hmap_type *t)
{
	return !t->var_elem && (t->elem_size == 4 || t->elem_size == 8);
}

/*
 * What is to come of an update with elem 3 that may expect elem 2, where the
 * elem has the number *@nr, or 0 where there is none; and what it is then.
 */
static int outcome(const struct hmap_type *t, const struct update *u, u32 *nr)
{
	if (u->what == HMAP_ADD && !adds(t))
		return -EOPNOTSUPP;
	if (*nr && u->mode == HMAP_NOEXIST)
		return -EEXIST;
	if (!*nr && (u->mode == HMAP_EXIST || u->what == HMAP_CMPXCHG ||
		     u->what == HMAP_TAKE))
		return -ENOENT;
	/* All elems of a set are equal. */
	if (u->what == HMAP_CMPXCHG && *nr != 2 && t->elem_size)
		return -ESTALE;
	*nr = u->what == HMAP_TAKE ? 0 : u->what == HMAP_ADD ? *nr + 3 : 3;
	return 0;
}

static struct hmap_op op_of(struct access *a, const struct update *u)
{
	return (struct hmap_op){
		.what = u->what,
		.mode = u->mode,
		.key = key_of(a, 1),
		.elem = elem_of(a, 3),
		.expect = hmap_test_elem(a->h, 2, &a->other),
		.old = got_nothing(a),
		.old_len = a->h->t.elem_size,
		.gfp = GFP_KERNEL,
		.present = true,	/* is set in any case */
	};
}

static void set_to(struct kunit *test, struct access *a, u32 nr)
{
	int err = nr ? put(a, 1, nr, HMAP_ANY) : del(a, 1);

	KUNIT_ASSERT_TRUE(test, !err || (!nr && err == -ENOENT));
}

static bool is(struct access *a, u32 nr)
{
	return nr ? has(a, 1, nr) : absent(a, 1);
}

static void try_update(struct kunit *test, const struct update *u, u32 was,
		       bool tell)
{
	struct access *a = test->priv;
	struct hmap_op op;
	u32 nr = was;
	int err;

	set_to(test, a, was);
	op = op_of(a, u);
	if (!tell)
		op.old = NULL;
	err = hmap_update(a->h, &op);
	KUNIT_ASSERT_EQ(test, err, outcome(&a->h->t, u, &nr));
	KUNIT_EXPECT_EQ(test, op.present, was && err != -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, op.old_len, op.present ? elem_len(a, was) :
						       a->h->t.elem_size);
	if (tell && op.present)
		KUNIT_EXPECT_TRUE(test, got(a, was));
	else
		KUNIT_EXPECT_NULL(test, memchr_inv(a->got, 0xee,
						   sizeof(a->got)));
	KUNIT_EXPECT_TRUE(test, is(a, nr));
	KUNIT_EXPECT_FALSE(test, op.grow_later || op.seen || op.key_block ||
			   op.elem_block || op.overflow || op.old_key ||
			   op.old_elem);
	hmap_test_check(test, a->h);
}

/* Of an entry and of none, in a map with others. */
static void every_update(struct kunit *test)
{
	struct access *a = access_kind(test);
	unsigned int i;
	u32 was;

	for (i = 2; i < 10; i++)
		KUNIT_ASSERT_EQ(test, put(a, i, i, HMAP_NOEXIST), 0);
	for (i = 0; i < ARRAY_SIZE(updates); i++) {
		for (was = 0; was <= 4; was++) {
			try_update(test, &updates[i], was, true);
			try_update(test, &updates[i], was, false);
		}
	}
	for (i = 2; i < 10; i++)
		KUNIT_EXPECT_TRUE(test, has(a, i, i));
}

/* With no room for the elem that is there, whatever else there is to say. */
static void no_room_for_old(struct kunit *test)
{
	struct access *a = access_kind(test);
	const u32 was = 200;
	struct hmap_op op;
	unsigned int i;
	u32 nr;

	if (!a->h->t.var_elem)
		return;
	for (i = 0; i < ARRAY_SIZE(updates); i++) {
		if (updates[i].what == HMAP_ADD)
			continue;
		set_to(test, a, was);
		op = op_of(a, &updates[i]);
		op.old_len = was - 1;	/* elem 200 has 200 bytes */
		nr = was;
		KUNIT_EXPECT_EQ(test, hmap_update(a->h, &op), -EMSGSIZE);
		KUNIT_EXPECT_TRUE(test, op.present);
		KUNIT_EXPECT_EQ(test, op.old_len, was);
		KUNIT_EXPECT_EQ(test, a->got[0], 0xee);
		KUNIT_EXPECT_TRUE(test, is(a, was));
		/* What was told is what it takes; an op can be used again. */
		elem_of(a, 3);
		KUNIT_EXPECT_EQ(test, hmap_update(a->h, &op),
				outcome(&a->h->t, &updates[i], &nr));
		KUNIT_EXPECT_TRUE(test, got(a, was));
		KUNIT_EXPECT_TRUE(test, is(a, nr));
	}
	hmap_test_check(test, a->h);
}

/* === Prefetching === */

#define NR_HASHED	40

static struct {
	unsigned int nr;
	u64 key[NR_HASHED];
} hashed;

static u64 note(const void *key, size_t len, u32 hash0)
{
	u64 hash = hmap_test_identity(key, len, hash0);

	if (hashed.nr < NR_HASHED)
		hashed.key[hashed.nr] = hash;
	hashed.nr++;
	return hash;
}

/* What is prefetched is known by what is hashed for it: each key, once. */
static void prefetch_each(struct kunit *test)
{
	const struct hmap_test_kind *kind = test->param_value;
	struct hmap_params params = kind->params;
	struct hmap_test_key *keys;
	struct hmap *h, *empty;
	const void *first;
	unsigned int i;

	keys = kunit_kcalloc(test, NR_HASHED, sizeof(*keys), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, keys);
	params.hasher = note;
	empty = hmap_test_create(test, &params);
	params.hint = 1;
	h = hmap_test_create(test, &params);
	for (i = 0; i < NR_HASHED; i++)
		hmap_test_key(h, i, &keys[i]);
	first = hmap_test_key(h, 0, keys);

	hashed.nr = 0;
	hmap_prefetch(empty, first, sizeof(*keys), NR_HASHED);
	hmap_prefetch(h, first, sizeof(*keys), 0);
	KUNIT_EXPECT_EQ(test, hashed.nr, 0);
	hmap_prefetch(h, first, sizeof(*keys), NR_HASHED);
	KUNIT_EXPECT_EQ(test, hashed.nr, NR_HASHED);
	for (i = 0; i < NR_HASHED; i++)
		KUNIT_EXPECT_EQ(test, hashed.key[i], i);
}

/* === S12: sizes === */

static const u32 border_sizes[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 127, 128, 129, 511, 512, 65536,
};

static void describe_size(const u32 *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes", *size);
}

KUNIT_ARRAY_PARAM(size, border_sizes, describe_size);

/* Whether all bytes of keys and elems count, and none behind them. */
static void each_byte_counts(struct kunit *test)
{
	const u32 size = *(const u32 *)test->param_value;
	const u32 key_size = min_t(u32, size, HMAP_MAX_KEY_SIZE);
	u8 *elem = kunit_kzalloc(test, size, GFP_KERNEL);
	u8 *copy = kunit_kzalloc(test, size + 1, GFP_KERNEL);
	u8 *key = kunit_kzalloc(test, key_size, GFP_KERNEL);
	struct hmap *h = hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_BYTES,
		.key_size = key_size,
		.elem_size = size,
	});
	u32 i, step = max(size / 128, 1U);

	KUNIT_ASSERT_TRUE(test, elem && copy && key);
	KUNIT_EXPECT_EQ(test, h->t.indirect_key, key_size > 128);
	KUNIT_EXPECT_EQ(test, h->t.indirect_elem, size > 128);
	KUNIT_ASSERT_EQ(test, hmap_insert(h, key, elem, HMAP_ANY, GFP_KERNEL),
			0);
	for (i = 0; i < key_size; i++) {
		key[i] = 0x80;
		KUNIT_EXPECT_EQ(test, hmap_lookup(h, key, copy), -ENOENT);
		key[i] = 0;
	}
	for (i = size - 1; i < size; i -= step) {
		elem[i] = 0x80;
		KUNIT_ASSERT_EQ(test, hmap_cmpxchg(h, key, elem, elem,
						   GFP_KERNEL), -ESTALE);
		KUNIT_ASSERT_EQ(test, hmap_insert(h, key, elem, HMAP_EXIST,
						  GFP_KERNEL), 0);
		copy[size] = 0xee;
		KUNIT_ASSERT_EQ(test, hmap_lookup(h, key, copy), 0);
		KUNIT_ASSERT_EQ(test, memcmp(elem, copy, size), 0);
		KUNIT_ASSERT_EQ(test, copy[size], 0xee);
	}
	hmap_test_check(test, h);
}

static void string_lengths(struct kunit *test)
{
	struct access *a = access_map(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_STRING,
		.elem_size = 4,
	});
	char *data = kunit_kzalloc(test, HMAP_MAX_STRING_LEN + 1, GFP_KERNEL);
	static const u32 lens[] = { 0, 1, 2, 7, 8, 9, 128, 129, 4095, 4096 };
	struct hmap_bytes key = { data }, none = { NULL, 0 };
	struct hmap *h = a->h;
	unsigned int i;
	u32 elem;

	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_EXPECT_TRUE(test, h->t.indirect_key);
	/* Each is the one before it with zeros at the end. */
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		key.len = lens[i];
		KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, &elem), -ENOENT);
		KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &key.len,
						  HMAP_NOEXIST, GFP_KERNEL), 0);
	}
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		key.len = lens[i];
		KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, &elem), 0);
		KUNIT_EXPECT_EQ(test, elem, lens[i]);
	}
	/* The empty string has no bytes that could be anywhere. */
	KUNIT_EXPECT_EQ(test, hmap_take(h, &none, &elem), 0);
	KUNIT_EXPECT_EQ(test, elem, 0);
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &none, &elem, HMAP_NOEXIST,
					  GFP_KERNEL), 0);
	/* The last byte counts. */
	key.len = 4096;
	data[4095] = 'x';
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, &elem), -ENOENT);

	key.len = 4097;
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &elem, HMAP_ANY, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, &elem), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_len(h), ARRAY_SIZE(lens));
	hmap_test_check(test, h);
}

static void var_elem_lengths(struct kunit *test)
{
	struct access *a = access_map(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = HMAP_MAX_ELEM_SIZE,
		.flags = HMAP_VAR_ELEM,
	});
	u8 *data = kunit_kzalloc(test, HMAP_MAX_ELEM_SIZE + 1, GFP_KERNEL);
	static const u32 lens[] = { 0, 1, 128, 129, 65535, 65536 };
	struct hmap_bytes elem = { data };
	struct hmap *h = a->h;
	struct hmap_held held;
	unsigned int i;
	u64 key = 1;

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		elem.len = lens[i];
		memset(data, i + 1, elem.len);
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, &elem, HMAP_ANY,
						  GFP_KERNEL), 0);
		KUNIT_ASSERT_EQ(test, hmap_hold(h, &key, &held), 0);
		KUNIT_EXPECT_EQ(test, held.len, lens[i]);
		KUNIT_EXPECT_EQ(test, memcmp(held.data, data, held.len), 0);
		hmap_release(&held);
		/* The same bytes, but one less, or one more. */
		if (elem.len--)
			KUNIT_EXPECT_EQ(test, hmap_cmpxchg(h, &key, &elem,
							   &elem, GFP_KERNEL),
					-ESTALE);
	}
	elem.len = HMAP_MAX_ELEM_SIZE + 1;
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &elem, HMAP_ANY, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, hmap_xchg(h, &key, &elem, NULL, GFP_KERNEL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, data), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, NULL), 0);
	hmap_test_check(test, h);
}

/* === S3 and S9: one chain === */

/* Keys are their own hashes, so these are of bucket 0 of 8. */
static u64 chain_key(unsigned int i)
{
	return 8 * i;
}

/* Of eight buckets, with memory for 52 entries: no test makes it grow. */
static struct hmap *chain_map(struct kunit *test)
{
	return hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 4,
		.hint = 52,
		.hasher = hmap_test_identity,
	});
}

static int chain_put(struct hmap *h, unsigned int i)
{
	u64 key = chain_key(i);

	return hmap_insert(h, &key, &i, HMAP_ANY, GFP_KERNEL);
}

static int chain_get(struct hmap *h, unsigned int i)
{
	u64 key = chain_key(i);

	return hmap_lookup(h, &key, NULL);
}

static int chain_del(struct hmap *h, unsigned int i)
{
	u64 key = chain_key(i);

	return hmap_delete(h, &key);
}

/* Which slot of the chain the key is in. */
static int slot_in_chain(struct hmap *h, unsigned int i)
{
	struct bucket_array *a = hmap_test_array(h);
	struct bmap *b = bucket_at(&h->t, a, 0);
	int slot;

	for (slot = 0; b; slot++) {
		if (!is_empty(b->tophash[slot % BUCKET_CNT]) &&
		    *(u64 *)bmap_key(&h->t, b, slot % BUCKET_CNT) ==
		    chain_key(i))
			return slot;
		if (slot % BUCKET_CNT == BUCKET_CNT - 1)
			b = bmap_overflow(&h->t, NULL, b);
	}
	return -1;
}

static u8 byte_in_chain(struct hmap *h, unsigned int slot)
{
	u64 words[8];

	hmap_read_chain(h, false, 0, words, ARRAY_SIZE(words));
	return words[slot / BUCKET_CNT] >> slot % BUCKET_CNT * 8;
}

static int chain_len(struct hmap *h)
{
	return hmap_read_chain(h, false, 0, NULL, 0);
}

static void first_empty_slot(struct kunit *test)
{
	static const u8 holes[] = { 3, 7, 8, 12, 23 };
	struct hmap *h = chain_map(test);
	unsigned int i;

	for (i = 0; i < 24; i++) {
		KUNIT_ASSERT_EQ(test, chain_put(h, i), 0);
		KUNIT_ASSERT_EQ(test, slot_in_chain(h, i), i);
		KUNIT_ASSERT_EQ(test, chain_len(h), i / 8 + 1);
	}
	for (i = 0; i < ARRAY_SIZE(holes); i++)
		KUNIT_ASSERT_EQ(test, chain_del(h, holes[i]), 0);
	/* A key that is there is found behind a hole, and stays. */
	for (i = 0; i < 24; i++) {
		if (memchr(holes, i, sizeof(holes)))
			continue;
		KUNIT_ASSERT_EQ(test, chain_put(h, i), 0);
		KUNIT_ASSERT_EQ(test, slot_in_chain(h, i), i);
	}
	KUNIT_EXPECT_EQ(test, hmap_len(h), 24 - sizeof(holes));
	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		KUNIT_ASSERT_EQ(test, chain_put(h, 30 + i), 0);
		KUNIT_EXPECT_EQ(test, slot_in_chain(h, 30 + i), holes[i]);
	}
	KUNIT_EXPECT_EQ(test, chain_len(h), 3);
	KUNIT_ASSERT_EQ(test, chain_put(h, 40), 0);
	KUNIT_EXPECT_EQ(test, slot_in_chain(h, 40), 24);
	KUNIT_EXPECT_EQ(test, chain_len(h), 4);
	KUNIT_EXPECT_EQ(test, h->growths + h->same_size_growths, 0UL);
	hmap_test_check(test, h);
}

static void empty_rest_back_through_chain(struct kunit *test)
{
	struct hmap *h = chain_map(test);
	unsigned int i;

	for (i = 0; i < 24; i++)
		KUNIT_ASSERT_EQ(test, chain_put(h, i), 0);
	for (i = 5; i < 23; i++) {
		KUNIT_ASSERT_EQ(test, chain_del(h, i), 0);
		KUNIT_ASSERT_EQ(test, byte_in_chain(h, i), EMPTY_ONE);
	}
	KUNIT_ASSERT_EQ(test, chain_del(h, 3), 0);
	KUNIT_ASSERT_EQ(test, chain_del(h, 23), 0);
	for (i = 5; i < 24; i++)
		KUNIT_EXPECT_EQ(test, byte_in_chain(h, i), EMPTY_REST);
	KUNIT_EXPECT_EQ(test, byte_in_chain(h, 4), MIN_TOPHASH);
	KUNIT_EXPECT_EQ(test, byte_in_chain(h, 3), EMPTY_ONE);
	KUNIT_ASSERT_EQ(test, chain_del(h, 4), 0);
	KUNIT_EXPECT_EQ(test, byte_in_chain(h, 4), EMPTY_REST);
	KUNIT_EXPECT_EQ(test, byte_in_chain(h, 3), EMPTY_REST);
	KUNIT_EXPECT_EQ(test, byte_in_chain(h, 2), MIN_TOPHASH);
	hmap_test_check(test, h);
}

/* What the filter lacks, nobody looks for behind the head. */
static void filter_spares_chain(struct kunit *test)
{
	struct hmap *h = chain_map(test);
	struct bmap *head = bucket_at(&h->t, hmap_test_array(h), 0);
	struct guard *g = guard_of(head);
	unsigned int i;
	u32 filter;

	for (i = 0; i < 8; i++)
		KUNIT_ASSERT_EQ(test, chain_put(h, i), 0);
	KUNIT_EXPECT_EQ(test, g->filter, 0U);
	for (; i < 24; i++)
		KUNIT_ASSERT_EQ(test, chain_put(h, i), 0);
	filter = g->filter;
	KUNIT_EXPECT_EQ(test, filter, filter_bit(MIN_TOPHASH));

	g->filter = ~filter;
	KUNIT_EXPECT_EQ(test, chain_get(h, 7), 0);
	KUNIT_EXPECT_EQ(test, chain_get(h, 8), -ENOENT);
	KUNIT_EXPECT_EQ(test, chain_del(h, 8), -ENOENT);
	g->filter = filter;
	KUNIT_EXPECT_EQ(test, chain_get(h, 8), 0);

	for (; i > 8; i--) {
		KUNIT_EXPECT_EQ(test, g->filter, filter);
		KUNIT_ASSERT_EQ(test, chain_del(h, i - 1), 0);
	}
	KUNIT_EXPECT_EQ(test, g->filter, 0U);
	hmap_test_check(test, h);
}

#define CHAIN_SLOTS	24
#define CHAIN_STEPS	3000

/* Key plus one that is in a slot, or 0. */
static u8 expected_byte(const u8 slots[CHAIN_SLOTS], unsigned int i)
{
	if (slots[i])
		return MIN_TOPHASH;
	while (++i < CHAIN_SLOTS)
		if (slots[i])
			return EMPTY_ONE;
	return EMPTY_REST;
}

/* Each step of a random history against slots in a row. */
static void chain_as_slots_in_a_row(struct kunit *test)
{
	struct hmap *h = chain_map(test);
	u8 slots[CHAIN_SLOTS] = {}, *at;
	struct rnd_state rnd;
	unsigned int step, i;
	u64 words[3] = {};

	prandom_seed_state(&rnd, 9);
	for (step = 0; step < CHAIN_STEPS; step++) {
		i = prandom_u32_state(&rnd) % CHAIN_SLOTS;
		at = memchr(slots, i + 1, sizeof(slots));
		/* More and more entries, then fewer and fewer. */
		if (prandom_u32_state(&rnd) % 4 == (step >> 7) % 2) {
			KUNIT_ASSERT_EQ(test, chain_put(h, i), 0);
			if (!at)
				*(u8 *)memchr(slots, 0, sizeof(slots)) = i + 1;
		} else {
			KUNIT_ASSERT_EQ(test, chain_del(h, i),
					at ? 0 : -ENOENT);
			if (at)
				*at = 0;
		}
		hmap_read_chain(h, false, 0, words, ARRAY_SIZE(words));
		for (i = 0; i < CHAIN_SLOTS; i++)
			KUNIT_ASSERT_EQ_MSG(test, (u8)(words[i / 8] >> i % 8 * 8),
					    expected_byte(slots, i),
					    "step %u, slot %u", step, i);
	}
	KUNIT_EXPECT_EQ(test, h->growths + h->same_size_growths, 0UL);
	hmap_test_check(test, h);
}

/* === S9: the seed === */

static u32 seed_after_reseed(struct hmap *h)
{
	hmap_test_reseed(h);
	return hmap_test_header(h).hash0;
}

static struct access *seed_map(struct kunit *test)
{
	return access_map(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 208,
	});
}

static void new_seed_when_empty(struct kunit *test)
{
	struct access *a = seed_map(test);
	u32 hash0 = hmap_test_header(a->h).hash0;

	KUNIT_ASSERT_EQ(test, put(a, 1, 1, HMAP_ANY), 0);
	KUNIT_ASSERT_EQ(test, put(a, 2, 2, HMAP_ANY), 0);
	KUNIT_ASSERT_EQ(test, del(a, 1), 0);
	KUNIT_EXPECT_EQ(test, seed_after_reseed(a->h), hash0);
	KUNIT_ASSERT_EQ(test, del(a, 2), 0);
	KUNIT_EXPECT_NE(test, seed_after_reseed(a->h), hash0);
	hash0 = hmap_test_header(a->h).hash0;
	KUNIT_EXPECT_EQ(test, put(a, 1, 1, HMAP_NOEXIST), 0);
	KUNIT_EXPECT_TRUE(test, has(a, 1, 1));
	KUNIT_EXPECT_EQ(test, hmap_take(a->h, key_of(a, 1), NULL), 0);
	KUNIT_EXPECT_NE(test, seed_after_reseed(a->h), hash0);
}

static void old_seed_for_iterators(struct kunit *test)
{
	struct access *a = seed_map(test);
	u32 hash0 = hmap_test_header(a->h).hash0;
	struct hmap_iter it;

	KUNIT_ASSERT_EQ(test, put(a, 1, 1, HMAP_ANY), 0);
	KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, a->h, NULL), 0);
	KUNIT_EXPECT_EQ(test, del(a, 1), 0);
	KUNIT_EXPECT_EQ(test, seed_after_reseed(a->h), hash0);
	hmap_iter_exit(&it);
}

static void old_seed_while_growing(struct kunit *test)
{
	struct access *a = seed_map(test);
	u32 hash0 = hmap_test_header(a->h).hash0;

	a->h->finish_delay = MAX_JIFFY_OFFSET;
	KUNIT_ASSERT_EQ(test, put(a, 1, 1, HMAP_ANY), 0);
	atomic_set(&hmap_test_array(a->h)->noverflow, 1 << hmap_test_header(a->h).B);
	KUNIT_ASSERT_EQ(test, put(a, 2, 2, HMAP_ANY), 0);
	flush_work(&a->h->grow_work);
	KUNIT_ASSERT_EQ(test, del(a, 1), 0);
	KUNIT_ASSERT_EQ(test, del(a, 2), 0);
	KUNIT_ASSERT_NOT_NULL(test, hmap_test_old(a->h));
	KUNIT_EXPECT_EQ(test, seed_after_reseed(a->h), hash0);
	hmap_test_check(test, a->h);
}

/* === HMAP_DEFINE() === */

struct peer {
	u32 addr;
	u16 port;
	u16 zone;
	u32 mark;
};

HMAP_DEFINE(test_u32_to_u16, u32, u16)
HMAP_DEFINE(test_peer_to_u64, struct peer, u64)

static void typed_maps(struct kunit *test)
{
	struct hmap *ports = test_u32_to_u16_create(0);
	struct hmap *peers = test_peer_to_u64_create(100);
	struct peer peer = { 1, 2, 3, 4 };
	u16 port = 80;
	u64 elem = 5;

	KUNIT_EXPECT_EQ(test, test_u32_to_u16_insert(ports, 7, &port, HMAP_ANY,
						     GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, test_u32_to_u16_delete(ports, 8), -ENOENT);
	port = 0;
	KUNIT_EXPECT_EQ(test, test_u32_to_u16_lookup(ports, 7, &port), 0);
	KUNIT_EXPECT_EQ(test, port, 80);

	KUNIT_EXPECT_EQ(test, test_peer_to_u64_insert(peers, peer, &elem,
						      HMAP_NOEXIST,
						      GFP_KERNEL), 0);
	peer.mark++;
	KUNIT_EXPECT_EQ(test, test_peer_to_u64_take(peers, peer, &elem),
			-ENOENT);
	peer.mark--;
	elem = 0;
	KUNIT_EXPECT_EQ(test, test_peer_to_u64_take(peers, peer, &elem), 0);
	KUNIT_EXPECT_EQ(test, elem, 5);
	KUNIT_EXPECT_EQ(test, hmap_len(peers), 0);
	hmap_destroy(ports);
	hmap_destroy(peers);
}

struct long_elem {
	u64 n[25];
};

HMAP_DEFINE(test_u64_to_u64, u64, u64)
HMAP_DEFINE(test_u64_to_long, u64, struct long_elem)

/* What lookups find that are made for a type, as the map grows under them. */
#define DEFINE_FOUND_WHILE_GROWING(name, key_t, elem_t, make_key)	\
static void name##_found(struct kunit *test)				\
{									\
	struct hmap *h = name##_create(0);				\
	elem_t elem, *stored;						\
	unsigned int n, i;						\
									\
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(h));			\
	stored = kunit_kcalloc(test, MANY, sizeof(*stored), GFP_KERNEL); \
	KUNIT_ASSERT_NOT_NULL(test, stored);				\
	for (n = 0; n < MANY; n++) {					\
		get_random_bytes(&stored[n], sizeof(elem_t));		\
		KUNIT_ASSERT_EQ(test, name##_lookup(h, make_key(n), &elem), \
				-ENOENT);				\
		KUNIT_ASSERT_EQ(test, name##_insert(h, make_key(n),	\
						    &stored[n],		\
						    HMAP_NOEXIST,	\
						    GFP_KERNEL), 0);	\
		for (i = n % 13; i <= n; i += 13) {			\
			memset(&elem, 0, sizeof(elem));			\
			KUNIT_ASSERT_EQ(test, name##_lookup(h, make_key(i), \
							    &elem), 0);	\
			KUNIT_ASSERT_TRUE(test, !memcmp(&elem, &stored[i], \
							sizeof(elem)));	\
		}							\
	}								\
	for (n = 0; n < MANY; n++) {					\
		KUNIT_ASSERT_EQ(test, name##_delete(h, make_key(n)), 0); \
		KUNIT_ASSERT_EQ(test, name##_lookup(h, make_key(n), &elem), \
				-ENOENT);				\
	}								\
	hmap_destroy(h);						\
}

#define WORD_KEY(n)	((n) * 0x9e3779b9U)
#define PEER_KEY(n)	((struct peer){ .port = (n), .mark = ~(n) })

DEFINE_FOUND_WHILE_GROWING(test_u32_to_u16, u32, u16, WORD_KEY)
DEFINE_FOUND_WHILE_GROWING(test_u64_to_u64, u64, u64, WORD_KEY)
DEFINE_FOUND_WHILE_GROWING(test_peer_to_u64, struct peer, u64, PEER_KEY)
DEFINE_FOUND_WHILE_GROWING(test_u64_to_long, u64, struct long_elem, WORD_KEY)

static void typed_lookups(struct kunit *test)
{
	test_u32_to_u16_found(test);
	test_u64_to_u64_found(test);
	test_peer_to_u64_found(test);
	test_u64_to_long_found(test);
}

struct pair {
	u32 a, b;
};

struct halves {
	u16 half[4];
};

/* Only of an integer is it known that it is aligned as one. */
static void kind_of_types(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(u32), HMAP_KEY_U32);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(int), HMAP_KEY_U32);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(u64), HMAP_KEY_U64);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(s64), HMAP_KEY_U64);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(unsigned long),
			sizeof(long) == 8 ? HMAP_KEY_U64 : HMAP_KEY_U32);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(u16), HMAP_KEY_BYTES);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(struct pair), HMAP_KEY_BYTES);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(struct halves), HMAP_KEY_BYTES);
	KUNIT_EXPECT_EQ(test, HMAP_KIND_OF(u8[4]), HMAP_KEY_BYTES);
}

/* === Interrupts === */

#define IRQ_KEYS	300

struct irq_calls {
	struct tasklet_struct tasklet;
	struct irq_work work;
	struct access *a;
	unsigned int calls;
	unsigned int wrong;
	bool in_context;
};

static void irq_expect(struct irq_calls *s, bool right)
{
	s->calls++;
	s->wrong += !right;
}

static void irq_updates(struct irq_calls *s, u32 i)
{
	struct access *a = s->a;
	struct hmap *h = a->h;
	const void *elem = elem_of(a, i);
	bool inline_or_fixed = !h->t.var_elem;
	struct hmap_held held;
	struct hmap_op op = {
		.what = HMAP_STORE,
		.mode = HMAP_EXIST,
		.key = key_of(a, i),
		.elem = elem,
		.old = a->got,
		.old_len = sizeof(a->got),
		.gfp = GFP_ATOMIC,
	};
	u64 old;

	irq_expect(s, !hmap_update(h, &op) && op.present);
	irq_expect(s, !hmap_lookup(h, op.key, NULL));
	irq_expect(s, !hmap_cmpxchg(h, op.key, elem, elem, GFP_ATOMIC));
	irq_expect(s, hmap_xchg(h, op.key, elem, a->got, GFP_ATOMIC) ==
			  (inline_or_fixed ? 0 : -EOPNOTSUPP));
	hmap_prefetch(h, op.key, sizeof(struct hmap_test_key), 1);
	if (h->t.indirect_elem) {
		irq_expect(s, !hmap_hold(h, op.key, &held));
		hmap_release(&held);
	}
	if (!h->t.indirect_elem && (h->t.elem_size == 4 || h->t.elem_size == 8))
		irq_expect(s, !hmap_fetch_add(h, op.key, 0, &old));
}

/* All that may be called from interrupts, on a map that grows as it is. */
static void irq_calls(struct irq_calls *s)
{
	struct hmap *h = s->a->h;
	struct hmap_header hdr;
	u64 word;
	u32 i;

	for (i = 0; i < IRQ_KEYS; i++) {
		irq_expect(s, !hmap_insert(h, key_of(s->a, i),
					   elem_of(s->a, i), HMAP_NOEXIST,
					   GFP_ATOMIC));
		irq_updates(s, i);
		irq_updates(s, i / 2);
		irq_expect(s, hmap_len(h) == i + 1);
		hmap_read_header(h, &hdr);
		irq_expect(s, hdr.count == i + 1);
		irq_expect(s, hmap_read_chain(h, false, 0, &word, 1) >= 1);
	}
	hmap_set_limits(h, IRQ_KEYS, 0);
	for (i = 0; i < IRQ_KEYS; i++)
		irq_expect(s, i % 2 ?
				  !hmap_delete(h, key_of(s->a, i)) :
				  !hmap_take(h, key_of(s->a, i), NULL));
}

static void expect_calls(struct kunit *test, const struct irq_calls *s)
{
	KUNIT_EXPECT_TRUE(test, s->in_context);
	KUNIT_EXPECT_GT(test, s->calls, 10 * IRQ_KEYS);
	KUNIT_EXPECT_EQ(test, s->wrong, 0);
	KUNIT_EXPECT_EQ(test, hmap_len(s->a->h), 0);
	hmap_test_check_settled(test, s->a->h);
}

static void call_in_softirq(struct tasklet_struct *tasklet)
{
	struct irq_calls *s = container_of(tasklet, struct irq_calls, tasklet);

	s->in_context = in_serving_softirq();
	irq_calls(s);
}

static void from_softirq(struct kunit *test)
{
	struct irq_calls s = { .a = access_kind(test) };

	tasklet_setup(&s.tasklet, call_in_softirq);
	tasklet_schedule(&s.tasklet);
	tasklet_kill(&s.tasklet);
	expect_calls(test, &s);
}

static void call_in_hardirq(struct irq_work *work)
{
	struct irq_calls *s = container_of(work, struct irq_calls, work);

	s->in_context = in_hardirq();
	irq_calls(s);
}

/* The map allows it; on PREEMPT_RT, it is the allocators that do not. */
static void from_hardirq(struct kunit *test)
{
	struct irq_calls s = { .a = access_kind(test) };

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "allocates");
	init_irq_work(&s.work, call_in_hardirq);
	irq_work_queue(&s.work);
	irq_work_sync(&s.work);
	expect_calls(test, &s);
}

#define MEETINGS	300
#define MEET_MS		10000	/* at most */
#define SHARED_KEY	0	/* all of it fits into one bucket */

struct meeting {
	struct hmap *h;
	struct crew crew;
	unsigned int cpu;		/* where they meet */
	atomic_long_t sum;		/* of what was added, by whomever */
	unsigned long calls[2];		/* in a process, in interrupts */
	unsigned long wrong[2];
};

/* Needs no memory. */
static void meet(struct meeting *m, u64 key, bool in_irq)
{
	u64 shared = SHARED_KEY, elem = ~key, got = 0;
	struct hmap *h = m->h;
	bool right;

	right = !hmap_insert(h, &key, &elem, HMAP_NOEXIST, GFP_ATOMIC) &&
		!hmap_lookup(h, &key, &got) && got == elem &&
		!hmap_fetch_add(h, &shared, key, NULL) &&
		!hmap_take(h, &key, &got) && got == elem &&
		hmap_lookup(h, &key, &got) == -ENOENT;
	atomic_long_add(key, &m->sum);
	m->calls[in_irq]++;
	m->wrong[in_irq] += !right;
}

static void meet_in_irq(void *arg)
{
	meet(arg, 2, true);
}

static int meet_in_process(void *arg)
{
	struct meeting *m = arg;

	while (!kthread_should_stop()) {
		meet(m, 1, false);
		cond_resched();
	}
	return 0;
}

static int interrupt(void *arg)
{
	struct meeting *m = arg;

	while (!kthread_should_stop()) {
		smp_call_function_single(m->cpu, meet_in_irq, m, 1);
		cond_resched();
	}
	return 0;
}

/* An interrupt writes to the very bucket that its CPU is about to write to. */
static void irq_in_between(struct kunit *test)
{
	struct meeting *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned long end = jiffies + msecs_to_jiffies(MEET_MS);
	u64 key = SHARED_KEY, sum = 0;
	int err;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	KUNIT_ASSERT_NOT_NULL(test, m);
	m->cpu = crew_cpu(0);
	m->h = hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
	});
	KUNIT_ASSERT_EQ(test, hmap_insert(m->h, &key, &sum, HMAP_ANY,
					  GFP_KERNEL), 0);
	err = crew_add(&m->crew, meet_in_process, m);
	if (!err)
		err = crew_add(&m->crew, interrupt, m);
	if (!err)
		crew_start(&m->crew);
	while (!err && time_before(jiffies, end) &&
	       (READ_ONCE(m->calls[0]) < MEETINGS ||
		READ_ONCE(m->calls[1]) < MEETINGS))
		msleep(20);
	crew_stop(&m->crew);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_GE(test, m->calls[0], MEETINGS);
	KUNIT_EXPECT_GE(test, m->calls[1], MEETINGS);
	KUNIT_EXPECT_EQ(test, m->wrong[0], 0);
	KUNIT_EXPECT_EQ(test, m->wrong[1], 0);
	KUNIT_EXPECT_EQ(test, hmap_lookup(m->h, &key, &sum), 0);
	KUNIT_EXPECT_EQ(test, sum, atomic_long_read(&m->sum));
	KUNIT_EXPECT_EQ(test, hmap_len(m->h), 1);
	hmap_test_check(test, m->h);
}

KUNIT_ARRAY_PARAM(each_kind, hmap_test_kinds, hmap_test_describe_kind);

/* === Lookups that find writers in their way === */

/* Whose guard somebody has whenever a lookup looks without it. */
static struct {
	struct bmap *head;
	unsigned int tries;		/* still to come */
} busy;

static u64 busy_hash(const void *key, size_t len, u32 hash0)
{
	if (busy.tries) {
		guard_of(busy.head)->seq |= GUARD_LOCKED;
		busy.tries--;
	} else if (busy.head) {
		guard_of(busy.head)->seq &= ~GUARD_LOCKED;
	}
	return hmap_test_identity(key, len, hash0);
}

/* The key's bucket is in @a.  Its elem is its complement, if it has one. */
static void expect_with_lock(struct kunit *test, const struct bucket_array *a,
			     u64 key, int ret)
{
	struct bmap *head = bucket_at(&a->h->t, a, key & a->mask);
	u32 seq = guard_of(head)->seq;
	u64 elem = 0;

	busy.head = head;
	busy.tries = LOOKUP_TRIES;
	KUNIT_EXPECT_EQ(test, hmap_lookup(a->h, &key, &elem), ret);
	busy.head = NULL;
	KUNIT_EXPECT_EQ(test, elem, ret ? 0 : ~key);
	KUNIT_EXPECT_EQ(test, busy.tries, 0);
	KUNIT_EXPECT_EQ(test, guard_of(head)->seq, seq + 2);
}

/* C1: they take the lock in the end, be the bucket an old one or a new one. */
static void lock_in_the_end(struct kunit *test)
{
	struct bmap *reserve = NULL;
	struct bucket_array *old;
	struct hmap *h;
	u64 key, elem;

	h = hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 13,
		.hasher = busy_hash,
	});
	h->finish_delay = MAX_JIFFY_OFFSET;
	/* Bucket 1 has a chain. */
	for (key = 1; key < 26; key += 2) {
		elem = ~key;
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, &elem, HMAP_ANY,
						  GFP_KERNEL), 0);
	}
	old = hmap_test_array(h);
	expect_with_lock(test, old, 1, 0);
	expect_with_lock(test, old, 25, 0);
	expect_with_lock(test, old, 27, -ENOENT);

	KUNIT_ASSERT_EQ(test, hmap_grow(h, GFP_KERNEL), 0);
	KUNIT_ASSERT_PTR_EQ(test, hmap_test_old(h), old);
	expect_with_lock(test, old, 1, 0);
	expect_with_lock(test, old, 27, -ENOENT);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, hmap_evacuate(hmap_test_array(h), old, 1,
					    &reserve), 0);
	rcu_read_unlock();
	expect_with_lock(test, hmap_test_array(h), 1, 0);
	expect_with_lock(test, hmap_test_array(h), 3, 0);
	hmap_test_check(test, h);
}

static struct kunit_case access_cases[] = {
	KUNIT_CASE_PARAM(nothing_in_no_array, each_kind_gen_params),
	KUNIT_CASE_PARAM(insert_modes, each_kind_gen_params),
	KUNIT_CASE_PARAM(many_entries, each_kind_gen_params),
	KUNIT_CASE_PARAM(take, each_kind_gen_params),
	KUNIT_CASE_PARAM(xchg_elem, each_kind_gen_params),
	KUNIT_CASE_PARAM(compare_and_exchange, each_kind_gen_params),
	KUNIT_CASE_PARAM(hold_and_release, each_kind_gen_params),
	KUNIT_CASE_PARAM(fetch_add, each_kind_gen_params),
	KUNIT_CASE_PARAM(every_update, each_kind_gen_params),
	KUNIT_CASE_PARAM(no_room_for_old, each_kind_gen_params),
	KUNIT_CASE_PARAM(prefetch_each, each_kind_gen_params),
	KUNIT_CASE_PARAM(each_byte_counts, size_gen_params),
	KUNIT_CASE(string_lengths),
	KUNIT_CASE(var_elem_lengths),
	KUNIT_CASE(first_empty_slot),
	KUNIT_CASE(empty_rest_back_through_chain),
	KUNIT_CASE(filter_spares_chain),
	KUNIT_CASE(chain_as_slots_in_a_row),
	KUNIT_CASE(new_seed_when_empty),
	KUNIT_CASE(old_seed_for_iterators),
	KUNIT_CASE(old_seed_while_growing),
	KUNIT_CASE(typed_maps),
	KUNIT_CASE(typed_lookups),
	KUNIT_CASE(kind_of_types),
	KUNIT_CASE_PARAM(from_softirq, each_kind_gen_params),
	KUNIT_CASE_PARAM(from_hardirq, each_kind_gen_params),
	KUNIT_CASE(irq_in_between),
	KUNIT_CASE(lock_in_the_end),
	{}
};

static struct kunit_suite access_suite = {
	.name = "hmap_access",
	.init = access_init,
	.test_cases = access_cases,
};

kunit_test_suite(access_suite);
