// SPDX-License-Identifier: GPL-2.0
/*
 * Why a call failed, in words; at a limit, also which one and its value.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

#define DEVICE "/dev/hmap"
#define PARAMETERS "/sys/module/hmap/parameters/"

/* Errors by call, as documented in hmap.h; the first match wins. */
static const struct reason {
	unsigned long cmd;	/* 0: any */
	int err;
	const char *text;
} reasons[] = {
	{ HMAP_IOC_OPEN, ENOENT, "there is no map of that name" },
	{ HMAP_IOC_OPEN, EACCES,
	  "its mode does not let you do that (see hmapctl list)" },
	{ HMAP_IOC_UNLINK, ENOENT, "there is no map of that name" },
	{ HMAP_IOC_UNLINK, EPERM,
	  "only its owner, or who has CAP_FOWNER, may unlink it" },
	{ HMAP_IOC_SET, EEXIST, "there is a map of the new name" },
	{ HMAP_IOC_SET, EPERM,
	  "only its owner, or who has CAP_FOWNER, may change it; a new owner takes CAP_CHOWN" },
	{ HMAP_IOC_EXPLAIN, EPERM,
	  "it takes CAP_SYS_ADMIN, unless the module's parameter explain is 2" },
	{ HMAP_IOC_NEXT, ESTALE, "it was cleared meanwhile" },
	{ 0, ENOENT, "it is not there" },
	{ 0, EEXIST, "it is there already" },
	{ 0, ESTALE, "its current value differs" },
	{ 0, EINVAL, "the kernel does not take such an argument" },
	{ 0, E2BIG, "the kernel knows less than this hmapctl" },
	{ 0, ENODEV, "there is no " DEVICE "; load the module, as by modprobe hmap" },
	{ 0, ENOTTY, DEVICE " is not an hmap device, or its module is too old" },
	{ 0, ENOMEM, "out of memory, or at the limit of the memory cgroup" },
};

#define REASONS_END (reasons + sizeof(reasons) / sizeof(*reasons))

/* === Limits === */

