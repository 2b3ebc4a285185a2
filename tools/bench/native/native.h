/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the native benchmark share: the keys, and what each
 * implementation of a table provides.
 */
#ifndef _NATIVE_H
#define _NATIVE_H

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

/* === Keys === */

enum key_kind {
	KEYS_U64,
	KEYS_BYTES16,
	KEYS_STRING,
	NR_KEY_KINDS,
};

struct bytes16 {
	u64 word[2];
};

/* A string, filled up with zeros for those that know keys of one size only. */
struct name {
	char bytes[60];
	u32 len;
};

/*
 * n keys to insert, and those and others to look up, in the order in which all
 * implementations use them.  Lookups of few keys come in several orders, one
 * after the other: a CPU learns the branches of a single one by heart.
 */
struct stream {
	enum key_kind kind;
	unsigned long n;
	unsigned long orders;
	size_t key_size;
	void *insert;
	void *hit;
	void *miss;
};

extern const char *const key_kind_names[NR_KEY_KINDS];

int stream_init(struct stream *s, enum key_kind kind, unsigned long n);
void stream_exit(struct stream *s);
int names_init(void);
void name_of(struct name *name, unsigned long i);

/* The elem that is stored under a key, so that each lookup can be checked. */
static __always_inline u64 elem_of(const void *key)
{
	return *(const u64 *)key;
}

/* === Implementations === */

/* Goes over n keys, and returns how often it found what it was to find. */
typedef unsigned long (*loop_fn)(void *table, const void *keys,
				 unsigned long n);

struct loops {
	loop_fn insert;
	loop_fn lookup;
	loop_fn chain;			/* no lookup begins before the last ends */
	loop_fn delete;
	loop_fn mix10;			/* of which so many percent are writes */
	loop_fn mix50;
};

struct impl {
	const char *name;
	unsigned long max_n;		/* or 0 */
	bool grows;
	bool presizes;
	/* n: entries to make room for, or 0 to begin small */
	void *(*create)(enum key_kind kind, unsigned long n);
	void (*destroy)(void *table);
	/* Wait for what the table does behind its user's back. */
	void (*settle)(void *table);
	unsigned long (*iterate)(void *table);
	const struct loops *loops[NR_KEY_KINDS];	/* NULL: no such keys */
};

extern const struct impl hmap_impl, rhashtable_impl, bpf_htab_impl,
			 bpf_htab_noprealloc_impl, bpf_rhash_impl, xarray_impl,
			 hashtable_impl;

/* For those that do nothing behind their user's back. */
static inline void no_settle(void *table)
{
}

/* Where nothing is preempted, work items run only when they are let to. */
#define BREATHE	1024

static __always_inline void breathe(unsigned long i)
{
	if (i % BREATHE == 0)
		cond_resched();
}

/*
 * rhashtable and BPF maps leave work to an irq_work, for which User-mode Linux
 * has no interrupt: it would come with the next tick, ages later, and cost the
 * first long chains and the second failed inserts.  So it comes here, at the end
 * of the operation that asked for it.
 */
DECLARE_PER_CPU(bool, irq_work_raised);
void irq_work_now(void);

static __always_inline void irq_work_point(void)
{
	if (unlikely(raw_cpu_read(irq_work_raised)))
		irq_work_now();
}

typedef bool (*op_fn)(void *table, const void *key);
typedef bool (*find_fn)(void *table, const void *key, u64 *elem);

static __always_inline
bool lookup_one(void *table, const void *key, find_fn find)
{
	u64 elem;

	return find(table, key, &elem) && elem == elem_of(key);
}

static __always_inline
unsigned long each(void *table, const void *keys, size_t size, unsigned long n,
		   op_fn op)
{
	unsigned long i, good = 0;

	for (i = 0; i < n; i++) {
		breathe(i);
		good += op(table, keys + i * size);
	}
	return good;
}

static __always_inline
unsigned long lookup_each(void *table, const void *keys, size_t size,
			  unsigned long n, find_fn find)
{
	unsigned long i, good = 0;

	for (i = 0; i < n; i++) {
		breathe(i);
		good += lookup_one(table, keys + i * size, find);
	}
	return good;
}

/*
 * The address of a key is computed from the elem before it, and comes out the
 * same as long as that is the right one, which neither compiler nor CPU can know.
 */
static __always_inline
unsigned long chain(void *table, const void *keys, size_t size, unsigned long n,
		    find_fn find)
{
	unsigned long i, good = 0, wrong = 0;
	const void *key;
	u64 elem = 0;

	for (i = 0; i < n; i++) {
		breathe(i);
		key = keys + (i - wrong) * size;
		good += find(table, key, &elem);
		elem ^= elem_of(key);
		wrong = (elem | -elem) >> 63;
		good -= wrong;
	}
	return good;
}

/*
 * Reads and writes by chance, the latter by turns a delete of a key and an
 * insert of the same, each key's turn coming once.
 */
static __always_inline
unsigned long mix(void *table, const void *keys, size_t size, unsigned long n,
		  u32 writes, op_fn insert, find_fn find, op_fn delete)
{
	const u32 threshold = U32_MAX / 100 * writes;
	const void *key = keys, *out = NULL;
	unsigned long i, good = 0;
	u32 chance = 2463534242U;	/* xorshift32 */

	for (i = 0; i < n; i++, key += size) {
		breathe(i);
		chance ^= chance << 13;
		chance ^= chance >> 17;
		chance ^= chance << 5;
		if (chance >= threshold) {
			good += lookup_one(table, key, find);
		} else if (out) {
			good += insert(table, out);
			out = NULL;
		} else {
			good += delete(table, key);
			out = key;
		}
	}
	if (out && !insert(table, out))
		good--;
	return good;
}

#define DEFINE_LOOP(name, loop, key_t, call, ...)			\
static unsigned long name##_##loop(void *table, const void *keys,	\
				   unsigned long n)			\
{									\
	return call(table, keys, sizeof(key_t), n, __VA_ARGS__);	\
}

/*
 * DEFINE_LOOPS() - Define a struct loops, none of which calls through a pointer.
 * @name: the struct will be name_loops
 * @ops: of bool ops_insert(void *table, const void *key), ops_delete(), and
 *	ops_find(), which gives the elem, too: they say whether the key was
 *	stored, removed, found
 * @key_t: type of a key in a stream
 */
#define DEFINE_LOOPS(name, ops, key_t)					\
DEFINE_LOOP(name, insert_each, key_t, each, ops##_insert)		\
DEFINE_LOOP(name, lookup_each, key_t, lookup_each, ops##_find)		\
DEFINE_LOOP(name, chain, key_t, chain, ops##_find)			\
DEFINE_LOOP(name, delete_each, key_t, each, ops##_delete)		\
DEFINE_LOOP(name, mix10, key_t, mix, 10, ops##_insert, ops##_find,	\
	    ops##_delete)						\
DEFINE_LOOP(name, mix50, key_t, mix, 50, ops##_insert, ops##_find,	\
	    ops##_delete)						\
									\
static const struct loops name##_loops = {				\
	name##_insert_each, name##_lookup_each, name##_chain,		\
	name##_delete_each, name##_mix10, name##_mix50,			\
}

/* === Measuring === */

#define MAX_CPUS	2

void crew_nice(void);
u64 crew_time(loop_fn loop, void *table, const struct stream *s,
	      const void *keys, unsigned int cpus, unsigned long times,
	      unsigned long *good);
void memory_drain(void);
void memory_touch(void);
u64 memory_per_entry(const struct impl *impl, const struct stream *s,
		     unsigned long n);

#endif /* _NATIVE_H */
