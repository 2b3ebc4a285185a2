// SPDX-License-Identifier: GPL-2.0
/* EXPLAIN tells the way that a lookup goes, and where an insert puts a key. */
#include "device.h"

#define NR	3000

static __u8 chain[HMAP_EXPLAIN_CHAIN][8];

static int explain(int fd, const void *key, __u32 key_len,
		   struct hmap_explain *e)
{
	*e = (struct hmap_explain){
		.key = (uintptr_t)key,
		.key_len = key_len,
		.chain = (uintptr_t)chain,
		.room = HMAP_EXPLAIN_CHAIN,
	};
	return call(fd, HMAP_IOC_EXPLAIN, e);
}

static __u8 tophash(const struct hmap_explain *e)
{
	return e->top < 5 ? e->top + 5 : e->top;
}

/*
 * The tophash bytes of a bucket and its chain, as debugfs has them; 0 if the array
 * has gone.
 */
static unsigned int read_chain(int fd, bool old, __u64 bucket,
			       __u8 words[][8])
{
	static char line[8192];
	unsigned int slots = 0;
	ssize_t len;
	char path[64], *token, *save;
	int file;

	need_debugfs();
	snprintf(path, sizeof(path), DEBUGFS "#%llu/buckets", info(fd).id);
	file = open(path, O_RDWR);
	OK(file >= 0);
	snprintf(line, sizeof(line), "%s%llu", old ? "old " : "", bucket);
	EQ(write(file, line, strlen(line)), strlen(line));
	len = read(file, line, sizeof(line) - 1);
	close(file);
	if (len == 0)
		return 0;
	OK(len > 0);
	line[len] = 0;
	token = bucket ? line : strchr(line, '\n') + 1;
	*strchr(token, '\n') = 0;
	token = strtok_r(token, " ", &save);
	EQ(strtoull(token, NULL, 10), bucket);
	while ((token = strtok_r(NULL, " ", &save))) {
		if (!strcmp(token, "->"))
			continue;
		words[slots / 8][slots % 8] = strlen(token) == 2 ?
			strtoul(token, NULL, 16) : strcspn(".-XYE", token);
		slots++;
	}
	return slots / 8;
}

/* Where a lookup ends by the rules, if the key is not found before. */
static unsigned int last_of(const struct hmap_explain *e)
{
	unsigned int i;

	if (e->flags & HMAP_EXPLAIN_FILTERED)
		return 0;
	for (i = 0; i + 1 < e->length; i++)
		for (int slot = 0; slot < 8; slot++)
			if (!chain[i][slot])
				return i;
	return i;
}

/*
 * Have it explained, and see that all agree.  The worker may move the bucket
 * meanwhile: then look again.
 */
static void explain_and_check(int fd, __u64 key, struct hmap_explain *e)
{
	static __u8 words[HMAP_EXPLAIN_CHAIN][8];
	struct hmap_info before, after;
	struct hmap_explain again;
	unsigned int length;
	__u64 elem, bucket;
	bool old;

	do {
		before = info(fd);
		EQ(explain(fd, &key, 8, e), 0);
		OK(e->flags & HMAP_EXPLAIN_BUCKETS);
		OK(e->bucket < 1ULL << e->log2_buckets);
		old = e->flags & HMAP_EXPLAIN_IN_OLD;
		bucket = e->bucket;
		if (old)
			bucket &= (1ULL << e->log2_oldbuckets) - 1;
		length = read_chain(fd, old, bucket, words);
		EQ(explain(fd, &key, 8, &again), 0);
		after = info(fd);
	} while (memcmp(e, &again, sizeof(again)) ||
		 before.log2_buckets != after.log2_buckets ||
		 before.same_size_growths != after.same_size_growths);

	EQ(!(e->flags & HMAP_EXPLAIN_FOUND), !!get(fd, key, &elem));
	EQ(e->log2_buckets, after.log2_buckets);
	EQ(length, e->length);
	SAME_BYTES(words, chain, 8 * length);
	if (e->flags & HMAP_EXPLAIN_FOUND) {
		EQ(chain[e->at][e->slot], tophash(e));
		OK(e->at <= last_of(e));
	} else {
		EQ(e->at, last_of(e));
	}
}

/* @e is what was told before the key was put there. */
static void check_insert(int fd, __u64 key, const struct hmap_explain *e)
{
	struct hmap_explain now;

	EQ(explain(fd, &key, 8, &now), 0);
	OK(now.flags & HMAP_EXPLAIN_FOUND);
	/* A growth may have begun since. */
	if (now.log2_buckets != e->log2_buckets ||
	    (now.flags & ~e->flags & HMAP_EXPLAIN_OLDBUCKETS))
		return;
	OK(!(now.flags & HMAP_EXPLAIN_IN_OLD));
	EQ(now.bucket, e->bucket);
	EQ(now.at, e->insert_at);
	EQ(now.slot, e->insert_slot);
	if (e->flags & HMAP_EXPLAIN_CHAINS)
		EQ(now.length, now.at + 1);
}

