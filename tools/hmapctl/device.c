// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hmap: binding to a map, its calls, and in words why one failed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "hmapctl.h"

#define DEVICE "/dev/hmap"

/* What hmap.h says of the errors of each call; first match wins. */
static const struct reason {
	unsigned long cmd;	/* 0: any */
	int err;
	const char *text;
} reasons[] = {
	{ HMAP_IOC_CREATE, EEXIST, "there is a map of that name" },
	{ HMAP_IOC_CREATE, ENOSPC,
	  "the hmap module allows no more maps, or none with such limits" },
	{ HMAP_IOC_CREATE, ENOMEM,
	  "out of memory, or the hint needs more than the map may use" },
	{ HMAP_IOC_OPEN, ENOENT, "there is no map of that name" },
	{ HMAP_IOC_OPEN, EACCES,
	  "its mode does not let you do that (see hmapctl list)" },
	{ HMAP_IOC_UNLINK, ENOENT, "there is no map of that name" },
	{ HMAP_IOC_UNLINK, EPERM,
	  "only its owner, or who has CAP_FOWNER, may unlink it" },
	{ HMAP_IOC_INSERT, ENOENT, "the key is not there" },
	{ HMAP_IOC_INSERT, EEXIST, "the key is there already" },
	{ HMAP_IOC_LOOKUP, ENOENT, "the key is not there" },
	{ HMAP_IOC_DELETE, ENOENT, "the key is not there" },
	{ 0, EINVAL, "the kernel does not take such an argument" },
	{ 0, E2BIG, "the kernel knows less than this hmapctl" },
	{ 0, ENOTTY, DEVICE " is not a device of hmap, or of an older one" },
	{ 0, ENOMEM, "out of memory" },
};

#define REASONS_END (reasons + sizeof(reasons) / sizeof(*reasons))

static const char *insert_limit(const struct map *map, int err)
{
	static char text[120];

	if (err == ENOSPC)
		snprintf(text, sizeof(text),
			 "it holds as many entries as it may (max_entries %llu)",
			 map->info.max_entries);
	else
		snprintf(text, sizeof(text),
			 "out of memory, or it would use more than it may (max_bytes %llu)",
			 map->info.max_bytes);
	return text;
}

const char *map_reason(const struct map *map, unsigned long cmd, int err)
{
	const struct reason *r;

	if (cmd == HMAP_IOC_INSERT && (err == ENOSPC || err == ENOMEM))
		return insert_limit(map, err);
	for (r = reasons; r < REASONS_END; r++)
		if (r->err == err && (!r->cmd || r->cmd == cmd))
			return r->text;
	return strerror(err);
}

void map_refuse(const struct map *map, unsigned long cmd, int err)
{
	errx(EXIT_REFUSED, "map '%s': %s", map->name,
	     map_reason(map, cmd, err));
}

int device_open(int flags)
{
	int fd = open(DEVICE, flags | O_CLOEXEC);

	if (fd < 0)
		err(EXIT_REFUSED, "%s", errno == ENOENT ?
		    DEVICE " (is the hmap module loaded?)" : DEVICE);
	return fd;
}

/* The kernel's rules for a name, so that the sentence can tell them. */
void map_name(char name[HMAP_NAME_LEN], const char *text)
{
	size_t len = strlen(text);
	const char *c;

	if (!len || len >= HMAP_NAME_LEN)
		errx(EXIT_MISUSE,
		     "map '%s': a name has 1 to %d characters, this has %zu",
		     text, HMAP_NAME_LEN - 1, len);
	if (text[0] == '.' || text[0] == '#')
		errx(EXIT_MISUSE, "map '%s': a name does not begin with '%c'",
		     text, text[0]);
	for (c = text; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '/')
			errx(EXIT_MISUSE,
			     "map '%s': a name has no '/', and printable ASCII characters only",
			     text);
	memset(name, 0, HMAP_NAME_LEN);
	memcpy(name, text, len);
}

void map_types(struct map *map)
{
	const struct hmap_info *i = &map->info;
	bool var = i->create_flags & HMAP_CREATE_VAR_ELEM;

	map->key.integer = i->key_kind == HMAP_KIND_U32 ||
			   i->key_kind == HMAP_KIND_U64;
	map->key.min = i->key_size;
	map->key.max = i->key_kind == HMAP_KIND_STRING ? STRING_LEN_MAX :
							 i->key_size;

	map->elem.integer = !var && (i->elem_size == 4 || i->elem_size == 8);
	map->elem.min = var ? 0 : i->elem_size;
	map->elem.max = i->elem_size;
}

void map_open(struct map *map, const char *name, int flags)
{
	struct hmap_name arg;

	map_name(arg.name, name);
	memset(map, 0, sizeof(*map));
	map->name = name;
	map->fd = device_open(flags);
	if (ioctl(map->fd, HMAP_IOC_OPEN, &arg))
		map_refuse(map, HMAP_IOC_OPEN, errno);
	if (flags == O_WRONLY)
		return;
	if (ioctl(map->fd, HMAP_IOC_INFO, &map->info))
		map_refuse(map, HMAP_IOC_INFO, errno);
	map_types(map);
}

int map_insert(const struct map *map, const struct value *key,
	       const struct value *elem, __u32 flags)
{
	struct hmap_entry entry = {
		.key = (uintptr_t)key->data,
		.key_len = key->len,
		.elem = (uintptr_t)elem->data,
		.elem_len = elem->len,
		.flags = flags,
	};

	return ioctl(map->fd, HMAP_IOC_INSERT, &entry) ? -errno : 0;
}

int map_lookup(const struct map *map, const struct value *key,
	       struct value *elem)
{
	struct hmap_entry entry = {
		.key = (uintptr_t)key->data,
		.key_len = key->len,
		.elem = (uintptr_t)elem->data,
		.elem_len = map->elem.max,
	};

	if (ioctl(map->fd, HMAP_IOC_LOOKUP, &entry))
		return -errno;
	elem->len = entry.elem_len;
	return 0;
}

int map_delete(const struct map *map, const struct value *key)
{
	struct hmap_entry entry = {
		.key = (uintptr_t)key->data,
		.key_len = key->len,
	};

	return ioctl(map->fd, HMAP_IOC_DELETE, &entry) ? -errno : 0;
}
