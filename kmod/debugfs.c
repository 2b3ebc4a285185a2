// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/hmap/: a folder "#<id>" for each map, and a symbolic link
 * to it from the map's name.  No file shows an address, a key or an elem.
 *
 * Removing a folder waits for its readers, so they can use the map without a
 * reference.  They take the registry's lock, so a folder must not be removed
 * under it; a link may be.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>

#include "../core/bmap.h"
#include "debugfs.h"
#include "registry.h"

static struct dentry *root;

static u8 top_at(u64 word, unsigned int slot)
{
	return word >> (8 * slot);
}

static void put_ratio(struct seq_file *m, u64 num, u64 den)
{
	u64 hundredths = den ? div64_u64(100 * num, den) : 0;
	u32 rest;

	seq_printf(m, "%llu", div_u64_rem(hundredths, 100, &rest));
	seq_printf(m, ".%02u", rest);
}

static void show_ratio(struct seq_file *m, const char *what, u64 num, u64 den)
{
	seq_printf(m, "%-20s", what);
	put_ratio(m, num, den);
}

/* === hmap: the header === */

static void show_type(struct seq_file *m, const struct hmap_header *hdr)
{
	switch (hdr->key_kind) {
	case HMAP_KEY_U32:
		seq_puts(m, "type                u32");
		break;
	case HMAP_KEY_U64:
		seq_puts(m, "type                u64");
		break;
	case HMAP_KEY_STRING:
		seq_puts(m, "type                string");
		break;
	default:
		seq_printf(m, "type                %u bytes", hdr->key_size);
	}
	seq_printf(m, " -> %s%u bytes\n",
		   hdr->param_flags & HMAP_VAR_ELEM ? "up to " : "",
		   hdr->elem_size);
	seq_printf(m, "bucket size         %u\n", hdr->bucket_size);
}

static void show_limit(struct seq_file *m, const char *what, unsigned long used,
		       unsigned long most)
{
	seq_printf(m, "%-20s%lu", what, used);
	if (most) {
		seq_printf(m, " of %lu, ", most);
		put_ratio(m, 100ULL * used, most);
		seq_puts(m, " %");
	}
	seq_putc(m, '\n');
}

static void show_calls(struct seq_file *m, const struct user_map *map)
{
	struct map_calls calls;

	hmap_registry_calls(map, &calls);
	seq_printf(m, "lookups             %lu\n", calls.lookups);
	seq_printf(m, "inserts             %lu\n", calls.inserts);
	seq_printf(m, "deletes             %lu\n", calls.deletes);
}

static void show_map(struct seq_file *m, struct user_map *map,
		     const struct hmap_header *hdr)
{
	struct user_namespace *ns = seq_user_ns(m);
	struct map_attrs attrs;

	hmap_registry_attrs(map, &attrs);
	seq_printf(m, "id                  %llu\n", map->id);
	seq_printf(m, "name                %s%s\n",
		   attrs.name[0] ? attrs.name : "-",
		   attrs.name[0] && !attrs.named ? " (unlinked)" : "");
	seq_printf(m, "owner               uid %u, gid %u, mode %04o\n",
		   from_kuid_munged(ns, attrs.uid),
		   from_kgid_munged(ns, attrs.gid), attrs.mode);
	show_type(m, hdr);
	show_limit(m, "entries", hdr->count, hdr->max_entries);
	show_limit(m, "bytes", hdr->bytes, hdr->max_bytes);
	show_ratio(m, "load", hdr->count, 1ULL << hdr->B);
	seq_puts(m, " per bucket, grows over 6.50\n");

	seq_puts(m, "growing             ");
	if (hdr->oldbuckets)
		seq_printf(m, "%s, %llu %% evacuated\n",
			   hdr->flags & HMAP_SAME_SIZE_GROW ?
			   "to the same size" : "to twice the size",
			   (u64)hdr->nevacuate * 100 >> hdr->old_B);
	else
		seq_puts(m, "no\n");
	seq_printf(m, "growths             %lu, and %lu to the same size\n",
		   hdr->growths, hdr->same_size_growths);
	seq_printf(m, "holders             %u\n", hmap_registry_holders(map));
	show_calls(m, map);
}

static void show_flags(struct seq_file *m, u8 flags)
{
	static const char * const names[] = {
		"iterator", "oldIterator", "hashWriting", "sameSizeGrow",
	};
	unsigned int i;

	seq_printf(m, "flags               %#x", flags);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & BIT(i))
			seq_printf(m, " %s", names[i]);
	}
	seq_putc(m, '\n');
}

static void show_array(struct seq_file *m, const char *what, bool present, u8 B,
		       u32 bucket_size)
{
	if (present)
		seq_printf(m, "%-20s2^%u buckets of %u bytes\n", what, B,
			   bucket_size);
	else
		seq_printf(m, "%-20snone\n", what);
}

