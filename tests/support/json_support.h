#ifndef SUPPORT_JSON_SUPPORT_H
#define SUPPORT_JSON_SUPPORT_H

/* What the tests of JSON documents share. */

#include "document/edits.h"
#include "document_support.h"

UNIT_HELPER struct document *
parse_json(const void *bytes, size_t n)
{
	struct error err = { 0 };
	struct document *d;
	struct buf content;

	buf_init_secret(&content, BUF_MAX_FILE);
	buf_append(&content, bytes, n);
	d = document_parse(&content, DOCUMENT_JSON, "a.json", &err);
	if (d == NULL)
		fail_msg("does not parse: %s", err.text);
	assert_int_equal(content.len, 0);
	return d;
}

UNIT_HELPER struct document *
parse_json_text(const char *text)
{
	return parse_json(text, strlen(text));
}

UNIT_HELPER size_t
find_path(const struct document *d, const char *path)
{
	return document_find(d, path, strlen(path));
}

/* Whole documents, pieces of them, and what no document may hold. */
UNIT_HELPER size_t
random_json(uint64_t *state, unsigned char *out, size_t size)
{
	static const struct { const char *bytes; size_t n; } pieces[] = {
		{ BYTES("{") }, { BYTES("}") }, { BYTES("[") }, { BYTES("]") }, { BYTES(",") },
		{ BYTES(":") }, { BYTES("\"") }, { BYTES("\\") }, { BYTES(" ") }, { BYTES("\n") },
		{ BYTES("\r\n") }, { BYTES("\t") }, { BYTES("true") }, { BYTES("null") },
		{ BYTES("0") }, { BYTES("-") }, { BYTES("1.50") }, { BYTES("e") },
		{ BYTES("\"a\"") }, { BYTES("\"a\":") }, { BYTES("\"b\": ") }, { BYTES("{}") },
		{ BYTES("\\u0041") }, { BYTES("\\ud83d") }, { BYTES("\xc3\xa9") },
		{ BYTES("\x80") }, { BYTES("\0") }, { BYTES("\xef\xbb\xbf") }
	};
	size_t want = random_below(state, (uint32_t)size + 1);
	size_t len = 0;
	size_t i;

	while (len < want) {
		i = random_below(state, sizeof(pieces) / sizeof(pieces[0]));
		if (pieces[i].n > size - len)
			break;
		memcpy(out + len, pieces[i].bytes, pieces[i].n);
		len += pieces[i].n;
	}
	return len;
}

#endif /* !SUPPORT_JSON_SUPPORT_H */
