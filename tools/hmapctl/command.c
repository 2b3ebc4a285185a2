// SPDX-License-Identifier: GPL-2.0
/*
 * Subcommands: which there are, their options, and their help.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "hmapctl.h"
#include "manual.h"

const struct option no_options[] = { OPTION_HELP, OPTIONS_END };

const struct option json_options[] = {
	OPTION_JSON, OPTION_PRETTY, OPTION_HELP, OPTIONS_END
};

const struct command * const commands[] = {
	&command_create, &command_list, &command_insert, &command_lookup,
	&command_delete, &command_count, &command_xchg, &command_cmpxchg, &command_add,
	&command_take, &command_load, &command_dump, &command_save,
	&command_restore, &command_copy, &command_show,
	&command_explain, &command_top, &command_watch,
	&command_limit, &command_rename, &command_chmod, &command_chown,
	&command_clear, &command_unlink, &command_picture, &command_record,
	&command_help, NULL
};

/* === Help === */

void help_all(FILE *out)
{
	int i;

	fputs("usage: hmapctl SUBCOMMAND [ARGUMENT]...\n\n", out);
	for (i = 0; commands[i]; i++)
		fprintf(out, "  %-7s %s\n", commands[i]->name, commands[i]->what);
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
	return NULL;
}

const char *command_usage(const struct command *command)
{
	return section(command->name)->usage;
}

/* === Wrong names === */

/* How many letters to insert, delete or replace to make @b of @a. */
static int distance(const char *a, const char *b)
{
	int row[32], i, j, n = strlen(b);

	if (n >= (int)(sizeof(row) / sizeof(*row)))
		return INT_MAX;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		int diagonal = row[0]++;

		for (j = 1; j <= n; j++) {
			int least = diagonal + (a[i] != b[j - 1]);

			diagonal = row[j];
			if (least > row[j] + 1)
				least = row[j] + 1;
			if (least > row[j - 1] + 1)
				least = row[j - 1] + 1;
			row[j] = least;
		}
	}
	return row[n];
}

/* Whether someone may have meant @name who wrote @given. */
static bool is_near(const char *given, const char *name)
{
	return (*given && !strncmp(name, given, strlen(given))) ||
	       distance(given, name) <= (strlen(name) > 4 ? 2 : 1);
}

/* A list such as "a, b or c" of names that are given one by one, in @text. */
struct names {
	char text[200];
	size_t last;		/* where the last name begins */
	int nr;
};

static void names_add(struct names *names, const char *prefix, const char *name)
{
	char *last = names->text + names->last;
	size_t len = strlen(names->text);

	if (names->nr > 1) {
		/* " or NAME" becomes ", NAME". */
		memmove(last - 2, last, strlen(last) + 1);
		memcpy(last - 4, ", ", 2);
		len -= 2;
	}
	names->last = len + (names->nr ? 4 : 0);
	snprintf(names->text + len, sizeof(names->text) - len, "%s%s%s",
		 names->nr ? " or " : "", prefix, name);
	names->nr++;
}

static void no_subcommand(const char *given)
{
	struct names near = { 0 };
	int i;

	for (i = 0; commands[i]; i++)
		if (is_near(given, commands[i]->name))
			names_add(&near, "", commands[i]->name);
	if (near.nr)
		fail(EXIT_MISUSE, "there is no subcommand '%s'; did you mean %s?",
		     brief(given), near.text);
	fail(EXIT_MISUSE, "there is no subcommand '%s' (see hmapctl help)",
	     brief(given));
}

