// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: when it starts (S6), each step of it (S7, S8), how it ends (C4), and
 * what it does where there is no memory (C8).
 */
#include <kunit/test.h>
#include <linux/iopoll.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "../core/key.h"
#include "util.h"

#define TIMEOUT_US	(20 * USEC_PER_SEC)

/* A map whose growths are left to the test. */
static struct hmap *still_map(struct kunit *test, struct hmap_params params)
{
	struct hmap *h = hmap_test_create(test, &params);

	h->finish_delay = MAX_JIFFY_OFFSET;
	return h;
}

static struct hmap *still_u64_map(struct kunit *test, unsigned long hint,
				  u64 (*hasher)(const void *, size_t, u32))
{
	return still_map(test, (struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = hint,
		.hasher = hasher,
	});
}

static int put(struct hmap *h, u64 key)
{
	return hmap_insert(h, &key, &key, HMAP_ANY, GFP_KERNEL);
}

static bool has(struct hmap *h, u64 key)
{
	u64 elem;

	return !hmap_lookup(h, &key, &elem) && elem == key;
}

static unsigned long count_of(struct hmap *h, u64 first, u64 last)
{
	unsigned long n = 0;
	u64 key;

	for (key = first; key <= last; key++)
		n += has(h, key);
	return n;
}

static bool growing(struct hmap *h)
{
	return hmap_test_old(h);
}

static unsigned long growths_of(const struct hmap *h)
{
	return h->growths + h->same_size_growths;
}

static bool wait_until_grown(struct hmap *h)
{
	bool more;

	return !read_poll_timeout(growing, more, !more, 1000, TIMEOUT_US, false,
				  h);
}

/* Put a new key, and let the work item do what that asks of it. */
static int put_and_flush(struct hmap *h, u64 key)
{
	int err = put(h, key);

	flush_work(&h->grow_work);
	return err;
}

/* Start a growth that is due, without a write. */
static void start_growth(struct kunit *test, struct hmap *h)
{
	KUNIT_ASSERT_EQ(test, hmap_grow(h, GFP_KERNEL), 0);
	KUNIT_ASSERT_TRUE(test, growing(h));
	KUNIT_ASSERT_EQ(test, hmap_test_header(h).nevacuate, 0);
}

/* As many overflow buckets as buckets. */
static void ask_for_same_size(struct hmap *h)
{
	struct bucket_array *a = hmap_test_array(h);
	unsigned long flags;

	atomic_set(&a->noverflow, 1 << min_t(u8, a->B, 15));
	a->singly_from = 0;
	local_irq_save(flags);
	hmap_count_take_back(a);
	local_irq_restore(flags);
}

/* === S6: when === */

static unsigned long full(u8 B)
{
	return B ? 13UL << (B - 1) : BUCKET_CNT;
}

static void over_load(struct kunit *test)
{
	const int most = BITS_PER_LONG - 4;	/* full() fits into a long */
	int i;

	for (i = 0; i <= most; i++) {
		KUNIT_EXPECT_FALSE(test, hmap_over_load(full(i), i));
		KUNIT_EXPECT_TRUE(test, hmap_over_load(full(i) + 1, i));
	}
}

/* Counts are exact up to B = 8, and above within that of what it grows at. */
static unsigned long tolerance(u8 B)
{
	return B <= 8 ? 0 : full(B) / 64;
}

static void doubles_when_full(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, 0, NULL);
	u64 key = 0;
	u8 B;

	for (B = 0; B <= 12; B++) {
		while (key < full(B) - tolerance(B))
			KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
		/* What is there already is no reason to grow. */
		KUNIT_ASSERT_EQ(test, put_and_flush(h, key - 1), 0);
		KUNIT_ASSERT_EQ(test, h->growths, B);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, B);
		KUNIT_EXPECT_FALSE(test, growing(h));

		while (h->growths == B && key <= full(B) + tolerance(B))
			KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
		KUNIT_ASSERT_EQ(test, h->growths, B + 1);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, B + 1);
		/* Two buckets may be evacuated by the very write. */
		KUNIT_EXPECT_TRUE(test, growing(h) || B < 2);
		KUNIT_EXPECT_TRUE(test, has(h, key - 1));
	}
	KUNIT_EXPECT_EQ(test, h->same_size_growths, 0);
	KUNIT_EXPECT_EQ(test, hmap_len(h), key);
	hmap_test_check(test, h);
}

