/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this is built for.
 */
#ifndef _HMAP_COMPAT_H
#define _HMAP_COMPAT_H

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set,
				unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/* Look for an address as for any file. */
static inline unsigned long
hmap_get_area(struct file *filp, unsigned long addr, unsigned long len,
	      unsigned long pgoff, unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return current->mm->get_unmapped_area(filp, addr, len, pgoff, flags);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	return mm_get_unmapped_area(current->mm, filp, addr, len, pgoff, flags);
#else
	return mm_get_unmapped_area(filp, addr, len, pgoff, flags);
#endif
}

#endif /* _HMAP_COMPAT_H */
