// SPDX-License-Identifier: GPL-2.0
/*
 * load: entries from a file, as lines of KEY<TAB>ELEM, just KEY for a set, as
 * JSON or CSV.
 */
#include <fcntl.h>
#include <string.h>
#include "hmapctl.h"

static struct lines lines;
static struct batch batch;
static __u64 line_of[BATCH_ENTRIES];	/* where entries of the batch end */
static __u64 loaded;			/* number of entries */
static bool from_file;
static bool whole;			/* no part of the file can be loaded */

void load_as_a_whole(void)
{
	whole = true;
}

/* How much of the file is in. */
static const char *loaded_part(__u64 line, __u64 entries)
{
	static char text[100];

	if (whole)
		snprintf(text, sizeof(text), "entries before it: %llu",
			 entries);
	else if (line > 1)
		snprintf(text, sizeof(text),
			 "what is before that line is in (tail -n +%llu goes on)",
			 line);
	else
		strcpy(text, "nothing is in");
	return text;
}

/* Insert what is in the batch. */
static void flush(void)
{
	__u32 i;

	if (!batch.nr)
		return;
	batch_insert(&batch);
	for (i = 0; i < batch.nr && !batch.results[i]; i++)
		loaded++;
	if (i < batch.nr)
		fail(EXIT_REFUSED, "%s:%llu: map '%s': %s; %s", lines.name,
		     line_of[i], batch.map->name,
		     reason(batch.map, HMAP_IOC_INSERT, -batch.results[i]),
		     loaded_part(line_of[i], loaded));
	batch_clear(&batch);
	progress_update(loaded, from_file ? lines.bytes : loaded);
}

void load_entry(const struct value *key, const struct value *elem)
{
	line_of[batch.nr] = lines.nr;
	batch_add(&batch, key, elem);
	if (batch_is_full(&batch))
		flush();
}

void load_pause(void)
{
	if (!lines_ready(&lines))
		flush();
}

void load_wrong(const char *what, const char *wrong)
{
	__u64 line = lines.nr;

	flush();
	fail(EXIT_MISUSE, "%s:%llu: %s%s; %s", lines.name, line, what, wrong,
	     loaded_part(line, loaded));
}

static void parse_line(const struct map *map, const char *line, size_t len)
{
	static struct value key, elem;
	const char *tab = memchr(line, '\t', len);
	size_t key_len = tab ? (size_t)(tab - line) : len;
	size_t elem_len = tab ? len - key_len - 1 : 0;
	const char *wrong;

	if (len > LINE_MAX_LEN)
		load_wrong("", "the line is longer than any entry");
	if (!map->elem.max && tab)
		load_wrong("", "there is a tab, but the map is a set");
	if (map->elem.max && !tab)
		load_wrong("", "there is no tab between key and elem");
	if (tab && memchr(tab + 1, '\t', elem_len))
		load_wrong("", "there is more than one tab");

	wrong = value_parse(&map->key, line, key_len, &key);
	if (wrong)
		load_wrong("key ", wrong);
	if (tab) {
		wrong = value_parse(&map->elem, tab + 1, elem_len, &elem);
		if (wrong)
			load_wrong("elem ", wrong);
	}
	load_entry(&key, &elem);
}

static void read_text(const struct map *map)
{
	char *line;
	size_t len;

	while ((line = lines_next(&lines, &len))) {
		parse_line(map, line, len);
		load_pause();
	}
}

struct lines *load_open(const char *path)
{
	lines_open(&lines, path);
	batch_clear(&batch);
	whole = false;
	return &lines;
}

void load_begin(const struct map *map, bool with_file)
{
	from_file = with_file;
	batch.map = map;
	batch_clear(&batch);
	loaded = 0;
}

void load_end(void)
{
	flush();
	progress_end(loaded, from_file ? lines.bytes : loaded);
}

static void load_map(const struct args *args)
{
	enum format format = format_asked_for(args);
	struct map map;

	progress_options(args);
	map_open(&map, args->arg[0], O_WRONLY);
	load_open(args->nr > 1 ? args->arg[1] : NULL);
	load_begin(&map, true);
	progress_begin(lines_total(&lines));
	if (format == FORMAT_TEXT)
		read_text(&map);
	else if (format == FORMAT_CSV)
		read_csv(&lines, &map);
	else
		read_json(&lines, &map);
	load_end();
}

static const struct option load_options[] = {
	OPTION_JSON, OPTION("jsonl", OPT_JSONL), OPTION("csv", OPT_CSV),
	OPTION_QUIET, OPTION_HELP, OPTIONS_END
};

const struct command command_load = {
	"load", 1, 2, load_options, load_map, "insert entries from a file"
};