static int hmap_show(struct seq_file *m, void *v)
{
	struct user_map *map = m->private;
	struct hmap_header hdr;

	hmap_read_header(map->h, &hdr);
	show_map(m, map, &hdr);

	seq_puts(m, "\nstruct hmap\n");
	seq_printf(m, "count               %lu\n", hdr.count);
	show_flags(m, hdr.flags);
	seq_printf(m, "B                   %u\n", hdr.B);
	seq_printf(m, "noverflow           %u%s\n", hdr.noverflow,
		   hdr.B >= 16 ? " (approximate)" : "");
	seq_puts(m, "hash0               (hidden)\n");
	show_array(m, "buckets", hdr.buckets, hdr.B, hdr.bucket_size);
	show_array(m, "oldbuckets", hdr.oldbuckets, hdr.old_B, hdr.bucket_size);
	seq_printf(m, "nevacuate           %lu\n", hdr.nevacuate);
	seq_printf(m, "extra.overflow      %lu\n", hdr.overflow);
	seq_printf(m, "extra.oldoverflow   %lu\n", hdr.oldoverflow);
	seq_printf(m, "extra.next_overflow %lu of %lu spare\n",
		   hdr.next_overflow, hdr.nr_spare);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hmap);

/* === buckets: each bucket and its chain === */

/*
 * Place 0 is the legend, and the buckets follow.  Those of the old array begin
 * beyond any index there can be, so that a place keeps its meaning while the map
 * grows.  Who writes the number of a bucket, "17" or "old 17", to the file reads
 * from there on.
 */
#define POS_BUCKETS	1LL
#define POS_OLDBUCKETS	((loff_t)BIT_ULL(62))

#define CHAIN_MAX	64	/* buckets of a chain that are shown */

/**
 * struct buckets_step - the bucket that a reader is at
 * @map: the map
 * @first: the place that is position 0 of the file
 * @old: the bucket is in the old array
 * @bucket: its index
 * @nr: buckets in its chain
 * @words: the tophash bytes of each of them
 */
struct buckets_step {
	const struct user_map *map;
	loff_t first;
	bool old;
	u64 bucket;
	int nr;
	u64 words[CHAIN_MAX];
};

static bool buckets_read(struct buckets_step *step, loff_t place)
{
	step->old = place >= POS_OLDBUCKETS;
	step->bucket = place - (step->old ? POS_OLDBUCKETS : POS_BUCKETS);
	step->nr = hmap_read_chain(step->map->h, step->old, step->bucket,
				   step->words, CHAIN_MAX);
	return step->nr > 0;
}

static void *buckets_start(struct seq_file *m, loff_t *pos)
{
	struct buckets_step *step = m->private;
	loff_t place = step->first + *pos;

	if (place == 0)
		return SEQ_START_TOKEN;
	if (buckets_read(step, place))
		return step;
	if (place >= POS_OLDBUCKETS)
		return NULL;
	*pos = POS_OLDBUCKETS - step->first;
	return buckets_read(step, POS_OLDBUCKETS) ? step : NULL;
}

static void *buckets_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return buckets_start(m, pos);
}

static void buckets_stop(struct seq_file *m, void *v)
{
}

static void show_slots(struct seq_file *m, u64 word)
{
	static const char marks[MIN_TOPHASH] = {
		[EMPTY_REST] = '.',
		[EMPTY_ONE] = '-',
		[EVACUATED_X] = 'X',
		[EVACUATED_Y] = 'Y',
		[EVACUATED_EMPTY] = 'E',
	};
	unsigned int slot;

	for (slot = 0; slot < BUCKET_CNT; slot++) {
		u8 top = top_at(word, slot);

		if (top < MIN_TOPHASH)
			seq_printf(m, "  %c", marks[top]);
		else
			seq_printf(m, " %02x", top);
	}
}

static int buckets_show(struct seq_file *m, void *v)
{
	struct buckets_step *step = v;
	int i;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "tophash of each slot; -> overflow bucket\n"
			    ". emptyRest   - emptyOne   X evacuatedX   Y evacuatedY   E evacuatedEmpty\n");
		return 0;
	}

	if (step->bucket == 0)
		seq_puts(m, step->old ? "oldbuckets\n" : "buckets\n");
	seq_printf(m, "%8llu ", step->bucket);
	for (i = 0; i < min(step->nr, CHAIN_MAX); i++) {
		if (i)
			seq_puts(m, "  ->");
		show_slots(m, step->words[i]);
	}
	if (step->nr > CHAIN_MAX)
		seq_printf(m, "  -> %d more", step->nr - CHAIN_MAX);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations buckets_sops = {
	.start	= buckets_start,
	.next	= buckets_next,
	.stop	= buckets_stop,
	.show	= buckets_show,
};

