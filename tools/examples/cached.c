// SPDX-License-Identifier: GPL-2.0
/*
 * A cache that programs share: what commands have printed.
 *
 *	cached COMMAND
 *
 * Prints the output of COMMAND, a line for the shell.  If any process has run it
 * this way before, the output comes from the cache.  The cache is the map
 * "cached".  When it is full, a random entry is evicted.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <hmap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES	4
#define TRIES	10	/* others may use the room that this one makes */

static char output[HMAP_ELEM_SIZE_MAX];

/* The first process makes the cache. */
static int open_cache(void)
{
	struct hmap_create create = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = sizeof(output),
		.flags = HMAP_CREATE_VAR_ELEM | HMAP_CREATE_OR_OPEN,
		.mode = 0600,
		.max_entries = ENTRIES,
	};
	int fd = hmap_create("cached", &create);

	if (fd < 0)
		err(1, "the cache");
	return fd;
}

/* A walk begins at a random place. */
static void make_room(int cache)
{
	struct hmap_walk *walk = hmap_walk_begin(cache);
	struct hmap_item item;

	if (walk && hmap_walk_next(walk, &item) > 0)
		hmap_delete(cache, item.key, item.key_len);
	if (walk)
		hmap_walk_end(walk);
}

static void store(int cache, const char *command, size_t len)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (!hmap_insert(cache, command, strlen(command), output, len,
				 HMAP_INSERT_ANY))
			return;
		if (errno != ENOSPC)
			err(1, "storing what the command printed");
		make_room(cache);
	}
}

/* Returns the bytes printed. */
static size_t run(const char *command)
{
	FILE *from = popen(command, "r");
	size_t len;

	if (!from)
		err(1, "%s", command);
	len = fread(output, 1, sizeof(output), from);
	if (getc(from) != EOF)
		errx(1, "%s: prints more than %zu bytes", command,
		     sizeof(output));
	if (pclose(from))
		errx(1, "%s: failed", command);
	return len;
}

int main(int argc, char **argv)
{
	__u32 len = sizeof(output);
	int cache;

	if (argc != 2)
		errx(2, "usage: cached COMMAND");
	cache = open_cache();
	if (hmap_lookup(cache, argv[1], strlen(argv[1]), output, &len)) {
		if (errno != ENOENT)
			err(1, "looking the command up");
		len = run(argv[1]);
		store(cache, argv[1], len);
	}
	if (fwrite(output, 1, len, stdout) != len || fflush(stdout))
		err(1, "stdout");
	return 0;
}
