// SPDX-License-Identifier: GPL-2.0
/*
 * The command line.
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

/*
 * The next file that is opened, such as a map, would take the place of a closed
 * standard stream.  Occupy it with something that cannot be used either.
 */
static void occupy_closed_streams(void)
{
	int fd, flags;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
			fail_errno("/dev/null");
	}
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	int status = 0;

	occupy_closed_streams();
	setlocale(LC_CTYPE, "");
	out = stdout;
	if (!name)
		status = session();
	else if (!strcmp(name, "--version"))
		printf("hmapctl %s\n", VERSION);
	else if (!strcmp(name, "--help"))
		help_all(stdout);
	else
		status = command_run(argc - 1, argv + 1);

	flush_stdout();
	if (fclose(stdout))
		fail_errno("standard output");
	return status;
}
