// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups through views of mapped maps, while the map is changed by others.
 */
#define _GNU_SOURCE
#include <hmap.h>
#include <hmap_view.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"

#define NR	2000
#ifndef TEST_MS
#define TEST_MS	5000
#endif

#define FAILS(expr, err)						\
do {									\
	errno = 0;							\
	CHECK_EQ(expr, #expr, -1, "-1");				\
	CHECK_EQ(errno, "errno of " #expr, err, #err);			\
} while (0)

/* All words of an elem tell which key it is for and when it was stored. */
struct elem {
	__u64 key;
	__u64 time;
	__u64 copies[6];
};

struct wide_key {
	__u32 words[5];
};

HMAP_VIEW_DEFINE(u64s, __u64, __u64)
HMAP_VIEW_DEFINE(u32s, __u32, __u32)
HMAP_VIEW_DEFINE(elems, __u64, struct elem)
HMAP_VIEW_DEFINE(wides, struct wide_key, __u64)

static int make_mapped(__u32 kind, __u32 key_size, __u32 elem_size)
{
	struct hmap_create create = {};

	create.key_kind = kind;
	create.key_size = key_size;
	create.elem_size = elem_size;
	create.flags = HMAP_CREATE_MAPPED;
	return make(&create);
}

static struct hmap_view *view_of(int fd)
{
	struct hmap_view *view = hmap_view(fd);

	OK(view);
	return view;
}

static __u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* The keys below @nr are there, and more are not. */
static void look_up_all(struct hmap_view *view, __u64 nr)
{
	__u64 key, elem;
	__u32 len = sizeof(elem);
	bool good = true;

	for (key = 0; key < nr; key++) {
		good &= !u64s_lookup(view, key, &elem) && elem == ~key;
		good &= !hmap_view_lookup(view, &key, 8, &elem, &len) &&
			elem == ~key;
	}
	for (; key < 2 * nr + 10; key++)
		good &= u64s_lookup(view, key, &elem) && errno == ENOENT;
	if (!good)
		syscall(SYS_exit_group, 1);
}

/*
 * The only system call of the process from when it has stopped is the one that
 * ends it: so the first stop is there, and no other follows.
 */
static void no_syscalls(struct hmap_view *view, __u64 nr)
{
	pid_t pid = spawn();
	int status;

	if (!pid) {
		look_up_all(view, nr);
		EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
		syscall(SYS_kill, getpid(), SIGSTOP);
		look_up_all(view, nr);
		syscall(SYS_exit_group, 0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFSTOPPED(status));
	EQ(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFSTOPPED(status));
	EQ(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 0);
}

/* Those that are put are the keys below @nr, each with its complement. */
static void fill(int fd, __u64 nr)
{
	for (__u64 key = 0; key < nr; key++)
		EQ(put(fd, key, ~key), 0);
}

static void check_filled(struct hmap_view *view, __u64 nr)
{
	__u64 elem;

	for (__u64 key = 0; key < nr; key++) {
		EQ(u64s_lookup(view, key, &elem), 0);
		EQ(elem, ~key);
	}
	FAILS(u64s_lookup(view, nr, &elem), ENOENT);
}

/* === One process === */

static void as_it_grows(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, 8);
	struct hmap_view *view = view_of(fd);
	__u64 elem;

	FAILS(u64s_lookup(view, 0, &elem), ENOENT);
	for (__u64 key = 0; key < NR; key++) {
		FAILS(u64s_lookup(view, key, &elem), ENOENT);
		EQ(put(fd, key, 1), 0);
		EQ(u64s_lookup(view, key, &elem), 0);
		EQ(elem, 1);
		EQ(put(fd, key, ~key), 0);
		EQ(u64s_lookup(view, key, &elem), 0);
		EQ(elem, ~key);
	}
	check_filled(view, NR);
	settle(fd);
	no_syscalls(view, NR);
	for (__u64 key = 0; key < NR; key += 2) {
		EQ(del(fd, key), 0);
		FAILS(u64s_lookup(view, key, &elem), ENOENT);
	}
	EQ(clear(fd), 0);
	for (__u64 key = 0; key < NR; key++)
		FAILS(u64s_lookup(view, key, &elem), ENOENT);
	fill(fd, NR);
	check_filled(view, NR);
	hmap_view_close(view);
}

/*
 * Whether half of the buckets have been moved, chains among them, and no more are:
 * a growth that an insert wanted while it was begun is not held.
 */
static bool is_half_moved(int fd)
{
	const struct timespec pause = { 0, 20000000 };
	struct hmap_info i = info(fd), now;

	if (!(i.state & HMAP_STATE_GROWING) || i.log2_buckets < 10 ||
	    i.nevacuate < 256)
		return false;
	nanosleep(&pause, NULL);
	now = info(fd);
	return now.state & HMAP_STATE_GROWING && now.nevacuate == i.nevacuate;
}

static void half_moved(void)
{
	struct hmap_view *view;
	__u64 nr = 0;
	int fd;

	set_parameter("finish_delay_ms", 1000000);
	fd = make_mapped(HMAP_KIND_U64, 8, 8);
	do {
		EQ(put(fd, nr, ~nr), 0);
		nr++;
	} while (!is_half_moved(fd));
	view = view_of(fd);
	no_syscalls(view, nr);
	OK(info(fd).state & HMAP_STATE_GROWING);
	hmap_view_close(view);
}

/* The map lives on in the view alone. */
static void closed_and_unlinked(void)
{
	struct hmap_create create = {};
	struct hmap_view *view;
	int fd;

	create.key_kind = HMAP_KIND_U64;
	create.key_size = 8;
	create.elem_size = 8;
	create.flags = HMAP_CREATE_MAPPED;
	strcpy(create.name, "view");
	fd = make(&create);
	fill(fd, NR);
	view = view_of(fd);
	EQ(hmap_unlink("view"), 0);
	settle(fd);
	EQ(close(fd), 0);
	check_filled(view, NR);
	no_syscalls(view, NR);
	hmap_view_close(view);
}

static void many_clears(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, 8);
	struct hmap_view *view = view_of(fd);

	for (int i = 0; i < 300; i++) {
		fill(fd, 20);
		check_filled(view, 20);
		EQ(clear(fd), 0);
	}
	fill(fd, 20);
	settle(fd);
	no_syscalls(view, 20);
	hmap_view_close(view);
}

/* A key of @len bytes, and the elem for it. */
static void set_bytes(unsigned char *p, __u32 len, __u32 nr)
{
	for (__u32 i = 0; i < len; i++)
		p[i] = i < 4 ? nr >> 8 * i : nr * 7 + len + i;
}

static void check_kind(__u32 kind, __u32 key_size, __u32 elem_size)
{
	int fd = make_mapped(kind, key_size, elem_size);
	struct hmap_view *view = view_of(fd);
	unsigned char key[128], elem[128], want[128];
	__u32 nr, len, elem_len;

	trying("keys of kind %u and %u bytes, elems of %u", kind, key_size,
	       elem_size);
	/* No key has the top bit in its last byte. */
	for (nr = 0; nr < 128; nr++) {
		len = kind == HMAP_KIND_STRING ? nr % (key_size + 1) : key_size;
		set_bytes(key, len, nr);
		if (len)
			key[len - 1] &= 0x7f;
		set_bytes(want, elem_size, nr);
		EQ(insert(fd, key, len, want, elem_size, HMAP_INSERT_ANY), 0);
		elem_len = elem_size;
		memset(elem, 0x5a, sizeof(elem));
		EQ(hmap_view_lookup(view, key, len, elem, &elem_len), 0);
		EQ(elem_len, elem_size);
		SAME_BYTES(elem, want, elem_size);
		if (!len)
			continue;
		key[len - 1] ^= 0x80;
		FAILS(hmap_view_lookup(view, key, len, elem, &elem_len), ENOENT);
	}
	elem_len = elem_size + 1;
	FAILS(hmap_view_lookup(view, key, key_size, elem, &elem_len), EINVAL);
	elem_len = elem_size;
	FAILS(hmap_view_lookup(view, key, key_size + 1, elem, &elem_len),
	      EINVAL);
	hmap_view_close(view);
	close(fd);
}

static void kinds(void)
{
	static const __u32 sizes[] = { 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33,
				       64, 100, 127, 128 };
	static const __u32 elem_sizes[] = { 0, 1, 7, 8, 12, 128 };

	for (size_t j = 0; j < ARRAY_SIZE(elem_sizes); j++) {
		check_kind(HMAP_KIND_U32, 4, elem_sizes[j]);
		check_kind(HMAP_KIND_U64, 8, elem_sizes[j]);
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			if (sizes[i] > 1)
				check_kind(HMAP_KIND_BYTES, sizes[i],
					   elem_sizes[j]);
			check_kind(HMAP_KIND_STRING, sizes[i], elem_sizes[j]);
		}
	}
}

