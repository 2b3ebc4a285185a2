// SPDX-License-Identifier: GPL-2.0
/*
 * BPF_MAP_TYPE_HASH, called as BPF programs call it: through the map's
 * operations, under rcu_read_lock().  A map is made for as many entries as it
 * gets; it cannot grow.  Its elements are allocated beforehand, which is the
 * default and the faster way, or with each insert (BPF_F_NO_PREALLOC).  Keys are
 * hashed by jhash2 with the map's seed.  It knows keys of one size only: strings
 * are filled up with zeros to the 60 bytes of the longest.
 */
#include <linux/bpf.h>
#include <linux/preempt.h>

#include "native.h"

static bool bpf_insert(void *table, const void *key)
{
	struct bpf_map *map = table;
	u64 elem = elem_of(key);
	int err;

	rcu_read_lock();
	err = map->ops->map_update_elem(map, (void *)key, &elem, BPF_ANY);
	rcu_read_unlock();
	irq_work_point();
	return !err;
}

static bool bpf_lookup(void *table, const void *key)
{
	struct bpf_map *map = table;
	const u64 *elem;
	bool found;

	rcu_read_lock();
	elem = map->ops->map_lookup_elem(map, (void *)key);
	found = elem && READ_ONCE(*elem) == elem_of(key);
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

static void *create_map(enum key_kind kind, unsigned long n, u32 flags)
{
	static const u32 key_size[] = {
		[KEYS_U64] = sizeof(u64),
		[KEYS_BYTES16] = sizeof(struct bytes16),
		[KEYS_STRING] = sizeof_field(struct name, bytes),
	};
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = key_size[kind],
		.value_size = sizeof(u64),
		.max_entries = n,
		.map_flags = flags,
	};
	struct bpf_map *map;

	if (htab_map_ops.map_alloc_check(&attr))
		return NULL;
	map = htab_map_ops.map_alloc(&attr);
	if (IS_ERR(map))
		return NULL;
	map->ops = &htab_map_ops;
	return map;
}

static void *create(enum key_kind kind, unsigned long n)
{
	return create_map(kind, n, 0);
}

static void *create_noprealloc(enum key_kind kind, unsigned long n)
{
	return create_map(kind, n, BPF_F_NO_PREALLOC);
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
