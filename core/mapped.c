// SPDX-License-Identifier: GPL-2.0
/*
 * Mapped maps: others than the kernel see their buckets, and read them as
 * lookups do.
 *
 * What they see is pages that have numbers: page 0 is for the owner of the
 * mapping to fill; each array that is published gets numbers for its pages of
 * buckets and for as many overflow pages as it may come to have.  No number is
 * used again, so what is mapped can be taken away, but never becomes another
 * array's.
 *
 * An array is shown from when it is published until it is freed.  Before that,
 * all its buckets are marked as evacuated, which changes the sequences of their
 * guards; then its pages are no longer given to those who ask; and then they are
 * unmapped.  So who has read parts of a bucket before that and parts after it
 * finds that the sequence has changed, in what is left of the array, or in the
 * page that takes the place of all that is gone, whose guards are locked.
 *
 * Nothing but buckets is in the pages, and in these no pointers, nor anything of
 * entries that are gone: slots that fall empty or are evacuated are wiped.
 */
#include <linux/err.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "key.h"

/* Overflow buckets of an array: so many a bucket, and one long chain. */
#define OVERFLOW_PER_BUCKET	4
#define OVERFLOW_MORE		128
#define MAX_B			29	/* so that their numbers have 32 bits */

/* Each byte of it is a tophash that says evacuated, and makes a guard locked. */
#define GONE		EVACUATED_Y
static_assert(GONE & GUARD_LOCKED);

/* The buckets begin on a page if the array's header ends with one. */
static_assert(sizeof(struct bucket_array) ==
	      offsetof(struct bucket_array, data));

static void *gone_page;

/* For what may take long where many see a page: nobody's growth is behind it. */
static struct workqueue_struct *unmap_wq;

int __init hmap_mapping_init(void)
{
	gone_page = (void *)__get_free_page(GFP_KERNEL);
	if (!gone_page)
		return -ENOMEM;
	memset(gone_page, GONE, PAGE_SIZE);
	unmap_wq = alloc_workqueue("hmap_unmap", WQ_UNBOUND, 0);
	if (unmap_wq)
		return 0;
	free_page((unsigned long)gone_page);
	return -ENOMEM;
}

void hmap_mapping_exit(void)
{
	destroy_workqueue(unmap_wq);
	free_page((unsigned long)gone_page);
}

/* Wait for arrays that hmap_mapped_free_later() was called for. */
void hmap_mapping_barrier(void)
{
	flush_workqueue(unmap_wq);
}

/* === Overflow pages === */

/* Overflow buckets there is memory for: spare ones, and those in pages. */
static unsigned long room_in(const struct bucket_array *a)
{
	/* Pairs with the release in add_page(). */
	return smp_load_acquire(&a->pages->nr) * a->h->t.per_page;
}

/**
 * hmap_mapped_bucket() - Find an overflow bucket by its number.
 * @a: its array
 * @number: 0 for none; else its number, from 1
 *
 * Return: The bucket, or NULL for none.
 */
struct bmap *hmap_mapped_bucket(const struct bucket_array *a, u32 number)
{
	const struct hmap_type *t = &a->h->t;
	unsigned long n = number - 1UL;

	if (!number)
		return NULL;
	if (n < a->nr_spare)
		return bucket_at(t, a, a->mask + 1 + n);
	n -= a->nr_spare;
	return a->pages->page[n / t->per_page] + sizeof(struct guard) +
	       n % t->per_page * t->stride;
}
EXPORT_SYMBOL_GPL(hmap_mapped_bucket);

/**
 * hmap_mapped_take() - Take the next overflow bucket of an array's pages.
 * @a: the array, all spare buckets of which have been taken
 * @nth: set to which it is, with the spare ones
 *
 * Context: Under a guard.
 * Return: Whether there was one, see hmap_mapped_reserve().
 */
bool hmap_mapped_take(struct bucket_array *a, unsigned long *nth)
{
	long n = atomic_long_read(&a->nr_overflow), room = room_in(a);

	do {
		if (n >= room)
			return false;
	} while (!atomic_long_try_cmpxchg(&a->nr_overflow, &n, n + 1));
	*nth = a->nr_spare + n;
	return true;
}

static bool has_room(const struct bucket_array *a)
{
	return atomic_long_read(&a->nr_overflow) < room_in(a);
}

