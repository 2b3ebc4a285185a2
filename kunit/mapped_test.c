// SPDX-License-Identifier: GPL-2.0
/*
 * Mapped maps: what is to be seen in their pages, when, and what is told of them.
 * That they are maps like others is for the other suites, whose kinds of maps
 * they are among; so is that slots not in use are zero.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../core/lookup.h"
#include "util.h"

/* === Someone who sees the pages === */

#define MAX_UNMAPS	64

struct viewer {
	struct hmap_mapping mapping;
	struct kunit *test;
	struct hmap *h;
	struct hmap_shown present, old;
	bool changing;
	unsigned int changes;
	unsigned int unmaps;
	struct {
		u64 page;
		u64 pages;
	} unmapped[MAX_UNMAPS];

	/* Buckets of one array as they were mapped. */
	u64 first;
	unsigned int nr;
	void **page;
	bool marked;		/* all of them were, when they were unmapped */
};

static void viewer_change(struct hmap_mapping *mapping)
{
	struct viewer *v = container_of(mapping, struct viewer, mapping);

	KUNIT_EXPECT_FALSE(v->test, v->changing);
	v->changing = true;
}

static void viewer_changed(struct hmap_mapping *mapping,
			   const struct hmap_shown *present,
			   const struct hmap_shown *old)
{
	struct viewer *v = container_of(mapping, struct viewer, mapping);

	KUNIT_EXPECT_TRUE(v->test, v->changing);
	v->changing = false;
	v->changes++;
	v->present = *present;
	v->old = *old;
}

/* What page of the viewer's is at an offset of the array, through the mapping. */
static void *at(struct viewer *v, size_t offset)
{
	return v->page[offset >> PAGE_SHIFT] + offset_in_page(offset);
}

/* The guard and the first tophash of a bucket do not straddle pages. */
static bool is_marked(struct viewer *v, unsigned long bucket)
{
	struct bmap *head = at(v, bucket * v->h->t.stride +
				  sizeof(struct guard));

	return evacuated(head);
}

static void viewer_unmap(struct hmap_mapping *mapping, u64 page, u64 pages)
{
	struct viewer *v = container_of(mapping, struct viewer, mapping);
	unsigned long i, end;

	KUNIT_ASSERT_LT(v->test, v->unmaps, MAX_UNMAPS);
	v->unmapped[v->unmaps].page = page;
	v->unmapped[v->unmaps++].pages = pages;
	if (!v->page || page != v->first)
		return;
	/* Nobody gets them any more, but they are still there. */
	end = v->nr * PAGE_SIZE / v->h->t.stride;
	v->marked = true;
	for (i = 0; i < end && i < 4; i++)
		v->marked &= is_marked(v, i);
}

static void *see(struct viewer *v, u64 page)
{
	unsigned long pfn = hmap_mapping_get(v->h, page);

	hmap_mapping_put(v->h);
	return page_address(pfn_to_page(pfn));
}

