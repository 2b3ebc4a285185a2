// SPDX-License-Identifier: GPL-2.0
/* The limits of a map, a user and a cgroup, and what happens at them. */
#define _GNU_SOURCE
#include <hmap.h>
#include <hmap_view.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "device.h"

#define USER	1000
#define OTHER	1001
#define SIZE	4000U		/* of an elem: with its header, a page */
#define NR_MAX	5000		/* such elems are more than any limit here allows */

static const struct hmap_create u64_set = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
};

static const struct hmap_create long_elems = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
	.elem_size = SIZE,
	.mode = 0666,
};

static const struct hmap_create one_byte = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
	.elem_size = 1,
	.flags = HMAP_CREATE_VAR_ELEM,
};

static int make_named(const struct hmap_create *arg, const char *name)
{
	struct hmap_create named = *arg;

	strcpy(named.name, name);
	return make(&named);
}

static __u8 elem[SIZE];

/* Put an elem that is stored by pointer, so that each one takes memory. */
static int put_long(int fd, __u64 key)
{
	memset(elem, key, sizeof(elem));
	return insert(fd, &key, 8, elem, sizeof(elem), HMAP_INSERT_ANY);
}

/* Insert keys from @nr on until that fails with @err; return their number. */
static __u64 put_until_refused(int fd, __u64 nr, int err)
{
	int ret;

	while (!(ret = put_long(fd, nr))) {
		nr++;
		OK(nr < NR_MAX);
	}
	EQ(ret, -err);
	EQ(info(fd).count, nr);
	return nr;
}

static void check_long(int fd, __u64 nr)
{
	__u8 want[SIZE];
	__u32 len = SIZE;

	EQ(info(fd).count, nr);
	for (__u64 key = 0; key < nr; key++) {
		memset(want, key, sizeof(want));
		EQ(lookup(fd, &key, 8, elem, &len), 0);
		SAME_BYTES(elem, want, len);
	}
}

/* === A map === */

struct full {
	int fd;
	struct hmap_batch *batch;
};

/* What was deleted is charged until no reader can see it. */
static bool batch_is_taken(void *arg)
{
	const struct full *full = arg;
	__s32 *result = (__s32 *)(uintptr_t)full->batch->results;

	EQ(call(full->fd, HMAP_IOC_INSERT_BATCH, full->batch), 0);
	OK(!*result || *result == -ENOSPC);
	return !*result;
}

static void map_is_full(void)
{
	struct full full;
	struct hmap_create arg = long_elems;
	__u64 keys[4], old_key = 0;
	__s32 results[4];
	__u8 old[SIZE];
	struct hmap_batch b = {
		.keys = (uintptr_t)keys,
		.elems = (uintptr_t)old,
		.results = (uintptr_t)results,
		.count = 1,
	};
	struct hmap_update u = {
		.key = (uintptr_t)&old_key,
		.elem = (uintptr_t)elem,
		.old = (uintptr_t)old,
		.key_len = 8,
		.elem_len = SIZE,
		.old_len = SIZE,
	};
	__u64 nr;
	int fd;

	arg.max_bytes = 1 << 19;
	arg.hint = 200;
	fd = make(&arg);
	nr = put_until_refused(fd, 0, ENOSPC);
	OK(nr > 100 && info(fd).bytes <= arg.max_bytes);
	memset(old, 0, sizeof(old));	/* the elem of key 0 */
	REFUSED(fd, put_long(fd, 0), ENOSPC);
	REFUSED(fd, call(fd, HMAP_IOC_UPDATE, &u), ENOSPC);
	u.op = HMAP_UPDATE_CMPXCHG;
	u.expect = (uintptr_t)old;
	u.expect_len = SIZE;
	REFUSED(fd, call(fd, HMAP_IOC_UPDATE, &u), ENOSPC);
	keys[0] = nr;
	REFUSED(fd, call(fd, HMAP_IOC_INSERT_BATCH, &b) ?: results[0], ENOSPC);
	EQ(b.count, 1);

	/* What takes no memory works, and freed memory can be used again. */
	check_long(fd, nr);
	EQ(del(fd, 0), 0);
	full.fd = fd;
	full.batch = &b;
	OK(becomes_true(batch_is_taken, &full));
	EQ(info(fd).count, nr);
}

