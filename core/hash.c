// SPDX-License-Identifier: GPL-2.0
/*
 * Hashing.  A hash is of 64 bits: the low B of them pick the bucket and the
 * top eight are the tophash, which must not be the same ones in a large table.
 *
 * All hashes depend on a secret drawn at boot as well as on the map's seed, so
 * that who picks the keys cannot pick collisions.
 */
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/math64.h>

#include "internal.h"

static siphash_key_t secret __ro_after_init;	/* of bytes and strings */
static u64 mix_secret[3] __ro_after_init;	/* of integers */

void __init hmap_hash_init(void)
{
	get_random_bytes(&secret, sizeof(secret));
	get_random_bytes(mix_secret, sizeof(mix_secret));
	/* An even multiplier would lose the key's top bit. */
	mix_secret[1] |= 1;
	mix_secret[2] |= 1;
}

/* The two halves of a product of 128 bits, folded: wyhash's mixing step. */
static __always_inline u64 mix(u64 a, u64 b)
{
#ifdef __SIZEOF_INT128__
	__uint128_t product = (__uint128_t)a * b;

	return product ^ (product >> 64);
#else
	return mul_u64_u64_shr(a, b, 64) ^ a * b;
#endif
}

u64 hmap_hash_u64(u64 key, u32 hash0)
{
	u64 seed = (u64)hash0 << 32 | hash0;

	key = mix(key ^ mix_secret[0] ^ seed, mix_secret[1]);
	return mix(key ^ seed, mix_secret[2]);
}
EXPORT_SYMBOL_TEST(hmap_hash_u64);

u64 hmap_hash_bytes(const void *data, size_t len, u32 hash0)
{
	siphash_key_t key = secret;

	key.key[0] ^= hash0;
	return siphash(data, len, &key);
}
EXPORT_SYMBOL_TEST(hmap_hash_bytes);
