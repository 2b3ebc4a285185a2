// SPDX-License-Identifier: GPL-2.0
/* Every kind of key and every boundary of size, in all calls on entries. */
#include "device.h"

#define NR		16	/* entries, enough for overflow and a doubling */
#define KEY_MAX		4096
#define ELEM_MAX	HMAP_ELEM_SIZE_MAX

/* Bytes that identify a key or elem, and each byte's offset in it. */
static void fill(unsigned char *to, size_t len, __u32 which)
{
	for (size_t i = 0; i < len; i++)
		to[i] = i < sizeof(which) ? which >> 8 * i :
					    (which + i) * 2654435761U >> 24;
}

struct shape {
	__u32 kind, key_size, elem_size, flags;
};

static __u32 key_of(const struct shape *s, __u32 i, unsigned char *key)
{
	static const __u32 lens[NR] = {
		0, 1, 2, 3, 4, 7, 8, 9, 63, 127, 128, 129, 255, 4094, 4095, 4096
	};
	__u32 len = s->kind == HMAP_KIND_STRING ? lens[i] : s->key_size;

	fill(key, len, i);
	return len;
}

static __u32 elem_of(const struct shape *s, __u32 i, unsigned char *elem)
{
	__u32 len = s->elem_size;

	if (s->flags & HMAP_CREATE_VAR_ELEM)
		len = len * (i % NR) / (NR - 1);
	fill(elem, len, i + 1000);
	return len;
}

static void check_elem(int fd, const struct shape *s, __u32 i, __u32 elem_nr)
{
	static unsigned char key[KEY_MAX], want[ELEM_MAX], got[ELEM_MAX + 1];
	__u32 key_len = key_of(s, i, key);
	__u32 want_len = elem_of(s, elem_nr, want), len = s->elem_size;

	got[want_len] = 0x5a;
	EQ(lookup(fd, key, key_len, got, &len), 0);
	EQ(len, want_len);
	SAME_BYTES(got, want, len);
	EQ(got[want_len], 0x5a);
}

static void check_walk(int fd, const struct shape *s)
{
	static unsigned char key[KEY_MAX], elem[ELEM_MAX];
	struct contents c = contents(fd);
	bool seen[NR] = { false };

	EQ(c.count, NR);
	for (size_t n = 0; n < c.count; n++) {
		const struct hmap_record *rec = c.recs[n];
		__u32 i, len;

		for (i = 0; i < NR; i++) {
			len = key_of(s, i, key);
			if (rec->key_len == len &&
			    !memcmp(record_key(rec), key, len))
				break;
		}
		OK(i < NR && !seen[i]);
		seen[i] = true;
		len = elem_of(s, i, elem);
		EQ(rec->elem_len, len);
		SAME_BYTES(record_elem(rec), elem, len);
	}
	free_contents(&c);
}

static void try_shape(const struct shape *s)
{
	static unsigned char key[KEY_MAX], elem[ELEM_MAX];
	const struct hmap_create arg = {
		.key_kind = s->kind,
		.key_size = s->key_size,
		.elem_size = s->elem_size,
		.flags = s->flags,
	};
	int fd = make(&arg);
	struct hmap_info i = info(fd);
	__u32 key_len, elem_len = s->elem_size;

	EQ(i.key_kind, s->kind);
	EQ(i.key_size, s->key_size);
	EQ(i.elem_size, s->elem_size);
	EQ(i.create_flags, s->flags);
	for (__u32 k = 0; k < NR; k++) {
		key_len = key_of(s, k, key);
		elem_len = s->elem_size;
		EQ(lookup(fd, key, key_len, elem, &elem_len), -ENOENT);
		elem_len = elem_of(s, k + 1, elem);
		EQ(insert(fd, key, key_len, elem, elem_len,
			  HMAP_INSERT_NOEXIST), 0);
		check_elem(fd, s, k, k + 1);
		elem_len = elem_of(s, k, elem);
		EQ(insert(fd, key, key_len, elem, elem_len, HMAP_INSERT_EXIST),
		   0);
		EQ(info(fd).count, k + 1);
	}
	for (__u32 k = 0; k < NR; k++)
		check_elem(fd, s, k, k);
	check_walk(fd, s);
	for (__u32 k = 0; k < NR; k++) {
		key_len = key_of(s, k, key);
		EQ(delete(fd, key, key_len), 0);
		EQ(delete(fd, key, key_len), -ENOENT);
		EQ(info(fd).count, NR - 1 - k);
	}
	close(fd);
}

