#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/auth/access.h"
#include "registry/base/data_file.h"

#define BIT(op) OPERATION_BIT(op)
#define LOOKING (BIT(SECRET_LIST) | BIT(SECRET_METADATA))
#define READING (BIT(SECRET_READ) | BIT(SECRET_RESOLVE))
#define CHANGING (BIT(SECRET_WRITE) | BIT(SECRET_DELETE))
#define ROLES_FILE_MAX ((size_t)1 << 20)

static const char *const names[OPERATION_COUNT] = {
	[SECRET_LIST] = "SecretList",
	[SECRET_READ] = "SecretRead",
	[SECRET_RESOLVE] = "SecretResolve",
	[SECRET_WRITE] = "SecretWrite",
	[SECRET_DELETE] = "SecretDelete",
	[SECRET_DESTROY] = "SecretDestroy",
	[SECRET_METADATA] = "SecretMetadata",
	[AUDIT_READ] = "AuditRead",
	[ROTATE_KEY] = "RotateKey",
	[ALTER_ACCESS] = "AlterAccess",
};

const char *
operation_name(enum operation op)
{
	return (unsigned)op < OPERATION_COUNT ? names[op] : "Unknown";
}

/* The operation of that name (see operation_name).  false: none. */
static bool
operation_find(const char *name, enum operation *op)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*op = (enum operation)i;
			return true;
		}
	}
	return false;
}

/*
 * The roles of Confluent Platform, what they mean for secrets, and one of our
 * own: a Connect worker may have references resolved, but not read values as
 * such.  Who may read a value may have it resolved.  UserAdmin stores what it
 * cannot read back.
 */
static const struct role builtin_roles[] = {
	{ "SystemAdmin", true, false, (1U << OPERATION_COUNT) - 1 },
	{ "UserAdmin", true, false, LOOKING | CHANGING | BIT(ALTER_ACCESS) },
	{ "ClusterAdmin", true, false, LOOKING | BIT(ROTATE_KEY) },
	{ "SecurityAdmin", true, false, LOOKING | BIT(AUDIT_READ) },
	{ "AuditAdmin", true, false, BIT(AUDIT_READ) },
	{ "Operator", true, false, LOOKING },
	{ "ResourceOwner", false, true,
	    LOOKING | READING | CHANGING | BIT(SECRET_DESTROY) | BIT(ALTER_ACCESS) },
	{ "DeveloperManage", false, true, LOOKING | BIT(SECRET_WRITE) },
	{ "DeveloperWrite", false, true, LOOKING },
	{ "DeveloperRead", false, true, LOOKING },
	{ "ConnectManager", false, true, LOOKING | READING },
	{ "ConnectWorker", true, true, LOOKING | BIT(SECRET_RESOLVE) },
};

/* The built-in table; not to be released. */
static void
roles_builtin(struct roles *out)
{
	out->items = (struct role *)(uintptr_t)builtin_roles;
	out->count = sizeof(builtin_roles) / sizeof(builtin_roles[0]);
}

static const char name_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* What is wrong, and in which role. */
static int
roles_bad(const char *role, struct error *err, const char *what)
{
	if (role == NULL)
		return error_set(err, ERROR_FORMAT, "%s", what);
	error_set(err, ERROR_FORMAT, "%s", what);
	return error_key(err, role, strlen(role));
}

static bool
roles_is_name(const char *name)
{
	size_t n = strlen(name);

	/* Letters stand first in the list. */
	return n > 0 && n < ROLES_NAME_MAX && strspn(name, name_letters) == n &&
	    strchr(name_letters, name[0]) < name_letters + 52;
}

/* A text of it; NULL: none, or one with a NUL, which no file is read with. */
static const char *
roles_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static int
read_scope(const json_t *list, struct role *r, struct error *err)
{
	const json_t *word;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return roles_bad(r->name, err,
		    "\"scope\" is not a list of \"cluster\" and \"path\"");
	json_array_foreach(list, i, word) {
		const char *text = roles_text(word);
		bool *scope = NULL;

		if (text != NULL && strcmp(text, "cluster") == 0)
			scope = &r->cluster;
		else if (text != NULL && strcmp(text, "path") == 0)
			scope = &r->path;
		if (scope == NULL || *scope)
			return roles_bad(r->name, err,
			    "\"scope\" has another word than \"cluster\" and \"path\"");
		*scope = true;
	}
	return 0;
}