/* === A user === */

static void make_three(void)
{
	struct hmap_create named = u64_set;
	int fds[3], fd = dev(O_RDWR);

	for (int i = 0; i < 3; i++)
		fds[i] = make(&u64_set);
	strcpy(named.name, "one-too-many");
	EQ(create(fd, &u64_set), -EDQUOT);
	EQ(create(fd, &named), -EDQUOT);
	OK(!is_name("one-too-many"));
	EQ(info(fds[0]).owner_max_bytes, 1 << 20);
	close(fds[1]);
	EQ(create(fd, &named), 0);
	EQ(create(dev(O_RDWR), &u64_set), -EDQUOT);

	/* A map counts as long as it has a name or a file. */
	EQ(unlink_map(fd, "one-too-many"), 0);
	EQ(create(dev(O_RDWR), &u64_set), -EDQUOT);
	close(fd);
	fd = dev(O_RDWR);
	EQ(create(fd, &named), 0);
	close(fd);
	fd = dev(O_RDWR);
	EQ(create(fd, &u64_set), -EDQUOT);
	EQ(unlink_map(fd, "one-too-many"), 0);
	EQ(create(fd, &u64_set), 0);
}

static void maps_of_a_user(void)
{
	int fds[4];

	set_parameter("max_user_maps", 3);
	set_parameter("max_user_bytes", 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = make(&u64_set);	/* root may */
	as(USER, make_three);
	as(USER, make_three);
	EQ(info(fds[0]).owner_max_bytes, 0);
	EQ(info(fds[0]).owner_bytes, 0);
}

static void make_and_leave(void)
{
	char name[2] = "a";

	for (; name[0] <= 'c'; name[0]++)
		close(make_named(&u64_set, name));
}

static void make_none(void)
{
	EQ(create(dev(O_RDWR), &u64_set), -EDQUOT);
}

static void users_do_not_share(void)
{
	int fd;

	set_parameter("max_user_maps", 3);
	set_parameter("max_user_bytes", 1 << 20);
	as(USER, make_and_leave);
	as(USER, make_none);
	as(OTHER, make_three);
	fd = dev_open_map("b", O_RDWR);
	EQ(unlink_map(fd, "b"), 0);
	as(USER, make_none);	/* the file is ours, but the map is theirs */
	EQ(unlink_map(fd, "a"), 0);
	EQ(unlink_map(fd, "c"), 0);
	close(fd);
	as(USER, make_three);
}

/* Root in a user namespace, with uids 0 to 3. */
static void make_one_as_each(void)
{
	__u64 bytes = 0;
	int fd;

	for (__u32 uid = 0; uid < 3; uid++) {
		EQ(seteuid(0), 0);
		EQ(seteuid(uid), 0);
		fd = make(&long_elems);
		EQ(put_long(fd, 0), 0);
		bytes += info(fd).bytes;
		EQ(info(fd).uid, uid);
		OK(info(fd).owner_bytes >= bytes);
	}
	EQ(seteuid(0), 0);
	EQ(seteuid(3), 0);
	make_none();
}

/* The uids of a user namespace count as who made it. */
static void uids_of_a_user(void)
{
	int made[2], mapped[2];
	char path[64], c;
	pid_t pid;

	set_parameter("max_user_maps", 3);
	set_parameter("max_user_bytes", 1 << 20);
	EQ(chmod(DEVICE, 0666), 0);
	EQ(pipe(made), 0);
	EQ(pipe(mapped), 0);
	pid = spawn();
	if (!pid) {
		become(USER, USER);
		c = unshare(CLONE_NEWUSER) ? errno : 0;
		EQ(write(made[1], &c, 1), 1);
		EQ(read(mapped[0], &c, 1), 1);
		make_one_as_each();
		exit(0);
	}
	EQ(read(made[0], &c, 1), 1);
	if (c == EINVAL)
		skip("the kernel has no user namespaces");
	EQ(c, 0);
	/* As newuidmap(1) does for a range of /etc/subuid. */
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_file(path, "0 1000 1\n1 100000 3\n");
	EQ(write(mapped[1], "", 1), 1);
	join(pid);
	as(USER, make_three);
}

static void without_capability(void)
{
	int fd = dev(O_RDWR);

	set_parameter("max_user_maps", 0);
	EQ(create(fd, &u64_set), 0);
	drop_capability(CAP_SYS_RESOURCE);
	EQ(create(dev(O_RDWR), &u64_set), -EDQUOT);
	set_parameter("max_user_maps", 1);
	fd = dev(O_RDWR);
	EQ(create(fd, &u64_set), 0);
	OK(info(fd).owner_max_bytes);
	EQ(info(fd).owner_bytes, info(fd).bytes);
}

static bool only_one_left(void *fd)
{
	struct hmap_info i = info(*(int *)fd);

	return i.owner_bytes == i.bytes;
}

static void fill_two(void)
{
	struct hmap_create large = long_elems;
	int fd, other = make(&long_elems);
	struct hmap_info i, o;
	__u64 nr;

	large.hint = 400;	/* no growth, which would free bytes later */
	fd = make_named(&large, "full");
	EQ(put_long(other, 0), 0);
	nr = put_until_refused(fd, 0, EDQUOT);
	OK(nr > 150);
	i = info(fd);
	o = info(other);
	EQ(i.owner_max_bytes, 1 << 20);
	EQ(i.owner_bytes, i.bytes + o.bytes);
	EQ(o.owner_bytes, i.owner_bytes);
	OK(i.owner_bytes <= 1 << 20);
	OK(i.owner_bytes > (1 << 20) - 2 * SIZE);
	REFUSED(fd, put_long(fd, nr), EDQUOT);
	REFUSED(other, put_long(other, 0), EDQUOT);
	REFUSED(other, put_long(other, 1), EDQUOT);

	EQ(clear(other), 0);
	EQ(put_long(other, 1), 0);
	close(other);
	OK(becomes_true(only_one_left, &fd));
	other = dev(O_RDWR);
	large.hint = 1 << 16;
	EQ(create(other, &large), -EDQUOT);
	OK(becomes_true(only_one_left, &fd));
	EQ(put_long(fd, nr), 0);
	EQ(create(other, &long_elems), 0);
	EQ(put_long(other, 1), -EDQUOT);
	check_long(fd, nr + 1);
}

static void fill_nothing(void)
{
	EQ(create(dev(O_RDWR), &u64_set), -EDQUOT);
}

static void bytes_of_a_user(void)
{
	int fd;

	set_parameter("max_user_bytes", 1 << 20);
	as(USER, fill_two);
	/* The name keeps it, and it counts for its maker, whoever inserts. */
	fd = dev_open_map("full", O_RDWR);
	OK(becomes_true(only_one_left, &fd));
	while (!put_long(fd, info(fd).count))
		;
	EQ(put_long(fd, info(fd).count), -EDQUOT);
	EQ(info(fd).owner_max_bytes, 1 << 20);
	set_parameter("max_user_bytes", info(fd).owner_bytes);
	as(USER, fill_nothing);
	set_parameter("max_user_bytes", 1 << 20);
	EQ(unlink_map(fd, "full"), 0);
	close(fd);
	as(OTHER, fill_two);
	EQ(unlink_map(dev(O_RDWR), "full"), 0);
	as(USER, fill_two);
}

/* A lower max_user_bytes takes effect at once, not with the next map. */
static void limit_is_lowered(void)
{
	struct hmap_info i;
	int fd;

	drop_capability(CAP_SYS_RESOURCE);
	fd = make(&long_elems);
	for (__u64 key = 0; key < 50; key++)
		EQ(put_long(fd, key), 0);
	i = info(fd);
	set_parameter("max_user_bytes", i.owner_bytes + 10 * SIZE);
	OK(put_until_refused(fd, 50, EDQUOT) < 60);
	set_parameter("max_user_bytes", 1);
	EQ(info(fd).owner_max_bytes, 1);
	REFUSED(fd, put_long(fd, 0), EDQUOT);
	set_parameter("max_user_bytes", 0);
	EQ(info(fd).owner_max_bytes, i.owner_max_bytes);
	EQ(put_long(fd, 0), 0);
	EQ(put_long(fd, 100), 0);
}

/* Of the memory that the kernel can use for itself. */
static void quarter_of_ram(void)
{
	struct hmap_info i = info(make(&long_elems));
	struct sysinfo s;

	EQ(sysinfo(&s), 0);
	EQ(i.max_bytes, (__u64)(s.totalram - s.totalhigh) * s.mem_unit /
			(4 * getpagesize()) * getpagesize());
	drop_capability(CAP_SYS_RESOURCE);
	EQ(info(make(&long_elems)).owner_max_bytes, i.max_bytes);
}

static int set_limit(int fd, __u32 which, __u64 value)
{
	struct hmap_set arg = { .flags = which };

	if (which == HMAP_SET_MAX_ENTRIES)
		arg.max_entries = value;
	else
		arg.max_bytes = value;
	return call(fd, HMAP_IOC_SET, &arg);
}

/* The limits of an existing map can be set, even below what it uses. */
static void limits_of_a_map(void)
{
	int fd = make(&long_elems);
	struct hmap_info i;
	__u64 nr;

	for (__u64 key = 0; key < 50; key++)
		EQ(put_long(fd, key), 0);
	EQ(set_limit(fd, HMAP_SET_MAX_ENTRIES, 51), 0);
	EQ(info(fd).max_entries, 51);
	EQ(put_long(fd, 50), 0);
	REFUSED(fd, put_long(fd, 51), ENOSPC);
	EQ(set_limit(fd, HMAP_SET_MAX_ENTRIES, 10), 0);
	REFUSED(fd, put_long(fd, 51), ENOSPC);
	EQ(put_long(fd, 3), 0);
	check_long(fd, 51);
	EQ(set_limit(fd, HMAP_SET_MAX_ENTRIES, 0), 0);
	EQ(info(fd).max_entries, parameter("max_entries"));
	EQ(put_long(fd, 51), 0);

	/* The elem that was replaced may still be charged, or just freed. */
	i = info(fd);
	EQ(set_limit(fd, HMAP_SET_MAX_BYTES, i.bytes), 0);
	nr = put_until_refused(fd, 52, ENOSPC);
	OK(nr <= 53);
	EQ(set_limit(fd, HMAP_SET_MAX_BYTES, 1), 0);
	REFUSED(fd, put_long(fd, 3), ENOSPC);
	check_long(fd, nr);
	EQ(set_limit(fd, HMAP_SET_MAX_BYTES, 0), 0);
	EQ(info(fd).max_bytes, i.max_bytes);
	EQ(put_long(fd, nr), 0);

	set_parameter("max_entries", 1000);
	set_parameter("max_bytes", 1 << 20);
	EQ(set_limit(fd, HMAP_SET_MAX_ENTRIES, 1001), -ENOSPC);
	EQ(set_limit(fd, HMAP_SET_MAX_BYTES, (1 << 20) + 1), -ENOSPC);
	EQ(set_limit(fd, HMAP_SET_MAX_ENTRIES, 1000), 0);
	EQ(set_limit(fd, HMAP_SET_MAX_BYTES, 1 << 20), 0);
	/* One stays as it is where the other is set. */
	EQ(info(fd).max_entries, 1000);
	EQ(set_limit(fd, HMAP_SET_MAX_ENTRIES, 999), 0);
	EQ(info(fd).max_bytes, 1 << 20);
}

/* A map counts for the user who made it, even once it belongs to another. */
static void make_gift(void)
{
	close(make_named(&long_elems, "gift"));
}

static void given_away(void)
{
	const struct hmap_set give = { .flags = HMAP_SET_UID, .uid = OTHER };
	struct hmap_info i;
	int fd;

	set_parameter("max_user_bytes", 1 << 20);
	set_parameter("max_user_maps", 1);
	as(USER, make_gift);
	fd = dev_open_map("gift", O_RDWR);
	EQ(call(fd, HMAP_IOC_SET, (void *)&give), 0);
	OK(put_until_refused(fd, 0, EDQUOT) > 100);
	i = info(fd);
	EQ(i.uid, OTHER);
	EQ(i.owner_max_bytes, 1 << 20);
	as(USER, make_none);
	set_parameter("max_user_maps", 3);
	as(OTHER, make_three);
}

#define DESCRIPTORS	3000

/* A walk takes no memory between calls. */
static void walks_take_no_memory(void)
{
	const struct rlimit files = { DESCRIPTORS + 100, DESCRIPTORS + 100 };
	static struct hmap_next walks[DESCRIPTORS];
	static __u8 buf[1 << 14];
	static int fds[DESCRIPTORS];
	int fd = make_named(&long_elems, "walked");
	unsigned long long before;
	__u32 count = 0;

	EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (__u64 key = 0; key < 200; key++)
		EQ(put_long(fd, key), 0);
	for (int i = 0; i < DESCRIPTORS; i++)
		fds[i] = dev_open_map("walked", O_RDONLY);
	memset(walks, 0, sizeof(walks));
	before = available_memory();
	for (int i = 0; i < DESCRIPTORS; i++) {
		EQ(next(fds[i], &walks[i], buf, sizeof(buf)), 0);
		OK(walks[i].count);
	}
	OK(available_memory() > before - (4 << 20));
	do {
		EQ(next(fds[0], &walks[7], buf, sizeof(buf)), 0);
		count += walks[7].count;
	} while (walks[7].count);
	OK(count > 190);
}

/* === A cgroup === */

#define CGROUPS	"/tmp/cgroups/"

static void need_memory_cgroup(void)
{
	char controllers[256];

	/* The mount goes away with the test. */
	EQ(unshare(CLONE_NEWNS), 0);
	EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	if (mkdir(CGROUPS, 0700))
		EQ(errno, EEXIST);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL))
		skip("the kernel has no cgroups");
	read_file(CGROUPS "cgroup.controllers", controllers,
		  sizeof(controllers));
	if (!strstr(controllers, "memory"))
		skip("the kernel has no cgroups for memory");
	write_file(CGROUPS "cgroup.subtree_control", "+memory");
}

