#ifndef CRYPTO_SIGNATURE_H
#define CRYPTO_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

#define SIGNATURE_RSA_MIN 2048	/* bits of the modulus (RFC 7518 section 3.3) */
#define SIGNATURE_RSA_MAX 8192
#define SIGNATURE_P256 32	/* bytes of a coordinate, of r, of s */

/* RFC 7518 section 3.1: the algorithm belongs to the key, never to what a
 * token's header says: compare the two before verify_key_check. */
enum signature_kind {
	SIGNATURE_RS256,	/* RSASSA-PKCS1-v1_5 with SHA-256 */
	SIGNATURE_ES256		/* ECDSA on P-256 with SHA-256 */
};

/*
 * A public key that checks signatures, built once from the numbers of a JWK
 * (RFC 7518 section 6).  Never changed after that, so any number of threads
 * may check with one at a time.
 */
struct verify_key;

/**
 * verify_key_rsa(n, nlen, e, elen, err):
 * Modulus and exponent, big endian (leading zero bytes do not count).
 * ERROR_KEY: a modulus that is even or not SIGNATURE_RSA_MIN to _MAX bits
 * long, an exponent that is even, below 3 or above 64 bits.
 */
struct verify_key *verify_key_rsa(const void *n, size_t nlen, const void *e, size_t elen,
    struct error *err);

/* A point of P-256, coordinates big endian.  ERROR_KEY: not on the curve. */
struct verify_key *verify_key_p256(const unsigned char x[SIGNATURE_P256],
    const unsigned char y[SIGNATURE_P256], struct error *err);

void verify_key_free(struct verify_key *k);

enum signature_kind verify_key_kind(const struct verify_key *k);

/**
 * verify_key_check(k, msg, n, sig, sig_len):
 * Is ${sig} this key's signature of ${msg}?  RS256: as long as the modulus;
 * ES256: r and s, 32 bytes each (RFC 7518 section 3.4).  False for anything
 * else, a failure of OpenSSL too.
 */
bool verify_key_check(const struct verify_key *k, const void *msg, size_t n,
    const void *sig, size_t sig_len);

#endif /* !CRYPTO_SIGNATURE_H */
