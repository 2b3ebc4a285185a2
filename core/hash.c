// SPDX-License-Identifier: GPL-2.0
/*
 * Hashing.  A hash is of 64 bits: the low B of them pick the bucket and the
 * top eight are the tophash, which must not be the same ones in a large table.
 *
 * All hashes depend on secrets drawn at boot as well as on the map's seed, so
 * that who picks the keys cannot pick collisions.  What does the work is in
 * key.h, but for the slower SipHash, for whoever wants a hash function that was
 * made to withstand those who can see what it returns.
 */
#include <linux/random.h>
#include <linux/siphash.h>

#include "internal.h"

static siphash_key_t siphash_secret __ro_after_init;
u64 hmap_mix_secret[3] __ro_after_init;
EXPORT_SYMBOL_GPL(hmap_mix_secret);

void hmap_mix_secret_init(u64 secret[3])
{
	get_random_bytes(secret, 3 * sizeof(*secret));
	/* An even multiplier would lose the key's top bit. */
	secret[1] |= 1;
	secret[2] |= 1;
}

void __init hmap_hash_init(void)
{
	get_random_bytes(&siphash_secret, sizeof(siphash_secret));
	hmap_mix_secret_init(hmap_mix_secret);
}

/* &hmap_type.hasher for HMAP_SIPHASH. */
u64 hmap_siphash(const void *data, size_t len, u32 hash0)
{
	siphash_key_t key = siphash_secret;

	key.key[0] ^= hash0;
	return siphash(data, len, &key);
}
EXPORT_SYMBOL_TEST(hmap_siphash);
