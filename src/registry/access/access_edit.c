/* The administration of bindings.json: access_grant, access_revoke, access_list. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "registry/access/access.h"
#include "registry/access/binding_json.h"
#include "registry/access/bindings.h"
#include "registry/access/roles.h"
#include "registry/data/data_file.h"
#include "registry/data/principal.h"
#include "registry/store/names.h"

/* One change, checked. */
struct edit {
	const struct binding *b;
	char principal[PRINCIPAL_MAX];
	enum binding_pattern pattern;
};

static int
start(struct edit *e, const struct binding *b, struct error *err)
{
	e->b = b;
	e->pattern = b->pattern == NULL ? BINDING_CLUSTER :
	    b->prefix ? BINDING_PREFIXED : BINDING_LITERAL;
	if (b->principal == NULL || !principal_normalise(b->principal, strlen(b->principal),
	    e->principal)) {
		error_set(err, ERROR_USAGE, "not a name for a principal");
		return error_hint(err, "1 to 255 bytes of visible text, no blank at either end");
	}
	return 0;
}

/* Could any path ever match? */
static int
check_pattern(const struct edit *e, struct error *err)
{
	char longer[NAME_PATH_MAX + 2];
	const char *text = e->b->pattern;
	size_t n;
	bool good;

	if (e->pattern == BINDING_CLUSTER)
		return 0;
	n = strlen(text);
	if (n == 0 && e->pattern == BINDING_PREFIXED) {
		error_set(err, ERROR_USAGE, "an empty prefix would be every path");
		return error_hint(err, "for all paths, grant a role of the cluster");
	}
	if (n > NAME_PATH_MAX)
		good = false;
	else if (e->pattern == BINDING_LITERAL)
		good = name_path_valid(text, n);
	else if (n == NAME_PATH_MAX)
		good = name_path_valid(text, n);
	else {
		/* A prefix may end where no name may, in a blank for instance. */
		memcpy(longer, text, n);
		memcpy(longer + n, "x", 2);
		good = name_path_valid(longer, n + 1);
	}
	if (good)
		return 0;
	error_set(err, ERROR_USAGE, "no path can be named like that");
	error_key(err, text, n);
	return error_hint(err, "a path has no / : } * and no control characters; for several "
	    "paths with a common beginning use --prefix");
}

static int
check_scope(const struct edit *e, const struct role *r, struct error *err)
{
	if (e->pattern == BINDING_CLUSTER && !r->cluster) {
		error_set(err, ERROR_USAGE, "%s is a role for paths", r->name);
		return error_hint(err, "give --path PATH or --prefix PREFIX");
	}
	if (e->pattern != BINDING_CLUSTER && !r->path) {
		error_set(err, ERROR_USAGE, "%s is a role for the whole cluster", r->name);
		return error_hint(err, "leave --path and --prefix out, or choose a role for "
		    "paths such as ResourceOwner");
	}
	return 0;
}

static int
check_role(const struct edit *e, const char *data, struct error *err)
{
	struct file_id id;
	struct roles roles;
	const struct role *r;
	int rc = -1;

	if (roles_read(data, &roles, &id, err) != 0)
		goto out;
	r = roles_find(&roles, e->b->role);
	if (r != NULL)
		rc = check_scope(e, r, err);
	else {
		error_set(err, ERROR_USAGE, "there is no such role");
		error_key(err, e->b->role, strlen(e->b->role));
		error_hint(err, "`propseal registry role show` lists them");
	}
out:
	roles_release(&roles);
	return rc;
}

static bool
is_same(const struct edit *e, const struct binding_json *one)
{
	return strcmp(one->role, e->b->role) == 0 &&
	    strcmp(one->principal, e->principal) == 0 && one->pattern == e->pattern &&
	    (one->path == NULL || strcmp(one->path, e->b->pattern) == 0);
}

/* 1: found, at ${*where}; 0: it is not in the list; -1. */
static int
find(const json_t *list, const struct edit *e, size_t *where, struct error *err)
{
	struct binding_json one;
	const json_t *item;
	size_t i;
	int found = 0;

	json_array_foreach(list, i, item) {
		if (binding_json_read(item, i, &one, err) != 0)
			return -1;
		if (found == 0 && is_same(e, &one)) {
			*where = i;
			found = 1;
		}
	}
	return found;
}

