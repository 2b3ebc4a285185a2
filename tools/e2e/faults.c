// SPDX-License-Identifier: GPL-2.0
/*
 * Make each call with its first allocation or user access failing, then with its
 * second, and so on until none is left to fail.  It must do what it does otherwise,
 * or fail with ENOMEM or EFAULT and change nothing.  The number of allocations may
 * differ from call to call, so only a call in which no failure was injected ends
 * a sweep.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>

#include "model.h"

#define DEBUG		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

static const char * const kinds[] = {
	"failslab", "fail_page_alloc", "fail_usercopy"
};

#define TIMES	1000000000	/* each failure takes one off */

static void set_kind(const char *kind, const char *what, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUG "%s/%s", kind, what);
	if (!access(path, W_OK))
		write_file(path, value);
}

/* Failures of a kind that were made since main() began. */
static long failures_of(const char *kind)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), DEBUG "%s/times", kind);
	if (access(path, R_OK))
		return 0;
	read_file(path, text, sizeof(text));
	return TIMES - atol(text);
}

static void need_faults(void)
{
	if (access(DEBUG "failslab", F_OK) || access(FAIL_NTH, W_OK))
		skip("the kernel has no fault injection");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		set_kind(kinds[i], "probability", "0");
		set_kind(kinds[i], "verbose", "0");
		/* Also of allocations that may sleep, and of single pages */
		set_kind(kinds[i], "ignore-gfp-wait", "N");
		set_kind(kinds[i], "ignore-gfp-highmem", "N");
		set_kind(kinds[i], "min-order", "0");
	}
}

static bool is_injected(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

static int fail_nth_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	OK(fd >= 0);
	return fd;
}

/* Only the call under test may come between arm() and disarm(). */
static void arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	EQ(pwrite(fail_nth_fd(), text, len, 0), len);
}

static unsigned int nr_injected;

/* What is left of @nth of arm(@nth), 0 if the failure was injected. */
static unsigned int disarm_at(void)
{
	char text[16] = { 0 };
	unsigned int left = 1;

	/* If it was not, it may hit one of the calls here. */
	if (pread(fail_nth_fd(), text, sizeof(text) - 1, 0) >= 0)
		left = atoi(text);
	if (pwrite(fail_nth_fd(), "0", 1, 0) < 0)
		arm(0);
	return left;
}

/* Return whether a failure was injected since arm(@nth). */
static bool disarm(unsigned int nth)
{
	bool injected = nth && !disarm_at();

	nr_injected += injected;
	return injected;
}

static void check_injected(unsigned int least)
{
	printf("# %u failures were made\n", nr_injected);
	OK(nr_injected >= least);
}

/* === Calls on a map === */

/*
 * Numbers of elems.  Where these vary, they have 10 and 4032 bytes, so that
 * INSERT_BATCH copies two at a time.
 */
#define WAS	10
#define IS	64

#define ENTRIES	105	/* in a map, at most, when the call is made */
#define BATCH	8

/*
 * What the map is when a call is made, by what EXPLAIN says of the key that is
 * not there.
 */
static const struct start {
	const char *name;
	__u32 hint;
	__u32 nr;
	__u32 mask;
	__u32 flags;
} starts[] = {
	{ "no array", 0, 0, HMAP_EXPLAIN_BUCKETS, 0 },
	{ "room", 104, 50, HMAP_EXPLAIN_CHAINS, 0 },
	{ "no room in the chain", 104, 100, HMAP_EXPLAIN_CHAINS,
	  HMAP_EXPLAIN_CHAINS },
	{ "growth is due", 1, 8, HMAP_EXPLAIN_DOUBLES, HMAP_EXPLAIN_DOUBLES },
	{ "growing", 104, ENTRIES, HMAP_EXPLAIN_IN_OLD, HMAP_EXPLAIN_IN_OLD },
};

/**
 * struct stage - what an attempt is made with
 * @m: the map, if @made
 * @made: there is one that is as @start says
 * @start: what it was to be
 * @call: the call to be made
 * @absent: a key that is not there
 * @key: the one that is called for; of a batch, the first
 * @nth: which allocation or access is to fail
 * @injected: it was there to fail
 * @results: of a batch; positive where none was written
 * @done: how many of its entries were done
 */
struct stage {
	struct model m;
	bool made;
	const struct start *start;
	const struct op_call *call;
	__u32 absent;
	__u32 key;
	unsigned int nth;
	bool injected;
	__s32 results[ENTRIES];
	__u32 done;
};

/**
 * struct outcome - what is to become of a call
 * @err: 0, or what it has to fail with
 * @elem: the number of the elem that is there afterwards; 0 for none
 */
struct outcome {
	int err;
	__u32 elem;
};

