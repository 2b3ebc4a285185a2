// SPDX-License-Identifier: GPL-2.0
/*
 * Maps as a whole: create, clear, unlink.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

static void option_type(const struct args *args, int opt, const char *name,
			struct hmap_create *create)
{
	const char *text = args->opt[opt];
	const char *wrong;

	wrong = type_parse(text, opt == OPT_ELEM, create);
	if (wrong)
		fail(EXIT_MISUSE, "create: --%s '%s' %s", name, text, wrong);
}

/* What differs in a map that can be mapped. */
static void option_mapped(const struct args *args, struct hmap_create *create)
{
	const char *wrong;

	if (!args->opt[OPT_MAPPED]) {
		if (create->key_kind == HMAP_KIND_STRING && create->key_size)
			fail(EXIT_MISUSE, "create: --key '%s' is for --mapped",
			     args->opt[OPT_KEY]);
		return;
	}
	wrong = type_mapped(create);
	if (wrong)
		fail(EXIT_MISUSE, "create: --mapped %s", wrong);
	create->flags |= HMAP_CREATE_MAPPED;
}

static void create_map(const struct args *args)
{
	struct map map = { .name = args->arg[0], .flags = O_RDWR };
	struct hmap_create create = { 0 };
	int fd;

	map_check_name(map.name);
	if (!args->opt[OPT_KEY] || !args->opt[OPT_ELEM])
		fail(EXIT_MISUSE, "create: %s missing",
		     args->opt[OPT_KEY] ? "--elem is" :
		     args->opt[OPT_ELEM] ? "--key is" :
		     "--key and --elem are");
	option_type(args, OPT_KEY, "key", &create);
	option_type(args, OPT_ELEM, "elem", &create);
	option_mapped(args, &create);
	create.hint = option_amount(args, OPT_HINT, "hint");
	create.max_entries = option_amount(args, OPT_MAX_ENTRIES,
					   "max-entries");
	create.max_bytes = option_amount(args, OPT_MAX_BYTES, "max-bytes");
	create.mode = 0600;
	if (args->opt[OPT_MODE])
		create.mode = parse_mode(args->command, args->opt[OPT_MODE]);
	if (args->opt[OPT_EXIST_OK])
		create.flags |= HMAP_CREATE_OR_OPEN;
	fd = hmap_create(map.name, &create);
	if (fd < 0)
		fail(EXIT_REFUSED, "map '%s': %s", map.name,
		     reason_create(&map, &create, errno));
	close(fd);
}

static void clear_map(const struct args *args)
{
	struct map map;

	map_open(&map, args->arg[0], O_WRONLY);
	if (hmap_clear(map.fd))
		refuse(&map, HMAP_IOC_CLEAR, errno);
}

static void unlink_map(const struct args *args)
{
	struct map map = { .name = args->arg[0], .flags = O_WRONLY };

	map_check_name(map.name);
	if (hmap_unlink(map.name))
		refuse(&map, HMAP_IOC_UNLINK, errno);
}

static const struct option create_options[] = {
	OPTION_ARG("key", OPT_KEY), OPTION_ARG("elem", OPT_ELEM),
	OPTION_ARG("hint", OPT_HINT),
	OPTION_ARG("max-entries", OPT_MAX_ENTRIES),
	OPTION_ARG("max-bytes", OPT_MAX_BYTES), OPTION_ARG("mode", OPT_MODE),
	OPTION("exist-ok", OPT_EXIST_OK), OPTION("mapped", OPT_MAPPED),
	OPTION_HELP, OPTIONS_END
};

const struct command command_create = {
	"create", 1, 1, create_options, create_map, "make a map"
};

const struct command command_clear = {
	"clear", 1, 1, no_options, clear_map, "delete all entries"
};

const struct command command_unlink = {
	"unlink", 1, 1, no_options, unlink_map,
	"remove a map's name; it is freed when unused"
};
