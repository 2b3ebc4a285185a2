// SPDX-License-Identifier: GPL-2.0
/* Batches do what single calls do, and say how far they got if they fail. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "device.h"

#define KEY_MAX		4096
#define ELEM_MAX	HMAP_ELEM_SIZE_MAX
#define ABSENT		(~0U)

static const struct hmap_create shapes[] = {
	{ .key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = 4 },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 8 },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8 },
	{ .key_kind = HMAP_KIND_BYTES, .key_size = 5, .elem_size = 128 },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 129 },
	{ .key_kind = HMAP_KIND_BYTES, .key_size = 512, .elem_size = 3 },
	{ .key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = ELEM_MAX },
	{ .key_kind = HMAP_KIND_STRING, .elem_size = 8 },
	{ .key_kind = HMAP_KIND_STRING, .elem_size = 3000,
	  .flags = HMAP_CREATE_VAR_ELEM },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = ELEM_MAX,
	  .flags = HMAP_CREATE_VAR_ELEM },
};

static const unsigned long cmds[] = {
	HMAP_IOC_INSERT_BATCH, HMAP_IOC_LOOKUP_BATCH, HMAP_IOC_DELETE_BATCH
};

static bool is_string(const struct hmap_create *shape)
{
	return shape->key_kind == HMAP_KIND_STRING;
}

static bool is_var(const struct hmap_create *shape)
{
	return shape->flags & HMAP_CREATE_VAR_ELEM;
}

/* === Keys and elems, by number === */

static __u32 key_len(const struct hmap_create *shape, __u32 nr)
{
	if (!is_string(shape))
		return shape->key_size;
	return nr == 0 ? 0 : nr % 64 == 63 ? KEY_MAX : 4 + nr % 61;
}

static __u32 elem_len(const struct hmap_create *shape, __u32 nr)
{
	if (nr == ABSENT)
		return is_var(shape) ? 0 : shape->elem_size;
	if (!is_var(shape))
		return shape->elem_size;
	return nr % 16 == 0 ? 0 : nr % 64 == 5 ? shape->elem_size : nr * 37 % 300;
}

static void fill(__u8 *to, __u32 len, __u32 nr)
{
	memset(to, nr, len);
	memcpy(to, &nr, len < sizeof(nr) ? len : sizeof(nr));
}

/* What LOOKUP returns for the elem with number @nr, or for ABSENT. */
static void fill_elem(__u8 *to, __u32 len, __u32 nr)
{
	if (nr == ABSENT)
		memset(to, 0, len);
	else
		fill(to, len, nr + 1000);
}

/* === Columns === */

#define COLUMN_MAX	30000U	/* entries */

enum column {
	KEYS,
	KEY_LENS,
	ELEMS,
	ELEM_LENS,
	RESULTS,
	NR_COLUMNS,
};

/* Entries by the numbers of their keys and elems, and the batch for them. */
struct many {
	const struct hmap_create *shape;
	__u32 n;
	__u32 key[COLUMN_MAX];
	__u32 elem[COLUMN_MAX];
	void *column[NR_COLUMNS];
	size_t size[NR_COLUMNS];
	struct hmap_batch arg;
};

/* The bytes that entry @i takes in a column */
static __u32 width(const struct many *m, enum column c, __u32 i)
{
	switch (c) {
	case KEYS:
		return key_len(m->shape, m->key[i]);
	case ELEMS:
		return elem_len(m->shape, m->elem[i]);
	case KEY_LENS:
		return is_string(m->shape) ? 4 : 0;
	case ELEM_LENS:
		return is_var(m->shape) ? 4 : 0;
	default:
		return 4;
	}
}

static size_t place(const struct many *m, enum column c, __u32 i)
{
	size_t at = 0;

	if (!is_string(m->shape) && !is_var(m->shape))
		return (size_t)i * width(m, c, 0);
	while (i--)
		at += width(m, c, i);
	return at;
}

