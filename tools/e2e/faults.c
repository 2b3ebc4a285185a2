// SPDX-License-Identifier: GPL-2.0
/*
 * Each call is made with its first allocation or access to user memory failing,
 * then with its second, and so on until none is left to fail: it does its work,
 * or says ENOMEM or EFAULT and leaves all as it was.
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

/* Nothing but the call itself comes between these two. */
static void arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	EQ(pwrite(fail_nth_fd(), text, len, 0), len);
}

/*
 * Whether something was made to fail since arm(@nth).  If not, the failure may
 * meet one of the calls here.
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
	bool injected = true;
	int fd, err;

	need_faults();
	for (unsigned int nth = 1; injected; nth++) {
		fd = dev(O_RDWR);
		arm(nth);
		err = create(fd, &arg);
		injected = disarm(nth);
		if (err) {
			OK(injected);
			OK(is_injected(err));
			OK(!is_name("made"));
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

static void do_with_faults(struct model *m, const struct op *op)
{
	bool injected = true;
	int err = -ENOMEM;

	for (unsigned int nth = 1; injected && is_injected(err); nth++) {
		arm(nth);
		err = model_do(m, op);
		injected = disarm(nth);
		if (is_injected(err)) {
			OK(injected);
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

/* A walk that could not tell what it gave, as the last thing, begins anew. */
static void walk_with_faults(const struct model *m, unsigned int nth,
			     __u32 seen[MODEL_KEYS])
{
	static __u64 buf[1 << 13];
	__u32 flags = HMAP_NEXT_REWIND;
	struct hmap_next n;
	int err = 0;

	do {
		unsigned int armed = random_u32() % 8 ? 0 : nth;

		if (flags)
			memset(seen, 0, MODEL_KEYS * sizeof(*seen));
		arm(armed);
		err = next(m->fd, &n, buf, sizeof(buf), flags);
		if (!disarm(armed))
			EQ(err, 0);
		else if (err)
			OK(is_injected(err));
		if (err == -EFAULT) {
			flags = HMAP_NEXT_REWIND;
			continue;
		}
		if (err) {
			EQ(n.count, 0);
			continue;
		}
		model_see(m, &n, seen);
		flags = 0;
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

static const struct test tests[] = {
	TEST(creating),
	TEST(opening),
	TEST(entries),
	TEST(walking),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
