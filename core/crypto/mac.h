#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include <stddef.h>

struct error;
struct key;

#define MAC_BYTES 32

/*
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1) under a key that is derived from
 * another for one purpose: HMAC-SHA-256(key, purpose).  Contexts are kept
 * between sums.
 */
struct mac;

struct mac *mac_new(const struct key *k, const char *purpose, struct error *err);
void mac_free(struct mac *m);

/**
 * mac_sum(m, name, nlen, data, dlen, out, err):
 * The sum over both byte strings, told apart by the first one's length as
 * eight bytes, lowest first, in front.
 */
int mac_sum(struct mac *m, const void *name, size_t nlen, const void *data,
    size_t dlen, unsigned char out[MAC_BYTES], struct error *err);

#endif /* !CRYPTO_MAC_H */
