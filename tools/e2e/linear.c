// SPDX-License-Identifier: GPL-2.0
/*
 * Linearizability of what processes do with a mapped map, lookups through views
 * among it: they run random operations on a few keys and note when each was called
 * and when it replied.  Time is a counter that all increment, which is a full
 * barrier.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <hmap.h>
#include <hmap_view.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "device.h"

typedef __u64 u64;

#define U64_MAX		(~0ULL)
#define BIT_ULL(n)	(1ULL << (n))
static inline u64 min(u64 a, u64 b)
{
	return a < b ? a : b;
}

#define hash_64(x, bits)	((x) * 0x61C8864680B583EBULL >> (64 - (bits)))

#include "linear.h"

#define NR_PROCESSES	3
#define NR_KEYS		3
#define NR_OPS		16	/* by each process, in each round */
#define NR_FILLERS	256	/* keys that come and go between */
#define WORDS		2	/* of an elem */
#define TORN		(~0ULL)	/* nobody stores it */
#define TEST_MS		30000

static_assert(NR_PROCESSES * NR_OPS + 1 <= MAX_EVENTS, "events");

struct elem {
	u64 word[WORDS];
};

HMAP_VIEW_DEFINE(elems, u64, struct elem)

/* What the processes share. */
static struct stage {
	int round;		/* that may begin, or -1: end */
	int ready;		/* processes that are in it */
	int finished;		/* and have ended it */
	u64 time;
	struct process {
		unsigned int nr;
		struct {
			unsigned int key;
			struct event e;
		} did[NR_OPS + 1];
	} process[NR_PROCESSES];
} *stage;

static u64 now(void)
{
	return __atomic_add_fetch(&stage->time, 1, __ATOMIC_SEQ_CST);
}

/* What a process has for itself. */
static struct {
	int who;
	int fd;
	struct hmap_view *view;
	u64 stored;		/* so that no two store the same */
	u64 last[NR_KEYS];	/* seen of each key */
} own;

static struct elem elem_of(u64 val)
{
	return (struct elem) { { val, val + 1 } };
}

static u64 value_of(const struct elem *elem)
{
	return elem->word[1] == elem->word[0] + 1 ? elem->word[0] : TORN;
}

static int do_update(const struct event *e, u64 key, struct elem *old)
{
	const struct elem elem = elem_of(e->arg), expect = elem_of(e->expect);
	__u32 len = sizeof(*old);

	switch (e->op) {
	case TAKE:
		return hmap_take(own.fd, &key, 8, old, &len);
	case XCHG:
		return hmap_xchg(own.fd, &key, 8, &elem, sizeof(elem), old,
				 &len, HMAP_INSERT_EXIST);
	default:
		return hmap_cmpxchg(own.fd, &key, 8, &expect, sizeof(expect),
				    &elem, sizeof(elem), NULL, NULL);
	}
}

static int do_call(const struct event *e, u64 key, struct elem *old)
{
	const struct elem elem = elem_of(e->arg);
	__u32 len = sizeof(*old);

	switch (e->op) {
	case LOOKUP:
		if (random_u32() % 4)
			return elems_lookup(own.view, key, old);
		return hmap_lookup(own.fd, &key, 8, old, &len);
	case INSERT:
	case NOEXIST:
	case EXIST:
		return hmap_insert(own.fd, &key, 8, &elem, sizeof(elem),
				   e->op == INSERT ? HMAP_INSERT_ANY :
				   e->op == NOEXIST ? HMAP_INSERT_NOEXIST :
						      HMAP_INSERT_EXIST);
	case DELETE:
		return hmap_delete(own.fd, &key, 8);
	case CLEAR:
		return hmap_clear(own.fd);
	default:
		return do_update(e, key, old);
	}
}

static void do_event(enum op what, unsigned int key)
{
	struct process *p = &stage->process[own.who];
	struct event *e = &p->did[p->nr].e;
	struct elem old = { { 0 } };

	p->did[p->nr++].key = key;
	*e = (struct event) { .op = what };
	e->arg = ++own.stored * 2 * NR_PROCESSES + own.who;
	if (what == CMPXCHG)
		e->expect = own.last[key];

	e->call = now();
	e->ret = do_call(e, key, &old) < 0 ? -errno : 0;
	e->reply = now();

	e->got = value_of(&old);
	if (!e->ret && key < NR_KEYS)
		own.last[key] = what == LOOKUP ? e->got : e->arg;
}