/* See all buckets of the present array. */
static void see_present(struct viewer *v)
{
	unsigned int i;

	v->first = v->present.page;
	v->nr = v->present.overflow - v->present.page;
	v->marked = false;
	v->page = kunit_kcalloc(v->test, v->nr, sizeof(*v->page), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(v->test, v->page);
	for (i = 0; i < v->nr; i++)
		v->page[i] = see(v, v->first + i);
}

static bool is_gone(const void *page)
{
	return !memchr_inv(page, EVACUATED_Y, PAGE_SIZE);
}

static const struct hmap_params u64_to_u64 = {
	.key_kind = HMAP_KEY_U64,
	.key_size = 8,
	.elem_size = 8,
	.flags = HMAP_MAPPED,
};

static struct viewer *viewer_of(struct kunit *test,
				const struct hmap_params *params)
{
	struct viewer *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	struct hmap_params p = *params;

	KUNIT_ASSERT_NOT_NULL(test, v);
	v->test = test;
	v->mapping.change = viewer_change;
	v->mapping.changed = viewer_changed;
	v->mapping.unmap = viewer_unmap;
	p.mapping = &v->mapping;
	v->h = hmap_test_create(test, &p);
	KUNIT_ASSERT_NOT_NULL(test, v->mapping.control);
	return v;
}

static void put(struct viewer *v, u64 key)
{
	KUNIT_ASSERT_EQ(v->test, hmap_insert(v->h, &key, &key, HMAP_ANY,
					     GFP_KERNEL), 0);
}

static void settle(struct viewer *v)
{
	flush_work(&v->h->grow_work);
	mod_delayed_work(hmap_wq, &v->h->finish_work, 0);
	flush_delayed_work(&v->h->finish_work);
	hmap_barrier();
	KUNIT_ASSERT_NULL(v->test, hmap_test_old(v->h));
}

/* === What is to be seen === */

static void buckets_and_nothing_else(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);
	struct bucket_array *a;
	unsigned long i, spare;
	void *page;

	for (i = 0; i < 1000; i++)
		put(v, i);
	settle(v);
	a = hmap_test_array(v->h);
	see_present(v);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(a->data));
	KUNIT_EXPECT_EQ(test, v->present.B, a->B);
	KUNIT_EXPECT_EQ(test, v->present.hash0, a->hash0);
	KUNIT_EXPECT_EQ(test, v->present.nr_spare, a->nr_spare);
	KUNIT_EXPECT_EQ(test, v->old.pages, 0);
	/* Through the mapping there is what the map has. */
	for (i = 0; i < v->nr; i++)
		KUNIT_ASSERT_EQ(test, memcmp(v->page[i],
					     a->data + i * PAGE_SIZE,
					     PAGE_SIZE), 0);
	spare = (a->mask + 1 + a->nr_spare) * v->h->t.stride;
	KUNIT_EXPECT_LE(test, spare, v->nr * PAGE_SIZE);
	for (i = spare; i < v->nr * PAGE_SIZE; i++)
		KUNIT_ASSERT_EQ(test, *(u8 *)at(v, i), 0);

	KUNIT_EXPECT_PTR_EQ(test, see(v, 0), v->mapping.control);
	page = see(v, v->present.page + v->present.pages);
	KUNIT_EXPECT_TRUE(test, is_gone(page));
	KUNIT_EXPECT_TRUE(test, is_gone(see(v, U64_MAX)));
}

/* Each map has secrets, and one that is not mapped has those of all. */
static void secrets_of_its_own(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct hmap *h = hmap_test_create(test, &params);
	struct hmap *other = hmap_test_create(test, &params), *plain;
	u64 key = 1;

	params.flags = 0;
	plain = hmap_test_create(test, &params);
	KUNIT_EXPECT_PTR_EQ(test, plain->t.secret,
			    (const u64 *)hmap_mix_secret);
	KUNIT_EXPECT_NE(test, h->t.secret[0], hmap_mix_secret[0]);
	KUNIT_EXPECT_NE(test, h->t.secret[1], hmap_mix_secret[1]);
	KUNIT_EXPECT_NE(test, h->t.secret[2], hmap_mix_secret[2]);
	KUNIT_EXPECT_NE(test, h->t.secret[0], other->t.secret[0]);
	KUNIT_EXPECT_NE(test, key_hash(&h->t, HMAP_KEY_U64, &key, 1),
			key_hash(&other->t, HMAP_KEY_U64, &key, 1));
}

