// SPDX-License-Identifier: GPL-2.0
/*
 * The map as a whole: what it is made of (S11, S13), its limits, emptying it,
 * and what it says of itself.
 */
#include <kunit/test.h>
#include <linux/mm.h>

#include "../core/internal.h"
#include "crew.h"
#include "util.h"

static const struct hmap_params u64_to_u64 = {
	.key_kind = HMAP_KEY_U64,
	.key_size = 8,
	.elem_size = 8,
};

static struct hmap *u64_map(struct kunit *test, unsigned long hint)
{
	struct hmap_params params = u64_to_u64;

	params.hint = hint;
	return hmap_test_create(test, &params);
}

static int put(struct hmap *h, u64 key)
{
	return hmap_insert(h, &key, &key, HMAP_ANY, GFP_KERNEL);
}

static int put_many(struct hmap *h, u64 n)
{
	int err = 0;

	while (n-- && !err)
		err = put(h, n);
	return err;
}

static struct bucket_array *array_of(struct hmap *h)
{
	return hmap_test_array(h);
}

/* === Creation === */

static const struct refused {
	const char *why;
	struct hmap_params params;
	int err;
} refused[] = {
	{ "no such kind", { HMAP_NR_KEY_KINDS, 8 }, -EINVAL },
	{ "kind below all", { -1, 8 }, -EINVAL },
	{ "u32 of 0 bytes", { HMAP_KEY_U32, 0 }, -EINVAL },
	{ "u32 of 8 bytes", { HMAP_KEY_U32, 8 }, -EINVAL },
	{ "u64 of 4 bytes", { HMAP_KEY_U64, 4 }, -EINVAL },
	{ "no bytes", { HMAP_KEY_BYTES, 0 }, -EINVAL },
	{ "513 bytes", { HMAP_KEY_BYTES, 513 }, -EINVAL },
	{ "string with a size", { HMAP_KEY_STRING, 1 }, -EINVAL },
	{ "elem of 65537 bytes", { HMAP_KEY_U32, 4, 65537 }, -EINVAL },
	{ "unknown flag", { HMAP_KEY_U32, 4, 4, BIT(4) }, -EINVAL },
	{ "mapped key of 129 bytes",
	  { HMAP_KEY_BYTES, 129, 4, HMAP_MAPPED }, -EINVAL },
	{ "mapped elem of 129 bytes",
	  { HMAP_KEY_U32, 4, 129, HMAP_MAPPED }, -EINVAL },
	{ "mapped string of no size",
	  { HMAP_KEY_STRING, 0, 4, HMAP_MAPPED }, -EINVAL },
	{ "mapped string of 129 bytes",
	  { HMAP_KEY_STRING, 129, 4, HMAP_MAPPED }, -EINVAL },
	{ "mapped elems that vary",
	  { HMAP_KEY_U32, 4, 4, HMAP_MAPPED | HMAP_VAR_ELEM }, -EINVAL },
	{ "mapped SipHash",
	  { HMAP_KEY_U32, 4, 4, HMAP_MAPPED | HMAP_SIPHASH }, -EINVAL },
	{ "hint over the limit",
	  { HMAP_KEY_U32, 4, 4, .hint = 11, .max_entries = 10 }, -ENOSPC },
	{ "hint over all limits",
	  { HMAP_KEY_U32, 4, 4, .hint = ULONG_MAX }, -ENOSPC },
	{ "hint for more than can be addressed",
	  { HMAP_KEY_U32, 4, 4, .hint = LONG_MAX }, -ENOMEM },
	{ "hint for more than there is",
	  { HMAP_KEY_U32, 4, 4, .hint = LONG_MAX >> BITS_PER_LONG / 8 }, -ENOMEM },
	{ "hint for more than the map may use",
	  { HMAP_KEY_U32, 4, 4, .hint = 1 << 16, .max_bytes = 1 << 16 },
	  -ENOSPC },
	{ "not even itself", { HMAP_KEY_U32, 4, 4, .max_bytes = 1 }, -ENOSPC },
};

