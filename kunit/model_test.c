// SPDX-License-Identifier: GPL-2.0
/*
 * A map and a model of it do the same random operations, a million and more in
 * all, and have to agree on what comes of each.  The model is an array indexed
 * by the number of the key.
 *
 * The operations follow from hmap_kunit.model_seed, which each case prints.
 * What the map draws for itself, seeds of hashes and starts of walks, does not.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "../core/internal.h"
#include "util.h"

#define NR_KEYS		4096
#define NR_WALKS	3
#define NR_MAPS		2	/* in a case */
#define NR_OPS		34000	/* on each */
#define NR_OPS_DEAR	7000	/* on each that allocates for each entry */
#define NR_OPS_ALL	1000000
#define PHASE		700	/* operations */
#define CHECK_EVERY	2500
#define SKEW		8	/* one key in so many is put at a time */

static unsigned long long model_seed;
module_param(model_seed, ullong, 0444);
MODULE_PARM_DESC(model_seed, "Seed of the random operations (0: a random one)");

static unsigned long ops_done, same_size_growths;

struct model_walk {
	struct hmap_iter it;
	bool open;
	u32 begun;
	u32 given[NR_KEYS];	/* when, 0: not yet */
};

struct model {
	struct kunit *test;
	struct hmap *h;
	struct rnd_state rnd;
	u32 now;		/* number of the operation */
	u32 fresh;		/* elem that has not been stored yet */

	u32 elem[NR_KEYS];	/* 0: not there */
	u32 born[NR_KEYS];	/* since when */
	unsigned long count;
	u32 empty;		/* when it was, last */
	struct model_walk walks[NR_WALKS];

	/* Which keys are put, and in hundredths, how often one is. */
	u32 skew, class, puts;

	struct hmap_test_key key;
	struct hmap_test_elem new, old, got;
};

/* Map and model have to agree on this. */
static void agree(struct model *m, const char *what, long is, long wanted)
{
	KUNIT_ASSERT_EQ_MSG(m->test, is, wanted, "%s, operation %u", what,
			    m->now);
}

static u32 random(struct model *m, u32 below)
{
	return prandom_u32_state(&m->rnd) % below;
}

static const void *key(struct model *m, u32 i)
{
	return hmap_test_key(m->h, i, &m->key);
}

static void set(struct model *m, u32 i, u32 elem)
{
	if (!m->elem[i] != !elem) {
		m->count += elem ? 1 : -1;
		m->born[i] = m->now;
		if (!m->count)
			m->empty = m->now;
	}
	m->elem[i] = elem;
}

static bool is_elem(struct model *m, const void *data, u32 len, u32 elem)
{
	hmap_test_elem(m->h, elem, &m->old);
	return len == (m->h->t.var_elem ? m->old.var.len : m->h->t.elem_size) &&
	       !memcmp(data, m->old.data, len);
}

/* What an operation that returned 0 has copied. */
static void agree_on_got(struct model *m, u32 i, int ret)
{
	if (!ret)
		agree(m, "elem", is_elem(m, m->got.data, m->h->t.elem_size,
					 m->elem[i]), true);
}

/* === The operations === */

static void op_insert(struct model *m, u32 i)
{
	enum hmap_mode mode = random(m, 4);
	u32 new = ++m->fresh;
	int ret, want = 0;

	if (mode > HMAP_EXIST)
		mode = HMAP_ANY;
	if (m->elem[i] && mode == HMAP_NOEXIST)
		want = -EEXIST;
	else if (!m->elem[i] && mode == HMAP_EXIST)
		want = -ENOENT;
	else if (!m->elem[i] && m->count == m->h->max_entries)
		want = -ENOSPC;

	ret = hmap_insert(m->h, key(m, i), hmap_test_elem(m->h, new, &m->new),
			  mode, GFP_KERNEL);
	agree(m, "insert", ret, want);
	if (!want)
		set(m, i, new);
}

static void op_lookup(struct model *m, u32 i)
{
	int want = m->elem[i] ? 0 : -ENOENT;
	struct hmap_held held;
	bool right;

	if (!m->h->t.var_elem) {
		agree(m, "lookup", hmap_lookup(m->h, key(m, i), m->got.data),
		      want);
		agree_on_got(m, i, want);
	}
	if (m->h->t.indirect_elem) {
		agree(m, "hold", hmap_hold(m->h, key(m, i), &held), want);
		if (want)
			return;
		right = is_elem(m, held.data, held.len, m->elem[i]);
		hmap_release(&held);
		agree(m, "elem held", right, true);
	}
}

static void op_delete(struct model *m, u32 i)
{
	agree(m, "delete", hmap_delete(m->h, key(m, i)),
	      m->elem[i] ? 0 : -ENOENT);
	set(m, i, 0);
}

