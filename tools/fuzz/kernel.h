/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as core/ uses, for it to run in a process.
 *
 * There is one thread, and time stands still: timers, work items, RCU callbacks
 * and allocations that fail come when sim_*() are called.  What the kernel would
 * warn of - sleeping in an RCU section, a lock taken twice - ends the process, as
 * does what the sanitizers find.
 *
 * All headers of the kernel's that core/ includes are empty files here, made by
 * the Makefile; this one comes before all.
 */
#ifndef _SIM_KERNEL_H
#define _SIM_KERNEL_H

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* === The simulation === */

#define SIM_CPUS	3

struct sim {
	unsigned int cpu;		/* that the calls are made on */
	unsigned int fail_in;		/* allocations until one fails, or 0 */
	unsigned int fail_for;		/* and how many then do, one after another */
	unsigned long failed;		/* how many have */
	long allocated;			/* things that have not been freed */
	uint64_t jiffies;
	uint64_t random;
	bool signal;			/* one is pending */

	unsigned int rcu_depth;
	unsigned int irqs_off;
	unsigned int raw_locks;		/* held, and guards among them */
	unsigned int guards;
};

extern struct sim sim;

void sim_reset(void);
void sim_grace_period(void);
bool sim_run_work(unsigned int nth);
void sim_pass_time(uint64_t jiffies);
void sim_might_sleep(void);
_Noreturn void sim_wrong(const char *file, int line, const char *what);

#define wrong_if(wrong)						\
	do {								\
		if (__builtin_expect(!!(wrong), 0))			\
			sim_wrong(__FILE__, __LINE__, #wrong);		\
	} while (0)

/* === Types, and what the compiler is told === */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef unsigned long long u64;
typedef long long s64;
typedef u64 __le64;
typedef unsigned int gfp_t;

/* core/compat.h has nothing to add to the newest one. */
#define KERNEL_VERSION(major, minor, patch)	((major) << 16 | (minor) << 8 | (patch))
#define LINUX_VERSION_CODE	KERNEL_VERSION(99, 0, 0)

#ifdef __LP64__
#define CONFIG_64BIT	1
#endif
#define CONFIG_SMP	1
#define SIM_IS_1(x)	SIM_IS_1_(x)
#define SIM_IS_1_(x)	SIM_IS_1__(SIM_COMMA_##x)
#define SIM_IS_1__(x)	SIM_SECOND(x 1, 0)
#define SIM_SECOND(a, b, ...)	b
#define SIM_COMMA_1	0,
#define IS_ENABLED(config)	SIM_IS_1(config)

#define __init
#define __rcu
#define __percpu
#define __ro_after_init
#define __force
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#define noinline	__attribute__((noinline))
#define __aligned(n)	__attribute__((aligned(n)))
#define ____cacheline_aligned	__aligned(64)
#define ____cacheline_aligned_in_smp	____cacheline_aligned
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#undef static_assert
#define static_assert(x)	_Static_assert(x, #x)
#define BUILD_BUG_ON(x)	_Static_assert(!(x), #x)
#define EXPORT_SYMBOL_GPL(sym)
#define prefetch(p)	__builtin_prefetch(p)
#define prefetchw(p)	__builtin_prefetch(p, 1)
#define data_race(x)	(x)

#define BIT(n)		(1UL << (n))
#define BITS_PER_LONG	(8 * (int)sizeof(long))
#define U64_MAX		((u64)~0ULL)
#define U32_MAX		((u32)~0U)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member)					\
	((type *)((char *)(p) - offsetof(type, member)))
#define struct_size(p, member, n)	\
	(sizeof(*(p)) + (n) * sizeof(*(p)->member))

#define min(a, b)	({ __auto_type _a = (a); __auto_type _b = (b);	\
			   _a < _b ? _a : _b; })
#define max(a, b)	({ __auto_type _a = (a); __auto_type _b = (b);	\
			   _a > _b ? _a : _b; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define clamp_t(type, x, lo, hi)	min_t(type, max_t(type, x, lo), hi)
