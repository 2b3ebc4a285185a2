// SPDX-License-Identifier: GPL-2.0
/*
 * dump, count: the entries of a map, or those whose keys are of some form.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include "hmapctl.h"

/* Which entries are asked for; NULL and 0 are any. */
struct filter {
	const char *prefix;
	const char *match;
	__u64 limit;
};

static void filter_options(const struct args *args, struct filter *filter)
{
	filter->prefix = args->opt[OPT_PREFIX];
	filter->match = args->opt[OPT_MATCH];
	filter->limit = option_amount(args, OPT_LIMIT, "limit");
}

/* The key as text is what counts. */
static bool passes(const struct filter *filter, const struct map *map,
		   const struct hmap_item *item)
{
	static char text[TEXT_MAX_LEN + 1];

	if (!filter->prefix && !filter->match)
		return true;
	text[text_value(&map->key, item->key, item->key_len, text)] = '\0';
	if (filter->prefix &&
	    strncmp(text, filter->prefix, strlen(filter->prefix)))
		return false;
	/* Backslashes are part of the text, and '*' of what matches a '/'. */
	return !filter->match ||
	       !fnmatch(filter->match, text, FNM_NOESCAPE);
}

static void dump_map(const struct args *args)
{
	enum format format = format_asked_for(args);
	struct hmap_walk *walk;
	struct hmap_item item;
	struct filter filter;
	__u64 nr = 0, shown = 0;
	struct map map;

	filter_options(args, &filter);
	progress_options(args);
	map_open(&map, args->arg[0], O_RDONLY);
	type_show(args, &map);
	walk = walk_begin(&map);
	if (!out_is_in_the_way())
		progress_begin(map.info.count);
	print_begin(format, &map);
	while ((!args->opt[OPT_LIMIT] || shown < filter.limit) &&
	       walk_next(&map, walk, &item)) {
		/* Asking for the time is dearer than an entry. */
		if (++nr % 64 == 0)
			progress_update(nr, nr);
		if (!passes(&filter, &map, &item))
			continue;
		print_entry(format, &map, &item);
		if (ferror(out))
			flush_stdout();
		shown++;
	}
	print_end(format);
	progress_end(nr, nr);
}

static const struct option dump_options[] = {
	OPTION_JSON, OPTION_PRETTY, OPTION("jsonl", OPT_JSONL),
	OPTION("csv", OPT_CSV), OPTION_OUTPUT, OPTION_ARG("prefix", OPT_PREFIX),
	OPTION_ARG("match", OPT_MATCH), OPTION_ARG("limit", OPT_LIMIT),
	OPTION_QUIET, OPTION_HELP, OPTIONS_END
};

const struct command command_dump = {
	"dump", 1, 1, dump_options, dump_map,
	"print entries, as load reads them"
};

static void count_map(const struct args *args)
{
	struct hmap_walk *walk;
	struct hmap_item item;
	struct filter filter;
	struct map map;
	__u64 nr = 0;

	filter_options(args, &filter);
	map_open(&map, args->arg[0], O_RDONLY);
	if (filter.prefix || filter.match) {
		walk = walk_begin(&map);
		while (walk_next(&map, walk, &item))
			nr += passes(&filter, &map, &item);
	} else {
		nr = map.info.count;
	}
	fprintf(out, "%llu\n", nr);
}

static const struct option count_options[] = {
	OPTION_ARG("prefix", OPT_PREFIX), OPTION_ARG("match", OPT_MATCH),
	OPTION_HELP, OPTIONS_END
};

const struct command command_count = {
	"count", 1, 1, count_options, count_map, "print how many entries there are"
};
