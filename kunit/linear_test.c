// SPDX-License-Identifier: GPL-2.0
/*
 * Linearizability: threads run random operations on a few keys and note when
 * each was called and when it replied.
 *
 * Time is a counter that all increment.  That is a full barrier, so where one
 * operation's reply has a lower number than another's call, all of the first
 * happened before all of the second: just what a caller may rely on.  A clock
 * would claim more than that, as a CPU's stores lag behind it.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/wait.h>

#include "../core/internal.h"
#include "crew.h"
#include "linear.h"
#include "util.h"

/* === The checker's own test === */

struct example {
	const char *name;
	bool linear;
	struct history h;
};

/* An event from a call to a reply. */
#define E(from, to, what, ...) \
	{ .call = from, .reply = to, .op = what, ##__VA_ARGS__ }

static const struct example examples[] = {
	{ "nothing", true, {} },
	{ "one after another", true, { 9, {
		E(1, 2, LOOKUP, .ret = -ENOENT),
		E(3, 4, NOEXIST, .arg = 1),
		E(5, 6, NOEXIST, .arg = 2, .ret = -EEXIST),
		E(7, 8, XCHG, .arg = 3, .got = 1),
		E(9, 10, CMPXCHG, .expect = 1, .arg = 4, .ret = -ESTALE),
		E(11, 12, CMPXCHG, .expect = 3, .arg = 4),
		E(13, 14, ADD, .arg = 5, .got = 4),
		E(15, 16, TAKE, .got = 9),
		E(17, 18, EXIST, .arg = 6, .ret = -ENOENT),
	} } },
	{ "read of either of two inserts at once", true, { 3, {
		E(1, 5, INSERT, .arg = 1),
		E(2, 4, INSERT, .arg = 2),
		E(6, 7, LOOKUP, .got = 1),
	} } },
	{ "read of an insert that has not replied", true, { 3, {
		E(1, 8, INSERT, .arg = 1),
		E(2, 3, LOOKUP, .ret = -ENOENT),
		E(4, 5, LOOKUP, .got = 1),
	} } },
	{ "order that only the last event tells", true, { 4, {
		E(1, 10, XCHG, .arg = 1, .ret = -ENOENT),
		E(2, 9, INSERT, .arg = 2),
		E(3, 8, DELETE),
		E(11, 12, LOOKUP, .ret = -ENOENT),
	} } },
	{ "clear between", true, { 4, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 8, CLEAR),
		E(4, 5, LOOKUP, .got = 1),
		E(6, 7, LOOKUP, .ret = -ENOENT),
	} } },
	{ "stale read", false, { 3, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 4, INSERT, .arg = 2),
		E(5, 6, LOOKUP, .got = 1),
	} } },
	{ "reads in the wrong order", false, { 4, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 10, INSERT, .arg = 2),
		E(4, 5, LOOKUP, .got = 2),
		E(6, 7, LOOKUP, .got = 1),
	} } },
	{ "lost update", false, { 3, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 6, ADD, .arg = 1, .got = 1),
		E(4, 5, ADD, .arg = 1, .got = 1),
	} } },
	{ "update lost after its reply", false, { 4, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 6, ADD, .arg = 1, .got = 2),
		E(4, 5, ADD, .arg = 1, .got = 1),
		E(7, 8, LOOKUP, .got = 2),
	} } },
	{ "double delete", false, { 3, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 6, DELETE),
		E(4, 5, DELETE),
	} } },
	{ "double take", false, { 3, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 6, TAKE, .got = 1),
		E(4, 5, TAKE, .got = 1),
	} } },
	{ "double insert", false, { 2, {
		E(1, 4, NOEXIST, .arg = 1),
		E(2, 3, NOEXIST, .arg = 2),
	} } },
	{ "double compare and exchange", false, { 3, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 6, CMPXCHG, .expect = 1, .arg = 2),
		E(4, 5, CMPXCHG, .expect = 1, .arg = 3),
	} } },
	{ "torn read", false, { 3, {
		E(1, 2, INSERT, .arg = 0x11),
		E(3, 6, INSERT, .arg = 0x22),
		E(4, 5, LOOKUP, .got = 0x12),
	} } },
	{ "read before any insert", false, { 2, {
		E(1, 2, LOOKUP, .got = 1),
		E(3, 4, INSERT, .arg = 1),
	} } },
	{ "entry that comes back", false, { 3, {
		E(1, 2, INSERT, .arg = 1),
		E(3, 4, CLEAR),
		E(5, 6, LOOKUP, .got = 1),
	} } },
	{ "no memory", false, { 1, {
		E(1, 2, INSERT, .arg = 1, .ret = -ENOMEM),
	} } },
};

