// SPDX-License-Identifier: GPL-2.0
/*
 * Named maps, and the types of their keys and elems.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "hmapctl.h"

/* Repeats the kernel's rules, to say which one was broken. */
void map_check_name(const char *name)
{
	size_t len = strlen(name);
	const char *c;

	if (!len || len >= HMAP_NAME_LEN)
		errx(EXIT_MISUSE,
		     "map '%s': a name has 1 to %d characters, this has %zu",
		     name, HMAP_NAME_LEN - 1, len);
	if (name[0] == '.' || name[0] == '#')
		errx(EXIT_MISUSE, "map '%s': a name does not begin with '%c'",
		     name, name[0]);
	for (c = name; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '/')
			errx(EXIT_MISUSE,
			     "map '%s': a name has no '/', and printable ASCII characters only",
			     name);
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
	map_check_name(name);
	memset(map, 0, sizeof(*map));
	map->name = name;
	map->flags = flags;
	map->fd = hmap_open(name, flags);
	if (map->fd < 0)
		refuse(map, HMAP_IOC_OPEN, errno);
	if (hmap_info(map->fd, &map->info))
		refuse(map, HMAP_IOC_INFO, errno);
	map_types(map);
}
