/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run a table of tests, each in a process of its own with a time limit, and print
 * the results as KTAP.  A check that fails says where and why and ends its process,
 * so the code after it can rely on it.
 */
#ifndef _HARNESS_H
#define _HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define TEST_SECONDS	100	/* a test that takes longer hangs */

/* How many times longer than usual to go on, by the environment's LONG */
unsigned int times_longer(void);

struct test {
	const char *name;
	void (*fn)(void);
};

#define TEST(fn)	{ #fn, fn }

/* Run all tests, and @after behind each of them.  Return what main() should. */
int run_tests(const struct test *tests, size_t nr, void (*after)(void));

void __attribute__((noreturn, format(printf, 1, 2))) skip(const char *why, ...);
void __attribute__((noreturn, format(printf, 3, 4)))
fail(const char *file, int line, const char *what, ...);

/* Say what is being tried, to be printed if a check fails. */
void __attribute__((format(printf, 1, 2))) trying(const char *what, ...);

#define EQ(a, b)	CHECK_EQ(a, #a, b, #b)

/* @x and @y are the text of @a and @b before macro expansion. */
#define CHECK_EQ(a, x, b, y)						\
do {									\
	long long a_ = (long long)(a), b_ = (long long)(b);		\
									\
	if (a_ != b_)							\
		fail(__FILE__, __LINE__, "%s == %s: %lld, not %lld",	\
		     x, y, a_, b_);					\
} while (0)

#define OK(x)								\
do {									\
	if (!(x))							\
		fail(__FILE__, __LINE__, "%s: not so", #x);		\
} while (0)

#define SAME_BYTES(a, b, len)						\
	same_bytes(__FILE__, __LINE__, #a " and " #b, a, b, len)
void same_bytes(const char *file, int line, const char *what, const void *a,
		const void *b, size_t len);

/* Fork a helper process, and wait for it to end without failure. */
pid_t spawn(void);
void join(pid_t pid);

/*
 * Wait for @cond(@arg) to become true, for half of the time that a test may take,
 * and return whether it did.
 */
bool becomes_true(bool (*cond)(void *arg), void *arg);

#endif /* _HARNESS_H */
