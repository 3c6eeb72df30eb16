#ifndef REGISTRY_AUTH_AUTH_INTERNAL_H
#define REGISTRY_AUTH_AUTH_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/mac.h"
#include "registry/base/data_file.h"

struct credentials;
struct jwks;
struct rate;
struct throttle;
struct verified;

/* What an Authorization header holds (RFC 9110 section 11.4). */
enum authorization_scheme {
	AUTHORIZATION_NONE,	/* there is no header, or an empty one */
	AUTHORIZATION_BASIC,
	AUTHORIZATION_BEARER,
	AUTHORIZATION_OTHER
};

struct authorization {
	enum authorization_scheme scheme;
	const char *text;	/* what comes after the scheme, without blanks around */
	size_t n;
};

/* ${header} NULL: none.  Points into it. */
void authorization_parse(const char *header, struct authorization *out);

/**
 * authorization_basic(a, name, password):
 * The user and the password (appended to ${password}, secret) of Basic
 * credentials (RFC 7617): base64 of NAME:PASSWORD, parted at the first colon,
 * both UTF-8 or whatever bytes.  False: malformed, or no name of a user.
 */
bool authorization_basic(const struct authorization *a, char name[PRINCIPAL_MAX],
    struct buf *password);

/*
 * What is kept of a password: scrypt with these parameters.  About 60 ms and
 * 32 MiB; a client that comes again is found in the memory of what was right,
 * so that this is paid once, and by whoever guesses.
 */
#define PASSWORD_MAX 1024	/* bytes */
#define PASSWORD_SHORT 8	/* fewer bytes than these are worth a warning */
#define PASSWORD_N (1U << 15)
#define PASSWORD_R 8U
#define PASSWORD_P 1U
#define PASSWORD_SALT 16	/* bytes of a new salt */
#define PASSWORD_SALT_MAX 64
#define PASSWORD_HASH 32

/* What a file may ask for, against denial of service. */
#define PASSWORD_N_MIN (1U << 10)
#define PASSWORD_COST_MAX ((uint64_t)64 << 20)	/* 128 * N * r * p */

struct password {
	uint32_t N, r, p;
	size_t salt_len;
	unsigned char salt[PASSWORD_SALT_MAX];
	unsigned char hash[PASSWORD_HASH];
};

/* 1: right, 0: wrong, -1: scrypt failed. */
int password_check(const struct password *p, const void *text, size_t n);

#define USERS_MAX 100000

/* Who has a password: DATA/users.json. */
struct user {
	char name[PRINCIPAL_MAX];
	struct password password;
	bool disabled;
};

extern const struct data_table users_table;

#define TOKENS_MAX 1000000
#define TOKENS_ID 12		/* characters: 60 random bits */
#define TOKENS_SECRET 32	/* random bytes */
#define TOKENS_SECRET_TEXT 43	/* the same in base64url */
#define TOKENS_HASH 32
#define TOKENS_PREFIX "ps_"
/* ps_<id>_<secret in base64url>; '_' may be in the secret, so places count. */
#define TOKENS_TEXT (3 + TOKENS_ID + 1 + TOKENS_SECRET_TEXT)

/* API tokens: DATA/tokens.json. */
struct token {
	char id[TOKENS_ID + 1];
	char principal[PRINCIPAL_MAX];
	unsigned char hash[TOKENS_HASH];	/* SHA-256 of the secret's text */
	int64_t expires;	/* seconds after 1970; INT64_MAX: never */
	int64_t created;	/* 0: not known */
};

extern const struct data_table tokens_table;

/* The one that ${text} names by its id, whatever secret it holds; or NULL. */
const struct token *tokens_find(const struct data_items *t, const char *text, size_t n);

/**
 * tokens_check(t, d, text, n, now):
 * The token that ${text} is, or NULL: malformed, unknown, wrong, or over.
 */
const struct token *tokens_check(const struct data_items *t, const struct digest *d,
    const char *text, size_t n, int64_t now);

/* Does it look like one? */
bool tokens_is_one(const char *text, size_t n);

#define JWKS_FILE_MAX ((size_t)1 << 20)
#define JWKS_KEYS_MAX 256

/* The public keys of who makes JWTs (RFC 7517). */

/**
 * jwks_read(path, id, err):
 * RSA keys of 2048 bits and more and keys on P-256, if they may be used for
 * signatures.  Keys of other kinds are passed over, shared secrets above all.
 * ERROR_MISSING; ERROR_FORMAT: malformed, two keys of one kid, no usable key.
 */
struct jwks *jwks_read(const char *path, struct file_id *id, struct error *err);
struct jwks *jwks_from_json(const json_t *root, struct error *err);
void jwks_free(struct jwks *k);

#define JWT_MAX ((size_t)8 << 10)	/* bytes of the whole token */

/* How far a clock may be behind that of who made the token (nbf, iat); a token
 * that is over by ours (exp) is over. */
#define JWT_LEEWAY_S 60

struct jwt_rules {
	const char *issuer;	/* what iss must be */
	const char *audience;	/* what aud must be, or hold */
	const char *claim;	/* where the principal stands: "sub" */
};

/**
 * jwt_check(text, n, keys, rules, now, principal, expires):
 * Is this a JWT (RFC 7519) in compact form, signed with RS256 or ES256 by one
 * of the keys, for us, and not over at ${now} (seconds after 1970)?  The key
 * is chosen by kid and must be of the algorithm's kind: `none` and HS256 fit
 * no key.  Nothing of the payload is parsed before the signature is checked.
 */
