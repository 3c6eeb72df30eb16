#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include <stddef.h>

struct error;

#define HKDF_OUT_MAX (255 * 32)	/* bytes (RFC 5869 section 2.3) */

/*
 * HKDF with HMAC-SHA-256 (RFC 5869): extract and expand.  OpenSSL's context
 * is kept between calls, which makes a call cost about a microsecond; so each
 * thread needs an object of its own.
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

#endif /* !CRYPTO_HKDF_H */
