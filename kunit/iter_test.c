// SPDX-License-Identifier: GPL-2.0
/*
 * Iteration (S10): each entry once, whatever happens meanwhile.
 */
#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

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
	return hmap_test_old(h);
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
	KUNIT_ASSERT_EQ(test, hmap_test_header(h).B, B);
	KUNIT_ASSERT_FALSE(test, growing(h));
	return n;
}

/* As many overflow buckets as buckets. */
static void ask_for_same_size(struct hmap *h)
{
	struct bucket_array *a = hmap_test_array(h);

	atomic_set(&a->noverflow, 1 << a->B);
}

static void start_growth(struct kunit *test, struct hmap *h, unsigned int n,
			 bool same_size)
{
	if (same_size)
		ask_for_same_size(h);
	KUNIT_ASSERT_EQ(test, hmap_grow(h, GFP_KERNEL), 0);
	put(test, h, n, n + 1);
	KUNIT_ASSERT_TRUE(test, growing(h));
	KUNIT_ASSERT_EQ(test, h->same_size_growths, same_size);
}

static const struct hmap_cursor new_walk;

/* A walk from @new_walk has cursors; one from NULL has none. */
static struct walk *walk_from(struct kunit *test, struct hmap *h,
			      const struct hmap_cursor *from)
{
	struct walk *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_EQ(test, hmap_iter_init(&w->it, h, from), 0);
	return w;
}

