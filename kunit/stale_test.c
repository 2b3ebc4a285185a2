// SPDX-License-Identifier: GPL-2.0
/*
 * Readers and writers that have come by an array which is replaced before they
 * look at a bucket: by one growth, by two, or by a clear.
 *
 * They are stopped in the hash function, which they call in between.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "../core/internal.h"
#include "crew.h"
#include "util.h"

#define LIMIT_MS	10000	/* for anything to happen */
#define NR_KEYS		40
#define KEY		7	/* that is there to begin with */
#define NEW_KEY		1000000	/* that is not */

static struct {
	struct task_struct *task;	/* whom to stop */
	bool stopped;
	bool go_on;
	bool timed_out;
} stop;

static bool spin_until(const bool *what)
{
	ktime_t end = ktime_add_ms(ktime_get(), LIMIT_MS);

	while (!smp_load_acquire(what)) {	/* pairs with the releases */
		if (ktime_after(ktime_get(), end))
			return false;
		cpu_relax();
	}
	return true;
}

static void stop_here(void)
{
	if (READ_ONCE(stop.task) != current)
		return;
	WRITE_ONCE(stop.task, NULL);
	smp_store_release(&stop.stopped, true);	/* to spin_until() */
	stop.timed_out = !spin_until(&stop.go_on);
}

static u64 stopping_hash(const void *key, size_t len, u32 hash0)
{
	stop_here();
	return hmap_test_mixed(key, len, hash0);
}

/* Likewise, but all keys in one bucket. */
static u64 stopping_constant(const void *key, size_t len, u32 hash0)
{
	stop_here();
	return 0;
}

struct stale {
	struct hmap *h;
	struct crew crew;
	struct completion done;
	const struct stale_op *op;
	u64 elem;
	u64 next;			/* key to put */
	unsigned long len;		/* expected */
	int ret;
};

static int put(struct hmap *h, u64 key, u64 elem)
{
	return hmap_insert(h, &key, &elem, HMAP_ANY, GFP_ATOMIC);
}

/* === What is done to a stale array === */

struct stale_op {
	const char *name;
	u64 key;
	int (*call)(struct hmap *h, u64 key, u64 *elem);
	int ret;
	u64 saw;			/* elem, 0 if none */
	u64 leaves;			/* elem, 0 if no entry */
};

static int look(struct hmap *h, u64 key, u64 *elem)
{
	return hmap_lookup(h, &key, elem);
}

static int add(struct hmap *h, u64 key, u64 *elem)
{
	return hmap_insert(h, &key, &(u64){ 5 }, HMAP_NOEXIST, GFP_ATOMIC);
}

static int replace(struct hmap *h, u64 key, u64 *elem)
{
	return hmap_xchg(h, &key, &(u64){ 5 }, elem, GFP_ATOMIC);
}

static int take(struct hmap *h, u64 key, u64 *elem)
{
	return hmap_take(h, &key, elem);
}

/* The elem of KEY is 2 by the time that they go on. */
static const struct stale_op ops[] = {
	{ "lookup", KEY, look, 0, 2, 2 },
	{ "lookup of what is not there", NEW_KEY, look, -ENOENT },
	{ "insert", NEW_KEY, add, 0, 0, 5 },
	{ "insert of what is there", KEY, add, -EEXIST, 0, 2 },
	{ "exchange", KEY, replace, 0, 2, 5 },
	{ "exchange of what is not there", NEW_KEY, replace, -ENOENT },
	{ "delete", KEY, take, 0, 2, 0 },
	{ "delete of what is not there", NEW_KEY, take, -ENOENT },
};

