#ifndef REGISTRY_AUTH_ACCESS_H
#define REGISTRY_AUTH_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

struct access;
struct buf;
struct error;
struct file_id;
struct json_t;

/* What a caller may do. */
enum operation {
	SECRET_LIST, SECRET_READ, SECRET_RESOLVE, SECRET_WRITE, SECRET_DELETE,
	SECRET_DESTROY, SECRET_METADATA, AUDIT_READ, ROTATE_KEY, ALTER_ACCESS,
	OPERATION_COUNT
};

/* "SecretList", ... as in audit lines, denials and roles.json. */
const char *operation_name(enum operation op);

/* Sets of operations are bits. */
#define OPERATION_BIT(op) (1U << (unsigned)(op))

/* Those that are about no single path: only a cluster role may have them. */
#define OPERATIONS_OF_CLUSTER (OPERATION_BIT(AUDIT_READ) | OPERATION_BIT(ROTATE_KEY))

#define ROLES_MAX 256
#define ROLES_NAME_MAX 64	/* bytes, the NUL included */
#define ROLES_ROLE_MAX 4096	/* bytes of JSON, of one that roles_change takes */

struct role {
	char name[ROLES_NAME_MAX];
	bool cluster;		/* may be bound to the cluster */
	bool path;		/* may be bound to a path or prefix */
	unsigned operations;	/* OPERATION_BIT */
};

/* A table of roles. */
struct roles {
	struct role *items;
	size_t count;
};

/**
 * roles_read(data, out, id, err):
 * The roles of DATA/roles.json, or the built-in ones where there is no such
 * file.  The file is checked strictly: {"roles":{NAME:{"scope":["cluster",
 * "path"],"operations":[...]}}}, names [A-Za-z][A-Za-z0-9_-]{0,62}, no unknown
 * members but "description".  ERROR_FORMAT.  Release ${out} also on failure.
 */
int roles_read(const char *data, struct roles *out, struct file_id *id, struct error *err);
void roles_release(struct roles *r);

/* One role out of its object, as it stands in the file.  ERROR_FORMAT. */
int roles_role(const char *name, const struct json_t *o, struct role *out, struct error *err);

/**
 * roles_change(data, name, o, err):
 * Have DATA/roles.json say of the role what roles_role took; ${o} NULL: take it away.  A
 * first change writes the built-in ones, too.  ERROR_MISSING: there is no such role;
 * ERROR_LIMIT: there are too many, or they are too long; ERROR_USAGE: it is the last one.
 */
int roles_change(const char *data, const char *name, struct json_t *o, struct error *err);

/* Does it let somebody hand out roles on the whole registry?  ${r} may be NULL. */
bool roles_administers(const struct role *r);

/* NULL: no such role. */
const struct role *roles_find(const struct roles *r, const char *name);

/* Append the table as roles_read takes it. */
void roles_append_json(const struct roles *r, struct buf *out);

/* The same of the built-in table, for `role show` and as a start for roles.json. */
void roles_append_builtin(struct buf *out);

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
