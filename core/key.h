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

static __always_inline u64 hmap_hash_u64(const u64 secret[3], u64 key,
					 u32 hash0)
{
	key = hmap_mix(key ^ secret[0] ^ hash0, secret[1]);
	return hmap_mix(key ^ hash0, secret[2]);
}

static __always_inline u64 hmap_read8(const void *p)
{
	u64 word;

	__builtin_memcpy(&word, p, 8);
	return word;
}

static __always_inline u32 hmap_read4(const void *p)
{
	u32 word;

	__builtin_memcpy(&word, p, 4);
	return word;
}

/*
 * What Go falls back to where the CPU has no AES (memhashFallback(), after
 * wyhash): each 16 bytes are folded into the seed, and the last two words that
 * are read may overlap.
 */
static __always_inline u64 hmap_hash_bytes(const u64 secret[3],
					   const void *data, u32 len, u32 hash0)
{
	u64 seed = secret[0] ^ hash0, a = 0, b = 0;
	u32 left;

	for (left = len; left > 16; left -= 16, data += 16)
		seed = hmap_mix(hmap_read8(data) ^ secret[1],
				hmap_read8(data + 8) ^ seed);
	if (left >= 8) {
		a = hmap_read8(data);
		b = hmap_read8(data + left - 8);
	} else if (left >= 4) {
		a = hmap_read4(data);
		b = hmap_read4(data + left - 4);
	} else if (left) {
		a = *(const u8 *)data;
		b = *(const u8 *)(data + left / 2) << 8 |
		    *(const u8 *)(data + left - 1);
	}
	a = hmap_mix(a ^ secret[1], b ^ seed);
	/* Odd, as an even multiplier would lose the top bit. */
	return hmap_mix(a, secret[2] ^ (u64)len << 1);
}

/* The bytes of a key as the API passes it. */
static __always_inline struct hmap_bytes
key_bytes(const struct hmap_type *t, u8 kind, const void *key)
{
	if (kind_is_string(kind))
		return *(const struct hmap_bytes *)key;
	return (struct hmap_bytes){ key, t->key_size };
}

