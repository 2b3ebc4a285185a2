// SPDX-License-Identifier: GPL-2.0
/* Every errno that the uapi header promises, without any other effect. */
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"

#define NR	20
#define UID	1000
#define GID	1000

static const struct hmap_create u64_set = {
	.key_kind = HMAP_KIND_U64,
	.key_size = 8,
};

static const struct hmap_create string_var = {
	.key_kind = HMAP_KIND_STRING,
	.elem_size = 1000,
	.flags = HMAP_CREATE_VAR_ELEM,
};

static const struct {
	const char *name;
	unsigned long cmd;
	bool bound;
} ioctls[] = {
	{ "CREATE", HMAP_IOC_CREATE, false },
	{ "OPEN", HMAP_IOC_OPEN, false },
	{ "UNLINK", HMAP_IOC_UNLINK, false },
	{ "INSERT", HMAP_IOC_INSERT, true },
	{ "LOOKUP", HMAP_IOC_LOOKUP, true },
	{ "DELETE", HMAP_IOC_DELETE, true },
	{ "NEXT", HMAP_IOC_NEXT, true },
	{ "CLEAR", HMAP_IOC_CLEAR, true },
	{ "INFO", HMAP_IOC_INFO, true },
	{ "UPDATE", HMAP_IOC_UPDATE, true },
	{ "INSERT_BATCH", HMAP_IOC_INSERT_BATCH, true },
	{ "LOOKUP_BATCH", HMAP_IOC_LOOKUP_BATCH, true },
	{ "DELETE_BATCH", HMAP_IOC_DELETE_BATCH, true },
	{ "SET", HMAP_IOC_SET, true },
	{ "EXPLAIN", HMAP_IOC_EXPLAIN, true },
};

/* A map with NR entries i -> 10 * i. */
static int filled_u64(const char *name, __u32 mode)
{
	int fd = make_u64(name, mode);

	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, 10 * i), 0);
	return fd;
}

static struct hmap_entry entry(const void *key, __u32 key_len,
			       const void *elem, __u32 elem_len)
{
	return (struct hmap_entry) {
		.key = (uintptr_t)key,
		.elem = (uintptr_t)elem,
		.key_len = key_len,
		.elem_len = elem_len,
	};
}

static void efault_argument(void)
{
	int bound = filled_u64(NULL, 0), unbound = dev(O_RDWR);

	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		int fd = ioctls[i].bound ? bound : unbound;
		unsigned long cmd = ioctls[i].cmd;

		trying("%s", ioctls[i].name);
		REFUSED(bound, call(fd, cmd, NULL), EFAULT);
		REFUSED(bound, call(fd, cmd, NOWHERE), EFAULT);
		REFUSED(bound, call(fd, cmd, KERNEL_MEMORY), EFAULT);
		REFUSED(bound, call(fd, cmd, edge(_IOC_SIZE(cmd) - 1)), EFAULT);
	}
	EQ(create(unbound, &u64_set), 0);
}

static void efault_key(void)
{
	static const unsigned long cmds[] = {
		HMAP_IOC_INSERT, HMAP_IOC_LOOKUP, HMAP_IOC_DELETE
	};
	__u64 elem = 0;
	int fd = filled_u64(NULL, 0);
	void *bad[] = { NULL, NOWHERE, KERNEL_MEMORY, edge(7) };

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(bad); j++) {
			struct hmap_entry e = entry(bad[j], 8, &elem, 8);

			REFUSED(fd, call(fd, cmds[i], &e), EFAULT);
		}
	}
}

static void efault_string_key(void)
{
	static const __u32 lens[] = { 1, 8, 128, 129, 4096 };
	int fd = make(&string_var);

	EQ(insert(fd, "key", 3, "elem", 4, HMAP_INSERT_ANY), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		char *key = edge(lens[i] - 1);
		__u32 elem_len = 4;
		char elem[4];

		REFUSED(fd, insert(fd, key, lens[i], "elem", 4,
				   HMAP_INSERT_ANY), EFAULT);
		REFUSED(fd, lookup(fd, key, lens[i], elem, &elem_len), EFAULT);
		REFUSED(fd, delete(fd, key, lens[i]), EFAULT);
	}
}

