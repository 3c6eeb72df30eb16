#ifndef REGISTRY_AUTH_CREDENTIALS_H
#define REGISTRY_AUTH_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/auth/users.h"
#include "registry/auth/verified.h"

struct digest;
struct error;
struct jwt_rules;

/*
 * What the three files say: users.json, tokens.json, and the JWKS file, each
 * read again when it changes.  One that cannot be read leaves what it said
 * before in force.
 */
struct credentials;

/* ${jwks_file} NULL: no JWTs.  A file that cannot be read is an error here. */
struct credentials *credentials_open(const char *data, const char *jwks_file,
    struct error *err);
void credentials_close(struct credentials *c);

/* Look whether a file has changed, if it is time to (see watch.h). */
void credentials_refresh(struct credentials *c);

/* Read all of them now.  -1: the first failure. */
int credentials_reload(struct credentials *c, struct error *err);

/* -1 while a file that changed cannot be read. */
int credentials_health(struct credentials *c, struct error *err);

/* A copy of what is known of a user.  false: there is none. */
bool credentials_user(struct credentials *c, const char *name, struct user *out);

/* What tells a user's present password from an earlier one. */
void credentials_stamp(const struct user *u, unsigned char stamp[VERIFIED_STAMP]);
bool credentials_user_is(struct credentials *c, const char *name,
    const unsigned char stamp[VERIFIED_STAMP]);

bool credentials_token(struct credentials *c, const struct digest *d, const char *text,
    size_t n, int64_t now, char principal[PRINCIPAL_MAX]);

/* ${out}'s stamp is that of the key set. */
bool credentials_jwt(struct credentials *c, const char *text, size_t n,
    const struct jwt_rules *rules, int64_t now, struct verified_what *out);
bool credentials_keys_are(struct credentials *c, const unsigned char stamp[VERIFIED_STAMP]);

#endif /* !REGISTRY_AUTH_CREDENTIALS_H */
