// SPDX-License-Identifier: GPL-2.0
/*
 * All at once, on all CPUs: lookups, inserts, updates, deletes, walks, growth
 * and clear, from threads and from softirqs that interrupt them.
 *
 * Every elem says whose it is: its first word has the key, the writer, the
 * writer's sequence number and a checksum, and each other word follows from
 * that one.  So an elem that is torn or another key's is seen at once, and so
 * is one that was replaced before one that was already seen: of one key and
 * one writer the sequence numbers must not go back.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "../core/key.h"
#include "crew.h"
#include "util.h"

/* Keys, by number. */
#define STABLE		0	/* there throughout, but for a clear */
#define NR_STABLE	128
#define CHURN		(STABLE + NR_STABLE)	/* come and go */
#define NR_CHURN	1536
#define ABSENT		(CHURN + NR_CHURN)	/* come before all begins */
#define NR_ABSENT	64
#define COUNTERS	(ABSENT + NR_ABSENT)	/* added to, if of 8 bytes */
#define NR_COUNTERS	8
#define NR_KEYS		(COUNTERS + NR_COUNTERS)

#define MAX_ELEM	1024
#define MAX_WORDS	(MAX_ELEM / sizeof(u64))

#define NR_READERS	2
#define NR_WRITERS	3
#define NR_WALKERS	2
#define NR_SOFTIRQS	2
#define NR_WORKERS	(NR_READERS + NR_WRITERS + NR_WALKERS + NR_SOFTIRQS)

/* The first word of an elem; a counter's is its key and a count. */
#define SUM_BITS	20
#define SEQ_BITS	24
#define WRITER_BITS	8
#define KEY_BITS	12
#define SUM_SHIFT	0
#define SEQ_SHIFT	(SUM_SHIFT + SUM_BITS)
#define WRITER_SHIFT	(SEQ_SHIFT + SEQ_BITS)
#define KEY_SHIFT	(WRITER_SHIFT + WRITER_BITS)

static_assert(KEY_SHIFT + KEY_BITS == 64);
static_assert(NR_KEYS <= 1 << KEY_BITS);

static const struct kind {
	const char *name;
	enum hmap_key_kind key_kind;
	u32 elem_size;
	bool var_elem;
	bool collide;		/* all keys in a few long chains */
	bool clear;		/* now and then */
} kinds[] = {
	{ "u64 to 8 bytes", HMAP_KEY_U64, 8 },
	{ "u64 to 8 bytes, colliding", HMAP_KEY_U64, 8, .collide = true },
	{ "u64 to 128 bytes, clear", HMAP_KEY_U64, 128, .clear = true },
	{ "u64 to 1024 bytes, clear", HMAP_KEY_U64, MAX_ELEM, .clear = true },
	{ "string to 8 bytes, clear", HMAP_KEY_STRING, 8, .clear = true },
	{ "string to any bytes", HMAP_KEY_STRING, MAX_ELEM, .var_elem = true },
};

struct worker {
	struct stress *s;
	unsigned int id;
	gfp_t gfp;
	u32 seq;
	struct rnd_state rnd;
	struct hmap_test_key key;
	u64 elem[MAX_WORDS];
	u64 old[MAX_WORDS];
	u32 *last;			/* sequence seen, by writer and key */
	struct tasklet_struct tasklet;	/* of a softirq */
	DECLARE_BITMAP(given, NR_KEYS);	/* to a walker */
};

struct stress {
	const struct kind *kind;
	struct hmap *h;
	struct crew crew;
	/* Odd while stable keys may be missing. */
	atomic_t era;

	atomic_t errors;
	const char *first_error;
	u32 first_key;

	/* So that a test that tests nothing is seen. */
	atomic_long_t lookups;
	atomic_long_t writes;
	atomic_long_t softirq_writes;
	atomic_long_t adds;
	atomic_long_t walks;		/* that stable keys were there throughout */
	atomic_long_t cut_walks;	/* that a clear came into */
	unsigned long growths;
	unsigned long same_size_growths;
	unsigned int maps;
	struct worker worker[NR_WORKERS + 1];	/* and who clears */
};

static void error(struct stress *s, const char *what, u32 key)
{
	if (atomic_inc_return(&s->errors) == 1) {
		s->first_error = what;
		s->first_key = key;
	}
}

/*
 * Into a map of kind.collide the churn keys are inserted group by group, and
 * taken out in that order.  Each group is of two buckets, which it leaves long
 * and empty: so growths of the same size are due.
 */