static void typed(void)
{
	int fd = make_mapped(HMAP_KIND_U32, 4, 4);
	int wide_fd = make_mapped(HMAP_KIND_BYTES, sizeof(struct wide_key), 8);
	struct hmap_view *view = view_of(fd), *wide = view_of(wide_fd);
	__u64 found, wanted;

	for (__u32 i = 0; i < NR; i++) {
		struct wide_key key = { { i, 2, 3, 4, ~i } };
		__u32 elem = ~i;

		EQ(insert(fd, &i, 4, &elem, 4, HMAP_INSERT_ANY), 0);
		elem = 0;
		EQ(u32s_lookup(view, i, &elem), 0);
		EQ(elem, ~i);
		wanted = i * 3;
		EQ(insert(wide_fd, &key, sizeof(key), &wanted, 8,
			  HMAP_INSERT_ANY), 0);
		EQ(wides_lookup(wide, key, &found), 0);
		EQ(found, wanted);
		key.words[4] = i;
		FAILS(wides_lookup(wide, key, &found), ENOENT);
	}
	/* Another type is refused, as by the ioctl. */
	FAILS(u64s_lookup(view, 1, &found), EINVAL);
	FAILS(u64s_lookup(wide, 1, &found), EINVAL);
	hmap_view_close(view);
	hmap_view_close(wide);
}

