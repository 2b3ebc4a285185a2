// SPDX-License-Identifier: GPL-2.0
/*
 * Races that a map has just once in its life, or in a growth's, in one map
 * after another, with delays where the order of stores matters.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "../core/internal.h"
#include "crew.h"
#include "util.h"

#define THREADS		3
#define LIMIT_MS	20000	/* for a round */

/* A crew that works together, one round after the other, each on a new map. */
struct rounds {
	struct crew crew;
	void (*work)(struct rounds *r, unsigned int nth);
	struct hmap *h;
	atomic_t nr;			/* threads that have begun */
	atomic_t round;
	atomic_t left;			/* threads at work on it */
	struct completion done;		/* when there is none */
	atomic_t wrong;
};

static int rounds_thread(void *arg)
{
	struct rounds *r = arg;
	unsigned int nth = atomic_inc_return(&r->nr) - 1;
	int seen = 0, round;

	while (!kthread_should_stop()) {
		round = atomic_read_acquire(&r->round);
		if (round == seen) {
			cond_resched();
			continue;
		}
		seen = round;
		r->work(r, nth);
		if (atomic_dec_and_test(&r->left))
			complete(&r->done);
	}
	return 0;
}

/* No assertions until rounds_stop(). */
static int rounds_start(struct rounds *r,
			void (*work)(struct rounds *r, unsigned int nth))
{
	unsigned int i;
	int err = 0;

	r->work = work;
	init_completion(&r->done);
	for (i = 0; i < THREADS && !err; i++)
		err = crew_add(&r->crew, rounds_thread, r);
	if (!err)
		crew_start(&r->crew);
	return err;
}

/* Have them all work on a map; true if they have done within the limit. */
static bool rounds_run(struct rounds *r, struct hmap *h, unsigned int delay_us)
{
	bool done;

	r->h = h;
	WRITE_ONCE(hmap_test_delay_us, delay_us);
	atomic_set(&r->left, THREADS);
	reinit_completion(&r->done);
	atomic_inc_return_release(&r->round);
	done = wait_for_completion_timeout(&r->done,
					   msecs_to_jiffies(LIMIT_MS));
	WRITE_ONCE(hmap_test_delay_us, 0);
	return done;
}

static void rounds_stop(struct rounds *r)
{
	crew_stop(&r->crew);
}

static int put(struct hmap *h, u64 key, u64 elem)
{
	return hmap_insert(h, &key, &elem, HMAP_NOEXIST, GFP_KERNEL);
}

static bool has(struct hmap *h, u64 key, u64 elem)
{
	u64 got = 0;

	return !hmap_lookup(h, &key, &got) && got == elem;
}

static bool growing(struct hmap *h)
{
	return hmap_test_old(h);
}

static struct hmap *new_map(unsigned long hint)
{
	struct hmap *h = hmap_create(&(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = hint,
	});

	if (IS_ERR(h))
		return NULL;
	h->finish_delay = MAX_JIFFY_OFFSET;
	return h;
}

/* === The end of a growth === */

#define END_ROUNDS	100
#define END_KEYS	50

/* As a write does with the bucket it touches; here, the nth from the end. */
static void evacuate(struct hmap *h, unsigned long nth)
{
	struct bmap *reserve = NULL;
	struct bucket_array *old;

	rcu_read_lock();
	old = hmap_test_old(h);
	if (old && nth <= old->mask)
		hmap_evacuate(hmap_test_array(h), old, old->mask - nth,
			      &reserve);
	rcu_read_unlock();
}

/*
 * Whether a claim comes last or a mark, the growth ends with that.  One of them
 * meets the others half way, as claims go over what has been marked.
 */
static void evacuate_all(struct rounds *r, unsigned int nth)
{
	unsigned long end = jiffies + msecs_to_jiffies(LIMIT_MS / 4), i = 0;

	while (growing(r->h) && time_before(jiffies, end)) {
		if (!nth)
			evacuate(r->h, i++);
		if (nth || i > 4)
			hmap_evacuate_next(r->h);
		cond_resched();
	}
}

/* The same size, the second time, so there is a part in another growth. */
static bool end_round(struct rounds *r, unsigned int round)
{
	static const u8 sizes[] = { 1, 2, 3, 4, 5, 9, 10 };
	const u8 B = sizes[round % ARRAY_SIZE(sizes)];
	struct hmap *h = new_map(13UL << (B - 1));
	unsigned int i, n = B < 4 ? 3 : END_KEYS;
	bool right = h;

	for (i = 0; right && i < n; i++)
		right = !put(h, i, i);
	for (i = 0; right && i < 2; i++) {
		atomic_set(&hmap_test_array(h)->noverflow, 1 << B);
		right = !hmap_grow(h, GFP_KERNEL) && growing(h) &&
			rounds_run(r, h, round % 3) && !growing(h);
	}
	for (i = 0; right && i < n; i++)
		right = has(h, i, i);
	right = right && hmap_len(h) == n;
	hmap_destroy(h);
	return right;
}

