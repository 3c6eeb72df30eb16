#ifndef REGISTRY_AUTH_TOKENS_H
#define REGISTRY_AUTH_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "registry/base/principal.h"

struct digest;
struct error;
struct file_id;

#define TOKENS_FILE "tokens.json"
#define TOKENS_MAX 1000000
#define TOKENS_ID 12		/* characters: 60 random bits */
#define TOKENS_SECRET 32	/* random bytes */
#define TOKENS_SECRET_TEXT 43	/* the same in base64url */
#define TOKENS_HASH 32
#define TOKENS_PREFIX "ps_"
/* ps_<id>_<secret in base64url>; '_' may be in the secret, so places count. */
#define TOKENS_TEXT (3 + TOKENS_ID + 1 + TOKENS_SECRET_TEXT)

/* API tokens: DATA/tokens.json as it is looked up. */
struct tokens;

struct token {
	char id[TOKENS_ID + 1];
	char principal[PRINCIPAL_MAX];
	unsigned char hash[TOKENS_HASH];	/* SHA-256 of the secret's text */
	int64_t expires;	/* seconds after 1970; INT64_MAX: never */
};

/* None where there is no such file.  ERROR_FORMAT names the token's id. */
struct tokens *tokens_read(const char *path, struct file_id *id, struct error *err);
void tokens_free(struct tokens *t);

/**
 * tokens_check(t, d, text, n, now):
 * The token that ${text} is, or NULL: malformed, unknown, wrong, or over.
 */
const struct token *tokens_check(const struct tokens *t, const struct digest *d,
    const char *text, size_t n, int64_t now);

/* Does it look like one? */
bool tokens_is_one(const char *text, size_t n);

/* As users_table and users_from_json. */
int tokens_table(const json_t *root, json_t **table, struct error *err);
int tokens_from_json(const char *id, const json_t *o, struct token *out, struct error *err);

#endif /* !REGISTRY_AUTH_TOKENS_H */