/* Room that CPUs hold is taken back before it makes a small map grow. */
static void not_for_room(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(EXACT_B), NULL);
	struct bucket_array *a = hmap_test_array(h);
	u64 key = 0;
	int cpu;

	/* As if each had drawn some, of which all but one make no use. */
	for_each_possible_cpu(cpu) {
		atomic_long_add(a->batch, &h->l->count);
		atomic_long_add(a->batch,
				&per_cpu_ptr(h->cpu, cpu)->room[h->l->nr]);
	}
	while (key < full(EXACT_B))
		KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
	KUNIT_EXPECT_EQ(test, growths_of(h), 0);
	KUNIT_ASSERT_EQ(test, put_and_flush(h, key), 0);
	KUNIT_EXPECT_EQ(test, h->growths, 1);
	hmap_test_check(test, h);
}

/* Put so many new keys, and delete them. */
static void come_and_go(struct hmap *h, u64 first, u64 step, unsigned int n)
{
	unsigned int i;
	u64 key;

	for (i = 0; i < n; i++)
		put(h, first + i * step);
	for (i = 0; i < n; i++) {
		key = first + i * step;
		hmap_delete(h, &key);
	}
}

/*
 * A CPU that puts in as much as it takes out has no need to draw room, but has
 * to see that a growth is due.
 */
static void same_size_without_draw(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(10), hmap_test_identity);
	const unsigned int n = 1 << 10;
	u64 key;

	for (key = 0; key < n; key++)
		KUNIT_ASSERT_EQ(test, put(h, key), 0);
	/* Each bucket gets an overflow bucket, in which nothing stays. */
	for (key = n; key < 2 * n; key++) {
		KUNIT_ASSERT_EQ(test, growths_of(h), 0);
		come_and_go(h, key, n, BUCKET_CNT);
		flush_work(&h->grow_work);
	}
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, n);
	KUNIT_EXPECT_EQ(test, growths_of(h), 0);
	come_and_go(h, key, n, 1);
	flush_work(&h->grow_work);
	KUNIT_EXPECT_EQ(test, h->same_size_growths, 1);
	hmap_test_check(test, h);
}

/* Likewise when it was refused before. */
static void double_without_draw(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(10), hmap_test_identity);
	u64 key = 0;

	hmap_set_limits(h, 0, hmap_test_header(h).bytes);
	while (!READ_ONCE(h->grow_error) && key < BUCKET_CNT << 10)
		KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
	KUNIT_ASSERT_EQ(test, READ_ONCE(h->grow_error), -ENOSPC);
	hmap_set_limits(h, 0, 0);
	migrate_disable();
	h->grow_retry = get_jiffies_64() + MAX_JIFFY_OFFSET;
	come_and_go(h, key, 1, 1);
	h->grow_retry = get_jiffies_64();
	come_and_go(h, key, 1, 1);
	migrate_enable();
	flush_work(&h->grow_work);
	KUNIT_EXPECT_EQ(test, h->growths, 1);
	hmap_test_check(test, h);
}

/* What is not going to be taken in is no reason to grow either. */
static void not_when_refused(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(3), NULL);
	u64 key;

	for (key = 0; key < full(3); key++)
		KUNIT_ASSERT_EQ(test, put(h, key), 0);
	hmap_set_limits(h, full(3), 0);
	KUNIT_EXPECT_EQ(test, put_and_flush(h, key), -ENOSPC);
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &key, HMAP_EXIST,
					  GFP_KERNEL), -ENOENT);
	key = 0;
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &key, HMAP_NOEXIST,
					  GFP_KERNEL), -EEXIST);
	KUNIT_EXPECT_EQ(test, growths_of(h), 0);
}

static const u8 same_size_B[] = { 0, 1, 2, 3, 4, 8, 12, 14, 15, 16, 17 };

static void describe_B(const u8 *B, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "B=%u", *B);
}

KUNIT_ARRAY_PARAM(same_size, same_size_B, describe_B);

static void same_size_when_chained(struct kunit *test)
{
	const u8 B = *(const u8 *)test->param_value;
	struct hmap *h = still_u64_map(test, B ? full(B) : 1, NULL);

	KUNIT_ASSERT_EQ(test, hmap_test_header(h).B, B);
	ask_for_same_size(h);
	atomic_dec(&hmap_test_array(h)->noverflow);
	KUNIT_ASSERT_EQ(test, put_and_flush(h, 1), 0);
	KUNIT_EXPECT_EQ(test, h->same_size_growths, 0);

	atomic_inc(&hmap_test_array(h)->noverflow);
	KUNIT_ASSERT_EQ(test, put_and_flush(h, 1), 0);
	KUNIT_EXPECT_EQ(test, h->same_size_growths, 0);
	KUNIT_ASSERT_EQ(test, put_and_flush(h, 2), 0);
	KUNIT_EXPECT_EQ(test, h->same_size_growths, 1);
	KUNIT_EXPECT_EQ(test, h->growths, 0);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).B, B);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).flags & HMAP_SAME_SIZE_GROW,
			growing(h) ? HMAP_SAME_SIZE_GROW : 0);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, 0);
	KUNIT_EXPECT_EQ(test, count_of(h, 1, 2), 2);
}

