// SPDX-License-Identifier: GPL-2.0
/*
 * Use maps of several kinds from many processes at once, for long.
 *
 * usage: soak SECONDS
 *
 * Some processes insert, look up and delete, others walk, read through views, use
 * batches, clear maps and change their limits; now and then one is killed in the
 * middle of what it does, and another takes its place.  Each row that is printed
 * tells what there is after so many seconds.  Every half a minute all of them end,
 * the maps are checked and unlinked, and all memory has to be back.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <hmap.h>
#include <hmap_view.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "../e2e/witness.h"

#define NR_KEYS		20000
#define BATCH		64
#define SAMPLE_SECONDS	2
#define ROUND_SECONDS	30
#define WARM_UP		2	/* rounds, until caches of memory have filled */
#define BOUND_KB	8192	/* that may be missing in the end */

static const struct hmap_create shapes[] = {
	{
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 64,
		.name = "inline",
	}, {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 64,
		.flags = HMAP_CREATE_MAPPED,
		.name = "mapped",
	}, {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = 1000,
		.flags = HMAP_CREATE_VAR_ELEM,
		.name = "by-pointer",
	}, {
		.key_kind = HMAP_KIND_BYTES,
		.key_size = 20,
		.elem_size = 32,
		.max_entries = 3000,
		.max_bytes = 1 << 20,
		.name = "limited",
	},
};

enum { INLINE, MAPPED, BY_POINTER, LIMITED, NR_MAPS };

static int fds[NR_MAPS];
static char text[1 << 20];

/* What the processes share. */
static struct {
	bool end;
	unsigned long long calls;
} *all;

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* === What the processes do, again and again === */

static void read_and_write(void)
{
	unsigned int map = random_u32() % NR_MAPS;
	__u32 nr = random_u32() % NR_KEYS;

	if (random_u32() % 2)
		witness_read(fds[map], &shapes[map], nr);
	else
		witness_write(fds[map], &shapes[map], nr);
}

static void walk(void)
{
	static unsigned int map;
	bool anew = random_u32() % 256 == 0;

	if (anew)
		map = random_u32() % NR_MAPS;
	witness_walk(fds[map], NR_KEYS, anew);
}

static void use_batches(void)
{
	static __u64 elems[BATCH][8];
	static char keys[BATCH][WITNESS_KEY_MAX];
	static __u64 packed[BATCH];
	static __s32 results[BATCH];
	const struct hmap_create *shape = &shapes[random_u32() % 2];
	__u32 first = random_u32() % (NR_KEYS - BATCH), what = random_u32() % 3;
	__u32 count = BATCH;
	int fd = fds[shape - shapes];

	for (__u32 i = 0; i < BATCH; i++) {
		witness_key(shape, first + i, keys[i]);
		memcpy(&packed[i], keys[i], 8);
		witness_fill(elems[i], sizeof(elems[i]), first + i, what);
	}
	if (what == 0)
		EQ(hmap_insert_batch(fd, packed, NULL, elems, NULL, results,
				     &count, 0), 0);
	else if (what == 1)
		EQ(hmap_delete_batch(fd, packed, NULL, results, &count), 0);
	else
		EQ(hmap_lookup_batch(fd, packed, NULL, elems, NULL, 0, results,
				     &count), 0);
	EQ(count, BATCH);
	for (__u32 i = 0; i < BATCH; i++) {
		OK(!results[i] || (results[i] == -ENOENT && what));
		if (!results[i])
			witness_check(elems[i], sizeof(elems[i]), first + i);
	}
}

static void view(void)
{
	static struct hmap_view *view;
	static __u64 elem[8];
	__u32 nr = random_u32() % NR_KEYS, len = sizeof(elem);
	char key[WITNESS_KEY_MAX];

	if (view && random_u32() % 10000 == 0) {
		hmap_view_close(view);
		view = NULL;
	}
	if (!view)
		view = hmap_view(fds[MAPPED]);
	OK(view);
	if (hmap_view_lookup(view, key, witness_key(&shapes[MAPPED], nr, key),
			     elem, &len))
		EQ(errno, ENOENT);
	else
		witness_check(elem, len, nr);
}

static bool is_within(const struct hmap_info *i)
{
	return i->count <= i->max_entries && i->bytes <= i->max_bytes &&
	       (!(i->state & HMAP_STATE_GROWING) ||
		i->nevacuate <= 1ULL << i->log2_buckets);
}

/* A limit below what there is only keeps more from being taken in. */
static void change(void)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct hmap_set set = {
		.flags = HMAP_SET_MAX_ENTRIES,
		.max_entries = 1 + random_u32() % 3000,
	};
	struct hmap_info i;

	nanosleep(&pause, NULL);
	EQ(call(fds[LIMITED], HMAP_IOC_SET, &set), 0);
	if (random_u32() % 40 == 0)
		EQ(clear(fds[random_u32() % NR_MAPS]), 0);
	for (int map = 0; map < LIMITED; map++) {
		i = info(fds[map]);
		OK(is_within(&i));
	}
	read_file(DEBUGFS "mapped/stats", text, sizeof(text));
	read_file(DEBUGFS "limited/buckets", text, sizeof(text));
}

static void (* const roles[])(void) = {
	read_and_write, read_and_write, read_and_write, walk, use_batches, view,
	view, change
};

