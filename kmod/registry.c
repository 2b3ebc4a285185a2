// SPDX-License-Identifier: GPL-2.0
/*
 * The maps that user space has made: names, owners, limits.
 *
 * A map lives as long as it has a name or a file.  Names in debugfs change under
 * the same lock, so that no two maps have the same name there, either.
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "../core/bmap.h"
#include "debugfs.h"
#include "registry.h"
#include "user.h"
#include "view.h"

static_assert(HMAP_KIND_U32 == HMAP_KEY_U32);
static_assert(HMAP_KIND_U64 == HMAP_KEY_U64);
static_assert(HMAP_KIND_BYTES == HMAP_KEY_BYTES);
static_assert(HMAP_KIND_STRING == HMAP_KEY_STRING);
static_assert(HMAP_ELEM_SIZE_MAX == HMAP_MAX_ELEM_SIZE);
static_assert(HMAP_NAME_LEN == HMAP_NAME_SIZE);

/* Protects the following, &struct owner, and &user_map.attrs and what follows. */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(maps);			/* by ascending id */
static LIST_HEAD(owners);
static unsigned int nr_maps;		/* with and without names */

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

static struct user_map *find_map(const char name[HMAP_NAME_LEN])
{
	struct user_map *map;

	lockdep_assert_held(&registry_lock);
	list_for_each_entry(map, &maps, list) {
		if (map->attrs.named && !strcmp(map->attrs.name, name))
			return map;
	}
	return NULL;
}

static void add_name(struct user_map *map)
{
	lockdep_assert_held(&registry_lock);
	kref_get(&map->ref);
	map->attrs.named = true;
	hmap_debugfs_name(map);
}

/* The caller then puts the name's reference, without the lock. */
static void remove_name(struct user_map *map)
{
	lockdep_assert_held(&registry_lock);
	map->attrs.named = false;
	hmap_debugfs_unname(map);
}

/* === Rights === */

/* This is a question, not an attempt, so keep it out of the audit log. */
static bool has_quietly(int cap)
{
	return ns_capable_noaudit(&init_user_ns, cap);
}

static bool mode_allows(const struct map_attrs *attrs, fmode_t fmode)
{
	unsigned int mode = attrs->mode;
	unsigned int want = 0;

	if (fmode & FMODE_READ)
		want |= MAY_READ;
	if (fmode & FMODE_WRITE)
		want |= MAY_WRITE;

	if (uid_eq(current_fsuid(), attrs->uid))
		mode >>= 6;
	else if (in_group_p(attrs->gid))
		mode >>= 3;

	return !(want & ~mode);
}

/* What of @fmode an open of the map would grant the caller. */
fmode_t hmap_registry_access(const struct map_attrs *attrs, fmode_t fmode)
{
	fmode_t access = 0;

	if (has_quietly(CAP_DAC_OVERRIDE))
		return fmode & (FMODE_READ | FMODE_WRITE);
	if (mode_allows(attrs, FMODE_READ))
		access |= FMODE_READ;
	if (mode_allows(attrs, FMODE_WRITE))
		access |= FMODE_WRITE;
	return fmode & access;
}

static int get_opened(struct user_map *map, fmode_t fmode)
{
	lockdep_assert_held(&registry_lock);
	if (!mode_allows(&map->attrs, fmode) && !capable(CAP_DAC_OVERRIDE))
		return -EACCES;
	kref_get(&map->ref);
	return 0;
}

/* === Limits === */

/* Of what the kernel has for itself, which 32 bits count. */
static unsigned long or_quarter_of_ram(unsigned long bytes)
{
	return bytes ?: (totalram_pages() - totalhigh_pages()) / 4 << PAGE_SHIFT;
}

/* 0 in @wanted takes the module's limit, @most; 0 there is no limit. */
static int check_limit(unsigned long *limit, u64 wanted, unsigned long most)
{
	if (wanted > (most ?: ULONG_MAX))
		return -ENOSPC;
	*limit = wanted ?: most;
	return 0;
}

static int check_max_entries(unsigned long *limit, u64 wanted)
{
	return check_limit(limit, wanted, READ_ONCE(hmap_max_entries));
}

