#include <jansson.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "file/file.h"
#include "registry/auth/access.h"
#include "registry/base/data_file.h"
#include "registry/store/names.h"

#define BINDINGS_MAX 1000000

enum binding_pattern { BINDING_CLUSTER, BINDING_LITERAL, BINDING_PREFIXED };

/* One element of "bindings" in bindings.json; the strings are the JSON's. */
struct binding_json {
	const char *role;
	const char *principal;
	enum binding_pattern pattern;
	const char *path;	/* NULL: the cluster */
	size_t path_len;
	const char *by;		/* may be NULL */
};

/*
 * The bindings as they are looked up: by principal, and below it the
 * cluster's, then those of paths in the order of their bytes, then prefixes.
 */

/* One binding; the strings are in bindings.text. */
struct grant {
	const char *principal;
	const char *path;	/* NULL: the cluster */
	const struct role *role;
	unsigned operations;
	uint32_t len;
	enum binding_pattern pattern;
};

/* Whose grants stand from first up to end. */
struct holder {
	size_t first, literals, prefixes, end;
	unsigned cluster, anywhere;
};

struct bindings {
	struct grant *grants;
	size_t count;
	struct holder *holders;
	size_t holder_count;
	struct map *by_principal;
	char *text;
};

/* What the files said when they were last read.  Never changed, only replaced. */
struct tables {
	struct roles roles;
	struct bindings *bindings;
};

struct access {
	char *data, *roles_path, *bindings_path;
	pthread_rwlock_t lock;		/* of tables */
	struct tables *tables;

	struct watch watch;		/* what follows is for who looks */
	struct file_id roles_id, bindings_id;
	bool failed;			/* the files in ${*_id} are not in force */
	struct error why;
	pthread_mutex_t why_lock;	/* of failed and why */
};

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

/* The list, which must be one.  NULL: ERROR_FORMAT. */
static json_t *
binding_json_list(const json_t *root, struct error *err)
{
	json_t *list = json_object_get(root, "bindings");

	if (!json_is_array(list)) {
		error_set(err, ERROR_FORMAT, "there is no list \"bindings\"");
		return NULL;
	}
	if (json_array_size(list) > BINDINGS_MAX) {
		error_set(err, ERROR_LIMIT, "more than %d bindings", BINDINGS_MAX);
		return NULL;
	}
	return list;
}

static int
binding_json_bad(size_t i, const char *what, struct error *err)
{
	return error_set(err, ERROR_FORMAT, "binding %zu: %s", i + 1, what);
}

static int
binding_json_read_pattern(const json_t *item, size_t i, struct binding_json *out, struct error *err)
{
	static const char *const words[] = { "CLUSTER", "LITERAL", "PREFIXED" };
	const char *word = json_string_value(json_object_get(item, "pattern"));
	const json_t *path = json_object_get(item, "path");

	for (unsigned p = 0; word != NULL && p < sizeof(words) / sizeof(words[0]); p++) {
		if (strcmp(word, words[p]) != 0)
			continue;
		out->pattern = (enum binding_pattern)p;
		if (out->pattern == BINDING_CLUSTER)
			return path == NULL ? 0 : binding_json_bad(i,
			    "a path with pattern CLUSTER", err);
		out->path = json_string_value(path);
		if (out->path == NULL)
			return binding_json_bad(i, "\"path\" is not there or not a string", err);
		out->path_len = json_string_length(path);
		/* An empty prefix would be everything; a long one could be cut. */
		if (out->path_len == 0 || out->path_len > NAME_PATH_MAX)
			return binding_json_bad(i, "\"path\" is empty or too long", err);
		return 0;
	}
	return binding_json_bad(i, "\"pattern\" is not CLUSTER, LITERAL or PREFIXED", err);
}

