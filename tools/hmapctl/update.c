// SPDX-License-Identifier: GPL-2.0
/*
 * Atomic updates: xchg, cmpxchg, add, take.  All print the previous elem, also
 * if it is the reason why they fail.
 */
#include <errno.h>
#include <fcntl.h>
#include "hmapctl.h"

static struct value key, elem, expect, old;

static void print_text(const struct map *map)
{
	if (!map->elem.max)
		return;
	text_print(&map->elem, old.data, old.len);
	putc('\n', out);
}

static void print_json(const struct map *map, enum format format, bool present,
		       bool told)
{
	json_begin(format);
	json_open();
	json_value("key", &map->key, key.data, key.len);
	json_bool("present", present);
	if (told && map->elem.max)
		json_value("old", &map->elem, old.data, old.len);
	json_close();
}

/* @ret: whether the key existed, or -1.  @absent: @old is set even if not. */
static void report(const struct args *args, const struct map *map, int ret,
		   bool absent)
{
	enum format format = format_asked_for(args);
	int err = ret < 0 ? errno : 0;
	bool present = ret > 0 || err == EEXIST || err == ESTALE;
	bool told = present || (absent && !err);

	if (format != FORMAT_TEXT && (!err || present || err == ENOENT))
		print_json(map, format, present, told);
	else if (format == FORMAT_TEXT && told)
		print_text(map);
	flush_stdout();
	if (err)
		refuse_key(map, args->arg[1], HMAP_IOC_UPDATE, err);
}

static void open_map(struct map *map, const struct args *args)
{
	map_open(map, args->arg[0], O_RDWR);
	old.len = map->elem.max;
}

static void xchg(const struct args *args)
{
	__u32 flags = insert_flags(args);
	struct map map;

	open_map(&map, args);
	entry_arguments(&map, args, &key, &elem);
	report(args, &map,
	       hmap_xchg(map.fd, key.data, key.len, elem.data, elem.len,
			 old.data, &old.len, flags), false);
}

static void cmpxchg(const struct args *args)
{
	struct map map;
	int ret;

	open_map(&map, args);
	if (!map.elem.max)
		fail(EXIT_MISUSE, "map '%s': it is a set, which has no elems",
		     map.name);
	value_argument(&map, &map.key, args->arg[1], &key);
	value_argument(&map, &map.elem, args->arg[2], &expect);
	value_argument(&map, &map.elem, args->arg[3], &elem);
	ret = hmap_cmpxchg(map.fd, key.data, key.len, expect.data, expect.len,
			   elem.data, elem.len, old.data, &old.len);
	report(args, &map, ret ? -1 : 1, false);
}

static void add(const struct args *args)
{
	__u32 flags = insert_flags(args);
	const char *text = args->arg[2];
	bool minus = *text == '-';
	struct map map;
	__u64 n;

	open_map(&map, args);
	if (!map.elem.integer)
		fail(EXIT_MISUSE, "map '%s': its elems are not u32 or u64",
		     map.name);
	value_argument(&map, &map.key, args->arg[1], &key);
	value_argument(&map, &map.elem, text + minus, &elem);
	if (minus) {
		n = -value_integer(elem.data, elem.len);
		value_set_integer(&map.elem, n, &elem);
	}
	report(args, &map,
	       hmap_fetch_add(map.fd, key.data, key.len, elem.data, old.data,
			      elem.len, flags), true);
}

static void take(const struct args *args)
{
	struct map map;
	int ret;

	open_map(&map, args);
	value_argument(&map, &map.key, args->arg[1], &key);
	ret = hmap_take(map.fd, key.data, key.len, old.data, &old.len);
	report(args, &map, ret ? -1 : 1, false);
}

static const struct option xchg_options[] = {
	OPTION("noexist", OPT_NOEXIST), OPTION("exist", OPT_EXIST), OPTION_JSON,
	OPTION_PRETTY, OPTION_HELP, OPTIONS_END
};

const struct command command_xchg = {
	"xchg", 2, 3, xchg_options, xchg, "insert, and print the previous elem"
};

const struct command command_cmpxchg = {
	"cmpxchg", 4, 4, json_options, cmpxchg,
	"replace an elem if it has the expected value"
};

static const struct option add_options[] = {
	OPTION("exist", OPT_EXIST), OPTION_JSON, OPTION_PRETTY, OPTION_HELP,
	OPTIONS_END
};

const struct command command_add = {
	"add", 3, 3, add_options, add,
	"add to an elem, and print its previous value"
};

const struct command command_take = {
	"take", 2, 2, json_options, take, "delete an entry, and print its elem"
};
