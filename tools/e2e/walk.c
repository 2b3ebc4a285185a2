// SPDX-License-Identifier: GPL-2.0
/* What NEXT promises, while the map stands still and while it does not. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "device.h"

#define NR		1000
#define RECORD		24	/* bytes of a record of u64 -> u64 */
#define NR_FOREIGN	20000	/* keys from NR on, that come and go */

/* How often each key was given, over the calls to step() */
static unsigned char given[NR + NR_FOREIGN];

static int filled(const char *name)
{
	int fd = make_u64(name, 0600);

	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, i), 0);
	return fd;
}

/* Takes note of the next @want entries at most; tells how many there were. */
static __u32 step(int fd, __u32 want, __u32 flags)
{
	static char buf[NR * RECORD];
	const struct hmap_record *rec;
	struct hmap_next n;
	__u32 count = 0;

	EQ(next(fd, &n, buf, want * RECORD, flags), 0);
	EQ(n.used, n.count * RECORD);
	OK(n.count <= want);
	while ((rec = take_record(&n))) {
		__u64 key = *(__u64 *)record_key(rec);

		EQ(rec->key_len, 8);
		EQ(rec->elem_len, 8);
		OK(key < ARRAY_SIZE(given));
		given[key]++;
		count++;
	}
	EQ(count, n.count);
	return count;
}

static void finish(int fd, __u32 want)
{
	while (step(fd, want, 0))
		;
}

static void check_given(__u64 from, __u64 to, unsigned int times)
{
	for (__u64 i = from; i < to; i++)
		if (given[i] != times)
			fail(__FILE__, __LINE__,
			     "key %llu was given %u times, not %u", i, given[i],
			     times);
}

static void any_step(void)
{
	static const __u32 steps[] = { 1, 2, 7, 8, 9, 64, NR };
	int fd = filled(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		memset(given, 0, sizeof(given));
		step(fd, steps[i], HMAP_NEXT_REWIND);
		finish(fd, steps[i]);
		check_given(0, NR, 1);
	}
}

static void empty_and_tiny(void)
{
	int fd = make_u64(NULL, 0);

	memset(given, 0, sizeof(given));
	EQ(step(fd, 1, 0), 0);
	EQ(step(fd, 0, 0), 0);
	for (__u64 nr = 1; nr <= 20; nr++) {
		EQ(put(fd, nr - 1, 0), 0);
		memset(given, 0, sizeof(given));
		step(fd, 3, HMAP_NEXT_REWIND);
		finish(fd, 3);
		check_given(0, nr, 1);
		check_given(nr, 21, 0);
	}
	for (__u64 nr = 20; nr > 0; nr--)
		EQ(del(fd, nr - 1), 0);
	EQ(step(fd, 1, HMAP_NEXT_REWIND), 0);
}

static void end_is_the_end(void)
{
	int fd = filled(NULL);

	finish(fd, 100);
	EQ(put(fd, NR, 0), 0);
	EQ(step(fd, 100, 0), 0);
	EQ(step(fd, 0, 0), 0);
	EQ(step(fd, NR, HMAP_NEXT_REWIND), NR);
	EQ(step(fd, 2, 0), 1);
	check_given(0, NR, 2);
}

static void starts_anywhere(void)
{
	int fd = filled(NULL), differ = 0;
	__u64 first = 0, buf[3];
	struct hmap_next n;

	for (int i = 0; i < 64; i++) {
		EQ(next(fd, &n, buf, RECORD, HMAP_NEXT_REWIND), 0);
		EQ(n.count, 1);
		differ += i && buf[1] != first;
		first = buf[1];
	}
	OK(differ > 32);
}

static void rewind_halfway(void)
{
	int fd = filled(NULL);

	EQ(step(fd, NR / 2, 0), NR / 2);
	memset(given, 0, sizeof(given));
	EQ(step(fd, 10, HMAP_NEXT_REWIND), 10);
	finish(fd, 10);
	check_given(0, NR, 1);
}

