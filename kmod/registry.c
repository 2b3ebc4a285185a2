// SPDX-License-Identifier: GPL-2.0
/*
 * The maps that user space has made: names, owners, limits.
 *
 * A map lives as long as it has a name or a file.  debugfs follows the names
 * under the lock here, so that two maps of one name never meet there.
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../core/bmap.h"
#include "debugfs.h"
#include "registry.h"
#include "user.h"

static_assert(HMAP_KIND_U32 == HMAP_KEY_U32);
static_assert(HMAP_KIND_U64 == HMAP_KEY_U64);
static_assert(HMAP_KIND_BYTES == HMAP_KEY_BYTES);
static_assert(HMAP_KIND_STRING == HMAP_KEY_STRING);
static_assert(HMAP_ELEM_SIZE_MAX == HMAP_MAX_ELEM_SIZE);

/*
 * Protects the following, the names of maps, &user_map.list and .link, and
 * &struct owner.
 */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(named);		/* by ascending id */
static LIST_HEAD(owners);
static unsigned int nr_maps;		/* with and without names */
static u64 last_id;

/* === Names === */

static bool name_is_valid(const char name[HMAP_NAME_LEN])
{
	size_t len = strnlen(name, HMAP_NAME_LEN);
	size_t i;

	if (len == 0 || len == HMAP_NAME_LEN || name[0] == '.' || name[0] == '#')
		return false;
	for (i = 0; i < len; i++) {
		if (name[i] < ' ' || name[i] > '~' || name[i] == '/')
			return false;
	}
	return !memchr_inv(name + len, 0, HMAP_NAME_LEN - len);
}

static struct user_map *find(const char name[HMAP_NAME_LEN])
{
	struct user_map *map;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(map, &named, list) {
		if (!strcmp(map->name, name))
			return map;
	}
	return NULL;
}

/* The caller then puts the name's reference, without the lock. */
static void unname(struct user_map *map)
{
	lockdep_assert_held(&registry_lock);
	list_del(&map->list);
	WRITE_ONCE(map->unlinked, true);
	hmap_debugfs_unname(map);
}

/* === Limits === */

static unsigned long or_quarter_of_ram(unsigned long bytes)
{
	return bytes ?: (totalram_pages() / 4) << PAGE_SHIFT;
}

/* Both limits: 0 in @wanted takes the module's, 0 in @most is no limit. */
static int set_limit(unsigned long *limit, u64 wanted, unsigned long most)
{
	if (wanted > (most ?: ULONG_MAX))
		return -ENOSPC;
	*limit = wanted ?: most;
	return 0;
}

static int set_params(struct hmap_params *p, const struct hmap_create *create)
{
	int err;

	if (create->flags & ~HMAP_CREATE_VAR_ELEM || create->reserved ||
	    create->mode & ~0777 || create->key_kind >= HMAP_NR_KEY_KINDS)
		return -EINVAL;

	*p = (struct hmap_params) {
		.key_kind = create->key_kind,
		.key_size = create->key_size,
		.elem_size = create->elem_size,
		.flags = HMAP_ACCOUNT,
	};
	if (create->flags & HMAP_CREATE_VAR_ELEM)
		p->flags |= HMAP_VAR_ELEM;

	err = set_limit(&p->max_entries, create->max_entries,
			READ_ONCE(hmap_max_entries));
	if (!err)
		err = set_limit(&p->max_bytes, create->max_bytes,
				or_quarter_of_ram(READ_ONCE(hmap_max_bytes)));
	if (err)
		return err;

	if (create->hint > (p->max_entries ?: ULONG_MAX))
		return -ENOSPC;
	p->hint = create->hint;
	return 0;
}

/* === Owners === */

static struct owner *find_owner(kuid_t uid)
{
	struct owner *owner;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(owner, &owners, list) {
		if (uid_eq(owner->uid, uid))
			return owner;
	}
	return NULL;
}

static void owner_put(struct hmap_pool *pool)
{
	struct owner *owner = container_of(pool, struct owner, pool);

	mutex_lock(&registry_lock);
	if (--owner->refs)
		owner = NULL;
	else
		list_del(&owner->list);
	mutex_unlock(&registry_lock);
	kfree(owner);
}

/* Whom the limits on users apply to, for one more map; NULL is out of memory. */
static struct owner *owner_get(kuid_t uid)
{
	struct owner *owner, *new = kzalloc(sizeof(*new), GFP_CALLER);

	mutex_lock(&registry_lock);
	owner = find_owner(uid);
	if (!owner && new) {
		owner = new;
		new = NULL;
		owner->uid = uid;
		owner->pool.put = owner_put;
		list_add(&owner->list, &owners);
	}
	if (owner) {
		owner->refs++;
		WRITE_ONCE(owner->pool.max_bytes,
			   or_quarter_of_ram(READ_ONCE(hmap_max_user_bytes)));
	}
	mutex_unlock(&registry_lock);
	kfree(new);
	return owner;
}

/* === Maps === */

static void user_map_free(struct user_map *map)
{
	hmap_destroy(map->h);
	kfree(map);
}

static struct user_map *user_map_new(const struct hmap_create *create)
{
	struct hmap_params p;
	struct user_map *map;
	int err;

	err = set_params(&p, create);
	if (err)
		return ERR_PTR(err);

