#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "document/document_internal.h"
#include "document/json_syntax.h"

/* Walks over the text between the quotes and yields what it stands for, piece by piece. */
struct cursor {
	const unsigned char *p;
	size_t n;
	size_t at;
	unsigned char small[4];	/* a piece that does not stand in the bytes */
};

/* The four digits at ${p}, which the parser has seen. */
static uint32_t
unit_at(const unsigned char *p)
{
	uint32_t unit = 0;
	int i;

	for (i = 0; i < 4; i++)
		unit = unit << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return unit;
}

/* A \uXXXX, with the second half of a surrogate pair when that follows. */
static size_t
read_code_point(struct cursor *c)
{
	uint32_t cp = unit_at(c->p + c->at + 2);
	uint32_t low;

	c->at += 6;
	if (cp >= 0xd800 && cp <= 0xdbff && c->n - c->at >= 6 &&
	    memcmp(c->p + c->at, "\\u", 2) == 0) {
		low = unit_at(c->p + c->at + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
			c->at += 6;
		}
	}
	return text_utf8_encode(cp, c->small);
}

static unsigned char
escaped(unsigned char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* The next piece of one byte or more; false at the end. */
static bool
next_piece(struct cursor *c, const unsigned char **piece, size_t *len)
{
	const unsigned char *from = c->p + c->at;
	const unsigned char *backslash;

	if (c->at == c->n)
		return false;
	if (*from != '\\') {
		backslash = memchr(from, '\\', c->n - c->at);
		*piece = from;
		*len = backslash == NULL ? c->n - c->at : (size_t)(backslash - from);
		c->at += *len;
		return true;
	}
	*piece = c->small;
	if (from[1] == 'u') {
		*len = read_code_point(c);
	} else {
		c->small[0] = escaped(from[1]);
		*len = 1;
		c->at += 2;
	}
	return true;
}

void
json_decode(const unsigned char *p, size_t n, struct buf *out)
{
	struct cursor c = { .p = p, .n = n };
	const unsigned char *piece;
	size_t len;

	while (next_piece(&c, &piece, &len))
		buf_append(out, piece, len);
}

bool
json_decode_span(const struct document *d, const struct document_entry *x, size_t *from,
    size_t *to)
{
	unsigned char first = d->bytes.data[x->value];

	*from = x->value;
	*to = x->value_end;
	if (first == '"') {
		++*from;
		--*to;
	} else if (first == 'n') {
		*to = *from;
	}
	return first == '"';
}

void
json_decode_value(const struct document *d, const struct document_entry *x, struct buf *out)
{
	size_t from, to;
	bool string = json_decode_span(d, x, &from, &to);

	/* At once rather than by doubling; the decoded value is never longer. */
	if (!out->failed && to - from <= out->max - out->len)
		(void)buf_reserve(out, to - from);
	if (string)
		json_decode(d->bytes.data + from, to - from, out);
	else
		buf_append(out, d->bytes.data + from, to - from);
}

bool
json_decode_is(const struct document *d, const struct document_entry *x, const void *value,
    size_t n)
{
	const unsigned char *rest = value;
	const unsigned char *piece;
	struct cursor c = { .p = d->bytes.data };
	bool string = json_decode_span(d, x, &c.at, &c.n);
	size_t len;

	if (!string)
		return c.n - c.at == n && (n == 0 || memcmp(c.p + c.at, rest, n) == 0);
	while (next_piece(&c, &piece, &len)) {
		if (len > n || memcmp(piece, rest, len) != 0)
			return false;
		rest += len;
		n -= len;
	}
	return n == 0;
}

void
json_decode_seek(const struct document *d, const struct document_entry *x,
    struct document_place *at, size_t decoded)
{
	struct cursor c = { .p = d->bytes.data };
	size_t from;
	bool string = json_decode_span(d, x, &from, &c.n);
	const unsigned char *piece = NULL;
	size_t len, room;

	/* The first place is asked for by the value's, but lies behind the quote. */
	if (at->raw < from)
		at->raw = (uint32_t)from;
	c.at = at->raw;
	while (at->decoded < decoded && c.at < c.n) {
		room = decoded - at->decoded;
		len = c.n - c.at;
		if (!string)
			c.at = c.n;
		else if (!next_piece(&c, &piece, &len) || (piece == c.small && len > room))
			break;
		/* What stands in the bytes as it is can end anywhere. */
		if (len > room) {
			c.at -= len - room;
			len = room;
		}
		at->raw = (uint32_t)c.at;
		at->decoded += (uint32_t)len;
	}
}
