// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz /dev/hmap: threads that share files, maps, names and memory make calls
 * whose arguments come from bytes, and where KCOV tells which parts of the module
 * a call has reached, the bytes that reach new ones are kept to be varied.
 *
 * usage: ioctl CALLS SECONDS [UID]
 *
 * Ends after so many calls, or seconds, and says each minute how far it has got.
 * With UID it gives up its rights.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/hmap.h>
#include <linux/kcov.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS		8		/* some of which wait for a grace period */
#define FILES		12
#define VIEWS		8
#define PAGE		4096UL
#define PAGES		16		/* of memory that is good, most of the time */
#define INPUT		160		/* bytes */
#define CALLS		24		/* that an input is good for, at most */
#define INPUTS		4096		/* that are kept */
#define PCS		65536		/* that are told apart, more or less */
#define COVER		65536		/* that a thread's buffer has room for */

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* What the map of a file was made as, as far as is known. */
struct file {
	_Atomic int fd;
	struct hmap_create made;
};

struct view {
	_Atomic(char *)at;
};

struct thread {
	pthread_t id;
	uint64_t random;
	uint8_t input[INPUT];
	unsigned int at;
	unsigned long *cover;
	int kcov;
};

static struct file files[FILES];
static struct view views[VIEWS];
static char *memory;			/* PAGES, one that is not there, ... */
static char *read_only, *beyond;	/* pages; the latter of a file, behind its end */
static int scratch;			/* a file that pages are written to */
static _Atomic unsigned long calls, answers;
static unsigned long max_calls;
static time_t deadline;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t inputs[INPUTS][INPUT];	/* under lock */
static unsigned int nr_inputs;
static _Atomic unsigned int nr_pcs;
static _Atomic unsigned char seen[PCS];

/* === Bytes === */

static uint64_t rnd(struct thread *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

static uint8_t next(struct thread *t)
{
	return t->at < INPUT ? t->input[t->at++] : 0;
}

static uint32_t next32(struct thread *t)
{
	uint32_t value = 0;
	int i;

	for (i = 0; i < 4; i++)
		value = value << 8 | next(t);
	return value;
}

/* Most often a small number; else one of those that things go wrong at. */
static uint64_t number(struct thread *t, uint64_t usual)
{
	uint8_t byte = next(t);

	if (byte < 240)
		return usual;
	switch (byte) {
	case 240 ... 243: return next(t);
	case 244: return UINT32_MAX;
	case 245: return UINT64_MAX;
	case 246: return 1ULL << next(t) % 64;
	case 247: return (1ULL << next(t) % 64) - 1;
	case 248: return usual + 1;
	case 249: return usual - 1;
	case 250: return 0;
	default: return next32(t);
	}
}

static uint64_t pointer(struct thread *t)
{
	uint8_t byte = next(t);
	char *view;

	switch (byte) {
	case 215: return (uintptr_t)read_only + next(t);
	case 216 ... 219: return (uintptr_t)memory + PAGES * PAGE - next(t);
	case 220: return (uintptr_t)beyond - next(t);
	case 221 ... 228:
		view = views[byte % VIEWS].at;
		return (uintptr_t)view + (view ? next(t) * 64 : 0);
	case 240: return 0;
	case 241: return 1ULL << 63 | next32(t);
	case 242: return 0xffffffff81000000ULL + next32(t);
	case 243: return UINT64_MAX - next(t);
	case 244: return 1ULL << 47;
	default: return (uintptr_t)memory + byte * 8 + (next(t) & 3) * 2048;
	}
}

static void name(struct thread *t, char *name)
{
	static const char * const names[] = { "", "", "a", "b", "c", "a.map" };
	uint8_t byte = next(t);

	memset(name, 0, HMAP_NAME_LEN);
	if (byte < 250)
		strcpy(name, names[byte % ARRAY_SIZE(names)]);
	else
		memset(name, byte, next(t) % (HMAP_NAME_LEN + 1));
}

/* === Calls === */

/* The same call of other versions, too, with fields that are not known today. */
static int call(struct thread *t, struct file *file, unsigned long cmd,
		void *arg, size_t size)
{
	uint8_t odd = next(t), byte;
	char more[1024] = { 0 };
	int ret;

	memcpy(more, arg, size);
	if (odd >= 248) {
		byte = next(t);
		cmd = _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd) + (odd == 255),
			   (size + (int8_t)byte * 8) & _IOC_SIZEMASK);
		if (odd & 1)
			more[size] = next(t);
	}
	if (odd == 247)
		ret = ioctl(file->fd, cmd, (void *)(uintptr_t)pointer(t));
	else
		ret = ioctl(file->fd, cmd, more);
	memcpy(arg, more, size);
	answers += !ret;
	return ret;
}