/**
 * struct op_call - a call on a map
 * @name: what it is
 * @run: makes it
 * @cmd: its number
 * @flags: its flags or, of UPDATE, its op
 * @there: what is to become of a key that is there, and
 * @absent: of one that is not
 */
struct op_call {
	const char *name;
	int (*run)(struct stage *s);
	unsigned long cmd;
	__u32 flags;
	struct outcome there;
	struct outcome absent;
};

/*
 * Make a call with a failure.  Nothing is aligned, since where it is, the kernel
 * has short ways to copy it, in which none can be injected.
 */
static int armed(struct stage *s, int fd, unsigned long cmd, void *arg)
{
	static char room[512];
	int err;

	memcpy(room + 1, arg, _IOC_SIZE(cmd));
	arm(s->nth);
	err = call(fd, cmd, room + 1);
	s->injected = disarm(s->nth);
	memcpy(arg, room + 1, _IOC_SIZE(cmd));
	return err;
}

static char key_room[MODEL_BYTES + 1], elem_room[MODEL_BYTES + 1],
	    other_room[MODEL_BYTES + 1];
static void *const key_at = key_room + 1, *const elem_at = elem_room + 1,
	   *const other_at = other_room + 1;

static bool is_elem(const struct stage *s, __u32 nr, const void *elem,
		    __u32 len)
{
	static char want[MODEL_BYTES];

	return len == model_elem(&s->m, nr, want) && !memcmp(elem, want, len);
}

static int run_entry(struct stage *s)
{
	const struct op_call *c = s->call;
	struct hmap_entry e = {
		.key = (uintptr_t)key_at,
		.key_len = model_key(&s->m, s->key, key_at),
		.flags = c->flags,
	};
	int err;

	if (c->cmd != HMAP_IOC_DELETE)
		e.elem = (uintptr_t)elem_at;
	if (c->cmd == HMAP_IOC_INSERT)
		e.elem_len = model_elem(&s->m, IS, elem_at);
	if (c->cmd == HMAP_IOC_LOOKUP)
		e.elem_len = s->m.shape.elem_size;
	err = armed(s, s->m.fd, c->cmd, &e);
	if (c->cmd == HMAP_IOC_LOOKUP && !err)
		OK(is_elem(s, WAS, elem_at, e.elem_len));
	return err;
}

static __u64 integer(const struct stage *s, __u32 nr)
{
	__u64 value = 0;

	model_elem(&s->m, nr, &value);
	return value;
}

/* What makes an integer IS, as if it had been 0 where it is not there. */
static __u32 put_delta(const struct stage *s, void *to)
{
	__u64 delta = integer(s, IS);

	if (s->m.elem[s->key])
		delta -= integer(s, WAS);
	memcpy(to, &delta, s->m.shape.elem_size);
	return s->m.shape.elem_size;
}

static bool has_integers(const struct stage *s)
{
	return (s->m.shape.elem_size == 4 || s->m.shape.elem_size == 8) &&
	       !(s->m.shape.flags & HMAP_CREATE_VAR_ELEM);
}

static int run_update(struct stage *s)
{
	bool adds = s->call->cmd == HMAP_UPDATE_ADD;
	struct hmap_update u = {
		.key = (uintptr_t)key_at,
		.key_len = model_key(&s->m, s->key, key_at),
		.old = (uintptr_t)other_at,
		.old_len = s->m.shape.elem_size,
		.op = s->call->cmd,
		.flags = s->call->flags,
	};
	static char expect[MODEL_BYTES + 1];
	int err;

	if (u.op != HMAP_UPDATE_TAKE) {
		u.elem = (uintptr_t)elem_at;
		u.elem_len = adds && has_integers(s) ?
			     put_delta(s, elem_at) :
			     model_elem(&s->m, IS, elem_at);
	}
	if (u.op == HMAP_UPDATE_CMPXCHG) {
		u.expect = (uintptr_t)expect + 1;
		u.expect_len = model_elem(&s->m, s->call->there.err ? IS : WAS,
					  expect + 1);
	}
	err = armed(s, s->m.fd, HMAP_IOC_UPDATE, &u);
	if (!err || err == -ESTALE || err == -EEXIST) {
		EQ(u.present, !!s->m.elem[s->key]);
		if (u.present)
			OK(is_elem(s, WAS, other_at, u.old_len));
	}
	return err;
}

#define KEEP	WAS	/* of one that is there */

