// SPDX-License-Identifier: GPL-2.0
/*
 * Loops on several CPUs at once: a thread bound to each, with its share of the
 * keys.  They start together, and what is timed ends with the last of them.
 */
#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>

#include "native.h"

struct crew {
	loop_fn loop;
	void *table;
	const struct stream *s;
	unsigned long times;
	atomic_t waiting;		/* those that are not at the start yet */
};

struct hand {
	struct crew *crew;
	const void *keys;
	unsigned long n;
	unsigned long good;
	u64 start;
	u64 end;
	struct completion done;
};

/*
 * Work items of tables run as soon as they are queued, as they would on a machine
 * with a CPU to spare, and not at the next tick, after ever longer chains.
 */
void crew_nice(void)
{
	set_user_nice(current, MAX_NICE);
}

static int work(void *data)
{
	struct hand *hand = data;
	struct crew *crew = hand->crew;
	const struct stream *s = crew->s;
	const void *keys;
	unsigned long i;

	crew_nice();
	atomic_dec(&crew->waiting);
	while (atomic_read(&crew->waiting))
		cond_resched();
	hand->start = ktime_get_ns();
	for (i = 0; i < crew->times; i++) {
		keys = hand->keys + i % s->orders * s->n * s->key_size;
		hand->good += crew->loop(crew->table, keys, hand->n);
	}
	hand->end = ktime_get_ns();
	complete(&hand->done);
	return 0;
}

/**
 * crew_time() - Time a loop over some keys.
 * @loop: what to do
 * @table: to what
 * @s: the keys' kind and number
 * @keys: the keys, in all orders
 * @cpus: on how many CPUs at once
 * @times: how often to go over the keys
 * @good: what the loops returned is added to it
 *
 * Return: Nanoseconds from the first one's start to the last one's end.
 */
u64 crew_time(loop_fn loop, void *table, const struct stream *s,
	      const void *keys, unsigned int cpus, unsigned long times,
	      unsigned long *good)
{
	struct crew crew = { loop, table, s, times };
	struct hand hands[MAX_CPUS] = {};
	u64 start = U64_MAX, end = 0;
	struct task_struct *task;
	unsigned int cpu;

	atomic_set(&crew.waiting, cpus);
	for (cpu = 0; cpu < cpus; cpu++) {
		unsigned long first = s->n * cpu / cpus;
		struct hand *hand = &hands[cpu];

		hand->crew = &crew;
		hand->keys = keys + first * s->key_size;
		hand->n = s->n * (cpu + 1) / cpus - first;
		init_completion(&hand->done);
		task = kthread_run_on_cpu(work, hand, cpu, "native/%u");
		if (IS_ERR(task))
			panic("native: no memory for a thread");
	}
	for (cpu = 0; cpu < cpus; cpu++) {
		wait_for_completion(&hands[cpu].done);
		start = min(start, hands[cpu].start);
		end = max(end, hands[cpu].end);
		*good += hands[cpu].good;
	}
	return end - start;
}

/* === irq_work === */

DEFINE_PER_CPU(bool, irq_work_raised);

/* Called by what queues an irq_work, in place of a function that does nothing. */
void arch_irq_work_raise(void)
{
	raw_cpu_write(irq_work_raised, true);
}

void irq_work_now(void)
{
	unsigned long flags;

	local_irq_save(flags);
	raw_cpu_write(irq_work_raised, false);
	irq_work_run();
	local_irq_restore(flags);
}
