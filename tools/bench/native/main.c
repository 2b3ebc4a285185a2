// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of the kernel side by side, in nanoseconds: built into a User-mode
 * Linux kernel, which runs this when it boots, and then ends.
 *
 * Results are lines of the kernel's log that begin with "bench: ".  A figure is
 * the median of several rounds.  In each round each implementation in turn makes
 * a table, fills it, reads it and empties it, so that a host that becomes slower
 * does so for all of them.
 */
#define pr_fmt(fmt) "bench: " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "native.h"
#include "internal.h"

#define MAX_ROUNDS	15

static unsigned int sizes[16] = { 1000, 50000, 1000000, 8000000 };
static unsigned int nr_sizes = 4;
module_param_array(sizes, uint, &nr_sizes, 0);
MODULE_PARM_DESC(sizes, "Numbers of entries");

static char *keys[NR_KEY_KINDS] = { "u64", "bytes16", "string" };
static unsigned int nr_keys = NR_KEY_KINDS;
module_param_array(keys, charp, &nr_keys, 0);
MODULE_PARM_DESC(keys, "Kinds of keys");

static const struct impl *const impls[] = {
	&hmap_impl, &rhashtable_impl, &bpf_htab_impl, &bpf_htab_noprealloc_impl,
	&bpf_rhash_impl, &xarray_impl, &hashtable_impl,
};

static char *only[ARRAY_SIZE(impls)];
static unsigned int nr_only;
module_param_array(only, charp, &nr_only, 0);
MODULE_PARM_DESC(only, "Names of implementations, if not all");

static unsigned int rounds = 5;
module_param(rounds, uint, 0);
MODULE_PARM_DESC(rounds, "Rounds, of which the median counts");

static unsigned int operations = 2000000;
module_param(operations, uint, 0);
MODULE_PARM_DESC(operations, "Least number of operations, in all rounds");

/* === Figures === */

enum op_id {
	HIT,
	CHAIN,
	MISS,
	INSERT_GROW,
	INSERT_PRESIZED,
	DELETE,
	ITERATE,
	MIX9010,
	MIX5050,
	NR_OPS,
};

static const char *const op_names[NR_OPS] = {
	"hit", "chain", "miss", "insert_grow", "insert_presized", "delete",
	"iterate", "mix9010", "mix5050",
};

/* Of an implementation, for a kind and number of keys. */
struct figures {
	u64 ps[NR_OPS][MAX_CPUS][MAX_ROUNDS];	/* per operation */
	unsigned int nr[NR_OPS][MAX_CPUS];
	u64 bytes;				/* per entry, times 100 */
};

static struct figures figures[ARRAY_SIZE(impls)];
static bool failed;

static void add_figure(const struct impl *impl, struct figures *f, enum op_id op,
		       unsigned int cpus, u64 ns, unsigned long done,
		       unsigned long good, unsigned long expected)
{
	if (good != expected) {
		pr_err("failed: %s %s, %lu of %lu\n", impl->name,
		       op_names[op], good, expected);
		failed = true;
		return;
	}
	f->ps[op][cpus - 1][f->nr[op][cpus - 1]++] = div_u64(ns * 1000, done);
}

static int compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 :
	       *(const u64 *)a > *(const u64 *)b;
}

static void report(const struct impl *impl, const struct stream *s,
		   struct figures *f, enum op_id op, unsigned int cpus)
{
	unsigned int nr = f->nr[op][cpus - 1];
	u64 *ps = f->ps[op][cpus - 1];

	if (!nr)
		return;
	sort(ps, nr, sizeof(*ps), compare, NULL);
	ps += nr / 2;
	pr_info("%s,%s,%s,%lu,%u,%llu.%02llu,%llu.%02llu\n",
		impl->name, op_names[op], key_kind_names[s->kind], s->n, cpus,
		*ps / 1000, *ps % 1000 / 10, f->bytes / 100, f->bytes % 100);
}

/* === A round === */

static void time_loop(const struct impl *impl, struct figures *f, enum op_id op,
		      loop_fn loop, void *table, const struct stream *s,
		      const void *keys, unsigned int cpus, unsigned long times,
		      bool found)
{
	unsigned long done = s->n * times, good = 0;
	u64 ns = crew_time(loop, table, s, keys, cpus, times, &good);

	add_figure(impl, f, op, cpus, ns, done, good, found ? done : 0);
}

static void time_iterate(const struct impl *impl, struct figures *f,
			 void *table, const struct stream *s,
			 unsigned long times)
{
	u64 start = ktime_get_ns();
	unsigned long i, good = 0;

	for (i = 0; i < times; i++)
		good += impl->iterate(table);
	add_figure(impl, f, ITERATE, 1, ktime_get_ns() - start, s->n * times,
		   good, s->n * times);
}