static int check_max_bytes(unsigned long *limit, u64 wanted)
{
	return check_limit(limit, wanted,
			   or_quarter_of_ram(READ_ONCE(hmap_max_bytes)));
}

static int set_params(struct hmap_params *p, const struct hmap_create *create)
{
	int err;

	*p = (struct hmap_params) {
		.key_kind = create->key_kind,
		.key_size = create->key_size,
		.elem_size = create->elem_size,
		.flags = HMAP_ACCOUNT,
		.name = create->name,
	};
	if (create->flags & HMAP_CREATE_VAR_ELEM)
		p->flags |= HMAP_VAR_ELEM;
	if (create->flags & HMAP_CREATE_MAPPED)
		p->flags |= HMAP_MAPPED;

	err = check_max_entries(&p->max_entries, create->max_entries);
	if (err)
		return err;
	err = check_max_bytes(&p->max_bytes, create->max_bytes);
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

static void limit_owner(struct owner *owner)
{
	lockdep_assert_held(&registry_lock);
	WRITE_ONCE(owner->pool.max_bytes,
		   or_quarter_of_ram(READ_ONCE(hmap_max_user_bytes)));
}

/*
 * Whose limits count for the caller.  The uids of a user namespace may be many,
 * and all of one user: they count as the user who made the outermost one.  If
 * that was root, as for a container, they count as the namespace's own root, which
 * keeps containers apart; in one that has none, each uid counts for itself.
 */
static kuid_t payer(void)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_fsuid(), root;

	for (; ns->parent; ns = ns->parent) {
		root = make_kuid(ns, 0);
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			uid = ns->owner;
		else if (uid_valid(root) && !uid_eq(root, GLOBAL_ROOT_UID))
			uid = root;
	}
	return uid;
}

/* Get a reference to the uid's owner, creating it if needed.  NULL on OOM. */
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
		limit_owner(owner);
		list_add(&owner->list, &owners);
	}
	if (owner)
		owner->refs++;
	mutex_unlock(&registry_lock);
	kfree(new);
	return owner;
}

/* hmap_max_user_bytes has changed. */
void hmap_registry_limit_owners(void)
{
	struct owner *owner;

	mutex_lock(&registry_lock);
	list_for_each_entry(owner, &owners, list)
		limit_owner(owner);
	mutex_unlock(&registry_lock);
}

/* === Making a map === */

static void user_map_free(struct user_map *map)
{
	hmap_destroy(map->h);
	hmap_view_free(map->view);
	free_percpu(map->calls);
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
	err = -ENOMEM;
	map->calls = alloc_percpu_gfp(struct map_calls, GFP_CALLER);
	if (!map->calls)
		goto free_map;
	if (p.flags & HMAP_MAPPED) {
		map->view = hmap_view_new();
		if (IS_ERR(map->view)) {
			err = PTR_ERR(map->view);
			map->view = NULL;
			goto free_map;
		}
		p.mapping = &map->view->mapping;
	}

	/*
	 * What the map will use counts for its maker, whoever inserts, so this
	 * is where the maker's capability matters, if at no limit yet.
	 */
	if (!has_quietly(CAP_SYS_RESOURCE)) {
		err = -ENOMEM;
		map->owner = owner_get(payer());
		if (!map->owner)
			goto free_map;
		p.pool = &map->owner->pool;
	}

	map->h = hmap_create(&p);	/* puts the pool also when it fails */
	if (IS_ERR(map->h)) {
		err = PTR_ERR(map->h);
		goto free_map;
	}

	map->id = hmap_id(map->h);
	map->var_key = p.key_kind == HMAP_KEY_STRING;
	map->var_elem = p.flags & HMAP_VAR_ELEM;
	map->key_len = p.key_size ?: HMAP_MAX_STRING_LEN;
	map->elem_len = p.elem_size;
	map->held = map->var_elem || p.elem_size > MAX_INLINE_SIZE;
	if (map->view)
		hmap_view_begin(map->view, map->h);
	map->attrs.mode = create->mode;
	map->attrs.uid = current_fsuid();
	map->attrs.gid = current_fsgid();
	memcpy(map->attrs.name, create->name, sizeof(map->attrs.name));
	kref_init(&map->ref);
	return map;

free_map:
	hmap_view_free(map->view);
	free_percpu(map->calls);
	kfree(map);
	return ERR_PTR(err);
}

