// SPDX-License-Identifier: GPL-2.0
/*
 * The bucket: tophash (S1), which bucket and where in it (S2), and matching
 * eight tophash bytes at once.
 */
#include <kunit/test.h>

#include "../core/internal.h"
#include "util.h"

/* === S1 === */

static void tophash_is_top_byte(struct kunit *test)
{
	const u64 below = GENMASK_ULL(55, 0);
	unsigned int top, expected;

	for (top = 0; top < 256; top++) {
		expected = top < 5 ? top + 5 : top;
		KUNIT_EXPECT_EQ(test, tophash((u64)top << 56), expected);
		KUNIT_EXPECT_EQ(test, tophash((u64)top << 56 | below),
				expected);
	}
}

static void marks_have_gos_values(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, EMPTY_REST, 0);
	KUNIT_EXPECT_EQ(test, EMPTY_ONE, 1);
	KUNIT_EXPECT_EQ(test, EVACUATED_X, 2);
	KUNIT_EXPECT_EQ(test, EVACUATED_Y, 3);
	KUNIT_EXPECT_EQ(test, EVACUATED_EMPTY, 4);
	KUNIT_EXPECT_EQ(test, MIN_TOPHASH, 5);
	KUNIT_EXPECT_EQ(test, BUCKET_CNT, 8);
}

static void marks_are_told_apart(struct kunit *test)
{
	struct bmap b;
	unsigned int top;

	for (top = 0; top < 256; top++) {
		/* The first byte speaks for the bucket, whatever follows. */
		memset(&b, top >= 2 && top <= 4 ? 255 : EVACUATED_X, sizeof(b));
		b.tophash[0] = top;
		KUNIT_EXPECT_EQ(test, evacuated(&b), top >= 2 && top <= 4);
		KUNIT_EXPECT_EQ(test, is_empty(top), top <= 1);
	}
}

/* === Matching a word === */

/* What tophash_zero_bytes() and its users say, a byte at a time. */
static u64 slow_match(u64 word, u8 from, u8 to)
{
	u64 match = 0;
	unsigned int i;
	u8 top;

	for (i = 0; i < 64; i += 8) {
		top = word >> i;
		if (top >= from && top <= to)
			match |= 0x80ULL << i;
	}
	return match;
}

static u64 lowest(u64 match)
{
	return match & -match;
}

/*
 * What could go wrong between bytes goes wrong by a carry or a borrow, so it
 * does between two: all values of those, in all places, and of what is looked
 * for.  The others are 0, the hardest of neighbours, or not.
 */
static void match_pairs(struct kunit *test, u64 others)
{
	unsigned int pair, at;
	u64 word, wrong = 0;

	for (at = 0; at <= 48; at += 8) {
		for (pair = 0; pair < 65536; pair++) {
			word = (others & ~(0xffffULL << at)) | (u64)pair << at;
			wrong |= !tophash_match(word, 0) ^
				 !slow_match(word, 0, 0);
			wrong |= lowest(tophash_match(word, 0)) ^
				 lowest(slow_match(word, 0, 0));
			wrong |= tophash_match_empty(word) ^
				 slow_match(word, 0, 1);
		}
		KUNIT_EXPECT_EQ(test, wrong, 0);
	}
}

static void match_all_pairs(struct kunit *test)
{
	match_pairs(test, 0);
	match_pairs(test, 0x0101010101010101);
	match_pairs(test, 0x7f7f7f7f7f7f7f7f);
	match_pairs(test, ~0ULL);
}

/* Beyond the first match, only a tophash that differs in bit 0 is claimed. */
static void match_all_tophashes(struct kunit *test)
{
	unsigned int top, other, i;
	u64 word, match, wrong;

	for (top = 0; top < 256; top++) {
		wrong = 0;
		for (other = 0; other < 256; other++) {
			word = other * 0x0101010101010101;
			for (i = 0; i < 64; i += 8) {
				match = tophash_match(word, top);
				wrong |= slow_match(word, top, top) & ~match;
				wrong |= match & ~(slow_match(word, top, top) |
						   slow_match(word, top ^ 1,
							      top ^ 1));
				wrong |= lowest(match) ^
					 lowest(slow_match(word, top, top));
				word ^= (u64)(top ^ other) << i;
			}
		}
		KUNIT_EXPECT_EQ(test, wrong, 0);
	}
}