/* Give an array one more page, unless it has room or is full; returns whether. */
static bool add_page(struct bucket_array *a, void *page)
{
	struct array_pages *p = a->pages;
	struct hmap *h = a->h;
	unsigned long flags;
	bool added;

	raw_spin_lock_irqsave(&h->lock, flags);
	added = !has_room(a) && p->nr < p->max;
	if (added) {
		p->page[p->nr] = page;
		/* Pairs with the acquire in room_in() and page_of(). */
		smp_store_release(&p->nr, p->nr + 1);
	}
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (!added)
		return false;
	smp_mb();	/* pairs with that in page_of() */
	if (unlikely(READ_ONCE(p->missed)))
		queue_work(unmap_wq, &h->mapped->missed_work);
	return true;
}

/* Give the page to the first of the map's arrays that needs it; 0 or an errno. */
static int use_page(struct hmap *h, void **page)
{
	struct bucket_array *a;
	int err = 0;

	rcu_read_lock();
	for (a = buckets_of(h); a; a = old_of(a)) {
		if (add_page(a, *page)) {
			*page = NULL;
			err = 0;
			break;
		}
		/* Writers evacuate before they write to the old array. */
		if (has_room(a))
			break;
		err = -ENOSPC;
	}
	rcu_read_unlock();
	return err;
}

/**
 * hmap_mapped_reserve() - See to it that there are overflow buckets to take.
 * @h: the map
 * @gfp: how to allocate a page of them
 *
 * Context: Any that @gfp allows; no guard held.
 * Return: 0, or as hmap_alloc(), or -ENOSPC if an array has as many as it may.
 */
int hmap_mapped_reserve(struct hmap *h, gfp_t gfp)
{
	void *page;
	int err;

	if (!hmap_may_alloc())
		return -ENOMEM;
	err = hmap_charge(h, PAGE_SIZE);
	if (err)
		return err;
	err = -ENOMEM;
	page = (void *)__get_free_page(hmap_gfp(h->param_flags,
						gfp | __GFP_ZERO));
	if (page)
		err = use_page(h, &page);
	if (page || err)
		hmap_uncharge(h, PAGE_SIZE);
	free_page((unsigned long)page);
	return err;
}
EXPORT_SYMBOL_TEST(hmap_mapped_reserve);

/* === Arrays === */

/**
 * hmap_mapped_array_new() - Allocate an array of a mapped map.
 * @h: the map
 * @B: log_2 of the number of buckets
 * @size: bytes in all of these, and the spare ones
 * @gfp: how
 *
 * Context: Any that @gfp allows.
 * Return: The array, of zeros but for what is declared here; or an ERR_PTR as
 * hmap_alloc().
 */
struct bucket_array *hmap_mapped_array_new(struct hmap *h, u8 B, size_t size,
					   gfp_t gfp)
{
	unsigned long max = DIV_ROUND_UP(((unsigned long)OVERFLOW_PER_BUCKET << B) +
					 OVERFLOW_MORE, h->t.per_page);
	struct bucket_array *a;
	struct array_pages *p;
	size_t front = PAGE_ALIGN(struct_size(p, page, max) + sizeof(*a));

	if (B > MAX_B)
		return ERR_PTR(-ENOMEM);
	size = front + PAGE_ALIGN(size);
	p = hmap_alloc(h, size, gfp | __GFP_ZERO);
	if (IS_ERR(p))
		return ERR_CAST(p);
	a = (void *)p + front - sizeof(*a);
	INIT_LIST_HEAD(&p->list);
	p->a = a;
	p->nr_bucket_pages = (size - front) >> PAGE_SHIFT;
	p->max = max;
	a->pages = p;
	a->bytes = size;
	return a;
}

void hmap_mapped_array_free(struct bucket_array *a)
{
	struct array_pages *p = a->pages;
	struct hmap *h = a->h;
	unsigned long i;

	for (i = 0; i < p->nr; i++)
		free_page((unsigned long)p->page[i]);
	hmap_uncharge(h, p->nr * PAGE_SIZE);
	hmap_free(h, p, a->bytes);
}

/* As many as it has numbers for. */
static u64 pages_of(const struct array_pages *p)
{
	return p->nr_bucket_pages + p->max;
}

static bool has_page(const struct array_pages *p, u64 page)
{
	return page >= p->first && page - p->first < pages_of(p);
}

/* === Telling of arrays === */

static struct hmap_shown shown_of(const struct bucket_array *a)
{
	if (!a)
		return (struct hmap_shown){};
	return (struct hmap_shown){
		.page = a->pages->first,
		.pages = pages_of(a->pages),
		.overflow = a->pages->first + a->pages->nr_bucket_pages,
		.nr_spare = a->nr_spare,
		.hash0 = a->hash0,
		.B = a->B,
	};
}

