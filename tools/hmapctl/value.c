// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and elems as text.  Output can be read back, both from the command line
 * and from files.
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

/* @text must be all digits, without sign or spaces.  0x makes it hex. */
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

/* Also with a suffix: K, M, G or T, for powers of 1024. */
bool parse_amount(const char *text, __u64 *number)
{
	static const char suffixes[] = "KkMmGgTt";
	size_t len = strlen(text);
	const char *suffix = len ? strchr(suffixes, text[len - 1]) : NULL;
	int shift = suffix ? 10 * ((suffix - suffixes) / 2 + 1) : 0;
	__u64 n;

	if (!parse_number(text, len - !!suffix, 10, ~0ULL >> shift, &n))
		return false;
	*number = n << shift;
	return true;
}

#define BRIEF	40	/* characters */

const char *brief(const char *text)
{
	static char shown[2][BRIEF + sizeof("...")];
	static int next;
	char *to = shown[next++ & 1];
	size_t n;

	for (n = 0; n < BRIEF && text[n]; n++)
		to[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	strcpy(to + n, text[n] ? "..." : "");
	return to;
}

void value_set_integer(const struct type *type, __u64 n, struct value *value)
{
	__u32 n32 = n;

	value->len = type->max;
	memcpy(value->data, type->max == sizeof(n32) ? (void *)&n32 : &n,
	       type->max);
}

static const char *integer_parse(const struct type *type, const char *text,
				 size_t len, struct value *value)
{
	__u64 n;

	if (!parse_number(text, len, 10, type->max == 4 ? ~0U : ~0ULL, &n))
		return type->max == 4 ?
		       "is not a whole number from 0 to 4294967295" :
		       "is not a whole number from 0 to 18446744073709551615";
	value_set_integer(type, n, value);
	return NULL;
}

/* Decode the first byte of @text; returns the number of characters used. */
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

/* Prefix of raw bytes on the command line. */
#define HEX	"hex:"
#define HEX_LEN	(sizeof(HEX) - 1)

static bool is_hex(const char *text, size_t len)
{
	return len >= HEX_LEN && !memcmp(text, HEX, HEX_LEN);
}

static const char *check_len(const struct type *type, size_t len)
{
	static char wrong[80];

	if (len >= type->min && len <= type->max)
		return NULL;
	snprintf(wrong, sizeof(wrong), "is %s than the %u bytes the map takes",
		 len > type->max ? "longer" : "shorter",
		 len > type->max ? type->max : type->min);
	return wrong;
}

const char *value_set(const struct type *type, const void *data, size_t len,
		      struct value *value)
{
	const char *wrong = check_len(type, len);

	if (!wrong) {
		memcpy(value->data, data, len);
		value->len = len;
	}
	return wrong;
}

const char *value_parse(const struct type *type, const char *text, size_t len,
			struct value *value)
{
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
	return check_len(type, n + len);
}

/* Raw bytes, also for integers. */
const char *value_parse_hex(const struct type *type, const char *digits,
			    size_t len, struct value *value)
{
	const char *wrong = check_len(type, len / 2);
	size_t i;

	for (i = 0; i < len; i++)
		if (digit(digits[i]) > 15)
			break;
	if (i < len || len % 2)
		return "has bytes that are not two hexadecimal digits each";
	if (wrong)
		return wrong;
	for (i = 0; i < len; i += 2)
		value->data[i / 2] = digit(digits[i]) << 4 | digit(digits[i + 1]);
	value->len = len / 2;
	return NULL;
}

static void close_file(void *f)
{
	fclose(f);
}

static const char *parse_file(const struct type *type, const char *path,
			      struct value *value)
{
	FILE *f = fopen(path, "re");
	size_t len;

	if (!f)
		fail_errno("%s", path);
	defer(close_file, f);
	len = fread(value->data, 1, type->max, f);
	if (len == type->max && fgetc(f) != EOF)
		len++;
	if (ferror(f))
		fail_errno("%s", path);
	value->len = len;
	return check_len(type, len);
}

void value_argument(const struct map *map, const struct type *type,
		    const char *text, struct value *value)
{
	const char *wrong;

	if (*text == '@')
		wrong = parse_file(type, text + 1, value);
	else if (is_hex(text, strlen(text)))
		wrong = value_parse_hex(type, text + HEX_LEN,
					strlen(text + HEX_LEN), value);
	else
		wrong = value_parse(type, text, strlen(text), value);
	if (wrong)
		fail(EXIT_MISUSE, "map '%s': %s '%s' %s", map->name,
		     type == &map->key ? "key" : "elem", brief(text), wrong);
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
	/* On the command line, this would not be taken as text. */
	if (len && (*bytes == '@' || is_hex(data, len))) {
		printf("\\x%02x", *bytes++);
		len--;
	}
	while (len--)
		print_escaped(*bytes++);
}
