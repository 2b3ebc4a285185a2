// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: many entries in one call.
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

/* The entries that are still to be processed. */
struct rest {
	__u32 done;
	size_t key_at;
	size_t elem_at;
};

/*
 * Skip the @nr entries that a call has processed.  Returns true if it has to be
 * called again, because it was interrupted: stopping and continuing the process
 * does that.  Any other error becomes the result of the remaining entries.
 */
static bool go_on(struct batch *b, struct rest *rest, __u32 nr, int ret)
{
	int err = errno;

	for (; nr; nr--, rest->done++) {
		rest->key_at += b->key_lens[rest->done];
		rest->elem_at += b->elem_lens[rest->done];
	}
	if (ret && err == EINTR)
		return true;
	for (; rest->done < b->nr; rest->done++)
		b->results[rest->done] = -err;
	return false;
}

static __u32 *key_lens(struct batch *b, const struct rest *rest)
{
	return b->map->info.key_kind == HMAP_KIND_STRING ?
	       b->key_lens + rest->done : NULL;
}

static __u32 *elem_lens(struct batch *b, const struct rest *rest)
{
	return b->map->info.create_flags & HMAP_CREATE_VAR_ELEM ?
	       b->elem_lens + rest->done : NULL;
}

void batch_insert(struct batch *b)
{
	struct rest rest = { 0 };
	__u32 nr;
	int ret;

	do {
		nr = b->nr - rest.done;
		ret = hmap_insert_batch(b->map->fd, b->keys + rest.key_at,
					key_lens(b, &rest),
					b->elems + rest.elem_at,
					elem_lens(b, &rest),
					b->results + rest.done, &nr,
					HMAP_INSERT_ANY);
	} while (go_on(b, &rest, nr, ret));
}

void batch_lookup(struct batch *b)
{
	struct rest rest = { 0 };
	__u32 nr, *lens;
	int ret;

	do {
		nr = b->nr - rest.done;
		lens = elem_lens(b, &rest);
		ret = hmap_lookup_batch(b->map->fd, b->keys + rest.key_at,
					key_lens(b, &rest),
					b->elems + rest.elem_at, lens,
					lens ? sizeof(b->elems) - rest.elem_at : 0,
					b->results + rest.done, &nr);
	} while (go_on(b, &rest, nr, ret));
}

void batch_delete(struct batch *b)
{
	struct rest rest = { 0 };
	__u32 nr;
	int ret;

	do {
		nr = b->nr - rest.done;
		ret = hmap_delete_batch(b->map->fd, b->keys + rest.key_at,
					key_lens(b, &rest),
					b->results + rest.done, &nr);
	} while (go_on(b, &rest, nr, ret));
}
