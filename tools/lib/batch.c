// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: many entries in one call.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "hmap.h"

static int batch(int fd, unsigned long cmd, struct hmap_batch *arg,
		 __s32 *results, __u32 *count)
{
	int ret;

	arg->results = (uintptr_t)results;
	arg->count = *count;
	ret = ioctl(fd, cmd, arg);
	/*
	 * A call that fails early does not set the count.  One that has done
	 * all can only fail with EFAULT, if it could not write the results.
	 */
	if (ret && errno != EFAULT && arg->count == *count)
		*count = 0;
	else
		*count = arg->count;
	return ret;
}

int hmap_insert_batch(int fd, const void *keys, const __u32 *key_lens,
		      const void *elems, const __u32 *elem_lens,
		      __s32 *results, __u32 *count, __u32 flags)
{
	struct hmap_batch arg = {
		.keys = (uintptr_t)keys,
		.key_lens = (uintptr_t)key_lens,
		.elems = (uintptr_t)elems,
		.elem_lens = (uintptr_t)elem_lens,
		.flags = flags,
	};

	return batch(fd, HMAP_IOC_INSERT_BATCH, &arg, results, count);
}

int hmap_lookup_batch(int fd, const void *keys, const __u32 *key_lens,
		      void *elems, __u32 *elem_lens, __u64 room,
		      __s32 *results, __u32 *count)
{
	struct hmap_batch arg = {
		.keys = (uintptr_t)keys,
		.key_lens = (uintptr_t)key_lens,
		.elems = (uintptr_t)elems,
		.elem_lens = (uintptr_t)elem_lens,
		.room = room,
	};

	return batch(fd, HMAP_IOC_LOOKUP_BATCH, &arg, results, count);
}

int hmap_delete_batch(int fd, const void *keys, const __u32 *key_lens,
		      __s32 *results, __u32 *count)
{
	struct hmap_batch arg = {
		.keys = (uintptr_t)keys,
		.key_lens = (uintptr_t)key_lens,
	};

	return batch(fd, HMAP_IOC_DELETE_BATCH, &arg, results, count);
}
