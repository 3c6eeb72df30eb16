#ifndef REGISTRY_API_REPLY_H
#define REGISTRY_API_REPLY_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct http_request;
struct json_out;

/* Pieces of answers. */

/* In decimal, for headers and messages. */
void reply_number(struct buf *out, uint64_t n);

/* RFC 3339 in UTC with milliseconds; null for 0. */
void reply_time(struct json_out *o, const char *key, int64_t ms);

/* {"error_code":...,"message":...} as the whole body. */
void reply_error(struct buf *out, int code, const void *message, size_t n);

/* The headers that every answer has; ${id} NULL: none is known; ${type} NULL:
 * there is no body. */
void reply_headers(struct http_request *r, const char *id, const char *type);

#endif /* !REGISTRY_API_REPLY_H */
