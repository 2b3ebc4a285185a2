/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A terminal that a command has to itself, and what it shows there is looked at
 * again after a delay.
 */
#ifndef _SCREEN_H
#define _SCREEN_H

#include <time.h>

#define KEY_ESCAPE	27

struct args;

/* The value of --delay, in seconds. */
double option_delay(const struct args *args, double otherwise);
void wait_seconds(double seconds);
double seconds_between(const struct timespec *a, const struct timespec *b);

/* Fails if this is no terminal; the command's end gives it back. */
void screen_open(const struct args *args);

/* The next key; the second returns ERR @delay seconds after @since. */
int screen_key(void);
int screen_key_until(const struct timespec *since, double delay);

/* Give the terminal back before a message, if it is taken. */
void screen_end(void);

#endif /* _SCREEN_H */
