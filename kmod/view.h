/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapped maps: what processes see that mmap a file.
 */
#ifndef _HMAP_VIEW_H
#define _HMAP_VIEW_H

#include <linux/fs.h>
#include <linux/mm_types.h>

#include "../core/hmap.h"

struct user_map;

/**
 * struct map_view - the mappings of a map
 * @mapping: what the core knows of it
 * @inode: has them all, in whatever process they are
 */
struct map_view {
	struct hmap_mapping mapping;
	struct inode *inode;
};

struct map_view *hmap_view_new(void);
void hmap_view_begin(struct map_view *view, struct hmap *h);
void hmap_view_free(struct map_view *view);

int hmap_view_mmap(struct user_map *map, struct vm_area_struct *vma);

int hmap_view_init(void);
void hmap_view_exit(void);

#endif /* _HMAP_VIEW_H */
