#ifndef BASE_BUF_POOL_H
#define BASE_BUF_POOL_H

#include <stddef.h>

struct buf;
struct error;

/*
 * Secret buffers at rest.  Pages of a secret buffer take half a dozen system
 * calls to get and to give back, so whoever needs a buffer for each request
 * keeps those of the last ones, wiped.  For one thread alone.
 */
#define BUF_POOL_COUNT 256		/* buffers at rest at most */
#define BUF_POOL_BYTES ((size_t)16 << 10)	/* a larger one is not kept */

struct buf_pool;

struct buf_pool *buf_pool_new(struct error *err);
void buf_pool_free(struct buf_pool *p);

/* Give ${b}, a secret buffer, the pages of one at rest; ${b} stays as it is if
 * it has some or none rests here. */
void buf_pool_take(struct buf_pool *p, struct buf *b);

/* Empty ${b} and keep its wiped pages, or release them; ${b} may be used again. */
void buf_pool_give(struct buf_pool *p, struct buf *b);

#endif /* !BASE_BUF_POOL_H */
