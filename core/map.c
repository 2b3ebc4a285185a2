// SPDX-License-Identifier: GPL-2.0
/*
 * The map as a whole: making, emptying and destroying it, and looking at it
 * from outside.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "key.h"
#include "trace.h"

static int init_type(struct hmap_type *t, const struct hmap_params *p)
{
	bool mapped = p->flags & HMAP_MAPPED;
	u8 kind = p->key_kind;

	switch (p->key_kind) {
	case HMAP_KEY_U32:
		if (p->key_size != sizeof(u32))
			return -EINVAL;
		break;
	case HMAP_KEY_U64:
		if (p->key_size != sizeof(u64))
			return -EINVAL;
		break;
	case HMAP_KEY_BYTES:
		if (!p->key_size || p->key_size > HMAP_MAX_KEY_SIZE)
			return -EINVAL;
		break;
	case HMAP_KEY_STRING:
		if (!p->key_size != !mapped)
			return -EINVAL;
		if (mapped)
			kind = KEY_INLINE_STRING;
		break;
	default:
		return -EINVAL;
	}
	if (p->elem_size > HMAP_MAX_ELEM_SIZE ||
	    p->flags & ~(HMAP_VAR_ELEM | HMAP_ACCOUNT | HMAP_SIPHASH |
			 HMAP_MAPPED))
		return -EINVAL;
	if (mapped && (p->flags & (HMAP_VAR_ELEM | HMAP_SIPHASH) ||
		       max(p->key_size, p->elem_size) > MAX_INLINE_SIZE))
		return -EINVAL;

	*t = hmap_type_of(kind, p->key_size, p->elem_size,
			  p->flags & HMAP_VAR_ELEM);
	t->hasher = p->hasher;
	if (p->flags & HMAP_SIPHASH)
		t->hasher = hmap_siphash;
	return mapped ? 0 : hmap_overflow_init(t);
}

static int init_cpus(struct hmap *h)
{
	size_t bytes = nr_cpu_ids * sizeof(struct hmap_cpu);
	int err;

	err = hmap_charge(h, hmap_alloc_size(sizeof(*h)) + bytes);
	if (err)
		return err;
	h->cpu = alloc_percpu_gfp(struct hmap_cpu,
				  hmap_gfp(h->param_flags, GFP_KERNEL));
	return h->cpu ? 0 : -ENOMEM;
}

/* Make room for so many entries, as if they had been inserted. */
static int init_buckets(struct hmap *h, unsigned long hint)
{
	struct bucket_array *a;
	u8 B = 0;

	if (!hint)
		return 0;
	/* No memory holds so many, and hmap_over_load() multiplies. */
	if (hint >> (BITS_PER_LONG - 4))
		return -ENOMEM;
	while (hmap_over_load(hint, B))
		B++;
	a = hmap_array_new(h, B, GFP_KERNEL);
	if (IS_ERR(a))
		return PTR_ERR(a);
	hmap_publish_first(h, a);
	return 0;
}

static int init_map(struct hmap *h, const struct hmap_params *params)
{
	int err;

	if (params->hint > h->max_entries) {
		trace_hmap_limit(h, HMAP_LIMIT_ENTRIES, -ENOSPC);
		return -ENOSPC;
	}
	err = init_type(&h->t, params);
	if (err)
		return err;
	if (params->flags & HMAP_MAPPED) {
		err = hmap_mapped_init(h, params);
		if (err)
			return err;
	}
	err = init_cpus(h);
	if (err)
		return err;
	hmap_lineage_init(h, &h->lineages[0]);
	h->l = &h->lineages[0];
	return init_buckets(h, params->hint);
}

static void pool_put(struct hmap_pool *pool)
{
	if (pool)
		pool->put(pool);
}

static void map_free(struct hmap *h)
{
	hmap_overflow_exit(&h->t);
	if (h->mapped)
		hmap_mapped_free(h);
	hmap_uncharge(h, atomic_long_read(&h->bytes));	/* its own, by now */
	pool_put(h->pool);
	free_percpu(h->cpu);
	kfree(h);
}

/**
 * hmap_create() - Make a map.
 * @params: what it is to hold
 *
 * Context: Process context, may sleep.
 * Return: The map, or an ERR_PTR, and the pool has been put: -EINVAL if @params
 * make no sense; -ENOSPC if the hint is over the limit of entries or needs more
 * memory than the map may use; -EDQUOT if it needs more than the pool may;
 * -ENOMEM if there is no memory.
 */
