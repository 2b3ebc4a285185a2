/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this is built for.  Nothing else asks for a
 * version: the rest is written for the newest one.
 */
#ifndef _HMAP_COMPAT_H
#define _HMAP_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0) ||			\
	(LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0) &&		\
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0))
#error hmap is tested on Linux 5.10, and on 6.1 and later: it is not for this one
#endif

/* 5.13 exports what set_active_memcg() writes in an interrupt. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 13, 0) && defined(CONFIG_MEMCG)
#define set_active_memcg(memcg)	(current->active_memcg = (memcg))
#endif

/* 5.11 has it on all machines. */
#ifndef try_cmpxchg_acquire
#define try_cmpxchg_acquire(ptr, old, new)				\
({									\
	typeof(old) __old = (old);					\
	typeof(*__old) __was = *__old;					\
									\
	*__old = cmpxchg_acquire(ptr, __was, new);			\
	*__old == __was;						\
})
#endif

/* 5.16 brought these two. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 16, 0)
static inline size_t fault_in_writeable(char __user *to, size_t size)
{
	return access_ok(to, size) && !fault_in_pages_writeable(to, size) ?
		0 : size;
}

static inline size_t fault_in_safe_writeable(const char __user *to, size_t size)
{
	unsigned long at = (unsigned long)to & PAGE_MASK;
	unsigned long end = (unsigned long)to + size;
	bool unlocked = false;
	int err = 0;

	if (!size || !access_ok(to, size))
		return size;
	mmap_read_lock(current->mm);
	for (; at < end && !err; at += PAGE_SIZE)
		err = fixup_user_fault(current->mm, at, FAULT_FLAG_WRITE,
				       &unlocked);
	mmap_read_unlock(current->mm);
	return err ? size : 0;
}
#endif

/* 5.18 brought it; vmalloc() makes no large pages before 5.12. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 18, 0)
static inline void *vmalloc_huge(unsigned long size, gfp_t gfp)
{
	return __vmalloc(size, gfp);
}
#endif

/* 6.1 brought it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
static inline size_t kmalloc_size_roundup(size_t size)
{
	unsigned int index = kmalloc_index(size);

	switch (index) {
	case 1:
		return 96;
	case 2:
		return 192;
	default:
		return 1UL << index;
	}
}
#endif

/* 6.3 made the flags read-only for others. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set,
				unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/*
 * A cache that others of its size do not share: 6.5 brought a flag.  Before, a
 * part that may be copied to user space has the same effect; nothing uses it.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define unmerged_cache_create(name, size, align)			\
	kmem_cache_create_usercopy(name, size, align, 0, 0, 8, NULL)
#else
#define unmerged_cache_create(name, size, align)			\
	kmem_cache_create(name, size, align, SLAB_NO_MERGE, NULL)
#endif

/*
 * Look for an address as for any file: 6.10 hid the method, 6.19 took away an
 * argument.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define hmap_get_area	current->mm->get_unmapped_area
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define hmap_get_area(...)	mm_get_unmapped_area(current->mm, __VA_ARGS__)
#else
#define hmap_get_area	mm_get_unmapped_area
#endif

#endif /* _HMAP_COMPAT_H */