static json_t *
make(const struct edit *e)
{
	static const char *const words[] = { "CLUSTER", "LITERAL", "PREFIXED" };
	char by[PRINCIPAL_MAX];
	char now[DATA_FILE_DATE];
	json_t *o = json_object();

	data_file_date((int64_t)time(NULL), now);
	if (json_object_set_new(o, "role", json_string(e->b->role)) != 0 ||
	    json_object_set_new(o, "principal", json_string(e->principal)) != 0 ||
	    json_object_set_new(o, "pattern", json_string(words[e->pattern])) != 0 ||
	    (e->pattern != BINDING_CLUSTER &&
	    json_object_set_new(o, "path", json_string(e->b->pattern)) != 0) ||
	    (e->b->by != NULL && principal_normalise(e->b->by, strlen(e->b->by), by) &&
	    json_object_set_new(o, "by", json_string(by)) != 0) ||
	    json_object_set_new(o, "at", json_string(now)) != 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int
add(void *cookie, json_t *root, struct error *err)
{
	const struct edit *e = cookie;
	json_t *list, *one;
	size_t where;
	int found;

	if (json_object_get(root, "bindings") == NULL &&
	    json_object_set_new(root, "bindings", json_array()) != 0)
		return error_memory(err);
	if ((list = binding_json_list(root, err)) == NULL)
		return -1;
	if ((found = find(list, e, &where, err)) != 0)
		return found > 0 ? 0 : -1;
	if (json_array_size(list) == BINDINGS_MAX)
		return error_set(err, ERROR_LIMIT, "there are %d bindings already", BINDINGS_MAX);
	if ((one = make(e)) == NULL || json_array_append_new(list, one) != 0)
		return error_memory(err);
	return 1;
}

static int
missing(const struct edit *e, struct error *err)
{
	error_set(err, ERROR_MISSING, "%s has no such role there", e->principal);
	error_key(err, e->b->role, strlen(e->b->role));
	return error_hint(err, "`propseal registry role list` shows what is granted");
}

static int
cut(void *cookie, json_t *root, struct error *err)
{
	const struct edit *e = cookie;
	json_t *list;
	size_t where;
	int found;

	if (json_object_get(root, "bindings") == NULL)
		return missing(e, err);
	if ((list = binding_json_list(root, err)) == NULL)
		return -1;
	found = find(list, e, &where, err);
	if (found <= 0)
		return found < 0 ? -1 : missing(e, err);
	do {
		json_array_remove(list, where);
	} while ((found = find(list, e, &where, err)) > 0);
	return found == 0 ? 1 : -1;
}

int
access_grant(const char *data, const struct binding *b, struct error *err)
{
	struct edit e;

	if (start(&e, b, err) != 0 || check_pattern(&e, err) != 0 ||
	    check_role(&e, data, err) != 0)
		return -1;
	return data_file_edit(data, BINDINGS_FILE, add, &e, err);
}

int
access_revoke(const char *data, const struct binding *b, struct error *err)
{
	struct edit e;

	/* A role that is not in the table any more can be revoked all the same. */
	if (start(&e, b, err) != 0)
		return -1;
	return data_file_edit(data, BINDINGS_FILE, cut, &e, err);
}

int
access_list(const char *data, void (*visit)(void *cookie, const struct binding *b),
    void *cookie, struct error *err)
{
	char *path = data_file_path(data, BINDINGS_FILE, err);
	struct binding_json one;
	struct file_id id;
	json_t *root = NULL;
	const json_t *list = NULL, *item;
	size_t i;
	int rc = -1;

	if (path == NULL || data_file_read(path, DATA_FILE_MAX, &root, &id, err) != 0)
		goto out;
	rc = 0;
	if (root != NULL && (list = binding_json_list(root, err)) == NULL)
		rc = error_place(err, path, 0);
	json_array_foreach(list, i, item) {
		struct binding b;

		if (binding_json_read(item, i, &one, err) != 0) {
			rc = error_place(err, path, 0);
			break;
		}
		b = (struct binding){ one.role, one.principal, one.path,
			one.pattern == BINDING_PREFIXED, one.by };
		visit(cookie, &b);
	}
out:
	json_decref(root);
	free(path);
	return rc;
}