static const __u32 elem_sizes[] = {
	0, 1, 2, 4, 7, 8, 127, 128, 129, 4096, 65535, 65536
};

static void try_elem_sizes(__u32 kind, __u32 key_size, __u32 flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(elem_sizes); i++) {
		struct shape s = { kind, key_size, elem_sizes[i], flags };

		try_shape(&s);
	}
}

static void u32_keys(void)
{
	try_elem_sizes(HMAP_KIND_U32, 4, 0);
}

static void u64_keys(void)
{
	try_elem_sizes(HMAP_KIND_U64, 8, 0);
}

static void string_keys(void)
{
	try_elem_sizes(HMAP_KIND_STRING, 0, 0);
}

static void byte_keys(void)
{
	static const __u32 sizes[] = {
		1, 2, 3, 4, 5, 8, 16, 127, 128, 129, 511, 512
	};
	static const __u32 elems[] = { 0, 8, 128, 129 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(elems); i++) {
		struct shape s = { HMAP_KIND_BYTES,
				   sizes[i / ARRAY_SIZE(elems)],
				   elems[i % ARRAY_SIZE(elems)], 0 };

		try_shape(&s);
	}
}

static void variable_elems(void)
{
	try_elem_sizes(HMAP_KIND_U32, 4, HMAP_CREATE_VAR_ELEM);
	try_elem_sizes(HMAP_KIND_STRING, 0, HMAP_CREATE_VAR_ELEM);
	try_elem_sizes(HMAP_KIND_BYTES, 129, HMAP_CREATE_VAR_ELEM);
}

static void strings_with_nuls(void)
{
	static const struct hmap_create arg = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = 4,
	};
	static const struct {
		__u32 len;
		const char *bytes;
	} keys[] = {
		{ 0, NULL }, { 1, "\0" }, { 2, "\0\0" }, { 1, "a" },
		{ 2, "a\0" }, { 3, "a\0b" }, { 3, "a\0c" }, { 2, "\0a" },
		{ 8, "\0\0\0\0\0\0\0\0" }, { 9, "\0\0\0\0\0\0\0\0\0" },
		{ 8, "12345678" }, { 9, "12345678" }, { 7, "12345678" },
	};
	int fd = make(&arg);

	for (__u32 i = 0; i < ARRAY_SIZE(keys); i++)
		EQ(insert(fd, keys[i].bytes, keys[i].len, &i, 4,
			  HMAP_INSERT_NOEXIST), 0);
	EQ(info(fd).count, ARRAY_SIZE(keys));
	for (__u32 i = 0; i < ARRAY_SIZE(keys); i++) {
		__u32 elem, len = 4;

		EQ(lookup(fd, keys[i].bytes, keys[i].len, &elem, &len), 0);
		EQ(elem, i);
	}
	for (__u32 i = 0; i < ARRAY_SIZE(keys); i++)
		EQ(delete(fd, keys[i].bytes, keys[i].len), 0);
	EQ(info(fd).count, 0);
}

static void extreme_integers(void)
{
	static const __u64 keys[] = {
		0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		1ULL << 63, ~0ULL, ~0ULL << 32, 0xffffffff00000001
	};
	int fd = make_u64(NULL, 0);
	__u64 elem;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		EQ(put(fd, keys[i], ~keys[i]), 0);
	EQ(info(fd).count, ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		EQ(get(fd, keys[i], &elem), 0);
		EQ(elem, ~keys[i]);
	}
}

