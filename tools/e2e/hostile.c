// SPDX-License-Identifier: GPL-2.0
/*
 * What users without any rights try: to make keys collide, to get round limits, to
 * stop others, and to see what the kernel has left in memory.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"

#define USER	1000
#define OTHER	1001

static const struct hmap_create u64_to_u64 = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
	.elem_size = 8,
	.mode = 0600,
};

static int make_named(const char *name, __u32 flags, __u32 mode)
{
	struct hmap_create arg = u64_to_u64;

	arg.flags = flags;
	arg.mode = mode;
	if (name)
		strcpy(arg.name, name);
	return make(&arg);
}

/* === Flooding === */

#define CHAIN_ROWS	8	/* the last is for all that are longer */

/* How many chains have 1, 2, ... buckets, and slots that a hit checks. */
struct chains {
	unsigned long of[CHAIN_ROWS + 1];
	double hit;
};

static struct chains chains(const char *name)
{
	static char text[1 << 14];
	struct chains c = { 0 };
	char path[128], *line;
	unsigned long n;

	need_debugfs();
	snprintf(path, sizeof(path), DEBUGFS "%s/stats", name);
	read_file(path, text, sizeof(text));
	line = strstr(text, "\nhit ");
	OK(line && sscanf(line, " hit %lf", &c.hit) == 1);
	line = strstr(text, "chain length\n");
	OK(line);
	while ((line = strchr(line, '\n')) && *++line) {
		int length = atoi(line);

		n = strtoul(strrchr(strndupa(line, strcspn(line, "\n")), ' '),
			    NULL, 10);
		OK(length >= 1 && length <= CHAIN_ROWS);
		c.of[length] = n;
	}
	return c;
}

/*
 * Where hashes are random a bucket has Poisson many entries, 6.5 on average at
 * most.  More than 32, and so a chain of five, then come with a probability of
 * 2e-13, and in one of 8192 buckets with one of 2e-9.  A hit checks half of
 * 6.5 + 2 slots; with 4096 buckets a quarter more is more than 20 times the standard
 * deviation, which is 1.1 %.
 */
static void check_chains(const char *name)
{
	struct hmap_info i = info(dev_open_map(name, O_RDONLY));
	double load = (double)i.count / (1ULL << i.log2_buckets);
	struct chains c = chains(name);

	trying("the chains of %s", name);
	for (int length = 5; length <= CHAIN_ROWS; length++)
		EQ(c.of[length], 0);
	OK(c.hit < (load + 2) / 2 * 1.25);
}

#define FLOOD	40000

/* What collides where a hash is but the key, a product, a remainder or a fold. */
static __u64 high_bits(__u64 i)
{
	return i << 40;
}

static __u64 middle_bits(__u64 i)
{
	return i << 20;
}

static __u64 multiples_of_a_prime(__u64 i)
{
	return i * 8191;
}

static __u64 inverse_of_the_golden_ratio(__u64 i)
{
	return i * 0xf1de83e19937733dULL;	/* of 0x9e3779b97f4a7c15 */
}

static __u64 both_halves(__u64 i)
{
	return i << 32 | i;
}

static __u64 few_bits(__u64 i)
{
	return 1ULL << i % 64 | 1ULL << i / 64 % 64 | i / 4096 << 13;
}

static __u64 (*const series[])(__u64 i) = {
	high_bits, middle_bits, multiples_of_a_prime,
	inverse_of_the_golden_ratio, both_halves, few_bits
};

static void flood_maps(void)
{
	static __u64 keys[FLOOD];
	static __s32 results[FLOOD];
	char name[] = "flood 0";

	for (size_t s = 0; s < ARRAY_SIZE(series); s++, name[6]++) {
		int fd = make_named(name, s % 2 ? HMAP_CREATE_MAPPED : 0, 0600);
		struct hmap_batch b = {
			.keys = (uintptr_t)keys,
			.elems = (uintptr_t)keys,
			.results = (uintptr_t)results,
			.count = FLOOD,
		};

		for (__u64 i = 0; i < FLOOD; i++)
			keys[i] = series[s](i);
		EQ(call(fd, HMAP_IOC_INSERT_BATCH, &b), 0);
		EQ(b.count, FLOOD);
		settle(fd);
	}
}