/* In cxx.cc */
__u32 cxx_count_points(int fd, __u32 nr);

static void from_cplusplus(void)
{
	int fd = make_mapped(HMAP_KIND_U32, 4, 8);

	for (__u32 i = 0; i < NR; i++) {
		__s32 point[] = { i, -i };

		EQ(insert(fd, &i, 4, point, 8, HMAP_INSERT_ANY), 0);
	}
	EQ(cxx_count_points(fd, 2 * NR), NR);
	EQ(cxx_count_points(make_mapped(HMAP_KIND_U64, 8, 8), 1), ~0U);
}

static void batches(void)
{
	static __u64 keys[3 * NR], elems[3 * NR];
	static __s32 results[3 * NR];
	int fd = make_mapped(HMAP_KIND_U64, 8, 8);
	struct hmap_view *view = view_of(fd);
	__u32 count = 3 * NR, lens[4] = { 1, 0, 3, 9 };

	fill(fd, NR);
	for (__u32 i = 0; i < count; i++) {
		keys[i] = i * 7919ULL % (3 * NR);
		elems[i] = 1;
	}
	EQ(hmap_view_lookup_batch(view, keys, NULL, elems, NULL, 0, results,
				  &count), 0);
	EQ(count, 3 * NR);
	for (__u32 i = 0; i < count; i++) {
		EQ(results[i], keys[i] < NR ? 0 : -ENOENT);
		EQ(elems[i], keys[i] < NR ? ~keys[i] : 0);
	}
	FAILS(hmap_view_lookup_batch(view, keys, lens, elems, NULL, 0, results,
				     &count), EINVAL);
	count = 0;
	EQ(hmap_view_lookup_batch(view, keys, NULL, elems, NULL, 0, results,
				  &count), 0);
	hmap_view_close(view);

	/* The last of these is longer than any key. */
	fd = make_mapped(HMAP_KIND_STRING, 8, 8);
	view = view_of(fd);
	elems[0] = 7;
	EQ(insert(fd, "abc", 3, elems, 8, HMAP_INSERT_ANY), 0);
	count = 4;
	FAILS(hmap_view_lookup_batch(view, "xabclonglong!", lens, elems, NULL, 0,
				     results, &count), EINVAL);
	EQ(count, 3);
	EQ(results[0], -ENOENT);
	EQ(results[1], -ENOENT);
	EQ(results[2], 0);
	EQ(elems[2], 7);
	hmap_view_close(view);
}

