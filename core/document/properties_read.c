#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "document/document_internal.h"
#include "document/properties.h"

#define ENTRY_BYTES 32	/* of an entry, with its share of comments */
#define ENTRIES_EXPECTED ((size_t)64)	/* at most; a file of more grows as it is read */

/*
 * The entries that java.util.Properties.load finds, JDK 17.  Its LineReader
 * joins lines first, then load0 splits key from value, then loadConvert
 * undoes the escapes of each; here one walk over the bytes does all three.
 *
 * It is linear: every byte is looked at by each of the searches for LF, CR
 * and backslash at most once, since a search goes on where the last one
 * ended, and by the walk over the key.
 */
struct scan {
	struct document *d;
	const unsigned char *p;
	size_t n;
	size_t lf;		/* the next one from where it was last asked for; n: none */
	size_t cr;
	size_t backslash;
	size_t line;		/* of the place that the walk has reached */
	struct buf key;		/* scratch for decoding */
};

enum step {
	STEP_ON,		/* the logical line goes on */
	STEP_END,		/* it ended: value_end is set */
	STEP_BAD		/* malformed escape: the problem is set */
};

static bool
properties_decode_is_continuation(const struct cursor *c, size_t at)
{
	return at + 1 < c->n && c->p[at] == '\\' && properties_is_line_end(c->p[at + 1]);
}

static size_t
after_continuations(const struct cursor *c, size_t at)
{
	while (properties_decode_is_continuation(c, at)) {
		at = properties_after_line_end(c->p, c->n, at + 1);
		at = properties_after_blanks(c->p, c->n, at);
	}
	return at;
}

/*
 * Read \uXXXX at ${*at}, and move behind it.  The digits are looked for
 * behind continuations, since lines are joined before escapes are decoded.
 */
static bool
read_unit(const struct cursor *c, size_t *at, uint32_t *unit)
{
	size_t q = *at;
	int i, digit;

	if (q + 1 >= c->n || c->p[q] != '\\' || c->p[q + 1] != 'u')
		return false;
	q += 2;
	*unit = 0;
	for (i = 0; i < 4; i++) {
		q = after_continuations(c, q);
		digit = q < c->n ? hex_digit(c->p[q]) : -1;
		if (digit == -1)
			return false;
		*unit = *unit << 4 | (uint32_t)digit;
		q++;
	}
	*at = q;
	return true;
}

/* A \uXXXX, with the second half of a surrogate pair when that follows. */
static size_t
properties_decode_read_code_point(struct cursor *c)
{
	uint32_t cp, low;
	size_t next;

	if (!read_unit(c, &c->at, &cp)) {
		c->at = c->n;
		return 0;
	}
	if (cp >= 0xd800 && cp <= 0xdbff) {
		next = after_continuations(c, c->at);
		if (read_unit(c, &next, &low) && low >= 0xdc00 && low <= 0xdfff) {
			cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
			c->at = next;
		}
	}
	return text_utf8_encode(cp, c->small);
}

/* What the character behind a backslash stands for: mostly itself. */
static unsigned char
properties_decode_escaped(unsigned char c)
{
	return c == 'b' ? c : text_unescape_letter(c);
}

/*
 * The next piece of one byte or more; false at the end.  A character that is
 * escaped but stands for itself begins a piece like any other.
 */
static bool
properties_decode_next_piece(struct cursor *c, const unsigned char **piece, size_t *len)
{
	const unsigned char *backslash;
	size_t from = after_continuations(c, c->at);

	c->at = c->n;
	if (from < c->n && c->p[from] == '\\') {
		from++;
		*piece = c->small;
		if (from < c->n && c->p[from] == 'u') {
			c->at = from - 1;
			*len = properties_decode_read_code_point(c);
			return *len > 0;
		}
		if (from < c->n && properties_decode_escaped(c->p[from]) != c->p[from]) {
			c->small[0] = properties_decode_escaped(c->p[from]);
			c->at = from + 1;
			*len = 1;
			return true;
		}
	}
	if (from == c->n)
		return false;
	backslash = from + 1 < c->n ? memchr(c->p + from + 1, '\\', c->n - from - 1) : NULL;
	if (backslash != NULL)
		c->at = (size_t)(backslash - c->p);
	*piece = c->p + from;
	*len = c->at - from;
	return true;
}

