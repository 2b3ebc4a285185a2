// SPDX-License-Identifier: GPL-2.0
/* What libhmap makes of the calls: what it returns, errno, walks, batches. */
#define _GNU_SOURCE
#include <hmap.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "device.h"

#define NR	1000

#define FAILS(expr, err)						\
do {									\
	errno = 0;							\
	CHECK_EQ(expr, #expr, -1, "-1");				\
	CHECK_EQ(errno, "errno of " #expr, err, #err);			\
} while (0)

static struct hmap_create u64_u64 = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
	.elem_size = 8,
	.mode = 0600,
};

static struct hmap_create string_var = {
	.key_kind = HMAP_KIND_STRING,
	.elem_size = HMAP_ELEM_SIZE_MAX,
	.flags = HMAP_CREATE_VAR_ELEM,
	.mode = 0600,
};

static int new_map(struct hmap_create *create)
{
	int fd = hmap_create(NULL, create);

	OK(fd >= 0);
	return fd;
}

static int set(int fd, __u64 key, __u64 elem)
{
	return hmap_insert(fd, &key, 8, &elem, 8, HMAP_INSERT_ANY);
}

static __u64 elem_of(int fd, __u64 key)
{
	__u32 len = 8;
	__u64 elem;

	EQ(hmap_lookup(fd, &key, 8, &elem, &len), 0);
	EQ(len, 8);
	return elem;
}

/* === Maps === */

static void names(void)
{
	char longest[HMAP_NAME_LEN + 1];
	struct hmap_create create = u64_u64;
	struct hmap_info i;
	int fd = hmap_create("name", &create), other;

	OK(fd >= 0);
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	FAILS(hmap_create("name", &create), EEXIST);
	EQ(set(fd, 1, 2), 0);
	other = hmap_open("name", O_RDONLY);
	OK(other >= 0);
	EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
	EQ(elem_of(other, 1), 2);
	FAILS(set(other, 1, 3), EACCES);
	FAILS(hmap_clear(other), EACCES);
	close(other);
	other = hmap_open("name", O_WRONLY);
	EQ(set(other, 1, 4), 0);
	EQ(hmap_info(other, &i), 0);
	EQ(i.access, HMAP_ACCESS_WRITE);
	EQ(i.key_size, 8);
	EQ(i.count, 0);

	other = hmap_open("name", O_RDONLY | O_CLOEXEC);
	OK(other >= 0);
	FAILS(hmap_open("name", O_ACCMODE), EINVAL);
	FAILS(hmap_open("name", O_RDONLY | O_NONBLOCK), EINVAL);

	FAILS(hmap_open("no name", O_RDONLY), ENOENT);
	FAILS(hmap_unlink("no name"), ENOENT);
	FAILS(hmap_create("", &create), EINVAL);
	FAILS(hmap_open("", O_RDONLY), EINVAL);
	FAILS(hmap_unlink(""), EINVAL);
	memset(longest, 'x', HMAP_NAME_LEN);
	longest[HMAP_NAME_LEN] = 0;
	FAILS(hmap_create(longest, &create), EINVAL);
	FAILS(hmap_open(longest, O_RDONLY), EINVAL);
	longest[HMAP_NAME_LEN - 1] = 0;
	OK(hmap_create(longest, &create) >= 0);

	EQ(hmap_unlink("name"), 0);
	FAILS(hmap_open("name", O_RDONLY), ENOENT);
	EQ(elem_of(fd, 1), 4);
	EQ(hmap_clear(fd), 0);
	EQ(hmap_info(fd, &i), 0);
	EQ(i.count, 0);
	EQ(i.state, HMAP_STATE_UNLINKED);

	strcpy(create.name, "name");
	OK(hmap_create(NULL, &create) >= 0);
	FAILS(hmap_open("name", O_RDONLY), ENOENT);
	OK(hmap_create("another", &create) >= 0);
	FAILS(hmap_open("name", O_RDONLY), ENOENT);
}

static void opens_what_is_there(void)
{
	struct hmap_create create = u64_u64, other = u64_u64;
	int fd, again;

	create.flags = HMAP_CREATE_OR_OPEN;
	create.max_entries = 1;
	fd = hmap_create("name", &create);
	OK(fd >= 0);
	EQ(create.created, 1);
	EQ(create.id, info(fd).id);
	EQ(set(fd, 1, 2), 0);
	create.max_entries = 2;
	again = hmap_create("name", &create);
	EQ(create.created, 0);
	EQ(create.id, info(fd).id);
	EQ(info(again).max_entries, 1);
	EQ(elem_of(again, 1), 2);
	create.elem_size = 4;
	FAILS(hmap_create("name", &create), EEXIST);
	OK(hmap_create("another", &other) >= 0);
	OK(other.created && other.id > create.id);
}

static void opens_once_more(void)
{
	int fd = new_map(&u64_u64), reader;

	reader = hmap_reopen(fd, O_RDONLY);
	OK(reader >= 0);
	EQ(fcntl(reader, F_GETFD), FD_CLOEXEC);
	EQ(set(fd, 1, 2), 0);
	EQ(elem_of(reader, 1), 2);
	FAILS(set(reader, 1, 3), EACCES);
	EQ(close(fd), 0);
	EQ(elem_of(reader, 1), 2);
	FAILS(hmap_reopen(reader, O_RDWR | O_TRUNC), EINVAL);
	FAILS(hmap_reopen(-1, O_RDONLY), EBADF);
	FAILS(hmap_reopen(STDIN_FILENO, O_RDONLY), EINVAL);
	FAILS(hmap_reopen(dev(O_RDWR), O_RDONLY), EBADFD);
}

static void sets(void)
{
	struct hmap_set set_all = {
		.flags = HMAP_SET_MODE | HMAP_SET_UID | HMAP_SET_GID |
			 HMAP_SET_MAX_ENTRIES | HMAP_SET_NAME,
		.mode = 0640,
		.uid = 1,
		.gid = 2,
		.max_entries = 1,
		.name = "name",
	};
	struct hmap_info i;
	int fd = new_map(&u64_u64);

	EQ(hmap_set(fd, &set_all), 0);
	i = info(hmap_open("name", O_RDONLY));
	EQ(i.mode, 0640);
	EQ(i.uid, 1);
	EQ(i.gid, 2);
	EQ(i.max_entries, 1);
	fd = new_map(&u64_u64);
	FAILS(hmap_set(fd, &set_all), EEXIST);
	EQ(info(fd).mode, 0600);
	FAILS(hmap_set(-1, &set_all), EBADF);
}

static void limits(void)
{
	struct hmap_create create = u64_u64;
	int fd;

	create.max_entries = 2;
	create.hint = 3;
	FAILS(hmap_create(NULL, &create), ENOSPC);
	create.hint = 0;
	fd = new_map(&create);
	EQ(set(fd, 1, 1), 0);
	EQ(set(fd, 2, 2), 0);
	FAILS(set(fd, 3, 3), ENOSPC);
	EQ(set(fd, 2, 3), 0);
}

/* A failure must leave no file descriptor open. */
static void leaves_nothing_open(void)
{
	int before = dup(0), after;
	struct hmap_info i = { 0 };

	close(before);
	FAILS(hmap_open("no name", O_RDWR), ENOENT);
	FAILS(hmap_unlink("no name"), ENOENT);
	FAILS(hmap_create("", &u64_u64), EINVAL);
	close(hmap_create("name", &u64_u64));
	FAILS(hmap_create("name", &u64_u64), EEXIST);
	EQ(hmap_next_map(&i), 1);
	EQ(hmap_unlink("name"), 0);
	memset(&i, 0, sizeof(i));
	EQ(hmap_next_map(&i), 0);
	after = dup(0);
	EQ(after, before);
}

static void no_device(void)
{
	struct hmap_info i = { 0 };

	EQ(unshare(CLONE_NEWNS), 0);
	EQ(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	EQ(mount("none", "/dev", "tmpfs", 0, NULL), 0);
	/* A file in place of the device would keep the module's from it. */
	FAILS(hmap_open("name", O_RDWR | O_CREAT), EINVAL);
	FAILS(hmap_open("name", O_RDWR), ENODEV);
	FAILS(hmap_create(NULL, &u64_u64), ENODEV);
	FAILS(hmap_unlink("name"), ENODEV);
	FAILS(hmap_next_map(&i), ENODEV);
}

static void no_permission(void)
{
	struct hmap_create written = u64_u64;
	struct hmap_info i = { 0 };
	pid_t pid;

	OK(hmap_create("roots", &u64_u64) >= 0);
	written.mode = 0602;
	OK(hmap_create("written", &written) >= 0);
	pid = spawn();
	if (!pid) {
		become(1000, 1000);
		FAILS(hmap_open("roots", O_RDONLY), EACCES);
		FAILS(hmap_next_map(&i), EACCES);
		exit(0);
	}
	join(pid);
	EQ(chmod(DEVICE, 0666), 0);
	pid = spawn();
	if (!pid) {
		become(1000, 1000);
		FAILS(hmap_open("roots", O_RDONLY), EACCES);
		FAILS(hmap_unlink("roots"), EPERM);
		EQ(hmap_next_map(&i), 1);
		EQ(i.access, 0);
		EQ(hmap_next_map(&i), 1);
		EQ(i.access, HMAP_ACCESS_WRITE);
		EQ(i.key_size, 8);
		EQ(hmap_next_map(&i), 0);
		exit(0);
	}
	join(pid);
	EQ(chmod(DEVICE, 0644), 0);
	pid = spawn();
	if (!pid) {
		become(1000, 1000);
		memset(&i, 0, sizeof(i));
		EQ(hmap_next_map(&i), 1);
		EQ(hmap_next_map(&i), 1);
		EQ(i.access, 0);
		exit(0);
	}
	join(pid);
}

static void lists_maps(void)
{
	struct hmap_info i = { 0 };
	bool seen[20] = { false };
	unsigned int nr, unnamed = 0;
	char name[16];
	int fd, ret;

	for (nr = 0; nr < ARRAY_SIZE(seen); nr++) {
		snprintf(name, sizeof(name), "map %u", nr);
		fd = hmap_create(name, &u64_u64);
		for (__u64 key = 0; key < nr; key++)
			EQ(set(fd, key, key), 0);
		close(fd);
		new_map(&u64_u64);
	}
	while ((ret = hmap_next_map(&i)) > 0) {
		if (!i.name[0]) {
			unnamed++;
			continue;
		}
		OK(!strncmp(i.name, "map ", 4));
		nr = strtoul(i.name + 4, NULL, 10);
		OK(nr < ARRAY_SIZE(seen) && !seen[nr]);
		seen[nr] = true;
		EQ(i.count, nr);
	}
	EQ(ret, 0);
	for (nr = 0; nr < ARRAY_SIZE(seen); nr++)
		OK(seen[nr]);
	EQ(unnamed, ARRAY_SIZE(seen));
}

/* === Entries === */

static void entries(void)
{
	int fd = new_map(&string_var);
	char elem[16];
	__u32 len;

	FAILS(hmap_insert(fd, "k", 1, "e", 1, HMAP_INSERT_EXIST), ENOENT);
	EQ(hmap_insert(fd, "k", 1, "e", 1, HMAP_INSERT_NOEXIST), 0);
	FAILS(hmap_insert(fd, "k", 1, "f", 1, HMAP_INSERT_NOEXIST), EEXIST);
	EQ(hmap_insert(fd, "k", 1, "elem", 4, HMAP_INSERT_EXIST), 0);
	len = sizeof(elem);
	EQ(hmap_lookup(fd, "k", 1, elem, &len), 0);
	EQ(len, 4);
	SAME_BYTES(elem, "elem", 4);
	len = 3;
	FAILS(hmap_lookup(fd, "k", 1, elem, &len), EMSGSIZE);
	EQ(len, 4);
	FAILS(hmap_lookup(fd, "K", 1, elem, &len), ENOENT);
	FAILS(hmap_delete(fd, "K", 1), ENOENT);
	EQ(hmap_delete(fd, "k", 1), 0);
	FAILS(hmap_lookup(fd, "k", 1, elem, &len), ENOENT);
	FAILS(hmap_delete(fd, NOWHERE, 1), EFAULT);

	fd = new_map(&u64_u64);
	FAILS(hmap_insert(fd, "k", 1, "e", 1, 0), EINVAL);
	FAILS(hmap_insert(fd, elem, 8, elem, 8, 3), EINVAL);
	FAILS(set(-1, 1, 1), EBADF);
	FAILS(set(dev(O_RDWR), 1, 1), EBADFD);
	FAILS(set(STDIN_FILENO, 1, 1), ENOTTY);
}

static void exchanges(void)
{
	int fd = new_map(&string_var);
	char old[8];
	__u32 len = sizeof(old);

	FAILS(hmap_xchg(fd, "k", 1, "a", 1, old, &len, HMAP_INSERT_EXIST),
	      ENOENT);
	EQ(hmap_xchg(fd, "k", 1, "first", 5, NULL, NULL, 0), 0);
	len = sizeof(old);
	EQ(hmap_xchg(fd, "k", 1, "second", 6, old, &len, 0), 1);
	EQ(len, 5);
	SAME_BYTES(old, "first", 5);
	FAILS(hmap_xchg(fd, "k", 1, "third", 5, old, &len, 0), EMSGSIZE);
	EQ(len, 6);
	FAILS(hmap_xchg(fd, "k", 1, "third", 5, old, &len,
			HMAP_INSERT_NOEXIST), EEXIST);
	EQ(len, 6);
	SAME_BYTES(old, "second", 6);

	len = sizeof(old);
	FAILS(hmap_cmpxchg(fd, "k", 1, "first", 5, "x", 1, old, &len), ESTALE);
	EQ(len, 6);
	SAME_BYTES(old, "second", 6);
	FAILS(hmap_cmpxchg(fd, "k", 1, "secon", 5, "x", 1, NULL, NULL), ESTALE);
	EQ(hmap_cmpxchg(fd, "k", 1, "second", 6, "x", 1, NULL, NULL), 0);
	FAILS(hmap_cmpxchg(fd, "K", 1, "x", 1, "y", 1, NULL, NULL), ENOENT);

	len = 0;
	FAILS(hmap_take(fd, "k", 1, old, &len), EMSGSIZE);
	EQ(len, 1);
	EQ(hmap_take(fd, "k", 1, old, &len), 0);
	SAME_BYTES(old, "x", 1);
	FAILS(hmap_take(fd, "k", 1, NULL, NULL), ENOENT);
}

static void adds(void)
{
	struct hmap_create u32 = {
		.key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = 4,
	};
	struct hmap_create bytes = {
		.key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = 12,
	};
	__u32 key = 1, n = 5, old[3];
	int fd = new_map(&u32);

	FAILS(hmap_fetch_add(fd, &key, 4, &n, old, 4, HMAP_INSERT_EXIST),
	      ENOENT);
	old[0] = ~0U;
	EQ(hmap_fetch_add(fd, &key, 4, &n, old, 4, HMAP_INSERT_ANY), 0);
	EQ(old[0], 0);
	n = -6;
	EQ(hmap_fetch_add(fd, &key, 4, &n, old, 4, HMAP_INSERT_EXIST), 1);
	EQ(old[0], 5);
	EQ(hmap_fetch_add(fd, &key, 4, &n, NULL, 4, HMAP_INSERT_ANY), 1);
	EQ(hmap_fetch_add(fd, &key, 4, &n, old, 4, HMAP_INSERT_ANY), 1);
	EQ(old[0], (__u32)-7);
	FAILS(hmap_fetch_add(fd, &key, 4, &n, NULL, 8, 0), EINVAL);
	FAILS(hmap_fetch_add(fd, &key, 4, &n, NULL, 4, HMAP_INSERT_NOEXIST),
	      EINVAL);
	fd = new_map(&bytes);
	FAILS(hmap_fetch_add(fd, &key, 4, old, NULL, 12, 0), EOPNOTSUPP);
}

/* === Many processes === */

struct tally {
	__u64 olds[PROCESSES_MAX];
	__u64 taken[NR];
};

/* Key 0 is added to, key 1 compared and exchanged. */
static void count_up(int fd, int who, void *arg)
{
	struct tally *t = arg;
	__u64 add = 0, cas = 1, one = 1, old, now, new;
	__u32 len;

	for (int i = 0; i < NR; i++) {
		OK(hmap_fetch_add(fd, &add, 8, &one, &old, 8, 0) >= 0);
		t->olds[who] += old;
		now = elem_of(fd, cas);
		do {
			new = now + 1;
			old = now;
			len = 8;
		} while (hmap_cmpxchg(fd, &cas, 8, &old, 8, &new, 8, &now,
				      &len) && errno == ESTALE);
		EQ(now, old);
	}
}

static void all_is_counted(void)
{
	const __u64 total = nr_processes() * NR;
	struct tally *t = shared(sizeof(*t));
	int fd = new_map(&u64_u64);
	__u64 olds = 0;

	EQ(set(fd, 1, 0), 0);
	at_once(count_up, fd, t);
	EQ(elem_of(fd, 0), total);
	EQ(elem_of(fd, 1), total);
	/* Each number on the way there was told to one of them. */
	for (int who = 0; who < nr_processes(); who++)
		olds += t->olds[who];
	EQ(olds, total * (total - 1) / 2);
}

static void take_all(int fd, int who, void *arg)
{
	struct tally *t = arg;

	for (__u64 i = 0; i < NR; i++) {
		__u64 key = who % 2 ? NR - 1 - i : i, elem;
		__u32 len = 8;

		if (hmap_take(fd, &key, 8, &elem, &len)) {
			EQ(errno, ENOENT);
			continue;
		}
		EQ(elem, ~key);
		__atomic_fetch_add(&t->taken[key], 1, __ATOMIC_RELAXED);
	}
}

static void each_is_taken_once(void)
{
	struct tally *t = shared(sizeof(*t));
	int fd = new_map(&u64_u64);

	for (__u64 key = 0; key < NR; key++)
		EQ(set(fd, key, ~key), 0);
	at_once(take_all, fd, t);
	for (__u64 key = 0; key < NR; key++)
		EQ(t->taken[key], 1);
	EQ(info(fd).count, 0);
}

/* === Walks === */

static unsigned char given[NR];

/* Walks through entries from a number to itself; those from NR on may be. */
static void walk_numbers(int fd)
{
	struct hmap_walk *walk = hmap_walk_begin(fd);
	struct hmap_item item;
	int ret;

	OK(walk);
	memset(given, 0, sizeof(given));
	while ((ret = hmap_walk_next(walk, &item)) > 0) {
		__u64 key = *(const __u64 *)item.key;

		EQ(item.key_len, 8);
		EQ(item.elem_len, 8);
		EQ(key, *(const __u64 *)item.elem);
		if (key < NR)
			given[key]++;
	}
	EQ(ret, 0);
	EQ(hmap_walk_next(walk, &item), 0);
	hmap_walk_end(walk);
	for (__u64 key = 0; key < NR; key++)
		EQ(given[key], 1);
}

static void walks(void)
{
	int fd = new_map(&u64_u64);
	struct hmap_walk *walk = hmap_walk_begin(fd);
	struct hmap_item item;
	int ret;

	EQ(hmap_walk_next(walk, &item), 0);
	hmap_walk_end(walk);
	for (__u64 key = 0; key < 10 * NR; key++)
		EQ(set(fd, key, key), 0);
	walk_numbers(fd);
	/* One that is on the way is no matter to the next, but to a clear. */
	walk = hmap_walk_begin(fd);
	EQ(hmap_walk_next(walk, &item), 1);
	walk_numbers(fd);
	EQ(hmap_clear(fd), 0);
	do
		ret = hmap_walk_next(walk, &item);
	while (ret > 0);
	EQ(ret, -1);
	EQ(errno, ESTALE);
	FAILS(hmap_walk_next(walk, &item), ESTALE);
	hmap_walk_end(walk);
	walk = hmap_walk_begin(-1);
	FAILS(hmap_walk_next(walk, &item), EBADF);
	hmap_walk_end(walk);
}

/* The processes share the file, and the walk up to where they part. */
static void walks_after_fork(void)
{
	struct hmap_item item;
	struct hmap_walk *walk;
	pid_t pid;
	int fd = new_map(&u64_u64), nr;

	for (__u64 key = 0; key < 20 * NR; key++)
		EQ(set(fd, key, key), 0);
	walk = hmap_walk_begin(fd);
	for (nr = 0; nr < 5 * NR; nr++)
		EQ(hmap_walk_next(walk, &item), 1);
	pid = spawn();
	while (hmap_walk_next(walk, &item) > 0)
		nr++;
	EQ(nr, 20 * NR);
	if (!pid)
		exit(0);
	join(pid);
}

static void walks_while_another_writes(void)
{
	int fd = hmap_create("walked", &u64_u64);
	__u64 growths;
	pid_t pid;

	for (__u64 key = 0; key < NR; key++)
		EQ(set(fd, key, key), 0);
	growths = info(fd).growths;
	pid = spawn();
	if (!pid) {
		for (__u64 key = NR;; key++) {
			EQ(set(fd, key, key), 0);
			if (key % 3 == 0)
				EQ(hmap_delete(fd, &key, 8), 0);
		}
	}
	do
		walk_numbers(fd);
	while (info(fd).growths < growths + 3);
	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, NULL, 0), pid);
}

