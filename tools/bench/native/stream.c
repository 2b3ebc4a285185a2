// SPDX-License-Identifier: GPL-2.0
/*
 * The keys: made once for each kind and number, and then the same, in the same
 * order, for all; ../go has them, too.  Lookups come in another order than
 * inserts did, lest objects that were allocated one after the other be read one
 * after the other.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "native.h"

#define LOOKUPS	131072	/* least number of keys to look up */

const char *const key_kind_names[NR_KEY_KINDS] = {
	[KEYS_U64] = "u64",
	[KEYS_BYTES16] = "bytes16",
	[KEYS_STRING] = "string",
};

/* A bijection, so that all keys differ: the finalizer of MurmurHash3. */
static u64 scramble(u64 i)
{
	i = (i ^ i >> 33) * 0xff51afd7ed558ccdULL;
	i = (i ^ i >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return i ^ i >> 33;
}

static void make_key(void *key, enum key_kind kind, unsigned long i)
{
	struct bytes16 *bytes = key;

	switch (kind) {
	case KEYS_U64:
		*(u64 *)key = scramble(i);
		break;
	case KEYS_BYTES16:
		*bytes = (struct bytes16){ { scramble(i), scramble(~i) } };
		break;
	default:
		name_of(key, i);
	}
}

static size_t size_of(enum key_kind kind)
{
	switch (kind) {
	case KEYS_U64:
		return sizeof(u64);
	case KEYS_BYTES16:
		return sizeof(struct bytes16);
	default:
		return sizeof(struct name);
	}
}

static void shuffle(u32 *order, unsigned long n, u64 seed)
{
	unsigned long i, j;

	for (i = n - 1; i; i--) {
		j = (scramble(seed + i) >> 32) * (i + 1) >> 32;
		swap(order[i], order[j]);
	}
}

/*
 * Keys from the @first on, in so many orders, each shuffled from the last; by
 * halves, so that of two CPUs neither gets a key of the other's.
 */
static void *make_keys(const struct stream *s, unsigned long first,
		       unsigned long orders, u32 *order, u64 seed)
{
	void *keys = vmalloc(array3_size(s->n, s->key_size, orders));
	unsigned long i, half = s->n / 2;
	void *key = keys;

	for (; keys && orders; orders--, seed += s->n) {
		shuffle(order, half, seed);
		shuffle(order + half, s->n - half, seed + half);
		for (i = 0; i < s->n; i++, key += s->key_size)
			make_key(key, s->kind, first + order[i]);
		cond_resched();
	}
	return keys;
}

int stream_init(struct stream *s, enum key_kind kind, unsigned long n)
{
	u32 *order = vmalloc(array_size(n, sizeof(*order)));
	unsigned long i;

	*s = (struct stream){
		.kind = kind,
		.n = n,
		.orders = max(1UL, LOOKUPS / n),
		.key_size = size_of(kind),
	};
	if (!order)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		order[i] = i;
	shuffle(order, n, 0);
	s->hit = make_keys(s, 0, s->orders, order, n);
	s->miss = make_keys(s, n, s->orders, order, n);
	/* Of what is inserted together, no more than of the rest is in a half. */
	shuffle(order, n, 0);
	s->insert = make_keys(s, 0, 1, order, n);
	vfree(order);
	if (s->insert && s->miss && s->hit)
		return 0;
	stream_exit(s);
	return -ENOMEM;
}

void stream_exit(struct stream *s)
{
	vfree(s->insert);
	vfree(s->miss);
	vfree(s->hit);
}
