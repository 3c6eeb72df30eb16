#ifndef REGISTRY_API_REPLY_H
#define REGISTRY_API_REPLY_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct http_request;

/* Pieces of answers.  None of them goes through printf, so that all may be
 * appended to secret buffers. */

void reply_number(struct buf *out, uint64_t n);

/* RFC 3339 in UTC with milliseconds, quoted; null for 0. */
void reply_time(struct buf *out, int64_t ms);

/* ,"name": or {"name": as the buffer's end asks for. */
void reply_member(struct buf *out, const char *name);
void reply_text(struct buf *out, const char *text);	/* NUL-terminated, quoted */

/* {"error_code":...,"message":...} */
void reply_error(struct buf *out, int code, const void *message, size_t n);

/* The headers that every answer has; ${id} NULL: none is known; ${type} NULL:
 * there is no body. */
void reply_headers(struct http_request *r, const char *id, const char *type);

#endif /* !REGISTRY_API_REPLY_H */