static void linear_checker(struct kunit *test)
{
	struct checker *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < ARRAY_SIZE(examples); i++)
		KUNIT_EXPECT_EQ_MSG(test, is_linear(c, &examples[i].h),
				    examples[i].linear, "%s", examples[i].name);
}

/* Without a memory, that the last event is wrong takes 8^16 steps to find. */
static void linear_checker_memory(struct kunit *test)
{
	struct checker *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct history *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_ASSERT_NOT_NULL(test, h);
	h->nr = MAX_EVENTS;
	for (i = 0; i < MAX_EVENTS; i += 4) {
		h->event[i] = (struct event)E(i, i + 3, INSERT, .arg = i);
		h->event[i + 1] = (struct event)E(i, i + 3, INSERT, .arg = i);
		h->event[i + 2] = (struct event)E(i, i + 3, EXIST, .arg = i);
		h->event[i + 3] = (struct event)E(i, i + 3, NOEXIST, .arg = i,
						  .ret = -EEXIST);
	}
	h->event[2].ret = -ENOENT;
	KUNIT_EXPECT_TRUE(test, is_linear(c, h));
	h->event[MAX_EVENTS - 1].ret = -ENOENT;
	KUNIT_EXPECT_FALSE(test, is_linear(c, h));
}

/* === Histories of the map === */

#define NR_THREADS	3
#define NR_KEYS		3
#define NR_OPS		16	/* by each thread, in each round */
#define NR_FILLERS	256	/* keys that come and go between */
#define LIMIT		(20 * HZ)	/* for a round */
#define MAX_WORDS	64
#define TORN		(~0ULL)		/* nobody stores it */

static_assert(NR_THREADS * NR_OPS + 1 <= MAX_EVENTS);

static const struct kind {
	const char *name;
	enum hmap_key_kind key_kind;
	unsigned int words;		/* of the elem */
} kinds[] = {
	{ "u64 to 8 bytes", HMAP_KEY_U64, 1 },
	{ "u64 to 64 bytes", HMAP_KEY_U64, 8 },
	{ "u64 to 512 bytes", HMAP_KEY_U64, MAX_WORDS },
	{ "string to 8 bytes", HMAP_KEY_STRING, 1 },
};

struct linear {
	const struct kind *kind;
	struct hmap *h;
	struct crew crew;
	wait_queue_head_t wait;		/* for a round to begin or end */
	atomic_t round;			/* that may begin; released, acquired */
	atomic_t ready;			/* threads that are in it */
	atomic_t finished;		/* and have ended it; likewise */
	atomic64_t time;
	unsigned long growths;		/* in all rounds */
	struct thread {
		struct linear *l;
		unsigned int id;
		struct rnd_state rnd;
		u64 stored;		/* so that no two store the same */
		u64 last[NR_KEYS];	/* seen of each key */
		unsigned int nr;
		struct {
			unsigned int key;
			struct event e;
		} did[NR_OPS + 1];
		u64 elem[MAX_WORDS];
		u64 old[MAX_WORDS];
		struct hmap_test_key key;
	} thread[NR_THREADS];
	struct history history;
	struct checker checker;
};

static void set_elem(const struct linear *l, u64 *elem, u64 val)
{
	unsigned int i;

	for (i = 0; i < l->kind->words; i++)
		elem[i] = val + i;
}

