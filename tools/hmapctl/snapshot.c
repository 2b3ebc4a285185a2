// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots: what debugfs tells of a map at a moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>
#include "hmapctl.h"
#include "snapshot.h"

#define DEBUGFS		"/sys/kernel/debug/hmap"
#define SAMPLE		16	/* buckets of a cell that are looked at */
#define TRIES		100
#define LINE		2000	/* characters of a chain that are shown */

/* === Reading === */

static int debugfs_open(const struct map *map, const char *file, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "/#%llu/%s", map->info.id, file);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		fail_errno("%s (debugfs has to be mounted, and is for root)",
			   path);
	return fd;
}

/* Read @size bytes, or what there is. */
static size_t read_part(int fd, char *to, size_t size, __u64 at)
{
	size_t done = 0;
	ssize_t n;

	do {
		n = pread(fd, to + done, size - done, at + done);
		if (n > 0)
			done += n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		fail_errno("debugfs");
	return done;
}

static void read_header(struct snapshot *s, const struct map *map)
{
	int fd = debugfs_open(map, "hmap", O_RDONLY);
	size_t n = read_part(fd, s->header, sizeof(s->header) - 1, 0);

	s->header[n] = '\0';
	close(fd);
}

/* As debugfs writes it. */
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 36;
}

static char cell_digit(int n)
{
	return "0123456789abcdefghijklmnopqrstuvwxyz+"[n < 36 ? n : 36];
}

/* Make one cell of those of @n buckets: their mean. */
static void summarize(const char *buckets, size_t n, char *cell)
{
	size_t entries = 0, chains = 0, moved = 0, i;

	for (i = 0; i < n; i++) {
		if (buckets[2 * i] == 'X')
			moved++;
		else
			entries += digit_value(buckets[2 * i]);
		chains += digit_value(buckets[2 * i + 1]);
	}
	cell[0] = 2 * moved > n ? 'X' :
		  cell_digit((entries + (n - moved) / 2) / (n - moved));
	cell[1] = cell_digit((chains + n / 2) / n);
}

void fill_shrink(struct fill *fill, size_t nr)
{
	size_t n = fill->nr / nr, i;

	for (i = 0; n > 1 && i < nr; i++)
		summarize(fill->cells + 2 * i * n, n, fill->cells + 2 * i);
	fill->nr = n ? nr : fill->nr;
}

/* Returns whether the array is of that size still. */
static bool read_fill(struct fill *fill, int fd, unsigned int log2)
{
	__u64 buckets = 1ULL << log2, group;
	char part[2 * SAMPLE];
	size_t n, i;

	fill->log2 = log2;
	fill->nr = buckets < CELLS_MAX ? buckets : CELLS_MAX;
	group = buckets / fill->nr;
	n = group < SAMPLE ? group : SAMPLE;
	for (i = 0; i < fill->nr; i++) {
		if (read_part(fd, part, 2 * n, 2 * i * group) != 2 * n)
			return false;
		summarize(part, n, fill->cells + 2 * i);
	}
	fill->cells[2 * i] = '\0';
	return true;
}

static void open_bucket(struct snapshot *s, int fd, bool old, __u64 bucket)
{
	char want[32], line[LINE + 1], *p = line;
	size_t used = strlen(s->opened), n;

	n = snprintf(want, sizeof(want), "%s%llu", old ? "old " : "", bucket);
	if (write(fd, want, n) != (ssize_t)n)
		return;
	n = read_part(fd, line, LINE, 0);
	line[n] = '\0';
	/* Bucket 0 has a heading. */
	if (*p != ' ')
		p += strcspn(p, "\n") + (n > 0);
	p[strcspn(p, "\n")] = '\0';
	/* The array may have gone meanwhile. */
	if (!*p || strtoull(p, &p, 10) != bucket)
		return;
	n = snprintf(s->opened + used, sizeof(s->opened) - used, "%s %s\n",
		     want, p);
	/* A line is there as a whole, or not at all. */
	if (n >= sizeof(s->opened) - used)
		s->opened[used] = '\0';
}

static bool is_fuller(const char *cell, const char *than)
{
	int chain = digit_value(cell[1]), other = digit_value(than[1]);

	return chain > other || (chain == other &&
				 digit_value(*cell) > digit_value(*than));
}

/* The cell with the longest chain, and of those the fullest. */
static size_t fullest(const char *cells, size_t nr)
{
	size_t best = 0, i;

	for (i = 1; i < nr; i++)
		if (is_fuller(cells + 2 * i, cells + 2 * best))
			best = i;
	return best;
}

/* Such a bucket, of those in such a cell that a picture looks at. */
static __u64 fullest_bucket(const struct fill *fill, int fd)
{
	__u64 group = (1ULL << fill->log2) / fill->nr;
	__u64 first = group * fullest(fill->cells, fill->nr);
	char part[2 * SAMPLE];
	size_t n = group < SAMPLE ? group : SAMPLE;

	return first + fullest(part, read_part(fd, part, 2 * n, 2 * first) / 2);
}

