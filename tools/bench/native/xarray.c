// SPDX-License-Identifier: GPL-2.0
/*
 * An XArray, which takes an unsigned long for a key and has the elem, of 63
 * bits, in the place of a pointer.  It is not made for keys that are spread all
 * over: each needs some 4 KiB of nodes of its own, hence the limit.
 */
#include <linux/slab.h>
#include <linux/xarray.h>

#include "native.h"

static bool u64_insert(void *table, const void *key)
{
	void *elem = xa_mk_value(elem_of(key) >> 1);

	return !xa_is_err(xa_store(table, *(const u64 *)key, elem,
				   GFP_KERNEL));
}

/* The bit that there is no room for is that of the key, as in elem_of(). */
static bool u64_find(void *table, const void *key, u64 *elem)
{
	void *entry = xa_load(table, *(const u64 *)key);

	*elem = xa_to_value(entry) << 1 | (*(const u64 *)key & 1);
	return entry;
}

static bool u64_delete(void *table, const void *key)
{
	return xa_erase(table, *(const u64 *)key);
}

DEFINE_LOOPS(u64, u64, u64);

static void *create(enum key_kind kind, unsigned long n)
{
	struct xarray *xa = kmalloc(sizeof(*xa), GFP_KERNEL);

	if (xa)
		xa_init(xa);
	return xa;
}

static void destroy(void *table)
{
	xa_destroy(table);
	kfree(table);
}

static unsigned long iterate(void *table)
{
	unsigned long index, nr = 0;
	void *elem;

	xa_for_each((struct xarray *)table, index, elem)
		nr++;
	return nr;
}

const struct impl xarray_impl = {
	.name = "xarray",
	.max_n = 50000,
	.grows = true,
	.create = create,
	.destroy = destroy,
	.settle = no_settle,
	.iterate = iterate,
	.loops = { &u64_loops },
};
