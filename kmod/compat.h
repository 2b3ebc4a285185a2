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

/*
 * Up to 6.6 a mapping is counted where &file.f_mapping is before &file_operations
 * .mmap is called, and that is taken back where it is afterwards.  A file whose
 * f_mapping changes when it is bound must refuse what comes before that, and the
 * earlier of its two chances is the search for an address.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define HMAP_CHECKS_AREA

static inline unsigned long
hmap_get_area(struct file *filp, unsigned long addr, unsigned long len,
	      unsigned long pgoff, unsigned long flags)
{
	return current->mm->get_unmapped_area(filp, addr, len, pgoff, flags);
}
#endif

#endif /* _HMAP_COMPAT_H */
