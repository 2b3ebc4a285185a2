/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hmapctl: the command line of /dev/hmap.
 */
#ifndef _HMAPCTL_H
#define _HMAPCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/hmap.h>

#define STRING_LEN_MAX	4096	/* bytes in a key of kind HMAP_KIND_STRING */

/* Exit statuses, besides 0. */
#define EXIT_REFUSED	1	/* not found, or the system said no */
#define EXIT_MISUSE	2	/* the command line or the input is wrong */

/* === Commands === */

enum {
	OPT_KEY,
	OPT_ELEM,
	OPT_HINT,
	OPT_MAX_ENTRIES,
	OPT_MAX_BYTES,
	OPT_MODE,
	OPT_NOEXIST,
	OPT_EXIST,
	OPT_JSON,
	OPT_HELP,
	NR_OPTS,
};

/*
 * What the command line says: the arguments after the command's name, and the
 * value of each option that was given ("" for those without a value).
 */
struct args {
	int nr;
	char **arg;
	const char *opt[NR_OPTS];
};

void cmd_create(const struct args *args);
void cmd_list(const struct args *args);
void cmd_insert(const struct args *args);
void cmd_lookup(const struct args *args);
void cmd_delete(const struct args *args);
void cmd_load(const struct args *args);
void cmd_dump(const struct args *args);
void cmd_show(const struct args *args);
void cmd_clear(const struct args *args);
void cmd_unlink(const struct args *args);

/* Exits if what was written to stdout so far did not get there. */
void flush_stdout(void);

/* === Values (value.c, json.c) === */

/* What a key or an elem is: an integer, or text of @min to @max bytes. */
struct type {
	bool integer;
	__u32 min;
	__u32 max;
};

struct value {
	__u32 len;
	unsigned char data[HMAP_ELEM_SIZE_MAX];
};

bool parse_number(const char *text, size_t len, unsigned int base, __u64 max,
		  __u64 *number);

/* These return NULL, or what is wrong. */
const char *type_parse(const char *text, bool elem, struct hmap_create *create);
const char *value_parse(const struct type *type, const char *text, size_t len,
			struct value *value);

void value_print(const struct type *type, const void *data, __u32 len);
__u64 value_integer(const void *data, __u32 len);

struct json_object;
struct json_object *value_json(const struct type *type, const void *data,
			       __u32 len);
void json_add(struct json_object *object, const char *name,
	      struct json_object *value);
void json_add_number(struct json_object *object, const char *name, __u64 value);
void json_add_string(struct json_object *object, const char *name,
		     const char *value);

/* Print an object, or an array of objects: [, one after another, and ]. */
void json_print(struct json_object *object);
void json_print_item(struct json_object *object, bool first);
void json_print_end(bool empty);

/* === Maps (device.c) === */

struct map {
	int fd;
	const char *name;
	struct hmap_info info;
	struct type key;
	struct type elem;
};

int device_open(int flags);
void map_name(char name[HMAP_NAME_LEN], const char *text);

/* With O_WRONLY, only @fd and @name are set: the kernel tells no more. */
void map_open(struct map *map, const char *name, int flags);
void map_types(struct map *map);

/* These return 0 or -errno. */
int map_insert(const struct map *map, const struct value *key,
	       const struct value *elem, __u32 flags);
int map_lookup(const struct map *map, const struct value *key,
	       struct value *elem);
int map_delete(const struct map *map, const struct value *key);

/* Why the kernel refused: a sentence without its subject, the map. */
const char *map_reason(const struct map *map, unsigned long cmd, int err);
void map_refuse(const struct map *map, unsigned long cmd, int err);

/* === Progress (progress.c) === */

/* Draws a bar on stderr where that is a terminal, else does nothing. */
void progress_begin(int fd);
void progress_update(__u64 entries, __u64 bytes);
void progress_end(__u64 entries, __u64 bytes);

#endif /* _HMAPCTL_H */