static void not_while_growing(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(5), NULL);
	unsigned int steps = 0;
	u64 key = 0;

	while (key < full(5))
		KUNIT_ASSERT_EQ(test, put(h, key++), 0);
	start_growth(test, h);
	for (; growing(h); steps++) {
		KUNIT_ASSERT_LT(test, steps, 1 << 5);
		KUNIT_ASSERT_EQ(test, growths_of(h), 1);
		ask_for_same_size(h);
		KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
	}
	KUNIT_EXPECT_GT(test, steps, 4);
	KUNIT_EXPECT_EQ(test, growths_of(h), 1);
	KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
	KUNIT_EXPECT_EQ(test, growths_of(h), 2);
	KUNIT_EXPECT_EQ(test, h->same_size_growths, 1);
}

/* === S7: step by step === */

#define STEP_B		5
#define STEP_BUCKETS	BIT(STEP_B)
#define STEP_CHAIN	8	/* the longest expected */
#define STEP_KEYS	1024

/* What is expected of a growth, and what there was before it. */
struct steps {
	struct hmap *h;
	u64 newbit;			/* 0: same size */
	u64 before[STEP_BUCKETS][STEP_CHAIN];
	int chain[STEP_BUCKETS];
	bool evacuated[STEP_BUCKETS];
	unsigned long nevacuate;
	bool present[STEP_KEYS];
};

/* A write of this key evacuates its bucket, and the next in sequence. */
static void expect_step(struct steps *s, u64 key)
{
	u64 hash = hmap_test_mixed(&key, sizeof(key), 0);

	s->evacuated[hash % STEP_BUCKETS] = true;
	while (s->nevacuate < STEP_BUCKETS && s->evacuated[s->nevacuate])
		s->nevacuate++;
	if (s->nevacuate < STEP_BUCKETS)
		s->evacuated[s->nevacuate++] = true;
}

static u8 expect_mark(struct steps *s, struct bmap *b, unsigned int slot,
		      u8 before)
{
	const void *key = bmap_key(&s->h->t, b, slot);

	if (is_empty(before))
		return EVACUATED_EMPTY;
	if (hmap_test_mixed(key, sizeof(u64), 0) & s->newbit)
		return EVACUATED_Y;
	return EVACUATED_X;
}

static void check_marks(struct kunit *test, struct steps *s, unsigned int i)
{
	struct bucket_array *old = hmap_test_old(s->h);
	struct bmap *b = bucket_at(&s->h->t, old, i);
	unsigned int n, slot;
	u8 before;

	for (n = 0; b; n++, b = bmap_overflow(&s->h->t, old, b)) {
		for (slot = 0; slot < BUCKET_CNT; slot++) {
			before = s->before[i][n] >> slot * 8;
			if (s->evacuated[i])
				before = expect_mark(s, b, slot, before);
			KUNIT_ASSERT_EQ_MSG(test, b->tophash[slot], before,
					    "bucket %u, %u in its chain, slot %u",
					    i, n, slot);
		}
	}
	KUNIT_ASSERT_EQ(test, n, s->chain[i]);
}

static void check_new_is_empty(struct kunit *test, struct steps *s, u64 i)
{
	u64 word;

	KUNIT_ASSERT_EQ(test, hmap_read_chain(s->h, false, i, &word, 1), 1);
	KUNIT_ASSERT_EQ(test, word, 0);
}

static void check_step(struct kunit *test, struct steps *s)
{
	unsigned int i;
	u64 key;

	for (key = 0; key < STEP_KEYS; key++)
		KUNIT_ASSERT_EQ(test, has(s->h, key), s->present[key]);
	hmap_test_check(test, s->h);
	KUNIT_ASSERT_EQ(test, growing(s->h), s->nevacuate < STEP_BUCKETS);
	if (!growing(s->h))
		return;
	KUNIT_ASSERT_EQ(test, hmap_test_header(s->h).nevacuate, s->nevacuate);
	for (i = 0; i < STEP_BUCKETS; i++) {
		check_marks(test, s, i);
		if (s->evacuated[i])
			continue;
		check_new_is_empty(test, s, i);
		check_new_is_empty(test, s, i + s->newbit);
	}
}