/* Fill columns as the kernel expects them, or as it should have written them. */
static void fill_columns(struct many *m, __u8 *to[NR_COLUMNS])
{
	__u8 *at[NR_COLUMNS];

	memcpy(at, to, sizeof(at));
	for (__u32 i = 0; i < m->n; i++) {
		__u32 len[NR_COLUMNS];

		for (int c = 0; c < NR_COLUMNS; c++)
			len[c] = width(m, c, i);
		fill(at[KEYS], len[KEYS], m->key[i]);
		memcpy(at[KEY_LENS], &len[KEYS], len[KEY_LENS]);
		fill_elem(at[ELEMS], len[ELEMS], m->elem[i]);
		memcpy(at[ELEM_LENS], &len[ELEMS], len[ELEM_LENS]);
		for (int c = 0; c < NR_COLUMNS; c++)
			at[c] += len[c];
	}
}

static void free_columns(struct many *m)
{
	for (int c = 0; c < NR_COLUMNS; c++)
		free(m->column[c]);
}

/* Make the columns for the entries in @m->key and @m->elem. */
static void prepare(struct many *m, const struct hmap_create *shape, __u32 n)
{
	m->shape = shape;
	m->n = n;
	for (int c = 0; c < NR_COLUMNS; c++) {
		m->size[c] = place(m, c, n);
		m->column[c] = malloc(m->size[c] + 1);
		OK(m->column[c]);
		memset(m->column[c], 0x5a, m->size[c] + 1);
	}
	fill_columns(m, (__u8 **)m->column);
	memset(m->column[RESULTS], 0x5a, m->size[RESULTS]);
}

/* Entries @from and on, key i with elem i. */
static void prepare_range(struct many *m, const struct hmap_create *shape,
			  __u32 from, __u32 n)
{
	for (__u32 i = 0; i < n; i++) {
		m->key[i] = from + i;
		m->elem[i] = from + i;
	}
	prepare(m, shape, n);
}

static __u64 column_address(const struct many *m, enum column c, bool used)
{
	return used ? (uintptr_t)m->column[c] : 0;
}

static void set_arg(struct many *m, unsigned long cmd, __u32 flags)
{
	bool var = is_var(m->shape) && cmd != HMAP_IOC_DELETE_BATCH;

	m->arg = (struct hmap_batch) {
		.keys = column_address(m, KEYS, true),
		.key_lens = column_address(m, KEY_LENS, is_string(m->shape)),
		.elems = column_address(m, ELEMS, cmd != HMAP_IOC_DELETE_BATCH),
		.elem_lens = column_address(m, ELEM_LENS, var),
		.results = column_address(m, RESULTS, true),
		.room = var && cmd == HMAP_IOC_LOOKUP_BATCH ? m->size[ELEMS] : 0,
		.count = m->n,
		.flags = flags,
	};
}

static int run(struct many *m, int fd, unsigned long cmd, __u32 flags)
{
	set_arg(m, cmd, flags);
	return call(fd, cmd, &m->arg);
}

static __s32 result(const struct many *m, __u32 i)
{
	return ((__s32 *)m->column[RESULTS])[i];
}

/* Look up all of them: each elem must be the one that @m says. */
static void check_lookup(struct many *m, int fd)
{
	__u8 *want[NR_COLUMNS];

	for (int c = 0; c < NR_COLUMNS; c++) {
		want[c] = malloc(m->size[c] + 1);
		OK(want[c]);
	}
	fill_columns(m, want);
	memset(m->column[ELEMS], 0x5a, m->size[ELEMS]);
	memset(m->column[ELEM_LENS], 0x5a, m->size[ELEM_LENS]);
	memset(m->column[RESULTS], 0x5a, m->size[RESULTS]);
	EQ(run(m, fd, HMAP_IOC_LOOKUP_BATCH, 0), 0);
	EQ(m->arg.count, m->n);
	EQ(m->arg.room, 0);
	for (__u32 i = 0; i < m->n; i++)
		EQ(result(m, i), m->elem[i] == ABSENT ? -ENOENT : 0);
	SAME_BYTES(m->column[ELEMS], want[ELEMS], m->size[ELEMS]);
	SAME_BYTES(m->column[ELEM_LENS], want[ELEM_LENS], m->size[ELEM_LENS]);
	for (int c = 0; c < NR_COLUMNS; c++) {
		EQ(((__u8 *)m->column[c])[m->size[c]], 0x5a);
		free(want[c]);
	}
}