/* Check and read element ${i}.  ERROR_FORMAT. */
static int
binding_json_read(const json_t *item, size_t i, struct binding_json *out, struct error *err)
{
	char name[PRINCIPAL_MAX];

	*out = (struct binding_json){ 0 };
	out->role = json_string_value(json_object_get(item, "role"));
	out->principal = json_string_value(json_object_get(item, "principal"));
	out->by = json_string_value(json_object_get(item, "by"));
	if (out->role == NULL || strlen(out->role) >= ROLES_NAME_MAX)
		return binding_json_bad(i, "\"role\" is not there or not the name of a role", err);
	if (out->principal == NULL || !principal_normalise(out->principal,
	    strlen(out->principal), name) || strcmp(name, out->principal) != 0)
		return binding_json_bad(i, "\"principal\" is not there or not a name", err);
	return binding_json_read_pattern(item, i, out, err);
}

static int
bindings_compare(const void *x, const void *y)
{
	const struct grant *a = x, *b = y;
	int d = strcmp(a->principal, b->principal);

	if (d == 0)
		d = (a->pattern > b->pattern) - (a->pattern < b->pattern);
	if (d == 0 && a->pattern != BINDING_CLUSTER)
		d = text_compare(a->path, a->len, b->path, b->len);
	return d;
}

/* What the role gives at such a place. */
static unsigned
operations_of(const struct role *r, enum binding_pattern pattern)
{
	if (r == NULL || (pattern == BINDING_CLUSTER ? !r->cluster : !r->path))
		return 0;
	return r->operations;
}

static const char *
bindings_keep(char **at, const char *text, size_t n)
{
	char *copy = *at;

	memcpy(copy, text, n);
	copy[n] = '\0';
	*at += n + 1;
	return copy;
}

/* Copy out of the JSON what look-ups need. */
static int
bindings_take(struct bindings *b, const json_t *list, const struct roles *roles, struct error *err)
{
	struct binding_json one;
	const json_t *item;
	size_t room = 1;
	size_t i;
	char *at;

	json_array_foreach(list, i, item) {
		if (binding_json_read(item, i, &one, err) != 0)
			return -1;
		room += strlen(one.principal) + one.path_len + 2;
	}
	b->grants = calloc(json_array_size(list) + 1, sizeof(*b->grants));
	b->text = at = malloc(room);
	if (b->grants == NULL || b->text == NULL)
		return error_memory(err);
	json_array_foreach(list, i, item) {
		struct grant *g = &b->grants[b->count];

		if (binding_json_read(item, i, &one, err) != 0)
			return -1;
		g->role = roles_find(roles, one.role);
		g->pattern = one.pattern;
		g->operations = operations_of(g->role, g->pattern);
		if (g->operations == 0)
			continue;
		g->principal = bindings_keep(&at, one.principal, strlen(one.principal));
		if (one.path != NULL)
			g->path = bindings_keep(&at, one.path, one.path_len);
		g->len = (uint32_t)one.path_len;
		b->count++;
	}
	return 0;
}

static int
index_holders(struct bindings *b, struct error *err)
{
	struct holder *h = NULL;
	size_t i;

	qsort(b->grants, b->count, sizeof(*b->grants), bindings_compare);
	b->by_principal = map_new();
	b->holders = calloc(b->count + 1, sizeof(*b->holders));
	if (b->by_principal == NULL || b->holders == NULL)
		return error_memory(err);
	for (i = 0; i < b->count; i++) {
		const struct grant *g = &b->grants[i];

		if (i == 0 || strcmp(g->principal, g[-1].principal) != 0) {
			if (map_put(b->by_principal, g->principal, strlen(g->principal),
			    b->holder_count) != 0)
				return error_memory(err);
			h = &b->holders[b->holder_count++];
			h->first = h->literals = h->prefixes = i;
		}
		h->end = i + 1;
		if (g->pattern == BINDING_CLUSTER)
			h->literals = i + 1;
		if (g->pattern != BINDING_PREFIXED)
			h->prefixes = i + 1;
		if (g->pattern == BINDING_CLUSTER)
			h->cluster |= g->operations;
		h->anywhere |= g->operations;
	}
	return 0;
}

