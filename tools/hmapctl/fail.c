// SPDX-License-Identifier: GPL-2.0
/*
 * Messages, and how a command ends that fails: in a session, the next one is to
 * run in the same process.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hmapctl.h"
#include "screen.h"

#define DEFERRED_MAX	16

static jmp_buf *attempted;

static struct {
	void (*fn)(void *arg);
	void *arg;
} deferred[DEFERRED_MAX];
static int nr_deferred;

static const char *source;
static unsigned long source_line;

void message_source(const char *name, unsigned long line)
{
	source = name;
	source_line = line;
}

static void message(int err, const char *fmt, va_list args)
{
	progress_erase();
	screen_end();
	fputs("hmapctl: ", stderr);
	if (source)
		fprintf(stderr, "%s:%lu: ", source, source_line);
	vfprintf(stderr, fmt, args);
	if (err)
		fprintf(stderr, ": %s", strerror(err));
	fputc('\n', stderr);
}

#define BRIEF	40	/* characters */

const char *brief(const char *text)
{
	static char shown[2][BRIEF + sizeof("...")];
	static int next;
	char *to = shown[next++ & 1];
	size_t n;

	for (n = 0; n < BRIEF && text[n]; n++)
		to[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	strcpy(to + n, text[n] ? "..." : "");
	return to;
}

void complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(0, fmt, args);
	va_end(args);
}

void fail(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(0, fmt, args);
	va_end(args);
	leave(status);
}

void fail_errno(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	message(err, fmt, args);
	va_end(args);
	leave(EXIT_REFUSED);
}

void *checked(void *memory)
{
	if (!memory)
		fail(EXIT_REFUSED, "out of memory");
	return memory;
}

void leave(int status)
{
	if (!attempted)
		exit(status);
	longjmp(*attempted, status);
}

void defer(void (*fn)(void *arg), void *arg)
{
	if (nr_deferred == DEFERRED_MAX)
		abort();
	deferred[nr_deferred].fn = fn;
	deferred[nr_deferred].arg = arg;
	nr_deferred++;
}

int attempt(void (*fn)(int argc, char **argv), int argc, char **argv)
{
	jmp_buf here;
	int status = setjmp(here);

	if (!status) {
		attempted = &here;
		fn(argc, argv);
	}
	attempted = NULL;
	while (nr_deferred) {
		nr_deferred--;
		deferred[nr_deferred].fn(deferred[nr_deferred].arg);
	}
	return status;
}