/* The longest are longer than what a walk reads at a time. */
static void walks_over_elems_of_any_length(void)
{
	static const __u32 lens[] = { 0, 1, 7, 8, 9, 1000, 40000, 65535, 65536 };
	static char elem[HMAP_ELEM_SIZE_MAX];
	int fd = new_map(&string_var), nr = 0;
	struct hmap_walk *walk;
	struct hmap_item item;

	for (size_t i = 0; i < sizeof(elem); i++)
		elem[i] = random_u32();
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		EQ(hmap_insert(fd, &lens[i], 4, elem, lens[i], 0), 0);
	memset(given, 0, sizeof(given));
	walk = hmap_walk_begin(fd);
	while (hmap_walk_next(walk, &item) > 0) {
		EQ(item.key_len, 4);
		EQ(item.elem_len, *(const __u32 *)item.key);
		SAME_BYTES(item.elem, elem, item.elem_len);
		for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
			given[i] += lens[i] == item.elem_len;
		nr++;
	}
	hmap_walk_end(walk);
	EQ(nr, ARRAY_SIZE(lens));
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		EQ(given[i], 1);
}

/* === Batches === */

static __u64 keys[NR], elems[NR];
static __s32 results[NR];

static void batches(void)
{
	int fd = new_map(&u64_u64);
	__u32 count = NR;

	/* Every third key is there, with another elem. */
	for (__u64 i = 0; i < NR; i++) {
		keys[i] = i * 7919 % NR;
		elems[i] = ~keys[i];
		if (keys[i] % 3 == 0)
			EQ(set(fd, keys[i], 3), 0);
	}
	EQ(hmap_insert_batch(fd, keys, NULL, elems, NULL, results, &count,
			     HMAP_INSERT_NOEXIST), 0);
	EQ(count, NR);
	for (int i = 0; i < NR; i++) {
		EQ(results[i], keys[i] % 3 ? 0 : -EEXIST);
		EQ(elem_of(fd, keys[i]), keys[i] % 3 ? ~keys[i] : 3);
	}
	EQ(info(fd).count, NR);

	/* Every second key is none, and the others are in another order. */
	for (__u64 i = 0; i < NR; i++)
		keys[i] = (NR - i) % 2 ? NR + i : i;
	EQ(hmap_lookup_batch(fd, keys, NULL, elems, NULL, 0, results, &count),
	   0);
	EQ(count, NR);
	for (__u64 i = 0; i < NR; i++) {
		EQ(results[i], keys[i] < NR ? 0 : -ENOENT);
		EQ(elems[i], keys[i] >= NR ? 0 : keys[i] % 3 ? ~keys[i] : 3);
	}

	EQ(hmap_delete_batch(fd, keys, NULL, results, &count), 0);
	EQ(count, NR);
	for (__u64 i = 0; i < NR; i++)
		EQ(results[i], keys[i] < NR ? 0 : -ENOENT);
	EQ(info(fd).count, NR / 2);
}

