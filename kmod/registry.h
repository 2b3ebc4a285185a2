/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The maps that user space has made: names, owners, limits.
 */
#ifndef _HMAP_REGISTRY_H
#define _HMAP_REGISTRY_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/uidgid.h>

#include "../core/hmap.h"
#include "uapi/linux/hmap.h"

struct dentry;
struct map_view;

/**
 * struct owner - a user who has made maps, which share limits
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
 * struct map_attrs - what the owner of a map can change
 * @uid: whose it is
 * @gid: whom the mode's group bits apply to
 * @mode: who may open the map: the lower nine bits of a file mode
 * @named: the map has a name
 * @name: the name, which stays here when the map loses it; "" if it had none
 */
struct map_attrs {
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	bool named;
	char name[HMAP_NAME_LEN];
};

/**
 * struct map_calls - keys that calls on a map were made for, found or not
 * @lookups: LOOKUP and LOOKUP_BATCH
 * @inserts: INSERT and INSERT_BATCH, and UPDATE but for TAKE
 * @deletes: DELETE and DELETE_BATCH, and UPDATE with TAKE
 *
 * One for each CPU, so that calls write no line that others write.
 */
struct map_calls {
	unsigned long lookups;
	unsigned long inserts;
	unsigned long deletes;
};

/**
 * struct user_map - a map and who may use it
 * @h: the map
 * @key_len: bytes in a key; the most it may have for @var_key
 * @elem_len: bytes in an elem; the most it may have for @var_elem
 * @var_key: keys differ in length, and the core takes &struct hmap_bytes
 * @var_elem: likewise elems
 * @held: elems are not inline: hmap_hold() reads them, hmap_lookup() does not
 * @view: what processes that mmap it see; NULL if it is not a mapped one
 * @calls: what has been done with it
 * @owner: the user who made the map and whose limits it counts for; NULL if it
 *	was made with CAP_SYS_RESOURCE
 * @id: ascends from 1; never used again
 * @ref: one for the name, one for each file bound to the map
 * @attrs: protected by the registry's lock, like all that follows
 * @list: among all maps
 * @dir: in debugfs
 * @link: in debugfs, from the name to @dir
 */
struct user_map {
	struct hmap *h;
	u32 key_len;
	u32 elem_len;
	bool var_key;
	bool var_elem;
	bool held;
	struct map_view *view;
	struct map_calls __percpu *calls;
	struct owner *owner;
	u64 id;
	struct kref ref;
	struct map_attrs attrs;
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

/* Whom EXPLAIN is for. */
enum {
	EXPLAIN_FOR_NOBODY,
	EXPLAIN_FOR_ADMIN,
	EXPLAIN_FOR_OWNER,	/* as well */
};

extern unsigned int hmap_explain_for;

/* These return what hmap_registry_put() takes; the first two an ERR_PTR(). */
struct user_map *hmap_registry_create(struct hmap_create *create);
struct user_map *hmap_registry_open(const char name[HMAP_NAME_LEN],
				    fmode_t fmode);
struct user_map *hmap_registry_next(u64 after);
void hmap_registry_put(struct user_map *map);

int hmap_registry_open_again(struct user_map *map, fmode_t fmode);
int hmap_registry_unlink(const char name[HMAP_NAME_LEN]);
int hmap_registry_set(struct user_map *map, const struct hmap_set *set);
void hmap_registry_attrs(struct user_map *map, struct map_attrs *attrs);
void hmap_registry_calls(const struct user_map *map, struct map_calls *sum);
unsigned int hmap_registry_holders(struct user_map *map);
fmode_t hmap_registry_access(const struct map_attrs *attrs, fmode_t fmode);

void hmap_registry_limit_owners(void);
void hmap_registry_exit(void);

#endif /* _HMAP_REGISTRY_H */
