/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries whose elems tell the key and a version, from which all their bytes
 * follow: so whoever reads one sees whether it is torn, or another key's.
 */
#ifndef _WITNESS_H
#define _WITNESS_H

#include "device.h"

#define WITNESS_KEY_MAX		300
#define WITNESS_ELEM_MAX	5000

/* The key of entry @nr of a map of that shape; returns its length. */
__u32 witness_key(const struct hmap_create *shape, __u32 nr, char *key);

void witness_fill(void *elem, __u32 len, __u32 nr, __u32 version);
void witness_check(const void *elem, __u32 len, __u32 nr);

/*
 * Look entry @nr up, insert, replace or now and then delete it, or go on with a
 * walk over the @nr there are, which may find the map cleared.
 */
void witness_read(int fd, const struct hmap_create *shape, __u32 nr);
void witness_write(int fd, const struct hmap_create *shape, __u32 nr);
void witness_walk(int fd, __u32 nr, bool anew);

#endif /* _WITNESS_H */