static void efault_elem(void)
{
	static const __u32 sizes[] = { 1, 8, 128, 129, 4097, 65536 };
	static char elem[65536];
	__u32 there = 1, absent = 2;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct hmap_create arg = {
			.key_kind = HMAP_KIND_U32,
			.key_size = 4,
			.elem_size = sizes[i],
		};
		int fd = make(&arg);
		__u32 len = sizes[i];
		void *cut = edge(len - 1);

		EQ(insert(fd, &there, 4, elem, len, HMAP_INSERT_ANY), 0);
		for (int mode = HMAP_INSERT_ANY; mode <= HMAP_INSERT_EXIST;
		     mode++) {
			__u32 *key = mode == HMAP_INSERT_EXIST ? &there :
								 &absent;

			REFUSED(fd, insert(fd, key, 4, NULL, len, mode),
				EFAULT);
			REFUSED(fd, insert(fd, key, 4, KERNEL_MEMORY, len,
					   mode), EFAULT);
			REFUSED(fd, insert(fd, key, 4, cut, len, mode), EFAULT);
		}
		REFUSED(fd, lookup(fd, &there, 4, NULL, &len), EFAULT);
		REFUSED(fd, lookup(fd, &there, 4, KERNEL_MEMORY, &len), EFAULT);
		REFUSED(fd, lookup(fd, &there, 4, cut, &len), EFAULT);
		REFUSED(fd, lookup(fd, &there, 4, readonly(elem, len), &len),
			EFAULT);
		EQ(lookup(fd, &there, 4, elem, &len), 0);
		close(fd);
	}
}

static void efault_answer(void)
{
	int fd = make(&string_var);
	char buf[100];
	struct hmap_entry e = entry("key", 3, buf, sizeof(buf));
	struct hmap_create named = string_var;
	struct hmap_info i = { 0 };

	EQ(insert(fd, "key", 3, "elem", 4, HMAP_INSERT_ANY), 0);
	REFUSED(fd, call(fd, HMAP_IOC_LOOKUP, readonly(&e, sizeof(e))), EFAULT);
	REFUSED(fd, call(fd, HMAP_IOC_INFO, readonly(&i, sizeof(i))), EFAULT);
	strcpy(named.name, "unknown-id");
	EQ(call(dev(O_RDWR), HMAP_IOC_CREATE,
		readonly(&named, sizeof(named))), -EFAULT);
	OK(!is_name(named.name));
}

/* Fill in @arg so that the call works; return its size. */
static size_t good_argument(unsigned long cmd, void *arg, void *key, void *elem)
{
	size_t size = _IOC_SIZE(cmd);
	struct hmap_entry e = entry(key, 8, elem, 8);
	struct hmap_next n = { .buf = (uintptr_t)elem, .len = 4096 };
	struct hmap_update u = {
		.key = (uintptr_t)key, .key_len = 8,
		.elem = (uintptr_t)elem, .elem_len = 8,
	};
	struct hmap_explain explain = { .key = (uintptr_t)key, .key_len = 8 };

	memset(arg, 0, size);
	switch (cmd) {
	case HMAP_IOC_CREATE:
		memcpy(arg, &u64_set, size);
		break;
	case HMAP_IOC_OPEN:
		strcpy(((struct hmap_open *)arg)->name, "bigger");
		break;
	case HMAP_IOC_UNLINK:
		strcpy(((struct hmap_unlink *)arg)->name, "bigger");
		break;
	case HMAP_IOC_DELETE:
		e.elem = 0;
		e.elem_len = 0;
		memcpy(arg, &e, size);
		break;
	case HMAP_IOC_INSERT:
	case HMAP_IOC_LOOKUP:
		memcpy(arg, &e, size);
		break;
	case HMAP_IOC_UPDATE:
		memcpy(arg, &u, size);
		break;
	case HMAP_IOC_NEXT:
		memcpy(arg, &n, size);
		break;
	case HMAP_IOC_EXPLAIN:
		memcpy(arg, &explain, size);
		break;
	}
	return size;
}

/* Who is refused because a part of it is read-only can pass it once more. */
static void argument_is_kept(void)
{
	static const unsigned long cmds[] = {
		HMAP_IOC_CREATE, HMAP_IOC_UPDATE, HMAP_IOC_INSERT_BATCH,
		HMAP_IOC_LOOKUP_BATCH, HMAP_IOC_DELETE_BATCH
	};
	int fd = filled_u64(NULL, 0), unbound = dev(O_RDWR);
	size_t page = getpagesize(), size;
	__u8 *pages = edge(page), want[256];
	__u64 key = 100, elem = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cmds) * 32; i++) {
		size_t before = i % 32 * 8;	/* bytes that can be written */
		void *arg = pages + page - before;

		EQ(mprotect(pages, 2 * page, PROT_READ | PROT_WRITE), 0);
		size = good_argument(cmds[i / 32], want, &key, &elem);
		if (before >= size)
			continue;
		trying("cmds[%zu], %zu bytes", i / 32, before);
		want[0] |= 1;
		memcpy(arg, want, size);
		EQ(mprotect(pages + page, page, PROT_READ), 0);
		REFUSED(fd, call(i < 32 ? unbound : fd, cmds[i / 32], arg),
			EFAULT);
		SAME_BYTES(arg, want, size);
	}
}

