// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: what it is charged to, and where arrays and blocks come from.
 */
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "trace.h"

#define MAX_SLAB_SIZE	(PAGE_SIZE / 2)	/* of what is not in pages of its own */

/* Add only if it fits: a large request that is refused disturbs no other. */
static bool add_within(atomic_long_t *used, size_t bytes, unsigned long max)
{
	long old = atomic_long_read(used);

	do {
		if (bytes > max || (unsigned long)old > max - bytes)
			return false;
	} while (!atomic_long_try_cmpxchg(used, &old, old + bytes));
	return true;
}

/**
 * hmap_charge() - Count memory against the limits on a map.
 * @h: the map
 * @bytes: how much
 *
 * Context: Any.
 * Return: 0, -ENOSPC if it is more than the map may use, or -EDQUOT if it is
 * more than the maps of its pool may.
 */
int hmap_charge(struct hmap *h, size_t bytes)
{
	struct hmap_pool *pool = h->pool;

	if (!add_within(&h->bytes, bytes, READ_ONCE(h->max_bytes))) {
		trace_hmap_limit(h, HMAP_LIMIT_BYTES, -ENOSPC);
		return -ENOSPC;
	}
	if (!pool || add_within(&pool->bytes, bytes,
				READ_ONCE(pool->max_bytes)))
		return 0;
	atomic_long_sub(bytes, &h->bytes);
	trace_hmap_limit(h, HMAP_LIMIT_POOL, -EDQUOT);
	return -EDQUOT;
}
EXPORT_SYMBOL_TEST(hmap_charge);

void hmap_uncharge(struct hmap *h, size_t bytes)
{
	atomic_long_sub(bytes, &h->bytes);
	if (h->pool)
		atomic_long_sub(bytes, &h->pool->bytes);
}
EXPORT_SYMBOL_TEST(hmap_uncharge);

/*
 * What an allocation really takes.  kmalloc() rounds what is over half a page up
 * to pages, too, but has these share a slab, which stays whole as long as one
 * of them is in use.  kvmalloc() would round a size that is just over a power of
 * two, as those of arrays are, up to the next one.  vmalloc_huge() rounds up to
 * large pages where it makes any.
 */
size_t hmap_alloc_size(size_t size)
{
	if (size <= MAX_SLAB_SIZE)
		return kmalloc_size_roundup(size);
	if (size <= KMALLOC_MAX_SIZE || size < PMD_SIZE ||
	    !IS_ENABLED(CONFIG_HAVE_ARCH_HUGE_VMALLOC))
		return PAGE_ALIGN(size);
	return ALIGN(size, PMD_SIZE);
}
EXPORT_SYMBOL_TEST(hmap_alloc_size);

/*
 * Pages in a row have larger mappings than vmalloc() makes, but more than two
 * are not worth reclaiming or moving anything for, as long as vmalloc() may be
 * called.
 */
static void *pages_alloc(size_t size, gfp_t gfp)
{
	bool blocking = gfpflags_allow_blocking(gfp);
	gfp_t first = gfp;
	void *p;

	if (size > KMALLOC_MAX_SIZE)
		return blocking ? vmalloc_huge(size, gfp) : NULL;
	if (blocking && size > 2 * PAGE_SIZE)
		first &= ~__GFP_RECLAIM;
	p = alloc_pages_exact(size, first);
	if (p) {
		/* To be searched for pointers to overflow buckets and blocks. */
		kmemleak_alloc(p, size, 1, gfp);
		return p;
	}
	return first != gfp ? __vmalloc(size, gfp) : NULL;
}

/*
 * On PREEMPT_RT the allocators take locks that sleep, whatever they are asked
 * for.  Calls from where that is not allowed do without memory.
 */
bool hmap_may_alloc(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

/**
 * hmap_alloc() - Allocate memory and charge it to a map.
 * @h: the map
 * @size: bytes
 * @gfp: how; may say __GFP_ZERO
 *
 * Context: Any that @gfp allows.
 * Return: The memory, or an ERR_PTR: -ENOMEM, or as hmap_charge().
 */
void *hmap_alloc(struct hmap *h, size_t size, gfp_t gfp)
{
	void *p;
	int err;

	if (!hmap_may_alloc())
		return ERR_PTR(-ENOMEM);
	size = hmap_alloc_size(size);
	err = hmap_charge(h, size);
	if (err)
		return ERR_PTR(err);
	gfp = hmap_gfp(h->param_flags, gfp);
	p = size <= MAX_SLAB_SIZE ? kmalloc(size, gfp) : pages_alloc(size, gfp);
	if (p)
		return p;
	hmap_uncharge(h, size);
	return ERR_PTR(-ENOMEM);
}

void hmap_free(struct hmap *h, void *p, size_t size)
{
	size = hmap_alloc_size(size);
	if (is_vmalloc_addr(p)) {
		vfree(p);
	} else if (size > MAX_SLAB_SIZE) {
		kmemleak_free(p);
		free_pages_exact(p, size);
	} else {
		kfree(p);
	}
	hmap_uncharge(h, size);
}
