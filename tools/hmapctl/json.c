// SPDX-License-Identifier: GPL-2.0
/*
 * JSON: integers are numbers; text is a string if it is UTF-8, else
 * {"hex": "..."}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "hmapctl.h"

/* === Writing === */

static struct json_object *made(struct json_object *object)
{
	if (!object)
		fail(EXIT_REFUSED, "out of memory");
	return object;
}

struct json_object *json_new(void)
{
	return made(json_object_new_object());
}

void json_add_object(struct json_object *object, const char *name,
		     struct json_object *value)
{
	if (json_object_object_add(object, name, made(value)))
		fail(EXIT_REFUSED, "out of memory");
}

void json_add_number(struct json_object *object, const char *name, __u64 value)
{
	json_add_object(object, name, json_object_new_uint64(value));
}

void json_add_bool(struct json_object *object, const char *name, bool value)
{
	json_add_object(object, name, json_object_new_boolean(value));
}

void json_add_string(struct json_object *object, const char *name,
		     const char *value)
{
	json_add_object(object, name, json_object_new_string(value));
}

/* Bytes in the UTF-8 character that @s begins with; 0 if there is none. */
static __u32 utf8_len(const unsigned char *s, __u32 len)
{
	static const __u32 least[] = { 0, 1, 0x80, 0x800, 0x10000 };
	__u32 n, i, c;

	n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 :
	    s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;
	if (!n || n > len)
		return 0;

	c = n == 1 ? s[0] : s[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* JSON can express NUL, but many programs that read it cannot. */
static bool is_string(const unsigned char *s, __u32 len)
{
	while (len) {
		__u32 n = *s ? utf8_len(s, len) : 0;

		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static struct json_object *hex_json(const unsigned char *data, __u32 len)
{
	static const char digits[] = "0123456789abcdef";
	static char hex[2 * HMAP_ELEM_SIZE_MAX];
	struct json_object *object = json_new();
	__u32 i;

	for (i = 0; i < len; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
	json_add_object(object, "hex", json_object_new_string_len(hex, 2 * len));
	return object;
}

void json_add_value(struct json_object *object, const char *name,
		    const struct type *type, const void *data, __u32 len)
{
	if (type->integer)
		json_add_number(object, name, value_integer(data, len));
	else if (is_string(data, len))
		json_add_object(object, name,
				json_object_new_string_len(data, len));
	else
		json_add_object(object, name, hex_json(data, len));
}

void json_write(struct json_object *object, enum format format)
{
	int flags = JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE |
		    (format == FORMAT_PRETTY ? JSON_C_TO_STRING_PRETTY : 0);
	const char *text = json_object_to_json_string_ext(object, flags);

	if (!text)
		fail(EXIT_REFUSED, "out of memory");
	fputs(text, stdout);
	json_object_put(object);
}

void json_print(struct json_object *object, enum format format)
{
	json_write(object, format);
	putchar('\n');
}

/* === Reading === */

/* The code unit of a \uHHHH, or 0. */
static __u64 utf16(const char *s)
{
	__u64 c = 0;

	if (s[0] == '\\' && s[1] == 'u')
		parse_number(s + 2, 4, 16, 0xffff, &c);
	return c;
}

/* Length of an escape sequence or surrogate pair; 0 for half a pair. */
static size_t escape_len(const char *s)
{
	__u64 c = utf16(s);

	if (c < 0xd800 || c > 0xdfff)
		return 2;
	c = c < 0xdc00 ? utf16(s + 6) : 0;
	return c >= 0xdc00 && c <= 0xdfff ? 12 : 0;
}

/* Find what json-c accepts but alters.  It has parsed @s, which ends in '}'. */
static const char *altered(const char *s)
{
	bool string = false;
	__u64 n;

	while (*s) {
		size_t took = 1;

		if (*s == '"')
			string = !string;
		else if (string && *s == '\\')
			took = escape_len(s);
		else if (!string)
			took = strspn(s, "0123456789") ?: 1;

		if (!took)
			return "has half a surrogate pair";
		if (!string && took > 1 && !parse_number(s, took, 10, ~0ULL, &n))
			return "has a number that is not below 2^64";
		if (!string && *s == '\'')
			return "has a string without double quotes";
		s += took;
	}
	return NULL;
}

/* Number of members of an object and of all objects within. */
static int count_members(struct json_object *json)
{
	int n = 0;

	if (!json_object_is_type(json, json_type_object))
		return 0;
	json_object_object_foreach(json, name, member)
		n += name ? 1 + count_members(member) : 0;
	return n;
}

/* json-c keeps only the last of several members with the same name. */
static const char *repeated(const char *s, struct json_object *json)
{
	int left = count_members(json);
	bool string = false;

	for (; *s; s++) {
		if (*s == '"')
			string = !string;
		else if (string && *s == '\\')
			s++;
		else if (!string && *s == ':')
			left--;
	}
	return left ? "has two members with the same name" : NULL;
}

static struct json_object *parse_object(const char *text, size_t len,
					const char **wrong)
{
	static struct json_tokener *tokener;
	enum json_tokener_error error;
	static char message[80];
	struct json_object *json;

	if (!tokener) {
		tokener = json_tokener_new();
		if (!tokener)
			fail(EXIT_REFUSED, "out of memory");
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	}
	json_tokener_reset(tokener);
	json = json_tokener_parse_ex(tokener, text, len);
	error = json_tokener_get_error(tokener);

	if (error == json_tokener_success && json_object_is_type(json, json_type_object)) {
		*wrong = altered(text);
		return json;
	}
	json_object_put(json);
	snprintf(message, sizeof(message), "is not a JSON object: %s",
		 error == json_tokener_continue ? "it does not end" :
		 error == json_tokener_success ? "it is something else" :
		 json_tokener_error_desc(error));
	*wrong = message;
	return NULL;
}

static const char *value_from_json(const struct type *type,
				   struct json_object *json,
				   struct value *value)
{
	struct json_object *hex;
	const char *text;

	if (json_object_object_get_ex(json, "hex", &hex) &&
	    json_object_is_type(hex, json_type_string) &&
	    json_object_object_length(json) == 1)
		return value_parse_hex(type, json_object_get_string(hex),
				       json_object_get_string_len(hex), value);
	if (type->integer) {
		text = json_object_to_json_string(json);
		return value_parse(type, text, strlen(text), value);
	}
	if (!json_object_is_type(json, json_type_string))
		return "is neither a string nor {\"hex\": \"...\"}";
	return value_set(type, json_object_get_string(json),
			 json_object_get_string_len(json), value);
}

static const char *entry_from_json(const struct map *map,
				   struct json_object *json, struct value *key,
				   struct value *elem, const char **what)
{
	struct json_object *key_json, *elem_json = NULL;
	const char *wrong;

	if (json_object_object_length(json) != (map->elem.max ? 2 : 1) ||
	    !json_object_object_get_ex(json, "key", &key_json) ||
	    (map->elem.max &&
	     !json_object_object_get_ex(json, "elem", &elem_json)))
		return map->elem.max ? "has other members than key and elem" :
				       "has other members than key";
	*what = "key ";
	wrong = value_from_json(&map->key, key_json, key);
	if (wrong || !map->elem.max)
		return wrong;
	*what = "elem ";
	return value_from_json(&map->elem, elem_json, elem);
}

const char *json_parse_entry(const struct map *map, const char *text,
			     size_t len, struct value *key, struct value *elem,
			     const char **what)
{
	const char *wrong = NULL;
	struct json_object *json;

	*what = "the line ";
	/* json-c would stop at it. */
	if (memchr(text, '\0', len))
		return "has a NUL in it";
	json = parse_object(text, len, &wrong);
	if (!wrong)
		wrong = entry_from_json(map, json, key, elem, what);
	if (!wrong) {
		*what = "the line ";
		wrong = repeated(text, json);
	}
	json_object_put(json);
	return wrong;
}
