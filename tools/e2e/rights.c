// SPDX-License-Identifier: GPL-2.0
/* Who may do what with a map, and who may learn what about it. */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"

#define USER	1000
#define OTHER	1001
#define GROUP	2000

static const struct hmap_create u64_set = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
};

static int set(int fd, const struct hmap_set *arg)
{
	return call(fd, HMAP_IOC_SET, (void *)arg);
}

static struct hmap_info info_above(int fd, __u64 id)
{
	struct hmap_info arg = { .after = id };

	EQ(call(fd, HMAP_IOC_INFO, &arg), 0);
	return arg;
}

/* === Files open for nothing, or for reading or writing only === */

#define O_NEITHER	3	/* an old way to open a device for ioctls only */

static bool no_map(void *arg)
{
	(void)arg;
	return !is_name("mine");
}

static void neither_read_nor_write(void)
{
	int fd = open(DEVICE, O_NEITHER), map = make_u64("mine", 0666);
	struct hmap_info arg = { 0 };

	OK(fd >= 0);
	EQ(create(fd, &u64_set), -EACCES);
	EQ(open_map(fd, "mine"), -EACCES);
	EQ(open_fd(fd, map), -EACCES);
	EQ(unlink_map(fd, "mine"), -EACCES);
	EQ(call(fd, HMAP_IOC_INFO, &arg), -EACCES);
	EQ(put(fd, 1, 1), -EBADFD);
	EQ(clear(fd), -EBADFD);
	EQ(unlink_map(map, "mine"), 0);
	close(map);
	OK(becomes_true(no_map, NULL));
}

/* Check that INFO fills in what @access allows, and nothing else. */
static void check_told(const struct hmap_info *arg, __u32 access)
{
	struct hmap_info rest = *arg;

	EQ(arg->access, access);
	OK(arg->id);
	EQ(strcmp(arg->name, "map"), 0);
	EQ(arg->uid, 0);
	EQ(arg->gid, GROUP);
	rest.after = 0;
	rest.id = 0;
	rest.mode = 0;
	rest.gid = 0;
	rest.access = 0;
	memset(rest.name, 0, sizeof(rest.name));
	if (access) {
		EQ(arg->key_kind, HMAP_KIND_BYTES);
		EQ(arg->key_size, 5);
		EQ(arg->elem_size, 70);
		EQ(arg->create_flags, HMAP_CREATE_VAR_ELEM);
		rest.key_kind = 0;
		rest.key_size = 0;
		rest.elem_size = 0;
		rest.create_flags = 0;
	}
	if (access & HMAP_ACCESS_READ) {
		EQ(arg->count, 1);
		OK(arg->bytes && arg->epoch && arg->max_entries);
		EQ(arg->max_bytes, 1 << 20);
	} else {
		for (size_t i = 0; i < sizeof(rest); i++)
			EQ(((char *)&rest)[i], 0);
	}
}

/* INFO of a map without a name is for its owner, and for CAP_DAC_OVERRIDE. */
static void unnamed_maps_are_listed_to_their_owner(void)
{
	int fd = open(DEVICE, O_RDWR), map = make_u64(NULL, 0666), theirs;
	__u64 id = info(map).id, their_id;
	struct hmap_info arg;
	pid_t pid;

	OK(fd >= 0);
	EQ(info_above(fd, id - 1).id, id);
	EQ(info_above(fd, id - 1).name[0], 0);
	EQ(chmod(DEVICE, 0666), 0);
	pid = spawn();
	if (!pid) {
		become(USER, USER);
		arg = (struct hmap_info){ .after = id - 1 };
		EQ(call(open(DEVICE, O_RDWR), HMAP_IOC_INFO, &arg), -ENOENT);
		theirs = make_u64(NULL, 0600);
		their_id = info(theirs).id;
		EQ(info_above(open(DEVICE, O_RDWR), id - 1).id, their_id);
		EQ(info_above(fd, id - 1).id, their_id);
		exit(0);
	}
	join(pid);
	close(map);
	arg = (struct hmap_info){ .after = id - 1 };
	EQ(call(fd, HMAP_IOC_INFO, &arg), -ENOENT);
}

