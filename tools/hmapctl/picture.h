/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pictures of snapshots, one or many.
 */
#ifndef _PICTURE_H
#define _PICTURE_H

#include "snapshot.h"

/* Have a file in the program, as a string. */
#define EMBED(name, file)						\
	extern const char name[];					\
	__asm__(".pushsection .rodata\n"				\
		".global " #name "\n"					\
		#name ":\n.incbin \"" file "\"\n.byte 0\n"		\
		".popsection")

/*
 * What a picture is made of, an element of SVG a line, for the caller to free.
 * Elements that overlap are one of text, and one below it.
 */
char *picture_elements(const struct snapshot *s, int *height);

/* Prints what comes before the elements. */
void picture_begin(int height);

/* Prints the frames of a recording: a page to play them, or an SVG that moves. */
void film_draw(const char *path, bool page);

#endif /* _PICTURE_H */