static void by_who_knows_the_code(void)
{
	char name[] = "flood 0";

	as(USER, flood_maps);
	for (size_t s = 0; s < ARRAY_SIZE(series); s++, name[6]++)
		check_chains(name);
}

#define COLLIDING	1024	/* keys that may be in one bucket */

/* S15, and S14 for all maps but the one whose secrets are known. */
static void flood_what_is_read(void)
{
	static __u64 keys[COLLIDING + 1];
	int victim = make_named("victim", HMAP_CREATE_MAPPED, 0600);
	int mapped = make_named("mapped", HMAP_CREATE_MAPPED, 0600);
	int plain = make_named("plain", 0, 0600);
	unsigned int refused = 0;
	__u64 elem;
	int err;

	EQ(put(victim, ~0ULL, 0), 0);	/* so that there is a seed */
	colliding_keys(victim, keys, COLLIDING + 1);
	for (int i = 0; i < COLLIDING; i++) {
		trying("key %d", i);
		EQ(put(victim, keys[i], i), 0);
		EQ(put(mapped, keys[i], i), 0);
		EQ(put(plain, keys[i], i), 0);
	}
	trying("the rest");
	REFUSED(victim, put(victim, keys[COLLIDING], 0), ENOSPC);
	EQ(put(mapped, keys[COLLIDING], 0), 0);
	EQ(put(plain, keys[COLLIDING], 0), 0);
	for (int i = 0; i < COLLIDING; i++) {
		EQ(get(victim, keys[i], &elem), 0);
		EQ(elem, i);
	}
	/*
	 * All keys but those of that bucket, one of 256, go in as ever: of 500
	 * two on average, and 25 with a probability of 1e-19.
	 */
	for (__u64 key = 1ULL << 63; key < (1ULL << 63) + 500; key++) {
		err = put(victim, key, key);
		OK(!err || err == -ENOSPC);
		refused += !!err;
	}
	OK(refused < 25);
	settle(mapped);
	settle(plain);
	EQ(clear(victim), 0);
	for (int i = 0; i <= COLLIDING; i++)
		EQ(put(victim, keys[i], i), 0);
	settle(victim);
}

static void by_who_reads_a_map(void)
{
	as(USER, flood_what_is_read);
	check_chains("mapped");
	check_chains("plain");
	/* It was cleared, and has another seed now. */
	check_chains("victim");
}

/* === Rights that nobody has === */

#define O_NEITHER	3	/* an old way to open a device for ioctls only */

static int open_neither(void)
{
	int fd = open(DEVICE, O_NEITHER);

	OK(fd >= 0);
	return fd;
}

static void bind_without_rights(void)
{
	int fd = open_neither(), map = dev_open_map("open to all", O_RDWR);
	struct hmap_info arg = { 0 };
	struct hmap_create or_open = u64_to_u64;

	strcpy(or_open.name, "open to all");
	or_open.flags = HMAP_CREATE_OR_OPEN;
	EQ(open_map(fd, "open to all"), -EACCES);
	EQ(open_fd(fd, map), -EACCES);
	EQ(create(fd, &or_open), -EACCES);
	EQ(create(fd, &u64_to_u64), -EACCES);
	EQ(unlink_map(fd, "open to all"), -EACCES);
	EQ(call(fd, HMAP_IOC_INFO, &arg), -EACCES);
	EQ(put(fd, 1, 1), -EBADFD);
	EQ(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED, true);
	close(map);
	EQ(info(dev_open_map("open to all", O_RDWR)).holders, 1);
	/* It is open to all, but theirs only to write to. */
	EQ(unlink_map(dev(O_RDWR), "open to all"), -EPERM);
}

static void files_open_for_nothing(void)
{
	close(make_named("open to all", HMAP_CREATE_MAPPED, 0666));
	as(USER, bind_without_rights);
}

static int sockets[2];

