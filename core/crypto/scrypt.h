#ifndef CRYPTO_SCRYPT_H
#define CRYPTO_SCRYPT_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* Bounds on what a file or a record may ask for, against denial of service. */
#define SCRYPT_N_MIN 2
#define SCRYPT_N_MAX (1 << 20)
#define SCRYPT_R_MAX 32
#define SCRYPT_P_MAX 16
#define SCRYPT_MEMORY_MAX (256 << 20)	/* bytes: 128 * N * r must not be above */
#define SCRYPT_OUT_MAX 1024

/**
 * scrypt_derive(pass, n, salt, salt_len, N, r, p, out, out_len, err):
 * scrypt (RFC 7914, with HMAC-SHA-256): ${out_len} bytes to ${out}, which is
 * for secret memory.  ${N}, a power of two, is the cost; 128 * N * r bytes of
 * memory are used for the time of the call, which is long: N=2^15, r=8, p=1
 * cost about 0.1 s.  ERROR_LIMIT: parameters outside the bounds above, ${N}
 * no power of two, a passphrase or a salt above INT_MAX bytes, ${out_len} not
 * 1 to SCRYPT_OUT_MAX.  ERROR_CRYPTO.  ${out} is wiped on failure.
 * Any thread may call it at any time.
 */
int scrypt_derive(const void *pass, size_t n, const void *salt, size_t salt_len,
    uint64_t N, uint32_t r, uint32_t p, void *out, size_t out_len, struct error *err);

#endif /* !CRYPTO_SCRYPT_H */
