#ifndef REGISTRY_AUTH_LOGINS_H
#define REGISTRY_AUTH_LOGINS_H

#include <stdbool.h>

#include "base/buf.h"
#include "crypto/mac.h"
#include "registry/auth/auth.h"
#include "registry/base/principal.h"

struct error;

/*
 * Passwords that wait to be checked, and the threads that do it.  Requests
 * with the same credentials wait for one check.
 */
struct logins;

#define LOGINS_MAX 64		/* passwords that wait */
#define LOGINS_WAITERS 8192	/* requests that wait, in all */

struct login {
	unsigned char key[MAC_BYTES];
	char name[PRINCIPAL_MAX];
	struct buf password;	/* secret */
	bool trusted;		/* to be checked whatever the address */
	bool known;		/* the check's answer: there is such a user */
};

struct logins_calls {
	/* Is this address refused by now?  Called under the queue's lock. */
	bool (*refused)(void *cookie, const char *peer);
	/* Check one: AUTH_OK, AUTH_WRONG, AUTH_BUSY (it cannot be done). */
	enum auth_result (*check)(void *cookie, struct login *l);
	/* Fill in the answer to one of the requests and call its done. */
	void (*answer)(void *cookie, struct auth_check *c, const struct login *l,
	    const char *peer, enum auth_result result);
	void *cookie;
};

struct logins *logins_new(unsigned threads, const struct logins_calls *calls,
    struct error *err);

/* End the threads; what waits is answered with AUTH_BUSY. */
void logins_free(struct logins *l);

/* Have one checked: ${what} is copied, but its password taken.  false: the
 * queue is full. */
bool logins_add(struct logins *l, struct login *what, struct auth_check *c,
    const char *peer);

#endif /* !REGISTRY_AUTH_LOGINS_H */
