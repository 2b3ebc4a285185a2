// SPDX-License-Identifier: GPL-2.0
/* Maps that grow and shrink, large ones and random ones. */
#include "model.h"

#define NR	20000U

static void check_range(int fd, __u64 from, __u64 to)
{
	struct contents c = contents(fd);
	__u64 elem;

	EQ(c.count, to - from);
	EQ(info(fd).count, to - from);
	for (size_t i = 0; i < c.count; i++) {
		__u64 key = *(__u64 *)record_key(c.recs[i]);

		OK(key >= from && key < to);
		EQ(*(__u64 *)record_elem(c.recs[i]), ~key);
	}
	free_contents(&c);
	for (__u64 i = 0; i < NR; i++) {
		int err = get(fd, i, &elem);

		EQ(err, i >= from && i < to ? 0 : -ENOENT);
		if (!err)
			EQ(elem, ~i);
	}
}

/* A growth begins and ends even if nobody writes. */
static void large_map(void)
{
	int fd = make_u64(NULL, 0);
	struct hmap_info i;

	for (__u64 k = 0; k < NR; k++)
		EQ(put(fd, k, ~k), 0);
	settle(fd);
	i = info(fd);
	EQ(i.log2_buckets, 12);
	EQ(i.growths, 12);
	check_range(fd, 0, NR);
	for (__u64 k = 0; k < NR / 2; k++)
		EQ(del(fd, k), 0);
	check_range(fd, NR / 2, NR);
}

/* At each size, look up everything and count what INFO says of the growth. */
static void step_by_step(void)
{
	int fd = make_u64(NULL, 0);
	struct hmap_info was = info(fd), is;
	__u64 elem;

	for (__u64 nr = 1; nr <= 250; nr++) {
		EQ(put(fd, nr, nr), 0);
		is = info(fd);
		EQ(is.count, nr);
		OK(is.growths - was.growths <= 1);
		EQ(is.log2_buckets - was.log2_buckets, is.growths - was.growths);
		if (is.state & HMAP_STATE_GROWING)
			OK(is.nevacuate < 1ULL << (is.log2_buckets - 1));
		for (__u64 k = 1; k <= nr; k++) {
			EQ(get(fd, k, &elem), 0);
			EQ(elem, k);
		}
		was = is;
	}
	settle(fd);
	EQ(info(fd).log2_buckets, 6);	/* 6.5 * 2^5 < 250 */
}

struct bytes {
	int fd;
	__u64 below;
};

/* What readers may still see is charged until it is freed. */
static bool has_fewer(void *arg)
{
	const struct bytes *bytes = arg;

	return info(bytes->fd).bytes < bytes->below;
}

static void memory_is_given_back(void)
{
	static char elem[1000];
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = sizeof(elem),
	};
	int fd = make(&arg);
	struct bytes bytes = { .fd = fd };
	__u64 full;

	for (__u64 i = 0; i < 2000; i++)
		EQ(insert(fd, &i, 8, elem, sizeof(elem), 0), 0);
	full = info(fd).bytes;
	OK(full > 2000 * sizeof(elem));
	for (__u64 i = 0; i < 1000; i++)
		EQ(del(fd, i), 0);
	bytes.below = full - 900 * sizeof(elem);
	OK(becomes_true(has_fewer, &bytes));
	EQ(clear(fd), 0);
	bytes.below = full - 1900 * sizeof(elem);
	OK(becomes_true(has_fewer, &bytes));
}

static void random_operations(void)
{
	static struct model m;

	for (size_t s = 0; s < nr_model_shapes; s++) {
		trying("shape %zu", s);
		model_make(&m, &model_shapes[s]);
		for (int i = 0; i < 4000; i++) {
			struct op op = model_pick(i / 1000 % 2 == 0);
			int err = model_do(&m, &op);

			EQ(err, model_expect(&m, &op));
			if (!err)
				model_apply(&m, &op);
			if (i % 500 == 499)
				model_check(&m);
		}
		close(m.fd);
	}
}

static const struct test tests[] = {
	TEST(large_map),
	TEST(step_by_step),
	TEST(memory_is_given_back),
	TEST(random_operations),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
