// SPDX-License-Identifier: GPL-2.0
/* Mapped maps: who may map what, what is to be seen there, and for how long. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"

#define USER	1000
#define GONE	0x03	/* each byte of a page that is not there */
#define SECRET	0x5ec2e7c0ffee0000ULL	/* what the tests' elems begin with */

static size_t page_size;

static const struct hmap_create u64_to_u64 = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
	.elem_size = 8,
	.mode = 0644,
	.flags = HMAP_CREATE_MAPPED,
};

static const struct hmap_create strings = {
	.key_kind = HMAP_KIND_STRING,
	.key_size = 40,
	.elem_size = 24,
	.mode = 0644,
	.flags = HMAP_CREATE_MAPPED,
};

/* Map a part of a file to be read; MAP_FAILED with errno set if that fails. */
static void *map(int fd, __u64 offset, size_t len)
{
	return mmap(NULL, len, PROT_READ, MAP_SHARED, fd, offset);
}

static const struct hmap_control *control(int fd)
{
	const struct hmap_control *c = map(fd, 0, page_size);

	OK(c != MAP_FAILED);
	return c;
}

/* The present array, as it is told of at one time. */
static struct hmap_control_array present(const struct hmap_control *c)
{
	struct hmap_control_array a;
	__u32 generation;

	do {
		generation = __atomic_load_n(&c->generation, __ATOMIC_ACQUIRE);
		a = c->present;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (generation & 1 || c->generation != generation);
	return a;
}

static const __u8 *map_array(int fd, const struct hmap_control_array *a)
{
	const __u8 *p = map(fd, a->offset, a->bytes);

	OK(p != MAP_FAILED);
	return p;
}

static int map_error(int fd, int prot, int flags)
{
	void *p = mmap(NULL, page_size, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	EQ(munmap(p, page_size), 0);
	return 0;
}

static bool is_gone(const __u8 *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != GONE)
			return false;
	return true;
}

static void look_at(const __u8 *p)
{
	__atomic_load_n(p, __ATOMIC_RELAXED);
}

static void fill(int fd, __u64 from, __u64 to)
{
	for (__u64 i = from; i < to; i++)
		EQ(put(fd, i, SECRET + i), 0);
}

/* === Who may map === */

static void only_to_read(void)
{
	int fd = make(&u64_to_u64);
	int ro = dev_open_fd(fd, O_RDONLY), wo = dev_open_fd(fd, O_WRONLY);
	int fds[] = { fd, ro };
	void *p;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		EQ(map_error(fds[i], PROT_READ, MAP_SHARED), 0);
		EQ(map_error(fds[i], PROT_READ, MAP_PRIVATE), 0);
		EQ(map_error(fds[i], PROT_NONE, MAP_SHARED), 0);
		EQ(map_error(fds[i], PROT_READ | PROT_WRITE, MAP_SHARED),
		   -EACCES);
		EQ(map_error(fds[i], PROT_READ | PROT_WRITE, MAP_PRIVATE),
		   -EACCES);
		EQ(map_error(fds[i], PROT_WRITE, MAP_SHARED), -EACCES);
		EQ(map_error(fds[i], PROT_READ | PROT_EXEC, MAP_SHARED),
		   -EACCES);
		EQ(map_error(fds[i], PROT_READ | PROT_EXEC, MAP_PRIVATE),
		   -EACCES);
		for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
			p = mmap(NULL, page_size, PROT_READ, flags, fds[i], 0);
			OK(p != MAP_FAILED);
			EQ(mprotect(p, page_size, PROT_READ | PROT_WRITE) ?
			   errno : 0, EACCES);
			EQ(mprotect(p, page_size, PROT_READ | PROT_EXEC) ?
			   errno : 0, EACCES);
			EQ(mprotect(p, page_size, PROT_NONE), 0);
			EQ(mprotect(p, page_size, PROT_READ), 0);
			EQ(*(__u32 *)p, HMAP_CONTROL_MAGIC);
			OK(mremap(p, page_size, 2 * page_size, MREMAP_MAYMOVE)
			   == MAP_FAILED);
			EQ(munmap(p, page_size), 0);
		}
	}
	EQ(map_error(wo, PROT_READ, MAP_SHARED), -EACCES);
	EQ(map_error(wo, PROT_WRITE, MAP_SHARED), -EACCES);
}

