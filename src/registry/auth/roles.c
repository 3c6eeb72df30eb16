#include "registry/auth/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "registry/auth/operation.h"
#include "registry/base/data_file.h"

#define ROLES_FILE_MAX ((size_t)1 << 20)

static const char name_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* What is wrong, and in which role. */
static int
bad(const char *role, struct error *err, const char *what)
{
	if (role == NULL)
		return error_set(err, ERROR_FORMAT, "%s", what);
	error_set(err, ERROR_FORMAT, "%s", what);
	return error_key(err, role, strlen(role));
}

static bool
is_name(const char *name)
{
	size_t n = strlen(name);

	/* Letters stand first in the list. */
	return n > 0 && n < ROLES_NAME_MAX && strspn(name, name_letters) == n &&
	    strchr(name_letters, name[0]) < name_letters + 52;
}

static int
read_scope(const json_t *list, struct role *r, struct error *err)
{
	const json_t *word;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return bad(r->name, err, "\"scope\" is not a list of \"cluster\" and \"path\"");
	json_array_foreach(list, i, word) {
		const char *text = json_string_value(word);
		bool *scope = NULL;

		if (text != NULL && strcmp(text, "cluster") == 0)
			scope = &r->cluster;
		else if (text != NULL && strcmp(text, "path") == 0)
			scope = &r->path;
		if (scope == NULL || *scope)
			return bad(r->name, err,
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
		return bad(r->name, err, "\"operations\" is not a list");
	json_array_foreach(list, i, word) {
		if (!json_is_string(word) || !operation_find(json_string_value(word), &op)) {
			bad(r->name, err, "\"operations\" has an unknown operation");
			return error_hint(err, "`propseal registry role show` lists them");
		}
		r->operations |= OPERATION_BIT(op);
	}
	if (r->path && (r->operations & OPERATIONS_OF_CLUSTER) != 0)
		return bad(r->name, err, "AuditRead and RotateKey are for roles of scope "
		    "cluster only");
	return 0;
}

static int
read_role(const char *name, const json_t *o, struct role *r, struct error *err)
{
	const json_t *value;
	const char *member;

	if (!is_name(name))
		return bad(name, err, "not a name for a role");
	memcpy(r->name, name, strlen(name) + 1);
	if (!json_is_object(o))
		return bad(name, err, "a role is not an object");
	json_object_foreach((json_t *)(uintptr_t)o, member, value) {
		if (strcmp(member, "scope") != 0 && strcmp(member, "operations") != 0 &&
		    !(strcmp(member, "description") == 0 && json_is_string(value)))
			return bad(name, err, "a role has an unknown member");
	}
	if (read_scope(json_object_get(o, "scope"), r, err) != 0)
		return -1;
	return read_operations(json_object_get(o, "operations"), r, err);
}

static int
read_all(json_t *root, const char *path, struct roles *out, struct error *err)
{
	json_t *table = json_object_get(root, "roles");
	const char *name;
	json_t *value;

	if (data_file_check_format(root, path, err) != 0)
		return -1;
	json_object_foreach(root, name, value) {
		if (strcmp(name, "roles") != 0 && strcmp(name, "format") != 0)
			return bad(name, err, "an unknown member");
	}
	if (!json_is_object(table) || json_object_size(table) == 0)
		return bad(NULL, err, "there is no table \"roles\"");
	if (json_object_size(table) > ROLES_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d roles", ROLES_MAX);
	out->items = calloc(json_object_size(table), sizeof(*out->items));
	if (out->items == NULL)
		return error_memory(err);
	json_object_foreach(table, name, value) {
		if (read_role(name, value, &out->items[out->count], err) != 0)
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
	else if ((rc = read_all(root, path, out, err)) != 0)
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