static const struct op_call one_entry[] = {
	{ "INSERT", run_entry, HMAP_IOC_INSERT, HMAP_INSERT_ANY,
	  { 0, IS }, { 0, IS } },
	{ "INSERT NOEXIST", run_entry, HMAP_IOC_INSERT, HMAP_INSERT_NOEXIST,
	  { -EEXIST, KEEP }, { 0, IS } },
	{ "INSERT EXIST", run_entry, HMAP_IOC_INSERT, HMAP_INSERT_EXIST,
	  { 0, IS }, { -ENOENT, 0 } },
	{ "LOOKUP", run_entry, HMAP_IOC_LOOKUP, 0, { 0, KEEP }, { -ENOENT, 0 } },
	{ "DELETE", run_entry, HMAP_IOC_DELETE, 0, { 0, 0 }, { -ENOENT, 0 } },
	{ "UPDATE XCHG", run_update, HMAP_UPDATE_XCHG, HMAP_INSERT_ANY,
	  { 0, IS }, { 0, IS } },
	{ "UPDATE XCHG NOEXIST", run_update, HMAP_UPDATE_XCHG,
	  HMAP_INSERT_NOEXIST, { -EEXIST, KEEP }, { 0, IS } },
	{ "UPDATE CMPXCHG", run_update, HMAP_UPDATE_CMPXCHG, 0,
	  { 0, IS }, { -ENOENT, 0 } },
	{ "UPDATE CMPXCHG of another", run_update, HMAP_UPDATE_CMPXCHG, 0,
	  { -ESTALE, KEEP }, { -ENOENT, 0 } },
	{ "UPDATE ADD", run_update, HMAP_UPDATE_ADD, HMAP_INSERT_ANY,
	  { 0, IS }, { 0, IS } },
	{ "UPDATE TAKE", run_update, HMAP_UPDATE_TAKE, 0,
	  { 0, 0 }, { -ENOENT, 0 } },
};

static struct outcome outcome_of(const struct stage *s, __u32 key)
{
	const struct op_call *c = s->call;
	struct outcome want = s->m.elem[key] ? c->there : c->absent;

	if (c->run == run_update && c->cmd == HMAP_UPDATE_ADD &&
	    !has_integers(s))
		want = (struct outcome){ -EOPNOTSUPP, s->m.elem[key] };
	/* All elems of no bytes are the same. */
	if (!s->m.shape.elem_size && want.elem)
		want.elem = WAS;
	if (!s->m.shape.elem_size && want.err == -ESTALE)
		want.err = 0;
	return want;
}

/* The number of the elem that is there: what it was, or @is; 0 for none. */
static __u32 elem_now(const struct stage *s, __u32 key, __u32 is)
{
	__u32 len = s->m.shape.elem_size, was = s->m.elem[key];
	int err;

	err = lookup(s->m.fd, key_at, model_key(&s->m, key, key_at), elem_at,
		     &len);
	if (err) {
		EQ(err, -ENOENT);
		return 0;
	}
	if (is && is_elem(s, is, elem_at, len))
		return is;
	OK(was && is_elem(s, was, elem_at, len));
	return was;
}

/*
 * A call returned @err that was to do @want with a key.  EFAULT may come from
 * writing the result, after the change.
 */
static void check_key(struct stage *s, __u32 key, int err, struct outcome want)
{
	__u32 now = elem_now(s, key, want.elem), was = s->m.elem[key];

	if (!s->injected)
		EQ(err, want.err);
	OK(err == want.err || is_injected(err));
	if (err == want.err)
		EQ(now, want.elem);
	else if (err == -EFAULT)
		OK(now == was || now == want.elem);
	else
		EQ(now, was);
	s->m.elem[key] = now;
	s->m.count += !!now - !!was;
}

/* Put arguments of a batch of @nr keys from @key on together. */
static struct hmap_batch batch_of(struct stage *s, __u32 key, __u32 nr,
				  __u32 elem)
{
	static char keys[ENTRIES * MODEL_BYTES + 1],
		    elems[ENTRIES * MODEL_BYTES + 1];
	static __u32 key_lens[ENTRIES], elem_lens[ENTRIES];
	char *to = keys + 1, *elem_to = elems + 1;
	bool var = s->m.shape.flags & HMAP_CREATE_VAR_ELEM;

	for (__u32 i = 0; i < nr; i++) {
		key_lens[i] = model_key(&s->m, key + i, to);
		elem_lens[i] = model_elem(&s->m, elem, elem_to);
		to += key_lens[i];
		elem_to += elem_lens[i];
	}
	memset(s->results, 0x5a, sizeof(s->results));
	return (struct hmap_batch){
		.keys = (uintptr_t)keys + 1,
		.key_lens = s->m.shape.key_kind == HMAP_KIND_STRING ?
			    (uintptr_t)key_lens : 0,
		.elems = (uintptr_t)elems + 1,
		.elem_lens = var ? (uintptr_t)elem_lens : 0,
		.results = (uintptr_t)s->results,
		.count = nr,
	};
}