#define GROUPS		8
#define GROUP_SIZE	(NR_CHURN / GROUPS)

static u64 collide(const void *key, size_t len, u32 hash0)
{
	u64 hash = hmap_hash_bytes(hmap_mix_secret, key, len, hash0);
	u32 group = ((u32)hmap_test_number(key, len) - CHURN) / GROUP_SIZE;

	if (group >= GROUPS)
		return hash;
	return (hash & ~GENMASK_ULL(31, 1)) | group << 1;
}

static u32 key_of_group(struct stress *s, u32 key, bool last)
{
	u32 group = atomic_long_read(&s->writes) / 2048 + last;

	if (key < CHURN || !s->kind->collide)
		return key;
	return CHURN + group % GROUPS * GROUP_SIZE + key % GROUP_SIZE;
}

/* === Elems === */

static u64 stamp_of(u64 top)
{
	top &= ~GENMASK_ULL(SEQ_SHIFT - 1, 0);
	return top | hash_64(top, SUM_BITS);
}

static u64 word_of(u64 stamp, u32 i)
{
	return i ? (stamp + i) * GOLDEN_RATIO_64 : stamp;
}

/* How long the elem with this stamp is, in words. */
static u32 words_of(const struct kind *kind, u64 stamp)
{
	u32 words = kind->elem_size / sizeof(u64);

	return kind->var_elem ? 1 + (u32)stamp % words : words;
}

/* Make an elem of an owner's and give what the API takes for it. */
static const void *make_elem(struct worker *w, u32 key, u64 *elem,
			     struct hmap_bytes *bytes)
{
	u64 stamp = stamp_of((u64)key << KEY_SHIFT |
			     (u64)w->id << WRITER_SHIFT |
			     (u64)w->seq << SEQ_SHIFT);
	u32 i, words = words_of(w->s->kind, stamp);

	w->seq++;
	for (i = 0; i < words; i++)
		elem[i] = word_of(stamp, i);
	*bytes = (struct hmap_bytes){ elem, words * sizeof(u64) };
	return w->s->kind->var_elem ? (void *)bytes : elem;
}

/* Whether it is the key's, and whole, and not older than one seen before. */
static void check_elem(struct worker *w, u32 key, const u64 *elem, u32 len)
{
	struct stress *s = w->s;
	u64 stamp = elem[0];
	u32 i, id = stamp >> WRITER_SHIFT & GENMASK(WRITER_BITS - 1, 0);
	u32 seq = stamp >> SEQ_SHIFT & GENMASK(SEQ_BITS - 1, 0);
	u32 *last;

	if (key >= COUNTERS) {
		if (stamp >> KEY_SHIFT != key)
			error(s, "counter of another key", key);
		return;
	}
	if (stamp_of(stamp) != stamp || id > NR_WORKERS)
		return error(s, "torn stamp", key);
	if (stamp >> KEY_SHIFT != key)
		return error(s, "elem of another key", key);
	if (len != words_of(s->kind, stamp) * sizeof(u64))
		return error(s, "wrong length", key);
	for (i = 1; i < len / sizeof(u64); i++)
		if (elem[i] != word_of(stamp, i))
			return error(s, "torn elem", key);
	last = &w->last[id * NR_KEYS + key];
	if (seq < *last)
		return error(s, "older elem after newer", key);
	*last = seq;
}

/* Look a key up, and check what comes. */
static int look_up(struct worker *w, u32 key, u64 *elem)
{
	const void *k = hmap_test_key(w->s->h, key, &w->key);
	struct hmap_held held;
	int ret;

	if (w->s->kind->var_elem) {
		ret = hmap_hold(w->s->h, k, &held);
		if (!ret) {
			check_elem(w, key, held.data, held.len);
			memcpy(elem, held.data, held.len);
			hmap_release(&held);
		}
	} else {
		ret = hmap_lookup(w->s->h, k, elem);
		if (!ret)
			check_elem(w, key, elem, w->s->kind->elem_size);
	}
	return ret;
}

/* === Readers === */

static int era_begin(struct stress *s)
{
	return atomic_read_acquire(&s->era);
}

/* Whether no clear has come between. */
static bool era_lasts(struct stress *s, int era)
{
	smp_rmb();	/* what was seen of a clear is later than its odd era */
	return !(era & 1) && atomic_read(&s->era) == era;
}

