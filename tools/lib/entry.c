// SPDX-License-Identifier: GPL-2.0
/*
 * Calls for one entry.
 */
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "hmap.h"

int hmap_insert(int fd, const void *key, __u32 key_len, const void *elem,
		__u32 elem_len, __u32 flags)
{
	struct hmap_entry arg = {
		.key = (uintptr_t)key,
		.key_len = key_len,
		.elem = (uintptr_t)elem,
		.elem_len = elem_len,
		.flags = flags,
	};

	return ioctl(fd, HMAP_IOC_INSERT, &arg);
}

int hmap_lookup(int fd, const void *key, __u32 key_len, void *elem,
		__u32 *elem_len)
{
	struct hmap_entry arg = {
		.key = (uintptr_t)key,
		.key_len = key_len,
		.elem = (uintptr_t)elem,
		.elem_len = *elem_len,
	};
	int ret = ioctl(fd, HMAP_IOC_LOOKUP, &arg);

	*elem_len = arg.elem_len;
	return ret;
}

int hmap_delete(int fd, const void *key, __u32 key_len)
{
	struct hmap_entry arg = {
		.key = (uintptr_t)key,
		.key_len = key_len,
	};

	return ioctl(fd, HMAP_IOC_DELETE, &arg);
}

/* === Atomic updates === */

/* Returns whether the key existed, or -1. */
static int update(int fd, struct hmap_update *arg, void *old, __u32 *old_len)
{
	int ret;

	arg->old = (uintptr_t)old;
	arg->old_len = old ? *old_len : 0;
	ret = ioctl(fd, HMAP_IOC_UPDATE, arg);
	if (old)
		*old_len = arg->old_len;
	return ret ? -1 : (int)arg->present;
}

int hmap_xchg(int fd, const void *key, __u32 key_len, const void *elem,
	      __u32 elem_len, void *old, __u32 *old_len, __u32 flags)
{
	struct hmap_update arg = {
		.op = HMAP_UPDATE_XCHG,
		.key = (uintptr_t)key,
		.key_len = key_len,
		.elem = (uintptr_t)elem,
		.elem_len = elem_len,
		.flags = flags,
	};

	return update(fd, &arg, old, old_len);
}

int hmap_cmpxchg(int fd, const void *key, __u32 key_len, const void *expect,
		 __u32 expect_len, const void *elem, __u32 elem_len, void *old,
		 __u32 *old_len)
{
	struct hmap_update arg = {
		.op = HMAP_UPDATE_CMPXCHG,
		.key = (uintptr_t)key,
		.key_len = key_len,
		.expect = (uintptr_t)expect,
		.expect_len = expect_len,
		.elem = (uintptr_t)elem,
		.elem_len = elem_len,
	};

	return update(fd, &arg, old, old_len) < 0 ? -1 : 0;
}

int hmap_fetch_add(int fd, const void *key, __u32 key_len, const void *n,
		   void *old, __u32 elem_len, __u32 flags)
{
	struct hmap_update arg = {
		.op = HMAP_UPDATE_ADD,
		.key = (uintptr_t)key,
		.key_len = key_len,
		.elem = (uintptr_t)n,
		.elem_len = elem_len,
		.flags = flags,
	};
	int present = update(fd, &arg, old, &elem_len);

	if (old && !present)
		memset(old, 0, arg.elem_len);
	return present;
}

int hmap_take(int fd, const void *key, __u32 key_len, void *old,
	      __u32 *old_len)
{
	struct hmap_update arg = {
		.op = HMAP_UPDATE_TAKE,
		.key = (uintptr_t)key,
		.key_len = key_len,
	};

	return update(fd, &arg, old, old_len) < 0 ? -1 : 0;
}