static void not_what_is_no_mapped_map(void)
{
	int unbound = dev(O_RDWR), other = make_u64(NULL, 0600);

	EQ(map_error(unbound, PROT_READ, MAP_SHARED), -EBADFD);
	EQ(map_error(other, PROT_READ, MAP_SHARED), -ENODEV);
	EQ(info(other).create_flags, 0);
	EQ(info(make(&u64_to_u64)).create_flags, HMAP_CREATE_MAPPED);
}

/* Nor through the back door, or by the kernel in somebody's name. */
static void not_to_write_by_proc(void)
{
	int fd = make(&u64_to_u64), mem = open("/proc/self/mem", O_RDWR);
	const struct hmap_control *c = control(fd);
	__u32 magic = c->magic, zero = 0;
	int p[2];

	OK(mem >= 0);
	OK(pwrite(mem, &zero, 4, (uintptr_t)c) < 0);
	EQ(pipe(p), 0);
	EQ(write(p[1], &zero, 4), 4);
	EQ(read(p[0], (void *)c, 4) < 0 ? errno : 0, EFAULT);
	EQ(c->magic, magic);
	/* Nobody else gets a reference to the memory, to keep it with. */
	EQ(vmsplice(p[1], &(struct iovec){ (void *)c, 4 }, 1, 0) < 0 ?
	   errno : 0, EFAULT);
	/* What is there can be passed to a call like any memory. */
	EQ(write(p[1], c, 4), 4);
	EQ(read(p[0], &zero, 4), 4);
	EQ(read(p[0], &zero, 4), 4);
	EQ(zero, magic);
}

static void reader(void)
{
	int fd = dev_open_map("mapped", O_RDONLY);

	EQ(control(fd)->magic, HMAP_CONTROL_MAGIC);
	EQ(map_error(fd, PROT_READ | PROT_WRITE, MAP_SHARED), -EACCES);
}

static void by_another_user(void)
{
	struct hmap_create arg = u64_to_u64;

	strcpy(arg.name, "mapped");
	make(&arg);
	as(USER, reader);
}

static void refused_at_creation(void)
{
	static const struct hmap_create wrong[] = {
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 129 },
		{ .key_kind = HMAP_KIND_BYTES, .key_size = 129 },
		{ .key_kind = HMAP_KIND_STRING },
		{ .key_kind = HMAP_KIND_STRING, .key_size = 129 },
		{ .key_kind = HMAP_KIND_STRING, .key_size = 8, .elem_size = 8,
		  .flags = HMAP_CREATE_VAR_ELEM },
	};
	static const char no_elem[24];
	struct hmap_create arg = u64_to_u64, plain = u64_to_u64;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		trying("map %zu", i);
		arg = wrong[i];
		arg.flags |= HMAP_CREATE_MAPPED;
		EQ(create(dev(O_RDWR), &arg), -EINVAL);
	}
	trying("another shape");
	strcpy(plain.name, "plain");
	plain.flags = HMAP_CREATE_OR_OPEN;
	fd = make(&plain);
	plain.flags |= HMAP_CREATE_MAPPED;
	EQ(create(dev(O_RDWR), &plain), -EEXIST);
	close(fd);
	trying("a string that is too long");
	fd = make(&strings);
	EQ(insert(fd, "0123456789012345678901234567890123456789", 40,
		  no_elem, 24, 0), 0);
	EQ(insert(fd, "01234567890123456789012345678901234567890", 41,
		  no_elem, 24, 0), -EINVAL);
}

/* === What is there === */