static void step_put(struct kunit *test, struct steps *s, u64 key)
{
	KUNIT_ASSERT_EQ(test, put(s->h, key), 0);
	s->present[key] = true;
}

static void step_delete(struct kunit *test, struct steps *s, u64 key)
{
	KUNIT_ASSERT_EQ(test, hmap_delete(s->h, &key),
			s->present[key] ? 0 : -ENOENT);
	s->present[key] = false;
}

/* A full map with holes in its chains, and the picture of it. */
static u64 steps_prepare(struct kunit *test, struct steps *s)
{
	unsigned int i, chained = 0;
	u64 key;

	s->h = still_u64_map(test, full(STEP_B), hmap_test_mixed);
	for (key = 0; key < full(STEP_B); key++)
		step_put(test, s, key);
	for (key = 0; key < full(STEP_B); key += 4)
		step_delete(test, s, key);
	for (key = full(STEP_B); hmap_len(s->h) < full(STEP_B); key++)
		step_put(test, s, key);
	if (!s->newbit) {
		step_delete(test, s, 1);
		ask_for_same_size(s->h);
	}
	KUNIT_ASSERT_EQ(test, growths_of(s->h), 0);

	for (i = 0; i < STEP_BUCKETS; i++) {
		s->chain[i] = hmap_read_chain(s->h, false, i, s->before[i],
					      STEP_CHAIN);
		KUNIT_ASSERT_LE(test, s->chain[i], STEP_CHAIN);
		chained += s->chain[i] > 1;
	}
	KUNIT_ASSERT_GT(test, chained, 0);
	return key;
}

/* A write of one counts as one of the bucket at nevacuate. */
static u64 absent_key_at_mark(struct steps *s)
{
	u64 key = STEP_KEYS - 1;

	while (hmap_test_mixed(&key, sizeof(key), 0) % STEP_BUCKETS !=
	       s->nevacuate)
		key--;
	return key;
}

static void step_by_step(struct kunit *test, u64 newbit)
{
	struct steps *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned int writes = 0;
	u64 fresh, victim = 0, key;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->newbit = newbit;
	fresh = steps_prepare(test, s);
	start_growth(test, s->h);
	check_step(test, s);
	do {
		key = writes % 3 == 0 ? fresh++ :
		      writes % 3 == 1 ? victim++ : absent_key_at_mark(s);
		expect_step(s, key);
		if (writes % 3 == 0)
			step_put(test, s, key);
		else
			step_delete(test, s, key);
		check_step(test, s);
	} while (++writes <= STEP_BUCKETS && growing(s->h));
	KUNIT_EXPECT_FALSE(test, growing(s->h));
	KUNIT_EXPECT_GE(test, writes, STEP_BUCKETS / 2);
	KUNIT_EXPECT_EQ(test, growths_of(s->h), 1);
	KUNIT_EXPECT_EQ(test, hmap_test_header(s->h).B,
			newbit ? STEP_B + 1 : STEP_B);
}

static void doubling_step_by_step(struct kunit *test)
{
	step_by_step(test, STEP_BUCKETS);
}

static void same_size_step_by_step(struct kunit *test)
{
	step_by_step(test, 0);
}

/* === S8: the mark === */

static void evacuate(struct hmap *h, unsigned long i)
{
	struct bmap *reserve = NULL;

	rcu_read_lock();
	hmap_evacuate(hmap_test_array(h), hmap_test_old(h), i, &reserve);
	rcu_read_unlock();
}

/* On one CPU, as each has buckets of its own to evacuate. */
static void mark_runs_ahead(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(12), NULL);
	unsigned long i, was, now;

	KUNIT_ASSERT_EQ(test, put(h, 0), 0);
	ask_for_same_size(h);
	start_growth(test, h);
	for (i = 3000; i--;)
		evacuate(h, i);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).nevacuate, 0);

	migrate_disable();
	for (now = 0, i = 0; now < 3000 && i < 3000; i++) {
		was = now;
		hmap_evacuate_next(h);
		now = hmap_test_header(h).nevacuate;
		KUNIT_EXPECT_GT(test, now, was);
		KUNIT_EXPECT_LE(test, now, was + 1024);
	}
	KUNIT_EXPECT_LT(test, i, 100);
	KUNIT_EXPECT_LE(test, now, 3001);
	was = now;
	hmap_evacuate_next(h);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).nevacuate, was + 1);

	for (i = 4095; i > was; i--)
		evacuate(h, i);
	for (i = 0; growing(h) && i < 100; i++)
		hmap_evacuate_next(h);
	migrate_enable();
	KUNIT_EXPECT_GE(test, i, 2);
	KUNIT_EXPECT_FALSE(test, growing(h));
	KUNIT_EXPECT_TRUE(test, has(h, 0));
	hmap_test_check_settled(test, h);
}