/* A chain by its numbers: spare buckets, then those of overflow pages. */
static void numbers_lead_on(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct hmap_layout l;
	struct bucket_array *a;
	struct viewer *v;
	unsigned int n;
	struct bmap *b;
	u32 number;
	void *seen;
	u64 i;

	params.hasher = hmap_test_identity;
	params.hint = 13 * 8;
	v = viewer_of(test, &params);
	a = hmap_test_array(v->h);
	KUNIT_ASSERT_EQ(test, a->B, 4);
	KUNIT_ASSERT_EQ(test, a->nr_spare, 1);
	hmap_mapping_layout(v->h, &l);
	/* All in one bucket, of the map as it is and of the ones to come. */
	for (i = 0; i < 1024; i++)
		put(v, i << 32 | 5);
	settle(v);
	a = hmap_test_array(v->h);
	see_present(v);
	seen = at(v, 5 * l.stride);
	b = bucket_at(&v->h->t, a, 5);
	for (n = 1; ; n++) {
		KUNIT_ASSERT_EQ(test, memcmp(seen + sizeof(struct guard), b, 8),
				0);
		number = *(u32 *)(seen + l.link);
		b = bmap_overflow(&v->h->t, a, b);
		if (!number)
			break;
		KUNIT_ASSERT_NOT_NULL(test, b);
		KUNIT_ASSERT_LT(test, n, 128);
		if (--number < a->nr_spare) {
			seen = at(v, (a->mask + 1 + number) * l.stride);
			continue;
		}
		number -= a->nr_spare;
		seen = see(v, v->present.overflow + number / l.per_page) +
		       number % l.per_page * l.stride;
	}
	KUNIT_EXPECT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, n, 128);
	i = 1024ULL << 32 | 5;
	KUNIT_EXPECT_EQ(test, hmap_insert(v->h, &i, &i, HMAP_ANY, GFP_KERNEL),
			-ENOSPC);
	hmap_test_check_settled(test, v->h);
}

/* C8: as many overflow buckets as there may be, and then a refusal. */
static void overflow_is_bounded(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct bucket_array *a;
	unsigned long n = 0;
	struct hmap *h;
	int err = 0;
	u64 key;

	/* Chains of two buckets have them all before either is too long. */
	params.hasher = hmap_test_identity;
	params.hint = 13;
	h = hmap_test_create(test, &params);
	/* Let it never grow: no array is to be had. */
	h->grow_retry = get_jiffies_64() + 1000 * HZ;
	for (key = 0; !err; key++) {
		err = hmap_insert(h, &key, &key, HMAP_ANY, GFP_KERNEL);
		n += !err;
		KUNIT_ASSERT_LT(test, n, 2000);
	}
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	a = hmap_test_array(h);
	KUNIT_EXPECT_EQ(test, a->B, 1);
	KUNIT_EXPECT_EQ(test, a->pages->nr, a->pages->max);
	KUNIT_EXPECT_EQ(test, n, BUCKET_CNT * (2 + a->pages->max * h->t.per_page));
	hmap_test_check_settled(test, h);
}