static int buckets_open(struct inode *inode, struct file *file)
{
	struct buckets_step *step;

	step = __seq_open_private(file, &buckets_sops, sizeof(*step));
	if (!step)
		return -ENOMEM;
	step->map = inode->i_private;
	return 0;
}

static ssize_t buckets_write(struct file *file, const char __user *from,
			     size_t len, loff_t *ppos)
{
	struct seq_file *m = file->private_data;
	struct buckets_step *step = m->private;
	char text[32] = "";
	bool old;
	u64 bucket;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	old = strstarts(text, "old ");
	if (kstrtou64(text + (old ? strlen("old ") : 0), 10, &bucket) ||
	    bucket >= POS_OLDBUCKETS - POS_BUCKETS)
		return -EINVAL;

	mutex_lock(&m->lock);
	step->first = bucket + (old ? POS_OLDBUCKETS : POS_BUCKETS);
	m->index = 0;
	m->count = 0;
	mutex_unlock(&m->lock);
	*ppos = 0;
	return len;
}

static const struct file_operations buckets_fops = {
	.owner		= THIS_MODULE,
	.open		= buckets_open,
	.read		= seq_read,
	.write		= buckets_write,
	.llseek		= seq_lseek,
	.release	= seq_release_private,
};

/* === fill and oldfill: how full each bucket is, in two characters === */

#define CELL		2	/* entries, and buckets in the chain */
#define CELLS		64	/* that are made at once */

static bool chain_evacuated(const u64 *words)
{
	u8 top = top_at(words[0], 0);

	return top > EMPTY_ONE && top < MIN_TOPHASH;
}

static unsigned int chain_entries(const u64 *words, int nr)
{
	unsigned int n = 0, slot;
	int i;

	for (i = 0; i < min(nr, CHAIN_MAX); i++) {
		for (slot = 0; slot < BUCKET_CNT; slot++)
			n += top_at(words[i], slot) >= MIN_TOPHASH;
	}
	return n;
}

/* 0 to 9, then a to z, and + for more. */
static char digit(unsigned int n)
{
	if (n < 10)
		return '0' + n;
	return n < 36 ? 'a' + n - 10 : '+';
}

/* Returns how many characters there are at @text, up to the last bucket's. */
static size_t fill_cells(struct hmap *h, bool old, u64 bucket,
			 char text[CELLS * CELL])
{
	u64 words[CHAIN_MAX];
	char *p = text;
	int nr;

	while (p < text + CELLS * CELL) {
		nr = hmap_read_chain(h, old, bucket++, words, CHAIN_MAX);
		if (nr <= 0)
			break;
		*p++ = chain_evacuated(words) ? 'X' :
						digit(chain_entries(words, nr));
		*p++ = digit(nr);
	}
	return p - text;
}

/* The characters of bucket i are at CELL * i, so that any part can be read. */
static ssize_t fill_read(struct hmap *h, bool old, char __user *to, size_t len,
			 loff_t *ppos)
{
	char text[CELLS * CELL];
	size_t done = 0, skip, n;

	while (done < len) {
		skip = *ppos % CELL;
		n = fill_cells(h, old, *ppos / CELL, text);
		if (n <= skip)
			break;
		n = min(n - skip, len - done);
		if (copy_to_user(to + done, text + skip, n))
			return done ?: -EFAULT;
		done += n;
		*ppos += n;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done;
}

static ssize_t fill_read_new(struct file *file, char __user *to, size_t len,
			     loff_t *ppos)
{
	const struct user_map *map = file->private_data;

	return fill_read(map->h, false, to, len, ppos);
}

static ssize_t fill_read_old(struct file *file, char __user *to, size_t len,
			     loff_t *ppos)
{
	const struct user_map *map = file->private_data;

	return fill_read(map->h, true, to, len, ppos);
}

static const struct file_operations fill_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= fill_read_new,
	.llseek	= default_llseek,
};

static const struct file_operations oldfill_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= fill_read_old,
	.llseek	= default_llseek,
};

/* === stats: how well the buckets are filled === */

#define HISTOGRAM_MAX	8	/* chains this long or longer are one row */

/**
 * struct stats - how full buckets and how long chains are
 * @chains: chains, one per bucket of the present array
 * @chains_of: of them, those of 1, 2, ... buckets
 * @slots_miss: slots in use in @chains, which a miss in each of them checks
 * @entries: entries in distinct chains
 * @slots_hit: slots in use up to each of @entries, which a hit on it checks
 * @buckets: buckets in distinct chains
 */
struct stats {
	u64 chains;
	u64 chains_of[HISTOGRAM_MAX + 1];
	u64 slots_miss;
	u64 entries;
	u64 slots_hit;
	u64 buckets;
};

