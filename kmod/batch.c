// SPDX-License-Identifier: GPL-2.0
/*
 * The calls on many entries.
 *
 * They are done by the chunk: what the caller passes for one is copied, the
 * buckets of all its keys are prefetched, each entry is done by itself, and
 * what came of them is copied back.
 */
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "entry.h"
#include "registry.h"
#include "user.h"

static_assert(sizeof(struct hmap_batch) == 6 * 8 + 2 * 4);

#define CHUNK		64	/* entries */
#define COLUMN_BYTES	(CHUNK * MAX_INLINE_SIZE)

/**
 * struct column - the keys, or the elems, of a chunk
 * @user: where the caller has them
 * @user_lens: where the caller has the bytes in each, if they differ
 * @len: bytes in each; the most one may have for @var
 * @var: they differ in length
 * @size: bytes there are at @data, at least @len
 * @data: a copy of them
 * @lens: bytes in each, for @var
 * @bytes: what to pass to the core, for @var
 */
struct column {
	u64 user;
	u64 user_lens;
	u32 len;
	bool var;
	u32 size;
	void *data;
	u32 lens[CHUNK];
	struct hmap_bytes bytes[CHUNK];
};

/**
 * struct batch - a batch under way
 * @map: the map
 * @arg: what the caller wants
 * @keys: of the present chunk
 * @elems: of the present chunk
 * @results: of the present chunk
 */
struct batch {
	struct user_map *map;
	struct hmap_batch arg;
	struct column keys;
	struct column elems;
	s32 results[CHUNK];
};

/* What a call does with a chunk of *@n entries; sets it to those it did. */
typedef int (*chunk_fn)(struct batch *b, u32 *n);

/* === Columns === */

static int column_init(struct column *c, u64 user, u64 user_lens, u32 len,
		       bool var, bool copied)
{
	c->user = user;
	c->user_lens = user_lens;
	c->len = len;
	c->var = var;
	c->data = NULL;
	if (!copied)
		return 0;
	c->size = max_t(u32, len, COLUMN_BYTES);
	c->data = kvmalloc(c->size, GFP_CALLER);
	return c->data ? 0 : -ENOMEM;
}

/* How many, of @n, lie within so many bytes; one that is too long does not. */
static u32 column_within(const struct column *c, u32 n, u32 bytes)
{
	u32 i;

	if (!c->var)
		return c->len ? min(n, bytes / c->len) : n;
	for (i = 0; i < n && c->lens[i] <= min(bytes, c->len); i++)
		bytes -= c->lens[i];
	return i;
}

static u32 column_bytes(const struct column *c, u32 n)
{
	u32 i, bytes = 0;

	if (!c->var)
		return n * c->len;
	for (i = 0; i < n; i++)
		bytes += c->lens[i];
	return bytes;
}

static void column_point(struct column *c, u32 n)
{
	void *data = c->data;
	u32 i;

	for (i = 0; i < n; i++) {
		c->bytes[i] = (struct hmap_bytes){ data, c->lens[i] };
		data += c->lens[i];
	}
}

/* Copy as many of the next @n as there is room for; how many, or an errno. */
static int column_get(struct column *c, u32 n)
{
	u32 bytes;

	if (c->var) {
		bytes = n * sizeof(*c->lens);
		bytes -= copy_from_user(c->lens, u64_to_user_ptr(c->user_lens),
					bytes);
		n = bytes / sizeof(*c->lens);
		if (!n)
			return -EFAULT;
	}

	n = column_within(c, n, c->size);
	if (!n)
		return -EINVAL;
	bytes = column_bytes(c, n);
	bytes -= copy_from_user(c->data, u64_to_user_ptr(c->user), bytes);
	n = column_within(c, n, bytes);
	if (!n)
		return -EFAULT;
	if (c->var)
		column_point(c, n);
	return n;
}

/* One of them, as the core takes it. */
static const void *column_at(const struct column *c, u32 i)
{
	return c->var ? (void *)&c->bytes[i] : c->data + i * c->len;
}

static void column_advance(struct column *c, u32 n)
{
	c->user += column_bytes(c, n);
	c->user_lens += n * sizeof(*c->lens);
}

/* === Chunks === */

static int insert_chunk(struct batch *b, u32 *n)
{
	u32 i;

	for (i = 0; i < *n; i++)
		b->results[i] = hmap_insert(b->map->h, column_at(&b->keys, i),
					    column_at(&b->elems, i),
					    b->arg.flags, GFP_CALLER);
	return 0;
}

static int delete_chunk(struct batch *b, u32 *n)
{
	u32 i;

	for (i = 0; i < *n; i++)
		b->results[i] = hmap_delete(b->map->h, column_at(&b->keys, i));
	return 0;
}

static int lookup_chunk(struct batch *b, u32 *n)
{
	u32 len = b->elems.len, i;
	void *elem = b->elems.data;

	for (i = 0; i < *n; i++, elem += len) {
		b->results[i] = hmap_lookup(b->map->h, column_at(&b->keys, i),
					    elem);
		if (b->results[i])
			memset(elem, 0, len);
	}
	return copy_to_user(u64_to_user_ptr(b->elems.user), b->elems.data,
			    *n * len) ? -EFAULT : 0;
}