static void slot_0_is_lowest(struct kunit *test)
{
	struct bmap b = {};
	unsigned int i;
	u64 match;

	for (i = 0; i < BUCKET_CNT; i++) {
		memset(b.tophash, 9, sizeof(b.tophash));
		b.tophash[i] = 200;
		match = tophash_match(tophash_load(&b), 200);
		KUNIT_ASSERT_EQ(test, match, 0x80ULL << 8 * i);
		KUNIT_EXPECT_EQ(test, tophash_first(match), i);
		/* Of several, the first. */
		memset(b.tophash + i, 200, BUCKET_CNT - i);
		match = tophash_match(tophash_load(&b), 200);
		KUNIT_EXPECT_EQ(test, tophash_first(match), i);
	}
}

/* === S9: what a delete leaves === */

/* As Go does it, slot by slot. */
static void slow_without(u8 *top, unsigned int i, bool last)
{
	top[i] = EMPTY_ONE;
	if (i == BUCKET_CNT - 1 ? !last : top[i + 1] != EMPTY_REST)
		return;
	do
		top[i] = EMPTY_REST;
	while (i-- && top[i] == EMPTY_ONE);
}

/* Slots of a bucket, in use or EMPTY_ONE, the @n of them that @used tells. */
static u64 word_of(unsigned int n, unsigned int used)
{
	struct bmap b = {};
	unsigned int i;

	for (i = 0; i < n; i++)
		b.tophash[i] = used & 1 << i ? 255 - i : EMPTY_ONE;
	return tophash_load(&b);
}

/* Each bucket there can be, at the end of its chain and not. */
static void delete_each_slot(struct kunit *test)
{
	unsigned int n, used, i, tried = 0;
	struct bmap b;
	bool last;
	u64 word;

	for (n = 1; n <= BUCKET_CNT; n++) {
		for (used = 1; used < 1 << n; used++) {
			last = used & 1 << (n - 1);
			if (!last && n < BUCKET_CNT)
				continue;
			word = word_of(n, used);
			for (i = 0; i < n; i++) {
				if (!(used & 1 << i))
					continue;
				b.tophash_word = cpu_to_le64(word);
				slow_without(b.tophash, i, last);
				KUNIT_ASSERT_EQ(test, tophash_without(word, i, last),
						tophash_load(&b));
				b.tophash_word = cpu_to_le64(word);
				slow_without(b.tophash, i, false);
				KUNIT_ASSERT_EQ(test, tophash_without(word, i, false),
						tophash_load(&b));
				tried++;
			}
		}
	}
	KUNIT_EXPECT_GT(test, tried, 1000);
}

/* === S2: the layout === */

static const struct layout {
	struct hmap_params params;
	unsigned int key_slot;
	unsigned int elem_slot;
	unsigned int bucket_size;
} layouts[] = {
	/* tophash, keys, elems, overflow pointer, and nothing in between */
	{ { HMAP_KEY_U64, 8, 1 }, 8, 1, 8 + 64 + 8 + 8 },
	{ { HMAP_KEY_U64, 8, 8 }, 8, 8, 8 + 64 + 64 + 8 },
	{ { HMAP_KEY_U64, 8, 0 }, 8, 0, 8 + 64 + 8 },
	{ { HMAP_KEY_U32, 4, 8 }, 4, 8, 8 + 32 + 64 + 8 },
	{ { HMAP_KEY_U32, 4, 4 }, 4, 4, 8 + 32 + 32 + 8 },
	{ { HMAP_KEY_BYTES, 1, 0 }, 1, 0, 8 + 8 + 8 },
	{ { HMAP_KEY_BYTES, 3, 7 }, 3, 7, 8 + 24 + 56 + 8 },
	{ { HMAP_KEY_BYTES, 128, 128 }, 128, 128, 8 + 1024 + 1024 + 8 },
	{ { HMAP_KEY_BYTES, 129, 128 }, sizeof(void *), 128,
	  8 + 8 * sizeof(void *) + 1024 + 8 },
	{ { HMAP_KEY_BYTES, 512, 129 }, sizeof(void *), sizeof(void *),
	  8 + 16 * sizeof(void *) + 8 },
	{ { HMAP_KEY_STRING, 0, 1 }, sizeof(struct hmap_string), 1,
	  8 + 8 * sizeof(struct hmap_string) + 8 + 8 },
	{ { HMAP_KEY_U32, 4, 65536 }, 4, sizeof(void *),
	  8 + 32 + 8 * sizeof(void *) + 8 },
	{ { HMAP_KEY_U32, 4, 1, HMAP_VAR_ELEM }, 4, sizeof(void *),
	  8 + 32 + 8 * sizeof(void *) + 8 },
};

