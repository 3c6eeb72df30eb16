#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/* An AES key of 16, 24 or 32 bytes in secret memory: a master or a data key.
 * A forked child finds it wiped: of no length, and refused by cipher_new. */
struct key;

/* Bounds on what a secrets file may ask for, against denial of service. */
#define KEY_ITERATIONS_MIN 1
#define KEY_ITERATIONS_MAX 5000000	/* some seconds */
#define KEY_ITERATIONS_DEFAULT 220000	/* OWASP for PBKDF2-HMAC-SHA512 */
#define KEY_ITERATIONS_LEGACY 10000	/* the reference's, when the file says nothing */
#define KEY_LENGTH_DEFAULT 32
#define KEY_SALT_BYTES 32		/* random bytes, before base64 */

/* All return NULL on failure; free with key_free. */
struct key *key_new_random(size_t length, struct error *err);

/* From raw bytes.  ERROR_KEY unless ${length} is 16, 24 or 32. */
struct key *key_from_bytes(const void *bytes, size_t length, struct error *err);

struct key *key_copy(const struct key *k, struct error *err);

/**
 * key_from_base64(text, n, err):
 * From the base64 form (as in CONFLUENT_SECURITY_MASTER_KEY).  ERROR_KEY when
 * it is not base64 or not 16, 24 or 32 bytes long.
 */
struct key *key_from_base64(const char *text, size_t n, struct error *err);

/**
 * key_derive(passphrase, n, salt, iterations, length, err):
 * PBKDF2-HMAC-SHA512 (RFC 8018).  ${salt} is the base64 *text* as it stands
 * in the secrets file: its characters are the salt (confluent secret's
 * format, reproduced from its output).  ERROR_LIMIT for iterations outside
 * the bounds above, ERROR_KEY for another length than 16, 24 or 32.
 */
struct key *key_derive(const void *passphrase, size_t n, const char *salt,
    size_t salt_len, uint32_t iterations, size_t length, struct error *err);

void key_free(struct key *k);

const void *key_bytes(const struct key *k);
size_t key_length(const struct key *k);
bool key_equal(const struct key *a, const struct key *b);

/* Append the base64 form to ${out}, which must be secret. */
void key_append_base64(const struct key *k, struct buf *out);

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

/* Fill ${n} bytes from OpenSSL's private generator.  ERROR_CRYPTO. */
int random_bytes(void *out, size_t n, struct error *err);

/*
 * Random bytes drawn from OpenSSL's generator in advance, as a call of it for
 * each IV or salt would cost more than the sealing.  In a page that a forked
 * child finds empty, so that two processes never use the same ones.  No byte
 * is given twice, and what was given is wiped here.  For one thread.
 */
struct random_pool;

struct random_pool *random_pool_new(struct error *err);
void random_pool_free(struct random_pool *p);

/* ${n} bytes, at most RANDOM_POOL_TAKE_MAX (ERROR_LIMIT).  ERROR_CRYPTO. */
int random_pool_take(struct random_pool *p, void *out, size_t n, struct error *err);

#endif /* !CRYPTO_KEY_H */
