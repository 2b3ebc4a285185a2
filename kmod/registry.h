/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The maps that user space has made: names, owners, limits.
 */
#ifndef _HMAP_REGISTRY_H
#define _HMAP_REGISTRY_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/uidgid.h>

#include "../core/hmap.h"
#include "uapi/linux/hmap.h"

struct dentry;

/**
 * struct owner - a user whose maps share limits
 * @pool: the memory they use
 * @uid: who it is
 * @refs: maps there are, those that are being freed among them
 * @nr_maps: maps that files or names refer to
 * @list: among all owners
 *
 * All but @pool is protected by the registry's lock.
 */
struct owner {
	struct hmap_pool pool;
	kuid_t uid;
	unsigned int refs;
	unsigned int nr_maps;
	struct list_head list;
};

/**
 * struct user_map - a map and who may use it
 * @h: the map
 * @key_len: bytes in a key; the most it may have for @var_key
 * @elem_len: bytes in an elem; the most it may have for @var_elem
 * @var_key: keys differ in length, and the core takes &struct hmap_bytes
 * @var_elem: likewise elems
 * @held: elems are not inline: hmap_hold() reads them, hmap_lookup() does not
 * @unlinked: the map had a name and lost it; written under the registry's lock
 * @mode: who may open the map: the lower nine bits of a file mode
 * @uid: owner
 * @owner: likewise; NULL if no limit was set because of CAP_SYS_RESOURCE
 * @gid: whom the mode's group bits speak of
 * @id: ascends from 1; never used again
 * @name: the name, which stays here when the map loses it; "" if it had none
 * @ref: one for the name, one for each file bound to the map
 * @list: among the maps with names, under the registry's lock
 * @dir: in debugfs
 * @link: in debugfs, from @name to @dir; under the registry's lock
 */
struct user_map {
	struct hmap *h;
	u32 key_len;
	u32 elem_len;
	bool var_key;
	bool var_elem;
	bool held;
	bool unlinked;
	umode_t mode;
	kuid_t uid;
	struct owner *owner;
	kgid_t gid;
	u64 id;
	char name[HMAP_NAME_LEN];
	struct kref ref;
	struct list_head list;
	struct dentry *dir;
	struct dentry *link;
};

/* Module parameters. */
extern unsigned int hmap_max_maps;
extern unsigned long hmap_max_entries;
extern unsigned long hmap_max_bytes;
extern unsigned int hmap_max_user_maps;
extern unsigned long hmap_max_user_bytes;

/* All but user_map_next() return an ERR_PTR() or what user_map_put() takes. */
struct user_map *user_map_create(const struct hmap_create *create);
struct user_map *user_map_open(const char name[HMAP_NAME_LEN], fmode_t mode);
struct user_map *user_map_next(u64 after);
void user_map_put(struct user_map *map);
int user_map_unlink(const char name[HMAP_NAME_LEN]);

void hmap_registry_exit(void);

#endif /* _HMAP_REGISTRY_H */
