/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to the caller's memory, which must not happen under a lock of the core.
 */
#ifndef _HMAP_USER_H
#define _HMAP_USER_H

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "../core/bmap.h"
#include "../core/compat.h"

/* At the limit of its cgroup, the caller gets ENOMEM and nobody is killed. */
#define GFP_CALLER	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static inline int get_bytes(void *to, u64 from, u32 len)
{
	/* Keys and elems are often eight bytes: avoid a copying loop. */
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

/*
 * A structure of some words, of a constant size: what there is to calling a
 * copying loop, and to its choice of a way to copy, would take longer.
 */
static __always_inline int get_words(void *to, const void __user *from,
				     size_t size)
{
	const unsigned long __user *word = from;
	unsigned int i;

	if (!user_read_access_begin(from, size))
		return -EFAULT;
	for (i = 0; i < size / sizeof(*word); i++)
		unsafe_get_user(((unsigned long *)to)[i], word + i, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static __always_inline int get_struct(void *to, size_t ksize, size_t min,
				      const void __user *from, size_t usize)
{
	if (likely(usize == ksize)) {
		if (likely(IS_ALIGNED((unsigned long)from | (unsigned long)to,
				      sizeof(long))))
			return get_words(to, from, ksize);
		return copy_from_user(to, from, ksize) ? -EFAULT : 0;
	}
	if (usize < min)
		return -EINVAL;
	return copy_struct_from_user(to, ksize, from, usize);
}

/* Get a structure of the caller's, whose last member in version 1 is @last. */
#define GET_STRUCT(to, last, from, usize)				\
	get_struct(to, sizeof(*(to)), offsetofend(typeof(*(to)), last),	\
		   from, usize)

/*
 * Write back as much of a structure as the caller knows.  Before an irreversible
 * change this sees that its result can be written, and leaves what the caller
 * passed as it was.
 */
static inline int put_struct(void __user *to, const void *from, size_t ksize,
			     size_t usize)
{
	return copy_to_user(to, from, min(ksize, usize)) ? -EFAULT : 0;
}

/*
 * Fault in a buffer for results before an irreversible change.  The plain variant
 * may clobber it, the _safely one preserves it.
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
 * __uninitialized operands opt out of stack auto-init, which would take longer
 * than the rest of a call.  Every byte that is read is written first.
 */

/**
 * struct operand - a copy of one of the caller's keys or elems, or room for it
 * @ptr: what to pass to the core
 * @bytes: what @ptr points to where the length varies
 * @large: the bytes, if they do not fit in @small; else NULL
 * @small: the bytes, if they do
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
