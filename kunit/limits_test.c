// SPDX-License-Identifier: GPL-2.0
/*
 * Limits (S15, S16): what is charged and for how long, who is refused and why,
 * and what goes on all the same.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../core/trace.h"
#include "crew.h"
#include "util.h"

static const struct hmap_params u64_to_u64 = {
	.key_kind = HMAP_KEY_U64,
	.key_size = 8,
	.elem_size = 8,
};

static int put(struct hmap *h, u64 key, gfp_t gfp)
{
	return hmap_insert(h, &key, &key, HMAP_ANY, gfp);
}

static unsigned long bytes_of(struct hmap *h)
{
	struct hmap_header hdr;

	hmap_read_header(h, &hdr);
	return hdr.bytes;
}

static unsigned long full(u8 B)
{
	return B ? 13UL << (B - 1) : BUCKET_CNT;
}

/* === What is charged === */

#define LONG_ELEM	8000
#define LONG_LIMIT	(128 * 1024)

static struct hmap *long_elem_map(struct kunit *test, u8 **elem)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = LONG_ELEM,
		.max_bytes = LONG_LIMIT,
	};

	*elem = kunit_kzalloc(test, LONG_ELEM, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *elem);
	return hmap_test_create(test, &params);
}

/* What is replaced counts while a reader may still look at it. */
static void charged_until_freed(struct kunit *test)
{
	struct hmap *h;
	unsigned int i;
	u64 key = 1;
	int err = 0;
	u8 *elem;

	h = long_elem_map(test, &elem);
	rcu_read_lock();
	for (i = 0; i < 1000 && !err; i++) {
		err = hmap_insert(h, &key, elem, HMAP_ANY, GFP_ATOMIC);
		if (bytes_of(h) > LONG_LIMIT)
			break;
	}
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	KUNIT_EXPECT_LE(test, i, LONG_LIMIT / LONG_ELEM + 1);
	KUNIT_EXPECT_LE(test, bytes_of(h), LONG_LIMIT);
	hmap_test_check_settled(test, h);
}

/* Those who may wait for readers to be gone are not refused meanwhile. */
static void waits_until_freed(struct kunit *test)
{
	struct hmap *h;
	unsigned int i;
	u64 key = 1;
	u8 *elem;

	h = long_elem_map(test, &elem);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, elem, HMAP_ANY,
						  GFP_KERNEL), 0);
	hmap_test_check_settled(test, h);
}

/* And not some of a slab's, of which all stay as long as one is in use. */
static bool has_own_pages(const void *p)
{
	return is_vmalloc_addr(p) || !PageCompound(virt_to_page(p));
}

/* A byte more or less than what allocators have sizes for. */
static void charged_as_allocated(struct kunit *test)
{
	static const u32 sizes[] = { 129, 200, 256, 1000, 2100, 4096, 8000, 8192 };
	struct hmap_params params = u64_to_u64;
	unsigned long bytes;
	struct hmap_held held;
	struct hmap *h;
	unsigned int i;
	u64 key = 1;
	void *elem;

	elem = kunit_kzalloc(test, HMAP_MAX_ELEM_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, elem);
	params.hint = 1;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		params.elem_size = sizes[i];
		h = hmap_test_create(test, &params);
		bytes = bytes_of(h);
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, elem, HMAP_ANY,
						  GFP_KERNEL), 0);
		bytes = bytes_of(h) - bytes;
		KUNIT_EXPECT_GT(test, bytes, sizes[i]);
		KUNIT_ASSERT_EQ(test, hmap_hold(h, &key, &held), 0);
		if (bytes < PAGE_SIZE) {
			KUNIT_EXPECT_EQ(test, bytes, ksize(held.block));
		} else {
			KUNIT_EXPECT_EQ(test, bytes,
					PAGE_ALIGN(sizeof(struct hmap_block) +
						   sizes[i]));
			KUNIT_EXPECT_TRUE(test, has_own_pages(held.block));
		}
		hmap_release(&held);
	}

	/* Not twice as much for the longest, whose header makes it longer. */
	params.elem_size = HMAP_MAX_ELEM_SIZE;
	h = hmap_test_create(test, &params);
	bytes = bytes_of(h);
	KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, elem, HMAP_ANY, GFP_KERNEL),
			0);
	bytes = bytes_of(h) - bytes;
	KUNIT_EXPECT_GT(test, bytes, HMAP_MAX_ELEM_SIZE);
	KUNIT_EXPECT_LE(test, bytes, HMAP_MAX_ELEM_SIZE + 2 * PAGE_SIZE);
	hmap_test_check_settled(test, h);
}