static void describe_refused(const struct refused *r, char *desc)
{
	strscpy(desc, r->why, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refused, refused, describe_refused);

/* A pool, and how often it was put. */
struct counted_pool {
	struct hmap_pool pool;
	atomic_t puts;
};

static void count_put(struct hmap_pool *pool)
{
	atomic_inc(&container_of(pool, struct counted_pool, pool)->puts);
}

static struct counted_pool new_pool(unsigned long max_bytes)
{
	return (struct counted_pool){
		.pool = { .max_bytes = max_bytes, .put = count_put },
	};
}

static void create_refused(struct kunit *test)
{
	const struct refused *r = test->param_value;
	struct counted_pool p = new_pool(ULONG_MAX);
	struct hmap_params params = r->params;
	struct hmap *h;

	params.pool = &p.pool;
	h = hmap_create(&params);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(h), r->err);
	if (!IS_ERR(h))
		hmap_destroy(h);
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, atomic_read(&p.puts), 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&p.pool.bytes), 0);
}

/* The most entries that 2^B buckets are for. */
static unsigned long full(u8 B)
{
	return B ? 13UL << (B - 1) : BUCKET_CNT;
}

static void hint_smallest_B(struct kunit *test)
{
	struct hmap *h;
	u8 B;

	h = u64_map(test, 1);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, 0);
	KUNIT_EXPECT_NOT_NULL(test, array_of(h));
	for (B = 0; B <= 12; B++) {
		h = u64_map(test, full(B));
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, B);
		KUNIT_ASSERT_NOT_NULL(test, array_of(h));
		KUNIT_EXPECT_EQ(test, array_of(h)->B, B);
		hmap_test_check(test, h);
		h = u64_map(test, full(B) + 1);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, B + 1);
	}
}

static void hint_saves_growth(struct kunit *test)
{
	struct hmap *h = u64_map(test, full(6));

	KUNIT_ASSERT_EQ(test, put_many(h, full(6)), 0);
	flush_work(&h->grow_work);
	KUNIT_EXPECT_EQ(test, h->growths + h->same_size_growths, 0UL);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, 6);
}

static void no_array_without_hint(struct kunit *test)
{
	struct hmap *h = u64_map(test, 0);
	long bytes = atomic_long_read(&h->bytes);

	KUNIT_EXPECT_NULL(test, array_of(h));
	hmap_clear(h);
	KUNIT_EXPECT_NULL(test, array_of(h));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), bytes);
	hmap_test_check(test, h);

	KUNIT_ASSERT_EQ(test, put(h, 1), 0);
	KUNIT_ASSERT_NOT_NULL(test, array_of(h));
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes),
			bytes + hmap_alloc_size(sizeof(struct bucket_array) +
						h->t.stride));
	hmap_test_check_settled(test, h);
}

/* More than a page allocation can be. */
static void large_array(struct kunit *test)
{
	struct hmap *h = u64_map(test, full(16));

	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(array_of(h)));
	KUNIT_EXPECT_EQ(test, put_many(h, 100), 0);
	KUNIT_EXPECT_EQ(test, hmap_len(h), 100);
}

static void destroy_nothing(struct kunit *test)
{
	struct hmap *h = hmap_create(&u64_to_u64);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, h);
	hmap_destroy(h);
	hmap_destroy(NULL);
}

/* === Limits === */