/*
 * Keys are their own hashes below, so these are of bucket 0 of 8, and remain
 * so when there are 16.
 */
static u64 in_bucket_0(unsigned int i)
{
	return 16 * i;
}

static void old_array_is_let_go(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(3), hmap_test_identity);
	unsigned int i;
	long bytes;

	for (i = 0; i < 4 * BUCKET_CNT; i++)
		KUNIT_ASSERT_EQ(test, put(h, in_bucket_0(i)), 0);
	KUNIT_ASSERT_EQ(test, hmap_test_header(h).overflow, 3);
	bytes = atomic_long_read(&h->bytes);

	ask_for_same_size(h);
	start_growth(test, h);
	for (i = 0; growing(h); i++) {
		KUNIT_ASSERT_LT(test, i, 8);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).oldoverflow, 3);
		KUNIT_EXPECT_EQ(test, hmap_test_header(h).flags,
				HMAP_SAME_SIZE_GROW);
		hmap_evacuate_next(h);
	}
	KUNIT_EXPECT_EQ(test, i, 8);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).oldoverflow, 0);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).overflow, 3);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).flags, 0);
	/* Its memory and that of its chains follows after a grace period. */
	hmap_barrier();
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), bytes);
}

/* The very next insert sees it, though the CPU has room for some without asking. */
static void same_size_at_once(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(6), hmap_test_identity);
	const unsigned int n = 33 * BUCKET_CNT;
	unsigned int i;
	u64 key;

	/* Chains of one bucket and 32 more behind two of the 64 buckets. */
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, put(h, i << 6), 0);
	for (i = 0; i < n; i++) {
		key = i << 6;
		KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
	}
	for (i = 0; i <= n - BUCKET_CNT; i++) {
		KUNIT_ASSERT_EQ(test, growths_of(h), 0);
		KUNIT_ASSERT_EQ(test, put_and_flush(h, (i << 6) + 1), 0);
	}
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, 64);
	KUNIT_EXPECT_EQ(test, growths_of(h), 0);
	KUNIT_ASSERT_EQ(test, put_and_flush(h, (i << 6) + 1), 0);
	KUNIT_EXPECT_EQ(test, h->same_size_growths, 1);
	hmap_test_check(test, h);
}

static void same_size_squeezes(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(3), hmap_test_identity);
	unsigned int i;
	u64 key, word;

	for (i = 0; i < 4 * BUCKET_CNT; i++)
		KUNIT_ASSERT_EQ(test, put(h, in_bucket_0(i)), 0);
	for (i = 0; i < 4 * BUCKET_CNT; i++) {
		key = in_bucket_0(i);
		if (i % 7 != 3)
			KUNIT_ASSERT_EQ(test, hmap_delete(h, &key), 0);
	}
	KUNIT_ASSERT_EQ(test, hmap_read_chain(h, false, 0, &word, 1), 4);

	ask_for_same_size(h);
	start_growth(test, h);
	for (i = 0; i < 8; i++)
		hmap_evacuate_next(h);
	KUNIT_EXPECT_FALSE(test, growing(h));
	KUNIT_ASSERT_EQ(test, h->same_size_growths, 1);

	/* 3, 10, 17, 24 and 31 of 32 are left. */
	KUNIT_EXPECT_EQ(test, hmap_read_chain(h, false, 0, &word, 1), 1);
	KUNIT_EXPECT_EQ(test, tophash_match_empty(word), 0x8080800000000000ULL);
	for (i = 3; i < 4 * BUCKET_CNT; i += 7)
		KUNIT_EXPECT_TRUE(test, has(h, in_bucket_0(i)));
	KUNIT_EXPECT_EQ(test, hmap_len(h), 5);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, 0);
	hmap_test_check(test, h);
}

/* === C4: a growth needs no further writes === */