static void
bindings_free(struct bindings *b)
{
	if (b == NULL)
		return;
	map_free(b->by_principal);
	free(b->holders);
	free(b->grants);
	free(b->text);
	free(b);
}

/**
 * bindings_read(data, roles, id, err):
 * From DATA/bindings.json; none where there is no such file.  A binding to a
 * role that is not in the table, or that has not this scope, grants nothing.
 * Needs ${roles} (by its numbers) as long as it lives.
 */
static struct bindings *
bindings_read(const char *data, const struct roles *roles, struct file_id *id, struct error *err)
{
	char *path = data_file_path(data, BINDINGS_FILE, err);
	struct bindings *b = NULL;
	json_t *root = NULL;
	const json_t *list;
	json_t *none = NULL;

	if (path == NULL || data_file_read(path, DATA_FILE_MAX, &root, id, err) != 0)
		goto fail;
	b = calloc(1, sizeof(*b));
	if (b == NULL) {
		error_memory(err);
		goto fail;
	}
	if (root != NULL && data_file_check_format(root, path, err) != 0)
		goto fail;
	list = root != NULL ? binding_json_list(root, err) : (none = json_array());
	if (list == NULL || bindings_take(b, list, roles, err) != 0 || index_holders(b, err) != 0) {
		error_place(err, path, 0);
		goto fail;
	}
	goto out;
fail:
	bindings_free(b);
	b = NULL;
out:
	json_decref(none);
	json_decref(root);
	free(path);
	return b;
}

static const struct holder *
bindings_find(const struct bindings *b, const char *principal)
{
	size_t i;

	if (!map_get(b->by_principal, principal, strlen(principal), &i))
		return NULL;
	return &b->holders[i];
}

/* The operations that a principal has somewhere. */
static unsigned
bindings_anywhere(const struct bindings *b, const char *principal)
{
	const struct holder *h = bindings_find(b, principal);

	return h != NULL ? h->anywhere : 0;
}

static bool
granted(const struct grant *g, struct access_reason *why)
{
	static const char *const words[] = {
		[BINDING_CLUSTER] = "CLUSTER",
		[BINDING_LITERAL] = "LITERAL",
		[BINDING_PREFIXED] = "PREFIXED",
	};

	if (why != NULL) {
		memcpy(why->role, g->role->name, sizeof(why->role));
		why->pattern = words[g->pattern];
	}
	return true;
}

