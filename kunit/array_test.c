// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: where overflow buckets come from (S4), how they are counted (S5),
 * what is charged, and what becomes of a map that gets none (C8).
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "../core/internal.h"
#include "util.h"

/* The most entries that 2^B buckets are for. */
static unsigned long full(u8 B)
{
	return B ? 13UL << (B - 1) : BUCKET_CNT;
}

static struct bucket_array *array_of(struct hmap *h)
{
	return hmap_test_array(h);
}

/* A set of u64 that are their own hashes, with 2^B buckets. */
static struct hmap *identity_map(struct kunit *test, u8 B)
{
	struct hmap *h = hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.hint = full(B),
		.hasher = hmap_test_identity,
	});

	KUNIT_ASSERT_EQ(test, hmap_test_header(h).B, B);
	return h;
}

static int put(struct hmap *h, u64 key)
{
	return hmap_insert(h, &key, NULL, HMAP_ANY, GFP_KERNEL);
}

/* Put so many keys into a bucket of a map that was made for 2^B. */
static int fill_bucket(struct hmap *h, u64 bucket, u8 B, u64 n)
{
	int err = 0;

	while (n-- && !err)
		err = put(h, bucket | n << B);
	return err;
}

/* === S4 === */

static void spare_buckets(struct kunit *test)
{
	struct hmap *h;
	u8 B;

	for (B = 0; B <= 10; B++) {
		h = identity_map(test, B);
		KUNIT_EXPECT_EQ(test, array_of(h)->nr_spare,
				B < 4 ? 0 : 1 << (B - 4));
		KUNIT_EXPECT_EQ(test, array_of(h)->bytes,
				sizeof(struct bucket_array) +
				((1 << B) + array_of(h)->nr_spare) *
				h->t.stride);
	}
}

/* The overflow bucket at the end of a chain. */
static struct bmap *last_bucket(struct hmap *h, unsigned long bucket)
{
	struct bmap *b = bucket_at(&h->t, array_of(h), bucket);

	while (bmap_overflow(&h->t, NULL, b))
		b = bmap_overflow(&h->t, NULL, b);
	return b;
}

/* S2: what there is to a bucket besides stands before it. */
static void guard_before_bucket(struct kunit *test)
{
	struct hmap *h = identity_map(test, 6);
	struct bucket_array *a = array_of(h);
	struct bmap *b;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, h->t.bucket_size, 8 + BUCKET_CNT * 8 + 8);
	KUNIT_EXPECT_EQ(test, h->t.stride, h->t.bucket_size + 8);
	KUNIT_EXPECT_PTR_EQ(test, (void *)guard_of(bucket_at(&h->t, a, 0)),
			    (void *)a->data);
	for (i = 0; i < 64 + 4; i++) {
		b = bucket_at(&h->t, a, i);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)b, 8));
		KUNIT_EXPECT_PTR_EQ(test, (void *)guard_of(b) + h->t.stride,
				    (void *)guard_of(bucket_at(&h->t, a, i + 1)));
	}
	KUNIT_EXPECT_PTR_EQ(test, (void *)guard_of(bucket_at(&h->t, a, i)),
			    (void *)a + a->bytes);
}

static void spare_first_then_slab(struct kunit *test)
{
	struct hmap *h = identity_map(test, 6);
	long bytes = atomic_long_read(&h->bytes);
	unsigned int n;

	/* Four spare ones, wherever they are needed. */
	for (n = 0; n < 4; n++) {
		KUNIT_ASSERT_EQ(test, fill_bucket(h, n, 6, 9), 0);
		KUNIT_EXPECT_PTR_EQ(test, last_bucket(h, n),
				    bucket_at(&h->t, array_of(h), 64 + n));
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).next_overflow,
				n + 1);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, n + 1);
	}
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).overflow, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), bytes);

	for (n = 1; n <= 3; n++) {
		KUNIT_ASSERT_EQ(test, fill_bucket(h, 3, 6, 9 + 8 * n), 0);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).next_overflow,
				4);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).overflow, n);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, 4 + n);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes),
				bytes + n * h->t.bucket_size);
		/* What is charged is what it takes. */
		KUNIT_EXPECT_EQ(test, ksize(last_bucket(h, 3)),
				h->t.bucket_size);
	}
	KUNIT_EXPECT_EQ(test, h->growths + h->same_size_growths, 0UL);
	hmap_test_check(test, h);
}