static void read_one(struct worker *w)
{
	struct stress *s = w->s;
	u32 key = prandom_u32_state(&w->rnd) % NR_KEYS;
	int ret, era = era_begin(s);

	ret = look_up(w, key, w->elem);
	if (ret && ret != -ENOENT)
		error(s, "lookup failed", key);
	if (ret && key < CHURN && era_lasts(s, era))
		error(s, "lookup missed a key", key);
	if (!ret && key >= ABSENT && key < COUNTERS)
		error(s, "lookup found a deleted key", key);
	atomic_long_inc(&s->lookups);
}

static int reader(void *arg)
{
	while (!kthread_should_stop()) {
		read_one(arg);
		cond_resched();
	}
	return 0;
}

/* === Writers === */

static bool no_memory(struct worker *w, int ret)
{
	return ret == -ENOMEM && !gfpflags_allow_blocking(w->gfp);
}

static void insert_one(struct worker *w, u32 key)
{
	static const int other[] = {
		[HMAP_ANY] = 0, [HMAP_NOEXIST] = -EEXIST, [HMAP_EXIST] = -ENOENT
	};
	enum hmap_mode mode = prandom_u32_state(&w->rnd) % ARRAY_SIZE(other);
	bool there = mode != HMAP_NOEXIST;	/* what a stable key gives */
	int ret, era = era_begin(w->s);
	struct hmap_bytes bytes;
	const void *elem = make_elem(w, key, w->elem, &bytes);

	ret = hmap_insert(w->s->h, hmap_test_key(w->s->h, key, &w->key), elem, mode,
			  w->gfp);
	if (ret && ret != other[mode] && !no_memory(w, ret))
		error(w->s, "insert failed", key);
	if (key < CHURN && era_lasts(w->s, era) && !no_memory(w, ret) &&
	    there != !ret)
		error(w->s, "insert missed a key", key);
}

static void exchange(struct worker *w, u32 key)
{
	int ret, era = era_begin(w->s);
	struct hmap_bytes bytes;
	const void *elem;

	if (w->s->kind->var_elem)
		return;
	elem = make_elem(w, key, w->elem, &bytes);
	ret = hmap_xchg(w->s->h, hmap_test_key(w->s->h, key, &w->key), elem, w->old,
			w->gfp);
	if (!ret)
		check_elem(w, key, w->old, bytes.len);
	else if (ret != -ENOENT && !no_memory(w, ret))
		error(w->s, "xchg failed", key);
	else if (ret == -ENOENT && key < CHURN && era_lasts(w->s, era))
		error(w->s, "xchg missed a key", key);
}

static void compare_exchange(struct worker *w, u32 key)
{
	struct hmap_bytes bytes, old;
	const void *elem;
	int ret;

	if (look_up(w, key, w->old))
		return;
	old = (struct hmap_bytes){ w->old, words_of(w->s->kind, w->old[0]) *
					   sizeof(u64) };
	elem = make_elem(w, key, w->elem, &bytes);
	ret = hmap_cmpxchg(w->s->h, hmap_test_key(w->s->h, key, &w->key),
			   w->s->kind->var_elem ? (void *)&old : w->old, elem,
			   w->gfp);
	if (ret && ret != -ESTALE && ret != -ENOENT && !no_memory(w, ret))
		error(w->s, "cmpxchg failed", key);
}

static void take_one(struct worker *w, u32 key)
{
	const void *k = hmap_test_key(w->s->h, key, &w->key);
	int ret;

	if (w->s->kind->var_elem) {
		ret = hmap_delete(w->s->h, k);
	} else {
		ret = hmap_take(w->s->h, k, w->old);
		if (!ret)
			check_elem(w, key, w->old, w->s->kind->elem_size);
	}
	if (ret && ret != -ENOENT)
		error(w->s, "take failed", key);
}

static void add(struct worker *w)
{
	u32 key = COUNTERS + prandom_u32_state(&w->rnd) % NR_COUNTERS;
	struct hmap *h = w->s->h;
	const void *k = hmap_test_key(h, key, &w->key);
	u64 old, zero = (u64)key << KEY_SHIFT;
	int ret;

	if (w->s->kind->elem_size != sizeof(u64))
		return;
	ret = hmap_fetch_add(h, k, 1, &old);
	if (ret == -ENOENT) {
		ret = hmap_insert(h, k, &zero, HMAP_NOEXIST, w->gfp);
		if (ret && ret != -EEXIST && !no_memory(w, ret))
			error(w->s, "insert of a counter failed", key);
		return;
	}
	if (ret)
		return error(w->s, "fetch_add failed", key);
	check_elem(w, key, &old, sizeof(old));
	atomic_long_inc(&w->s->adds);
}