const struct command *command_find(const char *name)
{
	int i;

	for (i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			break;
	return commands[i];
}

static void help(const struct args *args)
{
	const struct manual_section *s;

	if (!args->nr) {
		help_all(stdout);
		return;
	}
	s = section(args->arg[0]);
	if (!s)
		no_subcommand(args->arg[0]);
	if (*s->usage)
		printf("usage: %s\n", s->usage);
	fputs(s->text, stdout);
}

const struct command command_help = {
	"help", 0, 1, no_options, help,
	"show this, or what the manual says of a subcommand"
};

/* === Options === */

/* Parsing stopped at a long option that is none, or that is not whole. */
static void wrong_long_option(const struct command *c, const char *given)
{
	struct names near = { 0 }, begin = { 0 };
	const struct option *o;
	size_t len = strcspn(given + 2, "=");
	char name[40];

	snprintf(name, sizeof(name), "%.*s", (int)len, given + 2);
	for (o = c->options; o->name; o++) {
		if (!strncmp(o->name, name, len))
			names_add(&begin, "--", o->name);
		else if (is_near(name, o->name))
			names_add(&near, "--", o->name);
	}
	if (begin.nr)
		fail(EXIT_MISUSE, "%s: '%s' may be %s", c->name, brief(given),
		     begin.text);
	if (near.nr)
		fail(EXIT_MISUSE, "%s: there is no option '%s'; did you mean %s?",
		     c->name, brief(given), near.text);
	fail(EXIT_MISUSE, "%s: there is no option '%s' (see hmapctl help %s)",
	     c->name, brief(given), c->name);
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
		fail(EXIT_MISUSE, "%s: option '%s' needs a value", c->name,
		     brief(given));
	if (has(c->options, optopt))
		fail(EXIT_MISUSE, "%s: option '%s' takes no value", c->name,
		     brief(given));
	if (optopt)
		fail(EXIT_MISUSE,
		     "%s: there is no option '-%c' (put -- before a key that begins with '-')",
		     c->name, optopt);
	wrong_long_option(c, given);
}

/* The short options, as getopt_long() wants them: arguments in their order. */
static const char *letters(const struct option *options)
{
	static char text[16];
	size_t n = 2;

	memcpy(text, "-:", 3);
	for (; options->name; options++) {
		if (options->val >= 256)
			continue;
		text[n++] = options->val;
		if (options->has_arg == required_argument)
			text[n++] = ':';
	}
	text[n] = '\0';
	return text;
}

__u64 option_amount(const struct args *args, int opt, const char *name)
{
	const char *text = args->opt[opt];
	__u64 n = 0;

	if (text && !parse_amount(text, &n))
		fail(EXIT_MISUSE,
		     "%s: --%s '%s' is not a whole number below 2^64, which K, M, G or T may follow",
		     args->command, name, brief(text));
	return n;
}

static bool is_negative(const char *text)
{
	return text[0] == '-' && text[1] >= '0' && text[1] <= '9';
}

/* @argv begins with the command's name. */
static void parse(const struct command *c, int argc, char **argv,
		  struct args *args)
{
	const char *short_options = letters(c->options);
	int opt;

	args->arg = argv;
	optind = 0;		/* Begin anew. */
	while (optind < argc) {
		/* No option is a digit, so this is a number. */
		if (optind && is_negative(argv[optind])) {
			args->arg[args->nr++] = argv[optind++];
			continue;
		}
		opt = getopt_long(argc, argv, short_options, c->options, NULL);
		if (opt == -1)
			break;
		if (opt == '?' || opt == ':')
			wrong_option(c, opt, argv);
		if (opt == 1)
			args->arg[args->nr++] = optarg;
		else
			args->opt[opt] = optarg ? optarg : "";
	}
	while (optind < argc)
		args->arg[args->nr++] = argv[optind++];
	if (args->opt[OPT_HELP] || (args->nr >= c->min && args->nr <= c->max))
		return;
	fprintf(stderr, "usage: %s", command_usage(c));
	leave(EXIT_MISUSE);
}

static void run(int argc, char **argv)
{
	const struct command *c = command_find(argv[0]);
	struct args args = { 0 };

	if (!c)
		no_subcommand(argv[0]);
	args.command = c->name;
	parse(c, argc, argv, &args);
	if (args.opt[OPT_HELP]) {
		args.nr = 1;
		args.arg = (char **)&c->name;
		help(&args);
	} else {
		c->run(&args);
	}
	flush_stdout();
}

int command_run(int argc, char **argv)
{
	return attempt(run, argc, argv);
}