#define CALL(t, file, cmd, arg)	call(t, file, cmd, arg, sizeof(*(arg)))

static const uint32_t elems[] = { 0, 1, 4, 8, 8, 8, 24, 128, 129, 300, 65536 };
static const uint16_t keys[] = { 1, 3, 4, 8, 16, 24, 64, 128, 129, 512 };

/*
 * The last map of a bucket size takes the size's slab cache with it, which with
 * KASAN takes longer than thousands of calls: have a map of each stay.
 */
static void keep_caches(void)
{
	struct hmap_create c = { .key_kind = HMAP_KIND_BYTES };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys) * ARRAY_SIZE(elems); i++) {
		c.key_size = keys[i / ARRAY_SIZE(elems)];
		c.elem_size = elems[i % ARRAY_SIZE(elems)];
		ioctl(open("/dev/hmap", O_RDWR), HMAP_IOC_CREATE, &c);
	}
}

static bool make(struct thread *t, struct file *file)
{
	static const uint32_t flags[] = {
		0, 0, HMAP_CREATE_OR_OPEN, HMAP_CREATE_OR_OPEN,
		HMAP_CREATE_VAR_ELEM, HMAP_CREATE_MAPPED, HMAP_CREATE_MAPPED,
		HMAP_CREATE_MAPPED | HMAP_CREATE_OR_OPEN,
		HMAP_CREATE_MAPPED | HMAP_CREATE_VAR_ELEM,
	};
	static const uint16_t hints[] = { 0, 0, 0, 1, 9, 100, 600 };
	struct hmap_create c = {
		.key_kind = next(t) % 4,
		.elem_size = elems[next(t) % ARRAY_SIZE(elems)],
		.flags = flags[next(t) % ARRAY_SIZE(flags)],
		.mode = next(t) & 3 ? 0666 : next(t) * 2,
		.hint = hints[next(t) % ARRAY_SIZE(hints)],
	};

	c.key_size = c.key_kind < 2 ? 4 << c.key_kind :
				      keys[next(t) % ARRAY_SIZE(keys)];
	if (c.key_kind == HMAP_KIND_STRING && !(c.flags & HMAP_CREATE_MAPPED))
		c.key_size = 0;
	c.key_kind = number(t, c.key_kind);
	c.key_size = number(t, c.key_size);
	c.elem_size = number(t, c.elem_size);
	c.flags = number(t, c.flags);
	c.max_entries = number(t, next(t) & 7 ? 0 : next(t));
	c.max_bytes = number(t, next(t) & 7 ? 0 : next(t) << 10);
	if (next(t) == 255)
		c.hint = number(t, 20000);
	name(t, c.name);
	if (CALL(t, file, HMAP_IOC_CREATE, &c))
		return false;
	file->made = c;
	return true;
}

static bool open_map(struct thread *t, struct file *file)
{
	struct file *other = &files[next(t) % FILES];
	struct hmap_open o = { .flags = number(t, next(t) & 1) };
	struct hmap_info info = { };

	if (o.flags & HMAP_OPEN_FD)
		o.fd = number(t, other->fd);
	else
		name(t, o.name);
	if (CALL(t, file, HMAP_IOC_OPEN, &o))
		return false;
	if (!ioctl(file->fd, HMAP_IOC_INFO, &info)) {
		file->made.key_kind = info.key_kind;
		file->made.key_size = info.key_size;
		file->made.elem_size = info.elem_size;
		file->made.flags = info.create_flags;
	}
	return true;
}

static uint32_t key_len(struct thread *t, const struct file *file)
{
	uint32_t len = file->made.key_size;

	if (file->made.key_kind == HMAP_KIND_STRING)
		len = next(t) & 7 ? next(t) % 40 : next32(t) % 4200;
	return number(t, len);
}

static uint32_t elem_len(struct thread *t, const struct file *file)
{
	uint32_t len = file->made.elem_size;

	if (file->made.flags & HMAP_CREATE_VAR_ELEM)
		len = next32(t) % (len + 1ULL);
	return number(t, len);
}

static void entry(struct thread *t, struct file *file, unsigned long cmd)
{
	struct hmap_entry e = {
		.key = pointer(t),
		.key_len = key_len(t, file),
	};

	if (cmd != HMAP_IOC_DELETE) {
		e.elem = pointer(t);
		e.elem_len = elem_len(t, file);
	}
	if (cmd == HMAP_IOC_INSERT)
		e.flags = next(t) % 3;
	e.flags = number(t, e.flags);
	e.reserved = number(t, 0);
	CALL(t, file, cmd, &e);
}

