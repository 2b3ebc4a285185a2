// SPDX-License-Identifier: GPL-2.0
/*
 * watch: what one map looks like inside, refreshed all the time.
 *
 * A frame is drawn into memory, so that the screen and --once show the same.
 */
#include <fcntl.h>
#include <langinfo.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "hmapctl.h"
#include "screen.h"
#include "snapshot.h"

#define ONCE_ROWS	24
#define ONCE_COLUMNS	80
#define TEXT_LEN	1024	/* more than a terminal is wide */
#define TOP		3	/* lines above the fields */
#define FIELDS		12	/* lines of struct hmap */
#define FIELD_WIDTH	46
#define LABEL		12	/* columns for a bucket's number */

/* === Frames === */

enum style {
	STYLE_PLAIN,
	STYLE_HEADING,
	STYLE_LOW,	/* buckets: a few entries, */
	STYLE_MIDDLE,
	STYLE_HIGH,	/* nearly full, */
	STYLE_CHAIN,	/* with an overflow bucket, */
	STYLE_CHAINS,	/* or more of them; */
	STYLE_MOVED,	/* evacuated */
	NR_STYLES,
	STYLE_SELECTED = 0x80,
};

struct glyph {
	char text[5];	/* one character of the locale; "" is blank */
	unsigned char style;
};

static struct {
	int rows, columns;
	struct glyph *glyph;
	bool utf8;
} frame;

static void begin_frame(int rows, int columns)
{
	frame.rows = rows;
	frame.columns = columns;
	frame.glyph = checked(reallocarray(frame.glyph, rows * columns,
					   sizeof(*frame.glyph)));
	memset(frame.glyph, 0, rows * columns * sizeof(*frame.glyph));
	frame.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* What lies outside is cut off. */
static void put_glyph(int y, int x, int style, const char *text)
{
	struct glyph *g;

	if (y < 0 || y >= frame.rows || x < 0 || x >= frame.columns)
		return;
	g = &frame.glyph[y * frame.columns + x];
	snprintf(g->text, sizeof(g->text), "%s", text);
	g->style = style;
}

static void put(int y, int x, int style, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void put(int y, int x, int style, const char *fmt, ...)
{
	char line[TEXT_LEN], c[2] = "";
	const char *p;
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (p = line; *p; p++) {
		c[0] = *p >= ' ' && *p <= '~' ? *p : '?';
		put_glyph(y, x++, style, c);
	}
}

static void put_heading(int y, const char *text)
{
	put(y, 0, STYLE_HEADING, "%-*s", frame.columns, text);
}

/* Without blanks at the ends of lines, and of the frame. */
static void print_frame(void)
{
	int blank_rows = 0, blanks, x, y;
	const struct glyph *g = frame.glyph;

	for (y = 0; y < frame.rows; y++) {
		blanks = 0;
		for (x = 0; x < frame.columns; x++, g++) {
			if (!*g->text || !strcmp(g->text, " ")) {
				blanks++;
				continue;
			}
			for (; blank_rows; blank_rows--)
				putc('\n', out);
			fprintf(out, "%*s%s", blanks, "", g->text);
			blanks = 0;
		}
		blank_rows++;
	}
	putc('\n', out);
}

static void init_colors(void)
{
	static const short colors[NR_STYLES] = {
		[STYLE_LOW] = COLOR_BLUE,
		[STYLE_MIDDLE] = COLOR_CYAN,
		[STYLE_HIGH] = COLOR_GREEN,
		[STYLE_CHAIN] = COLOR_YELLOW,
		[STYLE_CHAINS] = COLOR_RED,
		[STYLE_MOVED] = COLOR_MAGENTA,
	};
	int i;

	if (!has_colors() || getenv("NO_COLOR"))
		return;
	start_color();
	use_default_colors();
	for (i = STYLE_LOW; i < NR_STYLES; i++)
		init_pair(i, colors[i], -1);
}

static attr_t attributes(int style)
{
	static const attr_t plain[NR_STYLES] = {
		[STYLE_HEADING] = A_REVERSE,
		[STYLE_CHAIN] = A_BOLD,
		[STYLE_CHAINS] = A_BOLD | A_UNDERLINE,
		[STYLE_MOVED] = A_DIM,
	};
	int base = style & ~STYLE_SELECTED;
	attr_t a = plain[base];

	/* There is a pair only if there are colours. */
	if (base >= STYLE_LOW)
		a |= COLOR_PAIR(base);
	return style & STYLE_SELECTED ? a | A_REVERSE : a;
}

static void show_frame(void)
{
	const struct glyph *g = frame.glyph;
	int x, y;

	erase();
	for (y = 0; y < frame.rows; y++)
		for (x = 0; x < frame.columns; x++, g++) {
			if (!*g->text)
				continue;
			attrset(attributes(g->style));
			mvaddstr(y, x, g->text);
		}
	refresh();
}

/* === Looks at the map === */

static struct look {
	struct snapshot s;
	struct timespec when;
} looks[2], *now = &looks[0], *before = &looks[1];

static struct {
	__u64 bucket;		/* the first that is shown slot by slot */
	bool old;		/* it is in the old array */
	bool typing;		/* its number */
} view;

static void look(const struct map *map)
{
	struct look *last = now;

	now = before;
	before = last;
	snapshot_take(&now->s, map);
	clock_gettime(CLOCK_MONOTONIC, &now->when);
}

static double rate(const char *name)
{
	double seconds = seconds_between(&before->when, &now->when);
	__u64 is = strtoull(snapshot_field(&now->s, name), NULL, 10);
	__u64 was = strtoull(snapshot_field(&before->s, name), NULL, 10);

	return seconds > 0 && *before->s.header ? (is - was) / seconds : 0;
}

/* The array that is shown bucket by bucket. */
static const struct fill *shown(void)
{
	return view.old ? &now->s.oldfill : &now->s.fill;
}

static void select_bucket(__s64 bucket)
{
	__s64 last;

	view.old = view.old && now->s.oldfill.nr;
	last = shown()->nr ? (1LL << shown()->log2) - 1 : 0;
	view.bucket = bucket < 0 ? 0 : bucket > last ? last : bucket;
}

/* === What is drawn === */

static void put_summary(void)
{
	const struct snapshot *s = &now->s;
	int x;

	put(0, 0, STYLE_HEADING, "%-*s", frame.columns,
	    snapshot_field(s, "name"));
	x = strlen(snapshot_field(s, "name")) + 2;
	put(0, x, STYLE_HEADING, "%s", snapshot_field(s, "type"));
	put(1, 0, STYLE_PLAIN, "load %s", snapshot_field(s, "load"));
	put(1, 43, STYLE_PLAIN, "bytes %s", snapshot_field(s, "bytes"));
	put(2, 0, STYLE_PLAIN,
	    "%.0f lookups/s, %.0f inserts/s, %.0f deletes/s",
	    rate("lookups"), rate("inserts"), rate("deletes"));
}

/* Not nevacuate, which leaves out what was moved out of sequence. */
static double evacuated(const struct fill *old)
{
	size_t moved = 0, i;

	for (i = 0; i < old->nr; i++)
		moved += cell_entries(old, i) < 0;
	return (double)moved / old->nr;
}

/* How far a growth is, to the right of the rates. */
static void put_evacuation(void)
{
	const struct fill *old = &now->s.oldfill;
	int x = FIELD_WIDTH + 8, width = frame.columns - x - 6, i;
	double done;

	if (!old->nr || width < 1)
		return;
	done = evacuated(old);
	put(2, FIELD_WIDTH - 2, STYLE_PLAIN, "evacuated");
	for (i = 0; i < width; i++)
		if (i < done * width)
			put_glyph(2, x + i, STYLE_MOVED, frame.utf8 ? "█" : "#");
		else
			put_glyph(2, x + i, STYLE_PLAIN, frame.utf8 ? "░" : "-");
	put(2, x + width, STYLE_PLAIN, " %.0f %%", 100 * done);
}

static void put_fields(void)
{
	const char *p = strstr(now->s.header, "\nstruct hmap\n");
	char line[FIELD_WIDTH];
	int y = TOP;

	for (; p && y < TOP + FIELDS; p = strchr(p + 1, '\n')) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p + 1, "\n"),
			 p + 1);
		put(y++, 0, STYLE_PLAIN, "%s", line);
	}
}