static int told_map(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_BYTES,
		.key_size = 5,
		.elem_size = 70,
		.flags = HMAP_CREATE_VAR_ELEM,
		.max_bytes = 1 << 20,
		.name = "map",
	};
	const struct hmap_set to_group = { .flags = HMAP_SET_GID, .gid = GROUP };
	int fd = make(&arg);

	EQ(insert(fd, "12345", 5, "elem", 4, 0), 0);
	EQ(set(fd, &to_group), 0);
	return fd;
}

static __u32 granted;	/* to others, by the map's mode */

static void ask_as_a_stranger(void)
{
	static const struct {
		int flags;
		__u32 access;
	} files[] = {
		{ O_RDONLY, HMAP_ACCESS_READ },
		{ O_WRONLY, HMAP_ACCESS_WRITE },
		{ O_RDWR, HMAP_ACCESS_READ | HMAP_ACCESS_WRITE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct hmap_info arg = info_above(dev(files[i].flags), 0);

		trying("access %u through %u", granted, files[i].access);
		check_told(&arg, granted & files[i].access);
	}
}

static void info_to_strangers(void)
{
	static const __u32 modes[] = { 0660, 0664, 0662, 0666 };
	int fd = told_map();

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct hmap_set mode = {
			.flags = HMAP_SET_MODE, .mode = modes[i]
		};

		EQ(set(fd, &mode), 0);
		granted = 0;
		if (modes[i] & 4)
			granted |= HMAP_ACCESS_READ;
		if (modes[i] & 2)
			granted |= HMAP_ACCESS_WRITE;
		as(USER, ask_as_a_stranger);
	}
}

/* CAP_DAC_OVERRIDE overrides the mode here, too. */
static void info_to_root(void)
{
	struct hmap_info arg;

	told_map();
	arg = info_above(dev(O_RDWR), 0);
	check_told(&arg, HMAP_ACCESS_READ | HMAP_ACCESS_WRITE);
	drop_capability(CAP_DAC_OVERRIDE);
	arg = info_above(dev(O_RDWR), 0);
	check_told(&arg, 0);	/* the mode is 0, for its owner, too */
}

/* For a bound file, what it is open for counts, and not the map's mode. */
static void info_of_an_open_map(void)
{
	struct hmap_info arg;
	int writer, reader;

	told_map();
	writer = dev_open_map("map", O_WRONLY);
	reader = dev_open_map("map", O_RDONLY);
	drop_capability(CAP_DAC_OVERRIDE);
	arg = info(writer);
	check_told(&arg, HMAP_ACCESS_WRITE);
	EQ(insert(writer, "54321", arg.key_size, "", 0, 0), 0);
	EQ(delete(writer, "54321", arg.key_size), 0);
	arg = info(reader);
	check_told(&arg, HMAP_ACCESS_READ);
}

/* === Owners and groups === */

