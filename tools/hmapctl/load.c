// SPDX-License-Identifier: GPL-2.0
/*
 * load: entries from lines of text, KEY<TAB>ELEM, or KEY where the map is a set.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "hmapctl.h"

/* The longest line there can be: every byte written as \xHH, and a tab. */
#define LINE_MAX_LEN (4 * (STRING_LEN_MAX + HMAP_ELEM_SIZE_MAX) + 1)

struct reader {
	int fd;
	const char *name;
	__u64 line;		/* number of the line given last */
	__u64 bytes;		/* in the lines given so far */
	size_t start, end;	/* what of @buf is still to be given */
	char buf[LINE_MAX_LEN + 1];
};

/* Get more bytes behind those there are; false at the end of the file. */
static bool fill(struct reader *r)
{
	ssize_t n;

	memmove(r->buf, r->buf + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	do {
		n = read(r->fd, r->buf + r->end, sizeof(r->buf) - r->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		err(EXIT_REFUSED, "%s", r->name);
	r->end += n;
	return n > 0;
}

/*
 * Give the next line without its newline, which the last line may lack.  A
 * line that is too long is given in part, and then has LINE_MAX_LEN + 1 bytes.
 */
static bool next_line(struct reader *r, const char **line, size_t *len)
{
	size_t seen = 0;
	char *newline;

	while (!(newline = memchr(r->buf + r->start + seen, '\n',
				  r->end - r->start - seen))) {
		seen = r->end - r->start;
		if (seen == sizeof(r->buf) || !fill(r))
			break;
	}
	if (!newline && !seen)
		return false;

	*line = r->buf + r->start;
	*len = newline ? (size_t)(newline - *line) : seen;
	r->start += *len + !!newline;
	r->bytes += *len + !!newline;
	r->line++;
	return true;
}

/* Every line before this one is an entry that was loaded. */
static void bad_line(const struct reader *r, const char *what,
		     const char *wrong)
{
	progress_end(r->line - 1, r->bytes);
	errx(EXIT_MISUSE, "%s:%llu: %s%s; entries loaded before: %llu", r->name,
	     r->line, what, wrong, r->line - 1);
}

static void parse_line(const struct reader *r, const struct map *map,
		       const char *line, size_t len, struct value *key,
		       struct value *elem)
{
	const char *tab = memchr(line, '\t', len);
	size_t key_len = tab ? (size_t)(tab - line) : len;
	size_t elem_len = tab ? len - key_len - 1 : 0;
	const char *wrong;

	if (len > LINE_MAX_LEN)
		bad_line(r, "", "the line is longer than any entry");
	if (!map->elem.max && tab)
		bad_line(r, "", "there is a tab, but the map is a set");
	if (map->elem.max && !tab)
		bad_line(r, "", "there is no tab between key and elem");
	if (tab && memchr(tab + 1, '\t', elem_len))
		bad_line(r, "", "there is more than one tab");

	wrong = value_parse(&map->key, line, key_len, key);
	if (wrong)
		bad_line(r, "key ", wrong);
	if (!tab)
		return;
	wrong = value_parse(&map->elem, tab + 1, elem_len, elem);
	if (wrong)
		bad_line(r, "elem ", wrong);
}

static void open_file(struct reader *r, const char *name)
{
	if (!name || !strcmp(name, "-")) {
		r->name = "stdin";
		r->fd = STDIN_FILENO;
		return;
	}
	r->name = name;
	r->fd = open(name, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		err(EXIT_REFUSED, "%s", name);
}

static void load_line(const struct reader *r, const struct map *map,
		      const char *line, size_t len)
{
	static struct value key, elem;
	int err;

	parse_line(r, map, line, len, &key, &elem);
	err = map_insert(map, &key, &elem, HMAP_INSERT_ANY);
	if (!err)
		return;
	progress_end(r->line - 1, r->bytes);
	errx(EXIT_REFUSED,
	     "%s:%llu: map '%s': %s; entries loaded before: %llu", r->name,
	     r->line, map->name, map_reason(map, HMAP_IOC_INSERT, -err),
	     r->line - 1);
}

void cmd_load(const struct args *args)
{
	static struct reader r;
	const char *line;
	struct map map;
	size_t len;

	map_open(&map, args->arg[0], O_RDWR);
	open_file(&r, args->nr > 1 ? args->arg[1] : NULL);
	progress_begin(r.fd);
	while (next_line(&r, &line, &len)) {
		load_line(&r, &map, line, len);
		progress_update(r.line, r.bytes);
	}
	progress_end(r.line, r.bytes);
}