/* Keep the list in the order of ids, in which INFO goes through it. */
static void add_to_list(struct user_map *map)
{
	struct list_head *prev;

	lockdep_assert_held(&registry_lock);
	list_for_each_prev(prev, &maps) {
		if (list_entry(prev, struct user_map, list)->id < map->id)
			break;
	}
	list_add(&map->list, prev);
}

/* Take the map into the counts, and let others see it if it has a name. */
static int user_map_publish(struct user_map *map)
{
	struct owner *owner = map->owner;

	lockdep_assert_held(&registry_lock);
	if (map->attrs.name[0] && find_map(map->attrs.name))
		return -EEXIST;
	if (owner) {
		if (nr_maps >= READ_ONCE(hmap_max_maps))
			return -ENOSPC;
		if (owner->nr_maps >= READ_ONCE(hmap_max_user_maps))
			return -EDQUOT;
		owner->nr_maps++;
	}

	nr_maps++;
	add_to_list(map);
	hmap_debugfs_add(map);
	if (map->attrs.name[0])
		add_name(map);
	return 0;
}

static bool create_is_valid(const struct hmap_create *create)
{
	if (create->flags & ~(HMAP_CREATE_VAR_ELEM | HMAP_CREATE_OR_OPEN |
			      HMAP_CREATE_MAPPED) ||
	    create->mode & ~0777 || create->key_kind >= HMAP_NR_KEY_KINDS)
		return false;
	if (!(create->flags & HMAP_CREATE_OR_OPEN) &&
	    !memchr_inv(create->name, 0, HMAP_NAME_LEN))
		return true;
	return name_is_valid(create->name);
}

static bool has_shape(const struct user_map *map,
		      const struct hmap_create *create)
{
	struct hmap_header hdr;

	hmap_read_header(map->h, &hdr);
	return create->key_kind == hdr.key_kind &&
	       create->key_size == hdr.key_size &&
	       create->elem_size == hdr.elem_size &&
	       !!(create->flags & HMAP_CREATE_VAR_ELEM) == map->var_elem &&
	       !!(create->flags & HMAP_CREATE_MAPPED) == !!map->view;
}

/* For a reference that is put while the map has its name, and the name's. */
static void never_last(struct kref *ref)
{
	WARN_ON_ONCE(1);
}

/* Open the map of that name if there is one, else return NULL. */
static struct user_map *open_existing(const struct hmap_create *create)
{
	struct user_map *map = find_map(create->name);
	int err;

	if (!map)
		return NULL;
	err = get_opened(map, FMODE_READ | FMODE_WRITE);
	if (err)
		return ERR_PTR(err);
	/* Not for those to know who may not open it. */
	if (!has_shape(map, create)) {
		kref_put(&map->ref, never_last);
		return ERR_PTR(-EEXIST);
	}
	return map;
}

static struct user_map *make_or_open(struct hmap_create *create)
{
	struct user_map *map = NULL, *new;
	int err;

	new = user_map_new(create);
	if (IS_ERR(new))
		return new;

	mutex_lock(&registry_lock);
	if (create->flags & HMAP_CREATE_OR_OPEN)
		map = open_existing(create);
	if (!map) {
		err = user_map_publish(new);
		map = err ? ERR_PTR(err) : new;
	}
	mutex_unlock(&registry_lock);

	create->created = map == new;
	if (map != new)
		user_map_free(new);
	return map;
}

struct user_map *hmap_registry_create(struct hmap_create *create)
{
	struct user_map *map = NULL;

	if (!create_is_valid(create))
		return ERR_PTR(-EINVAL);

	create->created = 0;
	if (create->flags & HMAP_CREATE_OR_OPEN) {
		mutex_lock(&registry_lock);
		map = open_existing(create);
		mutex_unlock(&registry_lock);
	}
	if (!map)
		map = make_or_open(create);
	if (!IS_ERR(map))
		create->id = map->id;
	return map;
}

static void user_map_release(struct kref *ref)
{
	struct user_map *map = container_of(ref, struct user_map, ref);

	/* Readers there hold no reference; this waits for them. */
	hmap_debugfs_remove(map);

	mutex_lock(&registry_lock);
	nr_maps--;
	list_del(&map->list);
	if (map->owner)
		map->owner->nr_maps--;
	mutex_unlock(&registry_lock);

	user_map_free(map);	/* and, with its last map, the owner */
}

