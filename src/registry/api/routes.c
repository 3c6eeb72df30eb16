#include <stdio.h>
#include <string.h>

#include "registry/api/routes.h"

/*
 * Every route.  The methods of one pattern stand together.  The statuses are
 * for the default dialect; 401, 403, 429 and 503 go without saying where a
 * login is needed.
 */
#define SECRET "/secret/paths"
#define PATH SECRET "/{path}"
#define KEY PATH "/keys/{key}"
#define VERSIONS KEY "/versions"
#define VERSION VERSIONS "/{version}"
#define ADMIN "/secret/admin"
#define ROLE "/security/1.0/principals/{principal}/roles/{role}"
#define NONE OPERATION_COUNT

static const struct endpoint table[] = {
	{ HTTP_GET, 2, SECRET, "ListPaths", SCOPE_LOGIN, SECRET_LIST, NONE, 0, lists_paths,
	    "The paths that the caller may list", "prefix limit after deleted", "200 400 422" },

	{ HTTP_GET, 3, PATH, "GetPath", SCOPE_PATH, SECRET_READ, NONE, ROUTE_NAMES, reads_path,
	    "The latest value of each key of a path", "limit after metadata partial",
	    "200 400 422 500" },
	{ HTTP_DELETE, 3, PATH, "DeletePath", SCOPE_PATH, SECRET_DELETE, NONE,
	    ROUTE_NAMES | ROUTE_CHANGE, deletes_path, "Delete all keys of a path", "",
	    "200 400 404 412 422 504" },

	{ HTTP_GET, 4, PATH "/keys", "ListKeys", SCOPE_PATH, SECRET_LIST, NONE, ROUTE_NAMES,
	    reads_keys, "The keys of a path", "limit after", "200 400 422" },

	{ HTTP_GET, 4, PATH "/metadata", "GetPathMetadata", SCOPE_PATH, SECRET_METADATA, NONE,
	    ROUTE_NAMES, metadata_path, "What is known of a path's keys and versions", "",
	    "200 400 404 422" },

	{ HTTP_GET, 5, KEY, "GetKey", SCOPE_PATH, SECRET_READ, NONE, ROUTE_NAMES, reads_key,
	    "The values of all versions of a key", "limit after metadata partial",
	    "200 400 422 500" },
	{ HTTP_DELETE, 5, KEY, "DeleteKey", SCOPE_PATH, SECRET_DELETE, NONE,
	    ROUTE_NAMES | ROUTE_CHANGE, deletes_key, "Delete all versions of a key", "",
	    "200 400 404 412 422 504" },

	{ HTTP_GET, 6, KEY "/metadata", "GetKeyMetadata", SCOPE_PATH, SECRET_METADATA, NONE,
	    ROUTE_NAMES, metadata_key, "What is known of a key and its versions", "",
	    "200 400 404 422" },
	{ HTTP_PATCH, 6, KEY "/metadata", "UpdateKeyMetadata", SCOPE_PATH, SECRET_WRITE, NONE,
	    ROUTE_NAMES | ROUTE_BODY | ROUTE_CHANGE, metadata_change,
	    "Change a key's limits and its own metadata", "", "200 400 404 409 415 422 504" },

	{ HTTP_GET, 6, VERSIONS, "ListVersions", SCOPE_PATH, SECRET_LIST, NONE, ROUTE_NAMES,
	    reads_versions, "The numbers of a key's versions", "limit after", "200 400 422" },
	{ HTTP_POST, 6, VERSIONS, "CreateSecretVersion", SCOPE_PATH, SECRET_WRITE, NONE,
	    ROUTE_NAMES | ROUTE_BODY | ROUTE_CHANGE, create_version,
	    "Store a key's next version", "metadata", "200 400 409 412 413 415 422 504 507" },

	{ HTTP_GET, 7, VERSION, "GetSecretVersion", SCOPE_PATH, SECRET_READ, NONE,
	    ROUTE_NAMES | ROUTE_LATEST, reads_version,
	    "One version of a secret, by its number or as \"latest\"", "metadata",
	    "200 304 400 404 422 500" },
	{ HTTP_DELETE, 7, VERSION, "DeleteVersion", SCOPE_PATH, SECRET_DELETE, NONE,
	    ROUTE_NAMES | ROUTE_DESTROY | ROUTE_CHANGE, deletes_version,
	    "Delete a version, or destroy it for good", "destroy", "200 400 404 412 422 504" },

	{ HTTP_POST, 8, VERSION "/undelete", "UndeleteVersion", SCOPE_PATH, SECRET_DELETE, NONE,
	    ROUTE_NAMES | ROUTE_CHANGE, deletes_undo, "Bring a deleted version back", "",
	    "200 400 404 409 422 504" },

	{ HTTP_GET, 2, "/secret/search", "SearchSecrets", SCOPE_LOGIN, SECRET_LIST, NONE, 0,
	    lists_search, "Paths and keys by pattern (* and ?) or by a part of their names",
	    "path key limit after after_key", "200 400 422" },

	{ HTTP_GET, 2, "/secret/watch", "WatchChanges", SCOPE_LOGIN, SECRET_LIST, NONE, 0,
	    watch_changes, "Wait for changes of names and versions since an offset",
	    "since wait", "200 400 410 422" },

	{ HTTP_POST, 4, "/secret/connectors/{name}/validate", "ValidateConfig", SCOPE_PATH,
	    SECRET_LIST, SECRET_RESOLVE, ROUTE_BODY, references_validate,
	    "Check a connector's references", "", "200 400 415 422" },
	{ HTTP_POST, 4, "/secret/connectors/{name}/resolve", "ResolveConfig", SCOPE_PATH,
	    SECRET_RESOLVE, SECRET_READ, ROUTE_BODY, references_resolve,
	    "A connector's config with its references replaced by values", "",
	    "200 400 415 422 500" },

	{ HTTP_GET, 4, "/secret/connectors/{name}/access", "GetAccess", SCOPE_LOGIN, SECRET_LIST,
	    NONE, ROUTE_NAMES | ROUTE_QUIET, references_access,
	    "What the caller may do on a connector's path", "", "200 400 422" },

	{ HTTP_GET, 3, ADMIN "/rotation", "GetRotation", SCOPE_CLUSTER, ROTATE_KEY, NONE, 0,
	    rotation_show, "How far the rotation of keys is", "", "200" },
	{ HTTP_POST, 3, ADMIN "/rotation", "RotateMasterKey", SCOPE_CLUSTER, ROTATE_KEY, NONE,
	    ROUTE_CHANGE, rotation_start, "Seal every record with a new data key", "",
	    "202 409 500 504" },

	{ HTTP_POST, 3, ADMIN "/audit-hash", "AuditHash", SCOPE_CLUSTER, AUDIT_READ, NONE,
	    ROUTE_BODY, admin_hash, "The HMAC by which a value stands in the audit log", "",
	    "200 400 415 422 500" },

	{ HTTP_GET, 3, ADMIN "/audit", "ListAudit", SCOPE_CLUSTER, AUDIT_READ, NONE, 0,
	    admin_audit, "The audit log's last lines, oldest first", "limit",
	    "200 400 422 500" },
	{ HTTP_POST, 4, ADMIN "/audit/verify", "AuditVerify", SCOPE_CLUSTER, AUDIT_READ, NONE, 0,
	    admin_verify, "Check the audit log's chain of hashes", "", "200 409 500" },

	{ HTTP_POST, 3, ADMIN "/backup", "BackupStore", SCOPE_CLUSTER, ROTATE_KEY, NONE,
	    ROUTE_BODY, admin_backup, "Copy the store into the data folder's backups", "",
	    "200 400 409 415 422 500" },
	{ HTTP_POST, 3, ADMIN "/restore", "RestoreStore", SCOPE_CLUSTER, SECRET_DESTROY, NONE,
	    ROUTE_BODY, admin_restore, "Put one of the data folder's backups in the place of all "
	    "secrets", "", "200 400 404 409 415 422 500 504" },

	{ HTTP_GET, 3, ADMIN "/role-bindings", "ListBindings", SCOPE_LOGIN, ALTER_ACCESS, NONE, 0,
	    bindings_list, "The role bindings", "path prefix", "200 400" },
	{ HTTP_PUT, 3, ADMIN "/role-bindings", "AlterBinding", SCOPE_LOGIN, ALTER_ACCESS, NONE,
	    ROUTE_BODY | ROUTE_ACCESS, bindings_put, "Give a role to a principal", "",
	    "204 400 415 422 504" },
	{ HTTP_DELETE, 3, ADMIN "/role-bindings", "AlterBinding", SCOPE_LOGIN, ALTER_ACCESS, NONE,
	    ROUTE_ACCESS, bindings_delete, "Take a role from a principal",
	    "role principal path prefix",
	    "204 400 404 409 422 504" },

	{ HTTP_GET, 3, ADMIN "/roles", "ListRoles", SCOPE_CLUSTER, ALTER_ACCESS, NONE, 0,
	    roles_list, "What each role allows", "", "200" },

	{ HTTP_PUT, 4, ADMIN "/roles/{role}", "DefineRole", SCOPE_CLUSTER, ALTER_ACCESS, NONE,
	    ROUTE_BODY | ROUTE_ACCESS, roles_define, "Say what a role allows, a new one's or "
	    "one's that is there", "", "204 400 409 415 422 504" },
	{ HTTP_DELETE, 4, ADMIN "/roles/{role}", "RemoveRole", SCOPE_CLUSTER, ALTER_ACCESS, NONE,
	    ROUTE_ACCESS, roles_remove, "Take a role away: its bindings give nothing then", "",
	    "204 400 404 409 422 504" },

	{ HTTP_GET, 3, ADMIN "/users", "ListUsers", SCOPE_CLUSTER, ALTER_ACCESS, NONE, 0,
	    users_list, "Who has a password here", "", "200" },
	{ HTTP_POST, 3, ADMIN "/users", "CreateUser", SCOPE_CLUSTER, ALTER_ACCESS, NONE,
	    ROUTE_BODY | ROUTE_ACCESS, users_create, "Give somebody new a password", "",
	    "201 400 409 415 422 504" },

	{ HTTP_PATCH, 4, ADMIN "/users/{user}", "ChangeUser", SCOPE_CLUSTER, ALTER_ACCESS, NONE,
	    ROUTE_BODY | ROUTE_ACCESS, users_change,
	    "Change a user's password, or disable or enable the user",
	    "", "204 400 404 409 415 422 504" },
	{ HTTP_DELETE, 4, ADMIN "/users/{user}", "DeleteUser", SCOPE_CLUSTER, ALTER_ACCESS, NONE,
	    ROUTE_ACCESS, users_delete, "Remove a user's password and tokens", "",
	    "204 400 404 409 422 504" },

	{ HTTP_GET, 3, ADMIN "/tokens", "ListTokens", SCOPE_CLUSTER, ALTER_ACCESS, NONE, 0,
	    tokens_list, "The API tokens, without their secrets", "", "200" },
	{ HTTP_POST, 3, ADMIN "/tokens", "CreateToken", SCOPE_CLUSTER, ALTER_ACCESS, NONE,
	    ROUTE_BODY | ROUTE_ACCESS, tokens_create, "Make an API token, which is told once", "",
	    "201 400 415 422 504" },

	{ HTTP_DELETE, 4, ADMIN "/tokens/{id}", "RevokeToken", SCOPE_CLUSTER, ALTER_ACCESS, NONE,
	    ROUTE_ACCESS, tokens_revoke, "End an API token", "", "204 400 404 409 422 504" },

	{ HTTP_POST, 6, ROLE, "AlterBinding", SCOPE_LOGIN, ALTER_ACCESS, NONE,
	    ROUTE_ACCESS, mds_grant,
	    "Give a role on the whole registry (as the metadata service does)", "",
	    "204 400 422 504" },
	{ HTTP_DELETE, 6, ROLE, "AlterBinding", SCOPE_LOGIN, ALTER_ACCESS, NONE,
	    ROUTE_ACCESS, mds_revoke,
	    "Take a role on the whole registry", "", "204 400 404 409 422 504" },

	{ HTTP_POST, 7, ROLE "/bindings", "AlterBinding", SCOPE_LOGIN, ALTER_ACCESS, NONE,
	    ROUTE_BODY | ROUTE_ACCESS, mds_grant_on,
	    "Give a role on paths (as the metadata service does)", "",
	    "204 400 415 422 504" },
	{ HTTP_DELETE, 7, ROLE "/bindings", "AlterBinding", SCOPE_LOGIN, ALTER_ACCESS, NONE,
	    ROUTE_BODY | ROUTE_ACCESS, mds_revoke_on, "Take a role on paths", "",
	    "204 400 404 415 422 504" },

	{ HTTP_GET, 3, "/v1/sys/health", "GetVaultHealth", SCOPE_OPEN, SECRET_LIST, NONE,
	    ROUTE_QUIET | ROUTE_VAULT, vault_health, "Health in the shape of Vault's", "",
	    "200 503" },
	{ HTTP_GET, 4, "/v1/auth/token/lookup-self", "LookupSelf", SCOPE_LOGIN, SECRET_LIST, NONE,
	    ROUTE_VAULT, vault_lookup_self, "What is known of the caller's token", "", "200" },
	{ HTTP_GET, 4, "/v1/{mount}/data/{path}", "GetVaultSecret", SCOPE_PATH, SECRET_READ, NONE,
	    ROUTE_NAMES | ROUTE_VAULT, vault_data, "A path's values, as a secret of Vault",
	    "version", "200 400 404 500" },
	{ HTTP_GET, 4, "/v1/{mount}/metadata/{path}", "GetVaultMetadata", SCOPE_PATH,
	    SECRET_METADATA, NONE, ROUTE_NAMES | ROUTE_VAULT, vault_metadata,
	    "A path's versions, as of a secret of Vault", "", "200 400 404" },

	{ HTTP_GET, 1, "/metrics", "GetMetrics", SCOPE_CLUSTER, AUDIT_READ, SECRET_METADATA,
	    ROUTE_QUIET, metrics_show, "Counts for Prometheus", "", "200" },

	{ HTTP_GET, 0, "/", "GetRoot", SCOPE_OPEN, SECRET_LIST, NONE, ROUTE_QUIET, health_root,
	    "The service's name and version", "", "200" },
	{ HTTP_GET, 2, "/health/live", "GetLive", SCOPE_OPEN, SECRET_LIST, NONE, ROUTE_QUIET,
	    health_live, "Is the process there?", "", "200" },
	{ HTTP_GET, 2, "/health/ready", "GetReady", SCOPE_OPEN, SECRET_LIST, NONE, ROUTE_QUIET,
	    health_ready, "Can it read, write and audit?", "", "200 503" },
	{ HTTP_GET, 2, "/health/read", "GetReadHealth", SCOPE_OPEN, SECRET_LIST, NONE, ROUTE_QUIET,
	    health_read, "Does it give out secrets?", "", "200 503" },
	{ HTTP_GET, 2, "/health/write", "GetWriteHealth", SCOPE_OPEN, SECRET_LIST, NONE,
	    ROUTE_QUIET, health_write, "Does it take changes, or forward them?", "", "200 503" },
	{ HTTP_GET, 2, "/health/leader", "GetLeader", SCOPE_OPEN, SECRET_LIST, NONE, ROUTE_QUIET,
	    health_leader, "Does this node take changes itself?", "", "200 503" },
	{ HTTP_GET, 1, "/openapi.json", "GetOpenapi", SCOPE_OPEN, SECRET_LIST, NONE, ROUTE_QUIET,
	    openapi_show, "This document", "", "200" },
	{ HTTP_GET, 1, "/health", "GetHealth", SCOPE_OPEN, SECRET_LIST, NONE,
	    ROUTE_QUIET | ROUTE_MREDJEM, health_live, "Is the process there?", "", "200" },
	{ HTTP_GET, 1, "/connector-plugins", "GetPlugins", SCOPE_OPEN, SECRET_LIST, NONE,
	    ROUTE_QUIET | ROUTE_MREDJEM, health_plugins, "A worker's plugins: none", "", "200" },
};

