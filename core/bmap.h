/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bucket: tophash[8], eight keys, eight elems, the overflow pointer.
 *
 * All keys stand together, then all elems, so that a map from u64 to u8 pays
 * no padding.  Eight slots make each of the parts a multiple of eight bytes,
 * whatever the size of a key or an elem.
 */
#ifndef _HMAP_BMAP_H
#define _HMAP_BMAP_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include "guard.h"
#include "hmap.h"

#define BUCKET_CNT	8
#define KEY_INLINE_STRING	HMAP_NR_KEY_KINDS	/* of a mapped map */
#define MAX_INLINE_SIZE	128	/* bytes; longer keys and elems are pointed to */

/*
 * What a tophash byte says where it is not the top of a hash.  EMPTY_REST also
 * says that no later slot of the chain is in use.
 */
enum tophash {
	EMPTY_REST,
	EMPTY_ONE,
	EVACUATED_X,		/* to the same index of the new array */
	EVACUATED_Y,		/* to the index plus the old array's size */
	EVACUATED_EMPTY,
	MIN_TOPHASH,
};

struct bmap {
	union {
		u8 tophash[BUCKET_CNT];
		__le64 tophash_word;
	};
	/* Keys, elems and the overflow pointer follow, see struct hmap_type. */
};

#define STRING_INLINE	23	/* bytes of a string that lie in its slot */
#define STRING_LONG	24U	/* it has that many or more, and a block */

/**
 * struct hmap_string - the slot of a string
 * @block: all of it, if it is long; else NULL
 * @bytes: all of it, if it is short; else the first bytes
 * @len: bytes in it; STRING_LONG if it is long
 */
struct hmap_string {
	struct hmap_block *block;
	u8 bytes[STRING_INLINE] __aligned(8);
	u8 len;
};

/**
 * struct hmap_type - what Go's maptype is to a Go map
 * @key_kind: enum hmap_key_kind, or KEY_INLINE_STRING
 * @indirect_key: a key's slot begins with a pointer to a block, which is NULL
 *	for a short string
 * @indirect_elem: an elem's slot holds a pointer to a block
 * @var_elem: elems differ in length
 * @mapped: others see the buckets: overflow buckets have numbers, and slots that
 *	are not in use are zero
 * @key_slot: bytes a key takes in a bucket
 * @elem_slot: bytes an elem takes in a bucket
 * @elems: offset of the elems in a bucket
 * @overflow: offset of the overflow pointer, or number
 * @per_page: (@mapped) buckets in an overflow page
 * @bucket_size: bytes in a bucket
 * @stride: bytes from one bucket of an array to the next
 * @key_size: bytes in a key, 0 for strings; the most for KEY_INLINE_STRING
 * @elem_size: bytes in an elem; the most it may have for @var_elem
 * @overflow_cache: where overflow buckets come from, but for @mapped
 * @secret: what hashes depend on besides the seed
 * @hasher: &hmap_params.hasher
 */
struct hmap_type {
	u8 key_kind;
	bool indirect_key;
	bool indirect_elem;
	bool var_elem;
	bool mapped;
	u16 key_slot;
	u16 elem_slot;
	u16 elems;
	u16 overflow;
	u32 per_page;
	u32 bucket_size;
	u32 stride;
	u32 key_size;
	u32 elem_size;
	struct kmem_cache *overflow_cache;
	const u64 *secret;
	u64 (*hasher)(const void *key, size_t len, u32 hash0);
};

extern u64 hmap_mix_secret[3];

/* What follows from what keys and elems are: where those are known, constant. */
static __always_inline struct hmap_type
hmap_type_of(u8 key_kind, u32 key_size, u32 elem_size, bool var_elem)
{
	struct hmap_type t = {
		.key_kind = key_kind,
		.indirect_key = key_kind == HMAP_KEY_STRING ||
				key_size > MAX_INLINE_SIZE,
		.indirect_elem = var_elem || elem_size > MAX_INLINE_SIZE,
		.var_elem = var_elem,
		.key_size = key_size,
		.elem_size = elem_size,
		.secret = hmap_mix_secret,
	};

	t.key_slot = t.indirect_key ? sizeof(void *) : key_size;
	if (key_kind == HMAP_KEY_STRING)
		t.key_slot = sizeof(struct hmap_string);
	if (key_kind == KEY_INLINE_STRING)
		t.key_slot = round_up(key_size + 1, 8);
	t.elem_slot = t.indirect_elem ? sizeof(void *) : elem_size;
	t.elems = sizeof(struct bmap) + BUCKET_CNT * t.key_slot;
	t.overflow = t.elems + BUCKET_CNT * t.elem_slot;
	t.bucket_size = t.overflow + 8;
	t.stride = sizeof(struct guard) + t.bucket_size;
	return t;
}

/* Whether the API passes keys of a kind as a &struct hmap_bytes. */
static __always_inline bool kind_is_string(u8 kind)
{
	return kind == HMAP_KEY_STRING || kind == KEY_INLINE_STRING;
}

