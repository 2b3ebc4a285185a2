/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cursors of walks, in a form that is safe to hand to user space.
 */
#ifndef _HMAP_CURSOR_H
#define _HMAP_CURSOR_H

#include <linux/types.h>

struct hmap_cursor;

void hmap_cursor_seal(u64 sealed[3], const struct hmap_cursor *cursor);
void hmap_cursor_unseal(struct hmap_cursor *cursor, const u64 sealed[3]);

void hmap_cursor_init(void);

#endif /* _HMAP_CURSOR_H */
