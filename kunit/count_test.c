// SPDX-License-Identifier: GPL-2.0
/*
 * Counting: the limit of entries from several CPUs, some of which hold room
 * that they do not use.  Never over it, and nobody is refused for long who is
 * within it.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "../core/internal.h"
#include "crew.h"
#include "util.h"

#define LIMIT_MS	20000	/* for anything to happen */
#define LARGE_B		10	/* counts are drawn in batches */
#define LARGE		(13UL << (LARGE_B - 1))
#define THREADS		4

static struct hmap *map_of(struct kunit *test, unsigned long hint,
			   unsigned long max_entries)
{
	return hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = hint,
		.max_entries = max_entries,
	});
}

static int put(struct hmap *h, u64 key)
{
	return hmap_insert(h, &key, &key, HMAP_NOEXIST, GFP_KERNEL);
}

static int del(struct hmap *h, u64 key)
{
	return hmap_delete(h, &key);
}

static bool has_batches(struct hmap *h)
{
	return hmap_test_array(h)->batch > 1;
}

/* Room that CPUs have drawn and not used. */
static unsigned long drawn(struct hmap *h)
{
	return atomic_long_read(&h->l->count) - hmap_len(h);
}

/* === Crews === */

struct counting {
	struct hmap *h;
	struct crew crew;
	atomic_t next;			/* thread to get a number */
	atomic_t left;			/* threads at work */
	unsigned long keys;		/* for each thread */
	unsigned int rounds;
	atomic_long_t refused;		/* for good */
	atomic_long_t wrong;
	unsigned long over;		/* the most entries seen beyond */
};

/* Once more, for a second, as what other CPUs have drawn is taken back. */
static int put_patiently(struct counting *c, u64 key)
{
	unsigned long end = jiffies + HZ;
	int err;

	do {
		err = put(c->h, key);
		cond_resched();
	} while (err == -ENOSPC && time_before(jiffies, end));
	return err;
}

static int fill_up(void *arg)
{
	struct counting *c = arg;
	u64 key = (u64)atomic_inc_return(&c->next) << 32;
	unsigned long i;
	int err = 0;

	for (i = 0; i < c->keys && !err; i++) {
		err = put(c->h, key + i);
		cond_resched();
	}
	if (err == -ENOSPC)
		atomic_long_inc(&c->refused);
	else if (err)
		atomic_long_inc(&c->wrong);
	atomic_dec(&c->left);
	return 0;
}

/* Fills its share of the limit, and empties it, over and over. */
static int come_and_go(void *arg)
{
	struct counting *c = arg;
	u64 key = (u64)atomic_inc_return(&c->next) << 32;
	unsigned int round;
	unsigned long i;

	for (round = 0; round < c->rounds; round++) {
		for (i = 0; i < c->keys; i++) {
			if (put_patiently(c, key + i))
				atomic_long_inc(&c->refused);
			if (atomic_long_read(&c->refused))
				goto out;
		}
		/* Leave some, and then all but some. */
		for (i = round & 1; i < c->keys; i += 1 + (round & 1))
			if (del(c->h, key + i))
				atomic_long_inc(&c->wrong);
		for (i = 0; round & 1 && i < c->keys; i += 2)
			if (del(c->h, key + i))
				atomic_long_inc(&c->wrong);
	}
out:
	atomic_dec(&c->left);
	return 0;
}

static void run_crew(struct kunit *test, struct counting *c,
		     int (*work)(void *))
{
	unsigned long end = jiffies + msecs_to_jiffies(LIMIT_MS);
	unsigned long len, max = c->h->max_entries;
	unsigned int i;
	int err = 0;

	atomic_set(&c->left, THREADS);
	for (i = 0; i < THREADS && !err; i++)
		err = crew_add(&c->crew, work, c);
	if (!err)
		crew_start(&c->crew);
	while (!err && atomic_read(&c->left) && time_before(jiffies, end)) {
		len = hmap_len(c->h);
		if (len > max && len - max > c->over)
			c->over = len - max;
		cond_resched();
	}
	crew_stop(&c->crew);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&c->left), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&c->wrong), 0);
	KUNIT_EXPECT_EQ(test, c->over, 0);
}

/* A limit that is met in batches, just before them, and one at a time. */
static const unsigned long limits[] = { 20, 700, LARGE / 2, LARGE - 1, LARGE };

static void describe_limit(const unsigned long *limit, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%lu", *limit);
}

KUNIT_ARRAY_PARAM(limit, limits, describe_limit);

static void up_to_the_limit(struct kunit *test)
{
	const unsigned long limit = *(const unsigned long *)test->param_value;
	struct counting *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	u64 key = 0;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->h = map_of(test, limit, limit);
	c->keys = limit;
	run_crew(test, c, fill_up);
	KUNIT_EXPECT_GE(test, atomic_long_read(&c->refused), THREADS - 1);
	KUNIT_EXPECT_LE(test, hmap_len(c->h), limit);

	/* Whoever was refused may have been while others had room left. */
	while (hmap_len(c->h) < limit)
		KUNIT_ASSERT_EQ(test, put(c->h, key++), 0);
	KUNIT_EXPECT_EQ(test, put(c->h, key), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_len(c->h), limit);
	hmap_test_check(test, c->h);
}

