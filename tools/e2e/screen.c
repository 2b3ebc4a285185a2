// SPDX-License-Identifier: GPL-2.0
/* hmapctl top and watch on a terminal: what they draw, and what keys do. */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"

#define SECONDS	20	/* for what is awaited to be drawn */

static char drawn[1 << 20];
static size_t len, seen;
static int terminal;
static pid_t pid;

/* Read until there is @text behind what was seen before. */
static void see(const char *text)
{
	time_t end = time(NULL) + SECONDS;
	struct pollfd p = { .fd = terminal, .events = POLLIN };
	const char *found;
	ssize_t n;

	trying("%s", text);
	while (!(found = strstr(drawn + seen, text))) {
		OK(time(NULL) < end);
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(terminal, drawn + len, sizeof(drawn) - 1 - len);
		OK(n > 0);
		len += n;
		drawn[len] = 0;
	}
	seen = found + strlen(text) - drawn;
}

static void start(const char *term, const char *command, const char *map)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };

	if (!strcmp(command, "watch"))
		need_debugfs();
	pid = forkpty(&terminal, NULL, NULL, &size);
	OK(pid >= 0);
	if (!pid) {
		setenv("TERM", term, 1);
		execlp("hmapctl", "hmapctl", command, "--delay", "0.2", map,
		       NULL);
		_exit(127);
	}
	see("F10 Quit");	/* the last line */
}

static void start_top(void)
{
	start("linux", "top", NULL);
}

static void press(const char *keys)
{
	EQ(write(terminal, keys, strlen(keys)), strlen(keys));
}

/* Only what changes is drawn, so have the help replace all, until @text comes. */
static void see_redrawn(const char *text)
{
	time_t end = time(NULL) + SECONDS;
	size_t from;

	do {
		OK(time(NULL) < end);
		press("?");
		see("Press any key");
		from = seen;
		press("x");
		see("F10 Quit");
	} while (!strstr(drawn + from, text));
}

static bool has_ended(void *status)
{
	struct pollfd p = { .fd = terminal, .events = POLLIN };
	char rest[4096];

	if (poll(&p, 1, 0) > 0 && p.revents & POLLIN)
		OK(read(terminal, rest, sizeof(rest)) > 0);
	return waitpid(pid, status, WNOHANG) == pid;
}

/* Its exit status */
static int ended(void)
{
	int status;

	OK(becomes_true(has_ended, &status));
	OK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void quits(const char *key)
{
	press(key);
	EQ(ended(), 0);
}

static void draws_maps(void)
{
	int fd = make_u64("drawn", 0600);

	for (__u64 key = 0; key < 1234; key++)
		EQ(put(fd, key, key), 0);
	start_top();
	OK(strstr(drawn, "maps: 1, entries: 1234"));
	OK(strstr(drawn, "LOOK/S"));
	OK(strstr(drawn, "drawn"));
	quits("q");
}

static void draws_unnamed(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
	};
	char name[32];

	snprintf(name, sizeof(name), "id:%llu", info(make(&arg)).id);
	start_top();
	OK(strstr(drawn, name));
	press("\\");
	see("Esc Cancel");
	press(name);
	press("\r");
	see_redrawn(name);
	quits("q");
}

static void follows_changes(void)
{
	int fd = make_u64("drawn", 0600);

	start_top();
	for (__u64 key = 0; key < 5678; key++)
		EQ(put(fd, key, key), 0);
	see_redrawn("5678");
	close(make_u64("appears", 0600));
	see_redrawn("appears");
	quits("\033[21~");
}

static void keys(void)
{
	make_u64("first", 0600);
	make_u64("second", 0600);
	start_top();
	press("?");
	see("Press any key");
	press("x");
	see("F10 Quit");
	press("<");
	see("Sort by");
	press("\r");
	see("F10 Quit");
	press("\\");
	see("Esc Cancel");
	press("sec\r");
	see_redrawn("filter: sec");
	quits("q");
}