/* C8: an old array that has all its pages is no reason to refuse anything. */
static void full_old_array(struct kunit *test)
{
	struct bucket_array *a, *old;
	struct hmap *h;
	u64 key;

	h = hmap_test_create(test, &u64_to_u64);
	h->finish_delay = MAX_JIFFY_OFFSET;
	for (key = 0; key < BUCKET_CNT; key++)
		KUNIT_ASSERT_EQ(test, hmap_insert(h, &key, &key, HMAP_ANY,
						  GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, hmap_grow(h, GFP_KERNEL), 0);
	a = hmap_test_array(h);
	old = hmap_test_old(h);
	KUNIT_ASSERT_NOT_NULL(test, old);
	old->pages->max = 0;

	/* The first page is for the new array, which has room then. */
	KUNIT_EXPECT_EQ(test, hmap_mapped_reserve(h, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, a->pages->nr, 1);
	KUNIT_EXPECT_EQ(test, hmap_mapped_reserve(h, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, a->pages->nr, 1);

	a->pages->nr = 0;
	a->pages->max = 0;
	KUNIT_EXPECT_EQ(test, hmap_mapped_reserve(h, GFP_KERNEL), -ENOSPC);
	a->pages->nr = 1;
}

/* === When === */

static void marked_before_it_goes(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);
	u64 i, first;

	for (i = 0; i < 40; i++)
		put(v, i);
	settle(v);
	see_present(v);
	first = v->first;
	KUNIT_ASSERT_FALSE(test, is_marked(v, 0));

	KUNIT_ASSERT_EQ(test, hmap_clear(v->h), 0);
	KUNIT_EXPECT_TRUE(test, v->marked);
	KUNIT_EXPECT_NE(test, v->present.page, first);
	KUNIT_EXPECT_TRUE(test, is_gone(see(v, first)));

	v->unmaps = 0;
	for (i = 0; i < 40; i++)
		put(v, i);
	settle(v);
	see_present(v);
	first = v->first;
	for (; i < 80; i++)
		put(v, i);
	settle(v);
	KUNIT_EXPECT_TRUE(test, v->marked);
	KUNIT_EXPECT_EQ(test, v->unmaps, 1);
	KUNIT_EXPECT_EQ(test, v->unmapped[0].page, first);
	KUNIT_EXPECT_TRUE(test, is_gone(see(v, first)));
}

/* Old and new are told of while there are both, and then the new one. */
static void growth_is_told(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);
	struct hmap_shown was;
	u64 i;

	KUNIT_EXPECT_EQ(test, v->present.pages, 0);
	v->h->finish_delay = MAX_JIFFY_OFFSET;
	for (i = 0; i < 26; i++)
		put(v, i);
	while (hmap_test_old(v->h))
		hmap_evacuate_next(v->h);
	was = v->present;
	KUNIT_ASSERT_EQ(test, was.B, 2);
	put(v, i);
	KUNIT_EXPECT_EQ(test, v->present.B, 3);
	KUNIT_EXPECT_EQ(test, v->old.page, was.page);
	KUNIT_EXPECT_EQ(test, v->old.pages, was.pages);
	KUNIT_EXPECT_EQ(test, v->old.overflow, was.overflow);
	KUNIT_EXPECT_EQ(test, v->old.nr_spare, was.nr_spare);
	KUNIT_EXPECT_EQ(test, v->old.hash0, was.hash0);
	KUNIT_EXPECT_EQ(test, v->old.B, was.B);
	/* What has been moved is gone from where it was. */
	hmap_test_check(test, v->h);
	while (hmap_test_old(v->h))
		hmap_evacuate_next(v->h);
	KUNIT_EXPECT_EQ(test, v->present.B, 3);
	KUNIT_EXPECT_EQ(test, v->old.pages, 0);
	KUNIT_EXPECT_GE(test, v->present.page, was.page + was.pages);
	KUNIT_EXPECT_FALSE(test, v->changing);
}

static void new_seed_is_told(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);
	struct hmap_shown was;
	u64 key = 1;

	put(v, key);
	was = v->present;
	KUNIT_ASSERT_EQ(test, hmap_delete(v->h, &key), 0);
	mod_delayed_work(hmap_wq, &v->h->reseed_work, 0);
	hmap_test_reseed(v->h);
	KUNIT_EXPECT_NE(test, v->present.hash0, was.hash0);
	KUNIT_EXPECT_EQ(test, v->present.hash0, hmap_test_header(v->h).hash0);
	KUNIT_EXPECT_EQ(test, v->present.page, was.page);
}

/* A clear without memory for an array leaves none. */
static void no_array_is_told(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);

	put(v, 1);
	KUNIT_EXPECT_NE(test, v->present.pages, 0);
	v->h->max_bytes = 1;
	KUNIT_ASSERT_EQ(test, hmap_clear(v->h), 0);
	KUNIT_EXPECT_EQ(test, v->present.pages, 0);
	KUNIT_EXPECT_EQ(test, v->old.pages, 0);
}

/* Who looked for an overflow page before it was there is to look again. */
static void missed_page_is_unmapped(struct kunit *test)
{
	struct hmap_params params = u64_to_u64;
	struct viewer *v;
	u64 i;

	params.hasher = hmap_test_identity;
	params.hint = 1;
	v = viewer_of(test, &params);
	v->h->grow_retry = get_jiffies_64() + 1000 * HZ;
	for (i = 0; i < BUCKET_CNT; i++)
		put(v, i);
	KUNIT_EXPECT_TRUE(test, is_gone(see(v, v->present.overflow)));
	put(v, i);
	hmap_barrier();
	KUNIT_ASSERT_EQ(test, v->unmaps, 1);
	KUNIT_EXPECT_EQ(test, v->unmapped[0].page, v->present.overflow);
	KUNIT_EXPECT_FALSE(test, is_gone(see(v, v->present.overflow)));

	/* Where nobody did, nothing is unmapped. */
	for (; i < 3 * PAGE_SIZE / v->h->t.stride * BUCKET_CNT; i++)
		put(v, i);
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, v->unmaps, 1);
}