static void check_looked_up(const struct stage *s, const struct hmap_batch *b)
{
	const __u32 *lens = (void *)(uintptr_t)b->elem_lens;
	const char *elem = (void *)(uintptr_t)b->elems;

	for (__u32 i = 0; i < b->count; i++) {
		__u32 len = lens ? lens[i] : s->m.shape.elem_size;

		if (!s->results[i])
			OK(is_elem(s, WAS, elem, len));
		elem += len;
	}
}

static int run_batch(struct stage *s)
{
	struct hmap_batch b = batch_of(s, s->key, BATCH, IS);
	int err;

	b.flags = s->call->flags;
	if (s->call->cmd == HMAP_IOC_DELETE_BATCH) {
		b.elems = 0;
		b.elem_lens = 0;
	}
	if (s->call->cmd == HMAP_IOC_LOOKUP_BATCH && b.elem_lens)
		b.room = BATCH * MODEL_BYTES;
	err = armed(s, s->m.fd, s->call->cmd, &b);
	/* The first two accesses are to the argument, which stays as it was. */
	if (err == -EFAULT && s->nth <= 2) {
		EQ(b.count, BATCH);
		b.count = 0;
	}
	s->done = b.count;
	if (s->call->cmd == HMAP_IOC_LOOKUP_BATCH)
		check_looked_up(s, &b);
	return err;
}

static const struct op_call batches[] = {
	{ "INSERT_BATCH", run_batch, HMAP_IOC_INSERT_BATCH, HMAP_INSERT_ANY,
	  { 0, IS }, { 0, IS } },
	{ "INSERT_BATCH NOEXIST", run_batch, HMAP_IOC_INSERT_BATCH,
	  HMAP_INSERT_NOEXIST, { -EEXIST, KEEP }, { 0, IS } },
	{ "LOOKUP_BATCH", run_batch, HMAP_IOC_LOOKUP_BATCH, 0,
	  { 0, KEEP }, { -ENOENT, 0 } },
	{ "DELETE_BATCH", run_batch, HMAP_IOC_DELETE_BATCH, 0,
	  { 0, 0 }, { -ENOENT, 0 } },
};

/*
 * The first @done entries are done as their results say, and no other is begun.
 * Where a result could not be written, what it tells of was done.
 */
static void check_batch(struct stage *s, int err)
{
	bool lost = err == -EFAULT && s->call->cmd != HMAP_IOC_LOOKUP_BATCH;

	OK(!err || (s->injected && is_injected(err)));
	OK(s->done <= BATCH);
	if (!err)
		EQ(s->done, BATCH);
	for (__u32 i = 0; i < BATCH; i++) {
		struct outcome want = outcome_of(s, s->key + i);

		if (i >= s->done)
			EQ(elem_now(s, s->key + i, want.elem),
			   s->m.elem[s->key + i]);
		else if (lost && s->results[i] > 0)
			check_key(s, s->key + i, want.err, want);
		else
			check_key(s, s->key + i, s->results[i], want);
	}
}

/* === Calls on the whole map === */

static int run_next(struct stage *s)
{
	static __u64 buf[ENTRIES * (2 * MODEL_BYTES + 24) / 8];
	struct hmap_next n = { .buf = (uintptr_t)buf, .len = sizeof(buf) };
	__u32 seen[MODEL_KEYS] = { 0 };
	int err;

	err = armed(s, s->m.fd, HMAP_IOC_NEXT, &n);
	if (err) {
		EQ(n.cursor[0] | n.cursor[1] | n.cursor[2], 0);
		return err;
	}
	/* It tells of the records it has, and not of what went wrong then. */
	do {
		model_see(&s->m, &n, seen);
		EQ(next(s->m.fd, &n, buf, sizeof(buf)), 0);
	} while (n.count);
	for (__u32 key = 0; key < MODEL_KEYS; key++)
		EQ(seen[key], !!s->m.elem[key]);
	return 0;
}

static int run_info(struct stage *s)
{
	struct hmap_info i = { 0 };
	int err = armed(s, s->m.fd, HMAP_IOC_INFO, &i);

	if (!err)
		EQ(i.count, s->m.count);
	return err;
}

static int run_explain(struct stage *s)
{
	static __u64 chain[HMAP_EXPLAIN_CHAIN + 1];
	struct hmap_explain e = {
		.key = (uintptr_t)key_at,
		.key_len = model_key(&s->m, s->absent, key_at),
		.chain = (uintptr_t)chain + 1,
		.room = HMAP_EXPLAIN_CHAIN,
	};
	int err = armed(s, s->m.fd, HMAP_IOC_EXPLAIN, &e);

	if (!err)
		EQ(e.flags & s->start->mask, s->start->flags);
	return err;
}

