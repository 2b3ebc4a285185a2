// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the entries of a map.
 */
#include <errno.h>
#include <stdlib.h>
#include "hmapctl.h"

static void end_walk(void *walk)
{
	hmap_walk_end(walk);
}

struct hmap_walk *walk_begin(const struct map *map)
{
	struct hmap_walk *walk = hmap_walk_begin(map->fd);

	if (!walk)
		refuse(map, HMAP_IOC_NEXT, errno);
	defer(end_walk, walk);
	return walk;
}

bool walk_next(const struct map *map, struct hmap_walk *walk,
	       struct hmap_item *item)
{
	int ret;

	/* Stopping and continuing the process interrupts it. */
	do {
		ret = hmap_walk_next(walk, item);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		refuse(map, HMAP_IOC_NEXT, errno);
	return ret;
}
