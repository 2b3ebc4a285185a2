// SPDX-License-Identifier: GPL-2.0
/*
 * rhashtable, with an object from kmalloc() for each entry, freed after a grace
 * period.  All parameters are constants, so that hash and comparison are inline.
 * Keys of one size are hashed by its default, jhash2, and strings by jhash, both
 * with the table's seed.  It shrinks only if asked to, and is not.
 */
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "native.h"

/* -EBUSY: two growths at once are under way; let them end. */
static void settle(void *table)
{
	struct rhashtable *ht = table;

	irq_work_point();
	flush_work(&ht->run_work);
}

static int insert_again(void *table, struct rhash_head *head,
			const struct rhashtable_params params)
{
	int err;

	while ((err = rhashtable_lookup_insert_fast(table, head, params)) ==
	       -EBUSY)
		settle(table);
	irq_work_point();
	return err;
}

/* === Keys of one size === */

#define DEFINE_FIXED(kind, key_t)					\
struct kind##_entry {							\
	struct rhash_head head;						\
	key_t key;							\
	u64 elem;							\
};									\
									\
static const struct rhashtable_params kind##_params = {			\
	.head_offset = offsetof(struct kind##_entry, head),		\
	.key_offset = offsetof(struct kind##_entry, key),		\
	.key_len = sizeof(key_t),					\
};									\
									\
static bool kind##_insert(void *table, const void *key)			\
{									\
	struct kind##_entry *e = kmalloc(sizeof(*e), GFP_KERNEL);	\
									\
	if (!e)								\
		return false;						\
	e->key = *(const key_t *)key;					\
	e->elem = elem_of(key);						\
	if (!insert_again(table, &e->head, kind##_params))		\
		return true;						\
	kfree(e);							\
	return false;							\
}									\
									\
static bool kind##_find(void *table, const void *key, u64 *elem)	\
{									\
	struct kind##_entry *e;						\
									\
	rcu_read_lock();						\
	e = rhashtable_lookup(table, key, kind##_params);		\
	if (e)								\
		*elem = READ_ONCE(e->elem);				\
	rcu_read_unlock();						\
	return e;							\
}									\
									\
static bool kind##_delete(void *table, const void *key)			\
{									\
	struct kind##_entry *e;						\
									\
	rcu_read_lock();						\
	e = rhashtable_lookup(table, key, kind##_params);		\
	if (e && rhashtable_remove_fast(table, &e->head, kind##_params)) \
		e = NULL;						\
	rcu_read_unlock();						\
	if (e)								\
		kfree_rcu_mightsleep(e);				\
	return e;							\
}									\
									\
DEFINE_LOOPS(kind, kind, key_t)

DEFINE_FIXED(u64, u64);
DEFINE_FIXED(bytes16, struct bytes16);

/* === Strings === */

struct string_entry {
	struct rhash_head head;
	u64 elem;
	u32 len;
	char bytes[];
};

static u32 string_hash(const void *key, u32 len, u32 seed)
{
	const struct name *name = key;

	return jhash(name->bytes, name->len, seed);
}

static u32 string_entry_hash(const void *entry, u32 len, u32 seed)
{
	const struct string_entry *e = entry;

	return jhash(e->bytes, e->len, seed);
}

/* Says 0 for equal, as memcmp() does. */
static int string_compare(struct rhashtable_compare_arg *arg,
			  const void *entry)
{
	const struct string_entry *e = entry;
	const struct name *name = arg->key;

	return e->len != name->len || memcmp(e->bytes, name->bytes, e->len);
}

static const struct rhashtable_params string_params = {
	.head_offset = offsetof(struct string_entry, head),
	.hashfn = string_hash,
	.obj_hashfn = string_entry_hash,
	.obj_cmpfn = string_compare,
};

static bool string_insert(void *table, const void *key)
{
	const struct name *name = key;
	struct string_entry *e;
	int err;

	e = kmalloc(struct_size(e, bytes, name->len), GFP_KERNEL);
	if (!e)
		return false;
	e->elem = elem_of(key);
	e->len = name->len;
	memcpy(e->bytes, name->bytes, name->len);
	while ((err = rhashtable_lookup_insert_key(table, key, &e->head,
						   string_params)) == -EBUSY)
		settle(table);
	irq_work_point();
	if (err)
		kfree(e);
	return !err;
}

static bool string_find(void *table, const void *key, u64 *elem)
{
	struct string_entry *e;

	rcu_read_lock();
	e = rhashtable_lookup(table, key, string_params);
	if (e)
		*elem = READ_ONCE(e->elem);
	rcu_read_unlock();
	return e;
}

static bool string_delete(void *table, const void *key)
{
	struct string_entry *e;

	rcu_read_lock();
	e = rhashtable_lookup(table, key, string_params);
	if (e && rhashtable_remove_fast(table, &e->head, string_params))
		e = NULL;
	rcu_read_unlock();
	if (e)
		kfree_rcu_mightsleep(e);
	return e;
}

DEFINE_LOOPS(string, string, struct name);

/* === The table === */

/* The hint has 16 bits; a larger table can only grow to its size. */
static void *create(enum key_kind kind, unsigned long n)
{
	struct rhashtable_params params =
		kind == KEYS_U64 ? u64_params :
		kind == KEYS_BYTES16 ? bytes16_params : string_params;
	struct rhashtable *table = kmalloc(sizeof(*table), GFP_KERNEL);

	params.nelem_hint = min_t(unsigned long, n, U16_MAX);
	if (table && rhashtable_init(table, &params)) {
		kfree(table);
		return NULL;
	}
	return table;
}

/* All entries begin with their head. */
static void free_entry(void *entry, void *unused)
{
	kfree(entry);
}

static void destroy(void *table)
{
	rhashtable_free_and_destroy(table, free_entry, NULL);
	kfree(table);
}

static unsigned long iterate(void *table)
{
	struct rhashtable_iter it;
	unsigned long nr = 0;
	void *entry;

	rhashtable_walk_enter(table, &it);
	rhashtable_walk_start(&it);
	while ((entry = rhashtable_walk_next(&it)))
		nr += !IS_ERR(entry);
	rhashtable_walk_stop(&it);
	rhashtable_walk_exit(&it);
	return nr;
}

const struct impl rhashtable_impl = {
	.name = "rhashtable",
	.grows = true,
	.presizes = true,
	.create = create,
	.destroy = destroy,
	.settle = settle,
	.iterate = iterate,
	.loops = { &u64_loops, &bytes16_loops, &string_loops },
};
