// SPDX-License-Identifier: GPL-2.0
/*
 * Writing JSON: integers are numbers; text is a string if it is UTF-8, else
 * {"hex": "..."}.
 */
#include <string.h>
#include <yajl/yajl_gen.h>
#include "hmapctl.h"

static yajl_gen gen;
static bool pretty, array, begun;
static int depth;		/* of open objects */

static void write_out(void *unused, const char *text, size_t len)
{
	(void)unused;
	fwrite_unlocked(text, 1, len, out);
}

void json_begin(enum format format)
{
	if (gen)
		yajl_gen_free(gen);
	gen = checked(yajl_gen_alloc(NULL));
	pretty = format == FORMAT_PRETTY;
	yajl_gen_config(gen, yajl_gen_print_callback, write_out, NULL);
	yajl_gen_config(gen, yajl_gen_beautify, pretty);
	yajl_gen_config(gen, yajl_gen_indent_string, "  ");
	array = false;
	depth = 0;
}

/* If it is not to be pretty, an element is an object by itself, on a line. */
void json_array_begin(enum format format)
{
	json_begin(format);
	array = format != FORMAT_JSONL;
	begun = false;
	if (pretty)
		yajl_gen_array_open(gen);
}

void json_array_end(void)
{
	if (pretty)
		yajl_gen_array_close(gen);
	else if (array)
		fputs(begun ? "\n]\n" : "[]\n", out);
}

static void begin_element(void)
{
	if (array && !pretty)
		fwrite_unlocked(begun ? ",\n" : "[\n", 1, 2, out);
	begun = true;
}

void json_open(void)
{
	begin_element();
	if (!array || !pretty)
		yajl_gen_reset(gen, NULL);
	yajl_gen_map_open(gen);
	depth++;
}

void json_close(void)
{
	yajl_gen_map_close(gen);
	if (!--depth && !array && !pretty)
		putc('\n', out);
}

static void add_string(const char *text, size_t len)
{
	yajl_gen_string(gen, (const unsigned char *)text, len);
}

static void add_number(__u64 n)
{
	char text[20];

	yajl_gen_number(gen, text, text_number(n, text));
}

static void add_name(const char *name)
{
	add_string(name, strlen(name));
}

void json_open_member(const char *name)
{
	add_name(name);
	yajl_gen_map_open(gen);
	depth++;
}

void json_number(const char *name, __u64 value)
{
	add_name(name);
	add_number(value);
}

void json_decimal(const char *name, const char *digits, size_t len)
{
	add_name(name);
	yajl_gen_number(gen, digits, len);
}

void json_string(const char *name, const char *value)
{
	add_name(name);
	add_string(value, strlen(value));
}

void json_bool(const char *name, bool value)
{
	add_name(name);
	yajl_gen_bool(gen, value);
}

static void add_hex(const unsigned char *data, __u32 len)
{
	static char hex[2 * HMAP_ELEM_SIZE_MAX];
	char *to = hex;
	__u32 i;

	for (i = 0; i < len; i++)
		to = hex_byte(data[i], to);
	yajl_gen_map_open(gen);
	add_name("hex");
	add_string(hex, 2 * len);
	yajl_gen_map_close(gen);
}

void json_value(const char *name, const struct type *type, const void *data,
		__u32 len)
{
	enum show show = type_shown(type, len);

	add_name(name);
	if (show == SHOW_INT)
		add_number(value_integer(data, len));
	else if (show == SHOW_TEXT && is_utf8(data, len))
		add_string(data, len);
	else
		add_hex(data, len);
}

/* What the generator would print, in a quarter of the time. */
static void write_numbers(const struct hmap_item *item)
{
	char text[80], *to = stpcpy(text, "{\"key\":");

	to += text_number(value_integer(item->key, item->key_len), to);
	to = stpcpy(to, ",\"elem\":");
	to += text_number(value_integer(item->elem, item->elem_len), to);
	to = stpcpy(to, array ? "}" : "}\n");
	fwrite_unlocked(text, 1, to - text, out);
}

void json_entry(const struct map *map, const struct hmap_item *item)
{
	if (!pretty && map->elem.max &&
	    type_shown(&map->key, item->key_len) == SHOW_INT &&
	    type_shown(&map->elem, item->elem_len) == SHOW_INT) {
		begin_element();
		write_numbers(item);
		return;
	}
	json_open();
	json_value("key", &map->key, item->key, item->key_len);
	if (map->elem.max)
		json_value("elem", &map->elem, item->elem, item->elem_len);
	json_close();
}
