#ifndef REGISTRY_API_GRANT_H
#define REGISTRY_API_GRANT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/store/names.h"

struct exchange;

/*
 * Giving and taking bindings on behalf of a request, for both interfaces
 * (bindings.c, mds.c).  Whoever may AlterAccess on the whole registry may all;
 * else only on the paths where the caller has that right.
 */
#define GRANT_PATTERNS_MAX 64

struct grant_pattern {
	bool cluster;			/* the whole registry */
	bool prefix;
	char name[NAME_PATH_MAX + 1];
};

struct grant {
	char role[64];
	char principal[AUTH_NAME_MAX];	/* without "User:" */
	struct grant_pattern patterns[GRANT_PATTERNS_MAX];
	size_t count;
	bool revoke;
	struct error err;
	int result;
};

/* Copy a principal without "User:"; false: empty or too long. */
bool grant_principal(struct grant *g, const char *name, size_t n);

/* Add a pattern; ${name} NULL: the cluster.  false: too long, or too many. */
bool grant_pattern(struct grant *g, const char *name, size_t n, bool prefix);

/* May the caller change bindings of that pattern? */
bool grant_allowed(struct exchange *x, const char *name, size_t n, bool prefix);

/* Check the rights to all of it, put it on record, do it, answer 204.  The
 * grant is ${x}->work. */
void grant_run(struct exchange *x);

#endif /* !REGISTRY_API_GRANT_H */