static void e2big_and_bigger(void)
{
	static const size_t more[] = { 1, 8, 4096 };
	static char elem[4096], arg[8192];
	int map = filled_u64("bigger", 0600);
	__u64 key = 3;

	for (size_t i = 0; i < ARRAY_SIZE(ioctls) * ARRAY_SIZE(more); i++) {
		unsigned long cmd = ioctls[i / ARRAY_SIZE(more)].cmd;
		bool bound = ioctls[i / ARRAY_SIZE(more)].bound;
		int fd = bound ? map : dev(O_RDWR);
		size_t size = good_argument(cmd, arg, &key, elem);
		size_t whole = size + more[i % ARRAY_SIZE(more)];

		trying("%s, %zu bytes", ioctls[i / ARRAY_SIZE(more)].name,
		       whole);
		memset(arg + size, 0, sizeof(arg) - size);
		arg[whole - 1] = 1;
		REFUSED(map, call(fd, sized(cmd, whole), arg), E2BIG);
		arg[whole - 1] = 0;
		arg[whole] = 1;
		EQ(call(fd, sized(cmd, whole), arg), 0);
		EQ(arg[whole], 1);
		for (size_t at = size; at < whole; at++)
			EQ(arg[at], 0);
		EQ(put(map, key, 30), 0);
		if (cmd == HMAP_IOC_UNLINK) {
			close(map);
			map = filled_u64("bigger", 0600);
		}
		if (!bound)
			close(fd);
	}
}

/* Nothing is smaller than in version 1, least of all a size of 0. */
static void smaller_argument(void)
{
	static char elem[4096], arg[8192];
	int map = filled_u64("bigger", 0600);
	__u64 key = 3;

	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		unsigned long cmd = ioctls[i].cmd;
		size_t size = good_argument(cmd, arg, &key, elem);
		int fd = ioctls[i].bound ? map : dev(O_RDWR);

		trying("%s", ioctls[i].name);
		REFUSED(map, call(fd, sized(cmd, 0), arg), EINVAL);
		REFUSED(map, call(fd, sized(cmd, 0), NULL), EINVAL);
		REFUSED(map, call(fd, sized(cmd, 1), arg), EINVAL);
		REFUSED(map, call(fd, sized(cmd, size / 2), arg), EINVAL);
		REFUSED(map, call(fd, sized(cmd, size - 1), arg), EINVAL);
		EQ(call(fd, cmd, arg), 0);
		EQ(put(map, key, 30), 0);
		if (cmd == HMAP_IOC_UNLINK) {
			close(map);
			map = filled_u64("bigger", 0600);
		}
		if (!ioctls[i].bound)
			close(fd);
	}
}

/* All calls are _IOWR, also those that return nothing yet. */
static void other_direction(void)
{
	static char elem[4096], arg[8192];
	int map = filled_u64("map", 0600);
	__u64 key = 3;

	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		unsigned long cmd = ioctls[i].cmd;
		int fd = ioctls[i].bound ? map : dev(O_RDWR);

		good_argument(cmd, arg, &key, elem);
		for (unsigned int dir = 0; dir < 3; dir++) {
			unsigned long other = _IOC(dir, _IOC_TYPE(cmd),
						   _IOC_NR(cmd), _IOC_SIZE(cmd));

			trying("%s, %u", ioctls[i].name, dir);
			REFUSED(map, call(fd, other, arg), ENOTTY);
		}
	}
}

static void unknown_flags(void)
{
	int fd = filled_u64(NULL, 0), unbound = dev(O_RDWR);
	__u64 key = 1, elem = 2;
	char buf[4096];

	for (int bit = 0; bit < 32; bit++) {
		struct hmap_next n = { .buf = (uintptr_t)buf, .len = 4096,
				       .flags = 1U << bit };
		struct hmap_open o = { .flags = 1U << bit, .name = "absent" };
		struct hmap_entry e = entry(&key, 8, &elem, 8);
		struct hmap_clear clear = { 1ULL << bit };
		struct hmap_set set = { .flags = 1U << bit };
		struct hmap_create c = u64_set;

		/* OR_OPEN takes a name. */
		c.flags = 1U << bit;
		if (c.flags & ~(HMAP_CREATE_VAR_ELEM | HMAP_CREATE_MAPPED))
			EQ(create(unbound, &c), -EINVAL);
		EQ(call(unbound, HMAP_IOC_OPEN, &o), -EINVAL);
		REFUSED(fd, call(fd, HMAP_IOC_CLEAR, &clear), EINVAL);
		clear.flags <<= 32;
		REFUSED(fd, call(fd, HMAP_IOC_CLEAR, &clear), EINVAL);
		if (set.flags > HMAP_SET_NAME)
			REFUSED(fd, call(fd, HMAP_IOC_SET, &set), EINVAL);
		e.flags = 1U << bit;
		REFUSED(fd, call(fd, HMAP_IOC_LOOKUP, &e), EINVAL);
		e.flags |= HMAP_INSERT_EXIST;
		if (e.flags != HMAP_INSERT_EXIST)
			REFUSED(fd, call(fd, HMAP_IOC_INSERT, &e), EINVAL);
		e = entry(&key, 8, NULL, 0);
		e.flags = 1U << bit;
		REFUSED(fd, call(fd, HMAP_IOC_DELETE, &e), EINVAL);
		REFUSED(fd, call(fd, HMAP_IOC_NEXT, &n), EINVAL);
	}
	EQ(create(unbound, &u64_set), 0);
}

