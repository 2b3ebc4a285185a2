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
#include "picture.h"

#define WIDTH		1000
#define MARGIN		24
#define ROW		22	/* a line of the header, and of a bucket */
#define FIELDS		390	/* width of the header */
#define VALUE		160	/* of a field, from its name */
#define ARRAYS		(MARGIN + FIELDS + 40)
#define GAP		24
#define CELL_MAX	48
#define CELL_LARGE	20	/* has room for a number */
#define SLOT		46	/* width of a slot */
#define CHAIN		(3 * ROW + 14)	/* height of buckets in a row */
#define TEXT_DOWN	15	/* from the top of a row to its text */

/* Where it is drawn. */
static FILE *svg;

EMBED(picture_css, "picture.css");

/* A recording may have anything in its texts: no more than a name can, is drawn. */
static void draw_text(int x, int y, const char *class, const char *text)
{
	fprintf(svg, "<text x='%d' y='%d'", x, y);
	if (*class)
		fprintf(svg, " class='%s'", class);
	putc('>', svg);
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", svg);
			break;
		case '>':
			fputs("&gt;", svg);
			break;
		case '&':
			fputs("&amp;", svg);
			break;
		default:
			putc(*text >= ' ' && *text <= '~' ? *text : '?', svg);
		}
	fputs("</text>\n", svg);
}

static void draw_box(int x, int y, int width, int height, const char *class)
{
	fprintf(svg, "<path d='M%d %dh%dv%dh-%dz' class='%s'/>\n", x, y, width,
		height, width, class);
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
	static const char begin[] = "\nstruct hmap\n";
	const char *p = strstr(s->header, begin);
	char fields[sizeof(s->header)], *line, *save;
	int top = y, x = MARGIN + 8;
	size_t name;

	draw_text(x, y + TEXT_DOWN, "", "struct hmap");
	strcpy(fields, p ? p + strlen(begin) : "");
	for (line = strtok_r(fields, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		y += ROW;
		name = strcspn(line, " ");
		draw_text(x + VALUE, y + TEXT_DOWN, "",
			  line + name + strspn(line + name, " "));
		line[name] = '\0';
		draw_text(x, y + TEXT_DOWN, "", line);
		if (!strcmp(line, "buckets"))
			from->buckets = y + ROW / 2;
		if (!strcmp(line, "oldbuckets"))
			from->oldbuckets = y + ROW / 2;
	}
	y += ROW;
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

static void end_cells(size_t nr, const char *class)
{
	fprintf(svg, "' class='%s'><title>%zu</title></path>\n", class, nr);
}

/*
 * One path for the cells of a class keeps a large array's picture small.  In a
 * recording, a large cell is rather a path of its own: most stay as they are.
 */
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
			if (size >= CELL_LARGE) {
				end_cells(n, classes[c]);
				n = 0;
			}
		}
		if (n)
			end_cells(n, classes[c]);
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
	for (i = 0; size >= CELL_LARGE && i < fill->nr; i++) {
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

static const char *slot_class(const char *slot)
{
	if (strlen(slot) == 2)
		return "used";
	return strchr("XYE", *slot) ? "moved" : "empty";
}

/* Draws one bucket of a chain from the text of its slots. */
static void draw_slots(const char *slots[8], int x, int y)
{
	int i, row;

	for (i = 0; i < 8; i++, x += SLOT) {
		fputs("<path d='", svg);
		for (row = 0; row < 3; row++)
			fprintf(svg, "M%d %dh%dv%dh-%dz", x, y + row * ROW,
				SLOT - 2, ROW - 2, SLOT - 2);
		fprintf(svg, "' class='%s'/>\n", slot_class(slots[i]));
		draw_text(x + 6, y + TEXT_DOWN, "", slots[i]);
		if (strlen(slots[i]) != 2)
			continue;
		draw_text(x + 6, y + ROW + TEXT_DOWN, "dim", "key");
		draw_text(x + 6, y + 2 * ROW + TEXT_DOWN, "dim", "elem");
	}
}

/* Draws a chain from its line; returns where it ends. */
static int draw_opened(char *line, int y)
{
	bool old = !strncmp(line, "old ", 4);
	__u64 bucket = strtoull(line + (old ? 4 : 0), &line, 10);
	char *save, *word, name[64];
	const char *slots[8];
	int x = MARGIN, nr = 0;
	unsigned int i = 0;

	snprintf(name, sizeof(name), "%sbucket %llu", old ? "old " : "", bucket);
	draw_text(x, y + TEXT_DOWN, "", name);
	y += ROW;
	for (word = strtok_r(line, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
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
		  ". emptyRest, - emptyOne, X evacuatedX, Y evacuatedY, E evacuatedEmpty; else the top byte of the hash");
	return y + 2 * ROW + 8;
}

/* Returns how high the picture is. */
static int draw_all(const struct snapshot *s)
{
	struct anchors from = { 0 };
	int y = MARGIN, arrays, header;
	char text[sizeof(s->opened)], *line, *save;

	draw_text(MARGIN, y + TEXT_DOWN, "title", brief(snapshot_field(s, "name")));
	snprintf(text, sizeof(text), "load %s", snapshot_field(s, "load"));
	draw_text(ARRAYS, y + TEXT_DOWN, "dim", text);
	y += ROW + 24;
	header = draw_header(s, y, &from);
	arrays = draw_arrays(s, y, &from);
	y = draw_legend((arrays > header ? arrays : header) + GAP) + GAP / 2;
	strcpy(text, s->opened);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		y = draw_opened(line, y);
	return y;
}

char *picture_elements(const struct snapshot *s, int *height)
{
	char *text = NULL;
	size_t size = 0;

	svg = checked(open_memstream(&text, &size));
	*height = draw_all(s);
	if (fclose(svg))
		fail_errno("drawing");
	return text;
}

void picture_begin(int height)
{
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d'>\n",
		WIDTH, height, WIDTH, height);
	fprintf(out, "<style>\n%s</style>\n", picture_css);
	fputs("<marker id='tip' orient='auto' markerWidth='9' markerHeight='8' refX='8' refY='4'>",
	      out);
	fputs("<path d='M0 0L8 4L0 8z' fill='currentColor'/></marker>\n", out);
}

static void picture_draw(const struct snapshot *s)
{
	int height;
	char *elements = picture_elements(s, &height);

	picture_begin(height);
	fprintf(out, "%s</svg>\n", elements);
	free(elements);
}

/* === Commands === */

static void picture(const struct args *args)
{
	bool page = args->opt[OPT_HTML], animation = args->opt[OPT_ANIMATE];
	static struct snapshot s;
	struct map map;

	if (page && animation)
		fail(EXIT_MISUSE, "%s: --html and --animate exclude each other",
		     args->command);
	if (!page && !animation) {
		map_open(&map, args->arg[0], O_RDONLY);
		snapshot_take(&s, &map);
	}
	if (args->opt[OPT_TO])
		out_to_file(args->opt[OPT_TO]);
	if (page || animation)
		film_draw(args->arg[0], page);
	else
		picture_draw(&s);
	flush_out();
}

static const struct option picture_options[] = {
	OPTION_ARG("to", OPT_TO), OPTION("html", OPT_HTML),
	OPTION("animate", OPT_ANIMATE), OPTION_HELP, OPTIONS_END
};

const struct command command_picture = {
	"picture", 1, 1, picture_options, picture,
	"draw a map, or a page that plays a recording"
};
