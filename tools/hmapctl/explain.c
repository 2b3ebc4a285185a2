// SPDX-License-Identifier: GPL-2.0
/*
 * explain: the way of a lookup, step by step.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "hmapctl.h"

#define MIN_TOPHASH	5U	/* what is below says that a slot is empty */

/* What the kernel tells, and what follows from that. */
struct walk {
	struct hmap_explain e;
	__u8 chain[HMAP_EXPLAIN_CHAIN][8];
	__u8 tophash;
	bool found, in_old;
};

static void ask(const struct map *map, const struct value *key, struct walk *w)
{
	w->e = (struct hmap_explain){
		.key = (uintptr_t)key->data,
		.key_len = key->len,
		.chain = (uintptr_t)w->chain,
		.room = HMAP_EXPLAIN_CHAIN,
	};
	if (ioctl(map->fd, HMAP_IOC_EXPLAIN, &w->e))
		refuse(map, HMAP_IOC_EXPLAIN, errno);
	w->tophash = w->e.top + (w->e.top < MIN_TOPHASH ? MIN_TOPHASH : 0);
	w->found = w->e.flags & HMAP_EXPLAIN_FOUND;
	w->in_old = w->e.flags & HMAP_EXPLAIN_IN_OLD;
}

/* The number of the bucket in the old array. */
static __u64 old_bucket(const struct walk *w)
{
	return w->e.bucket & ((1ULL << w->e.log2_oldbuckets) - 1);
}

/* "the bucket", or "overflow bucket 2" */
static const char *nth_bucket(unsigned int nth)
{
	static char text[40];

	if (!nth)
		return "the bucket";
	snprintf(text, sizeof(text), "overflow bucket %u", nth);
	return text;
}

static const char *grows(const struct walk *w)
{
	if (w->e.flags & HMAP_EXPLAIN_DOUBLES)
		return "to twice the size";
	if (w->e.flags & HMAP_EXPLAIN_SAME_SIZE)
		return "to the same size";
	return NULL;
}

/* === JSON === */

static void json_place(const char *name, unsigned int nth, unsigned int slot)
{
	json_open_member(name);
	json_number("nth", nth);
	json_number("slot", slot);
}

static void print_json(const struct walk *w, enum format format)
{
	const struct hmap_explain *e = &w->e;

	json_begin(format);
	json_open();
	json_bool("found", w->found);
	json_number("log2_buckets", e->log2_buckets);
	json_number("bucket", e->bucket);
	json_number("top", e->top);
	json_number("tophash", w->tophash);
	if (e->flags & HMAP_EXPLAIN_OLDBUCKETS) {
		json_number("log2_oldbuckets", e->log2_oldbuckets);
		json_number("oldbucket", old_bucket(w));
	}
	json_bool("in_old", w->in_old);
	json_number("length", e->length);
	json_bool("filtered", e->flags & HMAP_EXPLAIN_FILTERED);
	json_number("ends_at", e->at);
	if (w->found) {
		json_place("at", e->at, e->slot);
		json_close();
	}
	json_place("insert", e->insert_at, e->insert_slot);
	json_bool("chains", e->flags & HMAP_EXPLAIN_CHAINS);
	json_string("grows", grows(w) ? grows(w) : "no");
	json_close();
	json_close();
}

/* === Text === */

static void print_hash(const struct walk *w)
{
	const struct hmap_explain *e = &w->e;
	unsigned int bit;

	printf("hash     ");
	for (bit = 8; bit--;)
		putchar('0' + (e->top >> bit & 1));
	printf("...");
	for (bit = e->log2_buckets; bit--;)
		putchar('0' + (int)(e->bucket >> bit & 1));
	printf("\ntophash  the top 8 bits, %02x", e->top);
	if (w->tophash != e->top)
		printf(", and %u, as what is below stands for empty slots: %02x",
		       MIN_TOPHASH, w->tophash);
	printf("\nbucket   the low %u bits: %llu of 2^%u\n", e->log2_buckets,
	       e->bucket, e->log2_buckets);
}