/* === What is refused === */

static void ignore_put(struct hmap_pool *pool)
{
}

#define MODEST_INSERTS	20000

struct greed {
	struct hmap *h;
	struct crew crew;
	struct completion done;
	unsigned int asked;
	unsigned int granted;
	unsigned int refused;
};

/* As a call that needs a large array does, but without pause. */
static int ask_for_too_much(void *arg)
{
	struct greed *g = arg;

	while (!kthread_should_stop()) {
		g->granted += !hmap_charge(g->h, g->h->pool->max_bytes + 1);
		if (++g->asked % 1024 == 0)
			cond_resched();
	}
	return 0;
}

/* Each elem is a block of its own, and charged. */
static int ask_for_little(void *arg)
{
	static const u8 elem[200];
	struct greed *g = arg;
	unsigned int i;
	u64 key;

	for (i = 0; i < MODEST_INSERTS; i++) {
		key = i % 4;
		if (hmap_insert(g->h, &key, elem, HMAP_ANY, GFP_KERNEL) ||
		    hmap_delete(g->h, &key))
			g->refused++;
		cond_resched();
	}
	complete(&g->done);
	return 0;
}

/* What is too much for a pool is not in the way of what fits. */
static void refused_is_not_counted(struct kunit *test)
{
	struct hmap_pool pool = { .max_bytes = 1 << 20, .put = ignore_put };
	struct hmap_params params = u64_to_u64;
	struct greed *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);
	unsigned long left = 0;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, g);
	init_completion(&g->done);
	params.elem_size = 200;
	params.pool = &pool;
	g->h = hmap_create(&params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(g->h));
	err = crew_add(&g->crew, ask_for_little, g);
	if (!err)
		err = crew_add(&g->crew, ask_for_too_much, g);
	if (!err) {
		crew_start(&g->crew);
		left = wait_for_completion_timeout(&g->done, 60 * HZ);
	}
	crew_stop(&g->crew);
	hmap_destroy(g->h);
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, left, 0);
	KUNIT_EXPECT_EQ(test, g->refused, 0);
	KUNIT_EXPECT_EQ(test, g->granted, 0);
	KUNIT_EXPECT_GT(test, g->asked, 10);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pool.bytes), 0);
}

/* Insert while a limit leaves room for chains, but for no larger array. */
static int insert_without_growth(struct hmap *h, struct hmap_pool *pool,
				 gfp_t gfp)
{
	unsigned long room;
	u64 key = 0;
	int err;

	do {
		room = bytes_of(h) + 2 * h->t.bucket_size;
		if (pool)
			WRITE_ONCE(pool->max_bytes, room);
		else
			hmap_set_limits(h, 0, room);
		err = put(h, key++, gfp);
	} while (!err && key < 100000);
	return err;
}

/* S15: a chain is bounded, and it says which limit that was. */
static void chains_are_bounded(struct kunit *test)
{
	struct hmap_pool pool = { .max_bytes = LONG_MAX, .put = ignore_put };
	struct hmap_params params = u64_to_u64;
	unsigned int i;
	struct hmap *h;
	u64 key;

	for (i = 0; i < 4; i++) {
		params.hint = i < 2 ? full(2) : full(7);
		params.pool = i % 2 ? &pool : NULL;
		h = hmap_create(&params);
		KUNIT_ASSERT_FALSE(test, IS_ERR(h));
		KUNIT_EXPECT_EQ(test, insert_without_growth(h, params.pool,
							    GFP_KERNEL),
				i % 2 ? -EDQUOT : -ENOSPC);
		KUNIT_EXPECT_EQ(test, h->growths + h->same_size_growths, 0);
		KUNIT_EXPECT_GE(test, hmap_len(h), 4 * params.hint);
		KUNIT_EXPECT_LE(test, hmap_len(h), 4 * params.hint + 4);

		/* What is there can be written, and what is gone makes room. */
		KUNIT_EXPECT_EQ(test, put(h, 0, GFP_KERNEL), 0);
		for (key = 0; key < 8; key++)
			KUNIT_EXPECT_EQ(test, hmap_delete(h, &key), 0);
		KUNIT_EXPECT_EQ(test, put(h, 0, GFP_KERNEL), 0);

		/* And when there is memory again, it grows. */
		pool.max_bytes = LONG_MAX;
		hmap_set_limits(h, 0, 0);
		h->grow_retry = get_jiffies_64();
		for (key = 100000; key < 100200; key++) {
			KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
			flush_work(&h->grow_work);
		}
		KUNIT_EXPECT_GT(test, h->growths, 0);
		hmap_test_check_settled(test, h);
		hmap_destroy(h);
		hmap_barrier();
	}
}

