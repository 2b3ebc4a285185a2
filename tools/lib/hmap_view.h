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

/* === Only what inline functions need; not for use === */

/*
 * Where an array is mapped.  None of this changes, and as long as the view is there,
 * memory is: that of another array of the same size, if this one is gone.
 */
struct hmap_view_array {
	const char *buckets;
	size_t mask;
	__u32 shape;		/* HMAP_VIEW_SHAPE(); 0: has to be asked for */
};

/*
 * @array and @hash0 are those of the control page in @generation.  While they are
 * changed, that is a generation that the page does not have.
 */
struct hmap_view {
	__u32 generation;
	__u32 hash0;
	const struct hmap_view_array *array;
	const struct hmap_control *control;
	__u64 secret[3];
};

/* === The interface === */

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

/* Look into the buckets behind this one, which is the first of its chain. */
int hmap_view_look_behind(const struct hmap_view *view, const char *bucket,
			  __u64 hash, const void *key, __u32 key_len,
			  void *elem);

#define HMAP_VIEW_INLINE	__attribute__((always_inline))
#define HMAP_VIEW_RARE(x)	__builtin_expect(!!(x), 0)

/* All there is to know of what keys and elems are; 1 is no map's. */
#define HMAP_VIEW_SHAPE(kind, key_size, elem_size)			\
	((key_size) > HMAP_MAPPED_SIZE_MAX ||				\
	 (elem_size) > HMAP_MAPPED_SIZE_MAX ? 1U :			\
	 1U << 24 | (__u32)(kind) << 16 | (__u32)(key_size) << 8 |	\
	 (__u32)(elem_size))

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
	HMAP_VIEW_MOVED,
};

/* What belongs to the caller */
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

/*
 * What the kernel may be writing to meanwhile, so that all is read once: words that
 * are aligned by atomic loads, and by volatile ones the parts of keys and elems that
 * need not be.
 */
static inline HMAP_VIEW_INLINE __u32 hmap_view_load4(const void *p)
{
	return __atomic_load_n((const __u32 *)p, __ATOMIC_RELAXED);
}

static inline HMAP_VIEW_INLINE __u64 hmap_view_load8(const void *p)
{
#if __SIZEOF_LONG__ == 8
	return __atomic_load_n((const __u64 *)p, __ATOMIC_RELAXED);
#else
	__u32 halves[2] = { hmap_view_load4(p),
			    hmap_view_load4((const char *)p + 4) };

	return hmap_view_read8(halves);
#endif
}

typedef __u64 __attribute__((aligned(1), may_alias)) hmap_view_part8;
typedef __u32 __attribute__((aligned(1), may_alias)) hmap_view_part4;

static inline HMAP_VIEW_INLINE __u64 hmap_view_peek8(const void *p)
{
	return *(const volatile hmap_view_part8 *)p;
}

static inline HMAP_VIEW_INLINE __u32 hmap_view_peek4(const void *p)
{
	return *(const volatile hmap_view_part4 *)p;
}

static inline HMAP_VIEW_INLINE unsigned char hmap_view_peek1(const void *p)
{
	return *(const volatile unsigned char *)p;
}

/* Have all that was read be older than what is read from now on. */
static inline HMAP_VIEW_INLINE void hmap_view_fence(void)
{
#ifdef __SANITIZE_THREAD__
	__sync_synchronize();	/* gcc warns of any other then */
#else
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
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
	unsigned int top = (unsigned int)(hash >> 56);

	return top < 5 ? top + 5 : top;
}

