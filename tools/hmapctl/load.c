// SPDX-License-Identifier: GPL-2.0
/*
 * load: entries from lines, each KEY<TAB>ELEM, just KEY for a set, or a JSON
 * object.
 */
#include <fcntl.h>
#include <string.h>
#include "hmapctl.h"

static struct lines lines;
static struct batch batch;
static __u64 loaded;		/* number of entries */

static const char *parse_text(const struct map *map, const char *line,
			      size_t len, struct value *key,
			      struct value *elem, const char **what)
{
	const char *tab = memchr(line, '\t', len);
	size_t key_len = tab ? (size_t)(tab - line) : len;
	size_t elem_len = tab ? len - key_len - 1 : 0;
	const char *wrong;

	*what = "";
	if (!map->elem.max && tab)
		return "there is a tab, but the map is a set";
	if (map->elem.max && !tab)
		return "there is no tab between key and elem";
	if (tab && memchr(tab + 1, '\t', elem_len))
		return "there is more than one tab";

	*what = "key ";
	wrong = value_parse(&map->key, line, key_len, key);
	if (wrong || !tab)
		return wrong;
	*what = "elem ";
	return value_parse(&map->elem, tab + 1, elem_len, elem);
}

/* The batch holds the lines up to, but not including, number @end. */
static void flush(__u64 end)
{
	__u32 i, bad = batch.nr;

	if (!batch.nr)
		return;
	batch_insert(&batch);
	for (i = batch.nr; i-- > 0;) {
		if (batch.results[i])
			bad = i;
		else
			loaded++;
	}
	if (bad < batch.nr) {
		fail(EXIT_REFUSED, "%s:%llu: map '%s': %s; entries loaded: %llu",
		     lines.name, end - batch.nr + bad, batch.map->name,
		     reason(batch.map, HMAP_IOC_INSERT, -batch.results[bad]),
		     loaded);
	}
	batch_clear(&batch);
	progress_update(loaded, lines.bytes);
}

static void add_line(const struct map *map, bool json, const char *line,
		     size_t len)
{
	static struct value key, elem;
	const char *what = "", *wrong;

	if (len > LINE_MAX_LEN)
		wrong = "the line is longer than any entry";
	else
		wrong = (json ? json_parse_entry : parse_text)(map, line, len,
							       &key, &elem,
							       &what);
	if (wrong) {
		flush(lines.nr);
		fail(EXIT_MISUSE, "%s:%llu: %s%s; entries loaded: %llu",
		     lines.name, lines.nr, what, wrong, loaded);
	}
	batch_add(&batch, &key, &elem);
}

static void load_map(const struct args *args)
{
	bool json = args->opt[OPT_JSONL];
	struct map map;
	char *line;
	size_t len;

	map_open(&map, args->arg[0], O_WRONLY);
	batch.map = &map;
	batch_clear(&batch);
	loaded = 0;
	lines_open(&lines, args->nr > 1 ? args->arg[1] : NULL);
	progress_begin(lines_total(&lines));
	while ((line = lines_next(&lines, &len))) {
		add_line(&map, json, line, len);
		if (batch_is_full(&batch) || !lines_ready(&lines))
			flush(lines.nr + 1);
	}
	progress_end(loaded, lines.bytes);
}

static const struct option load_options[] = {
	OPTION("jsonl", OPT_JSONL), OPTION_HELP, OPTIONS_END
};

const struct command command_load = {
	"load", 1, 2, load_options, load_map,
	"insert entries from lines of a file"
};
