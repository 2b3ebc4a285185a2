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
#include <linux/kthread.h>
#include <linux/math.h>
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
 * A case that goes on for stress_ms is cut into slices, each a case of its own
 * for KUnit, which stops what takes minutes.
 */
extern const unsigned int stress_ms;

static inline unsigned int stress_slices(void)
{
	return DIV_ROUND_UP(stress_ms, 10000);
}

/*
 * As KUNIT_ARRAY_PARAM(), but all of @array, whose members have a name, comes
 * once in each slice; param_of() gives the one that a case has.
 */
#define STRESS_ARRAY_PARAM(param, array)				\
static const void *param##_gen_params(const void *prev, char *desc)	\
{									\
	unsigned long n = (unsigned long)prev;				\
									\
	if (n == ARRAY_SIZE(array) * stress_slices())			\
		return NULL;						\
	strscpy(desc, (array)[n % ARRAY_SIZE(array)].name,		\
		KUNIT_PARAM_DESC_SIZE);					\
	return (void *)(n + 1);						\
}									\
									\
static typeof(&(array)[0]) param##_of(struct kunit *test)		\
{									\
	unsigned long n = (unsigned long)test->param_value - 1;		\
									\
	return &(array)[n % ARRAY_SIZE(array)];				\
}

#endif /* _HMAP_KUNIT_CREW_H */
