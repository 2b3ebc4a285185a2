// SPDX-License-Identifier: GPL-2.0
/*
 * The seed: a map that has become empty draws a new one (S9), and no insert is
 * lost in that.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "../core/internal.h"
#include "crew.h"
#include "util.h"

#define THREADS		2
#define RACE_MS		2000
#define PAUSE_US	200000	/* may well be longer than a grace period */

static struct hmap *u64_map(struct kunit *test, unsigned long hint)
{
	return hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = hint,
	});
}

/* Have the seed drawn now, not at most once a second. */
static void reseed_now(struct hmap *h)
{
	mod_delayed_work(hmap_wq, &h->reseed_work, 0);
	hmap_test_reseed(h);
}

static u32 seed_of(struct hmap *h)
{
	return hmap_test_header(h).hash0;
}

static void changes_once_empty(struct kunit *test)
{
	struct hmap *h = u64_map(test, 1);
	u64 epoch = hmap_test_header(h).epoch, key = 1;
	u32 hash0 = seed_of(h);

	KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, &key, HMAP_ANY, GFP_KERNEL),
			0);
	reseed_now(h);
	KUNIT_EXPECT_EQ(test, seed_of(h), hash0);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).epoch, epoch);
	KUNIT_EXPECT_EQ(test, hmap_delete(h, &key), 0);
	reseed_now(h);
	KUNIT_EXPECT_NE(test, seed_of(h), hash0);
	KUNIT_EXPECT_NE(test, hmap_test_header(h).epoch, epoch);
	KUNIT_EXPECT_EQ(test, hmap_test_array(h)->hash0, seed_of(h));
	KUNIT_EXPECT_FALSE(test, hmap_test_array(h)->frozen);
	hmap_test_check(test, h);
}

/* The ways there are to write. */
static int update_store(struct hmap *h, u64 key)
{
	return hmap_update(h, &(struct hmap_op){
		.what = HMAP_STORE,
		.key = &key,
		.elem = &key,
		.gfp = GFP_KERNEL,
	});
}

static int update_take(struct hmap *h, u64 key)
{
	return hmap_update(h, &(struct hmap_op){
		.what = HMAP_TAKE,
		.key = &key,
		.gfp = GFP_KERNEL,
	});
}

static int insert(struct hmap *h, u64 key)
{
	return hmap_insert(h, &key, &key, HMAP_ANY, GFP_KERNEL);
}

static int take(struct hmap *h, u64 key)
{
	return hmap_take(h, &key, NULL);
}

/* Room that CPUs have drawn is no entry, whoever deletes the last one. */
static void changes_with_room_drawn(struct kunit *test)
{
	struct hmap *h = u64_map(test, 13 << 11);
	struct bucket_array *a = hmap_test_array(h);
	u32 hash0 = seed_of(h);
	int cpu;

	for_each_possible_cpu(cpu)
		atomic_long_set(&per_cpu_ptr(h->cpu, cpu)->room[a->l->nr], 1);
	atomic_long_set(&a->l->count, num_possible_cpus());
	KUNIT_ASSERT_EQ(test, insert(h, 1), 0);
	KUNIT_EXPECT_EQ(test, take(h, 1), 0);
	hmap_test_reseed(h);
	KUNIT_EXPECT_NE(test, seed_of(h), hash0);
	KUNIT_EXPECT_EQ(test, hmap_len(h), 0);
}

/* What a writer does that comes between the mark and the new seed. */
static void writer_thaws(struct kunit *test)
{
	static int (*const write[])(struct hmap *h, u64 key) = {
		update_store, update_take, insert, take,
	};
	struct hmap *h = u64_map(test, 1);
	struct bucket_array *a = hmap_test_array(h);
	u32 hash0 = seed_of(h);
	u64 key = 1, other = 3;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, insert(h, other), 0);
	for (i = 0; i < ARRAY_SIZE(write); i++) {
		WRITE_ONCE(a->frozen, true);
		/* Readers do not care. */
		KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, NULL),
				i % 2 ? 0 : -ENOENT);
		KUNIT_EXPECT_TRUE(test, a->frozen);
		KUNIT_EXPECT_EQ(test, write[i](h, key), 0);
		KUNIT_EXPECT_FALSE(test, a->frozen);
		KUNIT_EXPECT_EQ(test, seed_of(h), hash0);
		hmap_test_check(test, h);
	}
}