/* === What they do === */

static int insert_one(int fd, const struct hmap_create *shape, __u32 key,
		      __u32 elem, __u32 flags)
{
	static __u8 key_bytes[KEY_MAX], elem_bytes[ELEM_MAX];

	fill(key_bytes, key_len(shape, key), key);
	fill_elem(elem_bytes, elem_len(shape, elem), elem);
	return insert(fd, key_bytes, key_len(shape, key), elem_bytes,
		      elem_len(shape, elem), flags);
}

static int delete_one(int fd, const struct hmap_create *shape, __u32 key)
{
	static __u8 bytes[KEY_MAX];

	fill(bytes, key_len(shape, key), key);
	return delete(fd, bytes, key_len(shape, key));
}

/* Check that the key has the elem with number @elem, or none if that is ABSENT. */
static void check_one(int fd, const struct hmap_create *shape, __u32 key,
		      __u32 elem)
{
	static __u8 key_bytes[KEY_MAX], got[ELEM_MAX], want[ELEM_MAX];
	__u32 len = shape->elem_size;
	int err;

	fill(key_bytes, key_len(shape, key), key);
	err = lookup(fd, key_bytes, key_len(shape, key), got, &len);
	EQ(err, elem == ABSENT ? -ENOENT : 0);
	if (err)
		return;
	EQ(len, elem_len(shape, elem));
	fill_elem(want, len, elem);
	SAME_BYTES(got, want, len);
}

/* Insert into an empty map, look up, and delete again. */
static void try_many(struct many *m, const struct hmap_create *shape, __u32 n)
{
	int fd = make(shape);

	prepare_range(m, shape, 0, n);
	EQ(run(m, fd, HMAP_IOC_INSERT_BATCH, HMAP_INSERT_NOEXIST), 0);
	EQ(m->arg.count, n);
	for (__u32 i = 0; i < n; i++)
		EQ(result(m, i), 0);
	EQ(info(fd).count, n);
	for (__u32 i = 0; i < n; i += 1 + n / 1000)
		check_one(fd, shape, i, i);
	check_lookup(m, fd);
	free_columns(m);

	/* Backwards, with absent keys in between */
	for (__u32 i = 0; i < n; i++) {
		m->key[i] = i % 4 ? n - 1 - i : n + i;
		m->elem[i] = i % 4 ? n - 1 - i : ABSENT;
	}
	prepare(m, shape, n);
	check_lookup(m, fd);
	EQ(run(m, fd, HMAP_IOC_DELETE_BATCH, 0), 0);
	EQ(m->arg.count, n);
	for (__u32 i = 0; i < n; i++)
		EQ(result(m, i), i % 4 ? 0 : -ENOENT);
	EQ(info(fd).count, (n + 3) / 4);
	for (__u32 i = 0; i < n; i++)
		m->elem[i] = ABSENT;
	free_columns(m);
	prepare(m, shape, n);
	check_lookup(m, fd);
	free_columns(m);
	close(fd);
}

static void all_kinds(void)
{
	static const __u32 sizes[] = { 0, 1, 63, 64, 65, 1000 };
	static struct many m;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			trying("shape %zu, %u entries", s, sizes[i]);
			/* No more than 8 MiB */
			if (!is_var(&shapes[s]) &&
			    sizes[i] * shapes[s].elem_size > 1U << 23)
				continue;
			try_many(&m, &shapes[s], sizes[i]);
		}
	}
}

static void very_many(void)
{
	static struct many m;

	try_many(&m, &shapes[1], COLUMN_MAX);
}

/* An empty batch does not look at any address. */
static void none(void)
{
	int fd = make(&shapes[8]);

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		struct hmap_batch arg = { 0 };

		EQ(call(fd, cmds[i], &arg), 0);
		EQ(arg.count, 0);
	}
}

/*
 * Do the same on two maps, on one by single calls and on the other in batches.
 * There are few keys, so that many exist already or come twice in a batch, and
 * the map is full at times.
 */
