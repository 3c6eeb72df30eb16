#ifndef REGISTRY_HTTP_TARGET_H
#define REGISTRY_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * The path of a URL, split on the raw bytes and then decoded once
 * (registry-contract: RFC 3986 section 2.4 order).
 */
#define TARGET_SEGMENTS_MAX 12
#define TARGET_BYTES_MAX (8U << 10)

struct target_segment {
	const char *text;	/* decoded, NUL-terminated, in target.bytes */
	size_t len;
};

struct target {
	struct target_segment segments[TARGET_SEGMENTS_MAX];
	size_t count;
	bool trailing_slash;
	char bytes[TARGET_BYTES_MAX + TARGET_SEGMENTS_MAX + 1];
};

enum target_result {
	TARGET_OK,
	TARGET_BAD,	/* 400: bad escape, decoded slash, NUL, control, bad UTF-8, . or .. */
	TARGET_EMPTY,	/* 404: an empty segment (//), or too many segments */
	TARGET_LONG	/* 414 */
};

/* Split and decode the raw path ${raw} of ${n} bytes, which begins with '/'. */
enum target_result target_parse(struct target *t, const char *raw, size_t n);

/* Is segment ${i} exactly ${text}? */
bool target_is(const struct target *t, size_t i, const char *text);

/**
 * target_query(raw, name, out):
 * The first value of ${name} in a raw query string, percent- and plus-decoded,
 * appended to ${out}.  1: found, 0: absent, -1: bad escape or invalid UTF-8.
 */
int target_query(const char *raw, const char *name, struct buf *out);

/* Append ${text} percent-encoded as one path segment. */
void target_encode(struct buf *out, const char *text, size_t n);

#endif /* !REGISTRY_HTTP_TARGET_H */