static void group_path(char path[128], const char *group, const char *file)
{
	snprintf(path, 128, CGROUPS "%s/%s", group, file);
}

/* A group that a failed test has left behind is empty. */
static void make_group(const char *group, const char *max)
{
	char path[128];

	group_path(path, group, "");
	rmdir(path);
	EQ(mkdir(path, 0700), 0);
	group_path(path, group, "memory.max");
	write_file(path, max);
}

static void remove_group(const char *group)
{
	char path[128];

	group_path(path, group, "");
	EQ(rmdir(path), 0);
}

static long long charged(const char *group)
{
	char path[128], text[64];

	group_path(path, group, "memory.current");
	read_file(path, text, sizeof(text));
	return atoll(text);
}

static void check_nobody_killed(const char *group)
{
	char path[128], text[512];

	group_path(path, group, "memory.events");
	read_file(path, text, sizeof(text));
	OK(strstr(text, "oom_kill 0\n"));
}

/* Fault in what the process itself needs before it enters the group. */
static void enter(const char *group)
{
	char stack[1 << 16], path[128];

	explicit_bzero(stack, sizeof(stack));
	EQ(mlockall(MCL_CURRENT), 0);
	group_path(path, group, "cgroup.procs");
	write_file(path, "0");
}

/* Run @fn in a cgroup; the OOM killer must leave it alone. */
static void inside(const char *group, void (*fn)(int fd, __u64 *nr), int fd,
		   __u64 *nr)
{
	pid_t pid = spawn();

	if (!pid) {
		enter(group);
		fn(fd, nr);
		exit(0);
	}
	join(pid);
	check_nobody_killed(group);
}