size_t
route_count(void)
{
	return sizeof(table) / sizeof(table[0]);
}

const struct endpoint *
route_at(size_t i)
{
	return &table[i];
}

bool
route_is_there(const struct endpoint *e, const struct settings *set)
{
	return ((e->flags & ROUTE_MREDJEM) == 0 || set->compat == REST_MREDJEM) &&
	    ((e->flags & ROUTE_VAULT) == 0 || set->vault_mount != NULL);
}

static const char *const method_names[] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
	[HTTP_OTHER] = "OTHER",
};

const char *
route_method_name(enum http_method method)
{
	return method_names[method];
}

static const struct {
	const char *text;
	enum param param;
} params[] = {
	{ "{path}", PARAM_PATH }, { "{name}", PARAM_PATH }, { "{key}", PARAM_KEY },
	{ "{version}", PARAM_VERSION }, { "{principal}", PARAM_PRINCIPAL },
	{ "{role}", PARAM_ROLE }, { "{user}", PARAM_PRINCIPAL }, { "{id}", PARAM_ROLE },
	{ "{mount}", PARAM_MOUNT },
};

/* The parameter that a pattern's segment stands for. */
static enum param
param_of(const char *text, size_t n)
{
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (strlen(params[i].text) == n && memcmp(params[i].text, text, n) == 0)
			return params[i].param;
	}
	return PARAM_COUNT;
}