/* What was passed lets one read, as it is open for, and that is all. */
static void use_what_was_passed(void)
{
	struct hmap_set mode = { .flags = HMAP_SET_MODE, .mode = 0666 };
	struct hmap_set owner = { .flags = HMAP_SET_UID, .uid = USER };
	__u64 key = 1, elem, chain[HMAP_EXPLAIN_CHAIN];
	struct hmap_explain explain = {
		.key = (uintptr_t)&key,
		.key_len = 8,
		.chain = (uintptr_t)chain,
		.room = HMAP_EXPLAIN_CHAIN,
	};
	int fd = receive_fd(sockets[1]);

	EQ(get(fd, 1, &elem), 0);
	EQ(elem, 2);
	REFUSED(fd, put(fd, 1, 3), EACCES);
	REFUSED(fd, del(fd, 1), EACCES);
	REFUSED(fd, clear(fd), EACCES);
	EQ(call(fd, HMAP_IOC_SET, &mode), -EPERM);
	EQ(call(fd, HMAP_IOC_SET, &owner), -EPERM);
	EQ(call(fd, HMAP_IOC_EXPLAIN, &explain), -EPERM);
	EQ(open_fd(dev(O_RDONLY), fd), -EACCES);
	EQ(open_fd(dev(O_RDWR), fd), -EACCES);
	EQ(unlink_map(dev(O_RDWR), "passed"), -EPERM);
	OK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	   MAP_FAILED);
	EQ(errno, EACCES);
}

static void passed_descriptors(void)
{
	int fd = make_named("passed", HMAP_CREATE_MAPPED, 0600);

	EQ(put(fd, 1, 2), 0);
	EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	send_fd(sockets[0], dev_open_fd(fd, O_RDONLY));
	as(USER, use_what_was_passed);
	EQ(info(fd).mode, 0600);
}

/* === Ways round limits === */

#define DESCRIPTORS	3000
#define MAPS		5
#define SLACK		(4 << 20)

struct memory {
	unsigned long long available;
};

static bool memory_is_back(void *arg)
{
	const struct memory *m = arg;

	return available_memory() > m->available - SLACK;
}

static void limit_users(void)
{
	const struct rlimit files = { DESCRIPTORS + 100, DESCRIPTORS + 100 };

	EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	set_parameter("max_user_maps", MAPS);
	set_parameter("max_user_bytes", 1 << 20);
}

static void through_many_files(void)
{
	static struct hmap_next walks[DESCRIPTORS];
	static int fds[DESCRIPTORS];
	struct memory before;
	unsigned int made = 0;
	static __u8 buf[256];
	int err, first = -1;

	for (int i = 0; i < DESCRIPTORS; i++)
		fds[i] = dev(O_RDWR);
	before.available = available_memory();
	for (int i = 0; i < DESCRIPTORS; i++) {
		err = create(fds[i], &u64_to_u64);
		OK(!err || err == -EDQUOT);
		if (!err && !made++)
			first = fds[i];
	}
	EQ(made, MAPS);
	for (__u64 key = 0; key < 1000; key++)
		EQ(put(first, key, key), 0);
	for (int i = 0; i < DESCRIPTORS; i++) {
		err = open_fd(fds[i], first);
		OK(!err || err == -EBUSY);
		if (err)
			continue;
		EQ(next(fds[i], &walks[i], buf, sizeof(buf)), 0);
		OK(walks[i].count);
	}
	OK(info(first).owner_bytes <= 1 << 20);
	OK(becomes_true(memory_is_back, &before));
}