#define ALIGN(x, to)		(((x) + (to) - 1) & ~((typeof(x))(to) - 1))
#define round_up(x, to)		ALIGN(x, to)
#define DIV_ROUND_UP(x, by)	(((x) + (by) - 1) / (by))
#define check_add_overflow(a, b, sum)	__builtin_add_overflow(a, b, sum)
#define check_mul_overflow(a, b, sum)	__builtin_mul_overflow(a, b, sum)
#define check_shl_overflow(a, by, res)					\
	({ unsigned int _by = (by); bool _over = _by >= BITS_PER_LONG;	\
	   *(res) = _over ? 0 : (a) << _by; _over; })

#ifndef __SIZEOF_INT128__
/* All 128 bits of a product are wanted where there is no type for them. */
static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	u64 low = (u64)(u32)a * (u32)b;
	u64 mid = (a >> 32) * (u32)b + (low >> 32);
	u64 mid2 = (u64)(u32)a * (b >> 32) + (u32)mid;

	wrong_if(shift != 64);
	return (a >> 32) * (b >> 32) + (mid >> 32) + (mid2 >> 32);
}
#endif

#define le64_to_cpu(x)	le64toh(x)
#define cpu_to_le64(x)	htole64(x)
#define swab64(x)	__builtin_bswap64(x)
#define __ffs64(x)	((unsigned int)__builtin_ctzll(x))
#define fls64(x)	((x) ? 64U - __builtin_clzll(x) : 0)

#define MAX_ERRNO	4095
#define IS_ERR(p)	((unsigned long)(p) >= (unsigned long)-MAX_ERRNO)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define PTR_ERR(p)	((long)(p))
#define ERR_PTR(err)	((void *)(long)(err))
#define ERR_CAST(p)	((void *)(p))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)

void *memchr_inv(const void *p, int byte, size_t size);
ssize_t strscpy(char *to, const char *from, size_t size);
#define strscpy_pad(to, from, size)					\
	({ memset(to, 0, size); strscpy(to, from, size); })

/* === Memory that others write; there are none === */

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value)	((void)(*(volatile typeof(x) *)&(x) = (value)))
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, value)	WRITE_ONCE(*(p), value)
#define smp_mb()	barrier()
#define smp_rmb()	barrier()
#define smp_wmb()	barrier()
#define barrier()	__asm__ __volatile__("" : : : "memory")
/* Whoever waits for another CPU waits in vain. */
#define cpu_relax()	wrong_if("waits for ever")

#define xchg(p, new)							\
	({ typeof(p) _p = (p); typeof(*_p) _was = *_p; *_p = (new); _was; })
#define cmpxchg(p, old, new)						\
	({ typeof(p) _p = (p); typeof(*_p) _was = *_p;			\
	   if (_was == (old)) *_p = (new); _was; })
#define try_cmpxchg(p, old, new)					\
	({ typeof(p) _p = (p); typeof(*_p) _was = *_p;			\
	   bool _same = _was == *(old);					\
	   if (_same) *_p = (new); else *(old) = _was; _same; })
#define try_cmpxchg_acquire(p, old, new)	try_cmpxchg(p, old, new)

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct { s64 counter; } atomic64_t;

