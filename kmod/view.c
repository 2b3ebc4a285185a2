// SPDX-License-Identifier: GPL-2.0
/*
 * Mapped maps: the control page, and the pages of buckets behind it, as a file
 * shows them to processes.
 *
 * Each map has an inode of its own for the mappings of it, since a file of the
 * device can be bound to any map, and so that pages that go are looked for where
 * they may be and nowhere else.
 *
 * Page tables refer to the memory by its number: nothing but the map itself has a
 * reference to it, and it can go when it is unmapped.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/shm.h>
#include <linux/slab.h>

#include "../core/compat.h"
#include "registry.h"
#include "user.h"
#include "view.h"

static_assert(sizeof(struct hmap_control_array) == 6 * 8);
static_assert(offsetof(struct hmap_control, generation) == 128);
static_assert(sizeof(struct hmap_control) == 128 + 8 + 2 * 6 * 8);
static_assert(HMAP_MAPPED_SIZE_MAX == MAX_INLINE_SIZE);

static struct map_view *view_of(struct hmap_mapping *mapping)
{
	return container_of(mapping, struct map_view, mapping);
}

/* === The control page === */

static void view_change(struct hmap_mapping *mapping)
{
	struct hmap_control *c = mapping->control;

	WRITE_ONCE(c->generation, c->generation + 1);
	/* Odd first; pairs with the fence of readers, see struct hmap_control. */
	smp_wmb();
}

static void put_array(struct hmap_control_array *to,
		      const struct hmap_shown *a)
{
	WRITE_ONCE(to->offset, a->page << PAGE_SHIFT);
	WRITE_ONCE(to->bytes, a->pages << PAGE_SHIFT);
	WRITE_ONCE(to->overflow, (a->overflow - a->page) << PAGE_SHIFT);
	WRITE_ONCE(to->spare, a->nr_spare);
	WRITE_ONCE(to->hash0, a->hash0);
	WRITE_ONCE(to->log2_buckets, a->B);
}

static void view_changed(struct hmap_mapping *mapping,
			 const struct hmap_shown *present,
			 const struct hmap_shown *old)
{
	struct hmap_control *c = mapping->control;

	put_array(&c->present, present);
	put_array(&c->old, old);
	/* Even last; pairs with the acquire of readers. */
	smp_store_release(&c->generation, c->generation + 1);
}

/* Takes pages away from whoever sees them. */
static void view_unmap(struct hmap_mapping *mapping, u64 page, u64 pages)
{
	struct address_space *space = view_of(mapping)->inode->i_mapping;

	/* No mapping can be where a file has no such page. */
	if (page + pages > MAX_LFS_FILESIZE >> PAGE_SHIFT)
		return;
	unmap_mapping_range(space, page << PAGE_SHIFT, pages << PAGE_SHIFT,
			    true);
}

/**
 * hmap_view_begin() - Fill the control page with what does not change.
 * @view: the view
 * @h: the map it is of, which nobody else knows yet
 */
void hmap_view_begin(struct map_view *view, struct hmap *h)
{
	struct hmap_control *c = view->mapping.control;
	struct hmap_layout layout;
	struct hmap_header hdr;

	hmap_read_header(h, &hdr);
	hmap_mapping_layout(h, &layout);
	c->magic = HMAP_CONTROL_MAGIC;
	c->version = HMAP_CONTROL_VERSION;
	c->key_kind = hdr.key_kind;
	c->key_size = hdr.key_size;
	c->elem_size = hdr.elem_size;
	c->key_slot = layout.key_slot;
	c->elem_slot = layout.elem_slot;
	c->keys = layout.keys;
	c->elems = layout.elems;
	c->link = layout.link;
	c->stride = layout.stride;
	c->per_page = layout.per_page;
	memcpy(c->secret, layout.secret, sizeof(c->secret));
}

/* === Mappings === */

static vm_fault_t view_fault(struct vm_fault *vmf)
{
	struct user_map *map = vmf->vma->vm_file->private_data;
	unsigned long pfn = hmap_mapping_get(map->h, vmf->pgoff);
	vm_fault_t ret = vmf_insert_pfn(vmf->vma, vmf->address, pfn);

	hmap_mapping_put(map->h);
	return ret;
}

static const struct vm_operations_struct view_vm_ops = {
	.fault	= view_fault,
};

int hmap_view_mmap(struct user_map *map, struct vm_area_struct *vma)
{
	/* Where caches alias, what the kernel writes would not be seen. */
	if (!map->view || SHMLBA > PAGE_SIZE)
		return -ENODEV;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	vm_flags_mod(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &view_vm_ops;
	return 0;
}

/* === Life === */

static struct vfsmount *mnt;

struct map_view *hmap_view_new(void)
{
	struct map_view *view = kzalloc(sizeof(*view), GFP_CALLER);
	struct inode *inode;

	if (!view)
		return ERR_PTR(-ENOMEM);
	inode = alloc_anon_inode(mnt->mnt_sb);
	if (IS_ERR(inode)) {
		kfree(view);
		return ERR_CAST(inode);
	}
	view->inode = inode;
	view->mapping.change = view_change;
	view->mapping.changed = view_changed;
	view->mapping.unmap = view_unmap;
	return view;
}

/* The map and all files that were bound to it are gone. */
void hmap_view_free(struct map_view *view)
{
	if (!view)
		return;
	iput(view->inode);
	kfree(view);
}

static int view_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, HMAP_CONTROL_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type view_fs = {
	.name		 = "hmap",
	.init_fs_context = view_fs_context,
	.kill_sb	 = kill_anon_super,
};

int __init hmap_view_init(void)
{
	mnt = kern_mount(&view_fs);
	return PTR_ERR_OR_ZERO(mnt);
}

void hmap_view_exit(void)
{
	kern_unmount(mnt);
}
