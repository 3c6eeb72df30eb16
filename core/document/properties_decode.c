#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "document/document_internal.h"
#include "document/properties_syntax.h"

/* Walks over raw bytes and yields the decoded ones piece by piece. */
struct cursor {
	const unsigned char *p;
	size_t n;
	size_t at;
	unsigned char small[4];	/* a piece that does not stand in the bytes */
};

static bool
is_continuation(const struct cursor *c, size_t at)
{
	return at + 1 < c->n && c->p[at] == '\\' && properties_is_line_end(c->p[at + 1]);
}

static size_t
after_continuations(const struct cursor *c, size_t at)
{
	while (is_continuation(c, at)) {
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
		digit = q < c->n ? properties_hex(c->p[q]) : -1;
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
read_code_point(struct cursor *c)
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
escaped(unsigned char c)
{
	switch (c) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 'f':
		return '\f';
	default:
		return c;
	}
}

/*
 * The next piece of one byte or more; false at the end.  A character that is
 * escaped but stands for itself begins a piece like any other.
 */
static bool
next_piece(struct cursor *c, const unsigned char **piece, size_t *len)
{
	const unsigned char *backslash;
	size_t from = after_continuations(c, c->at);

	c->at = c->n;
	if (from < c->n && c->p[from] == '\\') {
		from++;
		*piece = c->small;
		if (from < c->n && c->p[from] == 'u') {
			c->at = from - 1;
			*len = read_code_point(c);
			return *len > 0;
		}
		if (from < c->n && escaped(c->p[from]) != c->p[from]) {
			c->small[0] = escaped(c->p[from]);
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
	const unsigned char *piece;
	size_t len;

	while (next_piece(&c, &piece, &len))
		buf_append(out, piece, len);
}

void
properties_decode_value(const struct document *d, const struct document_entry *x,
    struct buf *out)
{
	size_t n = x->value_end - x->value;

	/* At once rather than by doubling; the decoded value is never longer. */
	if (!out->failed && n <= out->max - out->len)
		(void)buf_reserve(out, n);
	properties_decode(d->bytes.data + x->value, n, out);
}

bool
properties_decode_is(const struct document *d, const struct document_entry *x,
    const void *value, size_t n)
{
	struct cursor c = { .p = d->bytes.data + x->value, .n = x->value_end - x->value };
	const unsigned char *rest = value;
	const unsigned char *piece;
	size_t len;

	while (next_piece(&c, &piece, &len)) {
		if (len > n || memcmp(piece, rest, len) != 0)
			return false;
		rest += len;
		n -= len;
	}
	return n == 0;
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
			if (!next_piece(&c, &piece, &len))
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
