// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and elems, and numbers, as the user gives them.
 */
#include <stdio.h>
#include <string.h>
#include "hmapctl.h"

int digit(char c)
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

static const char *value_parse_text(const struct type *type, const char *text,
				    size_t len, struct value *value)
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

/* Raw bytes, also for integers; ':', '-' or ' ' may separate them. */
const char *value_parse_hex(const struct type *type, const char *digits,
			    size_t len, struct value *value)
{
	size_t i = 0, n = 0;

	while (i < len) {
		if (len - i < 2 || digit(digits[i]) > 15 ||
		    digit(digits[i + 1]) > 15)
			return "has bytes that are not two hexadecimal digits each";
		if (n < type->max)
			value->data[n] = digit(digits[i]) << 4 |
					 digit(digits[i + 1]);
		n++;
		i += 2;
		if (len - i > 2 && strchr(":- ", digits[i]))
			i++;
	}
	value->len = n;
	return check_len(type, n);
}

/* Text as a file has it. */
const char *value_parse(const struct type *type, const char *text, size_t len,
			struct value *value)
{
	if (is_hex(text, len))
		return value_parse_hex(type, text + HEX_LEN, len - HEX_LEN,
				       value);
	return value_parse_text(type, text, len, value);
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
	else
		wrong = value_parse(type, text, strlen(text), value);
	if (wrong)
		fail(EXIT_MISUSE, "map '%s': %s '%s' %s", map->name,
		     type == &map->key ? "key" : "elem", brief(text), wrong);
}

/* @len is 1, 2, 4 or 8. */
__u64 value_integer(const void *data, __u32 len)
{
	union {
		__u8 n8;
		__u16 n16;
		__u32 n32;
		__u64 n64;
	} n;

	memcpy(&n, data, len);
	return len == 8 ? n.n64 : len == 4 ? n.n32 : len == 2 ? n.n16 : n.n8;
}