void
properties_decode(const unsigned char *p, size_t n, struct buf *out)
{
	struct cursor c = { .p = p, .n = n };

	cursor_append(&c, properties_decode_next_piece, out);
}

void
properties_decode_value(const struct document *d, const struct document_entry *x, struct buf *out)
{
	properties_decode(d->bytes.data + x->value, x->value_end - x->value, out);
}

bool
properties_decode_is(const struct document *d, const struct document_entry *x, const void *value,
    size_t n)
{
	struct cursor c = { .p = d->bytes.data + x->value, .n = x->value_end - x->value };

	return cursor_is(&c, properties_decode_next_piece, value, n);
}

/* Go on over at most ${room} bytes that stand for themselves; how many. */
static size_t
pass_plain(struct cursor *c, size_t room)
{
	size_t from = after_continuations(c, c->at);
	const unsigned char *backslash;
	size_t len;

	if (from == c->n || c->p[from] == '\\')
		return 0;
	/* No further: where there are no backslashes, the next is far away. */
	len = room < c->n - from ? room : c->n - from;
	backslash = memchr(c->p + from, '\\', len);
	if (backslash != NULL)
		len = (size_t)(backslash - c->p) - from;
	c->at = from + len;
	return len;
}

void
properties_decode_seek(const struct document *d, const struct document_entry *x,
    struct document_place *at, size_t decoded)
{
	struct cursor c = { .p = d->bytes.data + x->value, .n = x->value_end - x->value,
	    .at = at->raw - x->value };
	const unsigned char *piece;
	size_t len;

	while (at->decoded < decoded) {
		len = pass_plain(&c, decoded - at->decoded);
		if (len == 0) {
			if (!properties_decode_next_piece(&c, &piece, &len))
				break;
			/* Of a piece that stands in the bytes, only what the escape is. */
			if (piece != c.small) {
				len = 1;
				c.at = (size_t)(piece - c.p) + 1;
			}
		}
		if (len > decoded - at->decoded)
			break;
		at->raw = x->value + (uint32_t)c.at;
		at->decoded += (uint32_t)len;
	}
}

size_t
properties_decode_gap(const unsigned char *p, size_t n, size_t at)
{
	const struct cursor c = { .p = p, .n = n };

	return after_continuations(&c, at);
}

static size_t
properties_parse_search(const struct scan *s, size_t at, int c)
{
	const unsigned char *found = at < s->n ? memchr(s->p + at, c, s->n - at) : NULL;

	return found == NULL ? s->n : (size_t)(found - s->p);
}

/* The next line end from ${at} on, or n. */
static size_t
line_end(struct scan *s, size_t at)
{
	if (s->lf < at)
		s->lf = properties_parse_search(s, at, '\n');
	if (s->cr < at)
		s->cr = properties_parse_search(s, at, '\r');
	return s->lf < s->cr ? s->lf : s->cr;
}

static size_t
next_backslash(struct scan *s, size_t at)
{
	if (s->backslash < at)
		s->backslash = at < s->n && s->p[at] == '\\' ? at : properties_parse_search(s, at,
		    '\\');
	return s->backslash;
}

/* Behind the line end at ${at}, if there is one. */
static size_t
pass_line_end(struct scan *s, size_t at)
{
	if (at == s->n)
		return at;
	s->line++;
	return properties_after_line_end(s->p, s->n, at);
}

static enum step
end_entry(struct document_entry *x, size_t at)
{
	x->value_end = (uint32_t)at;
	return STEP_END;
}

