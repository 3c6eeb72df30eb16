#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stddef.h>

struct error;

#define DIGEST_SHA256 32	/* bytes */

/*
 * SHA-256 (FIPS 180-4).  The object holds the algorithm, which OpenSSL would
 * look up at each call otherwise; it has no state, so that any number of
 * threads may use one at a time.
 */
struct digest;

struct digest *digest_new(struct error *err);
void digest_free(struct digest *d);

/* The digest of ${n} bytes.  -1: OpenSSL failed (${out} is wiped). */
int digest_sha256(const struct digest *d, const void *bytes, size_t n,
    unsigned char out[DIGEST_SHA256]);

#endif /* !CRYPTO_DIGEST_H */
