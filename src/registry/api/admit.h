#ifndef REGISTRY_API_ADMIT_H
#define REGISTRY_API_ADMIT_H

#include <stdbool.h>

struct exchange;

/* Whether a request may go on to its endpoint: login, rights, route and
 * method, names, kind of body - in this order, so that nothing about what is
 * stored, or which routes there are, is told to who may not know. */

#define ADMIT_CHALLENGE "Basic realm=\"Secret Registry\", charset=\"UTF-8\""

bool admit_needs_login(const struct exchange *x);

/* For what needs no login: run the endpoint, or answer 404 or 405. */
void admit_anyone(struct exchange *x);

/* The caller is known. */
void admit_user(struct exchange *x);

#endif /* !REGISTRY_API_ADMIT_H */
