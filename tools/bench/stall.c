// SPDX-License-Identifier: GPL-2.0
/*
 * The longest single insert while a table grows from empty, for hmap and for
 * rhashtable, in cycles of the time stamp counter.  In QEMU with -icount
 * shift=0 that counter counts the instructions of the guest.
 *
 * An insert during which an interrupt arrived or another task ran says nothing
 * about the table.  There are few, and they are counted apart.
 */
#include <linux/kernel_stat.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timex.h>
#include <linux/vmalloc.h>

#include "hmap.h"

static unsigned int n = 1000000;
module_param(n, uint, 0444);
MODULE_PARM_DESC(n, "Entries to insert");

struct result {
	u32 *cycles;		/* of the inserts that nothing disturbed */
	unsigned int nr;
	unsigned int disturbed;
	unsigned int failed;
};

/* A bijection, so that all keys differ: the finalizer of MurmurHash3. */
static u64 key_of(u64 i)
{
	i = (i ^ i >> 33) * 0xff51afd7ed558ccdULL;
	i = (i ^ i >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return i ^ i >> 33;
}

/* Changes when an interrupt, a softirq or another task has run on this CPU. */
static unsigned long disturbances(void)
{
	unsigned long sum = current->nvcsw + current->nivcsw;
	int cpu = raw_smp_processor_id();
	unsigned int i;

	sum += kstat_cpu_irqs_sum(cpu) + this_cpu_read(irq_stat.apic_timer_irqs);
	for (i = 0; i < NR_SOFTIRQS; i++)
		sum += kstat_softirqs_cpu(i, cpu);
	return sum;
}

static void time_inserts(struct result *r, void *table,
			 int (*insert)(void *table, u64 key))
{
	unsigned long before;
	cycles_t start, end;
	unsigned int i;

	for (i = 0; i < n; i++) {
		cond_resched();
		before = disturbances();
		start = get_cycles();
		if (insert(table, key_of(i)))
			r->failed++;
		end = get_cycles();
		if (disturbances() != before)
			r->disturbed++;
		else
			r->cycles[r->nr++] = end - start;
	}
}

static int compare(const void *a, const void *b)
{
	return *(const u32 *)a < *(const u32 *)b ? -1 :
	       *(const u32 *)a > *(const u32 *)b;
}

static u32 quantile(const struct result *r, unsigned int per_10000)
{
	return r->cycles[div_u64((u64)(r->nr - 1) * per_10000, 10000)];
}

static void report(const char *impl, struct result *r)
{
	if (!r->nr)
		return;
	sort(r->cycles, r->nr, sizeof(*r->cycles), compare, NULL);
	pr_info("stall: %s,%u,%u,%u,%u,%u,insns (%u disturbed, %u failed)\n",
		impl, n, quantile(r, 5000), quantile(r, 9900),
		quantile(r, 9999), r->cycles[r->nr - 1], r->disturbed,
		r->failed);
}

/* === hmap === */

static int insert_hmap(void *table, u64 key)
{
	return hmap_insert(table, &key, &key, HMAP_ANY, GFP_KERNEL);
}

static int run_hmap(struct result *r)
{
	const struct hmap_params params = {
		.key_kind = HMAP_KEY_U64,
		.key_size = sizeof(u64),
		.elem_size = sizeof(u64),
	};
	struct hmap *h = hmap_create(&params);

	if (IS_ERR(h))
		return PTR_ERR(h);
	time_inserts(r, h, insert_hmap);
	hmap_destroy(h);
	return 0;
}

/* === rhashtable === */

struct entry {
	struct rhash_head head;
	u64 key;
	u64 elem;
};

static const struct rhashtable_params rht_params = {
	.key_len = sizeof(u64),
	.key_offset = offsetof(struct entry, key),
	.head_offset = offsetof(struct entry, head),
};

static int insert_rht(void *table, u64 key)
{
	struct entry *e = kmalloc(sizeof(*e), GFP_KERNEL);

	if (!e)
		return -ENOMEM;
	e->key = key;
	e->elem = key;
	return rhashtable_insert_fast(table, &e->head, rht_params);
}

static void free_entry(void *e, void *unused)
{
	kfree(e);
}

static int run_rht(struct result *r)
{
	struct rhashtable table;
	int err = rhashtable_init(&table, &rht_params);

	if (err)
		return err;
	time_inserts(r, &table, insert_rht);
	rhashtable_free_and_destroy(&table, free_entry, NULL);
	return 0;
}

static int run(const char *impl, int (*fn)(struct result *r))
{
	struct result r = { .cycles = vmalloc(array_size(n, sizeof(u32))) };
	int err;

	if (!r.cycles)
		return -ENOMEM;
	/* Touch it now rather than between two inserts. */
	memset(r.cycles, 0, array_size(n, sizeof(u32)));
	err = fn(&r);
	if (!err)
		report(impl, &r);
	vfree(r.cycles);
	return err;
}

static int __init stall_init(void)
{
	return run("hmap", run_hmap) ?: run("rhashtable", run_rht);
}

static void __exit stall_exit(void)
{
}

module_init(stall_init);
module_exit(stall_exit);
MODULE_DESCRIPTION("The longest insert into a growing table");
MODULE_LICENSE("GPL");