static void max_entries(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct hmap *h;
	u64 key;

	params.hint = 20;
	params.max_entries = 20;
	h = hmap_test_create(test, &params);
	for (key = 0; key < 20; key++)
		KUNIT_ASSERT_EQ(test, put(h, key), 0);
	KUNIT_EXPECT_EQ(test, put(h, key), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &key, HMAP_EXIST,
					  GFP_KERNEL), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_len(h), 20);

	key = 7;
	KUNIT_EXPECT_EQ(test, put(h, key), 0);
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &key, HMAP_NOEXIST,
					  GFP_KERNEL), -EEXIST);
	KUNIT_EXPECT_EQ(test, hmap_delete(h, &key), 0);
	KUNIT_EXPECT_EQ(test, put(h, 20), 0);
	KUNIT_EXPECT_EQ(test, put(h, key), -ENOSPC);
	hmap_test_check(test, h);
}

static void max_bytes(struct kunit *test)
{
	struct hmap_params params = {
		.key_kind = HMAP_KEY_STRING,
		.elem_size = 200,
		.max_bytes = 128 * 1024,
	};
	struct hmap_test_elem elem;
	struct hmap_test_key *key;
	struct hmap *h;
	u32 i, n;
	int err;

	key = kunit_kzalloc(test, sizeof(*key), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, key);
	h = hmap_test_create(test, &params);
	for (n = 0; n < 1000; n++) {
		err = hmap_insert(h, hmap_test_key(h, n, key),
				  hmap_test_elem(h, n, &elem), HMAP_ANY,
				  GFP_KERNEL);
		if (err)
			break;
		KUNIT_ASSERT_LE(test, atomic_long_read(&h->bytes),
				params.max_bytes);
	}
	/* More than a quarter of it is elems; some machines round up a lot. */
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	KUNIT_EXPECT_GT(test, n, params.max_bytes / 200 / 4);
	KUNIT_EXPECT_EQ(test, hmap_len(h), n);
	for (i = 0; i <= n; i++)
		KUNIT_EXPECT_EQ(test, hmap_lookup(h, hmap_test_key(h, i, key),
						  NULL), i < n ? 0 : -ENOENT);
	hmap_test_check(test, h);

	/* What is deleted makes room for more. */
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, hmap_delete(h, hmap_test_key(h, i, key)),
				0);
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, hmap_insert(h, hmap_test_key(h, 0, key),
					  hmap_test_elem(h, 0, &elem), HMAP_ANY,
					  GFP_KERNEL), 0);
	hmap_test_check(test, h);
}

/* === Pools === */

#define POOL_BYTES	(128 * 1024)

static const struct hmap_params long_elems = {
	.key_kind = HMAP_KEY_U64,
	.key_size = 8,
	.elem_size = 200,
	.hint = 600,		/* more than there is memory for: no growth */
};

static int put_long(struct hmap *h, u64 key)
{
	static const u8 elem[200];

	return hmap_insert(h, &key, elem, HMAP_ANY, GFP_KERNEL);
}

/* Put until that is refused; why. */
static int fill(struct hmap *h)
{
	int err;

	do
		err = put_long(h, hmap_len(h));
	while (!err && hmap_len(h) < long_elems.hint);
	return err;
}

static long bytes_of(const struct hmap *a, const struct hmap *b)
{
	return atomic_long_read(&a->bytes) + atomic_long_read(&b->bytes);
}

