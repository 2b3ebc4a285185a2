// SPDX-License-Identifier: GPL-2.0
/*
 * Information about maps: list, and show for a single one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hmapctl.h"

#define DEBUGFS "/sys/kernel/debug/hmap"

static const char *state_name(const struct hmap_info *i)
{
	if (i->state & HMAP_STATE_GROWING)
		return "growing";
	if (i->state & HMAP_STATE_SAME_SIZE)
		return "growing, same size";
	return "at rest";
}

/* Omits what this user may not see. */
static struct json_object *info_json(const struct hmap_info *i)
{
	struct json_object *object = json_new();
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", i->mode);
	json_add_string(object, "name", i->name);
	json_add_number(object, "id", i->id);
	json_add_string(object, "mode", mode);
	json_add_number(object, "uid", i->uid);
	json_add_number(object, "gid", i->gid);
	if (!i->access)
		return object;
	json_add_string(object, "key", type_key_name(i));
	json_add_string(object, "elem", type_elem_name(i));
	if (!(i->access & HMAP_ACCESS_READ))
		return object;
	json_add_number(object, "epoch", i->epoch);
	json_add_number(object, "count", i->count);
	json_add_number(object, "max_entries", i->max_entries);
	json_add_number(object, "bytes", i->bytes);
	json_add_number(object, "max_bytes", i->max_bytes);
	json_add_number(object, "owner_bytes", i->owner_bytes);
	json_add_number(object, "owner_max_bytes", i->owner_max_bytes);
	json_add_number(object, "log2_buckets", i->log2_buckets);
	json_add_number(object, "noverflow", i->noverflow);
	json_add_number(object, "growths", i->growths);
	json_add_number(object, "same_size_growths", i->same_size_growths);
	json_add_string(object, "state", state_name(i));
	json_add_number(object, "nevacuate", i->nevacuate);
	return object;
}

static void list_line(const struct hmap_info *i)
{
	printf("%-24s %-9s %-11s", i->name, i->access ? type_key_name(i) : "-",
	       i->access ? type_elem_name(i) : "-");
	if (i->access & HMAP_ACCESS_READ)
		printf(" %12llu %15llu", i->count, i->bytes);
	else
		printf(" %12s %15s", "-", "-");
	printf("  %04o %6u\n", i->mode, i->uid);
}

static void list_maps(const struct args *args)
{
	struct array array = { .format = format_asked_for(args) };
	struct map map = { .flags = O_RDONLY };
	bool heading = array.format == FORMAT_TEXT;
	int ret;

	while ((ret = hmap_next_map(&map.info)) > 0) {
		if (heading)
			printf("%-24s %-9s %-11s %12s %15s  %-4s %6s\n", "NAME",
			       "KEY", "ELEM", "ENTRIES", "BYTES", "MODE", "UID");
		heading = false;
		if (array.format == FORMAT_TEXT)
			list_line(&map.info);
		else
			array_add(&array, info_json(&map.info));
	}
	if (ret)
		fail(EXIT_REFUSED, "listing maps: %s",
		     reason(&map, HMAP_IOC_INFO, errno));
	array_end(&array);
}

static void show_limited(const char *what, __u64 now, __u64 most)
{
	if (most)
		printf("%-18s %llu, at most %llu\n", what, now, most);
	else
		printf("%-18s %llu, without limit\n", what, now);
}

static void show_info(const struct map *map)
{
	const struct hmap_info *i = &map->info;

	printf("name               %s\n", i->name);
	printf("id                 %llu\n", i->id);
	printf("key                %s\n", type_key_name(i));
	printf("elem               %s\n", type_elem_name(i));
	show_limited("entries", i->count, i->max_entries);
	show_limited("bytes", i->bytes, i->max_bytes);
	if (i->owner_max_bytes)
		show_limited("bytes of owner", i->owner_bytes,
			     i->owner_max_bytes);
	printf("mode               %04o, of uid %u and gid %u\n", i->mode,
	       i->uid, i->gid);
	printf("buckets            2^%u\n", i->log2_buckets);
	printf("overflow buckets   %s%u\n", i->log2_buckets > 15 ? "about " : "",
	       i->noverflow);
	printf("growths            %llu\n", i->growths);
	printf("same-size growths  %llu\n", i->same_size_growths);
	printf("state              %s\n", state_name(i));
	if (i->state & (HMAP_STATE_GROWING | HMAP_STATE_SAME_SIZE))
		printf("nevacuate          %llu\n", i->nevacuate);
}

/*
 * Returns the contents, to be freed, or NULL with errno set; @path is set.  The
 * directory is accessed by the map's id, since the name may have been reused.
 */
static char *read_debugfs(const struct map *map, const char *file, char *path,
			  size_t size)
{
	char *text = NULL;
	size_t room = 0;
	FILE *f;

	snprintf(path, size, DEBUGFS "/#%llu/%s", map->info.id, file);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	if (getdelim(&text, &room, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static void show_debugfs(const struct map *map, const char *file)
{
	char path[128];
	char *text = read_debugfs(map, file, path, sizeof(path));

	if (text)
		printf("\n%s:\n%s", path, text);
	else
		printf("\n%s: not readable: %s\n", path, strerror(errno));
	free(text);
}

static void debugfs_json(const struct map *map, const char *file,
			 struct json_object *object)
{
	char path[128], error[256];
	char *text = read_debugfs(map, file, path, sizeof(path));

	if (text) {
		json_add_string(object, file, text);
		free(text);
		return;
	}
	snprintf(error, sizeof(error), "%s: not readable: %s", path,
		 strerror(errno));
	json_add_string(object, "error", error);
}

static void show_json(const struct map *map, enum format format)
{
	struct json_object *object = info_json(&map->info);
	struct json_object *debugfs = json_new();

	debugfs_json(map, "hmap", debugfs);
	debugfs_json(map, "stats", debugfs);
	json_add_object(object, "debugfs", debugfs);
	json_print(object, format);
}

static void show_map(const struct args *args)
{
	enum format format = format_asked_for(args);
	struct map map;

	map_open(&map, args->arg[0], O_RDONLY);
	if (format != FORMAT_TEXT) {
		show_json(&map, format);
		return;
	}
	show_info(&map);
	show_debugfs(&map, "hmap");
	show_debugfs(&map, "stats");
}

const struct command command_list = {
	"list", 0, 0, json_options, list_maps, "list the maps that have names"
};

const struct command command_show = {
	"show", 1, 1, json_options, show_map,
	"show the header and statistics of a map"
};
