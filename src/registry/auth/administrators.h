#ifndef REGISTRY_AUTH_ADMINISTRATORS_H
#define REGISTRY_AUTH_ADMINISTRATORS_H

#include <stdbool.h>
#include <stddef.h>

struct binding;
struct error;
struct role;

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

#endif /* !REGISTRY_AUTH_ADMINISTRATORS_H */