static int
read_operations(const json_t *list, struct role *r, struct error *err)
{
	const json_t *word;
	enum operation op;
	size_t i;

	if (!json_is_array(list))
		return roles_bad(r->name, err, "\"operations\" is not a list");
	json_array_foreach(list, i, word) {
		const char *text = roles_text(word);

		if (text == NULL || !operation_find(text, &op)) {
			roles_bad(r->name, err, "\"operations\" has an unknown operation");
			return error_hint(err, "`propseal registry role show` lists them");
		}
		r->operations |= OPERATION_BIT(op);
	}
	if (r->path && (r->operations & OPERATIONS_OF_CLUSTER) != 0)
		return roles_bad(r->name, err, "AuditRead and RotateKey are for roles of scope "
		    "cluster only");
	return 0;
}

int
roles_role(const char *name, const json_t *o, struct role *r, struct error *err)
{
	const json_t *value;
	const char *member;

	*r = (struct role){ .cluster = false };
	if (!roles_is_name(name))
		return roles_bad(name, err, "not a name for a role");
	memcpy(r->name, name, strlen(name) + 1);
	if (!json_is_object(o))
		return roles_bad(name, err, "a role is not an object");
	json_object_foreach((json_t *)(uintptr_t)o, member, value) {
		if (strcmp(member, "scope") != 0 && strcmp(member, "operations") != 0 &&
		    !(strcmp(member, "description") == 0 && roles_text(value) != NULL))
			return roles_bad(name, err, "a role has an unknown member");
	}
	if (read_scope(json_object_get(o, "scope"), r, err) != 0)
		return -1;
	return read_operations(json_object_get(o, "operations"), r, err);
}

static int
roles_read_all(json_t *root, const char *path, struct roles *out, struct error *err)
{
	json_t *table = json_object_get(root, "roles");
	const char *name;
	json_t *value;

	if (data_file_check_format(root, path, err) != 0)
		return -1;
	json_object_foreach(root, name, value) {
		if (strcmp(name, "roles") != 0 && strcmp(name, "format") != 0)
			return roles_bad(name, err, "an unknown member");
	}
	if (!json_is_object(table) || json_object_size(table) == 0)
		return roles_bad(NULL, err, "there is no table \"roles\"");
	if (json_object_size(table) > ROLES_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d roles", ROLES_MAX);
	out->items = calloc(json_object_size(table), sizeof(*out->items));
	if (out->items == NULL)
		return error_memory(err);
	json_object_foreach(table, name, value) {
		if (roles_role(name, value, &out->items[out->count], err) != 0)
			return -1;
		out->count++;
	}
	return 0;
}

static int
copy_builtin(struct roles *out, struct error *err)
{
	struct roles builtin;

	roles_builtin(&builtin);
	out->items = calloc(builtin.count, sizeof(*out->items));
	if (out->items == NULL)
		return error_memory(err);
	memcpy(out->items, builtin.items, builtin.count * sizeof(*out->items));
	out->count = builtin.count;
	return 0;
}

int
roles_read(const char *data, struct roles *out, struct file_id *id, struct error *err)
{
	char *path = data_file_path(data, ROLES_FILE, err);
	json_t *root = NULL;
	int rc = -1;

	*out = (struct roles){ 0 };
	if (path == NULL)
		return -1;
	if (data_file_read(path, ROLES_FILE_MAX, &root, id, err) != 0)
		goto out;
	if (root == NULL)
		rc = copy_builtin(out, err);
	else if ((rc = roles_read_all(root, path, out, err)) != 0)
		error_place(err, path, 0);
out:
	json_decref(root);
	free(path);
	return rc;
}

void
roles_release(struct roles *r)
{
	free(r->items);
	*r = (struct roles){ 0 };
}

const struct role *
roles_find(const struct roles *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->items[i].name, name) == 0)
			return &r->items[i];
	return NULL;
}

bool
roles_administers(const struct role *r)
{
	return r != NULL && r->cluster && (r->operations & BIT(ALTER_ACCESS)) != 0;
}