/* Put keys until there was another growth; counts may be a few off. */
static u64 put_until_growth(struct kunit *test, struct hmap *h, u64 key)
{
	unsigned long was = growths_of(h);
	unsigned int n;

	for (n = 0; growths_of(h) == was; n++) {
		KUNIT_ASSERT_LT(test, n, 200);
		KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
	}
	return key;
}

static void finishes_alone(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(9), NULL);
	u64 key;

	h->finish_delay = 1;
	for (key = 0; key < full(9) - tolerance(9); key++)
		KUNIT_ASSERT_EQ(test, put(h, key), 0);
	key = put_until_growth(test, h, key);
	KUNIT_ASSERT_EQ(test, h->growths, 1);
	KUNIT_EXPECT_TRUE(test, wait_until_grown(h));
	KUNIT_EXPECT_EQ(test, count_of(h, 0, key - 1), key);

	ask_for_same_size(h);
	key = put_until_growth(test, h, key);
	KUNIT_ASSERT_EQ(test, h->same_size_growths, 1);
	KUNIT_EXPECT_TRUE(test, wait_until_grown(h));
	KUNIT_EXPECT_EQ(test, count_of(h, 0, key - 1), key);
	hmap_test_check(test, h);
}

#ifdef CONFIG_MEMCG
static struct {
	struct hmap *h;
	struct mem_cgroup *charged;
	struct mem_cgroup *left;	/* for grow_work */
} finishing;

static u64 hash_and_look(const void *key, size_t len, u32 hash0)
{
	if (current->flags & PF_WQ_WORKER) {
		finishing.charged = current->active_memcg;
		finishing.left = READ_ONCE(finishing.h->grow_memcg);
	}
	return hmap_test_identity(key, len, hash0);
}

/* The next growth may start while one is being finished. */
static void each_work_has_a_cgroup(struct kunit *test)
{
	struct mem_cgroup *memcg = get_mem_cgroup_from_mm(NULL);
	struct hmap *h;
	u64 key;

	if (!memcg)
		kunit_skip(test, "no cgroups for memory");
	h = still_u64_map(test, full(9), hash_and_look);
	finishing.h = h;
	h->grow_memcg = memcg;
	h->finish_memcg = get_mem_cgroup_from_mm(NULL);
	for (key = 0; key < full(9) - tolerance(9); key++)
		KUNIT_ASSERT_EQ(test, put(h, key), 0);
	put_until_growth(test, h, key);
	KUNIT_EXPECT_PTR_EQ(test, h->grow_memcg, memcg);

	mod_delayed_work(hmap_wq, &h->finish_work, 0);
	flush_delayed_work(&h->finish_work);
	KUNIT_EXPECT_FALSE(test, growing(h));
	KUNIT_EXPECT_PTR_EQ(test, finishing.charged, memcg);
	KUNIT_EXPECT_PTR_EQ(test, finishing.left, memcg);
	KUNIT_EXPECT_PTR_EQ(test, h->finish_memcg, memcg);
}
#else
static void each_work_has_a_cgroup(struct kunit *test)
{
	kunit_skip(test, "no cgroups for memory");
}
#endif

/* === C8: no memory === */

static void new_array_refused(struct kunit *test, u8 B)
{
	struct hmap *h = still_u64_map(test, full(B), hmap_test_identity);
	unsigned long bytes = atomic_long_read(&h->bytes);
	unsigned long room = BUCKET_CNT << B;
	u64 key;

	/* With keys for hashes, all buckets fill up alike. */
	for (key = 0; key < full(B); key++)
		KUNIT_ASSERT_EQ(test, put(h, key), 0);
	h->max_bytes = bytes;
	for (; key < room; key++)
		KUNIT_ASSERT_EQ(test, put_and_flush(h, key), 0);
	KUNIT_EXPECT_EQ(test, growths_of(h), 0);
	KUNIT_EXPECT_GT(test, h->grow_retry, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), bytes);
	KUNIT_EXPECT_EQ(test, count_of(h, 0, room), room);
	hmap_test_check(test, h);

	/* Not before it is time to try again, and then at once. */
	h->max_bytes = LONG_MAX;
	h->grow_retry = get_jiffies_64() + MAX_JIFFY_OFFSET;
	KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
	KUNIT_EXPECT_EQ(test, growths_of(h), 0);
	h->grow_retry = get_jiffies_64();
	KUNIT_ASSERT_EQ(test, put_and_flush(h, key++), 0);
	KUNIT_EXPECT_EQ(test, h->growths, 1);
	KUNIT_EXPECT_EQ(test, count_of(h, 0, key), key);
	hmap_test_check(test, h);
}

