#ifndef REGISTRY_AUTH_ACCESS_H
#define REGISTRY_AUTH_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/auth/roles.h"

struct access;

/*
 * Who may do what (registry-contract 4.3): roles are data (DATA/roles.json if
 * it is there, else built in: see roles_append_builtin), bindings give a role
 * to a principal on the cluster, on one path or on a prefix of paths
 * (DATA/bindings.json).  What nothing grants is denied.  Paths are compared
 * byte for byte.  The files are read again when they change, within 10 ms.
 */

struct access *access_open(const char *data, struct error *err);
void access_close(struct access *a);
int access_reload(struct access *a, struct error *err);

/* What granted it, for the audit; valid until the next call on this thread. */
struct access_reason {
	char role[64];
	const char *pattern;	/* "LITERAL", "PREFIXED", or "CLUSTER" */
};

/**
 * access_allows(a, principal, op, path, n, why):
 * ${path} NULL: on the cluster as a whole (only cluster bindings count).
 * A cluster-scoped role on the cluster counts for every path.
 */
bool access_allows(struct access *a, const char *principal, enum operation op,
    const char *path, size_t n, struct access_reason *why);

/* Does the principal have ${op} anywhere at all? */
bool access_anywhere(struct access *a, const char *principal, enum operation op);

/* What a role that is in force allows, as OPERATION_BIT; 0: there is none of this name. */
unsigned access_role(struct access *a, const char *name);

/* -1 while a file that changed cannot be read, and the old one stays in force. */
int access_health(struct access *a, struct error *err);

/* --- administration --- */

struct binding {
	const char *role;
	const char *principal;	/* without "User:" */
	const char *pattern;	/* NULL: the cluster; else the path or prefix */
	bool prefix;
	const char *by;		/* who granted it, may be NULL */
};

/* All of ${b}'s ${n} bindings at once, or none.  ${data} is made if it is not
 * there; the file is replaced as a whole under a lock, 0600.  ERROR_USAGE:
 * unknown role, a cluster role with a path, a path role without one, an empty
 * prefix.  Granting twice is fine (0). */
int access_grant(const char *data, const struct binding *b, size_t n, struct error *err);

/* Take back all ${n}, or none.  ERROR_MISSING: one of them is not there. */
int access_revoke(const char *data, const struct binding *b, size_t n, struct error *err);
int access_list(const char *data, void (*visit)(void *cookie, const struct binding *b),
    void *cookie, struct error *err);

/* The roles in force with ${data} as JSON: its roles.json if there, else those built in. */
int access_roles(const char *data, struct buf *out, struct error *err);

#endif /* !REGISTRY_AUTH_ACCESS_H */
