// SPDX-License-Identifier: GPL-2.0
/*
 * The command line: subcommands, options, and their help.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"
#include "manual.h"

#define OPTION(name, arg, opt) { name, arg, NULL, opt }
#define OPTION_HELP OPTION("help", no_argument, OPT_HELP)
#define OPTION_JSON OPTION("json", no_argument, OPT_JSON)
#define OPTION_PRETTY OPTION("pretty", no_argument, OPT_PRETTY)
#define OPTION_JSONL OPTION("jsonl", no_argument, OPT_JSONL)
#define OPTION_NOEXIST OPTION("noexist", no_argument, OPT_NOEXIST)
#define OPTION_EXIST OPTION("exist", no_argument, OPT_EXIST)
#define OPTIONS_END { NULL, 0, NULL, 0 }

static const struct option no_options[] = { OPTION_HELP, OPTIONS_END };

static const struct option json_options[] = {
	OPTION_JSON, OPTION_PRETTY, OPTION_HELP, OPTIONS_END
};

static const struct option insert_options[] = {
	OPTION_NOEXIST, OPTION_EXIST, OPTION_HELP, OPTIONS_END
};

static const struct option xchg_options[] = {
	OPTION_NOEXIST, OPTION_EXIST, OPTION_JSON, OPTION_PRETTY, OPTION_HELP,
	OPTIONS_END
};

static const struct option add_options[] = {
	OPTION_EXIST, OPTION_JSON, OPTION_PRETTY, OPTION_HELP, OPTIONS_END
};

static const struct option load_options[] = {
	OPTION_JSONL, OPTION_HELP, OPTIONS_END
};

static const struct option dump_options[] = {
	OPTION_JSON, OPTION_PRETTY, OPTION_JSONL, OPTION_HELP, OPTIONS_END
};

static const struct option create_options[] = {
	OPTION("key", required_argument, OPT_KEY),
	OPTION("elem", required_argument, OPT_ELEM),
	OPTION("hint", required_argument, OPT_HINT),
	OPTION("max-entries", required_argument, OPT_MAX_ENTRIES),
	OPTION("max-bytes", required_argument, OPT_MAX_BYTES),
	OPTION("mode", required_argument, OPT_MODE),
	OPTION("exist-ok", no_argument, OPT_EXIST_OK),
	OPTION_HELP, OPTIONS_END
};

static const struct option set_options[] = {
	OPTION("mode", required_argument, OPT_MODE),
	OPTION("uid", required_argument, OPT_UID),
	OPTION("gid", required_argument, OPT_GID),
	OPTION("max-entries", required_argument, OPT_MAX_ENTRIES),
	OPTION("max-bytes", required_argument, OPT_MAX_BYTES),
	OPTION("name", required_argument, OPT_NAME),
	OPTION_HELP, OPTIONS_END
};

static void cmd_help(const struct args *args);

static const struct command {
	const char *name;
	int min, max;		/* arguments, without options */
	const struct option *options;
	void (*run)(const struct args *args);
	const char *what;
} commands[] = {
	{ "create", 1, 1, create_options, cmd_create, "make a map" },
	{ "list", 0, 0, json_options, cmd_list,
	  "list the maps that have names" },
	{ "insert", 2, 3, insert_options, cmd_insert,
	  "add or replace an entry" },
	{ "lookup", 2, INT_MAX, json_options, cmd_lookup,
	  "print the elems of keys" },
	{ "delete", 2, INT_MAX, no_options, cmd_delete, "delete entries" },
	{ "xchg", 2, 3, xchg_options, cmd_xchg,
	  "insert, and print the previous elem" },
	{ "cmpxchg", 4, 4, json_options, cmd_cmpxchg,
	  "replace an elem if it has the expected value" },
	{ "add", 3, 3, add_options, cmd_add,
	  "add to an elem, and print its previous value" },
	{ "take", 2, 2, json_options, cmd_take,
	  "delete an entry, and print its elem" },
	{ "load", 1, 2, load_options, cmd_load,
	  "insert entries from lines of a file" },
	{ "dump", 1, 1, dump_options, cmd_dump,
	  "print all entries, as load reads them" },
	{ "show", 1, 1, json_options, cmd_show,
	  "show the header and statistics of a map" },
	{ "set", 1, 1, set_options, cmd_set,
	  "change a map's mode, owner, limits or name" },
	{ "clear", 1, 1, no_options, cmd_clear, "delete all entries" },
	{ "unlink", 1, 1, no_options, cmd_unlink,
	  "remove a map's name; it is freed when unused" },
	{ "help", 0, 1, no_options, cmd_help,
	  "show this, or what the manual says of a subcommand" },
};

