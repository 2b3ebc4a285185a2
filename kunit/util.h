/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests share: maps that go with the case, the i-th key and elem of
 * any kind of map, predictable hashes, and a check of a whole map.
 */
#ifndef _HMAP_KUNIT_UTIL_H
#define _HMAP_KUNIT_UTIL_H

#include <kunit/test.h>

#include "../core/internal.h"

#define HMAP_TEST_MAX_ELEM	512	/* bytes that hmap_test_elem() fills */

/* A kind of map, as the parameter of a case: see hmap_test_kinds. */
struct hmap_test_kind {
	const char *name;
	struct hmap_params params;
};

struct hmap_test_key {
	struct hmap_bytes string;
	u8 data[HMAP_MAX_KEY_SIZE] __aligned(8);
};

struct hmap_test_elem {
	struct hmap_bytes var;
	u8 data[HMAP_TEST_MAX_ELEM] __aligned(8);
};

struct hmap *hmap_test_create(struct kunit *test,
			      const struct hmap_params *params);
/* The arrays of a map, for who knows that they stay. */
static inline struct bucket_array *hmap_test_array(const struct hmap *h)
{
	return rcu_dereference_protected(h->buckets, true);
}

static inline struct bucket_array *hmap_test_old(const struct hmap *h)
{
	struct bucket_array *a = hmap_test_array(h);

	return a ? old_of(a) : NULL;
}

static inline struct hmap_header hmap_test_header(struct hmap *h)
{
	struct hmap_header hdr;

	hmap_read_header(h, &hdr);
	return hdr;
}

/* What is charged for an array's overflow buckets. */
static inline size_t hmap_test_overflow_bytes(const struct bucket_array *a)
{
	return a->pages ? a->pages->nr * PAGE_SIZE :
			  atomic_long_read(&a->nr_overflow) *
			  a->h->t.bucket_size;
}

void hmap_test_check(struct kunit *test, struct hmap *h);
void hmap_test_check_settled(struct kunit *test, struct hmap *h);

/* All key kinds, inline and not, and so for elems, for KUNIT_ARRAY_PARAM(). */
extern const struct hmap_test_kind hmap_test_kinds[16];
void hmap_test_describe_kind(const struct hmap_test_kind *kind, char *desc);

u64 hmap_test_number(const u8 *data, u32 size);
u32 hmap_test_key_len(const struct hmap *h, u32 i);
const void *hmap_test_key(const struct hmap *h, u32 i,
			  struct hmap_test_key *key);
const void *hmap_test_elem(const struct hmap *h, u32 i,
			   struct hmap_test_elem *elem);

void hmap_test_reseed(struct hmap *h);

bool hmap_test_may_fail(void);

u64 hmap_test_identity(const void *key, size_t len, u32 hash0);
u64 hmap_test_mixed(const void *key, size_t len, u32 hash0);

#endif /* _HMAP_KUNIT_UTIL_H */