/* A map that is not mapped, a file that is not a map's, one not to be read. */
static void others(void)
{
	int fd = make_u64("view", 0222), unbound = dev(O_RDWR), other;
	struct hmap_view *view = view_of(fd);

	fill(fd, NR);
	check_filled(view, NR);
	hmap_view_close(view);
	FAILS((long)hmap_view(unbound) - 1, EBADFD);
	FAILS((long)hmap_view(-1) - 1, EBADF);
	other = open("/dev/null", O_RDONLY);
	FAILS((long)hmap_view(other) - 1, ENOTTY);
	other = dev_open_map("view", O_WRONLY);
	OK(other >= 0);
	view = hmap_view(other);
	if (view) {
		__u64 elem;

		FAILS(u64s_lookup(view, 1, &elem), EACCES);
		hmap_view_close(view);
	}
}

/* Without address space for the arrays. */
static void no_address_space(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, 8);
	struct hmap_view *view = view_of(fd);
	struct rlimit limit = { 1, 1 };

	fill(fd, 5);
	EQ(setrlimit(RLIMIT_AS, &limit), 0);
	check_filled(view, 5);
	fill(fd, NR);
	check_filled(view, NR);
	hmap_view_close(view);
}

/* === Readers while others write === */

/* Shared by processes and threads of these tests. */
struct together {
	int end;
	int ready;
	__u64 lookups;
	__u64 nr;
};

static void store(int fd, __u64 key, __u64 time)
{
	struct elem elem = { key, time, { 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(elem.copies); i++)
		elem.copies[i] = key ^ time;
	EQ(insert(fd, &key, 8, &elem, sizeof(elem), HMAP_INSERT_ANY), 0);
}

/* Whole, and this key's; returns when it was stored. */
static __u64 check_elem(const struct elem *elem, __u64 key)
{
	EQ(elem->key, key);
	for (size_t i = 0; i < ARRAY_SIZE(elem->copies); i++)
		EQ(elem->copies[i], key ^ elem->time);
	return elem->time;
}

static bool ended(struct together *t)
{
	return __atomic_load_n(&t->end, __ATOMIC_ACQUIRE);
}

/*
 * Look keys up that one process stores again and again, so that a key's time only
 * goes on, and never vanishes if it is one of the first @stay.
 */
static void read_until_end(struct hmap_view *view, struct together *t,
			   __u64 stay)
{
	__u64 *seen = calloc(t->nr, sizeof(*seen)), lookups = 0;
	unsigned int seed = getpid();
	struct elem elem;

	__atomic_fetch_add(&t->ready, 1, __ATOMIC_RELEASE);
	while (!ended(t)) {
		__u64 key = rand_r(&seed) % t->nr, time;

		lookups++;
		if (elems_lookup(view, key, &elem)) {
			EQ(errno, ENOENT);
			if (key < stay && seen[key])
				fail(__FILE__, __LINE__, "key %llu vanished", key);
			continue;
		}
		time = check_elem(&elem, key);
		if (time < seen[key])
			fail(__FILE__, __LINE__, "key %llu went back from %llu to %llu",
			     key, seen[key], time);
		seen[key] = time;
	}
	__atomic_fetch_add(&t->lookups, lookups, __ATOMIC_RELAXED);
	free(seen);
}

#define READERS		3

static struct together *begin_readers(int fd, __u64 nr, __u64 stay,
				      pid_t pids[READERS])
{
	struct together *t = shared(sizeof(*t));

	t->nr = nr;
	for (int i = 0; i < READERS; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		read_until_end(view_of(fd), t, stay);
		exit(0);
	}
	while (__atomic_load_n(&t->ready, __ATOMIC_ACQUIRE) < READERS)
		sched_yield();
	return t;
}

static void end_readers(struct together *t, pid_t pids[READERS])
{
	__atomic_store_n(&t->end, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < READERS; i++)
		join(pids[i]);
	printf("# %llu lookups\n", t->lookups);
	OK(t->lookups);
}

/* Insert, replace and delete; grow, and squeeze out what was deleted. */
static void while_written(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, sizeof(struct elem));
	const __u64 nr = 20000, stay = nr / 2;
	__u64 end = now_ms() + TEST_MS, time = 0;
	pid_t pids[READERS];
	struct together *t = begin_readers(fd, nr, stay, pids);

	while (now_ms() < end) {
		__u64 key = random_u32() % nr;

		store(fd, key, ++time);
		key = stay + random_u32() % (nr - stay);
		if (time % 2)
			delete(fd, &key, 8);
	}
	end_readers(t, pids);
}

