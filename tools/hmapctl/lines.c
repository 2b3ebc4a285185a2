// SPDX-License-Identifier: GPL-2.0
/*
 * The lines of a file, which may contain any bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "hmapctl.h"

static void lines_close(void *lines)
{
	struct lines *l = lines;

	close(l->fd);
}

void lines_open(struct lines *l, const char *path)
{
	memset(l, 0, offsetof(struct lines, buf));
	if (!path || !strcmp(path, "-")) {
		if (stdin_has_commands())
			fail(EXIT_MISUSE,
			     "stdin has the commands; please name a file");
		l->name = "stdin";
		l->fd = STDIN_FILENO;
		return;
	}
	l->name = path;
	l->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (l->fd < 0)
		fail_errno("%s", path);
	defer(lines_close, l);
}

__u64 lines_total(const struct lines *l)
{
	off_t at = lseek(l->fd, 0, SEEK_CUR);
	struct stat st;

	if (fstat(l->fd, &st) || !S_ISREG(st.st_mode) || at > st.st_size)
		return 0;
	return st.st_size - at;
}

/* Read more bytes; returns false at the end of the file. */
static bool fill(struct lines *l)
{
	ssize_t n;

	memmove(l->buf, l->buf + l->start, l->end - l->start);
	l->end -= l->start;
	l->start = 0;
	do {
		n = read(l->fd, l->buf + l->end, LINE_MAX_LEN + 1 - l->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		fail_errno("%s", l->name);
	l->end += n;
	return n > 0;
}

bool lines_ready(const struct lines *l)
{
	return memchr(l->buf + l->start, '\n', l->end - l->start);
}

char *lines_next(struct lines *l, size_t *len)
{
	char *line, *newline;
	size_t seen = 0;

	while (!(newline = memchr(l->buf + l->start + seen, '\n',
				  l->end - l->start - seen))) {
		seen = l->end - l->start;
		if (!fill(l))
			break;
	}
	if (!newline && !seen)
		return NULL;

	line = l->buf + l->start;
	*len = newline ? (size_t)(newline - line) : seen;
	line[*len] = '\0';
	l->start += *len + !!newline;
	l->bytes += *len + !!newline;
	l->nr++;
	return line;
}

char *lines_piece(struct lines *l, size_t *len)
{
	char *piece, *newline;

	if (l->start == l->end && !fill(l))
		return NULL;
	piece = l->buf + l->start;
	newline = memchr(piece, '\n', l->end - l->start);
	*len = newline ? newline + 1 - piece : (long)(l->end - l->start);
	l->start += *len;
	l->bytes += *len;
	if (!l->within)
		l->nr++;
	l->within = !newline;
	return piece;
}