static void
append_role(const struct role *r, struct json_out *o)
{
	json_out_object(o, r->name);
	json_out_list(o, "scope");
	if (r->cluster)
		json_out_text(o, NULL, "cluster");
	if (r->path)
		json_out_text(o, NULL, "path");
	json_out_end(o);
	json_out_list(o, "operations");
	for (unsigned op = 0; op < OPERATION_COUNT; op++) {
		if ((r->operations & OPERATION_BIT(op)) != 0)
			json_out_text(o, NULL, operation_name((enum operation)op));
	}
	json_out_end(o);
	json_out_end(o);
}

void
roles_append_json(const struct roles *r, struct buf *out)
{
	struct json_out o;

	json_out_init(&o, out);
	json_out_pretty(&o);
	json_out_object(&o, NULL);
	json_out_int(&o, "format", 1);
	json_out_object(&o, "roles");
	for (size_t i = 0; i < r->count; i++)
		append_role(&r->items[i], &o);
	json_out_end(&o);
	json_out_end(&o);
	(void)json_out_finish(&o, NULL);
}

void
roles_append_builtin(struct buf *out)
{
	struct roles builtin;

	roles_builtin(&builtin);
	roles_append_json(&builtin, out);
}

/* --- changes --- */

struct roles_edit {
	const char *name;
	json_t *o;			/* NULL: it goes */
};

/* Write the built-in table into it. */
static int
roles_begin(json_t *root, struct error *err)
{
	struct buf text;
	json_t *builtin;
	int rc;

	buf_init(&text, ROLES_FILE_MAX);
	roles_append_builtin(&text);
	builtin = json_loads(buf_cstr(&text), 0, NULL);
	buf_release(&text);
	rc = json_object_update(root, builtin);
	json_decref(builtin);
	return rc == 0 ? 0 : error_memory(err);
}

/* So long that it can be read again, as a file and as a record. */
static int
roles_check_size(const json_t *root, const json_t *o, struct error *err)
{
	struct json_out out;
	struct buf text;
	int rc;

	if (json_dumpb(o, NULL, 0, JSON_COMPACT) > ROLES_ROLE_MAX)
		return error_set(err, ERROR_LIMIT, "a role of more than %d bytes", ROLES_ROLE_MAX);
	buf_init(&text, ROLES_FILE_MAX);
	json_out_init(&out, &text);
	json_out_pretty(&out);
	(void)data_json_write(&out, NULL, root, NULL, NULL);
	rc = json_out_finish(&out, NULL);
	buf_release(&text);
	return rc == 0 ? 0 : error_set(err, ERROR_LIMIT, "the roles together would be larger than "
	    "%zu bytes", ROLES_FILE_MAX);
}

/* What is damaged is not written over. */
static int
roles_check(json_t *root, struct error *err)
{
	struct roles r = { 0 };
	int rc = roles_read_all(root, ROLES_FILE, &r, err);

	roles_release(&r);
	return rc;
}

static int
roles_edit(void *cookie, json_t *root, struct error *err)
{
	const struct roles_edit *e = cookie;
	json_t *table = json_object_get(root, "roles");
	bool is_new = table == NULL || (json_is_object(table) && json_object_size(table) == 0);

	if ((is_new ? roles_begin(root, err) : roles_check(root, err)) != 0)
		return -1;
	table = json_object_get(root, "roles");
	if (e->o != NULL) {
		if (json_object_get(table, e->name) == NULL &&
		    json_object_size(table) >= ROLES_MAX)
			return error_set(err, ERROR_LIMIT, "more than %d roles", ROLES_MAX);
		if (json_object_set(table, e->name, e->o) != 0)
			return error_memory(err);
		return roles_check_size(root, e->o, err) == 0 ? 1 : -1;
	}
	if (json_object_get(table, e->name) == NULL) {
		error_set(err, ERROR_MISSING, "there is no such role");
		error_key(err, e->name, strlen(e->name));
		return error_hint(err, "`propseal registry role show` lists them");
	}
	if (json_object_size(table) == 1)
		return error_set(err, ERROR_USAGE, "the last role stays");
	(void)json_object_del(table, e->name);
	return 1;
}

int
roles_change(const char *data, const char *name, json_t *o, struct error *err)
{
	struct roles_edit e = { name, o };

	return data_file_edit(data, ROLES_FILE, roles_edit, &e, err);
}
