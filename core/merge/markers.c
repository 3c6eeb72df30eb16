#include "merge/markers.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define WIDTH 7

struct lines {
	const unsigned char *p;
	size_t n;
	size_t at;
	size_t line;
};

/* The next line, which ends in LF, CR LF or CR; false at the end. */
static bool
next(struct lines *l, const unsigned char **line, size_t *len)
{
	size_t start = l->at;

	if (start >= l->n)
		return false;
	while (l->at < l->n && l->p[l->at] != '\n' && l->p[l->at] != '\r')
		l->at++;
	*line = l->p + start;
	*len = l->at - start;
	if (l->at < l->n && l->p[l->at++] == '\r' && l->at < l->n && l->p[l->at] == '\n')
		l->at++;
	l->line++;
	return true;
}

static bool
is_marker(const unsigned char *line, size_t len, unsigned char c)
{
	size_t i;

	if (len < WIDTH || (len > WIDTH && line[WIDTH] != ' '))
		return false;
	for (i = 0; i < WIDTH && line[i] == c; i++)
		;
	return i == WIDTH;
}

size_t
markers_line(const struct buf *text)
{
	struct lines l = { text->data, text->len, 0, 0 };
	const unsigned char *line;
	size_t len;

	while (next(&l, &line, &len)) {
		if (is_marker(line, len, '<') || is_marker(line, len, '>'))
			return l.line;
	}
	return 0;
}

void
markers_count(const struct buf *text, size_t *begin, size_t *end)
{
	struct lines l = { text->data, text->len, 0, 0 };
	const unsigned char *line;
	size_t len;

	*begin = *end = 0;
	while (next(&l, &line, &len)) {
		*begin += is_marker(line, len, '<');
		*end += is_marker(line, len, '>');
	}
}
