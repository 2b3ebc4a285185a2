/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of a map, to compare the kernel's with: which of some numbered keys are
 * present, and the number of each one's elem.
 */
#ifndef _MODEL_H
#define _MODEL_H

#include "device.h"

#define MODEL_KEYS	600	/* enough for B to be 6, or 7 */
#define MODEL_BYTES	4096	/* in a key, and in an elem, at most */

struct model {
	int fd;
	struct hmap_create shape;
	__u32 elem[MODEL_KEYS];	/* 0: the key is not there */
	__u32 count;
};

extern const struct hmap_create model_shapes[];
extern const size_t nr_model_shapes;

struct op {
	enum { INSERT, LOOKUP, DELETE } what;
	__u32 key;
	__u32 elem;
	__u32 flags;
};

void model_make(struct model *m, const struct hmap_create *shape);

/* Put the bytes of a key or an elem at @to; return how many. */
__u32 model_key(const struct model *m, __u32 key, void *to);
__u32 model_elem(const struct model *m, __u32 elem, void *to);

/* A random operation; with @fill_up, more often an insert than a delete. */
struct op model_pick(bool fill_up);

/* What it should return; do it; apply it to the model if it returned 0. */
int model_expect(const struct model *m, const struct op *op);
int model_do(const struct model *m, const struct op *op);
void model_apply(struct model *m, const struct op *op);

/* Count the keys in @n in @seen, and check their elems. */
void model_see(const struct model *m, struct hmap_next *n,
	       __u32 seen[MODEL_KEYS]);

/* Check by a walk and by INFO that the map is as the model says. */
void model_check(const struct model *m);

#endif /* _MODEL_H */
