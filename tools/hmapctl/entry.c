// SPDX-License-Identifier: GPL-2.0
/*
 * Entries by key: insert, lookup, delete.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include "hmapctl.h"

static struct value key, elem;
static struct batch batch;

__u32 insert_flags(const struct args *args)
{
	if (args->opt[OPT_NOEXIST] && args->opt[OPT_EXIST])
		fail(EXIT_MISUSE, "%s: --noexist and --exist exclude each other",
		     args->command);
	if (args->opt[OPT_NOEXIST])
		return HMAP_INSERT_NOEXIST;
	return args->opt[OPT_EXIST] ? HMAP_INSERT_EXIST : HMAP_INSERT_ANY;
}

void entry_arguments(const struct map *map, const struct args *args,
		     struct value *key, struct value *elem)
{
	if (map->elem.max && args->nr < 3)
		fail(EXIT_MISUSE, "map '%s': ELEM is missing", map->name);
	if (!map->elem.max && args->nr > 2)
		fail(EXIT_MISUSE, "map '%s': it is a set, which takes no ELEM",
		     map->name);

	value_argument(map, &map->key, args->arg[1], key);
	if (map->elem.max)
		value_argument(map, &map->elem, args->arg[2], elem);
}

static void insert(const struct args *args)
{
	__u32 flags = insert_flags(args);
	struct map map;

	map_open(&map, args->arg[0], O_WRONLY);
	entry_arguments(&map, args, &key, &elem);
	if (hmap_insert(map.fd, key.data, key.len, elem.data, elem.len, flags))
		refuse_key(&map, args->arg[1], HMAP_IOC_INSERT, errno);
}

/* Fill the batch with keys from the command line, from argument @i on. */
static int gather(const struct args *args, int i)
{
	batch_clear(&batch);
	while (i < args->nr && !batch_is_full(&batch)) {
		value_argument(batch.map, &batch.map->key, args->arg[i++], &key);
		batch_add(&batch, &key, NULL);
	}
	return i;
}

/* Report failed entries of the batch, whose keys begin at @arg. */
static bool failed(char **arg, unsigned long cmd)
{
	bool any = false;
	__u32 i;

	flush_stdout();
	for (i = 0; i < batch.nr; i++)
		if (batch.results[i]) {
			warn_key(batch.map, arg[i], cmd, -batch.results[i]);
			any = true;
		}
	return any;
}

static void print_one(const struct map *map, enum format format)
{
	struct hmap_item item;

	if (batch.results[0])
		return;
	batch_item(&batch, 0, &item);
	if (format != FORMAT_TEXT) {
		json_print(json_entry(map, &item), format);
	} else if (map->elem.max) {
		value_print(&map->elem, item.elem, item.elem_len);
		putchar('\n');
	}
}

static void add_found(struct array *array)
{
	struct hmap_item item;
	__u32 i;

	for (i = 0; i < batch.nr; i++) {
		batch_item(&batch, i, &item);
		if (!batch.results[i])
			array_add_entry(array, batch.map, &item);
	}
}

static void lookup(const struct args *args)
{
	struct array array = { .format = format_asked_for(args) };
	bool one = args->nr == 2, any_failed = false;
	struct map map;
	int first, i;

	map_open(&map, args->arg[0], O_RDONLY);
	batch.map = &map;
	for (i = 1; i < args->nr;) {
		first = i;
		i = gather(args, i);
		batch_lookup(&batch);
		if (one)
			print_one(&map, array.format);
		else
			add_found(&array);
		any_failed |= failed(args->arg + first, HMAP_IOC_LOOKUP);
	}
	if (!one)
		array_end(&array);
	flush_stdout();
	if (any_failed)
		leave(EXIT_REFUSED);
}

static void delete(const struct args *args)
{
	bool any_failed = false;
	struct map map;
	int first, i;

	map_open(&map, args->arg[0], O_WRONLY);
	batch.map = &map;
	for (i = 1; i < args->nr;) {
		first = i;
		i = gather(args, i);
		batch_delete(&batch);
		any_failed |= failed(args->arg + first, HMAP_IOC_DELETE);
	}
	if (any_failed)
		leave(EXIT_REFUSED);
}

static const struct option insert_options[] = {
	OPTION("noexist", OPT_NOEXIST), OPTION("exist", OPT_EXIST),
	OPTION_HELP, OPTIONS_END
};

const struct command command_insert = {
	"insert", 2, 3, insert_options, insert, "add or replace an entry"
};

const struct command command_lookup = {
	"lookup", 2, INT_MAX, json_options, lookup, "print the elems of keys"
};

const struct command command_delete = {
	"delete", 2, INT_MAX, no_options, delete, "delete entries"
};