/* The arrays of a map, or its seed, are about to change; under hmap.lock. */
void hmap_mapped_change(struct hmap *h)
{
	struct mapped *m = h->mapped;

	lockdep_assert_held(&h->lock);
	if (m && m->mapping)
		m->mapping->change(m->mapping);
}

/* They have changed; still under hmap.lock. */
void hmap_mapped_changed(struct hmap *h)
{
	struct bucket_array *a = buckets_locked(h);
	struct hmap_shown present, old;
	struct mapped *m = h->mapped;

	if (!m || !m->mapping)
		return;
	if (a && list_empty(&a->pages->list)) {
		a->pages->first = m->next_page;
		m->next_page += pages_of(a->pages);
		list_add_rcu(&a->pages->list, &m->arrays);
	}
	present = shown_of(a);
	old = shown_of(a ? old_of(a) : NULL);
	m->mapping->changed(m->mapping, &present, &old);
}

/* An array is no longer the old one; no guard held. */
void hmap_mapped_update(struct hmap *h)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	hmap_mapped_change(h);
	hmap_mapped_changed(h);
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

/* === Showing pages === */

/* Under mapped.lock, and no other: there may be many that are to be freed. */
static struct array_pages *find_array(struct mapped *m, u64 page)
{
	struct array_pages *p;

	list_for_each_entry_rcu(p, &m->arrays, list,
				lockdep_is_held(&m->lock)) {
		if (has_page(p, page))
			return p;
	}
	return NULL;
}

/* What is to be seen as a page; under mapped.lock. */
static void *page_at(struct hmap *h, u64 page)
{
	struct array_pages *p;

	if (!page)
		return h->mapped->control;
	p = find_array(h->mapped, page);
	if (!p)
		return gone_page;
	page -= p->first;
	if (page < p->nr_bucket_pages)
		return (void *)p->a->data + page * PAGE_SIZE;
	page -= p->nr_bucket_pages;
	if (page >= READ_ONCE(p->nr)) {
		WRITE_ONCE(p->missed, true);
		smp_mb();	/* pairs with that in add_page() */
	}
	/* Pairs with the release in add_page(). */
	return page < smp_load_acquire(&p->nr) ? p->page[page] : gone_page;
}

/**
 * hmap_mapping_get() - Begin to show a page.
 * @h: the map, which has a mapping
 * @page: its number
 *
 * Call hmap_mapping_put() when whoever is to see it can, or will not.
 *
 * Context: Process context, may sleep.
 * Return: The number of the page frame; where there is no such page, or none
 * yet or any more, that of one that is filled with EVACUATED_Y.
 */
unsigned long hmap_mapping_get(struct hmap *h, u64 page)
{
	void *p;

	down_read(&h->mapped->lock);
	p = page_at(h, page);
	return is_vmalloc_addr(p) ? vmalloc_to_pfn(p) :
				    page_to_pfn(virt_to_page(p));
}
EXPORT_SYMBOL_TEST(hmap_mapping_get);

/* End what hmap_mapping_get() began. */
void hmap_mapping_put(struct hmap *h)
{
	up_read(&h->mapped->lock);
}
EXPORT_SYMBOL_TEST(hmap_mapping_put);

/**
 * hmap_mapping_layout() - Tell how buckets are laid out.
 * @h: the map, which is a mapped one
 * @layout: where to
 *
 * Context: Any.
 */
void hmap_mapping_layout(const struct hmap *h, struct hmap_layout *layout)
{
	const struct hmap_type *t = &h->t;

	*layout = (struct hmap_layout){
		.key_slot = t->key_slot,
		.elem_slot = t->elem_slot,
		.keys = sizeof(struct guard) + sizeof(struct bmap),
		.elems = sizeof(struct guard) + t->elems,
		.link = sizeof(struct guard) + t->overflow,
		.stride = t->stride,
		.per_page = t->per_page,
		.secret = t->secret,
	};
}
EXPORT_SYMBOL_TEST(hmap_mapping_layout);

/*
 * Take away what others see of arrays, all at once, since it may take long.  They
 * have numbers in a row, or what is between them can be shown again.
 */