/* Those who do not wait for memory do not make chains without end, either. */
static void chains_are_bounded_in_atomic(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct hmap *h;

	params.hint = full(7);
	h = hmap_test_create(test, &params);
	KUNIT_EXPECT_EQ(test, insert_without_growth(h, NULL, GFP_ATOMIC),
			-ENOSPC);
	KUNIT_EXPECT_LE(test, hmap_len(h), 4 * params.hint + 4);
	hmap_test_check_settled(test, h);
}

static u64 same_hash(const void *key, size_t len, u32 hash0)
{
	return 0;
}

#define LONGEST_CHAIN	(128 * BUCKET_CNT)	/* MAX_CHAIN, in entries */

/* Nor do keys that all have the same hash, however large the map may grow. */
static void chains_are_bounded_by_hash(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct hmap *h;
	u64 key;

	params.hasher = same_hash;
	h = hmap_test_create(test, &params);
	for (key = 0; key < LONGEST_CHAIN; key++)
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, put(h, key, GFP_KERNEL), -ENOSPC);
	KUNIT_EXPECT_EQ(test, put(h, key, GFP_ATOMIC), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_len(h), LONGEST_CHAIN);
	hmap_test_check_settled(test, h);

	/* What is there can be written, and what is gone makes room. */
	KUNIT_EXPECT_EQ(test, put(h, 7, GFP_KERNEL), 0);
	key = 7;
	KUNIT_EXPECT_EQ(test, hmap_delete(h, &key), 0);
	KUNIT_EXPECT_EQ(test, put(h, LONGEST_CHAIN, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, put(h, key, GFP_KERNEL), -ENOSPC);
	hmap_test_check_settled(test, h);
}

/* However much room there is in the key's own bucket. */
static void refused_in_empty_bucket(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	unsigned long n = 0;
	struct hmap *h;
	u64 key;

	params.hasher = hmap_test_identity;
	params.hint = full(3);
	h = hmap_test_create(test, &params);
	h->grow_retry = get_jiffies_64() + MAX_JIFFY_OFFSET;
	h->grow_error = -ENOMEM;
	for (key = 0; n < 4 * full(3); key++) {
		if (key % 8) {
			KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
			n++;
		}
	}
	KUNIT_EXPECT_EQ(test, put(h, 0, GFP_KERNEL), -ENOMEM);
	key = 1;
	KUNIT_EXPECT_EQ(test, hmap_delete(h, &key), 0);
	KUNIT_EXPECT_EQ(test, put(h, 0, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, put(h, 8, GFP_KERNEL), -ENOMEM);
	KUNIT_EXPECT_EQ(test, hmap_len(h), n);
	hmap_test_check_settled(test, h);
}

static void refused_does_not_grow(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct hmap *h;
	u64 key;

	params.max_entries = full(4);
	h = hmap_test_create(test, &params);
	for (key = 0; key < full(4); key++)
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
	h->finish_delay = 0;
	flush_work(&h->grow_work);
	KUNIT_ASSERT_EQ(test, hmap_test_header(h).B, 4);
	for (; key < 2 * full(4); key++)
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), -ENOSPC);
	flush_work(&h->grow_work);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, 4);
	hmap_test_check_settled(test, h);
}

struct told {
	const struct hmap *h;
	unsigned int times;
};

static void tell(void *data, const struct hmap *h, enum hmap_limit which,
		 int error)
{
	struct told *told = data;

	told->times += h == told->h && which == HMAP_LIMIT_ENTRIES;
}

static void refused_is_told_once(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct told told = {};
	struct hmap *h;
	u64 key;
	int i;

	params.max_entries = 3;
	h = hmap_test_create(test, &params);
	told.h = h;
	for (key = 0; key < params.max_entries; key++)
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
	if (register_trace_hmap_limit(tell, &told))
		kunit_skip(test, "no tracepoints");
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, put(h, key, GFP_KERNEL), -ENOSPC);
	unregister_trace_hmap_limit(tell, &told);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, told.times, 5);
}