/* What leaves a table as it was. */
static void time_reads(const struct impl *impl, struct figures *f, void *table,
		       const struct stream *s, unsigned long times)
{
	const struct loops *l = impl->loops[s->kind];
	unsigned int cpus;

	time_loop(impl, f, CHAIN, l->chain, table, s, s->hit, 1, times, true);
	time_loop(impl, f, MISS, l->lookup, table, s, s->miss, 1, times, false);
	time_iterate(impl, f, table, s, times);
	for (cpus = 1; cpus <= min(num_online_cpus(), MAX_CPUS); cpus++) {
		time_loop(impl, f, HIT, l->lookup, table, s, s->hit, cpus,
			  times, true);
		time_loop(impl, f, MIX9010, l->mix10, table, s, s->hit, cpus,
			  times, true);
		time_loop(impl, f, MIX5050, l->mix50, table, s, s->hit, cpus,
			  times, true);
	}
}

static void time_growth(const struct impl *impl, struct figures *f,
			const struct stream *s, unsigned long times)
{
	unsigned long good = 0, i;
	u64 ns = 0, start;
	void *table;

	for (i = 0; i < times; i++) {
		table = impl->create(s->kind, 0);
		if (!table)
			break;
		start = ktime_get_ns();
		good += impl->loops[s->kind]->insert(table, s->insert, s->n);
		ns += ktime_get_ns() - start;
		impl->destroy(table);
	}
	add_figure(impl, f, INSERT_GROW, 1, ns, s->n * times, good,
		   s->n * times);
}

/* Fill a table and empty it, and when it is full for the last time read it. */
static void time_life(const struct impl *impl, struct figures *f,
		      const struct stream *s, unsigned long times)
{
	const struct loops *l = impl->loops[s->kind];
	unsigned long inserted = 0, deleted = 0, i;
	u64 insert_ns = 0, delete_ns = 0, start;
	void *table;

	table = impl->create(s->kind, impl->presizes ? s->n : 0);
	for (i = 1; table && i <= times; i++) {
		start = ktime_get_ns();
		inserted += l->insert(table, s->insert, s->n);
		insert_ns += ktime_get_ns() - start;
		if (i == times) {
			impl->settle(table);
			memory_drain();
			time_reads(impl, f, table, s, times);
		}
		start = ktime_get_ns();
		deleted += l->delete(table, s->hit, s->n);
		delete_ns += ktime_get_ns() - start;
	}
	if (table)
		impl->destroy(table);
	if (impl->presizes)
		add_figure(impl, f, INSERT_PRESIZED, 1, insert_ns,
			   s->n * times, inserted, s->n * times);
	add_figure(impl, f, DELETE, 1, delete_ns, s->n * times, deleted,
		   s->n * times);
}

/* === All of it === */

static bool wanted(const struct impl *impl, enum key_kind kind, unsigned long n)
{
	return impl->loops[kind] && (!impl->max_n || n <= impl->max_n) &&
	       (!nr_only || match_string((const char *const *)only, nr_only,
					 impl->name) >= 0);
}

static int bench(enum key_kind kind, unsigned long n)
{
	unsigned long times = max(1UL, operations / rounds / n);
	struct stream s;
	unsigned int round, cpus, i;
	enum op_id op;
	int err;

	err = stream_init(&s, kind, n);
	if (err)
		return err;
	memset(figures, 0, sizeof(figures));
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < ARRAY_SIZE(impls); i++) {
			if (!wanted(impls[i], kind, n))
				continue;
			if (impls[i]->grows)
				time_growth(impls[i], &figures[i], &s, times);
			time_life(impls[i], &figures[i], &s, times);
			memory_drain();
		}
	}
	for (i = 0; i < ARRAY_SIZE(impls); i++) {
		if (!wanted(impls[i], kind, n))
			continue;
		figures[i].bytes = memory_per_entry(impls[i], &s, n);
		for (op = 0; op < NR_OPS; op++)
			for (cpus = 1; cpus <= MAX_CPUS; cpus++)
				report(impls[i], &s, &figures[i], op, cpus);
	}
	stream_exit(&s);
	return 0;
}

static int bench_all(void)
{
	unsigned int i, j;
	int kind, err;

	for (i = 0; i < nr_keys; i++) {
		kind = match_string(key_kind_names, NR_KEY_KINDS, keys[i]);
		if (kind < 0)
			return kind;
		for (j = 0; j < nr_sizes; j++) {
			err = bench(kind, sizes[j]);
			if (err)
				return err;
		}
	}
	return 0;
}

static int __init native_init(void)
{
	int err;

	set_cpus_allowed_ptr(current, cpumask_of(0));
	crew_nice();
	memory_touch();
	err = hmap_core_init();
	err = err ?: names_init();
	err = err ?: bench_all();
	pr_info("status %d\n", failed ? -EIO : err);
	kernel_power_off();
	return 0;
}

late_initcall_sync(native_init);
