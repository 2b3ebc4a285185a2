// SPDX-License-Identifier: GPL-2.0
/*
 * The terminal of top and watch.
 */
#include <math.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
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
	signal(SIGQUIT, SIG_DFL);
}

void screen_open(const struct args *args)
{
	SCREEN *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		fail(EXIT_MISUSE, "%s: this is no terminal: use --once",
		     args->command);
	screen = newterm(NULL, stdout, stdin);
	if (screen)
		defer(leave_screen, screen);
	/* A terminal with a cursor that cannot be moved is of no use. */
	if (!screen || !tigetstr("cup"))
		fail(EXIT_REFUSED,
		     "the terminal '%s' is not known, or too simple (--once needs none)",
		     getenv("TERM") ? brief(getenv("TERM")) : "");
	/* ncurses catches other signals that a key can send. */
	signal(SIGQUIT, SIG_IGN);
	noecho();
	cbreak();
	keypad(stdscr, true);
	set_escdelay(100);
	curs_set(0);
}

/* Nobody will ever press a key. */
static bool hung_up(void)
{
	struct pollfd p = { .fd = STDIN_FILENO };

	return poll(&p, 1, 0) > 0;
}

static int key_within(int ms)
{
	int key;

	timeout(ms);
	key = getch();
	if (key == ERR && hung_up())
		leave(EXIT_REFUSED);
	return key;
}

int screen_key(void)
{
	return key_within(-1);
}

int screen_key_until(const struct timespec *since, double delay)
{
	struct timespec now;
	double left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = delay - seconds_between(since, &now);
	return key_within(left > 0 ? (int)(1000 * left) : 0);
}
