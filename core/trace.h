/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, the group "hmap".
 *
 * All fields are worked out when an event is recorded, so that one that is off
 * costs a jump over nothing.  None is on the way of a lookup.
 *
 * Some fire under a guard or under hmap.lock.  Recording takes no lock of the
 * map and does not sleep, on PREEMPT_RT neither, and no call that writes is made
 * from NMI or where RCU does not watch.
 *
 * A name is copied while it may be changed, so it can be a mixture of two; it
 * always ends, since its last byte is always 0.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hmap

#if !defined(_HMAP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _HMAP_TRACE_H

#include <linux/ktime.h>
#include <linux/tracepoint.h>

#include "internal.h"

#ifndef _HMAP_TRACE_HELPERS
#define _HMAP_TRACE_HELPERS

enum hmap_limit {
	HMAP_LIMIT_ENTRIES,	/* hmap_params.max_entries */
	HMAP_LIMIT_BYTES,	/* hmap_params.max_bytes */
	HMAP_LIMIT_POOL,	/* hmap_pool.max_bytes */
	HMAP_LIMIT_LOAD,	/* entries there can be where growth is refused */
	HMAP_LIMIT_CHAIN,	/* length of a chain */
};

unsigned long hmap_trace_bucket(const struct bucket_array *a,
				const struct bmap *head);
unsigned int hmap_trace_length(const struct bucket_array *a, struct bmap *head);
unsigned int hmap_trace_marked(const struct bucket_array *old,
			       unsigned long bucket, u8 mark);

#endif /* _HMAP_TRACE_HELPERS */

TRACE_DEFINE_ENUM(HMAP_LIMIT_ENTRIES);
TRACE_DEFINE_ENUM(HMAP_LIMIT_BYTES);
TRACE_DEFINE_ENUM(HMAP_LIMIT_POOL);
TRACE_DEFINE_ENUM(HMAP_LIMIT_LOAD);
TRACE_DEFINE_ENUM(HMAP_LIMIT_CHAIN);

/* What every event begins with. */
#define HMAP_TRACE_FIELDS						\
	__field(u64, id)						\
	__array(char, name, HMAP_NAME_SIZE)

#define HMAP_TRACE_ASSIGN(h)						\
	do {								\
		__entry->id = (h)->id;					\
		/* See above. */					\
		data_race(memcpy(__entry->name, (h)->name,		\
				 HMAP_NAME_SIZE));			\
	} while (0)

TRACE_EVENT(hmap_create,
	TP_PROTO(const struct hmap *h),
	TP_ARGS(h),
	TP_STRUCT__entry(
		HMAP_TRACE_FIELDS
		__field(u32, key_kind)
		__field(u32, key_size)
		__field(u32, elem_size)
		__field(unsigned long, max_entries)
		__field(unsigned long, max_bytes)
	),
	TP_fast_assign(
		HMAP_TRACE_ASSIGN(h);
		__entry->key_kind = hmap_key_kind(&h->t);
		__entry->key_size = h->t.key_size;
		__entry->elem_size = h->t.elem_size;
		__entry->max_entries = h->max_entries;
		__entry->max_bytes = h->max_bytes;
	),
	TP_printk("id=%llu name=%s key_kind=%s key_size=%u elem_size=%u max_entries=%lu max_bytes=%lu",
		  __entry->id, __entry->name,
		  __print_symbolic(__entry->key_kind,
				   { 0, "u32" }, { 1, "u64" },
				   { 2, "bytes" }, { 3, "string" }),
		  __entry->key_size, __entry->elem_size, __entry->max_entries,
		  __entry->max_bytes)
);

/* The entries that are gone. */
DECLARE_EVENT_CLASS(hmap_emptied,
	TP_PROTO(const struct hmap *h),
	TP_ARGS(h),
	TP_STRUCT__entry(
		HMAP_TRACE_FIELDS
		__field(unsigned long, count)
	),
	TP_fast_assign(
		HMAP_TRACE_ASSIGN(h);
		__entry->count = hmap_len(h);
	),
	TP_printk("id=%llu name=%s count=%lu",
		  __entry->id, __entry->name, __entry->count)
);

DEFINE_EVENT(hmap_emptied, hmap_destroy,
	TP_PROTO(const struct hmap *h),
	TP_ARGS(h)
);

