// SPDX-License-Identifier: GPL-2.0
/*
 * Progress: a bar, the number of entries, their rate, and the time left.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "hmapctl.h"

#define FIRST	1.0	/* seconds */
#define REDRAW	0.1
#define BAR	30	/* columns */

static bool quiet;
static bool watched;		/* it may be shown */
static bool shown;
static __u64 total;
static double began, drawn;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void progress_options(const struct args *args)
{
	quiet = args->opt[OPT_QUIET];
}

bool out_is_in_the_way(void)
{
	struct stat st;

	return fstat(fileno(out), &st) || !S_ISREG(st.st_mode);
}

void progress_begin(__u64 most)
{
	watched = !quiet && isatty(STDERR_FILENO);
	shown = false;
	total = most;
	began = now();
	drawn = began + FIRST - REDRAW;
}

static void draw(__u64 entries, __u64 done)
{
	static const char bar[] = "##############################";
	double spent = drawn - began;
	struct winsize win = { 0 };
	char line[160];
	size_t len = 0;

	if (total) {
		double part = done < total ? (double)done / total : 1;

		len = snprintf(line, sizeof(line), "[%-*.*s] %3.0f%%  ", BAR,
			       (int)(BAR * part), bar, 100 * part);
	}
	len += snprintf(line + len, sizeof(line) - len,
			"%llu entries  %.0f/s  ", entries,
			spent > 0 ? entries / spent : 0);
	if (total && done && done < total) {
		int left = spent * (total - done) / done + 0.5;

		len += snprintf(line + len, sizeof(line) - len, "ETA %d:%02d",
				left / 60, left % 60);
	} else {
		len += snprintf(line + len, sizeof(line) - len, "%.1f s",
				spent);
	}

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &win) || !win.ws_col)
		win.ws_col = 80;
	if (len >= win.ws_col)
		len = win.ws_col - 1;
	fprintf(stderr, "\r%.*s\033[K", (int)len, line);
	shown = true;
}

void progress_update(__u64 entries, __u64 done)
{
	double t;

	if (!watched)
		return;
	t = now();
	if (t - drawn < REDRAW)
		return;
	drawn = t;
	draw(entries, done);
}

void progress_end(__u64 entries, __u64 done)
{
	if (shown) {
		drawn = now();
		draw(entries, done);
		fputc('\n', stderr);
	}
	watched = false;
	shown = false;
}

void progress_erase(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	watched = false;
	shown = false;
}
