#ifndef CRYPTO_CIPHER_H
#define CRYPTO_CIPHER_H

#include <stddef.h>

struct buf;
struct error;
struct key;

#define CIPHER_GCM_IV 12	/* bytes (NIST SP 800-38D, 8.2) */
#define CIPHER_GCM_TAG 16
#define CIPHER_CBC_IV 16
#define CIPHER_BLOCK 16

/*
 * AES under one key, for many values: the OpenSSL contexts are kept between
 * calls, so that sealing 100 000 values costs the cipher and no set-up.
 * The key is copied into OpenSSL's context and wiped by cipher_free.
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
    unsigned char iv[CIPHER_GCM_IV], struct buf *out, struct error *err);

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

#endif /* !CRYPTO_CIPHER_H */
