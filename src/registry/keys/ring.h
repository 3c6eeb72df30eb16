#ifndef REGISTRY_KEYS_RING_H
#define REGISTRY_KEYS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct master;

/*
 * What a keyring is made of, for keyring.c, ring_text.c and sealer.c alone.
 *
 *   root   a raw master secret's 32 bytes, or scrypt(passphrase, salt)
 *   kek    HKDF(root, salt, one label), wraps the keys
 *   check  HKDF(root, salt, another label), in the clear: tells whether a
 *          master secret fits.  To try a passphrase on it costs a scrypt.
 *
 * Keys are wrapped by AES-256-GCM under the kek.  A data key's associated data
 * are its purpose, its kid and the salt.  The audit key's are all the rest of
 * the ring, so that nothing in it can be changed, left out or put back.
 *
 * A struct ring is in secret memory of its own: a forked child finds it empty.
 */

#define RING_KEYS_MAX 64	/* one, but for two while a rotation runs */
#define RING_KEY 32		/* bytes: data keys, audit key, kek, check, salt */
#define RING_SALT 32
#define RING_CHECK 32
#define RING_IV 12
#define RING_WRAPPED (RING_KEY + 16)

/* The cost of a passphrase (RFC 7914; about 0.1 s and 32 MiB). */
#define RING_SCRYPT_N (1 << 15)
#define RING_SCRYPT_R 8
#define RING_SCRYPT_P 1

struct ring_wrapped {
	unsigned char iv[RING_IV];
	unsigned char bytes[RING_WRAPPED];
};

struct ring_key {
	uint32_t kid;
	unsigned char key[RING_KEY];
	struct ring_wrapped wrapped;
};

/* How a master secret becomes the kek. */
struct ring_kdf {
	bool passphrase;
	uint64_t n;		/* scrypt's; 0 unless ${passphrase} */
	uint32_t r, p;
	unsigned char salt[RING_SALT];
	unsigned char check[RING_CHECK];
};

struct ring {
	size_t cap;		/* of the mapping */
	struct ring_kdf kdf;
	unsigned char kek[RING_KEY];
	uint32_t active;
	size_t count;		/* of ${keys}, which ascend by kid */
	struct ring_key keys[RING_KEYS_MAX];
	unsigned char audit[RING_KEY];
	struct ring_wrapped audit_wrapped;
};

/* All zero.  NULL: no memory. */
struct ring *ring_new(struct error *err);
struct ring *ring_copy(const struct ring *r, struct error *err);
void ring_free(struct ring *r);

/* The entry of a kid, or NULL. */
struct ring_key *ring_find(struct ring *r, uint32_t kid);

/* A fresh salt, a kek and a check value for ${m}: kdf and kek are set.  Takes
 * long for a passphrase. */
int ring_put_under(struct ring *r, const struct master *m, struct error *err);

/**
 * ring_fits(kdf, m, kek, fits, err):
 * Does ${m} give the check value?  Then its kek goes to ${kek} (secret
 * memory).  Takes long for a passphrase.  -1: it could not be found out.
 */
int ring_fits(const struct ring_kdf *kdf, const struct master *m,
    unsigned char kek[RING_KEY], bool *fits, struct error *err);

/* A random data key of the next kid, active from now on.  ERROR_LIMIT. */
int ring_add(struct ring *r, struct error *err);

/* Wrap all keys again, each under a fresh IV: after every change. */
int ring_wrap(struct ring *r, struct error *err);

/* Unwrap all keys by the kek.  ERROR_DAMAGED. */
int ring_unwrap(struct ring *r, struct error *err);

#endif /* !REGISTRY_KEYS_RING_H */