/* The tophash of slot i is byte i, counted from the lowest. */
static inline HMAP_VIEW_INLINE __u64 hmap_view_word(const char *bucket)
{
	__u64 value = hmap_view_load8(bucket + HMAP_VIEW_TOPHASH);

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

static inline HMAP_VIEW_INLINE int
hmap_view_equal(__u32 kind, const char *slot, __u32 key_slot, const void *key,
		__u32 len)
{
	const unsigned char *k = (const unsigned char *)key;
	__u32 at;

	if (kind == HMAP_KIND_U64)
		return hmap_view_load8(slot) == hmap_view_read8(key);
	if (kind == HMAP_KIND_U32)
		return hmap_view_load4(slot) == hmap_view_read4(key);
	if (kind == HMAP_KIND_STRING &&
	    hmap_view_peek1(slot + key_slot - 1) != len)
		return 0;
	for (at = 0; at + 8 <= len; at += 8)
		if (hmap_view_peek8(slot + at) != hmap_view_read8(k + at))
			return 0;
	if (len & 4) {
		if (hmap_view_peek4(slot + at) != hmap_view_read4(k + at))
			return 0;
		at += 4;
	}
	for (; at < len; at++)
		if (hmap_view_peek1(slot + at) != k[at])
			return 0;
	return 1;
}

static inline HMAP_VIEW_INLINE void
hmap_view_copy(void *elem, const char *slot, __u32 len)
{
	unsigned char *to = (unsigned char *)elem;
	__u32 at, half;
	__u64 word;

	if (len == 8) {
		word = hmap_view_load8(slot);
		memcpy(to, &word, sizeof(word));
		return;
	}
	for (at = 0; at + 8 <= len; at += 8) {
		word = hmap_view_peek8(slot + at);
		memcpy(to + at, &word, sizeof(word));
	}
	if (len & 4) {
		half = hmap_view_peek4(slot + at);
		memcpy(to + at, &half, sizeof(half));
		at += 4;
	}
	for (; at < len; at++)
		to[at] = hmap_view_peek1(slot + at);
}

/* Look in one bucket, whose tophash bytes are @word; copy the elem. */
static inline HMAP_VIEW_INLINE int
hmap_view_find(const char *bucket, __u64 word, __u64 hash, __u32 kind,
	       __u32 key_slot, __u32 elem_slot, const void *key, __u32 len,
	       void *elem)
{
	const char *keys = bucket + HMAP_VIEW_KEYS;
	__u64 match = hmap_view_match(word, hmap_view_tophash(hash));
	unsigned int slot;

	for (; match; match &= match - 1) {
		slot = (unsigned int)__builtin_ctzll(match) / 8;
		if (hmap_view_equal(kind, keys + slot * key_slot, key_slot, key,
				    len)) {
			hmap_view_copy(elem, bucket + HMAP_VIEW_ELEMS(key_slot) +
				       slot * elem_slot, elem_slot);
			return 1;
		}
	}
	return 0;
}

/* The sequence of a bucket; what is odd is not found again. */
static inline HMAP_VIEW_INLINE __u32 hmap_view_seq(const void *bucket)
{
	return __atomic_load_n((const __u32 *)bucket, __ATOMIC_ACQUIRE) & ~1U;
}

/* As long as this stands, what else changes in the view belongs together. */
static inline HMAP_VIEW_INLINE __u32
hmap_view_generation(const struct hmap_view *v)
{
	return __atomic_load_n(&v->generation, __ATOMIC_ACQUIRE);
}

/* Whether the kernel's arrays are those of this generation. */
static inline HMAP_VIEW_INLINE int
hmap_view_is_current(const struct hmap_view *v, __u32 generation)
{
	return __atomic_load_n(&v->control->generation, __ATOMIC_ACQUIRE) ==
	       generation;
}

/* Whether what was read under these belongs together; one branch for both. */
static inline HMAP_VIEW_INLINE int
hmap_view_is_settled(const struct hmap_view *v, __u32 generation,
		     const char *bucket, __u32 seq)
{
	hmap_view_fence();
	return !((hmap_view_load4(bucket) ^ seq) |
		 (hmap_view_load4(&v->generation) ^ generation));
}

/* With integers copied, for the caller to have its own in a register. */
static inline HMAP_VIEW_INLINE int
hmap_view_try_behind(const struct hmap_view *v, __u32 kind, const char *bucket,
		     __u64 hash, const void *key, __u32 len, void *elem)
{
	__u64 copy[1];

	if (kind == HMAP_KIND_U64 || kind == HMAP_KIND_U32)
		key = memcpy(copy, key, len);
	return hmap_view_look_behind(v, bucket, hash, key, len, elem);
}

/* All but what takes a system call, or looking into two arrays. */
static inline HMAP_VIEW_INLINE int
hmap_view_try(const struct hmap_view *v, __u32 shape, __u32 kind,
	      __u32 key_slot, __u32 elem_slot, const void *key, __u32 len,
	      void *elem)
{
	__u32 generation = hmap_view_generation(v), seq;
	const struct hmap_view_array *array = __atomic_load_n(&v->array,
							      __ATOMIC_ACQUIRE);
	__u32 hash0 = __atomic_load_n(&v->hash0, __ATOMIC_RELAXED);
	const char *bucket;
	int ret = HMAP_VIEW_HIT;
	__u64 hash, word;

	if (HMAP_VIEW_RARE(array->shape != shape) ||
	    HMAP_VIEW_RARE(!hmap_view_is_current(v, generation)))
		return HMAP_VIEW_AGAIN;

	hash = hmap_view_hash(v->secret, kind, key, len, hash0);
	bucket = array->buckets + ((size_t)hash & array->mask) *
				  HMAP_VIEW_STRIDE(key_slot, elem_slot);
	/* The key and its elem lie in one of the next two lines, or in both. */
	__builtin_prefetch(bucket + 64);
	__builtin_prefetch(bucket + 128);
	seq = hmap_view_seq(bucket);
	word = hmap_view_word(bucket);
	if (!hmap_view_find(bucket, word, hash, kind, key_slot, elem_slot, key,
			    len, elem)) {
		ret = HMAP_VIEW_MISS;
		if (HMAP_VIEW_RARE(!hmap_view_match(word, 0))) {
			ret = hmap_view_try_behind(v, kind, bucket, hash, key,
						   len, elem);
			if (ret >= HMAP_VIEW_AGAIN)
				return ret;
		}
	}
	if (HMAP_VIEW_RARE(!hmap_view_is_settled(v, generation, bucket, seq)))
		return HMAP_VIEW_AGAIN;
	return ret;
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
	int ret = hmap_view_try(view,					\
				HMAP_VIEW_SHAPE(HMAP_VIEW_KIND(key),	\
						sizeof(key),		\
						sizeof(*elem)),		\
				HMAP_VIEW_KIND(key), sizeof(key),	\
				sizeof(*elem), &key, sizeof(key), elem); \
									\
	if (HMAP_VIEW_RARE(ret >= HMAP_VIEW_AGAIN)) {			\
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
