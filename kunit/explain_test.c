// SPDX-License-Identifier: GPL-2.0
/*
 * hmap_explain(): the way of a lookup, in chains whose every hash is known.
 */
#include <kunit/test.h>

#include "../core/internal.h"
#include "util.h"

#define BUCKET		3	/* that all keys go to, of 16 */

/* The hash of a key is the key itself. */
static u64 key_of(u8 top, u32 i)
{
	return (u64)top << 56 | (u64)i << 8 | BUCKET;
}

static struct hmap *make(struct kunit *test, unsigned long hint)
{
	return hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.hint = hint,
		.hasher = hmap_test_identity,
	});
}

static void insert(struct kunit *test, struct hmap *h, u64 key)
{
	KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, NULL, HMAP_ANY, GFP_KERNEL),
			0);
}

static struct hmap_walk *explain(struct kunit *test, struct hmap *h, u64 key)
{
	struct hmap_walk *w = kunit_kmalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	hmap_explain(h, &key, w);
	return w;
}

static void no_array(struct kunit *test)
{
	struct hmap_walk *w = explain(test, make(test, 0), 1);

	KUNIT_EXPECT_FALSE(test, w->buckets);
	KUNIT_EXPECT_FALSE(test, w->found);
	KUNIT_EXPECT_EQ(test, w->length, 0);
}

static void finds_along_the_chain(struct kunit *test)
{
	struct hmap *h = make(test, 100);
	struct hmap_walk *w;
	u32 i;

	for (i = 0; i < 20; i++)
		insert(test, h, key_of(i % 2 ? 0xaa : 0xbb, i));
	for (i = 0; i < 20; i++) {
		w = explain(test, h, key_of(i % 2 ? 0xaa : 0xbb, i));
		KUNIT_EXPECT_TRUE(test, w->buckets);
		KUNIT_EXPECT_FALSE(test, w->oldbuckets);
		KUNIT_EXPECT_EQ(test, w->B, 4);
		KUNIT_EXPECT_EQ(test, w->bucket, BUCKET);
		KUNIT_EXPECT_EQ(test, w->top, i % 2 ? 0xaa : 0xbb);
		KUNIT_EXPECT_EQ(test, w->length, 3);
		KUNIT_EXPECT_TRUE(test, w->found);
		KUNIT_EXPECT_EQ(test, w->at, i / 8);
		KUNIT_EXPECT_EQ(test, w->slot, i % 8);
		KUNIT_EXPECT_EQ(test, w->insert_at, i / 8);
		KUNIT_EXPECT_EQ(test, w->insert_slot, i % 8);
		KUNIT_EXPECT_FALSE(test, w->chains);
		KUNIT_EXPECT_EQ(test, w->chain[i / 8] >> (8 * (i % 8)) & 0xff,
				w->tophash);
	}
}

static void misses_where_it_may(struct kunit *test)
{
	struct hmap *h = make(test, 100);
	struct hmap_walk *w;
	u32 i;

	for (i = 0; i < 20; i++)
		insert(test, h, key_of(0xaa, i));

	/* The tophash is there all along the chain. */
	w = explain(test, h, key_of(0xaa, 20));
	KUNIT_EXPECT_FALSE(test, w->found);
	KUNIT_EXPECT_FALSE(test, w->filtered);
	KUNIT_EXPECT_EQ(test, w->at, 2);
	KUNIT_EXPECT_EQ(test, w->insert_at, 2);
	KUNIT_EXPECT_EQ(test, w->insert_slot, 4);
	KUNIT_EXPECT_FALSE(test, w->chains);

	/* The filter tells that it is not. */
	w = explain(test, h, key_of(0xab, 20));
	KUNIT_EXPECT_FALSE(test, w->found);
	KUNIT_EXPECT_TRUE(test, w->filtered);
	KUNIT_EXPECT_EQ(test, w->at, 0);
	KUNIT_EXPECT_EQ(test, w->insert_at, 2);

	/* A tophash is at least 5, and the key's own bits are shown, too. */
	w = explain(test, h, key_of(3, 20));
	KUNIT_EXPECT_EQ(test, w->top, 3);
	KUNIT_EXPECT_EQ(test, w->tophash, 8);

	for (i = 20; i < 24; i++)
		insert(test, h, key_of(0xaa, i));
	w = explain(test, h, key_of(0xaa, 24));
	KUNIT_EXPECT_EQ(test, w->length, 3);
	KUNIT_EXPECT_EQ(test, w->insert_at, 3);
	KUNIT_EXPECT_EQ(test, w->insert_slot, 0);
	KUNIT_EXPECT_TRUE(test, w->chains);
}

/* Behind a slot that says so there is nothing to look at. */
static void ends_before_the_chain_does(struct kunit *test)
{
	struct hmap *h = make(test, 100);
	struct hmap_walk *w;
	u64 key;
	u32 i;

	for (i = 0; i < 24; i++)
		insert(test, h, key_of(0xaa, i));
	while (--i >= 15) {
		key = key_of(0xaa, i);
		KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
	}
	w = explain(test, h, key_of(0xaa, 24));
	KUNIT_EXPECT_FALSE(test, w->filtered);
	KUNIT_EXPECT_EQ(test, w->length, 3);
	KUNIT_EXPECT_EQ(test, w->at, 1);
	KUNIT_EXPECT_EQ(test, w->insert_at, 1);
	KUNIT_EXPECT_EQ(test, w->insert_slot, 7);
}

