// SPDX-License-Identifier: GPL-2.0
/*
 * Maps as a whole: create, clear, unlink.
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

static __u64 option_number(const struct args *args, int opt, const char *name)
{
	const char *text = args->opt[opt];
	__u64 n = 0;

	if (text && !parse_number(text, strlen(text), 10, ~0ULL, &n))
		errx(EXIT_MISUSE,
		     "create: --%s '%s' is not a whole number below 2^64", name,
		     text);
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
		     "create: --max-bytes '%s' is not a whole number below 2^64, which K, M or G may follow",
		     text);
	return n << shift;
}

static __u32 option_mode(const struct args *args)
{
	const char *text = args->opt[OPT_MODE];
	__u64 mode = 0600;

	if (text && !parse_number(text, strlen(text), 8, 0777, &mode))
		errx(EXIT_MISUSE,
		     "create: --mode '%s' is not an octal number from 0 to 777",
		     text);
	return mode;
}

void cmd_create(const struct args *args)
{
	struct map map = { .name = args->arg[0], .flags = O_RDWR };
	struct hmap_create create = { 0 };

	map_check_name(map.name);
	option_type(args, OPT_KEY, "key", &create);
	option_type(args, OPT_ELEM, "elem", &create);
	create.hint = option_number(args, OPT_HINT, "hint");
	create.max_entries = option_number(args, OPT_MAX_ENTRIES, "max-entries");
	create.max_bytes = option_bytes(args);
	create.mode = option_mode(args);
	if (create.max_entries && create.hint > create.max_entries)
		errx(EXIT_MISUSE,
		     "create: --hint %llu is over --max-entries %llu",
		     create.hint, create.max_entries);

	if (hmap_create(map.name, &create) < 0)
		errx(EXIT_REFUSED, "map '%s': %s", map.name,
		     reason_create(&map, &create, errno));
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
