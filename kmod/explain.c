// SPDX-License-Identifier: GPL-2.0
/*
 * HMAP_IOC_EXPLAIN: how a lookup goes, for root or, where that is wanted, the
 * owner of the map.
 *
 * Bits of the hashes of keys that somebody picks may help to find the secrets
 * that all maps share (S14); hence hmap_explain_for.
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/cred.h>

#include "entry.h"
#include "registry.h"
#include "user.h"

static_assert(sizeof(struct hmap_explain) == 3 * 8 + 12 * 4);
static_assert(HMAP_EXPLAIN_CHAIN == HMAP_WALK_CHAIN);

static bool may_explain(struct user_map *map)
{
	struct map_attrs attrs;

	if (READ_ONCE(hmap_explain_for) == EXPLAIN_FOR_NOBODY)
		return false;
	hmap_registry_attrs(map, &attrs);
	return (READ_ONCE(hmap_explain_for) == EXPLAIN_FOR_OWNER &&
		uid_eq(current_fsuid(), attrs.uid)) || capable(CAP_SYS_ADMIN);
}

static u32 explain_flags(const struct hmap_walk *w)
{
	u32 flags = 0;

	if (w->buckets)
		flags |= HMAP_EXPLAIN_BUCKETS;
	if (w->oldbuckets)
		flags |= HMAP_EXPLAIN_OLDBUCKETS;
	if (w->in_old)
		flags |= HMAP_EXPLAIN_IN_OLD;
	if (w->found)
		flags |= HMAP_EXPLAIN_FOUND;
	if (w->filtered)
		flags |= HMAP_EXPLAIN_FILTERED;
	if (w->chains)
		flags |= HMAP_EXPLAIN_CHAINS;
	if (w->grows == HMAP_GROWS_DOUBLE)
		flags |= HMAP_EXPLAIN_DOUBLES;
	if (w->grows == HMAP_GROWS_SAME_SIZE)
		flags |= HMAP_EXPLAIN_SAME_SIZE;
	return flags;
}

static int put_walk(struct hmap_explain *explain, struct hmap_walk *w)
{
	u32 nr = min3(w->length, explain->room, (u32)HMAP_WALK_CHAIN), i;

	explain->flags = explain_flags(w);
	explain->log2_buckets = w->B;
	explain->log2_oldbuckets = w->old_B;
	explain->bucket = w->bucket;
	explain->top = w->top;
	explain->length = w->length;
	explain->at = w->at;
	explain->slot = w->slot;
	explain->insert_at = w->insert_at;
	explain->insert_slot = w->insert_slot;
	for (i = 0; i < nr; i++)
		cpu_to_le64s(&w->chain[i]);
	return copy_to_user(u64_to_user_ptr(explain->chain), w->chain,
			    nr * sizeof(*w->chain)) ? -EFAULT : 0;
}

int hmap_entry_explain(struct user_map *map, void __user *arg, size_t size)
{
	struct hmap_explain explain;
	struct operand key;
	struct hmap_walk *w;
	int err;

	err = GET_STRUCT(&explain, reserved, arg, size);
	if (err)
		return err;
	if (explain.reserved ||
	    !fits(explain.key_len, map->key_len, map->var_key))
		return -EINVAL;
	if (!may_explain(map))
		return -EPERM;
	err = operand_get(&key, explain.key, explain.key_len, map->var_key);
	if (err)
		return err;

	w = kmalloc(sizeof(*w), GFP_CALLER);
	if (w) {
		hmap_explain(map->h, key.ptr, w);
		err = put_walk(&explain, w);
		kfree(w);
	} else {
		err = -ENOMEM;
	}
	operand_put(&key);
	return err ? err : put_struct(arg, &explain, sizeof(explain), size);
}