static int run_set(struct stage *s)
{
	struct hmap_set set = {
		.flags = HMAP_SET_MODE | HMAP_SET_NAME | HMAP_SET_MAX_ENTRIES,
		.mode = 0640,
		.max_entries = 5000,
	};
	struct hmap_info before = info(s->m.fd), after;
	int err;

	snprintf(set.name, sizeof(set.name), "named by %d", getpid());
	err = armed(s, s->m.fd, HMAP_IOC_SET, &set);

	after = info(s->m.fd);
	if (err) {
		EQ(after.mode, before.mode);
		EQ(after.max_entries, before.max_entries);
		EQ(after.name[0], 0);
		set.flags = HMAP_SET_NAME;
		set.mode = 0;
		set.max_entries = 0;
		EQ(call(s->m.fd, HMAP_IOC_SET, &set), 0);
	} else {
		EQ(after.mode, 0640);
		EQ(after.max_entries, 5000);
	}
	EQ(unlink_map(s->m.fd, set.name), 0);
	return err;
}

static int run_clear(struct stage *s)
{
	struct hmap_clear arg = { 0 };
	int err = armed(s, s->m.fd, HMAP_IOC_CLEAR, &arg);

	if (!err) {
		memset(s->m.elem, 0, sizeof(s->m.elem));
		s->m.count = 0;
	}
	return err;
}

static const struct op_call whole_map[] = {
	{ .name = "NEXT", .run = run_next },
	{ .name = "INFO", .run = run_info },
	{ .name = "EXPLAIN", .run = run_explain },
	{ .name = "SET", .run = run_set },
	{ .name = "CLEAR", .run = run_clear },
};

/* === Sweeps === */

#define PICKS	64

/* Look for a key that is not there of which EXPLAIN says what is to be. */
static __u32 pick(const struct stage *s)
{
	__u32 key = s->start->nr;

	for (; key < s->start->nr + PICKS; key++) {
		struct hmap_explain e = {
			.key = (uintptr_t)key_at,
			.key_len = model_key(&s->m, key, key_at),
		};

		EQ(call(s->m.fd, HMAP_IOC_EXPLAIN, &e), 0);
		if ((e.flags & s->start->mask) == s->start->flags)
			return key;
	}
	return MODEL_KEYS;
}

static bool is_growing(void *fd)
{
	return info(*(int *)fd).state & HMAP_STATE_GROWING;
}

static void fill_map(struct stage *s, const struct hmap_create *shape)
{
	struct hmap_create arg = *shape;
	struct hmap_batch b;

	arg.hint = s->start->hint;
	model_make(&s->m, &arg);
	b = batch_of(s, 0, s->start->nr, WAS);
	EQ(call(s->m.fd, HMAP_IOC_INSERT_BATCH, &b), 0);
	for (__u32 i = 0; i < s->start->nr; i++) {
		EQ(s->results[i], 0);
		s->m.elem[i] = WAS;
	}
	s->m.count = s->start->nr;
	if (s->start->flags & HMAP_EXPLAIN_IN_OLD)
		OK(becomes_true(is_growing, &s->m.fd));
}

/* Whatever happened, later calls work. */
static void end_stage(struct stage *s)
{
	const struct op again = { INSERT, s->absent, IS, 0 };

	if (!s->made)
		return;
	EQ(model_do(&s->m, &again), 0);
	close(s->m.fd);
	s->made = false;
}

/*
 * Take the map that is there, if it still is as it was to be, or make one.  Seeds
 * differ, so that may take more than one.
 */
static void make_stage(struct stage *s, const struct hmap_create *shape)
{
	for (;;) {
		if (!s->made)
			fill_map(s, shape);
		s->made = true;
		s->absent = pick(s);
		if (s->absent != MODEL_KEYS)
			return;
		s->absent = 0;
		end_stage(s);
	}
}

/* What a call came to, in all sweeps of it */
struct tally {
	unsigned int calls;
	unsigned int injected;
	unsigned int most;	/* in a sweep */
};

static void attempt(struct stage *s, const struct hmap_create *shape,
		    bool on_absent)
{
	bool batch = s->call->run == run_batch;
	__u32 before[MODEL_KEYS];
	int err;

	make_stage(s, shape);
	memcpy(before, s->m.elem, sizeof(before));
	s->key = s->absent;
	if (!on_absent && s->start->nr)
		s->key = batch ? s->start->nr - BATCH / 4 :
				 s->absent % s->start->nr;
	trying("%s of a key that is %s, map %zu: %s; failure %u", s->call->name,
	       s->m.elem[s->key] ? "there" : "not there",
	       shape - model_shapes, s->start->name, s->nth);
	err = s->call->run(s);
	if (batch)
		check_batch(s, err);
	else if (s->call->run == run_entry || s->call->run == run_update)
		check_key(s, s->key, err, outcome_of(s, s->key));
	else
		OK(!err || (s->injected && is_injected(err)));
	model_check(&s->m);
	if (memcmp(before, s->m.elem, sizeof(before)))
		end_stage(s);
}

