// SPDX-License-Identifier: GPL-2.0
/* What hmapctl shows on a terminal, such as progress and a prompt, and where else not. */
#define _GNU_SOURCE
#include <pty.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"

#define ENTRIES	5000
#define COLUMNS	60

static char shown[1 << 20];	/* by the last command, on its terminal */

/*
 * Run it in a shell on a terminal, where @input is typed; returns its exit
 * status.  As soon as it shows progress, the file /tmp/stop is there.
 */
static int on_terminal(const char *command, const char *input)
{
	struct winsize size = { .ws_row = 24, .ws_col = COLUMNS };
	size_t len = 0;
	int fd, status;
	pid_t pid;
	ssize_t n;

	unlink("/tmp/stop");
	pid = forkpty(&fd, NULL, NULL, &size);
	OK(pid >= 0);
	if (!pid) {
		setenv("HOME", "/tmp", 1);
		setenv("TERM", "dumb", 1);
		setenv("LC_ALL", "C.UTF-8", 1);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	EQ(write(fd, input, strlen(input)), (ssize_t)strlen(input));
	/* EIO: nobody has the terminal open any more. */
	while ((n = read(fd, shown + len, sizeof(shown) - 1 - len)) > 0) {
		len += n;
		shown[len] = '\0';
		if (strstr(shown, "entries"))
			close(open("/tmp/stop", O_WRONLY | O_CREAT, 0600));
	}
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

/* Prints the file until there has been progress. */
#define UNTIL_SHOWN	"until [ -e /tmp/stop ]; do cat /tmp/in; done"

/* Prints it for more than two seconds. */
#define FOR_SECONDS "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do cat /tmp/in; done"

static void progress_after_a_second(void)
{
	make_map_and_file();
	EQ(on_terminal(UNTIL_SHOWN " | hmapctl load m", ""), 0);
	OK(shows(" entries  "));
	OK(!shows("%"));
	OK(shown[strlen(shown) - 1] == '\n');
	fits();
}

static void no_progress_within_a_second(void)
{
	make_map_and_file();
	EQ(on_terminal("head -n 100 /tmp/in | hmapctl load m; hmapctl dump m >/tmp/out", ""), 0);
	OK(!*shown);
}

static void progress_is_erased_before_a_message(void)
{
	make_map_and_file();
	EQ(on_terminal("{ " UNTIL_SHOWN "; echo x; } | hmapctl load m", ""), 2);
	OK(shows(" entries  "));
	OK(shows("\r\033[Khmapctl: stdin:"));
}

static void no_progress_if_unwanted(void)
{
	make_map_and_file();
	EQ(on_terminal(FOR_SECONDS " | hmapctl load m --quiet", ""), 0);
	OK(!*shown);
}

#define MORE	"n=$((2 * n)); seq $n | sed 's/.*/&\t&/' | hmapctl load m --quiet; "

/* Once the map has become so large that a dump takes a second */
static void progress_of_a_dump_to_a_file(void)
{
	make_map_and_file();
	EQ(on_terminal("n=20000; until [ -e /tmp/stop -o $n -gt 4000000 ]; do " MORE
		       "hmapctl dump m >/tmp/out; done", ""), 0);
	OK(shows("%  "));
	OK(shows(" entries  "));
	OK(shown[strlen(shown) - 1] == '\n');
	fits();
}

/* Who reads the pipe may be writing to the terminal. */
static void no_progress_into_a_pipe(void)
{
	make_map_and_file();
	EQ(on_terminal("seq 60000 | sed 's/.*/&\t&/' | hmapctl load m --quiet", ""), 0);
	EQ(on_terminal("hmapctl dump m | { sleep 2; cat >/tmp/out; }", ""), 0);
	OK(!shows("entries"));
}

static void utf8_as_it_is(void)
{
	close(make_u64("m", 0600));
	EQ(on_terminal("hmapctl create n --key string --elem none", ""), 0);
	EQ(on_terminal("hmapctl insert n 'caf\\xc3\\xa9\\xe2\\x80\\xae\\xff'", ""), 0);
	EQ(on_terminal("hmapctl dump n", ""), 0);
	OK(shows("caf\xc3\xa9\\xe2\\x80\\xae\\xff"));
	EQ(on_terminal("hmapctl dump n | cat; hmapctl unlink n", ""), 0);
	OK(shows("caf\\xc3\\xa9\\xe2\\x80\\xae\\xff"));
}

static void maps_as_a_table(void)
{
	int fd;

	EQ(on_terminal("hmapctl list", ""), 0);
	OK(shows("There are no maps."));
	fd = make_u64(NULL, 0600);
	EQ(on_terminal("hmapctl list", ""), 0);
	OK(shows("\nid:"));
	close(fd);
	close(make_u64("m", 0600));
	EQ(on_terminal("hmapctl create n --key u64 --elem u64 --hint 10K", ""), 0);
	EQ(on_terminal("hmapctl list; hmapctl unlink n", ""), 0);
	OK(shows("K  0600  "));
}

static void prompt(void)
{
	static const char typed[] = "insert m 5 6\nfrobnicate\nloo\tm 5\ndump m --lim\t1\nquit\n";

	close(make_u64("m", 0600));
	unlink("/tmp/.hmapctl_history");
	EQ(on_terminal("hmapctl", typed), 0);
	OK(shows("hmap> "));
	OK(shows("hmapctl: there is no subcommand 'frobnicate'"));
	OK(shows("lookup m 5\r\n6\r\n"));
	OK(shows("dump m --limit 1\r\n5\t6\r\n"));
	EQ(on_terminal("grep -c . /tmp/.hmapctl_history", ""), 0);
	OK(shows("5\r\n"));
}

static const struct test tests[] = {
	TEST(progress_after_a_second),
	TEST(no_progress_within_a_second),
	TEST(progress_is_erased_before_a_message),
	TEST(no_progress_if_unwanted),
	TEST(progress_of_a_dump_to_a_file),
	TEST(no_progress_into_a_pipe),
	TEST(utf8_as_it_is),
	TEST(maps_as_a_table),
	TEST(prompt),
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
