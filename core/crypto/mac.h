#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include <stdbool.h>
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

#endif /* !CRYPTO_MAC_H */
