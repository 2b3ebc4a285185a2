/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hmapctl: the command line of /dev/hmap.
 */
#ifndef _HMAPCTL_H
#define _HMAPCTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "../lib/hmap.h"

#define STRING_LEN_MAX	4096	/* bytes in a key of kind HMAP_KIND_STRING */

/* Exit statuses other than 0. */
#define EXIT_REFUSED	1	/* not found, refused, or failed */
#define EXIT_MISUSE	2	/* the command line or the input is malformed */

/* === Messages, and the end of a command (fail.c) === */

/* Print "hmapctl: ", the message, and a newline to stderr. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Also end the command; fail_errno() adds what errno says, as err(3) does. */
void fail(int status, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
void fail_errno(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void leave(int status) __attribute__((noreturn));

/* Fails if it is NULL, for want of memory. */
void *checked(void *memory);

/* Call @fn when the command ends, whatever way.  The last one is called first. */
void defer(void (*fn)(void *arg), void *arg);

/* Returns 0, or the status if @fn has left. */
int attempt(void (*fn)(int argc, char **argv), int argc, char **argv);

/* Where commands come from, for messages; NULL is the command line. */
void message_source(const char *name, unsigned long line);

/* === Commands (command.c) === */

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
	OPT_NOEXIST,
	OPT_EXIST,
	NR_OPTS,
};

#define OPTION(name, opt)	{ name, no_argument, NULL, opt }
#define OPTION_ARG(name, opt)	{ name, required_argument, NULL, opt }
#define OPTION_HELP		OPTION("help", OPT_HELP)
#define OPTION_JSON		OPTION("json", OPT_JSON)
#define OPTION_PRETTY		OPTION("pretty", OPT_PRETTY)
#define OPTIONS_END		{ NULL, 0, NULL, 0 }

extern const struct option no_options[];
extern const struct option json_options[];

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

/* A subcommand is defined in the file of what it is about. */
struct command {
	const char *name;
	int min, max;		/* arguments, without options */
	const struct option *options;
	void (*run)(const struct args *args);
	const char *what;
};

extern const struct command command_create, command_list, command_insert,
	command_lookup, command_delete, command_xchg, command_cmpxchg,
	command_add, command_take, command_load, command_dump, command_show,
	command_limit, command_rename, command_chmod, command_chown,
	command_clear, command_unlink, command_help;

/* All of them, in the order in which help lists them; ends with NULL. */
extern const struct command * const commands[];

const struct command *command_find(const char *name);

/* 0 if the option was not given. */
__u64 option_amount(const struct args *args, int opt, const char *name);

/* Its synopsis in the manual. */
const char *command_usage(const struct command *command);

/* @argv begins with the subcommand's name.  Returns the exit status. */
int command_run(int argc, char **argv);

void help_all(FILE *out);

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

/* Fails if the name is invalid. */
void map_check_name(const char *name);

/* The command closes the file when it ends; fails if @fd is -1 because of @cmd. */
void map_opened(struct map *map, int fd, unsigned long cmd);

/* With O_WRONLY, @info has the types of keys and elems, but no statistics. */
void map_open(struct map *map, const char *name, int flags);
void map_types(struct map *map);

/* === Attributes (attrs.c) === */

__u32 parse_mode(const char *command, const char *text);

/* === Reasons (reason.c) === */

/* Why the kernel refused, as a sentence whose subject is the map. */
const char *reason(const struct map *map, unsigned long cmd, int err);
const char *reason_create(const struct map *map,
			  const struct hmap_create *create, int err);
const char *reason_set(const struct map *map, const struct hmap_set *set,
		       int err);
void refuse(const struct map *map, unsigned long cmd, int err)
	__attribute__((noreturn));

/* For an entry; @key is as the user gave it. */
void warn_key(const struct map *map, const char *key, unsigned long cmd,
	      int err);
void refuse_key(const struct map *map, const char *key, unsigned long cmd,
		int err) __attribute__((noreturn));

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

bool parse_amount(const char *text, __u64 *number);

/* What a user gave, as it may stand in a message: printable, and short. */
const char *brief(const char *text);

bool parse_number(const char *text, size_t len, unsigned int base, __u64 max,
		  __u64 *number);

/* These return NULL, or what is wrong. */
const char *value_parse(const struct type *type, const char *text, size_t len,
			struct value *value);
const char *value_parse_hex(const struct type *type, const char *digits,
			    size_t len, struct value *value);
const char *value_set(const struct type *type, const void *data, size_t len,
		      struct value *value);

/* Parses an argument, which may also be hex: or @file; fails if it is wrong. */
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

/* Exits if stdout could not be written, silently if nobody reads it. */
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

/* Opens a file, or stdin for NULL or "-"; fails if that cannot be done. */
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
void progress_erase(void);

#endif /* _HMAPCTL_H */