static void same_as_single_calls(void)
{
	static struct many m;
	__u32 seen[3] = { 0 };

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		struct hmap_create shape = shapes[s];
		int single, batched;
		struct contents c;

		shape.max_entries = 120;
		single = make(&shape);
		batched = make(&shape);
		for (int round = 0; round < 15; round++) {
			bool inserts = random_u32() % 3;
			__u32 n = random_u32() % 130;
			__u32 flags = inserts ? random_u32() % 3 : 0;

			trying("shape %zu, round %d", s, round);
			for (__u32 i = 0; i < n; i++) {
				m.key[i] = random_u32() % 200;
				m.elem[i] = random_u32() % 1000;
			}
			prepare(&m, &shape, n);
			EQ(run(&m, batched, inserts ? HMAP_IOC_INSERT_BATCH :
						      HMAP_IOC_DELETE_BATCH,
			       flags), 0);
			EQ(m.arg.count, n);
			for (__u32 i = 0; i < n; i++) {
				int err = inserts ?
					insert_one(single, &shape, m.key[i],
						   m.elem[i], flags) :
					delete_one(single, &shape, m.key[i]);

				EQ(result(&m, i), err);
				seen[0] += err == -EEXIST;
				seen[1] += err == -ENOENT;
				seen[2] += err == -ENOSPC;
			}
			free_columns(&m);
			c = contents(single);
			same_contents(__FILE__, __LINE__, batched, &c);
		}
		close(single);
		close(batched);
	}
	OK(seen[0] && seen[1] && seen[2]);
}

/* === How far they get === */

/* Let the column end at an unmapped page, in the middle of entry @at. */
static void cut(struct many *m, enum column c, __u32 at)
{
	size_t len = place(m, c, at) + width(m, c, at) - 1;
	__u8 *p = edge(len);

	memcpy(p, m->column[c], len);
	free(m->column[c]);
	m->column[c] = p;
}

/* Check how far a batch got, on keys that were all absent, or all present. */
static void check_got_to(struct many *m, int fd, unsigned long cmd, __u32 done)
{
	if (cmd == HMAP_IOC_LOOKUP_BATCH)
		return;
	for (__u32 i = 0; i < m->n; i++) {
		bool there = cmd == HMAP_IOC_INSERT_BATCH ? i < done :
							    i >= done;

		check_one(fd, m->shape, m->key[i],
			  there ? m->elem[i] : ABSENT);
	}
}

/* Check the first @done entries of a LOOKUP, and the room that is left. */
static void check_looked_up(struct many *m, int fd, __u32 done)
{
	__u8 *at = m->column[ELEMS], want[3000];
	__u64 room = is_var(m->shape) ? m->size[ELEMS] : 0;

	for (__u32 i = 0; i < done; i++) {
		__u32 len = elem_len(m->shape, m->elem[i]);

		fill_elem(want, len, m->elem[i]);
		SAME_BYTES(at, want, len);
		EQ(result(m, i), 0);
		if (is_var(m->shape)) {
			EQ(((__u32 *)m->column[ELEM_LENS])[i], len);
			room -= len;
		}
		at += len;
	}
	EQ(m->arg.room, room);
	EQ(info(fd).lookups, done);
}

static void fault_at(struct many *m, const struct hmap_create *shape,
		     unsigned long cmd, enum column c, __u32 at)
{
	int fd = make(shape);

	prepare_range(m, shape, 0, 70);
	if (cmd != HMAP_IOC_INSERT_BATCH)
		EQ(run(m, fd, HMAP_IOC_INSERT_BATCH, HMAP_INSERT_NOEXIST), 0);
	memset(m->column[RESULTS], 0x5a, m->size[RESULTS]);
	if (cmd == HMAP_IOC_LOOKUP_BATCH)
		memset(m->column[ELEMS], 0x5a, m->size[ELEMS]);
	cut(m, c, at);
	EQ(run(m, fd, cmd, 0), -EFAULT);
	EQ(m->arg.count, at);
	check_got_to(m, fd, cmd, at);
	if (cmd == HMAP_IOC_LOOKUP_BATCH)
		check_looked_up(m, fd, at);
	m->column[c] = NULL;
	free_columns(m);
	close(fd);
}