static int open_as(uid_t real, uid_t effective, const gid_t *groups, int nr)
{
	pid_t pid = spawn();
	int status;

	if (!pid) {
		EQ(setgroups(nr, groups), 0);
		EQ(setresgid(OTHER, OTHER, OTHER), 0);
		EQ(setresuid(real, effective, effective), 0);
		_exit(-open_map(dev(O_RDWR), "map"));
	}
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void supplementary_groups(void)
{
	static const gid_t groups[] = { 1, GROUP, 3 };
	const struct hmap_set mode = { .flags = HMAP_SET_MODE, .mode = 0060 };
	int fd = told_map();

	EQ(chmod(DEVICE, 0666), 0);
	EQ(set(fd, &mode), 0);
	EQ(open_as(USER, USER, NULL, 0), -EACCES);
	EQ(open_as(USER, USER, groups, 1), -EACCES);
	EQ(open_as(USER, USER, groups, 3), 0);
}

/* The owner is the user that files would belong to, not the real user. */
static void real_and_effective_user(void)
{
	pid_t pid;
	int fd;

	EQ(chmod(DEVICE, 0666), 0);
	pid = spawn();
	if (!pid) {
		EQ(setgroups(0, NULL), 0);
		EQ(setresgid(GROUP, GROUP, GROUP), 0);
		EQ(setresuid(OTHER, USER, OTHER), 0);
		close(make_u64("map", 0600));
		exit(0);
	}
	join(pid);
	fd = dev_open_map("map", O_RDWR);
	EQ(info(fd).uid, USER);
	EQ(info(fd).gid, GROUP);
	EQ(open_as(OTHER, USER, NULL, 0), 0);
	EQ(open_as(USER, OTHER, NULL, 0), -EACCES);
}

static void file_system_user(void)
{
	const struct hmap_set mode = { .flags = HMAP_SET_MODE, .mode = 0666 };
	int fd = make_u64("map", 0600), other = dev(O_RDWR);

	EQ(chmod(DEVICE, 0666), 0);
	setfsuid(USER);		/* drops CAP_DAC_OVERRIDE and CAP_FOWNER, too */
	EQ(open_map(other, "map"), -EACCES);
	EQ(unlink_map(other, "map"), -EPERM);
	EQ(set(fd, &mode), -EPERM);
	close(fd);
	fd = make_u64("users", 0600);
	EQ(info(fd).uid, USER);
	setfsuid(0);
	fd = dev_open_map("users", O_RDWR);
	EQ(info(fd).uid, USER);
	EQ(unlink_map(fd, "users"), 0);
}

#define OVERFLOW_ID	65534

/* In a user namespace that maps nobody, but grants all capabilities in it */
static void ask_from_a_namespace(void)
{
	const struct hmap_set mine = { .flags = HMAP_SET_UID, .uid = USER };
	const struct hmap_set group = { .flags = HMAP_SET_GID, .gid = USER };
	int fd = make_u64("mine", 0600), other = dev(O_RDWR);
	struct hmap_info arg;

	EQ(unshare(CLONE_NEWUSER), 0);
	arg = info(fd);
	EQ(arg.uid, OVERFLOW_ID);
	EQ(arg.gid, OVERFLOW_ID);
	EQ(set(fd, &mine), -EINVAL);
	EQ(set(fd, &group), -EINVAL);
	EQ(open_map(other, "roots"), -EACCES);
	EQ(unlink_map(other, "roots"), -EPERM);
}

static void not_mapped_users(void)
{
	pid_t pid;

	if (access("/proc/self/ns/user", F_OK))
		skip("the kernel has no user namespaces");
	close(make_u64("roots", 0600));
	EQ(chmod(DEVICE, 0666), 0);
	pid = spawn();
	if (!pid) {
		become(USER, USER);
		ask_from_a_namespace();
		exit(0);
	}
	join(pid);
	EQ(info(dev_open_map("mine", O_RDONLY)).uid, USER);
}

/* === Opening the map of a descriptor === */

static void open_twice(void)
{
	int fd = make_u64(NULL, 0600), again = dev_open_fd(fd, O_RDWR);
	int reader = dev_open_fd(again, O_RDONLY), pipes[2];
	__u64 elem;

	EQ(info(again).id, info(fd).id);
	EQ(put(fd, 1, 2), 0);
	EQ(get(again, 1, &elem), 0);
	EQ(elem, 2);
	EQ(put(reader, 1, 3), -EACCES);
	EQ(open_fd(again, fd), -EBUSY);
	close(fd);
	EQ(put(again, 1, 4), 0);
	close(again);
	EQ(get(reader, 1, &elem), 0);
	EQ(elem, 4);

	fd = dev(O_RDWR);
	EQ(open_fd(fd, -1), -EBADF);
	EQ(open_fd(fd, 4000), -EBADF);
	EQ(open_fd(fd, fd), -EBADFD);
	EQ(open_fd(fd, dev(O_RDWR)), -EBADFD);
	EQ(pipe(pipes), 0);
	EQ(open_fd(fd, pipes[0]), -EINVAL);
	EQ(open_fd(fd, open("/dev/null", O_RDWR)), -EINVAL);
	EQ(open_fd(fd, open(DEVICE, O_RDWR | O_PATH)), -EBADF);
	EQ(open_fd(fd, reader), 0);
}

static int passed;	/* a descriptor that is open for reading */

static void open_what_was_passed(void)
{
	__u64 elem;

	EQ(get(passed, 1, &elem), 0);
	EQ(open_fd(dev(O_RDONLY), passed), -EACCES);
	EQ(open_fd(dev(O_RDWR), passed), -EACCES);
}

static void open_what_was_passed_for_writing(void)
{
	EQ(open_fd(dev(O_RDONLY), passed), -EACCES);
	EQ(open_fd(dev(O_RDWR), passed), -EACCES);
	EQ(put(dev_open_fd(passed, O_WRONLY), 1, 1), 0);
}

/* A descriptor that was passed grants no more than itself and the mode. */
static void mode_of_a_map_without_a_name(void)
{
	struct hmap_set mode = { .flags = HMAP_SET_MODE, .mode = 0602 };
	int fd = make_u64(NULL, 0600);

	EQ(put(fd, 1, 2), 0);
	passed = dev_open_fd(fd, O_RDONLY);
	as(USER, open_what_was_passed);
	EQ(set(fd, &mode), 0);
	as(USER, open_what_was_passed_for_writing);
}

/* === Create or open === */

static struct hmap_create or_open(const char *name)
{
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.flags = HMAP_CREATE_OR_OPEN,
		.mode = 0600,
		.created = ~0U,
		.id = ~0ULL,
	};

	strcpy(arg.name, name);
	return arg;
}