static void write_one(struct worker *w)
{
	u32 key = prandom_u32_state(&w->rnd) % ABSENT;

	switch (prandom_u32_state(&w->rnd) % 8) {
	case 0 ... 2:
		insert_one(w, key_of_group(w->s, key, true));
		break;
	case 3:
		exchange(w, key);
		break;
	case 4:
		compare_exchange(w, key);
		break;
	case 5:
		add(w);
		break;
	default:
		if (key >= CHURN)
			take_one(w, key_of_group(w->s, key, false));
	}
	atomic_long_inc(&w->s->writes);
}

static int writer(void *arg)
{
	while (!kthread_should_stop()) {
		write_one(arg);
		cond_resched();
	}
	return 0;
}

static void softirq_writer(struct tasklet_struct *tasklet)
{
	struct worker *w = container_of(tasklet, struct worker, tasklet);
	unsigned int i;

	for (i = 0; i < 4; i++)
		write_one(w);
	read_one(w);
	atomic_long_inc(&w->s->softirq_writes);
}

static void kick(void *tasklet)
{
	tasklet_schedule(tasklet);
}

/* Interrupt another CPU, whatever it is at, to run a softirq at once. */
static int pump(void *arg)
{
	struct stress *s = arg;
	unsigned int i;

	for (i = 0; !kthread_should_stop(); i++) {
		smp_call_function_single(crew_cpu(i), kick,
					 &s->worker[i % NR_SOFTIRQS].tasklet,
					 true);
		usleep_range(100, 300);
	}
	return 0;
}

/* === Walkers === */

/* The number of a key; NR_KEYS if it is none of ours. */
static u32 key_given(struct worker *w, const struct hmap_iter *it)
{
	const void *key;
	u32 i, len;

	if (it->key_len < sizeof(i))
		return NR_KEYS;
	i = hmap_test_number(it->key, it->key_len);
	key = hmap_test_key(w->s->h, i, &w->key);
	len = key == &w->key.string ? w->key.string.len : sizeof(u64);
	if (len != it->key_len || memcmp(w->key.data, it->key, len))
		return NR_KEYS;
	return i;
}

static void give(struct worker *w, const struct hmap_iter *it)
{
	struct stress *s = w->s;
	u32 key = key_given(w, it);

	if (key >= NR_KEYS)
		return error(s, "walk gave a key that never was", key);
	if (key >= ABSENT && key < COUNTERS)
		error(s, "walk gave a deleted key", key);
	if (key < CHURN && test_bit(key, w->given))
		error(s, "walk gave a key twice", key);
	__set_bit(key, w->given);
	check_elem(w, key, it->elem, it->elem_len);
}

/* Put a walk down and go on with it. */
static int walk_again(struct worker *w, struct hmap_iter *it)
{
	struct hmap_cursor cursor = it->cursor;

	hmap_iter_exit(it);
	return hmap_iter_init(it, w->s->h, &cursor);
}

static int walk_on(struct worker *w, struct hmap_iter *it, bool slow)
{
	unsigned int given = 0;
	int ret;

	while ((ret = hmap_iter_next(it)) > 0) {
		give(w, it);
		given++;
		if (it->last && given % 8 == 0) {
			ret = walk_again(w, it);
			if (ret)
				return ret;
		}
		if (slow && given % 16 == 0)
			usleep_range(500, 1000);
	}
	hmap_iter_exit(it);
	return ret;
}

static void walk_once(struct worker *w)
{
	/* A growth or two are to come into some walks. */
	bool slow = prandom_u32_state(&w->rnd) % 2;
	int ret, era = era_begin(w->s);
	struct hmap_iter it;

	bitmap_zero(w->given, NR_KEYS);
	ret = hmap_iter_init(&it, w->s->h, NULL);
	if (ret)
		return error(w->s, "walk did not begin", 0);
	ret = walk_on(w, &it, slow);
	if (!era_lasts(w->s, era)) {
		if (ret && ret != -ESTALE)
			error(w->s, "walk failed", 0);
		atomic_long_inc(&w->s->cut_walks);
		return;
	}
	if (ret)
		return error(w->s, "walk failed", 0);
	atomic_long_inc(&w->s->walks);
	ret = find_first_zero_bit(w->given, NR_STABLE);
	if (ret < NR_STABLE)
		error(w->s, "walk left out a key", ret);
}

