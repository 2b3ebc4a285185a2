// SPDX-License-Identifier: GPL-2.0
/*
 * Iteration (S10): each entry once, whatever happens meanwhile.
 */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "../core/internal.h"
#include "util.h"

#define NR_KEYS		2048

/* === Walks over u64 -> u64 === */

struct walk {
	struct hmap_iter it;
	u8 given[NR_KEYS];
	unsigned int nr;
};

static u64 constant(const void *key, size_t len, u32 hash0)
{
	return 0x5a5a5a5a5a5a5a5aULL;
}

static struct hmap *u64_map(struct kunit *test, u64 (*hasher)(const void *,
							      size_t, u32))
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hasher = hasher,
	};
	struct hmap *h = hmap_test_create(test, &params);

	h->finish_delay = MAX_JIFFY_OFFSET;
	return h;
}

/* Put keys, and let the work item do what that asks of it. */
static void put(struct kunit *test, struct hmap *h, u64 first, u64 end)
{
	u64 key, elem;

	for (key = first; key < end; key++) {
		elem = ~key;
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, &elem, HMAP_NOEXIST,
						  GFP_KERNEL), 0);
		flush_work(&h->grow_work);
	}
}

static bool growing(struct hmap *h)
{
	return rcu_access_pointer(h->oldbuckets);
}

static void finish_growth(struct kunit *test, struct hmap *h)
{
	unsigned int i;

	for (i = 0; growing(h); i++) {
		KUNIT_ASSERT_LT(test, i, 1 << 10);
		hmap_evacuate_next(h);
	}
}

/* Fill a map up until a growth is due with the next entry. */
static unsigned int fill(struct kunit *test, struct hmap *h, u8 B,
			 bool same_size)
{
	unsigned int n = (13 << (B - 1)) - same_size;

	put(test, h, 0, n);
	KUNIT_ASSERT_EQ(test, h->B, B);
	KUNIT_ASSERT_FALSE(test, growing(h));
	return n;
}

static void start_growth(struct kunit *test, struct hmap *h, unsigned int n,
			 bool same_size)
{
	if (same_size)
		atomic_set(&h->noverflow, 1 << h->B);
	KUNIT_ASSERT_EQ(test, hmap_grow(h, GFP_KERNEL), 0);
	put(test, h, n, n + 1);
	KUNIT_ASSERT_TRUE(test, growing(h));
	KUNIT_ASSERT_EQ(test, h->same_size_growths, same_size);
}

static struct walk *walk_begin(struct kunit *test, struct hmap *h)
{
	struct walk *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_EQ(test, hmap_iter_init(&w->it, h), 0);
	return w;
}

static bool walk_next(struct kunit *test, struct walk *w)
{
	int ret = hmap_iter_next(&w->it);
	u64 key, elem;

	if (ret != 1) {
		KUNIT_EXPECT_EQ(test, ret, 0);
		return false;
	}
	KUNIT_EXPECT_EQ(test, w->it.key_len, 8);
	KUNIT_EXPECT_EQ(test, w->it.elem_len, 8);
	memcpy(&key, w->it.key, 8);
	memcpy(&elem, w->it.elem, 8);
	KUNIT_ASSERT_LT(test, key, NR_KEYS);
	KUNIT_EXPECT_EQ(test, elem, ~key);
	KUNIT_ASSERT_EQ_MSG(test, ++w->given[key], 1, "key %llu", key);
	w->nr++;
	return true;
}

static void walk_some(struct kunit *test, struct walk *w, unsigned int n)
{
	while (n--)
		KUNIT_ASSERT_TRUE(test, walk_next(test, w));
}

static void walk_rest(struct kunit *test, struct walk *w)
{
	while (walk_next(test, w))
		;
	/* The end is the end. */
	KUNIT_EXPECT_FALSE(test, walk_next(test, w));
}

static void walk_end(struct kunit *test, struct walk *w)
{
	hmap_iter_exit(&w->it);
	kunit_kfree(test, w);
}