/*
 * Count each bucket of the present array as the chain that a lookup in it walks:
 * its own or, while the map grows, that of the old bucket it comes from, until
 * that is evacuated.  Two buckets can share an old one; its entries then count
 * for the first of them only.
 */
static int stats_collect(struct stats *st, struct hmap *h,
			 const struct hmap_header *hdr, u64 *words)
{
	unsigned long old_mask = (1UL << hdr->old_B) - 1;
	unsigned long i, size = hdr->buckets ? 1UL << hdr->B : 0;

	for (i = 0; i < size; i++) {
		bool first = true;
		int nr = -ENOENT;
		u64 n;

		if (hdr->oldbuckets)
			nr = hmap_read_chain(h, true, i & old_mask, words,
					     CHAIN_MAX);
		if (nr > 0 && !chain_evacuated(words))
			first = i <= old_mask;
		else
			nr = hmap_read_chain(h, false, i, words, CHAIN_MAX);
		if (nr <= 0)
			break;

		n = chain_entries(words, nr);
		st->chains++;
		st->chains_of[min(nr, HISTOGRAM_MAX)]++;
		st->slots_miss += n;
		if (first) {
			st->entries += n;
			st->slots_hit += n * (n + 1) / 2;
			st->buckets += nr;
		}

		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static void stats_print(struct seq_file *m, const struct stats *st,
			const struct hmap_header *hdr)
{
	/* A bucket is a word of tophash, the slots, and a pointer. */
	u32 slot = (hdr->bucket_size - sizeof(u64) - sizeof(void *)) / BUCKET_CNT;
	int i;

	seq_printf(m, "%-20s%llu\n", "buckets", st->chains);
	seq_printf(m, "%-20s%llu\n", "entries", st->entries);
	show_ratio(m, "with overflow",
		   100 * (st->chains - st->chains_of[1]), st->chains);
	seq_puts(m, " % of buckets\n");
	show_ratio(m, "overhead", st->buckets * hdr->bucket_size -
		   st->entries * slot, st->entries);
	seq_puts(m, " bytes per entry\n");
	show_ratio(m, "hit", st->slots_hit, st->entries);
	seq_puts(m, " slots checked\n");
	show_ratio(m, "miss", st->slots_miss, st->chains);
	seq_puts(m, " slots checked\n");
	seq_printf(m, "%-20s%lu, and %lu to the same size\n", "growths",
		   hdr->growths, hdr->same_size_growths);

	seq_puts(m, "\nchain length\n");
	for (i = 1; i <= HISTOGRAM_MAX; i++) {
		if (st->chains_of[i])
			seq_printf(m, "%-2d%-18s%llu\n", i,
				   i == HISTOGRAM_MAX ? " and more" : "",
				   st->chains_of[i]);
	}
}

static int stats_show(struct seq_file *m, void *v)
{
	const struct user_map *map = m->private;
	struct hmap_header hdr, end;
	u64 words[CHAIN_MAX];
	struct stats st = { };
	int err;

	hmap_read_header(map->h, &hdr);
	err = stats_collect(&st, map->h, &hdr, words);
	if (err)
		return err;

	stats_print(m, &st, &hdr);
	hmap_read_header(map->h, &end);
	if (end.growths != hdr.growths ||
	    end.same_size_growths != hdr.same_size_growths)
		seq_puts(m, "\nThe map grew meanwhile: the figures are not of one moment.\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* === Folders === */

struct dir_name {
	char text[24];
};

static struct dir_name dir_name(const struct user_map *map)
{
	struct dir_name name;

	snprintf(name.text, sizeof(name.text), "#%llu", map->id);
	return name;
}

void hmap_debugfs_add(struct user_map *map)
{
	struct dir_name name = dir_name(map);

	map->dir = debugfs_create_dir(name.text, root);
	debugfs_create_file("hmap", 0400, map->dir, map, &hmap_fops);
	debugfs_create_file("buckets", 0600, map->dir, map, &buckets_fops);
	debugfs_create_file("fill", 0400, map->dir, map, &fill_fops);
	debugfs_create_file("oldfill", 0400, map->dir, map, &oldfill_fops);
	debugfs_create_file("stats", 0400, map->dir, map, &stats_fops);
}

void hmap_debugfs_name(struct user_map *map)
{
	struct dir_name target = dir_name(map);

	map->link = debugfs_create_symlink(map->attrs.name, root, target.text);
}

void hmap_debugfs_unname(struct user_map *map)
{
	debugfs_remove(map->link);
}

void hmap_debugfs_rename(struct user_map *map)
{
	hmap_debugfs_unname(map);
	hmap_debugfs_name(map);
}

void hmap_debugfs_remove(struct user_map *map)
{
	debugfs_remove(map->dir);
}

void __init hmap_debugfs_init(void)
{
	root = debugfs_create_dir("hmap", NULL);
}

void hmap_debugfs_exit(void)
{
	debugfs_remove(root);
}
