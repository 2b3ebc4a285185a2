// SPDX-License-Identifier: GPL-2.0
/*
 * list: the maps there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

#define COLUMNS	7

/* A table of which the widest cell makes the width of a column. */
struct row {
	char cell[COLUMNS][HMAP_NAME_LEN];
};

static const char * const heads[COLUMNS] = {
	"NAME", "KEY", "ELEM", "ENTRIES", "MEMORY", "MODE", "OWNER"
};

static const bool to_the_right[COLUMNS] = { [3] = true, [4] = true };

static struct row *rows;
static size_t nr_rows, rows_room;

static struct row *add_row(void)
{
	if (nr_rows == rows_room) {
		rows_room = 2 * rows_room + 16;
		rows = checked(realloc(rows, rows_room * sizeof(*rows)));
	}
	return &rows[nr_rows++];
}

static void print_rows(void)
{
	int width[COLUMNS], c, len;
	size_t i;

	for (c = 0; c < COLUMNS; c++) {
		width[c] = strlen(heads[c]);
		for (i = 0; i < nr_rows; i++) {
			len = strlen(rows[i].cell[c]);
			if (width[c] < len)
				width[c] = len;
		}
	}
	for (c = 0; c < COLUMNS; c++)
		fprintf(out, "%*s%s", to_the_right[c] ? width[c] :
			c < COLUMNS - 1 ? -width[c] : 0, heads[c],
			c < COLUMNS - 1 ? "  " : "\n");
	for (i = 0; i < nr_rows; i++)
		for (c = 0; c < COLUMNS; c++)
			fprintf(out, "%*s%s", to_the_right[c] ? width[c] :
				c < COLUMNS - 1 ? -width[c] : 0,
				rows[i].cell[c], c < COLUMNS - 1 ? "  " : "\n");
}

/* A size for people, on a terminal; exactly, for programs. */
static void memory(char cell[HMAP_NAME_LEN], __u64 bytes)
{
	static const char units[] = " KMGTPE";
	double n = bytes;
	int unit = 0;

	while (n >= 1024) {
		n /= 1024;
		unit++;
	}
	if (!unit || !isatty(STDOUT_FILENO))
		snprintf(cell, HMAP_NAME_LEN, "%llu", bytes);
	else
		snprintf(cell, HMAP_NAME_LEN, n < 10 ? "%.1f%c" : "%.0f%c", n,
			 units[unit]);
}

static void add_map(const struct hmap_info *i)
{
	struct row *row = add_row();
	const struct passwd *user = getpwuid(i->uid);
	int c;

	for (c = 0; c < COLUMNS; c++)
		strcpy(row->cell[c], "-");
	map_name(i, row->cell[0]);
	if (i->access) {
		strcpy(row->cell[1], type_key_name(i));
		strcpy(row->cell[2], type_elem_name(i));
	}
	if (i->access & HMAP_ACCESS_READ) {
		snprintf(row->cell[3], HMAP_NAME_LEN, "%llu", i->count);
		memory(row->cell[4], i->bytes);
	}
	snprintf(row->cell[5], HMAP_NAME_LEN, "%04o", i->mode);
	if (user)
		snprintf(row->cell[6], HMAP_NAME_LEN, "%s", user->pw_name);
	else
		snprintf(row->cell[6], HMAP_NAME_LEN, "%u", i->uid);
}

static void list_maps(const struct args *args)
{
	enum format format = format_asked_for(args);
	struct map map = { .flags = O_RDONLY };
	int ret;

	nr_rows = 0;
	if (format != FORMAT_TEXT)
		json_array_begin(format);
	while ((ret = hmap_next_map(&map.info)) > 0) {
		if (format == FORMAT_TEXT) {
			add_map(&map.info);
			continue;
		}
		json_open();
		json_info(&map.info);
		json_close();
	}
	if (ret)
		fail(EXIT_REFUSED, "listing maps: %s",
		     reason(&map, HMAP_IOC_INFO, errno));
	if (format != FORMAT_TEXT)
		json_array_end();
	else if (nr_rows)
		print_rows();
	else if (isatty(STDOUT_FILENO))
		fputs("There are no maps.\n", out);
}

const struct command command_list = {
	"list", 0, 0, json_options, list_maps, "list the maps there are"
};