static pid_t pids[ARRAY_SIZE(roles)];

static void begin(unsigned int who)
{
	static unsigned int born;

	born++;
	pids[who] = spawn();
	if (pids[who])
		return;
	for (unsigned int i = 0; i < born % 1000; i++)
		random_u32();
	while (!__atomic_load_n(&all->end, __ATOMIC_RELAXED)) {
		roles[who]();
		__atomic_fetch_add(&all->calls, 1, __ATOMIC_RELAXED);
	}
	exit(0);
}

static void kill_one(void)
{
	unsigned int who = random_u32() % ARRAY_SIZE(roles);
	int status;

	EQ(kill(pids[who], SIGKILL), 0);
	EQ(waitpid(pids[who], &status, 0), pids[who]);
	OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	begin(who);
}

/* === Rows === */

static unsigned long long kb_of(const char *what)
{
	const char *line;

	read_file("/proc/meminfo", text, sizeof(text));
	line = strstr(text, what);
	OK(line);
	return strtoull(line + strlen(what), NULL, 10);
}

static void print_row(long long start, long long ms)
{
	static unsigned long long calls;
	unsigned long long n = __atomic_load_n(&all->calls, __ATOMIC_RELAXED);
	unsigned long long entries = 0, bytes = 0;

	for (int map = 0; map < NR_MAPS; map++) {
		struct hmap_info i = info(fds[map]);

		entries += i.count;
		bytes += i.bytes;
	}
	printf("soak: %lld,%lld,%llu,%llu,%llu,%llu\n", (now_ms() - start) / 1000,
	       (long long)(n - calls) * 1000 / ms, entries, bytes >> 10,
	       kb_of("MemAvailable:"), kb_of("Slab:"));
	calls = n;
}

/* === A round === */

static bool is_settled(void *fd)
{
	return !(info(*(int *)fd).state & HMAP_STATE_GROWING);
}

/* The slots in use that debugfs shows: lines like "  17  a3 .  -  -> 51 .". */
static size_t slots_in_use(const char *name)
{
	char path[64], *line, *lines, *token, *tokens;
	size_t used = 0;

	snprintf(path, sizeof(path), DEBUGFS "%s/buckets", name);
	read_file(path, text, sizeof(text));
	for (line = strtok_r(text, "\n", &lines); line;
	     line = strtok_r(NULL, "\n", &lines)) {
		token = strtok_r(line, " ", &tokens);
		if (!isdigit(*token))
			continue;
		while ((token = strtok_r(NULL, " ", &tokens)))
			used += isxdigit(token[0]) && isxdigit(token[1]);
	}
	return used;
}

/* Nobody uses the map: growths end, and what is counted is what is there. */
static void check_map(unsigned int map)
{
	struct contents c = contents(fds[map]);
	__u32 nr;

	OK(becomes_true(is_settled, &fds[map]));
	EQ(c.count, info(fds[map]).count);
	EQ(c.count, slots_in_use(shapes[map].name));
	for (size_t i = 0; i < c.count; i++) {
		memcpy(&nr, record_key(c.recs[i]), 4);
		OK(nr < NR_KEYS);
		witness_check(record_elem(c.recs[i]), c.recs[i]->elem_len, nr);
	}
	free_contents(&c);
}

static bool has_memory(void *kb)
{
	return kb_of("MemAvailable:") >= *(unsigned long long *)kb;
}

static void take_part(long long start, long long end)
{
	long long row = now_ms(), now;

	for (unsigned int who = 0; who < ARRAY_SIZE(roles); who++)
		begin(who);
	do {
		const struct timespec tick = { .tv_nsec = 200000000 };

		nanosleep(&tick, NULL);
		kill_one();
		now = now_ms();
		if (now - row >= SAMPLE_SECONDS * 1000) {
			print_row(start, now - row);
			row = now;
		}
	} while (now < end);
	__atomic_store_n(&all->end, true, __ATOMIC_RELAXED);
	for (unsigned int who = 0; who < ARRAY_SIZE(roles); who++)
		join(pids[who]);
	all->end = false;
}

static void one_round(long long start, long long end)
{
	for (int map = 0; map < NR_MAPS; map++)
		fds[map] = make(&shapes[map]);
	take_part(start, end);
	for (int map = 0; map < NR_MAPS; map++)
		check_map(map);
	for (int map = 0; map < NR_MAPS; map++) {
		EQ(unlink_map(fds[map], shapes[map].name), 0);
		close(fds[map]);
	}
}

int main(int argc, char **argv)
{
	long long start = now_ms(), end;
	unsigned long long kb = 0;

	if (argc != 2)
		fail(__FILE__, __LINE__, "usage: soak SECONDS");
	end = start + atoll(argv[1]) * 1000;
	setvbuf(stdout, NULL, _IOLBF, 0);
	all = shared(sizeof(*all));
	for (int round = 1; now_ms() < end; round++) {
		one_round(start, now_ms() + ROUND_SECONDS * 1000);
		if (round <= WARM_UP)
			kb = kb_of("MemAvailable:") - BOUND_KB;
		trying("round %d: %llu kB are to be available", round, kb);
		OK(becomes_true(has_memory, &kb));
	}
	return 0;
}
