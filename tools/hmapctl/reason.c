// SPDX-License-Identifier: GPL-2.0
/*
 * In words, why a call failed; at a limit, which and what it is.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

#define DEVICE "/dev/hmap"
#define PARAMETERS "/sys/module/hmap/parameters/"

/* What hmap.h says of the errors of each call; first match wins. */
static const struct reason {
	unsigned long cmd;	/* 0: any */
	int err;
	const char *text;
} reasons[] = {
	{ HMAP_IOC_OPEN, ENOENT, "there is no map of that name" },
	{ HMAP_IOC_OPEN, EACCES,
	  "its mode does not let you do that (see hmapctl list)" },
	{ HMAP_IOC_UNLINK, ENOENT, "there is no map of that name" },
	{ HMAP_IOC_UNLINK, EPERM,
	  "only its owner, or who has CAP_FOWNER, may unlink it" },
	{ 0, ENOENT, "it is not there" },
	{ 0, EEXIST, "it is there already" },
	{ 0, ESTALE, "its elem is another" },
	{ 0, EINVAL, "the kernel does not take such an argument" },
	{ 0, E2BIG, "the kernel knows less than this hmapctl" },
	{ 0, ENODEV, "there is no " DEVICE " (is the hmap module loaded?)" },
	{ 0, ENOTTY, DEVICE " is not a device of hmap, or of an older one" },
	{ 0, ENOMEM, "out of memory" },
};

#define REASONS_END (reasons + sizeof(reasons) / sizeof(*reasons))

/* === Limits === */

/* A limit of the module; 0 if it has none, or is not to be read. */
static __u64 parameter(const char *name)
{
	unsigned long long n = 0;
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static __u64 most_bytes(const char *name)
{
	__u64 quarter = (__u64)sysconf(_SC_PHYS_PAGES) / 4;

	return parameter(name) ?: quarter * sysconf(_SC_PAGESIZE);
}

static bool over(__u64 wanted, __u64 limit)
{
	return limit && wanted > limit;
}

static void over_a_limit(const struct hmap_create *create, char *text,
			 size_t size)
{
	__u64 max_entries = parameter("max_entries");
	__u64 max_bytes = most_bytes("max_bytes");

	if (over(create->max_entries, max_entries))
		snprintf(text, size,
			 "--max-entries %llu is over the module's max_entries %llu",
			 create->max_entries, max_entries);
	else if (over(create->hint, max_entries))
		snprintf(text, size,
			 "--hint %llu is over the module's max_entries %llu",
			 create->hint, max_entries);
	else if (over(create->max_bytes, max_bytes))
		snprintf(text, size,
			 "--max-bytes %llu is over the module's max_bytes %llu",
			 create->max_bytes, max_bytes);
	else
		snprintf(text, size,
			 "there are as many maps as the module allows (max_maps %llu)",
			 parameter("max_maps"));
}

const char *reason_create(const struct map *map,
			  const struct hmap_create *create, int err)
{
	static char text[200];

	switch (err) {
	case EEXIST:
		return "there is a map of that name";
	case EDQUOT:
		snprintf(text, sizeof(text),
			 "you own as many maps as the module allows a user (max_user_maps %llu)",
			 parameter("max_user_maps"));
		return text;
	case ENOSPC:
		over_a_limit(create, text, sizeof(text));
		return text;
	case ENOMEM:
		snprintf(text, sizeof(text),
			 "out of memory, or --hint %llu needs more than the map (max_bytes %llu) or all of a user (max_user_bytes %llu) may use",
			 create->hint,
			 create->max_bytes ?: most_bytes("max_bytes"),
			 most_bytes("max_user_bytes"));
		return text;
	}
	return reason(map, HMAP_IOC_CREATE, err);
}

static const char *no_memory(const struct map *map)
{
	static char text[240];
	struct hmap_info info;
	size_t len;

	if (hmap_info(map->fd, &info))
		info = map->info;
	len = snprintf(text, sizeof(text),
		       "out of memory, or of what a limit leaves: the map uses %llu bytes (max_bytes %llu)",
		       info.bytes, info.max_bytes);
	if (info.owner_max_bytes)
		snprintf(text + len, sizeof(text) - len,
			 ", all maps of its owner use %llu (max_user_bytes %llu)",
			 info.owner_bytes, info.owner_max_bytes);
	return text;
}

/* === All reasons === */

/* The device may refuse what the map would not. */
static bool device_lets(int flags)
{
	static const int modes[] = {
		[O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK,
	};

	return !access(DEVICE, modes[flags]);
}

static bool stores(unsigned long cmd)
{
	return cmd == HMAP_IOC_INSERT || cmd == HMAP_IOC_UPDATE;
}

const char *reason(const struct map *map, unsigned long cmd, int err)
{
	static char text[80];
	const struct reason *r;

	if (stores(cmd) && err == ENOMEM)
		return no_memory(map);
	if (stores(cmd) && err == ENOSPC) {
		snprintf(text, sizeof(text),
			 "the map holds as many entries as it may (max_entries %llu)",
			 map->info.max_entries);
		return text;
	}
	if (err == EACCES && !device_lets(map->flags))
		return DEVICE ": Permission denied";

	for (r = reasons; r < REASONS_END; r++)
		if (r->err == err && (!r->cmd || r->cmd == cmd))
			return r->text;
	return strerror(err);
}

void refuse(const struct map *map, unsigned long cmd, int err)
{
	errx(EXIT_REFUSED, "map '%s': %s", map->name, reason(map, cmd, err));
}

void warn_key(const struct map *map, const char *key, unsigned long cmd,
	      int err)
{
	warnx("map '%s': key '%s': %s", map->name, key, reason(map, cmd, err));
}

void refuse_key(const struct map *map, const char *key, unsigned long cmd,
		int err)
{
	warn_key(map, key, cmd, err);
	exit(EXIT_REFUSED);
}