static struct walk *walk_begin(struct kunit *test, struct hmap *h)
{
	return walk_from(test, h, &new_walk);
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
	struct walk *w[2] = { walk_from(test, h, NULL), walk_begin(test, h) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(w); i++) {
		walk_rest(test, w[i]);
		expect_given(test, w[i], 0, n, 1);
		KUNIT_EXPECT_EQ(test, w[i]->nr, n);
		walk_end(test, w[i]);
	}
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

/* A kind of walk, and of growth that it meets. */
static const struct meeting {
	const char *name;
	const struct hmap_cursor *from;
	bool same_size;
} meetings[] = {
	{ "doubling", NULL, false },
	{ "same size", NULL, true },
	{ "doubling, with cursors", &new_walk, false },
	{ "same size, with cursors", &new_walk, true },
};

static void describe_meeting(const struct meeting *m, char *desc)
{
	strscpy(desc, m->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(meeting, meetings, describe_meeting);

static void in_each_phase(struct kunit *test)
{
	const struct meeting *m = test->param_value;
	struct hmap *h = u64_map(test, NULL);
	unsigned int n = fill(test, h, 4, m->same_size);
	unsigned int phases = 0;
	struct walk *w;

	start_growth(test, h, n++, m->same_size);
	for (; growing(h); phases++) {
		KUNIT_ASSERT_LE(test, phases, 1 << 4);
		w = walk_from(test, h, m->from);
		walk_rest(test, w);
		expect_given(test, w, 0, n, 1);
		KUNIT_EXPECT_EQ(test, w->nr, n);
		walk_end(test, w);
		hmap_evacuate_next(h);
	}
	KUNIT_EXPECT_GT(test, phases, 8);
	expect_whole_walk(test, h, n);
}

/* A walk that begins before a growth, and one that begins with it. */
static void across_phases(struct kunit *test)
{
	const struct meeting *m = test->param_value;
	struct walk *before, *during;
	unsigned int n, taken, step;
	struct hmap *h;

	for (taken = 0; taken <= 100; taken += 10) {
		h = u64_map(test, NULL);
		n = fill(test, h, 4, m->same_size);
		before = walk_from(test, h, m->from);
		walk_some(test, before, taken);
		start_growth(test, h, n, m->same_size);
		during = walk_from(test, h, m->from);
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
	const struct meeting *m = test->param_value;
	const unsigned int n = 40;
	unsigned int taken, end;
	struct walk *w;
	struct hmap *h;

	for (taken = 0; taken <= n; taken += 8) {
		h = u64_map(test, NULL);
		put(test, h, 0, n);
		w = walk_from(test, h, m->from);
		walk_some(test, w, taken);
		put(test, h, n, 500);
		for (end = 500; m->same_size && h->same_size_growths < 2;
		     end++) {
			if (!growing(h))
				ask_for_same_size(h);
			KUNIT_ASSERT_LT(test, end, NR_KEYS);
			put(test, h, end, end + 1);
		}
		KUNIT_EXPECT_GE(test, h->growths, 6);
		if (m->same_size)
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
	const struct meeting *m = test->param_value;
	const unsigned int old = 13 << 1;
	unsigned int n = old;
	struct walk *w;
	struct hmap *h;

	h = u64_map(test, NULL);
	put(test, h, 0, n);
	w = walk_from(test, h, m->from);
	for (; n < 1500 && walk_next(test, w); n += 50) {
		if (m->same_size && !growing(h))
			ask_for_same_size(h);
		put(test, h, n, n + 50);
	}
	walk_rest(test, w);
	expect_given(test, w, 0, old, 1);
	walk_end(test, w);
	KUNIT_EXPECT_GE(test, h->growths, 6);
	KUNIT_EXPECT_EQ(test, h->same_size_growths > 0, m->same_size);
}

static void several_at_once(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	struct walk *w[5];
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(w); i++) {
		n = 50 * (i + 1);
		put(test, h, n - 50, n);
		w[i] = walk_from(test, h, i % 2 ? &new_walk : NULL);
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
	const struct meeting *m = test->param_value;
	unsigned int n, taken;
	struct walk *w;
	struct hmap *h;
	u8 *was_given;
	u64 key;

	was_given = kunit_kmalloc(test, NR_KEYS, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, was_given);
	for (taken = 0; taken < 100; taken += 9) {
		h = u64_map(test, NULL);
		n = fill(test, h, 4, m->same_size);
		start_growth(test, h, n++, m->same_size);
		w = walk_from(test, h, m->from);
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
	hmap_test_reseed(h);
}

/* A map that becomes empty keeps its seed while it is walked. */
static void no_reseed_under_a_walk(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	u32 hash0 = hmap_test_header(h).hash0;
	struct walk *w;

	put(test, h, 0, 50);
	finish_growth(test, h);
	w = walk_begin(test, h);
	walk_some(test, w, 1);
	delete_all(test, h, 0, 50);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).hash0, hash0);
	put(test, h, 50, 60);
	w->nr = 0;
	walk_rest(test, w);
	KUNIT_EXPECT_LE(test, w->nr, 10);
	walk_end(test, w);

	delete_all(test, h, 50, 60);
	KUNIT_EXPECT_NE(test, hmap_test_header(h).hash0, hash0);
}

static void expect_stale(struct kunit *test, struct hmap *h,
			 const struct hmap_cursor *cursor)
{
	struct hmap_iter it;
	int err = hmap_iter_init(&it, h, cursor);

	KUNIT_EXPECT_EQ(test, err, -ESTALE);
	if (!err)
		hmap_iter_exit(&it);
}

static void clear_makes_stale(struct kunit *test)
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
		KUNIT_EXPECT_EQ(test, !hmap_test_array(h), i > 0);
		put(test, h, 0, 100);
		KUNIT_EXPECT_EQ(test, hmap_iter_next(&w[i]->it), -ESTALE);
		expect_stale(test, h, &w[i]->it.cursor);
		hmap_clear(h);
	}
	for (i = 0; i < ARRAY_SIZE(w); i++) {
		KUNIT_EXPECT_EQ(test, hmap_iter_next(&w[i]->it), -ESTALE);
		walk_end(test, w[i]);
	}
	expect_whole_walk(test, h, 0);
}

static void new_seed_makes_stale(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL), *other = u64_map(test, NULL);
	struct hmap_cursor cursor;
	struct walk *w;

	put(test, h, 0, 50);
	put(test, other, 0, 50);
	finish_growth(test, h);
	w = walk_begin(test, h);
	walk_some(test, w, 10);
	cursor = w->it.cursor;
	walk_end(test, w);
	expect_stale(test, other, &cursor);
	delete_all(test, h, 0, 50);
	expect_stale(test, h, &cursor);
	put(test, h, 0, 50);
	expect_stale(test, h, &cursor);
}

/* === Cursors === */

/* Put a walk down behind the present entry, and go on with it. */
static void walk_again(struct kunit *test, struct walk *w)
{
	struct hmap_cursor cursor = w->it.cursor;
	struct hmap *h = w->it.h;

	KUNIT_ASSERT_TRUE(test, w->it.last);
	hmap_iter_exit(&w->it);
	memset(&w->it, 0, sizeof(w->it));
	KUNIT_ASSERT_EQ(test, hmap_iter_init(&w->it, h, &cursor), 0);
}

/* Nothing is kept between one entry and the next but a cursor. */
static void cursor_is_all(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	unsigned int n;
	struct walk *w;

	for (n = 1; n < 200; n += 7) {
		put(test, h, hmap_len(h), n);
		w = walk_begin(test, h);
		while (walk_next(test, w))
			walk_again(test, w);
		expect_given(test, w, 0, n, 1);
		KUNIT_EXPECT_EQ(test, w->nr, n);

		/* The end stays the end, whatever comes. */
		w->it.last = true;
		walk_again(test, w);
		KUNIT_EXPECT_FALSE(test, walk_next(test, w));
		walk_end(test, w);
	}
}

/*
 * The map doubles several times, and grows to the same size, between an entry
 * and the next, and is found in each phase of a growth.
 */
static void cursor_across_growths(struct kunit *test)
{
	const unsigned int old = 40, step = 37;
	unsigned int n = old, i;
	struct walk *w;
	struct hmap *h;

	h = u64_map(test, NULL);
	put(test, h, 0, n);
	w = walk_begin(test, h);
	while (walk_next(test, w)) {
		walk_again(test, w);
		if (n + step > NR_KEYS)
			continue;
		if (h->growths > 5 && !growing(h) && !h->same_size_growths)
			ask_for_same_size(h);
		put(test, h, n, n + step);
		n += step;
		for (i = 0; i < w->nr % 5; i++)
			hmap_evacuate_next(h);
	}
	expect_given(test, w, 0, old, 1);
	walk_end(test, w);
	KUNIT_EXPECT_GE(test, h->growths, 6);
	KUNIT_EXPECT_GE(test, h->same_size_growths, 1);
	hmap_test_check(test, h);
}

/* Three of a hash, and nothing else to tell them apart. */
static u64 by_three(const void *key, size_t len, u32 hash0)
{
	u64 third = *(const u64 *)key / 3;

	return hmap_test_mixed(&third, sizeof(third), hash0);
}

/* A cursor does not part what has the same hash. */
static void equal_hashes_together(struct kunit *test)
{
	struct hmap *h = u64_map(test, by_three);
	unsigned int together = 0;
	struct walk *w;
	u64 key, third = 0;

	put(test, h, 0, 300);
	w = walk_begin(test, h);
	while (walk_next(test, w)) {
		memcpy(&key, w->it.key, sizeof(key));
		if (together++)
			KUNIT_EXPECT_EQ(test, key / 3, third);
		third = key / 3;
		KUNIT_EXPECT_EQ(test, w->it.last, together == 3);
		if (!w->it.last)
			continue;
		together = 0;
		walk_again(test, w);
	}
	expect_given(test, w, 0, 300, 1);
	walk_end(test, w);
}

/* Whatever a cursor says, it is refused, or the walk ends and gives no lies. */
static void forged_cursors(struct kunit *test)
{
	/* Of no walk yet, whatever else they say; and the other way round. */
	const struct hmap_cursor begin = { .start = U64_MAX, .next = U64_MAX };
	const struct hmap_cursor stale = { .epoch = U64_MAX };
	struct hmap *h = u64_map(test, NULL);
	unsigned int i, refused = 0, walked = 0;
	const unsigned int nr = 220;
	struct hmap_cursor cursor;
	struct rnd_state rnd;
	struct walk *w;
	u64 start;
	int err;

	prandom_seed_state(&rnd, 3);
	put(test, h, 0, nr);
	KUNIT_ASSERT_TRUE(test, growing(h));
	expect_stale(test, h, &stale);
	w = walk_from(test, h, &begin);
	walk_some(test, w, 1);
	KUNIT_ASSERT_TRUE(test, w->it.last);
	cursor = w->it.cursor;
	start = cursor.start;
	walk_rest(test, w);
	expect_given(test, w, 0, nr, 1);
	hmap_iter_exit(&w->it);
	for (i = 0; i < 2000; i++) {
		/* Any cursor; and one that only lies about where to go on. */
		prandom_bytes_state(&rnd, &cursor.next, sizeof(cursor.next));
		cursor.start = start;
		if (i % 2)
			prandom_bytes_state(&rnd, &cursor.start,
					    sizeof(cursor.start));
		if (i % 4 == 1)
			cursor.start >>= prandom_u32_state(&rnd) % 64;
		if (i % 4 == 3)
			cursor.start = (cursor.start & 0x3f00) |
				       (cursor.start & 7);
		memset(w, 0, sizeof(*w));
		err = hmap_iter_init(&w->it, h, &cursor);
		if (err) {
			KUNIT_ASSERT_EQ(test, err, -EINVAL);
			refused++;
			continue;
		}
		while (walk_next(test, w))
			KUNIT_ASSERT_LE(test, w->nr, nr);
		walked += w->nr > 0;
		hmap_iter_exit(&w->it);
	}
	KUNIT_EXPECT_GT(test, refused, 500);
	KUNIT_EXPECT_GT(test, walked, 1000);
	kunit_kfree(test, w);
}

#define EMPTY_B		13	/* no entry in so many buckets, but for one */

/* A walk over what is left of a big map can be interrupted, and gone on with. */
static void interrupted_where_empty(struct kunit *test)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 13 << (EMPTY_B - 1),
	};
	struct hmap *h = hmap_test_create(test, &params);
	unsigned int interrupted = 0;
	struct hmap_cursor cursor;
	struct walk *w;
	int ret;

	KUNIT_ASSERT_EQ(test, hmap_test_header(h).B, EMPTY_B);
	put(test, h, 1, 2);
	w = walk_begin(test, h);
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	do {
		KUNIT_ASSERT_LE(test, interrupted, 1 << EMPTY_B);
		cursor = w->it.cursor;
		ret = hmap_iter_next(&w->it);
		if (ret != -EINTR)
			continue;
		interrupted++;
		KUNIT_EXPECT_NE(test, cursor.next, w->it.cursor.next);
		/* With a cursor, too. */
		w->it.last = true;
		if (interrupted % 2)
			walk_again(test, w);
	} while (ret == -EINTR);
	KUNIT_ASSERT_EQ(test, ret, 1);
	do
		ret = hmap_iter_next(&w->it);
	while (ret == -EINTR && ++interrupted < 1 << EMPTY_B);
	flush_signals(current);
	disallow_signal(SIGUSR1);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_GE(test, interrupted, 2);
	walk_end(test, w);

	w = walk_from(test, h, NULL);
	walk_rest(test, w);
	KUNIT_EXPECT_EQ(test, w->nr, 1);
	walk_end(test, w);
}

