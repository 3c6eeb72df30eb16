#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "document/document_internal.h"
#include "document/properties.h"

/* What stands between the document's last byte and a new line of its own. */
enum tail {
	TAIL_CLEAN,		/* nothing: empty, or a line end */
	TAIL_OPEN,		/* the last line has no line end */
	TAIL_JOINS,		/* a backslash and a line end: the next line would be joined */
	TAIL_OPEN_JOINS,	/* a backslash that joins once a line end follows */
	TAIL_GHOST,		/* as TAIL_JOINS, and so the entry of an empty key */
	TAIL_OPEN_GHOST
};

/* The splicing of one value, on its way. */
struct splicing {
	struct document_render *r;
	const struct document_entry *x;
	bool bare;		/* here a blank would be none of the value's */
	bool unseparated;	/* nor would a `=` or `:`: there has been none */
};

/* For characters that \n and the like do not name; as Java's store writes it. */
static void
properties_write_append_unit(struct buf *out, uint32_t unit)
{
	static const char hex[] = "0123456789ABCDEF";
	char text[6] = { '\\', 'u' };
	int i;

	for (i = 0; i < 4; i++)
		text[2 + i] = hex[unit >> (12 - 4 * i) & 0xf];
	buf_append(out, text, sizeof(text));
}

static void
append_control(struct buf *out, unsigned char c)
{
	const char letter = text_escape_letter(c);

	/* Java knows no \b. */
	if (letter != '\0' && letter != 'b')
		buf_append(out, (const char[]){ '\\', letter }, 2);
	else
		properties_write_append_unit(out, c);
}

/*
 * Append the character at ${p}, not an ASCII one; its length.  ${raw}: one above
 * U+FFFF as UTF-8, as confluent secret reads the escapes of a pair as two U+FFFD.
 */