static void layout_is_told(void)
{
	int fd = make(&strings);
	const struct hmap_control *c = control(fd);

	EQ(c->version, HMAP_CONTROL_VERSION);
	EQ(c->key_kind, HMAP_KIND_STRING);
	EQ(c->key_size, 40);
	EQ(c->key_slot, 48);
	EQ(c->elem_size, 24);
	EQ(c->elem_slot, 24);
	EQ(c->keys, 16);
	EQ(c->elems, 16 + 8 * 48);
	EQ(c->link, c->elems + 8 * 24);
	EQ(c->stride, c->link + 8);
	EQ(c->per_page, page_size / c->stride);
	EQ(c->generation, 0);
	EQ(c->present.bytes, 0);
	OK(c->secret[0] && c->secret[1] & 1 && c->secret[2] & 1);
	OK(c->secret[0] != control(make(&strings))->secret[0]);
	EQ(insert(fd, "key", 3, "0123456789abcdef01234567", 24, 0), 0);
	OK(c->generation && !(c->generation & 1));
	EQ(c->present.log2_buckets, 0);
	EQ(c->old.bytes, 0);

	const __u8 *b = map_array(fd, &c->present);

	/* There is one bucket, and its first slot is in use. */
	OK(!(*(__u32 *)b & 1));
	OK(b[8] >= 5 && !b[9]);
	SAME_BYTES(b + c->keys, "key", 4);
	EQ(b[c->keys + 47], 3);
	SAME_BYTES(b + c->elems, "0123456789abcdef01234567", 24);
	EQ(delete(fd, "key", 3), 0);
	for (size_t i = 8; i < c->stride; i++)
		EQ(b[i], 0);
}

/* Whether some bytes look like an address of the kernel's on this machine. */
static bool is_kernel_address(const __u8 *p)
{
	__u64 word;

	memcpy(&word, p, sizeof(word));
	return sizeof(long) == 8 && word >> 47 == 0x1ffff;
}

/* Or what slabs are filled with. */
static bool is_poison(__u64 word)
{
	return word == 0x6b6b6b6b6b6b6b6bULL || word == 0x5a5a5a5a5a5a5a5aULL;
}

/* No address and no elem but of those that are there may be in an array. */
static size_t scan(int fd, const struct hmap_control_array *a, __u64 from,
		   __u64 to)
{
	const __u8 *p = map_array(fd, a);
	size_t found = 0;
	__u64 word;

	for (size_t i = 0; i + 8 <= a->bytes; i += 4) {
		memcpy(&word, p + i, 8);
		OK(!is_kernel_address(p + i) && !is_poison(word));
		if (word >> 24 != SECRET >> 24)
			continue;
		word -= SECRET;
		if (word < from || word >= to)
			fail(__FILE__, __LINE__, "elem %llu at %zu", word, i);
		found++;
	}
	EQ(munmap((void *)p, a->bytes), 0);
	return found;
}

static void nothing_leaks(void)
{
	int fd = make(&u64_to_u64);
	const struct hmap_control *c = control(fd);
	__u64 from = 0, to = 0;

	for (size_t i = 0; i < page_size; i++)
		OK(!is_kernel_address((const __u8 *)c + i % (page_size - 8)));
	/* Up and down, so that there are growths, overflow and holes. */
	for (int round = 0; round < 30; round++) {
		__u64 more = 200 + random_u32() % 4000;

		fill(fd, to, to + more);
		to += more;
		for (__u64 less = random_u32() % (to - from); less; less--)
			EQ(del(fd, from++), 0);
		if (round % 3 == 0)
			settle(fd);
		/* While it grows an entry is in one of them. */
		if (is_settled(&fd))
			EQ(scan(fd, &c->present, from, to), to - from);
		else
			OK(scan(fd, &c->present, from, to) <= to - from);
	}
	settle(fd);
	while (from < to)
		EQ(del(fd, from++), 0);
	settle(fd);
	EQ(scan(fd, &c->present, 0, 0), 0);
	EQ(clear(fd), 0);
	EQ(scan(fd, &c->present, 0, 0), 0);
}

int peek_main(int argc, char **argv);	/* tools/examples/peek.c */

/* What the example prints for a key. */
static const char *peek(__u64 key)
{
	static char out[100];
	char name[] = "peeked", text[24];
	char *argv[4] = { name, name, text };
	ssize_t len;
	pid_t pid;
	int p[2];

	snprintf(text, sizeof(text), "%llu", key);
	EQ(pipe(p), 0);
	pid = spawn();
	if (!pid) {
		dup2(p[1], 1);
		exit(peek_main(3, argv));
	}
	close(p[1]);
	len = read(p[0], out, sizeof(out) - 1);
	OK(len > 0);
	out[len] = 0;
	close(p[0]);
	join(pid);
	return out;
}

