// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and elems as text that can be read back, both from the command line and
 * from files.
 */
#define _GNU_SOURCE
#include <langinfo.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include "hmapctl.h"

char *hex_byte(unsigned char byte, char *to)
{
	static const char digits[] = "0123456789abcdef";

	*to++ = digits[byte >> 4];
	*to++ = digits[byte & 15];
	return to;
}

bool is_hex(const char *text, size_t len)
{
	return len >= HEX_LEN && !memcmp(text, HEX, HEX_LEN);
}

/* Decode the first byte of @text; returns the number of characters used. */
size_t unescape(const char *text, size_t len, unsigned char *byte)
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

static char *escape(unsigned char c, char *to)
{
	static const char meant[] = "\\\t\n\r";
	static const char escapes[] = "\\tnr";
	const char *m = memchr(meant, c, sizeof(meant) - 1);

	*to++ = '\\';
	if (m) {
		*to++ = escapes[m - meant];
		return to;
	}
	*to++ = 'x';
	return hex_byte(c, to);
}

/* The UTF-8 character that @s begins with, and its bytes; 0 if there is none. */
static __u32 utf8_len(const unsigned char *s, __u32 len, __u32 *character)
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
	*character = c;
	return n;
}

/* JSON can express NUL, but many programs that read it cannot. */
bool is_utf8(const void *data, __u32 len)
{
	const unsigned char *s = data;
	__u32 c, n;

	while (len) {
		n = *s >= 0x80 ? utf8_len(s, len, &c) : !!*s;
		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

/* Whether stdout is a terminal that takes UTF-8. */
static bool shows_utf8(void)
{
	static int shows = -1;

	if (shows < 0)
		shows = isatty(STDOUT_FILENO) &&
			!strcmp(nl_langinfo(CODESET), "UTF-8");
	return shows;
}

/* Bytes of the character at @s that may be shown as it is; 0 if it may not. */
static __u32 shown_len(const unsigned char *s, __u32 len)
{
	__u32 c, n;

	if (*s < 0x80 || !shows_utf8())
		return 0;
	n = utf8_len(s, len, &c);
	/* What takes no column might hide, or turn round, what follows. */
	return n && wcwidth(c) > 0 ? n : 0;
}

static size_t text_plain(const unsigned char *s, __u32 len, char *to)
{
	char *begin = to;
	__u32 n;

	/* On the command line, this would not be taken as text. */
	if (len && (*s == '@' || is_hex((const char *)s, len))) {
		*to++ = '\\';
		*to++ = 'x';
		to = hex_byte(*s++, to);
		len--;
	}
	for (; len; s += n, len -= n) {
		n = 1;
		if (*s >= ' ' && *s <= '~' && *s != '\\') {
			*to++ = *s;
			continue;
		}
		n = shown_len(s, len);
		memcpy(to, s, n);
		to += n;
		if (!n) {
			to = escape(*s, to);
			n = 1;
		}
	}
	return to - begin;
}

static size_t text_hex(const unsigned char *s, __u32 len, char *to)
{
	char *begin = to;

	memcpy(to, HEX, HEX_LEN);
	to += HEX_LEN;
	while (len--) {
		to = hex_byte(*s++, to);
		if (len)
			*to++ = ':';
	}
	return to - begin;
}

size_t text_number(__u64 n, char *to)
{
	char digits[20];
	char *end = digits + sizeof(digits), *begin = end;

	do {
		*--begin = '0' + n % 10;
		n /= 10;
	} while (n);
	memcpy(to, begin, end - begin);
	return end - begin;
}

size_t text_value(const struct type *type, const void *data, __u32 len, char *to)
{
	switch (type_shown(type, len)) {
	case SHOW_INT:
		return text_number(value_integer(data, len), to);
	case SHOW_HEX:
		return text_hex(data, len, to);
	default:
		return text_plain(data, len, to);
	}
}

void text_print(const struct type *type, const void *data, __u32 len)
{
	static char text[TEXT_MAX_LEN];

	fwrite_unlocked(text, 1, text_value(type, data, len, text), out);
}
