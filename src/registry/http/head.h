#ifndef REGISTRY_HTTP_HEAD_H
#define REGISTRY_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/http/http.h"

/*
 * The head of a request (request line and headers) from raw bytes, by the
 * grammar of RFC 9112 without its leniences: lines end in CRLF, no folded
 * lines, no blank before a colon, one Host, at most one Content-Length of
 * digits alone, Transfer-Encoding is exactly "chunked", never both.  What two
 * programs in a row could read differently is refused.
 */
#define HTTP_FIELDS_MAX 100

struct http_field {
	const char *name;
	const char *value;
};

struct http_head {
	enum http_method method;
	const char *method_name;
	const char *path;
	const char *query;
	unsigned minor;		/* HTTP/1.minor */
	bool keep;		/* the connection may stay open */
	bool chunked;
	bool expect;		/* Expect: 100-continue */
	uint64_t length;	/* of the body, 0: none or chunked */
	size_t count;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/* How far the search for the end has come; all 0 at the start of a request. */
struct http_head_scan {
	size_t line;		/* where the line under way begins */
	size_t seen;		/* bytes looked at */
};

/**
 * http_head_end(s, p, n, status):
 * The length of the head at ${p} with its empty line, 0: not there yet, or
 * ${*status} is what to refuse it with (400, 414, 431).  Call again with more
 * bytes behind the same ones.
 */
size_t http_head_end(struct http_head_scan *s, const char *p, size_t n, int *status);

/**
 * http_head_parse(h, text, n):
 * Read the head of ${n} bytes that http_head_end found.  ${text} is cut into
 * NUL-terminated strings that ${h} points to.  0, or the status to refuse it
 * with: 400, 414, 417, 431, 505.
 */
int http_head_parse(struct http_head *h, char *text, size_t n);

/* The first field of that name in any case, from ${*i} on, which is moved behind
 * it.  NULL: no more. */
const struct http_field *http_head_find(const struct http_head *h, const char *name, size_t *i);

#endif /* !REGISTRY_HTTP_HEAD_H */
