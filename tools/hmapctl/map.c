// SPDX-License-Identifier: GPL-2.0
/*
 * Named maps, and the types of their keys and elems.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

/* Repeats the kernel's rules, to say which one was broken. */
void map_check_name(const char *name)
{
	size_t len = strlen(name);
	const char *c;

	if (!len || len >= HMAP_NAME_LEN)
		fail(EXIT_MISUSE,
		     "map '%s': a name has 1 to %d characters, this has %zu",
		     brief(name), HMAP_NAME_LEN - 1, len);
	if (name[0] == '.' || name[0] == '#')
		fail(EXIT_MISUSE, "map '%s': a name does not begin with '%c'",
		     brief(name), name[0]);
	for (c = name; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '/')
			fail(EXIT_MISUSE,
			     "map '%s': a name has no '/', and printable ASCII characters only",
			     brief(name));
}

void map_types(struct map *map)
{
	const struct hmap_info *i = &map->info;
	bool var = i->create_flags & HMAP_CREATE_VAR_ELEM;

	map->key.integer = i->key_kind == HMAP_KIND_U32 ||
			   i->key_kind == HMAP_KIND_U64;
	map->key.min = i->key_kind == HMAP_KIND_STRING ? 0 : i->key_size;
	/* Only strings have no size, unless the map is mapped. */
	map->key.max = i->key_size ?: STRING_LEN_MAX;

	map->elem.integer = !var && (i->elem_size == 4 || i->elem_size == 8);
	map->elem.min = var ? 0 : i->elem_size;
	map->elem.max = i->elem_size;
}

static void close_fd(void *fd)
{
	close((intptr_t)fd);
}

void map_opened(struct map *map, int fd, unsigned long cmd)
{
	if (fd < 0)
		refuse(map, cmd, errno);
	map->fd = fd;
	defer(close_fd, (void *)(intptr_t)fd);
}

void map_open(struct map *map, const char *name, int flags)
{
	map_check_name(name);
	memset(map, 0, sizeof(*map));
	map->name = name;
	map->flags = flags;
	map_opened(map, hmap_open(name, flags), HMAP_IOC_OPEN);
	if (hmap_info(map->fd, &map->info))
		refuse(map, HMAP_IOC_INFO, errno);
	map_types(map);
}

void map_name(const struct hmap_info *info, char name[HMAP_NAME_LEN])
{
	if (info->name[0])
		memcpy(name, info->name, HMAP_NAME_LEN);
	else
		snprintf(name, HMAP_NAME_LEN, "id:%llu", info->id);
}
