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

/* What a user gave, as it may stand in a message: printable, and short. */
const char *brief(const char *text);

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
	OPT_TO = 'o',
	OPT_JSON = 'j',
	OPT_PRETTY = 'p',
	OPT_QUIET = 'q',
	OPT_OUTPUT = 256,
	OPT_JSONL,
	OPT_CSV,
	OPT_PREFIX,
	OPT_MATCH,
	OPT_LIMIT,
	OPT_KEY,
	OPT_ELEM,
	OPT_HINT,
	OPT_MAX_ENTRIES,
	OPT_MAX_BYTES,
	OPT_MODE,
	OPT_EXIST_OK,
	OPT_MAPPED,
	OPT_NOEXIST,
	OPT_EXIST,
	OPT_NAME,
	OPT_ONCE,
	OPT_DELAY,
	OPT_SORT,
	OPT_HTML,
	OPT_ANIMATE,
	OPT_INTERVAL,
	OPT_FRAMES,
	NR_OPTS,
};

#define OPTION(name, opt)	{ name, no_argument, NULL, opt }
#define OPTION_ARG(name, opt)	{ name, required_argument, NULL, opt }
#define OPTION_HELP		OPTION("help", OPT_HELP)
#define OPTION_JSON		OPTION("json", OPT_JSON)
#define OPTION_PRETTY		OPTION("pretty", OPT_PRETTY)
#define OPTION_QUIET		OPTION("quiet", OPT_QUIET)
#define OPTION_OUTPUT		OPTION_ARG("output", OPT_OUTPUT)
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
	command_lookup, command_delete, command_count, command_xchg, command_cmpxchg,
	command_add, command_take, command_load, command_dump, command_save, command_restore,
	command_copy, command_show, command_explain, command_top,
	command_limit, command_rename, command_chmod, command_chown,
	command_clear, command_unlink, command_picture, command_record,
	command_watch,
	command_help;

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

/* === Sessions (session.c) === */

/* Run commands from stdin; returns the worst exit status. */
int session(void);

/* So no command may read from there. */
bool stdin_has_commands(void);

/* === Maps (map.c) === */

/* How values are shown: as their type is, or as --output says. */
enum show {
	SHOW_TYPE,
	SHOW_TEXT,
	SHOW_HEX,
	SHOW_INT,
};

/* What a key or an elem is: an integer, or text of @min to @max bytes. */
struct type {
	bool integer;
	enum show show;
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

/* Its name, or "id:N" if it has none. */
void map_name(const struct hmap_info *info, char name[HMAP_NAME_LEN]);

/* Members of the JSON object that is open (show.c). */
void json_info(const struct hmap_info *info);

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

/* The module's limits of a map, or 0 if there is none. */
__u64 module_max_entries(void);
__u64 module_max_bytes(void);

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

/* Heeds --output. */
void type_show(const struct args *args, struct map *map);

/* How to show a value of @len bytes: anything but SHOW_TYPE. */
enum show type_shown(const struct type *type, __u32 len);

/* Why a map of these types cannot be mapped, or NULL. */
const char *type_mapped(const struct hmap_create *create);

/* === Values (value.c) === */

struct value {
	__u32 len;
	unsigned char data[HMAP_ELEM_SIZE_MAX];
};

/* The value of a hexadecimal digit, or 16. */
int digit(char c);

bool parse_number(const char *text, size_t len, unsigned int base, __u64 max,
		  __u64 *number);
bool parse_amount(const char *text, __u64 *number);

/* These return NULL, or what is wrong. */
const char *value_parse(const struct type *type, const char *text, size_t len,
			struct value *value);
const char *value_parse_hex(const struct type *type, const char *digits,
			    size_t len, struct value *value);
const char *value_set(const struct type *type, const void *data, size_t len,
		      struct value *value);

/* Parses an argument, which may also be @file; fails if it is wrong. */
void value_argument(const struct map *map, const struct type *type,
		    const char *text, struct value *value);

/* In the machine's byte order. */
__u64 value_integer(const void *data, __u32 len);
void value_set_integer(const struct type *type, __u64 n, struct value *value);

/* === Text (text.c) === */

/* Prefix of raw bytes. */
#define HEX	"hex:"
#define HEX_LEN	(sizeof(HEX) - 1)

/* Text of any value: \xHH for each byte. */
#define TEXT_MAX_LEN	(4 * HMAP_ELEM_SIZE_MAX + HEX_LEN)

/* Two digits; returns where they end. */
char *hex_byte(unsigned char byte, char *to);

bool is_hex(const char *text, size_t len);
size_t unescape(const char *text, size_t len, unsigned char *byte);

/* Whether it is UTF-8 without NUL. */
bool is_utf8(const void *data, __u32 len);

/* These return the length of the text, which does not end with a NUL. */
size_t text_number(__u64 n, char *to);
size_t text_value(const struct type *type, const void *data, __u32 len,
		  char *to);

void text_print(const struct type *type, const void *data, __u32 len);

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

/* === Output (output.c) === */

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_PRETTY,
	FORMAT_JSONL,
	FORMAT_CSV,
};

