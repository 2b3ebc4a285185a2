// SPDX-License-Identifier: GPL-2.0
/*
 * The map as a whole: making, emptying and destroying it, and looking at it
 * from outside.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "key.h"

/*
 * Eight stripes a CPU make it unlikely that two writers meet.  All of them
 * may be held at once, and each counts in preempt_count, which has eight bits.
 */
#define STRIPES_PER_CPU	8
#define MAX_STRIPES	64

/* Do not invoke the OOM killer: every caller can do without. */
#define ARRAY_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static int init_type(struct hmap_type *t, const struct hmap_params *p)
{
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
		if (p->key_size)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (p->elem_size > HMAP_MAX_ELEM_SIZE ||
	    p->flags & ~(HMAP_VAR_ELEM | HMAP_ACCOUNT))
		return -EINVAL;

	*t = hmap_type_of(p->key_kind, p->key_size, p->elem_size,
			  p->flags & HMAP_VAR_ELEM);
	t->hasher = p->hasher;
	return hmap_overflow_init(t);
}

static u32 nr_stripes(void)
{
	u32 n = roundup_pow_of_two(num_possible_cpus() * STRIPES_PER_CPU);

	return min_t(u32, n, MAX_STRIPES);
}

static int init_stripes(struct hmap *h)
{
	u32 i, n = h->max_stripe_mask + 1;

	h->stripes = kvmalloc_array(n, sizeof(*h->stripes),
				    hmap_gfp(h->param_flags, GFP_KERNEL));
	if (!h->stripes)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		spin_lock_init(&h->stripes[i].lock);
		seqcount_spinlock_init(&h->stripes[i].seq,
				       &h->stripes[i].lock);
	}
	return 0;
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
	a = hmap_array_new(h, B, ARRAY_GFP);
	if (IS_ERR(a))
		return PTR_ERR(a);
	h->B = B;
	h->stripe_mask = stripe_mask_of(h, B);
	RCU_INIT_POINTER(h->buckets, a);
	return 0;
}

/**
 * hmap_create() - Make a map.
 * @params: what it is to hold
 *
 * Context: Process context, may sleep.
 * Return: The map, or an ERR_PTR, and the pool has been put: -EINVAL if @params
 * make no sense, -ENOSPC if a limit of the map forbids what the hint asks for,
 * -EDQUOT if the pool's does, -ENOMEM if there is no memory for it.
 */
struct hmap *hmap_create(const struct hmap_params *params)
{
	struct hmap *h;
	int err;

	h = kzalloc(sizeof(*h), hmap_gfp(params->flags, GFP_KERNEL));
	if (!h) {
		if (params->pool)
			params->pool->put(params->pool);
		return ERR_PTR(-ENOMEM);
	}

	h->param_flags = params->flags;
	hmap_set_limits(h, params->max_entries, params->max_bytes);
	h->pool = params->pool;
	h->hash0 = get_random_u32();
	h->epoch = hmap_new_epoch();
	h->max_stripe_mask = nr_stripes() - 1;
	spin_lock_init(&h->lock);
	hmap_grow_init(h);
	err = hmap_get(h);
	if (err)
		return ERR_PTR(err);

