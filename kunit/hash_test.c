// SPDX-License-Identifier: GPL-2.0
/*
 * Hashes: that they depend on the seed and on a secret (S13, S14), and on all
 * of the key and nothing else; and that they fill buckets evenly.
 */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "../core/key.h"
#include "util.h"

static u64 hash_u64(u64 key, u32 hash0)
{
	return hmap_hash_u64(hmap_mix_secret, key, hash0);
}

static u64 hash_bytes(u64 key, u32 hash0)
{
	return hmap_hash_bytes(hmap_mix_secret, &key, sizeof(key), hash0);
}

static u64 hash_first_word(u64 key, u32 hash0)
{
	const u64 words[] = { key, 0 };

	return hmap_hash_bytes(hmap_mix_secret, words, sizeof(words), hash0);
}

static u64 hash_last_word(u64 key, u32 hash0)
{
	const u64 words[] = { 0, key };

	return hmap_hash_bytes(hmap_mix_secret, words, sizeof(words), hash0);
}

static u64 hash_siphash(u64 key, u32 hash0)
{
	return hmap_siphash(&key, sizeof(key), hash0);
}

static const struct hash {
	const char *name;
	u64 (*hash)(u64 key, u32 hash0);
} hashes[] = {
	{ "integers", hash_u64 },
	{ "bytes", hash_bytes },
	{ "first of two words", hash_first_word },
	{ "last of two words", hash_last_word },
	{ "SipHash", hash_siphash },
};

static void describe_hash(const struct hash *hash, char *desc)
{
	strscpy(desc, hash->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hash, hashes, describe_hash);

/* === Seed and secret === */

/* How far from a half is the share of pairs that differ in their worst bit? */
struct flips {
	u32 flips[64];
	u32 pairs;
};

static void count_flips(struct flips *f, u64 a, u64 b)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		f->flips[i] += (a ^ b) >> i & 1;
	f->pairs++;
}

/* In 512 pairs, 30 to 70 % is nine standard deviations to either side. */
#define PAIRS	512

static void expect_half(struct kunit *test, const struct flips *f,
			const char *what, unsigned int which)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, f->pairs, PAIRS);
	for (i = 0; i < 64; i++) {
		KUNIT_EXPECT_GE_MSG(test, f->flips[i] * 10, PAIRS * 3,
				    "%s %u, bit %u of the hash", what, which, i);
		KUNIT_EXPECT_LE_MSG(test, f->flips[i] * 10, PAIRS * 7,
				    "%s %u, bit %u of the hash", what, which, i);
	}
}

static void depends_on_each_key_bit(struct kunit *test)
{
	const struct hash *hash = test->param_value;
	unsigned int bit, i;
	u32 hash0;
	u64 key;

	for (bit = 0; bit < 64; bit++) {
		struct flips f = {};

		for (i = 0; i < PAIRS; i++) {
			key = get_random_u64();
			hash0 = get_random_u32();
			count_flips(&f, hash->hash(key, hash0),
				    hash->hash(key ^ BIT_ULL(bit), hash0));
		}
		expect_half(test, &f, "key bit", bit);
	}
}

static void depends_on_each_seed_bit(struct kunit *test)
{
	const struct hash *hash = test->param_value;
	unsigned int bit, i;
	u32 hash0;

	for (bit = 0; bit < 32; bit++) {
		struct flips f = {};

		for (i = 0; i < PAIRS; i++) {
			hash0 = get_random_u32();
			count_flips(&f, hash->hash(i, hash0),
				    hash->hash(i, hash0 ^ BIT(bit)));
		}
		expect_half(test, &f, "seed bit", bit);
	}
}

/* With secrets of zeros these are what the hashes come down to. */
static void depends_on_secret(struct kunit *test)
{
	const u64 key = get_random_u64();
	const u32 hash0 = get_random_u32();
	const siphash_key_t no_secret = { { hash0, 0 } };

	KUNIT_EXPECT_NE(test, hash_u64(key, hash0), key);
	KUNIT_EXPECT_NE(test, hash_siphash(key, hash0),
			siphash(&key, sizeof(key), &no_secret));
}

static void maps_have_own_seeds(struct kunit *test)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_U32,
		.key_size = 4,
	};
	struct hmap *a = hmap_test_create(test, &params);
	struct hmap *b = hmap_test_create(test, &params);
	struct hmap *c = hmap_test_create(test, &params);

	/* By chance, once in 2^64 runs. */
	KUNIT_EXPECT_FALSE(test, a->l->hash0 == b->l->hash0 && b->l->hash0 == c->l->hash0);
}

/* === Distribution === */

