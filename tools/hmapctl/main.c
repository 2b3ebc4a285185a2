// SPDX-License-Identifier: GPL-2.0
/*
 * The command line: what subcommands and options there are, and their help.
 */
#include <err.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "hmapctl.h"

#define VERSION "0.1"

/* getopt_long() values of options: above any character. */
#define OPTION(name, arg, opt) { name, arg, NULL, 256 + (opt) }
#define OPTION_HELP OPTION("help", no_argument, OPT_HELP)
#define OPTIONS_END { NULL, 0, NULL, 0 }

static const struct option no_options[] = { OPTION_HELP, OPTIONS_END };

static const struct option json_options[] = {
	OPTION("json", no_argument, OPT_JSON),
	OPTION_HELP,
	OPTIONS_END
};

static const struct option insert_options[] = {
	OPTION("noexist", no_argument, OPT_NOEXIST),
	OPTION("exist", no_argument, OPT_EXIST),
	OPTION_HELP,
	OPTIONS_END
};

static const struct option create_options[] = {
	OPTION("key", required_argument, OPT_KEY),
	OPTION("elem", required_argument, OPT_ELEM),
	OPTION("hint", required_argument, OPT_HINT),
	OPTION("max-entries", required_argument, OPT_MAX_ENTRIES),
	OPTION("max-bytes", required_argument, OPT_MAX_BYTES),
	OPTION("mode", required_argument, OPT_MODE),
	OPTION_HELP,
	OPTIONS_END
};

#define HELP_JSON "  --json    as JSON\n"
#define HELP_VALUES \
	"Integers are decimal or 0x hex.  Other keys and elems are text, in which\n" \
	"\\\\ \\t \\n \\r \\xHH stand for a backslash, tab, newline, carriage return and any\n" \
	"byte.  Put -- before arguments of which one begins with a '-'.\n"

static const struct command {
	const char *name;
	const char *usage;	/* arguments */
	int min, max;		/* how many of them, without options */
	const struct option *options;
	void (*run)(const struct args *args);
	const char *what;
	const char *help;
} commands[] = {
	{ "create", "NAME --key TYPE --elem TYPE [OPTION]...", 1, 1,
	  create_options, cmd_create, "make a map",
	  "  --key u32|u64|bytes:N|string      what keys are\n"
	  "  --elem none|u32|u64|bytes:N|var:N what elems are; none makes a set,\n"
	  "                                    var:N takes 0 to N bytes\n"
	  "  --hint N                          make room for N entries at once\n"
	  "  --max-entries N                   hold no more entries than that\n"
	  "  --max-bytes N[K|M|G]              use no more memory than that\n"
	  "  --mode OCTAL                      who may open it (0600)\n" },
	{ "list", "[--json]", 0, 0, json_options, cmd_list,
	  "list the maps that have names", HELP_JSON },
	{ "insert", "NAME KEY [ELEM] [--noexist|--exist]", 2, 3,
	  insert_options, cmd_insert, "make or replace an entry",
	  "  --noexist  only if the key is not there\n"
	  "  --exist    only if the key is there\n"
	  "\n"
	  "A set takes no ELEM.\n" HELP_VALUES },
	{ "lookup", "NAME KEY", 2, 2, no_options, cmd_lookup,
	  "print the elem of a key", HELP_VALUES },
	{ "delete", "NAME KEY", 2, 2, no_options, cmd_delete,
	  "delete an entry", HELP_VALUES },
	{ "load", "NAME [FILE|-]", 1, 2, no_options, cmd_load,
	  "insert entries from lines of KEY<TAB>ELEM",
	  "Reads FILE or standard input, and stops at the first line that is wrong or\n"
	  "refused.  Lines for a set have a KEY only.\n" HELP_VALUES },
	{ "dump", "NAME [--json]", 1, 1, json_options, cmd_dump,
	  "print all entries, as load reads them",
	  "  --json    as a JSON array of objects; text that is not UTF-8, or has a NUL,\n"
	  "            is {\"hex\": \"...\"}\n" },
	{ "show", "NAME [--json]", 1, 1, json_options, cmd_show,
	  "show the header and statistics of a map",
	  HELP_JSON
	  "\n"
	  "More is shown to those who may read debugfs.\n" },
	{ "clear", "NAME", 1, 1, no_options, cmd_clear,
	  "delete all entries", "" },
	{ "unlink", "NAME", 1, 1, no_options, cmd_unlink,
	  "take a map's name away; the map goes with its last file", "" },
};