static void print_array(const struct walk *w)
{
	const struct hmap_explain *e = &w->e;

	if (!(e->flags & HMAP_EXPLAIN_OLDBUCKETS)) {
		printf("array    there is one only: the map does not grow\n");
		return;
	}
	printf("array    the map grows from 2^%u buckets: old bucket %llu is %s\n",
	       e->log2_oldbuckets, old_bucket(w),
	       w->in_old ? "not evacuated yet, and so the one to look in" :
			   "evacuated, so the key is in the new one if at all");
}

static void print_slot(__u8 tophash)
{
	static const char marks[MIN_TOPHASH] = ".-XYE";

	if (tophash < MIN_TOPHASH)
		printf("  %c", marks[tophash]);
	else
		printf(" %02x", tophash);
}

/* What comes of the slots of one bucket that have the key's tophash. */
static void print_matches(const struct walk *w, unsigned int nth)
{
	bool here = w->found && nth == w->e.at;
	unsigned int slot;

	for (slot = 0; slot < 8; slot++) {
		if (w->chain[nth][slot] != w->tophash)
			continue;
		printf("           slot %u has the tophash: ", slot);
		if (here && slot == w->e.slot) {
			printf("its key is equal\n");
			return;
		}
		printf("its key is another\n");
	}
}

static void tell_end(const struct walk *w, unsigned int nth)
{
	const struct hmap_explain *e = &w->e;

	printf("           ");
	if (w->found)
		printf("found in slot %u of %s\n", e->slot, nth_bucket(nth));
	else if (memchr(w->chain[nth], 0, 8))
		printf("a slot is emptyRest: nothing is behind it, the key is not there\n");
	else if (nth + 1 < e->length)
		printf("the filter says: no such tophash is behind it, the key is not there\n");
	else
		printf("this is the last of the chain: the key is not there\n");
}

static void print_chain(const struct walk *w)
{
	unsigned int nth, slot;

	for (nth = 0; nth <= w->e.at && nth < w->e.length; nth++) {
		printf("%-9s", nth ? "  ->" : "slots");
		for (slot = 0; slot < 8; slot++)
			print_slot(w->chain[nth][slot]);
		putchar('\n');
		print_matches(w, nth);
	}
	tell_end(w, w->e.at);
}

static void print_insert(const struct walk *w)
{
	const struct hmap_explain *e = &w->e;

	printf("insert   ");
	if (w->in_old)
		printf("would first move old bucket %llu; then it ",
		       old_bucket(w));
	if (w->found)
		printf("would replace the elem in slot %u of %s\n",
		       e->insert_slot, nth_bucket(e->insert_at));
	else if (e->flags & HMAP_EXPLAIN_CHAINS)
		printf("would chain overflow bucket %u and take its slot 0\n",
		       e->insert_at);
	else
		printf("would take slot %u of %s\n", e->insert_slot,
		       nth_bucket(e->insert_at));
	if (grows(w))
		printf("         but before that, it would have the map grow %s\n",
		       grows(w));
}

static void print_text(const struct walk *w)
{
	if (!(w->e.flags & HMAP_EXPLAIN_BUCKETS)) {
		printf("array    there is none: nothing is found, and an insert makes one\n");
		return;
	}
	print_hash(w);
	print_array(w);
	print_chain(w);
	print_insert(w);
}

static void explain(const struct args *args)
{
	enum format format = format_asked_for(args);
	static struct value key;
	static struct walk w;
	struct map map;

	map_open(&map, args->arg[0], O_RDONLY);
	value_argument(&map, &map.key, args->arg[1], &key);
	ask(&map, &key, &w);
	if (format == FORMAT_TEXT)
		print_text(&w);
	else
		print_json(&w, format);
}

const struct command command_explain = {
	"explain", 2, 2, json_options, explain,
	"tell the way of a lookup step by step"
};
