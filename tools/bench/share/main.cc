// SPDX-License-Identifier: GPL-2.0
/*
 * What a process pays to look up a key in a table that processes share, in
 * nanoseconds of the clock.  In QEMU with -icount shift=0 those are instructions
 * of the guest.
 *
 * One or two processes look up all keys over and over, each in an order of its
 * own, while none or one replaces their elems.  Every elem is checked.
 *
 * usage: share WHERE MILLISECONDS SIZE,... PEER...
 *	prints a line of values, separated by commas, for each measurement
 */
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "share.hh"

#define CHUNK		64	/* lookups before the first look at the clock */
#define READERS_MAX	2

void die(const std::string &what)
{
	fprintf(stderr, "share: %s: %s\n", what.c_str(), strerror(errno));
	_exit(1);
}

static uint64_t now()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* A bijection, so that all keys differ: the finalizer of MurmurHash3. */
static void set_key(uint64_t &key, uint64_t i)
{
	i = (i ^ i >> 33) * 0xff51afd7ed558ccdULL;
	i = (i ^ i >> 33) * 0xc4ceb9fe1a85ec53ULL;
	key = i ^ i >> 33;
}

static void set_key(string16 &key, uint64_t i)
{
	char hex[sizeof(key.bytes) + 1];

	set_key(i, i);
	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)i);
	memcpy(key.bytes, hex, sizeof(key.bytes));
}

/* What the processes share besides the table. */
struct stage {
	std::atomic<int> waiting;	/* to begin at once */
	std::atomic<bool> end;
	struct {
		uint64_t ns;
		uint64_t lookups;
	} of[READERS_MAX];
};

static void begin(struct stage *s)
{
	s->waiting--;
	while (s->waiting)
		sched_yield();
}

template <class key>
static void read_all(struct stage *s, int who, table<key> &t,
		     const std::vector<key> &keys, uint64_t limit)
{
	size_t at = 0, n, good = 0, all = 0, next = CHUNK;
	uint64_t start, ns;

	t.attach();
	if (t.is_memory())
		t.lookup(keys.data(), keys.size());
	begin(s);
	start = now();
	do {
		for (; all < next; all += n, at = (at + n) % keys.size()) {
			n = std::min(next - all, keys.size() - at);
			good += t.lookup(&keys[at], n);
		}
		/* The clock is a system call in some places. */
		ns = now() - start;
		next = 2 * all;
	} while (ns < limit);
	s->of[who].ns = ns;
	s->of[who].lookups = all;
	if (good != all) {
		errno = EILSEQ;
		die("a key or its elem is missing");
	}
}

template <class key>
static void write_all(struct stage *s, table<key> &t,
		      const std::vector<key> &keys)
{
	size_t at = 0;

	t.attach();
	begin(s);
	for (; !s->end; at++)
		t.insert(&keys[at % keys.size()], 1);
}

/* In a process of its own, which ends with this one. */
template <class work> static pid_t in_process(int cpu, const work &fn)
{
	pid_t pid = fork();
	cpu_set_t set;

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	fn();
	_exit(0);
}

static void join(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("a process has failed");
}

/* Nanoseconds from one lookup, by whomever, to the next. */
template <class key>
static double measure(table<key> &t, const std::vector<key> keys[],
		      int readers, int writers, uint64_t limit)
{
	struct stage *s = (struct stage *)mmap(NULL, sizeof(*s),
					       PROT_READ | PROT_WRITE,
					       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	std::vector<pid_t> pids;
	double rate = 0;
	pid_t writer = 0;

	s->waiting = readers + writers;
	for (int i = 0; i < readers; i++)
		pids.push_back(in_process(i, [&, i] {
			read_all(s, i, t, keys[i], limit);
		}));
	if (writers)
		writer = in_process(1, [&] { write_all(s, t, keys[1]); });
	for (pid_t pid : pids)
		join(pid);
	s->end = true;
	if (writers)
		join(writer);
	for (int i = 0; i < readers; i++)
		rate += (double)s->of[i].lookups / s->of[i].ns;
	munmap(s, sizeof(*s));
	return 1 / rate;
}

struct plan {
	std::string where;
	uint64_t limit;
	std::vector<size_t> sizes;
};

template <class key>
static void measure_all(const struct plan &plan, const struct peer &peer,
			const char *kind, const maker<key> &make, size_t n)
{
	std::vector<key> keys[READERS_MAX];
	std::unique_ptr<table<key>> t = make(n);
	std::mt19937_64 random(n);

	if (!t)
		return;
	for (int i = 0; i < READERS_MAX; i++) {
		keys[i].resize(n);
		for (size_t j = 0; j < n; j++)
			set_key(keys[i][j], j);
		std::shuffle(keys[i].begin(), keys[i].end(), random);
	}
	t->insert(keys[0].data(), n);
	for (int readers = 1; readers <= READERS_MAX; readers++) {
		for (int writers = 0; writers <= 2 - readers; writers++) {
			if (writers && !peer.shared)
				continue;
			printf("%s,%s,%zu,%d,%d,%.1f,%s\n", peer.name, kind, n,
			       readers, writers,
			       measure(*t, keys, readers, writers, plan.limit),
			       plan.where.c_str());
			fflush(stdout);
		}
	}
}

static void measure_peer(const struct plan &plan, const struct peer &peer)
{
	for (size_t n : plan.sizes) {
		measure_all(plan, peer, "u64", peer.u64, n);
		measure_all(plan, peer, "string", peer.string, n);
	}
}

int main(int argc, char **argv)
{
	struct plan plan;
	std::string word;

	if (argc < 5)
		die("usage: share WHERE MILLISECONDS SIZE,... PEER...");
	plan.where = argv[1];
	plan.limit = strtoull(argv[2], NULL, 10) * 1000000;
	for (std::istringstream in(argv[3]); std::getline(in, word, ',');)
		plan.sizes.push_back(std::stoul(word));
	for (const auto *peers : { &kernel_peers, &memory_peers, &server_peers })
		for (const struct peer &peer : *peers)
			for (int i = 4; i < argc; i++)
				if (!strcmp(argv[i], peer.name))
					measure_peer(plan, peer);
	return 0;
}