	map = kzalloc(sizeof(*map), GFP_CALLER);
	if (!map)
		return ERR_PTR(-ENOMEM);

	if (!capable(CAP_SYS_RESOURCE)) {
		err = -ENOMEM;
		map->owner = owner_get(current_fsuid());
		if (!map->owner)
			goto free_map;
		p.pool = &map->owner->pool;
	}

	map->h = hmap_create(&p);	/* from now on, the map puts the pool */
	if (IS_ERR(map->h)) {
		err = PTR_ERR(map->h);
		goto free_map;
	}

	map->var_key = p.key_kind == HMAP_KEY_STRING;
	map->var_elem = p.flags & HMAP_VAR_ELEM;
	map->key_len = map->var_key ? HMAP_MAX_STRING_LEN : p.key_size;
	map->elem_len = p.elem_size;
	map->held = map->var_elem || p.elem_size > MAX_INLINE_SIZE;
	map->mode = create->mode;
	map->uid = current_fsuid();
	map->gid = current_fsgid();
	memcpy(map->name, create->name, sizeof(map->name));
	kref_init(&map->ref);
	return map;

free_map:
	kfree(map);
	return ERR_PTR(err);
}

/* Lets others see the map, if it has a name, and takes it into the count. */
static int user_map_publish(struct user_map *map)
{
	lockdep_assert_held(&registry_lock);
	if (map->name[0] && find(map->name))
		return -EEXIST;
	if (nr_maps >= READ_ONCE(hmap_max_maps))
		return -ENOSPC;
	if (map->owner) {
		if (map->owner->nr_maps >= READ_ONCE(hmap_max_user_maps))
			return -EDQUOT;
		map->owner->nr_maps++;
	}

	nr_maps++;
	map->id = ++last_id;
	if (map->name[0]) {
		kref_get(&map->ref);
		list_add_tail(&map->list, &named);
	}
	hmap_debugfs_add(map);
	return 0;
}

struct user_map *user_map_create(const struct hmap_create *create)
{
	struct user_map *map;
	int err;

	if (memchr_inv(create->name, 0, HMAP_NAME_LEN) &&
	    !name_is_valid(create->name))
		return ERR_PTR(-EINVAL);

	map = user_map_new(create);
	if (IS_ERR(map))
		return map;

	mutex_lock(&registry_lock);
	err = user_map_publish(map);
	mutex_unlock(&registry_lock);
	if (err) {
		user_map_free(map);
		return ERR_PTR(err);
	}
	return map;
}

static void user_map_release(struct kref *ref)
{
	struct user_map *map = container_of(ref, struct user_map, ref);

	/* Waits for those who read there; they need neither lock nor ref. */
	hmap_debugfs_remove(map);

	mutex_lock(&registry_lock);
	nr_maps--;
	if (map->owner)
		map->owner->nr_maps--;
	mutex_unlock(&registry_lock);

	user_map_free(map);	/* and, with its last map, the owner */
}

void user_map_put(struct user_map *map)
{
	kref_put(&map->ref, user_map_release);
}

static bool may_open(const struct user_map *map, fmode_t fmode)
{
	unsigned int mode = map->mode;
	unsigned int want = 0;

	if (fmode & FMODE_READ)
		want |= MAY_READ;
	if (fmode & FMODE_WRITE)
		want |= MAY_WRITE;

	if (uid_eq(current_fsuid(), map->uid))
		mode >>= 6;
	else if (in_group_p(map->gid))
		mode >>= 3;

	return !(want & ~mode) || capable(CAP_DAC_OVERRIDE);
}

struct user_map *user_map_open(const char name[HMAP_NAME_LEN], fmode_t mode)
{
	struct user_map *map;

	if (!name_is_valid(name))
		return ERR_PTR(-EINVAL);

	mutex_lock(&registry_lock);
	map = find(name);
	if (!map)
		map = ERR_PTR(-ENOENT);
	else if (!may_open(map, mode))
		map = ERR_PTR(-EACCES);
	else
		kref_get(&map->ref);
	mutex_unlock(&registry_lock);
	return map;
}

/* The map with a name whose id is the lowest above @after, or NULL. */
struct user_map *user_map_next(u64 after)
{
	struct user_map *map, *next = NULL;

	mutex_lock(&registry_lock);
	list_for_each_entry(map, &named, list) {
		if (map->id > after) {
			kref_get(&map->ref);
			next = map;
			break;
		}
	}
	mutex_unlock(&registry_lock);
	return next;
}

int user_map_unlink(const char name[HMAP_NAME_LEN])
{
	struct user_map *map;
	int err = 0;

	if (!name_is_valid(name))
		return -EINVAL;

	mutex_lock(&registry_lock);
	map = find(name);
	if (!map)
		err = -ENOENT;
	else if (!uid_eq(current_fsuid(), map->uid) && !capable(CAP_FOWNER))
		err = -EPERM;
	else
		unname(map);
	mutex_unlock(&registry_lock);

	if (!err)
		user_map_put(map);
	return err;
}

/* No file is open any more: what is left has a name and no other user. */
void hmap_registry_exit(void)
{
	struct user_map *map, *next;

	list_for_each_entry_safe(map, next, &named, list) {
		mutex_lock(&registry_lock);
		unname(map);
		mutex_unlock(&registry_lock);
		user_map_put(map);
	}
}