static bool
at_line_end(const struct scan *s, size_t at)
{
	return at == s->n || properties_is_line_end(s->p[at]);
}

/*
 * The backslash at ${*at} is the last character of its line: go on at the
 * first character of the next one that is not blank.  A next line that is
 * blank ends the entry, and so does the end of the file, where Java drops
 * the backslash: it counts as part of the value so that replacing the value
 * replaces it too.
 */
static enum step
properties_parse_join(struct scan *s, struct document_entry *x, size_t *at)
{
	size_t backslash = *at;
	size_t next;

	if (backslash + 1 == s->n ||
	    properties_after_line_end(s->p, s->n, backslash + 1) == s->n)
		return end_entry(x, backslash + 1);
	next = pass_line_end(s, backslash + 1);
	*at = properties_after_blanks(s->p, s->n, next);
	return at_line_end(s, *at) ? end_entry(x, *at) : STEP_ON;
}

static enum step
properties_parse_malformed(struct scan *s, size_t line)
{
	s->d->problem = "malformed \\uXXXX escape";
	s->d->problem_hint = "write four hexadecimal digits after \\u, or \\\\u for a backslash"
	    " and a u";
	s->d->problem_line = line;
	return STEP_BAD;
}

/* Pass the backslash at ${*at} and what it goes with. */
static enum step
pass_backslash(struct scan *s, struct document_entry *x, size_t *at)
{
	size_t line = s->line;
	int digits = 0;

	if (at_line_end(s, *at + 1))
		return properties_parse_join(s, x, at);
	if (s->p[*at + 1] != 'u') {
		*at += 2;
		return STEP_ON;
	}
	*at += 2;
	while (digits < 4) {
		if (*at < s->n && hex_digit(s->p[*at]) != -1) {
			(*at)++;
			digits++;
		} else if (*at == s->n || s->p[*at] != '\\' || !at_line_end(s, *at + 1) ||
		    properties_parse_join(s, x, at) != STEP_ON) {
			return properties_parse_malformed(s, line);
		}
	}
	return STEP_ON;
}

/* From the key's first character to the separator, or to the end of the line. */
static enum step
properties_parse_pass_key(struct scan *s, struct document_entry *x, size_t *at)
{
	static const unsigned char stops[256] = {
		[' '] = 1, ['\t'] = 1, ['\f'] = 1, ['='] = 1, [':'] = 1,
		['\n'] = 1, ['\r'] = 1, ['\\'] = 1
	};
	const unsigned char *p = s->p;
	size_t n = s->n;
	enum step step;
	size_t q;

	for (;;) {
		for (q = *at; q < n && stops[p[q]] == 0; q++)
			;
		*at = q;
		x->key_end = (uint32_t)q;
		if (q < n && p[q] == '\\') {
			step = pass_backslash(s, x, at);
			if (step == STEP_ON)
				continue;
		} else {
			step = at_line_end(s, q) ? end_entry(x, q) : STEP_ON;
		}
		x->value = x->key_end;
		return step;
	}
}

/*
 * Blanks and at most one `=` or `:`.  The value starts behind them; when it
 * starts on a line of its own, the continuation is part of it.
 */
static enum step
pass_separator(struct scan *s, struct document_entry *x, size_t *at)
{
	bool separated = false;
	enum step step = STEP_ON;
	unsigned char c;

	while (step == STEP_ON) {
		if (at_line_end(s, *at))
			return end_entry(x, *at);
		c = s->p[*at];
		if (properties_is_blank(c) || (properties_is_separator(c) && !separated)) {
			separated = separated || properties_is_separator(c);
			x->value = (uint32_t)++*at;
		} else if (c == '\\' && at_line_end(s, *at + 1)) {
			step = properties_parse_join(s, x, at);
		} else {
			break;
		}
	}
	return step;
}