static void pool_is_shared(struct kunit *test)
{
	struct counted_pool p = new_pool(POOL_BYTES);
	struct hmap_params params = long_elems;
	struct hmap *a, *b;
	u64 key, len;

	params.pool = &p.pool;
	a = hmap_create(&params);
	b = hmap_create(&params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a) || IS_ERR(b));
	for (key = 0; key < 50; key++)
		KUNIT_EXPECT_EQ(test, put_long(a, key), 0);
	KUNIT_EXPECT_EQ(test, fill(b), -EDQUOT);
	KUNIT_EXPECT_GT(test, hmap_len(b), 50);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&p.pool.bytes), bytes_of(a, b));
	KUNIT_EXPECT_LE(test, bytes_of(a, b), POOL_BYTES);
	KUNIT_EXPECT_GT(test, bytes_of(a, b), POOL_BYTES - 400);

	/* Neither gets more, nor does a third, and nothing has changed. */
	len = hmap_len(b);
	KUNIT_EXPECT_EQ(test, put_long(a, 50), -EDQUOT);
	KUNIT_EXPECT_EQ(test, put_long(a, 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, put_long(b, len), -EDQUOT);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(hmap_create(&params)), -EDQUOT);
	KUNIT_EXPECT_EQ(test, atomic_read(&p.puts), 1);
	KUNIT_EXPECT_EQ(test, hmap_lookup(a, &key, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_len(a), 50);
	KUNIT_EXPECT_EQ(test, hmap_len(b), len);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&p.pool.bytes), bytes_of(a, b));
	hmap_test_check(test, a);
	hmap_test_check(test, b);

	/* What one gives back the other can use, once it is free. */
	key = 0;
	KUNIT_EXPECT_EQ(test, hmap_delete(a, &key), 0);
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, put_long(b, len), 0);
	KUNIT_EXPECT_EQ(test, put_long(a, 0), -EDQUOT);
	hmap_destroy(b);
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, atomic_read(&p.puts), 2);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&p.pool.bytes),
			atomic_long_read(&a->bytes));
	KUNIT_EXPECT_EQ(test, put_long(a, 0), 0);
	hmap_destroy(a);
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, atomic_read(&p.puts), 3);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&p.pool.bytes), 0);
}

/* Whichever of its allocations hmap_create() fails for. */
static void pool_put_once(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	struct counted_pool p = new_pool(POOL_BYTES);
	struct hmap_params params = long_elems;
	unsigned int n, left = 0;
	struct hmap *h;

	if (!hmap_test_may_fail())
		kunit_skip(test, "needs failslab/ignore-gfp-wait to be N");
	/* The slab cache is there already: the kernel shouts where one fails. */
	hmap_test_create(test, &params);
	params.pool = &p.pool;
	for (n = 1; !left; n++) {
		current->fail_nth = n;
		h = hmap_create(&params);
		left = current->fail_nth;
		current->fail_nth = 0;
		/* The map itself is the first that is allocated. */
		KUNIT_ASSERT_TRUE(test, IS_ERR(h) || n > 1);
		if (IS_ERR(h))
			KUNIT_EXPECT_EQ(test, PTR_ERR(h), -ENOMEM);
		else
			hmap_destroy(h);
		hmap_barrier();
		KUNIT_EXPECT_EQ(test, atomic_read(&p.puts), n);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&p.pool.bytes), 0);
	}
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

/* === Clear === */

static void clear_kind(struct kunit *test)
{
	const struct hmap_test_kind *kind = test->param_value;
	struct hmap *h = hmap_test_create(test, &kind->params);
	struct hmap_test_elem *elem;
	struct hmap_test_key *key;
	unsigned int round, i;
	u32 hash0;
	int err;
	u8 B;

	key = kunit_kzalloc(test, sizeof(*key), GFP_KERNEL);
	elem = kunit_kzalloc(test, sizeof(*elem), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, key && elem);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 120; i++) {
			err = hmap_insert(h, hmap_test_key(h, i, key),
					  hmap_test_elem(h, i, elem),
					  HMAP_NOEXIST, GFP_KERNEL);
			KUNIT_ASSERT_EQ(test, err, 0);
		}
		flush_work(&h->grow_work);
		hash0 = hmap_test_header(h).hash0;
		B = hmap_test_header(h).B;
		hmap_clear(h);
		KUNIT_EXPECT_EQ(test, hmap_len(h), 0);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, B);
		KUNIT_EXPECT_GE(test, hmap_test_header(h).B, 4);
		KUNIT_EXPECT_NOT_NULL(test, array_of(h));
		KUNIT_EXPECT_NE(test, hmap_test_header(h).hash0, hash0);
		for (i = 0; i < 120; i++) {
			err = hmap_lookup(h, hmap_test_key(h, i, key), NULL);
			KUNIT_ASSERT_EQ(test, err, -ENOENT);
		}
		hmap_test_check_settled(test, h);
	}
}

