// SPDX-License-Identifier: GPL-2.0
/*
 * Make each call with its first allocation or user access failing, then with its
 * second, and so on until none is left to fail.  It must succeed, or fail with
 * ENOMEM or EFAULT and change nothing.  The number of allocations may differ from
 * call to call, so only a call in which no failure was injected ends a sweep.
 */
#include "model.h"

#define DEBUG		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

static unsigned int nr_injected;

static void write_if_there(const char *path, const char *text)
{
	if (!access(path, W_OK))
		write_file(path, text);
}

static void need_faults(void)
{
	if (access(DEBUG "failslab", F_OK) || access(FAIL_NTH, W_OK))
		skip("the kernel has no fault injection");
	write_file(DEBUG "failslab/ignore-gfp-wait", "N");
	write_file(DEBUG "failslab/verbose", "0");
	write_if_there(DEBUG "fail_page_alloc/verbose", "0");
	write_if_there(DEBUG "fail_usercopy/verbose", "0");
}

static bool is_injected(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

static int fail_nth_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(FAIL_NTH, O_RDWR);
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

/*
 * Return whether a failure was injected since arm(@nth).  If not, it may hit one
 * of the calls here.
 */
static bool disarm(unsigned int nth)
{
	char text[16] = { 0 };
	bool left = pread(fail_nth_fd(), text, sizeof(text) - 1, 0) < 0 ||
		    atoi(text);

	if (pwrite(fail_nth_fd(), "0", 1, 0) < 0)
		arm(0);
	nr_injected += nth && !left;
	return nth && !left;
}

static void check_injected(unsigned int least)
{
	printf("# %u failures were made\n", nr_injected);
	OK(nr_injected >= least);
}

static void creating(void)
{
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = 4000,
		.flags = HMAP_CREATE_VAR_ELEM,
		.hint = 1000,
		.name = "made",
	};
	struct hmap_create other = arg;
	bool injected = true;
	int fd, err;

	need_faults();
	/*
	 * Keep a map with the same slab cache.  The kernel's own code to make
	 * one warns, and leaks memory, when that fails.
	 */
	memset(other.name, 0, sizeof(other.name));
	make(&other);
	for (unsigned int nth = 1; injected; nth++) {
		fd = dev(O_RDWR);
		arm(nth);
		err = create(fd, &arg);
		injected = disarm(nth);
		if (err) {
			OK(injected);
			OK(is_injected(err));
			/* EFAULT may come from writing the result. */
			if (err == -ENOMEM)
				OK(!is_name("made"));
			if (!is_name("made"))
				EQ(create(fd, &arg), 0);
		}
		EQ(insert(fd, "k", 1, "e", 1, 0), 0);
		EQ(info(fd).count, 1);
		EQ(unlink_map(fd, "made"), 0);
		close(fd);
	}
	check_injected(3);
}

static void opening(void)
{
	bool injected = true;
	int map = make_u64("there", 0600), err;

	need_faults();
	EQ(put(map, 1, 2), 0);
	for (unsigned int nth = 1; injected; nth++) {
		int fd;
		__u64 elem;

		arm(nth);
		fd = open(DEVICE, O_RDWR);
		err = errno;
		injected = disarm(nth);
		if (fd < 0) {
			OK(injected);
			OK(is_injected(-err));
			continue;
		}
		EQ(open_map(fd, "there"), 0);
		EQ(get(fd, 1, &elem), 0);
		close(fd);
	}
	check_injected(1);
}

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

/* === Updates, batches, CLEAR === */

#define ELEM_SIZE	300	/* large enough for copies to be allocated */

static const struct hmap_create blocks = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
	.elem_size = ELEM_SIZE,
};

static __u8 elems[3][ELEM_SIZE];	/* number 0 means no elem */

struct put {
	int fd;
	__u64 key;
	int nr;
};

/* As above, an insert may have to wait for a growth that was put off. */
static bool is_put(void *arg)
{
	const struct put *p = arg;
	int err;

	if (p->nr)
		err = insert(p->fd, &p->key, 8, elems[p->nr], ELEM_SIZE, 0);
	else
		err = delete(p->fd, &p->key, 8);
	OK(!err || err == (p->nr ? -ENOMEM : -ENOENT));
	return err != -ENOMEM;
}

static void put_elem(int fd, __u64 key, int nr)
{
	OK(becomes_true(is_put, &(struct put){ fd, key, nr }));
}

static int elem_is(int fd, __u64 key)
{
	__u8 elem[ELEM_SIZE];
	__u32 len = sizeof(elem);
	int err = lookup(fd, &key, 8, elem, &len);

	if (err)
		EQ(err, -ENOENT);
	for (int nr = 1; !err && nr < 3; nr++) {
		if (!memcmp(elem, elems[nr], ELEM_SIZE))
			return nr;
	}
	EQ(err, -ENOENT);
	return 0;
}