static int walker(void *arg)
{
	while (!kthread_should_stop())
		walk_once(arg);
	return 0;
}

/* === Clear === */

/* Clear as where there is no memory for a new array: begin with none. */
static void start_anew(struct hmap *h)
{
	mutex_lock(&h->clear_lock);
	hmap_replace(h, NULL);
	mutex_unlock(&h->clear_lock);
}

static void insert_stable(struct worker *w)
{
	struct hmap_bytes bytes;
	const void *elem;
	u32 key;

	for (key = STABLE; key < STABLE + NR_STABLE; key++) {
		elem = make_elem(w, key, w->elem, &bytes);
		if (hmap_insert(w->s->h, hmap_test_key(w->s->h, key, &w->key), elem,
				HMAP_ANY, GFP_KERNEL))
			error(w->s, "insert of a stable key failed", key);
	}
}

static void clear(struct worker *w, unsigned int how)
{
	struct stress *s = w->s;

	atomic_inc_return(&s->era);	/* a full barrier, as that below */
	if (how)
		start_anew(s->h);
	if (how < 2)
		hmap_clear(s->h);
	insert_stable(w);
	atomic_inc_return(&s->era);
}

/* Clear whenever there were walks that no clear came into. */
static int clearer(void *arg)
{
	struct worker *w = arg;
	unsigned int i = 0;
	long walks = 0;

	while (!kthread_should_stop()) {
		if (atomic_long_read(&w->s->walks) >= walks) {
			clear(w, i++ % 3);
			walks = atomic_long_read(&w->s->walks) + 2;
		}
		usleep_range(1000, 2000);
	}
	return 0;
}

/* === The test === */

static int init_workers(struct kunit *test, struct stress *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->worker); i++) {
		struct worker *w = &s->worker[i];

		w->s = s;
		w->id = i;
		w->gfp = i < NR_SOFTIRQS ? GFP_ATOMIC | __GFP_NOWARN :
					   GFP_KERNEL;
		prandom_seed_state(&w->rnd, get_random_u64());
		tasklet_setup(&w->tasklet, softirq_writer);
		w->last = kunit_kcalloc(test, ARRAY_SIZE(s->worker) * NR_KEYS,
					sizeof(*w->last), GFP_KERNEL);
		if (!w->last)
			return -ENOMEM;
	}
	return 0;
}

/* Keys that will not be there, after those that will. */
static void fill(struct stress *s)
{
	struct worker *w = &s->worker[NR_WORKERS];
	struct hmap_bytes bytes;
	const void *k, *elem;
	u32 key;

	insert_stable(w);
	for (key = ABSENT; key < ABSENT + NR_ABSENT; key++) {
		k = hmap_test_key(s->h, key, &w->key);
		elem = make_elem(w, key, w->elem, &bytes);
		if (hmap_insert(s->h, k, elem, HMAP_NOEXIST, GFP_KERNEL) ||
		    hmap_delete(s->h, k))
			error(s, "insert or delete failed", key);
	}
}

static int add_crew(struct stress *s)
{
	int (*const work[])(void *) = {
		reader, reader, writer, writer, writer, walker, walker
	};
	unsigned int i;
	int err = 0;

	static_assert(ARRAY_SIZE(work) == NR_WORKERS - NR_SOFTIRQS);
	for (i = 0; i < ARRAY_SIZE(work) && !err; i++)
		err = crew_add(&s->crew, work[i], &s->worker[NR_SOFTIRQS + i]);
	err = err ?: crew_add(&s->crew, pump, s);
	if (!err && s->kind->clear)
		err = crew_add(&s->crew, clearer, &s->worker[NR_WORKERS]);
	return err;
}

/* Whether all of it went on. */
static bool all_seen(struct stress *s)
{
	const struct kind *kind = s->kind;

	return atomic_long_read(&s->lookups) && atomic_long_read(&s->writes) &&
	       atomic_long_read(&s->softirq_writes) &&
	       atomic_long_read(&s->walks) &&
	       (!kind->clear || atomic_long_read(&s->cut_walks)) &&
	       s->growths && (!kind->collide || s->same_size_growths);
}