static void faults(void)
{
	static const struct hmap_create *const some[] = {
		&shapes[1], &shapes[3], &shapes[4], &shapes[7], &shapes[8],
	};
	static const __u32 places[] = { 1, 63, 66 };
	static struct many m;

	for (size_t s = 0; s < ARRAY_SIZE(some); s++) {
		for (int i = 0; i < 3 * NR_COLUMNS; i++) {
			unsigned long cmd = cmds[i / NR_COLUMNS];
			enum column c = i % NR_COLUMNS;

			if (cmd == HMAP_IOC_DELETE_BATCH &&
			    (c == ELEMS || c == ELEM_LENS))
				continue;
			for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
				prepare_range(&m, some[s], 0, places[p] + 1);
				free_columns(&m);
				if (!width(&m, c, places[p]))
					continue;
				trying("some[%zu], cmds[%d], column %d at %u",
				       s, i / NR_COLUMNS, c, places[p]);
				fault_at(&m, some[s], cmd, c, places[p]);
			}
		}
	}
}

/* No column at all, and an argument that count cannot be written to */
static void nothing_done(void)
{
	static struct many m;
	int fd;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		fd = make(&shapes[s]);
		prepare_range(&m, &shapes[s], 0, 20);
		EQ(run(&m, fd, HMAP_IOC_INSERT_BATCH, 0), 0);
		for (__u32 i = 0; i < m.n; i += 2)
			EQ(delete_one(fd, &shapes[s], i), 0);
		for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
			trying("shape %zu, cmds[%zu]", s, i);
			set_arg(&m, cmds[i], 0);
			m.arg.keys = 0;
			m.arg.key_lens = 0;
			REFUSED(fd, call(fd, cmds[i], &m.arg), EFAULT);
			EQ(m.arg.count, 0);
			set_arg(&m, cmds[i], 0);
			m.arg.results = (uintptr_t)KERNEL_MEMORY;
			REFUSED(fd, call(fd, cmds[i], &m.arg), EFAULT);
			EQ(m.arg.count, 0);
			set_arg(&m, cmds[i], 0);
			REFUSED(fd, call(fd, cmds[i],
					 readonly(&m.arg, sizeof(m.arg))),
				EFAULT);
		}
		free_columns(&m);
		close(fd);
	}
}

/* A length that is too large ends the batch there. */
static void too_long(void)
{
	static const __u32 places[] = { 0, 1, 63, 64, 65 };
	const struct hmap_create *shape = &shapes[8];
	static struct many m;

	for (size_t i = 0; i < ARRAY_SIZE(places) * 3 * 2; i++) {
		unsigned long cmd = cmds[i / 2 % 3];
		__u32 at = places[i / 6];
		int fd = make(shape);

		trying("cmds[%zu], entry %u", i / 2 % 3, at);
		prepare_range(&m, shape, 0, 100);
		if (cmd != HMAP_IOC_INSERT_BATCH)
			EQ(run(&m, fd, HMAP_IOC_INSERT_BATCH, 0), 0);
		((__u32 *)m.column[KEY_LENS])[at] = i % 2 ? ~0U : KEY_MAX + 1;
		EQ(run(&m, fd, cmd, 0), -EINVAL);
		EQ(m.arg.count, at);
		check_got_to(&m, fd, cmd, at);
		free_columns(&m);
		close(fd);
		if (cmd != HMAP_IOC_INSERT_BATCH)
			continue;
		fd = make(shape);
		prepare_range(&m, shape, 0, 100);
		((__u32 *)m.column[ELEM_LENS])[at] =
			i % 2 ? ~0U : shape->elem_size + 1;
		EQ(run(&m, fd, cmd, 0), -EINVAL);
		EQ(m.arg.count, at);
		check_got_to(&m, fd, cmd, at);
		free_columns(&m);
		close(fd);
	}
}

