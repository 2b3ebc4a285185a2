// SPDX-License-Identifier: GPL-2.0
/*
 * What hashtable.h offers: an array of lists, as many as there will be entries,
 * rounded up to a power of two.  (Its macros want an array whose size is known
 * when compiling, so the same is written out.)  An object from kmalloc() for
 * each entry; lookups are under RCU, and writers take one lock.  It has no seed:
 * integers are hashed by hash_64(), as hashtable.h does, other keys by jhash2 and
 * jhash.
 */
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "native.h"

struct table {
	spinlock_t lock;		/* protects the lists */
	unsigned int bits;
	struct hlist_head heads[];
};

/* === Keys by kind === */

struct u64_entry {
	struct hlist_node node;
	u64 key;
	u64 elem;
};

static __always_inline u32 u64_hash(const u64 *key)
{
	return hash_64(*key, 32);
}

static __always_inline bool u64_equal(const struct u64_entry *e, const u64 *key)
{
	return e->key == *key;
}

static __always_inline struct u64_entry *u64_new(const u64 *key)
{
	struct u64_entry *e = kmalloc(sizeof(*e), GFP_KERNEL);

	if (e)
		e->key = *key;
	return e;
}

struct bytes16_entry {
	struct hlist_node node;
	struct bytes16 key;
	u64 elem;
};

static __always_inline u32 bytes16_hash(const struct bytes16 *key)
{
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), 0);
}

static __always_inline bool bytes16_equal(const struct bytes16_entry *e,
					  const struct bytes16 *key)
{
	return e->key.word[0] == key->word[0] && e->key.word[1] == key->word[1];
}

static __always_inline struct bytes16_entry *
bytes16_new(const struct bytes16 *key)
{
	struct bytes16_entry *e = kmalloc(sizeof(*e), GFP_KERNEL);

	if (e)
		e->key = *key;
	return e;
}

struct string_entry {
	struct hlist_node node;
	u64 elem;
	u32 len;
	char bytes[];
};

static __always_inline u32 string_hash(const struct name *key)
{
	return jhash(key->bytes, key->len, 0);
}

static __always_inline bool string_equal(const struct string_entry *e,
					 const struct name *key)
{
	return e->len == key->len && !memcmp(e->bytes, key->bytes, e->len);
}

static __always_inline struct string_entry *string_new(const struct name *key)
{
	struct string_entry *e =
		kmalloc(struct_size(e, bytes, key->len), GFP_KERNEL);

	if (e) {
		e->len = key->len;
		memcpy(e->bytes, key->bytes, key->len);
	}
	return e;
}

/* === The table === */

static __always_inline struct hlist_head *head_of(struct table *t, u32 hash)
{
	return &t->heads[hash >> (32 - t->bits)];
}

#define DEFINE_TABLE(kind, key_t)					\
static struct kind##_entry *kind##_search(struct hlist_head *head,	\
					  const key_t *key)		\
{									\
	struct kind##_entry *e;						\
									\
	hlist_for_each_entry_rcu(e, head, node, true)			\
		if (kind##_equal(e, key))				\
			return e;					\
	return NULL;							\
}									\
									\
static bool kind##_insert(void *table, const void *key)			\
{									\
	struct hlist_head *head = head_of(table, kind##_hash(key));	\
	struct kind##_entry *e = kind##_new(key);			\
	struct table *t = table;					\
	bool absent;							\
									\
	if (!e)								\
		return false;						\
	e->elem = elem_of(key);						\
	spin_lock(&t->lock);						\
	absent = !kind##_search(head, key);				\
	if (absent)							\
		hlist_add_head_rcu(&e->node, head);			\
	spin_unlock(&t->lock);						\
	if (!absent)							\
		kfree(e);						\
	return absent;							\
}									\
									\
static bool kind##_find(void *table, const void *key, u64 *elem)	\
{									\
	struct kind##_entry *e;						\
									\
	rcu_read_lock();						\
	e = kind##_search(head_of(table, kind##_hash(key)), key);	\
	if (e)								\
		*elem = READ_ONCE(e->elem);				\
	rcu_read_unlock();						\
	return e;							\
}									\
									\
static bool kind##_delete(void *table, const void *key)			\
{									\
	struct hlist_head *head = head_of(table, kind##_hash(key));	\
	struct table *t = table;					\
	struct kind##_entry *e;						\
									\
	spin_lock(&t->lock);						\
	e = kind##_search(head, key);					\
	if (e)								\
		hlist_del_rcu(&e->node);				\
	spin_unlock(&t->lock);						\
	if (e)								\
		kfree_rcu_mightsleep(e);				\
	return e;							\
}									\
									\
DEFINE_LOOPS(kind, kind, key_t)

DEFINE_TABLE(u64, u64);
DEFINE_TABLE(bytes16, struct bytes16);
DEFINE_TABLE(string, struct name);

static void *create(enum key_kind kind, unsigned long n)
{
	unsigned int bits = order_base_2(max(n, 2UL));
	struct table *t;

	t = kvzalloc(struct_size(t, heads, 1UL << bits), GFP_KERNEL);
	if (t) {
		spin_lock_init(&t->lock);
		t->bits = bits;
	}
	return t;
}

/* All entries begin with their node. */
static void destroy(void *table)
{
	struct table *t = table;
	struct hlist_node *node, *next;
	unsigned long i;

	for (i = 0; i < 1UL << t->bits; i++) {
		for (node = t->heads[i].first; node; node = next) {
			next = node->next;
			kfree(node);
		}
		cond_resched();
	}
	kvfree(t);
}

static unsigned long iterate(void *table)
{
	struct table *t = table;
	struct hlist_node *node;
	unsigned long i, nr = 0;

	for (i = 0; i < 1UL << t->bits; i++) {
		rcu_read_lock();
		__hlist_for_each_rcu(node, &t->heads[i])
			nr++;
		rcu_read_unlock();
	}
	return nr;
}

const struct impl hashtable_impl = {
	.name = "hashtable",
	.presizes = true,
	.create = create,
	.destroy = destroy,
	.settle = no_settle,
	.iterate = iterate,
	.loops = { &u64_loops, &bytes16_loops, &string_loops },
};
