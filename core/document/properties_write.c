#include "base/buf.h"
#include "base/text.h"
#include "document/properties.h"
#include "document/properties_syntax.h"

/* For characters that \n and the like do not name; as Java's store writes it. */
static void
append_unit(struct buf *out, uint32_t unit)
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
	switch (c) {
	case '\t':
		buf_append(out, "\\t", 2);
		break;
	case '\n':
		buf_append(out, "\\n", 2);
		break;
	case '\f':
		buf_append(out, "\\f", 2);
		break;
	case '\r':
		buf_append(out, "\\r", 2);
		break;
	default:
		append_unit(out, c);
	}
}

/* The three-byte form of a surrogate: \uD800 is read into it. */
static bool
is_surrogate(const unsigned char *p, size_t n)
{
	return n >= 3 && p[0] == 0xed && p[1] >= 0xa0 && p[1] <= 0xbf && p[2] >= 0x80 &&
	    p[2] <= 0xbf;
}

/*
 * Two halves side by side can only come from bytes that do not decode: as
 * escapes they would be read as a pair.
 */
static bool
is_split_pair(const unsigned char *p, size_t n)
{
	return n >= 6 && p[1] <= 0xaf && is_surrogate(p + 3, n - 3) && p[4] >= 0xb0;
}

/* Append the character at ${p}, not an ASCII one; its length. */
static size_t
append_wide(struct buf *out, const unsigned char *p, size_t n)
{
	uint32_t cp;
	size_t len = text_utf8_decode(p, n, &cp);

	if (len == 0 && is_surrogate(p, n)) {
		if (is_split_pair(p, n))
			buf_append(out, p, 3);
		else
			append_unit(out, 0xd000 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f));
		return 3;
	}
	if (len == 0) {
		buf_append(out, p, 1);
		return 1;
	}
	if (cp >= 0x10000) {
		append_unit(out, 0xd800 + ((cp - 0x10000) >> 10));
		append_unit(out, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	} else {
		append_unit(out, cp);
	}
	return len;
}

static bool
needs_escape(unsigned char c)
{
	return c < 0x20 || c >= 0x7f || c == '\\';
}

static bool
needs_escape_in_key(unsigned char c)
{
	return needs_escape(c) || c == ' ' || c == '#' || c == '!' || properties_is_separator(c);
}

static void
append(struct buf *out, const unsigned char *p, size_t n, bool (*special)(unsigned char))
{
	size_t at = 0;
	size_t from;

	while (at < n) {
		for (from = at; at < n && !special(p[at]); at++)
			;
		buf_append(out, p + from, at - from);
		if (at == n)
			break;
		if (p[at] >= 0x80) {
			at += append_wide(out, p + at, n - at);
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
	append(out, (const unsigned char *)key, n, needs_escape_in_key);
}

void
properties_append_value(struct buf *out, const void *value, size_t n)
{
	const unsigned char *p = value;
	size_t i;

	/* Tabs and form feeds are escaped wherever they stand. */
	for (i = 0; i < n && p[i] == ' '; i++)
		buf_append(out, "\\ ", 2);
	if (i < n)
		append(out, p + i, n - i, needs_escape);
}

void
properties_append_inner(struct buf *out, const void *value, size_t n)
{
	append(out, value, n, needs_escape);
}
