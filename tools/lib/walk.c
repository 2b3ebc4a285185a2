// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over all entries.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "hmap.h"

#define ROOM	(64 << 10)	/* initial size of the buffer */

/*
 * @buf is next.len bytes long.  The @left records that have not been returned
 * yet begin at @at.
 */
struct hmap_walk {
	int fd;
	struct hmap_next next;
	char *buf;
	const char *at;
	__u32 left;
};

struct hmap_walk *hmap_walk_begin(int fd)
{
	struct hmap_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->buf = malloc(ROOM);
	if (!walk->buf) {
		free(walk);
		return NULL;
	}
	walk->fd = fd;
	walk->next.len = ROOM;
	return walk;
}

static int grow(struct hmap_walk *walk)
{
	char *buf = realloc(walk->buf, walk->next.used);

	if (!buf)
		return -1;
	walk->buf = buf;
	walk->next.len = walk->next.used;
	return 0;
}

static int fill(struct hmap_walk *walk)
{
	do {
		walk->next.buf = (uintptr_t)walk->buf;
		if (!ioctl(walk->fd, HMAP_IOC_NEXT, &walk->next)) {
			walk->at = walk->buf;
			walk->left = walk->next.count;
			return 0;
		}
	} while (errno == EMSGSIZE && !grow(walk));
	return -1;
}

int hmap_walk_next(struct hmap_walk *walk, struct hmap_item *item)
{
	const struct hmap_record *record;

	if (!walk->left && fill(walk))
		return -1;
	if (!walk->left)
		return 0;

	record = (const void *)walk->at;
	item->key = record + 1;
	item->key_len = record->key_len;
	item->elem = (const char *)item->key + HMAP_RECORD_ALIGN(item->key_len);
	item->elem_len = record->elem_len;
	walk->at += HMAP_RECORD_SIZE(item->key_len, item->elem_len);
	walk->left--;
	return 1;
}

void hmap_walk_end(struct hmap_walk *walk)
{
	free(walk->buf);
	free(walk);
}
