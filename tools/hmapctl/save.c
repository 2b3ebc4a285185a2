// SPDX-License-Identifier: GPL-2.0
/*
 * save, restore, copy: a map as a whole.
 *
 * A backup is lines of JSON.  The first is an object that says what the map is,
 * then comes one for each entry, as dump --jsonl prints it, and the last one is
 * {"entries": N}, without which it is not whole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>
#include "hmapctl.h"

#define FORMAT_NAME	"hmap backup"
#define FORMAT_VERSION	1

/* === Making a map that nobody sees before it is whole === */

/* What is at the module's limit has no limit of its own. */
static void create_as(const struct hmap_info *info, struct hmap_create *create)
{
	*create = (struct hmap_create) {
		.key_kind = info->key_kind,
		.key_size = info->key_size,
		.elem_size = info->elem_size,
		.flags = info->create_flags,
		.mode = info->mode,
		.hint = info->count,
		.max_entries = info->max_entries,
		.max_bytes = info->max_bytes,
	};
	if (create->max_entries == module_max_entries())
		create->max_entries = 0;
	if (create->max_bytes == module_max_bytes())
		create->max_bytes = 0;
	/* As many as there were may be more than fit now. */
	if (create->max_entries && create->hint > create->max_entries)
		create->hint = create->max_entries;
}

static void make_unnamed(struct map *map, const char *name,
			 struct hmap_create *create)
{
	int fd = hmap_open(name, O_RDONLY);

	map->name = name;
	map->flags = O_RDWR;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == EACCES)
		fail(EXIT_REFUSED, "map '%s': there is a map of that name",
		     name);
	fd = hmap_create(NULL, create);
	if (fd < 0)
		fail(EXIT_REFUSED, "map '%s': %s", name,
		     reason_create(map, create, errno));
	map_opened(map, fd, HMAP_IOC_CREATE);
	if (hmap_info(fd, &map->info))
		refuse(map, HMAP_IOC_INFO, errno);
	map_types(map);
}

static void give_name(const struct map *map)
{
	struct hmap_set set = { .flags = HMAP_SET_NAME };

	strcpy(set.name, map->name);
	if (hmap_set(map->fd, &set))
		fail(EXIT_REFUSED, "map '%s': %s", map->name,
		     reason_set(map, &set, errno));
}

/* As cp -p and tar do, as far as the user may. */
static void give_owner(const struct map *map, __u32 uid, __u32 gid)
{
	struct hmap_set set = {
		.flags = HMAP_SET_UID | HMAP_SET_GID, .uid = uid, .gid = gid,
	};

	if (hmap_set(map->fd, &set) && errno != EPERM && errno != EINVAL)
		fail(EXIT_REFUSED, "map '%s': %s", map->name,
		     reason_set(map, &set, errno));
}

/* === copy === */

static void copy_entries(const struct map *from, struct map *to)
{
	struct hmap_walk *walk = walk_begin(from);
	static struct value key, elem;
	struct hmap_item item;

	load_begin(to, false);
	while (walk_next(from, walk, &item)) {
		value_set(&from->key, item.key, item.key_len, &key);
		value_set(&from->elem, item.elem, item.elem_len, &elem);
		load_entry(&key, &elem);
	}
	load_end();
}

static void copy_map(const struct args *args)
{
	struct hmap_create create;
	struct map from, to = { 0 };

	progress_options(args);
	map_check_name(args->arg[1]);
	map_open(&from, args->arg[0], O_RDONLY);
	create_as(&from.info, &create);
	make_unnamed(&to, args->arg[1], &create);
	progress_begin(from.info.count);
	copy_entries(&from, &to);
	give_name(&to);
}

static const struct option quiet_options[] = {
	OPTION_QUIET, OPTION_HELP, OPTIONS_END
};

const struct command command_copy = {
	"copy", 2, 2, quiet_options, copy_map, "make a map like another one"
};

/* === save === */

static char unfinished[4096];	/* the file that is to become the backup */

static void remove_unfinished(void *unused)
{
	(void)unused;
	if (*unfinished)
		unlink(unfinished);
}

/* A backup there is stays until the new one is whole. */
static void open_backup(const char *path)
{
	int fd;

	if (snprintf(unfinished, sizeof(unfinished), "%s.XXXXXX", path) >=
	    (int)sizeof(unfinished)) {
		*unfinished = '\0';
		errno = ENAMETOOLONG;
		fail_errno("%s", path);
	}
	fd = mkostemp(unfinished, O_CLOEXEC);
	if (fd < 0) {
		*unfinished = '\0';
		fail_errno("%s", path);
	}
	defer(remove_unfinished, NULL);
	out_to(checked(fdopen(fd, "w")));
}

static void finish_backup(const char *path)
{
	if (fflush(out) || ferror(out) || fsync(fileno(out)) ||
	    rename(unfinished, path))
		fail_errno("%s", path);
	*unfinished = '\0';
}