static void clear_while_growing(struct kunit *test)
{
	struct hmap *h = u64_map(test, full(5));

	h->finish_delay = MAX_JIFFY_OFFSET;
	KUNIT_ASSERT_EQ(test, put_many(h, full(5) + 1), 0);
	flush_work(&h->grow_work);
	KUNIT_ASSERT_NOT_NULL(test, hmap_test_old(h));
	hmap_clear(h);
	KUNIT_EXPECT_NULL(test, hmap_test_old(h));
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, 6);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).flags, 0);
	hmap_test_check(test, h);
	KUNIT_EXPECT_EQ(test, put_many(h, full(6) + 1), 0);
	hmap_test_check(test, h);
}

/* === What it says === */

static void header_says(struct kunit *test)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_STRING,
		.elem_size = 300,
		.flags = HMAP_VAR_ELEM,
		.max_entries = 1000,
		.max_bytes = 1 << 20,
	};
	struct hmap *h = hmap_test_create(test, &params);
	struct hmap_header hdr;
	unsigned long flags;

	hmap_read_header(h, &hdr);
	KUNIT_EXPECT_EQ(test, hdr.key_kind, params.key_kind);
	KUNIT_EXPECT_EQ(test, hdr.key_size, 0);
	KUNIT_EXPECT_EQ(test, hdr.elem_size, 300);
	KUNIT_EXPECT_EQ(test, hdr.param_flags, HMAP_VAR_ELEM);
	KUNIT_EXPECT_EQ(test, hdr.bucket_size, h->t.bucket_size);
	KUNIT_EXPECT_EQ(test, hdr.max_entries, 1000);
	KUNIT_EXPECT_EQ(test, hdr.max_bytes, 1 << 20);
	KUNIT_EXPECT_EQ(test, hdr.bytes, atomic_long_read(&h->bytes));
	KUNIT_EXPECT_FALSE(test, hdr.buckets);

	h = u64_map(test, full(5));
	h->finish_delay = MAX_JIFFY_OFFSET;
	KUNIT_ASSERT_EQ(test, put_many(h, full(5) + 1), 0);
	flush_work(&h->grow_work);
	hmap_evacuate_next(h);
	hmap_read_header(h, &hdr);
	KUNIT_EXPECT_EQ(test, hdr.count, full(5) + 1);
	KUNIT_EXPECT_EQ(test, hdr.B, 6);
	KUNIT_EXPECT_EQ(test, hdr.old_B, 5);
	KUNIT_EXPECT_TRUE(test, hdr.buckets);
	KUNIT_EXPECT_TRUE(test, hdr.oldbuckets);
	KUNIT_EXPECT_EQ(test, hdr.nr_spare, 4);
	KUNIT_EXPECT_EQ(test, hdr.growths, 1);
	KUNIT_EXPECT_EQ(test, hdr.same_size_growths, 0);
	KUNIT_EXPECT_EQ(test, hdr.nevacuate, hmap_test_header(h).nevacuate);
	KUNIT_EXPECT_GT(test, hdr.nevacuate, 0);
	KUNIT_EXPECT_EQ(test, hdr.hash0, hmap_test_header(h).hash0);
	KUNIT_EXPECT_EQ(test, hdr.noverflow, hmap_test_header(h).noverflow);
	KUNIT_EXPECT_EQ(test, hdr.next_overflow,
			hmap_test_header(h).next_overflow);
	KUNIT_EXPECT_EQ(test, hdr.flags, 0);
	KUNIT_EXPECT_EQ(test, hdr.max_entries, 0);
	KUNIT_EXPECT_EQ(test, hdr.max_bytes, 0);

	local_irq_save(flags);
	guard_lock(bucket_at(&h->t, array_of(h), 1), guard_map_of(h));
	hmap_read_header(h, &hdr);
	guard_unlock(bucket_at(&h->t, array_of(h), 1), guard_map_of(h));
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, hdr.flags, HMAP_HASH_WRITING);
}

