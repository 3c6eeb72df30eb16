#ifndef REGISTRY_AUTH_AUTHORIZATION_H
#define REGISTRY_AUTH_AUTHORIZATION_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/base/principal.h"

struct buf;

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

#endif /* !REGISTRY_AUTH_AUTHORIZATION_H */