/*
 * Keys that differ in few bits, anywhere, spread over the low bits, which pick
 * the bucket, those above, and the tophash: chi-squared over 256 bins has a
 * mean of 255 and a standard deviation of 23.
 */
#define CHI_SQUARED_MAX	450
#define SPREAD_KEYS	8192

static u32 chi_squared(const u32 bin[256])
{
	const u32 mean = SPREAD_KEYS / 256;
	unsigned int i;
	u32 sum = 0;

	for (i = 0; i < 256; i++)
		sum += (bin[i] - mean) * (bin[i] - mean);
	return sum / mean;
}

static void spread(struct kunit *test, const struct hash *hash,
		   unsigned int stride)
{
	u32 (*bin)[256] = kunit_kzalloc(test, 8 * sizeof(*bin), GFP_KERNEL);
	const u32 hash0 = get_random_u32();
	unsigned int i;
	u64 key, h;

	KUNIT_ASSERT_NOT_NULL(test, bin);
	for (key = 0; key < SPREAD_KEYS; key++) {
		h = hash->hash(key << stride, hash0);
		for (i = 0; i < 8; i++)
			bin[i][h >> 8 * i & 0xff]++;
	}
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_LE_MSG(test, chi_squared(bin[i]), CHI_SQUARED_MAX,
				    "keys 2^%u apart, byte %u of the hash",
				    stride, i);
	kunit_kfree(test, bin);
}

static void spreads_evenly(struct kunit *test)
{
	static const u8 stride[] = { 0, 3, 8, 12, 16, 24, 32, 48, 51 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stride); i++)
		spread(test, test->param_value, stride[i]);
}

/* The entries of a bucket need different tophashes. */
static void tophash_tells_within_bucket(struct kunit *test)
{
	const struct hash *hash = test->param_value;
	u32 *bin = kunit_kzalloc(test, 256 * sizeof(*bin), GFP_KERNEL);
	const u32 hash0 = get_random_u32();
	u64 key, h;

	KUNIT_ASSERT_NOT_NULL(test, bin);
	for (key = 0; key < SPREAD_KEYS * 16; key++) {
		h = hash->hash(key, hash0);
		if (!(h & 15))
			bin[h >> 56]++;
	}
	/* About SPREAD_KEYS of them; five standard deviations: 5 %. */
	for (key = 0, h = 0; key < 256; key++)
		h += bin[key];
	KUNIT_EXPECT_GE(test, h, SPREAD_KEYS - SPREAD_KEYS / 10);
	KUNIT_EXPECT_LE(test, h, SPREAD_KEYS + SPREAD_KEYS / 10);
	KUNIT_EXPECT_LE(test, chi_squared(bin), CHI_SQUARED_MAX + 100);
}

/* === All of the key, and nothing else === */

static void each_byte_counts(struct kunit *test)
{
	const u32 hash0 = get_random_u32();
	unsigned int len, i;
	u8 data[96];
	u64 hash;

	for (len = 1; len <= 80; len++) {
		memset(data, 0, sizeof(data));
		hash = hmap_hash_bytes(hmap_mix_secret, data + 8, len, hash0);
		memset(data, len, 3);
		memset(data + 3 + len, len, 8);
		KUNIT_EXPECT_EQ(test, hmap_hash_bytes(hmap_mix_secret, data + 3, len, hash0),
				hash);
		for (i = 3; i < 3 + len; i++) {
			data[i] = 1;
			KUNIT_EXPECT_NE(test, hash,
					hmap_hash_bytes(hmap_mix_secret, data + 3, len, hash0));
			data[i] = 0;
		}
	}
}

static void bytes_border(struct kunit *test)
{
	u8 *data = kunit_kzalloc(test, 600, GFP_KERNEL);
	u64 *hash = kunit_kcalloc(test, 513, sizeof(*hash), GFP_KERNEL);
	const u32 hash0 = get_random_u32();
	unsigned int len, other;

	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_NOT_NULL(test, hash);
	for (len = 0; len <= 512; len++) {
		/* What lies behind the key, or its alignment, is no matter. */
		memset(data, 0, len + 7);
		hash[len] = hmap_hash_bytes(hmap_mix_secret, data, len, hash0);
		memset(data + 7 + len, len | 1, 8);
		KUNIT_EXPECT_EQ(test, hmap_hash_bytes(hmap_mix_secret, data + 7, len, hash0),
				hash[len]);
		/* Its last byte is, and so are zeros at its end. */
		if (len) {
			data[len - 1] = 1;
			KUNIT_EXPECT_NE(test,
					hmap_hash_bytes(hmap_mix_secret, data, len, hash0),
					hash[len]);
		}
		for (other = 0; other < len; other++)
			KUNIT_ASSERT_NE(test, hash[other], hash[len]);
	}
}