/* @op has to turn elem @was into elem @is, or leave it alone. */
static void update_with_faults(int fd, __u32 op, int was, int is)
{
	bool injected = true;
	__u8 old[ELEM_SIZE];
	__u64 key = 7;

	for (unsigned int nth = 1; injected; nth++) {
		struct hmap_update u = {
			.key = (uintptr_t)&key,
			.old = (uintptr_t)old,
			.key_len = 8,
			.old_len = ELEM_SIZE,
			.op = op,
		};
		int err, now;

		if (op != HMAP_UPDATE_TAKE) {
			u.elem = (uintptr_t)elems[2];
			u.elem_len = ELEM_SIZE;
		}
		if (op == HMAP_UPDATE_CMPXCHG) {
			u.expect = (uintptr_t)elems[1];
			u.expect_len = ELEM_SIZE;
		}
		trying("op %u, elem %d, failure %u", op, was, nth);
		put_elem(fd, key, was);
		arm(nth);
		err = call(fd, HMAP_IOC_UPDATE, &u);
		injected = disarm(nth);
		now = elem_is(fd, key);
		if (!err) {
			EQ(now, is);
			EQ(u.present, !!was);
			if (was)
				SAME_BYTES(old, elems[was], ELEM_SIZE);
		} else if (err == -EFAULT) {
			/* It may come from writing the result, after the change. */
			OK(injected);
			OK(now == was || now == is);
		} else if (err == -ENOMEM) {
			OK(injected);
			EQ(now, was);
		} else {
			EQ(err, -ENOENT);
			OK(!was && op != HMAP_UPDATE_XCHG);
		}
	}
}

static void make_elems(void)
{
	for (int nr = 1; nr < 3; nr++)
		memset(elems[nr], nr, ELEM_SIZE);
}

static void updates(void)
{
	int fd = make(&blocks);

	need_faults();
	make_elems();
	update_with_faults(fd, HMAP_UPDATE_XCHG, 0, 2);
	update_with_faults(fd, HMAP_UPDATE_XCHG, 1, 2);
	update_with_faults(fd, HMAP_UPDATE_CMPXCHG, 0, 0);
	update_with_faults(fd, HMAP_UPDATE_CMPXCHG, 1, 2);
	update_with_faults(fd, HMAP_UPDATE_TAKE, 0, 0);
	update_with_faults(fd, HMAP_UPDATE_TAKE, 1, 0);
	check_injected(20);
}

#define BATCH	100

/* @cmd has to turn elems @was into @is, as far as count and results say. */
static void batch_with_faults(int fd, unsigned long cmd, int was, int is)
{
	static __u8 many[BATCH][ELEM_SIZE];
	__s32 results[BATCH];
	__u64 keys[BATCH];
	bool injected = true;

	for (unsigned int nth = 1; injected; nth++) {
		struct hmap_batch arg = {
			.keys = (uintptr_t)keys,
			.elems = cmd == HMAP_IOC_DELETE_BATCH ? 0 :
				 (uintptr_t)many,
			.results = (uintptr_t)results,
			.count = BATCH,
		};
		bool told;
		int err;

		trying("batch %#lx, failure %u", cmd, nth);
		for (int i = 0; i < BATCH; i++) {
			keys[i] = i;
			put_elem(fd, i, was);
			memcpy(many[i], elems[2], ELEM_SIZE);
		}
		memset(results, 0x5a, sizeof(results));
		arm(nth);
		err = call(fd, cmd, &arg);
		injected = disarm(nth);
		OK(!err || (injected && is_injected(err)));
		if (!err)
			EQ(arg.count, BATCH);
		/* Writing the argument itself may have failed. */
		told = !err || arg.count < BATCH;
		for (__u32 i = 0; i < BATCH; i++) {
			int now = elem_is(fd, i);

			if (!told) {
				OK(now == was || now == is);
				continue;
			}
			if (i >= arg.count) {
				EQ(now, was);
				continue;
			}
			if (results[i] == -ENOMEM) {
				EQ(now, was);
			} else if (err == -EFAULT && i + 64 >= arg.count) {
				/* Its result may be missing. */
				OK(now == was || now == is);
			} else {
				EQ(results[i], 0);
				EQ(now, is);
			}
		}
	}
}

static void batches(void)
{
	int fd = make(&blocks);

	need_faults();
	make_elems();
	batch_with_faults(fd, HMAP_IOC_INSERT_BATCH, 0, 2);
	batch_with_faults(fd, HMAP_IOC_INSERT_BATCH, 1, 2);
	batch_with_faults(fd, HMAP_IOC_LOOKUP_BATCH, 1, 1);
	batch_with_faults(fd, HMAP_IOC_DELETE_BATCH, 1, 0);
	check_injected(50);
}

static void clearing(void)
{
	static struct model m;
	bool injected = true;

	need_faults();
	model_make(&m, &model_shapes[nr_model_shapes - 1]);
	for (unsigned int nth = 1; injected; nth++) {
		int err;

		for (int i = 0; i < 300; i++) {
			struct op op = model_pick(true);

			if (!model_do(&m, &op))
				model_apply(&m, &op);
		}
		arm(nth);
		err = clear(m.fd);
		injected = disarm(nth);
		if (err) {
			OK(injected && is_injected(err));
		} else {
			m.count = 0;
			memset(m.elem, 0, sizeof(m.elem));
		}
		model_check(&m);
	}
	check_injected(1);
}

static const struct test tests[] = {
	TEST(creating),
	TEST(opening),
	TEST(entries),
	TEST(walking),
	TEST(updates),
	TEST(batches),
	TEST(clearing),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