static void reserved_fields(void)
{
	int fd = filled_u64(NULL, 0), unbound = dev(O_RDWR);
	__u64 key = 1, elem = 2;
	struct hmap_entry e = entry(&key, 8, &elem, 8);
	struct hmap_open o = { .flags = HMAP_OPEN_FD, .fd = fd,
			       .name = "unused" };
	struct hmap_info i = { .after = 1 };
	struct hmap_open by_name = { .fd = 1 };

	EQ(call(unbound, HMAP_IOC_OPEN, &o), -EINVAL);
	strcpy(by_name.name, "absent");
	EQ(call(unbound, HMAP_IOC_OPEN, &by_name), -EINVAL);
	EQ(create(unbound, &u64_set), 0);
	e.reserved = 1U << 31;
	REFUSED(fd, call(fd, HMAP_IOC_INSERT, &e), EINVAL);
	REFUSED(fd, call(fd, HMAP_IOC_LOOKUP, &e), EINVAL);
	e = entry(&key, 8, NULL, 0);
	e.reserved = 1;
	REFUSED(fd, call(fd, HMAP_IOC_DELETE, &e), EINVAL);
	e = entry(&key, 8, &elem, 0);
	REFUSED(fd, call(fd, HMAP_IOC_DELETE, &e), EINVAL);
	e = entry(&key, 8, NULL, 8);
	REFUSED(fd, call(fd, HMAP_IOC_DELETE, &e), EINVAL);
	REFUSED(fd, call(fd, HMAP_IOC_INFO, &i), EINVAL);
}

static void enotty(void)
{
	static const unsigned long cmds[] = {
		_IO(0xBA, 0x7f),
		_IO(0xBA, 0xff),
		_IOWR(0xBA, 0x40, struct hmap_entry),
		_IOW(0xBB, 0x03, struct hmap_entry),
		0x5401,
		0,
	};
	int fd = filled_u64(NULL, 0), unbound = dev(O_RDWR);
	__u64 key = 1, elem = 2;

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		struct hmap_entry e = entry(&key, 8, &elem, 8);

		REFUSED(fd, call(fd, cmds[i], &e), ENOTTY);
		EQ(call(unbound, cmds[i], &e), -ENOTTY);
	}
}

static void not_bound(void)
{
	int fd = dev(O_RDWR);
	struct hmap_next n = { 0 };
	struct hmap_set set = { 0 };
	char buf[100];
	__u64 elem;

	for (int i = 0; i < 2; i++) {
		EQ(put(fd, 1, 1), -EBADFD);
		EQ(get(fd, 1, &elem), -EBADFD);
		EQ(del(fd, 1), -EBADFD);
		EQ(next(fd, &n, buf, sizeof(buf)), -EBADFD);
		EQ(clear(fd), -EBADFD);
		EQ(call(fd, HMAP_IOC_SET, &set), -EBADFD);
		EQ(open_fd(dev(O_RDWR), fd), -EBADFD);
		EQ(open_map(fd, "absent"), -ENOENT);
	}
	EQ(create(fd, &u64_set), 0);
}

static void bound_already(void)
{
	int other = filled_u64("other", 0600), fd = filled_u64("own", 0600);
	struct hmap_create again = u64_set;

	strcpy(again.name, "again");
	REFUSED(fd, create(fd, &u64_set), EBUSY);
	REFUSED(fd, create(fd, &again), EBUSY);
	REFUSED(fd, open_map(fd, "other"), EBUSY);
	REFUSED(fd, open_map(fd, "own"), EBUSY);
	OK(!is_name("again"));
	EQ(strcmp(info(fd).name, "own"), 0);
	EQ(info(other).count, NR);
	close(fd);
	fd = dev_open_map("own", O_RDWR);
	REFUSED(fd, open_map(fd, "other"), EBUSY);
}

static void create_eexist(void)
{
	struct hmap_create c = u64_set;
	int map = filled_u64("taken", 0600), fd = dev(O_RDWR);
	__u64 id = info(map).id;

	strcpy(c.name, "taken");
	REFUSED(map, create(fd, &c), EEXIST);
	EQ(info(map).id, id);
	strcpy(c.name, "take");
	EQ(create(fd, &c), 0);
}