static void write_head(const struct map *map)
{
	const struct hmap_info *i = &map->info;
	struct hmap_create create;
	char mode[8];

	create_as(i, &create);
	snprintf(mode, sizeof(mode), "%04o", i->mode);
	json_begin(FORMAT_JSONL);
	json_open();
	json_string("format", FORMAT_NAME);
	json_number("version", FORMAT_VERSION);
	json_string("name", map->name);
	json_string("key", type_key_name(i));
	json_string("elem", type_elem_name(i));
	json_bool("mapped", i->create_flags & HMAP_CREATE_MAPPED);
	json_string("mode", mode);
	json_number("uid", i->uid);
	json_number("gid", i->gid);
	json_number("max_entries", create.max_entries);
	json_number("max_bytes", create.max_bytes);
	json_number("hint", create.hint);
	json_close();
}

static void save_map(const struct args *args)
{
	const char *path = args->nr > 1 ? args->arg[1] : "-";
	struct hmap_walk *walk;
	struct hmap_item item;
	struct map map;
	__u64 nr = 0;

	progress_options(args);
	map_open(&map, args->arg[0], O_RDONLY);
	walk = walk_begin(&map);
	if (strcmp(path, "-"))
		open_backup(path);
	if (!out_is_in_the_way())
		progress_begin(map.info.count);
	write_head(&map);
	while (walk_next(&map, walk, &item)) {
		json_entry(&map, &item);
		if (ferror(out))
			break;
		if (++nr % 64 == 0)
			progress_update(nr, nr);
	}
	json_open();
	json_number("entries", nr);
	json_close();
	if (strcmp(path, "-"))
		finish_backup(path);
	progress_end(nr, nr);
}

const struct command command_save = {
	"save", 1, 2, quiet_options, save_map,
	"write a whole map to a file, as restore reads it"
};

/* === restore === */

static void wrong_head(const char *what)
{
	load_wrong("the backup's first line: ", what);
}

static yajl_val member(yajl_val head, const char *name, yajl_type type)
{
	const char *path[2];
	yajl_val value;
	char wrong[40];

	path[0] = name;
	path[1] = NULL;
	value = yajl_tree_get(head, path, type);
	if (!value) {
		snprintf(wrong, sizeof(wrong), "it does not say %s", name);
		wrong_head(wrong);
	}
	return value;
}

static const char *string_member(yajl_val head, const char *name)
{
	return YAJL_GET_STRING(member(head, name, yajl_t_string));
}

static __u64 number_member(yajl_val head, const char *name)
{
	const char *text = YAJL_GET_NUMBER(member(head, name, yajl_t_number));
	__u64 n = 0;

	if (!parse_number(text, strlen(text), 10, ~0ULL, &n))
		wrong_head("there is a number that is none below 2^64");
	return n;
}

static void type_member(yajl_val head, const char *name, bool elem,
			struct hmap_create *create)
{
	const char *wrong = type_parse(string_member(head, name), elem, create);

	if (wrong)
		load_wrong(elem ? "elem " : "key ", wrong);
}

static void free_head(void *head)
{
	yajl_tree_free(head);
}

static yajl_val read_head(struct lines *lines)
{
	char error[100];
	yajl_val head;
	size_t len;
	char *line = lines_next(lines, &len);

	head = line ? yajl_tree_parse(line, error, sizeof(error)) : NULL;
	if (!head)
		wrong_head("this is no backup of hmapctl save");
	defer(free_head, head);
	if (strcmp(string_member(head, "format"), FORMAT_NAME))
		wrong_head("this is no backup of hmapctl save");
	if (number_member(head, "version") != FORMAT_VERSION)
		wrong_head("it is of another version than 1");
	return head;
}

static void head_create(yajl_val head, struct hmap_create *create)
{
	memset(create, 0, sizeof(*create));
	type_member(head, "key", false, create);
	type_member(head, "elem", true, create);
	if (YAJL_IS_TRUE(member(head, "mapped", yajl_t_any)))
		create->flags |= HMAP_CREATE_MAPPED;
	create->mode = parse_mode("restore", string_member(head, "mode"));
	create->max_entries = number_member(head, "max_entries");
	create->max_bytes = number_member(head, "max_bytes");
	create->hint = number_member(head, "hint");
}

static void restore_map(const struct args *args)
{
	struct lines *lines = load_open(args->nr ? args->arg[0] : NULL);
	const char *name = args->opt[OPT_NAME];
	struct hmap_create create;
	struct map map = { 0 };
	yajl_val head;

	progress_options(args);
	head = read_head(lines);
	head_create(head, &create);
	if (!name)
		name = string_member(head, "name");
	map_check_name(name);
	make_unnamed(&map, name, &create);
	load_begin(&map, true);
	progress_begin(lines_total(lines));
	read_backup(lines, &map);
	load_end();
	give_owner(&map, number_member(head, "uid"), number_member(head, "gid"));
	give_name(&map);
}

static const struct option restore_options[] = {
	OPTION_ARG("name", OPT_NAME), OPTION_QUIET, OPTION_HELP, OPTIONS_END
};

const struct command command_restore = {
	"restore", 0, 1, restore_options, restore_map,
	"make a map as it was saved"
};
