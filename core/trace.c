// SPDX-License-Identifier: GPL-2.0
/*
 * What tracepoints tell of buckets.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"

#if IS_ENABLED(CONFIG_KUNIT)
EXPORT_TRACEPOINT_SYMBOL_GPL(hmap_limit);
#endif

unsigned long hmap_trace_bucket(const struct bucket_array *a,
				const struct bmap *head)
{
	const struct hmap_type *t = &a->h->t;

	return ((void *)head - (void *)bucket_at(t, a, 0)) / t->stride;
}

/* Buckets in a chain, under its guard. */
unsigned int hmap_trace_length(const struct bucket_array *a, struct bmap *head)
{
	unsigned int n = 0;

	for (; head; head = bmap_overflow(&a->h->t, a, head))
		n++;
	return n;
}

/* Slots of an old bucket's chain that have a mark, which then stays. */
unsigned int hmap_trace_marked(const struct bucket_array *old,
			       unsigned long bucket, u8 mark)
{
	struct bmap *b = bucket_at(&old->h->t, old, bucket);
	unsigned int n = 0, i;

	for (; b; b = bmap_overflow(&old->h->t, old, b)) {
		for (i = 0; i < BUCKET_CNT; i++)
			n += b->tophash[i] == mark;
	}
	return n;
}
