/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A map as user space knows it to be, to compare the kernel's with: which of
 * some numbered keys are there, and the number of the elem that each has.
 */
#ifndef _MODEL_H
#define _MODEL_H

#include "device.h"

#define MODEL_KEYS	600	/* enough for B to be 6, or 7 */

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

/* Some operation; with more inserts than deletes when @m is to fill up. */
struct op model_pick(bool fill_up);

/* What it should return, what it does, and what it leads to if it returns 0 */
int model_expect(const struct model *m, const struct op *op);
int model_do(const struct model *m, const struct op *op);
void model_apply(struct model *m, const struct op *op);

/* Counts in @seen the keys that @n has; each elem has to be right. */
void model_see(const struct model *m, struct hmap_next *n,
	       __u32 seen[MODEL_KEYS]);

/* The map is what the model says, by a walk and by its count. */
void model_check(const struct model *m);

#endif /* _MODEL_H */