static void expect_given(struct kunit *test, struct walk *w, u64 first,
			 u64 end, u8 times)
{
	u64 key;

	for (key = first; key < end; key++)
		KUNIT_EXPECT_EQ_MSG(test, w->given[key], times, "key %llu",
				    key);
}

static void expect_whole_walk(struct kunit *test, struct hmap *h,
			      unsigned int n)
{
	struct walk *w = walk_begin(test, h);

	walk_rest(test, w);
	expect_given(test, w, 0, n, 1);
	KUNIT_EXPECT_EQ(test, w->nr, n);
	walk_end(test, w);
}

static void each_once(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	unsigned int n;

	for (n = 0; n < 120; n++) {
		expect_whole_walk(test, h, n);
		put(test, h, n, n + 1);
	}
}

static const bool same_size_values[] = { false, true };

static void describe_growth(const bool *same_size, char *desc)
{
	strscpy(desc, *same_size ? "same size" : "doubling",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(growth, same_size_values, describe_growth);

static bool is_same_size(struct kunit *test)
{
	return *(const bool *)test->param_value;
}

static void in_each_phase(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	unsigned int n = fill(test, h, 4, is_same_size(test));
	unsigned int phases = 0;

	start_growth(test, h, n++, is_same_size(test));
	for (; growing(h); phases++) {
		KUNIT_ASSERT_LE(test, phases, 1 << 4);
		expect_whole_walk(test, h, n);
		hmap_evacuate_next(h);
	}
	KUNIT_EXPECT_GT(test, phases, 8);
	expect_whole_walk(test, h, n);
}

/* A walk that begins before a growth, and one that begins with it. */
static void across_phases(struct kunit *test)
{
	struct walk *before, *during;
	unsigned int n, taken, step;
	struct hmap *h;

	for (taken = 0; taken <= 100; taken += 10) {
		h = u64_map(test, NULL);
		n = fill(test, h, 4, is_same_size(test));
		before = walk_begin(test, h);
		walk_some(test, before, taken);
		start_growth(test, h, n, is_same_size(test));
		during = walk_begin(test, h);
		for (step = 0; growing(h); step++) {
			KUNIT_ASSERT_LT(test, step, 1 << 4);
			walk_next(test, before);
			walk_some(test, during, 3);
			hmap_evacuate_next(h);
		}
		walk_rest(test, before);
		expect_given(test, before, 0, n, 1);
		walk_end(test, before);
		walk_rest(test, during);
		expect_given(test, during, 0, n + 1, 1);
		walk_end(test, during);
	}
}

/*
 * Between two entries the map doubles several times, and grows to the same
 * size twice; the last growth has not ended when the walk goes on.
 */
static void across_growths(struct kunit *test)
{
	const unsigned int n = 40;
	unsigned int taken, end;
	struct walk *w;
	struct hmap *h;

	for (taken = 0; taken <= n; taken += 8) {
		h = u64_map(test, NULL);
		put(test, h, 0, n);
		w = walk_begin(test, h);
		walk_some(test, w, taken);
		put(test, h, n, 500);
		for (end = 500; h->same_size_growths < 2; end++) {
			if (!growing(h))
				atomic_set(&h->noverflow, 1 << h->B);
			KUNIT_ASSERT_LT(test, end, NR_KEYS);
			put(test, h, end, end + 1);
		}
		KUNIT_EXPECT_GE(test, h->growths, 6);
		KUNIT_EXPECT_TRUE(test, growing(h));
		walk_rest(test, w);
		expect_given(test, w, 0, n, 1);
		walk_end(test, w);
		expect_whole_walk(test, h, end);
	}
}

/* It grows with each entry that is given, several times in all. */
static void grows_as_it_goes(struct kunit *test)
{
	const unsigned int old = 13 << 1;
	unsigned int n = old;
	struct walk *w;
	struct hmap *h;

	h = u64_map(test, NULL);
	put(test, h, 0, n);
	w = walk_begin(test, h);
	for (; n < 1500 && walk_next(test, w); n += 50)
		put(test, h, n, n + 50);
	walk_rest(test, w);
	expect_given(test, w, 0, old, 1);
	walk_end(test, w);
	KUNIT_EXPECT_GE(test, h->growths, 6);
}

static void several_at_once(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	struct walk *w[5];
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(w); i++) {
		n = 50 * (i + 1);
		put(test, h, n - 50, n);
		w[i] = walk_begin(test, h);
		walk_some(test, w[0], 7);
		walk_some(test, w[i], 3 * i);
	}
	for (i = 0; i < ARRAY_SIZE(w); i++)
		walk_rest(test, w[(i + 2) % ARRAY_SIZE(w)]);
	for (i = 0; i < ARRAY_SIZE(w); i++) {
		expect_given(test, w[i], 0, 50 * (i + 1), 1);
		walk_end(test, w[i]);
	}
}

/* === Deletes === */

static void delete_ungiven(struct kunit *test, struct hmap *h, struct walk *w,
			   unsigned int n, unsigned int nth)
{
	u64 key;

	for (key = 0; key < n; key += nth)
		if (!w->given[key])
			KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
}

/* One deleted before it is reached is not given; the others still are. */
static void deleted_is_not_given(struct kunit *test)
{
	unsigned int n, taken;
	struct walk *w;
	struct hmap *h;
	u8 *was_given;
	u64 key;

	was_given = kunit_kmalloc(test, NR_KEYS, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, was_given);
	for (taken = 0; taken < 100; taken += 9) {
		h = u64_map(test, NULL);
		n = fill(test, h, 4, is_same_size(test));
		start_growth(test, h, n++, is_same_size(test));
		w = walk_begin(test, h);
		walk_some(test, w, taken);
		memcpy(was_given, w->given, NR_KEYS);
		delete_ungiven(test, h, w, n, 2);
		walk_rest(test, w);
		for (key = 0; key < n; key++)
			KUNIT_EXPECT_EQ_MSG(test, w->given[key],
					    key % 2 || was_given[key],
					    "key %llu", key);
		walk_end(test, w);
	}
}

static void delete_all(struct kunit *test, struct hmap *h, u64 key, u64 end)
{
	for (; key < end; key++)
		KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
	KUNIT_ASSERT_EQ(test, hmap_len(h), 0);
	flush_work(&h->reseed_work);
}

/* A map that becomes empty keeps its seed while it is walked. */
static void no_reseed_under_a_walk(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	u32 hash0 = h->hash0;
	struct walk *w;

	put(test, h, 0, 50);
	finish_growth(test, h);
	w = walk_begin(test, h);
	walk_some(test, w, 1);
	delete_all(test, h, 0, 50);
	KUNIT_EXPECT_EQ(test, h->hash0, hash0);
	put(test, h, 50, 60);
	w->nr = 0;
	walk_rest(test, w);
	KUNIT_EXPECT_LE(test, w->nr, 10);
	walk_end(test, w);

	delete_all(test, h, 50, 60);
	KUNIT_EXPECT_NE(test, h->hash0, hash0);
}

static void clear_ends_the_walk(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	struct walk *w[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(w); i++) {
		put(test, h, 0, 60 + 10 * i);
		w[i] = walk_begin(test, h);
		walk_some(test, w[i], 20 * i);
		/* Also where there is no memory for an array of that size. */
		h->max_bytes = i ? atomic_long_read(&h->bytes) : LONG_MAX;
		hmap_clear(h);
		h->max_bytes = LONG_MAX;
		KUNIT_EXPECT_EQ(test, !rcu_access_pointer(h->buckets), i > 0);
		put(test, h, 0, 100);
		KUNIT_EXPECT_FALSE(test, walk_next(test, w[i]));
		hmap_clear(h);
	}
	for (i = 0; i < ARRAY_SIZE(w); i++) {
		KUNIT_EXPECT_FALSE(test, walk_next(test, w[i]));
		walk_end(test, w[i]);
	}
	expect_whole_walk(test, h, 0);
}

/* === Where it begins, and which way it goes === */

#define ORDER_BUCKETS	8
#define ORDER_SLOTS	6	/* used in each, not to go over the load */

/*
 * With keys for hashes, bucket b holds b, b + 8, b + 16 ... in its slots, so
 * where a walk begins tells what it gives when.
 */
static void expect_order(struct kunit *test, struct walk *w)
{
	unsigned int i, j, bucket, slot;
	u64 key;

	for (i = 0; i < ORDER_BUCKETS; i++) {
		bucket = (w->it.start + i) % ORDER_BUCKETS;
		for (j = 0; j < BUCKET_CNT; j++) {
			slot = (w->it.offset + j) % BUCKET_CNT;
			if (slot >= ORDER_SLOTS)
				continue;
			walk_some(test, w, 1);
			memcpy(&key, w->it.key, sizeof(key));
			KUNIT_ASSERT_EQ(test, key,
					bucket + ORDER_BUCKETS * slot);
		}
	}
	walk_rest(test, w);
}

static void goes_round_from_anywhere(struct kunit *test)
{
	struct hmap *h = u64_map(test, hmap_test_identity);
	unsigned int start[ORDER_BUCKETS] = {}, offset[BUCKET_CNT] = {};
	unsigned int i;
	struct walk *w;

	put(test, h, 0, ORDER_BUCKETS * ORDER_SLOTS);
	finish_growth(test, h);
	KUNIT_ASSERT_EQ(test, 1 << h->B, ORDER_BUCKETS);

	for (i = 0; i < 400; i++) {
		w = walk_begin(test, h);
		KUNIT_ASSERT_LT(test, w->it.start, ORDER_BUCKETS);
		KUNIT_ASSERT_LT(test, w->it.offset, BUCKET_CNT);
		start[w->it.start]++;
		offset[w->it.offset]++;
		expect_order(test, w);
		walk_end(test, w);
	}
	/* 50 are expected; under 15 or over 100 is less likely than 2^-28. */
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_GE(test, start[i], 15);
		KUNIT_EXPECT_LE(test, start[i], 100);
		KUNIT_EXPECT_GE(test, offset[i], 15);
		KUNIT_EXPECT_LE(test, offset[i], 100);
	}
}

