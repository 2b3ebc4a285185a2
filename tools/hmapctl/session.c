// SPDX-License-Identifier: GPL-2.0
/*
 * A session: commands, one a line, in one process.  On a terminal there is a
 * prompt, with history and completion.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <editline/readline.h>
#include "hmapctl.h"
#include "manual.h"

#define WORDS_MAX	4096
#define KEYS_MAX	200	/* offered for completion */

static bool in_session;

bool stdin_has_commands(void)
{
	return in_session;
}

/* === Words === */

/*
 * Cut the line into words, in place.  '...' and "..." keep what is between them;
 * a backslash is left for the values.  Returns their number, or -1 if a quote
 * does not end.
 */
static int split(char *line, char **words)
{
	char *from = line, *to = line, quote = '\0';
	int nr = 0;

	for (;;) {
		while (isspace((unsigned char)*from))
			from++;
		if (!*from || (*from == '#' && !nr))
			return nr;
		if (nr == WORDS_MAX)
			return -1;
		words[nr++] = to;
		for (; *from && (quote || !isspace((unsigned char)*from)); from++)
			if (*from == quote)
				quote = '\0';
			else if (!quote && (*from == '\'' || *from == '"'))
				quote = *from;
			else
				*to++ = *from;
		if (quote)
			return -1;
		if (*from)
			from++;
		*to++ = '\0';
	}
}

/* Returns the exit status. */
static int run_line(char *line)
{
	static char *words[WORDS_MAX + 1];
	int nr = split(line, words);

	if (nr < 0) {
		complain("a quote does not end, or there are too many words");
		return EXIT_MISUSE;
	}
	if (!nr)
		return 0;
	words[nr] = NULL;
	return command_run(nr, words);
}

/* === Completion === */

static char **offers;
static size_t nr_offers, offers_room;
static const char *wanted;	/* what offers are to begin with */

static void offer(const char *text)
{
	if (strncmp(text, wanted, strlen(wanted)))
		return;
	if (nr_offers == offers_room) {
		offers_room = 2 * offers_room + 64;
		offers = realloc(offers, offers_room * sizeof(*offers));
		if (!offers)
			abort();
	}
	offers[nr_offers++] = strdup(text);
}

static void offer_subcommands(void)
{
	int i;

	for (i = 0; commands[i]; i++)
		offer(commands[i]->name);
	offer("quit");
}

static void offer_options(const struct command *command)
{
	const struct option *o;
	char text[40];

	for (o = command->options; o->name; o++) {
		snprintf(text, sizeof(text), "--%s", o->name);
		offer(text);
	}
}

static void offer_maps(void)
{
	struct hmap_info info = { 0 };

	while (hmap_next_map(&info) > 0)
		if (info.name[0])
			offer(info.name);
}

/* Without a message if the map cannot be read. */
static void offer_keys(const char *name)
{
	static char text[TEXT_MAX_LEN + 1];
	struct map map = { .fd = hmap_open(name, O_RDONLY) };
	struct hmap_walk *walk = NULL;
	struct hmap_item item;
	size_t len;

	if (map.fd < 0)
		return;
	if (!hmap_info(map.fd, &map.info)) {
		map_types(&map);
		walk = hmap_walk_begin(map.fd);
	}
	while (walk && nr_offers < KEYS_MAX && hmap_walk_next(walk, &item) > 0) {
		len = text_value(&map.key, item.key, item.key_len, text);
		text[len] = '\0';
		offer(text);
	}
	if (walk)
		hmap_walk_end(walk);
	close(map.fd);
}

/*
 * What the manual calls argument @nr of a command, such as "key": the words of
 * its synopsis after "hmapctl COMMAND".
 */
static bool argument_is(const struct command *command, int nr, const char *what)
{
	const char *usage = strstr(command_usage(command), command->name);
	size_t len;

	while (usage && nr--) {
		usage += strcspn(usage, "\n ");
		usage += strspn(usage, "[\n ");
	}
	len = usage ? strcspn(usage, "]\n ") : 0;
	return len == strlen(what) && !memcmp(usage, what, len);
}

static void offer_for(char **words, int nr)
{
	const struct command *command = nr ? command_find(words[0]) : NULL;
	int i, arguments = 1;

	for (i = 1; i < nr; i++)
		arguments += *words[i] != '-';
	if (!nr)
		offer_subcommands();
	else if (!command)
		return;
	else if (*wanted == '-')
		offer_options(command);
	else if (argument_is(command, arguments, "name") &&
		 command != &command_create)
		offer_maps();
	else if (argument_is(command, arguments, "key") && nr > 1)
		offer_keys(words[1]);
	else if (argument_is(command, arguments, "subcommand"))
		offer_subcommands();
}

static char *next_offer(const char *text, int state)
{
	static size_t next;

	(void)text;
	if (!state)
		next = 0;
	return next < nr_offers ? offers[next++] : NULL;
}

static char **complete(const char *text, int start, int end)
{
	static char *words[WORDS_MAX + 1];
	char *before = strndup(rl_line_buffer, start);
	int nr;

	(void)end;
	if (!before)
		return NULL;
	nr_offers = 0;		/* They belong to who asked for them. */
	wanted = text;
	nr = split(before, words);
	if (nr >= 0)
		offer_for(words, nr);
	free(before);
	/* Where nothing is offered, file names may be meant. */
	rl_attempted_completion_over = nr_offers > 0;
	return nr_offers ? rl_completion_matches(text, next_offer) : NULL;
}

/* === Sessions === */

static bool quits(const char *line)
{
	return !strcmp(line, "quit") || !strcmp(line, "exit");
}

static void converse(void)
{
	const char *home = getenv("HOME");
	char path[4096], *line;

	snprintf(path, sizeof(path), "%s/.hmapctl_history", home ? home : "");
	rl_readline_name = "hmapctl";
	rl_attempted_completion_function = complete;
	using_history();
	stifle_history(1000);
	if (home)
		read_history(path);
	while ((line = readline("hmap> ")) && !quits(line)) {
		if (*line)
			add_history(line);
		run_line(line);
		free(line);
	}
	if (!line)
		putchar('\n');
	free(line);
	if (home)
		write_history(path);
}

int session(void)
{
	int status = 0, worst = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	unsigned long nr = 0;

	in_session = true;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		converse();
		return 0;
	}
	while ((len = getline(&line, &room, stdin)) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (quits(line))
			break;
		message_source("stdin", ++nr);
		status = run_line(line);
		if (worst < status)
			worst = status;
	}
	if (ferror(stdin))
		fail_errno("stdin");
	free(line);
	return worst;
}