static void run(struct stress *s, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);

	crew_start(&s->crew);
	do {
		msleep(20);
	} while (time_before(jiffies, end) && !atomic_read(&s->errors));
	s->growths += s->h->growths;
	s->same_size_growths += s->h->same_size_growths;
}

static void stop(struct stress *s)
{
	unsigned int i;

	crew_stop(&s->crew);
	for (i = 0; i < NR_SOFTIRQS; i++)
		tasklet_kill(&s->worker[i].tasklet);
}

/* No update was lost; where nothing was cleared, that is. */
static void check_counters(struct kunit *test, struct stress *s)
{
	struct worker *w = s->worker;
	u64 elem, sum = 0;
	u32 key;

	for (key = COUNTERS; key < COUNTERS + NR_COUNTERS; key++)
		if (!look_up(w, key, &elem))
			sum += elem - ((u64)key << KEY_SHIFT);
	KUNIT_EXPECT_EQ(test, sum, atomic_long_xchg(&s->adds, 0));
}

static void stress_one(struct kunit *test, struct stress *s,
		       const struct hmap_params *params, unsigned int ms)
{
	int err;

	s->h = hmap_test_create(test, params);
	fill(s);
	err = add_crew(s);
	if (!err)
		run(s, ms);
	stop(s);

	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_EQ_MSG(test, atomic_read(&s->errors), 0, "key %u: %s",
			    s->first_key, s->first_error);
	hmap_test_check_settled(test, s->h);
	if (s->kind->elem_size == sizeof(u64) && !s->kind->clear)
		check_counters(test, s);
}

STRESS_ARRAY_PARAM(kind, kinds);

static void stress_map(struct kunit *test)
{
	const struct kind *kind = kind_of(test);
	const struct hmap_params params = {
		.key_kind = kind->key_kind,
		.key_size = kind->key_kind == HMAP_KEY_U64 ? sizeof(u64) : 0,
		.elem_size = kind->elem_size,
		.flags = kind->var_elem ? HMAP_VAR_ELEM : 0,
		.hasher = kind->collide ? collide : NULL,
	};
	struct stress *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned long now = jiffies, limit = now + 60 * HZ;
	unsigned long end = now + msecs_to_jiffies(STRESS_SLICE_MS);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_EQ(test, init_workers(test, s), 0);
	s->kind = kind;
	/* What only happens to a young map is to happen, and what takes time. */
	do
		stress_one(test, s, &params, 100 << s->maps++ % 5);
	while (time_before(jiffies, end) ||
	       (!all_seen(s) && time_before(jiffies, limit)));
	KUNIT_EXPECT_TRUE(test, all_seen(s));
	kunit_info(test, "%u maps, %ld lookups, %ld writes, %ld softirqs, %ld walks, %ld cut, %lu + %lu growths\n",
		   s->maps, atomic_long_read(&s->lookups),
		   atomic_long_read(&s->writes),
		   atomic_long_read(&s->softirq_writes),
		   atomic_long_read(&s->walks), atomic_long_read(&s->cut_walks),
		   s->growths, s->same_size_growths);
}

/* === Growing from empty === */

/*
 * A map widens what its readers and writers go by only in its first few
 * growths: the more possible CPUs there are, the more of these, and the window
 * is a few instructions.  One map that is used for long has long left them
 * behind, and two threads on two CPUs hardly ever meet there.  So this takes
 * many maps, more threads than keys that fit into the first array, and has
 * whoever publishes an array wait in the middle.
 */
#define NR_FRESH	60
#define FRESH_THREADS	4
#define FRESH_KEYS	128	/* of each thread */
#define FRESH_DELAY_US	200
#define FRESH_LIMIT	(20 * HZ)	/* for a map */

struct fresh {
	struct hmap *h;
	struct crew crew;
	atomic_t ready;
	atomic_t refused;
	struct completion done;		/* by each thread */
	struct fresh_thread {
		struct fresh *f;
		u64 first;
	} thread[FRESH_THREADS];
};

static int fresh_inserter(void *arg)
{
	const struct fresh_thread *t = arg;
	struct fresh *f = t->f;
	u64 key;

	/* Begin together, as far as there are CPUs. */
	atomic_inc(&f->ready);
	while (atomic_read(&f->ready) < FRESH_THREADS)
		cond_resched();
	for (key = t->first; key < t->first + FRESH_KEYS; key++)
		if (hmap_insert(f->h, &key, &key, HMAP_NOEXIST, GFP_KERNEL))
			atomic_inc(&f->refused);
	complete(&f->done);
	return 0;
}

