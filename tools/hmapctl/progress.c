// SPDX-License-Identifier: GPL-2.0
/*
 * A bar, the entries, their rate, and when it will be done.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "hmapctl.h"

#define REDRAW	0.1	/* seconds */
#define BAR	30	/* columns */

static bool shown;
static __u64 total;		/* bytes to come, 0 if not known */
static double began, drawn;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void progress_begin(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat st;

	shown = isatty(STDERR_FILENO);
	began = now();
	drawn = began;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && at < st.st_size)
		total = st.st_size - at;
}

static void draw(__u64 entries, __u64 bytes)
{
	static const char bar[] = "##############################";
	double spent = drawn - began;
	struct winsize win = { 0 };
	char line[160];
	size_t len = 0;

	if (total) {
		double part = bytes < total ? (double)bytes / total : 1;

		len = snprintf(line, sizeof(line), "[%-*.*s] %3.0f%%  ", BAR,
			       (int)(BAR * part), bar, 100 * part);
	}
	len += snprintf(line + len, sizeof(line) - len,
			"%llu entries  %.0f/s  ", entries,
			spent > 0 ? entries / spent : 0);
	if (total && bytes && bytes < total) {
		int left = spent * (total - bytes) / bytes + 0.5;

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
}

void progress_update(__u64 entries, __u64 bytes)
{
	double t;

	if (!shown)
		return;
	t = now();
	if (t - drawn < REDRAW)
		return;
	drawn = t;
	draw(entries, bytes);
}

void progress_end(__u64 entries, __u64 bytes)
{
	if (!shown)
		return;
	drawn = now();
	draw(entries, bytes);
	fputc('\n', stderr);
}
