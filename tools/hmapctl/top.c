// SPDX-License-Identifier: GPL-2.0
/*
 * top: what the maps are doing, refreshed all the time.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "hmapctl.h"
#include "screen.h"

/* === Rows === */

/* A map, and what was done with it since the last look, or NAN. */
struct row {
	struct hmap_info info;
	char name[HMAP_NAME_LEN];
	double lookups, inserts, deletes;	/* a second */
};

struct rows {
	struct timespec when;
	struct row *row;
	size_t nr, room;
};

static struct rows rows, before;

static struct row *add_row(struct rows *r)
{
	if (r->nr == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->row = checked(reallocarray(r->row, r->room, sizeof(*r->row)));
	}
	return &r->row[r->nr++];
}

static const struct row *find_row(const struct rows *r, __u64 id)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (r->row[i].info.id == id)
			return &r->row[i];
	return NULL;
}

static void set_rates(struct row *row, double seconds)
{
	const struct row *was = find_row(&before, row->info.id);
	const struct hmap_info *i = &row->info;

	row->lookups = NAN;
	row->inserts = NAN;
	row->deletes = NAN;
	if (!was || !(i->access & HMAP_ACCESS_READ) || seconds <= 0)
		return;
	row->lookups = (i->lookups - was->info.lookups) / seconds;
	row->inserts = (i->inserts - was->info.inserts) / seconds;
	row->deletes = (i->deletes - was->info.deletes) / seconds;
}

/* Have a look at all maps; returns an errno. */
static int look(void)
{
	struct hmap_info info = { 0 };
	struct rows swap = before;
	struct row *row;
	size_t n;
	int ret;

	before = rows;
	rows = swap;
	rows.nr = 0;
	while ((ret = hmap_next_map(&info)) > 0) {
		row = add_row(&rows);
		row->info = info;
		map_name(&info, row->name);
	}
	if (ret < 0)
		return errno;
	clock_gettime(CLOCK_MONOTONIC, &rows.when);
	for (n = 0; n < rows.nr; n++)
		set_rates(&rows.row[n],
			  seconds_between(&before.when, &rows.when));
	return 0;
}

/* === Columns === */

static double ratio(double part, double whole)
{
	return whole ? part / whole : NAN;
}

static double id(const struct row *row)
{
	return row->info.id;
}

static double entries(const struct row *row)
{
	return row->info.count;
}

static double bytes(const struct row *row)
{
	return row->info.bytes;
}

/* Of entries or bytes, what is nearer to its limit. */
static double share(const struct row *row)
{
	const struct hmap_info *i = &row->info;

	return fmax(ratio(100.0 * i->count, i->max_entries),
		    ratio(100.0 * i->bytes, i->max_bytes));
}

static double load(const struct row *row)
{
	return ldexp(row->info.count, -(int)row->info.log2_buckets);
}

static double evacuated(const struct row *row)
{
	const struct hmap_info *i = &row->info;

	if (i->state & HMAP_STATE_GROWING)
		return ldexp(100.0 * i->nevacuate, 1 - (int)i->log2_buckets);
	if (i->state & HMAP_STATE_SAME_SIZE)
		return ldexp(100.0 * i->nevacuate, -(int)i->log2_buckets);
	return NAN;
}

static double lookups(const struct row *row)
{
	return row->lookups;
}

static double inserts(const struct row *row)
{
	return row->inserts;
}

static double deletes(const struct row *row)
{
	return row->deletes;
}

static double holders(const struct row *row)
{
	return row->info.holders;
}

/* The name comes behind these. */
static const struct column {
	const char *name;
	int width;
	int decimals;
	double (*value)(const struct row *row);
	const char *what;
} columns[] = {
	{ "ID", 5, 0, id, "id" },
	{ "ENTRIES", 7, 0, entries, "entries" },
	{ "BYTES", 7, 0, bytes, "bytes of memory" },
	{ "LIMIT%", 6, 1, share, "share of entries or bytes it may have" },
	{ "LOAD", 5, 2, load, "entries per bucket" },
	{ "GROW%", 5, 0, evacuated, "how far a growth is" },
	{ "LOOK/S", 7, 0, lookups, "lookups a second" },
	{ "INS/S", 7, 0, inserts, "inserts a second" },
	{ "DEL/S", 7, 0, deletes, "deletes a second" },
	{ "HOLD", 4, 0, holders, "files that are bound to it" },
};