static void slab_by_bucket_size(struct kunit *test)
{
	struct hmap_params params = { HMAP_KEY_U32, 4, 4 };
	struct hmap *h = hmap_test_create(test, &params);
	struct hmap *other;

	KUNIT_EXPECT_GE(test, kmem_cache_size(h->t.overflow_cache),
			h->t.bucket_size);
	other = hmap_test_create(test, &params);
	KUNIT_EXPECT_PTR_EQ(test, other->t.overflow_cache, h->t.overflow_cache);
	params = (struct hmap_params){ HMAP_KEY_BYTES, 8, 0 };
	other = hmap_test_create(test, &params);
	KUNIT_EXPECT_EQ(test, other->t.bucket_size, h->t.bucket_size);
	KUNIT_EXPECT_PTR_EQ(test, other->t.overflow_cache, h->t.overflow_cache);
	params = (struct hmap_params){ HMAP_KEY_U64, 8, 4 };
	other = hmap_test_create(test, &params);
	KUNIT_EXPECT_PTR_NE(test, other->t.overflow_cache, h->t.overflow_cache);
}

/* === S5 === */

static void exact_below_16(struct kunit *test)
{
	static const u8 some_B[] = { 3, 4, 8, 12, 15 };
	unsigned int i, n;
	struct hmap *h;

	for (i = 0; i < ARRAY_SIZE(some_B); i++) {
		h = identity_map(test, some_B[i]);
		for (n = 1; n < 6; n++) {
			KUNIT_ASSERT_EQ(test, fill_bucket(h, 0, some_B[i],
							  8 * n + 1), 0);
			KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, n);
		}
		KUNIT_EXPECT_EQ(test, h->growths + h->same_size_growths, 0UL);
	}
}

#define SAMPLES	1024

static const u8 large_B[] = { 16, 17, 18 };

static void describe_B(const u8 *B, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "B=%u", *B);
}

KUNIT_ARRAY_PARAM(large, large_B, describe_B);

/*
 * Of 1024 overflow buckets one in 2^(B-15) is counted: 512, 256, 128.  The
 * tolerance is over five standard deviations, of 16, 14, 11.
 */
static void counted_by_chance_from_16(struct kunit *test)
{
	const u8 B = *(const u8 *)test->param_value;
	const int expected = SAMPLES >> (B - 15);
	struct hmap *h = identity_map(test, B);
	u64 i;

	for (i = 0; i < SAMPLES; i++)
		KUNIT_ASSERT_EQ(test, fill_bucket(h, i, B, BUCKET_CNT + 1), 0);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).next_overflow,
			SAMPLES);
	KUNIT_EXPECT_GT(test, hmap_test_header(h).noverflow,
			expected - 34 - expected / 10);
	KUNIT_EXPECT_LT(test, hmap_test_header(h).noverflow,
			expected + 34 + expected / 10);
}

/* === What is charged === */

/* Bring a growth to its end, and free what is to be freed. */
static bool settle(struct hmap *h)
{
	flush_work(&h->grow_work);
	flush_delayed_work(&h->finish_work);
	hmap_barrier();
	return !hmap_test_old(h);
}

struct fill {
	struct hmap_test_key key;
	struct hmap_test_elem elem;
};

static int put_kind(struct hmap *h, struct fill *f, u32 i)
{
	return hmap_insert(h, hmap_test_key(h, i, &f->key),
			   hmap_test_elem(h, i, &f->elem), HMAP_ANY,
			   GFP_KERNEL);
}

static void all_is_given_back(struct kunit *test)
{
	const struct hmap_test_kind *kind = test->param_value;
	struct hmap *h = hmap_test_create(test, &kind->params);
	struct fill *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	const long empty = atomic_long_read(&h->bytes);
	long array;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	for (i = 0; i < 400; i++)
		KUNIT_ASSERT_EQ(test, put_kind(h, f, i), 0);
	KUNIT_ASSERT_TRUE(test, settle(h));
	hmap_test_check_settled(test, h);
	for (i = 0; i < 400; i++)
		KUNIT_ASSERT_EQ(test, put_kind(h, f, 399 - i), 0);
	hmap_test_check_settled(test, h);
	for (i = 0; i < 400; i++)
		KUNIT_ASSERT_EQ(test, hmap_delete(h, hmap_test_key(h, i,
								   &f->key)),
				0);
	KUNIT_ASSERT_TRUE(test, settle(h));
	array = hmap_alloc_size(array_of(h)->bytes);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), empty + array +
			hmap_test_overflow_bytes(array_of(h)));
	hmap_test_check_settled(test, h);

	for (i = 0; i < 40; i++)
		KUNIT_ASSERT_EQ(test, put_kind(h, f, i), 0);
	hmap_clear(h);
	hmap_test_check_settled(test, h);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), empty + array);
	/* Where there may be no second array, there is none in the end. */
	h->max_bytes = 0;
	hmap_clear(h);
	hmap_barrier();
	KUNIT_EXPECT_NULL(test, array_of(h));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), empty);
	hmap_test_check(test, h);
	h->max_bytes = LONG_MAX;
	KUNIT_EXPECT_EQ(test, put_kind(h, f, 1), 0);
}

