/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libhmap: lookups without a system call, in maps that were created with
 * HMAP_CREATE_MAPPED.
 *
 *	HMAP_VIEW_DEFINE(ports, __u32, struct port)
 *
 *	struct hmap_view *view = hmap_view(fd);
 *	struct port port;
 *
 *	if (!ports_lookup(view, 443, &port))
 *		use(&port);
 *
 * <linux/hmap.h> says how such a map lies in memory, and what a reader may rely
 * on.
 */
#ifndef _HMAP_VIEW_H
#define _HMAP_VIEW_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <linux/hmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Only what inline functions need; not for use.  What changes does so under
 * @seq, which is odd meanwhile.  The memory at @present stays mapped as long as
 * the view is there, whatever is mapped there.
 */
struct hmap_view {
	const struct hmap_control *control;
	unsigned long seq;
	__u64 shape;		/* HMAP_VIEW_SHAPE(), or 0: @present is not all */
	const char *present;	/* the first bucket */
	size_t mask;
	__u32 hash0;
	__u32 generation;	/* of the control page, when this was set */
	__u64 secret[3];
};

/**
 * hmap_view() - get a view of a map, to look keys up in
 * @fd: the map, open for reading; it may be closed then
 *
 * Views are for maps that were created with %HMAP_CREATE_MAPPED: a lookup then
 * reads the map's memory and does without a system call, but for a few when the
 * map has grown or was cleared, and when a writer keeps a bucket busy.  It gives
 * what hmap_lookup() would give, and is ordered with all other calls alike.  A
 * view of any other map, or of a kernel with another layout, works by
 * hmap_lookup().
 *
 * Threads share a view without locks.  After fork(2) each process has its own.
 *
 * Errors:
 *	EBADFD	@fd is not bound to a map
 *	ENOMEM	out of memory
 *
 * Return: the view, to be freed by hmap_view_close()
 */
struct hmap_view *hmap_view(int fd);

/**
 * hmap_view_close() - free a view
 * @view: the view, which no thread may be using
 */
void hmap_view_close(struct hmap_view *view);

/**
 * hmap_view_lookup() - read an elem
 * @view: the view
 * @key: the key
 * @key_len: its length
 * @elem: buffer for the elem
 * @elem_len: size of the buffer; set to the length of the elem
 *
 * What is in the buffer is undefined where the call fails.
 *
 * Errors:
 *	as for hmap_lookup()
 */
int hmap_view_lookup(struct hmap_view *view, const void *key, __u32 key_len,
		     void *elem, __u32 *elem_len);

/**
 * hmap_view_lookup_batch() - look up many keys
 * @view: the view
 * @keys: the keys, in any order
 * @key_lens: their lengths, or %NULL
 * @elems: buffer for the elems
 * @elem_lens: set to the length of each elem; or %NULL
 * @room: size of the buffer if elems vary in length, else 0
 * @results: set to 0 or a negative errno for each key
 * @count: number of keys; set to how many were processed
 *
 * All is as for hmap_lookup_batch(), but that it does without a system call.
 * It waits for the memory of several keys at once, and so takes less time than
 * lookups one by one where a map is larger than the processor's caches.
 */
int hmap_view_lookup_batch(struct hmap_view *view, const void *keys,
			   const __u32 *key_lens, void *elems,
			   __u32 *elem_lens, __u64 room, __s32 *results,
			   __u32 *count);

/* === What the inline functions are made of; not for use === */

#define HMAP_VIEW_INLINE	__attribute__((always_inline))
#define HMAP_VIEW_RARE(x)	__builtin_expect(!!(x), 0)

/* All there is to know of what keys and elems are. */
#define HMAP_VIEW_SHAPE(kind, key_size, elem_size)			\
	(1ULL << 56 | (__u64)(kind) << 48 | (__u64)(key_size) << 24 |	\
	 (elem_size))

/* A struct of as many bytes need not be aligned as an integer is. */
#define HMAP_VIEW_KIND(key)						\
	(__builtin_classify_type(key) != 1 ? HMAP_KIND_BYTES :		\
	 sizeof(key) == 4 ? HMAP_KIND_U32 :				\
	 sizeof(key) == 8 ? HMAP_KIND_U64 : HMAP_KIND_BYTES)

/* Where the parts of a bucket are. */
#define HMAP_VIEW_TOPHASH	8
#define HMAP_VIEW_KEYS		16
#define HMAP_VIEW_ELEMS(key_slot)	(HMAP_VIEW_KEYS + 8 * (key_slot))
#define HMAP_VIEW_LINK(key_slot, elem_slot)				\
	(HMAP_VIEW_ELEMS(key_slot) + 8 * (elem_slot))
#define HMAP_VIEW_STRIDE(key_slot, elem_slot)				\
	(HMAP_VIEW_LINK(key_slot, elem_slot) + 8)

enum {
	HMAP_VIEW_HIT,
	HMAP_VIEW_MISS,
	HMAP_VIEW_AGAIN,
};

