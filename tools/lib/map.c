// SPDX-License-Identifier: GPL-2.0
/*
 * Calls for maps as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hmap.h"

#define DEVICE "/dev/hmap"

/* Returns a file descriptor, or -1. */
static int open_device(int flags)
{
	int access = flags & ~O_CLOEXEC, fd;

	/* O_CREAT would make a regular file if there is no device. */
	if (access != O_RDONLY && access != O_WRONLY && access != O_RDWR) {
		errno = EINVAL;
		return -1;
	}
	fd = open(DEVICE, access | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		errno = ENODEV;
	return fd;
}

/* Open the device and make one call.  Returns the file descriptor, or -1. */
static int device_call(int flags, unsigned long cmd, void *arg)
{
	int fd = open_device(flags);
	int err;

	if (fd < 0 || !ioctl(fd, cmd, arg))
		return fd;

	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static int set_name(char to[HMAP_NAME_LEN], const char *name)
{
	size_t len = strlen(name);

	/* The kernel takes an empty name for a map without one. */
	if (!len || len >= HMAP_NAME_LEN) {
		errno = EINVAL;
		return -1;
	}
	memset(to, 0, HMAP_NAME_LEN);
	memcpy(to, name, len);
	return 0;
}

int hmap_create(const char *name, struct hmap_create *create)
{
	struct hmap_create arg = *create;
	int fd;

	if (name && set_name(arg.name, name))
		return -1;
	if (!name)
		memset(arg.name, 0, sizeof(arg.name));
	fd = device_call(O_RDWR, HMAP_IOC_CREATE, &arg);
	if (fd >= 0) {
		create->created = arg.created;
		create->id = arg.id;
	}
	return fd;
}

int hmap_open(const char *name, int flags)
{
	struct hmap_open arg = { 0 };

	if (set_name(arg.name, name))
		return -1;
	return device_call(flags, HMAP_IOC_OPEN, &arg);
}

int hmap_reopen(int fd, int flags)
{
	struct hmap_open arg = { .flags = HMAP_OPEN_FD, .fd = fd };

	return device_call(flags, HMAP_IOC_OPEN, &arg);
}

int hmap_unlink(const char *name)
{
	struct hmap_unlink arg;
	int fd;

	if (set_name(arg.name, name))
		return -1;
	fd = device_call(O_WRONLY, HMAP_IOC_UNLINK, &arg);
	return fd < 0 ? -1 : close(fd);
}

int hmap_set(int fd, const struct hmap_set *set)
{
	struct hmap_set arg = *set;

	return ioctl(fd, HMAP_IOC_SET, &arg);
}

int hmap_clear(int fd)
{
	struct hmap_clear arg = { 0 };

	return ioctl(fd, HMAP_IOC_CLEAR, &arg);
}

int hmap_info(int fd, struct hmap_info *info)
{
	memset(info, 0, sizeof(*info));
	return ioctl(fd, HMAP_IOC_INFO, info);
}

int hmap_next_map(struct hmap_info *info)
{
	int fd;

	info->after = info->id;
	/* Open for writing, too, it is told of maps to write to. */
	fd = device_call(O_RDWR, HMAP_IOC_INFO, info);
	if (fd < 0 && errno == EACCES)
		fd = device_call(O_RDONLY, HMAP_IOC_INFO, info);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	close(fd);
	return 1;
}