static u64 get_elem(const struct linear *l, const u64 *elem)
{
	unsigned int i;

	for (i = 1; i < l->kind->words; i++)
		if (elem[i] != elem[0] + i)
			return TORN;
	return elem[0];
}

static u64 now(struct linear *l)
{
	return atomic64_inc_return(&l->time);
}

static void fill(struct thread *t)
{
	unsigned int n = prandom_u32_state(&t->rnd) % 8;
	struct hmap *h = t->l->h;
	const void *key;

	while (n--) {
		key = hmap_test_key(h, NR_KEYS + prandom_u32_state(&t->rnd) %
			       NR_FILLERS, &t->key);
		if (prandom_u32_state(&t->rnd) % 4)
			hmap_insert(h, key, t->elem, HMAP_ANY, GFP_KERNEL);
		else
			hmap_delete(h, key);
	}
}

static int do_call(struct thread *t, struct event *e, const void *key)
{
	struct hmap *h = t->l->h;

	switch (e->op) {
	case LOOKUP:
		return hmap_lookup(h, key, t->old);
	case INSERT:
		return hmap_insert(h, key, t->elem, HMAP_ANY, GFP_KERNEL);
	case NOEXIST:
		return hmap_insert(h, key, t->elem, HMAP_NOEXIST, GFP_KERNEL);
	case EXIST:
		return hmap_insert(h, key, t->elem, HMAP_EXIST, GFP_KERNEL);
	case DELETE:
		return hmap_delete(h, key);
	case TAKE:
		return hmap_take(h, key, t->old);
	case XCHG:
		return hmap_xchg(h, key, t->elem, t->old, GFP_KERNEL);
	case CMPXCHG:
		return hmap_cmpxchg(h, key, t->old, t->elem, GFP_KERNEL);
	case ADD:
		return hmap_fetch_add(h, key, e->arg, t->old);
	default:
		hmap_clear(h);
		return 0;
	}
}

static void do_event(struct thread *t, enum op what, unsigned int key)
{
	struct event *e = &t->did[t->nr].e;
	const void *k = hmap_test_key(t->l->h, key, &t->key);

	t->did[t->nr++].key = key;
	*e = (struct event){ .op = what };
	e->arg = what == ADD ? 1 : (++t->stored * NR_THREADS + t->id) << 16;
	if (what == CMPXCHG)
		e->expect = t->last[key];
	set_elem(t->l, t->elem, e->arg);
	set_elem(t->l, t->old, e->expect);

	e->call = now(t->l);
	e->ret = do_call(t, e, k);
	e->reply = now(t->l);

	e->got = get_elem(t->l, t->old);
	if (!e->ret && key < NR_KEYS)
		t->last[key] = what == LOOKUP ? e->got :
			       what == ADD ? e->got + e->arg : e->arg;
}

static void do_round(struct thread *t, int round)
{
	struct linear *l = t->l;
	unsigned int i, clear_at = NR_OPS;
	enum op op;

	t->nr = 0;
	/* A clear takes as long as many rounds. */
	if (round % 4 == 1 && t->id == 0)
		clear_at = prandom_u32_state(&t->rnd) % NR_OPS;
	for (i = 0; i < NR_OPS; i++) {
		op = prandom_u32_state(&t->rnd) % NR_KEY_OPS;
		if (op == ADD && l->kind->words > 1)
			op = LOOKUP;
		do_event(t, op, prandom_u32_state(&t->rnd) % NR_KEYS);
		fill(t);
		if (i == clear_at)
			do_event(t, CLEAR, NR_KEYS);
	}
}

static int linear_thread(void *arg)
{
	struct thread *t = arg;
	struct linear *l = t->l;
	int round = 0;

	for (;;) {
		wait_event_interruptible(l->wait, kthread_should_stop() ||
					 atomic_read_acquire(&l->round) > round);
		if (kthread_should_stop())
			return 0;
		/* Begin together, as far as there are CPUs. */
		round++;
		atomic_inc(&l->ready);
		while (atomic_read(&l->ready) < round * NR_THREADS) {
			if (kthread_should_stop())
				return 0;
			cond_resched();
		}
		do_round(t, round);
		atomic_inc_return_release(&l->finished);
		wake_up_all(&l->wait);
	}
}