struct hmap *hmap_create(const struct hmap_params *params)
{
	static atomic64_t last_id = ATOMIC64_INIT(0);
	static struct lock_class_key guard_key;
	struct hmap *h;
	int err;

	h = kzalloc(sizeof(*h), hmap_gfp(params->flags, GFP_KERNEL));
	if (!h) {
		pool_put(params->pool);
		return ERR_PTR(-ENOMEM);
	}

	h->param_flags = params->flags;
	hmap_set_limits(h, params->max_entries, params->max_bytes);
	h->pool = params->pool;
	raw_spin_lock_init(&h->lock);
	mutex_init(&h->clear_lock);
	lockdep_init_map_wait(guard_map_of(h), "hmap_guard", &guard_key, 0,
			      LD_WAIT_SPIN);
	refcount_set(&h->refs, 1);
	hmap_grow_init(h);
	hmap_seed_init(h);
	h->id = atomic64_inc_return(&last_id);
	hmap_rename(h, params->name);

	err = init_map(h, params);
	if (err) {
		map_free(h);
		return ERR_PTR(err);
	}
	trace_hmap_create(h);
	return h;
}
EXPORT_SYMBOL_GPL(hmap_create);

/**
 * hmap_id() - Tell which map this is.
 * @h: the map
 *
 * Context: Any.
 * Return: A number over 0 that no other map has had since boot; tracepoints tell
 * it, too.
 */
u64 hmap_id(const struct hmap *h)
{
	return h->id;
}
EXPORT_SYMBOL_GPL(hmap_id);

/**
 * hmap_rename() - Change what tracepoints call a map.
 * @h: the map
 * @name: its name, or NULL; cut off where it is too long
 *
 * Context: Any but NMI.
 */
void hmap_rename(struct hmap *h, const char *name)
{
	char whole[HMAP_NAME_SIZE];
	unsigned long flags;

	/* h->name is read meanwhile, and ends at any time. */
	strscpy_pad(whole, name ?: "", sizeof(whole));
	raw_spin_lock_irqsave(&h->lock, flags);
	memcpy(h->name, whole, sizeof(whole));
	raw_spin_unlock_irqrestore(&h->lock, flags);
}
EXPORT_SYMBOL_GPL(hmap_rename);

/*
 * Blocks that wait for a grace period are charged to their map.  One work item
 * waits for those of all maps that are to be freed.
 */
static LLIST_HEAD(dying_maps);

static void free_maps(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&dying_maps);
	struct hmap *h;

	rcu_barrier();
	while (list) {
		h = llist_entry(list, struct hmap, free_node);
		list = list->next;
		map_free(h);
		cond_resched();
	}
}

static DECLARE_WORK(free_maps_work, free_maps);

void hmap_put(struct hmap *h)
{
	if (!refcount_dec_and_test(&h->refs))
		return;
	if (!h->t.indirect_key && !h->t.indirect_elem)
		map_free(h);
	else if (llist_add(&h->free_node, &dying_maps))
		queue_work(hmap_wq, &free_maps_work);
}
EXPORT_SYMBOL_TEST(hmap_put);

/**
 * hmap_destroy() - Free a map and all that is in it.
 * @h: the map, or NULL; nobody uses it any more, no iterator and no hmap_held
 *	of it is left
 *
 * Context: Process context, may sleep.  Some of the memory may be freed, and
 * the pool put, later; hmap_barrier() waits for that.
 */
void hmap_destroy(struct hmap *h)
{
	struct bucket_array *a;
	unsigned long flags;

	if (!h)
		return;
	cancel_delayed_work_sync(&h->reseed_work);
	hmap_grow_exit(h);
	if (h->mapped)
		hmap_mapped_exit(h);
	trace_hmap_destroy(h);
	/* A new seed may still be under way, and looks for its array. */
	raw_spin_lock_irqsave(&h->lock, flags);
	a = buckets_locked(h);
	RCU_INIT_POINTER(h->buckets, NULL);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (a) {
		hmap_array_destroy(a->old);
		hmap_array_destroy(a);
	}
	hmap_put(h);
}
EXPORT_SYMBOL_GPL(hmap_destroy);

/**
 * hmap_barrier() - Wait until all of destroyed maps has been freed.
 *
 * A module whose &hmap_pool.put is called calls this before it goes.
 *
 * Context: Process context, may sleep.
 */
void hmap_barrier(void)
{
	/* Callbacks queue work, and the work of dying arrays queues more. */
	rcu_barrier();
	flush_workqueue(hmap_wq);
	flush_workqueue(hmap_wq);
	hmap_mapping_barrier();
}
EXPORT_SYMBOL_GPL(hmap_barrier);