#define NR_COLUMNS	((int)(sizeof(columns) / sizeof(*columns)))
#define COLUMN_NAME	NR_COLUMNS

static const char *column_name(int column)
{
	return column == COLUMN_NAME ? "NAME" : columns[column].name;
}

/* NAN for what the user may not know. */
static double value_of(const struct column *c, const struct row *row)
{
	if (c->value != id && !(row->info.access & HMAP_ACCESS_READ))
		return NAN;
	return c->value(row);
}

/* Shortened to the column's width by a suffix, or in full if @exact. */
static void cell(const struct column *c, const struct row *row, bool exact,
		 char text[40])
{
	static const char suffixes[] = " KMGTPE";
	double value = value_of(c, row);
	const char *suffix = suffixes;

	if (isnan(value)) {
		strcpy(text, "-");
		return;
	}
	snprintf(text, 40, "%.*f", c->decimals, value);
	while (!exact && (int)strlen(text) > c->width && suffix[1]) {
		value /= 1024;
		suffix++;
		snprintf(text, 40, "%.*f%c", value < 10, value, *suffix);
	}
}

/* === Order === */

static int sort_by;
static bool inverted;

/* Numbers descend, and what is not known comes last. */
static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double v, w;
	int order;

	if (sort_by == COLUMN_NAME) {
		order = strcmp(x->name, y->name);
	} else {
		v = value_of(&columns[sort_by], x);
		w = value_of(&columns[sort_by], y);
		if (isnan(v) || isnan(w))
			return isnan(v) - isnan(w);
		order = (v < w) - (v > w);
	}
	if (!order)
		return (x->info.id > y->info.id) - (x->info.id < y->info.id);
	return inverted ? -order : order;
}

static void sort_rows(void)
{
	if (rows.nr)
		qsort(rows.row, rows.nr, sizeof(*rows.row), compare);
}

static int find_column(const char *name)
{
	int i;

	for (i = 0; i <= NR_COLUMNS; i++)
		if (!strcasecmp(column_name(i), name))
			return i;
	fail(EXIT_MISUSE, "top: --sort '%s': there is no such column",
	     brief(name));
}

/* === Lines === */

#define LINE_LEN	512	/* all columns in full, and a name */

/* Of a map, or the heading for NULL. */
static void line_of(const struct row *row, bool exact, char line[LINE_LEN])
{
	char text[40];
	int i, len = 0;

	for (i = 0; i < NR_COLUMNS; i++) {
		if (row)
			cell(&columns[i], row, exact, text);
		len += snprintf(line + len, LINE_LEN - len, "%*s ",
				columns[i].width, row ? text : columns[i].name);
	}
	snprintf(line + len, LINE_LEN - len, "%s",
		 row ? row->name : column_name(COLUMN_NAME));
}

static void print_once(void)
{
	char line[LINE_LEN];
	size_t n;

	line_of(NULL, true, line);
	fprintf(out, "%s\n", line);
	for (n = 0; n < rows.nr; n++) {
		line_of(&rows.row[n], true, line);
		fprintf(out, "%s\n", line);
	}
}

/* === The screen === */

static struct {
	__u64 selected;		/* id of a map */
	size_t top;		/* first row that is shown */
	char filter[HMAP_NAME_LEN];
} view;

static size_t *shown;		/* rows that pass the filter */
static size_t nr_shown;

static void choose_rows(void)
{
	size_t n;

	shown = checked(reallocarray(shown, rows.nr + 1, sizeof(*shown)));
	nr_shown = 0;
	for (n = 0; n < rows.nr; n++)
		if (strstr(rows.row[n].name, view.filter))
			shown[nr_shown++] = n;
}

static size_t selected_row(void)
{
	size_t n;

	for (n = 0; n < nr_shown; n++)
		if (rows.row[shown[n]].info.id == view.selected)
			return n;
	return 0;
}

static void select_row(size_t n)
{
	view.selected = n < nr_shown ? rows.row[shown[n]].info.id : 0;
}