/* === What is given === */

/* An elem that changes after its bucket was copied is given as it is then. */
static void changed_elem(struct kunit *test)
{
	struct hmap *h = u64_map(test, NULL);
	u64 key, elem, flag = 1ULL << 63;
	unsigned int n, taken;
	struct hmap_iter it;

	put(test, h, 0, 100);
	for (taken = 0; taken < 100; taken += 9) {
		KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, h, taken % 2 ?
						     &new_walk : NULL), 0);
		for (n = 0; n < taken; n++)
			KUNIT_ASSERT_EQ(test, hmap_iter_next(&it), 1);
		for (key = 0; key < 100; key++) {
			elem = key | flag | taken << 8;
			KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, &elem,
							  HMAP_EXIST,
							  GFP_KERNEL), 0);
		}
		for (; hmap_iter_next(&it) == 1; n++) {
			memcpy(&key, it.key, sizeof(key));
			memcpy(&elem, it.elem, sizeof(elem));
			KUNIT_ASSERT_EQ(test, elem, key | flag | taken << 8);
		}
		KUNIT_EXPECT_EQ(test, n, 100);
		hmap_iter_exit(&it);
	}
}

/* As a type of that size may want to be. */
static void expect_aligned(struct kunit *test, const void *p, u32 size)
{
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)p, 1UL << __ffs(size | 8)));
}

