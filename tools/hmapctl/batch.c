// SPDX-License-Identifier: GPL-2.0
/*
 * Many entries in one call.
 */
#include <errno.h>
#include <string.h>
#include "hmapctl.h"

bool batch_is_full(const struct batch *b)
{
	return b->nr == BATCH_ENTRIES ||
	       b->key_bytes + b->map->key.max > sizeof(b->keys) ||
	       b->elem_bytes + b->map->elem.max > sizeof(b->elems);
}

void batch_add(struct batch *b, const struct value *key,
	       const struct value *elem)
{
	memcpy(b->keys + b->key_bytes, key->data, key->len);
	b->key_bytes += key->len;
	b->key_lens[b->nr] = key->len;

	b->elem_lens[b->nr] = elem ? elem->len : b->map->elem.max;
	if (elem)
		memcpy(b->elems + b->elem_bytes, elem->data, elem->len);
	b->elem_bytes += b->elem_lens[b->nr];
	b->nr++;
}

void batch_clear(struct batch *b)
{
	b->nr = 0;
	b->key_bytes = 0;
	b->elem_bytes = 0;
}

void batch_item(const struct batch *b, __u32 i, struct hmap_item *item)
{
	item->key = i ? item->key + item->key_len : b->keys;
	item->elem = i ? item->elem + item->elem_len : b->elems;
	item->key_len = b->key_lens[i];
	item->elem_len = b->elem_lens[i];
}

/* What ended a call before it had done all is the result of those left. */
static void finish(struct batch *b, int ret, __u32 done)
{
	int err = errno;

	for (; ret && done < b->nr; done++)
		b->results[done] = -err;
}

static __u32 *key_lens(struct batch *b)
{
	return b->map->info.key_kind == HMAP_KIND_STRING ? b->key_lens : NULL;
}

static __u32 *elem_lens(struct batch *b)
{
	return b->map->info.create_flags & HMAP_CREATE_VAR_ELEM ?
	       b->elem_lens : NULL;
}

void batch_insert(struct batch *b)
{
	__u32 done = b->nr;
	int ret = hmap_insert_batch(b->map->fd, b->keys, key_lens(b), b->elems,
				    elem_lens(b), b->results, &done,
				    HMAP_INSERT_ANY);

	finish(b, ret, done);
}

void batch_lookup(struct batch *b)
{
	__u32 done = b->nr, *lens = elem_lens(b);
	int ret = hmap_lookup_batch(b->map->fd, b->keys, key_lens(b), b->elems,
				    lens, lens ? sizeof(b->elems) : 0,
				    b->results, &done);

	finish(b, ret, done);
}

void batch_delete(struct batch *b)
{
	__u32 done = b->nr;
	int ret = hmap_delete_batch(b->map->fd, b->keys, key_lens(b),
				    b->results, &done);

	finish(b, ret, done);
}
