// SPDX-License-Identifier: GPL-2.0
/*
 * The calls on one entry.
 */
#include <linux/build_bug.h>

#include "entry.h"
#include "registry.h"
#include "user.h"

/* 32-bit callers have the same structures: they have no holes. */
static_assert(sizeof(struct hmap_entry) == 2 * 8 + 4 * 4);
static_assert(sizeof(struct hmap_update) == 4 * 8 + 8 * 4);

static_assert(HMAP_INSERT_ANY == (int)HMAP_ANY);
static_assert(HMAP_INSERT_NOEXIST == (int)HMAP_NOEXIST);
static_assert(HMAP_INSERT_EXIST == (int)HMAP_EXIST);
static_assert(HMAP_UPDATE_XCHG == (int)HMAP_STORE);
static_assert(HMAP_UPDATE_CMPXCHG == (int)HMAP_CMPXCHG);
static_assert(HMAP_UPDATE_ADD == (int)HMAP_ADD);
static_assert(HMAP_UPDATE_TAKE == (int)HMAP_TAKE);

/* Get the structure and, if it makes sense, the key. */
static __always_inline int
entry_get(const struct user_map *map, struct hmap_entry *entry,
	  struct operand *key, const void __user *arg, size_t size)
{
	int err;

	err = GET_STRUCT(entry, reserved, arg, size);
	if (err)
		return err;

	if (entry->flags > HMAP_INSERT_EXIST || entry->reserved ||
	    !fits(entry->key_len, map->key_len, map->var_key))
		return -EINVAL;
	return operand_get(key, entry->key, entry->key_len, map->var_key);
}

int hmap_entry_insert(struct user_map *map, void __user *arg, size_t size)
{
	struct operand key __uninitialized, elem __uninitialized;
	struct hmap_entry entry __uninitialized;
	int err;

	err = entry_get(map, &entry, &key, arg, size);
	if (err)
		return err;

	err = -EINVAL;
	if (!fits(entry.elem_len, map->elem_len, map->var_elem))
		goto put_key;
	err = operand_get(&elem, entry.elem, entry.elem_len, map->var_elem);
	if (err)
		goto put_key;

	this_cpu_inc(map->calls->inserts);
	err = hmap_insert(map->h, key.ptr, elem.ptr, entry.flags, GFP_KERNEL);

	operand_put(&elem);
put_key:
	operand_put(&key);
	return err;
}

/* Copy an elem that is stored by pointer straight to the caller. */
static int lookup_held(struct user_map *map, const void *key,
		       struct hmap_entry *entry, void __user *arg, size_t size)
{
	u32 room = entry->elem_len;
	struct hmap_held held;
	int err;

	err = hmap_hold(map->h, key, &held);
	if (err)
		return err;

	if (held.len <= room)
		err = put_bytes(entry->elem, held.data, held.len);
	entry->elem_len = held.len;
	hmap_release(&held);
	if (!err && entry->elem_len != room)
		err = put_struct(arg, entry, sizeof(*entry), size);
	if (!err && entry->elem_len > room)
		err = -EMSGSIZE;
	return err;
}

/* Inlined in spite of the room it takes on the stack, which is not deep here. */
static __always_inline int lookup_inline(struct user_map *map, const void *key,
					 const struct hmap_entry *entry)
{
	u64 elem[MAX_INLINE_SIZE / sizeof(u64)] __uninitialized;
	int err = hmap_lookup(map->h, key, elem);

	return err ? err : put_bytes(entry->elem, elem, map->elem_len);
}

int hmap_entry_lookup(struct user_map *map, void __user *arg, size_t size)
{
	struct hmap_entry entry __uninitialized;
	struct operand key __uninitialized;
	int err;

	err = entry_get(map, &entry, &key, arg, size);
	if (err)
		return err;

	this_cpu_inc(map->calls->lookups);
	if (entry.flags || (!map->var_elem && entry.elem_len != map->elem_len))
		err = -EINVAL;
	else if (map->held)
		err = lookup_held(map, key.ptr, &entry, arg, size);
	else
		err = lookup_inline(map, key.ptr, &entry);
	operand_put(&key);
	return err;
}

int hmap_entry_delete(struct user_map *map, void __user *arg, size_t size)
{
	struct hmap_entry entry __uninitialized;
	struct operand key __uninitialized;
	int err;

	err = entry_get(map, &entry, &key, arg, size);
	if (err)
		return err;

	this_cpu_inc(map->calls->deletes);
	if (entry.flags || entry.elem || entry.elem_len)
		err = -EINVAL;
	else
		err = hmap_delete(map->h, key.ptr);
	operand_put(&key);
	return err;
}