static void no_such_map(void)
{
	int map = filled_u64("here", 0600), fd = dev(O_RDWR);
	struct hmap_info i = { .after = info(map).id };

	EQ(open_map(fd, "her"), -ENOENT);
	EQ(open_map(fd, "here2"), -ENOENT);
	EQ(unlink_map(fd, "her"), -ENOENT);
	EQ(call(fd, HMAP_IOC_INFO, &i), -ENOENT);
	EQ(unlink_map(fd, "here"), 0);
	EQ(unlink_map(fd, "here"), -ENOENT);
	EQ(open_map(fd, "here"), -ENOENT);
	/* It is still there for its owner, without a name. */
	i.after = 0;
	EQ(call(fd, HMAP_IOC_INFO, &i), 0);
	EQ(i.id, info(map).id);
	EQ(i.name[0], '\0');
	EQ(create(fd, &u64_set), 0);
}

static void create_einval(void)
{
	static const struct hmap_create bad[] = {
		{ .key_kind = HMAP_KIND_STRING + 1 },
		{ .key_kind = ~0U },
		{ .key_kind = HMAP_KIND_U32 },
		{ .key_kind = HMAP_KIND_U32, .key_size = 3 },
		{ .key_kind = HMAP_KIND_U32, .key_size = 8 },
		{ .key_kind = HMAP_KIND_U64 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 4 },
		{ .key_kind = HMAP_KIND_BYTES },
		{ .key_kind = HMAP_KIND_BYTES, .key_size = 513 },
		{ .key_kind = HMAP_KIND_BYTES, .key_size = ~0U },
		{ .key_kind = HMAP_KIND_STRING, .key_size = 1 },
		{ .key_kind = HMAP_KIND_STRING, .key_size = 4096 },
		{ .key_kind = HMAP_KIND_STRING, .elem_size = 65537 },
		{ .key_kind = HMAP_KIND_STRING, .elem_size = ~0U },
		{ .key_kind = HMAP_KIND_STRING, .elem_size = 65537,
		  .flags = HMAP_CREATE_VAR_ELEM },
		{ .key_kind = HMAP_KIND_STRING, .mode = 01000 },
		{ .key_kind = HMAP_KIND_STRING, .mode = 0x80000000 },
	};
	int fd = dev(O_RDWR);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		trying("bad[%zu]", i);
		EQ(create(fd, &bad[i]), -EINVAL);
	}
	EQ(create(fd, &u64_set), 0);
}

static void bad_names(void)
{
	static const char bad[][HMAP_NAME_LEN] = {
		{ "." }, { ".hidden" }, { "#1" }, { "a/b" }, { "/" },
		{ "a b\n" }, { "\x7f" }, { "a\x01" }, { "caf\xc3\xa9" },
		{ "a\0b" }, { "\0a" }, { "a\0\0\0\0\0\0b" },
		{ "this-name-would-fit-if-it-needed-no-NUL-at-its-end-but-it-does-." },
	};
	static const char longest[HMAP_NAME_LEN] =
		"this-name-fits-although-it-is-as-long-as-one-can-be-with-a-NUL.";
	struct hmap_create c = u64_set;
	int fd = dev(O_RDWR), map = filled_u64(NULL, 0);

	EQ(strlen(longest), HMAP_NAME_LEN - 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct hmap_set set = { .flags = HMAP_SET_NAME };
		struct hmap_unlink unlink;
		struct hmap_open open = { 0 };

		trying("bad[%zu]", i);
		memcpy(c.name, bad[i], sizeof(c.name));
		memcpy(open.name, bad[i], sizeof(open.name));
		memcpy(unlink.name, bad[i], sizeof(unlink.name));
		memcpy(set.name, bad[i], sizeof(set.name));
		EQ(create(fd, &c), -EINVAL);
		EQ(call(fd, HMAP_IOC_OPEN, &open), -EINVAL);
		EQ(call(fd, HMAP_IOC_UNLINK, &unlink), -EINVAL);
		REFUSED(map, call(map, HMAP_IOC_SET, &set), EINVAL);
	}
	EQ(open_map(fd, ""), -EINVAL);
	EQ(unlink_map(fd, ""), -EINVAL);
	for (char ch = '!'; ch <= '~'; ch++) {
		char name[4] = { 'x', ch, 'y' };
		struct hmap_info i;

		if (ch == '/')
			continue;
		close(make_u64(name, 0600));
		fd = dev_open_map(name, O_RDWR);
		i = info(fd);
		EQ(strcmp(i.name, name), 0);
		EQ(unlink_map(fd, name), 0);
		close(fd);
	}
	close(make_u64(longest, 0600));
	fd = dev_open_map(longest, O_RDWR);
	EQ(unlink_map(fd, longest), 0);
}

