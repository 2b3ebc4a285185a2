// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes count in one map how often each line occurs in some files.
 *
 *	counter FILE...
 *
 * A process of its own reads each file.  The map has no name: the processes
 * inherit it by fork(2), and it is freed when all have exited.
 */
#include <err.h>
#include <fcntl.h>
#include <hmap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void count_lines(int map, const char *name)
{
	FILE *file = fopen(name, "r");
	char *line = NULL;
	size_t room = 0;
	__u64 one = 1;

	if (!file)
		err(1, "%s", name);
	while (getline(&line, &room, file) >= 0) {
		line[strcspn(line, "\n")] = 0;
		/* A key that does not exist counts as 0. */
		if (hmap_fetch_add(map, line, strlen(line), &one, NULL,
				   sizeof(one), HMAP_INSERT_ANY) < 0)
			err(1, "%s: %s", name, line);
	}
	if (ferror(file))
		err(1, "%s", name);
}

static void print_counts(int map)
{
	struct hmap_walk *walk = hmap_walk_begin(map);
	struct hmap_item item;
	int more;

	if (!walk)
		err(1, "walk");
	while ((more = hmap_walk_next(walk, &item)) > 0)
		printf("%llu\t%.*s\n", *(const __u64 *)item.elem,
		       (int)item.key_len, (const char *)item.key);
	if (more < 0)
		err(1, "walk");
	hmap_walk_end(walk);
}

int main(int argc, char **argv)
{
	struct hmap_create create = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = sizeof(__u64),
	};
	int map = hmap_create(NULL, &create);
	int failed = 0, status, i;
	pid_t pid;

	if (map < 0)
		err(1, "hmap_create");
	for (i = 1; i < argc; i++) {
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			count_lines(map, argv[i]);
			return 0;
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	if (failed)
		return 1;
	print_counts(map);
	return 0;
}
