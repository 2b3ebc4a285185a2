// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that are killed in the middle of calls, at any time, leave nothing
 * behind: no file, no map, no charge, no entry that is not whole.  Nor does a
 * machine that sleeps meanwhile.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"

#define USER		1000
#define KEYS		20000	/* so that a map that was cleared grows for long */
#define MAX_ENTRIES	15000
#define BATCH		500
#define NAMES		4	/* of maps that come and go */
#define MILLISECONDS	8000

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* === Calls in which to be killed === */

/* What may come of a call while others do whatever they do. */
static void may_fail(int err)
{
	OK(!err || err == -ENOENT || err == -EEXIST || err == -ESTALE ||
	   err == -ENOSPC || err == -EDQUOT);
}

static void call_for_one(int fd)
{
	__u64 key = random_u32() % KEYS, elem = ~key, old;
	struct hmap_update u = {
		.key = (uintptr_t)&key,
		.elem = (uintptr_t)&elem,
		.old = (uintptr_t)&old,
		.key_len = 8,
		.elem_len = 8,
		.old_len = 8,
	};

	switch (random_u32() % 4) {
	case 0:
		may_fail(put(fd, key, elem));
		break;
	case 1:
		may_fail(del(fd, key));
		break;
	case 2:
		may_fail(get(fd, key, &old));
		break;
	default:
		may_fail(call(fd, HMAP_IOC_UPDATE, &u));
	}
}

static void call_for_many(int fd)
{
	static const unsigned long cmds[] = {
		HMAP_IOC_INSERT_BATCH, HMAP_IOC_INSERT_BATCH,
		HMAP_IOC_INSERT_BATCH, HMAP_IOC_LOOKUP_BATCH,
		HMAP_IOC_DELETE_BATCH
	};
	static __u64 keys[BATCH], elems[BATCH];
	static __s32 results[BATCH];
	struct hmap_batch b = {
		.keys = (uintptr_t)keys,
		.elems = (uintptr_t)elems,
		.results = (uintptr_t)results,
		.count = BATCH,
	};
	unsigned long cmd = cmds[random_u32() % ARRAY_SIZE(cmds)];

	if (cmd == HMAP_IOC_DELETE_BATCH)
		b.elems = 0;
	for (int i = 0; i < BATCH; i++) {
		keys[i] = random_u32() % KEYS;
		elems[i] = ~keys[i];
	}
	EQ(call(fd, cmd, &b), 0);
}

static void walk(int fd)
{
	static __u8 buf[1 << 14];
	struct hmap_next n = { 0 };

	do
		may_fail(next(fd, &n, buf, sizeof(buf)));
	while (n.count && n.count != ~0U);
}

static struct hmap_create shape(const char *name, __u32 flags)
{
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.flags = flags,
		.mode = 0666,
	};

	strcpy(arg.name, name);
	return arg;
}

static void come_and_go(int fd)
{
	struct hmap_create arg = shape("", HMAP_CREATE_OR_OPEN);
	int other = dev(O_RDWR), err;

	snprintf(arg.name, sizeof(arg.name), "goes %u", random_u32() % NAMES);
	if (random_u32() % 2)
		arg.flags |= HMAP_CREATE_MAPPED;
	err = create(other, &arg);
	may_fail(err);
	for (__u64 i = 0; !err && i < 100; i++)
		err = put(other, i, i);
	may_fail(err);
	may_fail(unlink_map(other, arg.name));
	close(other);

	other = dev_open_fd(fd, O_RDONLY);
	EQ(info(other).id, info(fd).id);
	close(other);
	arg = shape("", 0);
	other = dev(O_RDWR);
	err = create(other, &arg);
	may_fail(err);
	for (__u64 i = 0; !err && i < 100; i++)
		err = put(other, i, i);
	close(other);
}

static void look_at_pages(int fd)
{
	size_t len = 64 * getpagesize();
	__u8 *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		EQ(errno, ENODEV);
		return;
	}
	for (size_t i = 0; i < len; i += 512)
		__atomic_load_n(p + i, __ATOMIC_RELAXED);
	EQ(munmap(p, len), 0);
}

static void clear_it(int fd)
{
	if (random_u32() % 16 == 0)
		EQ(clear(fd), 0);
}

static void (*const calls[])(int fd) = {
	call_for_one, call_for_one, call_for_one, call_for_many, call_for_many,
	walk, come_and_go, look_at_pages, clear_it,
};

static const char * const names[] = { "stays", "stays and is mapped" };

/* The same sequence of numbers in each process, so start at another place. */
static void work(unsigned int seed)
{
	int fds[ARRAY_SIZE(names)];

	become(USER, USER);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fds[i] = dev_open_map(names[i], O_RDWR);
	for (seed %= 10000; seed; seed--)
		random_u32();
	for (;;)
		calls[random_u32() % ARRAY_SIZE(calls)]
			(fds[random_u32() % ARRAY_SIZE(fds)]);
}

/* === What must not be left === */

static void make_what_stays(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct hmap_create arg = shape(names[i],
					       i ? HMAP_CREATE_MAPPED : 0);

		arg.max_entries = MAX_ENTRIES;
		close(make(&arg));
	}
}

