// SPDX-License-Identifier: GPL-2.0
/*
 * Look numbers up in a mapped map without a system call, and without a library.
 *
 *	hmapctl create --mapped --key u64 --elem u64 ports
 *	peek ports KEY...
 *
 * The rules are in <linux/hmap.h>.  A program that is to go on when
 * HMAP_CONTROL_VERSION does uses libhmap, or the ioctls.
 */
#define _FILE_OFFSET_BITS 64

#include <err.h>
#include <fcntl.h>
#include <linux/hmap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ACQUIRE(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define LOAD(p)		__atomic_load_n((const __u32 *)(p), __ATOMIC_RELAXED)
#define FENCE()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define TRIES		1000

enum { HIT, MISS, MOVED, AGAIN };

/* An array, and where it is mapped. */
struct array {
	struct hmap_control_array is;
	const char *at;
};

static int fd;
static const struct hmap_control *control;
static __u32 generation = 1;		/* odd: nothing is mapped yet */
static struct array present, old;

static const void *map(__u64 offset, __u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, offset);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void map_array(struct array *a, const struct hmap_control_array *is)
{
	if (a->is.bytes)
		munmap((void *)a->at, a->is.bytes);
	a->is = *is;
	if (is->bytes)
		a->at = map(is->offset, is->bytes);
}

/* Step 1: know the arrays that there are. */
static int refresh(void)
{
	__u32 now = ACQUIRE(&control->generation);
	struct hmap_control_array p, o;

	if (now == generation)
		return 1;
	p = control->present;
	o = control->old;
	FENCE();
	if (now & 1 || ACQUIRE(&control->generation) != now)
		return 0;
	map_array(&present, &p);
	map_array(&old, &o);
	generation = now;
	return 1;
}

/* Not every machine has a type for the product. */
static __u64 mix(__u64 a, __u64 b)
{
	__u64 low = (a & ~0U) * (b & ~0U);
	__u64 mid = (a >> 32) * (b & ~0U) + (low >> 32);
	__u64 mid2 = (a & ~0U) * (b >> 32) + (mid & ~0U);

	return ((a >> 32) * (b >> 32) + (mid >> 32) + (mid2 >> 32)) ^ a * b;
}

static const char *linked(const struct array *a, __u32 link)
{
	__u64 n = link - 1, at = ((1ULL << a->is.log2_buckets) + n) * control->stride;

	if (n >= a->is.spare) {
		n -= a->is.spare;
		at = a->is.overflow +
		     n / control->per_page * sysconf(_SC_PAGESIZE) +
		     n % control->per_page * control->stride;
	}
	return at + control->stride <= a->is.bytes ? a->at + at : NULL;
}

/* Whether the key is in one bucket; or MOVED. */
static int look(const char *bucket, int top, __u64 key, __u64 *elem)
{
	const __u8 *tophash = (const __u8 *)bucket + 8;
	const __u64 *keys = (const void *)(bucket + control->keys);
	const __u64 *elems = (const void *)(bucket + control->elems);

	for (int i = 0; i < 8; i++) {
		if (tophash[i] >= 2 && tophash[i] <= 4)
			return MOVED;
		if (tophash[i] == top && keys[i] == key) {
			*elem = elems[i];
			return HIT;
		}
	}
	return MISS;
}

static int look_in(const struct array *a, __u64 key, __u64 *elem)
{
	__u64 hash = mix(mix(key ^ control->secret[0] ^ a->is.hash0,
			     control->secret[1]) ^ a->is.hash0,
			 control->secret[2]);
	__u64 i = hash & ((1ULL << a->is.log2_buckets) - 1);
	const char *head = a->at + i * control->stride, *b = head;
	int top = hash >> 56 < 5 ? (hash >> 56) + 5 : hash >> 56;
	__u32 seq = ACQUIRE((const __u32 *)head), link;
	int ret = look(b, top, key, elem);

	for (int n = 1; ret == MISS && n < 128; n++) {
		link = LOAD(b + control->link);
		if (!link)
			break;
		b = linked(a, link);
		if (!b)
			return AGAIN;
		ret = look(b, top, key, elem);
		if (ret == MOVED)
			return AGAIN;
	}
	FENCE();
	return seq & 1 || LOAD(head) != seq ? AGAIN : ret;
}

static int lookup(__u64 key, __u64 *elem)
{
	struct hmap_entry entry = {
		.key = (unsigned long)&key,
		.elem = (unsigned long)elem,
		.key_len = 8,
		.elem_len = 8,
	};
	int ret;

	for (int tries = 0; tries < TRIES; tries++) {
		if (!refresh())
			continue;
		ret = old.is.bytes ? look_in(&old, key, elem) : MOVED;
		if (ret == MOVED)
			ret = present.is.bytes ?
			      look_in(&present, key, elem) : MISS;
		if (ret == HIT || ret == MISS)
			return ret;
	}
	return ioctl(fd, HMAP_IOC_LOOKUP, &entry) ? MISS : HIT;
}

int main(int argc, char **argv)
{
	struct hmap_open name = { 0 };
	__u64 elem;

	if (argc < 2)
		errx(1, "usage: peek MAP KEY...");
	fd = open("/dev/hmap", O_RDONLY);
	strncpy(name.name, argv[1], sizeof(name.name) - 1);
	if (fd < 0 || ioctl(fd, HMAP_IOC_OPEN, &name))
		err(1, "%s", argv[1]);
	control = map(0, sysconf(_SC_PAGESIZE));
	if (control->magic != HMAP_CONTROL_MAGIC ||
	    control->version != HMAP_CONTROL_VERSION ||
	    control->key_kind != HMAP_KIND_U64 || control->elem_size != 8)
		errx(1, "%s: not a map that this can read", argv[1]);
	for (int i = 2; i < argc; i++) {
		if (lookup(strtoull(argv[i], NULL, 0), &elem) == HIT)
			printf("%s %llu\n", argv[i], elem);
		else
			printf("no %s\n", argv[i]);
	}
	return 0;
}