static void describe_op(const struct stale_op *op, char *desc)
{
	strscpy(desc, op->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(op, ops, describe_op);

static int stale_thread(void *arg)
{
	struct stale *s = arg;

	WRITE_ONCE(stop.task, current);
	s->ret = s->op->call(s->h, s->op->key, &s->elem);
	complete(&s->done);
	return 0;
}

/* === What is done meanwhile === */

static bool growing(struct hmap *h)
{
	return hmap_test_old(h);
}

static void put_next(struct stale *s)
{
	if (!put(s->h, s->next++, 1))
		s->len++;
}

static void start_growth(struct stale *s, bool same_size)
{
	struct bucket_array *a = hmap_test_array(s->h);

	if (same_size)
		atomic_set(&a->noverflow, 1 << a->B);
	else
		while (atomic_long_read(&a->l->count) < a->grow_at)
			put_next(s);
	hmap_grow(s->h, GFP_ATOMIC);
}

static void evacuate_key(struct stale *s)
{
	struct bucket_array *a = hmap_test_array(s->h);
	struct bucket_array *old = hmap_test_old(s->h);
	u64 hash = hmap_test_mixed(&s->op->key, sizeof(u64), 0);
	struct bmap *reserve = NULL;

	rcu_read_lock();
	hmap_evacuate(a, old, hash & old->mask, &reserve);
	rcu_read_unlock();
}

static void finish_growth(struct hmap *h)
{
	unsigned int i;

	for (i = 0; growing(h) && i < 1000; i++)
		hmap_evacuate_next(h);
}

/* How far it goes on while somebody is stopped. */
enum phase {
	STARTED,
	KEY_MOVED,
	DONE,
	NR_PHASES,
};

/* Returns whether the array was replaced in that way. */
static bool grow(struct stale *s, bool same_size, enum phase phase)
{
	unsigned long was = s->h->growths + s->h->same_size_growths;

	start_growth(s, same_size);
	if (phase >= KEY_MOVED)
		evacuate_key(s);
	if (phase == DONE)
		finish_growth(s->h);
	return s->h->growths + s->h->same_size_growths == was + 1 &&
	       growing(s->h) == (phase != DONE);
}

/* === The test === */

static void stale_init(struct kunit *test, struct stale *s)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	*s = (struct stale){ .next = NR_KEYS, .len = NR_KEYS };
	s->op = test->param_value;
	init_completion(&s->done);
	stop.task = NULL;
	stop.stopped = false;
	stop.go_on = false;
	stop.timed_out = false;
}

static void stale_map(struct kunit *test, struct stale *s)
{
	u64 key;

	stale_init(test, s);
	s->h = hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = NR_KEYS,
		.hasher = stopping_hash,
	});
	s->h->finish_delay = MAX_JIFFY_OFFSET;
	for (key = 0; key < NR_KEYS; key++)
		KUNIT_ASSERT_EQ(test, put(s->h, key, 1), 0);
	KUNIT_ASSERT_FALSE(test, growing(s->h));
}

/* Stay off the CPU of who is stopped, which is the second. */
static void stay_on_first_cpu(void)
{
	set_cpus_allowed_ptr(current, cpumask_of(crew_cpu(0)));
}

static int nothing(void *arg)
{
	return 0;
}

/* Start somebody, and wait until he is stopped. */
static bool stale_start(struct stale *s, int (*first_cpu)(void *))
{
	stay_on_first_cpu();
	if (crew_add(&s->crew, first_cpu, s) ||
	    crew_add(&s->crew, stale_thread, s))
		return false;
	wake_up_process(s->crew.task[1]);
	return spin_until(&stop.stopped);
}

/* Let him go on, to the end. */
static bool stale_end(struct stale *s)
{
	bool done;

	smp_store_release(&stop.go_on, true);	/* to spin_until() */
	done = wait_for_completion_timeout(&s->done,
					   msecs_to_jiffies(2 * LIMIT_MS));
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	return done && !stop.timed_out;
}

static void expect_outcome(struct kunit *test, struct stale *s)
{
	const struct stale_op *op = s->op;
	u64 elem = 0;

	KUNIT_EXPECT_EQ(test, s->ret, op->ret);
	if (op->saw)
		KUNIT_EXPECT_EQ(test, s->elem, op->saw);
	KUNIT_EXPECT_EQ(test, hmap_lookup(s->h, &op->key, &elem),
			op->leaves ? 0 : -ENOENT);
	if (op->leaves)
		KUNIT_EXPECT_EQ(test, elem, op->leaves);
	s->len += (op->leaves != 0) - (op->key == KEY);
	KUNIT_EXPECT_EQ(test, hmap_len(s->h), s->len);
	hmap_test_check(test, s->h);
	finish_growth(s->h);
	KUNIT_EXPECT_FALSE(test, growing(s->h));
	KUNIT_EXPECT_EQ(test, hmap_len(s->h), s->len);
	hmap_test_check_settled(test, s->h);
}