/* Little room at a time, but as much as the last call has asked for */
static void emsgsize(void)
{
	const struct hmap_create *shape = &shapes[8];
	static struct many m;
	__u32 done = 0, *lens, refused = 0;
	__u64 used = 0, room = 0;
	int fd = make(shape), err;
	__u8 *elems, *want;

	prepare_range(&m, shape, 0, 300);
	EQ(run(&m, fd, HMAP_IOC_INSERT_BATCH, 0), 0);
	want = m.column[ELEMS];
	elems = malloc(m.size[ELEMS] + 1);
	OK(elems);
	m.column[ELEMS] = elems;
	memset(elems, 0x5a, m.size[ELEMS] + 1);
	lens = m.column[ELEM_LENS];
	do {
		memset(lens + done, 0xff, (m.n - done) * sizeof(*lens));
		set_arg(&m, HMAP_IOC_LOOKUP_BATCH, 0);
		m.arg.keys += place(&m, KEYS, done);
		m.arg.key_lens += done * sizeof(*lens);
		m.arg.elems += used;
		m.arg.elem_lens += done * sizeof(*lens);
		m.arg.results += done * sizeof(*lens);
		m.arg.count -= done;
		m.arg.room = room;
		err = call(fd, HMAP_IOC_LOOKUP_BATCH, &m.arg);
		OK(!err || err == -EMSGSIZE);
		done += m.arg.count;
		used += room - m.arg.room;
		EQ(used, place(&m, ELEMS, done));
		EQ(elems[used], 0x5a);
		if (err) {
			EQ(lens[done], width(&m, ELEMS, done));
			OK(lens[done] > m.arg.room);
			room = lens[done] + room / 4;
			refused++;
		}
	} while (err);
	EQ(done, m.n);
	OK(refused > 10);
	SAME_BYTES(elems, want, m.size[ELEMS]);
	for (__u32 i = 0; i < m.n; i++) {
		EQ(result(&m, i), 0);
		EQ(lens[i], width(&m, ELEMS, i));
	}
}

static void einval(void)
{
	static struct many m;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		int fd = make(&shapes[s]);

		prepare_range(&m, &shapes[s], 0, 10);
		EQ(run(&m, fd, HMAP_IOC_INSERT_BATCH, 0), 0);
		for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
			unsigned long cmd = cmds[i];
			bool insert = cmd == HMAP_IOC_INSERT_BATCH;

			trying("shape %zu, cmds[%zu]", s, i);
			set_arg(&m, cmd, insert ? HMAP_INSERT_EXIST + 1 : 1);
			REFUSED(fd, call(fd, cmd, &m.arg), EINVAL);
			set_arg(&m, cmd, 1U << 31);
			REFUSED(fd, call(fd, cmd, &m.arg), EINVAL);
			set_arg(&m, cmd, 0);
			m.arg.key_lens = (uintptr_t)m.column[RESULTS];
			if (!is_string(&shapes[s]))
				REFUSED(fd, call(fd, cmd, &m.arg), EINVAL);
			set_arg(&m, cmd, 0);
			m.arg.elem_lens = (uintptr_t)m.column[ELEM_LENS];
			if (!is_var(&shapes[s]) || cmd == HMAP_IOC_DELETE_BATCH)
				REFUSED(fd, call(fd, cmd, &m.arg), EINVAL);
			set_arg(&m, cmd, 0);
			m.arg.elems = (uintptr_t)m.column[ELEMS];
			if (cmd == HMAP_IOC_DELETE_BATCH)
				REFUSED(fd, call(fd, cmd, &m.arg), EINVAL);
			set_arg(&m, cmd, 0);
			m.arg.room = 1;
			if (!is_var(&shapes[s]) || cmd != HMAP_IOC_LOOKUP_BATCH)
				REFUSED(fd, call(fd, cmd, &m.arg), EINVAL);
		}
		free_columns(&m);
		close(fd);
	}
}

static void eacces(void)
{
	static struct many m;
	int fd = make_u64("m", 0600), reader = dev_open_map("m", O_RDONLY);
	int writer = dev_open_map("m", O_WRONLY);

	prepare_range(&m, &shapes[1], 0, 100);
	REFUSED(fd, run(&m, reader, HMAP_IOC_INSERT_BATCH, 0), EACCES);
	EQ(run(&m, writer, HMAP_IOC_INSERT_BATCH, 0), 0);
	REFUSED(fd, run(&m, writer, HMAP_IOC_LOOKUP_BATCH, 0), EACCES);
	check_lookup(&m, reader);
	REFUSED(fd, run(&m, reader, HMAP_IOC_DELETE_BATCH, 0), EACCES);
	EQ(run(&m, writer, HMAP_IOC_DELETE_BATCH, 0), 0);
	EQ(info(fd).count, 0);
}

