// SPDX-License-Identifier: GPL-2.0
/* What hmapctl shows on a terminal while it loads or dumps, and where else not. */
#define _GNU_SOURCE
#include <pty.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"

#define ENTRIES	5000
#define COLUMNS	60

static char shown[1 << 20];	/* by the last command, on its terminal */

/* Run it in a shell on a terminal; returns its exit status. */
static int on_terminal(const char *command)
{
	struct winsize size = { .ws_row = 24, .ws_col = COLUMNS };
	size_t len = 0;
	int fd, status;
	pid_t pid;
	ssize_t n;

	pid = forkpty(&fd, NULL, NULL, &size);
	OK(pid >= 0);
	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	/* EIO: nobody has the terminal open any more. */
	while ((n = read(fd, shown + len, sizeof(shown) - 1 - len)) > 0)
		len += n;
	shown[len] = '\0';
	close(fd);
	EQ(waitpid(pid, &status, 0), pid);
	trying("%s, which shows: %.60s", command, shown);
	OK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool shows(const char *text)
{
	return strstr(shown, text);
}

static void make_map_and_file(void)
{
	FILE *f = fopen("/tmp/in", "w");
	int i;

	OK(f);
	for (i = 0; i < ENTRIES; i++)
		fprintf(f, "%d\t%d\n", i, i);
	EQ(fclose(f), 0);
	close(make_u64("m", 0600));
}

/* No line may be longer than the terminal is wide, or it would not go away. */
static void fits(void)
{
	const char *line = shown;
	size_t len;

	while (*line) {
		len = strcspn(line, "\r\n\033");
		OK(len < COLUMNS);
		line += len + 1;
	}
}

static void load_of_a_file(void)
{
	make_map_and_file();
	EQ(on_terminal("hmapctl load m /tmp/in"), 0);
	OK(shows("[##############################] 100%  5000 entries"));
	OK(shown[strlen(shown) - 1] == '\n');
	fits();
}

static void load_of_a_pipe(void)
{
	make_map_and_file();
	EQ(on_terminal("cat /tmp/in | hmapctl load m"), 0);
	OK(shows("5000 entries"));
	OK(!shows("%"));
	fits();
}

static void load_of_a_wrong_line(void)
{
	make_map_and_file();
	EQ(on_terminal("echo x >>/tmp/in; hmapctl load m /tmp/in"), 2);
	OK(shows("\r\033[Khmapctl: /tmp/in:5001: "));
}

static void dump_to_a_file(void)
{
	make_map_and_file();
	EQ(on_terminal("hmapctl load m /tmp/in; hmapctl dump m >/tmp/out"), 0);
	EQ(on_terminal("hmapctl dump m --jsonl >/tmp/out"), 0);
	OK(shows("[##############################] 100%  5000 entries"));
	fits();
	EQ(on_terminal("[ $(wc -l </tmp/out) = 5000 ]"), 0);
}

static void dump_to_the_terminal(void)
{
	make_map_and_file();
	EQ(on_terminal("hmapctl load m /tmp/in 2>/tmp/err"), 0);
	OK(!*shown);
	EQ(on_terminal("[ -s /tmp/err ]"), 1);
	EQ(on_terminal("hmapctl dump m"), 0);
	OK(shows("\n"));
	OK(!shows("entries"));
}

static const struct test tests[] = {
	TEST(load_of_a_file),
	TEST(load_of_a_pipe),
	TEST(load_of_a_wrong_line),
	TEST(dump_to_a_file),
	TEST(dump_to_the_terminal),
};

int main(void)
{
	mkdir("/dev/pts", 0755);
	if (mount("devpts", "/dev/pts", "devpts", 0, "mode=600,ptmxmode=666") &&
	    errno != EBUSY) {
		printf("Bail out! devpts: %s\n", strerror(errno));
		return 1;
	}
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
