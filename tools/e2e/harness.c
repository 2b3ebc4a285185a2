// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define EXIT_SKIP	4	/* as the kernel's selftests say it */

static void say(const char *why, va_list args)
{
	printf("# ");
	vprintf(why, args);
	printf("\n");
}

void skip(const char *why, ...)
{
	va_list args;

	va_start(args, why);
	say(why, args);
	va_end(args);
	exit(EXIT_SKIP);
}

static char what_is_tried[128];

void trying(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vsnprintf(what_is_tried, sizeof(what_is_tried), what, args);
	va_end(args);
}

void fail(const char *file, int line, const char *what, ...)
{
	va_list args;

	if (what_is_tried[0])
		printf("# trying %s\n", what_is_tried);
	printf("# %s:%d: ", file, line);
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	printf("\n");
	exit(1);
}

void same_bytes(const char *file, int line, const char *what, const void *a,
		const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < len; i++)
		if (x[i] != y[i])
			fail(file, line,
			     "%s differ at byte %zu of %zu: %#x, %#x", what, i,
			     len, x[i], y[i]);
}

pid_t spawn(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail(__FILE__, __LINE__, "fork: %m");
	return pid;
}

void join(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	if (status)
		fail(__FILE__, __LINE__, "a helper process ended with %#x",
		     status);
}

bool becomes_true(bool (*cond)(void *arg), void *arg)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += TEST_SECONDS / 2;
	do {
		if (cond(arg))
			return true;
		nanosleep(&ms, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	return false;
}

unsigned int times_longer(void)
{
	const char *value = getenv("LONG");
	int times = value ? atoi(value) : 0;

	return times > 1 ? times : 1;
}

/* The test leads a process group, so that nothing it started outlives it. */
static int run_test(const struct test *test)
{
	int status;
	pid_t pid = spawn();

	if (!pid) {
		setpgid(0, 0);
		alarm(TEST_SECONDS * times_longer());
		test->fn();
		exit(0);
	}
	setpgid(pid, pid);
	if (waitpid(pid, &status, 0) != pid)
		fail(__FILE__, __LINE__, "waitpid: %m");
	kill(-pid, SIGKILL);
	return status;
}

int run_tests(const struct test *tests, size_t nr, void (*after)(void))
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%zu\n", nr);
	for (size_t i = 0; i < nr; i++) {
		int status = run_test(&tests[i]);
		bool skipped = WIFEXITED(status) &&
			       WEXITSTATUS(status) == EXIT_SKIP;

		if (WIFSIGNALED(status))
			printf("# killed: %s\n", strsignal(WTERMSIG(status)));
		failed += status && !skipped;
		printf("%s %zu %s%s\n", status && !skipped ? "not ok" : "ok",
		       i + 1, tests[i].name, skipped ? " # SKIP" : "");
		after();
	}
	return failed ? 1 : 0;
}
