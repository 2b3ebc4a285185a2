// SPDX-License-Identifier: GPL-2.0
/*
 * The calls on many entries.
 *
 * A batch is done in chunks: copy what the caller passes for one, prefetch the
 * buckets of all its keys, do one entry after the other, and copy the results
 * back.
 *
 * What copy_to_user() and copy_from_user() return may be less than they copied,
 * and does not tell which entry a fault belongs to.  So a chunk that faults is
 * begun again as chunks of one entry.
 */
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

#include "entry.h"
#include "registry.h"
#include "user.h"

static_assert(sizeof(struct hmap_batch) == 6 * 8 + 2 * 4);

#define CHUNK		64	/* entries, at most */
#define CHUNK_BYTES	8192	/* of keys or elems, unless one takes more */

/**
 * struct lengths - the keys, or the elems, of a chunk, if they vary in length
 * @lens: bytes in each
 * @bytes: each of them as the core takes it
 */
struct lengths {
	u32 lens[CHUNK];
	struct hmap_bytes bytes[CHUNK];
};

/**
 * struct column - the keys, or the elems, of a chunk
 * @user: where the caller has them
 * @user_lens: where the caller has the bytes in each, for @var
 * @len: bytes in each; the most one may have if @var is set
 * @size: room at @data, at least @len
 * @var: their lengths; NULL if all are the same
 * @data: a copy of them
 */
struct column {
	u64 user;
	u64 user_lens;
	u32 len;
	u32 size;
	struct lengths *var;
	void *data;
};

/**
 * struct batch - a batch under way
 * @map: the map
 * @calls: where its entries are counted
 * @arg: what the caller wants
 * @keys: the keys of the present chunk
 * @elems: its elems
 * @results: its results
 */
struct batch {
	struct user_map *map;
	unsigned long __percpu *calls;
	struct hmap_batch arg;
	struct column keys;
	struct column elems;
	s32 results[CHUNK];
};

/* Do a chunk of *@n entries, and set *@n to how many were done. */
typedef int (*chunk_fn)(struct batch *b, u32 *n);

/* === Columns === */

static void column_exit(struct column *c)
{
	kvfree(c->data);
	kfree(c->var);
}

static int column_init(struct column *c, u64 user, u64 user_lens, u32 len,
		       bool var, bool copied)
{
	*c = (struct column){
		.user = user,
		.user_lens = user_lens,
		.len = len,
		.size = max(len, min_t(u32, CHUNK * len, CHUNK_BYTES)),
	};
	if (var)
		c->var = kmalloc(sizeof(*c->var), GFP_CALLER);
	if (copied)
		c->data = kvmalloc(c->size, GFP_CALLER);
	if ((var && !c->var) || (copied && !c->data)) {
		column_exit(c);
		return -ENOMEM;
	}
	return 0;
}

/* How many of the next @n there is room for, up to one that is too long. */
static u32 column_fits(const struct column *c, u32 n)
{
	u32 i, bytes = c->size;

	if (!c->var)
		return c->len ? min(n, bytes / c->len) : n;
	for (i = 0; i < n && c->var->lens[i] <= min(bytes, c->len); i++)
		bytes -= c->var->lens[i];
	return i;
}

static u32 column_bytes(const struct column *c, u32 n)
{
	u32 i, bytes = 0;

	if (!c->var)
		return n * c->len;
	for (i = 0; i < n; i++)
		bytes += c->var->lens[i];
	return bytes;
}

static void column_point(struct column *c, u32 n)
{
	void *data = c->data;
	u32 i;

	for (i = 0; i < n; i++) {
		c->var->bytes[i] = (struct hmap_bytes){ data, c->var->lens[i] };
		data += c->var->lens[i];
	}
}

/* Copy up to @n more, as there is room.  Return how many, or an errno. */
static int column_get(struct column *c, u32 n)
{
	if (c->var && get_bytes(c->var->lens, c->user_lens,
				n * sizeof(*c->var->lens)))
		return -EFAULT;
	n = column_fits(c, n);
	if (!n)
		return -EINVAL;
	if (get_bytes(c->data, c->user, column_bytes(c, n)))
		return -EFAULT;
	if (c->var)
		column_point(c, n);
	return n;
}

/* The address of one, as the core takes it. */
static const void *column_at(const struct column *c, u32 i)
{
	return c->var ? (void *)&c->var->bytes[i] : c->data + i * c->len;
}

static void column_advance(struct column *c, u32 n)
{
	c->user += column_bytes(c, n);
	c->user_lens += n * sizeof(*c->var->lens);
}

/* === Chunks === */

static int insert_chunk(struct batch *b, u32 *n)
{
	u32 i;

	for (i = 0; i < *n; i++)
		b->results[i] = hmap_insert(b->map->h, column_at(&b->keys, i),
					    column_at(&b->elems, i),
					    b->arg.flags, GFP_KERNEL);
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
	if (!put_bytes(b->elems.user, b->elems.data, *n * len))
		return 0;
	*n = 0;
	return -EFAULT;
}

/* Write the elem of an entry to @to, and its length to @len. */
static int put_held(struct batch *b, u32 i, u64 to, u64 room, u32 *len)
{
	const struct column *c = &b->elems;
	struct hmap_held held;
	int err;

	b->results[i] = hmap_hold(b->map->h, column_at(&b->keys, i), &held);
	if (b->results[i]) {
		*len = c->var ? 0 : c->len;
		return clear_user(u64_to_user_ptr(to), *len) ? -EFAULT : 0;
	}

	*len = held.len;
	if (held.len > room)
		err = -EMSGSIZE;
	else
		err = put_bytes(to, held.data, held.len);
	hmap_release(&held);
	return err;
}

