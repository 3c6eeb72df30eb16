#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "registry/http/target.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte behind the '%' at ${p}, of which ${n} bytes are left; -1: bad escape. */
static int
unescape(const char *p, size_t n)
{
	int high, low;

	if (n < 3)
		return -1;
	high = hex(p[1]);
	low = hex(p[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Valid UTF-8, and where ${plain} is asked for no control character (C0, DEL, C1)? */
static bool
is_text(const char *text, size_t n, bool plain)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t cp;
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = text_plain_length(p, n);
		if (len > 0)
			continue;
		len = text_utf8_decode(p, n, &cp);
		if (len == 0)
			return false;
		if (plain && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)))
			return false;
	}
	return true;
}

/* Decode one raw segment to ${to}; the length, or -1. */
static int
decode_segment(char *to, const char *raw, size_t n)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		int c = (unsigned char)raw[i];

		if (c == '%') {
			c = unescape(raw + i, n - i);
			/* A slash that only shows once decoded is no separator. */
			if (c < 0 || c == '/')
				return -1;
			i += 2;
		}
		to[len++] = (char)c;
	}
	if (!is_text(to, len, true))
		return -1;
	if (to[0] == '.' && (len == 1 || (len == 2 && to[1] == '.')))
		return -1;
	to[len] = '\0';
	return (int)len;
}

enum target_result
target_parse(struct target *t, const char *raw, size_t n)
{
	const char *end = raw + n;
	const char *p = raw;
	char *to = t->bytes;
	bool empty = false;

	t->count = 0;
	t->trailing_slash = false;
	if (n > TARGET_BYTES_MAX)
		return TARGET_LONG;
	if (n == 0 || raw[0] != '/')
		return TARGET_BAD;
	/* All is decoded before anything is said: a bad escape goes before the rest. */
	while (p < end) {
		const char *start = p + 1;
		const char *slash = memchr(start, '/', (size_t)(end - start));
		int len;

		p = slash != NULL ? slash : end;
		if (p == start) {
			if (p < end)
				empty = true;
			else
				t->trailing_slash = n > 1;
			continue;
		}
		len = decode_segment(to, start, (size_t)(p - start));
		if (len < 0)
			return TARGET_BAD;
		if (t->count < TARGET_SEGMENTS_MAX) {
			t->segments[t->count].text = to;
			t->segments[t->count].len = (size_t)len;
			t->count++;
			to += len + 1;
		} else {
			empty = true;
		}
	}
	return empty ? TARGET_EMPTY : TARGET_OK;
}

bool
target_is(const struct target *t, size_t i, const char *text)
{
	return i < t->count && t->segments[i].len == strlen(text) &&
	    memcmp(t->segments[i].text, text, t->segments[i].len) == 0;
}

/* The next byte of a query part, plus- and percent-decoded; -1: bad escape. */
static int
query_byte(const char **p, const char *end)
{
	int c = (unsigned char)**p;

	if (c == '%') {
		c = unescape(*p, (size_t)(end - *p));
		if (c >= 0)
			*p += 2;
	} else if (c == '+') {
		c = ' ';
	}
	(*p)++;
	return c;
}

static bool
name_matches(const char *p, const char *end, const char *name)
{
	for (; p < end && *name != '\0'; name++) {
		if (query_byte(&p, end) != (unsigned char)*name)
			return false;
	}
	return p == end && *name == '\0';
}

static int
append_value(struct buf *out, const char *p, const char *end)
{
	size_t before = out->len;

	while (p < end) {
		int c = query_byte(&p, end);

		if (c < 0) {
			buf_truncate(out, before);
			return -1;
		}
		buf_append_char(out, (char)c);
	}
	if (out->len > before &&
	    !is_text((const char *)out->data + before, out->len - before, false)) {
		buf_truncate(out, before);
		return -1;
	}
	return 1;
}

int
target_query(const char *raw, const char *name, struct buf *out)
{
	while (*raw != '\0') {
		const char *end = raw + strcspn(raw, "&");
		const char *equals = memchr(raw, '=', (size_t)(end - raw));

		if (name_matches(raw, equals != NULL ? equals : end, name))
			return append_value(out, equals != NULL ? equals + 1 : end, end);
		raw = *end == '&' ? end + 1 : end;
	}
	return 0;
}

void
target_encode(struct buf *out, const char *text, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[3] = { '%', digits[c >> 4], digits[c & 15] };

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~')
			buf_append_char(out, (char)c);
		else
			buf_append(out, escape, sizeof(escape));
	}
}