static void update(struct thread *t, struct file *file)
{
	struct hmap_update u = {
		.key = pointer(t),
		.key_len = key_len(t, file),
		.op = number(t, next(t) % 4),
		.flags = number(t, next(t) % 3),
	};

	if (u.op != HMAP_UPDATE_TAKE) {
		u.elem = pointer(t);
		u.elem_len = elem_len(t, file);
	}
	if (u.op == HMAP_UPDATE_CMPXCHG) {
		u.flags = 0;
		u.expect = pointer(t);
		u.expect_len = elem_len(t, file);
	}
	if (next(t) & 1) {
		u.old = pointer(t);
		u.old_len = elem_len(t, file);
	}
	CALL(t, file, HMAP_IOC_UPDATE, &u);
}

static void batch(struct thread *t, struct file *file, unsigned long cmd)
{
	bool varies = file->made.flags & HMAP_CREATE_VAR_ELEM;
	struct hmap_batch b = {
		.keys = pointer(t),
		.results = pointer(t),
		.count = number(t, next(t)),
	};

	if (file->made.key_kind == HMAP_KIND_STRING)
		b.key_lens = pointer(t);
	if (cmd != HMAP_IOC_DELETE_BATCH) {
		b.elems = pointer(t);
		b.elem_lens = varies ? pointer(t) : 0;
	}
	if (cmd == HMAP_IOC_LOOKUP_BATCH && varies)
		b.room = number(t, next(t) * 64);
	if (cmd == HMAP_IOC_INSERT_BATCH)
		b.flags = number(t, next(t) % 3);
	CALL(t, file, cmd, &b);
}

/* To the end, or a few steps, or from anywhere. */
static void walk(struct thread *t, struct file *file)
{
	struct hmap_next n = { .flags = number(t, 0) };
	unsigned int steps = next(t) % 4;
	struct hmap_info info = { };

	if (next(t) >= 200 && !ioctl(file->fd, HMAP_IOC_INFO, &info)) {
		n.cursor[0] = info.epoch;
		n.cursor[1] = (uint64_t)next(t) << 8 | next(t) % 12;
		n.cursor[2] = number(t, (uint64_t)next32(t) << 32);
	}
	do {
		n.buf = pointer(t);
		n.len = number(t, next(t) * 32);
	} while (!CALL(t, file, HMAP_IOC_NEXT, &n) && n.count && steps--);
}

static void set(struct thread *t, struct file *file)
{
	struct hmap_set s = { .flags = number(t, 1 << next(t) % 6) };

	if (s.flags & HMAP_SET_MODE)
		s.mode = number(t, next(t) * 2);
	if (s.flags & HMAP_SET_UID)
		s.uid = number(t, geteuid());
	if (s.flags & HMAP_SET_GID)
		s.gid = number(t, getegid());
	if (s.flags & HMAP_SET_MAX_ENTRIES)
		s.max_entries = number(t, next(t));
	if (s.flags & HMAP_SET_MAX_BYTES)
		s.max_bytes = number(t, next(t) << 12);
	if (s.flags & HMAP_SET_NAME)
		name(t, s.name);
	CALL(t, file, HMAP_IOC_SET, &s);
}

static void rest(struct thread *t, struct file *file, unsigned int nr)
{
	struct hmap_explain x = { .key = pointer(t), .chain = pointer(t) };
	struct hmap_info i = { .after = number(t, 0) };
	struct hmap_clear c = { .flags = number(t, 0) };
	struct hmap_unlink u;

	switch (nr) {
	case 0:
		CALL(t, file, HMAP_IOC_CLEAR, &c);
		break;
	case 1 ... 8:
		name(t, u.name);
		CALL(t, file, HMAP_IOC_UNLINK, &u);
		break;
	case 9 ... 31:
		x.key_len = key_len(t, file);
		x.room = number(t, next(t));
		CALL(t, file, HMAP_IOC_EXPLAIN, &x);
		break;
	default:
		CALL(t, file, HMAP_IOC_INFO, &i);
	}
}

/* === Files and memory === */

static void swap_file(struct file *file, int fd)
{
	int old = atomic_exchange(&file->fd, fd);

	if (old >= 0)
		close(old);
}