static void describe_layout(const struct layout *l, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "kind %d, key %u, elem %u%s",
		 l->params.key_kind, l->params.key_size, l->params.elem_size,
		 l->params.flags ? " at most" : "");
}

KUNIT_ARRAY_PARAM(layout, layouts, describe_layout);

static void layout_without_padding(struct kunit *test)
{
	const struct layout *l = test->param_value;
	const struct hmap_type *t = &hmap_test_create(test, &l->params)->t;
	struct bmap *b = kunit_kzalloc(test, l->bucket_size, GFP_KERNEL);
	void *end = (void *)b + l->bucket_size;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_EQ(test, t->bucket_size, l->bucket_size);
	for (i = 0; i < BUCKET_CNT; i++) {
		KUNIT_EXPECT_PTR_EQ(test, bmap_key(t, b, i),
				    (void *)b + 8 + i * l->key_slot);
		KUNIT_EXPECT_PTR_EQ(test, bmap_elem(t, b, i),
				    (void *)b + 8 + 8 * l->key_slot +
				    i * l->elem_slot);
	}
	KUNIT_EXPECT_NULL(test, bmap_overflow(t, NULL, b));
	KUNIT_EXPECT_PTR_EQ(test, (void *)bmap_overflow_slot(t, b), end - 8);
}

/* === S2: the bucket === */

static u64 hash_for(unsigned int bucket, u8 B)
{
	/* All bits between the bucket's index and the top are set. */
	return (u64)bucket << 56 | (GENMASK_ULL(55, 0) & ~(u64)bucket_mask(B)) |
	       bucket;
}

static const u8 bucket_B[] = { 0, 1, 2, 3, 5, 8 };

static void describe_B(const u8 *B, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "B=%u", *B);
}

KUNIT_ARRAY_PARAM(bucket, bucket_B, describe_B);

static void low_bits_pick_bucket(struct kunit *test)
{
	const u8 B = *(const u8 *)test->param_value;
	struct hmap *h = hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.hint = B ? 13UL << (B - 1) : 1,
		.hasher = hmap_test_identity,
	});
	unsigned int i;
	u64 key, word;

	KUNIT_ASSERT_EQ(test, hmap_test_header(h).B, B);
	for (i = 0; i < 1U << B; i++) {
		key = hash_for(i, B);
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, NULL, HMAP_NOEXIST,
						  GFP_KERNEL), 0);
	}
	for (i = 0; i < 1U << B; i++) {
		KUNIT_ASSERT_EQ(test, hmap_read_chain(h, false, i, &word, 1),
				1);
		KUNIT_EXPECT_EQ(test, word, tophash(hash_for(i, B)));
		key = hash_for(i, B);
		KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, NULL), 0);
		/* The same bucket and tophash, but another key. */
		key ^= 1ULL << 55;
		KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, NULL), -ENOENT);
	}
	KUNIT_EXPECT_EQ(test, hmap_read_chain(h, false, 1UL << B, &word, 1),
			-ENOENT);
	hmap_test_check(test, h);
}

static struct kunit_case bmap_cases[] = {
	KUNIT_CASE(tophash_is_top_byte),
	KUNIT_CASE(marks_have_gos_values),
	KUNIT_CASE(marks_are_told_apart),
	KUNIT_CASE(match_all_pairs),
	KUNIT_CASE(match_all_tophashes),
	KUNIT_CASE(slot_0_is_lowest),
	KUNIT_CASE(delete_each_slot),
	KUNIT_CASE_PARAM(layout_without_padding, layout_gen_params),
	KUNIT_CASE_PARAM(low_bits_pick_bucket, bucket_gen_params),
	{}
};

static struct kunit_suite bmap_suite = {
	.name = "hmap_bmap",
	.test_cases = bmap_cases,
};

kunit_test_suite(bmap_suite);