static const char *cell_text(int entries, const char *digit)
{
	static const char * const blocks[] = {
		"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"
	};
	static char text[2];

	if (entries >= 0 && entries <= 8 && frame.utf8)
		return blocks[entries];
	text[0] = entries ? *digit : '.';
	return text;
}

static int cell_style(int entries, int chain)
{
	if (entries < 0)
		return STYLE_MOVED;
	if (chain > 1)
		return chain > 2 ? STYLE_CHAINS : STYLE_CHAIN;
	if (!entries)
		return STYLE_PLAIN;
	return entries < 4 ? STYLE_LOW :
	       entries < 7 ? STYLE_MIDDLE : STYLE_HIGH;
}

/* The largest power of two up to @n. */
static int power_of_two(int n)
{
	int power = 1;

	while (2 * power <= n)
		power *= 2;
	return power;
}

static void put_array(const char *name, const struct fill *array, int x,
		      int rows, int columns)
{
	static struct fill fill;
	__u64 group;
	size_t i;

	if (rows < 1 || columns < 1 || !array->nr)
		return;
	fill = *array;
	columns = power_of_two(columns);
	fill_shrink(&fill, columns * power_of_two(rows));
	group = (1ULL << fill.log2) / fill.nr;
	if (group > 1)
		put(TOP, x, STYLE_PLAIN, "%s 2^%u /%llu", name, fill.log2, group);
	else
		put(TOP, x, STYLE_PLAIN, "%s 2^%u", name, fill.log2);
	for (i = 0; i < fill.nr; i++) {
		int entries = cell_entries(&fill, i);
		int style = cell_style(entries, cell_chain(&fill, i));

		if (array == shown() && view.bucket / group == i)
			style |= STYLE_SELECTED;
		put_glyph(TOP + 1 + i / columns, x + i % columns, style,
			  cell_text(entries, fill.cells + 2 * i));
	}
}