DEFINE_EVENT(hmap_emptied, hmap_clear,
	TP_PROTO(const struct hmap *h),
	TP_ARGS(h)
);

TRACE_EVENT(hmap_grow_start,
	TP_PROTO(const struct bucket_array *from, const struct bucket_array *to),
	TP_ARGS(from, to),
	TP_STRUCT__entry(
		HMAP_TRACE_FIELDS
		__field(u32, from_B)
		__field(u32, to_B)
		__field(unsigned long, count)
		__field(u32, noverflow)
	),
	TP_fast_assign(
		HMAP_TRACE_ASSIGN(from->h);
		__entry->from_B = from->B;
		__entry->to_B = to->B;
		__entry->count = hmap_len(from->h);
		__entry->noverflow = atomic_read(&from->noverflow);
	),
	TP_printk("id=%llu name=%s %s from_B=%u to_B=%u count=%lu noverflow=%u",
		  __entry->id, __entry->name,
		  __entry->from_B == __entry->to_B ? "same-size" : "doubling",
		  __entry->from_B, __entry->to_B, __entry->count,
		  __entry->noverflow)
);

TRACE_EVENT(hmap_evacuate,
	TP_PROTO(const struct bucket_array *old, unsigned long bucket),
	TP_ARGS(old, bucket),
	TP_STRUCT__entry(
		HMAP_TRACE_FIELDS
		__field(unsigned long, bucket)
		__field(u32, to_x)
		__field(u32, to_y)
	),
	TP_fast_assign(
		HMAP_TRACE_ASSIGN(old->h);
		__entry->bucket = bucket;
		__entry->to_x = hmap_trace_marked(old, bucket, EVACUATED_X);
		__entry->to_y = hmap_trace_marked(old, bucket, EVACUATED_Y);
	),
	TP_printk("id=%llu name=%s bucket=%lu to_x=%u to_y=%u",
		  __entry->id, __entry->name, __entry->bucket, __entry->to_x,
		  __entry->to_y)
);

TRACE_EVENT(hmap_grow_done,
	TP_PROTO(const struct bucket_array *a, const struct bucket_array *old),
	TP_ARGS(a, old),
	TP_STRUCT__entry(
		HMAP_TRACE_FIELDS
		__field(unsigned long, buckets)
		__field(u64, duration)
	),
	TP_fast_assign(
		HMAP_TRACE_ASSIGN(a->h);
		__entry->buckets = old->mask + 1;
		__entry->duration = ktime_get_ns() - a->published;
	),
	TP_printk("id=%llu name=%s buckets=%lu duration=%llu",
		  __entry->id, __entry->name, __entry->buckets,
		  __entry->duration)
);

TRACE_EVENT(hmap_overflow,
	TP_PROTO(const struct bucket_array *a, struct bmap *b),
	TP_ARGS(a, b),
	TP_STRUCT__entry(
		HMAP_TRACE_FIELDS
		__field(unsigned long, bucket)
		__field(u32, length)
	),
	TP_fast_assign(
		HMAP_TRACE_ASSIGN(a->h);
		__entry->bucket = hmap_trace_bucket(a, b);
		__entry->length = hmap_trace_length(a, b);
	),
	TP_printk("id=%llu name=%s bucket=%lu length=%u",
		  __entry->id, __entry->name, __entry->bucket, __entry->length)
);

TRACE_EVENT(hmap_limit,
	TP_PROTO(const struct hmap *h, enum hmap_limit which, int error),
	TP_ARGS(h, which, error),
	TP_STRUCT__entry(
		HMAP_TRACE_FIELDS
		__field(u32, which)
		__field(int, error)
	),
	TP_fast_assign(
		HMAP_TRACE_ASSIGN(h);
		__entry->which = which;
		__entry->error = error;
	),
	TP_printk("id=%llu name=%s which=%s error=%d",
		  __entry->id, __entry->name,
		  __print_symbolic(__entry->which,
				   { HMAP_LIMIT_ENTRIES, "entries" },
				   { HMAP_LIMIT_BYTES, "bytes" },
				   { HMAP_LIMIT_POOL, "owner" },
				   { HMAP_LIMIT_LOAD, "load" },
				   { HMAP_LIMIT_CHAIN, "chain" }),
		  __entry->error)
);

#endif /* _HMAP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH core
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
