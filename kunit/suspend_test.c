// SPDX-License-Identifier: GPL-2.0
/*
 * What others do while a writer is suspended inside its critical section: as
 * where a hypervisor takes its CPU away.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>

#include "../core/internal.h"
#include "crew.h"
#include "util.h"

#define NR_KEYS		64
#define ELEM_WORDS	4
#define OLD_WORD	0x0101010101010101ULL
#define NEW_WORD	0x0202020202020202ULL
#define HOLD_MS		20	/* that a lookup is watched waiting for */
#define LIMIT_MS	5000	/* for anything to happen */

struct suspend {
	struct hmap *h;
	struct crew crew;
	struct completion done;		/* the one who asks has ended */
	u64 key;			/* whose bucket is locked */
	u64 *elem;			/* in it */
	bool held;			/* the rest: who is how far */
	bool asking;
	bool answered;
	bool timed_out;
	bool answered_early;
	unsigned int others;
	unsigned int others_wrong;
	int missed;
	int ret;
	u64 got[ELEM_WORDS];
};

/* With interrupts off, a clock that ticks may stand still: count delays. */
static bool spin_until(const bool *what, unsigned int ms)
{
	unsigned int us;

	for (us = 0; us < ms * USEC_PER_MSEC; us++) {
		if (smp_load_acquire(what))	/* pairs with the releases */
			return true;
		udelay(1);
	}
	return false;
}

static void set_words(u64 *elem, unsigned int from, unsigned int to, u64 word)
{
	while (from < to)
		elem[from++] = word;
}

static struct bmap *bucket_of_key(struct hmap *h, u64 key)
{
	return bucket_of(&h->t, hmap_test_array(h), key);
}

/* The writer: is suspended with half of the elem stored. */
static int hold(void *arg)
{
	struct suspend *s = arg;
	struct hmap *h = s->h;
	struct bmap *head = bucket_of_key(h, s->key);
	unsigned long flags;

	local_irq_save(flags);
	guard_lock(head, guard_map_of(h));
	set_words(s->elem, 0, ELEM_WORDS / 2, NEW_WORD);
	smp_store_release(&s->held, true);	/* to spin_until() */
	s->timed_out = !spin_until(&s->asking, LIMIT_MS);
	mdelay(HOLD_MS);
	s->answered_early = READ_ONCE(s->answered);
	set_words(s->elem, ELEM_WORDS / 2, ELEM_WORDS, NEW_WORD);
	guard_unlock(head, guard_map_of(h));
	local_irq_restore(flags);
	return 0;
}

/* Everybody else: goes about other buckets' business, then asks for this. */
static int ask(void *arg)
{
	struct suspend *s = arg;
	u64 key, elem[ELEM_WORDS];

	if (!spin_until(&s->held, LIMIT_MS))
		goto out;
	for (key = 0; key < NR_KEYS; key++) {
		if (bucket_of_key(s->h, key) == bucket_of_key(s->h, s->key))
			continue;
		s->others++;
		if (hmap_lookup(s->h, &key, elem) || elem[0] != OLD_WORD)
			s->others_wrong++;
		if (hmap_delete(s->h, &key) ||
		    hmap_lookup(s->h, &key, NULL) != -ENOENT ||
		    hmap_insert(s->h, &key, elem, HMAP_NOEXIST, GFP_ATOMIC))
			s->others_wrong++;
	}
	/* Not even here a miss has to wait, where a word tells of all slots. */
	key = NR_KEYS + s->key;
	s->missed = IS_ENABLED(CONFIG_64BIT) ? hmap_lookup(s->h, &key, NULL) :
					       -ENOENT;
	smp_store_release(&s->asking, true);	/* to spin_until() */
	s->ret = hmap_lookup(s->h, &s->key, s->got);
	smp_store_release(&s->answered, true);	/* likewise */
out:
	complete(&s->done);
	return 0;
}

static u64 *elem_in_bucket(struct hmap *h, u64 key)
{
	struct bmap *b = bucket_of_key(h, key);
	unsigned int slot;

	for (; b; b = bmap_overflow(&h->t, NULL, b))
		for (slot = 0; slot < BUCKET_CNT; slot++)
			if (!is_empty(b->tophash[slot]) &&
			    *(u64 *)bmap_key(&h->t, b, slot) == key)
				return bmap_elem(&h->t, b, slot);
	return NULL;
}

/* Who asks for what is being written waits, and gets it whole. */
static void suspend_writer(struct kunit *test)
{
	u64 key, elem[ELEM_WORDS];
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_U64,
		.key_size = sizeof(u64),
		.elem_size = sizeof(elem),
		.hint = NR_KEYS,
		.hasher = hmap_test_identity,
	};
	struct suspend *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned int i;
	int err;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	KUNIT_ASSERT_NOT_NULL(test, s);
	s->key = NR_KEYS / 2;
	init_completion(&s->done);
	s->h = hmap_test_create(test, &params);
	set_words(elem, 0, ELEM_WORDS, OLD_WORD);
	for (key = 0; key < NR_KEYS; key++)
		KUNIT_ASSERT_EQ(test, hmap_insert(s->h, &key, elem,
						  HMAP_NOEXIST, GFP_KERNEL), 0);
	s->elem = elem_in_bucket(s->h, s->key);
	KUNIT_ASSERT_NOT_NULL(test, s->elem);

	err = crew_add(&s->crew, hold, s) ?: crew_add(&s->crew, ask, s);
	if (!err) {
		crew_start(&s->crew);
		err = wait_for_completion_timeout(&s->done,
						  msecs_to_jiffies(4 * LIMIT_MS)) ?
		      0 : -ETIMEDOUT;
	}
	crew_stop(&s->crew);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_FALSE(test, s->timed_out);
	KUNIT_EXPECT_GE(test, s->others, NR_KEYS / 2);
	KUNIT_EXPECT_EQ(test, s->others_wrong, 0);
	KUNIT_EXPECT_TRUE(test, s->answered);
	KUNIT_EXPECT_EQ(test, s->missed, -ENOENT);
	KUNIT_EXPECT_EQ(test, s->ret, 0);
	KUNIT_EXPECT_FALSE(test, s->answered_early);
	for (i = 0; i < ELEM_WORDS; i++)
		KUNIT_EXPECT_EQ(test, s->got[i], NEW_WORD);
}

static struct kunit_case suspend_cases[] = {
	KUNIT_CASE(suspend_writer),
	{}
};

static struct kunit_suite suspend_suite = {
	.name = "hmap_suspend",
	.test_cases = suspend_cases,
};

kunit_test_suite(suspend_suite);