/* A reader that knows nothing but what the header says, while the map grows. */
static void read_by_the_rules(void)
{
	struct hmap_create arg = u64_to_u64;
	char want[100];
	int fd;

	strcpy(arg.name, "peeked");
	fd = make(&arg);
	EQ(strcmp(peek(0), "no 0\n"), 0);
	for (__u64 i = 0; i < 3000; i++) {
		EQ(put(fd, i, SECRET + i), 0);
		if (i % 37)
			continue;
		for (__u64 key = i / 2; key <= i; key += i / 2 + 1) {
			trying("key %llu of %llu", key, i);
			snprintf(want, sizeof(want), "%llu %llu\n", key,
				 SECRET + key);
			EQ(strcmp(peek(key), want), 0);
		}
		snprintf(want, sizeof(want), "no %llu\n", i + 1);
		EQ(strcmp(peek(i + 1), want), 0);
	}
}

/* === For how long === */

static void gone_when_replaced(void)
{
	int fd = make(&u64_to_u64);
	const struct hmap_control *c = control(fd);
	struct hmap_control_array a;
	__u32 generation;
	const __u8 *p;

	fill(fd, 0, 8);
	trying("growth");
	a = c->present;
	p = map_array(fd, &a);
	OK(!is_gone(p, page_size));
	generation = c->generation;
	fill(fd, 8, 9);
	settle(fd);
	OK(c->generation != generation && !(c->generation & 1));
	OK(c->present.offset != a.offset);
	EQ(c->old.bytes, 0);
	while (!is_gone(p, a.bytes))
		usleep(1000);

	trying("clear");
	a = c->present;
	p = map_array(fd, &a);
	OK(!is_gone(p, page_size));
	generation = c->generation;
	EQ(clear(fd), 0);
	OK(c->generation != generation && !(c->generation & 1));
	OK(is_gone(p, a.bytes));
	trying("an array that is gone");
	OK(is_gone(map_array(fd, &a), a.bytes));
	trying("where none ever was");
	p = map(fd, 1ULL << (sizeof(long) == 8 ? 40 : 30), 16 * page_size);
	OK(p != MAP_FAILED);
	OK(is_gone(p, 16 * page_size));
}

static void no_signal(void)
{
	struct hmap_create arg = u64_to_u64;
	const struct hmap_control *c;
	const __u8 *p;
	size_t bytes;
	int fd;

	strcpy(arg.name, "unlinked");
	fd = make(&arg);
	c = control(fd);
	fill(fd, 0, 1000);
	settle(fd);
	p = map_array(fd, &c->present);
	bytes = c->present.bytes;
	EQ(unlink_map(fd, "unlinked"), 0);
	close(fd);
	OK(!is_name("unlinked"));
	OK(!is_gone(p, page_size));
	for (size_t i = 0; i < bytes; i += 64)
		look_at(p + i);
	EQ(c->magic, HMAP_CONTROL_MAGIC);
	EQ(munmap((void *)c, page_size), 0);
	/* What is mapped keeps the map, and so the module. */
	EQ(syscall(SYS_delete_module, "hmap", O_NONBLOCK) ? errno : 0,
	   EWOULDBLOCK);
	OK(!is_gone(p, page_size));
}

struct pinned {
	int fd;
	__u64 bytes, available;
};

/* Free memory comes and goes for other reasons, but not that much. */
static bool memory_is_back(void *arg)
{
	struct pinned *p = arg;

	return info(p->fd).bytes <= p->bytes &&
	       available_memory() + (32 << 20) >= p->available;
}

#define FEW	25000	/* entries that take arrays of 8 MiB, all in all */

