// SPDX-License-Identifier: GPL-2.0
/*
 * Output: text, as load reads it, or JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

enum format format_asked_for(const struct args *args)
{
	bool json = args->opt[OPT_JSON] || args->opt[OPT_PRETTY];

	if (args->opt[OPT_JSONL] && json)
		fail(EXIT_MISUSE, "%s: --jsonl and --%s exclude each other",
		     args->command, args->opt[OPT_JSON] ? "json" : "pretty");
	if (args->opt[OPT_JSONL])
		return FORMAT_JSONL;
	if (args->opt[OPT_PRETTY])
		return FORMAT_PRETTY;
	return json ? FORMAT_JSON : FORMAT_TEXT;
}

void flush_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	if (errno != EPIPE)
		complain("standard output: %s", strerror(errno));
	_exit(EXIT_REFUSED);
}

void array_add(struct array *array, struct json_object *object)
{
	if (array->format == FORMAT_JSONL) {
		json_print(object, array->format);
		return;
	}
	fputs(array->begun ? ",\n" : "[\n", stdout);
	json_write(object, array->format);
	array->begun = true;
}

void array_end(const struct array *array)
{
	if (array->format == FORMAT_JSON || array->format == FORMAT_PRETTY)
		puts(array->begun ? "\n]" : "[]");
}

static void print_text(const struct map *map, const struct hmap_item *item)
{
	value_print(&map->key, item->key, item->key_len);
	if (map->elem.max) {
		putchar('\t');
		value_print(&map->elem, item->elem, item->elem_len);
	}
	putchar('\n');
}

struct json_object *json_entry(const struct map *map,
			       const struct hmap_item *item)
{
	struct json_object *object = json_new();

	json_add_value(object, "key", &map->key, item->key, item->key_len);
	if (map->elem.max)
		json_add_value(object, "elem", &map->elem, item->elem,
			       item->elem_len);
	return object;
}

void array_add_entry(struct array *array, const struct map *map,
		     const struct hmap_item *item)
{
	if (array->format == FORMAT_TEXT)
		print_text(map, item);
	else
		array_add(array, json_entry(map, item));
}
