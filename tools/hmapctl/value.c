// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and elems as text.  The same form is read and written, on the command
 * line and in files, so that what dump writes load reads back.
 */
#include <stdio.h>
#include <string.h>
#include "hmapctl.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* All of @text must be the number: no sign, no space.  0x makes it hex. */
bool parse_number(const char *text, size_t len, unsigned int base, __u64 max,
		  __u64 *number)
{
	__u64 n = 0;

	if (base == 10 && len > 2 && text[0] == '0' &&
	    (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
		len -= 2;
	}
	if (!len)
		return false;

	for (; len; text++, len--) {
		unsigned int d = digit(*text);

		if (d >= base || __builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, d, &n))
			return false;
	}
	*number = n;
	return n <= max;
}

static bool sized(const char *text, const char *kind, __u32 max, __u32 *size)
{
	size_t len = strlen(kind);
	__u64 n;

	if (strncmp(text, kind, len) ||
	    !parse_number(text + len, strlen(text + len), 10, max, &n) || !n)
		return false;
	*size = n;
	return true;
}

static const char *key_type(const char *text, struct hmap_create *create)
{
	create->key_size = 0;
	if (!strcmp(text, "u32")) {
		create->key_kind = HMAP_KIND_U32;
		create->key_size = 4;
	} else if (!strcmp(text, "u64")) {
		create->key_kind = HMAP_KIND_U64;
		create->key_size = 8;
	} else if (!strcmp(text, "string")) {
		create->key_kind = HMAP_KIND_STRING;
	} else if (sized(text, "bytes:", 512, &create->key_size)) {
		create->key_kind = HMAP_KIND_BYTES;
	} else {
		return "is not u32, u64, string, or bytes:N with N from 1 to 512";
	}
	return NULL;
}

static const char *elem_type(const char *text, struct hmap_create *create)
{
	__u32 *size = &create->elem_size;

	create->flags = 0;
	if (!strcmp(text, "none"))
		*size = 0;
	else if (!strcmp(text, "u32"))
		*size = 4;
	else if (!strcmp(text, "u64"))
		*size = 8;
	else if (sized(text, "var:", HMAP_ELEM_SIZE_MAX, size))
		create->flags = HMAP_CREATE_VAR_ELEM;
	else if (!sized(text, "bytes:", HMAP_ELEM_SIZE_MAX, size))
		return "is not none, u32, u64, or bytes:N or var:N with N from 1 to 65536";
	else if (*size == 4 || *size == 8)
		return "would be an integer, as all elems of 4 and of 8 bytes are: say u32 or u64";
	return NULL;
}

const char *type_parse(const char *text, bool elem, struct hmap_create *create)
{
	return elem ? elem_type(text, create) : key_type(text, create);
}

static const char *integer_parse(const struct type *type, const char *text,
				 size_t len, struct value *value)
{
	__u64 n;
	__u32 n32;

	value->len = type->max;
	if (type->max == 4) {
		if (!parse_number(text, len, 10, 0xffffffff, &n))
			return "is not a whole number from 0 to 4294967295";
		n32 = n;
		memcpy(value->data, &n32, sizeof(n32));
		return NULL;
	}
	if (!parse_number(text, len, 10, ~0ULL, &n))
		return "is not a whole number from 0 to 18446744073709551615";
	memcpy(value->data, &n, sizeof(n));
	return NULL;
}

/* Read the byte that *@text begins with; returns the characters it takes. */
static size_t unescape(const char *text, size_t len, unsigned char *byte)
{
	static const char escapes[] = "\\tnr";
	static const char meant[] = "\\\t\n\r";
	const char *e;

	*byte = text[0];
	if (text[0] != '\\')
		return 1;
	if (len < 2)
		return 0;
	e = memchr(escapes, text[1], sizeof(escapes) - 1);
	if (e) {
		*byte = meant[e - escapes];
		return 2;
	}
	if (len < 4 || text[1] != 'x' || digit(text[2]) > 15 ||
	    digit(text[3]) > 15)
		return 0;
	*byte = digit(text[2]) << 4 | digit(text[3]);
	return 4;
}

const char *value_parse(const struct type *type, const char *text, size_t len,
			struct value *value)
{
	static char wrong[80];
	__u32 n = 0;

	if (type->integer)
		return integer_parse(type, text, len, value);

	while (len && n < type->max) {
		size_t took = unescape(text, len, &value->data[n]);

		if (!took)
			return "has a '\\' that does not begin \\\\, \\t, \\n, \\r or \\xHH";
		text += took;
		len -= took;
		n++;
	}
	value->len = n;
	if (!len && n >= type->min)
		return NULL;

	snprintf(wrong, sizeof(wrong), "is %s than the %u bytes the map takes",
		 len ? "longer" : "shorter", len ? type->max : type->min);
	return wrong;
}

__u64 value_integer(const void *data, __u32 len)
{
	__u32 n32;
	__u64 n;

	if (len == sizeof(n32)) {
		memcpy(&n32, data, sizeof(n32));
		return n32;
	}
	memcpy(&n, data, sizeof(n));
	return n;
}

static void print_escaped(unsigned char c)
{
	switch (c) {
	case '\\':
		fputs("\\\\", stdout);
		break;
	case '\t':
		fputs("\\t", stdout);
		break;
	case '\n':
		fputs("\\n", stdout);
		break;
	case '\r':
		fputs("\\r", stdout);
		break;
	default:
		if (c >= ' ' && c <= '~')
			putchar_unlocked(c);
		else
			printf("\\x%02x", c);
	}
}

void value_print(const struct type *type, const void *data, __u32 len)
{
	const unsigned char *bytes = data;

	if (type->integer) {
		printf("%llu", value_integer(data, len));
		return;
	}
	while (len--)
		print_escaped(*bytes++);
}
