// SPDX-License-Identifier: GPL-2.0
/*
 * hmap, called as kernel code would call it: through HMAP_DEFINE() where the
 * key's type is known, and the functions of hmap.h for strings.  Keys are
 * hashed by folded multiplications keyed by the map's seed.  Each lookup copies the elem out.
 */
#include "native.h"
#include "typed.h"
#include "internal.h"

HMAP_DEFINE(u64s, u64, u64)
HMAP_DEFINE(bytes16s, struct bytes16, u64)

static bool u64_insert(void *table, const void *key)
{
	const u64 elem = elem_of(key);

	return !u64s_insert(table, *(const u64 *)key, &elem, HMAP_ANY,
			    GFP_KERNEL);
}

static bool u64_find(void *table, const void *key, u64 *elem)
{
	return !u64s_lookup(table, *(const u64 *)key, elem);
}

static bool u64_delete(void *table, const void *key)
{
	return !u64s_delete(table, *(const u64 *)key);
}

static bool bytes16_insert(void *table, const void *key)
{
	const u64 elem = elem_of(key);

	return !bytes16s_insert(table, *(const struct bytes16 *)key, &elem,
				HMAP_ANY, GFP_KERNEL);
}

static bool bytes16_find(void *table, const void *key, u64 *elem)
{
	return !bytes16s_lookup(table, *(const struct bytes16 *)key, elem);
}

static bool bytes16_delete(void *table, const void *key)
{
	return !bytes16s_delete(table, *(const struct bytes16 *)key);
}

static __always_inline struct hmap_bytes string_of(const struct name *name)
{
	return (struct hmap_bytes){ name->bytes, name->len };
}

static bool string_insert(void *table, const void *key)
{
	const struct hmap_bytes string = string_of(key);
	const u64 elem = elem_of(key);

	return !hmap_insert(table, &string, &elem, HMAP_ANY, GFP_KERNEL);
}

static bool string_find(void *table, const void *key, u64 *elem)
{
	const struct hmap_bytes string = string_of(key);

	return !hmap_lookup(table, &string, elem);
}

static bool string_delete(void *table, const void *key)
{
	const struct hmap_bytes string = string_of(key);

	return !hmap_delete(table, &string);
}

DEFINE_LOOPS(u64, u64, u64);
DEFINE_LOOPS(bytes16, bytes16, struct bytes16);
DEFINE_LOOPS(string, string, struct name);

static void *create(enum key_kind kind, unsigned long n)
{
	const struct hmap_params strings = {
		.key_kind = HMAP_KEY_STRING,
		.elem_size = sizeof(u64),
		.hint = n,
	};

	switch (kind) {
	case KEYS_U64:
		return u64s_create(n);
	case KEYS_BYTES16:
		return bytes16s_create(n);
	default:
		return hmap_create(&strings);
	}
}

static void destroy(void *table)
{
	hmap_destroy(table);
}

static void settle(void *table)
{
	struct hmap *h = table;

	flush_work(&h->grow_work);
	flush_delayed_work(&h->finish_work);
}

static unsigned long iterate(void *table)
{
	struct hmap_iter it;
	unsigned long nr = 0;

	if (hmap_iter_init(&it, table, NULL))
		return 0;
	while (hmap_iter_next(&it) > 0) {
		OPTIMIZER_HIDE_VAR(it.elem);
		nr++;
	}
	hmap_iter_exit(&it);
	return nr;
}

const struct impl hmap_impl = {
	.name = "hmap",
	.grows = true,
	.presizes = true,
	.create = create,
	.destroy = destroy,
	.settle = settle,
	.iterate = iterate,
	.loops = { &u64_loops, &bytes16_loops, &string_loops },
};
