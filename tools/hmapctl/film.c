// SPDX-License-Identifier: GPL-2.0
/*
 * Films: the frames of a recording, drawn into one picture.
 *
 * From one frame to the next most elements stay.  So each is there once, and what
 * is seen in the same frames is in the same group, which is shown and hidden: by
 * a script where it can be stopped, else by CSS, as those who show an SVG within
 * a text run no scripts.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "hmapctl.h"
#include "picture.h"

#define FILM_CELLS	1024	/* of an array */
#define FRAME_SECONDS	0.4
#define STILL		8	/* frames that the last one lasts for */

struct element {
	unsigned int *turns;	/* frames at which it comes, goes, comes again... */
	size_t nr;
	unsigned int group;	/* those with the same turns */
	char text[];
};

static struct {
	void *tree;		/* of elements, by their text */
	struct element **element;
	size_t nr;
	__u64 *ms;		/* of each frame */
	unsigned int frames;
	int height;
} film;

EMBED(player_html, "player.html");

/* === Taking frames === */

static int by_text(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static struct element *find_element(const char *line, size_t len)
{
	struct element *e = checked(calloc(1, sizeof(*e) + len + 1));
	struct element **found;

	memcpy(e->text, line, len);
	found = checked(tsearch(e, &film.tree, by_text));
	if (*found != e) {
		free(e);
		return *found;
	}
	film.element = checked(reallocarray(film.element, film.nr + 1,
					    sizeof(*film.element)));
	film.element[film.nr++] = e;
	return e;
}

/* Be in the present frame, too. */
static void appear(struct element *e)
{
	if (!e->nr || e->turns[e->nr - 1] < film.frames) {
		e->turns = checked(reallocarray(e->turns, e->nr + 2,
						sizeof(*e->turns)));
		e->turns[e->nr++] = film.frames;
		e->nr++;
	}
	e->turns[e->nr - 1] = film.frames + 1;
}

static void add_frame(const struct snapshot *s)
{
	int height;
	char *elements = picture_elements(s, &height), *p = elements;
	size_t len;

	for (; *p; p += len) {
		len = strcspn(p, "\n") + 1;
		appear(find_element(p, len));
	}
	free(elements);
	film.ms = checked(reallocarray(film.ms, film.frames + 1,
				       sizeof(*film.ms)));
	film.ms[film.frames++] = s->ms;
	if (film.height < height)
		film.height = height;
}

static void forget(void *unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < film.nr; i++) {
		tdelete(film.element[i], &film.tree, by_text);
		free(film.element[i]->turns);
		free(film.element[i]);
	}
	free(film.element);
	free(film.ms);
	memset(&film, 0, sizeof(film));
}

/* === Groups === */

static int by_turns(const void *a, const void *b)
{
	const struct element *x = *(struct element **)a;
	const struct element *y = *(struct element **)b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return memcmp(x->turns, y->turns, x->nr * sizeof(*x->turns));
}

static void number_groups(void)
{
	size_t i;

	qsort(film.element, film.nr, sizeof(*film.element), by_turns);
	for (i = 1; i < film.nr; i++)
		film.element[i]->group = film.element[i - 1]->group +
			!!by_turns(&film.element[i - 1], &film.element[i]);
}

static bool is_text(const struct element *e)
{
	return !strncmp(e->text, "<text", 5);
}

/* Text lies on the rest. */
static int by_group(const void *a, const void *b)
{
	const struct element *x = *(struct element **)a;
	const struct element *y = *(struct element **)b;

	if (is_text(x) != is_text(y))
		return is_text(x) - is_text(y);
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return by_text(x, y);
}

static void print_groups(void (*begin)(const struct element *e))
{
	const struct element *last = NULL, *e;
	size_t i;

	qsort(film.element, film.nr, sizeof(*film.element), by_group);
	for (i = 0; i < film.nr; i++, last = e) {
		e = film.element[i];
		if (!last || e->group != last->group ||
		    is_text(e) != is_text(last)) {
			if (last)
				fputs("</g>\n", out);
			begin(e);
		}
		fputs(e->text, out);
	}
	fputs("</g>\n", out);
}

/* === An SVG that moves === */

static double percent(unsigned int frame)
{
	return 100.0 * frame / (film.frames + STILL);
}

static bool is_in_last(const struct element *e)
{
	return e->turns[e->nr - 1] == film.frames;
}

static void print_rule(const struct element *e)
{
	size_t i;

	fprintf(out, "@keyframes k%u{", e->group);
	if (*e->turns)
		fputs("0%{opacity:0}", out);
	for (i = 0; i < e->nr - is_in_last(e); i++)
		fprintf(out, "%.4g%%{opacity:%d}", percent(e->turns[i]),
			i % 2 == 0);
	fputs("}\n", out);
}

static void print_rules(void)
{
	size_t i;

	fprintf(out, "g { opacity: 0; animation: %.1fs step-end infinite }\n",
		FRAME_SECONDS * (film.frames + STILL));
	for (i = 0; i < film.nr; i++)
		if (!i || film.element[i]->group != film.element[i - 1]->group)
			print_rule(film.element[i]);
	fputs("@media (prefers-reduced-motion: reduce) { g { animation: none } }\n",
	      out);
}

/* Where nothing moves, the last frame is shown. */
static void begin_animated(const struct element *e)
{
	fprintf(out, "<g style='animation-name:k%u%s'>\n", e->group,
		is_in_last(e) ? ";opacity:1" : "");
}

static void print_animation(void)
{
	picture_begin(film.height);
	number_groups();
	fputs("<style>\n", out);
	print_rules();
	fputs("</style>\n", out);
	print_groups(begin_animated);
	fputs("</svg>\n", out);
}

/* === The page === */

#define FRAMES	"<!-- frames -->\n"

static void begin_scripted(const struct element *e)
{
	size_t i;

	fputs("<g data-turns='", out);
	for (i = 0; i < e->nr; i++)
		fprintf(out, "%s%u", i ? " " : "", e->turns[i]);
	fputs("'>\n", out);
}

static void print_page(void)
{
	const char *rest = strstr(player_html, FRAMES);
	unsigned int i;

	fwrite(player_html, 1, rest - player_html, out);
	fputs("<div id='film' data-ms='", out);
	for (i = 0; i < film.frames; i++)
		fprintf(out, "%s%llu", i ? " " : "", film.ms[i]);
	fputs("'>\n", out);
	picture_begin(film.height);
	number_groups();
	print_groups(begin_scripted);
	fprintf(out, "</svg>\n</div>\n%s", rest + strlen(FRAMES));
}

void film_draw(const char *path, bool page)
{
	static struct snapshot s;
	struct lines *lines = checked(malloc(sizeof(*lines)));
	char *line;
	size_t len;

	defer(free, lines);
	defer(forget, NULL);
	lines_open(lines, path);
	while ((line = lines_next(lines, &len))) {
		if (!snapshot_parse(&s, line))
			fail(EXIT_MISUSE, "%s:%llu: not a frame of hmapctl record",
			     lines->name, lines->nr);
		fill_shrink(&s.fill, FILM_CELLS);
		fill_shrink(&s.oldfill, FILM_CELLS);
		add_frame(&s);
	}
	if (!film.frames)
		fail(EXIT_MISUSE, "%s: there are no frames in it", lines->name);
	if (page)
		print_page();
	else
		print_animation();
}