static void insert_modes(void)
{
	int fd = make_u64(NULL, 0);
	__u64 key = 1, elem = 10;

	EQ(insert(fd, &key, 8, &elem, 8, HMAP_INSERT_EXIST), -ENOENT);
	EQ(info(fd).count, 0);
	EQ(insert(fd, &key, 8, &elem, 8, HMAP_INSERT_NOEXIST), 0);
	elem = 20;
	EQ(insert(fd, &key, 8, &elem, 8, HMAP_INSERT_NOEXIST), -EEXIST);
	EQ(get(fd, key, &elem), 0);
	EQ(elem, 10);
	elem = 20;
	EQ(insert(fd, &key, 8, &elem, 8, HMAP_INSERT_EXIST), 0);
	EQ(get(fd, key, &elem), 0);
	EQ(elem, 20);
	EQ(put(fd, key, 30), 0);
	EQ(get(fd, key, &elem), 0);
	EQ(elem, 30);
	EQ(info(fd).count, 1);
	EQ(del(fd, key), 0);
	elem = 40;
	EQ(insert(fd, &key, 8, &elem, 8, HMAP_INSERT_EXIST), -ENOENT);
	EQ(insert(fd, &key, 8, &elem, 8, HMAP_INSERT_NOEXIST), 0);
	EQ(get(fd, key, &elem), 0);
	EQ(elem, 40);
}

static void clear_empties(void)
{
	int fd = make_u64(NULL, 0);
	__u64 elem;
	struct contents c;

	EQ(clear(fd), 0);
	for (int round = 0; round < 3; round++) {
		for (__u64 i = 0; i < 1000; i++)
			EQ(insert(fd, &i, 8, &i, 8, HMAP_INSERT_NOEXIST), 0);
		EQ(clear(fd), 0);
		EQ(info(fd).count, 0);
		for (__u64 i = 0; i < 1000; i++)
			EQ(get(fd, i, &elem), -ENOENT);
		c = contents(fd);
		EQ(c.count, 0);
		free_contents(&c);
	}
}

static void info_tells(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.mode = 0640,
		.max_entries = 12345,
		.max_bytes = 1 << 20,
		.name = "told",
	};
	struct hmap_info i;
	__u64 bytes, id;
	int fd;

	fd = make(&arg);
	i = info(fd);
	OK(i.id);
	EQ(i.after, 0);
	EQ(i.count, 0);
	EQ(i.max_entries, 12345);
	EQ(i.max_bytes, 1 << 20);
	EQ(i.growths, 0);
	EQ(i.same_size_growths, 0);
	EQ(i.mode, 0640);
	EQ(i.uid, 0);
	EQ(i.log2_buckets, 0);
	EQ(i.noverflow, 0);
	EQ(i.state, 0);
	EQ(i.holders, 1);
	EQ(strcmp(i.name, "told"), 0);
	bytes = i.bytes;
	id = i.id;
	for (__u64 k = 0; k < 1000; k++)
		EQ(put(fd, k, k), 0);
	i = info(fd);
	EQ(i.id, id);
	EQ(i.count, 1000);
	OK(i.bytes > bytes + 16000 && i.bytes < 16000 * 8);
	OK(i.growths > 5 && i.growths < 9);
	OK(i.log2_buckets > 6 && i.log2_buckets < 9);
	close(make_u64("later", 0600));
	close(fd);
	fd = dev_open_map("later", O_RDWR);
	OK(info(fd).id > id);
	close(fd);
	fd = make_u64(NULL, 0);
	OK(info(fd).id > id + 1);
	EQ(info(fd).name[0], 0);
}