/* Children make what their parent cannot, if they can. */
static void by_fork(void)
{
	unsigned int *made = shared(2 * sizeof(*made)), *refused = made + 1;
	pid_t pids[8];
	int hold[2];
	char c;

	EQ(pipe(hold), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		close(hold[1]);
		while (!create(dev(O_RDWR), &u64_to_u64))
			__atomic_fetch_add(made, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(refused, 1, __ATOMIC_RELEASE);
		EQ(read(hold[0], &c, 1), 0);
		exit(0);
	}
	/* Each holds what it has made until all have been refused. */
	while (__atomic_load_n(refused, __ATOMIC_ACQUIRE) < ARRAY_SIZE(pids))
		usleep(1000);
	EQ(create(dev(O_RDWR), &u64_to_u64), -EDQUOT);
	close(hold[1]);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		join(pids[i]);
	EQ(*made, MAPS);
	make(&u64_to_u64);
}

static void by_refusals(void)
{
	struct hmap_create large = u64_to_u64, taken = u64_to_u64;
	struct memory before = { available_memory() };
	int fd = make_named("taken", 0, 0600), other;
	__u64 bytes = info(fd).owner_bytes;

	large.hint = 1 << 20;
	taken.hint = 1 << 14;
	strcpy(taken.name, "taken");
	for (int i = 0; i < 300; i++) {
		other = dev(O_RDWR);
		large.flags = i % 2 ? HMAP_CREATE_MAPPED : 0;
		EQ(create(other, &large), -EDQUOT);
		EQ(create(other, &taken), -EEXIST);
		close(other);
	}
	EQ(info(fd).owner_bytes, bytes);
	OK(becomes_true(memory_is_back, &before));
	for (int i = 1; i < MAPS; i++)
		make(&u64_to_u64);
}

/* What CPUs have drawn before may not be used up afterwards. */
static void by_lowered_limits(void)
{
	struct hmap_set lower = {
		.flags = HMAP_SET_MAX_ENTRIES, .max_entries = 10
	};
	int fd = make(&u64_to_u64);
	__u64 key;

	for (key = 0; key < 5000; key++)
		EQ(put(fd, key, key), 0);
	EQ(call(fd, HMAP_IOC_SET, &lower), 0);
	for (int i = 0; i < 100; i++)
		EQ(put(fd, key + i, i), -ENOSPC);
	for (int i = 0; i < 1000; i++) {
		EQ(del(fd, i), 0);
		EQ(put(fd, key + i, i), -ENOSPC);
	}
	EQ(info(fd).count, 4000);
}

#define MAPPINGS	2000

/* What is mapped often is charged once, and can go at any time. */
static void by_many_mappings(void)
{
	size_t len = 16 * getpagesize();
	int fd = make_named(NULL, HMAP_CREATE_MAPPED, 0600);
	static const __u8 *at[MAPPINGS];
	const struct hmap_control *c;
	struct memory before;
	__u64 offset, bytes;

	for (__u64 key = 0; key < 1000; key++)
		EQ(put(fd, key, key), 0);
	settle(fd);
	c = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	OK(c != MAP_FAILED);
	offset = c->present.offset;
	bytes = info(fd).owner_bytes;
	for (int i = 0; i < MAPPINGS; i++) {
		at[i] = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, offset);
		OK(at[i] != MAP_FAILED);
		__atomic_load_n(at[i], __ATOMIC_RELAXED);
	}
	/* What was replaced before may be gone by now. */
	OK(info(fd).owner_bytes <= bytes);
	before.available = available_memory();
	for (__u64 key = 1000; key < 4000; key++)
		EQ(put(fd, key, key), 0);
	settle(fd);
	OK(c->present.offset != offset);
	for (int i = 0; i < MAPPINGS; i++)
		while (__atomic_load_n(at[i], __ATOMIC_RELAXED) != 3)	/* as long as it is there */
			usleep(1000);
	EQ(clear(fd), 0);
	OK(becomes_true(memory_is_back, &before));
	OK(info(fd).owner_bytes <= 1 << 20);
}

static void (*const ways[])(void) = {
	through_many_files, by_fork, by_refusals, by_lowered_limits,
	by_many_mappings,
};

static void no_way_round_limits(void)
{
	limit_users();
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		trying("way %zu", i);
		as(USER, ways[i]);
		unlink_map(dev(O_RDWR), "taken");
	}
}

/* === Ways to stop others === */

/* Maps whose keys wait for a grace period to be freed, as fast as it goes. */
static void make_and_destroy(void)
{
	const struct hmap_create arg = { .key_kind = HMAP_KIND_STRING };
	static const char key[200];
	int fds[200];

	for (;;) {
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
			fds[i] = make(&arg);
			EQ(insert(fds[i], key, sizeof(key), NULL, 0, 0), 0);
		}
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			close(fds[i]);
	}
}

static bool can_put(void *arg)
{
	int fd = *(int *)arg, err;
	__u64 key = info(fd).count;

	err = put(fd, key, key);
	OK(!err || err == -ENOMEM);
	return !err;
}

