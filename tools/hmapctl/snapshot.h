/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a map looks like at a moment, as debugfs tells it: see hmap(4).  It is
 * kept as text, so that a recording of it is drawn by the same code.
 */
#ifndef _SNAPSHOT_H
#define _SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define CELLS_MAX	4096	/* of an array; each is one bucket or more */

/*
 * An array of 2^@log2 buckets.  A cell is two characters, as in debugfs's
 * "fill": the entries of a bucket, or X if it is evacuated, and the buckets in its
 * chain; the mean of several, of which some stand for all.
 */
struct fill {
	unsigned int log2;
	size_t nr;		/* cells; 0: there is no such array */
	char cells[2 * CELLS_MAX + 1];
};

struct snapshot {
	__u64 ms;		/* since the recording began */
	char header[4096];	/* "hmap" */
	struct fill fill;
	struct fill oldfill;
	char opened[8 * 2048];	/* lines of "buckets", some with "old " before */
};

struct map;

/* Fails if debugfs cannot be read. */
void snapshot_take(struct snapshot *s, const struct map *map);

/*
 * The value of a field of the header, without the newline, in a buffer that the
 * next call overwrites; "" if there is none.
 */
const char *snapshot_field(const struct snapshot *s, const char *name);

/* Entries in a bucket of a cell, or -1 if most are evacuated; and its chain. */
int cell_entries(const struct fill *fill, size_t cell);
int cell_chain(const struct fill *fill, size_t cell);

/* Open just these buckets, those of them that there are. */
void snapshot_open(struct snapshot *s, const struct map *map, bool old,
		   __u64 bucket, unsigned int nr);

/* Have no more than @nr cells, a power of two. */
void fill_shrink(struct fill *fill, size_t nr);

/* Prints a line of JSON; after json_begin(). */
void snapshot_print(const struct snapshot *s);

/* Returns whether @text is a snapshot. */
bool snapshot_parse(struct snapshot *s, const char *text);

#endif /* _SNAPSHOT_H */
