// SPDX-License-Identifier: GPL-2.0
/*
 * Output: entries as text, as load reads it, as JSON or CSV.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

FILE *out;

enum format format_asked_for(const struct args *args)
{
	static const struct {
		int opt;
		const char *name;
		enum format format;
	} options[] = {
		/* --json --pretty is --pretty. */
		{ OPT_PRETTY, "--pretty", FORMAT_PRETTY },
		{ OPT_JSON, "--json", FORMAT_JSON },
		{ OPT_JSONL, "--jsonl", FORMAT_JSONL },
		{ OPT_CSV, "--csv", FORMAT_CSV },
	};
	int found = -1;
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (!args->opt[options[i].opt])
			continue;
		if (found < 0)
			found = i;
		else if (options[found].format != FORMAT_PRETTY ||
			 options[i].format != FORMAT_JSON)
			fail(EXIT_MISUSE, "%s: %s and %s exclude each other",
			     args->command, options[i].name,
			     options[found].name);
	}
	return found < 0 ? FORMAT_TEXT : options[found].format;
}

static void close_out(void *file)
{
	fclose(file);
	out = stdout;
}

void out_to(FILE *file)
{
	out = file;
	defer(close_out, file);
}

void out_to_file(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		fail_errno("%s", path);
	out_to(file);
}

void flush_out(void)
{
	if (out == stdout)
		flush_stdout();
	else if (fflush(out) || ferror(out))
		fail_errno("writing");
}

void flush_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	if (errno != EPIPE)
		complain("standard output: %s", strerror(errno));
	_exit(EXIT_REFUSED);
}

void print_begin(enum format format, const struct map *map)
{
	if (format == FORMAT_CSV)
		csv_write_head(map);
	else if (format != FORMAT_TEXT)
		json_array_begin(format);
}

static void print_text(const struct map *map, const struct hmap_item *item)
{
	static char line[2 * TEXT_MAX_LEN + 2];
	char *end = line;

	end += text_value(&map->key, item->key, item->key_len, end);
	if (map->elem.max) {
		*end++ = '\t';
		end += text_value(&map->elem, item->elem, item->elem_len, end);
	}
	*end++ = '\n';
	fwrite_unlocked(line, 1, end - line, out);
}

void print_entry(enum format format, const struct map *map,
		 const struct hmap_item *item)
{
	if (format == FORMAT_TEXT)
		print_text(map, item);
	else if (format == FORMAT_CSV)
		csv_write_entry(map, item);
	else
		json_entry(map, item);
}

void print_end(enum format format)
{
	if (format != FORMAT_TEXT && format != FORMAT_CSV)
		json_array_end();
}