static void sweep(struct stage *s, const struct hmap_create *shape,
		  bool on_absent, struct tally *t)
{
	unsigned int nth;

	s->injected = true;
	for (nth = 1; s->injected; nth++) {
		s->nth = nth;
		attempt(s, shape, on_absent);
		__atomic_fetch_add(&t->calls, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&t->injected, s->injected, __ATOMIC_RELAXED);
	}
	if (nth - 2 > t->most)
		t->most = nth - 2;
}

/*
 * Each call on each shape, and each call from each start, but not all of them
 * together, unless it may take longer.
 */
static void sweep_shape(const struct op_call *calls, size_t nr, size_t shape,
			struct tally *tallies)
{
	size_t step = times_longer() > 1 ? 1 : ARRAY_SIZE(starts);
	static struct stage s;

	for (size_t at = 0; at < ARRAY_SIZE(starts); at++) {
		s.start = &starts[at];
		for (size_t i = 0; i < nr; i++) {
			s.call = &calls[i];
			if ((at + i + shape) % step)
				continue;
			/* Of a batch, some keys are there and others not. */
			if (s.call->run != run_batch || !s.start->nr)
				sweep(&s, &model_shapes[shape], true,
				      &tallies[i]);
			if (s.start->nr)
				sweep(&s, &model_shapes[shape], false,
				      &tallies[i]);
		}
		end_stage(&s);
	}
}

/* Each shape in a process of its own */
static void sweep_all(const struct op_call *calls, size_t nr)
{
	struct tally *tallies = shared(nr * sizeof(*tallies));
	pid_t pids[16];

	need_faults();
	OK(nr_model_shapes <= ARRAY_SIZE(pids));
	set_parameter("finish_delay_ms", 1000000);
	for (size_t i = 0; i < nr_model_shapes; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			sweep_shape(calls, nr, i, tallies);
			exit(0);
		}
	}
	for (size_t i = 0; i < nr_model_shapes; i++)
		join(pids[i]);
	for (size_t i = 0; i < nr; i++) {
		printf("# %-26s %5u calls, %5u failures, up to %2u in one\n",
		       calls[i].name, tallies[i].calls, tallies[i].injected,
		       tallies[i].most);
		OK(tallies[i].injected);
	}
}

static void calls_on_an_entry(void)
{
	sweep_all(one_entry, ARRAY_SIZE(one_entry));
}

static void calls_on_many(void)
{
	sweep_all(batches, ARRAY_SIZE(batches));
}

static void calls_on_all(void)
{
	sweep_all(whole_map, ARRAY_SIZE(whole_map));
}

/* === Files, names, mappings === */

/*
 * Keep a map with each slab cache.  The kernel's own code to make one warns, and
 * leaks memory, when that fails.
 */
static void keep_caches(void)
{
	for (size_t i = 0; i < nr_model_shapes; i++)
		make(&model_shapes[i]);
}

static struct stage files;	/* with the number of a variant as its key */

static void create_one(struct hmap_create *arg, bool is_there)
{
	int fd = dev(O_RDWR), err;
	struct hmap_create told = *arg;

	err = armed(&files, fd, HMAP_IOC_CREATE, &told);
	if (!err) {
		EQ(told.created, !is_there);
		EQ(told.id, info(fd).id);
	} else {
		OK(files.injected && is_injected(err));
		/* EFAULT may come from writing the result. */
		if (err == -ENOMEM)
			EQ(is_name(arg->name), is_there);
		err = create(fd, arg);
		OK(!err || err == -EBUSY);
	}
	EQ(info(fd).holders, 1 + is_there);
	files.m = (struct model){ .fd = fd, .shape = *arg };
	EQ(model_do(&files.m, &(struct op){ INSERT, 1, 1, 0 }), 0);
	EQ(info(fd).count, 1);
	if (!is_there)
		EQ(unlink_map(fd, arg->name), 0);
	close(fd);
}

static void create_attempt(const struct hmap_create *shape)
{
	struct hmap_create arg = *shape;
	static const __u64 hints[] = { 0, 1, 3000 };

	strcpy(arg.name, "made");
	arg.hint = hints[files.key];
	create_one(&arg, false);
}

static void create_or_open_attempt(const struct hmap_create *shape)
{
	struct hmap_create arg = *shape;
	int fd;

	strcpy(arg.name, "there");
	fd = make(&arg);
	arg.flags |= HMAP_CREATE_OR_OPEN;
	create_one(&arg, true);
	EQ(unlink_map(fd, "there"), 0);
	close(fd);
}

static bool is_held_once(void *fd)
{
	return info(*(int *)fd).holders == 1;
}