/* Maps there are, once those that were to come and go have no name. */
static unsigned int nr_maps(void)
{
	struct hmap_info arg = { 0 };
	unsigned int nr = 0;
	int fd = dev(O_RDWR);

	while (!call(fd, HMAP_IOC_INFO, &arg)) {
		if (strncmp(arg.name, "goes", 4))
			nr++;
		else
			EQ(unlink_map(fd, arg.name), 0);
		arg.after = arg.id;
	}
	close(fd);
	return nr;
}

static bool none_is_left(void *arg)
{
	(void)arg;
	return nr_maps() == ARRAY_SIZE(names);
}

static bool is_held_once(void *fd)
{
	return info(*(int *)fd).holders == 1;
}

static void check_entries(int fd)
{
	struct contents c = contents(fd);

	EQ(c.count, info(fd).count);
	OK(c.count <= MAX_ENTRIES);
	for (size_t i = 0; i < c.count; i++) {
		__u64 key, elem;

		memcpy(&key, record_key(c.recs[i]), 8);
		memcpy(&elem, record_elem(c.recs[i]), 8);
		OK(key < KEYS);
		EQ(elem, ~key);
	}
	free_contents(&c);
}

/* All is charged that is there, and nothing else. */
static bool charges_are_right(void *arg)
{
	int *fds = arg;
	__u64 bytes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		bytes += info(fds[i]).bytes;
	return info(fds[0]).owner_bytes == bytes;
}

/* As many entries as there may be fit, and no more. */
static void fill_up(int fd)
{
	__u64 key = 0;

	EQ(clear(fd), 0);
	for (; key < MAX_ENTRIES; key++)
		EQ(put(fd, key, ~key), 0);
	EQ(put(fd, key, ~key), -ENOSPC);
	check_entries(fd);
}

static void make_all_but_two(void)
{
	int nr = parameter("max_user_maps") - ARRAY_SIZE(names);
	struct hmap_create arg = shape("", 0);

	while (nr--)
		make(&arg);
	EQ(create(dev(O_RDWR), &arg), -EDQUOT);
}

static void open_what_stays(int fds[ARRAY_SIZE(names)])
{
	as(USER, make_what_stays);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fds[i] = dev_open_map(names[i], O_RDWR);
}

static void check_what_stays(int fds[ARRAY_SIZE(names)])
{
	OK(becomes_true(none_is_left, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		OK(becomes_true(is_held_once, &fds[i]));
		check_entries(fds[i]);
	}
	OK(becomes_true(charges_are_right, fds));
}

static void kill_and_wait(pid_t pid)
{
	int status;

	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, &status, 0), pid);
	/* It cannot have ended by itself. */
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void start_workers(pid_t *pids, int nr)
{
	while (nr--) {
		pids[nr] = spawn();
		if (!pids[nr])
			work(random_u32() + nr);
	}
}

static void killed_at_any_time(void)
{
	long long end = now() + MILLISECONDS * times_longer();
	int fds[ARRAY_SIZE(names)], nr = nr_processes();
	unsigned int killed = 0, most_entries = 0, growing = 0;
	pid_t pids[PROCESSES_MAX];

	set_parameter("max_user_maps", 20);
	open_what_stays(fds);
	for (unsigned int round = 0; now() < end; round++) {
		trying("round %u", round);
		start_workers(pids, nr);
		for (int i = 0; i < nr; i++) {
			usleep(random_u32() % 40000);
			kill_and_wait(pids[i]);
			growing += !!info(fds[i % 2]).state;
		}
		killed += nr;
		if (info(fds[0]).count > most_entries)
			most_entries = info(fds[0]).count;
		check_what_stays(fds);
	}
	printf("# %u processes were killed, %u times while a map grew\n",
	       killed, growing);
	OK(most_entries);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fill_up(fds[i]);
	as(USER, make_all_but_two);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		EQ(clear(fds[i]), 0);
	OK(becomes_true(charges_are_right, fds));
}

/* === Sleep === */

#define POWER	"/sys/power/"

/*
 * All devices and CPUs are suspended as for a sleep to RAM, which ends by itself
 * after a second.
 */
static void asleep(void)
{
	int fds[ARRAY_SIZE(names)], nr = nr_processes();
	pid_t pids[PROCESSES_MAX];

	if (access(POWER "pm_test", W_OK) || access(POWER "state", W_OK))
		skip("the kernel cannot test suspending");
	write_file("/sys/module/suspend/parameters/pm_test_delay", "1");
	write_file(POWER "pm_test", "core");
	open_what_stays(fds);
	start_workers(pids, nr);
	for (int i = 0; i < 3; i++) {
		usleep(300000);
		write_file(POWER "state", "mem");
	}
	usleep(300000);
	for (int i = 0; i < nr; i++)
		kill_and_wait(pids[i]);
	check_what_stays(fds);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fill_up(fds[i]);
}

static const struct test tests[] = {
	TEST(killed_at_any_time),
	TEST(asleep),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