static void small_array_refused(struct kunit *test)
{
	new_array_refused(test, 3);
}

static void large_array_refused(struct kunit *test)
{
	new_array_refused(test, 7);
}

/* No room for an overflow bucket in a map that is over its load, either. */
static void chain_refused(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(3), hmap_test_identity);
	unsigned int i;
	long bytes;

	for (i = 0; i < BUCKET_CNT; i++)
		KUNIT_ASSERT_EQ(test, put(h, in_bucket_0(i)), 0);
	bytes = atomic_long_read(&h->bytes);
	h->max_bytes = bytes;
	KUNIT_EXPECT_EQ(test, put(h, in_bucket_0(i)), -ENOSPC);
	KUNIT_EXPECT_FALSE(test, has(h, in_bucket_0(i)));
	KUNIT_EXPECT_EQ(test, hmap_len(h), BUCKET_CNT);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&h->bytes), bytes);
	hmap_test_check(test, h);

	h->max_bytes = LONG_MAX;
	KUNIT_EXPECT_EQ(test, put(h, in_bucket_0(i)), 0);
	KUNIT_EXPECT_TRUE(test, has(h, in_bucket_0(i)));
	hmap_test_check(test, h);
}

static bool first_evacuated(struct hmap *h)
{
	return evacuated(bucket_at(&h->t, hmap_test_old(h), 0));
}

/*
 * A doubling from 4 buckets to 8 with 24 entries in bucket 0, twelve of which
 * go to X and twelve to Y, and memory for one of the two overflow buckets.
 */
static struct hmap *evacuation_refused(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(2), hmap_test_identity);
	u64 i;

	for (i = 0; i < 24; i++)
		KUNIT_ASSERT_EQ(test, put(h, 4 * i), 0);
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, put(h, 4 * i + 1), 0);
	h->max_bytes = atomic_long_read(&h->bytes) +
		       hmap_alloc_size(sizeof(struct bucket_array) +
				       8 * h->t.stride) + h->t.bucket_size;
	start_growth(test, h);
	hmap_evacuate_next(h);
	KUNIT_ASSERT_FALSE(test, first_evacuated(h));
	return h;
}

static void expect_multiples_of_4(struct kunit *test, struct hmap *h, u64 n)
{
	u64 i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_TRUE(test, has(h, 4 * i));
	KUNIT_EXPECT_FALSE(test, has(h, 4 * i));
	KUNIT_EXPECT_EQ(test, hmap_len(h), n + 2);
	hmap_test_check(test, h);
}

static void works_unevacuated(struct kunit *test)
{
	struct hmap *h = evacuation_refused(test);
	u64 key = 4 * 23, elem = 1;

	/* The old chain is full, and cannot grow either. */
	KUNIT_EXPECT_EQ(test, put(h, 4 * 24), -ENOSPC);
	expect_multiples_of_4(test, h, 24);
	KUNIT_EXPECT_EQ(test, put(h, key), 0);
	KUNIT_EXPECT_EQ(test, hmap_delete(h, &key), 0);
	expect_multiples_of_4(test, h, 23);
	KUNIT_EXPECT_EQ(test, hmap_insert(h, &key, &elem, HMAP_NOEXIST,
					  GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, hmap_lookup(h, &key, &elem), 0);
	KUNIT_EXPECT_EQ(test, elem, 1);
	KUNIT_EXPECT_EQ(test, put(h, key), 0);
	expect_multiples_of_4(test, h, 24);
	KUNIT_EXPECT_FALSE(test, first_evacuated(h));

	/* Once Y fits a bucket, no more memory is needed. */
	for (key = 4 * 23; key >= 4 * 14; key -= 4)
		KUNIT_EXPECT_EQ(test, hmap_delete(h, &key), 0);
	KUNIT_EXPECT_FALSE(test, growing(h));
	expect_multiples_of_4(test, h, 14);
}

static void evacuates_later(struct kunit *test)
{
	struct hmap *h = evacuation_refused(test);

	h->finish_delay = 1;	/* of checks, too, which put it off */
	/* The work item finds no memory either, but does not give up. */
	flush_delayed_work(&h->finish_work);
	KUNIT_EXPECT_TRUE(test, growing(h));
	expect_multiples_of_4(test, h, 24);
	h->max_bytes = LONG_MAX;
	KUNIT_EXPECT_TRUE(test, wait_until_grown(h));
	expect_multiples_of_4(test, h, 24);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).noverflow, 2);
	KUNIT_EXPECT_EQ(test, hmap_test_header(h).overflow, 2);
	KUNIT_EXPECT_EQ(test, put(h, 4 * 24), 0);
	expect_multiples_of_4(test, h, 25);
}