static int put_held(struct batch *b, u32 i, u64 to)
{
	struct hmap_held held;
	int err = 0;

	b->results[i] = hmap_hold(b->map->h, column_at(&b->keys, i), &held);
	b->elems.lens[i] = 0;
	if (b->results[i]) {
		if (!b->elems.var && clear_user(u64_to_user_ptr(to),
						b->elems.len))
			err = -EFAULT;
		return err;
	}

	b->elems.lens[i] = held.len;
	if (b->elems.var && held.len > b->arg.room)
		err = -EMSGSIZE;
	else
		err = put_bytes(to, held.data, held.len);
	hmap_release(&held);
	return err;
}

/* Elems stored by pointer go from there to the caller. */
static int lookup_held_chunk(struct batch *b, u32 *n)
{
	struct column *c = &b->elems;
	u64 to = c->user;
	u32 i, lens;
	int err = 0;

	for (i = 0; i < *n; i++) {
		err = put_held(b, i, to);
		if (err)
			break;
		to += c->var ? c->lens[i] : c->len;
		b->arg.room -= c->var ? c->lens[i] : 0;
	}
	*n = i;
	if (!c->var)
		return err;

	/* And of the one there was no room for, how much it takes. */
	lens = i + (err == -EMSGSIZE);
	if (copy_to_user(u64_to_user_ptr(c->user_lens), c->lens,
			 lens * sizeof(*c->lens))) {
		*n = 0;
		return -EFAULT;
	}
	return err;
}

/* Do up to @n more entries; *@done is how many were done. */
static int batch_chunk(struct batch *b, chunk_fn fn, u32 n, u32 *done)
{
	u64 results = b->arg.results + (u64)*done * sizeof(*b->results);
	struct column *keys = &b->keys;
	int ret, err;

	ret = column_get(keys, n);
	if (ret > 0 && fn == insert_chunk)
		ret = column_get(&b->elems, ret);
	if (ret < 0)
		return ret;
	n = ret;
	if (get_ready_to_put(results, n * sizeof(*b->results)))
		return -EFAULT;

	hmap_prefetch(b->map->h, column_at(keys, 0),
		      keys->var ? sizeof(*keys->bytes) : keys->len, n);
	err = fn(b, &n);
	if (copy_to_user(u64_to_user_ptr(results), b->results,
			 n * sizeof(*b->results)))
		err = -EFAULT;
	column_advance(keys, n);
	column_advance(&b->elems, n);
	*done += n;
	return err;
}

static int batch_chunks(struct batch *b, chunk_fn fn, u32 *done)
{
	int err = 0;

	while (!err && *done < b->arg.count) {
		err = batch_chunk(b, fn, min_t(u32, b->arg.count - *done, CHUNK),
				  done);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

static bool batch_is_valid(const struct user_map *map,
			   const struct hmap_batch *arg, chunk_fn fn)
{
	bool elem_lens = map->var_elem && fn != delete_chunk;
	bool room = map->var_elem && fn == lookup_held_chunk;

	return arg->flags <= (fn == insert_chunk ? HMAP_INSERT_EXIST : 0) &&
	       (map->var_key || !arg->key_lens) &&
	       (elem_lens || !arg->elem_lens) && (room || !arg->room);
}

static int batch(struct user_map *map, chunk_fn fn, void __user *arg,
		 size_t size)
{
	struct batch *b;
	u32 done = 0;
	int err;

	b = kmalloc(sizeof(*b), GFP_CALLER);
	if (!b)
		return -ENOMEM;
	b->map = map;
	err = copy_struct_from_user(&b->arg, sizeof(b->arg), arg, size);
	if (!err && !batch_is_valid(map, &b->arg, fn))
		err = -EINVAL;
	if (err)
		goto free_batch;

	err = column_init(&b->keys, b->arg.keys, b->arg.key_lens, map->key_len,
			  map->var_key, true);
	if (err)
		goto free_batch;
	err = column_init(&b->elems, b->arg.elems, b->arg.elem_lens,
			  map->elem_len, map->var_elem && fn != delete_chunk,
			  fn == insert_chunk || fn == lookup_chunk);
	if (err)
		goto free_keys;

	err = batch_chunks(b, fn, &done);
	b->arg.count = done;
	if (put_struct(arg, &b->arg, sizeof(b->arg), size))
		err = -EFAULT;

	kvfree(b->elems.data);
free_keys:
	kvfree(b->keys.data);
free_batch:
	kfree(b);
	return err;
}

/* === Calls === */

int hmap_batch_insert(struct user_map *map, void __user *arg, size_t size)
{
	return batch(map, insert_chunk, arg, size);
}

int hmap_batch_lookup(struct user_map *map, void __user *arg, size_t size)
{
	return batch(map, map->held ? lookup_held_chunk : lookup_chunk, arg,
		     size);
}

int hmap_batch_delete(struct user_map *map, void __user *arg, size_t size)
{
	return batch(map, delete_chunk, arg, size);
}