/* Arrays that go while it takes long to take one away go together. */
static void unmapped_at_once(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);
	u64 i, first;

	v->h->finish_delay = 0;
	put(v, 0);
	first = v->present.page;
	down_read(&v->h->mapped->lock);
	for (i = 1; i < 1000; i++) {
		put(v, i);
		flush_work(&v->h->grow_work);
		flush_delayed_work(&v->h->finish_work);
	}
	rcu_barrier();
	flush_workqueue(hmap_wq);
	KUNIT_EXPECT_EQ(test, v->unmaps, 0);
	up_read(&v->h->mapped->lock);
	hmap_barrier();
	KUNIT_EXPECT_GT(test, v->h->growths, 4);
	KUNIT_EXPECT_LE(test, v->unmaps, 2);
	KUNIT_EXPECT_TRUE(test, is_gone(see(v, first)));
	KUNIT_EXPECT_FALSE(test, is_gone(see(v, v->present.page)));
}

/*
 * Between reading the tophash of a slot and the key there, a lookup may find the
 * key wiped, since it has moved.  That is no miss.
 */
static void wiped_key_is_no_miss(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);
	const struct hmap_type *t = &v->h->t;
	struct bucket_array *a;
	struct bmap *head;
	u64 key = 1, elem;

	put(v, key);
	a = hmap_test_array(v->h);
	head = bucket_at(t, a, 0);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, hmap_read_try(v->h, t, t->key_kind, &key, &elem),
			0);
	guard_of(head)->seq |= GUARD_LOCKED;
	bmap_wipe_slot(t, head, 0);
	KUNIT_EXPECT_EQ(test, hmap_read_try(v->h, t, t->key_kind, &key, &elem),
			-EAGAIN);
	guard_of(head)->seq++;
	rcu_read_unlock();
}

/* Likewise an elem of the old array, which may be wiped as it is copied. */
static void elem_being_moved_is_no_hit(struct kunit *test)
{
	struct viewer *v = viewer_of(test, &u64_to_u64);
	const struct hmap_type *t = &v->h->t;
	u64 key, elem = 0;
	struct bmap *head;

	v->h->finish_delay = MAX_JIFFY_OFFSET;
	for (key = 0; key < BUCKET_CNT; key++)
		put(v, key);
	KUNIT_ASSERT_EQ(test, hmap_grow(v->h, GFP_KERNEL), 0);
	KUNIT_ASSERT_NOT_NULL(test, hmap_test_old(v->h));
	head = bucket_at(t, hmap_test_old(v->h), 0);
	key = 1;
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, hmap_read_try(v->h, t, t->key_kind, &key, &elem),
			0);
	KUNIT_EXPECT_EQ(test, elem, key);
	guard_of(head)->seq |= GUARD_LOCKED;
	KUNIT_EXPECT_EQ(test, hmap_read_try(v->h, t, t->key_kind, &key, &elem),
			-EAGAIN);
	guard_of(head)->seq++;
	rcu_read_unlock();
}

static struct kunit_case mapped_cases[] = {
	KUNIT_CASE(buckets_and_nothing_else),
	KUNIT_CASE(secrets_of_its_own),
	KUNIT_CASE(numbers_lead_on),
	KUNIT_CASE(overflow_is_bounded),
	KUNIT_CASE(full_old_array),
	KUNIT_CASE(marked_before_it_goes),
	KUNIT_CASE(growth_is_told),
	KUNIT_CASE(new_seed_is_told),
	KUNIT_CASE(no_array_is_told),
	KUNIT_CASE(missed_page_is_unmapped),
	KUNIT_CASE(unmapped_at_once),
	KUNIT_CASE(wiped_key_is_no_miss),
	KUNIT_CASE(elem_being_moved_is_no_hit),
	{}
};

static struct kunit_suite mapped_suite = {
	.name = "hmap_mapped",
	.test_cases = mapped_cases,
};

kunit_test_suite(mapped_suite);
