/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _HMAP_DEBUGFS_H
#define _HMAP_DEBUGFS_H

struct user_map;

#ifdef CONFIG_DEBUG_FS
void hmap_debugfs_init(void);
void hmap_debugfs_exit(void);
void hmap_debugfs_add(struct user_map *map);
void hmap_debugfs_name(struct user_map *map);
void hmap_debugfs_unname(struct user_map *map);
void hmap_debugfs_rename(struct user_map *map);
void hmap_debugfs_remove(struct user_map *map);
#else
static inline void hmap_debugfs_init(void) { }
static inline void hmap_debugfs_exit(void) { }
static inline void hmap_debugfs_add(struct user_map *map) { }
static inline void hmap_debugfs_name(struct user_map *map) { }
static inline void hmap_debugfs_unname(struct user_map *map) { }
static inline void hmap_debugfs_rename(struct user_map *map) { }
static inline void hmap_debugfs_remove(struct user_map *map) { }
#endif

#endif /* _HMAP_DEBUGFS_H */