static void growth_ends(struct kunit *test)
{
	struct rounds *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int round, right = 0;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, r);
	err = rounds_start(r, evacuate_all);
	for (round = 0; !err && round < END_ROUNDS && right == round; round++)
		right += end_round(r, round);
	rounds_stop(r);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, right, END_ROUNDS);
}

/* === A map from its first array on === */

#define FRESH_ROUNDS	40
#define FRESH_KEYS	150	/* for each thread */

/* Each has keys of its own, so it knows what there is to find. */
static void fill(struct rounds *r, unsigned int nth)
{
	u64 base = (u64)nth << 32, key, got;
	struct hmap *h = r->h;
	unsigned int i, wrong = 0;

	for (i = 0; i < FRESH_KEYS; i++) {
		key = base + i;
		wrong += put(h, key, ~key) != 0;
		wrong += !has(h, key, ~key);
		key = base + i / 2;
		wrong += put(h, key, key) != -EEXIST;
		wrong += !has(h, key, ~key);
		key = base + i / 3 * 2;
		if (key + i % 2 > base + i)
			continue;
		wrong += hmap_take(h, &key, &got) || got != ~key;
		wrong += hmap_lookup(h, &key, NULL) != -ENOENT;
		wrong += put(h, key, ~key) != 0;
		cond_resched();
	}
	atomic_add(wrong, &r->wrong);
}

static void fresh_maps(struct kunit *test)
{
	struct rounds *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int round, i, wrong = 0;
	struct hmap *h;
	bool done = true;
	int err;
	u64 key;

	KUNIT_ASSERT_NOT_NULL(test, r);
	err = rounds_start(r, fill);
	for (round = 0; !err && done && !wrong && round < FRESH_ROUNDS;
	     round++) {
		h = new_map(0);
		done = h && rounds_run(r, h, 1 << round % 4 >> 1);
		if (!done)
			break;
		wrong = atomic_read(&r->wrong);
		for (i = 0; i < THREADS * FRESH_KEYS; i++) {
			key = (u64)(i % THREADS) << 32 | i / THREADS;
			wrong += !has(h, key, ~key);
		}
		wrong += hmap_len(h) != THREADS * FRESH_KEYS;
		wrong += h->growths < 4;
		hmap_destroy(h);
	}
	rounds_stop(r);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_TRUE(test, done);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* === The last spare overflow bucket === */

#define SPARE_ROUNDS	30
#define SPARE_B		4	/* buckets of which there is one */

/* The ninth key of a bucket, each of another one. */
static void chain_one(struct rounds *r, unsigned int nth)
{
	if (put(r->h, BUCKET_CNT << SPARE_B | nth, nth))
		atomic_inc(&r->wrong);
}

static bool spare_round(struct rounds *r)
{
	struct hmap *h = new_map(13UL << (SPARE_B - 1));
	struct bucket_array *a;
	bool right = h;
	u64 key;

	if (h)
		h->t.hasher = hmap_test_identity;
	for (key = 0; right && key < BUCKET_CNT << SPARE_B; key++) {
		if ((key & bucket_mask(SPARE_B)) < THREADS)
			right = !put(h, key, key);
	}
	right = right && rounds_run(r, h, 2) && !atomic_read(&r->wrong);
	if (right) {
		a = hmap_test_array(h);
		right = a->nr_spare == 1 &&
			atomic_long_read(&a->next_overflow) == 1 &&
			atomic_long_read(&a->nr_overflow) == THREADS - 1;
	}
	hmap_destroy(h);
	return right;
}

static void last_spare_bucket(struct kunit *test)
{
	struct rounds *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int round, right = 0;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, r);
	err = rounds_start(r, chain_one);
	for (round = 0; !err && round < SPARE_ROUNDS && right == round; round++)
		right += spare_round(r);
	rounds_stop(r);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, right, SPARE_ROUNDS);
}

static struct kunit_case race_cases[] = {
	KUNIT_CASE(growth_ends),
	KUNIT_CASE(fresh_maps),
	KUNIT_CASE(last_spare_bucket),
	{}
};

static struct kunit_suite race_suite = {
	.name = "hmap_race",
	.test_cases = race_cases,
};

kunit_test_suite(race_suite);