/* Key number @i is so many times this letter; its elem is the key twice. */
static void fill_texts(char *to, __u32 *lens, int times)
{
	for (__u32 i = 0; i < 100; i++) {
		lens[i] = times * i;
		memset(to, 'a' + i % 26, lens[i]);
		to += lens[i];
	}
}

static void batches_of_any_length(void)
{
	static char names[4950], texts[9900], found[9900];
	__u32 name_lens[100], text_lens[100], found_lens[100];
	__u32 count = 100, done = 0, name_at = 0, text_at = 0;
	int fd = new_map(&string_var), calls = 0, ret;

	fill_texts(names, name_lens, 1);
	fill_texts(texts, text_lens, 2);
	EQ(hmap_insert_batch(fd, names, name_lens, texts, text_lens, results,
			     &count, 0), 0);
	EQ(count, 100);
	EQ(info(fd).count, 100);

	do {
		count = 100 - done;
		ret = hmap_lookup_batch(fd, names + name_at, name_lens + done,
					found, found_lens, 1000, results,
					&count);
		SAME_BYTES(found_lens, text_lens + done, 4 * count);
		for (__u32 i = 0, at = 0; i < count; i++, done++) {
			EQ(results[i], 0);
			SAME_BYTES(found + at, texts + text_at, found_lens[i]);
			at += found_lens[i];
			text_at += found_lens[i];
			name_at += name_lens[done];
		}
		if (ret) {
			EQ(errno, EMSGSIZE);
			EQ(found_lens[count], text_lens[done]);
			OK(count);
		}
		calls++;
	} while (ret);
	EQ(done, 100);
	EQ(text_at, sizeof(texts));
	OK(calls >= 10);
}