enum format format_asked_for(const struct args *args);

/* Where entries are printed: stdout, but for a command that opens a file. */
extern FILE *out;

/* Until the command ends, @out is this file, which is closed then. */
void out_to(FILE *file);
void out_to_file(const char *path);

/* Fails if what was printed could not be written. */
void flush_out(void);

/* Entries in that format: text, CSV, a JSON array, or for JSONL just its objects. */
void print_begin(enum format format, const struct map *map);
void print_entry(enum format format, const struct map *map,
		 const struct hmap_item *item);
void print_end(enum format format);

/* Exits if stdout could not be written, silently if nobody reads it. */
void flush_stdout(void);

/* === JSON (json.c) === */

/*
 * Objects are printed one after another, or within json_array_begin() and
 * json_array_end() as elements of an array.  @name is that of a member.
 */
void json_begin(enum format format);
void json_array_begin(enum format format);
void json_array_end(void);
void json_open(void);
void json_open_member(const char *name);
void json_close(void);

void json_value(const char *name, const struct type *type, const void *data,
		__u32 len);
void json_number(const char *name, __u64 value);
void json_decimal(const char *name, const char *digits, size_t len);
void json_string(const char *name, const char *value);
void json_bool(const char *name, bool value);

/* With the members key and elem. */
void json_entry(const struct map *map, const struct hmap_item *item);

/* === CSV (csv.c) === */

void csv_write_head(const struct map *map);
void csv_write_entry(const struct map *map, const struct hmap_item *item);

/* === Lines (lines.c) === */

/* An entry in JSON with all bytes as \uHHHH, and some room for the syntax. */
#define LINE_MAX_LEN (6 * (STRING_LEN_MAX + HMAP_ELEM_SIZE_MAX) + 1000)

struct lines {
	int fd;
	const char *name;
	__u64 nr;		/* of the line returned last */
	__u64 bytes;		/* in the lines returned so far */
	bool within;		/* a line, after lines_piece() */
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

/* Likewise, with its newline; of a line that is long, one part after another. */
char *lines_piece(struct lines *lines, size_t *len);

/* Whether the next line can be returned without another read(2). */
bool lines_ready(const struct lines *lines);

/* === Loading (load.c, jsonread.c, csv.c) === */

/* Open a file, or stdin for NULL or "-", whose entries are to be loaded. */
struct lines *load_open(const char *path);

/* Entries go to @map, and come from the file that has been opened, or not. */
void load_begin(const struct map *map, bool with_file);
void load_end(void);

/* These pass all entries to load_entry(), and fail at what is none. */
void read_json(struct lines *lines, const struct map *map);
void read_csv(struct lines *lines, const struct map *map);

/* As read_json(), but the last object has to be {"entries": N}. */
void read_backup(struct lines *lines, const struct map *map);

void load_entry(const struct value *key, const struct value *elem);

/* To be called between lines: more input may be long in coming. */
void load_pause(void);

/* The file cannot be loaded from a line in the middle on. */
void load_as_a_whole(void);

/* Fail because of the present line. */
void load_wrong(const char *what, const char *wrong) __attribute__((noreturn));

/* === Walks (walk.c) === */

struct hmap_walk *walk_begin(const struct map *map);
bool walk_next(const struct map *map, struct hmap_walk *walk,
	       struct hmap_item *item);

/* === Progress (progress.c) === */

/*
 * These draw a bar on stderr if that is a terminal, after a second.  @total,
 * which is 0 if unknown, and @done have the same, arbitrary unit.
 */
void progress_begin(__u64 total);
void progress_update(__u64 entries, __u64 done);
void progress_end(__u64 entries, __u64 done);
void progress_erase(void);

/* Heeds --quiet. */
void progress_options(const struct args *args);

/* Whether someone may be looking at what is printed, or a program reads it. */
bool out_is_in_the_way(void);

#endif /* _HMAPCTL_H */