/* === C8 === */

#define DUMP_WORDS	4096

/*
 * All there is to a map that is not growing: its header, and its array's bytes
 * with those of all chains.  Blocks are never changed, so pointers will do.
 */
struct dump {
	size_t used;
	u8 data[8 * DUMP_WORDS];
};

static void dump_bytes(struct dump *d, const void *data, size_t len)
{
	if (d->used + len <= sizeof(d->data))
		memcpy(d->data + d->used, data, len);
	d->used += len;
}

static void dump_map(struct kunit *test, struct hmap *h, struct dump *d)
{
	const struct bucket_array *a = array_of(h);
	struct hmap_header hdr;
	unsigned long i;
	struct bmap *b;

	d->used = 0;
	hmap_read_header(h, &hdr);
	KUNIT_ASSERT_FALSE(test, hdr.oldbuckets);
	dump_bytes(d, &a, sizeof(a));
	dump_bytes(d, (unsigned long []){ hdr.count, hdr.flags, hdr.B,
		   hdr.noverflow, hdr.hash0, hdr.nevacuate, hdr.overflow,
		   hdr.oldoverflow, hdr.next_overflow, hdr.growths,
		   hdr.same_size_growths, hdr.bytes }, 12 * sizeof(long));
	for (i = 0; a && i < 1UL << a->B; i++)
		for (b = bucket_at(&h->t, a, i); b;
		     b = bmap_overflow(&h->t, a, b))
			dump_bytes(d, b, h->t.bucket_size);
	KUNIT_ASSERT_LE(test, d->used, sizeof(d->data));
}

/* What there is room for in the map. */
enum room {
	NO_ROOM,
	ROOM_FOR_KEY,
	ROOM_FOR_ELEM,
	ROOM_FOR_BOTH,
};

/* What is not there for a new entry of a map of strings to elems of any size. */
struct refusal {
	const char *missing;
	enum hmap_what what;
	u32 elem_size;
	unsigned int entries;		/* in the map before */
	enum room room;			/* what it still may use */
};

static const struct refusal refusals[] = {
	{ "elem of the first entry", HMAP_STORE, 200, 0, NO_ROOM },
	{ "first array", HMAP_STORE, 200, 0, ROOM_FOR_ELEM },
	{ "key", HMAP_STORE, 200, 5, ROOM_FOR_ELEM },
	{ "overflow bucket", HMAP_STORE, 200, 8, ROOM_FOR_BOTH },
	{ "overflow bucket in a chain", HMAP_STORE, 200, 24, ROOM_FOR_BOTH },
	{ "first array for a sum", HMAP_ADD, 8, 0, NO_ROOM },
	{ "key of a sum", HMAP_ADD, 8, 5, NO_ROOM },
	{ "overflow bucket for a sum", HMAP_ADD, 8, 8, ROOM_FOR_KEY },
};

static void describe_refusal(const struct refusal *r, char *desc)
{
	strscpy(desc, r->missing, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refusal, refusals, describe_refusal);

static size_t block_bytes(size_t len)
{
	return hmap_alloc_size(sizeof(struct hmap_block) + len);
}

static size_t room_of(const struct refusal *r)
{
	switch (r->room) {
	case NO_ROOM:
		return 0;
	case ROOM_FOR_KEY:
		return block_bytes(STRING_LONG);
	case ROOM_FOR_ELEM:
		return block_bytes(r->elem_size);
	default:
		return block_bytes(STRING_LONG) + block_bytes(r->elem_size);
	}
}

static u64 same_hash(const void *key, size_t len, u32 hash0)
{
	return 0;
}

/* All entries in one chain of eight, or of one where there is no hint. */
static struct hmap *refusal_map(struct kunit *test, u32 elem_size,
				unsigned int entries)
{
	return hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_STRING,
		.elem_size = elem_size,
		.hint = entries ? full(3) : 0,
		.hasher = same_hash,
	});
}