static void batches_that_stop(void)
{
	int fd = new_map(&u64_u64);
	__u64 *few = edge(300 * 8);
	__u32 count = NR;

	for (__u64 i = 0; i < 300; i++)
		few[i] = i;
	FAILS(hmap_insert_batch(fd, few, NULL, keys, NULL, results, &count, 0),
	      EFAULT);
	EQ(count, 300);
	EQ(info(fd).count, 300);
	for (__u64 i = 0; i < 300; i++)
		EQ(results[i], 0);

	/* These do not begin. */
	count = NR;
	FAILS(hmap_insert_batch(fd, keys, (__u32 *)keys, elems, NULL, results,
				&count, 0), EINVAL);
	EQ(count, 0);
	count = NR;
	FAILS(hmap_lookup_batch(fd, keys, NULL, elems, NULL, 8, results,
				&count), EINVAL);
	EQ(count, 0);
	count = NR;
	FAILS(hmap_delete_batch(-1, keys, NULL, results, &count), EBADF);
	EQ(count, 0);
	count = NR;
	FAILS(hmap_lookup_batch(fd, keys, NULL, elems, NULL, 0, NOWHERE,
				&count), EFAULT);
	EQ(count, 0);
	EQ(hmap_delete_batch(fd, keys, NULL, results, &count), 0);
	EQ(count, 0);
	EQ(info(fd).count, 300);
}