static void open_attempt(const struct hmap_create *shape)
{
	struct hmap_create named = *shape;
	struct hmap_open arg = { .name = "there" };
	int map, fd, err;

	strcpy(named.name, "there");
	map = make(&named);
	fd = dev(O_RDWR);
	if (files.key) {
		arg = (struct hmap_open){
			.flags = HMAP_OPEN_FD,
			.fd = map,
		};
	}
	err = armed(&files, fd, HMAP_IOC_OPEN, &arg);
	if (err) {
		OK(files.injected && is_injected(err));
		EQ(call(fd, HMAP_IOC_OPEN, &arg), 0);
	}
	EQ(info(map).holders, 2);
	close(fd);
	OK(becomes_true(is_held_once, &map));
	EQ(unlink_map(map, "there"), 0);
	close(map);
}

static void unlink_attempt(const struct hmap_create *shape)
{
	struct hmap_create named = *shape;
	struct hmap_unlink arg = { "there" };
	int map, err;

	strcpy(named.name, "there");
	map = make(&named);
	err = armed(&files, map, HMAP_IOC_UNLINK, &arg);
	if (err) {
		OK(files.injected && is_injected(err));
		OK(is_name("there"));
		EQ(unlink_map(map, "there"), 0);
	}
	OK(!is_name("there"));
	close(map);
}

static void list_attempt(const struct hmap_create *shape)
{
	struct hmap_info arg = { 0 };
	int map = make(shape), fd = dev(O_RDWR), err;

	arg.after = info(map).id - 1;
	err = armed(&files, fd, HMAP_IOC_INFO, &arg);
	if (err)
		OK(files.injected && is_injected(err));
	else
		EQ(arg.id, info(map).id);
	EQ(info(map).holders, 1);
	close(fd);
	close(map);
}

static void device_attempt(const struct hmap_create *shape)
{
	int fd, err;

	arm(files.nth);
	fd = open(DEVICE, O_RDWR);
	err = -errno;
	files.injected = disarm(files.nth);
	if (fd < 0) {
		OK(files.injected && is_injected(err));
		fd = dev(O_RDWR);
	}
	EQ(create(fd, shape), 0);
	close(fd);
}

/* Both mmap(2) and what the first access to a page needs */
static void mapping_attempt(const struct hmap_create *shape)
{
	size_t page = getpagesize();
	int fd = make(shape), err;
	void *p;

	if (!(shape->flags & HMAP_CREATE_MAPPED)) {
		files.injected = false;
		close(fd);
		return;
	}
	arm(files.nth);
	p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	err = -errno;
	if (p != MAP_FAILED)
		__atomic_load_n((__u8 *)p, __ATOMIC_RELAXED);
	files.injected = disarm(files.nth);
	if (p == MAP_FAILED) {
		OK(files.injected && is_injected(err));
		p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
		OK(p != MAP_FAILED);
	}
	EQ(((struct hmap_control *)p)->magic, HMAP_CONTROL_MAGIC);
	EQ(munmap(p, page), 0);
	close(fd);
}

static const struct file_call {
	const char *name;
	void (*attempt)(const struct hmap_create *shape);
	__u32 variants;		/* by files.key */
} file_calls[] = {
	{ "CREATE", create_attempt, 3 },
	{ "CREATE OR_OPEN", create_or_open_attempt, 1 },
	{ "OPEN", open_attempt, 2 },
	{ "UNLINK", unlink_attempt, 1 },
	{ "INFO of all maps", list_attempt, 1 },
	{ "open(2)", device_attempt, 1 },
	{ "mmap(2)", mapping_attempt, 1 },
};

static void sweep_file_call(const struct file_call *c)
{
	unsigned int most = 0, calls = 0;

	nr_injected = 0;
	for (size_t i = 0; i < nr_model_shapes * c->variants; i++) {
		unsigned int nth = 0;

		files.key = i % c->variants;
		if (times_longer() == 1 &&
		    files.key != i / c->variants % c->variants)
			continue;
		do {
			files.nth = ++nth;
			trying("%s, map %zu, failure %u", c->name,
			       i / c->variants, nth);
			c->attempt(&model_shapes[i / c->variants]);
		} while (files.injected);
		calls += nth;
		if (nth - 1 > most)
			most = nth - 1;
	}
	printf("# %-26s %5u calls, %5u failures, up to %2u in one\n", c->name,
	       calls, nr_injected, most);
	OK(nr_injected);
}

static void files_and_names(void)
{
	need_faults();
	keep_caches();
	for (size_t i = 0; i < ARRAY_SIZE(file_calls); i++)
		sweep_file_call(&file_calls[i]);
}

/* === Any calls, one after the other === */

struct attempt {
	const struct model *m;
	const struct op *op;
	int err;
};