static void resized(void)
{
	const struct winsize small = { .ws_row = 5, .ws_col = 20 };
	const struct winsize tiny = { .ws_row = 1, .ws_col = 1 };

	make_u64("first", 0600);
	start_top();
	EQ(ioctl(terminal, TIOCSWINSZ, &small), 0);
	press("?");
	see("Press any key");
	press("x");
	EQ(ioctl(terminal, TIOCSWINSZ, &tiny), 0);
	press("?x");
	quits("q");
}

static void too_simple(void)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	for (int i = 0; i < 2; i++) {
		pid = forkpty(&terminal, NULL, NULL, &size);
		OK(pid >= 0);
		if (!pid) {
			setenv("TERM", i ? "dumb" : "unheard-of", 1);
			execlp("hmapctl", "hmapctl", "top", NULL);
			_exit(127);
		}
		see("too simple");
		EQ(ended(), 1);
	}
}

/* As nohup(1) would have it. */
static void ends_with_its_terminal(void)
{
	static const char * const keys[] = { "", "/", "\\", "<", "?" };

	signal(SIGHUP, SIG_IGN);
	make_u64("first", 0600);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		start_top();
		press(keys[i]);
		close(terminal);
		EQ(ended(), 1);
	}
	start("linux", "watch", "first");
	close(terminal);
	EQ(ended(), 1);
}

static void ignores_quit_signal(void)
{
	start_top();
	press("\034");
	see_redrawn("maps");
	quits("q");
}

/* Of 2^3 buckets, when a 53rd entry has it grow, which is held there */
static void make_growing(void)
{
	int fd;

	set_parameter("finish_delay_ms", 1000000);
	fd = make_u64("drawn", 0600);
	for (__u64 key = 0; key < 53; key++)
		EQ(put(fd, key, key), 0);
}

static void watch_draws(void)
{
	make_growing();
	start("linux", "watch", "drawn");
	OK(strstr(drawn, "evacuated"));
	OK(strstr(drawn, "count"));
	OK(strstr(drawn, "53"));
	OK(strstr(drawn, "emptyRest"));
	OK(strstr(drawn, "\033[3"));	/* a colour */
	quits("q");
}

static void watch_without_color(void)
{
	make_growing();
	start("vt100", "watch", "drawn");
	OK(!strstr(drawn, "\033[3"));
	quits("\033[21~q");	/* a vt100 has no F10 */
}

static void watch_follows_changes(void)
{
	int fd = make_u64("drawn", 0600);

	start("linux", "watch", "drawn");
	OK(strstr(drawn, "there is no array yet"));
	EQ(put(fd, 1, 1), 0);
	see("2^0 buckets of");
	quits("q");
}

static void watch_goes_to_buckets(void)
{
	int fd = make_u64("drawn", 0600);

	for (__u64 key = 0; key < 4000; key++)
		EQ(put(fd, key, key), 0);
	start("linux", "watch", "drawn");
	press("700\f");
	see("emptyRest");
	see("700 ");
	see("701 ");
	press("\033[4~\f");	/* End */
	see("1023 ");
	press("\033[5~\f");	/* Page Up */
	see("1016 ");
	quits("q");
}

static void watch_resized(void)
{
	const struct winsize large = { .ws_row = 60, .ws_col = 200 };
	const struct winsize tiny = { .ws_row = 1, .ws_col = 1 };

	make_growing();
	start("linux", "watch", "drawn");
	EQ(ioctl(terminal, TIOCSWINSZ, &large), 0);
	see("F10 Quit");
	EQ(ioctl(terminal, TIOCSWINSZ, &tiny), 0);
	press("9\t");
	quits("q");
}

static const struct test tests[] = {
	TEST(draws_maps),
	TEST(draws_unnamed),
	TEST(follows_changes),
	TEST(keys),
	TEST(resized),
	TEST(too_simple),
	TEST(ends_with_its_terminal),
	TEST(ignores_quit_signal),
	TEST(watch_draws),
	TEST(watch_without_color),
	TEST(watch_follows_changes),
	TEST(watch_goes_to_buckets),
	TEST(watch_resized),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
