// SPDX-License-Identifier: GPL-2.0
/*
 * record: snapshots of a map that changes, for picture to play.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "hmapctl.h"
#include "snapshot.h"

#define INTERVAL_MS	100
#define INTERVAL_MAX	3600000

static __u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void unblock_signals(void *set)
{
	sigprocmask(SIG_UNBLOCK, set, NULL);
}

/* Signals that end it; they are blocked, so that none ends it within a line. */
static const sigset_t *blocked_signals(void)
{
	static sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	defer(unblock_signals, &set);
	return &set;
}

/* Returns whether to go on. */
static bool wait_ms(const sigset_t *signals, __u64 ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	return sigtimedwait(signals, NULL, &t) < 0;
}

static void record(const struct args *args)
{
	__u64 interval = option_amount(args, OPT_INTERVAL, "interval");
	__u64 frames = option_amount(args, OPT_FRAMES, "frames");
	static struct snapshot s, last;
	const sigset_t *signals = blocked_signals();
	__u64 start = now_ms(), next = start, nr = 0, now;
	struct map map;

	if (!interval)
		interval = INTERVAL_MS;
	if (interval > INTERVAL_MAX)
		fail(EXIT_MISUSE, "%s: --interval '%s': not up to %d milliseconds",
		     args->command, brief(args->opt[OPT_INTERVAL]), INTERVAL_MAX);
	map_open(&map, args->arg[0], O_RDONLY);
	if (args->opt[OPT_TO])
		out_to_file(args->opt[OPT_TO]);
	json_begin(FORMAT_JSONL);
	do {
		snapshot_take(&s, &map);
		/* A frame in which nothing has changed says nothing. */
		last.ms = s.ms;
		if (nr && !memcmp(&s, &last, sizeof(s)))
			goto next;
		s.ms = now_ms() - start;
		last = s;
		snapshot_print(&s);
		flush_out();
		if (++nr == frames)
			break;
next:
		next += interval;
		now = now_ms();
		if (next < now)
			next = now;
	} while (wait_ms(signals, next - now));
}

static const struct option record_options[] = {
	OPTION_ARG("to", OPT_TO), OPTION_ARG("interval", OPT_INTERVAL),
	OPTION_ARG("frames", OPT_FRAMES), OPTION_HELP, OPTIONS_END
};

const struct command command_record = {
	"record", 1, 1, record_options, record,
	"write down how a map changes, for picture --html"
};
