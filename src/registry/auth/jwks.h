#ifndef REGISTRY_AUTH_JWKS_H
#define REGISTRY_AUTH_JWKS_H

#include <stddef.h>

#include <jansson.h>

#include "crypto/signature.h"

struct error;
struct file_id;

#define JWKS_FILE_MAX ((size_t)1 << 20)
#define JWKS_KEYS_MAX 256

/* The public keys of who makes JWTs (RFC 7517). */
struct jwks;

/**
 * jwks_read(path, id, err):
 * RSA keys of 2048 bits and more and keys on P-256, if they may be used for
 * signatures.  Keys of other kinds are passed over, shared secrets above all.
 * ERROR_MISSING; ERROR_FORMAT: malformed, two keys of one kid, no usable key.
 */
struct jwks *jwks_read(const char *path, struct file_id *id, struct error *err);
struct jwks *jwks_from_json(const json_t *root, struct error *err);
void jwks_free(struct jwks *k);

/**
 * jwks_find(k, kid, kind):
 * The key of that id, if it is of that kind; with ${kid} NULL the only key of
 * that kind.  NULL: there is none, or more than one could be meant.
 */
const struct verify_key *jwks_find(const struct jwks *k, const char *kid,
    enum signature_kind kind);

#endif /* !REGISTRY_AUTH_JWKS_H */