static int create_told(int fd, struct hmap_create *arg)
{
	return call(fd, HMAP_IOC_CREATE, arg);
}

static void create_or_open(void)
{
	static const struct hmap_create others[] = {
		{ .key_kind = HMAP_KIND_BYTES, .key_size = 8, .elem_size = 8 },
		{ .key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = 8 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 4 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 8,
		  .flags = HMAP_CREATE_VAR_ELEM },
	};
	struct hmap_create arg = or_open("m");
	int fd = dev(O_RDWR), other = dev(O_RDWR);
	__u64 id;

	EQ(create_told(fd, &arg), 0);
	id = arg.id;
	EQ(arg.created, 1);
	EQ(info(fd).id, id);
	EQ(info(fd).create_flags, 0);
	EQ(put(fd, 1, 2), 0);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct hmap_create wrong = others[i];

		trying("others[%zu]", i);
		wrong.flags |= HMAP_CREATE_OR_OPEN;
		strcpy(wrong.name, "m");
		EQ(create_told(other, &wrong), -EEXIST);
	}
	arg = or_open("m");
	arg.flags = 0;
	EQ(create_told(other, &arg), -EEXIST);
	arg = or_open("");
	EQ(create_told(other, &arg), -EINVAL);
	EQ(create_told(dev(O_RDONLY), &arg), -EACCES);

	/* Mode, hint and limits are those that the map was made with. */
	arg = or_open("m");
	arg.mode = 0666;
	arg.max_entries = 1;
	arg.hint = 1;
	EQ(create_told(other, &arg), 0);
	EQ(arg.created, 0);
	EQ(arg.id, id);
	EQ(info(other).id, id);
	EQ(info(other).count, 1);
	EQ(info(other).mode, 0600);
	OK(info(other).max_entries != 1);
	EQ(create_told(other, &arg), -EBUSY);
}