/* === Go's table === */

#define TABLE_B		16
#define TABLE_BUCKETS	BIT(TABLE_B)

static unsigned int used_slots(struct kunit *test, struct hmap *h, u64 bucket,
			       unsigned int *chain)
{
	unsigned int i, used = 0;
	u64 word[8];

	*chain = hmap_read_chain(h, false, bucket, word, ARRAY_SIZE(word));
	KUNIT_ASSERT_LE(test, *chain, ARRAY_SIZE(word));
	for (i = 0; i < *chain; i++)
		used += BUCKET_CNT - hweight64(tophash_match_empty(word[i]));
	return used;
}

static void expect_near(struct kunit *test, const char *what, long is,
			long wanted, long tolerance)
{
	kunit_info(test, "%s: %ld.%02ld, of %ld.%02ld", what, is / 100,
		   is % 100, wanted / 100, wanted % 100);
	KUNIT_EXPECT_LE_MSG(test, abs(is - wanted), tolerance, "%s", what);
}

/*
 * What Go's source says of a load of 6.5: 20.90 % of the buckets have overflow
 * buckets, a hit looks at 4.25 entries and a miss at 6.50, and a map[u64]u64
 * takes 10.79 bytes per entry on top of the entry.  In hundredths; the
 * tolerance is five standard deviations or more, for 2^16 buckets.
 */
static void table_of_go(struct kunit *test)
{
	struct hmap *h = still_u64_map(test, full(TABLE_B), NULL);
	unsigned long i, hits = 0, misses = 0, chained = 0, buckets = 0;
	const u32 hash0 = hmap_test_header(h).hash0;
	const unsigned long n = full(TABLE_B);
	unsigned int used, chain;
	u64 key;

	h->grow_retry = get_jiffies_64() + MAX_JIFFY_OFFSET;
	for (key = 0; key < n; key++)
		KUNIT_ASSERT_EQ(test, put(h, key), 0);
	KUNIT_ASSERT_EQ(test, growths_of(h), 0);
	KUNIT_ASSERT_EQ(test, hmap_test_header(h).B, TABLE_B);

	for (i = 0; i < TABLE_BUCKETS; i++) {
		used = used_slots(test, h, i, &chain);
		hits += used * (used + 1) / 2;
		chained += chain > 1;
		buckets += chain;
		/* Keys that are not there, one for each bucket. */
		key = hmap_hash_u64(hmap_mix_secret, n + i, hash0) & bucket_mask(TABLE_B);
		misses += used_slots(test, h, key, &chain);
	}
	expect_near(test, "% of buckets with overflow",
		    chained * 10000 / TABLE_BUCKETS, 2090, 85);
	expect_near(test, "entries a hit looks at", hits * 100 / n, 425, 6);
	expect_near(test, "entries a miss looks at",
		    misses * 100 / TABLE_BUCKETS, 650, 6);
	expect_near(test, "bytes an entry on top of it",
		    buckets * h->t.bucket_size * 100 / n - 1600, 1079, 18);
}

static struct kunit_case grow_cases[] = {
	KUNIT_CASE(over_load),
	KUNIT_CASE(doubles_when_full),
	KUNIT_CASE(not_for_room),
	KUNIT_CASE(same_size_without_draw),
	KUNIT_CASE(double_without_draw),
	KUNIT_CASE(not_when_refused),
	KUNIT_CASE_PARAM(same_size_when_chained, same_size_gen_params),
	KUNIT_CASE(same_size_at_once),
	KUNIT_CASE(not_while_growing),
	KUNIT_CASE(doubling_step_by_step),
	KUNIT_CASE(same_size_step_by_step),
	KUNIT_CASE(mark_runs_ahead),
	KUNIT_CASE(old_array_is_let_go),
	KUNIT_CASE(same_size_squeezes),
	KUNIT_CASE(finishes_alone),
	KUNIT_CASE(each_work_has_a_cgroup),
	KUNIT_CASE(small_array_refused),
	KUNIT_CASE(large_array_refused),
	KUNIT_CASE(chain_refused),
	KUNIT_CASE(works_unevacuated),
	KUNIT_CASE(evacuates_later),
	KUNIT_CASE(table_of_go),
	{}
};

static struct kunit_suite grow_suite = {
	.name = "hmap_grow",
	.test_cases = grow_cases,
};

kunit_test_suite(grow_suite);
