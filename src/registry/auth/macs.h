#ifndef REGISTRY_AUTH_MACS_H
#define REGISTRY_AUTH_MACS_H

#include <stddef.h>

#include "crypto/mac.h"

struct error;

/*
 * HMAC-SHA-256 under a random key of this process, for several threads: what
 * credentials are remembered by.
 */
struct macs;

struct macs *macs_new(struct error *err);
void macs_free(struct macs *m);

/* -1: OpenSSL failed. */
int macs_sum(struct macs *m, const void *bytes, size_t n, unsigned char out[MAC_BYTES]);

#endif /* !REGISTRY_AUTH_MACS_H */