static void put_arrays(int rows)
{
	int width = frame.columns - FIELD_WIDTH;

	if (!now->s.oldfill.nr) {
		put_array("buckets", &now->s.fill, FIELD_WIDTH, rows, width);
		return;
	}
	width = (width - 1) / 2;
	put_array("old", &now->s.oldfill, FIELD_WIDTH, rows, width);
	put_array("new", &now->s.fill, FIELD_WIDTH + width + 1, rows, width);
}

/* A bucket and its chain, on as many lines as it takes; returns the next line. */
static int put_chain(int y, const char *line)
{
	int label = strcspn(line + strspn(line, "old "), " ") + strspn(line, "old ");
	int x = LABEL, end = strcspn(line, "\n"), at, len;
	const char *next;

	put(y, 0, STYLE_PLAIN, "%*.*s", LABEL, label, line);
	for (at = label + 1; at < end; at += len) {
		next = strstr(line + at + 1, "  ->");
		len = next && next < line + end ? next - line - at : end - at;
		if (x + len > frame.columns && x > LABEL) {
			x = LABEL;
			y++;
		}
		put(y, x, STYLE_PLAIN, "%.*s", len, line + at);
		x += len;
	}
	return y + 1;
}

static void put_buckets(const struct map *map, int y, int rows)
{
	struct snapshot *s = &now->s;
	const char *p = s->opened;
	int end = y + rows;

	if (rows < 2)
		return;
	put_heading(y++, view.old ?
		    "old bucket   . emptyRest  - emptyOne  X Y E evacuated to X, to Y, empty" :
		    "bucket       . emptyRest  - emptyOne");
	if (!shown()->nr) {
		put(y, 0, STYLE_PLAIN, "there is no array yet");
		return;
	}
	snapshot_open(s, map, view.old, view.bucket, rows);
	for (; *p && y < end; p = strchr(p, '\n') + 1)
		y = put_chain(y, p);
}

static void draw(const struct map *map, int rows, int columns)
{
	int heat = rows - TOP - 3 - rows / 3;

	if (heat < FIELDS - 1)
		heat = FIELDS - 1;
	begin_frame(rows, columns);
	select_bucket(view.bucket);
	put_summary();
	put_evacuation();
	put_fields();
	put_arrays(heat);
	put_buckets(map, TOP + 1 + heat, rows - 1 - (TOP + 1 + heat));
}

/* === Keys === */

static void type_digit(int digit)
{
	select_bucket((view.typing ? 10 * view.bucket : 0) + digit);
	view.typing = true;
}

/* Returns false to quit. */
static bool act_on(int key)
{
	int page = LINES / 4 + 1;

	if (key >= '0' && key <= '9') {
		type_digit(key - '0');
		return true;
	}
	view.typing = false;
	switch (key) {
	case 'q':
	case KEY_F(10):
		return false;
	case KEY_UP:
		select_bucket(view.bucket - 1);
		break;
	case KEY_DOWN:
		select_bucket(view.bucket + 1);
		break;
	case KEY_PPAGE:
		select_bucket(view.bucket - page);
		break;
	case KEY_NPAGE:
		select_bucket(view.bucket + page);
		break;
	case KEY_HOME:
		select_bucket(0);
		break;
	case KEY_END:
		select_bucket(INT64_MAX);
		break;
	case '\f':
		clearok(stdscr, true);
		break;
	case '\t':
		view.old = !view.old;
		break;
	}
	return true;
}

/* Act on keys until it is time to look again; false to quit. */
static bool watch_keys(const struct map *map, double delay)
{
	int key;

	for (;;) {
		draw(map, LINES, COLS);
		put_heading(LINES - 1,
			    "Up Down PgUp PgDn Home End 0-9 Bucket  Tab Old array  F10 Quit");
		show_frame();
		key = screen_key_until(&now->when, delay);
		if (key == ERR)
			return true;
		if (!act_on(key))
			return false;
	}
}

/* === The command === */

static void watch(const struct args *args)
{
	double delay = option_delay(args, 1);
	struct map map;

	memset(looks, 0, sizeof(looks));
	memset(&view, 0, sizeof(view));
	map_open(&map, args->arg[0], O_RDONLY);
	look(&map);
	if (!args->opt[OPT_ONCE]) {
		screen_open(args);
		init_colors();
		while (watch_keys(&map, delay))
			look(&map);
		return;
	}
	wait_seconds(delay);
	look(&map);
	draw(&map, ONCE_ROWS, ONCE_COLUMNS);
	print_frame();
}

static const struct option watch_options[] = {
	OPTION("once", OPT_ONCE), OPTION_ARG("delay", OPT_DELAY), OPTION_HELP,
	OPTIONS_END
};

const struct command command_watch = {
	"watch", 1, 1, watch_options, watch, "watch what a map is like inside"
};
