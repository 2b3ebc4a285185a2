// SPDX-License-Identifier: GPL-2.0
/*
 * What a map's owner may change: limit, rename, chmod, chown.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include "hmapctl.h"

__u32 parse_mode(const char *command, const char *text)
{
	__u64 mode;

	if (!parse_number(text, strlen(text), 8, 0777, &mode))
		fail(EXIT_MISUSE,
		     "%s: mode '%s' is not an octal number from 0 to 777",
		     command, brief(text));
	return mode;
}

static void set(const char *name, const struct hmap_set *set)
{
	struct map map = { .name = name, .flags = O_RDONLY };
	int fd;

	map_check_name(name);
	/* The mode may let the owner only write. */
	fd = hmap_open(name, O_RDONLY);
	if (fd < 0 && errno == EACCES)
		fd = hmap_open(name, O_WRONLY);
	map_opened(&map, fd, HMAP_IOC_OPEN);
	if (hmap_set(fd, set))
		fail(EXIT_REFUSED, "map '%s': %s", name,
		     reason_set(&map, set, errno));
}

static void limit_map(const struct args *args)
{
	struct hmap_set limits = {
		.max_entries = option_amount(args, OPT_MAX_ENTRIES,
					     "max-entries"),
		.max_bytes = option_amount(args, OPT_MAX_BYTES, "max-bytes"),
	};

	if (args->opt[OPT_MAX_ENTRIES])
		limits.flags |= HMAP_SET_MAX_ENTRIES;
	if (args->opt[OPT_MAX_BYTES])
		limits.flags |= HMAP_SET_MAX_BYTES;
	if (!limits.flags)
		fail(EXIT_MISUSE,
		     "limit: there is neither --max-entries nor --max-bytes");
	set(args->arg[0], &limits);
}

static const struct option limit_options[] = {
	OPTION_ARG("max-entries", OPT_MAX_ENTRIES),
	OPTION_ARG("max-bytes", OPT_MAX_BYTES), OPTION_HELP, OPTIONS_END
};

const struct command command_limit = {
	"limit", 1, 1, limit_options, limit_map, "change the limits of a map"
};

static void rename_map(const struct args *args)
{
	struct hmap_set name = { .flags = HMAP_SET_NAME };

	map_check_name(args->arg[1]);
	strcpy(name.name, args->arg[1]);
	set(args->arg[0], &name);
}

const struct command command_rename = {
	"rename", 2, 2, no_options, rename_map, "give a map another name"
};

static void chmod_map(const struct args *args)
{
	struct hmap_set mode = {
		.flags = HMAP_SET_MODE,
		.mode = parse_mode(args->command, args->arg[1]),
	};

	set(args->arg[0], &mode);
}

const struct command command_chmod = {
	"chmod", 2, 2, no_options, chmod_map, "change who may open a map"
};

/* Names go first, as for chown(1). */
static __u32 parse_user(const char *text)
{
	const struct passwd *user = getpwnam(text);
	__u64 uid;

	if (user)
		return user->pw_uid;
	if (!parse_number(text, strlen(text), 10, ~0U, &uid))
		fail(EXIT_MISUSE, "chown: there is no user '%s'", brief(text));
	return uid;
}

static __u32 parse_group(const char *text)
{
	const struct group *group = getgrnam(text);
	__u64 gid;

	if (group)
		return group->gr_gid;
	if (!parse_number(text, strlen(text), 10, ~0U, &gid))
		fail(EXIT_MISUSE, "chown: there is no group '%s'", brief(text));
	return gid;
}

/* USER, USER:GROUP or :GROUP */
static void chown_map(const struct args *args)
{
	char *user = args->arg[1], *group = strchr(user, ':');
	struct hmap_set owner = { 0 };

	if (group)
		*group++ = '\0';
	if (*user || !group) {
		owner.flags |= HMAP_SET_UID;
		owner.uid = parse_user(user);
	}
	if (group) {
		owner.flags |= HMAP_SET_GID;
		owner.gid = parse_group(group);
	}
	set(args->arg[0], &owner);
}

const struct command command_chown = {
	"chown", 2, 2, no_options, chown_map, "change a map's owner and group"
};