static void create_or_open_as_a_user(void)
{
	struct hmap_create arg = or_open("roots");

	EQ(create_told(dev(O_RDWR), &arg), -EACCES);
	arg = or_open("mine");
	EQ(create_told(dev(O_RDWR), &arg), 0);
	EQ(arg.created, 1);
}

static void create_or_open_obeys_the_mode(void)
{
	close(make_u64("roots", 0644));
	as(USER, create_or_open_as_a_user);
}

#define ROUNDS	100

struct race {
	__u32 created[ROUNDS];
	__u64 id[ROUNDS];
	int at[PROCESSES_MAX];
};

static void wait_for_all(struct race *r, int who, int at)
{
	__atomic_store_n(&r->at[who], at, __ATOMIC_RELEASE);
	for (int i = 0; i < nr_processes(); i++) {
		while (__atomic_load_n(&r->at[i], __ATOMIC_ACQUIRE) < at)
			sched_yield();
	}
}

static void create_or_open_one(int fd, int who, void *shared)
{
	struct race *r = shared;

	for (int i = 0; i < ROUNDS; i++) {
		struct hmap_create arg = or_open("race");
		__u64 none = 0;

		fd = dev(O_RDWR);
		wait_for_all(r, who, 3 * i + 1);
		EQ(create_told(fd, &arg), 0);
		__atomic_fetch_add(&r->created[i], arg.created,
				   __ATOMIC_RELAXED);
		if (!__atomic_compare_exchange_n(&r->id[i], &none, arg.id,
						 false, __ATOMIC_RELAXED,
						 __ATOMIC_RELAXED))
			EQ(arg.id, none);
		EQ(put(fd, who, i), 0);
		wait_for_all(r, who, 3 * i + 2);
		EQ(info(fd).count, nr_processes());
		wait_for_all(r, who, 3 * i + 3);
		if (who == 0)
			EQ(unlink_map(fd, "race"), 0);
		close(fd);
	}
}

static void create_or_open_race(void)
{
	struct race *r = shared(sizeof(*r));

	at_once(create_or_open_one, -1, r);
	for (int i = 0; i < ROUNDS; i++)
		EQ(r->created[i], 1);
}

static void create_tells_the_id(void)
{
	struct hmap_create arg = u64_set;
	__u64 last = 0;

	for (int i = 0; i < 5; i++) {
		int fd = dev(O_RDWR);

		arg.id = ~0ULL;
		EQ(create_told(fd, &arg), 0);
		EQ(arg.created, 1);
		EQ(arg.id, info(fd).id);
		OK(arg.id > last);
		last = arg.id;
	}
}

/* === SET === */

static void set_nothing_else(void)
{
	static const struct hmap_set bad[] = {
		{ .mode = 0600 },
		{ .uid = 1 },
		{ .gid = 1 },
		{ .max_entries = 1 },
		{ .max_bytes = 1 },
		{ .name = "x" },
		{ .flags = HMAP_SET_MODE, .mode = 01000 },
		{ .flags = HMAP_SET_MODE, .mode = 0600, .uid = 1 },
		{ .flags = HMAP_SET_UID, .uid = ~0U },
		{ .flags = HMAP_SET_GID, .gid = ~0U },
		{ .flags = HMAP_SET_NAME },
	};
	int fd = make_u64("m", 0600);
	struct hmap_info before = info(fd), after;
	struct hmap_set none = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		trying("bad[%zu]", i);
		EQ(set(fd, &bad[i]), -EINVAL);
	}
	EQ(set(fd, &none), 0);
	after = info(fd);
	SAME_BYTES(&before, &after, sizeof(before));
}

