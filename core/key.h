/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hash and equality of keys, by kind, and what slots hold.  A key comes as the
 * API passes it, or as a bucket's slot holds it.  Where the kind is a constant,
 * so is the code.
 */
#ifndef _HMAP_KEY_H
#define _HMAP_KEY_H

#include <linux/math64.h>
#include <linux/string.h>

#include "internal.h"

/*
 * Inline keys and elems are short, and most often a word: a word at a time
 * beats calling memcpy().
 */
static __always_inline void hmap_copy(void *to, const void *from, u32 size)
{
	if (likely(size == 8)) {
		__builtin_memcpy(to, from, 8);
		return;
	}
	for (; size >= 8; size -= 8, to += 8, from += 8)
		__builtin_memcpy(to, from, 8);
	if (size >= 4) {
		__builtin_memcpy(to, from, 4);
		size -= 4, to += 4, from += 4;
	}
	for (; size; size--)
		*(u8 *)to++ = *(const u8 *)from++;
}

/* Likewise for comparing. */
static __always_inline bool hmap_equal(const void *a, const void *b, u32 size)
{
	u64 x, y;

	for (; size >= 8; size -= 8, a += 8, b += 8) {
		__builtin_memcpy(&x, a, 8);
		__builtin_memcpy(&y, b, 8);
		if (x != y)
			return false;
	}
	return !size || !memcmp(a, b, size);
}

/* The two halves of a product of 128 bits, folded: wyhash's mixing step. */
static __always_inline u64 hmap_mix(u64 a, u64 b)
{
#ifdef __SIZEOF_INT128__
	__uint128_t product = (__uint128_t)a * b;

	return product ^ (product >> 64);
#else
	return mul_u64_u64_shr(a, b, 64) ^ a * b;
#endif
}

static __always_inline u64 hmap_hash_u64(u64 key, u32 hash0)
{
	key = hmap_mix(key ^ hmap_mix_secret[0] ^ hash0, hmap_mix_secret[1]);
	return hmap_mix(key ^ hash0, hmap_mix_secret[2]);
}

#define HMAP_SHORT	16	/* bytes, at most, that are hashed as two words */

/* 1 to HMAP_SHORT bytes; the two words they are read as may overlap. */
static __always_inline u64 hmap_hash_short(const void *data, u32 len, u32 hash0)
{
	u64 a = 0, b = 0;

	if (len >= 8) {
		__builtin_memcpy(&a, data, 8);
		__builtin_memcpy(&b, data + len - 8, 8);
	} else if (len >= 4) {
		__builtin_memcpy(&a, data, 4);
		__builtin_memcpy(&b, data + len - 4, 4);
	} else {
		a = *(const u8 *)data;
		b = *(const u8 *)(data + len / 2) << 8 |
		    *(const u8 *)(data + len - 1);
	}
	a = hmap_mix(a ^ hmap_mix_secret[0] ^ hash0, b ^ hmap_mix_secret[1]);
	return hmap_mix(a ^ hash0, hmap_mix_secret[2]);
}

/* The bytes of a key as the API passes it. */
static __always_inline struct hmap_bytes
key_bytes(const struct hmap_type *t, u8 kind, const void *key)
{
	if (kind == HMAP_KEY_STRING)
		return *(const struct hmap_bytes *)key;
	return (struct hmap_bytes){ key, t->key_size };
}

static __always_inline u64 key_hash(const struct hmap_type *t, u8 kind,
				    const void *key, u32 hash0)
{
	struct hmap_bytes bytes;

	if (likely(!t->hasher)) {
		if (kind == HMAP_KEY_U64)
			return hmap_hash_u64(*(const u64 *)key, hash0);
		if (kind == HMAP_KEY_U32)
			return hmap_hash_u64(*(const u32 *)key, hash0);
		if (kind == HMAP_KEY_BYTES && t->key_size <= HMAP_SHORT)
			return hmap_hash_short(key, t->key_size, hash0);
	}
	bytes = key_bytes(t, kind, key);
	if (unlikely(t->hasher))
		return t->hasher(bytes.data, bytes.len, hash0);
	return hmap_hash_bytes(bytes.data, bytes.len, hash0);
}

/* A slot that is not in use may hold a NULL; the tophash is read before it. */
static __always_inline struct hmap_block *slot_block(const void *slot)
{
	return READ_ONCE(*(struct hmap_block *const *)slot);
}

static __always_inline void slot_set_block(void *slot,
					   struct hmap_block *block)
{
	/* Pairs with the address dependency on slot_block(). */
	smp_store_release((struct hmap_block **)slot, block);
}

static __always_inline bool key_equal(const struct hmap_type *t, u8 kind,
				      const void *key, const void *slot)
{
	const struct hmap_block *block;
	struct hmap_bytes bytes;

	if (kind == HMAP_KEY_U64)
		return READ_ONCE(*(const u64 *)slot) == *(const u64 *)key;
	if (kind == HMAP_KEY_U32)
		return READ_ONCE(*(const u32 *)slot) == *(const u32 *)key;
	if (kind == HMAP_KEY_BYTES && !t->indirect_key)
		return hmap_equal(slot, key, t->key_size);

	block = slot_block(slot);
	bytes = key_bytes(t, kind, key);
	return block && block->len == bytes.len &&
	       !memcmp(block->data, bytes.data, bytes.len);
}

/* The hash of a key that is in a slot; under the stripe. */
static __always_inline u64 slot_hash(const struct hmap_type *t, u8 kind,
				     const void *slot, u32 hash0)
{
	const struct hmap_block *block;
	struct hmap_bytes string;

	if (!t->indirect_key)
		return key_hash(t, kind, slot, hash0);
	block = slot_block(slot);
	string = (struct hmap_bytes){ block->data, block->len };
	if (kind == HMAP_KEY_STRING)
		return key_hash(t, HMAP_KEY_STRING, &string, hash0);
	return key_hash(t, HMAP_KEY_BYTES, block->data, hash0);
}

#endif /* _HMAP_KEY_H */