#define ATOMIC64_INIT(i)	{ i }
#define SIM_ADD(v, n)		((v)->counter += (n))
#define atomic_read(v)		((v)->counter)
#define atomic_inc(v)		((void)SIM_ADD(v, 1))
#define atomic_dec(v)		((void)SIM_ADD(v, -1))
#define atomic_inc_return(v)	SIM_ADD(v, 1)
#define atomic64_inc_return(v)	SIM_ADD(v, 1)
#define atomic_long_read(v)	((v)->counter)
#define atomic_long_read_acquire(v)	((v)->counter)
#define atomic_long_set(v, n)	((void)((v)->counter = (n)))
#define atomic_long_add(n, v)	((void)SIM_ADD(v, (long)(n)))
#define atomic_long_sub(n, v)	((void)SIM_ADD(v, -(long)(n)))
#define atomic_long_dec(v)	((void)SIM_ADD(v, -1))
#define atomic_long_inc_return(v)	SIM_ADD(v, 1)
#define atomic_long_sub_return(n, v)	SIM_ADD(v, -(long)(n))
#define atomic_long_fetch_inc(v)	((v)->counter++)
#define atomic_long_fetch_add(n, v)	(SIM_ADD(v, (long)(n)) - (long)(n))
#define atomic_long_xchg(v, n)	xchg(&(v)->counter, n)
#define atomic_long_try_cmpxchg(v, old, new)	\
	try_cmpxchg(&(v)->counter, old, new)

static inline long atomic_long_dec_if_positive(atomic_long_t *v)
{
	long n = v->counter - 1;

	if (n >= 0)
		v->counter = n;
	return n;
}

typedef struct { int refs; } refcount_t;

#define refcount_set(r, n)	((void)((r)->refs = (n)))
#define refcount_read(r)	((r)->refs)

static inline void refcount_inc(refcount_t *r)
{
	wrong_if(r->refs <= 0);
	r->refs++;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	if (r->refs)
		r->refs++;
	return r->refs;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	wrong_if(r->refs <= 0);
	return !--r->refs;
}

/* === CPUs and locks === */

#define nr_cpu_ids	SIM_CPUS
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < SIM_CPUS; (cpu)++)
#define per_cpu_ptr(p, cpu)	(&(p)[cpu])
/* What is asked of this CPU may be of another by then. */
#define this_cpu_ptr(p)							\
	({ wrong_if(!sim.irqs_off); &(p)[sim.cpu]; })
#define alloc_percpu_gfp(type, gfp)					\
	((type *)sim_alloc(SIM_CPUS * sizeof(type), (gfp) | __GFP_ZERO))
#define free_percpu(p)		sim_free(p)

#define local_irq_save(flags)	((void)((flags) = sim.irqs_off++))
#define local_irq_restore(flags)					\
	do {								\
		wrong_if(sim.irqs_off != (flags) + 1);		\
		sim.irqs_off = (flags);					\
	} while (0)

/* A guard is all that says so; no other lock is taken under one. */
struct lockdep_map { };
struct lock_class_key { };
#define lockdep_init_map_wait(map, name, key, subclass, wait)	((void)(key))

static inline void lock_map_acquire(struct lockdep_map *map)
{
	wrong_if(sim.guards++);
	wrong_if(!sim.irqs_off);
}

static inline void lock_map_release(struct lockdep_map *map)
{
	wrong_if(!sim.guards--);
}

typedef struct { bool held; } raw_spinlock_t;
#define raw_spin_lock_init(lock)	((void)((lock)->held = false))
#define raw_spin_lock_irqsave(lock, flags)				\
	do {								\
		local_irq_save(flags);					\
		wrong_if((lock)->held || sim.guards);			\
		(lock)->held = true;					\
	} while (0)
#define raw_spin_unlock_irqrestore(lock, flags)				\
	do {								\
		wrong_if(!(lock)->held);				\
		(lock)->held = false;					\
		local_irq_restore(flags);				\
	} while (0)
#define lockdep_is_held(lock)		((lock)->held)
#define lockdep_assert_held(lock)	wrong_if(!(lock)->held)

struct mutex { bool held; };
#define DEFINE_MUTEX(name)	struct mutex name
#define mutex_init(m)		((void)((m)->held = false))
#define mutex_lock(m)							\
	do {								\
		sim_might_sleep();					\
		wrong_if((m)->held);					\
		(m)->held = true;					\
	} while (0)
#define mutex_lock_interruptible(m)	({ mutex_lock(m); 0; })
#define mutex_unlock(m)			((void)((m)->held = false))

