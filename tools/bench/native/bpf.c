// SPDX-License-Identifier: GPL-2.0
/*
 * BPF's hash maps, called as BPF programs call them: through the map's
 * operations, under rcu_read_lock().  They know keys of one size only: strings
 * are filled up with zeros to the 60 bytes of the longest.
 *
 * BPF_MAP_TYPE_HASH is made for as many entries as it gets; it cannot grow.  Its
 * elements are allocated beforehand, which is the default and the faster way, or
 * with each insert (BPF_F_NO_PREALLOC).  Keys are hashed by jhash2 with the
 * map's seed.
 *
 * BPF_MAP_TYPE_RHASH is an rhashtable: it grows, and shrinks when entries are
 * deleted.  An update of an entry that is there writes over its elem, which a
 * reader may see half written unless both pass BPF_F_LOCK, which takes a lock in
 * the elem that tracing programs may not use.  A walk during a resize may skip
 * and repeat.  Keys of eight bytes are folded to 32 bits before the seed is
 * added by exclusive or, so that keys that collide do so under any seed; others
 * are hashed by jhash2.
 */
#include <linux/bpf.h>
#include <linux/preempt.h>
#include <linux/rhashtable.h>

#include "native.h"

/* What kernel/bpf/hashtab.c begins its own struct with. */
struct bpf_rhtab {
	struct bpf_map map;
	struct rhashtable ht;
};

static void flush_growth(struct bpf_map *map)
{
	irq_work_point();
	flush_work(&container_of(map, struct bpf_rhtab, map)->ht.run_work);
}

static bool bpf_insert(void *table, const void *key)
{
	struct bpf_map *map = table;
	u64 elem = elem_of(key);
	int err;

	for (;;) {
		rcu_read_lock();
		err = map->ops->map_update_elem(map, (void *)key, &elem, BPF_ANY);
		rcu_read_unlock();
		irq_work_point();
		if (err != -EBUSY || map->map_type != BPF_MAP_TYPE_RHASH)
			return !err;
		/* Two growths at once are under way; let them end. */
		flush_growth(map);
	}
}

static bool bpf_find(void *table, const void *key, u64 *elem)
{
	struct bpf_map *map = table;
	const u64 *found;

	rcu_read_lock();
	found = map->ops->map_lookup_elem(map, (void *)key);
	if (found)
		*elem = READ_ONCE(*found);
	rcu_read_unlock();
	return found;
}

static bool bpf_delete(void *table, const void *key)
{
	struct bpf_map *map = table;
	int err;

	rcu_read_lock();
	err = map->ops->map_delete_elem(map, (void *)key);
	rcu_read_unlock();
	irq_work_point();
	return !err;
}

DEFINE_LOOPS(u64, bpf, u64);
DEFINE_LOOPS(bytes16, bpf, struct bytes16);
DEFINE_LOOPS(string, bpf, struct name);

static void *create_map(const struct bpf_map_ops *ops, enum bpf_map_type type,
			enum key_kind kind, u32 max_entries, u32 flags,
			u32 hint)
{
	static const u32 key_size[] = {
		[KEYS_U64] = sizeof(u64),
		[KEYS_BYTES16] = sizeof(struct bytes16),
		[KEYS_STRING] = sizeof_field(struct name, bytes),
	};
	union bpf_attr attr = {
		.map_type = type,
		.key_size = key_size[kind],
		.value_size = sizeof(u64),
		.max_entries = max_entries,
		.map_flags = flags,
		.map_extra = hint,
	};
	struct bpf_map *map;

	if (ops->map_alloc_check(&attr))
		return NULL;
	map = ops->map_alloc(&attr);
	if (IS_ERR(map))
		return NULL;
	map->ops = ops;
	return map;
}

static void *create(enum key_kind kind, unsigned long n)
{
	return create_map(&htab_map_ops, BPF_MAP_TYPE_HASH, kind, n, 0, 0);
}

static void *create_noprealloc(enum key_kind kind, unsigned long n)
{
	return create_map(&htab_map_ops, BPF_MAP_TYPE_HASH, kind, n,
			  BPF_F_NO_PREALLOC, 0);
}

/* The hint has 16 bits; a larger map can only grow to its size. */
static void *create_rhash(enum key_kind kind, unsigned long n)
{
	return create_map(&rhtab_map_ops, BPF_MAP_TYPE_RHASH, kind, INT_MAX,
			  BPF_F_NO_PREALLOC, min_t(unsigned long, n, U16_MAX));
}

static void destroy(void *table)
{
	struct bpf_map *map = table;

	map->ops->map_free(map);
}

/* Memory goes back after a grace period of either kind. */
static void settle(void *table)
{
	rcu_barrier_tasks_trace();
}

static void settle_rhash(void *table)
{
	flush_growth(table);
	settle(table);
}

static u64 count(u64 map, u64 key, u64 elem, u64 nr, u64 unused)
{
	++*(unsigned long *)nr;
	return 0;
}

static unsigned long iterate(void *table)
{
	struct bpf_map *map = table;
	unsigned long nr = 0;

	migrate_disable();
	map->ops->map_for_each_callback(map, count, &nr, 0);
	migrate_enable();
	return nr;
}

const struct impl bpf_htab_impl = {
	.name = "bpf_htab",
	.presizes = true,
	.create = create,
	.destroy = destroy,
	.settle = settle,
	.iterate = iterate,
	.loops = { &u64_loops, &bytes16_loops, &string_loops },
};

const struct impl bpf_htab_noprealloc_impl = {
	.name = "bpf_htab_noprealloc",
	.presizes = true,
	.create = create_noprealloc,
	.destroy = destroy,
	.settle = settle,
	.iterate = iterate,
	.loops = { &u64_loops, &bytes16_loops, &string_loops },
};

const struct impl bpf_rhash_impl = {
	.name = "bpf_rhash",
	.grows = true,
	.presizes = true,
	.create = create_rhash,
	.destroy = destroy,
	.settle = settle_rhash,
	.iterate = iterate,
	.loops = { &u64_loops, &bytes16_loops, &string_loops },
};