/* The first grant of a path that is not before ${path}. */
static size_t
bindings_lower_bound(const struct bindings *b, const struct holder *h, const char *path, size_t n)
{
	size_t low = h->literals, high = h->prefixes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct grant *g = &b->grants[mid];

		if (text_compare(g->path, g->len, path, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_prefix(const struct grant *g, const char *path, size_t n)
{
	return g->len <= n && memcmp(g->path, path, g->len) == 0;
}

/* As access_allows. */
static bool
bindings_allow(const struct bindings *b, const char *principal, enum operation op, const char *path,
    size_t n, struct access_reason *why)
{
	const struct holder *h = bindings_find(b, principal);
	unsigned bit = OPERATION_BIT(op);
	size_t i;

	if (h == NULL || (h->anywhere & bit) == 0)
		return false;
	if ((h->cluster & bit) != 0) {
		for (i = h->first; (b->grants[i].operations & bit) == 0; i++)
			;
		return granted(&b->grants[i], why);
	}
	if (path == NULL)
		return false;
	for (i = bindings_lower_bound(b, h, path, n); i < h->prefixes; i++) {
		const struct grant *g = &b->grants[i];

		if (g->len != n || memcmp(g->path, path, n) != 0)
			break;
		if ((g->operations & bit) != 0)
			return granted(g, why);
	}
	for (i = h->prefixes; i < h->end; i++) {
		const struct grant *g = &b->grants[i];

		if ((g->operations & bit) != 0 && is_prefix(g, path, n))
			return granted(g, why);
	}
	return false;
}

static void
tables_free(struct tables *t)
{
	if (t == NULL)
		return;
	bindings_free(t->bindings);
	roles_release(&t->roles);
	free(t);
}

static struct tables *
tables_read(struct access *a, struct error *err)
{
	struct tables *t = error_alloc(sizeof(*t), err);

	if (t == NULL)
		return NULL;
	if (roles_read(a->data, &t->roles, &a->roles_id, err) == 0)
		t->bindings = bindings_read(a->data, &t->roles, &a->bindings_id, err);
	if (t->bindings != NULL)
		return t;
	tables_free(t);
	return NULL;
}

/* Take the files over; the old stay in force on failure.  The caller looks. */
static int
access_load(struct access *a, struct error *err)
{
	struct error why = { 0 };
	struct tables *old;
	struct tables *new;

	new = tables_read(a, &why);
	pthread_mutex_lock(&a->why_lock);
	a->failed = new == NULL;
	a->why = why;
	pthread_mutex_unlock(&a->why_lock);
	if (new == NULL) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	pthread_rwlock_wrlock(&a->lock);
	old = a->tables;
	a->tables = new;
	pthread_rwlock_unlock(&a->lock);
	tables_free(old);
	return 0;
}

static bool
has_changed(const char *path, const struct file_id *id)
{
	struct file_id now;

	/* One that cannot be examined shows why when it is read. */
	return data_file_identify(path, &now, NULL) != 0 || !file_id_equal(&now, id);
}

static void
refresh(struct access *a)
{
	if (!watch_begin(&a->watch))
		return;
	if (has_changed(a->bindings_path, &a->bindings_id) ||
	    has_changed(a->roles_path, &a->roles_id))
		(void)access_load(a, NULL);
	watch_end(&a->watch);
}

struct access *
access_open(const char *data, struct error *err)
{
	struct access *a = error_alloc(sizeof(*a), err);

	if (a == NULL)
		return NULL;
	/* Many readers must not keep a new table out. */
	compat_rwlock_init(&a->lock);
	pthread_mutex_init(&a->why_lock, NULL);
	watch_init(&a->watch);
	a->roles_path = data_file_path(data, ROLES_FILE, err);
	a->bindings_path = data_file_path(data, BINDINGS_FILE, err);
	a->data = strdup(data);
	if (a->data == NULL)
		error_memory(err);
	if (a->roles_path == NULL || a->bindings_path == NULL || a->data == NULL ||
	    access_reload(a, err) != 0) {
		access_close(a);
		return NULL;
	}
	return a;
}

void
access_close(struct access *a)
{
	if (a == NULL)
		return;
	tables_free(a->tables);
	watch_destroy(&a->watch);
	pthread_mutex_destroy(&a->why_lock);
	pthread_rwlock_destroy(&a->lock);
	free(a->bindings_path);
	free(a->roles_path);
	free(a->data);
	free(a);
}

int
access_reload(struct access *a, struct error *err)
{
	int rc;

	watch_begin_now(&a->watch);
	rc = access_load(a, err);
	watch_end(&a->watch);
	return rc;
}

int
access_health(struct access *a, struct error *err)
{
	int rc;

	refresh(a);
	pthread_mutex_lock(&a->why_lock);
	rc = a->failed ? -1 : 0;
	if (a->failed && err != NULL)
		*err = a->why;
	pthread_mutex_unlock(&a->why_lock);
	return rc;
}

bool
access_allows(struct access *a, const char *principal, enum operation op, const char *path,
    size_t n, struct access_reason *why)
{
	bool yes;

	refresh(a);
	pthread_rwlock_rdlock(&a->lock);
	yes = bindings_allow(a->tables->bindings, principal, op, path, n, why);
	pthread_rwlock_unlock(&a->lock);
	return yes;
}

bool
access_anywhere(struct access *a, const char *principal, enum operation op)
{
	unsigned operations;

	refresh(a);
	pthread_rwlock_rdlock(&a->lock);
	operations = bindings_anywhere(a->tables->bindings, principal);
	pthread_rwlock_unlock(&a->lock);
	return (operations & OPERATION_BIT(op)) != 0;
}

unsigned
access_role(struct access *a, const char *name)
{
	const struct role *r;
	unsigned operations;

	refresh(a);
	pthread_rwlock_rdlock(&a->lock);
	r = roles_find(&a->tables->roles, name);
	operations = r != NULL ? r->operations : 0;
	pthread_rwlock_unlock(&a->lock);
	return operations;
}

int
access_roles(const char *data, struct buf *out, struct error *err)
{
	struct file_id id;
	struct roles r;
	int rc = roles_read(data, &r, &id, err);

	if (rc == 0)
		roles_append_json(&r, out);
	roles_release(&r);
	return rc;
}

/* The administration of bindings.json: access_grant, access_revoke, access_list. */

static int
access_start(struct edit *e, const struct binding *b, struct error *err)
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
access_check_pattern(const struct edit *e, struct error *err)
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
access_is_same(const struct edit *e, const struct binding_json *one)
{
	return strcmp(one->role, e->b->role) == 0 &&
	    strcmp(one->principal, e->principal) == 0 && one->pattern == e->pattern &&
	    (one->path == NULL || strcmp(one->path, e->b->pattern) == 0);
}

/* Note which of the edits are about that binding: 1: some; 0: none; -1. */
static int
access_note(struct edits *all, const json_t *item, size_t place, struct error *err)
{
	struct binding_json one;
	size_t i;
	int any = 0;

	if (binding_json_read(item, place, &one, err) != 0)
		return -1;
	for (i = 0; i < all->count; i++) {
		if (access_is_same(&all->items[i], &one)) {
			all->items[i].found = true;
			any = 1;
		}
	}
	return any;
}

static json_t *
access_make(const struct edit *e)
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
	if ((one = access_make(e)) == NULL || json_array_append_new(list, one) != 0)
		return error_memory(err);
	/* The same may have been asked for twice. */
	return access_note(all, one, n, err);
}

/* It may be tried again on what somebody else has made of the list meanwhile. */
static void
edits_forget(struct edits *all)
{
	for (size_t i = 0; i < all->count; i++)
		all->items[i].found = false;
}

/* A failure at any of them leaves the file as it is. */
static int
access_add(void *cookie, json_t *root, struct error *err)
{
	struct edits *all = cookie;
	json_t *list, *item;
	size_t i;
	int changed = 0;

	edits_forget(all);
	if (json_object_get(root, "bindings") == NULL &&
	    json_object_set_new(root, "bindings", json_array()) != 0)
		return error_memory(err);
	if ((list = binding_json_list(root, err)) == NULL)
		return -1;
	json_array_foreach(list, i, item) {
		if (access_note(all, item, i, err) == -1)
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
access_cut(void *cookie, json_t *root, struct error *err)
{
	struct edits *all = cookie;
	json_t *list = NULL;
	size_t i;

	edits_forget(all);
	if (json_object_get(root, "bindings") != NULL &&
	    (list = binding_json_list(root, err)) == NULL)
		return -1;
	/* From the end, so that a removal moves none that is still to come. */
	for (i = json_array_size(list); i > 0; i--) {
		int found = access_note(all, json_array_get(list, i - 1), i - 1, err);

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
		if (access_start(&all->items[i], &b[i], err) != 0)
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

	for (i = 0; i < n && rc == 0; i++) {
		rc = access_check_pattern(&all.items[i], err);
		if (rc == 0 && strncmp(all.items[i].principal, "Group:", 6) == 0) {
			rc = error_set(err, ERROR_USAGE, "there are no groups: a role of one "
			    "would be nobody's");
			error_hint(err, "grant the role to each principal");
		}
	}
	if (rc == 0)
		rc = check_roles(&all, data, err);
	if (rc == 0)
		rc = data_file_edit(data, BINDINGS_FILE, access_add, &all, err);
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
		rc = data_file_edit(data, BINDINGS_FILE, access_cut, &all, err);
	free(all.items);
	return rc;
}

int
access_list(const char *data, void (*visit)(void *cookie, const struct binding *b), void *cookie,
    struct error *err)
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