static void grow_meanwhile(void)
{
	int fd = make(&u64_to_u64);

	for (int i = 0; i < 30000; i++)
		OK(becomes_true(can_put, &fd));
	settle(fd);
}

static void maps_that_come_and_go(void)
{
	int status;
	pid_t pid;

	EQ(chmod(DEVICE, 0666), 0);
	pid = spawn();
	if (!pid) {
		become(USER, USER);
		make_and_destroy();
	}
	as(OTHER, grow_meanwhile);
	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFSIGNALED(status));
}

#define CLEARERS	64

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void clear_all_the_time(void)
{
	struct hmap_create arg = u64_to_u64;
	long long begin, one, all;
	pid_t pids[CLEARERS];
	int fd;

	arg.hint = 1 << 18;
	fd = make(&arg);
	EQ(clear(fd), 0);
	begin = now();
	EQ(clear(fd), 0);
	one = now() - begin;
	for (int i = 0; i < CLEARERS; i++) {
		pids[i] = spawn();
		if (!pids[i])
			for (;;)
				EQ(clear(fd), 0);
	}
	usleep(300000);
	begin = now();
	for (int i = 0; i < CLEARERS; i++)
		EQ(kill(pids[i], SIGKILL), 0);
	for (int i = 0; i < CLEARERS; i++)
		EQ(waitpid(pids[i], NULL, 0), pids[i]);
	all = now() - begin;
	printf("# a clear takes %lld ms, to kill %d that do took %lld\n", one,
	       CLEARERS, all);
	OK(all < CLEARERS / 2 * one + 1000);
}

/* Of those that clear a map at the same time, a signal ends all but one at once. */
static void clears_that_wait(void)
{
	as(USER, clear_all_the_time);
}

/* === What the kernel has left in memory === */

/**
 * struct written - how many bytes a call may write
 * @arg: to its argument
 * @buf: to where it puts elems, records, or a chain
 * @results: to where it puts results
 * @lens: to where it puts lengths
 */
struct written {
	size_t arg;
	size_t buf;
	size_t results;
	size_t lens;
};

/* What a call is given, and has written */
struct seen {
	__u8 arg[256];
	__u8 buf[1024];
	__u8 results[64];
	__u8 lens[64];
	struct written may;
};

#define ADDRESS(x)	((__u64)(uintptr_t)(x))

static int inline_map, block_map, long_map, write_only, unbound, deep_map;

/* Have other bytes where the kernel's stack will be: this call has most there. */
static void dirty_stack(__u8 pattern)
{
	__u8 bytes[128];
	struct hmap_update u = {
		.key = ADDRESS(bytes), .key_len = sizeof(bytes),
		.elem = ADDRESS(bytes), .elem_len = sizeof(bytes),
		.expect = ADDRESS(bytes), .expect_len = sizeof(bytes),
		.op = HMAP_UPDATE_CMPXCHG,
	};

	memset(bytes, pattern, sizeof(bytes));
	EQ(call(deep_map, HMAP_IOC_UPDATE, &u), -ENOENT);
}

/* Make a call that may write all of its argument, and @buf bytes to s->buf. */
static int see_call(struct seen *s, int fd, unsigned long cmd, size_t buf)
{
	s->may.arg = _IOC_SIZE(cmd);
	s->may.buf = buf;
	return call(fd, cmd, s->arg);
}

static int see_lookup(struct seen *s, int fd, __u64 *key, __u32 len, size_t buf)
{
	*(struct hmap_entry *)s->arg = (struct hmap_entry){
		.key = ADDRESS(key), .key_len = 8,
		.elem = ADDRESS(s->buf), .elem_len = len,
	};
	return see_call(s, fd, HMAP_IOC_LOOKUP, buf);
}