/* A growth that was made to fail is put off, and new keys with it. */
static bool is_not_put_off(void *arg)
{
	struct attempt *a = arg;

	a->err = model_do(a->m, a->op);
	return a->err != -ENOMEM;
}

static void do_with_faults(struct model *m, const struct op *op)
{
	struct attempt again = { m, op, 0 };
	bool injected = true;
	int err = -ENOMEM;

	for (unsigned int nth = 1; injected && is_injected(err); nth++) {
		arm(nth);
		err = model_do(m, op);
		injected = disarm(nth);
		if (is_injected(err) && !injected) {
			EQ(err, -ENOMEM);
			OK(becomes_true(is_not_put_off, &again));
			err = again.err;
		} else if (is_injected(err)) {
			if (nr_injected % 16 == 0)
				model_check(m);
		}
	}
	EQ(err, model_expect(m, op));
	if (!err)
		model_apply(m, op);
}

static void entries(void)
{
	static struct model m;

	need_faults();
	for (size_t s = 0; s < nr_model_shapes; s++) {
		trying("shape %zu", s);
		model_make(&m, &model_shapes[s]);
		for (int i = 0; i < 800; i++) {
			struct op op = model_pick(i < 600);

			do_with_faults(&m, &op);
			if (i % 200 == 199)
				model_check(&m);
		}
		close(m.fd);
	}
	check_injected(500);
}

/* A walk goes on from its cursor, whatever went wrong. */
static void walk_with_faults(const struct model *m, unsigned int nth,
			     __u32 seen[MODEL_KEYS])
{
	static __u64 buf[1 << 13];
	struct hmap_next n = { 0 };
	int err = 0;

	memset(seen, 0, MODEL_KEYS * sizeof(*seen));
	do {
		unsigned int armed = random_u32() % 4 ? 0 : nth;
		struct hmap_next was = n;

		arm(armed);
		err = next(m->fd, &n, buf, sizeof(buf));
		if (!disarm(armed))
			EQ(err, 0);
		if (err) {
			OK(is_injected(err));
			SAME_BYTES(n.cursor, was.cursor, sizeof(n.cursor));
			continue;
		}
		model_see(m, &n, seen);
	} while (err || n.count);
}

static void walking(void)
{
	static struct model m;
	__u32 seen[MODEL_KEYS];

	need_faults();
	model_make(&m, &model_shapes[nr_model_shapes - 1]);
	for (int i = 0; i < 1000; i++) {
		struct op op = model_pick(true);

		if (!model_do(&m, &op))
			model_apply(&m, &op);
	}
	for (unsigned int nth = 1; nth <= 40; nth++) {
		walk_with_faults(&m, nth, seen);
		for (__u32 i = 0; i < MODEL_KEYS; i++)
			EQ(seen[i], !!m.elem[i]);
	}
	check_injected(10);
}

/* === Loading === */

#define LOAD_SECONDS	40

/*
 * The module is there, or nothing is left of it.  Its own part comes last when it is
 * loaded, so begin there, and go back as far as there is time for.
 */
static void loading(void)
{
	unsigned int all, nth, refused = 0;
	time_t end;
	int err;

	need_faults();
	if (access(MODULE_FILE, F_OK))
		skip("hmap is built in");
	EQ(unload("hmap"), 0);
	arm(TIMES);
	EQ(load(""), 0);
	all = TIMES - disarm_at();
	EQ(unload("hmap"), 0);
	end = time(NULL) + LOAD_SECONDS * times_longer();
	for (nth = all; nth && time(NULL) < end; nth--) {
		trying("failure %u of %u", nth, all);
		arm(nth);
		err = load("");
		if (!disarm(nth) || !err) {
			EQ(err, 0);
			EQ(unload("hmap"), 0);
			continue;
		}
		OK(is_injected(err));
		OK(access(DEVICE, F_OK) && access(PARAMETERS, F_OK));
		refused++;
	}
	printf("# %u failures of %u, of which %u had it not be loaded\n",
	       all - nth, all, refused);
	OK(refused);
	EQ(load(""), 0);
}

/* All tests together have made failures of each kind that the kernel has. */
static void each_kind(void)
{
	char path[64];

	need_faults();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		printf("# %ld by %s\n", failures_of(kinds[i]), kinds[i]);
		snprintf(path, sizeof(path), DEBUG "%s", kinds[i]);
		OK(access(path, F_OK) || failures_of(kinds[i]) > 0);
	}
}

static const struct test tests[] = {
	TEST(calls_on_an_entry),
	TEST(calls_on_many),
	TEST(calls_on_all),
	TEST(files_and_names),
	TEST(entries),
	TEST(walking),
	TEST(loading),
	TEST(each_kind),
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		set_kind(kinds[i], "times", "1000000000");
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