void hmap_registry_put(struct user_map *map)
{
	kref_put(&map->ref, user_map_release);
}

/* === Opening, asking, unlinking === */

struct user_map *hmap_registry_open(const char name[HMAP_NAME_LEN],
				    fmode_t fmode)
{
	struct user_map *map;
	int err = -ENOENT;

	if (!name_is_valid(name))
		return ERR_PTR(-EINVAL);

	mutex_lock(&registry_lock);
	map = find_map(name);
	if (map)
		err = get_opened(map, fmode);
	mutex_unlock(&registry_lock);
	return err ? ERR_PTR(err) : map;
}

/* Open a map that the caller holds a reference to. */
int hmap_registry_open_again(struct user_map *map, fmode_t fmode)
{
	int err;

	mutex_lock(&registry_lock);
	err = get_opened(map, fmode);
	mutex_unlock(&registry_lock);
	return err;
}

/* A map without a name is its owner's business. */
static bool is_listed(const struct map_attrs *attrs)
{
	return attrs->named || uid_eq(current_fsuid(), attrs->uid) ||
	       has_quietly(CAP_DAC_OVERRIDE);
}

/* The map to be listed whose id is the lowest above @after, or NULL. */
struct user_map *hmap_registry_next(u64 after)
{
	struct user_map *map, *next = NULL;

	mutex_lock(&registry_lock);
	list_for_each_entry(map, &maps, list) {
		/* One that is being released is still there. */
		if (map->id > after && is_listed(&map->attrs) &&
		    kref_get_unless_zero(&map->ref)) {
			next = map;
			break;
		}
	}
	mutex_unlock(&registry_lock);
	return next;
}

void hmap_registry_attrs(struct user_map *map, struct map_attrs *attrs)
{
	mutex_lock(&registry_lock);
	*attrs = map->attrs;
	mutex_unlock(&registry_lock);
}

/* Files bound to the map, and those who look at it with a reference. */
unsigned int hmap_registry_holders(struct user_map *map)
{
	unsigned int refs;

	mutex_lock(&registry_lock);
	refs = kref_read(&map->ref) - map->attrs.named;
	mutex_unlock(&registry_lock);
	return refs;
}

void hmap_registry_calls(const struct user_map *map, struct map_calls *sum)
{
	const struct map_calls *calls;
	int cpu;

	*sum = (struct map_calls){};
	for_each_possible_cpu(cpu) {
		calls = per_cpu_ptr(map->calls, cpu);
		sum->lookups += READ_ONCE(calls->lookups);
		sum->inserts += READ_ONCE(calls->inserts);
		sum->deletes += READ_ONCE(calls->deletes);
	}
}

int hmap_registry_unlink(const char name[HMAP_NAME_LEN])
{
	struct user_map *map;
	int err = 0;

	if (!name_is_valid(name))
		return -EINVAL;

	mutex_lock(&registry_lock);
	map = find_map(name);
	if (!map)
		err = -ENOENT;
	else if (!uid_eq(current_fsuid(), map->attrs.uid) &&
		 !capable(CAP_FOWNER))
		err = -EPERM;
	else
		remove_name(map);
	mutex_unlock(&registry_lock);

	if (!err)
		hmap_registry_put(map);
	return err;
}

/* === Changing what the owner may change === */

#define SET_LIMITS	(HMAP_SET_MAX_ENTRIES | HMAP_SET_MAX_BYTES)
#define SET_AS_OWNER	(HMAP_SET_MODE | HMAP_SET_NAME | SET_LIMITS)
#define SET_ALL		(SET_AS_OWNER | HMAP_SET_UID | HMAP_SET_GID)

/* Fields that are not to be set must be 0. */
static bool set_is_valid(const struct hmap_set *set)
{
	if (set->flags & ~SET_ALL || set->mode & ~0777 ||
	    (set->mode && !(set->flags & HMAP_SET_MODE)) ||
	    (set->uid && !(set->flags & HMAP_SET_UID)) ||
	    (set->gid && !(set->flags & HMAP_SET_GID)) ||
	    (set->max_entries && !(set->flags & HMAP_SET_MAX_ENTRIES)) ||
	    (set->max_bytes && !(set->flags & HMAP_SET_MAX_BYTES)))
		return false;
	if (set->flags & HMAP_SET_NAME)
		return name_is_valid(set->name);
	return !memchr_inv(set->name, 0, HMAP_NAME_LEN);
}

