/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hmapctl: the command line of /dev/hmap.
 */
#ifndef _HMAPCTL_H
#define _HMAPCTL_H

#include <stdbool.h>
#include <stddef.h>
#include "../lib/hmap.h"

#define STRING_LEN_MAX	4096	/* bytes in a key of kind HMAP_KIND_STRING */

/* Exit statuses other than 0. */
#define EXIT_REFUSED	1	/* not found, refused, or failed */
#define EXIT_MISUSE	2	/* the command line or the input is malformed */

/* === Commands === */

/* Options; those with a short form have its letter as value. */
enum {
	OPT_HELP = 'h',
	OPT_JSON = 'j',
	OPT_PRETTY = 'p',
	OPT_JSONL = 256,
	OPT_KEY,
	OPT_ELEM,
	OPT_HINT,
	OPT_MAX_ENTRIES,
	OPT_MAX_BYTES,
	OPT_MODE,
	OPT_EXIST_OK,
	OPT_UID,
	OPT_GID,
	OPT_NAME,
	OPT_NOEXIST,
	OPT_EXIST,
	NR_OPTS,
};

/*
 * The parsed command line: the arguments after the command's name, and the value
 * of each option that was given ("" if it takes none).
 */
struct args {
	const char *command;
	int nr;
	char **arg;
	const char *opt[NR_OPTS];
};

void cmd_create(const struct args *args);
void cmd_list(const struct args *args);
void cmd_insert(const struct args *args);
void cmd_lookup(const struct args *args);
void cmd_delete(const struct args *args);
void cmd_xchg(const struct args *args);
void cmd_cmpxchg(const struct args *args);
void cmd_add(const struct args *args);
void cmd_take(const struct args *args);
void cmd_load(const struct args *args);
void cmd_dump(const struct args *args);
void cmd_show(const struct args *args);
void cmd_set(const struct args *args);
void cmd_clear(const struct args *args);
void cmd_unlink(const struct args *args);

/* === Maps (map.c) === */

/* What a key or an elem is: an integer, or text of @min to @max bytes. */
struct type {
	bool integer;
	__u32 min;
	__u32 max;
};

struct map {
	const char *name;
	int flags;		/* as for open(2) */
	int fd;
	struct hmap_info info;
	struct type key;
	struct type elem;
};

/* Exits if the name is invalid. */
void map_check_name(const char *name);

/* With O_WRONLY, @info has the types of keys and elems, but no statistics. */
void map_open(struct map *map, const char *name, int flags);
void map_types(struct map *map);

/* === Reasons (reason.c) === */

/* Why the kernel refused, as a sentence whose subject is the map. */
const char *reason(const struct map *map, unsigned long cmd, int err);
const char *reason_create(const struct map *map,
			  const struct hmap_create *create, int err);
const char *reason_set(const struct map *map, const struct hmap_set *set,
		       int err);
void refuse(const struct map *map, unsigned long cmd, int err);

/* For an entry; @key is as the user gave it. */
void warn_key(const struct map *map, const char *key, unsigned long cmd,
	      int err);
void refuse_key(const struct map *map, const char *key, unsigned long cmd,
		int err);

/* === Types (type.c) === */

const char *type_key_name(const struct hmap_info *info);
const char *type_elem_name(const struct hmap_info *info);

/* Returns NULL, or what is wrong. */
const char *type_parse(const char *text, bool elem, struct hmap_create *create);

/* === Values (value.c) === */

struct value {
	__u32 len;
	unsigned char data[HMAP_ELEM_SIZE_MAX];
};

bool parse_number(const char *text, size_t len, unsigned int base, __u64 max,
		  __u64 *number);

/* These return NULL, or what is wrong. */
const char *value_parse(const struct type *type, const char *text, size_t len,
			struct value *value);
const char *value_parse_hex(const struct type *type, const char *digits,
			    size_t len, struct value *value);
const char *value_set(const struct type *type, const void *data, size_t len,
		      struct value *value);

/* Parses an argument, which may also be hex: or @file; exits if it is wrong. */
void value_argument(const struct map *map, const struct type *type,
		    const char *text, struct value *value);

void value_print(const struct type *type, const void *data, __u32 len);

/* In the machine's byte order. */
__u64 value_integer(const void *data, __u32 len);
void value_set_integer(const struct type *type, __u64 n, struct value *value);

