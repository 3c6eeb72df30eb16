#ifndef REGISTRY_AUTH_AUTH_H
#define REGISTRY_AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct auth;
struct binding;
struct buf;
struct error;
struct role;

/*
 * Who is calling: HTTP Basic against DATA/users.json (scrypt), API tokens
 * against DATA/tokens.json (SHA-256 of 256 random bits), JWT against a JWKS
 * file, client certificates.  The files are read again when they change.
 * An unknown user costs as much as a wrong password; what was found right is
 * remembered for cache_ms under a keyed hash.
 */

struct auth_options {
	const char *data;		/* the data folder */
	const char *jwks_file;		/* NULL: no JWT */
	const char *jwt_issuer, *jwt_audience, *jwt_principal_claim;
	const char *mtls_principal;	/* cn, dn, san */
	unsigned cache_ms;
	unsigned failures_max;		/* of an account, an address and a minute */
	unsigned rate_limit, rate_burst; /* a principal; 0: none */
	unsigned workers;		/* threads for scrypt, 0: one */
};

struct auth *auth_open(const struct auth_options *o, struct error *err);
void auth_close(struct auth *a);

/* Read everything again now (SIGHUP).  The old stays in force on failure. */
int auth_reload(struct auth *a, struct error *err);

#define AUTH_NAME_MAX 256
#define AUTH_TOKEN_ID 13	/* bytes of a token's id, with the NUL */

enum auth_result {
	AUTH_OK,
	AUTH_NONE,		/* no credentials, or an unknown scheme: 401 */
	AUTH_WRONG,		/* wrong, expired, revoked, contradictory: 401 */
	AUTH_TOO_MANY,		/* 429, retry_after */
	AUTH_BUSY		/* too many passwords wait to be checked: 503 */
};

/* One check; embedded in the caller's state. */
struct auth_check {
	/* filled by the caller; read before auth_begin returns */
	const char *authorization;	/* the header, NULL: none */
	size_t authorization_count;	/* how many such headers: 2 are AUTH_WRONG */
	const char *peer;		/* address */
	const char *cert_cn, *cert_dn, *cert_san;	/* NULL: no certificate */
	void (*done)(struct auth_check *c);	/* on a thread of auth, if not decided at once */
	void *cookie;

	/* the answer */
	enum auth_result result;
	char principal[AUTH_NAME_MAX];	/* without "User:"; on failure: the user
					 * whose password was wrong, else "" */
	const char *mechanism;		/* BASIC, TOKEN, JWT, MTLS, NONE */
	unsigned retry_after;		/* seconds */
	bool report_failure;		/* this failure is to be audited ... */
	uint64_t folded;		/* ... together with so many before it, not audited */

	struct auth_check *next;	/* auth's */
	void *work;
};

/**
 * auth_begin(a, c):
 * true: decided, the answer is in ${c}, done is not called.  false: a worker
 * checks a password; done will be called.
 */
bool auth_begin(struct auth *a, struct auth_check *c);

/* Count what is refused elsewhere among the failed logins of ${peer}, and say whether it
 * is to be audited. */
void auth_refuse(struct auth *a, struct auth_check *c, const char *peer);

/* Of an API token: its id, when it was made and until when it lasts, in seconds after
 * 1970; 0: not known, and for ever.  Its secret is not looked at.  false: there is none
 * of this id. */
bool auth_token_describe(struct auth *a, const char *token, char id[AUTH_TOKEN_ID],
    int64_t *created, int64_t *expires);

/* Of somebody whose login another node has checked: is this a user who is disabled? */
bool auth_is_disabled(struct auth *a, const char *principal);

/* May this principal make one more request now?  false: ${*retry_after}. */
bool auth_rate(struct auth *a, const char *principal, unsigned *retry_after);

/* -1 while a file that changed cannot be read, and the old one stays in force. */
int auth_health(struct auth *a, struct error *err);

/**
 * auth_folded(a, all, visit, cookie):
 * Hand over the failures that were folded and that no later failure of the
 * same address has carried along within ten seconds (${all}: all of them, at
 * the end), so that the audit log has the right total.  To be called every
 * few seconds, from any thread.  ${peer} NULL: of several addresses.
 */
void auth_folded(struct auth *a, bool all, void (*visit)(void *cookie, const char *peer,
    uint64_t folded), void *cookie);

/* One more request was denied to this principal.  true: it is to be audited, and
 * stands for ${*folded} more before it, which were not.  So many a second are, and
 * what was folded and not carried along is handed over by the second function. */
bool auth_denied(struct auth *a, const char *principal, uint64_t *folded);
void auth_denied_folded(struct auth *a, bool all, void (*visit)(void *cookie,
    const char *principal, uint64_t folded), void *cookie);

/* --- administration: the files, from the command line or the service --- */

/* ${data} is made (0700) if it is not there.  The files are replaced as a
 * whole, 0600, under a lock.  Names: 1-255 bytes of printable UTF-8 without
 * ':' and blanks at the ends; a leading "User:" is dropped. */
int auth_user_add(const char *data, const char *name, const void *password, size_t n,
    bool replace, struct error *err);
/* The user's API tokens go first; roles stay. */
int auth_user_remove(const char *data, const char *name, struct error *err);
int auth_user_list(const char *data, void (*visit)(void *cookie, const char *name,
    const char *created, bool disabled), void *cookie, struct error *err);

/* Another password (NULL: as it is) and whether the user is disabled (-1: as it is),
 * both or neither.  Nobody logs in as a disabled user, in whatever way; password,
 * tokens and roles stay for the time after. */
int auth_user_change(const char *data, const char *name, const void *password, size_t n,
    int disabled, struct error *err);

/* A new token for ${principal}, appended to ${out} (secret): it is stored
 * only as a hash.  ${ttl_s} 0: no end. */
int auth_token_create(const char *data, const char *principal, int64_t ttl_s,
    char id[AUTH_TOKEN_ID], struct buf *out, struct error *err);
int auth_token_revoke(const char *data, const char *id, struct error *err);
int auth_token_list(const char *data, void (*visit)(void *cookie, const char *id,
    const char *principal, const char *created, const char *expires), void *cookie,
    struct error *err);

/*
 * Administrators: who may alter access on the whole registry and can log in: by a
 * password or token of an enabled user, by a token of somebody who has no password
 * here, or by what is not kept here at all (a JWT, a certificate).
 */

/* What is about to be taken away. */
struct administrators_loss {
	const char *user;		/* who can log in no more; NULL: nobody */
	const char *token;		/* id of one that ends; NULL */
	const struct binding *bindings;	/* revoked */
	size_t count;
	const struct role *role;	/* what one is to allow from then on; NULL */
	bool elsewhere;			/* there are JWTs or certificates */
};

/**
 * administrators_remain(data, loss, err):
 * ERROR_REFUSED: an administrator would be lost, and there is no other.
 */
int administrators_remain(const char *data, const struct administrators_loss *loss,
    struct error *err);

#endif /* !REGISTRY_AUTH_AUTH_H */
