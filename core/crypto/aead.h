#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stddef.h>

struct buf;
struct error;

#define AEAD_KEY 32	/* bytes */
#define AEAD_IV 12	/* bytes (NIST SP 800-38D, 8.2) */
#define AEAD_TAG 16

/*
 * AES-256-GCM (NIST SP 800-38D) with associated data and another key at each
 * call.  OpenSSL's contexts are kept and only keyed again; so each thread
 * needs an object of its own.  The last key stays in OpenSSL's context, which
 * wipes it when the next one comes or when it is freed.
 *
 * One value is at most INT_MAX - 16 bytes, and so are the associated data
 * (ERROR_LIMIT).  No buffer may overlap another.
 */
struct aead;

struct aead *aead_new(struct error *err);
void aead_free(struct aead *a);

/* What is sealed is bound to these bytes: without them it does not open. */
struct aead_data {
	const void *bytes;	/* NULL and 0: none */
	size_t n;
};

/**
 * aead_seal(a, key, ad, in, n, iv, out, err):
 * A fresh random ${iv}, and ${n} bytes of ciphertext followed by the 16-byte
 * tag appended to ${out}.
 */
int aead_seal(struct aead *a, const unsigned char key[AEAD_KEY], struct aead_data ad,
    const void *in, size_t n, unsigned char iv[AEAD_IV], struct buf *out, struct error *err);

/**
 * aead_open(a, key, iv, ad, in, n, out, err):
 * Check and open what aead_seal made; the plaintext is appended to ${out}
 * (secret, else ERROR_REFUSED), which is as before on failure.  ERROR_DAMAGED:
 * another key, iv, or associated data, too short, or altered.
 */
int aead_open(struct aead *a, const unsigned char key[AEAD_KEY],
    const unsigned char iv[AEAD_IV], struct aead_data ad, const void *in, size_t n,
    struct buf *out, struct error *err);

#endif /* !CRYPTO_AEAD_H */