/* === Updates === */

static bool update_flags_are_valid(const struct hmap_update *u)
{
	switch (u->op) {
	case HMAP_UPDATE_XCHG:
		return u->flags <= HMAP_INSERT_EXIST;
	case HMAP_UPDATE_ADD:
		return u->flags == HMAP_INSERT_ANY ||
		       u->flags == HMAP_INSERT_EXIST;
	case HMAP_UPDATE_CMPXCHG:
	case HMAP_UPDATE_TAKE:
		return !u->flags;
	default:
		return false;
	}
}

/* Whether an operand fits the map or, where it is not @used, is 0. */
static bool operand_is_valid(const struct user_map *map, u64 addr, u32 len,
			     bool used)
{
	if (!used)
		return !addr && !len;
	return fits(len, map->elem_len, map->var_elem);
}

static bool update_is_valid(const struct user_map *map,
			    const struct hmap_update *u)
{
	return update_flags_are_valid(u) && !u->reserved &&
	       fits(u->key_len, map->key_len, map->var_key) &&
	       operand_is_valid(map, u->elem, u->elem_len,
				u->op != HMAP_UPDATE_TAKE) &&
	       operand_is_valid(map, u->expect, u->expect_len,
				u->op == HMAP_UPDATE_CMPXCHG) &&
	       (!u->old || map->var_elem || u->old_len == map->elem_len);
}

/**
 * struct update_operands - what an update works on
 * @key: a copy of the caller's, like the next two
 * @elem: unused for TAKE
 * @expect: used for CMPXCHG only
 * @old: room for the elem that was there
 */
struct update_operands {
	struct operand key;
	struct operand elem;
	struct operand expect;
	struct operand old;
};

static int update_get(const struct user_map *map, const struct hmap_update *u,
		      struct update_operands *o, struct hmap_op *op)
{
	int err;

	err = operand_get(&o->key, u->key, u->key_len, map->var_key);
	if (err)
		return err;
	op->key = o->key.ptr;

	if (u->op != HMAP_UPDATE_TAKE) {
		err = operand_get(&o->elem, u->elem, u->elem_len,
				  map->var_elem);
		if (err)
			return err;
		op->elem = o->elem.ptr;
	}
	if (u->op == HMAP_UPDATE_CMPXCHG) {
		err = operand_get(&o->expect, u->expect, u->expect_len,
				  map->var_elem);
		if (err)
			return err;
		op->expect = o->expect.ptr;
	}
	if (!u->old)
		return 0;

	op->old_len = min(u->old_len, map->elem_len);
	op->old = operand_room(&o->old, op->old_len);
	if (!op->old)
		return -ENOMEM;
	return get_ready_to_put_safely(u64_to_user_ptr(u->old), op->old_len);
}

int hmap_entry_update(struct user_map *map, void __user *arg, size_t size)
{
	struct update_operands o __uninitialized;
	struct hmap_op op = { .gfp = GFP_KERNEL };
	struct hmap_update u;
	int err;

	err = GET_STRUCT(&u, reserved, arg, size);
	if (err)
		return err;
	if (!update_is_valid(map, &u))
		return -EINVAL;
	/* Do not commit a change whose result cannot be reported. */
	err = put_struct(arg, &u, sizeof(u), size);
	if (err)
		return err;

	o.key.large = NULL;
	o.elem.large = NULL;
	o.expect.large = NULL;
	o.old.large = NULL;
	op.what = u.op;
	op.mode = u.flags;
	if (u.op == HMAP_UPDATE_TAKE)
		this_cpu_inc(map->calls->deletes);
	else
		this_cpu_inc(map->calls->inserts);
	err = update_get(map, &u, &o, &op);
	if (!err)
		err = hmap_update(map->h, &op);

	u.present = op.present;
	if (op.present)
		u.old_len = op.old_len;
	if (op.present && op.old && err != -EMSGSIZE &&
	    put_bytes(u.old, op.old, op.old_len))
		err = -EFAULT;
	if (put_struct(arg, &u, sizeof(u), size))
		err = -EFAULT;
	operand_put(&o.key);
	operand_put(&o.elem);
	operand_put(&o.expect);
	operand_put(&o.old);
	return err;
}