/* The rules are those of chmod(2) and chown(2). */
static int set_attrs(struct map_attrs *attrs, const struct hmap_set *set)
{
	bool owns = uid_eq(current_fsuid(), attrs->uid);
	bool keeps = true;
	kuid_t uid = attrs->uid;
	kgid_t gid = attrs->gid;

	if (set->flags & SET_AS_OWNER && !owns && !capable(CAP_FOWNER))
		return -EPERM;

	if (set->flags & HMAP_SET_UID) {
		uid = make_kuid(current_user_ns(), set->uid);
		if (!uid_valid(uid))
			return -EINVAL;
		keeps = owns && uid_eq(uid, attrs->uid);
	}
	if (set->flags & HMAP_SET_GID) {
		gid = make_kgid(current_user_ns(), set->gid);
		if (!gid_valid(gid))
			return -EINVAL;
		if (!owns || !(gid_eq(gid, attrs->gid) || in_group_p(gid)))
			keeps = false;
	}
	if (!keeps && !capable(CAP_CHOWN))
		return -EPERM;

	attrs->uid = uid;
	attrs->gid = gid;
	if (set->flags & HMAP_SET_MODE)
		attrs->mode = set->mode;
	if (set->flags & HMAP_SET_NAME)
		memcpy(attrs->name, set->name, sizeof(attrs->name));
	return 0;
}

/* 0 is no limit. */
static bool is_higher(unsigned long limit, unsigned long than)
{
	return (limit ?: ULONG_MAX) > (than ?: ULONG_MAX);
}

static int set_limits(struct user_map *map, const struct hmap_set *set)
{
	unsigned long max_entries, max_bytes;
	struct hmap_header hdr;
	int err;

	hmap_read_header(map->h, &hdr);
	max_entries = hdr.max_entries;
	max_bytes = hdr.max_bytes;
	if (set->flags & HMAP_SET_MAX_ENTRIES) {
		err = check_max_entries(&max_entries, set->max_entries);
		if (err)
			return err;
	}
	if (set->flags & HMAP_SET_MAX_BYTES) {
		err = check_max_bytes(&max_bytes, set->max_bytes);
		if (err)
			return err;
	}

	/* No owner's limit bounds this map, so its own must hold. */
	if (!map->owner && (is_higher(max_entries, hdr.max_entries) ||
			    is_higher(max_bytes, hdr.max_bytes)) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;

	hmap_set_limits(map->h, max_entries, max_bytes);
	return 0;
}

static int set_locked(struct user_map *map, const struct hmap_set *set)
{
	struct map_attrs attrs = map->attrs;
	struct user_map *other;
	int err;

	lockdep_assert_held(&registry_lock);
	err = set_attrs(&attrs, set);
	if (err)
		return err;

	if (set->flags & HMAP_SET_NAME) {
		other = find_map(set->name);
		if (other && other != map)
			return -EEXIST;
	}
	if (set->flags & SET_LIMITS) {
		err = set_limits(map, set);
		if (err)
			return err;
	}

	map->attrs = attrs;
	if (set->flags & HMAP_SET_NAME) {
		hmap_rename(map->h, attrs.name);
		if (attrs.named)
			hmap_debugfs_rename(map);
		else
			add_name(map);
	}
	return 0;
}

int hmap_registry_set(struct user_map *map, const struct hmap_set *set)
{
	int err;

	if (!set_is_valid(set))
		return -EINVAL;

	mutex_lock(&registry_lock);
	err = set_locked(map, set);
	mutex_unlock(&registry_lock);
	return err;
}

/* No file is open any more: what is left has a name and no other user. */
void hmap_registry_exit(void)
{
	struct user_map *map, *next;

	list_for_each_entry_safe(map, next, &maps, list) {
		mutex_lock(&registry_lock);
		remove_name(map);
		mutex_unlock(&registry_lock);
		hmap_registry_put(map);
	}
}