static void fill_until_refused(int fd, __u64 *nr)
{
	*nr = put_until_refused(fd, 0, ENOMEM);
}

/* Opened outside the group, where opening a file would wake the OOM killer */
static int unbound, crumbs;

/* Put elems of one byte, to use up pages that are already charged. */
static void put_crumbs(void)
{
	__u64 key = info(crumbs).count;
	int err;

	while (!(err = insert(crumbs, &key, 8, "", 1, HMAP_INSERT_ANY)))
		key++;
	EQ(err, -ENOMEM);
}

/* Once there is no room for any elem, is each call that needs one refused? */
static bool all_refused(void *arg)
{
	struct hmap_create large = long_elems;
	static __u8 elems[2 * SIZE];
	int fd = *(int *)arg, update_err, batch_err;
	__u64 keys[2] = { 0, 0 };
	__s32 results[2] = { 0, 0 };
	struct hmap_batch b = {
		.keys = (uintptr_t)keys,
		.elems = (uintptr_t)elems,
		.results = (uintptr_t)results,
		.count = 2,
	};
	struct hmap_update u = {
		.key = (uintptr_t)keys,
		.elem = (uintptr_t)elems,
		.key_len = 8,
		.elem_len = SIZE,
	};
	struct hmap_next n = { 0 };
	__u32 len = SIZE;

	put_until_refused(fd, info(fd).count, ENOMEM);
	put_crumbs();
	update_err = call(fd, HMAP_IOC_UPDATE, &u);
	batch_err = call(fd, HMAP_IOC_INSERT_BATCH, &b);
	large.hint = 1 << 20;
	EQ(create(unbound, &large), -ENOMEM);
	EQ(lookup(fd, keys, 8, elem, &len), 0);
	EQ(next(fd, &n, elems, sizeof(elems)), 0);
	EQ(n.count, 1);
	memset(elems, 0, sizeof(elems));
	return put_long(fd, 0) == -ENOMEM && update_err == -ENOMEM &&
	       (batch_err == -ENOMEM ||
		(results[0] == -ENOMEM && results[1] == -ENOMEM));
}

