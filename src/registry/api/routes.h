#ifndef REGISTRY_API_ROUTES_H
#define REGISTRY_API_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/auth/access.h"
#include "registry/base/settings.h"
#include "registry/http/http.h"

struct exchange;

/*
 * The routes: one table that dispatches, that tells what a method needs, and
 * from which the OpenAPI document is made.
 */
enum scope {
	SCOPE_OPEN,	/* no login */
	SCOPE_LOGIN,	/* any login; the endpoint looks at rights by itself */
	SCOPE_CLUSTER,	/* ${op} on the whole registry */
	SCOPE_PATH	/* ${op} on {path} */
};

enum param {
	PARAM_PATH, PARAM_KEY, PARAM_VERSION, PARAM_PRINCIPAL, PARAM_ROLE, PARAM_MOUNT, PARAM_COUNT
};

#define ROUTE_BODY 0x1U		/* takes a JSON body */
#define ROUTE_QUIET 0x2U	/* not audited unless denied */
#define ROUTE_MREDJEM 0x4U	/* there in that dialect alone */
#define ROUTE_DESTROY 0x8U	/* ?destroy=true makes it another operation */
#define ROUTE_LATEST 0x10U	/* {version} may be "latest" */
#define ROUTE_NAMES 0x20U	/* {path} and {key} must be valid names */
#define ROUTE_VAULT 0x40U	/* there with vault.mount alone, which {mount} is */
#define ROUTE_CHANGE 0x80U	/* of nodes that share a topic, the one that leads does it */
#define ROUTE_ACCESS 0x100U	/* the same, of users, tokens and bindings */

struct endpoint {
	enum http_method method;
	unsigned char segments;		/* of the pattern */
	const char *pattern;		/* /secret/paths/{path}/keys */
	const char *name;		/* as in the audit's methodName */
	enum scope scope;
	enum operation op;
	enum operation or_op;		/* does as well; OPERATION_COUNT: none */
	unsigned flags;
	void (*run)(struct exchange *x);
	const char *summary;
	const char *query;		/* names of parameters, separated by blanks */
	const char *answers;		/* statuses beyond 401, 403, 429 and 503 */
};

size_t route_count(void);
const struct endpoint *route_at(size_t i);

/* Is it there with these settings? */
bool route_is_there(const struct endpoint *e, const struct settings *set);

struct route_match {
	const struct endpoint *endpoint;	/* NULL: no such route or method */
	unsigned allowed;	/* bits 1 << enum http_method; 0: no such route */
	struct target_segment params[PARAM_COUNT];	/* text NULL: not in the route */
};

/* What ${t} and ${method} (HEAD is looked up as GET) lead to. */
void route_find(const struct target *t, enum http_method method, const struct settings *set,
    struct route_match *out);

/* For the Allow header, from the bits: "GET, HEAD, POST, OPTIONS". */
#define ROUTE_ALLOW_MAX 64
void route_allow(unsigned allowed, char out[ROUTE_ALLOW_MAX]);

/* The name of a method as in a request line. */
const char *route_method_name(enum http_method method);

/* What the routes run (routes.c). */

void reads_version(struct exchange *x);
void reads_versions(struct exchange *x);
void reads_key(struct exchange *x);
void reads_keys(struct exchange *x);
void reads_path(struct exchange *x);

void lists_paths(struct exchange *x);
void lists_search(struct exchange *x);

void create_version(struct exchange *x);

void deletes_version(struct exchange *x);
void deletes_key(struct exchange *x);
void deletes_path(struct exchange *x);
void deletes_undo(struct exchange *x);

void metadata_key(struct exchange *x);
void metadata_path(struct exchange *x);
void metadata_change(struct exchange *x);

void watch_changes(struct exchange *x);

void references_validate(struct exchange *x);
void references_resolve(struct exchange *x);
void references_access(struct exchange *x);

void health_root(struct exchange *x);
void health_live(struct exchange *x);
void health_ready(struct exchange *x);
void health_read(struct exchange *x);
void health_write(struct exchange *x);
void health_leader(struct exchange *x);
void health_plugins(struct exchange *x);
void metrics_show(struct exchange *x);
void openapi_show(struct exchange *x);

void rotation_show(struct exchange *x);
void rotation_start(struct exchange *x);
void admin_hash(struct exchange *x);
void admin_audit(struct exchange *x);
void admin_verify(struct exchange *x);
void admin_backup(struct exchange *x);
void admin_restore(struct exchange *x);

void bindings_list(struct exchange *x);
void bindings_put(struct exchange *x);
void bindings_delete(struct exchange *x);
void mds_grant(struct exchange *x);
void mds_revoke(struct exchange *x);
void mds_grant_on(struct exchange *x);
void mds_revoke_on(struct exchange *x);

void roles_list(struct exchange *x);
void roles_define(struct exchange *x);
void roles_remove(struct exchange *x);
void users_list(struct exchange *x);
void users_create(struct exchange *x);
void users_change(struct exchange *x);
void users_delete(struct exchange *x);
void tokens_list(struct exchange *x);
void tokens_create(struct exchange *x);
void tokens_revoke(struct exchange *x);

void vault_health(struct exchange *x);
void vault_lookup_self(struct exchange *x);
void vault_data(struct exchange *x);
void vault_metadata(struct exchange *x);

/* Is the request one for the face of Vault? */
bool vault_is_one(const struct exchange *x);

/* {"errors":[...]}; the status that it has there. */
int vault_error(int status, struct buf *out, const char *message, size_t n);

/* Append the OpenAPI 3.1 document of the routes that are there. */
void openapi_make(struct buf *out, const struct settings *set);

#endif /* !REGISTRY_API_ROUTES_H */