/* Does the target fit the pattern?  Both have the same number of segments. */
static bool
route_fits(const char *pattern, const struct target *t, const char *mount,
    struct target_segment *found)
{
	const char *p = pattern;

	for (size_t i = 0; i < t->count; i++) {
		const struct target_segment *s = &t->segments[i];
		const char *end = strchrnul(++p, '/');
		size_t n = (size_t)(end - p);
		enum param which = *p == '{' ? param_of(p, n) : PARAM_COUNT;
		bool good = which == PARAM_MOUNT ? target_is(t, i, mount) :
		    which != PARAM_COUNT || (n == s->len && memcmp(p, s->text, n) == 0);

		if (!good) {
			memset(found, 0, PARAM_COUNT * sizeof(*found));
			return false;
		}
		if (which != PARAM_COUNT)
			found[which] = *s;
		p = end;
	}
	return true;
}

void
route_find(const struct target *t, enum http_method method, const struct settings *set,
    struct route_match *out)
{
	const char *pattern = NULL;
	size_t count = route_count();

	memset(out, 0, sizeof(*out));
	if (method == HTTP_HEAD)
		method = HTTP_GET;
	for (size_t i = 0; i < count; i++) {
		const struct endpoint *e = route_at(i);

		/* The methods of one pattern stand together in the table. */
		if (pattern != NULL && strcmp(pattern, e->pattern) != 0)
			return;
		if (pattern == NULL) {
			if (e->segments != t->count || !route_is_there(e, set) ||
			    !route_fits(e->pattern, t, set->vault_mount, out->params))
				continue;
			pattern = e->pattern;
		}
		out->allowed |= 1U << e->method;
		if (e->method == method)
			out->endpoint = e;
	}
}

void
route_allow(unsigned allowed, char out[ROUTE_ALLOW_MAX])
{
	size_t n = 0;

	if (allowed & 1U << HTTP_GET)
		allowed |= 1U << HTTP_HEAD;
	allowed |= 1U << HTTP_OPTIONS;
	out[0] = '\0';
	for (int m = HTTP_GET; m <= HTTP_OPTIONS; m++) {
		if (allowed & 1U << m)
			n += (size_t)snprintf(out + n, ROUTE_ALLOW_MAX - n, "%s%s",
			    n > 0 ? ", " : "", method_names[m]);
	}
}
