#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"
#include "document/document_internal.h"
#include "document/json_internal.h"

/* The splicing of one value, on its way. */
struct splicing {
	struct document_render *r;
	bool string;		/* else its text becomes that of one */
	bool high;		/* a second half of a surrogate pair would be joined */
};

/*
 * Stands in the text as it is: no quote, backslash, control character or
 * surrogate.  ${high}: behind the escape of the first half of a pair.
 */
static bool
json_write_is_plain(const unsigned char *p, size_t n, bool high)
{
	if (*p < 0x20 || *p == '"' || *p == '\\' || *p == 0x7f)
		return false;
	if (*p != 0xed || !text_is_half(p, n))
		return true;
	return text_is_split_pair(p, n) || (high && p[1] >= 0xb0);
}

/* The same without quotes.  ${*high}: what is written so far ends with the
 * escape of the first half of a surrogate pair, which a second would join. */
static void
json_write_text(struct buf *out, const void *bytes, size_t n, bool *high)
{
	const unsigned char *p = bytes;
	size_t done = 0;
	size_t i = 0;

	while (i < n) {
		if (json_write_is_plain(p + i, n - i, *high)) {
			*high = false;
			i++;
			continue;
		}
		buf_append(out, p + done, i - done);
		*high = p[i] == 0xed && p[i + 1] <= 0xaf;
		if (p[i] == 0xed) {
			text_append_unit(out, text_half(p + i));
			i += 3;
		} else {
			text_append_escape(out, p[i++]);
		}
		done = i;
	}
	if (n > 0)
		buf_append(out, p + done, n - done);
}

void
json_write_string(struct buf *out, const void *bytes, size_t n)
{
	bool high = false;

	buf_append_char(out, '"');
	json_write_text(out, bytes, n, &high);
	buf_append_char(out, '"');
}

/* The escape of half a surrogate pair at ${p}: its unit, 0 for anything else. */
static uint32_t
half_at(const unsigned char *p, size_t n)
{
	int32_t unit = n < 6 || memcmp(p, "\\u", 2) != 0 ? 0 : hex_four(p + 2);

	return unit >= 0xd800 && unit <= 0xdfff ? (uint32_t)unit : 0;
}

/* Do the bytes end with the escape of a first half?  They begin outside of escapes. */
static bool
ends_with_high(const unsigned char *p, size_t n)
{
	size_t run;

	if (n < 6 || p[n - 6] != '\\' || p[n - 5] != 'u')
		return false;
	for (run = 1; run < n - 5 && p[n - 6 - run] == '\\'; run++)
		;
	return run % 2 == 1 && half_at(p + n - 6, 6) != 0 && half_at(p + n - 6, 6) <= 0xdbff;
}

/* Copy bytes of the value, so that they read as they did. */
static void
json_splice_copy_upto(struct splicing *s, size_t offset)
{
	struct document_render *r = s->r;
	const unsigned char *p = r->d->bytes.data + r->done;
	size_t n = offset - r->done;
	unsigned char bytes[3];
	uint32_t unit;

	if (n == 0)
		return;
	if (!s->string) {
		json_write_text(r->out, p, n, &s->high);
		document_render_skip(r, offset);
		return;
	}
	unit = s->high ? half_at(p, n) : 0;
	if (unit >= 0xdc00) {
		bytes[0] = 0xed;
		bytes[1] = (unsigned char)(0x80 | (unit >> 6 & 0x3f));
		bytes[2] = (unsigned char)(0x80 | (unit & 0x3f));
		buf_append(r->out, bytes, sizeof(bytes));
		document_render_skip(r, r->done + 6);
	}
	s->high = ends_with_high(p, n);
	document_render_upto(r, offset);
}

void
json_splice_render(struct document_render *r, const struct document_entry *x,
    const struct document_splice *splices, size_t n)
{
	struct splicing s = { .r = r };
	size_t from, to, i;

	s.string = json_decode_span(r->d, x, &from, &to);
	document_render_upto(r, x->value);
	buf_append_char(r->out, '"');
	document_render_skip(r, from);
	for (i = 0; i < n; i++) {
		json_splice_copy_upto(&s, splices[i].from);
		document_render_skip(r, splices[i].to);
		json_write_text(r->out, splices[i].text, splices[i].n, &s.high);
	}
	json_splice_copy_upto(&s, to);
	buf_append_char(r->out, '"');
	document_render_skip(r, x->value_end);
}

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
json_style_line_end_of(const struct document *d)
{
	const unsigned char *p = d->bytes.data;
	const unsigned char *lf = memchr(p, '\n', d->bytes.len);

	return literal(lf != NULL && lf > p && lf[-1] == '\r' ? "\r\n" : "\n");
}

/* The entry that starts at ${offset}, among those numbered low to high; NULL: none. */
static const struct document_entry *
json_style_search(const struct document *d, size_t offset, size_t low, size_t high)
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
	const struct document_entry *x = json_style_search(d, start, 0, document_count(d));

	return x != NULL ? x : json_style_search(d, start, document_count(d), document_numbers(d));
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
look_at_members(struct json_style *s, const struct document *d, const struct document_entry *box,
    const struct document_entry *x)
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
		s->outer = json_style_line_end_of(d);
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
json_style_append(struct buf *out, struct json_text text)
{
	buf_append(out, text.p, text.n);
}

/* A new line, ${depth} levels inside of the object. */
static void
json_style_append_line(const struct json_style *s, size_t depth, struct buf *out)
{
	size_t known = s->empty ? 0 : 1;

	json_style_append(out, depth < known || s->empty ? s->outer : s->line);
	for (; depth > known; depth--)
		json_style_append(out, s->unit);
}

void
json_style_append_first(const struct json_style *s, size_t depth, struct buf *out)
{
	if (depth == 0 && !s->empty)
		json_style_append(out, s->first);
	else if (s->lines)
		json_style_append_line(s, depth + 1, out);
}

void
json_style_append_next(const struct json_style *s, size_t depth, struct buf *out)
{
	if (depth == 0 && s->joint.n > 0) {
		json_style_append(out, s->joint);
		return;
	}
	buf_append_char(out, ',');
	if (s->lines)
		json_style_append_line(s, depth + 1, out);
	else
		json_style_append(out, s->gap);
}

void
json_style_append_close(const struct json_style *s, size_t depth, struct buf *out)
{
	if (s->lines)
		json_style_append_line(s, depth, out);
}
