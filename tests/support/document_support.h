#ifndef SUPPORT_DOCUMENT_SUPPORT_H
#define SUPPORT_DOCUMENT_SUPPORT_H

/* What the tests of core/document share. */

#include "base/buf.h"
#include "base/error.h"
#include "document/document.h"
#include "unit.h"

/* Counted bytes from a literal, which may hold NULs. */
#define BYTES(s) (s), sizeof(s) - 1

/* A document of that format; what does not parse fails the test. */
UNIT_HELPER struct document *
parse_as(const struct document_format *format, const void *bytes, size_t n)
{
	struct error err = { 0 };
	struct document *d;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append(&content, bytes, n);
	d = document_parse(&content, format, format == &document_json ? "a.json" : "a.properties",
	    &err);
	if (d == NULL)
		fail_msg("does not parse: %s", err.text);
	assert_int_equal(content.len, 0);
	return d;
}

UNIT_HELPER struct document *
parse(const void *bytes, size_t n)
{
	return parse_as(&document_properties, bytes, n);
}

UNIT_HELPER bool
key_is(const struct document *d, size_t i, const void *key, size_t n)
{
	size_t len;
	const char *own = document_key(d, i, &len);

	return len == n && (n == 0 || memcmp(own, key, n) == 0);
}

/* The decoded value, to be released. */
UNIT_HELPER struct buf
value_of(const struct document *d, size_t i)
{
	struct error err = { 0 };
	struct buf value;

	buf_init_secret(&value, BUF_MAX_FILE);
	if (document_value(d, i, &value, &err) == -1)
		fail_msg("no value: %s", err.text);
	return value;
}

/* document_value and document_value_is must say the same. */
UNIT_HELPER bool
value_is(const struct document *d, size_t i, const void *value, size_t n)
{
	struct buf own = value_of(d, i);
	bool same = own.len == n && (n == 0 || memcmp(own.data, value, n) == 0);

	assert_int_equal(document_value_is(d, i, value, n), same);
	buf_release(&own);
	return same;
}

UNIT_HELPER void
assert_entry(const struct document *d, size_t i, const char *key, const char *value)
{
	assert_true(i < document_count(d));
	if (!key_is(d, i, key, strlen(key)) || !value_is(d, i, value, strlen(value)))
		fail_msg("entry %zu is not %s = %s", i, key, value);
}

/* xorshift64*: the same documents on every run. */
UNIT_HELPER uint32_t
random_below(uint64_t *state, uint32_t n)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32) % n;
}

/* A piece that random documents are put together of. */
struct piece {
	const char *bytes;
	size_t n;
};

UNIT_HELPER size_t
random_pieces(uint64_t *state, const struct piece *pieces, size_t count, unsigned char *out,
    size_t size)
{
	size_t want = random_below(state, (uint32_t)size + 1);
	size_t len = 0;
	size_t i;

	while (len < want) {
		i = random_below(state, (uint32_t)count);
		if (pieces[i].n > size - len)
			break;
		memcpy(out + len, pieces[i].bytes, pieces[i].n);
		len += pieces[i].n;
	}
	return len;
}

/* What the format turns on, and what it must not stumble over. */
UNIT_HELPER size_t
random_document(uint64_t *state, unsigned char *out, size_t size)
{
	static const struct piece pieces[] = {
		{ BYTES("a") }, { BYTES("b") }, { BYTES("=") }, { BYTES(":") }, { BYTES(" ") },
		{ BYTES("\t") }, { BYTES("\f") }, { BYTES("\r") }, { BYTES("\n") },
		{ BYTES("\\") }, { BYTES("#") }, { BYTES("!") }, { BYTES("u") }, { BYTES("n") },
		{ BYTES("0") }, { BYTES("\xc3\xa9") }, { BYTES("\x80") }, { BYTES("\xed") },
		{ BYTES("\xa0") }, { BYTES("\0") }, { BYTES("\\u0041") }, { BYTES("\\ud83d") },
		{ BYTES("\\ude00") }, { BYTES("\\\n") }, { BYTES("\\\r") }, { BYTES("\\\r\n") },
		{ BYTES("\\\n ") }, { BYTES("\n\\\n") }, { BYTES("\r\n") }, { BYTES("\nb") },
		{ BYTES(" = ") }, { BYTES("a=b\n") }, { BYTES("\\=") }
	};

	return random_pieces(state, pieces, sizeof(pieces) / sizeof(pieces[0]), out, size);
}

/* For a message: a document as a C string. */
UNIT_HELPER const char *
shown(const void *bytes, size_t n, char *out, size_t size)
{
	const unsigned char *p = bytes;
	size_t at = 0;
	size_t i;

	out[0] = '\0';
	for (i = 0; i < n && at + 5 < size; i++) {
		if (p[i] > ' ' && p[i] < 0x7f && p[i] != '\\')
			at += (size_t)snprintf(out + at, size - at, "%c", p[i]);
		else
			at += (size_t)snprintf(out + at, size - at, "\\x%02x", p[i]);
	}
	return out;
}

#endif /* !SUPPORT_DOCUMENT_SUPPORT_H */