/* === Others at the same time === */

#define MILLION	1000000U

/* How many results have been written, from the first on. */
static __u32 written(const __s32 *results, __u32 from)
{
	while (from < MILLION &&
	       __atomic_load_n(&results[from], __ATOMIC_RELAXED) != 0x5a5a5a5a)
		from++;
	return from;
}

static bool some_written(void *results)
{
	return written(results, 0) > 1000;
}

/*
 * A process that is killed leaves a long batch after the present chunk.  Both
 * processes are on one CPU, so the batch also has to give way to the killer.
 */
static void killed(void)
{
	__u64 *keys = shared(MILLION * sizeof(*keys));
	__s32 *results = shared(MILLION * sizeof(*results));
	int fd = make_u64(NULL, 0);
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	EQ(sched_setaffinity(0, sizeof(cpu), &cpu), 0);
	for (__u64 i = 0; i < MILLION; i++)
		keys[i] = i;
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		struct hmap_batch arg = {
			.keys = (uintptr_t)keys,
			.results = (uintptr_t)results,
			.count = MILLION,
		};
		int status;
		pid_t pid;
		__u32 n;

		trying("cmds[%zu]", i);
		if (cmds[i] != HMAP_IOC_DELETE_BATCH)
			arg.elems = (uintptr_t)keys;
		memset(results, 0x5a, MILLION * sizeof(*results));
		pid = spawn();
		if (!pid) {
			call(fd, cmds[i], &arg);
			exit(0);
		}
		OK(becomes_true(some_written, results));
		EQ(kill(pid, SIGKILL), 0);
		n = written(results, 0);
		EQ(waitpid(pid, &status, 0), pid);
		OK(WIFSIGNALED(status));
		OK(written(results, n) - n <= 2 * 64);
		OK(n < MILLION / 2);
		if (cmds[i] == HMAP_IOC_INSERT_BATCH)
			EQ(info(fd).count, written(results, n) & ~63U);
	}
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A signal ends a batch, and @count is exactly where to go on from. */
static void interrupted(void)
{
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { 0 };
	__u64 *keys = shared(MILLION * sizeof(*keys));
	__u64 *elems = shared(MILLION * sizeof(*elems));
	__s32 *results = shared(MILLION * sizeof(*results));
	int fd = make_u64(NULL, 0);

	signal(SIGALRM, on_alarm);
	for (__u64 i = 0; i < MILLION; i++)
		keys[i] = i;
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		bool deletes = cmds[i] == HMAP_IOC_DELETE_BATCH;
		__u32 done = 0, short_calls = 0, n = MILLION / 5;

		trying("cmds[%zu]", i);
		memset(results, 0x5a, MILLION * sizeof(*results));
		EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
		while (done < n) {
			struct hmap_batch arg = {
				.keys = (uintptr_t)(keys + done),
				.elems = deletes ? 0 : (uintptr_t)(elems + done),
				.results = (uintptr_t)(results + done),
				.count = n - done,
			};
			int err = call(fd, cmds[i], &arg);

			OK(!err || err == -EINTR);
			OK(arg.count > 0);	/* it makes progress */
			EQ(done + arg.count == n, !err);
			EQ(written(results, done), done + arg.count);
			done += arg.count;
			short_calls += !!err;
			if (cmds[i] == HMAP_IOC_INSERT_BATCH)
				EQ(info(fd).count, done);
			else if (deletes)
				EQ(info(fd).count, n - done);
		}
		EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
		printf("# %u calls were cut short\n", short_calls);
		OK(short_calls);
		for (__u32 j = 0; j < n; j++)
			EQ(results[j], 0);
	}
}

#define NR_KEYS		500
#define BATCH		150
#define ROUNDS		20
#define WORDS_MAX	64

/* An elem holds its key and version, and all its words follow from these. */
static __u32 fill_words(const struct hmap_create *shape, __u32 *to, __u32 key,
			__u32 version)
{
	__u32 len = is_var(shape) ? 8 + version % 62 * 4 : shape->elem_size;

	for (__u32 i = 0; i < len / 4; i++)
		to[i] = i % 2 ? key : version + i;
	return len;
}