/* The kernel charges ahead and uncharges late, so try more than once. */
static void try_all(int fd, __u64 *nr)
{
	for (int i = 0; i < 10; i++)
		OK(becomes_true(all_refused, &fd));
	*nr = info(fd).count;
}

static bool can_put(void *fd)
{
	return !put_long(*(int *)fd, info(*(int *)fd).count);
}

/* Memory that a reader may still see is freed later, but without any call. */
static void clear_and_fill(int fd, __u64 *nr)
{
	EQ(clear(fd), 0);
	EQ(info(fd).count, 0);
	for (*nr = 0; *nr < 100; (*nr)++)
		OK(becomes_true(can_put, &fd));
}

static void group_is_full(void)
{
	__u64 *nr = shared(sizeof(*nr));
	int fd;

	need_memory_cgroup();
	make_group("small", "4M");
	fd = make(&long_elems);
	unbound = dev(O_RDWR);
	crumbs = make(&one_byte);
	inside("small", fill_until_refused, fd, nr);
	OK(*nr > 200 && *nr < (4 << 20) / SIZE);
	OK(charged("small") <= 4 << 20);
	OK(charged("small") > (long long)*nr * SIZE);
	check_long(fd, *nr);
	inside("small", try_all, fd, nr);
	check_long(fd, *nr);
	inside("small", clear_and_fill, fd, nr);
	check_long(fd, *nr);
	remove_group("small");
}

