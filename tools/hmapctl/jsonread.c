// SPDX-License-Identifier: GPL-2.0
/*
 * Reading JSON: objects with the members key and elem, one after another or in
 * an array.
 */
#include <string.h>
#include <yajl/yajl_parse.h>
#include "hmapctl.h"

/* What the next token belongs to. */
enum at {
	AT_TOP,			/* the file, or the array */
	AT_ENTRY,
	AT_VALUE,		/* of a member */
	AT_HEX,			/* {"hex": "..."}, which is a member's value */
	AT_DIGITS,
	AT_HEX_END,
};

enum { KEY, ELEM, ENTRIES, NR_MEMBERS };

static const char * const members[] = { "key", "elem", "entries" };

static struct {
	const struct map *map;
	enum at at;
	bool array;
	bool backup;		/* its last object is {"entries": N} */
	bool ended;		/* that was there */
	__u64 entries;
	int member;
	bool seen[NR_MEMBERS];
	struct value value[2];
} reader;

static void wrong_member(const char *wrong)
{
	char what[16];

	snprintf(what, sizeof(what), "%s ", members[reader.member]);
	load_wrong(what, wrong);
}

static const struct type *type(void)
{
	return reader.member == KEY ? &reader.map->key : &reader.map->elem;
}

/* There is another value than it should be. */
static int misplaced(void)
{
	if (reader.at == AT_TOP)
		load_wrong("", "an entry is an object with the members key and elem");
	wrong_member(type()->integer ? "is not a whole number" :
		     "is neither a string nor {\"hex\": \"...\"}");
	return 0;
}

static int on_null(void *unused)
{
	(void)unused;
	return misplaced();
}

static int on_boolean(void *unused, int value)
{
	(void)unused;
	(void)value;
	return misplaced();
}

static int accept(const char *wrong, enum at next)
{
	if (wrong)
		wrong_member(wrong);
	reader.at = next;
	return 1;
}

static int on_entries(const char *text, size_t len)
{
	__u64 n;

	if (!parse_number(text, len, 10, ~0ULL, &n) || n != reader.entries)
		load_wrong("", "the backup had another number of entries");
	reader.at = AT_ENTRY;
	return 1;
}

static int on_number(void *unused, const char *text, size_t len)
{
	(void)unused;
	if (reader.at == AT_VALUE && reader.member == ENTRIES)
		return on_entries(text, len);
	if (reader.at != AT_VALUE || !type()->integer)
		return misplaced();
	return accept(value_parse(type(), text, len,
				  &reader.value[reader.member]), AT_ENTRY);
}

static int on_string(void *unused, const unsigned char *text, size_t len)
{
	struct value *value = &reader.value[reader.member == ELEM];
	const char *s = (const char *)text;

	(void)unused;
	if (reader.member == ENTRIES)
		return misplaced();
	if (reader.at == AT_DIGITS)
		return accept(value_parse_hex(type(), s, len, value),
			      AT_HEX_END);
	if (reader.at != AT_VALUE || type()->integer)
		return misplaced();
	return accept(value_set(type(), s, len, value), AT_ENTRY);
}

static int on_start_map(void *unused)
{
	(void)unused;
	if (reader.at == AT_VALUE) {
		reader.at = AT_HEX;
		return 1;
	}
	if (reader.at != AT_TOP)
		return misplaced();
	if (reader.ended)
		load_wrong("", "the backup has ended before");
	reader.at = AT_ENTRY;
	memset(reader.seen, 0, sizeof(reader.seen));
	return 1;
}

static int on_name_of_hex(const unsigned char *name, size_t len)
{
	if (reader.at == AT_HEX_END || len != 3 || memcmp(name, "hex", 3))
		return misplaced();
	reader.at = AT_DIGITS;
	return 1;
}

/* Members there are: a set has no elems, and only a backup has an end. */
static bool may_have(int member)
{
	if (member == ELEM)
		return reader.map->elem.max;
	return member == KEY || reader.backup;
}

static int on_name(void *unused, const unsigned char *name, size_t len)
{
	int member;

	(void)unused;
	if (reader.at != AT_ENTRY)
		return on_name_of_hex(name, len);
	for (member = 0; member < NR_MEMBERS; member++)
		if (may_have(member) && len == strlen(members[member]) &&
		    !memcmp(name, members[member], len))
			break;
	if (member == NR_MEMBERS)
		load_wrong("", reader.map->elem.max ?
			   "there is another member than key and elem" :
			   "there is another member than key, but the map is a set");
	reader.member = member;
	if (reader.seen[member])
		wrong_member("is there twice");
	reader.seen[member] = true;
	reader.at = AT_VALUE;
	return 1;
}