/* From nothing, over and over; a clear takes all away, and brings none back. */
static void while_cleared(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, sizeof(struct elem));
	__u64 end = now_ms() + TEST_MS, time = 0;
	pid_t pids[READERS];
	struct together *t = begin_readers(fd, 500, 0, pids);

	while (now_ms() < end) {
		__u32 n = random_u32() % 500;

		while (n--)
			store(fd, random_u32() % 500, ++time);
		EQ(clear(fd), 0);
	}
	end_readers(t, pids);
}

#define LARGE_MS	(4 * TEST_MS)

/* To a million, or what fits into the time there is. */
static void while_it_grows_large(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, sizeof(struct elem));
	__u64 end = now_ms() + LARGE_MS, key;
	pid_t pids[READERS];
	struct together *t = begin_readers(fd, 1000000, 1000000, pids);
	struct hmap_view *view = view_of(fd);
	struct elem elem;

	for (key = 0; key < t->nr && now_ms() < end; key++)
		store(fd, key, 1);
	end_readers(t, pids);
	printf("# %llu entries\n", key);
	while (key--) {
		EQ(elems_lookup(view, key, &elem), 0);
		check_elem(&elem, key);
	}
	hmap_view_close(view);
}

/* === Threads and forks === */

struct team {
	struct hmap_view *view;
	struct together *t;
};

static void *team_reads(void *arg)
{
	struct team *team = arg;

	read_until_end(team->view, team->t, 0);
	return NULL;
}

/*
 * Threads share a view that follows clears and growths; meanwhile processes are
 * forked that go on with it, whatever a thread was doing at that moment.
 */
static void threads_and_forks(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, sizeof(struct elem));
	struct together *t = shared(sizeof(*t));
	struct team team = { view_of(fd), t };
	__u64 end = now_ms() + TEST_MS, time = 0;
	pthread_t threads[4];
	pid_t writer, pid;
	struct elem elem;

	t->nr = 500;
	writer = spawn();
	if (!writer) {
		while (!ended(t)) {
			for (int i = 0; i < 200; i++)
				store(fd, random_u32() % t->nr, ++time);
			EQ(clear(fd), 0);
		}
		exit(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		EQ(pthread_create(&threads[i], NULL, team_reads, &team), 0);
	while (now_ms() < end) {
		pid = spawn();
		if (!pid) {
			for (__u64 key = 0; key < t->nr; key++)
				if (!elems_lookup(team.view, key, &elem))
					check_elem(&elem, key);
			_exit(0);
		}
		join(pid);
	}
	__atomic_store_n(&t->end, 1, __ATOMIC_RELEASE);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		EQ(pthread_join(threads[i], NULL), 0);
	join(writer);
	/* What the others did has not kept this process from reading. */
	EQ(clear(fd), 0);
	store(fd, 1, 1);
	EQ(elems_lookup(team.view, 1, &elem), 0);
	hmap_view_close(team.view);
}

static void *team_follows(void *arg)
{
	struct team *team = arg;
	__u64 elem;

	while (!ended(team->t))
		u64s_lookup(team->view, 1, &elem);
	return NULL;
}

/* Have the views of a map follow it again and again, but for when it is held. */
static void clear_until_end(int fd, struct together *t, int *hold)
{
	while (!ended(t)) {
		bool held = __atomic_load_n(hold, __ATOMIC_ACQUIRE);

		__atomic_store_n(&t->ready, held, __ATOMIC_RELEASE);
		if (held) {
			sched_yield();
			continue;
		}
		EQ(put(fd, 0, 0), 0);
		EQ(clear(fd), 0);
	}
}

/* At whatever point of following the map a view is forked, it goes on. */
static void forked_as_it_follows(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, 8), *hold = shared(sizeof(*hold));
	struct team team = { view_of(fd), shared(sizeof(*team.t)) };
	pid_t writer = spawn(), pid;
	pthread_t thread;

	if (!writer) {
		clear_until_end(fd, team.t, hold);
		exit(0);
	}
	EQ(pthread_create(&thread, NULL, team_follows, &team), 0);
	for (int i = 0; i < 100; i++) {
		pid = spawn();
		if (!pid) {
			__atomic_store_n(hold, 1, __ATOMIC_RELEASE);
			while (!__atomic_load_n(&team.t->ready, __ATOMIC_ACQUIRE))
				sched_yield();
			no_syscalls(team.view, 0);
			exit(0);
		}
		join(pid);
		__atomic_store_n(hold, 0, __ATOMIC_RELEASE);
		while (__atomic_load_n(&team.t->ready, __ATOMIC_ACQUIRE))
			sched_yield();
	}
	__atomic_store_n(&team.t->end, 1, __ATOMIC_RELEASE);
	EQ(pthread_join(thread, NULL), 0);
	join(writer);
	hmap_view_close(team.view);
}