static int see_update(struct seen *s, int fd, __u64 *key, __u32 op,
		      __u32 flags, __u32 len, size_t buf)
{
	static __u8 elem[200];
	struct hmap_update *u = (void *)s->arg;
	__u32 present = u->present;

	*u = (struct hmap_update){
		.key = ADDRESS(key), .key_len = 8,
		.elem = ADDRESS(elem), .elem_len = len,
		.old = ADDRESS(s->buf), .old_len = len,
		.op = op, .flags = flags, .present = present,
	};
	if (op == HMAP_UPDATE_TAKE) {
		u->elem = 0;
		u->elem_len = 0;
	}
	if (op == HMAP_UPDATE_CMPXCHG) {
		u->expect = ADDRESS(elem);
		u->expect_len = len;
	}
	return see_call(s, fd, HMAP_IOC_UPDATE, buf);
}

/* A batch that gets as far as to the @begun-th entry */
static int see_batch(struct seen *s, int fd, unsigned long cmd, __u32 room,
		     __u32 begun, size_t buf)
{
	static __u64 keys[4] = { 1, 100, 2, 101 };

	*(struct hmap_batch *)s->arg = (struct hmap_batch){
		.keys = ADDRESS(keys), .elems = ADDRESS(s->buf),
		.elem_lens = fd == block_map ? ADDRESS(s->lens) : 0,
		.results = ADDRESS(s->results), .room = room,
		.count = ARRAY_SIZE(keys),
		.flags = cmd == HMAP_IOC_INSERT_BATCH ? HMAP_INSERT_NOEXIST : 0,
	};
	if (cmd == HMAP_IOC_DELETE_BATCH)
		((struct hmap_batch *)s->arg)->elems = 0;
	s->may.results = begun * sizeof(__s32);
	s->may.lens = fd == block_map ? begun * sizeof(__u32) : 0;
	return see_call(s, fd, cmd, buf);
}

/* Of a walk of each map that is behind: where it is, and what is left of it */
static struct hmap_next walks[2];
static size_t left[2];

static int see_next(struct seen *s, int fd, const __u64 cursor[3], __u32 len,
		    size_t buf)
{
	struct hmap_next *n = (void *)s->arg;

	memcpy(n->cursor, cursor, sizeof(n->cursor));
	n->buf = ADDRESS(s->buf);
	n->len = len;
	n->flags = 0;
	return see_call(s, fd, HMAP_IOC_NEXT, buf);
}

static int see_info(struct seen *s, int fd, __u64 after)
{
	((struct hmap_info *)s->arg)->after = after;
	return see_call(s, fd, HMAP_IOC_INFO, 0);
}

static int see_create(struct seen *s, __u32 flags, __u32 elem_size)
{
	struct hmap_create *c = (void *)s->arg;
	__u32 created = c->created;
	__u64 id = c->id;
	int fd = dev(O_RDWR), err;

	*c = u64_to_u64;
	c->flags = flags;
	c->elem_size = elem_size;
	c->created = created;
	c->id = id;
	strcpy(c->name, "seen");
	err = see_call(s, fd, HMAP_IOC_CREATE, 0);
	close(fd);
	return err;
}

static int see_explain(struct seen *s, int fd, __u64 *key, __u32 room,
		       size_t buf)
{
	struct hmap_explain *e = (void *)s->arg;

	e->key = ADDRESS(key);
	e->chain = ADDRESS(s->buf);
	e->key_len = 8;
	e->room = room;
	e->reserved = 0;
	return see_call(s, fd, HMAP_IOC_EXPLAIN, buf);
}

#define NO_CALL	1