static int on_end_of_entry(void)
{
	reader.at = AT_TOP;
	if (reader.seen[ENTRIES]) {
		reader.ended = true;
		return 1;
	}
	for (reader.member = KEY; reader.member <= ELEM; reader.member++)
		if (may_have(reader.member) && !reader.seen[reader.member])
			wrong_member("is missing");
	reader.entries++;
	load_entry(&reader.value[KEY], &reader.value[ELEM]);
	return 1;
}

static int on_end_map(void *unused)
{
	(void)unused;
	if (reader.at == AT_ENTRY)
		return on_end_of_entry();
	if (reader.at != AT_HEX_END)
		return misplaced();
	reader.at = AT_ENTRY;
	return 1;
}

static int on_start_array(void *unused)
{
	(void)unused;
	if (reader.at != AT_TOP || reader.array)
		return misplaced();
	reader.array = true;
	load_as_a_whole();
	return 1;
}

static int on_end_array(void *unused)
{
	(void)unused;
	reader.array = false;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_name,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/* === Surrogates === */

/*
 * yajl takes half a surrogate pair for a question mark.  In JSON, a backslash
 * is in strings only, so they can be found without parsing.
 */
static struct {
	int escape;		/* characters since the backslash, with it */
	unsigned int unit;	/* of \uHHHH */
	bool high;		/* the first half was there, just now */
} half;

static bool halved_by_unit(unsigned int unit)
{
	bool low = unit >= 0xdc00 && unit <= 0xdfff;

	if (half.high != low)
		return true;
	half.high = unit >= 0xd800 && unit <= 0xdbff;
	return false;
}

static bool halved_by(char c)
{
	bool lone = half.high;

	if (!half.escape) {
		half.escape = c == '\\';
		return lone && c != '\\';
	}
	if (half.escape == 1) {
		half.escape = c == 'u' ? 2 : 0;
		half.unit = 0;
		return lone && c != 'u';
	}
	half.unit = half.unit << 4 | digit(c);
	if (++half.escape < 6)
		return false;
	half.escape = 0;
	return halved_by_unit(half.unit);
}

static void check_surrogates(const char *text, size_t len)
{
	if (!half.escape && !half.high && !memchr(text, '\\', len))
		return;
	for (; len; text++, len--)
		if (halved_by(*text))
			load_wrong("", "there is half a surrogate pair");
}

/* === The file === */

static void free_parser(void *parser)
{
	yajl_free(parser);
}

static void check(yajl_handle parser, yajl_status status)
{
	unsigned char *error;
	char text[100];

	if (status == yajl_status_ok)
		return;
	/* It ends with a newline. */
	error = yajl_get_error(parser, 0, NULL, 0);
	snprintf(text, sizeof(text), "that is not JSON: %.*s",
		 (int)strcspn((char *)error, "\n"), error);
	yajl_free_error(parser, error);
	load_wrong("", text);
}

static void read_all(struct lines *lines, const struct map *map, bool backup)
{
	yajl_handle parser = checked(yajl_alloc(&callbacks, NULL, NULL));
	char *text;
	size_t len;

	defer(free_parser, parser);
	yajl_config(parser, yajl_allow_multiple_values, 1);
	reader.map = map;
	reader.at = AT_TOP;
	reader.array = false;
	reader.backup = backup;
	reader.ended = false;
	reader.entries = 0;
	memset(&half, 0, sizeof(half));
	while ((text = lines_piece(lines, &len))) {
		check_surrogates(text, len);
		check(parser, yajl_parse(parser, (unsigned char *)text, len));
		load_pause();
	}
	check(parser, yajl_complete_parse(parser));
	if (reader.at != AT_TOP || reader.array)
		load_wrong("", "that is not JSON: it does not end");
}

void read_json(struct lines *lines, const struct map *map)
{
	read_all(lines, map, false);
}

void read_backup(struct lines *lines, const struct map *map)
{
	load_as_a_whole();
	read_all(lines, map, true);
	if (!reader.ended)
		load_wrong("", "the backup ends early");
}