static void entry_einval(void)
{
	static const __u32 not8[] = { 0, 1, 7, 9, 16, 4096, 65536, ~0U };
	static char bytes[1 << 17];
	int fd = filled_u64(NULL, 0);
	__u32 len;

	for (size_t i = 0; i < ARRAY_SIZE(not8); i++) {
		__u32 n = not8[i];

		len = 8;
		REFUSED(fd, insert(fd, bytes, n, bytes, 8, 0), EINVAL);
		REFUSED(fd, insert(fd, bytes, 8, bytes, n, 0), EINVAL);
		REFUSED(fd, lookup(fd, bytes, n, bytes, &len), EINVAL);
		len = n;
		REFUSED(fd, lookup(fd, bytes, 8, bytes, &len), EINVAL);
		REFUSED(fd, delete(fd, bytes, n), EINVAL);
	}
	close(fd);

	fd = make(&string_var);
	EQ(insert(fd, bytes, 4096, bytes, 1000, 0), 0);
	len = 1000;
	REFUSED(fd, insert(fd, bytes, 4097, bytes, 1, 0), EINVAL);
	REFUSED(fd, insert(fd, bytes, ~0U, bytes, 1, 0), EINVAL);
	REFUSED(fd, insert(fd, bytes, 4096, bytes, 1001, 0), EINVAL);
	REFUSED(fd, insert(fd, bytes, 4096, bytes, ~0U, 0), EINVAL);
	REFUSED(fd, lookup(fd, bytes, 4097, bytes, &len), EINVAL);
	REFUSED(fd, delete(fd, bytes, 4097), EINVAL);
}

static void entry_enoent_eexist(void)
{
	int fd = filled_u64(NULL, 0);
	__u64 there = 3, absent = NR, elem = 5;

	REFUSED(fd, get(fd, absent, &elem), ENOENT);
	EQ(elem, 5);
	REFUSED(fd, del(fd, absent), ENOENT);
	REFUSED(fd, insert(fd, &absent, 8, &elem, 8, HMAP_INSERT_EXIST),
		ENOENT);
	REFUSED(fd, insert(fd, &there, 8, &elem, 8, HMAP_INSERT_NOEXIST),
		EEXIST);
}

static void file_mode(void)
{
	int fd = filled_u64("map", 0600);
	int reader = dev_open_map("map", O_RDONLY);
	int writer = dev_open_map("map", O_WRONLY);
	struct hmap_next n = { 0 };
	char buf[4096];
	__u64 elem = 0;

	REFUSED(fd, put(reader, 1, 1), EACCES);
	REFUSED(fd, put(reader, NR, 1), EACCES);
	REFUSED(fd, del(reader, 1), EACCES);
	REFUSED(fd, clear(reader), EACCES);
	EQ(get(reader, 1, &elem), 0);
	EQ(elem, 10);
	EQ(next(reader, &n, buf, sizeof(buf)), 0);
	EQ(n.count, NR);
	EQ(info(reader).count, NR);

	REFUSED(fd, get(writer, 1, &elem), EACCES);
	REFUSED(fd, next(writer, &n, buf, sizeof(buf)), EACCES);
	EQ(put(writer, NR, 1), 0);
	EQ(del(writer, 0), 0);
	EQ(info(fd).count, NR);
	EQ(clear(writer), 0);
	EQ(info(fd).count, 0);

	EQ(create(dev(O_RDONLY), &u64_set), -EACCES);
	EQ(create(dev(O_WRONLY), &u64_set), -EACCES);
}

static int open_as(uid_t uid, gid_t gid, const char *name, int flags)
{
	pid_t pid = spawn();
	int status;

	if (!pid) {
		become(uid, gid);
		_exit(-open_map(dev(flags), name));
	}
	EQ(waitpid(pid, &status, 0), pid);
	OK(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void map_mode(void)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		int shift;
	} classes[] = {
		{ UID, GID, 6 }, { UID + 1, GID, 3 }, { UID + 1, GID + 1, 0 },
	};
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };

	EQ(chmod(DEVICE, 0666), 0);
	for (__u32 bits = 0; bits < 3 * 4; bits++) {
		int shift = classes[bits / 4].shift;
		__u32 mode = (bits % 4) << 1 << shift;
		pid_t pid = spawn();

		if (!pid) {
			become(UID, GID);
			close(make_u64("map", mode));
			exit(0);
		}
		join(pid);
		for (int i = 0; i < 3 * 3; i++) {
			int want = i % 3, who = i / 3;
			int need = (want == 0) ? 2 : (want == 1) ? 1 : 3;
			bool may = classes[who].shift == shift &&
				   (bits % 4 & need) == (__u32)need;

			trying("mode %03o, class %d, flags %d", mode, who,
			       flags[want]);
			EQ(open_as(classes[who].uid, classes[who].gid, "map",
				   flags[want]), may ? 0 : -EACCES);
		}
		EQ(unlink_map(dev(O_RDWR), "map"), 0);
	}
}

