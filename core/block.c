// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks: keys and elems stored by pointer.
 */
#include <linux/err.h>

#include "internal.h"

/* How many blocks that count against the same limits wait for RCU. */
static atomic_t *dying(struct hmap *h)
{
	return h->pool ? &h->pool->dying : &h->dying;
}

/*
 * Blocks that nobody refers to any more are charged until a grace period is
 * over.  Wait for them, where that is allowed, before refusing another.
 */
struct hmap_block *hmap_block_new(struct hmap *h, const void *data, u32 len,
				  gfp_t gfp)
{
	size_t size = sizeof(struct hmap_block) + len;
	struct hmap_block *block = hmap_alloc(h, size, gfp);

	if (IS_ERR(block) && PTR_ERR(block) != -ENOMEM &&
	    gfpflags_allow_blocking(gfp) && atomic_read(dying(h))) {
		rcu_barrier();
		block = hmap_alloc(h, size, gfp);
	}
	if (IS_ERR(block))
		return block;
	refcount_set(&block->refs, 1);
	block->len = len;
	block->h = h;
	memcpy(block->data, data, len);
	return block;
}

static void block_free(struct hmap_block *block)
{
	hmap_free(block->h, block, sizeof(*block) + block->len);
}

static void block_free_rcu(struct rcu_head *rcu)
{
	struct hmap_block *block = container_of(rcu, struct hmap_block, rcu);

	atomic_dec(dying(block->h));
	block_free(block);
}

/* Readers may still see what no slot refers to any more. */
void hmap_block_put(struct hmap_block *block)
{
	if (!block || !refcount_dec_and_test(&block->refs))
		return;
	atomic_inc(dying(block->h));
	call_rcu(&block->rcu, block_free_rcu);
}
EXPORT_SYMBOL_TEST(hmap_block_put);

/* Put a reference to a block that no reader can find. */
void hmap_block_put_now(struct hmap_block *block)
{
	if (block && refcount_dec_and_test(&block->refs))
		block_free(block);
}