struct rw_semaphore { int readers; bool held; };
#define init_rwsem(s)		((void)(*(s) = (struct rw_semaphore){ }))
#define down_read(s)							\
	do {								\
		sim_might_sleep();					\
		wrong_if((s)->held);					\
		(s)->readers++;						\
	} while (0)
#define up_read(s)		((void)(s)->readers--)
#define down_write(s)							\
	do {								\
		sim_might_sleep();					\
		wrong_if((s)->held || (s)->readers);			\
		(s)->held = true;					\
	} while (0)
#define up_write(s)		((void)((s)->held = false))
#define downgrade_write(s)	\
	do { up_write(s); (s)->readers++; } while (0)

#define kcsan_atomic_next(n)		((void)(n))
#define kcsan_nestable_atomic_begin()	((void)0)
#define kcsan_nestable_atomic_end()	((void)0)
#define KCSAN_SEQLOCK_REGION_MAX	1000

/* === Lists === */

struct list_head { struct list_head *next, *prev; };

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_add_rcu(struct list_head *new, struct list_head *head)
{
	new->next = head->next;
	new->prev = head;
	head->next->prev = new;
	head->next = new;
}

static inline void list_del_init(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	INIT_LIST_HEAD(entry);
}

#define list_for_each_entry_rcu(pos, head, member, ...)			\
	for (pos = container_of((head)->next, typeof(*pos), member);	\
	     &pos->member != (head);					\
	     pos = container_of(pos->member.next, typeof(*pos), member))

struct llist_node { struct llist_node *next; };
struct llist_head { struct llist_node *first; };

#define LLIST_HEAD(name)	struct llist_head name
#define llist_entry(p, type, member)	container_of(p, type, member)
#define llist_del_all(head)	xchg(&(head)->first, NULL)

static inline bool llist_add(struct llist_node *new, struct llist_head *head)
{
	new->next = head->first;
	head->first = new;
	return !new->next;
}

#define SIM_LLIST(node, pos, member)					\
	((node) ? container_of(node, typeof(*pos), member) : NULL)
#define llist_for_each_entry(pos, node, member)				\
	for (pos = SIM_LLIST(node, pos, member); pos;			\
	     pos = SIM_LLIST(pos->member.next, pos, member))
#define llist_for_each_entry_safe(pos, n, node, member)			\
	for (pos = SIM_LLIST(node, pos, member);			\
	     pos && (n = SIM_LLIST(pos->member.next, pos, member), true); \
	     pos = n)

/* === RCU === */

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *rcu);
};

void call_rcu(struct rcu_head *rcu, void (*func)(struct rcu_head *rcu));
void synchronize_rcu(void);
#define rcu_barrier()		synchronize_rcu()
#define rcu_read_lock()		((void)sim.rcu_depth++)
#define rcu_read_unlock()	wrong_if(!sim.rcu_depth--)
#define rcu_read_lock_any_held()	(sim.rcu_depth || sim.irqs_off)
#define rcu_dereference_check(p, held)					\
	({ wrong_if(!(held)); READ_ONCE(p); })
#define rcu_dereference_protected(p, held)	rcu_dereference_check(p, held)
#define rcu_dereference(p)	\
	rcu_dereference_check(p, rcu_read_lock_any_held())
#define rcu_assign_pointer(p, to)	smp_store_release(&(p), to)
#define RCU_INIT_POINTER(p, to)		WRITE_ONCE(p, to)

/* === Work === */

struct workqueue_struct { int unused; };

struct work_struct {
	void (*func)(struct work_struct *work);
	struct work_struct *next;	/* in the queue */
	struct work_struct **queued;	/* what points to it there, or NULL */
	struct workqueue_struct *wq;
};

struct delayed_work {
	struct work_struct work;
	struct delayed_work *next;	/* among those whose time is to come */
	uint64_t due;
	bool pending;
};

struct rcu_work {
	struct work_struct work;
	struct rcu_head rcu;
	bool pending;
};

