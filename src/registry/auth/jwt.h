#ifndef REGISTRY_AUTH_JWT_H
#define REGISTRY_AUTH_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/principal.h"

struct jwks;

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

#endif /* !REGISTRY_AUTH_JWT_H */