static void hide(struct mapped *m, struct llist_node *retired)
{
	u64 first = U64_MAX, end = 0;
	struct array_pages *p;
	unsigned long flags;

	llist_for_each_entry(p, retired, retired) {
		if (!list_empty(&p->list) && READ_ONCE(m->mapping))
			hmap_mark_all(p->a);
	}

	/* Then nobody is showing a page of them, and nobody will. */
	down_write(&m->lock);
	llist_for_each_entry(p, retired, retired) {
		if (list_empty(&p->list))
			continue;
		raw_spin_lock_irqsave(&p->a->h->lock, flags);
		list_del_init(&p->list);
		raw_spin_unlock_irqrestore(&p->a->h->lock, flags);
		first = min(first, p->first);
		end = max(end, p->first + pages_of(p));
	}
	downgrade_write(&m->lock);

	if (m->mapping && first < end)
		m->mapping->unmap(m->mapping, first, end - first);
	up_read(&m->lock);
}

/**
 * hmap_mapped_hide() - Take away what others see of an array.
 * @a: the array, which no lookup finds any more
 *
 * Context: Process context, may sleep.
 */
void hmap_mapped_hide(struct bucket_array *a)
{
	a->pages->retired.next = NULL;
	hide(a->h->mapped, &a->pages->retired);
}

static void free_mapped_work(struct work_struct *work)
{
	struct mapped *m = container_of(work, struct mapped, free_work);
	struct llist_node *retired = llist_del_all(&m->retired);
	struct array_pages *p, *next;
	struct hmap *h;

	hide(m, retired);
	/* The last of them may be what keeps the map. */
	llist_for_each_entry_safe(p, next, retired, retired) {
		h = p->a->h;
		hmap_mapped_array_free(p->a);
		hmap_put(h);
		cond_resched();
	}
}

/**
 * hmap_mapped_free_later() - Hide and free an array, and put its map.
 * @a: the array, which no lookup finds any more
 *
 * Context: Any.
 */
void hmap_mapped_free_later(struct bucket_array *a)
{
	struct mapped *m = a->h->mapped;

	if (llist_add(&a->pages->retired, &m->retired))
		queue_work(unmap_wq, &m->free_work);
}

/* Have overflow pages seen that somebody looked for before they were there. */
static void missed_work(struct work_struct *work)
{
	struct mapped *m = container_of(work, struct mapped, missed_work);
	struct array_pages *p;

	down_write(&m->lock);
	list_for_each_entry_rcu(p, &m->arrays, list,
				lockdep_is_held(&m->lock)) {
		if (!READ_ONCE(p->missed))
			continue;
		WRITE_ONCE(p->missed, false);
		m->mapping->unmap(m->mapping, p->first + p->nr_bucket_pages,
				  p->max);
	}
	up_write(&m->lock);
}

/* === Life === */

/**
 * hmap_mapped_init() - Make a map a mapped one.
 * @h: the map, whose type is known
 * @params: what it is to be
 *
 * Return: 0, or as hmap_alloc().
 */
int hmap_mapped_init(struct hmap *h, const struct hmap_params *params)
{
	gfp_t gfp = hmap_gfp(h->param_flags, GFP_KERNEL | __GFP_ZERO);
	struct mapped *m;
	int err;

	m = hmap_alloc(h, sizeof(*m), GFP_KERNEL | __GFP_ZERO);
	if (IS_ERR(m))
		return PTR_ERR(m);
	h->mapped = m;
	init_rwsem(&m->lock);
	INIT_LIST_HEAD(&m->arrays);
	INIT_WORK(&m->missed_work, missed_work);
	INIT_WORK(&m->free_work, free_mapped_work);
	m->next_page = 1;
	hmap_mix_secret_init(m->secret);
	h->t.mapped = true;
	h->t.per_page = PAGE_SIZE / h->t.stride;
	h->t.secret = m->secret;

	err = hmap_charge(h, PAGE_SIZE);
	if (err)
		return err;
	m->control = (void *)__get_free_page(gfp);
	if (!m->control) {
		hmap_uncharge(h, PAGE_SIZE);
		return -ENOMEM;
	}
	m->mapping = params->mapping;
	if (m->mapping)
		m->mapping->control = m->control;
	return 0;
}

/* From now on there is no mapping. */
void hmap_mapped_exit(struct hmap *h)
{
	struct mapped *m = h->mapped;
	unsigned long flags;

	cancel_work_sync(&m->missed_work);
	down_write(&m->lock);
	raw_spin_lock_irqsave(&h->lock, flags);
	WRITE_ONCE(m->mapping, NULL);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	up_write(&m->lock);
}

void hmap_mapped_free(struct hmap *h)
{
	struct mapped *m = h->mapped;

	free_page((unsigned long)m->control);
	hmap_free(h, m, sizeof(*m));
}
