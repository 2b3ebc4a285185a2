// SPDX-License-Identifier: GPL-2.0
/*
 * show: what there is to know about a map.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "hmapctl.h"

#define DEBUGFS "/sys/kernel/debug/hmap"

static bool is_growing(const struct hmap_info *i)
{
	return i->state & (HMAP_STATE_GROWING | HMAP_STATE_SAME_SIZE);
}

static const char *state_name(const struct hmap_info *i)
{
	if (i->state & HMAP_STATE_GROWING)
		return "growing";
	if (i->state & HMAP_STATE_SAME_SIZE)
		return "growing, same size";
	return "at rest";
}

/* Members of the object that is open; omits what this user may not see. */
void json_info(const struct hmap_info *i)
{
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", i->mode);
	json_string("name", i->name);
	json_number("id", i->id);
	json_string("mode", mode);
	json_number("uid", i->uid);
	json_number("gid", i->gid);
	if (!i->access)
		return;
	json_string("key", type_key_name(i));
	json_string("elem", type_elem_name(i));
	json_bool("mapped", i->create_flags & HMAP_CREATE_MAPPED);
	if (!(i->access & HMAP_ACCESS_READ))
		return;
	json_number("epoch", i->epoch);
	json_number("count", i->count);
	json_number("max_entries", i->max_entries);
	json_number("bytes", i->bytes);
	json_number("max_bytes", i->max_bytes);
	json_number("owner_bytes", i->owner_bytes);
	json_number("owner_max_bytes", i->owner_max_bytes);
	json_number("log2_buckets", i->log2_buckets);
	json_number("noverflow", i->noverflow);
	json_number("growths", i->growths);
	json_number("same_size_growths", i->same_size_growths);
	json_string("state", state_name(i));
	if (is_growing(i))
		json_number("nevacuate", i->nevacuate);
}

static void show_limited(const char *what, __u64 now, __u64 most)
{
	if (most)
		fprintf(out, "%-18s %llu, at most %llu\n", what, now, most);
	else
		fprintf(out, "%-18s %llu, without limit\n", what, now);
}

static void show_info(const struct map *map)
{
	const struct hmap_info *i = &map->info;
	const struct passwd *user = getpwuid(i->uid);
	const struct group *group = getgrgid(i->gid);
	char name[HMAP_NAME_LEN];

	map_name(i, name);
	fprintf(out, "name               %s\n", name);
	fprintf(out, "id                 %llu\n", i->id);
	fprintf(out, "key                %s\n", type_key_name(i));
	fprintf(out, "elem               %s\n", type_elem_name(i));
	if (i->create_flags & HMAP_CREATE_MAPPED)
		fprintf(out, "mapped             yes\n");
	show_limited("entries", i->count, i->max_entries);
	show_limited("bytes", i->bytes, i->max_bytes);
	if (i->owner_max_bytes)
		show_limited("bytes of owner", i->owner_bytes,
			     i->owner_max_bytes);
	fprintf(out, "mode               %04o\n", i->mode);
	fprintf(out, "owner              %s, uid %u\n",
		user ? user->pw_name : "-", i->uid);
	fprintf(out, "group              %s, gid %u\n",
		group ? group->gr_name : "-", i->gid);
	fprintf(out, "buckets            2^%u\n", i->log2_buckets);
	fprintf(out, "overflow buckets   %s%u\n",
		i->log2_buckets > 15 ? "about " : "", i->noverflow);
	fprintf(out, "growths            %llu\n", i->growths);
	fprintf(out, "same-size growths  %llu\n", i->same_size_growths);
	fprintf(out, "state              %s\n", state_name(i));
	if (is_growing(i))
		fprintf(out, "nevacuate          %llu\n", i->nevacuate);
}

/* === What debugfs knows besides === */

/* Where a value begins in a line of debugfs. */
#define VALUE_AT	20

#define CHAIN_LENGTH	"chain length"

/* The lines of these files that say what is not known from elsewhere. */
static const char * const more[] = {
	"bucket size", "load", "flags", "extra.overflow", "extra.oldoverflow",
	"extra.next_overflow", "with overflow", "overhead", "hit", "miss",
};

static void show_line(const char *name, const char *value, bool json)
{
	char member[VALUE_AT + 1], number[32];
	size_t i, len;

	if (!json) {
		fprintf(out, "%-18s %s\n", name, value);
		return;
	}
	for (i = 0; name[i]; i++)
		member[i] = strchr(". ", name[i]) ? '_' : name[i];
	member[i] = '\0';
	/* "0.75 per bucket", and for flags "0x3 iterator" */
	len = strspn(value, "0123456789.");
	if (value[len] == 'x')
		json_number(member, strtoull(value, NULL, 16));
	else if (len && len < sizeof(number))
		json_decimal(member, memcpy(number, value, len), len);
	else
		json_string(member, value);
}

/* "1   12", "8 and more   3": chains of that many buckets */
static void show_chains(FILE *f, char *line, bool json)
{
	int size = VALUE_AT + 80;

	if (json)
		json_open_member("chains_of");
	else
		fputs("\n" CHAIN_LENGTH "       chains\n", out);
	while (fgets(line, size, f)) {
		char *end = line + strcspn(line, "\n");

		if (end - line <= VALUE_AT)
			break;
		*end = '\0';
		line[VALUE_AT - 1] = '\0';
		line[strcspn(line, " ")] = '\0';
		if (json)
			json_number(line, strtoull(line + VALUE_AT, NULL, 10));
		else
			fprintf(out, "%-18s %s\n", line, line + VALUE_AT);
	}
	if (json)
		json_close();
}

static void show_lines(FILE *f, bool json)
{
	char line[VALUE_AT + 80];
	unsigned int i;
	char *name_end;

	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, CHAIN_LENGTH))
			show_chains(f, line, json);
		if (strlen(line) <= VALUE_AT)
			continue;
		name_end = line + VALUE_AT - 1;
		while (name_end > line && *name_end == ' ')
			*name_end-- = '\0';
		for (i = 0; i < sizeof(more) / sizeof(*more); i++)
			if (!strcmp(line, more[i]))
				show_line(line, line + VALUE_AT, json);
	}
}

static void close_file(void *f)
{
	fclose(f);
}

/* By the map's id, since the name may be that of another by now. */
static bool show_debugfs(const struct map *map, const char *file, bool json)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), DEBUGFS "/#%llu/%s", map->info.id, file);
	f = fopen(path, "re");
	if (f) {
		defer(close_file, f);
		show_lines(f, json);
		return true;
	}
	if (!json)
		fprintf(out, "more               %s: %s\n", path,
			strerror(errno));
	return false;
}

static void show_map(const struct args *args)
{
	enum format format = format_asked_for(args);
	bool json = format != FORMAT_TEXT;
	struct map map;

	map_open(&map, args->arg[0], O_RDONLY);
	if (json) {
		json_begin(format);
		json_open();
		json_info(&map.info);
	} else {
		show_info(&map);
	}
	if (show_debugfs(&map, "hmap", json))
		show_debugfs(&map, "stats", json);
	if (json)
		json_close();
}

const struct command command_show = {
	"show", 1, 1, json_options, show_map,
	"show what there is to know about a map"
};