	err = -ENOSPC;
	if (params->hint > h->max_entries)
		goto put;
	err = init_type(&h->t, params);
	if (err)
		goto put;
	err = init_stripes(h);
	if (err)
		goto put;
	err = init_buckets(h, params->hint);
	if (err)
		goto put;
	return h;

put:
	hmap_put(h);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(hmap_create);

/**
 * hmap_destroy() - Free a map and all that is in it.
 * @h: the map, or NULL; nobody uses it any more, no iterator and no hmap_held
 *	of it is left
 *
 * What was taken out of the map a moment ago may be freed later, and count
 * against the pool until then: hmap_barrier() waits for that.
 *
 * Context: Process context, may sleep.
 */
void hmap_destroy(struct hmap *h)
{
	struct bucket_array *old[2];

	if (!h)
		return;
	hmap_grow_exit(h);
	hmap_replace(h, NULL, old);
	hmap_array_destroy(old[1]);
	hmap_array_destroy(old[0]);
	hmap_put(h);
}
EXPORT_SYMBOL_GPL(hmap_destroy);

/**
 * hmap_set_limits() - Change what a map may hold.
 * @h: the map
 * @max_entries: entries it may hold; 0 for no limit
 * @max_bytes: memory it may use, in bytes; 0 for no limit
 *
 * A limit below what the map holds takes nothing away: nothing more is taken
 * in.
 *
 * Context: Any.
 * Return: 0.
 */
int hmap_set_limits(struct hmap *h, unsigned long max_entries,
		    unsigned long max_bytes)
{
	WRITE_ONCE(h->max_entries, min_t(unsigned long, max_entries - 1,
					 LONG_MAX - 1) + 1);
	WRITE_ONCE(h->max_bytes, min_t(unsigned long, max_bytes - 1,
				       LONG_MAX - 1) + 1);
	return 0;
}
EXPORT_SYMBOL_GPL(hmap_set_limits);

/**
 * hmap_clear() - Take all entries out of a map.
 * @h: the map
 *
 * They go in one step: no other call sees some of them gone and others not.
 * The map keeps the size it has grown to, where memory and its limit allow a
 * second array of that size for a moment; it starts anew where they do not.
 * It draws a new seed, and walks that are under way fail with -ESTALE.
 *
 * Context: Process context, may sleep; waits for an RCU grace period.
 */
void hmap_clear(struct hmap *h)
{
	struct bucket_array *new = NULL, *old[2];
	u8 B = READ_ONCE(h->B);

	if (rcu_access_pointer(h->buckets))
		new = hmap_array_new(h, B, ARRAY_GFP);
	if (IS_ERR(new))
		new = NULL;
	hmap_replace(h, new, old);
	synchronize_rcu();
	hmap_array_destroy(old[1]);
	hmap_array_destroy(old[0]);
}
EXPORT_SYMBOL_GPL(hmap_clear);

/**
 * hmap_len() - Count the entries.
 * @h: the map
 *
 * Context: Any.
 * Return: How many there were at one moment during the call; an insert that
 * then finds no memory may be among them.
 */
unsigned long hmap_len(const struct hmap *h)
{
	return atomic_long_read(&h->count);
}
EXPORT_SYMBOL_GPL(hmap_len);

static bool is_being_written(const struct hmap *h)
{
	u32 i;

	for (i = 0; i <= h->max_stripe_mask; i++)
		if (raw_read_seqcount(&h->stripes[i].seq) & 1)
			return true;
	return false;
}

/* As it was asked for: 0 is no limit. */
static unsigned long limit_of(const unsigned long *limit)
{
	unsigned long max = READ_ONCE(*limit);

	return max == LONG_MAX ? 0 : max;
}

/**
 * hmap_read_header() - See what a map's header says.
 * @h: the map
 * @hdr: where to put it
 *
 * Context: Process or softirq context.
 */
void hmap_read_header(struct hmap *h, struct hmap_header *hdr)
{
	const struct bucket_array *a, *old;
	bool writing = is_being_written(h);

	spin_lock_bh(&h->lock);
	a = rcu_dereference_protected(h->buckets, lockdep_is_held(&h->lock));
	old = rcu_dereference_protected(h->oldbuckets,
					lockdep_is_held(&h->lock));
	*hdr = (struct hmap_header){
		.count = hmap_len(h),
		.flags = h->flags | (writing ? HMAP_HASH_WRITING : 0),
		.B = h->B,
		.noverflow = atomic_read(&h->noverflow),
		.hash0 = h->hash0,
		.epoch = h->epoch,
		.buckets = a,
		.oldbuckets = old,
		.nevacuate = h->nevacuate,
		.overflow = atomic_long_read(&h->extra.overflow),
		.oldoverflow = atomic_long_read(&h->extra.oldoverflow),
		.next_overflow = atomic_long_read(&h->extra.next_overflow),
		.nr_spare = a ? a->nr_spare : 0,
		.old_B = old ? old->B : 0,
		.growths = h->growths,
		.same_size_growths = h->same_size_growths,
		.bytes = atomic_long_read(&h->bytes),
		.key_kind = h->t.key_kind,
		.key_size = h->t.key_size,
		.elem_size = h->t.elem_size,
		.param_flags = h->param_flags,
		.bucket_size = h->t.bucket_size,
		.max_entries = limit_of(&h->max_entries),
		.max_bytes = limit_of(&h->max_bytes),
	};
	spin_unlock_bh(&h->lock);
}
EXPORT_SYMBOL_GPL(hmap_read_header);

/**
 * hmap_read_chain() - See the tophash bytes of a bucket and its chain.
 * @h: the map
 * @old: whether to look in the old array
 * @bucket: index of the bucket
 * @tophash: where to put them, eight bytes a bucket, slot 0 the lowest
 * @room: buckets there is room for at @tophash
 *
 * Context: Process or softirq context.
 * Return: The number of buckets in the chain, which may be more than @room;
 * or -ENOENT if there is no such array or bucket.
 */
int hmap_read_chain(struct hmap *h, bool old, unsigned long bucket,
		    u64 *tophash, unsigned int room)
{
	const struct bucket_array *a;
	struct stripe *s;
	struct bmap *b;
	int n = -ENOENT;

	/* Should the mask change meanwhile, what is read is still whole. */
	rcu_read_lock();
	s = stripe_of(h, choice_of(h), bucket);
	spin_lock_bh(&s->lock);
	a = old ? oldbuckets_of(h) : buckets_of(h);
	if (a && bucket <= bucket_mask(a->B)) {
		n = 0;
		for (b = bucket_at(&h->t, a, bucket); b;
		     b = bmap_overflow(&h->t, b))
			if (n++ < room)
				tophash[n - 1] = tophash_load(b);
	}
	spin_unlock_bh(&s->lock);
	rcu_read_unlock();
	return n;
}
EXPORT_SYMBOL_GPL(hmap_read_chain);

int __init hmap_core_init(void)
{
	hmap_wq = alloc_workqueue("hmap", WQ_UNBOUND, 0);
	if (!hmap_wq)
		return -ENOMEM;
	hmap_hash_init();
	return 0;
}

/**
 * hmap_barrier() - Wait for what destroyed maps have left to callbacks.
 *
 * All maps that were destroyed before are then gone, and have put their pools:
 * what owns the pools may go, too, as when a module is unloaded.
 *
 * Context: Process context, may sleep.
 */
void hmap_barrier(void)
{
	/* Callbacks free blocks, or queue work that frees arrays. */
	rcu_barrier();
	flush_workqueue(hmap_wq);
	/* Whichever was the last of a map has queued work that frees that. */
	flush_workqueue(hmap_wq);
}
EXPORT_SYMBOL_GPL(hmap_barrier);

/* The first lets work be queued that the second waits for. */
void hmap_core_exit(void)
{
	rcu_barrier();
	destroy_workqueue(hmap_wq);
}