/* Of a small map all buckets, else those that have something to show. */
static void open_buckets(struct snapshot *s, const struct map *map, int fill,
			 __u64 nevacuate)
{
	int fd = debugfs_open(map, "buckets", O_RDWR);
	__u64 old = 1ULL << s->oldfill.log2, full, i;
	bool moved = s->oldfill.nr && nevacuate;

	if (moved)
		open_bucket(s, fd, true, nevacuate - 1);
	if (s->oldfill.nr && nevacuate < old)
		open_bucket(s, fd, true, nevacuate);
	if (s->fill.nr && s->fill.nr <= 4) {
		for (i = 0; i < s->fill.nr; i++)
			open_bucket(s, fd, false, i);
	} else if (s->fill.nr) {
		if (moved) {
			open_bucket(s, fd, false, nevacuate - 1);
			open_bucket(s, fd, false, nevacuate - 1 + old);
		}
		full = fullest_bucket(&s->fill, fill);
		if (!moved || full % old != nevacuate - 1)
			open_bucket(s, fd, false, full);
	}
	close(fd);
}

void snapshot_open(struct snapshot *s, const struct map *map, bool old,
		   __u64 bucket, unsigned int nr)
{
	int fd = debugfs_open(map, "buckets", O_RDWR);

	for (s->opened[0] = '\0'; nr; nr--)
		open_bucket(s, fd, old, bucket++);
	close(fd);
}

/* Whether it is of one moment, as far as arrays go. */
static bool take(struct snapshot *s, const struct map *map, int fill,
		 int oldfill)
{
	char buckets[64], old[64];
	bool same = true;

	memset(s, 0, sizeof(*s));
	read_header(s, map);
	snprintf(buckets, sizeof(buckets), "%s", snapshot_field(s, "buckets"));
	snprintf(old, sizeof(old), "%s", snapshot_field(s, "oldbuckets"));
	if (!strncmp(buckets, "2^", 2))
		same = read_fill(&s->fill, fill, atoi(buckets + 2));
	if (same && !strncmp(old, "2^", 2))
		same = read_fill(&s->oldfill, oldfill, atoi(old + 2));
	if (same)
		open_buckets(s, map, fill,
			     strtoull(snapshot_field(s, "nevacuate"), NULL, 10));
	return same;
}

void snapshot_take(struct snapshot *s, const struct map *map)
{
	int fill = debugfs_open(map, "fill", O_RDONLY);
	int oldfill = debugfs_open(map, "oldfill", O_RDONLY);
	int tries;

	for (tries = 0; !take(s, map, fill, oldfill) && tries < TRIES; tries++)
		;
	if (tries == TRIES)
		fail(EXIT_REFUSED, "map '%s' changes too fast for a picture",
		     map->name);
	close(fill);
	close(oldfill);
}

/* === Looking at it === */

const char *snapshot_field(const struct snapshot *s, const char *name)
{
	static char value[128];
	size_t len = strlen(name);
	const char *p = s->header;

	while (*p && (strncmp(p, name, len) || (p[len] != ' '))) {
		p = strchr(p, '\n');
		if (!p)
			return "";
		p++;
	}
	if (!*p)
		return "";
	p += len;
	p += strspn(p, " ");
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\n"), p);
	return value;
}

int cell_entries(const struct fill *fill, size_t cell)
{
	char c = fill->cells[2 * cell];

	return c == 'X' ? -1 : digit_value(c);
}

int cell_chain(const struct fill *fill, size_t cell)
{
	return digit_value(fill->cells[2 * cell + 1]);
}

/* === Recordings: a line of JSON each === */

void snapshot_print(const struct snapshot *s)
{
	json_open();
	json_number("ms", s->ms);
	json_number("log2", s->fill.log2);
	json_number("oldlog2", s->oldfill.log2);
	json_string("header", s->header);
	json_string("cells", s->fill.cells);
	json_string("oldcells", s->oldfill.cells);
	json_string("opened", s->opened);
	json_close();
}

/* Returns whether it is a string that fits. */
static bool get_text(yajl_val tree, const char *name, char *text, size_t size)
{
	const char *path[2] = { name };
	const char *value = YAJL_GET_STRING(yajl_tree_get(tree, path,
							  yajl_t_string));

	if (!value || strlen(value) >= size)
		return false;
	strcpy(text, value);
	return true;
}

static __u64 get_number(yajl_val tree, const char *name)
{
	const char *path[2] = { name };
	yajl_val value = yajl_tree_get(tree, path, yajl_t_number);

	return YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : 0;
}

static bool fill_is_sound(struct fill *fill)
{
	size_t len = strlen(fill->cells);

	fill->nr = len / 2;
	return len % 2 == 0 && !(fill->nr & (fill->nr - 1)) &&
	       fill->log2 < 64 && fill->nr <= 1ULL << fill->log2 &&
	       strspn(fill->cells, "0123456789abcdefghijklmnopqrstuvwxyz+X") ==
	       len;
}

static bool get_snapshot(yajl_val tree, struct snapshot *s)
{
	s->ms = get_number(tree, "ms");
	s->fill.log2 = get_number(tree, "log2");
	s->oldfill.log2 = get_number(tree, "oldlog2");
	return get_text(tree, "header", s->header, sizeof(s->header)) &&
	       get_text(tree, "cells", s->fill.cells, sizeof(s->fill.cells)) &&
	       get_text(tree, "oldcells", s->oldfill.cells,
			sizeof(s->oldfill.cells)) &&
	       get_text(tree, "opened", s->opened, sizeof(s->opened)) &&
	       fill_is_sound(&s->fill) && fill_is_sound(&s->oldfill);
}

bool snapshot_parse(struct snapshot *s, const char *text)
{
	yajl_val tree = yajl_tree_parse(text, NULL, 0);
	bool good;

	memset(s, 0, sizeof(*s));
	good = tree && YAJL_IS_OBJECT(tree) && get_snapshot(tree, s);
	yajl_tree_free(tree);
	return good;
}
