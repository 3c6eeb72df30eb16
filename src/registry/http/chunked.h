#ifndef REGISTRY_HTTP_CHUNKED_H
#define REGISTRY_HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * A request body in the chunked coding (RFC 9112, section 7.1), in pieces as
 * they come.  Extensions and trailers are checked for their form and dropped.
 */
#define HTTP_CHUNKED_LINE_MAX 256U	/* bytes of a size line with its extensions */
#define HTTP_CHUNKED_TRAILER_MAX 4096U	/* bytes of all trailers */

struct http_chunked {
	int state;
	unsigned digits;
	size_t line;		/* bytes of the size line, or of the trailers */
	uint64_t left;		/* bytes of the chunk under way */
};

void http_chunked_init(struct http_chunked *c);

/**
 * http_chunked_feed(c, p, n, body, max, status):
 * Decode up to the body's end and append to ${body}; returns how many of the
 * ${n} bytes were used.  ${*status}: 0 more to come, 200 the end, 400 bad
 * coding, 413 more than ${max} bytes, 503 no memory.
 */
size_t http_chunked_feed(struct http_chunked *c, const char *p, size_t n, struct buf *body,
    size_t max, int *status);

#endif /* !REGISTRY_HTTP_CHUNKED_H */