static void fill_small(int fd, __u64 *nr)
{
	int err;

	while (!(err = put(fd, *nr, ~*nr)))
		(*nr)++;
	EQ(err, -ENOMEM);
}

/* Where growth is refused, chains get longer, until new keys are refused. */
static void growth_is_refused(void)
{
	__u64 *nr = shared(sizeof(*nr)), got;
	int fd;

	need_memory_cgroup();
	make_group("small", "2M");
	fd = make_u64(NULL, 0);
	inside("small", fill_small, fd, nr);
	OK(*nr > 20000);
	EQ(info(fd).count, *nr);
	for (__u64 i = 0; i < *nr; i++) {
		EQ(get(fd, i, &got), 0);
		EQ(got, ~i);
	}
	/* A process outside the cgroup can go on. */
	for (__u64 i = 0; i < *nr; i++)
		EQ(put(fd, *nr + i, i), 0);
	EQ(clear(fd), 0);
	remove_group("small");
}

static void put_60000(int fd, __u64 *nr)
{
	for (; *nr < 60000; (*nr)++)
		EQ(put(fd, *nr, *nr), 0);
}

#define SLACK	(1 << 19)	/* charged ahead, or for the process itself */

/* What the work item allocates is charged, too. */
static void growth_is_charged(void)
{
	__u64 *nr = shared(sizeof(*nr));
	long long bytes;
	int fd;

	need_memory_cgroup();
	make_group("growing", "max");
	fd = make_u64(NULL, 0);
	inside("growing", put_60000, fd, nr);
	settle(fd);
	bytes = info(fd).bytes;
	OK(bytes > 2 << 20);
	OK(charged("growing") > bytes - SLACK);
	OK(charged("growing") < 2 * bytes + SLACK);
	close(fd);
	remove_group("growing");
}