static void limits_can_be_set(struct kunit *test)
{
	struct hmap *h = hmap_test_create(test, &u64_to_u64);
	struct hmap_header hdr;
	u64 key;

	for (key = 0; key < 100; key++)
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
	hmap_set_limits(h, 50, 1);
	hmap_read_header(h, &hdr);
	KUNIT_EXPECT_EQ(test, hdr.max_entries, 50);
	KUNIT_EXPECT_EQ(test, hdr.max_bytes, 1);
	KUNIT_EXPECT_EQ(test, hdr.count, 100);
	KUNIT_EXPECT_EQ(test, put(h, 100, GFP_KERNEL), -ENOSPC);
	KUNIT_EXPECT_EQ(test, put(h, 99, GFP_KERNEL), 0);
	for (key = 0; key < 50; key++)
		KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
	KUNIT_EXPECT_EQ(test, put(h, 0, GFP_KERNEL), -ENOSPC);
	key = 50;
	KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
	KUNIT_EXPECT_EQ(test, put(h, 0, GFP_KERNEL), 0);

	hmap_set_limits(h, 0, 0);
	hmap_read_header(h, &hdr);
	KUNIT_EXPECT_EQ(test, hdr.max_entries, 0);
	KUNIT_EXPECT_EQ(test, hdr.max_bytes, 0);
	for (key = 100; key < 1000; key++)
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
	hmap_test_check_settled(test, h);
}

/* === What is put off === */

struct insert_work {
	struct work_struct work;
	struct hmap *h;
	int err;
};

#define ENOUGH	200	/* inserts, to use up room that CPUs have drawn */

static int put_enough(struct hmap *h, gfp_t gfp)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ENOUGH && !err; i++)
		err = put(h, U64_MAX - i, gfp);
	return err;
}

static void insert_in_work(struct work_struct *work)
{
	struct insert_work *w = container_of(work, struct insert_work, work);

	w->err = put_enough(w->h, GFP_KERNEL);
}

/* A map of more than twice its load, whose growth is due and may succeed. */
static struct hmap *overdue_map(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct hmap *h;
	u64 key;

	params.hint = full(10);
	h = hmap_test_create(test, &params);
	h->grow_retry = get_jiffies_64() + MAX_JIFFY_OFFSET;
	for (key = 0; key < 3 * full(10); key++)
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, h->growths + h->same_size_growths, 0);
	h->grow_retry = get_jiffies_64();
	return h;
}

/* The kernel warns of those who wait for a work item where they must not. */
static void growth_does_not_wait_in_reclaim(struct kunit *test)
{
	struct workqueue_struct *wq;
	struct insert_work w = {};
	unsigned int flags;

	wq = alloc_workqueue("hmap_test", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, wq);
	w.h = overdue_map(test);
	INIT_WORK_ONSTACK(&w.work, insert_in_work);
	queue_work(wq, &w.work);
	destroy_workqueue(wq);
	destroy_work_on_stack(&w.work);
	KUNIT_EXPECT_EQ(test, w.err, 0);
	flush_work(&w.h->grow_work);
	KUNIT_EXPECT_EQ(test, w.h->growths, 1);

	w.h = overdue_map(test);
	flags = memalloc_noreclaim_save();
	w.err = put_enough(w.h, GFP_KERNEL);
	memalloc_noreclaim_restore(flags);
	KUNIT_EXPECT_EQ(test, w.err, 0);
	flush_work(&w.h->grow_work);
	KUNIT_EXPECT_EQ(test, w.h->growths, 1);

	w.h = overdue_map(test);
	flags = memalloc_nofs_save();
	w.err = put_enough(w.h, GFP_KERNEL);
	memalloc_nofs_restore(flags);
	KUNIT_EXPECT_EQ(test, w.err, 0);
	flush_work(&w.h->grow_work);
	KUNIT_EXPECT_EQ(test, w.h->growths, 1);

	w.h = overdue_map(test);
	KUNIT_EXPECT_EQ(test, put_enough(w.h, GFP_NOIO), 0);
	flush_work(&w.h->grow_work);
	KUNIT_EXPECT_EQ(test, w.h->growths, 1);
}

