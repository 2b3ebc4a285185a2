// SPDX-License-Identifier: GPL-2.0
/*
 * The names of a kernel's symbols, one a line, of which the string keys are
 * made.  ../uml takes them from the System.map of the kernel this is built into.
 */
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "native.h"

extern const char names[];

asm(".pushsection .rodata\n"
	"names:\n"
	".incbin \"hmap/names\"\n"
	".byte 0\n"
	".popsection\n");

static const char **lines;
static unsigned long nr_lines;

int names_init(void)
{
	const char *line;

	lines = kvmalloc_array(strlen(names), sizeof(*lines), GFP_KERNEL);
	if (!lines)
		return -ENOMEM;
	for (line = names; *line; line = strchr(line, '\n') + 1)
		lines[nr_lines++] = line;
	return 0;
}

/* The i-th name; when they run out they begin again with +1 at their end. */
void name_of(struct name *name, unsigned long i)
{
	const char *line = lines[i % nr_lines];
	int len = strchr(line, '\n') - line;

	memset(name, 0, sizeof(*name));
	if (i < nr_lines)
		name->len = scnprintf(name->bytes, sizeof(name->bytes), "%.*s",
				      len, line);
	else
		name->len = scnprintf(name->bytes, sizeof(name->bytes),
				      "%.*s+%lu", len, line, i / nr_lines);
}
