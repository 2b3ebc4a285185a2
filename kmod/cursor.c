// SPDX-License-Identifier: GPL-2.0
/*
 * Cursors of walks, in a form that is safe to hand to user space.
 *
 * A cursor contains a hash.  Hashes of known keys would reveal the seed, with
 * which anybody can choose keys that collide.  So encrypt each word by a keyed
 * permutation of 64 bits, and chain the words, lest it show that two cursors
 * have some of them in common.  There is no need to authenticate a cursor: a
 * forged one decrypts to some other, and the core copes with any.
 */
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/string.h>

#include "../core/hmap.h"
#include "cursor.h"

static_assert(sizeof(struct hmap_cursor) == 3 * sizeof(u64));

#define ROUNDS	4	/* make a Feistel network a strong permutation */

static siphash_key_t cursor_key __ro_after_init;

static u32 feistel_round(u32 half, unsigned int word, unsigned int round)
{
	return siphash_2u32(half, word * ROUNDS + round, &cursor_key);
}

static u64 permute(u64 x, unsigned int word)
{
	u32 left = x >> 32, right = x;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		u32 next = left ^ feistel_round(right, word, i);

		left = right;
		right = next;
	}
	return (u64)left << 32 | right;
}

static u64 permute_back(u64 x, unsigned int word)
{
	u32 left = x >> 32, right = x;
	unsigned int i;

	for (i = ROUNDS; i-- > 0;) {
		u32 prev = right ^ feistel_round(left, word, i);

		right = left;
		left = prev;
	}
	return (u64)left << 32 | right;
}

static bool is_zero(const u64 words[3])
{
	return !(words[0] | words[1] | words[2]);
}

/* What makes equal places of different walks look different. */
static u64 walk_hash(const struct hmap_cursor *cursor)
{
	return siphash_2u64(cursor->epoch, cursor->start, &cursor_key);
}

/* Begin the chain with @next, in which all cursors of a walk differ. */
void hmap_cursor_seal(u64 sealed[3], const struct hmap_cursor *cursor)
{
	u64 plain[3] = { cursor->epoch, cursor->start, cursor->next };

	if (is_zero(plain)) {
		memset(sealed, 0, sizeof(plain));
		return;
	}
	sealed[2] = permute(plain[2] ^ walk_hash(cursor), 2);
	sealed[1] = permute(plain[1] ^ sealed[2], 1);
	sealed[0] = permute(plain[0] ^ sealed[1], 0);
}

/* Zeros begin a walk and are not sealed. */
void hmap_cursor_unseal(struct hmap_cursor *cursor, const u64 sealed[3])
{
	if (is_zero(sealed)) {
		*cursor = (struct hmap_cursor){ };
		return;
	}
	cursor->start = permute_back(sealed[1], 1) ^ sealed[2];
	cursor->epoch = permute_back(sealed[0], 0) ^ sealed[1];
	cursor->next = permute_back(sealed[2], 2) ^ walk_hash(cursor);
}

void __init hmap_cursor_init(void)
{
	get_random_bytes(&cursor_key, sizeof(cursor_key));
}