/* Of any kind. */
static void every_kind_from(struct kunit *test, const struct hmap_cursor *from)
{
	const struct hmap_test_kind *kind = test->param_value;
	struct hmap *h = hmap_test_create(test, &kind->params);
	struct hmap_test_elem *elem;
	struct hmap_test_key *key;
	const unsigned int nr = 100;
	unsigned int n = 0;
	struct hmap_iter it;
	u32 i;

	key = kunit_kzalloc(test, sizeof(*key), GFP_KERNEL);
	elem = kunit_kzalloc(test, sizeof(*elem), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, key && elem);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, hmap_insert(h, hmap_test_key(h, i, key),
						  hmap_test_elem(h, i, elem),
						  HMAP_NOEXIST, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, h, from), 0);
	for (; hmap_iter_next(&it) == 1; n++) {
		expect_aligned(test, it.key, h->t.key_slot);
		expect_aligned(test, it.elem, h->t.elem_slot);
		i = hmap_test_number(it.key, it.key_len);
		KUNIT_ASSERT_LT(test, i, nr);
		hmap_test_key(h, i, key);
		KUNIT_EXPECT_EQ(test, it.key_len, hmap_test_key_len(h, i));
		KUNIT_EXPECT_EQ(test, memcmp(it.key, key->data, it.key_len), 0);
		hmap_test_elem(h, i, elem);
		KUNIT_EXPECT_EQ(test, it.elem_len, h->t.var_elem ?
				elem->var.len : h->t.elem_size);
		KUNIT_EXPECT_EQ(test, memcmp(it.elem, elem->data, it.elem_len),
				0);
	}
	KUNIT_EXPECT_EQ(test, n, nr);
	hmap_iter_exit(&it);
}