/* One chain holds more than a walk has room for at first. */
static void long_chain(struct kunit *test)
{
	struct hmap *h = u64_map(test, constant);
	unsigned int n;
	struct walk *w;

	for (n = 10; n < 200; n += 10) {
		put(test, h, n - 10, n);
		expect_whole_walk(test, h, n);
	}
	w = walk_begin(test, h);
	walk_some(test, w, 100);
	KUNIT_EXPECT_GE(test, w->it.room, 190);
	delete_ungiven(test, h, w, 190, 1);
	KUNIT_EXPECT_FALSE(test, walk_next(test, w));
	walk_end(test, w);
}

static u8 flags_of(struct hmap *h)
{
	struct hmap_header header;

	hmap_read_header(h, &header);
	return header.flags;
}

#ifdef CONFIG_FAILSLAB
/* Fail the nth allocation; returns whether it came to that. */
static bool fail_nth(unsigned int n, int (*call)(struct hmap_iter *,
						 struct hmap *),
		     struct hmap_iter *it, struct hmap *h, int *err)
{
	unsigned int left;

	current->fail_nth = n;
	*err = call(it, h);
	left = current->fail_nth;
	current->fail_nth = 0;
	return !left;
}

static int next(struct hmap_iter *it, struct hmap *h)
{
	return hmap_iter_next(it);
}
#endif