static bool is_free_of_charge(void *group)
{
	return charged(group) < SLACK;
}

/* Who has looked all keys up, and stays, keeps nothing of what is cleared. */
static void views_are_not_charged(void)
{
	struct hmap_create mapped = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.flags = HMAP_CREATE_MAPPED,
	};
	__u64 *nr = shared(sizeof(*nr)), key, elem;
	__u32 len = sizeof(elem);
	struct hmap_view *view;
	int fd;

	need_memory_cgroup();
	make_group("mapped", "max");
	fd = make(&mapped);
	inside("mapped", put_60000, fd, nr);
	settle(fd);
	OK(charged("mapped") > 60000 * 16);
	view = hmap_view(fd);
	OK(view);
	for (key = 0; key < *nr; key++) {
		EQ(hmap_view_lookup(view, &key, 8, &elem, &len), 0);
		EQ(elem, key);
	}
	EQ(clear(fd), 0);
	OK(becomes_true(is_free_of_charge, "mapped"));
	hmap_view_close(view);
	close(fd);
	remove_group("mapped");
}

/* This needs nothing but a buffer of @room bytes for the elem. */
static int take_absent(int fd, __u32 room)
{
	static __u8 old[HMAP_ELEM_SIZE_MAX];
	__u64 key = 0;
	struct hmap_update u = {
		.key = (uintptr_t)&key,
		.old = (uintptr_t)old,
		.key_len = 8,
		.old_len = room,
		.op = HMAP_UPDATE_TAKE,
	};

	return call(fd, HMAP_IOC_UPDATE, &u);
}

static int large_elems;	/* a map that is empty */

static bool copy_is_refused(void *fd)
{
	put_until_refused(*(int *)fd, info(*(int *)fd).count, ENOMEM);
	return take_absent(large_elems, HMAP_ELEM_SIZE_MAX) == -ENOMEM;
}

static void try_copies(int fd, __u64 *nr)
{
	EQ(take_absent(large_elems, HMAP_ELEM_SIZE_MAX), -ENOENT);
	OK(becomes_true(copy_is_refused, &fd));
	EQ(take_absent(large_elems, 8), -ENOENT);	/* on the stack */
	*nr = info(fd).count;
}

/* A call's own buffers are charged to the caller's cgroup. */
static void copies_are_charged(void)
{
	const struct hmap_create large = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = HMAP_ELEM_SIZE_MAX,
		.flags = HMAP_CREATE_VAR_ELEM,
	};
	__u64 *nr = shared(sizeof(*nr));
	int fd;

	need_memory_cgroup();
	make_group("small", "4M");
	fd = make(&long_elems);
	large_elems = make(&large);
	inside("small", try_copies, fd, nr);
	check_long(fd, *nr);
	EQ(clear(fd), 0);
	remove_group("small");
}

/* A map with a chain as only who knows its secrets can make it. */
static int make_long_chain(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = HMAP_MAPPED_SIZE_MAX,
		.flags = HMAP_CREATE_MAPPED,
	};
	int fd = make(&arg);
	__u64 keys[1000] = { ~0ULL };

	/* The first key draws a seed. */
	EQ(insert(fd, keys, 8, elem, HMAP_MAPPED_SIZE_MAX, HMAP_INSERT_ANY), 0);
	colliding_keys(fd, keys, ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		EQ(insert(fd, &keys[i], 8, elem, HMAP_MAPPED_SIZE_MAX,
			  HMAP_INSERT_ANY), 0);
	return fd;
}

static int long_chain;	/* a map that has one */

static int walk_long_chain(void)
{
	static __u8 buf[1 << 16];
	struct hmap_next n = { 0 };
	int err;

	do
		err = next(long_chain, &n, buf, sizeof(buf));
	while (!err && n.count);
	return err;
}

