// SPDX-License-Identifier: GPL-2.0
/*
 * picture: the textbook figure, of a map that is there.
 *
 * On the left are the fields of Go's struct hmap; on the right the arrays, a cell
 * for each bucket or group of buckets; below, some buckets slot by slot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hmapctl.h"
#include "snapshot.h"

#define WIDTH		1000
#define MARGIN		24
#define ROW		22	/* a line of the header, and of a bucket */
#define FIELDS		390	/* width of the header */
#define ARRAYS		(MARGIN + FIELDS + 40)
#define GAP		24
#define CELL_MAX	48
#define SLOT		46	/* width of a slot */
#define CHAIN		(3 * ROW + 14)	/* height of buckets in a row */
#define TEXT_DOWN	15	/* from the top of a row to its text */

/* Where it is drawn. */
static FILE *svg;

/* Have a file in the program, as a string. */
#define EMBED(name, file)						\
	__asm__(".pushsection .rodata\n"				\
		".global " #name "\n"					\
		#name ":\n.incbin \"" file "\"\n.byte 0\n"		\
		".popsection")

EMBED(picture_css, "picture.css");
EMBED(player_html, "player.html");

static void draw_text(int x, int y, const char *class, const char *text)
{
	fprintf(svg, "<text x='%d' y='%d' class='%s' xml:space='preserve'>", x, y,
		class);
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", svg);
			break;
		case '&':
			fputs("&amp;", svg);
			break;
		default:
			putc(*text, svg);
		}
	fputs("</text>\n", svg);
}

static void draw_box(int x, int y, int width, int height, const char *class)
{
	fprintf(svg, "<rect x='%d' y='%d' width='%d' height='%d' class='%s'/>\n", x,
		y, width, height, class);
}

/* From a field of the header over @via and above @top down to @x. */
static void draw_arrow(int from, int via, int top, int x)
{
	fprintf(svg, "<path d='M%d %dH%dV%dH%dv10' class='line' marker-end='url(#tip)'/>\n",
		MARGIN + FIELDS, from, via, top, x);
}

/* === The header === */

/* Where the arrows to the arrays begin. */
struct anchors {
	int buckets;
	int oldbuckets;
};

/* Draws the fields of struct hmap, and returns where they end. */
static int draw_header(const struct snapshot *s, int y, struct anchors *from)
{
	const char *p = strstr(s->header, "\nstruct hmap\n");
	int top = y;
	char line[128];
	size_t n;

	draw_text(MARGIN + 8, y + TEXT_DOWN, "", "struct hmap");
	y += ROW;
	for (p = p ? p + strlen("\nstruct hmap\n") : ""; *p; p += n + 1) {
		n = strcspn(p, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, p);
		draw_text(MARGIN + 8, y + TEXT_DOWN, "", line);
		if (!strncmp(line, "buckets ", 8))
			from->buckets = y + ROW / 2;
		if (!strncmp(line, "oldbuckets ", 11))
			from->oldbuckets = y + ROW / 2;
		y += ROW;
		if (!p[n])
			break;
	}
	draw_box(MARGIN, top, FIELDS, y - top + 4, "line");
	fprintf(svg, "<path d='M%d %dh%d' class='line'/>\n", MARGIN, top + ROW, FIELDS);
	return y + 4;
}

/* === The arrays === */

static int columns_of(size_t cells)
{
	int columns = 1;

	while ((size_t)columns * columns < cells)
		columns *= 2;
	return columns;
}

static const char *cell_class(const struct fill *fill, size_t cell)
{
	static const char * const by_entries[] = {
		"empty", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"
	};
	int entries = cell_entries(fill, cell);

	if (entries < 0)
		return "moved";
	if (cell_chain(fill, cell) > 2)
		return "c3";
	if (cell_chain(fill, cell) == 2)
		return "c2";
	return by_entries[entries < 8 ? entries : 8];
}

/* One path for the cells of a class keeps a large array's picture small. */
static void draw_cells(const struct fill *fill, int x, int y, int columns,
		       int size)
{
	static const char * const classes[] = {
		"empty", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "c2",
		"c3", "moved", NULL
	};
	int inner = size > 6 ? size - 2 : size > 2 ? size - 1 : size, c;
	size_t i, n;

	for (c = 0; classes[c]; c++) {
		for (i = n = 0; i < fill->nr; i++) {
			if (strcmp(cell_class(fill, i), classes[c]))
				continue;
			if (!n++)
				fputs("<path d='", svg);
			fprintf(svg, "M%d %dh%dv%dh-%dz",
				x + (int)(i % columns) * size,
				y + (int)(i / columns) * size, inner, inner,
				inner);
		}
		if (n)
			fprintf(svg, "' class='%s'><title>%zu</title></path>\n",
				classes[c], n);
	}
}