static void agrees(void)
{
	unsigned int old_hits = 0, old_misses = 0, chained = 0, doubled = 0;
	int fd = make_u64(NULL, 0);
	struct hmap_explain e;
	__u64 growths, k = 0;

	EQ(explain(fd, &k, 8, &e), 0);
	EQ(e.flags, 0);
	EQ(put(fd, 0, 0), 0);
	for (__u64 key = 1; key < NR; key++) {
		trying("key %llu", key);
		explain_and_check(fd, key, &e);
		OK(!(e.flags & HMAP_EXPLAIN_FOUND));
		old_misses += !!(e.flags & HMAP_EXPLAIN_IN_OLD);
		chained += !!(e.flags & HMAP_EXPLAIN_CHAINS);
		growths = info(fd).growths;
		EQ(put(fd, key, key), 0);
		/* Larger arrays are made by the worker, some time later. */
		if (e.log2_buckets < 5 && info(fd).growths > growths)
			OK(e.flags & HMAP_EXPLAIN_DOUBLES);
		doubled += info(fd).growths - growths;
		check_insert(fd, key, &e);

		k = random_u32() % key;
		explain_and_check(fd, k, &e);
		OK(e.flags & HMAP_EXPLAIN_FOUND);
		OK(!(e.flags & HMAP_EXPLAIN_CHAINS));
		if (e.flags & HMAP_EXPLAIN_IN_OLD) {
			old_hits++;
			EQ(put(fd, k, k), 0);
			check_insert(fd, k, &e);
		}
	}
	OK(old_hits && old_misses && chained && doubled);
}

static void after_deletes(void)
{
	int fd = make_u64(NULL, 0);
	struct hmap_explain e;

	for (__u64 key = 0; key < 500; key++)
		EQ(put(fd, key, key), 0);
	for (__u64 key = 0; key < 500; key++) {
		if (key % 3)
			EQ(del(fd, key), 0);
	}
	for (__u64 key = 0; key < 1000; key++) {
		trying("key %llu", key);
		explain_and_check(fd, key, &e);
		EQ(!(e.flags & HMAP_EXPLAIN_FOUND), key >= 500 || key % 3);
		EQ(put(fd, key, key), 0);
		check_insert(fd, key, &e);
		if (key % 3)
			EQ(del(fd, key), 0);
	}
}

/* A moving window of keys leaves overflow buckets behind, until they are too many. */
static void same_size(void)
{
	int fd = make_u64(NULL, 0);
	struct hmap_explain e;
	struct hmap_info i;
	__u64 key = 0;

	do {
		EQ(explain(fd, &key, 8, &e), 0);
		EQ(put(fd, key, key), 0);
		i = info(fd);
		EQ(!(e.flags & HMAP_EXPLAIN_SAME_SIZE), !i.same_size_growths);
		if (key++ >= 100)
			EQ(del(fd, key - 100), 0);
	} while (!i.same_size_growths && key < 100000);
	EQ(i.same_size_growths, 1);
}

static void strings(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = 4,
	};
	char key[200] = "a string that is longer than what fits into a slot";
	int fd = make(&arg);
	struct hmap_explain e;

	for (__u32 len = 0; len < sizeof(key); len++) {
		EQ(explain(fd, key, len, &e), 0);
		OK(!(e.flags & HMAP_EXPLAIN_FOUND));
		EQ(insert(fd, key, len, &len, 4, 0), 0);
		EQ(explain(fd, key, len, &e), 0);
		OK(e.flags & HMAP_EXPLAIN_FOUND);
		EQ(chain[e.at][e.slot], tophash(&e));
	}
	EQ(explain(fd, key, 4097, &e), -EINVAL);
}

static void wrong(void)
{
	int fd = make_u64("wrong", 0600), writer;
	struct hmap_explain e;
	__u64 key = 1;

	EQ(put(fd, 1, 1), 0);
	EQ(explain(fd, &key, 4, &e), -EINVAL);
	EQ(explain(fd, NOWHERE, 8, &e), -EFAULT);
	e = (struct hmap_explain){
		.key = (uintptr_t)&key, .key_len = 8, .room = 1,
		.chain = (uintptr_t)NOWHERE,
	};
	EQ(call(fd, HMAP_IOC_EXPLAIN, &e), -EFAULT);
	e.room = 0;
	EQ(call(fd, HMAP_IOC_EXPLAIN, &e), 0);
	EQ(e.length, 1);
	e.reserved = 1;
	EQ(call(fd, HMAP_IOC_EXPLAIN, &e), -EINVAL);
	writer = dev_open_map("wrong", O_WRONLY);
	EQ(explain(writer, &key, 8, &e), -EACCES);
	EQ(explain(dev(O_RDWR), &key, 8, &e), -EBADFD);
}

static int expected;

static void as_owner(void)
{
	struct hmap_explain e;
	__u64 key = 1;

	EQ(explain(make_u64(NULL, 0), &key, 8, &e), expected);
}

static void as_reader(void)
{
	int fd = dev_open_map("of-root", O_RDONLY);
	struct hmap_explain e;
	__u64 key = 1, elem;

	EQ(get(fd, 1, &elem), 0);
	EQ(explain(fd, &key, 8, &e), -EPERM);
}

static void for_whom(void)
{
	int fd = make_u64("of-root", 0604);
	struct hmap_explain e;
	__u64 key = 1;

	EQ(put(fd, 1, 1), 0);
	EQ(parameter("explain"), 1);
	expected = -EPERM;
	as(1000, as_owner);
	as(1000, as_reader);
	EQ(explain(fd, &key, 8, &e), 0);
	set_parameter("explain", 2);
	expected = 0;
	as(1000, as_owner);
	as(1000, as_reader);
	set_parameter("explain", 0);
	expected = -EPERM;
	as(1000, as_owner);
	EQ(explain(fd, &key, 8, &e), -EPERM);
}

static const struct test tests[] = {
	TEST(agrees),
	TEST(after_deletes),
	TEST(same_size),
	TEST(strings),
	TEST(wrong),
	TEST(for_whom),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