static void fill(void)
{
	struct elem elem = elem_of(1);
	unsigned int n = random_u32() % 8;

	while (n--) {
		u64 key = NR_KEYS + random_u32() % NR_FILLERS;

		if (random_u32() % 4)
			hmap_insert(own.fd, &key, 8, &elem, sizeof(elem),
				    HMAP_INSERT_ANY);
		else
			hmap_delete(own.fd, &key, 8);
	}
}

static void do_round(int round)
{
	int clear_at = NR_OPS;

	if (round % 4 == 1 && own.who == 0)
		clear_at = random_u32() % NR_OPS;
	for (int i = 0; i < NR_OPS; i++) {
		enum op op = random_u32() % NR_KEY_OPS;

		/* Lookups are what this is about; elems are no integers. */
		if (op == ADD || random_u32() % 4 == 0)
			op = LOOKUP;
		do_event(op, random_u32() % NR_KEYS);
		fill();
		if (i == clear_at)
			do_event(CLEAR, NR_KEYS);
	}
}

static void wait_for(const int *counter, int least)
{
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < least)
		sched_yield();
}

/* A map of its own for each round, and views of it that saw its first array. */
static void take_part(int who)
{
	for (int i = 0; i < who; i++)
		random_u32();
	own.who = who;
	for (int round = 1;; round++) {
		wait_for(&stage->round, round);
		if (stage->round == INT32_MAX)
			exit(0);
		own.fd = hmap_open("linear", O_RDWR);
		OK(own.fd >= 0);
		own.view = hmap_view(own.fd);
		OK(own.view);
		stage->process[who].nr = 0;
		__atomic_add_fetch(&stage->ready, 1, __ATOMIC_ACQ_REL);
		wait_for(&stage->ready, round * NR_PROCESSES);
		do_round(round);
		hmap_view_close(own.view);
		close(own.fd);
		__atomic_add_fetch(&stage->finished, 1, __ATOMIC_ACQ_REL);
	}
}

/* All that happened to a key, by whomever. */
static void collect(struct history *h, unsigned int key)
{
	h->nr = 0;
	for (int i = 0; i < NR_PROCESSES; i++) {
		const struct process *p = &stage->process[i];

		for (unsigned int j = 0; j < p->nr; j++)
			if (p->did[j].key == key || p->did[j].e.op == CLEAR)
				h->event[h->nr++] = p->did[j].e;
	}
}

static void check_key(unsigned int key)
{
	static struct checker checker;
	static struct history h;

	collect(&h, key);
	if (is_linear(&checker, &h))
		return;
	for (unsigned int i = 0; i < h.nr; i++)
		printf("# %llu-%llu: op %d arg %llx expect %llx: %d got %llx\n",
		       h.event[i].call, h.event[i].reply, h.event[i].op,
		       h.event[i].arg, h.event[i].expect, h.event[i].ret,
		       h.event[i].got);
	fail(__FILE__, __LINE__, "the history of key %u is not linearizable",
	     key);
}

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void histories(void)
{
	struct hmap_create create = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = sizeof(struct elem),
		.flags = HMAP_CREATE_MAPPED,
		.mode = 0600,
	};
	u64 end = now_ms() + TEST_MS, growths = 0;
	pid_t pids[NR_PROCESSES];
	int round = 0;

	stage = shared(sizeof(*stage));
	for (int i = 0; i < NR_PROCESSES; i++) {
		pids[i] = spawn();
		if (!pids[i])
			take_part(i);
	}
	while (now_ms() < end) {
		int fd = hmap_create("linear", &create);

		OK(fd >= 0);
		__atomic_store_n(&stage->round, ++round, __ATOMIC_RELEASE);
		wait_for(&stage->finished, round * NR_PROCESSES);
		growths += info(fd).growths;
		EQ(hmap_unlink("linear"), 0);
		close(fd);
		for (unsigned int key = 0; key < NR_KEYS; key++)
			check_key(key);
	}
	__atomic_store_n(&stage->round, INT32_MAX, __ATOMIC_RELEASE);
	for (int i = 0; i < NR_PROCESSES; i++)
		join(pids[i]);
	printf("# %d rounds, %llu growths\n", round, growths);
	OK(growths);
}

static const struct test tests[] = {
	TEST(histories),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