/* The @n-th call of those to be looked at, what they tell of the map first. */
static int see(struct seen *s, unsigned int n)
{
	static __u64 there = 1, absent = 100, taken = 3;
	static const __u8 zeros[200];

	switch (n) {
	case 0: return see_info(s, inline_map, 0);
	case 1: return see_info(s, write_only, 0);
	case 2: return see_info(s, unbound, info(inline_map).id - 1);
	case 3: return see_info(s, unbound, 1ULL << 62);
	case 4: return see_info(s, inline_map, 1);
	case 5: return see_lookup(s, inline_map, &there, 8, 8);
	case 6: return see_lookup(s, inline_map, &absent, 8, 0);
	case 7: return see_lookup(s, inline_map, &there, 7, 0);
	case 8: return see_lookup(s, block_map, &there, 300, 51);
	case 9: return see_lookup(s, block_map, &there, 10, 0);
	case 10: return see_lookup(s, block_map, &absent, 300, 0);
	case 11: return see_lookup(s, long_map, &there, 200, 200);
	case 12: return see_lookup(s, write_only, &there, 8, 0);
	case 13: return see_update(s, inline_map, &there, HMAP_UPDATE_XCHG, 0,
				   8, 8);
	case 14: return see_update(s, inline_map, &there, HMAP_UPDATE_XCHG,
				   HMAP_INSERT_NOEXIST, 8, 8);
	case 15: return see_update(s, inline_map, &absent, HMAP_UPDATE_XCHG,
				   HMAP_INSERT_EXIST, 8, 0);
	case 16: return see_update(s, inline_map, &absent, HMAP_UPDATE_TAKE, 0,
				   8, 0);
	case 17: return see_update(s, inline_map, &there, HMAP_UPDATE_ADD, 0, 8,
				   8);
	case 18: return see_update(s, block_map, &there, HMAP_UPDATE_ADD, 0, 8,
				   0);
	case 19: return see_update(s, block_map, &there, HMAP_UPDATE_CMPXCHG, 0,
				   200, 51);
	case 20: return see_update(s, block_map, &there, HMAP_UPDATE_XCHG,
				   HMAP_INSERT_NOEXIST, 10, 0);
	case 21: return see_update(s, long_map, &there, HMAP_UPDATE_CMPXCHG, 0,
				   200, 200);
	case 22: return see_update(s, inline_map, &there, 77, 0, 8, 0);
	case 23:
		EQ(insert(long_map, &taken, 8, zeros, 200, 0), 0);
		return see_update(s, long_map, &taken, HMAP_UPDATE_TAKE, 0, 200,
				  200);
	case 24: return see_batch(s, inline_map, HMAP_IOC_LOOKUP_BATCH, 0, 4,
				  4 * 8);
	case 25: return see_batch(s, block_map, HMAP_IOC_LOOKUP_BATCH, 900, 4,
				  51 + 52);
	case 26: return see_batch(s, block_map, HMAP_IOC_LOOKUP_BATCH, 100, 3,
				  51);
	case 27: return see_batch(s, long_map, HMAP_IOC_LOOKUP_BATCH, 0, 4,
				  4 * 200);
	case 28: return see_batch(s, long_map, HMAP_IOC_LOOKUP_BATCH, 5, 0, 0);
	case 29: return see_batch(s, write_only, HMAP_IOC_LOOKUP_BATCH, 0, 0, 0);
	case 30: return see_next(s, inline_map, walks[0].cursor, 1024, left[0]);
	case 31: return see_next(s, inline_map, walks[0].cursor, 20, 0);
	case 32: return see_next(s, block_map, walks[1].cursor, 1024, left[1]);
	case 33: return see_next(s, block_map, walks[0].cursor, 1024, 0);
	case 34: return see_create(s, HMAP_CREATE_OR_OPEN, 8);
	case 35: return see_create(s, HMAP_CREATE_OR_OPEN, 9);
	case 36: return see_create(s, 0, 8);
	case 37: return see_create(s, 0, HMAP_ELEM_SIZE_MAX + 1);
	case 38: return see_explain(s, inline_map, &there, 128, 8);
	case 39: return see_explain(s, inline_map, &absent, 128, 8);
	case 40: return see_explain(s, long_map, &there, 0, 0);
	/* These write nothing, whatever their argument is. */
	case 41: return call(unbound, HMAP_IOC_OPEN, s->arg);
	case 42: return call(unbound, HMAP_IOC_UNLINK, s->arg);
	case 43: return call(inline_map, HMAP_IOC_SET, s->arg);
	case 44: return call(inline_map, HMAP_IOC_CLEAR, s->arg);
	case 45:
		EQ(put(inline_map, 1, 0), 0);
		EQ(put(inline_map, 2, 0), 0);
		return see_batch(s, inline_map, HMAP_IOC_DELETE_BATCH, 0, 4, 0);
	case 46:
		EQ(clear(inline_map), 0);
		return see_batch(s, inline_map, HMAP_IOC_INSERT_BATCH, 0, 4, 0);
	default: return NO_CALL;
	}
}

