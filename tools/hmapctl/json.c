// SPDX-License-Identifier: GPL-2.0
/*
 * JSON: integers are numbers, text is a string where JSON has one for it, and
 * {"hex": "..."} where not.
 */
#include <err.h>
#include <stdio.h>
#include <json-c/json.h>
#include "hmapctl.h"

static struct json_object *made(struct json_object *object)
{
	if (!object)
		errx(EXIT_REFUSED, "out of memory");
	return object;
}

void json_add(struct json_object *object, const char *name,
	      struct json_object *value)
{
	if (json_object_object_add(object, name, value))
		errx(EXIT_REFUSED, "out of memory");
}

void json_add_number(struct json_object *object, const char *name, __u64 value)
{
	json_add(object, name, made(json_object_new_uint64(value)));
}

void json_add_string(struct json_object *object, const char *name,
		     const char *value)
{
	json_add(object, name, made(json_object_new_string(value)));
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

/* NUL is left out: JSON can say it, but what reads JSON often can't. */
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
	struct json_object *object = made(json_object_new_object());
	__u32 i;

	for (i = 0; i < len; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
	json_add(object, "hex", made(json_object_new_string_len(hex, 2 * len)));
	return object;
}

struct json_object *value_json(const struct type *type, const void *data,
			       __u32 len)
{
	if (type->integer)
		return made(json_object_new_uint64(value_integer(data, len)));
	if (is_string(data, len))
		return made(json_object_new_string_len(data, len));
	return hex_json(data, len);
}

static void print(struct json_object *object, int flags)
{
	const char *text;

	text = json_object_to_json_string_ext(object, flags |
					      JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		errx(EXIT_REFUSED, "out of memory");
	fputs(text, stdout);
	json_object_put(object);
}

void json_print(struct json_object *object)
{
	print(object, JSON_C_TO_STRING_PRETTY);
	putchar('\n');
}

void json_print_item(struct json_object *object, bool first)
{
	fputs(first ? "[\n" : ",\n", stdout);
	print(object, JSON_C_TO_STRING_PLAIN);
}

void json_print_end(bool empty)
{
	puts(empty ? "[]" : "\n]");
}
