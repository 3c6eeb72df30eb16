#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>

struct error;

/* Fill ${n} bytes from OpenSSL's private generator.  ERROR_CRYPTO. */
int random_bytes(void *out, size_t n, struct error *err);

#define RANDOM_POOL_TAKE_MAX 64	/* bytes at a time */

/*
 * Random bytes drawn from OpenSSL's generator in advance, as a call of it for
 * each IV or salt would cost more than the sealing.  In a page that a forked
 * child finds empty, so that two processes never use the same ones.  No byte
 * is given twice, and what was given is wiped here.  For one thread.
 */
struct random_pool;

struct random_pool *random_pool_new(struct error *err);
void random_pool_free(struct random_pool *p);

/* ${n} bytes, at most RANDOM_POOL_TAKE_MAX (ERROR_LIMIT).  ERROR_CRYPTO. */
int random_pool_take(struct random_pool *p, void *out, size_t n, struct error *err);

#endif /* !CRYPTO_RANDOM_H */