static void make_what_is_seen(void)
{
	struct hmap_create vary = u64_to_u64, longer = u64_to_u64,
			   deep = u64_to_u64;
	__u8 elem[200], buf[80];
	__u64 key;

	memset(elem, 0x42, sizeof(elem));
	vary.elem_size = 300;
	vary.flags = HMAP_CREATE_VAR_ELEM;
	longer.elem_size = 200;
	deep.key_kind = HMAP_KIND_BYTES;
	deep.key_size = 128;
	deep.elem_size = 128;
	inline_map = make_named("seen", 0, 0600);
	block_map = make(&vary);
	long_map = make(&longer);
	deep_map = make(&deep);
	write_only = dev_open_fd(inline_map, O_WRONLY);
	unbound = dev(O_RDWR);
	for (key = 0; key < 5; key++) {
		EQ(put(inline_map, key, 0), 0);
		EQ(insert(block_map, &key, 8, elem, 50 + key, 0), 0);
		EQ(insert(long_map, &key, 8, elem, 200, 0), 0);
	}
	for (int i = 0; i < 2; i++) {
		walks[i] = (struct hmap_next){ 0 };
		EQ(next(i ? block_map : inline_map, &walks[i], buf, 80), 0);
		left[i] = 5 * HMAP_RECORD_SIZE(8, i ? 50 : 8) - walks[i].used;
	}
}

/* What slabs are filled with */
static bool is_left_over(const __u8 *p)
{
	static const __u8 poison[] = { 0x5a, 0x6b, 0xa5, 0xbb, 0xcc };

	for (size_t i = 0; i < ARRAY_SIZE(poison); i++)
		if (p[0] == poison[i] && p[1] == poison[i] &&
		    p[2] == poison[i] && p[3] == poison[i])
			return true;
	return false;
}

/* What a call finds where it writes, and on its stack, and what another one does */
#define ONE		0x11
#define OTHER_ONE	0xee
#define STACK		0x22
#define OTHER_STACK	0xdd

static void compare_area(const __u8 *x, const __u8 *y, size_t size, size_t may)
{
	for (size_t i = 0; i < size; i++) {
		if (x[i] == ONE && y[i] == OTHER_ONE)
			continue;
		OK(i < may);
		EQ(x[i], y[i]);
		OK(i + 4 > size || !is_left_over(x + i));
	}
}

static void compare_seen(const struct seen *x, const struct seen *y)
{
	compare_area(x->arg, y->arg, sizeof(x->arg), y->may.arg);
	compare_area(x->buf, y->buf, sizeof(x->buf), y->may.buf);
	compare_area(x->results, y->results, sizeof(x->results),
		     y->may.results);
	compare_area(x->lens, y->lens, sizeof(x->lens), y->may.lens);
}

static int see_anew(struct seen *s, unsigned int n, __u8 pattern, __u8 on_stack)
{
	memset(s, pattern, sizeof(*s));
	s->may = (struct written){ 0 };
	dirty_stack(on_stack);
	return see(s, n);
}

/*
 * A call that finds other bytes each time, where it writes and on its stack, leaves
 * them as they are or writes the same, and only where there is something to tell.
 */
static void compare_what_is_seen(void)
{
	static struct seen seen, before;
	unsigned int n;
	int err;

	make_what_is_seen();
	for (n = 0; ; n++) {
		trying("call %u", n);
		err = see_anew(&seen, n, ONE, STACK);
		if (err == NO_CALL)
			break;
		before = seen;
		EQ(see_anew(&seen, n, OTHER_ONE, OTHER_STACK), err);
		compare_seen(&before, &seen);
	}
	OK(n > 40);
	EQ(unlink_map(inline_map, "seen"), 0);
}

static void nothing_left_over_is_seen(void)
{
	compare_what_is_seen();
	as(USER, compare_what_is_seen);
}

static const struct test tests[] = {
	TEST(by_who_knows_the_code),
	TEST(by_who_reads_a_map),
	TEST(files_open_for_nothing),
	TEST(passed_descriptors),
	TEST(no_way_round_limits),
	TEST(maps_that_come_and_go),
	TEST(clears_that_wait),
	TEST(nothing_left_over_is_seen),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