static void set_all(void)
{
	const struct hmap_set arg = {
		.flags = HMAP_SET_MODE | HMAP_SET_UID | HMAP_SET_GID |
			 HMAP_SET_MAX_ENTRIES | HMAP_SET_MAX_BYTES |
			 HMAP_SET_NAME,
		.mode = 0642,
		.uid = USER,
		.gid = GROUP,
		.max_entries = 10,
		.max_bytes = 1 << 20,
		.name = "new",
	};
	struct hmap_set bad = arg;
	int fd = make_u64("old", 0600), taken = make_u64("taken", 0600);
	struct hmap_info before = info(fd), after;

	/* All of it or nothing */
	strcpy(bad.name, "taken");
	EQ(set(fd, &bad), -EEXIST);
	bad = arg;
	bad.max_bytes = ~0ULL;
	EQ(set(fd, &bad), -ENOSPC);
	bad = arg;
	bad.uid = ~0U;
	EQ(set(fd, &bad), -EINVAL);
	after = info(fd);
	SAME_BYTES(&before, &after, sizeof(before));

	EQ(set(fd, &arg), 0);
	after = info(fd);
	EQ(after.mode, 0642);
	EQ(after.uid, USER);
	EQ(after.gid, GROUP);
	EQ(after.max_entries, 10);
	EQ(after.max_bytes, 1 << 20);
	EQ(strcmp(after.name, "new"), 0);
	OK(!is_name("old"));
	EQ(open_map(dev(O_RDWR), "old"), -ENOENT);
	EQ(info(dev_open_map("new", O_RDWR)).id, after.id);
	close(taken);
}

static void set_names(void)
{
	struct hmap_set arg = { .flags = HMAP_SET_NAME, .name = "b" };
	int first = make_u64(NULL, 0600), second = make_u64("b", 0600);
	int third = make_u64("c", 0600), fd = dev(O_RDWR);
	__u64 id = info(first).id;

	EQ(set(first, &arg), -EEXIST);
	EQ(set(second, &arg), 0);
	strcpy(arg.name, "a");
	EQ(set(first, &arg), 0);
	OK(is_name("a"));

	/* Maps are listed by id, no matter when they got their names. */
	EQ(info_above(fd, 0).id, id);
	EQ(info_above(fd, id).id, info(second).id);
	EQ(info_above(fd, info(second).id).id, info(third).id);
	EQ(unlink_map(fd, "a"), 0);
	OK(!is_name("a"));
	EQ(info(first).state, HMAP_STATE_UNLINKED);
	strcpy(arg.name, "again");
	EQ(set(first, &arg), 0);
	EQ(info(first).state, 0);
	OK(is_name("again"));
	strcpy(arg.name, "renamed");
	EQ(set(first, &arg), 0);
	OK(!is_name("again"));
	OK(is_name("renamed"));
	EQ(info_above(fd, 0).id, id);

	/* The name keeps it. */
	EQ(put(first, 1, 2), 0);
	close(first);
	EQ(info(dev_open_map("renamed", O_RDONLY)).count, 1);
}

