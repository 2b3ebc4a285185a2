// SPDX-License-Identifier: GPL-2.0
/*
 * Types of keys and elems, as create parses and list prints them.
 */
#include <stdio.h>
#include <string.h>
#include "hmapctl.h"

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
	} else if (!strcmp(text, "string") ||
		   sized(text, "string:", HMAP_MAPPED_SIZE_MAX,
			 &create->key_size)) {
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

const char *type_mapped(const struct hmap_create *create)
{
	if (create->key_kind == HMAP_KIND_STRING && !create->key_size)
		return "takes --key string:N, N being the most bytes a key may have, up to 128";
	if (create->key_size > HMAP_MAPPED_SIZE_MAX)
		return "takes keys of up to 128 bytes";
	if (create->flags & HMAP_CREATE_VAR_ELEM)
		return "takes elems of a fixed size: say --elem bytes:N";
	if (create->elem_size > HMAP_MAPPED_SIZE_MAX)
		return "takes elems of up to 128 bytes";
	return NULL;
}

const char *type_key_name(const struct hmap_info *i)
{
	static char text[24];

	switch (i->key_kind) {
	case HMAP_KIND_U32:
		return "u32";
	case HMAP_KIND_U64:
		return "u64";
	case HMAP_KIND_STRING:
		if (!i->key_size)
			return "string";
	}
	snprintf(text, sizeof(text), "%s:%u", i->key_kind == HMAP_KIND_STRING ?
		 "string" : "bytes", i->key_size);
	return text;
}

const char *type_elem_name(const struct hmap_info *i)
{
	bool var = i->create_flags & HMAP_CREATE_VAR_ELEM;
	static char text[24];
	__u32 size = i->elem_size;

	if (!size)
		return "none";
	if (!var && (size == 4 || size == 8))
		return size == 4 ? "u32" : "u64";
	snprintf(text, sizeof(text), "%s:%u", var ? "var" : "bytes", size);
	return text;
}

enum show type_shown(const struct type *type, __u32 len)
{
	if (type->show == SHOW_TYPE)
		return type->integer ? SHOW_INT : SHOW_TEXT;
	if (type->show != SHOW_INT)
		return type->show;
	/* Only what has a fixed size may be an integer. */
	if (type->min == type->max &&
	    (len == 1 || len == 2 || len == 4 || len == 8))
		return SHOW_INT;
	return SHOW_HEX;
}

void type_show(const struct args *args, struct map *map)
{
	static const char * const names[] = {
		[SHOW_TEXT] = "text", [SHOW_HEX] = "hex", [SHOW_INT] = "int",
	};
	const char *output = args->opt[OPT_OUTPUT];
	enum show show = SHOW_TYPE;

	if (!output)
		return;
	for (show = SHOW_TEXT; show <= SHOW_INT; show++)
		if (!strcmp(output, names[show]))
			break;
	if (show > SHOW_INT)
		fail(EXIT_MISUSE, "%s: --output '%s' is not text, hex or int",
		     args->command, brief(output));
	map->key.show = show;
	map->elem.show = show;
}
