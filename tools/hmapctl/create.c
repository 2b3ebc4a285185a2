// SPDX-License-Identifier: GPL-2.0
/*
 * Maps as a whole: create, set, clear, unlink.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "hmapctl.h"

static void option_type(const struct args *args, int opt, const char *name,
			struct hmap_create *create)
{
	const char *text = args->opt[opt];
	const char *wrong;

	if (!text)
		errx(EXIT_MISUSE, "create: --%s is missing", name);
	wrong = type_parse(text, opt == OPT_ELEM, create);
	if (wrong)
		errx(EXIT_MISUSE, "create: --%s '%s' %s", name, text, wrong);
}

static __u64 option_number(const struct args *args, int opt, const char *name,
			   int bits)
{
	const char *text = args->opt[opt];
	__u64 n = 0;

	if (text && !parse_number(text, strlen(text), 10, ~0ULL >> (64 - bits), &n))
		errx(EXIT_MISUSE,
		     "%s: --%s '%s' is not a whole number below 2^%d",
		     args->command, name, text, bits);
	return n;
}

static __u64 option_bytes(const struct args *args)
{
	static const char suffixes[] = "KMG";
	const char *text = args->opt[OPT_MAX_BYTES];
	const char *suffix;
	size_t len;
	int shift = 0;
	__u64 n;

	if (!text)
		return 0;
	len = strlen(text);
	suffix = len ? strchr(suffixes, text[len - 1]) : NULL;
	if (suffix) {
		shift = 10 * (suffix - suffixes + 1);
		len--;
	}
	if (!parse_number(text, len, 10, ~0ULL >> shift, &n))
		errx(EXIT_MISUSE,
		     "%s: --max-bytes '%s' is not a whole number below 2^64, which K, M or G may follow",
		     args->command, text);
	return n << shift;
}

static __u32 option_mode(const struct args *args)
{
	const char *text = args->opt[OPT_MODE];
	__u64 mode = 0600;

	if (text && !parse_number(text, strlen(text), 8, 0777, &mode))
		errx(EXIT_MISUSE,
		     "%s: --mode '%s' is not an octal number from 0 to 777",
		     args->command, text);
	return mode;
}

void cmd_create(const struct args *args)
{
	struct map map = { .name = args->arg[0], .flags = O_RDWR };
	struct hmap_create create = { 0 };

	map_check_name(map.name);
	option_type(args, OPT_KEY, "key", &create);
	option_type(args, OPT_ELEM, "elem", &create);
	create.hint = option_number(args, OPT_HINT, "hint", 64);
	create.max_entries = option_number(args, OPT_MAX_ENTRIES,
					   "max-entries", 64);
	create.max_bytes = option_bytes(args);
	create.mode = option_mode(args);
	if (args->opt[OPT_EXIST_OK])
		create.flags |= HMAP_CREATE_OR_OPEN;
	if (create.max_entries && create.hint > create.max_entries)
		errx(EXIT_MISUSE,
		     "create: --hint %llu is over --max-entries %llu",
		     create.hint, create.max_entries);

	if (hmap_create(map.name, &create) < 0)
		errx(EXIT_REFUSED, "map '%s': %s", map.name,
		     reason_create(&map, &create, errno));
}

static __u32 set_flag(const struct args *args, int opt, __u32 flag)
{
	return args->opt[opt] ? flag : 0;
}

static void set_options(const struct args *args, struct hmap_set *set)
{
	const char *name = args->opt[OPT_NAME];

	set->flags = set_flag(args, OPT_MODE, HMAP_SET_MODE) |
		     set_flag(args, OPT_UID, HMAP_SET_UID) |
		     set_flag(args, OPT_GID, HMAP_SET_GID) |
		     set_flag(args, OPT_MAX_ENTRIES, HMAP_SET_MAX_ENTRIES) |
		     set_flag(args, OPT_MAX_BYTES, HMAP_SET_MAX_BYTES) |
		     set_flag(args, OPT_NAME, HMAP_SET_NAME);
	if (!set->flags)
		errx(EXIT_MISUSE, "set: there is nothing to set");

	if (set->flags & HMAP_SET_MODE)
		set->mode = option_mode(args);
	set->uid = option_number(args, OPT_UID, "uid", 32);
	set->gid = option_number(args, OPT_GID, "gid", 32);
	set->max_entries = option_number(args, OPT_MAX_ENTRIES, "max-entries",
					 64);
	set->max_bytes = option_bytes(args);
	if (name) {
		map_check_name(name);
		strcpy(set->name, name);
	}
}

void cmd_set(const struct args *args)
{
	struct map map = { .name = args->arg[0], .flags = O_RDONLY };
	struct hmap_set set = { 0 };

	map_check_name(map.name);
	set_options(args, &set);
	/* The mode may let the owner only write. */
	map.fd = hmap_open(map.name, O_RDONLY);
	if (map.fd < 0 && errno == EACCES)
		map.fd = hmap_open(map.name, O_WRONLY);
	if (map.fd < 0)
		refuse(&map, HMAP_IOC_OPEN, errno);
	if (hmap_set(map.fd, &set))
		errx(EXIT_REFUSED, "map '%s': %s", map.name,
		     reason_set(&map, &set, errno));
}

void cmd_clear(const struct args *args)
{
	struct map map;

	map_open(&map, args->arg[0], O_WRONLY);
	if (hmap_clear(map.fd))
		refuse(&map, HMAP_IOC_CLEAR, errno);
}

void cmd_unlink(const struct args *args)
{
	struct map map = { .name = args->arg[0], .flags = O_WRONLY };

	map_check_name(map.name);
	if (hmap_unlink(map.name))
		refuse(&map, HMAP_IOC_UNLINK, errno);
}