#define COMMANDS_END (commands + sizeof(commands) / sizeof(*commands))

void flush_stdout(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_REFUSED, "standard output");
}

static const struct command *find(const char *name)
{
	const struct command *c;

	for (c = commands; c < COMMANDS_END; c++)
		if (!strcmp(c->name, name))
			return c;
	errx(EXIT_MISUSE, "there is no subcommand '%s' (see hmapctl help)", name);
}

static void help_all(FILE *out)
{
	const struct command *c;

	fputs("usage: hmapctl SUBCOMMAND [ARGUMENT]...\n\n", out);
	for (c = commands; c < COMMANDS_END; c++)
		fprintf(out, "  %-7s %s\n", c->name, c->what);
	fputs("\nhmapctl help SUBCOMMAND tells more; hmapctl --version.\n"
	      "Exit status: 0 fine, 1 not found or refused, 2 wrong usage.\n",
	      out);
}

static void help_one(const struct command *c)
{
	printf("usage: hmapctl %s %s\n\n%s\n", c->name, c->usage, c->what);
	if (*c->help)
		printf("\n%s", c->help);
}

static void wrong_option(const struct command *c, int how, char **argv)
{
	const char *given = argv[optind - 1];

	if (how == ':')
		errx(EXIT_MISUSE, "%s: option '%s' needs a value", c->name, given);
	if (optopt >= 256)
		errx(EXIT_MISUSE, "%s: option '%s' takes no value", c->name, given);
	if (optopt)
		errx(EXIT_MISUSE,
		     "%s: there is no option '-%c' (put -- before a key that begins with '-')",
		     c->name, optopt);
	errx(EXIT_MISUSE, "%s: there is no option '%s', or several begin so",
	     c->name, given);
}

/* @argv begins with the command's name. */
static void parse(const struct command *c, int argc, char **argv,
		  struct args *args)
{
	int opt;

	while ((opt = getopt_long(argc, argv, ":", c->options, NULL)) != -1) {
		if (opt < 256)
			wrong_option(c, opt, argv);
		args->opt[opt - 256] = optarg ? optarg : "";
	}
	args->nr = argc - optind;
	args->arg = argv + optind;
	if (!args->opt[OPT_HELP] && (args->nr < c->min || args->nr > c->max))
		errx(EXIT_MISUSE, "usage: hmapctl %s %s", c->name, c->usage);
}

static void run(int argc, char **argv)
{
	const struct command *c = find(argv[0]);
	struct args args = { 0 };

	parse(c, argc, argv, &args);
	if (args.opt[OPT_HELP])
		help_one(c);
	else
		c->run(&args);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	/* A closed pipe is then an error of write(2), as a full disk is. */
	signal(SIGPIPE, SIG_IGN);

	if (!*name) {
		help_all(stderr);
		return EXIT_MISUSE;
	}
	if (!strcmp(name, "--version"))
		printf("hmapctl %s\n", VERSION);
	else if (!strcmp(name, "help") && argc > 2)
		help_one(find(argv[2]));
	else if (!strcmp(name, "help") || !strcmp(name, "--help"))
		help_all(stdout);
	else
		run(argc - 1, argv + 1);

	flush_stdout();
	if (fclose(stdout))
		err(EXIT_REFUSED, "standard output");
	return 0;
}