/* Few files stay without a map, since most calls on such a one just fail. */
static void new_file(struct thread *t, struct file *file,
		     bool (*bind)(struct thread *t, struct file *file))
{
	static const int modes[] = { O_RDONLY, O_WRONLY, 3 };
	uint8_t byte = next(t);
	struct file new = {
		.fd = open("/dev/hmap", byte < 224 ? O_RDWR :
					modes[byte % ARRAY_SIZE(modes)]),
	};

	if (!bind(t, &new) && next(t) < 240) {
		swap_file(&new, -1);
		return;
	}
	file->made = new.made;
	swap_file(file, new.fd);
}

static void dup_file(struct thread *t, struct file *file)
{
	struct file *other = &files[next(t) % FILES];
	int fd = dup(other->fd);

	if (fd < 0)
		return;
	file->made = other->made;
	swap_file(file, fd);
}

static void put_view(struct view *view, char *at)
{
	char *old = atomic_exchange(&view->at, at);

	if (old)
		munmap(old, 2 * PAGE);
}

/* A view is two pages, and what of it is there is written to a file. */
static void view(struct thread *t, struct file *file)
{
	struct view *view = &views[next(t) % VIEWS];
	uint8_t byte = next(t);
	char *at;

	if (byte < 100) {
		if (pwrite(scratch, view->at, 2 * PAGE, 0) > 0)
			answers++;
		return;
	}
	at = mmap(NULL, 2 * PAGE, byte < 250 ? PROT_READ : byte % 8,
		  byte & 1 ? MAP_SHARED : MAP_PRIVATE, file->fd,
		  number(t, next(t) & 1 ? 0 : next(t) * PAGE) & ~(PAGE - 1));
	put_view(view, at == MAP_FAILED ? NULL : at);
}

static void spoil_memory(struct thread *t)
{
	char *at = memory + next(t) % PAGES * PAGE;

	switch (next(t) % 8) {
	case 0:
		madvise(at, PAGE, MADV_DONTNEED);
		break;
	case 1:
		mprotect(at, PAGE, PROT_READ);
		break;
	default:
		mprotect(at, PAGE, PROT_READ | PROT_WRITE);
	}
}

static void one_call(struct thread *t, bool child);

