// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a table takes: how many pages fewer are free when it is filled.
 * That counts all there is, whichever allocator it comes from: slabs, large
 * pages, vmalloc, percpu, page tables.  What the allocators keep in stock, and
 * round up, is a few dozen pages, so that small tables are made several times.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "native.h"
#include "internal.h"

#define ENOUGH_ENTRIES	BIT(17)
#define MAX_TABLES	128

/*
 * Wait until what was freed is free; hmap has a work item for arrays, which runs
 * after a grace period.
 */
void memory_drain(void)
{
	kvfree_rcu_barrier();
	rcu_barrier();
	flush_workqueue(hmap_wq);
}

static unsigned long free_pages_now(void)
{
	memory_drain();
	vm_unmap_aliases();
	drain_all_pages(NULL);
	return global_zone_page_state(NR_FREE_PAGES);
}

/**
 * memory_per_entry() - Measure how much memory tables take.
 * @impl: which tables
 * @s: what to fill them with
 * @n: how many of those keys
 *
 * Return: Bytes per entry, times 100; or 0 if there was not enough memory.
 */
u64 memory_per_entry(const struct impl *impl, const struct stream *s,
		     unsigned long n)
{
	unsigned long nr = clamp(ENOUGH_ENTRIES / n, 1UL, MAX_TABLES);
	static void *tables[MAX_TABLES];
	unsigned long before, after, good = 0, i;

	before = free_pages_now();
	for (i = 0; i < nr; i++) {
		tables[i] = impl->create(s->kind, impl->grows ? 0 : n);
		if (!tables[i])
			break;
		good += impl->loops[s->kind]->insert(tables[i], s->insert, n);
		impl->settle(tables[i]);
	}
	after = free_pages_now();
	for (i = 0; i < nr && tables[i]; i++)
		impl->destroy(tables[i]);
	if (good != nr * n)
		return 0;
	return div_u64((u64)(before - after) * PAGE_SIZE * 100, nr * n);
}

/*
 * The host gives memory page by page when it is first touched, which is not to
 * happen while something is timed.
 */
void memory_touch(void)
{
	LIST_HEAD(pages);
	struct page *page, *next;
	unsigned int order = MAX_PAGE_ORDER;
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;

	while ((page = alloc_pages(gfp | __GFP_ZERO, order)))
		list_add(&page->lru, &pages);
	list_for_each_entry_safe(page, next, &pages, lru)
		__free_pages(page, order);
}