static DECLARE_COMPLETION(go_on);
static work_func_t reseed_done;

static void late_reseed_done(struct work_struct *work)
{
	wait_for_completion(&go_on);
	reseed_done(work);
}

/* The next one waits until the one that is under way is through. */
static void one_at_a_time(struct kunit *test)
{
	struct hmap *h = u64_map(test, 1);
	u32 hash0 = seed_of(h);
	int i;

	reinit_completion(&go_on);
	reseed_done = h->reseed_done.work.func;
	h->reseed_done.work.func = late_reseed_done;
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, delayed_work_pending(&h->reseed_work));
		mod_delayed_work(hmap_wq, &h->reseed_work, 0);
		flush_work(&h->reseed_work.work);
		KUNIT_EXPECT_EQ(test, seed_of(h), hash0);
	}
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&h->reseed_work));
	complete_all(&go_on);
	flush_rcu_work(&h->reseed_done);
	KUNIT_EXPECT_NE(test, seed_of(h), hash0);
	hmap_test_reseed(h);
	hmap_test_check(test, h);
}

struct race {
	struct hmap *h;
	struct crew crew;
	atomic_t next;
	atomic_t lost;
	atomic_t rounds;
};

static bool come_and_go(struct hmap *h, u64 key)
{
	u64 elem = ~key, got = 0;

	return !hmap_insert(h, &key, &elem, HMAP_NOEXIST, GFP_KERNEL) &&
	       !hmap_lookup(h, &key, &got) && got == elem &&
	       hmap_insert(h, &key, &elem, HMAP_NOEXIST,
			   GFP_KERNEL) == -EEXIST &&
	       !hmap_take(h, &key, &got) && got == elem &&
	       hmap_lookup(h, &key, &got) == -ENOENT;
}

/*
 * Each has a key of its own, so it knows what there is to find.  Now and then
 * they let the map be empty for as long as a grace period takes.
 */
static int insert_and_delete(void *arg)
{
	struct race *r = arg;
	u64 key = atomic_inc_return(&r->next);
	u32 us;

	while (!kthread_should_stop()) {
		us = get_random_u32() % PAUSE_US;
		usleep_range(us, us + 1);
		if (!come_and_go(r->h, key) || !come_and_go(r->h, key))
			atomic_inc(&r->lost);
		atomic_inc(&r->rounds);
	}
	return 0;
}

/* A map that is empty every other moment, and draws seeds all the time. */
static void no_insert_is_lost(struct kunit *test)
{
	struct race *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned long end = jiffies + msecs_to_jiffies(RACE_MS);
	unsigned int seeds = 0, i;
	int err = 0;
	u32 hash0;

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->h = u64_map(test, 1);
	for (i = 0; i < THREADS && !err; i++)
		err = crew_add(&r->crew, insert_and_delete, r);
	if (!err)
		crew_start(&r->crew);
	/* With luck each of these meets inserts in another state. */
	while (!err && time_before(jiffies, end)) {
		WRITE_ONCE(hmap_test_delay_us, seeds % 4);
		hash0 = seed_of(r->h);
		reseed_now(r->h);
		seeds += seed_of(r->h) != hash0;
		cond_resched();
	}
	WRITE_ONCE(hmap_test_delay_us, 0);
	crew_stop(&r->crew);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, seeds, 0);
	KUNIT_EXPECT_GT(test, atomic_read(&r->rounds), 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->lost), 0);
	KUNIT_EXPECT_EQ(test, hmap_len(r->h), 0);
	kunit_info(test, "%u seeds, %u rounds", seeds, atomic_read(&r->rounds));
	hmap_test_check(test, r->h);
}

static struct kunit_case seed_cases[] = {
	KUNIT_CASE(changes_once_empty),
	KUNIT_CASE(changes_with_room_drawn),
	KUNIT_CASE(writer_thaws),
	KUNIT_CASE(one_at_a_time),
	KUNIT_CASE(no_insert_is_lost),
	{}
};

static struct kunit_suite seed_suite = {
	.name = "hmap_seed",
	.test_cases = seed_cases,
};

kunit_test_suite(seed_suite);