#define WQ_UNBOUND	0
#define INIT_WORK(w, f)		((void)(*(w) = (struct work_struct){ f }))
#define DECLARE_WORK(name, f)	struct work_struct name = { f }
#define INIT_DELAYED_WORK(d, f)	((void)(*(d) = (struct delayed_work){ { f } }))
#define INIT_RCU_WORK(r, f)	((void)(*(r) = (struct rcu_work){ { f } }))
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define to_rcu_work(w)		container_of(w, struct rcu_work, work)

struct workqueue_struct *sim_workqueue(void);
#define alloc_workqueue(name, flags, max)	sim_workqueue()
void destroy_workqueue(struct workqueue_struct *wq);
void flush_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool flush_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
			unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
		      unsigned long delay);
bool flush_delayed_work(struct delayed_work *d);
bool cancel_delayed_work_sync(struct delayed_work *d);
bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *r);
bool flush_rcu_work(struct rcu_work *r);
#define work_pending(w)		(!!(w)->queued)
#define delayed_work_pending(d)	((d)->pending || work_pending(&(d)->work))
/* Asked of an rcu_work's. */
#define work_busy(w)		(to_rcu_work(w)->pending || work_pending(w))

/* === Time, tasks, chance === */

#define HZ	250
#define get_jiffies_64()	((u64)sim.jiffies)
#define msecs_to_jiffies(ms)	((unsigned long)(ms) * HZ / 1000)
#define time_before64(a, b)	((s64)((a) - (b)) < 0)
#define ktime_get_ns()		((u64)sim.jiffies * (1000000000 / HZ))
#define udelay(us)		((void)(us))

struct mem_cgroup { long refs; };
struct task_struct {
	unsigned int flags;
	struct mem_cgroup *mm;
};

extern struct task_struct sim_task;
#define current			(&sim_task)
#define PF_MEMALLOC		1
#define PF_MEMALLOC_NOFS	2
#define PF_MEMALLOC_NOIO	4
#define PF_WQ_WORKER		8
#define in_task()		true
#define preemptible()		(!sim.irqs_off)
#define signal_pending(task)	((void)(task), sim.signal)
#define cond_resched()		sim_might_sleep()

static inline struct mem_cgroup *get_mem_cgroup_from_mm(struct mem_cgroup *mm)
{
	mm->refs++;
	return mm;
}

static inline void mem_cgroup_put(struct mem_cgroup *memcg)
{
	if (memcg)
		wrong_if(memcg->refs-- <= 0);
}

#define set_active_memcg(memcg)	((void)(memcg))

u64 sim_random(void);
#define get_random_u32()	((u32)sim_random())
#define get_random_long()	((unsigned long)sim_random())
void get_random_bytes(void *p, size_t size);

typedef struct { u64 key[2]; } siphash_key_t;
u64 siphash(const void *data, size_t len, const siphash_key_t *key);

/* === Allocation === */

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PMD_SIZE	(1UL << 21)
#define PAGE_ALIGN(x)	ALIGN(x, PAGE_SIZE)
#define KMALLOC_MAX_SIZE	(PAGE_SIZE << 10)

#define __GFP_DIRECT_RECLAIM	1U
#define __GFP_KSWAPD_RECLAIM	2U
#define __GFP_RECLAIM		3U
#define __GFP_ZERO		4U
#define __GFP_NOWARN		8U
#define __GFP_NOMEMALLOC	16U
#define __GFP_RETRY_MAYFAIL	32U
#define __GFP_ACCOUNT		64U
#define GFP_NOWAIT		__GFP_KSWAPD_RECLAIM
#define GFP_ATOMIC		(__GFP_KSWAPD_RECLAIM | 128U)
#define GFP_KERNEL		(__GFP_RECLAIM | 256U)
#define gfpflags_allow_blocking(gfp)	(!!((gfp) & __GFP_DIRECT_RECLAIM))