/* A hundred processes. */
static void a_hundred(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, 8), to_all[2];
	struct together *t = shared(sizeof(*t));
	pid_t pids[100];
	char byte;

	EQ(pipe(to_all), 0);
	fill(fd, 10);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			struct hmap_view *view = view_of(fd);

			close(to_all[1]);
			check_filled(view, 10);
			__atomic_fetch_add(&t->ready, 1, __ATOMIC_RELEASE);
			EQ(read(to_all[0], &byte, 1), 0);
			check_filled(view, NR);
			exit(0);
		}
	}
	while (__atomic_load_n(&t->ready, __ATOMIC_ACQUIRE) < (int)ARRAY_SIZE(pids))
		sched_yield();
	fill(fd, NR);
	close(to_all[1]);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		join(pids[i]);
}

/* === What is left behind === */

static bool is_available(void *bytes)
{
	return available_memory() >= *(unsigned long long *)bytes;
}

#define MANY	200000ULL
/* CPUs keep some of the pages that are freed, large ones among them. */
#define KEPT	(64ULL << 20)

/* A view that nobody looks at again keeps no array that was replaced. */
static void nothing_is_pinned(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, 8);
	struct hmap_view *view = view_of(fd);
	unsigned long long before = available_memory(), bytes, wanted;

	fill(fd, MANY);
	check_filled(view, MANY);
	bytes = info(fd).bytes;
	OK(bytes > MANY * 16);
	for (int i = 0; i < 30; i++)
		EQ(clear(fd), 0);
	/* At most the array there is, and one that is just being freed. */
	wanted = before - 2 * bytes - KEPT;
	OK(becomes_true(is_available, &wanted));
	OK(info(fd).bytes <= bytes);
	close(fd);
	hmap_view_close(view);
	wanted = before - KEPT;
	OK(becomes_true(is_available, &wanted));
}

/* Whoever is killed, at any moment, leaves nothing half done. */
static void killed(void)
{
	int fd = make_mapped(HMAP_KIND_U64, 8, sizeof(struct elem));
	__u64 end = now_ms() + TEST_MS, kills = 0;
	struct hmap_view *view = view_of(fd);
	const __u64 nr = 300;
	struct elem elem;

	while (now_ms() < end) {
		struct timespec pause = { 0, random_u32() % 3000000 };
		pid_t writer = spawn(), reader;

		if (!writer) {
			for (__u64 time = now_ms();; time++) {
				store(fd, random_u32() % nr, time);
				if (random_u32() % 100 == 0)
					EQ(clear(fd), 0);
			}
		}
		reader = spawn();
		if (!reader)
			for (;;)
				if (!elems_lookup(view, random_u32() % nr, &elem))
					OK(elem.copies[0] ==
					   (elem.key ^ elem.time));
		nanosleep(&pause, NULL);
		kill(writer, SIGKILL);
		kill(reader, SIGKILL);
		EQ(waitpid(writer, NULL, 0), writer);
		EQ(waitpid(reader, NULL, 0), reader);
		kills += 2;
		for (__u64 key = 0; key < nr; key++)
			if (!elems_lookup(view, key, &elem))
				check_elem(&elem, key);
		store(fd, 1, kills);
		EQ(elems_lookup(view, 1, &elem), 0);
		EQ(elem.time, kills);
	}
	hmap_view_close(view);
}

static const struct test tests[] = {
	TEST(as_it_grows),
	TEST(half_moved),
	TEST(closed_and_unlinked),
	TEST(many_clears),
	TEST(kinds),
	TEST(typed),
	TEST(from_cplusplus),
	TEST(batches),
	TEST(others),
	TEST(no_address_space),
	TEST(while_written),
	TEST(while_cleared),
	TEST(while_it_grows_large),
	TEST(threads_and_forks),
	TEST(forked_as_it_follows),
	TEST(a_hundred),
	TEST(nothing_is_pinned),
	TEST(killed),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