/* Draws an array, and returns where it ends. */
static int draw_array(const struct fill *fill, const char *name, int x, int y,
		      int width)
{
	int columns = columns_of(fill->nr), size = width / columns;
	char text[128];
	size_t i;

	if (size > CELL_MAX)
		size = CELL_MAX;
	snprintf(text, sizeof(text), "%s: 2^%u", name, fill->log2);
	if (fill->nr < 1ULL << fill->log2)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 ", %llu a cell", (1ULL << fill->log2) / fill->nr);
	draw_text(x, y + TEXT_DOWN, "", text);
	y += ROW;
	draw_cells(fill, x, y, columns, size);
	for (i = 0; size >= 20 && i < fill->nr; i++) {
		if (cell_entries(fill, i) < 0)
			continue;
		snprintf(text, sizeof(text), "%d", cell_entries(fill, i));
		draw_text(x + (int)(i % columns) * size + size / 2 - 6,
			  y + (int)(i / columns) * size + size / 2 + 4,
			  cell_entries(fill, i) < 5 ? "" : "on", text);
	}
	return y + (int)((fill->nr + columns - 1) / columns) * size;
}

static int draw_arrays(const struct snapshot *s, int y,
		       const struct anchors *from)
{
	int width = WIDTH - MARGIN - ARRAYS, x = ARRAYS, end = y, old_end;

	if (!s->fill.nr) {
		draw_text(x, y + TEXT_DOWN, "dim", "no array yet");
		return y + ROW;
	}
	if (s->oldfill.nr)
		width = (width - GAP) / 2;
	draw_arrow(from->buckets, x - 24, y - 8, x + 8);
	end = draw_array(&s->fill, "buckets", x, y, width);
	if (!s->oldfill.nr)
		return end;
	draw_arrow(from->oldbuckets, x - 12, y - 16, x + width + GAP + 8);
	old_end = draw_array(&s->oldfill, "oldbuckets", x + width + GAP, y,
			     width);
	return old_end > end ? old_end : end;
}

/* === Buckets, slot by slot === */

/* Draws one bucket of a chain from the text of its slots. */
static void draw_slots(const char *slots[8], int x, int y)
{
	static const char * const rows[] = { "tophash", "key", "elem" };
	unsigned int row, i;
	bool used;

	for (row = 0; row < 3; row++) {
		for (i = 0; i < 8; i++) {
			used = strlen(slots[i]) == 2;
			draw_box(x + (int)i * SLOT, y + (int)row * ROW, SLOT - 2,
				 ROW - 2, used ? "used" :
				 strchr("XYE", *slots[i]) ? "moved" : "empty");
			if (!row || used)
				draw_text(x + (int)i * SLOT + 6,
					  y + (int)row * ROW + TEXT_DOWN,
					  row ? "dim" : "",
					  row ? rows[row] : slots[i]);
		}
	}
}

/* Draws a chain from its line; returns where it ends. */
static int draw_opened(char *line, int y)
{
	char *save, *word = strtok_r(line, " ", &save), name[64];
	bool old = !strcmp(word, "old");
	const char *slots[8];
	int x = MARGIN, nr = 0;
	unsigned int i = 0;

	snprintf(name, sizeof(name), "%sbucket %s", old ? "old " : "",
		 old ? strtok_r(NULL, " ", &save) : word);
	draw_text(x, y + TEXT_DOWN, "", name);
	y += ROW;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (!strcmp(word, "->"))
			continue;
		slots[i++ % 8] = word;
		if (i % 8)
			continue;
		if (nr && nr % 2 == 0) {
			y += CHAIN;
			x = MARGIN;
		} else if (nr) {
			draw_text(x - 26, y + ROW + TEXT_DOWN, "", "->");
		}
		draw_slots(slots, x, y);
		x += 8 * SLOT + 40;
		nr++;
	}
	return y + CHAIN;
}

/* === The whole === */