/* All that happened to a key, by whomever. */
static void collect(struct linear *l, unsigned int key)
{
	struct history *h = &l->history;
	unsigned int i, j;

	h->nr = 0;
	for (i = 0; i < NR_THREADS; i++)
		for (j = 0; j < l->thread[i].nr; j++)
			if (l->thread[i].did[j].key == key ||
			    l->thread[i].did[j].e.op == CLEAR)
				h->event[h->nr++] = l->thread[i].did[j].e;
}

static void show(struct kunit *test, const struct history *h)
{
	const struct event *e;

	for (e = h->event; e < h->event + h->nr; e++)
		kunit_info(test, "%llu-%llu: op %d arg %llx expect %llx: %d got %llx\n",
			   e->call, e->reply, e->op, e->arg, e->expect, e->ret,
			   e->got);
}

static int run_round(struct linear *l, const struct hmap_params *params)
{
	int round = atomic_read(&l->round) + 1;
	struct hmap *h = hmap_create(params);

	if (IS_ERR(h))
		return PTR_ERR(h);
	l->h = h;
	/* The work item is to meet some of the growths. */
	h->finish_delay = round % 4;
	atomic_inc_return_release(&l->round);
	wake_up_all(&l->wait);
	if (!wait_event_timeout(l->wait, atomic_read_acquire(&l->finished) ==
				NR_THREADS * round, LIMIT))
		return -ETIMEDOUT;
	l->growths += h->growths;
	hmap_destroy(h);
	l->h = NULL;
	return 0;
}

/* Rounds until time is up, or until a key's history is wrong. */
static int run_rounds(struct linear *l, const struct hmap_params *params)
{
	unsigned long end = jiffies + msecs_to_jiffies(STRESS_SLICE_MS);
	unsigned int key;
	int err;

	do {
		err = run_round(l, params);
		for (key = 0; !err && key < NR_KEYS; key++) {
			collect(l, key);
			if (!is_linear(&l->checker, &l->history))
				err = -EILSEQ;
		}
	} while (!err && time_before(jiffies, end));
	return err;
}

STRESS_ARRAY_PARAM(kind, kinds);

static void linear_map(struct kunit *test)
{
	const struct kind *kind = kind_of(test);
	const struct hmap_params params = {
		.key_kind = kind->key_kind,
		.key_size = kind->key_kind == HMAP_KEY_U64 ? sizeof(u64) : 0,
		.elem_size = kind->words * sizeof(u64),
	};
	struct linear *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	unsigned int i;
	int err = 0;

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->kind = kind;
	init_waitqueue_head(&l->wait);
	for (i = 0; i < NR_THREADS && !err; i++) {
		l->thread[i].l = l;
		l->thread[i].id = i;
		prandom_seed_state(&l->thread[i].rnd, get_random_u64());
		err = crew_add(&l->crew, linear_thread, &l->thread[i]);
	}
	if (!err) {
		crew_start(&l->crew);
		err = run_rounds(l, &params);
	}
	crew_stop(&l->crew);
	hmap_destroy(l->h);

	if (err == -EILSEQ)
		show(test, &l->history);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, l->growths, 0);
	kunit_info(test, "%d rounds, %lu growths\n", atomic_read(&l->round),
		   l->growths);
}

static struct kunit_case linear_cases[] = {
	KUNIT_CASE(linear_checker),
	KUNIT_CASE(linear_checker_memory),
	KUNIT_CASE_PARAM(linear_map, kind_gen_params),
	{}
};

static struct kunit_suite linear_suite = {
	.name = "hmap_linear",
	.test_cases = linear_cases,
};

kunit_test_suite(linear_suite);