static void unlink_eperm(void)
{
	int map = filled_u64("roots", 0666);
	pid_t pid;

	EQ(chmod(DEVICE, 0666), 0);
	pid = spawn();
	if (!pid) {
		become(UID, GID);
		close(filled_u64("users", 0600));
		exit(0);
	}
	join(pid);
	pid = spawn();
	if (!pid) {
		become(UID + 1, GID);
		REFUSED(map, unlink_map(map, "roots"), EPERM);
		EQ(unlink_map(dev(O_RDWR), "users"), -EPERM);
		exit(0);
	}
	join(pid);
	OK(is_name("roots") && is_name("users"));
	pid = spawn();
	if (!pid) {
		become(UID, GID);
		EQ(unlink_map(dev(O_RDWR), "users"), 0);
		exit(0);
	}
	join(pid);
	OK(is_name("roots") && !is_name("users"));
}

static void entries_enospc(void)
{
	const struct hmap_create c = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.max_entries = NR,
		.hint = NR,
	};
	struct hmap_create over = c;
	int fd = make(&c), other = dev(O_RDWR);
	__u64 key = NR, elem = 1;

	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, i), 0);
	REFUSED(fd, put(fd, NR, 0), ENOSPC);
	REFUSED(fd, insert(fd, &key, 8, &elem, 8, HMAP_INSERT_NOEXIST), ENOSPC);
	REFUSED(fd, insert(fd, &key, 8, &elem, 8, HMAP_INSERT_EXIST), ENOENT);
	EQ(put(fd, 3, 4), 0);
	EQ(info(fd).count, NR);
	EQ(info(fd).max_entries, NR);
	EQ(del(fd, 3), 0);
	EQ(put(fd, NR, 0), 0);
	REFUSED(fd, put(fd, 3, 0), ENOSPC);
	EQ(clear(fd), 0);
	EQ(put(fd, NR, 0), 0);

	over.hint = NR + 1;
	EQ(create(other, &over), -ENOSPC);
	EQ(create(other, &c), 0);
}

static void module_limits(void)
{
	struct hmap_create c = u64_set;
	int fd = dev(O_RDWR);

	set_parameter("max_entries", 1000);
	set_parameter("max_bytes", 1 << 20);
	c.max_entries = 1001;
	EQ(create(fd, &c), -ENOSPC);
	c.max_entries = ~0ULL;
	EQ(create(fd, &c), -ENOSPC);
	c.max_entries = 0;
	c.hint = 1001;
	EQ(create(fd, &c), -ENOSPC);
	c.hint = 0;
	c.max_bytes = (1 << 20) + 1;
	EQ(create(fd, &c), -ENOSPC);
	c.max_bytes = ~0ULL;
	EQ(create(fd, &c), -ENOSPC);
	c.max_bytes = 0;
	EQ(create(fd, &c), 0);
	EQ(info(fd).max_entries, 1000);
	EQ(info(fd).max_bytes, 1 << 20);
	for (__u64 i = 0; i < 1000; i++)
		EQ(insert(fd, &i, 8, NULL, 0, HMAP_INSERT_NOEXIST), 0);
	REFUSED(fd, insert(fd, &(__u64){ 1000 }, 8, NULL, 0, 0), ENOSPC);
}

static void maps_enospc(void)
{
	struct hmap_create named = u64_set;
	int fd, fds[3];

	strcpy(named.name, "one-too-many");
	set_parameter("max_maps", ARRAY_SIZE(fds));
	drop_capability(CAP_SYS_RESOURCE);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = make(&u64_set);
	fd = dev(O_RDWR);
	EQ(create(fd, &u64_set), -ENOSPC);
	EQ(create(fd, &named), -ENOSPC);
	OK(!is_name(named.name));
	close(fds[0]);
	EQ(create(fd, &named), 0);
	close(fd);
	fd = dev(O_RDWR);
	EQ(create(fd, &u64_set), -ENOSPC);
	EQ(unlink_map(fd, named.name), 0);
	EQ(create(fd, &u64_set), 0);
}

/* Users who have made all the maps they may do not lock out root. */
static void maps_of_root(void)
{
	int fd = dev(O_RDWR);
	pid_t pid;

	set_parameter("max_maps", 1);
	pid = spawn();
	if (!pid) {
		drop_capability(CAP_SYS_RESOURCE);
		EQ(create(fd, &u64_set), 0);
		EQ(create(dev(O_RDWR), &u64_set), -ENOSPC);
		exit(0);
	}
	join(pid);
	make(&u64_set);
	make(&u64_set);
}

/* With its header, and rounded up, an elem of this size takes a page. */
#define NEARLY_PAGE	4000

struct one_insert {
	int fd;
	__u64 key;
};

