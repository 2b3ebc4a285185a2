// SPDX-License-Identifier: GPL-2.0
/* With several processes on one map, none sees a torn or foreign elem. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

#include "witness.h"

#define NR_KEYS		300
#define MILLISECONDS	1000

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void one_of_many(const struct hmap_create *shape, int who, long long end)
{
	int fd = dev_open_map(shape->name, O_RDWR);

	for (int i = 0; i < who; i++)
		random_u32();
	for (unsigned int i = 0; i % 16 || now() < end; i++) {
		__u32 nr = random_u32() % NR_KEYS;

		if (who == 0)
			witness_walk(fd, NR_KEYS, random_u32() % 32 == 0);
		else if (random_u32() % 2)
			witness_read(fd, shape, nr);
		else
			witness_write(fd, shape, nr);
		if (who == 1 && i % 4096 == 4095)
			EQ(clear(fd), 0);
	}
}

static void hammer(const struct hmap_create *shape)
{
	int fd = make(shape), nr = get_nprocs() + 2;
	long long end = now() + MILLISECONDS;
	struct contents c;
	pid_t pids[64];

	OK(nr < (int)ARRAY_SIZE(pids));
	for (int who = 0; who < nr; who++) {
		pids[who] = spawn();
		if (!pids[who]) {
			one_of_many(shape, who, end);
			exit(0);
		}
	}
	for (int who = 0; who < nr; who++)
		join(pids[who]);
	c = contents(fd);
	EQ(c.count, info(fd).count);
	free_contents(&c);
}

static void inline_elems(void)
{
	hammer(&(struct hmap_create) {
		.key_kind = HMAP_KIND_U32,
		.key_size = 4,
		.elem_size = 128,
		.name = "inline",
	});
}

static void elems_by_pointer(void)
{
	hammer(&(struct hmap_create) {
		.key_kind = HMAP_KIND_BYTES,
		.key_size = 200,
		.elem_size = WITNESS_ELEM_MAX,
		.name = "by-pointer",
	});
}

static void variable_elems(void)
{
	hammer(&(struct hmap_create) {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = 2000,
		.flags = HMAP_CREATE_VAR_ELEM,
		.name = "variable",
	});
}

/* Each process has keys of its own, which no other touches. */
static void own_keys(void)
{
	int fd = make_u64("own", 0600), nr = get_nprocs() + 1;
	pid_t pids[64];

	for (int who = 0; who < nr; who++) {
		pids[who] = spawn();
		if (pids[who])
			continue;
		for (__u64 i = 0; i < 3000; i++) {
			__u64 key = i * nr + who, elem;

			EQ(insert(fd, &key, 8, &i, 8, HMAP_INSERT_NOEXIST), 0);
			EQ(get(fd, key, &elem), 0);
			EQ(elem, i);
			if (i % 3 == 2) {
				EQ(del(fd, key - nr), 0);
				EQ(get(fd, key - nr, &elem), -ENOENT);
			}
		}
		exit(0);
	}
	for (int who = 0; who < nr; who++)
		join(pids[who]);
	EQ(info(fd).count, 2000 * nr);
}

/* When many try to make the same entry, exactly one succeeds. */
static void one_winner(void)
{
	unsigned int *wins = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = make_u64(NULL, 0), nr = get_nprocs() + 1;
	pid_t pids[64];

	for (int who = 0; who < nr; who++) {
		pids[who] = spawn();
		if (pids[who])
			continue;
		for (__u64 i = 0; i < 2000; i++) {
			int err = insert(fd, &i, 8, &i, 8, HMAP_INSERT_NOEXIST);

			if (err)
				EQ(err, -EEXIST);
			else
				__atomic_fetch_add(wins, 1, __ATOMIC_RELAXED);
		}
		exit(0);
	}
	for (int who = 0; who < nr; who++)
		join(pids[who]);
	EQ(*wins, 2000);
	EQ(info(fd).count, 2000);
}

/* Several processes make, open and unlink the same names. */
static void names_come_and_go(void)
{
	long long end = now() + MILLISECONDS;
	int nr = get_nprocs() + 1;
	pid_t pids[64];

	for (int who = 0; who < nr; who++) {
		pids[who] = spawn();
		if (pids[who])
			continue;
		for (int i = 0; i < who; i++)
			random_u32();
		while (now() < end) {
			struct hmap_create arg = {
				.key_kind = HMAP_KIND_U64,
				.key_size = 8,
				.elem_size = 8,
				.name = { 'n', 'a' + random_u32() % 4 },
			};
			int fd = dev(O_RDWR), err = 0;

			if (random_u32() % 2)
				err = create(fd, &arg);
			else
				err = open_map(fd, arg.name);
			OK(!err || err == -EEXIST || err == -ENOENT);
			if (!err)
				EQ(put(fd, who, who), 0);
			if (random_u32() % 2)
				err = unlink_map(fd, arg.name);
			OK(!err || err == -EEXIST || err == -ENOENT);
			close(fd);
		}
		exit(0);
	}
	for (int who = 0; who < nr; who++)
		join(pids[who]);
}

static const struct test tests[] = {
	TEST(inline_elems),
	TEST(elems_by_pointer),
	TEST(variable_elems),
	TEST(own_keys),
	TEST(one_winner),
	TEST(names_come_and_go),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
