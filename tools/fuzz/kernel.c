// SPDX-License-Identifier: GPL-2.0
/*
 * What of kernel.h is not in the header.
 */
#include <stdlib.h>

struct sim sim;
static struct mem_cgroup memcg;
struct task_struct sim_task = { .mm = &memcg };

void sim_wrong(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: wrong: %s\n", file, line, what);
	abort();
}

void sim_might_sleep(void)
{
	wrong_if(sim.rcu_depth || sim.irqs_off || sim.guards);
}

void *memchr_inv(const void *p, int byte, size_t size)
{
	const u8 *at = p;

	for (; size; size--, at++) {
		if (*at != (u8)byte)
			return (void *)at;
	}
	return NULL;
}

ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
	return len;
}

/* === Chance === */

/* Marsaglia's xorshift: all that matters is that it repeats. */
u64 sim_random(void)
{
	sim.random ^= sim.random << 13;
	sim.random ^= sim.random >> 7;
	sim.random ^= sim.random << 17;
	return sim.random;
}

void get_random_bytes(void *p, size_t size)
{
	u8 *to = p;

	while (size--)
		*to++ = sim_random() >> 32;
}

#define ROTL(x, n)	((x) << (n) | (x) >> (64 - (n)))

static void sip_round(u64 v[4])
{
	v[0] += v[1];
	v[1] = ROTL(v[1], 13) ^ v[0];
	v[0] = ROTL(v[0], 32);
	v[2] += v[3];
	v[3] = ROTL(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTL(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTL(v[1], 17) ^ v[2];
	v[2] = ROTL(v[2], 32);
}

static void sip_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

u64 siphash(const void *data, size_t len, const siphash_key_t *key)
{
	u64 v[4] = {
		key->key[0] ^ 0x736f6d6570736575ULL,
		key->key[1] ^ 0x646f72616e646f6dULL,
		key->key[0] ^ 0x6c7967656e657261ULL,
		key->key[1] ^ 0x7465646279746573ULL,
	};
	u64 word, last = (u64)len << 56;
	int i;

	for (; len >= 8; len -= 8, data += 8) {
		memcpy(&word, data, 8);
		sip_word(v, le64toh(word));
	}
	for (i = 0; i < (int)len; i++)
		last |= (u64)((const u8 *)data)[i] << (8 * i);
	sip_word(v, last);
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* === Allocation === */

#define POISON	0xa5

static bool may_allocate(gfp_t gfp)
{
	wrong_if(sim.guards);
	if (gfpflags_allow_blocking(gfp))
		sim_might_sleep();
	if (!sim.fail_in || --sim.fail_in)
		return true;
	if (--sim.fail_for)
		sim.fail_in = 1;
	sim.failed++;
	return false;
}

static void *fill(void *p, size_t size, gfp_t gfp)
{
	wrong_if(!p);
	sim.allocated++;
	return memset(p, gfp & __GFP_ZERO ? 0 : POISON, size);
}

void *sim_alloc(size_t size, gfp_t gfp)
{
	return may_allocate(gfp) ? fill(malloc(size), size, gfp) : NULL;
}

void sim_free(const void *p)
{
	sim.allocated -= !!p;
	free((void *)p);
}

/* So few are alive at once that a list will do. */
struct vm_area {
	struct vm_area *next;
	char *p;
	size_t size;
};

static struct vm_area *vm_areas;

void *sim_alloc_pages(size_t size, gfp_t gfp, bool vmalloc)
{
	struct vm_area *area;
	void *p;

	if (!may_allocate(gfp))
		return NULL;
	size = PAGE_ALIGN(size);
	p = fill(aligned_alloc(PAGE_SIZE, size), size, gfp);
	if (vmalloc) {
		area = malloc(sizeof(*area));
		*area = (struct vm_area){ vm_areas, p, size };
		vm_areas = area;
	}
	return p;
}

void sim_free_pages(void *p, bool vmalloc)
{
	struct vm_area **at, *area;

	for (at = &vm_areas; (area = *at); at = &area->next) {
		if (area->p == p)
			break;
	}
	wrong_if(vmalloc != !!area);
	if (area) {
		*at = area->next;
		free(area);
	}
	sim_free(p);
}

bool is_vmalloc_addr(const void *p)
{
	struct vm_area *area;

	for (area = vm_areas; area; area = area->next) {
		if ((char *)p >= area->p && (char *)p < area->p + area->size)
			return true;
	}
	return false;
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned int flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = sim_alloc(sizeof(*cache), GFP_KERNEL);

	wrong_if(align > 8);
	if (cache)
		*cache = (struct kmem_cache){ .size = size };
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	wrong_if(cache->objects);
	sim_free(cache);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *p = sim_alloc(cache->size, gfp | __GFP_ZERO);

	cache->objects += !!p;
	return p;
}

void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	cache->objects--;
	sim_free(p);
}

/* === RCU === */

static struct rcu_head *callbacks, **callbacks_end = &callbacks;

void call_rcu(struct rcu_head *rcu, void (*func)(struct rcu_head *rcu))
{
	rcu->func = func;
	rcu->next = NULL;
	*callbacks_end = rcu;
	callbacks_end = &rcu->next;
}

void sim_grace_period(void)
{
	struct rcu_head *rcu;

	wrong_if(sim.rcu_depth);
	while ((rcu = callbacks)) {
		callbacks = rcu->next;
		if (!callbacks)
			callbacks_end = &callbacks;
		rcu->func(rcu);
	}
}

/* Callbacks may run then, too, and it is for the worse if they do. */
void synchronize_rcu(void)
{
	sim_might_sleep();
	sim_grace_period();
}

/* === Work === */

static struct work_struct *works, **works_end = &works;
static struct delayed_work *timers;

struct workqueue_struct *sim_workqueue(void)
{
	return sim_alloc(sizeof(struct workqueue_struct), GFP_KERNEL);
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	flush_workqueue(wq);
	sim_free(wq);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	if (work->queued)
		return false;
	work->wq = wq;
	work->next = NULL;
	work->queued = works_end;
	*works_end = work;
	works_end = &work->next;
	return true;
}

static void unqueue(struct work_struct *work)
{
	*work->queued = work->next;
	if (work->next)
		work->next->queued = work->queued;
	else
		works_end = work->queued;
	work->queued = NULL;
}

static void run(struct work_struct *work)
{
	unsigned int flags = current->flags;

	sim_might_sleep();
	unqueue(work);
	current->flags |= PF_WQ_WORKER;
	work->func(work);
	current->flags = flags;
	sim_might_sleep();
}

/* Run one of the work items that are queued; false if there are not so many. */
bool sim_run_work(unsigned int nth)
{
	struct work_struct *work = works;

	while (work && nth--)
		work = work->next;
	if (work)
		run(work);
	return work;
}

static struct work_struct *queued_on(struct workqueue_struct *wq,
				     struct work_struct *work)
{
	while (work && work->wq != wq)
		work = work->next;
	return work;
}

/* What is queued by now, and not what that queues. */
void flush_workqueue(struct workqueue_struct *wq)
{
	struct work_struct *work;
	unsigned int n = 0;

	for (work = queued_on(wq, works); work; work = queued_on(wq, work->next))
		n++;
	while (n-- && (work = queued_on(wq, works)))
		run(work);
}

bool flush_work(struct work_struct *work)
{
	if (!work->queued)
		return false;
	run(work);
	return true;
}

bool cancel_work_sync(struct work_struct *work)
{
	sim_might_sleep();
	if (!work->queued)
		return false;
	unqueue(work);
	return true;
}

static void stop_timer(struct delayed_work *d)
{
	struct delayed_work **at = &timers;

	if (!d->pending)
		return;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->pending = false;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
			unsigned long delay)
{
	if (delayed_work_pending(d))
		return false;
	if (!delay)
		return queue_work(wq, &d->work);
	d->work.wq = wq;
	d->due = sim.jiffies + delay;
	d->pending = true;
	d->next = timers;
	timers = d;
	return true;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *d,
		      unsigned long delay)
{
	bool pending = delayed_work_pending(d);

	stop_timer(d);
	if (d->work.queued)
		unqueue(&d->work);
	queue_delayed_work(wq, d, delay);
	return pending;
}

static void fire(struct delayed_work *d)
{
	stop_timer(d);
	queue_work(d->work.wq, &d->work);
}

bool flush_delayed_work(struct delayed_work *d)
{
	if (d->pending)
		fire(d);
	return flush_work(&d->work);
}

bool cancel_delayed_work_sync(struct delayed_work *d)
{
	bool pending = d->pending;

	stop_timer(d);
	return cancel_work_sync(&d->work) || pending;
}

/* Work that is due then is queued, and not run yet. */
void sim_pass_time(uint64_t jiffies)
{
	struct delayed_work *d, *next;

	sim.jiffies += jiffies;
	for (d = timers; d; d = next) {
		next = d->next;
		if (d->due <= sim.jiffies)
			fire(d);
	}
}

static void rcu_work_func(struct rcu_head *rcu)
{
	struct rcu_work *r = container_of(rcu, struct rcu_work, rcu);

	r->pending = false;
	queue_work(r->work.wq, &r->work);
}

bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *r)
{
	if (r->pending || r->work.queued)
		return false;
	r->pending = true;
	r->work.wq = wq;
	call_rcu(&r->rcu, rcu_work_func);
	return true;
}

bool flush_rcu_work(struct rcu_work *r)
{
	if (r->pending)
		synchronize_rcu();
	return flush_work(&r->work);
}

/* For each input the same. */
void sim_reset(void)
{
	wrong_if(works || timers || callbacks || memcg.refs);
	sim = (struct sim){ .allocated = sim.allocated, .random = 88172645463325252 };
}