static inline enum hmap_key_kind hmap_key_kind(const struct hmap_type *t)
{
	return kind_is_string(t->key_kind) ? HMAP_KEY_STRING : t->key_kind;
}

static inline u8 tophash(u64 hash)
{
	u8 top = hash >> 56;

	return top < MIN_TOPHASH ? top + MIN_TOPHASH : top;
}

static inline u64 tophash_load(const struct bmap *b)
{
	return le64_to_cpu(READ_ONCE(b->tophash_word));
}

/*
 * The eight bytes of a word are compared at once: taking 1 from each byte
 * borrows into bit 7 of those that were 0.  The lowest byte that is claimed is
 * right; above it a 0x01 may be claimed in error.  So this tells exactly
 * whether there is any, and which is the first.
 */
static inline u64 tophash_zero_bytes(u64 word)
{
	return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
}

/*
 * Bit 7 of byte i of the result is set if slot i has this tophash; it may also
 * be if slot i has the tophash that differs in bit 0, whose key is another.
 */
static inline u64 tophash_match(u64 word, u8 top)
{
	return tophash_zero_bytes(word ^ (0x0101010101010101ULL * top));
}

/* Likewise if slot i is empty, that is, EMPTY_REST or EMPTY_ONE. */
static inline u64 tophash_match_empty(u64 word)
{
	return tophash_zero_bytes(word & 0xfefefefefefefefeULL);
}

/* The lowest slot in what the above returned, which is not 0. */
static inline unsigned int tophash_first(u64 match)
{
	return __ffs64(match) / 8;
}

static inline bool is_empty(u8 top)
{
	return top <= EMPTY_ONE;
}

/* EMPTY_ONE in the highest slots of a word, as EMPTY_REST. */
static inline u64 tophash_trim(u64 word)
{
	unsigned int bits;

	for (bits = fls64(word); bits % 8 == EMPTY_ONE; bits = fls64(word))
		word &= ~(1ULL << (bits - 1));
	return word;
}

/*
 * A bucket's word when slot @i has been made empty.  If there is nothing in use
 * behind it, it and the empty ones before it say so from now on.  @last tells
 * whether that goes for what is behind the bucket, should @i be its last slot;
 * as for other slots, the last one tells.
 */
static inline u64 tophash_without(u64 word, unsigned int i, bool last)
{
	const unsigned int end = 8 * (BUCKET_CNT - 1);

	word &= ~(0xffULL << 8 * i);
	word |= (u64)EMPTY_ONE << 8 * i;
	if (word >> end && !(last && i == BUCKET_CNT - 1))
		return word;
	return tophash_trim(word);
}

/*
 * Evacuation marks the whole chain, the first bucket last and in one store: so
 * that one speaks for all.
 */
static inline bool tophash_evacuated(u64 word)
{
	u8 top = word;

	return top > EMPTY_ONE && top < MIN_TOPHASH;
}

/*
 * The filter of a chain has a bit for each tophash behind the head, and keeps
 * it when the entry goes, until nothing is left there.
 *
 * A lookup may read filter and head without the lock, in either order: a key
 * that is there all the while is in one slot all the while, and so either the
 * head or the filter shows it.  What is new in the chain is there once the guard
 * has been let go, and then so is its bit.
 */
static inline u32 filter_bit(u8 top)
{
	return 1U << top % 32;
}

static __always_inline bool filter_lacks(const struct bmap *head, u8 top)
{
	return !(READ_ONCE(guard_of(head)->filter) & filter_bit(top));
}

/* Under the guard, or while nobody looks at the chain. */
static __always_inline void filter_add(struct bmap *head, u8 top)
{
	struct guard *g = guard_of(head);

	WRITE_ONCE(g->filter, g->filter | filter_bit(top));
}

static inline bool evacuated(const struct bmap *head)
{
	/* Pairs with the release in evac_mark(). */
	return tophash_evacuated(smp_load_acquire(&head->tophash[0]));
}

static inline void *bmap_key(const struct hmap_type *t, struct bmap *b,
			     unsigned int slot)
{
	return (void *)b + sizeof(*b) + slot * t->key_slot;
}

static inline void *bmap_elem(const struct hmap_type *t, struct bmap *b,
			      unsigned int slot)
{
	return (void *)b + t->elems + slot * t->elem_slot;
}

static inline struct bmap **bmap_overflow_slot(const struct hmap_type *t,
					       struct bmap *b)
{
	return (void *)b + t->overflow;
}

/* Where others may see the bucket, there is the next one's number plus 1, or 0. */
static inline u32 *bmap_link(const struct hmap_type *t, struct bmap *b)
{
	return (void *)b + t->overflow;
}

/* Nothing of the entries that were in a bucket is to be seen. */
static inline void bmap_wipe(const struct hmap_type *t, struct bmap *b)
{
	memset(b + 1, 0, t->overflow - sizeof(*b));
}

static inline void bmap_wipe_slot(const struct hmap_type *t, struct bmap *b,
				  unsigned int slot)
{
	memset(bmap_key(t, b, slot), 0, t->key_slot);
	memset(bmap_elem(t, b, slot), 0, t->elem_slot);
}

#endif /* _HMAP_BMAP_H */
