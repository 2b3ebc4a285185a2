// SPDX-License-Identifier: GPL-2.0
/*
 * dump: all entries of a map, as load reads them or as JSON.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <json-c/json.h>
#include <sys/ioctl.h>
#include "hmapctl.h"

struct entry {
	const void *key, *elem;
	__u32 key_len, elem_len;
};

static void print_json(const struct map *map, const struct entry *e, bool first)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		errx(EXIT_REFUSED, "out of memory");
	json_add(object, "key", value_json(&map->key, e->key, e->key_len));
	if (map->elem.max)
		json_add(object, "elem",
			 value_json(&map->elem, e->elem, e->elem_len));
	json_print_item(object, first);
}

static void print_tsv(const struct map *map, const struct entry *e)
{
	value_print(&map->key, e->key, e->key_len);
	if (map->elem.max) {
		putchar('\t');
		value_print(&map->elem, e->elem, e->elem_len);
	}
	putchar('\n');
}

/* Fill @buf, or a larger one where a record does not fit. */
static void *next_batch(const struct map *map, void *buf, struct hmap_next *next)
{
	for (;;) {
		next->buf = (uintptr_t)buf;
		if (!ioctl(map->fd, HMAP_IOC_NEXT, next))
			return buf;
		if (errno != EMSGSIZE || next->used <= next->len)
			map_refuse(map, HMAP_IOC_NEXT, errno);
		next->len = next->used;
		buf = realloc(buf, next->len);
		if (!buf)
			errx(EXIT_REFUSED, "out of memory");
	}
}

static const void *record(const void *at, struct entry *e)
{
	const struct hmap_record *r = at;

	e->key_len = r->key_len;
	e->elem_len = r->elem_len;
	e->key = r + 1;
	e->elem = (const char *)e->key + HMAP_RECORD_ALIGN(r->key_len);
	return (const char *)at + HMAP_RECORD_SIZE(r->key_len, r->elem_len);
}

void cmd_dump(const struct args *args)
{
	bool json = args->opt[OPT_JSON], first = true;
	struct hmap_next next = { .len = 256 << 10 };
	void *buf = malloc(next.len);
	const void *at;
	struct entry e;
	struct map map;
	__u32 i;

	if (!buf)
		errx(EXIT_REFUSED, "out of memory");
	map_open(&map, args->arg[0], O_RDONLY);
	while (buf = next_batch(&map, buf, &next), next.count) {
		for (i = 0, at = buf; i < next.count; i++) {
			at = record(at, &e);
			if (json)
				print_json(&map, &e, first);
			else
				print_tsv(&map, &e);
			first = false;
		}
		flush_stdout();
	}
	if (json)
		json_print_end(first);
	free(buf);
}