/* === Entries (entry.c) === */

/* HMAP_INSERT_* for --noexist and --exist. */
__u32 insert_flags(const struct args *args);

/* Parses NAME KEY [ELEM]; a set has no ELEM. */
void entry_arguments(const struct map *map, const struct args *args,
		     struct value *key, struct value *elem);

/* === Batches (batch.c) === */

#define BATCH_ENTRIES	1024
#define BATCH_BYTES	(1 << 20)

/* Entries on their way to or from the kernel. */
struct batch {
	const struct map *map;
	__u32 nr;
	size_t key_bytes;
	size_t elem_bytes;
	__u32 key_lens[BATCH_ENTRIES];
	__u32 elem_lens[BATCH_ENTRIES];
	__s32 results[BATCH_ENTRIES];	/* 0 or -errno */
	unsigned char keys[BATCH_BYTES];
	unsigned char elems[BATCH_BYTES];
};

/* @elem is NULL for lookup and delete. */
void batch_add(struct batch *batch, const struct value *key,
	       const struct value *elem);
bool batch_is_full(const struct batch *batch);
void batch_clear(struct batch *batch);

/* Call it for 0, 1, ... in order: it continues from the previous item. */
void batch_item(const struct batch *batch, __u32 i, struct hmap_item *item);

/* These set the results. */
void batch_insert(struct batch *batch);
void batch_lookup(struct batch *batch);
void batch_delete(struct batch *batch);

/* === Output (output.c, json.c) === */

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_PRETTY,
	FORMAT_JSONL,
};

enum format format_asked_for(const struct args *args);

/* A JSON array, or for JSONL just its objects. */
struct array {
	enum format format;
	bool begun;
};

struct json_object;
void array_add(struct array *array, struct json_object *object);
void array_end(const struct array *array);

/* Print an entry as text, or add it to the array. */
void array_add_entry(struct array *array, const struct map *map,
		     const struct hmap_item *item);

/* Exits if stdout could not be written. */
void flush_stdout(void);

struct json_object *json_new(void);
void json_add_value(struct json_object *object, const char *name,
		    const struct type *type, const void *data, __u32 len);
void json_add_number(struct json_object *object, const char *name, __u64 value);
void json_add_string(struct json_object *object, const char *name,
		     const char *value);
void json_add_bool(struct json_object *object, const char *name, bool value);
void json_add_object(struct json_object *object, const char *name,
		     struct json_object *value);

struct json_object *json_entry(const struct map *map,
			       const struct hmap_item *item);

/* These release the object; json_print() also ends the line. */
void json_write(struct json_object *object, enum format format);
void json_print(struct json_object *object, enum format format);

/* Returns NULL, or what is wrong with @what. */
const char *json_parse_entry(const struct map *map, const char *text,
			     size_t len, struct value *key, struct value *elem,
			     const char **what);

/* === Lines (lines.c) === */

/* An entry in JSON with all bytes as \uHHHH, and some room for the syntax. */
#define LINE_MAX_LEN (6 * (STRING_LEN_MAX + HMAP_ELEM_SIZE_MAX) + 1000)

struct lines {
	int fd;
	const char *name;
	__u64 nr;		/* of the line returned last */
	__u64 bytes;		/* in the lines returned so far */
	size_t start, end;	/* the part of @buf that has not been returned */
	char buf[LINE_MAX_LEN + 2];
};

/* Opens a file, or stdin for NULL or "-"; exits if that fails. */
void lines_open(struct lines *lines, const char *path);

/* Bytes in the rest of the file, or 0 if unknown. */
__u64 lines_total(const struct lines *lines);

/*
 * Returns the next line, with a NUL in place of its newline, or NULL at the end.
 * The last line need not have a newline.  Of a line that is too long, the first
 * LINE_MAX_LEN + 1 bytes are returned.
 */
char *lines_next(struct lines *lines, size_t *len);

/* Whether the next line can be returned without another read(2). */
bool lines_ready(const struct lines *lines);

/* === Progress (progress.c) === */

/*
 * These draw a bar on stderr if that is a terminal.  @total, which is 0 if
 * unknown, and @done have the same, arbitrary unit.
 */
void progress_begin(__u64 total);
void progress_update(__u64 entries, __u64 done);
void progress_end(__u64 entries, __u64 done);

#endif /* _HMAPCTL_H */