/* Strings of 24 bytes, the shortest that do not fit in a slot. */
static int put_string(struct hmap *h, struct fill *f, u32 i, enum hmap_mode mode,
		      gfp_t gfp)
{
	return hmap_insert(h, hmap_test_key(h, i * 61 + 20, &f->key),
			   hmap_test_elem(h, i, &f->elem), mode, gfp);
}

/* The entry for which something is missing. */
static int put_refused(struct hmap *h, struct fill *f, const struct refusal *r,
		       gfp_t gfp)
{
	struct hmap_op op = {
		.what = r->what,
		.key = hmap_test_key(h, r->entries * 61 + 20, &f->key),
		.elem = hmap_test_elem(h, r->entries, &f->elem),
		.gfp = gfp,
	};

	return hmap_update(h, &op);
}

static void expect_unchanged(struct kunit *test, struct hmap *h,
			     struct dump *before, struct dump *after)
{
	hmap_test_check_settled(test, h);
	dump_map(test, h, after);
	KUNIT_EXPECT_EQ(test, before->used, after->used);
	KUNIT_EXPECT_EQ(test, memcmp(before->data, after->data, before->used),
			0);
}

static void new_entry_without_memory(struct kunit *test)
{
	const struct refusal *r = test->param_value;
	struct dump *before = kunit_kzalloc(test, sizeof(*before), GFP_KERNEL);
	struct dump *after = kunit_kzalloc(test, sizeof(*after), GFP_KERNEL);
	struct fill *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct hmap *h = refusal_map(test, r->elem_size, r->entries);
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, before && after && f);
	for (i = 0; i < r->entries; i++)
		KUNIT_ASSERT_EQ(test, put_string(h, f, i, HMAP_NOEXIST,
						 GFP_KERNEL), 0);
	dump_map(test, h, before);
	h->max_bytes = atomic_long_read(&h->bytes) + room_of(r);
	KUNIT_EXPECT_EQ(test, put_refused(h, f, r, GFP_KERNEL), -ENOSPC);
	expect_unchanged(test, h, before, after);
	KUNIT_EXPECT_EQ(test, put_refused(h, f, r, GFP_ATOMIC), -ENOSPC);
	expect_unchanged(test, h, before, after);

	h->max_bytes = LONG_MAX;
	KUNIT_EXPECT_EQ(test, put_refused(h, f, r, GFP_KERNEL), 0);
	for (i = 0; i <= r->entries; i++)
		KUNIT_EXPECT_EQ(test, put_string(h, f, i, HMAP_NOEXIST,
						 GFP_KERNEL), -EEXIST);
	hmap_test_check(test, h);
}

static void update_without_memory(struct kunit *test)
{
	struct dump *before = kunit_kzalloc(test, sizeof(*before), GFP_KERNEL);
	struct dump *after = kunit_kzalloc(test, sizeof(*after), GFP_KERNEL);
	struct fill *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct hmap *h = refusal_map(test, 200, 1);
	const void *key, *elem;
	u8 old[200];

	KUNIT_ASSERT_TRUE(test, before && after && f);
	KUNIT_ASSERT_EQ(test, put_string(h, f, 1, HMAP_ANY, GFP_KERNEL), 0);
	key = hmap_test_key(h, 61, &f->key);
	elem = hmap_test_elem(h, 1, &f->elem);
	hmap_barrier();
	h->max_bytes = atomic_long_read(&h->bytes);
	dump_map(test, h, before);
	KUNIT_EXPECT_EQ(test, put_string(h, f, 1, HMAP_EXIST, GFP_KERNEL),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_xchg(h, key, elem, old, GFP_KERNEL),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_cmpxchg(h, key, elem, elem, GFP_KERNEL),
			-ENOSPC);
	expect_unchanged(test, h, before, after);
	/* What needs no memory works. */
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, key, old), 0);
	KUNIT_EXPECT_EQ(test, memcmp(old, elem, sizeof(old)), 0);
	KUNIT_EXPECT_EQ(test, hmap_delete(h, key), 0);
	/* What is charged is so until nobody can see it any more. */
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, put_string(h, f, 2, HMAP_ANY, GFP_KERNEL), 0);
	hmap_test_check(test, h);
}