static enum step
properties_parse_pass_value(struct scan *s, struct document_entry *x, size_t *at)
{
	size_t end, backslash;
	enum step step;

	do {
		end = line_end(s, *at);
		backslash = next_backslash(s, *at);
		if (backslash >= end)
			return end_entry(x, end);
		*at = backslash;
		step = pass_backslash(s, x, at);
	} while (step == STEP_ON);
	return step;
}

static int
properties_parse_keep(struct scan *s, struct document_entry *x, struct error *err)
{
	const unsigned char *key = s->p + x->key;
	size_t n = x->key_end - x->key;
	struct document_entry *kept;

	if (n > 0 && memchr(key, '\\', n) != NULL) {
		buf_clear(&s->key);
		properties_decode(key, n, &s->key);
		if (buf_check(&s->key, err) == -1)
			return -1;
		if (document_add_key(s->d, x, s->key.data, s->key.len) == -1)
			return error_memory(err);
	}
	kept = vec_push(&s->d->entries);
	if (kept == NULL && s->d->entries.len == DOCUMENT_MAX_ENTRIES)
		return error_set(err, ERROR_LIMIT, "more than %zu entries", DOCUMENT_MAX_ENTRIES);
	if (kept == NULL)
		return error_memory(err);
	*kept = *x;
	return 0;
}

/*
 * Is the line, whose first character that is not blank is at ${at}, nothing
 * but a continuation of nothing?  Java reads on behind it as if it were not
 * there.  (At the end of the file such a line is an entry with an empty key,
 * unless it ends in CR LF.)
 */
static bool
is_lone_backslash(const struct scan *s, size_t at)
{
	size_t next;

	if (s->p[at] != '\\' || at + 1 == s->n || !properties_is_line_end(s->p[at + 1]))
		return false;
	next = properties_after_line_end(s->p, s->n, at + 1);
	return next < s->n || next - at == 3;
}

static int
pass_entry(struct scan *s, struct document_entry *x, size_t *at, struct error *err)
{
	enum step step = properties_parse_pass_key(s, x, at);

	if (step == STEP_ON)
		step = pass_separator(s, x, at);
	if (step == STEP_ON)
		step = properties_parse_pass_value(s, x, at);
	if (step == STEP_BAD)
		return 0;
	*at = pass_line_end(s, x->value_end);
	return properties_parse_keep(s, x, err);
}

static int
pass_lines(struct scan *s, struct error *err)
{
	const struct document_entry none = { 0 };
	struct document_entry x = none;
	bool begun = false;	/* by lone backslashes, which are the entry's */
	size_t at = 0;
	size_t first;

	while (at < s->n && s->d->problem == NULL) {
		first = properties_after_blanks(s->p, s->n, at);
		if (at_line_end(s, first)) {
			begun = false;
			at = pass_line_end(s, first);
		} else if (s->p[first] == '#' || s->p[first] == '!') {
			begun = false;
			at = pass_line_end(s, line_end(s, first));
		} else {
			if (!begun) {
				x = none;
				x.start = (uint32_t)at;
				x.line = (uint32_t)s->line;
			}
			begun = is_lone_backslash(s, first);
			at = first;
			x.key = (uint32_t)first;
			if (begun)
				at = pass_line_end(s, first + 1);
			else if (pass_entry(s, &x, &at, err) == -1)
				return -1;
		}
	}
	return 0;
}

int
properties_parse(struct document *d, struct error *err)
{
	struct scan s = { .d = d, .p = d->bytes.data, .n = d->bytes.len, .line = 1 };
	int result;

	if (s.n == 0)
		return 0;
	vec_expect(&d->entries, s.n / ENTRY_BYTES < ENTRIES_EXPECTED ? s.n / ENTRY_BYTES + 1 :
	    ENTRIES_EXPECTED);
	buf_init(&s.key, BUF_MAX_FILE);
	s.lf = properties_parse_search(&s, 0, '\n');
	s.cr = properties_parse_search(&s, 0, '\r');
	s.backslash = properties_parse_search(&s, 0, '\\');
	result = pass_lines(&s, err);
	buf_release(&s.key);
	return result;
}