bool jwt_check(const char *text, size_t n, const struct jwks *keys,
    const struct jwt_rules *rules, int64_t now, char principal[PRINCIPAL_MAX],
    int64_t *expires);

/*
 * Credentials that were found right, by their HMAC.  One is remembered as
 * long as it is used at least every ${cache_ms}, but at most 60 times that;
 * who asks compares the stamp with that of the user's record (or the key set)
 * of now, so that a change ends it at once.  That it was right once is known for
 * longer, as long as there is room.
 */

#define VERIFIED_STAMP 16

struct verified_what {
	char principal[PRINCIPAL_MAX];
	unsigned char stamp[VERIFIED_STAMP];
	int64_t expires;	/* seconds after 1970, as the credentials say */
};

/* ${cache_ms} 0: nothing is remembered. */
struct verified *verified_new(unsigned cache_ms, struct error *err);
void verified_free(struct verified *v);

/* Times are of one clock that never goes back. */
bool verified_get(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    struct verified_what *out);

/* Was it right once, however long ago?  Then it is no guess. */
bool verified_once(struct verified *v, const unsigned char key[MAC_BYTES]);

/* It is not right any more. */
void verified_forget(struct verified *v, const unsigned char key[MAC_BYTES]);

void verified_put(struct verified *v, const unsigned char key[MAC_BYTES], int64_t now_ms,
    const struct verified_what *what);

/*
 * What the three files say: users.json, tokens.json, and the JWKS file, each
 * read again when it changes.  One that cannot be read leaves what it said
 * before in force.
 */

/* ${jwks_file} NULL: no JWTs.  A file that cannot be read is an error here. */
struct credentials *credentials_open(const char *data, const char *jwks_file,
    struct error *err);
void credentials_close(struct credentials *c);

/* Look whether a file has changed, if it is time to (see watch_begin). */
void credentials_refresh(struct credentials *c);

/* Read all of them now.  -1: the first failure. */
int credentials_reload(struct credentials *c, struct error *err);

/* -1 while a file that changed cannot be read. */
int credentials_health(struct credentials *c, struct error *err);

/* Is there such a user, who is not let in? */
bool credentials_disabled(struct credentials *c, const char *name);

/* A copy of what is known of a user.  false: there is none. */
bool credentials_user(struct credentials *c, const char *name, struct user *out);

/* What tells a user's present password from an earlier one. */
void credentials_stamp(const struct user *u, unsigned char stamp[VERIFIED_STAMP]);
bool credentials_user_is(struct credentials *c, const char *name,
    const unsigned char stamp[VERIFIED_STAMP]);

bool credentials_token(struct credentials *c, const struct digest *d, const char *text,
    size_t n, int64_t now, char principal[PRINCIPAL_MAX]);
/* As auth_token_describe. */
bool credentials_token_describe(struct credentials *c, const char *text,
    char id[TOKENS_ID + 1], int64_t *created, int64_t *expires);

/* ${out}'s stamp is that of the key set. */
bool credentials_jwt(struct credentials *c, const char *text, size_t n,
    const struct jwt_rules *rules, int64_t now, struct verified_what *out);
bool credentials_keys_are(struct credentials *c, const unsigned char stamp[VERIFIED_STAMP]);

/*
 * Failed logins by address (or by account at an address) and minute: who had too
 * many is refused until the minute is over, and after the first few not each of
 * them gets its own line in the audit log, but none goes uncounted.  IPv6 addresses
 * count by their /64.  The table is bounded: what has the fewest failures goes.
 */

#define THROTTLE_WINDOW_MS 60000
#define THROTTLE_LINES 5	/* failures of a window with a line of their own ... */
#define THROTTLE_FOLD_MS 10000	/* ... then one line in so long a time */

#define DENIALS_LINES 20	/* the same of requests that were denied to one principal */
#define DENIALS_WINDOW_MS 1000

/* ${failures_max} 0: nobody is refused.  ${lines} of a window of ${window_ms} have one
 * of their own. */
struct throttle *throttle_new(unsigned failures_max, unsigned lines, unsigned window_ms,
    struct error *err);
void throttle_free(struct throttle *t);

/* Times are of one clock that never goes back.  ${account} NULL: the address as a
 * whole.  ${retry_after}: seconds. */
bool throttle_refuses(struct throttle *t, const char *peer, const char *account,
    int64_t now_ms, unsigned *retry_after);

/* One more.  ${report}: it is to have a line, which stands for ${folded}
 * more before it. */
void throttle_failure(struct throttle *t, const char *peer, const char *account,
    int64_t now_ms, bool *report, uint64_t *folded);

/* Hand over what was folded and has waited long enough (${all}: whatever has
 * been folded).  ${peer} NULL: of addresses that are not known any more. */
void throttle_folded(struct throttle *t, int64_t now_ms, bool all,
    void (*visit)(void *cookie, const char *peer, uint64_t folded), void *cookie);

/*
 * A bucket of tokens for each principal: ${limit} come in a second, at most
 * ${burst} are kept.  The table is bounded; who is forgotten has a full one.
 */

/* ${limit} 0: no limit; ${burst} 0: as many as ${limit}. */
struct rate *rate_new(unsigned limit, unsigned burst, struct error *err);
void rate_free(struct rate *r);

/* Take one.  false: none is left for ${retry_after} seconds. */
bool rate_take(struct rate *r, const char *principal, int64_t now_us,
    unsigned *retry_after);

#endif /* !REGISTRY_AUTH_AUTH_INTERNAL_H */
