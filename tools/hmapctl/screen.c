// SPDX-License-Identifier: GPL-2.0
/*
 * The terminal of top and watch.
 */
#include <math.h>
#include <ncurses.h>
#include <stdlib.h>
#include <unistd.h>
#include "hmapctl.h"
#include "screen.h"

#define DELAY_MAX	3600.0	/* seconds */

double option_delay(const struct args *args, double otherwise)
{
	const char *text = args->opt[OPT_DELAY];
	double delay;
	char *end;

	if (!text)
		return otherwise;
	delay = strtod(text, &end);
	if (end == text || *end || !(delay > 0 && delay <= DELAY_MAX))
		fail(EXIT_MISUSE, "%s: --delay '%s': not over 0 and up to %.0f seconds",
		     args->command, brief(text), DELAY_MAX);
	return delay;
}

void wait_seconds(double seconds)
{
	const struct timespec t = {
		.tv_sec = seconds,
		.tv_nsec = 1e9 * fmod(seconds, 1),
	};

	nanosleep(&t, NULL);
}

double seconds_between(const struct timespec *a, const struct timespec *b)
{
	return (b->tv_sec - a->tv_sec) + (b->tv_nsec - a->tv_nsec) / 1e9;
}

void screen_end(void)
{
	if (stdscr && !isendwin())
		endwin();
}

static void leave_screen(void *screen)
{
	screen_end();
	delscreen(screen);
}

void screen_open(const struct args *args)
{
	SCREEN *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		fail(EXIT_MISUSE, "%s: this is no terminal: use --once",
		     args->command);
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		fail(EXIT_REFUSED,
		     "the terminal '%s' is not known (--once needs none)",
		     getenv("TERM") ? brief(getenv("TERM")) : "");
	defer(leave_screen, screen);
	noecho();
	cbreak();
	keypad(stdscr, true);
	set_escdelay(100);
	curs_set(0);
}

int screen_key(const struct timespec *since, double delay)
{
	struct timespec now;
	double left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = delay - seconds_between(since, &now);
	timeout(left > 0 ? (int)(1000 * left) : 0);
	return getch();
}