/* What a map's hasher is called with. */
static struct hmap_bytes seen_key;
static u32 seen_hash0;

static u64 see_key(const void *key, size_t len, u32 hash0)
{
	seen_key = (struct hmap_bytes){ key, len };
	seen_hash0 = hash0;
	return 0;
}

static void hasher_gets_whole_key(struct kunit *test)
{
	const struct hmap_test_kind *kind = test->param_value;
	struct hmap_params params = kind->params;
	static struct hmap_test_elem elem;	/* too large for the stack */
	struct hmap_test_key key;
	const void *data;
	struct hmap *h;
	u32 len;

	params.hasher = see_key;
	h = hmap_test_create(test, &params);
	data = hmap_test_key(h, 77, &key);
	len = hmap_test_key_len(h, 77);
	KUNIT_ASSERT_EQ(test, hmap_insert(h, data,
					  hmap_test_elem(h, 1, &elem),
					  HMAP_ANY, GFP_KERNEL), 0);
	KUNIT_EXPECT_PTR_EQ(test, seen_key.data, (const void *)key.data);
	KUNIT_EXPECT_EQ(test, seen_key.len, len);
	KUNIT_EXPECT_EQ(test, seen_hash0, hmap_test_header(h).hash0);

	seen_key = (struct hmap_bytes){};
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, data, NULL), 0);
	KUNIT_EXPECT_PTR_EQ(test, seen_key.data, (const void *)key.data);
	KUNIT_EXPECT_EQ(test, seen_key.len, len);
	hmap_test_check(test, h);
	/* The check hashed the key that the map keeps, if it has no hash. */
	if (!key_needs_block(&h->t, data))
		KUNIT_EXPECT_PTR_NE(test, seen_key.data,
				    (const void *)key.data);
	KUNIT_EXPECT_EQ(test, seen_key.len, len);
	KUNIT_EXPECT_EQ(test, memcmp(seen_key.data, key.data, len), 0);
}

/* The first entries fill the only bucket in turn, and show their hashes there. */
static void siphash_where_asked_for(struct kunit *test)
{
	const struct hmap_test_kind *kind = test->param_value;
	struct hmap_params params = kind->params;
	static struct hmap_test_elem elem;	/* too large for the stack */
	struct hmap_test_key key;
	const void *data;
	struct hmap *h;
	struct bmap *b;
	u32 i;

	params.flags |= HMAP_SIPHASH;
	if (params.flags & HMAP_MAPPED) {
		h = hmap_create(&params);
		KUNIT_EXPECT_TRUE(test, IS_ERR(h));
		return;
	}
	h = hmap_test_create(test, &params);
	for (i = 0; i < 200; i++) {
		data = hmap_test_key(h, i, &key);
		KUNIT_ASSERT_EQ(test, hmap_insert(h, data,
						  hmap_test_elem(h, i, &elem),
						  HMAP_ANY, GFP_KERNEL), 0);
		KUNIT_ASSERT_EQ(test, hmap_lookup(h, data, NULL), 0);
		if (i >= BUCKET_CNT)
			continue;
		b = bucket_at(&h->t, hmap_test_array(h), 0);
		KUNIT_EXPECT_EQ(test, b->tophash[i],
				tophash(hmap_siphash(key.data,
						     hmap_test_key_len(h, i),
						     hmap_test_header(h).hash0)));
	}
	hmap_test_check(test, h);
}

KUNIT_ARRAY_PARAM(each_kind, hmap_test_kinds, hmap_test_describe_kind);

static struct kunit_case hash_cases[] = {
	KUNIT_CASE_PARAM(depends_on_each_key_bit, hash_gen_params),
	KUNIT_CASE_PARAM(depends_on_each_seed_bit, hash_gen_params),
	KUNIT_CASE(depends_on_secret),
	KUNIT_CASE(maps_have_own_seeds),
	KUNIT_CASE_PARAM(spreads_evenly, hash_gen_params),
	KUNIT_CASE_PARAM(tophash_tells_within_bucket, hash_gen_params),
	KUNIT_CASE(each_byte_counts),
	KUNIT_CASE(bytes_border),
	KUNIT_CASE_PARAM(hasher_gets_whole_key, each_kind_gen_params),
	KUNIT_CASE_PARAM(siphash_where_asked_for, each_kind_gen_params),
	{}
};

static struct kunit_suite hash_suite = {
	.name = "hmap_hash",
	.test_cases = hash_cases,
};

kunit_test_suite(hash_suite);