/*
 * A walk that cannot begin holds nothing, and one that cannot go on for want of
 * memory goes on later.  What debugs the kernel allocates, too, and does
 * without if it must.
 */
static void no_memory(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	struct walk *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	struct hmap *h = u64_map(test, constant);
	unsigned int n, refused = 0;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, w);
	put(test, h, 0, 100);
	for (n = 1; fail_nth(n, hmap_iter_init, &w->it, h, &err); n++) {
		refused += err == -ENOMEM;
		if (err)
			KUNIT_EXPECT_EQ(test, flags_of(h), 0);
		else
			hmap_iter_exit(&w->it);
	}
	hmap_iter_exit(&w->it);
	if (!refused)
		kunit_skip(test, "needs failslab/ignore-gfp-wait to be N");
	KUNIT_EXPECT_GE(test, refused, 2);

	for (n = 1, err = 0; err != -ENOMEM; n++) {
		KUNIT_ASSERT_EQ(test, hmap_iter_init(&w->it, h), 0);
		KUNIT_ASSERT_TRUE(test, fail_nth(n, next, &w->it, h, &err));
		if (err != -ENOMEM)
			hmap_iter_exit(&w->it);
	}
	walk_rest(test, w);
	expect_given(test, w, 0, 100, 1);
	walk_end(test, w);
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