static inline HMAP_VIEW_INLINE __u64 hmap_view_read8(const void *p)
{
	__u64 word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline HMAP_VIEW_INLINE __u32 hmap_view_read4(const void *p)
{
	__u32 word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* The two halves of a product of 128 bits, folded. */
static inline HMAP_VIEW_INLINE __u64 hmap_view_mix(__u64 a, __u64 b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = a;

	product *= b;
	return (__u64)product ^ (__u64)(product >> 64);
#else
	__u64 low = (a & 0xffffffff) * (b & 0xffffffff);
	__u64 mid = (a >> 32) * (b & 0xffffffff) + (low >> 32);
	__u64 mid2 = (a & 0xffffffff) * (b >> 32) + (mid & 0xffffffff);

	return ((a >> 32) * (b >> 32) + (mid >> 32) + (mid2 >> 32)) ^ a * b;
#endif
}

static inline HMAP_VIEW_INLINE __u64
hmap_view_hash_u64(const __u64 *secret, __u64 key, __u32 hash0)
{
	key = hmap_view_mix(key ^ secret[0] ^ hash0, secret[1]);
	return hmap_view_mix(key ^ hash0, secret[2]);
}

static inline HMAP_VIEW_INLINE __u64
hmap_view_hash_bytes(const __u64 *secret, const void *data, __u32 len,
		     __u32 hash0)
{
	const unsigned char *p = (const unsigned char *)data;
	__u64 seed = secret[0] ^ hash0, a = 0, b = 0;
	__u32 left;

	for (left = len; left > 16; left -= 16, p += 16)
		seed = hmap_view_mix(hmap_view_read8(p) ^ secret[1],
				     hmap_view_read8(p + 8) ^ seed);
	if (left >= 8) {
		a = hmap_view_read8(p);
		b = hmap_view_read8(p + left - 8);
	} else if (left >= 4) {
		a = hmap_view_read4(p);
		b = hmap_view_read4(p + left - 4);
	} else if (left) {
		a = p[0];
		b = (__u32)p[left / 2] << 8 | p[left - 1];
	}
	a = hmap_view_mix(a ^ secret[1], b ^ seed);
	return hmap_view_mix(a, secret[2] ^ (__u64)len << 1);
}

static inline HMAP_VIEW_INLINE __u64
hmap_view_hash(const __u64 *secret, __u32 kind, const void *key, __u32 len,
	       __u32 hash0)
{
	if (kind == HMAP_KIND_U64)
		return hmap_view_hash_u64(secret, hmap_view_read8(key), hash0);
	if (kind == HMAP_KIND_U32)
		return hmap_view_hash_u64(secret, hmap_view_read4(key), hash0);
	return hmap_view_hash_bytes(secret, key, len, hash0);
}

static inline HMAP_VIEW_INLINE unsigned int hmap_view_tophash(__u64 hash)
{
	unsigned int top = hash >> 56;

	return top < 5 ? top + 5 : top;
}

/* The tophash of slot i is byte i, counted from the lowest. */
static inline HMAP_VIEW_INLINE __u64 hmap_view_word(const char *bucket)
{
	__u64 value = hmap_view_read8(bucket + HMAP_VIEW_TOPHASH);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	return value;
}

/*
 * Bit 7 of byte i of the result is set if slot i has this tophash; one above the
 * lowest may also be where the tophash differs in bit 0.
 */
static inline HMAP_VIEW_INLINE __u64
hmap_view_match(__u64 word, unsigned int top)
{
	word ^= 0x0101010101010101ULL * top;
	return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
}

static inline HMAP_VIEW_INLINE int hmap_view_moved(__u64 word)
{
	return (word & 0xff) - 2 < 3;
}

static inline HMAP_VIEW_INLINE int
hmap_view_equal(__u32 kind, const char *slot, __u32 key_slot, const void *key,
		__u32 len)
{
	__u32 at;

	if (kind == HMAP_KIND_U64)
		return hmap_view_read8(slot) == hmap_view_read8(key);
	if (kind == HMAP_KIND_U32)
		return hmap_view_read4(slot) == hmap_view_read4(key);
	if (kind == HMAP_KIND_STRING &&
	    (unsigned char)slot[key_slot - 1] != len)
		return 0;
	for (at = 0; at + 8 <= len; at += 8)
		if (hmap_view_read8(slot + at) !=
		    hmap_view_read8((const char *)key + at))
			return 0;
	return !memcmp(slot + at, (const char *)key + at, len - at);
}

/* Look in one bucket, whose tophash bytes are @word; copy the elem. */
static inline HMAP_VIEW_INLINE int
hmap_view_find(const char *bucket, __u64 word, __u64 hash, __u32 kind,
	       __u32 key_slot, __u32 elem_slot, const void *key, __u32 len,
	       void *elem)
{
	const char *elems = bucket + HMAP_VIEW_ELEMS(key_slot);
	__u64 match = hmap_view_match(word, hmap_view_tophash(hash));
	unsigned int slot;

	for (; match; match &= match - 1) {
		slot = __builtin_ctzll(match) / 8;
		if (hmap_view_equal(kind, bucket + HMAP_VIEW_KEYS +
				    slot * key_slot, key_slot, key, len)) {
			elems += slot * elem_slot;
			if (elem_slot == 8)
				memcpy(elem, elems, 8);
			else
				memcpy(elem, elems, elem_slot);
			return 1;
		}
	}
	return 0;
}

/* Whether nothing was written to this bucket since @seq was read. */
static inline HMAP_VIEW_INLINE int
hmap_view_unchanged(const char *bucket, __u32 seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(seq & 1) &&
	       __atomic_load_n((const __u32 *)bucket, __ATOMIC_RELAXED) == seq;
}

/* As long as @seq stands, what else is in the view belongs together. */
static inline HMAP_VIEW_INLINE unsigned long
hmap_view_begin(const struct hmap_view *v)
{
	/* What is odd is not found again. */
	return __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE) & ~1UL;
}

static inline HMAP_VIEW_INLINE int
hmap_view_valid(const struct hmap_view *v, unsigned long seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&v->seq, __ATOMIC_RELAXED) == seq;
}

