#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "plan/configuration.h"
#include "seal/rewrite_state.h"

/*
 * A person who takes a line out by making it a comment would leave its value
 * in the file for all to read.  So what stands behind comment signs is read
 * as entries once, and a value that was sealed is refused.
 */

/* The comment on the line at ${p}: what stands behind its signs.  False: it is none. */
static bool
comment_of(const unsigned char *p, size_t n, size_t *start)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\f'))
		i++;
	if (i == n || (p[i] != '#' && p[i] != '!'))
		return false;
	while (i < n && (p[i] == '#' || p[i] == '!' || p[i] == ' ' || p[i] == '\t'))
		i++;
	*start = i;
	return true;
}

/* Comments of the bytes from ${at} up to ${end}, which belong to no entry. */
static int
collect(const struct rewriting *r, size_t at, size_t end, size_t *line, struct buf *text,
    struct vec *lines, struct error *err)
{
	const struct buf *bytes = document_bytes(r->edited);
	size_t stop, start, *slot;

	for (; at < end; at = stop + 1, ++*line) {
		for (stop = at; stop < end && bytes->data[stop] != '\n' &&
		    bytes->data[stop] != '\r'; stop++)
			;
		if (comment_of(bytes->data + at, stop - at, &start)) {
			if ((slot = vec_push(lines)) == NULL)
				return error_memory(err);
			*slot = *line;
			buf_append(text, bytes->data + at + start, stop - at - start);
			buf_append_char(text, '\n');
		}
		if (stop + 1 < end && bytes->data[stop] == '\r' && bytes->data[stop + 1] == '\n')
			stop++;
	}
	return buf_check(text, err);
}

/* All comments of the edited file, a line each, and where they stand. */
static int
read_comments(const struct rewriting *r, struct buf *text, struct vec *lines, struct error *err)
{
	const struct document *d = r->edited;
	size_t at = 0, line = 1, start, end;

	for (size_t i = 0; i < document_count(d); i++) {
		document_span(d, i, &start, &end);
		if (collect(r, at, start, &line, text, lines, err) != 0)
			return -1;
		for (at = start; at < end; at++)
			line += document_bytes(d)->data[at] == '\n' ||
			    (document_bytes(d)->data[at] == '\r' && (at + 1 == end ||
			    document_bytes(d)->data[at + 1] != '\n'));
		at = end;
	}
	return collect(r, at, document_bytes(d)->len, &line, text, lines, err);
}

static int
refuse(const struct rewriting *r, size_t from, size_t line, struct error *err)
{
	const char *key;
	size_t len;

	key = document_key(r->c->doc, from, &len);
	error_set(err, ERROR_REFUSED, "this comment holds a value that was sealed until now");
	error_place(err, r->c->path, line);
	error_key(err, key, len);
	return error_hint(err, "take the value out of the comment: comments are written in clear "
	    "text");
}

int
rewrite_check_comments(struct rewriting *r, struct error *err)
{
	struct document *d = NULL;
	struct buf text, value;
	const struct buf *before = document_bytes(r->c->doc);
	struct vec lines;
	size_t from, line;
	int rc = 0;

	if (document_format(r->edited) != DOCUMENT_PROPERTIES || r->digest_count == 0)
		return 0;
	buf_init_secret(&text, BUF_MAX_FILE);
	buf_init_secret(&value, BUF_MAX_FILE);
	vec_init(&lines, sizeof(size_t), BUF_MAX_FILE);
	if (read_comments(r, &text, &lines, err) != 0 || (d = document_parse(&text,
	    DOCUMENT_PROPERTIES, r->c->path, err)) == NULL)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		buf_clear(&value);
		if ((rc = document_value(d, i, &value, err)) != 0 ||
		    (rc = rewrite_find_known(r, value.data, value.len, &from, err)) != 0 ||
		    from == DOCUMENT_NONE)
			continue;
		/* One that was in the file before gives nothing new away. */
		if (memmem(before->data, before->len, value.data, value.len) != NULL)
			continue;
		line = document_line(d, i);
		rc = refuse(r, from, line <= lines.len ? *(size_t *)vec_at(&lines, line - 1) : 0,
		    err);
	}
	document_free(d);
	vec_release(&lines);
	buf_release(&value);
	buf_release(&text);
	return rc;
}