static void set_as_a_stranger(void)
{
	static const struct hmap_set args[] = {
		{ .flags = HMAP_SET_MODE, .mode = 0666 },
		{ .flags = HMAP_SET_UID, .uid = USER },
		{ .flags = HMAP_SET_GID, .gid = USER },
		{ .flags = HMAP_SET_MAX_ENTRIES, .max_entries = 5 },
		{ .flags = HMAP_SET_MAX_BYTES, .max_bytes = 1 << 20 },
		{ .flags = HMAP_SET_NAME, .name = "stolen" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		trying("args[%zu]", i);
		EQ(set(passed, &args[i]), -EPERM);
	}
	trying("nothing");
	EQ(set(passed, &(struct hmap_set){ 0 }), 0);
}

static void set_as_the_owner(void)
{
	static const gid_t groups[] = { GROUP };
	static const struct hmap_set may[] = {
		{ .flags = HMAP_SET_MODE, .mode = 0640 },
		{ .flags = HMAP_SET_UID, .uid = USER },
		{ .flags = HMAP_SET_GID, .gid = GROUP },
		{ .flags = HMAP_SET_GID, .gid = GROUP },
		{ .flags = HMAP_SET_MAX_ENTRIES, .max_entries = 50 },
		{ .flags = HMAP_SET_MAX_ENTRIES, .max_entries = 5 },
		{ .flags = HMAP_SET_MAX_BYTES, .max_bytes = 1 << 20 },
		{ .flags = HMAP_SET_MAX_BYTES },
		{ .flags = HMAP_SET_NAME, .name = "other" },
	};
	static const struct hmap_set may_not[] = {
		{ .flags = HMAP_SET_UID, .uid = OTHER },
		{ .flags = HMAP_SET_UID, .uid = 0 },
		{ .flags = HMAP_SET_GID, .gid = GROUP + 1 },
		{ .flags = HMAP_SET_GID, .gid = 0 },
	};
	int fd;

	EQ(setgroups(1, groups), 0);
	EQ(setresgid(USER, USER, USER), 0);
	EQ(setresuid(USER, USER, USER), 0);
	fd = make_u64("mine", 0600);
	for (size_t i = 0; i < ARRAY_SIZE(may); i++) {
		trying("may[%zu]", i);
		EQ(set(fd, &may[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(may_not); i++) {
		trying("may_not[%zu]", i);
		EQ(set(fd, &may_not[i]), -EPERM);
	}
}

static void set_rights(void)
{
	const struct hmap_set mode = { .flags = HMAP_SET_MODE, .mode = 0600 };
	const struct hmap_set owner = { .flags = HMAP_SET_UID, .uid = OTHER };
	pid_t pid;
	int fd;

	passed = make_u64("roots", 0666);
	as(USER, set_as_a_stranger);
	pid = spawn();
	if (!pid) {
		set_as_the_owner();
		exit(0);
	}
	join(pid);

	/* For another user's map, each of these takes its own capability. */
	fd = dev_open_map("other", O_RDONLY);
	pid = spawn();
	if (!pid) {
		drop_capability(CAP_FOWNER);
		EQ(set(fd, &mode), -EPERM);
		EQ(set(fd, &owner), 0);
		exit(0);
	}
	join(pid);
	drop_capability(CAP_CHOWN);
	EQ(set(fd, &mode), 0);
	EQ(set(fd, &owner), -EPERM);
	EQ(info(fd).uid, OTHER);
	EQ(info(fd).mode, 0600);
}

static void raise_what_root_has_made(void)
{
	const struct hmap_set lower = {
		.flags = HMAP_SET_MAX_BYTES, .max_bytes = 1 << 19
	};
	struct hmap_set higher = {
		.flags = HMAP_SET_MAX_BYTES, .max_bytes = 1 << 20
	};

	EQ(set(passed, &lower), 0);
	EQ(set(passed, &higher), -EPERM);
	higher.max_bytes = 0;
	EQ(set(passed, &higher), -EPERM);
}

/* No user's limits bound such a map, so its owner cannot raise its own. */
static void limits_of_a_gift(void)
{
	const struct hmap_set give = { .flags = HMAP_SET_UID, .uid = USER };
	struct hmap_create arg = u64_set;

	arg.max_bytes = 1 << 20;
	passed = make(&arg);
	EQ(set(passed, &give), 0);
	as(USER, raise_what_root_has_made);
}

static const struct test tests[] = {
	TEST(neither_read_nor_write),
	TEST(unnamed_maps_are_listed_to_their_owner),
	TEST(info_to_strangers),
	TEST(info_to_root),
	TEST(info_of_an_open_map),
	TEST(supplementary_groups),
	TEST(real_and_effective_user),
	TEST(file_system_user),
	TEST(not_mapped_users),
	TEST(open_twice),
	TEST(mode_of_a_map_without_a_name),
	TEST(create_or_open),
	TEST(create_or_open_obeys_the_mode),
	TEST(create_or_open_race),
	TEST(create_tells_the_id),
	TEST(set_nothing_else),
	TEST(set_all),
	TEST(set_names),
	TEST(set_rights),
	TEST(limits_of_a_gift),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