/* Nothing is left behind of what an insert has got and then does not need. */
static void refused_for_other_reasons(struct kunit *test)
{
	struct dump *before = kunit_kzalloc(test, sizeof(*before), GFP_KERNEL);
	struct dump *after = kunit_kzalloc(test, sizeof(*after), GFP_KERNEL);
	struct fill *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct hmap *h = refusal_map(test, 200, 1);
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, before && after && f);
	for (i = 0; i < 16; i++)
		KUNIT_ASSERT_EQ(test, put_string(h, f, i, HMAP_ANY, GFP_KERNEL),
				0);
	dump_map(test, h, before);
	KUNIT_EXPECT_EQ(test, put_string(h, f, 3, HMAP_NOEXIST, GFP_KERNEL),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, put_string(h, f, 16, HMAP_EXIST, GFP_KERNEL),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_xchg(h, hmap_test_key(h, 16 * 61 + 20, &f->key),
					f->elem.data, NULL, GFP_KERNEL),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, hmap_cmpxchg(h, hmap_test_key(h, 20, &f->key),
					   f->elem.data, f->elem.data,
					   GFP_KERNEL), -ESTALE);
	h->max_entries = 16;
	KUNIT_EXPECT_EQ(test, put_string(h, f, 16, HMAP_ANY, GFP_KERNEL),
			-ENOSPC);
	expect_unchanged(test, h, before, after);
}

/*
 * The same, but it is the allocators that say no: the nth time they are asked,
 * for all n.  An update that is refused leaves the map as it was; those that
 * are not have asked again, or done without.
 */
static void new_entry_with_nth_failing(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	const struct refusal *r = test->param_value;
	struct dump *before = kunit_kzalloc(test, sizeof(*before), GFP_KERNEL);
	struct dump *after = kunit_kzalloc(test, sizeof(*after), GFP_KERNEL);
	unsigned int n, i, left, refused = 0, fine = 0;
	struct fill *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct hmap *h;
	int err;

	KUNIT_ASSERT_TRUE(test, before && after && f);
	for (n = 1, left = 0; !left; n++) {
		h = refusal_map(test, r->elem_size, r->entries);
		for (i = 0; i < r->entries; i++)
			KUNIT_ASSERT_EQ(test, put_string(h, f, i, HMAP_NOEXIST,
							 GFP_KERNEL), 0);
		dump_map(test, h, before);
		current->fail_nth = n;
		err = put_refused(h, f, r, GFP_NOWAIT | __GFP_NOWARN);
		left = current->fail_nth;
		current->fail_nth = 0;
		if (err) {
			KUNIT_ASSERT_EQ(test, err, -ENOMEM);
			expect_unchanged(test, h, before, after);
			refused++;
		} else {
			KUNIT_EXPECT_EQ(test, hmap_len(h), r->entries + 1);
			hmap_test_check(test, h);
			fine++;
		}
	}
	/*
	 * The first to fail is the elem, or the array, which are asked for once,
	 * or the key, which is asked for twice, and the last is nothing; slabs
	 * that ask for a page now and then change the rest.
	 */
	KUNIT_EXPECT_GE(test, refused, r->what == HMAP_STORE || !r->entries);
	KUNIT_EXPECT_GE(test, fine, 1);
	KUNIT_EXPECT_GE(test, refused + fine, 2);
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

KUNIT_ARRAY_PARAM(each_kind, hmap_test_kinds, hmap_test_describe_kind);

static struct kunit_case array_cases[] = {
	KUNIT_CASE(spare_buckets),
	KUNIT_CASE(guard_before_bucket),
	KUNIT_CASE(spare_first_then_slab),
	KUNIT_CASE(slab_by_bucket_size),
	KUNIT_CASE(exact_below_16),
	KUNIT_CASE_PARAM(counted_by_chance_from_16, large_gen_params),
	KUNIT_CASE_PARAM(all_is_given_back, each_kind_gen_params),
	KUNIT_CASE_PARAM(new_entry_without_memory, refusal_gen_params),
	KUNIT_CASE(update_without_memory),
	KUNIT_CASE(refused_for_other_reasons),
	KUNIT_CASE_PARAM(new_entry_with_nth_failing, refusal_gen_params),
	{}
};

static struct kunit_suite array_suite = {
	.name = "hmap_array",
	.test_cases = array_cases,
};

kunit_test_suite(array_suite);
