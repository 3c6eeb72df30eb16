#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include <stddef.h>

struct error;
struct key;

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

/**
 * mac_fingerprint(k, out):
 * Eight hexadecimal digits and a NUL that tell two keys apart on the screen
 * and give nothing away: the head of HMAC-SHA-256(key, "propseal key id").
 */
#define MAC_FINGERPRINT 9
int mac_fingerprint(const struct key *k, char out[MAC_FINGERPRINT], struct error *err);

#define HKDF_OUT_MAX (255 * 32)	/* bytes (RFC 5869 section 2.3) */

/*
 * HKDF with HMAC-SHA-256 (RFC 5869): extract and expand.  OpenSSL's context
 * is kept between calls, without a key; so each thread needs an object of its own.
 */
struct hkdf;

struct hkdf *hkdf_new(struct error *err);
void hkdf_free(struct hkdf *h);

/* Byte strings that go into a derivation. */
struct hkdf_input {
	const void *secret;	/* input key material */
	size_t secret_len;
	const void *salt;	/* NULL and 0: none */
	size_t salt_len;
	const void *info;	/* what the key is for */
	size_t info_len;
};

/**
 * hkdf_derive(h, in, out, out_len, err):
 * ${out_len} bytes to ${out}, which is for secret memory.  ERROR_LIMIT: none,
 * or more than HKDF_OUT_MAX; ERROR_CRYPTO.  ${out} is wiped on failure.
 */
int hkdf_derive(struct hkdf *h, const struct hkdf_input *in, void *out, size_t out_len,
    struct error *err);

#endif /* !CRYPTO_MAC_H */
