#ifndef REGISTRY_STORE_RECORD_H
#define REGISTRY_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/store/names.h"

struct buf;
struct error;
struct key;
struct record_seal;

/*
 * The records of the Kafka log.  A key is JSON with its members in this order and
 * no blanks, as compaction compares bytes:
 *
 *   {"t":"SECRET","path":P,"key":K,"version":N}   {"t":"META","path":P,"key":K}
 *   {"t":"KEYRING"}   {"t":"CHANGES","n":N}   {"t":"HEAD"}   {"t":"LEADER"}   {"t":"NOOP"}
 *   {"t":"ACCESS","kind":N,"name":NAME}
 *
 * A value is "PSL1", the batch's revision (8 bytes, big endian), a salt (16), an IV
 * (12), and the body under AES-256-GCM with its tag.  Its key is
 * HKDF-SHA256(audit key, salt, a label), and the associated data are the label,
 * the revision and the record's key: so nothing can be altered, moved or made up.
 * A keyring's is "PSK1" and the same, but for an empty body, whose tag vouches for
 * the keyring's text (keys/keyring.h) that follows: it is read before there are keys.
 */
enum record_type {
	RECORD_SECRET, RECORD_META, RECORD_KEYRING, RECORD_CHANGES, RECORD_HEAD, RECORD_LEADER,
	RECORD_NOOP, RECORD_ACCESS, RECORD_TYPES
};

#define RECORD_NAME_MAX 1023	/* bytes of a key's longest text, of a binding's name */

struct record_name {
	enum record_type type;
	char path[NAME_PATH_MAX + 1], key[RECORD_NAME_MAX + 1];
	size_t path_len, key_len;
	uint32_t number;		/* a version; which of the CHANGES; a kind of ACCESS */
};

void record_name_write(const struct record_name *name, struct buf *out);

/* False: it is none of ours. */
bool record_name_read(const void *key, size_t n, struct record_name *out);

/* For one thread.  ${audit} as keyring_audit_key. */
struct record_seal *record_seal_new(const struct key *audit, struct error *err);
void record_seal_free(struct record_seal *r);

/* Append the value of a record with this key. */
int record_seal(struct record_seal *r, const struct buf *key, uint64_t revision,
    const struct buf *body, struct buf *out, struct error *err);
int record_seal_keyring(struct record_seal *r, const struct buf *key, uint64_t revision,
    const struct buf *text, struct buf *out, struct error *err);

/**
 * record_open(r, key, key_len, value, n, revision, body, err):
 * Append what was sealed to ${body} (secret).  ERROR_DAMAGED: it is not ours.
 */
int record_open(struct record_seal *r, const void *key, size_t key_len, const void *value,
    size_t n, uint64_t *revision, struct buf *body, struct error *err);

/* The text in a keyring's value, which is not checked by this.  NULL: there is none. */
const char *record_keyring_text(const void *value, size_t n, size_t *text_len);
int record_open_keyring(struct record_seal *r, const void *key, size_t key_len,
    const void *value, size_t n, uint64_t *revision, struct error *err);

/* --- bodies: numbers of 8 bytes, big endian; bytes with their length before them --- */

void record_put(struct buf *out, int64_t number);
void record_put_bytes(struct buf *out, const void *bytes, size_t n);

struct record_body {
	const unsigned char *at;
	size_t left;
	bool bad;			/* it ended too early: all that was got is void */
};

int64_t record_get(struct record_body *b);
const void *record_get_bytes(struct record_body *b, size_t *n);

#endif /* !REGISTRY_STORE_RECORD_H */