static size_t
append_wide(struct buf *out, const unsigned char *p, size_t n, bool raw)
{
	uint32_t cp;
	size_t len = text_utf8_decode(p, n, &cp);

	if (len == 0 && text_is_half(p, n)) {
		if (text_is_split_pair(p, n))
			buf_append(out, p, 3);
		else
			properties_write_append_unit(out, text_half(p));
		return 3;
	}
	if (len == 0) {
		buf_append(out, p, 1);
		return 1;
	}
	if (cp >= 0x10000 && raw) {
		buf_append(out, p, len);
	} else if (cp >= 0x10000) {
		properties_write_append_unit(out, 0xd800 + ((cp - 0x10000) >> 10));
		properties_write_append_unit(out, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	} else {
		properties_write_append_unit(out, cp);
	}
	return len;
}

/* Where printable characters of ASCII are escaped. */
enum { IN_VALUE = 1, IN_KEY = 2 };

static const unsigned char escaped[0x7f] = {
	['\\'] = IN_VALUE | IN_KEY, [' '] = IN_KEY, ['#'] = IN_KEY, ['!'] = IN_KEY,
	['='] = IN_KEY, [':'] = IN_KEY
};

static void
properties_write_append(struct buf *out, const unsigned char *p, size_t n, bool raw,
    unsigned char where)
{
	size_t at = 0;
	size_t from;

	while (at < n) {
		for (from = at; at < n && p[at] >= 0x20 && p[at] < 0x7f &&
		    (escaped[p[at]] & where) == 0; at++)
			;
		buf_append(out, p + from, at - from);
		if (at == n)
			break;
		if (p[at] >= 0x80) {
			at += append_wide(out, p + at, n - at, raw);
		} else if (p[at] < 0x20 || p[at] == 0x7f) {
			append_control(out, p[at++]);
		} else {
			buf_append_char(out, '\\');
			buf_append(out, p + at++, 1);
		}
	}
}

void
properties_append_key(struct buf *out, const char *key, size_t n)
{
	properties_write_append(out, (const unsigned char *)key, n, true, IN_KEY);
}

/* ${raw}: the key above U+FFFF stands there as UTF-8, and a reference to it agrees. */
static void
properties_write_value(struct buf *out, const void *value, size_t n, bool raw)
{
	const unsigned char *p = value;
	size_t i;

	/* Tabs and form feeds are escaped wherever they stand. */
	for (i = 0; i < n && p[i] == ' '; i++)
		buf_append(out, "\\ ", 2);
	if (i < n)
		properties_write_append(out, p + i, n - i, raw, IN_VALUE);
}

void
properties_append_value(struct buf *out, const void *value, size_t n)
{
	properties_write_value(out, value, n, false);
}

/* Has the text, as it stands in a file, characters above U+FFFF as UTF-8? */
static bool
has_astral(const void *text, size_t n)
{
	const unsigned char *p = text;

	while (n > 0 && p[n - 1] < 0xf0)
		n--;
	return n > 0;
}

static bool
key_is_astral(const struct document_render *r, const struct document_entry *x)
{
	return has_astral(r->d->bytes.data + x->start, x->key_end - x->start);
}

/* As properties_append_value, for text with other text of the value before it on its line. */
static void
properties_append_inner(struct buf *out, const void *value, size_t n, bool raw)
{
	properties_write_append(out, value, n, raw, IN_VALUE);
}

static enum tail
tail_of(const struct document *d)
{
	const struct document_entry *x;
	const unsigned char *p = d->bytes.data;
	size_t n = d->bytes.len;
	size_t run;
	bool open;

	if (n == 0)
		return TAIL_CLEAN;
	open = !properties_is_line_end(p[n - 1]);
	if (document_count(d) == 0)
		return open ? TAIL_OPEN : TAIL_CLEAN;
	x = document_entry(d, document_count(d) - 1);
	for (run = x->value_end; run > x->value && p[run - 1] == '\\'; run--)
		;
	if (document_end(d, x) < n || (x->value_end - run) % 2 == 0)
		return open ? TAIL_OPEN : TAIL_CLEAN;
	/* Only a lone backslash at the end of the file makes a key of nothing. */
	if (x->key == x->key_end && x->key == x->value)
		return open ? TAIL_OPEN_GHOST : TAIL_GHOST;
	return open ? TAIL_OPEN_JOINS : TAIL_JOINS;
}

/* The first line end of the document. */
static const char *
properties_edit_line_end_of(const struct document *d)
{
	const unsigned char *p = d->bytes.data;
	size_t n = d->bytes.len;
	const unsigned char *lf = n > 0 ? memchr(p, '\n', n) : NULL;
	const unsigned char *cr = n > 0 ? memchr(p, '\r', lf != NULL ? (size_t)(lf - p) : n) : NULL;

	if (cr == NULL)
		return "\n";
	return cr + 1 == lf ? "\r\n" : "\r";
}

/* The separator of the first entry that has one of the usual. */
static const char *
separator_of(const struct document *d)
{
	static const char *const usual[] = { "=", " = ", ":", ": " };
	const struct document_entry *x;
	size_t i, k, n;

	for (i = 0; i < document_count(d); i++) {
		x = document_entry(d, i);
		n = x->value - x->key_end;
		for (k = 0; k < sizeof(usual) / sizeof(usual[0]); k++) {
			if (n == strlen(usual[k]) &&
			    memcmp(d->bytes.data + x->key_end, usual[k], n) == 0)
				return usual[k];
		}
	}
	return document_count(d) == 0 ? " = " : "=";
}

static void
properties_edit_begin(struct document_render *r)
{
	r->line_end = properties_edit_line_end_of(r->d);
	r->separator = separator_of(r->d);
	r->tail = tail_of(r->d);
}

/* Only blanks between key and value: a leading `=` would be the separator. */
static bool
is_separated_by_blanks(const struct document *d, const struct document_entry *x)
{
	size_t i;

	for (i = x->key_end; i < x->value; i++) {
		if (properties_is_separator(d->bytes.data[i]))
			return false;
	}
	return true;
}

/* The whole value is new: no backslash is left at its end. */
static void
replace_tail(struct document_render *r, const struct document_entry *x)
{
	if (document_end(r->d, x) == r->d->bytes.len)
		r->tail = x->value_end == r->d->bytes.len ? TAIL_OPEN : TAIL_CLEAN;
}

static void
properties_edit_set(struct document_render *r, const struct document_entry *x, const struct edit *c)
{
	document_render_upto(r, x->value);
	if (x->value == x->key_end)
		buf_append_str(r->out, r->separator);
	else if (c->value_len > 0 && properties_is_separator((unsigned char)c->value[0]) &&
	    is_separated_by_blanks(r->d, x))
		buf_append_char(r->out, '\\');
	properties_write_value(r->out, c->value, c->value_len, key_is_astral(r, x));
	document_render_skip(r, x->value_end);
	replace_tail(r, x);
}

static void
properties_edit_remove_entry(struct document_render *r, const struct document_entry *x)
{
	document_render_upto(r, x->start);
	document_render_skip(r, document_end(r->d, x));
	if (r->done == r->d->bytes.len)
		r->tail = TAIL_CLEAN;
}

/* Bring what is written to the start of a line that is joined to nothing. */
static void
close_tail(struct document_render *r)
{
	bool ghost = r->tail == TAIL_GHOST || r->tail == TAIL_OPEN_GHOST;
	bool joins = r->tail == TAIL_JOINS || r->tail == TAIL_OPEN_JOINS;

	if (r->tail == TAIL_OPEN || r->tail == TAIL_OPEN_JOINS || r->tail == TAIL_OPEN_GHOST)
		buf_append_str(r->out, r->line_end);
	/* A CR that is there and a LF that is added would be one line end. */
	if (r->tail == TAIL_JOINS && r->line_end[0] == '\n' &&
	    r->d->bytes.data[r->d->bytes.len - 1] == '\r')
		buf_append_str(r->out, r->line_end);
	/* The entry of an empty key stays one when it is spelt out. */
	if (ghost)
		buf_append_char(r->out, '=');
	if (ghost || joins)
		buf_append_str(r->out, r->line_end);
	r->tail = TAIL_CLEAN;
}

static void
properties_edit_insert(struct document_render *r, const struct edit *c)
{
	size_t at = c->entry == DOCUMENT_NONE ? r->d->bytes.len :
	    document_end(r->d, document_entry(r->d, c->entry));

	document_render_upto(r, at);
	if (at == r->d->bytes.len)
		close_tail(r);
	properties_append_key(r->out, c->key, c->key_len);
	buf_append_str(r->out, r->separator);
	properties_write_value(r->out, c->value, c->value_len, has_astral(c->key, c->key_len));
	buf_append_str(r->out, r->line_end);
}

/* Behind the continuations at ${at}. */
static size_t
after_gap(const struct splicing *s, size_t at)
{
	return properties_decode_gap(s->r->d->bytes.data, s->x->value_end, at);
}

/* Copy bytes of the value; a character that has become the first of it, or of a line, stays. */
static void
properties_edit_copy_upto(struct splicing *s, size_t offset)
{
	struct document_render *r = s->r;
	unsigned char c;
	size_t at;

	if (s->bare && r->done < offset) {
		at = after_gap(s, r->done);
		document_render_upto(r, at < offset ? at : offset);
	}
	if (r->done >= offset)
		return;
	c = r->d->bytes.data[r->done];
	if ((s->bare && properties_is_blank(c)) ||
	    (s->unseparated && properties_is_separator(c)))
		buf_append_char(r->out, '\\');
	s->bare = s->unseparated = false;
	document_render_upto(r, offset);
}

static void
properties_edit_append_text(struct splicing *s, const struct document_splice *c)
{
	if (s->unseparated && properties_is_separator(*(const unsigned char *)c->text))
		buf_append_char(s->r->out, '\\');
	if (s->bare)
		properties_write_value(s->r->out, c->text, c->n, key_is_astral(s->r, s->x));
	else
		properties_append_inner(s->r->out, c->text, c->n, key_is_astral(s->r, s->x));
	s->bare = s->unseparated = false;
}

static void
properties_edit_splice(struct splicing *s, const struct document_splice *c)
{
	struct document_render *r = s->r;
	size_t at;

	properties_edit_copy_upto(s, c->from);
	/* What is replaced starts behind the continuation, what is inserted before it. */
	if (c->to > c->from) {
		at = after_gap(s, r->done);
		s->bare = s->bare || at > r->done;
		document_render_upto(r, at);
	}
	document_render_skip(r, c->to);
	if (c->n > 0)
		properties_edit_append_text(s, c);
	else if (c->to > c->from && s->bare)
		/* Or a line with nothing in it would be left. */
		document_render_skip(r, after_gap(s, r->done));
}

static bool
ends_with_cr(const struct buf *b)
{
	return b->len > 0 && b->data[b->len - 1] == '\r';
}

static void
properties_edit_splices(struct document_render *r, const struct document_entry *x,
    const struct document_splice *splices, size_t n)
{
	struct splicing s = { .r = r, .x = x, .bare = true };
	size_t i = 0;

	document_render_upto(r, x->value);
	s.unseparated = x->value > x->key_end && is_separated_by_blanks(r->d, x);
	if (x->value == x->key_end) {
		/* No separator, and so nothing in the value. */
		while (i < n && splices[i].n == 0)
			i++;
		if (i == n)
			return;
		buf_append_str(r->out, r->separator);
		document_render_skip(r, x->value_end);
		replace_tail(r, x);
	}
	for (; i < n; i++)
		properties_edit_splice(&s, &splices[i]);
	properties_edit_copy_upto(&s, x->value_end);
	/* The CR of a continuation of nothing and the LF of the line would be one line end. */
	if (s.bare && ends_with_cr(r->out) && x->value_end < r->d->bytes.len &&
	    r->d->bytes.data[x->value_end] == '\n')
		buf_append_char(r->out, ' ');
}

static void
properties_edit_change(struct document_render *r, const struct edit *c)
{
	switch (c->kind) {
	case EDIT_SET:
		properties_edit_set(r, document_entry(r->d, c->entry), c);
		break;
	case EDIT_REMOVE:
		properties_edit_remove_entry(r, document_entry(r->d, c->entry));
		break;
	case EDIT_INSERT:
		properties_edit_insert(r, c);
		break;
	case EDIT_SPLICE:
		break;
	}
}

const struct document_ops properties_ops = {
	.parse = properties_parse,
	.append_value = properties_decode_value,
	.value_is = properties_decode_is,
	.seek = properties_decode_seek,
	.render_splices = properties_edit_splices,
	.write_value = properties_append_value,
	.render_begin = properties_edit_begin,
	.render_change = properties_edit_change
};
