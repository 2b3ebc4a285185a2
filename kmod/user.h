/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The caller's memory.  It is only touched where no lock of the core is held.
 */
#ifndef _HMAP_USER_H
#define _HMAP_USER_H

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "../core/bmap.h"

/* A caller at the limit of its cgroup is told so, and not killed. */
#define GFP_CALLER	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static inline int get_bytes(void *to, u64 from, u32 len)
{
	/* Keys and elems are often eight bytes, which need no copying loop. */
	if (len == sizeof(u64) && IS_ALIGNED(from, sizeof(u64)))
		return get_user(*(u64 *)to, (u64 __user *)u64_to_user_ptr(from));
	return copy_from_user(to, u64_to_user_ptr(from), len) ? -EFAULT : 0;
}

static inline int put_bytes(u64 to, const void *from, u32 len)
{
	u64 word;

	if (len == sizeof(word) && IS_ALIGNED(to, sizeof(word))) {
		memcpy(&word, from, sizeof(word));
		return put_user(word, (u64 __user *)u64_to_user_ptr(to));
	}
	return copy_to_user(u64_to_user_ptr(to), from, len) ? -EFAULT : 0;
}

/* Writes back what of a structure the caller knows. */
static inline int put_struct(void __user *to, const void *from, size_t ksize,
			     size_t usize)
{
	return copy_to_user(to, from, min(ksize, usize)) ? -EFAULT : 0;
}

/*
 * Find out beforehand that what cannot be undone can be told.  What is there
 * is overwritten by this, or, with the slower of the two, it is not.
 */
static inline int get_ready_to_put(void __user *to, size_t len)
{
	return fault_in_writeable(to, len) ? -EFAULT : 0;
}

static inline int get_ready_to_put_safely(void __user *to, size_t len)
{
	return fault_in_safe_writeable(to, len) ? -EFAULT : 0;
}

/*
 * Where the compiler is told to zero what is on the stack, that would take
 * longer than the rest: what is __uninitialized here is written before it is
 * read, and no more of it is read.
 */

/**
 * struct operand - a copy of a key or elem of the caller's, or room for one
 * @ptr: what to pass to the core
 * @bytes: what @ptr points to where the length varies
 * @large: what does not fit in @small
 * @small: the bytes
 */
struct operand {
	const void *ptr;
	struct hmap_bytes bytes;
	void *large;
	u64 small[MAX_INLINE_SIZE / sizeof(u64)];
};

static inline void *operand_room(struct operand *op, u32 len)
{
	op->large = NULL;
	if (likely(len <= sizeof(op->small)))
		return op->small;
	op->large = kvmalloc(len, GFP_CALLER);
	return op->large;
}

static inline void operand_put(struct operand *op)
{
	if (op->large)
		kvfree(op->large);
	op->large = NULL;
}

static inline int operand_get(struct operand *op, u64 from, u32 len, bool var)
{
	void *to = operand_room(op, len);

	if (!to)
		return -ENOMEM;
	if (get_bytes(to, from, len)) {
		operand_put(op);
		return -EFAULT;
	}
	op->bytes.data = to;
	op->bytes.len = len;
	op->ptr = var ? &op->bytes : to;
	return 0;
}

#endif /* _HMAP_USER_H */
