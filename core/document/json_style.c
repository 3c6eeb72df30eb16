#include <string.h>

#include "document/document_internal.h"
#include "document/json_edit.h"
#include "document/json_syntax.h"

static struct json_text
bytes(const struct document *d, size_t from, size_t to)
{
	return (struct json_text){ (const char *)d->bytes.data + from, to - from };
}

static struct json_text
literal(const char *s)
{
	return (struct json_text){ s, strlen(s) };
}

/* The last line end of the blanks, and the indent behind it; empty without one. */
static struct json_text
last_line(struct json_text blanks)
{
	size_t at = blanks.n;

	while (at > 0 && !json_is_line_end((unsigned char)blanks.p[at - 1]))
		at--;
	if (at == 0)
		return (struct json_text){ blanks.p, 0 };
	at--;
	if (at > 0 && blanks.p[at] == '\n' && blanks.p[at - 1] == '\r')
		at--;
	return (struct json_text){ blanks.p + at, blanks.n - at };
}

/* A line without its line end. */
static struct json_text
indent_of(struct json_text line)
{
	while (line.n > 0 && json_is_line_end((unsigned char)*line.p)) {
		line.p++;
		line.n--;
	}
	return line;
}

/* The first line end of the document. */
static struct json_text
line_end_of(const struct document *d)
{
	const unsigned char *p = d->bytes.data;
	const unsigned char *lf = memchr(p, '\n', d->bytes.len);

	return literal(lf != NULL && lf > p && lf[-1] == '\r' ? "\r\n" : "\n");
}

/* The entry that starts at ${offset}, among those numbered low to high; NULL: none. */
static const struct document_entry *
search(const struct document *d, size_t offset, size_t low, size_t high)
{
	const struct document_entry *x;
	size_t middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		x = document_entry(d, middle);
		if (x->start == offset)
			return x;
		if (x->start < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The member or element that is the first thing behind ${at}, NULL: there is none. */
static const struct document_entry *
entry_behind(const struct document *d, size_t at)
{
	size_t start = json_after_blanks(d->bytes.data, d->bytes.len, at);
	const struct document_entry *x = search(d, start, 0, document_count(d));

	return x != NULL ? x : search(d, start, document_count(d), document_numbers(d));
}

static struct json_text
colon_of(const struct document *d, const struct document_entry *x)
{
	struct json_text colon = bytes(d, x->key_end + (size_t)1, x->value);

	return last_line(colon).n > 0 ? literal(": ") : colon;
}

struct json_text
json_style_colon(const struct document *d)
{
	const struct document_entry *x;
	size_t i;

	for (i = 0; i < document_numbers(d); i++) {
		x = document_entry(d, i);
		if (x->start < x->value)
			return colon_of(d, x);
	}
	return literal(": ");
}

/* What the lines in ${inner} are indented by more than those outside. */
static struct json_text
unit_between(struct json_text outer, struct json_text inner)
{
	outer = indent_of(outer);
	inner = indent_of(inner);
	if (inner.n <= outer.n || memcmp(inner.p, outer.p, outer.n) != 0)
		return (struct json_text){ inner.p, 0 };
	return (struct json_text){ inner.p + outer.n, inner.n - outer.n };
}

/* A level of the document: what its first members or elements are indented by. */
static struct json_text
common_unit(const struct document *d)
{
	const struct document_entry *whole = document_entry(d, document_count(d));
	const struct document_entry *x = entry_behind(d, whole->value + (size_t)1);
	struct json_text unit = { NULL, 0 };

	if (x != NULL)
		unit = indent_of(last_line(bytes(d, whole->value + (size_t)1, x->start)));
	return unit.n > 0 ? unit : literal("  ");
}

static void
look_at_members(struct json_style *s, const struct document *d,
    const struct document_entry *box, const struct document_entry *x)
{
	size_t comma = json_after_blanks(d->bytes.data, d->bytes.len, x->value_end);
	const struct document_entry *second = NULL;

	s->first = bytes(d, box->value + (size_t)1, x->start);
	s->line = last_line(s->first);
	s->colon = colon_of(d, x);
	if (d->bytes.data[comma] == ',')
		second = entry_behind(d, comma + 1);
	if (second != NULL) {
		s->joint = bytes(d, x->value_end, second->start);
		s->line = last_line(bytes(d, comma + 1, second->start));
	}
	s->lines = s->line.n > 0;
}

void
json_style_look(struct json_style *s, const struct document *d, size_t i, struct json_text colon)
{
	const struct document_entry *box = document_entry(d, i);
	const struct document_entry *x = entry_behind(d, box->value + (size_t)1);
	bool whole = i == document_count(d);

	memset(s, 0, sizeof(*s));
	s->empty = x == NULL;
	s->colon = colon;
	s->outer = last_line(bytes(d, json_before_blanks(d->bytes.data, box->start), box->start));
	if (whole && s->outer.n == 0)
		s->outer = line_end_of(d);
	if (x != NULL) {
		look_at_members(s, d, box, x);
		s->unit = unit_between(s->outer, s->line);
	} else {
		s->lines = s->outer.n > 0;
	}
	if (s->unit.n == 0)
		s->unit = common_unit(d);
	if (s->colon.n > 0 && json_is_blank((unsigned char)s->colon.p[s->colon.n - 1]))
		s->gap = literal(" ");
	else if (!s->lines && x != NULL)
		s->gap = s->first;
}

static void
append(struct buf *out, struct json_text text)
{
	buf_append(out, text.p, text.n);
}

/* A new line, ${depth} levels inside of the object. */
static void
append_line(const struct json_style *s, size_t depth, struct buf *out)
{
	size_t known = s->empty ? 0 : 1;

	append(out, depth < known || s->empty ? s->outer : s->line);
	for (; depth > known; depth--)
		append(out, s->unit);
}

void
json_style_append_first(const struct json_style *s, size_t depth, struct buf *out)
{
	if (depth == 0 && !s->empty)
		append(out, s->first);
	else if (s->lines)
		append_line(s, depth + 1, out);
}

void
json_style_append_next(const struct json_style *s, size_t depth, struct buf *out)
{
	if (depth == 0 && s->joint.n > 0) {
		append(out, s->joint);
		return;
	}
	buf_append_char(out, ',');
	if (s->lines)
		append_line(s, depth + 1, out);
	else
		append(out, s->gap);
}

void
json_style_append_close(const struct json_style *s, size_t depth, struct buf *out)
{
	if (s->lines)
		append_line(s, depth, out);
}