/* What was replaced or deleted is charged until no reader can see it. */
static bool can_insert(void *arg)
{
	static char elem[NEARLY_PAGE];
	const struct one_insert *i = arg;
	int err = insert(i->fd, &i->key, 8, elem, sizeof(elem), HMAP_INSERT_ANY);

	OK(!err || err == -ENOSPC);
	return !err;
}

static void bytes_enospc(void)
{
	static char elem[NEARLY_PAGE];
	struct hmap_create c = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = sizeof(elem),
		.max_bytes = 1 << 18,
		.hint = 64,	/* no growth, which would free bytes later */
	};
	int fd = make(&c);
	__u64 i = 0;
	int err;

	do {
		OK(info(fd).bytes <= c.max_bytes);
		err = insert(fd, &i, 8, elem, sizeof(elem), HMAP_INSERT_ANY);
	} while (!err && ++i < 1000);
	OK(i > 32 && i < 64);
	REFUSED(fd, insert(fd, &i, 8, elem, sizeof(elem), HMAP_INSERT_ANY),
		ENOSPC);
	EQ(info(fd).count, i);
	EQ(info(fd).max_bytes, c.max_bytes);
	EQ(del(fd, 0), 0);
	OK(becomes_true(can_insert, &(struct one_insert){ fd, i }));
	EQ(clear(fd), 0);
	for (i = 0; i < 32; i++)
		OK(becomes_true(can_insert, &(struct one_insert){ fd, i }));
	close(fd);

	c.elem_size = 8;
	fd = make(&c);
	for (i = 0; !(err = put(fd, i, i)); i++)
		;
	EQ(err, -ENOSPC);
	EQ(info(fd).count, i);
	OK(i > 1000 && i < c.max_bytes / 16);
	EQ(put(fd, 0, 1), 0);
	close(fd);

	c.hint = 1 << 20;
	fd = dev(O_RDWR);
	EQ(create(fd, &c), -ENOSPC);
	c.hint = 0;
	EQ(create(fd, &c), 0);
}

static void lookup_emsgsize(void)
{
	int fd = make(&string_var);
	char elem[1000], out[1001];
	__u32 len;

	memset(elem, 'e', sizeof(elem));
	for (__u32 have = 1; have <= 1000; have += 37) {
		EQ(insert(fd, "key", 3, elem, have, HMAP_INSERT_ANY), 0);
		memset(out, 'o', sizeof(out));
		len = have - 1;
		REFUSED(fd, lookup(fd, "key", 3, out, &len), EMSGSIZE);
		EQ(len, have);
		for (size_t i = 0; i < sizeof(out); i++)
			EQ(out[i], 'o');
		len = 0;
		REFUSED(fd, lookup(fd, "key", 3, NULL, &len), EMSGSIZE);
		EQ(len, have);
		EQ(lookup(fd, "key", 3, out, &len), 0);
		SAME_BYTES(out, elem, have);
		EQ(out[have], 'o');
	}
	EQ(insert(fd, "key", 3, NULL, 0, HMAP_INSERT_ANY), 0);
	len = 0;
	EQ(lookup(fd, "key", 3, NULL, &len), 0);
	EQ(len, 0);
}

static void next_emsgsize(void)
{
	int fd = filled_u64(NULL, 0);
	struct hmap_next n = { 0 };
	char buf[24];

	for (__u32 len = 0; len < 24; len++) {
		memset(buf, 'o', sizeof(buf));
		EQ(next(fd, &n, buf, len), -EMSGSIZE);
		EQ(n.cursor[0] | n.cursor[1] | n.cursor[2], 0);
		EQ(n.used, 24);
		for (size_t i = 0; i < sizeof(buf); i++)
			EQ(buf[i], 'o');
	}
	EQ(next(fd, &n, buf, 24), 0);
	EQ(n.count, 1);
}

static const struct test tests[] = {
	TEST(efault_argument),
	TEST(efault_key),
	TEST(efault_string_key),
	TEST(efault_elem),
	TEST(efault_answer),
	TEST(argument_is_kept),
	TEST(e2big_and_bigger),
	TEST(smaller_argument),
	TEST(other_direction),
	TEST(unknown_flags),
	TEST(reserved_fields),
	TEST(enotty),
	TEST(not_bound),
	TEST(bound_already),
	TEST(create_eexist),
	TEST(no_such_map),
	TEST(create_einval),
	TEST(bad_names),
	TEST(entry_einval),
	TEST(entry_enoent_eexist),
	TEST(file_mode),
	TEST(map_mode),
	TEST(unlink_eperm),
	TEST(entries_enospc),
	TEST(module_limits),
	TEST(maps_enospc),
	TEST(maps_of_root),
	TEST(bytes_enospc),
	TEST(lookup_emsgsize),
	TEST(next_emsgsize),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
