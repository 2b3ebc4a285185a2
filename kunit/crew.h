/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crew: kthreads that work for a test, spread over the CPUs.
 *
 * A test asserts nothing from crew_add() to crew_stop(), so that no thread
 * outlives it; what the threads find wrong they leave in atomics.
 */
#ifndef _HMAP_KUNIT_CREW_H
#define _HMAP_KUNIT_CREW_H

#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#define CREW_MAX	16

struct crew {
	struct task_struct *task[CREW_MAX];
	unsigned int nr;
};

static inline unsigned int crew_cpu(unsigned int nth)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);

	for (nth %= num_online_cpus(); nth; nth--)
		cpu = cpumask_next(cpu, cpu_online_mask);
	return cpu;
}

/* Add a thread, on the CPU after that of the one before. */
static inline int crew_add(struct crew *crew, int (*work)(void *), void *arg)
{
	struct task_struct *task;

	if (crew->nr == CREW_MAX)
		return -E2BIG;
	task = kthread_create(work, arg, "hmap_crew/%u", crew->nr);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, crew_cpu(crew->nr));
	crew->task[crew->nr++] = get_task_struct(task);
	return 0;
}

static inline void crew_start(struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->nr; i++)
		wake_up_process(crew->task[i]);
}

/* Stop them all; each is to look at kthread_should_stop() or to return. */
static inline void crew_stop(struct crew *crew)
{
	while (crew->nr) {
		kthread_stop(crew->task[--crew->nr]);
		put_task_struct(crew->task[crew->nr]);
	}
}

/*
 * A case that goes on for STRESS_MS is cut into slices, each a case of its own
 * for KUnit, which stops what takes minutes.  No module parameter: KUnit may run
 * the tests before those are parsed.
 */
#ifndef STRESS_MS
#define STRESS_MS	2000
#endif
#define STRESS_SLICES	DIV_ROUND_UP(STRESS_MS, 10000)
#define STRESS_SLICE_MS	(STRESS_MS / STRESS_SLICES)

/*
 * As KUNIT_ARRAY_PARAM(), but all of @array, whose members have a name, comes
 * once in each slice; param_of() gives the one that a case has.  KUnit goes
 * through an array in which only the places count.
 */
#define STRESS_ARRAY_PARAM(param, array)				\
static const char param##_cases[ARRAY_SIZE(array) * STRESS_SLICES];	\
									\
static typeof(&(array)[0]) param##_at(const char *place)		\
{									\
	return &(array)[(place - param##_cases) % ARRAY_SIZE(array)];	\
}									\
									\
static void param##_describe(const char *place, char *desc)		\
{									\
	strscpy(desc, param##_at(place)->name, KUNIT_PARAM_DESC_SIZE);	\
}									\
									\
KUNIT_ARRAY_PARAM(param, param##_cases, param##_describe);		\
									\
static typeof(&(array)[0]) param##_of(struct kunit *test)		\
{									\
	return param##_at(test->param_value);				\
}

#endif /* _HMAP_KUNIT_CREW_H */