/* Doublings and same-size growths happen between any two steps. */
static void while_the_map_grows(void)
{
	int fd = filled(NULL);
	__u64 new = NR, growths = info(fd).growths;

	do {
		for (int i = 0; i < 40 && new < NR + NR_FOREIGN; i++, new++) {
			EQ(put(fd, new, new), 0);
			if (new % 3 == 0)
				EQ(del(fd, new), 0);
		}
	} while (step(fd, 2, 0));
	OK(info(fd).growths >= growths + 3);
	check_given(0, NR, 1);
	for (__u64 i = NR; i < NR + NR_FOREIGN; i++)
		OK(given[i] <= 1);
}

/*
 * A window of keys that moves on makes each of the 16 buckets chain an overflow
 * bucket sooner or later; that many call for a same-size growth.
 */
static void while_the_map_is_squeezed(void)
{
	const __u64 stay = 16, window = 84;
	int fd = make_u64(NULL, 0);
	__u64 new = NR;

	for (__u64 i = 0; i < stay; i++)
		EQ(put(fd, i, i), 0);
	do {
		for (int i = 0; i < 200; i++, new++) {
			EQ(put(fd, new, new), 0);
			if (new >= NR + window)
				EQ(del(fd, new - window), 0);
		}
		OK(new < ARRAY_SIZE(given));
	} while (step(fd, 2, 0));
	OK(info(fd).same_size_growths);
	EQ(info(fd).log2_buckets, 4);
	check_given(0, stay, 1);
	for (__u64 i = NR; i < new; i++)
		OK(given[i] <= 1);
}

static void churn(int fd)
{
	for (__u64 round = 0;; round++) {
		for (__u64 i = 0; i < NR_FOREIGN; i++)
			EQ(put(fd, NR + i, round), 0);
		for (__u64 i = 0; i < NR_FOREIGN; i++)
			EQ(del(fd, NR + i), 0);
	}
}

static void while_another_writes(void)
{
	int fd = filled("churned");
	__u64 growths = info(fd).growths;
	pid_t pid = spawn();

	if (!pid) {
		churn(dev_open_map("churned", O_RDWR));
		exit(0);
	}
	do {
		memset(given, 0, sizeof(given));
		step(fd, 10, HMAP_NEXT_REWIND);
		finish(fd, 10);
		check_given(0, NR, 1);
	} while (info(fd).growths < growths + 3);
	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, NULL, 0), pid);
}

static void deleted_before_reached(void)
{
	int fd = filled(NULL);
	bool deleted[NR] = { false };

	do {
		for (__u64 i = 0; i < NR; i++) {
			if (!given[i] && random_u32() % 4 == 0)
				deleted[i] |= !del(fd, i);
		}
	} while (step(fd, NR / 50, 0));
	for (__u64 i = 0; i < NR; i++)
		EQ(given[i], !deleted[i]);
}

/* What is given is what is there then, also if the map grew in between. */
static void replaced_before_reached(void)
{
	static char buf[NR * RECORD];
	const struct hmap_record *rec;
	struct hmap_next n;
	int fd = filled(NULL);

	EQ(step(fd, NR / 3, 0), NR / 3);
	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, ~i), 0);
	for (__u64 i = NR; i < 4 * NR; i++)
		EQ(put(fd, i, ~i), 0);
	do {
		EQ(next(fd, &n, buf, sizeof(buf), 0), 0);
		while ((rec = take_record(&n))) {
			__u64 key = *(__u64 *)record_key(rec);

			EQ(*(__u64 *)record_elem(rec), ~key);
			given[key]++;
		}
	} while (n.count);
	check_given(0, NR, 1);
}

static void clear_ends(void)
{
	int fd = filled("cleared"), other = dev_open_map("cleared", O_RDONLY);

	EQ(step(fd, NR / 2, 0), NR / 2);
	EQ(step(other, 1, 0), 1);
	EQ(clear(fd), 0);
	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, i), 0);
	EQ(step(fd, 1, 0), 0);
	EQ(step(other, 1, 0), 0);
	memset(given, 0, sizeof(given));
	EQ(step(fd, NR, HMAP_NEXT_REWIND), NR);
	check_given(0, NR, 1);
	EQ(step(other, NR, HMAP_NEXT_REWIND), NR);
	check_given(0, NR, 2);
}