static void across_growths(struct kunit *test, unsigned int growths,
			   bool same_size, enum phase phase)
{
	struct stale *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	bool stopped, grown = true, done;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	stale_map(test, s);
	stopped = stale_start(s, nothing);
	if (stopped) {
		put(s->h, KEY, 2);
		for (i = 1; i <= growths && grown; i++)
			grown = grow(s, same_size, i < growths ? DONE : phase);
	}
	done = stale_end(s);
	crew_stop(&s->crew);
	KUNIT_ASSERT_TRUE(test, stopped);
	KUNIT_ASSERT_TRUE(test, grown);
	KUNIT_ASSERT_TRUE(test, done);
	expect_outcome(test, s);
}

static void across_one_growth(struct kunit *test)
{
	enum phase phase;

	for (phase = 0; phase < NR_PHASES; phase++) {
		across_growths(test, 1, false, phase);
		across_growths(test, 1, true, phase);
	}
}

static void across_two_growths(struct kunit *test)
{
	enum phase phase;

	for (phase = 0; phase < NR_PHASES; phase++) {
		across_growths(test, 2, false, phase);
		across_growths(test, 2, true, phase);
	}
}

/* === Clear === */

static int clear_thread(void *arg)
{
	struct stale *s = arg;

	hmap_clear(s->h);
	return 0;
}

/* Start a clear, which waits for who is stopped, but has replaced the array. */
static bool clear(struct stale *s)
{
	ktime_t end = ktime_add_ms(ktime_get(), LIMIT_MS);
	u64 epoch = hmap_test_header(s->h).epoch;

	wake_up_process(s->crew.task[0]);
	while (hmap_test_header(s->h).epoch == epoch) {
		if (ktime_after(ktime_get(), end))
			return false;
		schedule_timeout_uninterruptible(1);
	}
	return true;
}

/*
 * Who is stopped was there before the clear, and what he does is not seen in
 * the map that others already use.
 */
static void clear_with(struct kunit *test, bool while_growing)
{
	struct stale *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	bool stopped, cleared = false, done;
	u64 key, elem = 0;

	KUNIT_ASSERT_NOT_NULL(test, s);
	stale_map(test, s);
	put(s->h, KEY, 2);
	if (while_growing)
		KUNIT_ASSERT_TRUE(test, grow(s, true, STARTED));
	stopped = stale_start(s, clear_thread);
	if (stopped) {
		cleared = clear(s);
		for (key = 0; key < NR_KEYS; key++)
			put(s->h, key + NEW_KEY, 3);
	}
	done = stale_end(s);
	crew_stop(&s->crew);
	KUNIT_ASSERT_TRUE(test, stopped);
	KUNIT_ASSERT_TRUE(test, cleared);
	KUNIT_ASSERT_TRUE(test, done);
	KUNIT_EXPECT_EQ(test, s->ret, s->op->ret);
	if (s->op->saw)
		KUNIT_EXPECT_EQ(test, s->elem, s->op->saw);

	key = KEY;
	KUNIT_EXPECT_EQ(test, hmap_lookup(s->h, &key, NULL), -ENOENT);
	key = NEW_KEY;
	KUNIT_EXPECT_EQ(test, hmap_lookup(s->h, &key, &elem), 0);
	KUNIT_EXPECT_EQ(test, elem, 3);
	KUNIT_EXPECT_EQ(test, hmap_len(s->h), NR_KEYS);
	hmap_test_check_settled(test, s->h);
}

static void across_clear(struct kunit *test)
{
	clear_with(test, false);
}

static void across_clear_while_growing(struct kunit *test)
{
	clear_with(test, true);
}

static void evacuate_some(void *arg)
{
	struct hmap *h = arg;
	unsigned int i;

	for (i = 0; i < 3; i++)
		hmap_evacuate_next(h);
}