/* A reader that keeps all that it ever mapped keeps no memory. */
static void nothing_is_pinned(void)
{
	static const struct hmap_create large = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 120,
		.flags = HMAP_CREATE_MAPPED,
	};
	static const __u8 elem[120];
	int fd = make(&large);
	const struct hmap_control *c = control(fd);
	struct pinned pinned = { .fd = fd };
	struct hmap_control_array a;
	const __u8 *p;
	__u64 last = 0;

	for (int round = 0; round < 12; round++) {
		trying("round %d", round);
		for (__u64 i = 0; i < FEW; i++) {
			EQ(insert(fd, &i, 8, elem, sizeof(elem), 0), 0);
			a = present(c);
			if (a.offset == last)
				continue;
			last = a.offset;
			p = map_array(fd, &a);
			look_at(p);
		}
		settle(fd);
		a = present(c);
		p = map_array(fd, &a);
		for (size_t at = 0; at < a.overflow; at += page_size)
			look_at(p + at);
		EQ(clear(fd), 0);
		OK(is_gone(p, page_size));
		/* The largest array there is to be is made in the first round. */
		if (!round) {
			pinned.bytes = info(fd).bytes;
			pinned.available = available_memory();
		}
		OK(becomes_true(memory_is_back, &pinned));
	}
}

/* Overflow pages that come to be after somebody has looked for them. */
static void looked_for_too_early(void)
{
	static const struct hmap_create large = {
		.key_kind = HMAP_KIND_BYTES,
		.key_size = 128,
		.elem_size = 128,
		.flags = HMAP_CREATE_MAPPED,
	};
	int fd = make(&large);
	const struct hmap_control *c = control(fd);
	__u8 key[128] = { 0 }, elem[128] = { 0 };
	struct hmap_control_array a = { 0 };
	const __u8 *p = NULL;
	bool found = false;

	/* Until an overflow bucket is in the first of the pages for them. */
	for (__u64 i = 0; !found; i++) {
		OK(i < 1000000);
		memcpy(key, &i, sizeof(i));
		EQ(insert(fd, key, sizeof(key), elem, sizeof(elem), 0), 0);
		settle(fd);
		if (present(c).offset != a.offset) {
			a = present(c);
			p = map_array(fd, &a);
			/* Look at each page there may be. */
			for (size_t at = 0; at < a.bytes; at += page_size)
				look_at(p + at);
			OK(is_gone(p + a.overflow, page_size));
		}
		for (size_t b = 0; b < (1U << a.log2_buckets) + a.spare; b++)
			found |= *(const __u32 *)(p + b * c->stride + c->link) >
				 a.spare;
	}
	while (is_gone(p + a.overflow, page_size))
		usleep(1000);
	OK(p[a.overflow + 8] >= 5);
}

static bool is_set(void *flag)
{
	return __atomic_load_n((bool *)flag, __ATOMIC_ACQUIRE);
}

static void passed_on_by_fork(void)
{
	bool *has_looked = shared(sizeof(*has_looked));
	int fd = make(&u64_to_u64);
	const struct hmap_control *c = control(fd);
	const __u8 *p;
	size_t bytes;
	pid_t pid;

	fill(fd, 0, 8);
	p = map_array(fd, &c->present);
	bytes = c->present.bytes;
	OK(!is_gone(p, page_size));
	pid = spawn();
	if (!pid) {
		close(fd);
		OK(!is_gone(p, page_size));
		__atomic_store_n(has_looked, true, __ATOMIC_RELEASE);
		while (!is_gone(p, bytes))
			usleep(1000);
		exit(0);
	}
	OK(becomes_true(is_set, has_looked));
	EQ(clear(fd), 0);
	join(pid);
	OK(is_gone(p, bytes));
}

/* === Mappings that move while they are taken away === */

#define MOVE_MS		15000
#define MOVERS		3

struct moves {
	int fd;
	unsigned int cleared;	/* calls of CLEAR that have returned */
	unsigned int checked;
	bool end;
};

static bool is_at_end(struct moves *m)
{
	return __atomic_load_n(&m->end, __ATOMIC_ACQUIRE);
}

static unsigned int nr_cleared(struct moves *m)
{
	return __atomic_load_n(&m->cleared, __ATOMIC_ACQUIRE);
}

/* See the pages of a mapping, each of which may have been unmapped by itself. */
static void look_at_all(const __u8 *p, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += page_size)
		look_at(p + at);
}

/*
 * Map the present array and move that about, in this process and one that is
 * forked, until it has been cleared away: then it must be gone from each place.
 */