static void emptied_by_deletes(void)
{
	int fd = filled(NULL);

	EQ(step(fd, NR / 2, 0), NR / 2);
	for (__u64 i = 0; i < NR; i++)
		EQ(del(fd, i), 0);
	EQ(step(fd, NR, 0), 0);
	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, i), 0);
	memset(given, 0, sizeof(given));
	EQ(step(fd, NR, HMAP_NEXT_REWIND), NR);
	check_given(0, NR, 1);
}

static void one_walk_a_file(void)
{
	int fd = filled("walked");
	int others[] = {
		dev_open_map("walked", O_RDONLY), dev_open_map("walked", O_RDWR)
	};

	EQ(step(fd, NR / 2, 0), NR / 2);
	EQ(step(others[0], NR / 4, 0), NR / 4);
	EQ(step(others[1], NR, 0), NR);
	EQ(step(others[1], NR, 0), 0);
	EQ(step(others[0], NR, 0), NR - NR / 4);
	EQ(step(fd, NR, 0), NR - NR / 2);
	check_given(0, NR, 3);
}

/* A file's walk is shared by those who share the file. */
static void two_processes_one_walk(void)
{
	unsigned char *shared = mmap(NULL, NR, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = filled(NULL);
	pid_t pid;

	OK(shared != MAP_FAILED);
	pid = spawn();
	finish(fd, 3);
	if (!pid) {
		memcpy(shared, given, NR);
		exit(0);
	}
	join(pid);
	for (int i = 0; i < NR; i++)
		given[i] += shared[i];
	check_given(0, NR, 1);
}

static void emsgsize_waits(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = 65536,
		.flags = HMAP_CREATE_VAR_ELEM,
	};
	static char elem[65536], buf[1 << 17];
	int fd = make(&arg), refused = 0;
	const struct hmap_record *rec;
	struct hmap_next n;
	__u32 seen = 0, len = 0;
	bool ended = false;

	for (__u32 i = 0; i < 60; i++)
		EQ(insert(fd, &i, 4, elem, 1 << (i % 17), 0), 0);
	while (!ended) {
		int err = next(fd, &n, buf, len, 0);

		if (err) {
			EQ(err, -EMSGSIZE);
			EQ(n.count, 0);
			OK(n.used > len && n.used <= 16 + 65536);
			refused++;
			len = n.used;
			continue;
		}
		len = n.used / 2;
		while ((rec = take_record(&n))) {
			__u32 i = *(__u32 *)record_key(rec);

			OK(i < 60 && !given[i]);
			given[i] = 1;
			EQ(rec->elem_len, 1 << (i % 17));
			seen++;
		}
		ended = !n.count;
	}
	EQ(seen, 60);
	OK(refused > 3);
}

/* Not even where it is behind the first records, or in the argument. */
static void efault_loses_nothing(void)
{
	static char buf[100 * RECORD];
	const struct hmap_next to_constants = {
		.buf = (uintptr_t)buf,
		.len = sizeof(buf),
	};
	int fd = filled(NULL);
	struct hmap_next n;
	__u32 count = 0;

	while (count < NR) {
		char *cut = edge(count % 100 * RECORD + RECORD / 2);
		const struct hmap_record *rec;

		EQ(next(fd, &n, KERNEL_MEMORY, sizeof(buf), 0), -EFAULT);
		EQ(call(fd, HMAP_IOC_NEXT,
			readonly(&to_constants, sizeof(to_constants))),
		   -EFAULT);
		EQ(next(fd, &n, cut, sizeof(buf), 0), n.count ? 0 : -EFAULT);
		while ((rec = take_record(&n)))
			given[*(__u64 *)record_key(rec)]++;
		count += n.count + step(fd, 7, 0);
	}
	EQ(step(fd, 7, 0), 0);
	check_given(0, NR, 1);
}

static const struct test tests[] = {
	TEST(any_step),
	TEST(empty_and_tiny),
	TEST(end_is_the_end),
	TEST(starts_anywhere),
	TEST(rewind_halfway),
	TEST(while_the_map_grows),
	TEST(while_the_map_is_squeezed),
	TEST(while_another_writes),
	TEST(deleted_before_reached),
	TEST(replaced_before_reached),
	TEST(clear_ends),
	TEST(emptied_by_deletes),
	TEST(one_walk_a_file),
	TEST(two_processes_one_walk),
	TEST(emsgsize_waits),
	TEST(efault_loses_nothing),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
