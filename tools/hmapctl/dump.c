// SPDX-License-Identifier: GPL-2.0
/*
 * dump: all entries of a map.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "hmapctl.h"

/* Stopping and continuing the process interrupts it. */
static int next_item(struct hmap_walk *walk, struct hmap_item *item)
{
	int ret;

	do {
		ret = hmap_walk_next(walk, item);
	} while (ret < 0 && errno == EINTR);
	return ret;
}

static void end_walk(void *walk)
{
	hmap_walk_end(walk);
}

static void dump_map(const struct args *args)
{
	struct array array = { .format = format_asked_for(args) };
	struct hmap_item item;
	struct hmap_walk *walk;
	struct map map;
	__u64 nr = 0;
	int ret;

	map_open(&map, args->arg[0], O_RDONLY);
	walk = hmap_walk_begin(map.fd);
	if (!walk)
		refuse(&map, HMAP_IOC_NEXT, errno);
	defer(end_walk, walk);
	if (!isatty(STDOUT_FILENO))
		progress_begin(map.info.count);
	while ((ret = next_item(walk, &item)) > 0) {
		array_add_entry(&array, &map, &item);
		if (ferror(stdout))
			flush_stdout();
		nr++;
		progress_update(nr, nr);
	}
	if (ret)
		refuse(&map, HMAP_IOC_NEXT, errno);
	progress_end(nr, nr);
	array_end(&array);
}

static const struct option dump_options[] = {
	OPTION_JSON, OPTION_PRETTY, OPTION("jsonl", OPT_JSONL), OPTION_HELP,
	OPTIONS_END
};

const struct command command_dump = {
	"dump", 1, 1, dump_options, dump_map,
	"print all entries, as load reads them"
};
