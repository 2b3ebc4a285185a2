// SPDX-License-Identifier: GPL-2.0
/*
 * Entries by key: insert, lookup, delete.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
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

/* === Keys, from the command line or from lines of standard input === */

struct keys {
	const struct args *args;
	int next;		/* argument */
	struct lines *lines;	/* NULL: they are arguments */
};

static void keys_begin(struct keys *keys, const struct args *args)
{
	static struct lines lines;

	keys->args = args;
	keys->next = 1;
	keys->lines = NULL;
	if (args->nr == 2 && !strcmp(args->arg[1], "-")) {
		keys->lines = &lines;
		lines_open(&lines, "-");
	}
}

static bool keys_next_line(struct lines *lines)
{
	const struct map *map = batch.map;
	const char *wrong;
	char *line;
	size_t len;

	line = lines_next(lines, &len);
	if (!line)
		return false;
	wrong = len > LINE_MAX_LEN ? "is longer than any" :
		value_parse(&map->key, line, len, &key);
	if (wrong)
		fail(EXIT_MISUSE, "%s:%llu: map '%s': key '%s' %s", lines->name,
		     lines->nr, map->name, brief(line), wrong);
	return true;
}

static bool keys_next(struct keys *keys)
{
	const struct args *args = keys->args;

	if (keys->lines)
		return keys_next_line(keys->lines);
	if (keys->next == args->nr)
		return false;
	value_argument(batch.map, &batch.map->key, args->arg[keys->next++],
		       &key);
	return true;
}

/* Fill the batch; of lines, those that are there.  False if there is none. */
static bool gather(struct keys *keys)
{
	batch_clear(&batch);
	while (!batch_is_full(&batch) && keys_next(keys)) {
		batch_add(&batch, &key, NULL);
		if (keys->lines && !lines_ready(keys->lines))
			break;
	}
	return batch.nr;
}

/* Report failed entries of the batch. */
static bool failed(unsigned long cmd)
{
	static char text[TEXT_MAX_LEN + 1];
	struct hmap_item item;
	bool any = false;
	__u32 i;

	flush_stdout();
	for (i = 0; i < batch.nr; i++) {
		batch_item(&batch, i, &item);
		if (!batch.results[i])
			continue;
		text[text_value(&batch.map->key, item.key, item.key_len,
				text)] = '\0';
		warn_key(batch.map, text, cmd, -batch.results[i]);
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
		json_begin(format);
		json_entry(map, &item);
	} else if (map->elem.max) {
		text_print(&map->elem, item.elem, item.elem_len);
		putc('\n', out);
	}
}

static void print_found(enum format format)
{
	struct hmap_item item;
	__u32 i;

	for (i = 0; i < batch.nr; i++) {
		batch_item(&batch, i, &item);
		if (!batch.results[i])
			print_entry(format, batch.map, &item);
	}
}

static void lookup(const struct args *args)
{
	enum format format = format_asked_for(args);
	bool any_failed = false, one;
	struct keys keys;
	struct map map;

	map_open(&map, args->arg[0], O_RDONLY);
	type_show(args, &map);
	batch.map = &map;
	keys_begin(&keys, args);
	one = args->nr == 2 && !keys.lines;
	if (!one)
		print_begin(format, &map);
	while (gather(&keys)) {
		batch_lookup(&batch);
		if (one)
			print_one(&map, format);
		else
			print_found(format);
		any_failed |= failed(HMAP_IOC_LOOKUP);
	}
	if (!one)
		print_end(format);
	flush_stdout();
	if (any_failed)
		leave(EXIT_REFUSED);
}

static void delete(const struct args *args)
{
	bool any_failed = false;
	struct keys keys;
	struct map map;

	map_open(&map, args->arg[0], O_WRONLY);
	batch.map = &map;
	keys_begin(&keys, args);
	while (gather(&keys)) {
		batch_delete(&batch);
		any_failed |= failed(HMAP_IOC_DELETE);
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

static const struct option lookup_options[] = {
	OPTION_JSON, OPTION_PRETTY, OPTION_OUTPUT, OPTION_HELP, OPTIONS_END
};

const struct command command_lookup = {
	"lookup", 2, INT_MAX, lookup_options, lookup, "print the elems of keys"
};

const struct command command_delete = {
	"delete", 2, INT_MAX, no_options, delete, "delete entries"
};