static bool stop_protecting;

static void *protect_often(void *page)
{
	while (!__atomic_load_n(&stop_protecting, __ATOMIC_RELAXED)) {
		EQ(mprotect(page, 4096, PROT_READ), 0);
		EQ(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
	}
	return NULL;
}

/* What was done is counted, even if its results could not be written. */
static void batches_that_lose_results(void)
{
	__s32 *lost = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = new_map(&u64_u64), ret;
	__u64 before = 0, now;
	pthread_t thread;
	__u32 count;

	OK(lost != MAP_FAILED);
	EQ(pthread_create(&thread, NULL, protect_often, lost), 0);
	do {
		for (int i = 0; i < 64; i++)
			keys[i] = before + i;
		count = 64;
		ret = hmap_insert_batch(fd, keys, NULL, keys, NULL, lost,
					&count, HMAP_INSERT_NOEXIST);
		OK(!ret || errno == EFAULT);
		now = info(fd).count;
		EQ(now - before, count);
		before = now;
	} while (!ret || count < 64);
	__atomic_store_n(&stop_protecting, true, __ATOMIC_RELAXED);
	EQ(pthread_join(thread, NULL), 0);
}

/* === Signals === */

static sig_atomic_t signals;

static void on_alarm(int sig)
{
	signals += sig == SIGALRM;
}

static void alarm_often(bool on)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval timer = {
		.it_value.tv_usec = on ? 500 : 0,
		.it_interval.tv_usec = on ? 500 : 0,
	};

	EQ(sigaction(SIGALRM, &action, NULL), 0);
	EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

#define MANY	100000

/* What the count says was done, and no more. */
static void interrupted_batches(void)
{
	static __u64 many[MANY];
	static __s32 errors[MANY];
	int fd = new_map(&u64_u64), interrupts = 0, ret;
	__u32 done, count;

	for (__u64 i = 0; i < MANY; i++) {
		many[i] = i;
		errors[i] = 1;
	}
	alarm_often(true);
	for (done = 0; done < MANY; done += count) {
		count = MANY - done;
		ret = hmap_insert_batch(fd, many + done, NULL, many + done,
					NULL, errors + done, &count,
					HMAP_INSERT_NOEXIST);
		EQ(info(fd).count, done + count);
		if (!ret)
			continue;
		EQ(errno, EINTR);
		OK(count);
		interrupts++;
	}
	OK(interrupts);
	for (done = 0; done < MANY; done += count) {
		count = MANY - done;
		ret = hmap_delete_batch(fd, many + done, NULL, errors + done,
					&count);
		OK(!ret || (errno == EINTR && count));
	}
	alarm_often(false);
	EQ(info(fd).count, 0);
	for (int i = 0; i < MANY; i++)
		EQ(errors[i], 0);
}

static void interrupted_walks(void)
{
	int fd = new_map(&string_var), nr = 0, ret;
	static char elem[1000];
	struct hmap_walk *walk;
	struct hmap_item item;

	for (int i = 0; i < 20 * NR; i++)
		EQ(hmap_insert(fd, &i, 4, elem, sizeof(elem), 0), 0);
	walk = hmap_walk_begin(fd);
	alarm_often(true);
	do {
		ret = hmap_walk_next(walk, &item);
		nr += ret > 0;
	} while (ret > 0 || (ret && errno == EINTR));
	alarm_often(false);
	EQ(ret, 0);
	EQ(nr, 20 * NR);
	OK(signals);
	hmap_walk_end(walk);
}

static const struct test tests[] = {
	TEST(names),
	TEST(opens_what_is_there),
	TEST(opens_once_more),
	TEST(sets),
	TEST(limits),
	TEST(leaves_nothing_open),
	TEST(no_device),
	TEST(no_permission),
	TEST(lists_maps),
	TEST(entries),
	TEST(exchanges),
	TEST(adds),
	TEST(all_is_counted),
	TEST(each_is_taken_once),
	TEST(walks),
	TEST(walks_after_fork),
	TEST(walks_while_another_writes),
	TEST(walks_over_elems_of_any_length),
	TEST(batches),
	TEST(batches_of_any_length),
	TEST(batches_that_stop),
	TEST(batches_that_lose_results),
	TEST(interrupted_batches),
	TEST(interrupted_walks),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
