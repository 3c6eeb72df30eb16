/* The administration of bindings.json: access_grant, access_revoke, access_list. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "registry/auth/access.h"
#include "registry/auth/binding_json.h"
#include "registry/auth/bindings.h"
#include "registry/auth/roles.h"
#include "registry/base/data_file.h"
#include "registry/base/principal.h"
#include "registry/store/names.h"

/* One binding to make or to take away, checked. */
struct edit {
	const struct binding *b;
	char principal[PRINCIPAL_MAX];
	enum binding_pattern pattern;
	bool found;		/* it is in the list */
};

/* What is changed at once. */
struct edits {
	struct edit *items;
	size_t count;
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
check_role(const struct edit *e, const struct roles *roles, struct error *err)
{
	const struct role *r = roles_find(roles, e->b->role);

	if (r != NULL)
		return check_scope(e, r, err);
	error_set(err, ERROR_USAGE, "there is no such role");
	error_key(err, e->b->role, strlen(e->b->role));
	return error_hint(err, "`propseal registry role show` lists them");
}

static int
check_roles(const struct edits *all, const char *data, struct error *err)
{
	struct file_id id;
	struct roles roles;
	int rc = roles_read(data, &roles, &id, err);
	size_t i;

	for (i = 0; i < all->count && rc == 0; i++)
		rc = check_role(&all->items[i], &roles, err);
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

/* Note which of the edits are about that binding: 1: some; 0: none; -1. */
static int
note(struct edits *all, const json_t *item, size_t place, struct error *err)
{
	struct binding_json one;
	size_t i;
	int any = 0;

	if (binding_json_read(item, place, &one, err) != 0)
		return -1;
	for (i = 0; i < all->count; i++) {
		if (is_same(&all->items[i], &one)) {
			all->items[i].found = true;
			any = 1;
		}
	}
	return any;
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
add_one(struct edits *all, const struct edit *e, json_t *list, struct error *err)
{
	size_t n = json_array_size(list);
	json_t *one;

	if (n >= BINDINGS_MAX)
		return error_set(err, ERROR_LIMIT, "there are %d bindings already", BINDINGS_MAX);
	if ((one = make(e)) == NULL || json_array_append_new(list, one) != 0)
		return error_memory(err);
	/* The same may have been asked for twice. */
	return note(all, one, n, err);
}

/* A failure at any of them leaves the file as it is. */
static int
add(void *cookie, json_t *root, struct error *err)
{
	struct edits *all = cookie;
	json_t *list, *item;
	size_t i;
	int changed = 0;

	if (json_object_get(root, "bindings") == NULL &&
	    json_object_set_new(root, "bindings", json_array()) != 0)
		return error_memory(err);
	if ((list = binding_json_list(root, err)) == NULL)
		return -1;
	json_array_foreach(list, i, item) {
		if (note(all, item, i, err) == -1)
			return -1;
	}
	for (i = 0; i < all->count; i++) {
		if (all->items[i].found)
			continue;
		if (add_one(all, &all->items[i], list, err) == -1)
			return -1;
		changed = 1;
	}
	return changed;
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
	struct edits *all = cookie;
	json_t *list = NULL;
	size_t i;

	if (json_object_get(root, "bindings") != NULL &&
	    (list = binding_json_list(root, err)) == NULL)
		return -1;
	/* From the end, so that a removal moves none that is still to come. */
	for (i = json_array_size(list); i > 0; i--) {
		int found = note(all, json_array_get(list, i - 1), i - 1, err);

		if (found == -1)
			return -1;
		if (found == 1)
			json_array_remove(list, i - 1);
	}
	for (i = 0; i < all->count; i++) {
		if (!all->items[i].found)
			return missing(&all->items[i], err);
	}
	return all->count > 0 ? 1 : 0;
}

static int
start_all(struct edits *all, const struct binding *b, size_t n, struct error *err)
{
	size_t i;

	all->items = calloc(n + 1, sizeof(*all->items));
	if (all->items == NULL)
		return error_memory(err);
	all->count = n;
	for (i = 0; i < n; i++) {
		if (start(&all->items[i], &b[i], err) != 0)
			return -1;
	}
	return 0;
}

int
access_grant(const char *data, const struct binding *b, size_t n, struct error *err)
{
	struct edits all = { 0 };
	int rc = start_all(&all, b, n, err);
	size_t i;

	for (i = 0; i < n && rc == 0; i++)
		rc = check_pattern(&all.items[i], err);
	if (rc == 0)
		rc = check_roles(&all, data, err);
	if (rc == 0)
		rc = data_file_edit(data, BINDINGS_FILE, add, &all, err);
	free(all.items);
	return rc;
}

int
access_revoke(const char *data, const struct binding *b, size_t n, struct error *err)
{
	struct edits all = { 0 };
	/* A role that is not in the table any more can be revoked all the same. */
	int rc = start_all(&all, b, n, err);

	if (rc == 0)
		rc = data_file_edit(data, BINDINGS_FILE, cut, &all, err);
	free(all.items);
	return rc;
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
