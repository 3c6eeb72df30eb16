/*
 * Any bytes as a request.  The first two choose into what pieces the rest is
 * cut: the answer must not depend on it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "registry/http/http_internal.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* The status (0: more to come) and the head's length, in pieces of ${piece} bytes. */
static int
find_end(const char *p, size_t n, size_t piece, size_t *end)
{
	struct http_head_scan scan = { 0, 0 };
	size_t have = 0;
	int status = 0;

	*end = 0;
	while (have < n && *end == 0 && status == 0) {
		have += n - have < piece ? n - have : piece;
		*end = http_head_end(&scan, p, have, &status);
	}
	return status;
}

static void
check_strings(const struct http_head *h)
{
	size_t i;

	require(h->count <= HTTP_FIELDS_MAX && h->minor <= 1);
	require(h->path[0] == '/' || strcmp(h->path, "*") == 0);
	require(strlen(h->query) <= HTTP_TARGET_MAX && strlen(h->method_name) > 0);
	require(!h->chunked || h->length == 0);
	for (i = 0; i < h->count; i++) {
		require(strlen(h->fields[i].name) > 0);
		require(strpbrk(h->fields[i].value, "\r\n") == NULL);
	}
}

static int
decode(const char *p, size_t n, size_t piece, struct buf *body, size_t *used)
{
	struct http_chunked c;
	size_t at = 0;
	int status = 0;

	http_chunked_init(&c);
	while (at < n && status == 0)
		at += http_chunked_feed(&c, p + at, n - at < piece ? n - at : piece, body, BODY_MAX,
		    &status);
	*used = at;
	return status;
}

static void
check_chunked(const char *p, size_t n, size_t piece)
{
	struct buf whole, parts;
	size_t used, used_parts;
	int status;

	buf_init(&whole, BODY_MAX);
	buf_init(&parts, BODY_MAX);
	status = decode(p, n, n, &whole, &used);
	require(decode(p, n, piece, &parts, &used_parts) == status && used == used_parts);
	require(whole.len == parts.len && whole.len <= BODY_MAX);
	require(whole.len == 0 || memcmp(whole.data, parts.data, whole.len) == 0);
	buf_release(&whole);
	buf_release(&parts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct http_head head;
	size_t piece, end, end_parts;
	char *text;
	int status;

	if (n < 2)
		return 0;
	piece = (size_t)data[0] + 1;
	/* A copy of its own, so that a step beyond its end is seen. */
	text = malloc(n - 2 + (n == 2));
	if (text == NULL)
		return 0;
	memcpy(text, data + 2, n - 2);
	status = find_end(text, n - 2, n - 1, &end);
	if (n - 2 <= HTTP_TARGET_MAX)	/* beyond, it may be called too long earlier */
		require(find_end(text, n - 2, piece, &end_parts) == status && end == end_parts);
	if (data[1] & 1)
		check_chunked(text, n - 2, piece);
	if (status == 0 && end > 0) {
		require(end <= HTTP_HEADERS_MAX && end <= n - 2);
		if (http_head_parse(&head, text, end) == 0)
			check_strings(&head);
	}
	free(text);
	return 0;
}
