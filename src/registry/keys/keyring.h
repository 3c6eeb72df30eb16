#ifndef REGISTRY_KEYS_KEYRING_H
#define REGISTRY_KEYS_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct key;
struct keyring;
struct master;
struct sealer;

/* The registry's master secret: 32 raw bytes, or a passphrase, which scrypt
 * (N=2^15, r=8, p=1; RFC 7914) turns into a key with the registry's salt. */

#define MASTER_ENVVAR "PROPSEAL_REGISTRY_MASTER_KEY"
#define MASTER_CREDENTIAL "propseal.registry-key"
#define MASTER_TEXT_MIN 16	/* bytes of a passphrase */

/**
 * master_from_text(text, dev_mode, err):
 * From what a file or variable holds (${text} secret; one final line end does
 * not count): 32 bytes as base64 (padded, 44 characters) or hex (64), else a
 * passphrase.  ERROR_KEY: empty, shorter than MASTER_TEXT_MIN, or a constant
 * that is public (registry-contract 1.9: cp-ansible's default and the demos'),
 * unless ${dev_mode}.
 */
struct master *master_from_text(const struct buf *text, bool dev_mode, struct error *err);
void master_free(struct master *m);

/**
 * registry_master_find(file, dev_mode, where, err):
 * First found: the file ${file} (NULL: none; ERROR_REFUSED when others may
 * read it, unless ${dev_mode}), $PROPSEAL_REGISTRY_MASTER_KEY (wiped from the
 * environment), the systemd credential.  ${*where} names it.  ERROR_MISSING
 * with a hint that names them all.
 */
struct master *registry_master_find(const char *file, bool dev_mode, const char **where,
    struct error *err);

/* Would registry_master_find, without a file, find one? */
bool registry_master_given(void);

/* For keyring.c alone: the bytes, and whether they are a passphrase. */
const struct buf *master_bytes(const struct master *m, bool *passphrase);

/*
 * The registry's keys: the master secret wraps the data keys; each
 * data key has a number (kid).  What goes to the log is keyring_encode's
 * text.  Calls may come from any thread.
 */

/* A first keyring: random salt, one data key (kid 1), an audit key. */
struct keyring *keyring_new(const struct master *m, struct error *err);

/**
 * keyring_open(text, n, current, old, old_count, used_old, err):
 * Read what keyring_encode wrote.  The check value tells which master secret
 * fits: ${current}, else one of ${old} (then ${*used_old} is set and the data
 * keys are held ready under ${current}: encode and store the ring to finish).
 * NULL: ERROR_KEY (none fits; the hint says what to give), ERROR_DAMAGED.
 */
struct keyring *keyring_open(const char *text, size_t n, const struct master *current,
    const struct master *const *old, size_t old_count, bool *used_old, struct error *err);
void keyring_free(struct keyring *k);

/* As keyring_open, of one that ${k} was before (a backup's).  ERROR_KEY: it is under another
 * master secret; ERROR_REFUSED: it is of another registry. */
struct keyring *keyring_open_copy(const char *text, size_t n, const struct keyring *k,
    struct error *err);

/* Append the KEYRING record's value (JSON, nothing secret in it). */
int keyring_encode(const struct keyring *k, struct buf *out, struct error *err);

uint32_t keyring_active(const struct keyring *k);

/* Every kid there is, ascending; returns how many, fills at most ${max}. */
size_t keyring_kids(const struct keyring *k, uint32_t *out, size_t max);

/* Put all data keys under another master secret. */
int keyring_rewrap(struct keyring *k, const struct master *m, struct error *err);

/* Does this master secret fit the ring as it is now? */
bool keyring_fits(const struct keyring *k, const struct master *m);

/* A new data key, active from now on.  Store the ring before using it. */
int keyring_add(struct keyring *k, struct error *err);

/* Forget a data key that nothing uses any more.  ERROR_REFUSED: active. */
int keyring_drop(struct keyring *k, uint32_t kid, struct error *err);

/* Take the place of ${k}'s keys; ${fresh}, which keyring_open gave, is released also on
 * failure.  ERROR_REFUSED: it is of another registry (another audit key). */
int keyring_replace(struct keyring *k, struct keyring *fresh, struct error *err);

/* The key of HMACs in the audit log and of idempotency; survives rotation. */
const struct key *keyring_audit_key(const struct keyring *k);

/* --- sealing; one struct sealer a thread (it keeps OpenSSL's contexts) --- */

struct sealer *sealer_new(struct keyring *k, struct error *err);
void sealer_free(struct sealer *s);

/* What a sealed value is bound to. */
struct sealed_name {
	const char *path;
	size_t path_len;
	const char *key;
	size_t key_len;
	uint32_t version;
	int64_t created_ms;
	int64_t expires_ms;	/* 0: never */
};

/* A sealed value's bytes: kid (4, big endian), salt, iv, ciphertext, tag. */
#define SEALED_SALT 4		/* offsets */
#define SEALED_IV 36
#define SEALED_TEXT 48		/* padded ciphertext and 16 bytes of tag */
#define SEALED_MIN (SEALED_TEXT + 16 + 16)

/**
 * sealer_seal(s, name, plain, n, out, err):
 * Append a sealed value to ${out}: HKDF-SHA256(data key, random salt) gives
 * the AES-256-GCM key of this value alone; the associated data is the
 * length-prefixed format, type, path, key, version, kid, createdAt, expiresAt;
 * the plaintext (with its length in front) is padded to steps of 16 bytes up
 * to 64, of 64 above.  ERROR_LIMIT: above 64 MiB, a path or key above 256 bytes.
 */
int sealer_seal(struct sealer *s, const struct sealed_name *name, const void *plain,
    size_t n, struct buf *out, struct error *err);

/* Append the opened value to ${out} (secret).  ERROR_DAMAGED: altered, moved,
 * or under a kid that the ring does not have (ERROR_KEY). */
int sealer_open(struct sealer *s, const struct sealed_name *name, const void *sealed,
    size_t n, struct buf *out, struct error *err);

uint32_t sealed_kid(const void *sealed, size_t n);

/* What keyring.c has for sealer.c alone. */

/* Goes up whenever the data keys change.  Takes no lock. */
uint64_t keyring_generation(const struct keyring *k);

/* The data keys as they are at one moment. */
struct keyring_snapshot {
	uint64_t generation;
	uint32_t active;
	size_t count;
	struct {
		uint32_t kid;
		unsigned char key[32];
	} keys[64];		/* RING_KEYS_MAX */
};

/* Fill ${out}, which is in secret memory. */
void keyring_copy_keys(const struct keyring *k, struct keyring_snapshot *out);

#endif /* !REGISTRY_KEYS_KEYRING_H */