static void op_take(struct model *m, u32 i)
{
	int want = m->elem[i] ? 0 : -ENOENT;

	if (m->h->t.var_elem)
		want = -EOPNOTSUPP;
	agree(m, "take", hmap_take(m->h, key(m, i), m->got.data), want);
	agree_on_got(m, i, want);
	if (!want)
		set(m, i, 0);
}

static void op_xchg(struct model *m, u32 i)
{
	int ret, want = m->elem[i] ? 0 : -ENOENT;
	u32 new = ++m->fresh;

	if (m->h->t.var_elem)
		want = -EOPNOTSUPP;
	ret = hmap_xchg(m->h, key(m, i), hmap_test_elem(m->h, new, &m->new),
			m->got.data, GFP_KERNEL);
	agree(m, "xchg", ret, want);
	agree_on_got(m, i, want);
	if (!want)
		set(m, i, new);
}

static void op_cmpxchg(struct model *m, u32 i)
{
	bool stale = m->h->t.elem_size && random(m, 2);
	int ret, want = !m->elem[i] ? -ENOENT : stale ? -ESTALE : 0;
	u32 new = ++m->fresh;

	ret = hmap_cmpxchg(m->h, key(m, i),
			   hmap_test_elem(m->h, m->elem[i] + stale, &m->old),
			   hmap_test_elem(m->h, new, &m->new), GFP_KERNEL);
	agree(m, "cmpxchg", ret, want);
	if (!want)
		set(m, i, new);
}

/* What makes the elem another of those that hmap_test_elem() knows. */
static void op_fetch_add(struct model *m, u32 i)
{
	u32 new = ++m->fresh, size = m->h->t.elem_size;
	int ret, want = m->elem[i] ? 0 : -ENOENT;
	u64 from, to, was;

	if (m->h->t.var_elem || (size != 4 && size != 8)) {
		ret = hmap_fetch_add(m->h, key(m, i), 1, &was);
		agree(m, "fetch_add", ret, -EOPNOTSUPP);
		return;
	}
	from = hmap_test_number(hmap_test_elem(m->h, m->elem[i], &m->old), size);
	to = hmap_test_number(hmap_test_elem(m->h, new, &m->new), size);
	ret = hmap_fetch_add(m->h, key(m, i), to - from, &was);
	agree(m, "fetch_add", ret, want);
	if (want)
		return;
	agree(m, "what was added to", was, from);
	set(m, i, new);
}

static void op_clear(struct model *m)
{
	u32 i;

	hmap_clear(m->h);
	for (i = 0; i < NR_KEYS; i++)
		set(m, i, 0);
}

/* === Walks === */

/* Nothing that is given may differ, and an entry is not given twice. */
static void check_given(struct model *m, struct model_walk *w)
{
	struct hmap_iter *it = &w->it;
	u32 i = hmap_test_number(it->key, it->key_len), len;

	agree(m, "key given", i < NR_KEYS, true);
	key(m, i);
	len = hmap_test_key_len(m->h, i);
	agree(m, "length of the key given", it->key_len, len);
	agree(m, "key given", memcmp(it->key, m->key.data, len), 0);
	agree(m, "given is there", !!m->elem[i], true);
	agree(m, "elem given",
	      is_elem(m, it->elem, it->elem_len, m->elem[i]), true);
	agree(m, "given twice",
	      w->given[i] && m->born[i] <= w->given[i], false);
	w->given[i] = m->now;
}

static void check_all_given(struct model *m, struct model_walk *w)
{
	u32 i;

	for (i = 0; i < NR_KEYS; i++)
		if (m->elem[i] && m->born[i] < w->begun)
			agree(m, "was given", !!w->given[i], true);
}

static void end_walk(struct model_walk *w)
{
	if (w->open)
		hmap_iter_exit(&w->it);
	w->open = false;
}

/* Begin a walk, or put it down and go on with it; what that returns. */
static int begin_walk(struct model *m, struct model_walk *w)
{
	struct hmap_cursor cursor = w->it.cursor;
	bool open = w->open;

	end_walk(w);
	if (!open) {
		cursor = (struct hmap_cursor){};
		memset(w->given, 0, sizeof(w->given));
		w->begun = m->now;
	}
	w->open = !hmap_iter_init(&w->it, m->h, &cursor);
	return w->open ? 0 : -ESTALE;
}

static void op_walk(struct model *m)
{
	struct model_walk *w = &m->walks[random(m, NR_WALKS)];
	u32 n = random(m, random(m, 100) ? 20 : NR_KEYS);
	int ret = 1;

	if (!w->open || (w->it.last && random(m, 2)))
		ret = begin_walk(m, w) ?: 1;
	while (ret == 1 && n--) {
		ret = hmap_iter_next(&w->it);
		if (ret == 1)
			check_given(m, w);
	}
	if (ret == -ESTALE)
		agree(m, "was empty", !m->count || m->empty >= w->begun, true);
	else
		agree(m, "iter_next", ret, !!ret);
	if (!ret)
		check_all_given(m, w);
	if (ret != 1 || !random(m, 200))
		end_walk(w);
}