/* Each key of a call counts once, whatever came of it. */
static void info_counts_calls(void)
{
	__u64 keys[100], elems[100] = { 0 }, old;
	__s32 results[100];
	struct hmap_batch b = {
		.keys = (uintptr_t)keys,
		.elems = (uintptr_t)elems,
		.results = (uintptr_t)results,
		.count = 100,
	};
	struct hmap_update u = {
		.key = (uintptr_t)keys,
		.elem = (uintptr_t)elems,
		.old = (uintptr_t)&old,
		.key_len = 8,
		.elem_len = 8,
		.old_len = 8,
		.op = HMAP_UPDATE_ADD,
	};
	int fd = make_u64("counted", 0600), other;
	struct hmap_info i;

	for (__u64 k = 0; k < 100; k++)
		keys[k] = k;
	EQ(get(fd, 1, &old), -ENOENT);
	EQ(put(fd, 1, 1), 0);
	EQ(get(fd, 1, &old), 0);
	EQ(del(fd, 2), -ENOENT);
	EQ(call(fd, HMAP_IOC_INSERT_BATCH, &b), 0);
	EQ(call(fd, HMAP_IOC_LOOKUP_BATCH, &b), 0);
	b.elems = 0;
	EQ(call(fd, HMAP_IOC_DELETE_BATCH, &b), 0);
	EQ(call(fd, HMAP_IOC_UPDATE, &u), 0);
	u.op = HMAP_UPDATE_TAKE;
	u.elem = 0;
	u.elem_len = 0;
	EQ(call(fd, HMAP_IOC_UPDATE, &u), 0);

	other = dev_open_map("counted", O_RDONLY);
	i = info(other);
	EQ(i.lookups, 102);
	EQ(i.inserts, 102);
	EQ(i.deletes, 102);
	EQ(i.holders, 2);
	close(other);
	EQ(info(fd).holders, 1);
	close(fd);
	i = (struct hmap_info){ .after = i.id - 1 };
	fd = dev(O_RDONLY);
	EQ(call(fd, HMAP_IOC_INFO, &i), 0);
	EQ(strcmp(i.name, "counted"), 0);
	EQ(i.holders, 0);
	EQ(i.lookups, 102);
}

static void info_lists(void)
{
	static const char * const names[] = { "one", "two", "three", "four" };
	int fd = dev(O_RDWR), fds[4], nr = 0;
	struct hmap_info i = { 0 };
	__u64 last = 0;

	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		fds[n] = make_u64(names[n], 0600);
	close(make_u64(NULL, 0));
	EQ(unlink_map(fds[1], "two"), 0);
	for (; !call(fd, HMAP_IOC_INFO, &i); i.after = i.id) {
		static const char * const left[] = { "one", "", "three", "four" };

		OK(i.id > last);
		EQ(i.after, last);
		last = i.id;
		EQ(strcmp(i.name, left[nr++]), 0);
		EQ(i.key_size, 8);
	}
	EQ(nr, 4);
	OK(info(fds[1]).state & HMAP_STATE_UNLINKED);
}

static void hint_makes_room(void)
{
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 5000,
	};
	int fd = make(&arg);
	struct hmap_info i = info(fd);

	EQ(i.log2_buckets, 10);	/* 2^10 * 6.5 is the first to reach 5000 */
	for (__u64 k = 0; k < arg.hint; k++)
		EQ(put(fd, k, k), 0);
	i = info(fd);
	EQ(i.growths, 0);
	EQ(i.log2_buckets, 10);
}

static const struct test tests[] = {
	TEST(u32_keys),
	TEST(u64_keys),
	TEST(string_keys),
	TEST(byte_keys),
	TEST(variable_elems),
	TEST(strings_with_nuls),
	TEST(extreme_integers),
	TEST(insert_modes),
	TEST(clear_empties),
	TEST(info_tells),
	TEST(info_counts_calls),
	TEST(info_lists),
	TEST(hint_makes_room),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