static void check_words(const struct hmap_create *shape, const __u32 *elem,
			__u32 len, __u32 key)
{
	__u32 want[WORDS_MAX];

	EQ(len, fill_words(shape, want, key, elem[0]));
	SAME_BYTES(elem, want, len);
}

/* Insert, delete, and insert new keys, so that the map grows. */
static void write_some(int fd, int who, const struct hmap_create *shape)
{
	static __u32 elems[BATCH * WORDS_MAX], lens[BATCH], version, fresh;
	__u64 keys[BATCH];
	__s32 results[BATCH];
	struct hmap_batch arg = {
		.keys = (uintptr_t)keys,
		.elems = (uintptr_t)elems,
		.elem_lens = is_var(shape) ? (uintptr_t)lens : 0,
		.results = (uintptr_t)results,
		.count = BATCH,
	};
	__u32 *to = elems;

	for (int i = 0; i < BATCH; i++) {
		keys[i] = random_u32() % NR_KEYS;
		if (i % 8 == 0)
			keys[i] = NR_KEYS + nr_processes() * ++fresh + who;
		lens[i] = fill_words(shape, to, keys[i], ++version);
		to += lens[i] / 4;
	}
	EQ(call(fd, HMAP_IOC_INSERT_BATCH, &arg), 0);
	for (int i = 0; i < BATCH; i++) {
		EQ(results[i], 0);
		keys[i] = random_u32() % NR_KEYS;
	}
	arg.count = BATCH / 4;
	arg.elems = 0;
	arg.elem_lens = 0;
	EQ(call(fd, HMAP_IOC_DELETE_BATCH, &arg), 0);
}

static void read_some(int fd, const struct hmap_create *shape)
{
	static __u32 elems[BATCH * WORDS_MAX], lens[BATCH];
	__u64 keys[BATCH];
	__s32 results[BATCH];
	struct hmap_batch arg = {
		.keys = (uintptr_t)keys,
		.elems = (uintptr_t)elems,
		.elem_lens = is_var(shape) ? (uintptr_t)lens : 0,
		.results = (uintptr_t)results,
		.room = is_var(shape) ? sizeof(elems) : 0,
		.count = BATCH,
	};
	__u32 *elem = elems;

	for (int i = 0; i < BATCH; i++) {
		keys[i] = random_u32() % NR_KEYS;
		lens[i] = shape->elem_size;
	}
	EQ(call(fd, HMAP_IOC_LOOKUP_BATCH, &arg), 0);
	EQ(arg.count, BATCH);
	for (int i = 0; i < BATCH; i++) {
		OK(!results[i] || results[i] == -ENOENT);
		if (!results[i])
			check_words(shape, elem, lens[i], keys[i]);
		else
			for (__u32 w = 0; w < lens[i] / 4; w++)
				EQ(elem[w], 0);
		elem += lens[i] / 4;
	}
}

static void read_and_write(int fd, int who, void *shape)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (who)
			write_some(fd, who, shape);
		else
			for (int j = 0; j < 4; j++)
				read_some(fd, shape);
	}
}

static void each_whole(void)
{
	static const struct hmap_create shapes[] = {
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 128 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 200 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 256,
		  .flags = HMAP_CREATE_VAR_ELEM },
	};

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		int fd = make(&shapes[s]);
		struct contents c;

		at_once(read_and_write, fd, (void *)&shapes[s]);
		OK(info(fd).growths > 5);
		c = contents(fd);
		EQ(c.count, info(fd).count);
		for (size_t i = 0; i < c.count; i++)
			check_words(&shapes[s], record_elem(c.recs[i]),
				    c.recs[i]->elem_len,
				    *(__u64 *)record_key(c.recs[i]));
		free_contents(&c);
		close(fd);
	}
}

static const struct test tests[] = {
	TEST(all_kinds),
	TEST(very_many),
	TEST(none),
	TEST(same_as_single_calls),
	TEST(faults),
	TEST(nothing_done),
	TEST(too_long),
	TEST(emsgsize),
	TEST(einval),
	TEST(eacces),
	TEST(killed),
	TEST(interrupted),
	TEST(each_whole),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
