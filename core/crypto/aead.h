#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stddef.h>

struct buf;
struct error;
struct key;

#define AEAD_KEY 32	/* bytes */
#define AEAD_IV 12	/* bytes (NIST SP 800-38D, 8.2) */
#define AEAD_TAG 16

/*
 * AES-256-GCM (NIST SP 800-38D) with associated data and another key at each
 * call.  OpenSSL's contexts are kept and only keyed again; so each thread
 * needs an object of its own.  The last key stays in OpenSSL's context, in
 * secret memory (crypto/memory.h), until the next one comes or it is freed.
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

#define CIPHER_CBC_IV 16
#define CIPHER_BLOCK 16

/*
 * AES under one key, for many values: the OpenSSL contexts are kept between
 * calls, so that sealing 100 000 values costs the cipher and no set-up.
 * The key is copied into OpenSSL's context, in secret memory (crypto/memory.h),
 * and wiped by cipher_free.
 *
 * One value is at most INT_MAX - 16 bytes (ERROR_LIMIT).  ${out} of the open
 * functions must be secret (ERROR_REFUSED); no buffer may overlap another.
 */
struct cipher;

struct cipher *cipher_new(const struct key *k, struct error *err);
void cipher_free(struct cipher *c);

/**
 * cipher_seal(c, in, n, iv, out, err):
 * AES-GCM without associated data: a fresh random ${iv}, and ${n} bytes of
 * ciphertext followed by the 16-byte tag appended to ${out}.
 */
int cipher_seal(struct cipher *c, const void *in, size_t n,
    unsigned char iv[AEAD_IV], struct buf *out, struct error *err);

/**
 * cipher_open(c, iv, iv_len, in, n, out, err):
 * Check and open what cipher_seal made; the plaintext is appended to ${out}
 * (secret), which is as before on failure.  ERROR_DAMAGED: wrong key, iv
 * length other than 12, too short, or a tag that does not fit.
 */
int cipher_open(struct cipher *c, const void *iv, size_t iv_len,
    const void *in, size_t n, struct buf *out, struct error *err);

/* The same for AES-CBC with PKCS#7 padding (legacy files): never write it
 * unless asked.  Opening checks the padding in constant time and reports
 * every fault by the same ERROR_DAMAGED. */
int cipher_seal_cbc(struct cipher *c, const void *in, size_t n,
    unsigned char iv[CIPHER_CBC_IV], struct buf *out, struct error *err);
int cipher_open_cbc(struct cipher *c, const void *iv, size_t iv_len,
    const void *in, size_t n, struct buf *out, struct error *err);

#endif /* !CRYPTO_AEAD_H */