static void chains_are_shown(struct kunit *test)
{
	struct hmap *h = u64_map(test, full(5));
	u64 words[4];

	KUNIT_EXPECT_EQ(test, hmap_read_chain(u64_map(test, 0), false, 0, words,
					      4), -ENOENT);
	h->finish_delay = MAX_JIFFY_OFFSET;
	KUNIT_EXPECT_EQ(test, hmap_read_chain(h, true, 0, words, 4), -ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_read_chain(h, false, 31, words, 4), 1);
	KUNIT_EXPECT_EQ(test, words[0], 0);
	KUNIT_EXPECT_EQ(test, hmap_read_chain(h, false, 32, words, 4), -ENOENT);

	KUNIT_ASSERT_EQ(test, put_many(h, full(5) + 1), 0);
	flush_work(&h->grow_work);
	hmap_evacuate_next(h);
	KUNIT_EXPECT_GE(test, hmap_read_chain(h, true, 0, words, 4), 1);
	KUNIT_EXPECT_GE(test, words[0] & 0xff, EVACUATED_X);
	KUNIT_EXPECT_LE(test, words[0] & 0xff, EVACUATED_EMPTY);
	KUNIT_EXPECT_EQ(test, hmap_read_chain(h, true, 32, words, 4), -ENOENT);
	KUNIT_EXPECT_GE(test, hmap_read_chain(h, false, 63, words, 4), 1);
	KUNIT_EXPECT_EQ(test, hmap_read_chain(h, false, 64, words, 4), -ENOENT);
}

static int rename_all_the_time(void *arg)
{
	char name[2 * HMAP_NAME_SIZE] = "";
	struct hmap *h = arg;

	memset(name, 'n', sizeof(name) - 1);
	while (!kthread_should_stop()) {
		hmap_rename(h, name);
		cond_resched();
	}
	return 0;
}

/* Who copies a name while it changes has one that ends. */
static void name_always_ends(struct kunit *test)
{
	struct hmap *h = u64_map(test, 0);
	struct crew crew = { };
	unsigned int i, wrong = 0;
	int err;

	/* On this CPU and on another */
	err = crew_add(&crew, rename_all_the_time, h);
	if (!err)
		err = crew_add(&crew, rename_all_the_time, h);
	crew_start(&crew);
	for (i = 0; !err && (i < 1000000 || !READ_ONCE(h->name[0])); i++) {
		wrong += !!READ_ONCE(h->name[HMAP_NAME_SIZE - 1]);
		if (i % 1024 == 0)
			cond_resched();
	}
	crew_stop(&crew);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, strlen(h->name), HMAP_NAME_SIZE - 1);
}

KUNIT_ARRAY_PARAM(each_kind, hmap_test_kinds, hmap_test_describe_kind);

static struct kunit_case map_cases[] = {
	KUNIT_CASE_PARAM(create_refused, refused_gen_params),
	KUNIT_CASE(hint_smallest_B),
	KUNIT_CASE(hint_saves_growth),
	KUNIT_CASE(no_array_without_hint),
	KUNIT_CASE(large_array),
	KUNIT_CASE(destroy_nothing),
	KUNIT_CASE(max_entries),
	KUNIT_CASE(max_bytes),
	KUNIT_CASE(pool_is_shared),
	KUNIT_CASE(pool_put_once),
	KUNIT_CASE_PARAM(clear_kind, each_kind_gen_params),
	KUNIT_CASE(clear_while_growing),
	KUNIT_CASE(header_says),
	KUNIT_CASE(name_always_ends),
	KUNIT_CASE(chains_are_shown),
	{}
};

static struct kunit_suite map_suite = {
	.name = "hmap_map",
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);