/* Have all threads insert into a fresh map. */
static int insert_together(struct fresh *f, struct hmap *h)
{
	unsigned int i;
	int err = 0;

	f->h = h;
	atomic_set(&f->ready, 0);
	init_completion(&f->done);
	for (i = 0; i < FRESH_THREADS && !err; i++) {
		f->thread[i] = (struct fresh_thread){ f, i * FRESH_KEYS };
		err = crew_add(&f->crew, fresh_inserter, &f->thread[i]);
	}
	if (!err)
		crew_start(&f->crew);
	for (i = 0; i < FRESH_THREADS && !err; i++)
		if (!wait_for_completion_timeout(&f->done, FRESH_LIMIT))
			err = -ETIMEDOUT;
	crew_stop(&f->crew);
	return err;
}

static unsigned int count_missing(struct hmap *h, u64 end)
{
	unsigned int missing = 0;
	u64 key, elem;

	for (key = 0; key < end; key++)
		missing += hmap_lookup(h, &key, &elem) || elem != key;
	return missing;
}

static void stress_from_empty(struct kunit *test)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_U64,
		.key_size = sizeof(u64),
		.elem_size = sizeof(u64),
	};
	struct fresh *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	const u64 nr = FRESH_THREADS * FRESH_KEYS;
	struct hmap *h;
	unsigned int i;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, f);
	for (i = 0; i < NR_FRESH; i++) {
		h = hmap_test_create(test, &params);
		/* The work item is to meet some of the growths. */
		h->finish_delay = i % 4;
		WRITE_ONCE(hmap_test_delay_us, FRESH_DELAY_US);
		err = insert_together(f, h);
		WRITE_ONCE(hmap_test_delay_us, 0);
		KUNIT_ASSERT_EQ(test, err, 0);
		KUNIT_ASSERT_EQ(test, atomic_read(&f->refused), 0);
		KUNIT_ASSERT_EQ_MSG(test, count_missing(h, nr), 0, "map %u", i);
		KUNIT_ASSERT_EQ_MSG(test, hmap_len(h), nr, "map %u", i);
		if (i % 10 == 0)
			hmap_test_check(test, h);
	}
}

/* === Destroying a map while it grows === */

#define NR_DESTROYED	40

/* Insert until a growth has been asked for, or has begun. */
static void insert_until(struct hmap *h, bool begun)
{
	static struct hmap_test_elem elem;	/* too large for the stack */
	struct hmap_test_key key;
	u32 i;

	for (i = 0; i < 10000; i++) {
		if (begun ? hmap_test_header(h).B > 6 && hmap_test_old(h) :
			    work_pending(&h->grow_work))
			return;
		hmap_insert(h, hmap_test_key(h, i, &key),
			    hmap_test_elem(h, i, &elem), HMAP_ANY, GFP_ATOMIC);
	}
}

static void stress_destroy(struct kunit *test)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_STRING,
		.elem_size = 200,
	};
	unsigned int i, growing = 0, asked = 0;
	struct hmap *h;

	for (i = 0; i < NR_DESTROYED; i++) {
		h = hmap_create(&params);
		KUNIT_ASSERT_FALSE(test, IS_ERR(h));
		/* By turns the work item has begun to evacuate or has not. */
		h->finish_delay = i % 4 < 2 ? 0 : MAX_JIFFY_OFFSET;
		insert_until(h, i % 2);
		growing += !!hmap_test_old(h);
		asked += work_busy(&h->grow_work) != 0;

		refcount_inc(&h->refs);	/* to see that all of it is freed */
		hmap_destroy(h);
		hmap_barrier();
		KUNIT_ASSERT_EQ(test, atomic_long_read(&h->bytes),
				hmap_alloc_size(sizeof(*h)) +
				nr_cpu_ids * sizeof(struct hmap_cpu));
		hmap_put(h);
	}
	KUNIT_EXPECT_GT(test, growing, 0);
	KUNIT_EXPECT_GT(test, asked, 0);
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_PARAM(stress_map, kind_gen_params),
	KUNIT_CASE(stress_from_empty),
	KUNIT_CASE(stress_destroy),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "hmap_stress",
	.test_cases = stress_cases,
};

kunit_test_suite(stress_suite);