static __always_inline u64 key_hash(const struct hmap_type *t, u8 kind,
				    const void *key, u32 hash0)
{
	struct hmap_bytes bytes;

	if (likely(!t->hasher)) {
		if (kind == HMAP_KEY_U64)
			return hmap_hash_u64(t->secret, *(const u64 *)key,
					     hash0);
		if (kind == HMAP_KEY_U32)
			return hmap_hash_u64(t->secret, *(const u32 *)key,
					     hash0);
	}
	bytes = key_bytes(t, kind, key);
	if (unlikely(t->hasher))
		return t->hasher(bytes.data, bytes.len, hash0);
	return hmap_hash_bytes(t->secret, bytes.data, bytes.len, hash0);
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

/* Of equal length, up to STRING_INLINE; the words that are read may overlap. */
static __always_inline bool short_equal(const void *a, const void *b, u32 len)
{
	if (len >= 8)
		return hmap_read8(a) == hmap_read8(b) &&
		       hmap_read8(a + len - 8) == hmap_read8(b + len - 8) &&
		       (len <= 16 || hmap_read8(a + 8) == hmap_read8(b + 8));
	if (len >= 4)
		return hmap_read4(a) == hmap_read4(b) &&
		       hmap_read4(a + len - 4) == hmap_read4(b + len - 4);
	for (; len; len--)
		if (*(const u8 *)a++ != *(const u8 *)b++)
			return false;
	return true;
}

static __always_inline bool block_equal(const struct hmap_block *block,
					struct hmap_bytes bytes)
{
	return block && block->len == bytes.len &&
	       !memcmp(block->data, bytes.data, bytes.len);
}

static __always_inline bool string_equal(const struct hmap_string *slot,
					 struct hmap_bytes bytes)
{
	if (READ_ONCE(slot->len) != min(bytes.len, STRING_LONG))
		return false;
	if (likely(bytes.len < STRING_LONG))
		return short_equal(slot->bytes, bytes.data, bytes.len);
	return short_equal(slot->bytes, bytes.data, STRING_INLINE) &&
	       block_equal(slot_block(slot), bytes);
}

/* The length is the slot's last byte. */
static __always_inline u8 *inline_string_len(const struct hmap_type *t,
					     const void *slot)
{
	return (u8 *)slot + t->key_slot - 1;
}

static __always_inline bool inline_string_equal(const struct hmap_type *t,
						const void *slot,
						struct hmap_bytes bytes)
{
	if (READ_ONCE(*inline_string_len(t, slot)) != bytes.len)
		return false;
	if (likely(bytes.len < STRING_LONG))
		return short_equal(slot, bytes.data, bytes.len);
	return !memcmp(slot, bytes.data, bytes.len);
}

static __always_inline bool key_equal(const struct hmap_type *t, u8 kind,
				      const void *key, const void *slot)
{
	if (kind == HMAP_KEY_U64)
		return READ_ONCE(*(const u64 *)slot) == *(const u64 *)key;
	if (kind == HMAP_KEY_U32)
		return READ_ONCE(*(const u32 *)slot) == *(const u32 *)key;
	if (kind == HMAP_KEY_STRING)
		return string_equal(slot, *(const struct hmap_bytes *)key);
	if (kind == KEY_INLINE_STRING)
		return inline_string_equal(t, slot, key_bytes(t, kind, key));
	if (!t->indirect_key)
		return hmap_equal(slot, key, t->key_size);
	return block_equal(slot_block(slot), key_bytes(t, kind, key));
}

/* The bytes of a key that is in a slot, or in a copy of one. */
static __always_inline struct hmap_bytes
slot_bytes(const struct hmap_type *t, u8 kind, const void *slot)
{
	const struct hmap_string *string = slot;
	const struct hmap_block *block;

	if (kind == KEY_INLINE_STRING)
		return (struct hmap_bytes){ slot, *inline_string_len(t, slot) };
	if (!t->indirect_key)
		return (struct hmap_bytes){ slot, t->key_size };
	if (kind == HMAP_KEY_STRING && string->len < STRING_LONG)
		return (struct hmap_bytes){ string->bytes, string->len };
	block = slot_block(slot);
	return (struct hmap_bytes){ block->data, block->len };
}

/* Whether a key is to be stored by pointer. */
static __always_inline bool key_needs_block(const struct hmap_type *t,
					    const void *key)
{
	if (t->key_kind == HMAP_KEY_STRING)
		return ((const struct hmap_bytes *)key)->len >= STRING_LONG;
	return t->indirect_key;
}

/* Store a key, under the guard; @block holds it if it is to be by pointer. */
static __always_inline void slot_set_key(const struct hmap_type *t, void *slot,
					 const void *key,
					 struct hmap_block *block)
{
	const struct hmap_bytes *bytes = key;
	struct hmap_string *string = slot;

	if (t->key_kind == KEY_INLINE_STRING) {
		/* What is behind it is zero, as all of an unused slot is. */
		hmap_copy(slot, bytes->data, bytes->len);
		WRITE_ONCE(*inline_string_len(t, slot), bytes->len);
		return;
	}
	if (!t->indirect_key) {
		hmap_copy(slot, key, t->key_size);
		return;
	}
	slot_set_block(slot, block);
	if (t->key_kind != HMAP_KEY_STRING)
		return;
	hmap_copy(string->bytes, bytes->data,
		  min_t(u32, bytes->len, STRING_INLINE));
	WRITE_ONCE(string->len, min(bytes->len, STRING_LONG));
}

/* The hash of a key that is in a slot; under the guard if by pointer. */
static __always_inline u64 slot_hash(const struct hmap_type *t, u8 kind,
				     const void *slot, u32 hash0)
{
	const struct hmap_block *block;
	struct hmap_bytes bytes;

	if (!t->indirect_key && kind != KEY_INLINE_STRING)
		return key_hash(t, kind, slot, hash0);
	block = t->indirect_key ? slot_block(slot) : NULL;
	if (block)
		return block->hash;
	bytes = slot_bytes(t, kind, slot);
	return key_hash(t, HMAP_KEY_STRING, &bytes, hash0);
}

#endif /* _HMAP_KEY_H */