/* The ninth key has a map of one bucket grow. */
static void on_both_sides_of_a_growth(struct kunit *test)
{
	struct hmap *h = make(test, 1);
	struct hmap_walk *w;
	u64 key;

	h->finish_delay = MAX_JIFFY_OFFSET;
	for (key = 0; key < 8; key++)
		insert(test, h, key);
	w = explain(test, h, 8);
	KUNIT_EXPECT_EQ(test, w->grows, HMAP_GROWS_DOUBLE);
	w = explain(test, h, 7);
	KUNIT_EXPECT_EQ(test, w->grows, HMAP_GROWS_NOT);

	KUNIT_ASSERT_EQ(test, hmap_grow(h, GFP_KERNEL), 0);
	w = explain(test, h, 5);
	KUNIT_EXPECT_TRUE(test, w->oldbuckets);
	KUNIT_EXPECT_TRUE(test, w->in_old);
	KUNIT_EXPECT_EQ(test, w->B, 1);
	KUNIT_EXPECT_EQ(test, w->old_B, 0);
	KUNIT_EXPECT_EQ(test, w->bucket, 1);
	KUNIT_EXPECT_TRUE(test, w->found);
	KUNIT_EXPECT_EQ(test, w->slot, 5);
	/* 1 and 3 go there before it. */
	KUNIT_EXPECT_EQ(test, w->insert_slot, 2);
	KUNIT_EXPECT_EQ(test, w->grows, HMAP_GROWS_NOT);
	w = explain(test, h, 8);
	KUNIT_EXPECT_FALSE(test, w->found);
	KUNIT_EXPECT_EQ(test, w->insert_slot, 4);

	insert(test, h, 8);
	w = explain(test, h, 8);
	KUNIT_EXPECT_FALSE(test, w->in_old);
	KUNIT_EXPECT_TRUE(test, w->found);
	KUNIT_EXPECT_EQ(test, w->slot, 4);
	w = explain(test, h, 5);
	KUNIT_EXPECT_FALSE(test, w->in_old);
	KUNIT_EXPECT_EQ(test, w->slot, 2);
}

/* What is there needs no bucket where its chain is moved to. */
static void found_in_an_old_chain(struct kunit *test)
{
	struct hmap *h = make(test, 104);
	struct hmap_walk *w;
	u64 key;
	u32 i;

	h->finish_delay = MAX_JIFFY_OFFSET;
	for (i = 0; i < 20; i++)
		insert(test, h, key_of(0xaa, i));
	for (key = 0; i < 104; key++) {
		if (key % 16 == BUCKET)
			continue;
		insert(test, h, key);
		i++;
	}
	KUNIT_ASSERT_EQ(test, hmap_grow(h, GFP_KERNEL), 0);
	for (i = 0; i < 20; i++) {
		w = explain(test, h, key_of(0xaa, i));
		KUNIT_EXPECT_TRUE(test, w->in_old);
		KUNIT_EXPECT_TRUE(test, w->found);
		KUNIT_EXPECT_EQ(test, w->insert_at, i / 8);
		KUNIT_EXPECT_EQ(test, w->insert_slot, i % 8);
		KUNIT_EXPECT_FALSE(test, w->chains);
	}
}

/* An insert uses up room that was drawn before it has the map grow. */
static void grows_when_no_room_is_left(struct kunit *test)
{
	struct hmap *h = make(test, 13 << (EXACT_B - 1));
	struct bucket_array *a = hmap_test_array(h);
	unsigned int nr = num_possible_cpus(), cpu;
	struct hmap_walk *w;
	u64 key;

	KUNIT_ASSERT_EQ(test, a->B, EXACT_B);
	for (key = 0; key < a->grow_at - nr; key++)
		insert(test, h, key);
	hmap_count_take_back(a);
	for_each_possible_cpu(cpu)
		atomic_long_set(&per_cpu_ptr(h->cpu, cpu)->room[a->l->nr], 1);
	atomic_long_add(nr, &a->l->count);

	w = explain(test, h, key);
	KUNIT_EXPECT_EQ(test, w->grows, HMAP_GROWS_NOT);
	insert(test, h, key++);
	KUNIT_EXPECT_PTR_EQ(test, hmap_test_array(h), a);
	while (key < a->grow_at)
		insert(test, h, key++);
	hmap_count_take_back(a);
	w = explain(test, h, key);
	KUNIT_EXPECT_EQ(test, w->grows, HMAP_GROWS_DOUBLE);

	/* Nor does one that is refused. */
	hmap_set_limits(h, a->grow_at, 0);
	w = explain(test, h, key);
	KUNIT_EXPECT_EQ(test, w->grows, HMAP_GROWS_NOT);
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, NULL, HMAP_ANY,
					  GFP_KERNEL), -ENOSPC);
	KUNIT_EXPECT_PTR_EQ(test, hmap_test_array(h), a);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(no_array),
	KUNIT_CASE(finds_along_the_chain),
	KUNIT_CASE(misses_where_it_may),
	KUNIT_CASE(ends_before_the_chain_does),
	KUNIT_CASE(on_both_sides_of_a_growth),
	KUNIT_CASE(found_in_an_old_chain),
	KUNIT_CASE(grows_when_no_room_is_left),
	{}
};

static struct kunit_suite suite = {
	.name = "hmap_explain",
	.test_cases = cases,
};

kunit_test_suite(suite);