static void flags(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	unsigned int n = fill(test, h, 4, true);
	struct walk *w[2];

	KUNIT_EXPECT_EQ(test, flags_of(h), 0);
	w[0] = walk_begin(test, h);
	KUNIT_EXPECT_EQ(test, flags_of(h), HMAP_ITERATOR | HMAP_OLD_ITERATOR);

	/* What was walked as buckets is oldbuckets now. */
	start_growth(test, h, n, true);
	KUNIT_EXPECT_EQ(test, flags_of(h),
			HMAP_OLD_ITERATOR | HMAP_SAME_SIZE_GROW);
	w[1] = walk_begin(test, h);
	KUNIT_EXPECT_EQ(test, flags_of(h), HMAP_ITERATOR | HMAP_OLD_ITERATOR |
					   HMAP_SAME_SIZE_GROW);
	walk_end(test, w[0]);
	KUNIT_EXPECT_EQ(test, flags_of(h), HMAP_ITERATOR | HMAP_OLD_ITERATOR |
					   HMAP_SAME_SIZE_GROW);
	walk_end(test, w[1]);
	KUNIT_EXPECT_EQ(test, flags_of(h), HMAP_SAME_SIZE_GROW);
	finish_growth(test, h);
	KUNIT_EXPECT_EQ(test, flags_of(h), 0);
}

/* === Keys and elems stored by pointer === */

#define NR_STRINGS	60
#define STRING_ELEM	300

static struct hmap_bytes string_key(unsigned int i, char *buf)
{
	return (struct hmap_bytes){ buf, i ? sprintf(buf, "key %u", i) : 0 };
}

static struct hmap_bytes string_elem(unsigned int i, u8 *buf)
{
	memset(buf, i, STRING_ELEM);
	return (struct hmap_bytes){ buf, i * 5 % (STRING_ELEM + 1) };
}

static struct hmap *string_map(struct kunit *test,
			       u64 (*hasher)(const void *, size_t, u32))
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_STRING,
		.elem_size = STRING_ELEM,
		.flags = HMAP_VAR_ELEM,
		.hasher = hasher,
	};
	struct hmap *h = hmap_test_create(test, &params);
	struct hmap_bytes key, elem;
	u8 buf[STRING_ELEM];
	char name[16];
	unsigned int i;

	h->finish_delay = MAX_JIFFY_OFFSET;
	for (i = 0; i < NR_STRINGS; i++) {
		key = string_key(i, name);
		elem = string_elem(i, buf);
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, &elem, HMAP_NOEXIST,
						  GFP_KERNEL), 0);
	}
	return h;
}

/* Which string an iterator gives, whole. */
static unsigned int string_given(struct kunit *test, struct hmap_iter *it)
{
	struct hmap_bytes key, elem;
	u8 buf[STRING_ELEM];
	char name[16];
	unsigned int i;

	for (i = 0; i < NR_STRINGS; i++) {
		key = string_key(i, name);
		if (key.len == it->key_len &&
		    !memcmp(it->key, key.data, key.len))
			break;
	}
	KUNIT_ASSERT_LT(test, i, NR_STRINGS);
	elem = string_elem(i, buf);
	KUNIT_ASSERT_EQ(test, it->elem_len, elem.len);
	KUNIT_ASSERT_EQ(test, memcmp(it->elem, elem.data, elem.len), 0);
	return i;
}