static int draw_legend(int y)
{
	static const struct {
		const char *class, *text;
	} legend[] = {
		{ "empty", "empty" }, { "f4", "4 entries" }, { "f8", "8 entries" },
		{ "c2", "1 overflow bucket" }, { "c3", "more" },
		{ "moved", "evacuated" },
	};
	int x = MARGIN;
	unsigned int i;

	for (i = 0; i < sizeof(legend) / sizeof(*legend); i++) {
		draw_box(x, y + 4, 14, 14, legend[i].class);
		draw_text(x + 20, y + TEXT_DOWN, "", legend[i].text);
		x += 44 + 8 * (int)strlen(legend[i].text);
	}
	draw_text(MARGIN, y + ROW + TEXT_DOWN, "dim",
		  ". emptyRest  - emptyOne  X evacuatedX  Y evacuatedY  E evacuatedEmpty; else the top byte of the hash");
	return y + 2 * ROW + 8;
}

/* Returns how high the picture is. */
static int draw_all(const struct snapshot *s)
{
	struct anchors from = { 0 };
	int y = MARGIN, arrays, header;
	char text[sizeof(s->opened)], *line, *save;

	snprintf(text, sizeof(text), "%s", snapshot_field(s, "name"));
	draw_text(MARGIN, y + TEXT_DOWN, "title", text);
	snprintf(text, sizeof(text), "load %s", snapshot_field(s, "load"));
	draw_text(ARRAYS, y + TEXT_DOWN, "dim", text);
	y += ROW + 24;
	header = draw_header(s, y, &from);
	arrays = draw_arrays(s, y, &from);
	y = (arrays > header ? arrays : header) + GAP;
	strcpy(text, s->opened);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		y = draw_opened(line, y);
	return draw_legend(y) + MARGIN / 2;
}

static void picture_draw(const struct snapshot *s)
{
	char *text = NULL;
	size_t size = 0;
	int height;

	svg = checked(open_memstream(&text, &size));
	height = draw_all(s);
	if (fclose(svg))
		fail_errno("drawing");
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d'>\n",
		WIDTH, height, WIDTH, height);
	fprintf(out, "<style>\n%s</style>\n", picture_css);
	fputs("<marker id='tip' orient='auto' markerWidth='9' markerHeight='8' refX='8' refY='4'>",
	      out);
	fputs("<path d='M0 0L8 4L0 8z' fill='currentColor'/></marker>\n", out);
	fprintf(out, "%s</svg>\n", text);
	free(text);
}

/* === The page of a recording === */

#define FRAMES	"<!-- frames -->\n"

static void draw_page(const char *path)
{
	static struct snapshot s;
	struct lines *lines = checked(malloc(sizeof(*lines)));
	const char *frames;
	unsigned long nr = 0;
	char *line;
	size_t len;

	defer(free, lines);
	lines_open(lines, path);
	frames = strstr(player_html, FRAMES);
	fwrite(player_html, 1, frames - player_html, out);
	for (; (line = lines_next(lines, &len)); nr++) {
		if (!snapshot_parse(&s, line))
			fail(EXIT_MISUSE, "%s:%llu: not a frame of hmapctl record",
			     lines->name, lines->nr);
		fprintf(out, "<div class='frame' data-ms='%llu'>\n", s.ms);
		picture_draw(&s);
		fputs("</div>\n", out);
		flush_out();
	}
	if (!nr)
		fail(EXIT_MISUSE, "%s: there are no frames in it", lines->name);
	fputs(frames + strlen(FRAMES), out);
	flush_out();
}

/* === Commands === */

static void picture(const struct args *args)
{
	static struct snapshot s;
	struct map map;

	if (!args->opt[OPT_HTML]) {
		map_open(&map, args->arg[0], O_RDONLY);
		snapshot_take(&s, &map);
	}
	if (args->opt[OPT_TO])
		out_to_file(args->opt[OPT_TO]);
	if (args->opt[OPT_HTML])
		draw_page(args->arg[0]);
	else
		picture_draw(&s);
	flush_out();
}

static const struct option picture_options[] = {
	OPTION_ARG("to", OPT_TO), OPTION("html", OPT_HTML), OPTION_HELP,
	OPTIONS_END
};

const struct command command_picture = {
	"picture", 1, 1, picture_options, picture,
	"draw a map, or a page that plays a recording"
};
