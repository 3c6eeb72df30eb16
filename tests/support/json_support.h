#ifndef SUPPORT_JSON_SUPPORT_H
#define SUPPORT_JSON_SUPPORT_H

/* What the tests of JSON documents share. */

#include "edits_support.h"

UNIT_HELPER struct document *
parse_json(const void *bytes, size_t n)
{
	return parse_as(&document_json, bytes, n);
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
	static const struct piece pieces[] = {
		{ BYTES("{") }, { BYTES("}") }, { BYTES("[") }, { BYTES("]") }, { BYTES(",") },
		{ BYTES(":") }, { BYTES("\"") }, { BYTES("\\") }, { BYTES(" ") }, { BYTES("\n") },
		{ BYTES("\r\n") }, { BYTES("\t") }, { BYTES("true") }, { BYTES("null") },
		{ BYTES("0") }, { BYTES("-") }, { BYTES("1.50") }, { BYTES("e") },
		{ BYTES("\"a\"") }, { BYTES("\"a\":") }, { BYTES("\"b\": ") }, { BYTES("{}") },
		{ BYTES("\\u0041") }, { BYTES("\\ud83d") }, { BYTES("\xc3\xa9") },
		{ BYTES("\x80") }, { BYTES("\0") }, { BYTES("\xef\xbb\xbf") }
	};

	return random_pieces(state, pieces, sizeof(pieces) / sizeof(pieces[0]), out, size);
}

#endif /* !SUPPORT_JSON_SUPPORT_H */