static void in_child(struct thread *t)
{
	int status, i;
	pid_t pid;

	if (next(t) < 250)
		return;
	pid = fork();
	if (!pid) {
		alarm(10);
		for (i = 0; i < 8; i++)
			one_call(t, true);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
}

/*
 * What makes or maps something, or changes the address space, is rare: it takes a
 * hundred times as long as a lookup.
 */
static void one_call(struct thread *t, bool child)
{
	struct file *file = &files[next(t) % FILES];
	struct pollfd p = { .fd = file->fd, .events = POLLIN | POLLOUT };

	calls++;
	switch (next(t)) {
	case 0 ... 1:
		new_file(t, file, make);
		break;
	case 2 ... 5:
		new_file(t, file, open_map);
		break;
	case 6:
		if (next(t) < 64)
			swap_file(file, -1);
		break;
	case 7 ... 9:
		dup_file(t, file);
		break;
	case 10 ... 13:
		open_map(t, file);
		break;
	case 14:
		make(t, file);
		break;
	case 15 ... 16:
		view(t, file);
		break;
	case 17:
		spoil_memory(t);
		break;
	case 18:
		if (!child)
			in_child(t);
		break;
	case 19 ... 22:
		poll(&p, 1, 0);
		if (read(file->fd, memory, next(t)) < 0 &&
		    write(file->fd, memory, next(t)) < 0)
			lseek(file->fd, next32(t), SEEK_SET);
		break;
	case 23 ... 27:
		ioctl(file->fd, _IOC(next(t) % 4, 0xBA, next(t), next(t)), pointer(t));
		break;
	case 28 ... 39:
		rest(t, file, next(t) % 64);
		break;
	case 40 ... 45:
		set(t, file);
		break;
	case 46 ... 57:
		walk(t, file);
		break;
	case 58 ... 63:
		batch(t, file, HMAP_IOC_INSERT_BATCH);
		break;
	case 64 ... 69:
		batch(t, file, HMAP_IOC_LOOKUP_BATCH);
		break;
	case 70 ... 75:
		batch(t, file, HMAP_IOC_DELETE_BATCH);
		break;
	case 76 ... 119:
		update(t, file);
		break;
	case 120 ... 147:
		entry(t, file, HMAP_IOC_DELETE);
		break;
	case 148 ... 191:
		entry(t, file, HMAP_IOC_LOOKUP);
		break;
	default:
		entry(t, file, HMAP_IOC_INSERT);
	}
}

/* === The loop === */

static void choose(struct thread *t)
{
	unsigned int i, n = 1 + rnd(t) % 8;

	for (i = 0; i < INPUT; i++)
		t->input[i] = rnd(t) >> 32;
	pthread_mutex_lock(&lock);
	if (nr_inputs && rnd(t) % 8)
		memcpy(t->input, inputs[rnd(t) % nr_inputs], INPUT);
	if (nr_inputs && !(rnd(t) % 4)) {
		i = rnd(t) % INPUT;
		memcpy(t->input + i, inputs[rnd(t) % nr_inputs] + i, INPUT - i);
	}
	pthread_mutex_unlock(&lock);
	while (n--)
		t->input[rnd(t) % INPUT] = rnd(t) >> 32;
	t->at = 0;
}

static void keep(struct thread *t)
{
	pthread_mutex_lock(&lock);
	memcpy(inputs[nr_inputs < INPUTS ? nr_inputs++ : rnd(t) % INPUTS],
	       t->input, INPUT);
	pthread_mutex_unlock(&lock);
}

static bool reached_new(struct thread *t)
{
	unsigned long i, n = __atomic_load_n(&t->cover[0], __ATOMIC_RELAXED);
	unsigned int new = 0;

	for (i = 1; i <= n; i++) {
		if (!seen[t->cover[i] % PCS]) {
			seen[t->cover[i] % PCS] = 1;
			new++;
		}
	}
	nr_pcs += new;
	return new;
}

static bool is_over(void)
{
	return calls >= max_calls || time(NULL) >= deadline;
}

static void *fuzz(void *arg)
{
	struct thread *t = arg;
	int i;

	if (t->cover && ioctl(t->kcov, KCOV_ENABLE, KCOV_TRACE_PC))
		t->cover = NULL;
	while (!is_over()) {
		choose(t);
		if (t->cover)
			__atomic_store_n(&t->cover[0], 0, __ATOMIC_RELAXED);
		for (i = 0; i < CALLS && t->at < INPUT; i++)
			one_call(t, false);
		if (t->cover && reached_new(t))
			keep(t);
	}
	return NULL;
}

static void open_kcov(struct thread *t)
{
	t->kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (t->kcov < 0 || ioctl(t->kcov, KCOV_INIT_TRACE, COVER))
		return;
	t->cover = mmap(NULL, COVER * sizeof(*t->cover), PROT_READ | PROT_WRITE,
			MAP_SHARED, t->kcov, 0);
	if (t->cover == MAP_FAILED)
		t->cover = NULL;
}

/* Keys that meet, and lengths that are good enough for batches. */
static void fill_memory(void)
{
	unsigned int i;

	memory = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < PAGES * PAGE / 4; i++)
		((uint32_t *)memory)[i] = i % 2 ? 0 : i / 2 % 64;
	mprotect(memory + PAGES * PAGE, PAGE, PROT_NONE);
	read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	scratch = memfd_create("scratch", MFD_CLOEXEC);
	if (ftruncate(scratch, 2 * PAGE))
		exit(1);
	beyond = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, scratch, 0);
	beyond += 2 * PAGE;
}

static void forget_maps(void)
{
	static const char * const names[] = { "a", "b", "c", "a.map" };
	int fd = open("/dev/hmap", O_RDWR);
	struct hmap_unlink u = { };
	unsigned int i;

	for (i = 0; i < FILES; i++)
		swap_file(&files[i], -1);
	for (i = 0; i < VIEWS; i++)
		put_view(&views[i], NULL);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		strcpy(u.name, names[i]);
		ioctl(fd, HMAP_IOC_UNLINK, &u);
		memset(u.name, 0, sizeof(u.name));
	}
	close(fd);
}

static void report(void)
{
	printf("%lu calls, %lu did something, %u inputs kept, %u PCs\n", calls,
	       answers, nr_inputs, nr_pcs);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct thread threads[THREADS];
	int i;

	if (argc < 3)
		return 2;
	max_calls = strtoul(argv[1], NULL, 0);
	deadline = time(NULL) + atoi(argv[2]);
	for (i = 0; i < THREADS; i++)
		open_kcov(&threads[i]);
	keep_caches();
	if (argc > 3 && (setgid(atoi(argv[3])) || setuid(atoi(argv[3]))))
		return 1;
	fill_memory();
	for (i = 0; i < FILES; i++)
		files[i].fd = -1;
	for (i = 0; i < THREADS; i++) {
		threads[i].random = 88172645463325252 * (i + 1) + time(NULL);
		pthread_create(&threads[i].id, NULL, fuzz, &threads[i]);
	}
	for (i = 1; !is_over(); i++) {
		sleep(1);
		if (i % 60 == 0)
			report();
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	forget_maps();
	report();
	return 0;
}