static void move_one(struct moves *m, const struct hmap_control *c, __u8 *places)
{
	unsigned int seen = nr_cleared(m);
	struct hmap_control_array a = present(c);
	size_t bytes = a.bytes, half = bytes / page_size / 2 * page_size;
	__u8 *p, *to = places;
	pid_t pid = 0;

	p = mmap(places, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, m->fd,
		 a.offset);
	OK(p == places);
	for (int i = 0; nr_cleared(m) < seen + 2 && !is_at_end(m); i++) {
		look_at_all(p, bytes);
		to = p == places ? places + bytes : places;
		/* Both halves, so that they are two mappings meanwhile. */
		OK(mremap(p, half, half, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
		OK(mremap(p + half, bytes - half, bytes - half,
			  MREMAP_MAYMOVE | MREMAP_FIXED, to + half) == to + half);
		p = to;
		look_at_all(p, bytes);
		if (i == 3) {
			pid = spawn();
			if (!pid) {
				while (nr_cleared(m) < seen + 2 && !is_at_end(m))
					look_at_all(p, bytes);
				OK(is_at_end(m) || is_gone(p, bytes));
				_exit(0);
			}
		}
	}
	if (!is_at_end(m)) {
		OK(is_gone(p, bytes));
		__atomic_fetch_add(&m->checked, 1, __ATOMIC_RELAXED);
	}
	if (pid)
		join(pid);
	EQ(munmap(p, bytes), 0);
}

static void mover(struct moves *m)
{
	const struct hmap_control *c = control(m->fd);
	__u8 *places = mmap(NULL, 64 << 20, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	OK(places != MAP_FAILED);
	while (!is_at_end(m))
		move_one(m, c, places);
	exit(0);
}

static void gone_wherever_it_moved(void)
{
	struct moves *m = shared(sizeof(*m));
	struct hmap_create arg = u64_to_u64;
	pid_t pids[MOVERS];
	unsigned int i;
	time_t end = time(NULL) + MOVE_MS / 1000;

	arg.hint = 2000;
	m->fd = make(&arg);
	for (i = 0; i < MOVERS; i++) {
		pids[i] = spawn();
		if (!pids[i])
			mover(m);
	}
	while (time(NULL) < end) {
		fill(m->fd, 0, 20);
		EQ(clear(m->fd), 0);
		__atomic_fetch_add(&m->cleared, 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&m->end, true, __ATOMIC_RELEASE);
	for (i = 0; i < MOVERS; i++)
		join(pids[i]);
	printf("# %u clears, %u arrays that were moved\n", m->cleared, m->checked);
	OK(m->checked);
}

/* === Binding and mapping at once === */

struct race {
	int fd;
	bool done;
};

static void *map_early(void *arg)
{
	struct race *r = arg;
	int err;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		err = map_error(r->fd, PROT_READ, MAP_SHARED);
		OK(!err || err == -EBADFD);
	}
	EQ(map_error(r->fd, PROT_READ, MAP_SHARED), 0);
	return NULL;
}

static void mapped_while_bound(void)
{
	int fd = make(&u64_to_u64);

	for (int round = 0; round < 300; round++) {
		struct race r = { .fd = dev(O_RDWR) };
		pthread_t thread;

		EQ(pthread_create(&thread, NULL, map_early, &r), 0);
		EQ(open_fd(r.fd, fd), 0);
		__atomic_store_n(&r.done, true, __ATOMIC_RELEASE);
		EQ(pthread_join(thread, NULL), 0);
		close(r.fd);
	}
	EQ(map_error(fd, PROT_READ, MAP_SHARED), 0);
}

static const struct test tests[] = {
	TEST(only_to_read),
	TEST(not_what_is_no_mapped_map),
	TEST(not_to_write_by_proc),
	TEST(by_another_user),
	TEST(refused_at_creation),
	TEST(layout_is_told),
	TEST(nothing_leaks),
	TEST(read_by_the_rules),
	TEST(gone_when_replaced),
	TEST(no_signal),
	TEST(nothing_is_pinned),
	TEST(looked_for_too_early),
	TEST(passed_on_by_fork),
	TEST(gone_wherever_it_moved),
	TEST(mapped_while_bound),
};

int main(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