static void delete_string(struct kunit *test, struct hmap *h, unsigned int i)
{
	struct hmap_bytes key;
	char name[16];

	key = string_key(i, name);
	KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
}

/*
 * What an iterator shows stays until it goes on, though it be deleted and no
 * slot refers to it any more; it is what the iterator holds that keeps it.
 */
static void strings_stay(struct kunit *test)
{
	struct hmap *h = string_map(test, NULL);
	unsigned int i, n = 0;
	struct hmap_iter it;
	u64 given = 0;

	KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, h), 0);
	while (hmap_iter_next(&it) > 0) {
		i = string_given(test, &it);
		KUNIT_EXPECT_FALSE(test, given & BIT_ULL(i));
		given |= BIT_ULL(i);
		n++;
		KUNIT_EXPECT_EQ(test, refcount_read(&it.held_key->refs), 2);
		KUNIT_EXPECT_EQ(test,
				refcount_read(&it.held_elem.block->refs), 2);
		delete_string(test, h, i);
		KUNIT_EXPECT_EQ(test, refcount_read(&it.held_key->refs), 1);
		KUNIT_EXPECT_EQ(test,
				refcount_read(&it.held_elem.block->refs), 1);
		KUNIT_EXPECT_EQ(test, string_given(test, &it), i);
		hmap_evacuate_next(h);
	}
	hmap_iter_exit(&it);
	KUNIT_EXPECT_EQ(test, n, NR_STRINGS);
	KUNIT_EXPECT_EQ(test, hmap_len(h), 0);
}

/* Wherever a walk is given up, it holds nothing afterwards. */
static void gives_back(struct kunit *test)
{
	struct hmap *h = string_map(test, constant);
	struct bucket_array *a;
	unsigned int i, taken;
	struct hmap_iter it;
	struct bmap *b;

	finish_growth(test, h);
	for (taken = 0; taken <= NR_STRINGS; taken += 20) {
		KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, h), 0);
		for (i = 0; i < taken; i++)
			KUNIT_EXPECT_EQ(test, hmap_iter_next(&it), 1);
		hmap_iter_exit(&it);
	}

	a = rcu_access_pointer(h->buckets);
	b = bucket_at(&h->t, a, constant(NULL, 0, 0) &
		      bucket_mask(a->B));
	for (i = 0; i < NR_STRINGS; i++) {
		struct hmap_block *key, *elem;

		if (i && i % BUCKET_CNT == 0)
			b = bmap_overflow(&h->t, b);
		key = *(struct hmap_block **)bmap_key(&h->t, b, i % BUCKET_CNT);
		elem = *(struct hmap_block **)bmap_elem(&h->t, b,
							i % BUCKET_CNT);
		KUNIT_EXPECT_EQ(test, refcount_read(&key->refs), 1);
		KUNIT_EXPECT_EQ(test, refcount_read(&elem->refs), 1);
	}
}

static struct kunit_case iter_cases[] = {
	KUNIT_CASE(each_once),
	KUNIT_CASE_PARAM(in_each_phase, growth_gen_params),
	KUNIT_CASE_PARAM(across_phases, growth_gen_params),
	KUNIT_CASE(across_growths),
	KUNIT_CASE(grows_as_it_goes),
	KUNIT_CASE(several_at_once),
	KUNIT_CASE_PARAM(deleted_is_not_given, growth_gen_params),
	KUNIT_CASE(no_reseed_under_a_walk),
	KUNIT_CASE(clear_ends_the_walk),
	KUNIT_CASE(goes_round_from_anywhere),
	KUNIT_CASE(long_chain),
	KUNIT_CASE(no_memory),
	KUNIT_CASE(flags),
	KUNIT_CASE(strings_stay),
	KUNIT_CASE(gives_back),
	{}
};

static struct kunit_suite iter_suite = {
	.name = "hmap_iter",
	.test_cases = iter_cases,
};

kunit_test_suite(iter_suite);