static void every_kind(struct kunit *test)
{
	every_kind_from(test, NULL);
	every_kind_from(test, &new_walk);
}

/* === Where it begins, and which way it goes === */

#define ORDER_BUCKETS	8
#define ORDER_SLOTS	6	/* used in each, not to go over the load */

/*
 * With keys for hashes, bucket b holds b + 8 * i, and these go by the bits of
 * i from the lowest on.
 */
static void expect_order(struct kunit *test, struct walk *w, u64 start)
{
	static const u64 order[ORDER_SLOTS] = { 0, 4, 2, 1, 5, 3 };
	unsigned int i, j;
	u64 key;

	for (i = 0; i < ORDER_BUCKETS; i++) {
		for (j = 0; j < ORDER_SLOTS; j++) {
			walk_some(test, w, 1);
			memcpy(&key, w->it.key, sizeof(key));
			KUNIT_ASSERT_EQ(test, key,
					(start + i) % ORDER_BUCKETS +
					ORDER_BUCKETS * order[j]);
		}
	}
	walk_rest(test, w);
}

static void goes_round_from_anywhere(struct kunit *test)
{
	struct hmap *h = u64_map(test, hmap_test_identity);
	unsigned int start[ORDER_BUCKETS] = {};
	unsigned int i;
	struct walk *w;
	u64 bucket;

	put(test, h, 0, ORDER_BUCKETS * ORDER_SLOTS);
	finish_growth(test, h);
	KUNIT_ASSERT_EQ(test, 1 << hmap_test_header(h).B, ORDER_BUCKETS);

	for (i = 0; i < 400; i++) {
		w = walk_begin(test, h);
		bucket = w->it.start;
		KUNIT_ASSERT_LT(test, bucket, ORDER_BUCKETS);
		start[bucket]++;
		expect_order(test, w, bucket);
		walk_end(test, w);
	}
	/* 50 are expected; under 15 or over 100 is less likely than 2^-28. */
	for (i = 0; i < ORDER_BUCKETS; i++) {
		KUNIT_EXPECT_GE(test, start[i], 15);
		KUNIT_EXPECT_LE(test, start[i], 100);
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
	KUNIT_EXPECT_GE(test, w->it.room * BUCKET_CNT, 190);
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

#define NTH_MAX		8

/*
 * A walk that cannot begin holds nothing, and one that cannot go on for want of
 * memory goes on later.  What debugs the kernel may allocate, too, now and
 * then, and does without: only the first allocation is sure to be ours.
 */
static void no_memory(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	struct walk *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	struct hmap *h = u64_map(test, constant);
	unsigned int n;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, w);
	if (!hmap_test_may_fail())
		kunit_skip(test, "needs failslab/ignore-gfp-wait to be N");
	put(test, h, 0, 100);
	for (n = 1; n <= NTH_MAX; n++) {
		current->fail_nth = n;
		err = hmap_iter_init(&w->it, h, NULL);
		current->fail_nth = 0;
		KUNIT_ASSERT_TRUE(test, err == -ENOMEM || (!err && n > 1));
		if (!err)
			hmap_iter_exit(&w->it);
		KUNIT_EXPECT_EQ(test, flags_of(h), 0);
	}

	for (n = 1; n <= NTH_MAX; n++) {
		memset(w, 0, sizeof(*w));
		KUNIT_ASSERT_EQ(test, hmap_iter_init(&w->it, h, NULL), 0);
		current->fail_nth = n;
		err = hmap_iter_next(&w->it);
		current->fail_nth = 0;
		KUNIT_ASSERT_TRUE(test, err == -ENOMEM || (err == 1 && n > 1));
		if (err == -ENOMEM) {
			walk_rest(test, w);
			expect_given(test, w, 0, 100, 1);
		}
		hmap_iter_exit(&w->it);
	}
	kunit_kfree(test, w);
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
	KUNIT_EXPECT_EQ(test, flags_of(h), HMAP_ITERATOR);
	w[1] = walk_from(test, h, NULL);
	start_growth(test, h, n, true);
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
	return (struct hmap_bytes){
		buf, sprintf(buf, "a key that does not fit in a slot: %u", i)
	};
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
	char name[48];
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
	char name[48];
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
	char name[48];

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
	const struct hmap_block *key, *elem;
	unsigned int i, refs, n = 0;
	struct hmap_iter it;
	u64 given = 0;

	KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, h, NULL), 0);
	while (hmap_iter_next(&it) > 0) {
		i = string_given(test, &it);
		KUNIT_EXPECT_FALSE(test, given & BIT_ULL(i));
		given |= BIT_ULL(i);
		n++;
		key = container_of(it.key, struct hmap_block, data[0]);
		elem = container_of(it.elem, struct hmap_block, data[0]);
		/* By the copy, and as what was looked up again. */
		refs = refcount_read(&elem->refs);
		KUNIT_EXPECT_GE(test, refs, 2);
		KUNIT_EXPECT_EQ(test, refcount_read(&key->refs), 2);
		delete_string(test, h, i);
		KUNIT_EXPECT_EQ(test, refcount_read(&key->refs), 1);
		KUNIT_EXPECT_EQ(test, refcount_read(&elem->refs), refs - 1);
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
		KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, h, NULL), 0);
		for (i = 0; i < taken; i++)
			KUNIT_EXPECT_EQ(test, hmap_iter_next(&it), 1);
		hmap_iter_exit(&it);
	}

	a = hmap_test_array(h);
	b = bucket_at(&h->t, a, constant(NULL, 0, 0) &
		      bucket_mask(a->B));
	for (i = 0; i < NR_STRINGS; i++) {
		struct hmap_block *key, *elem;

		if (i && i % BUCKET_CNT == 0)
			b = bmap_overflow(&h->t, a, b);
		key = *(struct hmap_block **)bmap_key(&h->t, b, i % BUCKET_CNT);
		elem = *(struct hmap_block **)bmap_elem(&h->t, b,
							i % BUCKET_CNT);
		KUNIT_EXPECT_EQ(test, refcount_read(&key->refs), 1);
		KUNIT_EXPECT_EQ(test, refcount_read(&elem->refs), 1);
	}
}

KUNIT_ARRAY_PARAM(each_kind, hmap_test_kinds, hmap_test_describe_kind);

static struct kunit_case iter_cases[] = {
	KUNIT_CASE(each_once),
	KUNIT_CASE_PARAM(in_each_phase, meeting_gen_params),
	KUNIT_CASE_PARAM(across_phases, meeting_gen_params),
	KUNIT_CASE_PARAM(across_growths, meeting_gen_params),
	KUNIT_CASE_PARAM(grows_as_it_goes, meeting_gen_params),
	KUNIT_CASE(several_at_once),
	KUNIT_CASE_PARAM(deleted_is_not_given, meeting_gen_params),
	KUNIT_CASE(no_reseed_under_a_walk),
	KUNIT_CASE(clear_makes_stale),
	KUNIT_CASE(new_seed_makes_stale),
	KUNIT_CASE(cursor_is_all),
	KUNIT_CASE(cursor_across_growths),
	KUNIT_CASE(equal_hashes_together),
	KUNIT_CASE(forged_cursors),
	KUNIT_CASE(interrupted_where_empty),
	KUNIT_CASE(changed_elem),
	KUNIT_CASE_PARAM(every_kind, each_kind_gen_params),
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
