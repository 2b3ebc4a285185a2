// SPDX-License-Identifier: GPL-2.0
/*
 * The way of a lookup, and of an insert, told step by step.
 *
 * It is gone under the guard of the bucket, as a lookup goes it when writers are
 * in its way.
 */
#include "update.h"

/* Tell of a chain, and at which of its buckets a lookup ends. */
static void explain_chain(const struct bucket_array *a, struct bmap *head,
			  const struct hmap_place *at, struct hmap_walk *w)
{
	const struct hmap_type *t = &a->h->t;
	bool ended = false;
	struct bmap *b;
	u64 word;

	for (b = head; b; b = bmap_overflow(t, a, b)) {
		word = tophash_load(b);
		if (w->length < HMAP_WALK_CHAIN)
			w->chain[w->length] = word;
		if (!ended)
			w->at = w->length;
		ended |= (w->found && b == at->b) ||
			 tophash_match(word, EMPTY_REST) || w->filtered;
		w->length++;
	}
}

/* An insert replaces the elem, or takes the first slot that is empty. */
static void explain_insert(const struct bucket_array *a, struct bmap *b,
			   struct hmap_walk *w)
{
	const struct hmap_type *t = &a->h->t;
	u64 empty;

	if (w->found) {
		w->insert_at = w->at;
		w->insert_slot = w->slot;
		return;
	}
	for (; b; b = bmap_overflow(t, a, b)) {
		empty = tophash_match_empty(tophash_load(b));
		if (empty) {
			w->insert_slot = tophash_first(empty);
			return;
		}
		w->insert_at++;
	}
	w->chains = true;
}

/*
 * An insert that finds the key's bucket in the old array moves that first.  The
 * key then stands behind those before it that go to the same new bucket.
 */
static void explain_move(const struct bucket_array *a,
			 const struct bucket_array *old, struct bmap *b,
			 const struct hmap_place *at, u64 hash,
			 struct hmap_walk *w)
{
	const struct hmap_type *t = &a->h->t;
	u64 newbit = a->mask ^ old->mask;
	unsigned int n = 0, i = 0;

	while (b && !(w->found && b == at->b && i == at->slot)) {
		if (!is_empty(b->tophash[i]) &&
		    !((hash ^ slot_hash(t, t->key_kind, bmap_key(t, b, i),
					a->hash0)) & newbit))
			n++;
		if (++i == BUCKET_CNT) {
			b = bmap_overflow(t, old, b);
			i = 0;
		}
	}
	w->insert_at = n / BUCKET_CNT;
	w->insert_slot = n % BUCKET_CNT;
	w->chains = !w->found && n && !w->insert_slot;
}

/* In array @in, which is @a or its old one; false if the bucket was evacuated. */
static bool explain_bucket(const struct bucket_array *a,
			   const struct bucket_array *in, u64 hash,
			   const void *key, struct hmap_walk *w)
{
	const struct hmap_type *t = &a->h->t;
	struct bmap *head = bucket_of(t, in, hash);
	struct hmap_place at = { };
	unsigned long flags;
	u64 word;
	bool here;

	local_irq_save(flags);
	guard_lock(head, guard_map_of(a->h));
	word = tophash_load(head);
	here = !tophash_evacuated(word);
	if (here) {
		w->in_old = in != a;
		w->found = hmap_find(t, in, t->key_kind, head, word,
				     w->tophash, key, &at);
		w->slot = w->found ? at.slot : 0;
		w->filtered = !w->found && filter_lacks(head, w->tophash);
		explain_chain(in, head, &at, w);
		if (w->in_old)
			explain_move(a, in, head, &at, hash, w);
		else
			explain_insert(a, head, w);
	}
	guard_unlock(head, guard_map_of(a->h));
	local_irq_restore(flags);
	return here;
}

static void explain_growth(struct bucket_array *a, struct hmap_walk *w)
{
	unsigned long flags;

	local_irq_save(flags);
	if (hmap_insert_grows(a))
		w->grows = atomic_long_read(&a->l->count) >= a->grow_at ?
			   HMAP_GROWS_DOUBLE : HMAP_GROWS_SAME_SIZE;
	local_irq_restore(flags);
}

/* Whether it is all told; if not, the array has been replaced meanwhile. */
static bool explain_try(struct hmap *h, const void *key, struct hmap_walk *w)
{
	struct bucket_array *a = buckets_of(h), *old;
	u64 hash;

	memset(w, 0, sizeof(*w));
	if (!a)
		return true;
	hash = key_hash(&h->t, h->t.key_kind, key, READ_ONCE(a->hash0));
	w->buckets = true;
	w->B = a->B;
	w->bucket = hash & a->mask;
	w->top = hash >> 56;
	w->tophash = tophash(hash);

	old = old_of(a);
	if (old) {
		w->oldbuckets = true;
		w->old_B = old->B;
		if (explain_bucket(a, old, hash, key, w))
			return true;
	}
	if (!explain_bucket(a, a, hash, key, w))
		return false;
	if (!w->found)
		explain_growth(a, w);
	return true;
}

/**
 * hmap_explain() - Tell the way that a lookup of a key goes.
 * @h: the map
 * @key: the key
 * @w: set to the way
 *
 * It tells some bits of the key's hash, and those in its bucket of other keys',
 * which are not for everybody to know.
 *
 * Context: Any but NMI; does not sleep.
 */
void hmap_explain(struct hmap *h, const void *key, struct hmap_walk *w)
{
	bool done;

	do {
		rcu_read_lock();
		done = explain_try(h, key, w);
		rcu_read_unlock();
	} while (!done);
}
EXPORT_SYMBOL_GPL(hmap_explain);