/*
 * Put an array of a new lineage, or none, in place of all there is, under
 * hmap.clear_lock.
 */
void hmap_replace(struct hmap *h, struct bucket_array *new)
{
	struct lineage *l = &h->lineages[!h->l->nr];
	struct bucket_array *a;
	unsigned long flags;

	hmap_lineage_init(h, l);
	raw_spin_lock_irqsave(&h->lock, flags);
	a = buckets_locked(h);
	WRITE_ONCE(h->l, l);
	hmap_publish(h, new);
	raw_spin_unlock_irqrestore(&h->lock, flags);

	/* Then nobody uses the old lineage, or goes on with its growth. */
	synchronize_rcu();
	if (a) {
		hmap_array_destroy(a->old);
		hmap_array_destroy(a);
	}
}
EXPORT_SYMBOL_TEST(hmap_replace);

/**
 * hmap_clear() - Take all entries out of a map.
 * @h: the map
 *
 * They go in one step: no other call sees some of them gone and others not.
 * Writers that came by the array before work in it to their end, and count as
 * having been before the clear.  The map keeps the size it has grown to, where
 * memory and its limit allow a second array of that size for a moment; it
 * starts anew where they do not.  It draws a new seed, and walks that are under
 * way end with -ESTALE.
 *
 * Context: Process context, may sleep; waits for an RCU grace period.
 * Return: 0; or -EINTR if a signal arrived while another clear was under way.
 */
