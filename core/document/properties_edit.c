#include <string.h>

#include "document/document_internal.h"
#include "document/properties.h"
#include "document/properties_syntax.h"

/* What stands between the document's last byte and a new line of its own. */
enum tail {
	TAIL_CLEAN,		/* nothing: empty, or a line end */
	TAIL_OPEN,		/* the last line has no line end */
	TAIL_JOINS,		/* a backslash and a line end: the next line would be joined */
	TAIL_OPEN_JOINS,	/* a backslash that joins once a line end follows */
	TAIL_GHOST,		/* as TAIL_JOINS, and so the entry of an empty key */
	TAIL_OPEN_GHOST
};

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
	if (x->end < n || (x->value_end - run) % 2 == 0)
		return open ? TAIL_OPEN : TAIL_CLEAN;
	/* Only a lone backslash at the end of the file makes a key of nothing. */
	if (x->key == x->key_end && x->key == x->value)
		return open ? TAIL_OPEN_GHOST : TAIL_GHOST;
	return open ? TAIL_OPEN_JOINS : TAIL_JOINS;
}

/* The first line end of the document. */
static const char *
line_end_of(const struct document *d)
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

void
properties_edit_begin(struct document_render *r)
{
	r->line_end = line_end_of(r->d);
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
	if (x->end == r->d->bytes.len)
		r->tail = x->value_end == x->end ? TAIL_OPEN : TAIL_CLEAN;
}

static void
set(struct document_render *r, const struct document_entry *x, const struct edit *c)
{
	document_render_upto(r, x->value);
	if (x->value == x->key_end)
		buf_append_str(r->out, r->separator);
	else if (c->value_len > 0 && properties_is_separator((unsigned char)c->value[0]) &&
	    is_separated_by_blanks(r->d, x))
		buf_append_char(r->out, '\\');
	properties_append_value(r->out, c->value, c->value_len);
	document_render_skip(r, x->value_end);
	replace_tail(r, x);
}

static void
remove_entry(struct document_render *r, const struct document_entry *x)
{
	document_render_upto(r, x->start);
	document_render_skip(r, x->end);
	if (x->end == r->d->bytes.len)
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
insert(struct document_render *r, const struct edit *c)
{
	size_t at = c->entry == DOCUMENT_NONE ? r->d->bytes.len :
	    document_entry(r->d, c->entry)->end;

	document_render_upto(r, at);
	if (at == r->d->bytes.len)
		close_tail(r);
	properties_append_key(r->out, c->key, c->key_len);
	buf_append_str(r->out, r->separator);
	properties_append_value(r->out, c->value, c->value_len);
	buf_append_str(r->out, r->line_end);
}

/* The splicing of one value, on its way. */
struct splicing {
	struct document_render *r;
	const struct document_entry *x;
	bool bare;		/* here a blank would be none of the value's */
	bool unseparated;	/* nor would a `=` or `:`: there has been none */
};

/* Behind the continuations at ${at}. */
static size_t
after_gap(const struct splicing *s, size_t at)
{
	return properties_decode_gap(s->r->d->bytes.data, s->x->value_end, at);
}

/* Copy bytes of the value; a character that has become the first of it, or of a line, stays. */
static void
copy_upto(struct splicing *s, size_t offset)
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
append_text(struct splicing *s, const struct document_splice *c)
{
	if (s->unseparated && properties_is_separator(*(const unsigned char *)c->text))
		buf_append_char(s->r->out, '\\');
	if (s->bare)
		properties_append_value(s->r->out, c->text, c->n);
	else
		properties_append_inner(s->r->out, c->text, c->n);
	s->bare = s->unseparated = false;
}

static void
splice(struct splicing *s, const struct document_splice *c)
{
	struct document_render *r = s->r;
	size_t at;

	copy_upto(s, c->from);
	/* What is replaced starts behind the continuation, what is inserted before it. */
	if (c->to > c->from) {
		at = after_gap(s, r->done);
		s->bare = s->bare || at > r->done;
		document_render_upto(r, at);
	}
	document_render_skip(r, c->to);
	if (c->n > 0)
		append_text(s, c);
	else if (c->to > c->from && s->bare)
		/* Or a line with nothing in it would be left. */
		document_render_skip(r, after_gap(s, r->done));
}

static bool
ends_with_cr(const struct buf *b)
{
	return b->len > 0 && b->data[b->len - 1] == '\r';
}

void
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
		splice(&s, &splices[i]);
	copy_upto(&s, x->value_end);
	/* The CR of a continuation of nothing and the LF of the line would be one line end. */
	if (s.bare && ends_with_cr(r->out) && x->value_end < r->d->bytes.len &&
	    r->d->bytes.data[x->value_end] == '\n')
		buf_append_char(r->out, ' ');
}

void
properties_edit_change(struct document_render *r, const struct edit *c)
{
	switch (c->kind) {
	case EDIT_SET:
		set(r, document_entry(r->d, c->entry), c);
		break;
	case EDIT_REMOVE:
		remove_entry(r, document_entry(r->d, c->entry));
		break;
	case EDIT_INSERT:
		insert(r, c);
		break;
	case EDIT_SPLICE:
		break;
	}
}