/* Lines for rows: all but the summary, the heading and the keys. */
static int page(void)
{
	return LINES > 4 ? LINES - 4 : 1;
}

/* What does not fit on the screen is cut off. */
static void put_line(int y, attr_t attributes, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void put_line(int y, attr_t attributes, const char *fmt, ...)
{
	char line[LINE_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	attron(attributes);
	mvhline(y, 0, ' ', COLS);
	mvaddnstr(y, 0, line, COLS);
	attroff(attributes);
}

static void draw_summary(void)
{
	double sum[3] = { 0 };
	__u64 count = 0, memory = 0;
	size_t n;

	for (n = 0; n < rows.nr; n++) {
		count += rows.row[n].info.count;
		memory += rows.row[n].info.bytes;
		if (isnan(rows.row[n].lookups))
			continue;
		sum[0] += rows.row[n].lookups;
		sum[1] += rows.row[n].inserts;
		sum[2] += rows.row[n].deletes;
	}
	put_line(0, 0, "maps: %zu, entries: %llu, memory: %.1f MiB", rows.nr,
		 count, memory / 1048576.0);
	put_line(1, 0, "%.0f lookups/s, %.0f inserts/s, %.0f deletes/s%s%s",
		 sum[0], sum[1], sum[2], *view.filter ? "   filter: " : "",
		 view.filter);
}

static void draw_heading(void)
{
	char line[LINE_LEN];
	int i, x = 0;

	line_of(NULL, false, line);
	put_line(2, A_REVERSE, "%s", line);
	for (i = 0; i < sort_by; i++)
		x += columns[i].width + 1;
	mvchgat(2, x, sort_by == COLUMN_NAME ? 4 : columns[i].width,
		A_REVERSE | A_BOLD | A_UNDERLINE, 0, NULL);
}

static void draw_row(int y, const struct row *row, bool selected)
{
	char line[LINE_LEN];

	line_of(row, false, line);
	put_line(y, selected ? A_REVERSE : 0, "%s", line);
}

static void draw_keys(const char *text)
{
	put_line(LINES - 1, A_REVERSE, "%s", text);
}

static void draw(void)
{
	size_t selected, n;
	int lines = page();

	choose_rows();
	selected = selected_row();
	select_row(selected);
	if (view.top > selected)
		view.top = selected;
	if (view.top + lines <= selected)
		view.top = selected - lines + 1;
	erase();
	draw_summary();
	draw_heading();
	for (n = view.top; n < nr_shown && n < view.top + lines; n++)
		draw_row(3 + n - view.top, &rows.row[shown[n]], n == selected);
	draw_keys("F1 Help  F3 Search  F4 Filter  F6 Sort by  I Invert  F10 Quit");
	refresh();
}

/* === Keys === */

static void move_selection(long by)
{
	long n = (long)selected_row() + by;

	if (n >= (long)nr_shown)
		n = (long)nr_shown - 1;
	select_row(n > 0 ? n : 0);
}

static void draw_help(void)
{
	int i, y = 2;

	erase();
	put_line(0, 0, "Columns");
	for (i = 0; i < NR_COLUMNS; i++)
		put_line(y++, 0, "  %-8s %s", columns[i].name, columns[i].what);
	y++;
	put_line(y++, 0, "  Up Down PgUp PgDn Home End    move");
	put_line(y++, 0, "  F3 /   search a name          F4 \\   show matching names");
	put_line(y++, 0, "  F6 <>  choose a column        I      invert the order");
	put_line(y++, 0, "  N M P  by ID, BYTES, LOOK/S   F10 q  quit");
	draw_keys("Press any key");
	refresh();
}

static void help(void)
{
	do
		draw_help();
	while (screen_key() == KEY_RESIZE);
}

static void choose_column(void)
{
	int chosen = sort_by, key, i;

	do {
		erase();
		put_line(0, 0, "Sort by");
		for (i = 0; i <= NR_COLUMNS; i++)
			put_line(2 + i, i == chosen ? A_REVERSE : 0, "  %s",
				 column_name(i));
		draw_keys("Enter Sort  Esc Cancel");
		refresh();
		key = screen_key();
		if (key == KEY_UP && chosen > 0)
			chosen--;
		if (key == KEY_DOWN && chosen < COLUMN_NAME)
			chosen++;
	} while (key == KEY_UP || key == KEY_DOWN || key == KEY_RESIZE);
	if (key == '\n' || key == '\r' || key == KEY_ENTER)
		sort_by = chosen;
}

/* Type a text; @changed is called with it after each key. */
static void type_text(const char *what, char text[HMAP_NAME_LEN],
		      void (*changed)(const char *text))
{
	char line[HMAP_NAME_LEN + 32];
	size_t len = strlen(text);
	int key;

	for (;;) {
		draw();
		snprintf(line, sizeof(line), "%s: %s  (Enter Done  Esc Cancel)",
			 what, text);
		draw_keys(line);
		refresh();
		key = screen_key();
		if (key == '\n' || key == '\r' || key == KEY_ENTER)
			return;
		if (key == KEY_ESCAPE)
			len = 0;
		else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') &&
			 len)
			len--;
		else if (key < 256 && isprint(key) && len < HMAP_NAME_LEN - 1)
			text[len++] = key;
		text[len] = 0;
		changed(text);
		if (key == KEY_ESCAPE)
			return;
	}
}

static void search_changed(const char *text)
{
	size_t n;

	for (n = 0; *text && n < nr_shown; n++)
		if (strstr(rows.row[shown[n]].name, text)) {
			select_row(n);
			return;
		}
}

static void filter_changed(const char *text)
{
	(void)text;	/* it is view.filter */
}

/* Returns false to quit. */
static bool act_on(int key)
{
	char text[HMAP_NAME_LEN] = "";

	switch (key) {
	case 'q':
	case KEY_F(10):
		return false;
	case KEY_UP:
		move_selection(-1);
		break;
	case KEY_DOWN:
		move_selection(1);
		break;
	case KEY_PPAGE:
		move_selection(-page());
		break;
	case KEY_NPAGE:
		move_selection(page());
		break;
	case KEY_HOME:
		select_row(0);
		break;
	case KEY_END:
		move_selection(nr_shown);
		break;
	case 'h':
	case '?':
	case KEY_F(1):
		help();
		break;
	case '/':
	case KEY_F(3):
		type_text("Search", text, search_changed);
		break;
	case '\\':
	case KEY_F(4):
		type_text("Filter", view.filter, filter_changed);
		break;
	case '<':
	case '>':
	case ',':
	case '.':
	case KEY_F(6):
		choose_column();
		break;
	case 'I':
		inverted = !inverted;
		break;
	case 'N':
		sort_by = find_column("ID");
		break;
	case 'M':
		sort_by = find_column("BYTES");
		break;
	case 'P':
		sort_by = find_column("LOOK/S");
		break;
	}
	return true;
}

/* Act on keys until it is time to look again; false to quit. */
static bool watch_keys(double delay)
{
	int key;

	for (;;) {
		sort_rows();
		draw();
		key = screen_key_until(&rows.when, delay);
		if (key == ERR)
			return true;
		if (!act_on(key))
			return false;
	}
}

/* === The command === */

static void must_look(void)
{
	struct map map = { .flags = O_RDONLY };
	int err = look();

	if (err)
		fail(EXIT_REFUSED, "listing maps: %s",
		     reason(&map, HMAP_IOC_INFO, err));
}

static void top_maps(const struct args *args)
{
	double delay = option_delay(args, 2);

	sort_by = args->opt[OPT_SORT] ? find_column(args->opt[OPT_SORT]) :
					find_column("ID");
	inverted = false;
	view.filter[0] = 0;
	before.nr = 0;
	rows.nr = 0;
	must_look();
	if (!args->opt[OPT_ONCE]) {
		screen_open(args);
		while (watch_keys(delay))
			must_look();
		return;
	}
	wait_seconds(delay);
	must_look();
	sort_rows();
	print_once();
}

static const struct option top_options[] = {
	OPTION("once", OPT_ONCE), OPTION_ARG("delay", OPT_DELAY),
	OPTION_ARG("sort", OPT_SORT), OPTION_HELP, OPTIONS_END
};

const struct command command_top = {
	"top", 0, 0, top_options, top_maps, "watch what all maps are doing"
};