/* A map that is emptied again and again draws a new seed now and then. */
static void seed_once_a_second(struct kunit *test)
{
	struct hmap *h = hmap_test_create(test, &u64_to_u64);
	unsigned long start = jiffies;
	unsigned int seeds = 0, i;
	struct hmap_header hdr;
	u64 key = 1, epoch = 0;

	for (i = 0; i < 3000; i++) {
		KUNIT_ASSERT_EQ(test, put(h, key, GFP_KERNEL), 0);
		KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
		cond_resched();
		hmap_read_header(h, &hdr);
		seeds += hdr.epoch != epoch;
		epoch = hdr.epoch;
	}
	/* The first is the map's first, and the second is drawn at once. */
	KUNIT_EXPECT_LE(test, seeds, 3 + (jiffies - start) / HZ);
	hmap_test_reseed(h);
	hmap_read_header(h, &hdr);
	KUNIT_EXPECT_GE(test, seeds + (hdr.epoch != epoch), 2);
}

/* === What is left behind === */

struct put_pool {
	struct hmap_pool pool;
	atomic_t puts;
};

static void count_put(struct hmap_pool *pool)
{
	atomic_inc(&container_of(pool, struct put_pool, pool)->puts);
}

/* After a barrier a pool's owner may go, whatever readers there were. */
static void barrier_waits_for_pools(struct kunit *test)
{
	struct put_pool p = {
		.pool = { .max_bytes = LONG_MAX, .put = count_put },
	};
	struct hmap_params params = {
		.key_kind = HMAP_KEY_STRING,
		.elem_size = 200,
		.pool = &p.pool,
	};
	struct hmap_test_elem *elem;
	struct hmap_test_key *key;
	unsigned int round;
	struct hmap *h;
	u32 i;

	key = kunit_kzalloc(test, sizeof(*key), GFP_KERNEL);
	elem = kunit_kzalloc(test, sizeof(*elem), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, key && elem);
	for (round = 1; round <= 10; round++) {
		h = hmap_create(&params);
		KUNIT_ASSERT_FALSE(test, IS_ERR(h));
		for (i = 0; i < 500; i++)
			KUNIT_EXPECT_EQ(test,
					hmap_insert(h, hmap_test_key(h, i, key),
						    hmap_test_elem(h, i, elem),
						    HMAP_ANY, GFP_KERNEL), 0);
		for (i = 0; i < 250; i++)
			KUNIT_EXPECT_EQ(test,
					hmap_delete(h, hmap_test_key(h, i, key)),
					0);
		hmap_destroy(h);
		hmap_barrier();
		KUNIT_EXPECT_EQ(test, atomic_read(&p.puts), round);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&p.pool.bytes), 0);
	}
}

static void cache_ctor(void *object)
{
}

/* The kernel warns of two caches of one name. */
static void cache_goes_with_last_map(struct kunit *test)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_BYTES,
		.key_size = 37,
		.elem_size = 83,
	};
	struct hmap *a = hmap_create(&params), *b = hmap_create(&params);
	struct kmem_cache *cache;
	struct hmap_header hdr;
	u8 key[37] = {}, elem[83] = {};
	char name[32];

	KUNIT_ASSERT_FALSE(test, IS_ERR(a) || IS_ERR(b));
	hmap_read_header(a, &hdr);
	hmap_destroy(a);
	KUNIT_EXPECT_EQ(test, hmap_insert(b, key, elem, HMAP_ANY, GFP_KERNEL),
			0);
	hmap_destroy(b);
	hmap_barrier();

	snprintf(name, sizeof(name), "hmap_bucket_%u", hdr.bucket_size);
	cache = kmem_cache_create(name, hdr.bucket_size, 8, 0, cache_ctor);
	KUNIT_EXPECT_NOT_NULL(test, cache);
	kmem_cache_destroy(cache);
	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(hmap_test_create(test,
								 &params)));
}

static struct kunit_case limits_cases[] = {
	KUNIT_CASE(charged_until_freed),
	KUNIT_CASE(waits_until_freed),
	KUNIT_CASE(charged_as_allocated),
	KUNIT_CASE(refused_is_not_counted),
	KUNIT_CASE(chains_are_bounded),
	KUNIT_CASE(chains_are_bounded_in_atomic),
	KUNIT_CASE(chains_are_bounded_by_hash),
	KUNIT_CASE(refused_in_empty_bucket),
	KUNIT_CASE(refused_does_not_grow),
	KUNIT_CASE(refused_is_told_once),
	KUNIT_CASE(limits_can_be_set),
	KUNIT_CASE(growth_does_not_wait_in_reclaim),
	KUNIT_CASE(seed_once_a_second),
	KUNIT_CASE(barrier_waits_for_pools),
	KUNIT_CASE(cache_goes_with_last_map),
	{}
};

static struct kunit_suite limits_suite = {
	.name = "hmap_limits",
	.test_cases = limits_cases,
};

kunit_test_suite(limits_suite);