static bool walk_is_refused(void *fd)
{
	put_until_refused(*(int *)fd, info(*(int *)fd).count, ENOMEM);
	return walk_long_chain() == -ENOMEM;
}

static void try_walks(int fd, __u64 *nr)
{
	EQ(walk_long_chain(), 0);
	OK(becomes_true(walk_is_refused, &fd));
	*nr = info(fd).count;
}

/* So is what a walk copies, where keys that collide make it long. */
static void long_copies_are_charged(void)
{
	__u64 *nr = shared(sizeof(*nr));
	int fd;

	need_memory_cgroup();
	make_group("small", "4M");
	fd = make(&long_elems);
	long_chain = make_long_chain();
	inside("small", try_walks, fd, nr);
	check_long(fd, *nr);
	EQ(clear(fd), 0);
	remove_group("small");
}

static void put_500(int fd, __u64 *nr)
{
	for (__u64 i = 0; i < 500; i++)
		EQ(put_long(fd, (*nr)++), 0);
}

static void each_pays_for_his_own(void)
{
	__u64 *nr = shared(sizeof(*nr));
	long long first;
	int fd;

	need_memory_cgroup();
	make_group("first", "max");
	make_group("second", "max");
	fd = make(&long_elems);
	inside("first", put_500, fd, nr);
	first = charged("first");
	OK(first > 500 * SIZE);
	OK(charged("second") == 0);
	inside("second", put_500, fd, nr);
	OK(charged("second") > 500 * SIZE);
	OK(charged("first") <= first + SLACK / 4);
	check_long(fd, 1000);
	remove_group("first");
	remove_group("second");
}

/* === Beside somebody whose cgroup is full === */

static void fill_for_ever(int own, int fd, __u64 *nr)
{
	for (__u64 key = 0; ; key = (key + 1) % NR_MAX) {
		int err = put_long(own, key);

		OK(!err || err == -ENOMEM);
		if (err)
			__atomic_fetch_add(nr, 1, __ATOMIC_RELAXED);
		err = put_long(fd, 100000 + key);
		OK(!err || err == -ENOMEM);
	}
}

/* In the same map, in another one, and in one that grows. */
static void put_without_failing(void)
{
	int shared_map = dev_open_map("of all", O_RDWR);
	int own = make(&long_elems), growing = make_u64(NULL, 0);

	for (__u64 key = 0; key < 1000; key++) {
		EQ(put_long(shared_map, key), 0);
		EQ(put_long(own, key), 0);
		for (int i = 0; i < 20; i++)
			EQ(put(growing, 20 * key + i, key), 0);
	}
	settle(growing);
	EQ(info(own).count, 1000);
}

/* Who has no memory left is refused, and nobody else. */
static void nobody_else_is_refused(void)
{
	__u64 *refused = shared(sizeof(*refused));
	int fd, own, status;
	pid_t pid;

	need_memory_cgroup();
	EQ(chmod(DEVICE, 0666), 0);
	make_group("small", "4M");
	fd = make_named(&long_elems, "of all");
	own = make(&long_elems);
	pid = spawn();
	if (!pid) {
		enter("small");
		become(USER, USER);
		fill_for_ever(own, fd, refused);
	}
	while (__atomic_load_n(refused, __ATOMIC_ACQUIRE) < 100)
		usleep(1000);
	as(OTHER, put_without_failing);
	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFSIGNALED(status));
	check_nobody_killed("small");
	printf("# refused %llu times\n", *refused);
	EQ(clear(own), 0);
	EQ(clear(fd), 0);
	remove_group("small");
}

static const struct test tests[] = {
	TEST(map_is_full),
	TEST(maps_of_a_user),
	TEST(users_do_not_share),
	TEST(uids_of_a_user),
	TEST(without_capability),
	TEST(bytes_of_a_user),
	TEST(limit_is_lowered),
	TEST(quarter_of_ram),
	TEST(limits_of_a_map),
	TEST(given_away),
	TEST(walks_take_no_memory),
	TEST(group_is_full),
	TEST(growth_is_refused),
	TEST(growth_is_charged),
	TEST(views_are_not_charged),
	TEST(copies_are_charged),
	TEST(long_copies_are_charged),
	TEST(each_pays_for_his_own),
	TEST(nobody_else_is_refused),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