/* === The course of things === */

/* Times of inserting and times of deleting, and of other keys. */
static void new_phase(struct model *m)
{
	static const u32 puts[] = { 20, 50, 70, 90 };

	m->puts = puts[random(m, ARRAY_SIZE(puts))];
	m->class = random(m, m->skew);
}

static u32 key_to_put(struct model *m)
{
	return random(m, NR_KEYS / m->skew) * m->skew + m->class;
}

/* Most often one that is there. */
static u32 some_key(struct model *m)
{
	u32 i, first = random(m, NR_KEYS), tries = random(m, 200);

	for (i = first; tries-- && !m->elem[i];)
		i = (i + 1) % NR_KEYS;
	return i;
}

static void operate(struct model *m)
{
	u32 i = some_key(m), what = random(m, 100);

	if (what < 55) {
		if (random(m, 100) < m->puts)
			op_insert(m, key_to_put(m));
		else if (random(m, 2))
			op_delete(m, i);
		else
			op_take(m, i);
	} else if (what < 75) {
		op_lookup(m, i);
	} else if (what < 82) {
		op_xchg(m, i);
	} else if (what < 88) {
		op_cmpxchg(m, i);
	} else if (what < 94) {
		op_fetch_add(m, i);
	} else {
		op_walk(m);
	}
}

static void compare(struct model *m)
{
	u32 i;

	for (i = 0; i < NR_KEYS; i++)
		op_lookup(m, i);
	hmap_test_check(m->test, m->h);
}

static void run_map(struct model *m, const struct hmap_params *params)
{
	const unsigned long delays[] = { 0, HZ / 10, MAX_JIFFY_OFFSET };
	u32 i, n, stop;

	m->h = hmap_test_create(m->test, params);
	m->h->finish_delay = delays[random(m, ARRAY_SIZE(delays))];
	m->puts = 90;
	n = m->h->t.indirect_key || m->h->t.indirect_elem ? NR_OPS_DEAR : NR_OPS;
	for (stop = m->now + n; m->now < stop; m->now++) {
		if (m->now % PHASE == 0)
			new_phase(m);
		if (!random(m, 10000))
			op_clear(m);
		operate(m);
		agree(m, "len", hmap_len(m->h), m->count);
		if (m->now % CHECK_EVERY == 0) {
			hmap_test_check(m->test, m->h);
			cond_resched();
		}
	}
	compare(m);
	for (i = 0; i < NR_WALKS; i++)
		end_walk(&m->walks[i]);
	kunit_info(m->test, "B=%u, %lu entries, %lu growths, %lu same-size",
		   hmap_test_header(m->h).B, m->count, m->h->growths, m->h->same_size_growths);
	agree(m, "4 growths or more", m->h->growths >= 4, true);
	ops_done += n;
	same_size_growths += m->h->same_size_growths;
}

static void run(struct kunit *test, u32 skew,
		u64 (*hasher)(const void *, size_t, u32),
		const u32 max_entries[NR_MAPS])
{
	const struct hmap_test_kind *kind = test->param_value;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u64 seed = model_seed ?: get_random_u64();
	struct hmap_params params = kind->params;
	unsigned int map;

	KUNIT_ASSERT_NOT_NULL(test, m);
	kunit_info(test, "model_seed=%llu", seed);
	prandom_seed_state(&m->rnd, seed);
	m->test = test;
	m->now = 1;
	m->skew = skew;
	params.hasher = hasher;
	for (map = 0; map < NR_MAPS; map++) {
		params.max_entries = max_entries[map];
		memset(m->elem, 0, sizeof(m->elem));
		m->count = 0;
		run_map(m, &params);
	}
}

static void random_hash(struct kunit *test)
{
	const u32 max_entries[NR_MAPS] = { 0, 1800 };

	run(test, 1, NULL, max_entries);
}

/* Chains come and go where the keys crowd now here, now there. */
static void crowded_hash(struct kunit *test)
{
	const u32 max_entries[NR_MAPS] = { 200, 400 };

	run(test, SKEW, hmap_test_identity, max_entries);
}

static void a_million(struct kunit *test)
{
	kunit_info(test, "%lu operations, %lu same-size growths", ops_done,
		   same_size_growths);
	KUNIT_EXPECT_GE(test, ops_done, NR_OPS_ALL);
	KUNIT_EXPECT_GE(test, same_size_growths, 10);
}

KUNIT_ARRAY_PARAM(each_kind, hmap_test_kinds, hmap_test_describe_kind);

static struct kunit_case model_cases[] = {
	KUNIT_CASE_PARAM(random_hash, each_kind_gen_params),
	KUNIT_CASE_PARAM(crowded_hash, each_kind_gen_params),
	KUNIT_CASE(a_million),
	{}
};

static struct kunit_suite model_suite = {
	.name = "hmap_model",
	.test_cases = model_cases,
};

kunit_test_suite(model_suite);