#define COMMANDS_END (commands + sizeof(commands) / sizeof(*commands))

static void help_all(FILE *out)
{
	const struct command *c;

	fputs("usage: hmapctl SUBCOMMAND [ARGUMENT]...\n\n", out);
	for (c = commands; c < COMMANDS_END; c++)
		fprintf(out, "  %-7s %s\n", c->name, c->what);
	fputs("\nhmapctl help values tells how to write keys and elems; hmapctl --version.\n"
	      "Exit status: 0 fine, 1 not found or refused, 2 wrong usage.\n",
	      out);
}

static const struct manual_section *section(const char *name)
{
	const struct manual_section *s;

	for (s = manual; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	errx(EXIT_MISUSE, "there is no subcommand '%s' (see hmapctl help)", name);
}

static void help_one(const char *name)
{
	const struct manual_section *s = section(name);

	if (*s->usage)
		printf("usage: %s\n", s->usage);
	fputs(s->text, stdout);
}

static void cmd_help(const struct args *args)
{
	if (args->nr)
		help_one(args->arg[0]);
	else
		help_all(stdout);
}

static const struct command *find(const char *name)
{
	const struct command *c;

	for (c = commands; c < COMMANDS_END; c++)
		if (!strcmp(c->name, name))
			return c;
	errx(EXIT_MISUSE, "there is no subcommand '%s' (see hmapctl help)", name);
}

static bool has(const struct option *options, int opt)
{
	while (options->name && options->val != opt)
		options++;
	return options->name;
}

static void wrong_option(const struct command *c, int how, char **argv)
{
	const char *given = argv[optind - 1];

	if (how == ':')
		errx(EXIT_MISUSE, "%s: option '%s' needs a value", c->name, given);
	if (has(c->options, optopt))
		errx(EXIT_MISUSE, "%s: option '%s' takes no value", c->name, given);
	if (optopt)
		errx(EXIT_MISUSE,
		     "%s: there is no option '-%c' (put -- before a key or number that begins with '-')",
		     c->name, optopt);
	errx(EXIT_MISUSE, "%s: there is no option '%s', or several begin so",
	     c->name, given);
}

/* The short options, as getopt_long() wants them. */
static const char *letters(const struct option *options)
{
	static char text[8] = ":";
	size_t n = 1;

	for (; options->name; options++)
		if (options->val < 256)
			text[n++] = options->val;
	return text;
}

/* @argv begins with the command's name. */
static void parse(const struct command *c, int argc, char **argv,
		  struct args *args)
{
	const char *short_options = letters(c->options);
	int opt;

	while ((opt = getopt_long(argc, argv, short_options, c->options,
				  NULL)) != -1) {
		if (opt == '?' || opt == ':')
			wrong_option(c, opt, argv);
		args->opt[opt] = optarg ? optarg : "";
	}
	args->nr = argc - optind;
	args->arg = argv + optind;
	if (args->opt[OPT_HELP] || (args->nr >= c->min && args->nr <= c->max))
		return;
	fprintf(stderr, "usage: %s", section(c->name)->usage);
	exit(EXIT_MISUSE);
}

static void run(int argc, char **argv)
{
	const struct command *c = find(argv[0]);
	struct args args = { .command = c->name };

	parse(c, argc, argv, &args);
	if (args.opt[OPT_HELP])
		help_one(c->name);
	else
		c->run(&args);
}

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
			err(EXIT_REFUSED, "/dev/null");
	}
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	occupy_closed_streams();
	/* Let a closed pipe be an error of write(2), as a full disk is. */
	signal(SIGPIPE, SIG_IGN);

	if (!*name) {
		help_all(stderr);
		return EXIT_MISUSE;
	}
	if (!strcmp(name, "--version"))
		printf("hmapctl %s\n", VERSION);
	else if (!strcmp(name, "--help"))
		help_all(stdout);
	else
		run(argc - 1, argv + 1);

	flush_stdout();
	if (fclose(stdout))
		err(EXIT_REFUSED, "standard output");
	return 0;
}