/*
 * A writer goes on with a growth that a clear has made an end of, on a CPU that
 * has a part in one of the new array by now.  That goes on as if nothing were.
 */
static void growth_of_before_clear(struct kunit *test)
{
	struct stale *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	bool stopped, cleared = false, grown = false, done;
	u64 key;

	KUNIT_ASSERT_NOT_NULL(test, s);
	stale_map(test, s);
	s->op = &(struct stale_op){ .key = NEW_KEY, .call = add };
	KUNIT_ASSERT_TRUE(test, grow(s, true, STARTED));
	stopped = stale_start(s, clear_thread);
	if (stopped) {
		cleared = clear(s);
		for (key = 0; key < NR_KEYS; key++)
			put(s->h, key, 1);
		grown = grow(s, true, STARTED);
		smp_call_function_single(crew_cpu(1), evacuate_some, s->h, 1);
	}
	done = stale_end(s);
	crew_stop(&s->crew);
	KUNIT_ASSERT_TRUE(test, stopped);
	KUNIT_ASSERT_TRUE(test, cleared);
	KUNIT_ASSERT_TRUE(test, grown);
	KUNIT_ASSERT_TRUE(test, done);
	KUNIT_EXPECT_EQ(test, s->ret, 0);
	KUNIT_EXPECT_EQ(test, hmap_len(s->h), NR_KEYS);
	finish_growth(s->h);
	KUNIT_EXPECT_FALSE(test, growing(s->h));
	hmap_test_check(test, s->h);
}

static int evacuate(struct hmap *h, u64 key, u64 *elem)
{
	hmap_evacuate_next(h);
	return 0;
}

static const struct stale_op evacuate_op = { .call = evacuate };

/* A bucket with a chain, to be evacuated to an array that has no room for one. */
static void chain_of_mapped(struct kunit *test, struct stale *s)
{
	u64 key;

	stale_init(test, s);
	s->op = &evacuate_op;
	s->h = hmap_test_create(test, &(struct hmap_params){
		.key_kind = HMAP_KEY_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 13,
		.flags = HMAP_MAPPED,
		.hasher = stopping_constant,
	});
	s->h->finish_delay = MAX_JIFFY_OFFSET;
	for (key = 0; key < 13; key++)
		KUNIT_ASSERT_EQ(test, hmap_insert(s->h, &key, &key, HMAP_ANY,
						  GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, hmap_grow(s->h, GFP_KERNEL), 0);
	KUNIT_ASSERT_TRUE(test, growing(s->h));
}

/*
 * A writer wants room in the array that a clear has replaced, and would get it
 * in the present one, time and again.
 */
static void no_room_from_before_clear(struct kunit *test)
{
	struct stale *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	bool stopped, cleared = false, done;

	KUNIT_ASSERT_NOT_NULL(test, s);
	chain_of_mapped(test, s);
	stopped = stale_start(s, clear_thread);
	if (stopped)
		cleared = clear(s);
	done = stale_end(s);
	if (!done)
		hmap_set_limits(s->h, 0, 1);	/* so that he ends at all */
	crew_stop(&s->crew);
	KUNIT_ASSERT_TRUE(test, stopped);
	KUNIT_ASSERT_TRUE(test, cleared);
	KUNIT_ASSERT_TRUE(test, done);
	KUNIT_EXPECT_EQ(test, hmap_len(s->h), 0);
	hmap_test_check_settled(test, s->h);
}

static struct kunit_case stale_cases[] = {
	KUNIT_CASE_PARAM(across_one_growth, op_gen_params),
	KUNIT_CASE_PARAM(across_two_growths, op_gen_params),
	KUNIT_CASE_PARAM(across_clear, op_gen_params),
	KUNIT_CASE_PARAM(across_clear_while_growing, op_gen_params),
	KUNIT_CASE(growth_of_before_clear),
	KUNIT_CASE(no_room_from_before_clear),
	{}
};

static struct kunit_suite stale_suite = {
	.name = "hmap_stale",
	.test_cases = stale_cases,
};

kunit_test_suite(stale_suite);