/* Whether the kernel's arrays are still those that the view knows. */
static inline HMAP_VIEW_INLINE int hmap_view_current(const struct hmap_view *v)
{
	return __atomic_load_n(&v->control->generation, __ATOMIC_ACQUIRE) ==
	       __atomic_load_n(&v->generation, __ATOMIC_RELAXED);
}

/*
 * Most lookups: the map is as the view knows it, does not grow, and the bucket
 * itself tells.
 */
static inline HMAP_VIEW_INLINE int
hmap_view_try(const struct hmap_view *v, __u32 kind, __u32 key_size,
	      __u32 elem_size, const void *key, void *elem)
{
	unsigned long seq = hmap_view_begin(v);
	__u64 shape = __atomic_load_n(&v->shape, __ATOMIC_RELAXED);
	const char *bucket = __atomic_load_n(&v->present, __ATOMIC_RELAXED);
	size_t mask = __atomic_load_n(&v->mask, __ATOMIC_RELAXED);
	__u32 hash0 = __atomic_load_n(&v->hash0, __ATOMIC_RELAXED);
	__u32 bucket_seq;
	__u64 hash, word;
	int found;

	if (HMAP_VIEW_RARE(shape != HMAP_VIEW_SHAPE(kind, key_size,
						    elem_size)) ||
	    HMAP_VIEW_RARE(!hmap_view_current(v)) ||
	    HMAP_VIEW_RARE(!hmap_view_valid(v, seq)))
		return HMAP_VIEW_AGAIN;

	hash = hmap_view_hash(v->secret, kind, key, key_size, hash0);
	bucket += (hash & mask) * HMAP_VIEW_STRIDE(key_size, elem_size);
	/* The key and its elem lie in one of the next two lines, or in both. */
	__builtin_prefetch(bucket + 64);
	__builtin_prefetch(bucket + 128);
	bucket_seq = __atomic_load_n((const __u32 *)bucket, __ATOMIC_ACQUIRE);
	word = hmap_view_word(bucket);
	found = hmap_view_find(bucket, word, hash, kind, key_size, elem_size,
			       key, key_size, elem);
	if (HMAP_VIEW_RARE(!found && !hmap_view_match(word, 0)) ||
	    HMAP_VIEW_RARE(!hmap_view_unchanged(bucket, bucket_seq)) ||
	    HMAP_VIEW_RARE(!hmap_view_valid(v, seq)))
		return HMAP_VIEW_AGAIN;
	return found ? HMAP_VIEW_HIT : HMAP_VIEW_MISS;
}

/**
 * HMAP_VIEW_DEFINE() - define a lookup for C types of keys and elems
 * @name: prefix of the function
 * @key_t: type of the keys; if a struct, one without padding
 * @elem_t: type of the elems
 *
 * ``HMAP_VIEW_DEFINE(ports, __u32, struct port)`` defines ports_lookup(), which
 * is hmap_view_lookup() for a map from __u32 to elems of that size.
 */
#define HMAP_VIEW_DEFINE(name, key_t, elem_t)				\
static inline int name##_lookup(struct hmap_view *view, key_t key,	\
				elem_t *elem)				\
{									\
	int ret = hmap_view_try(view, HMAP_VIEW_KIND(key),		\
				sizeof(key), sizeof(*elem), &key, elem); \
									\
	if (HMAP_VIEW_RARE(ret == HMAP_VIEW_AGAIN)) {			\
		key_t copy = key;					\
		__u32 len = sizeof(*elem);				\
									\
		return hmap_view_lookup(view, &copy, sizeof(copy), elem, \
					&len);				\
	}								\
	if (ret == HMAP_VIEW_HIT)					\
		return 0;						\
	errno = ENOENT;							\
	return -1;							\
}

#ifdef __cplusplus
}
#endif

#endif /* _HMAP_VIEW_H */
