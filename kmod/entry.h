/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that work on one entry, and those that do on many.
 */
#ifndef _HMAP_ENTRY_H
#define _HMAP_ENTRY_H

#include <linux/types.h>

struct user_map;

/* Whether a length fits a map. */
static inline bool fits(u32 len, u32 most, bool var)
{
	return var ? len <= most : len == most;
}

int hmap_entry_insert(struct user_map *map, void __user *arg, size_t size);
int hmap_entry_lookup(struct user_map *map, void __user *arg, size_t size);
int hmap_entry_delete(struct user_map *map, void __user *arg, size_t size);
int hmap_entry_update(struct user_map *map, void __user *arg, size_t size);
int hmap_entry_explain(struct user_map *map, void __user *arg, size_t size);

int hmap_batch_insert(struct user_map *map, void __user *arg, size_t size);
int hmap_batch_lookup(struct user_map *map, void __user *arg, size_t size);
int hmap_batch_delete(struct user_map *map, void __user *arg, size_t size);

#endif /* _HMAP_ENTRY_H */
