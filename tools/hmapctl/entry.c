// SPDX-License-Identifier: GPL-2.0
/*
 * One entry: insert, lookup, delete.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "hmapctl.h"

static struct value key, elem;

static void parse(const struct map *map, const struct type *type,
		  const char *what, const char *text, struct value *value)
{
	const char *wrong = value_parse(type, text, strlen(text), value);

	if (wrong)
		errx(EXIT_MISUSE, "map '%s': %s '%s' %s", map->name, what, text,
		     wrong);
}

static __u32 insert_flags(const struct args *args)
{
	if (args->opt[OPT_NOEXIST] && args->opt[OPT_EXIST])
		errx(EXIT_MISUSE,
		     "insert: --noexist and --exist exclude each other");
	if (args->opt[OPT_NOEXIST])
		return HMAP_INSERT_NOEXIST;
	return args->opt[OPT_EXIST] ? HMAP_INSERT_EXIST : HMAP_INSERT_ANY;
}

void cmd_insert(const struct args *args)
{
	__u32 flags = insert_flags(args);
	struct map map;
	int err;

	map_open(&map, args->arg[0], O_RDWR);
	if (map.elem.max && args->nr < 3)
		errx(EXIT_MISUSE, "map '%s': ELEM is missing", map.name);
	if (!map.elem.max && args->nr > 2)
		errx(EXIT_MISUSE, "map '%s': it is a set, which takes no ELEM",
		     map.name);

	parse(&map, &map.key, "key", args->arg[1], &key);
	if (map.elem.max)
		parse(&map, &map.elem, "elem", args->arg[2], &elem);
	err = map_insert(&map, &key, &elem, flags);
	if (err)
		map_refuse(&map, HMAP_IOC_INSERT, -err);
}

void cmd_lookup(const struct args *args)
{
	struct map map;
	int err;

	map_open(&map, args->arg[0], O_RDONLY);
	parse(&map, &map.key, "key", args->arg[1], &key);
	err = map_lookup(&map, &key, &elem);
	if (err)
		map_refuse(&map, HMAP_IOC_LOOKUP, -err);
	if (!map.elem.max)
		return;
	value_print(&map.elem, elem.data, elem.len);
	putchar('\n');
}

void cmd_delete(const struct args *args)
{
	struct map map;
	int err;

	map_open(&map, args->arg[0], O_RDWR);
	parse(&map, &map.key, "key", args->arg[1], &key);
	err = map_delete(&map, &key);
	if (err)
		map_refuse(&map, HMAP_IOC_DELETE, -err);
}
