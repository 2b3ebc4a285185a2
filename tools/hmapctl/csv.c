// SPDX-License-Identifier: GPL-2.0
/*
 * CSV: the columns key and elem.  A field is a number, or text as it is, or raw
 * bytes after "hex:" where text is not UTF-8.
 */
#include <csv.h>
#include <stdlib.h>
#include <string.h>
#include "hmapctl.h"

/* === Writing === */

static void write_field(const struct type *type, const void *data, __u32 len)
{
	struct type as = *type;

	if (type_shown(type, len) == SHOW_TEXT) {
		if (is_utf8(data, len) && !is_hex(data, len)) {
			csv_fwrite(out, data, len);
			return;
		}
		as.show = SHOW_HEX;
	}
	text_print(&as, data, len);
}

void csv_write_head(const struct map *map)
{
	fputs(map->elem.max ? "key,elem\r\n" : "key\r\n", out);
}

void csv_write_entry(const struct map *map, const struct hmap_item *item)
{
	write_field(&map->key, item->key, item->key_len);
	if (map->elem.max) {
		putc(',', out);
		write_field(&map->elem, item->elem, item->elem_len);
	}
	fputs("\r\n", out);
}

/* === Reading === */

static struct {
	const struct map *map;
	__u64 rows;
	int nr;			/* of fields in this row */
	size_t len[2];
	char field[2][TEXT_MAX_LEN];
} row;

static void on_field(void *data, size_t len, void *unused)
{
	(void)unused;
	if (row.nr < 2) {
		if (len > TEXT_MAX_LEN)
			load_wrong(row.nr ? "elem " : "key ",
				   "is longer than any");
		memcpy(row.field[row.nr], data, len);
		row.len[row.nr] = len;
	}
	row.nr++;
}

static bool field_is(int i, const char *text)
{
	return row.len[i] == strlen(text) &&
	       !memcmp(row.field[i], text, row.len[i]);
}

static bool is_head(int wanted)
{
	return row.rows == 1 && field_is(0, "key") &&
	       (wanted == 1 || field_is(1, "elem"));
}

static void parse_field(int i, const struct type *type, struct value *value)
{
	const char *text = row.field[i], *wrong;

	if (type->integer || is_hex(text, row.len[i]))
		wrong = value_parse(type, text, row.len[i], value);
	else
		wrong = value_set(type, text, row.len[i], value);
	if (wrong)
		load_wrong(i ? "elem " : "key ", wrong);
}

static void on_row(int unused1, void *unused2)
{
	static struct value key, elem;
	int wanted = row.map->elem.max ? 2 : 1;

	(void)unused1;
	(void)unused2;
	row.rows++;
	if (row.nr != wanted)
		load_wrong("", wanted == 2 ? "there are not two fields, key and elem" :
			   "there is not one field, the key, as the map is a set");
	row.nr = 0;
	if (is_head(wanted))
		return;
	parse_field(0, &row.map->key, &key);
	if (wanted == 2)
		parse_field(1, &row.map->elem, &elem);
	load_entry(&key, &elem);
}

static int no_space(unsigned char c)
{
	(void)c;
	return 0;
}

static void free_parser(void *parser)
{
	csv_free(parser);
}

static void check(struct csv_parser *parser, bool ok)
{
	char text[80];

	if (ok)
		return;
	snprintf(text, sizeof(text), "that is not CSV: %s",
		 csv_strerror(csv_error(parser)));
	load_wrong("", text);
}

void read_csv(struct lines *lines, const struct map *map)
{
	static struct csv_parser parser;
	char *text;
	size_t len;

	row.map = map;
	row.rows = 0;
	row.nr = 0;
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI))
		checked(NULL);
	defer(free_parser, &parser);
	/* Spaces around a field belong to it. */
	csv_set_space_func(&parser, no_space);
	while ((text = lines_piece(lines, &len))) {
		check(&parser, csv_parse(&parser, text, len, on_field, on_row,
					 NULL) == len);
		load_pause();
	}
	check(&parser, !csv_fini(&parser, on_field, on_row, NULL));
}