/* A limit of the module, or 0 if there is none, or it is unreadable. */
static __u64 parameter(const char *name)
{
	unsigned long long n = 0;
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static __u64 most_bytes(const char *name)
{
	__u64 quarter = (__u64)sysconf(_SC_PHYS_PAGES) / 4;

	return parameter(name) ?: quarter * sysconf(_SC_PAGESIZE);
}

__u64 module_max_entries(void)
{
	return parameter("max_entries");
}

__u64 module_max_bytes(void)
{
	return most_bytes("max_bytes");
}

static bool over(__u64 wanted, __u64 limit)
{
	return limit && wanted > limit;
}

static char text[240];

/* Returns NULL if these are within the module's limits. */
static const char *over_a_limit(__u64 max_entries, __u64 max_bytes)
{
	__u64 most_entries = module_max_entries();
	__u64 most = module_max_bytes();

	if (over(max_entries, most_entries))
		snprintf(text, sizeof(text),
			 "--max-entries %llu is over the module's max_entries %llu, in " PARAMETERS,
			 max_entries, most_entries);
	else if (over(max_bytes, most))
		snprintf(text, sizeof(text),
			 "--max-bytes %llu is over the module's max_bytes %llu, in " PARAMETERS,
			 max_bytes, most);
	else
		return NULL;
	return text;
}

/* Whether a similar map without limits and hint could be made. */
static bool can_create_another(const struct hmap_create *create)
{
	struct hmap_create small = {
		.key_kind = create->key_kind,
		.key_size = create->key_size,
		.elem_size = create->elem_size,
	};
	int fd = hmap_create(NULL, &small);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const char *no_space_to_create(const struct hmap_create *create)
{
	const char *why = over_a_limit(create->max_entries, create->max_bytes);
	__u64 max_entries = module_max_entries();

	if (why)
		return why;
	if (over(create->hint, max_entries))
		snprintf(text, sizeof(text),
			 "--hint %llu is over the module's max_entries %llu, in " PARAMETERS,
			 create->hint, max_entries);
	else if (over(create->hint, create->max_entries))
		snprintf(text, sizeof(text), "hint %llu is over max_entries %llu",
			 create->hint, create->max_entries);
	else if (can_create_another(create))
		snprintf(text, sizeof(text),
			 "it would need more memory than it may use (hint %llu, max_bytes %llu)",
			 create->hint,
			 create->max_bytes ?: module_max_bytes());
	else
		snprintf(text, sizeof(text),
			 "there are as many maps as the module allows (max_maps %llu)",
			 parameter("max_maps"));
	return text;
}

static const char *no_quota_to_create(const struct hmap_create *create)
{
	if (can_create_another(create))
		snprintf(text, sizeof(text),
			 "it would need more memory than your maps have left (hint %llu, max_user_bytes %llu)",
			 create->hint, most_bytes("max_user_bytes"));
	else
		snprintf(text, sizeof(text),
			 "the maps you have made are as many, or use as much memory, as the module allows a user (max_user_maps %llu, max_user_bytes %llu)",
			 parameter("max_user_maps"),
			 most_bytes("max_user_bytes"));
	return text;
}

const char *reason_create(const struct map *map,
			  const struct hmap_create *create, int err)
{
	switch (err) {
	case EEXIST:
		return create->flags & HMAP_CREATE_OR_OPEN ?
		       "there is a map of that name, with other keys or elems" :
		       "there is a map of that name";
	case EDQUOT:
		return no_quota_to_create(create);
	case ENOSPC:
		return no_space_to_create(create);
	}
	return reason(map, HMAP_IOC_CREATE, err);
}

const char *reason_set(const struct map *map, const struct hmap_set *set,
		       int err)
{
	const char *why = NULL;

	if (err == ENOSPC)
		why = over_a_limit(set->max_entries, set->max_bytes);
	return why ?: reason(map, HMAP_IOC_SET, err);
}

/*
 * Get current statistics.  A file that is open for writing only does not get
 * them, but the user may be allowed to read as well.
 */
static void ask_again(const struct map *map, struct hmap_info *info)
{
	int fd = map->flags == O_WRONLY ? hmap_reopen(map->fd, O_RDONLY) :
					  map->fd;

	if (hmap_info(fd, info))
		memset(info, 0, sizeof(*info));
	if (fd >= 0 && fd != map->fd)
		close(fd);
}

static const char *no_space(const struct map *map)
{
	struct hmap_info info;

	ask_again(map, &info);
	if (!(info.access & HMAP_ACCESS_READ))
		return "it has reached its max_entries or max_bytes";
	if (over(info.count + 1, info.max_entries))
		snprintf(text, sizeof(text),
			 "the map holds as many entries as it may (max_entries %llu)",
			 info.max_entries);
	else
		snprintf(text, sizeof(text),
			 "the map would use more memory than it may (max_bytes %llu, of which it uses %llu)",
			 info.max_bytes, info.bytes);
	return text;
}

static const char *no_quota(const struct map *map)
{
	struct hmap_info info;
	int len = snprintf(text, sizeof(text),
			   "all maps of the user who made it would use more memory than they may");

	ask_again(map, &info);
	if (info.owner_max_bytes)
		snprintf(text + len, sizeof(text) - len,
			 " (max_user_bytes %llu, of which they use %llu)",
			 info.owner_max_bytes, info.owner_bytes);
	return text;
}

/* === All reasons === */

/* Whether the mode of the device allows it, whatever that of the map does. */
static bool device_lets(int flags)
{
	static const int modes[] = {
		[O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK,
	};

	return !access(DEVICE, modes[flags]);
}

static bool stores(unsigned long cmd)
{
	return cmd == HMAP_IOC_INSERT || cmd == HMAP_IOC_UPDATE;
}

const char *reason(const struct map *map, unsigned long cmd, int err)
{
	const struct reason *r;

	if (stores(cmd) && err == ENOSPC)
		return no_space(map);
	if (stores(cmd) && err == EDQUOT)
		return no_quota(map);
	if (err == EACCES && !device_lets(map->flags))
		return "only root and the group hmap may open " DEVICE
		       ": Permission denied (sudo usermod -a -G hmap $USER, and log in anew)";
	if (cmd == HMAP_IOC_OPEN && err == ENOENT &&
	    !strncmp(map->name, "id:", 3))
		return "there is no map of that name; one that has none is for who has it open";

	for (r = reasons; r < REASONS_END; r++)
		if (r->err == err && (!r->cmd || r->cmd == cmd))
			return r->text;
	return strerror(err);
}

void refuse(const struct map *map, unsigned long cmd, int err)
{
	fail(EXIT_REFUSED, "map '%s': %s", map->name, reason(map, cmd, err));
}

void warn_key(const struct map *map, const char *key, unsigned long cmd,
	      int err)
{
	complain("map '%s': key '%s': %s", map->name, brief(key), reason(map, cmd, err));
}

void refuse_key(const struct map *map, const char *key, unsigned long cmd,
		int err)
{
	warn_key(map, key, cmd, err);
	leave(EXIT_REFUSED);
}