/* Copy elems that are stored by pointer straight to the caller. */
static int lookup_held_chunk(struct batch *b, u32 *n)
{
	struct column *c = &b->elems;
	u64 to = c->user, room = U64_MAX;
	u32 i, len, nr_lens;
	int err = 0;

	if (c->var)
		room = b->arg.room - (to - b->arg.elems);
	for (i = 0; i < *n; i++) {
		err = put_held(b, i, to, room, &len);
		if (c->var)
			c->var->lens[i] = len;
		if (err)
			break;
		to += len;
		room -= len;
	}
	*n = i;
	if (!c->var)
		return err;

	/* Also tell the length of an elem that there was no room for. */
	nr_lens = i + (err == -EMSGSIZE);
	if (!put_bytes(c->user_lens, c->var->lens,
		       nr_lens * sizeof(*c->var->lens)))
		return err;
	*n = 0;
	return -EFAULT;
}

static bool is_lookup(chunk_fn fn)
{
	return fn == lookup_chunk || fn == lookup_held_chunk;
}

/* Do up to @n more entries, and add to *@done how many were done. */
static int batch_chunk(struct batch *b, chunk_fn fn, u32 n, u32 *done)
{
	u64 results = b->arg.results + *done * sizeof(*b->results);
	struct column *keys = &b->keys;
	int ret, err;

	ret = column_get(keys, n);
	if (ret > 0 && fn == insert_chunk)
		ret = column_get(&b->elems, ret);
	if (ret < 0)
		return ret;
	n = ret;
	if (get_ready_to_put(u64_to_user_ptr(results), n * sizeof(*b->results)))
		return -EFAULT;

	hmap_prefetch(b->map->h, column_at(keys, 0),
		      keys->var ? sizeof(*keys->var->bytes) : keys->len, n);
	err = fn(b, &n);
	if (put_bytes(results, b->results, n * sizeof(*b->results))) {
		err = -EFAULT;
		/* A change that was made is done, even if its result is lost. */
		if (is_lookup(fn))
			n = 0;
	}
	this_cpu_add(*b->calls, n);
	column_advance(keys, n);
	column_advance(&b->elems, n);
	*done += n;
	return err;
}

static int do_chunks(struct batch *b, chunk_fn fn, u32 *done)
{
	const struct hmap_batch *arg = &b->arg;
	const struct user_map *map = b->map;
	u32 before, most = CHUNK;
	int err;

	err = column_init(&b->keys, arg->keys, arg->key_lens, map->key_len,
			  map->var_key, true);
	if (err)
		return err;
	err = column_init(&b->elems, arg->elems, arg->elem_lens, map->elem_len,
			  map->var_elem && fn != delete_chunk,
			  fn == insert_chunk || fn == lookup_chunk);
	if (err)
		goto exit_keys;

	while (!err && *done < arg->count) {
		before = *done;
		err = batch_chunk(b, fn, min(arg->count - before, most), done);
		if (err == -EFAULT && *done == before && most > 1) {
			most = 1;
			err = 0;
		} else if (!err && *done < arg->count &&
			   signal_pending(current)) {
			err = -EINTR;
		}
		cond_resched();
	}
	if (b->arg.room)
		b->arg.room -= b->elems.user - arg->elems;

	column_exit(&b->elems);
exit_keys:
	column_exit(&b->keys);
	return err;
}

static bool batch_is_valid(const struct user_map *map,
			   const struct hmap_batch *arg, chunk_fn fn)
{
	bool elem_lens = map->var_elem && fn != delete_chunk;
	bool room = map->var_elem && fn == lookup_held_chunk;

	return arg->flags <= (fn == insert_chunk ? HMAP_INSERT_EXIST : 0) &&
	       (fn != delete_chunk || !arg->elems) &&
	       (map->var_key || !arg->key_lens) &&
	       (elem_lens || !arg->elem_lens) && (room || !arg->room);
}

static int run_batch(struct user_map *map, chunk_fn fn,
		     unsigned long __percpu *calls, void __user *arg,
		     size_t size)
{
	struct batch b __uninitialized;
	u32 done = 0;
	int err;

	err = GET_STRUCT(&b.arg, flags, arg, size);
	if (err)
		return err;
	/* Do not commit a change whose result cannot be reported. */
	err = put_struct(arg, &b.arg, sizeof(b.arg), size);
	if (err)
		return err;

	b.map = map;
	b.calls = calls;
	if (batch_is_valid(map, &b.arg, fn))
		err = do_chunks(&b, fn, &done);
	else
		err = -EINVAL;
	b.arg.count = done;
	if (put_struct(arg, &b.arg, sizeof(b.arg), size))
		err = -EFAULT;
	return err;
}

/* === Calls === */

int hmap_batch_insert(struct user_map *map, void __user *arg, size_t size)
{
	return run_batch(map, insert_chunk, &map->calls->inserts, arg, size);
}

int hmap_batch_lookup(struct user_map *map, void __user *arg, size_t size)
{
	return run_batch(map, map->held ? lookup_held_chunk : lookup_chunk,
			 &map->calls->lookups, arg, size);
}

int hmap_batch_delete(struct user_map *map, void __user *arg, size_t size)
{
	return run_batch(map, delete_chunk, &map->calls->deletes, arg, size);
}