/* All of them together are never over the limit, so nobody is to be refused. */
static void within_the_limit(struct kunit *test)
{
	const unsigned long limit = *(const unsigned long *)test->param_value;
	struct counting *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->h = map_of(test, limit, limit);
	c->keys = limit / THREADS;
	c->rounds = 8;
	run_crew(test, c, come_and_go);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&c->refused), 0);
	KUNIT_EXPECT_EQ(test, hmap_len(c->h), 0);
	hmap_test_check(test, c->h);
}

/* === Idle CPUs === */

/* Leave room with a CPU: where it has none, one insert draws a batch. */
static int draw(void *arg)
{
	struct counting *c = arg;
	struct hmap_cpu *cpu = this_cpu_ptr(c->h->cpu);
	u64 key = (u64)atomic_inc_return(&c->next) << 32;

	if (!atomic_long_read(&cpu->room[c->h->l->nr]) && put(c->h, key))
		atomic_long_inc(&c->wrong);
	atomic_dec(&c->left);
	return 0;
}

/* A large map half full, of which every CPU holds room. */
static struct counting *map_with_room(struct kunit *test)
{
	struct counting *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	u64 key;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->h = map_of(test, LARGE, 0);
	if (!has_batches(c->h))
		kunit_skip(test, "too many CPUs to draw batches");
	for (key = 0; key < LARGE / 2; key++)
		KUNIT_ASSERT_EQ(test, put(c->h, key), 0);
	run_crew(test, c, draw);
	KUNIT_ASSERT_GT(test, drawn(c->h), 0);
	return c;
}

/* What idle CPUs hold is as good as free to who needs it. */
static void room_is_taken_back(struct kunit *test)
{
	struct counting *c = map_with_room(test);
	struct hmap *h = c->h;
	u64 key = 1ULL << 60;

	hmap_set_limits(h, LARGE * 3 / 4, 0);
	while (hmap_len(h) < LARGE * 3 / 4)
		KUNIT_ASSERT_EQ(test, put(h, key++), 0);
	KUNIT_EXPECT_EQ(test, put(h, key), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_len(h), LARGE * 3 / 4);
	KUNIT_EXPECT_EQ(test, drawn(h), 0);
	hmap_test_check(test, h);
}

/* A limit that comes later counts for room that was drawn before, too. */
static void limit_below_room(struct kunit *test)
{
	struct counting *c = map_with_room(test);
	struct hmap *h = c->h;
	unsigned long len = hmap_len(h);
	unsigned int i, refused = 0;

	hmap_set_limits(h, len, 0);
	for (i = 0; i < 200; i++)
		refused += put(h, (1ULL << 60) + i) == -ENOSPC;
	KUNIT_EXPECT_EQ(test, refused, 200);
	KUNIT_EXPECT_EQ(test, hmap_len(h), len);
	hmap_set_limits(h, len / 2, 0);
	KUNIT_EXPECT_EQ(test, del(h, 0), 0);
	KUNIT_EXPECT_EQ(test, put(h, 0), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_len(h), len - 1);
	hmap_set_limits(h, 0, 0);
	KUNIT_EXPECT_EQ(test, put(h, 0), 0);
	hmap_test_check(test, h);
}

/* An empty map is empty, whoever deleted what whom has inserted. */
static void empty_in_the_end(struct kunit *test)
{
	struct counting *c = map_with_room(test);
	u32 hash0 = hmap_test_header(c->h).hash0;
	struct hmap *h = c->h;
	struct hmap_iter it;
	u64 *keys;
	unsigned long n = 0, i;

	keys = kunit_kcalloc(test, LARGE, sizeof(*keys), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, keys);
	KUNIT_ASSERT_EQ(test, hmap_iter_init(&it, h, NULL), 0);
	while (n < LARGE && hmap_iter_next(&it) == 1)
		memcpy(&keys[n++], it.key, sizeof(*keys));
	hmap_iter_exit(&it);
	KUNIT_EXPECT_EQ(test, n, hmap_len(h));
	for (i = 0; i < n; i++) {
		KUNIT_ASSERT_EQ(test, del(h, keys[i]), 0);
		KUNIT_ASSERT_EQ(test, hmap_len(h), n - i - 1);
	}
	hmap_test_check(test, h);
	/* It draws a new seed, though room may still be counted. */
	hmap_test_reseed(h);
	KUNIT_EXPECT_NE(test, hmap_test_header(h).hash0, hash0);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE_PARAM(up_to_the_limit, limit_gen_params),
	KUNIT_CASE_PARAM(within_the_limit, limit_gen_params),
	KUNIT_CASE(room_is_taken_back),
	KUNIT_CASE(limit_below_room),
	KUNIT_CASE(empty_in_the_end),
	{}
};

static struct kunit_suite count_suite = {
	.name = "hmap_count",
	.test_cases = count_cases,
};

kunit_test_suite(count_suite);