int hmap_clear(struct hmap *h)
{
	struct bucket_array *a, *new = NULL;
	int B = -1;

	if (mutex_lock_interruptible(&h->clear_lock))
		return -EINTR;
	rcu_read_lock();
	a = buckets_of(h);
	if (a)
		B = a->B;
	rcu_read_unlock();
	if (B >= 0)
		new = hmap_array_new(h, B, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	trace_hmap_clear(h);
	hmap_replace(h, IS_ERR(new) ? NULL : new);
	mutex_unlock(&h->clear_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(hmap_clear);

/**
 * hmap_len() - Count the entries.
 * @h: the map
 *
 * Context: Any.
 * Return: How many there are.  While others write, entries that come and go may
 * or may not be counted, and where many CPUs do, it may be off by a batch of up
 * to 64 for each.
 */
unsigned long hmap_len(const struct hmap *h)
{
	return hmap_lineage_len(h, READ_ONCE(h->l));
}
EXPORT_SYMBOL_GPL(hmap_len);

/* What is compared with a count that is signed; no limit is the highest. */
static unsigned long limit_of(unsigned long max)
{
	return max ? min_t(unsigned long, max, LONG_MAX) : LONG_MAX;
}

/**
 * hmap_set_limits() - Change how much a map may hold.
 * @h: the map
 * @max_entries: entries; 0 for no limit
 * @max_bytes: bytes of memory; 0 for no limit
 *
 * Where the map holds more already, that stays, and nothing more is taken in.
 *
 * Context: Any.
 */
void hmap_set_limits(struct hmap *h, unsigned long max_entries,
		     unsigned long max_bytes)
{
	WRITE_ONCE(h->max_bytes, limit_of(max_bytes));
	WRITE_ONCE(h->max_entries, limit_of(max_entries));
}
EXPORT_SYMBOL_GPL(hmap_set_limits);

/* === Looking at it from outside === */

#define GUARD_SAMPLE	64	/* buckets that are looked at for a writer */

static bool is_being_written(const struct hmap *h, const struct bucket_array *a)
{
	unsigned long i;

	for (i = 0; a && i <= a->mask && i < GUARD_SAMPLE; i++) {
		if (READ_ONCE(guard_of(bucket_at(&h->t, a, i))->seq) &
		    GUARD_LOCKED)
			return true;
	}
	return false;
}

/* Old buckets that were evacuated in sequence: claimed, and not to be done. */
static unsigned long nevacuate_of(const struct hmap *h,
				  const struct bucket_array *old)
{
	unsigned long n = min_t(unsigned long, old->mask + 1,
				atomic_long_read(&old->nevacuate));
	struct hmap_cpu *c;
	int cpu;

	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(h->cpu, cpu);
		/* Pairs with the release in part_in(). */
		if (smp_load_acquire(&c->serial) == old->serial)
			n -= min(n, READ_ONCE(c->end) - READ_ONCE(c->next));
	}
	return n;
}

static u8 flags_of(const struct hmap *h, const struct bucket_array *a,
		   const struct bucket_array *old)
{
	u8 flags = 0;

	if (h->iterators)
		flags |= HMAP_ITERATOR | (old ? HMAP_OLD_ITERATOR : 0);
	if (old && old->B == a->B)
		flags |= HMAP_SAME_SIZE_GROW;
	if (is_being_written(h, a))
		flags |= HMAP_HASH_WRITING;
	return flags;
}

/* What the arrays say, under hmap.lock and rcu_read_lock(). */
static void read_arrays(struct hmap *h, struct hmap_header *hdr)
{
	const struct bucket_array *a = buckets_locked(h), *old;

	if (!a) {
		hdr->flags = flags_of(h, NULL, NULL);
		return;
	}
	old = old_of(a);
	hdr->flags = flags_of(h, a, old);
	hdr->buckets = true;
	hdr->B = a->B;
	hdr->noverflow = atomic_read(&a->noverflow);
	hdr->overflow = atomic_long_read(&a->nr_overflow);
	hdr->next_overflow = min_t(unsigned long, a->nr_spare,
				   atomic_long_read(&a->next_overflow));
	hdr->nr_spare = a->nr_spare;
	if (!old)
		return;
	hdr->oldbuckets = true;
	hdr->old_B = old->B;
	hdr->oldoverflow = atomic_long_read(&old->nr_overflow);
	hdr->nevacuate = nevacuate_of(h, old);
}

/**
 * hmap_read_header() - See what a map's header says.
 * @h: the map
 * @hdr: where to put it
 *
 * Context: Any but NMI.
 */
void hmap_read_header(struct hmap *h, struct hmap_header *hdr)
{
	unsigned long max_entries = READ_ONCE(h->max_entries);
	unsigned long max_bytes = READ_ONCE(h->max_bytes);
	unsigned long flags;

	*hdr = (struct hmap_header){
		.count = hmap_len(h),
		.bytes = atomic_long_read(&h->bytes),
		.key_kind = hmap_key_kind(&h->t),
		.key_size = h->t.key_size,
		.elem_size = h->t.elem_size,
		.param_flags = h->param_flags,
		.bucket_size = h->t.bucket_size,
		.max_entries = max_entries == LONG_MAX ? 0 : max_entries,
		.max_bytes = max_bytes == LONG_MAX ? 0 : max_bytes,
	};
	rcu_read_lock();
	raw_spin_lock_irqsave(&h->lock, flags);
	hdr->hash0 = h->l->hash0;
	hdr->epoch = h->l->epoch;
	hdr->growths = h->growths;
	hdr->same_size_growths = h->same_size_growths;
	read_arrays(h, hdr);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(hmap_read_header);

static int read_chain_locked(struct hmap *h, const struct bucket_array *a,
			     struct bmap *head, u64 *tophash, unsigned int room)
{
	unsigned long flags;
	struct bmap *b;
	int n = 0;

	local_irq_save(flags);
	guard_lock(head, guard_map_of(h));
	for (b = head; b; b = bmap_overflow(&h->t, a, b)) {
		if (n++ < room)
			tophash[n - 1] = tophash_load(b);
	}
	guard_unlock(head, guard_map_of(h));
	local_irq_restore(flags);
	return n;
}

/**
 * hmap_read_chain() - See the tophash bytes of a bucket and its chain.
 * @h: the map
 * @old: whether to look in the old array
 * @bucket: index of the bucket
 * @tophash: where to put them, eight bytes a bucket, slot 0 the lowest
 * @room: buckets there is room for at @tophash
 *
 * Context: Any but NMI.
 * Return: The number of buckets in the chain, which may be more than @room;
 * or -ENOENT if there is no such array or bucket.
 */
int hmap_read_chain(struct hmap *h, bool old, u64 bucket, u64 *tophash,
		    unsigned int room)
{
	const struct bucket_array *a;
	int n = -ENOENT;

	rcu_read_lock();
	a = buckets_of(h);
	if (a && old)
		a = old_of(a);
	if (a && bucket <= a->mask)
		n = read_chain_locked(h, a, bucket_at(&h->t, a, bucket),
				      tophash, room);
	rcu_read_unlock();
	return n;
}
EXPORT_SYMBOL_GPL(hmap_read_chain);

int __init hmap_core_init(void)
{
	int err;

	err = hmap_mapping_init();
	if (err)
		return err;
	hmap_wq = alloc_workqueue("hmap", WQ_UNBOUND, 0);
	if (!hmap_wq) {
		hmap_mapping_exit();
		return -ENOMEM;
	}
	hmap_hash_init();
	return 0;
}

void hmap_core_exit(void)
{
	hmap_barrier();
	destroy_workqueue(hmap_wq);
	hmap_mapping_exit();
}