void *sim_alloc(size_t size, gfp_t gfp);
void *sim_alloc_pages(size_t size, gfp_t gfp, bool vmalloc);
void sim_free(const void *p);
void sim_free_pages(void *p, bool vmalloc);
bool is_vmalloc_addr(const void *p);

/* To the byte, so that the sanitizer sees what goes past its end. */
#define kmalloc_size_roundup(size)	(size)
#define kmalloc(size, gfp)		sim_alloc(size, gfp)
#define kzalloc(size, gfp)		sim_alloc(size, (gfp) | __GFP_ZERO)
#define kvmalloc_array(n, size, gfp)	sim_alloc((size_t)(n) * (size), gfp)
#define kfree(p)			sim_free(p)
#define kvfree(p)			sim_free(p)
#define alloc_pages_exact(size, gfp)	sim_alloc_pages(size, gfp, false)
#define free_pages_exact(p, size)	sim_free_pages(p, false)
#define __get_free_page(gfp)		\
	((unsigned long)sim_alloc_pages(PAGE_SIZE, gfp, false))
#define free_page(p)			sim_free_pages((void *)(p), false)
#define __vmalloc(size, gfp)		sim_alloc_pages(size, gfp, true)
#define vmalloc_huge(size, gfp)		sim_alloc_pages(size, gfp, true)
#define vfree(p)			sim_free_pages(p, true)
#define vmalloc_to_pfn(p)		((unsigned long)(p) >> PAGE_SHIFT)
#define virt_to_page(p)			(p)
#define page_to_pfn(p)			((unsigned long)(p) >> PAGE_SHIFT)
#define kmemleak_alloc(p, size, n, gfp)	((void)(p))
#define kmemleak_free(p)		((void)(p))

struct kmem_cache {
	size_t size;
	long objects;
};

#define SLAB_NO_MERGE	0
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned int flags, void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *p);

/* === Tracepoints, all of them on === */

#define TP_PROTO(...)		__VA_ARGS__
#define TP_ARGS(...)		(__VA_ARGS__)
#define TP_STRUCT__entry(...)	__VA_ARGS__
#define TP_fast_assign(...)	__VA_ARGS__
#define __field(type, name)	type name;
#define __array(type, name, n)	type name[n];
#define TRACE_DEFINE_ENUM(x)
#define TRACE_EVENT(name, proto, args, fields, assign, print)		\
	static inline void trace_##name(proto)				\
	{								\
		struct { fields } _entry, *__entry = &_entry;		\
		assign							\
		__asm__ __volatile__("" : : "r" (__entry) : "memory");	\
	}
#define DECLARE_EVENT_CLASS	TRACE_EVENT
#define DEFINE_EVENT(class, name, proto, args)				\
	static inline void trace_##name(proto) { trace_##class args; }

/* === KUnit, for the check of a map that its tests have === */

struct kunit { };
struct kunit_resource { void *data; };

#define kunit_alloc_resource(test, init, exit, gfp, params)	\
	((void)(init), (void)(exit), (void)(params), NULL)
#define KUNIT_ASSERT_NOT_NULL(test, p)	wrong_if(!(p))
#define KUNIT_ASSERT_NULL_MSG(test, p, ...)				\
	do {								\
		if (p)							\
			fprintf(stderr, __VA_ARGS__);			\
		wrong_if(p);						\
	} while (0)
#define KUNIT_PARAM_DESC_SIZE	128
#define KUNIT_ARRAY_PARAM(name, array, describe)			\
	static const void *name##_gen_params(const void *prev, char *desc) \
	{								\
		(void)describe;						\
		return prev ? NULL : (array);				\
	}
#define GOLDEN_RATIO_64		0x61c8864680b583ebULL
#define MODULE_DESCRIPTION(text)	struct kunit
#define MODULE_AUTHOR(text)		struct kunit
#define MODULE_LICENSE(text)		struct kunit

#endif /* _SIM_KERNEL_H */
