// SPDX-License-Identifier: GPL-2.0
/*
 * What a call costs a process: hmap's ioctls and those of bpf(2), one entry at a
 * time and many, in nanoseconds of the clock.  In QEMU with -icount shift=0 those
 * are instructions of the guest.
 *
 * Both maps are made for as many entries as they get, and are given the same keys
 * in the same order.  BPF's has its elements allocated beforehand, its default and
 * the faster way.  bpf(2) knows no lookup of many given keys: its lookup_batch is a
 * walk.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/hmap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define N	50000
#define BATCH	256

static uint64_t keys[N], elems[N];
static uint64_t found_keys[N + BATCH], found_elems[N + BATCH];
static int32_t results[BATCH];
static int hmap, bpf;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t address(const void *p)
{
	return (uintptr_t)p;
}

/* A bijection, so that all keys differ: the finalizer of MurmurHash3. */
static uint64_t key_of(uint64_t i)
{
	i = (i ^ i >> 33) * 0xff51afd7ed558ccdULL;
	i = (i ^ i >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return i ^ i >> 33;
}

/* === hmap === */

static void hmap_create(void)
{
	struct hmap_create create = {
		.key_kind = HMAP_KIND_U64,
		.key_size = sizeof(keys[0]),
		.elem_size = sizeof(elems[0]),
		.hint = N,
	};

	hmap = open("/dev/hmap", O_RDWR);
	if (hmap < 0 || ioctl(hmap, HMAP_IOC_CREATE, &create))
		die("/dev/hmap");
}

static unsigned int hmap_one(unsigned long cmd, const uint64_t *key,
			     uint64_t *elem)
{
	struct hmap_entry entry = {
		.key = address(key),
		.elem = address(elem),
		.key_len = sizeof(*key),
		.elem_len = elem ? sizeof(*elem) : 0,
	};

	return !ioctl(hmap, cmd, &entry);
}

static unsigned int hmap_insert(unsigned int i, unsigned int n)
{
	return hmap_one(HMAP_IOC_INSERT, keys + i, elems + i);
}

static unsigned int hmap_lookup(unsigned int i, unsigned int n)
{
	return hmap_one(HMAP_IOC_LOOKUP, keys + i, found_elems + i);
}

static unsigned int hmap_delete(unsigned int i, unsigned int n)
{
	return hmap_one(HMAP_IOC_DELETE, keys + i, NULL);
}

static unsigned int hmap_batch(unsigned long cmd, const uint64_t *keys,
			       uint64_t *elems, unsigned int n)
{
	struct hmap_batch batch = {
		.keys = address(keys),
		.elems = address(elems),
		.results = address(results),
		.count = n,
	};

	return ioctl(hmap, cmd, &batch) ? 0 : batch.count;
}

static unsigned int hmap_insert_batch(unsigned int i, unsigned int n)
{
	return hmap_batch(HMAP_IOC_INSERT_BATCH, keys + i, elems + i, n);
}

static unsigned int hmap_lookup_batch(unsigned int i, unsigned int n)
{
	return hmap_batch(HMAP_IOC_LOOKUP_BATCH, keys + i, found_elems + i, n);
}

static unsigned int hmap_delete_batch(unsigned int i, unsigned int n)
{
	return hmap_batch(HMAP_IOC_DELETE_BATCH, keys + i, NULL, n);
}

/* === BPF === */

static long bpf_call(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static void bpf_create(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = sizeof(keys[0]),
		.value_size = sizeof(elems[0]),
		.max_entries = N,
	};

	bpf = bpf_call(BPF_MAP_CREATE, &attr);
	if (bpf < 0)
		die("BPF_MAP_CREATE");
}

static unsigned int bpf_one(int cmd, const uint64_t *key, uint64_t *elem)
{
	union bpf_attr attr = {
		.map_fd = bpf,
		.key = address(key),
		.value = address(elem),
	};

	return !bpf_call(cmd, &attr);
}

static unsigned int bpf_update(unsigned int i, unsigned int n)
{
	return bpf_one(BPF_MAP_UPDATE_ELEM, keys + i, elems + i);
}

static unsigned int bpf_lookup(unsigned int i, unsigned int n)
{
	return bpf_one(BPF_MAP_LOOKUP_ELEM, keys + i, found_elems + i);
}

static unsigned int bpf_delete(unsigned int i, unsigned int n)
{
	return bpf_one(BPF_MAP_DELETE_ELEM, keys + i, NULL);
}

static unsigned int bpf_batch(int cmd, const uint64_t *keys, uint64_t *elems,
			      unsigned int n)
{
	union bpf_attr attr = {
		.batch.map_fd = bpf,
		.batch.keys = address(keys),
		.batch.values = address(elems),
		.batch.count = n,
	};

	return bpf_call(cmd, &attr) ? 0 : attr.batch.count;
}

static unsigned int bpf_update_batch(unsigned int i, unsigned int n)
{
	return bpf_batch(BPF_MAP_UPDATE_BATCH, keys + i, elems + i, n);
}

static unsigned int bpf_delete_batch(unsigned int i, unsigned int n)
{
	return bpf_batch(BPF_MAP_DELETE_BATCH, keys + i, NULL, n);
}

/* Takes up where the last one ended; ENOENT says that this is the end. */
static unsigned int bpf_lookup_batch(unsigned int i, unsigned int n)
{
	static uint32_t place;
	union bpf_attr attr = {
		.batch.map_fd = bpf,
		.batch.in_batch = i ? address(&place) : 0,
		.batch.out_batch = address(&place),
		.batch.keys = address(found_keys + i),
		.batch.values = address(found_elems + i),
		.batch.count = BATCH,
	};

	if (bpf_call(BPF_MAP_LOOKUP_BATCH, &attr) && errno != ENOENT)
		return 0;
	return attr.batch.count;
}

/* === Both === */

static unsigned int nothing(unsigned int i, unsigned int n)
{
	return 1;
}

static unsigned int nothing_batch(unsigned int i, unsigned int n)
{
	return n;
}

/* In this order: a map is filled, changed, read and emptied. */
static const struct op {
	const char *name;
	unsigned int step;
	/* Handles up to @n entries from the @i-th on; how many, 0 for an error */
	unsigned int (*call)(unsigned int i, unsigned int n);
} ops[] = {
	{ "hmap,insert", 1, hmap_insert },
	{ "hmap,update", 1, hmap_insert },
	{ "hmap,lookup", 1, hmap_lookup },
	{ "hmap,delete", 1, hmap_delete },
	{ "hmap,insert_batch", BATCH, hmap_insert_batch },
	{ "hmap,update_batch", BATCH, hmap_insert_batch },
	{ "hmap,lookup_batch", BATCH, hmap_lookup_batch },
	{ "hmap,delete_batch", BATCH, hmap_delete_batch },
	{ "bpf,insert", 1, bpf_update },
	{ "bpf,update", 1, bpf_update },
	{ "bpf,lookup", 1, bpf_lookup },
	{ "bpf,delete", 1, bpf_delete },
	{ "bpf,insert_batch", BATCH, bpf_update_batch },
	{ "bpf,update_batch", BATCH, bpf_update_batch },
	{ "bpf,lookup_batch", BATCH, bpf_lookup_batch },
	{ "bpf,delete_batch", BATCH, bpf_delete_batch },
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static uint64_t time_op(const struct op *op)
{
	uint64_t start = now();
	unsigned int i, done;

	for (i = 0; i < N; i += done) {
		done = op->call(i, i + op->step < N ? op->step : N - i);
		if (!done)
			die(op->name);
	}
	return now() - start;
}

static void check_found(const struct op *op)
{
	const uint64_t *wanted = op->call == bpf_lookup_batch ? found_keys :
							       keys;
	unsigned int i;

	for (i = 0; i < N; i++) {
		if (found_elems[i] != ~wanted[i]) {
			fprintf(stderr, "%s: a wrong elem\n", op->name);
			exit(1);
		}
	}
}

int main(void)
{
	const struct op one = { "nothing", 1, nothing };
	const struct op batch = { "nothing", BATCH, nothing_batch };
	const struct op *op;
	uint64_t ns;
	unsigned int i;

	hmap_create();
	bpf_create();
	for (i = 0; i < N; i++) {
		keys[i] = key_of(i);
		elems[i] = ~keys[i];
	}
	for (op = ops; op < ops + sizeof(ops) / sizeof(*op); op++) {
		/* Touches its pages, too. */
		memset(found_elems, 0, sizeof(found_elems));
		memset(found_keys, 0, sizeof(found_keys));
		ns = time_op(op);
		ns -= time_op(op->step == 1 ? &one : &batch);
		if (strstr(op->name, "lookup"))
			check_found(op);
		printf("%s,%.1f\n", op->name, (double)ns / N);
	}
	return 0;
}
