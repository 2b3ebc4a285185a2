/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hmapctl.8 in pieces, which the script beside this file makes when hmapctl is
 * built.
 */
#ifndef _MANUAL_H
#define _MANUAL_H

/* A subcommand, or the section "values". */
struct manual_section {
	const char *name;
	const char *usage;	/* lines of it, "" where there is none */
	const char *text;
};

/* Ends with a @name of NULL. */
extern const struct manual_section manual[];

#endif /* _MANUAL_H */
