#include "registry/auth/access.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "base/error.h"
#include "file/file.h"
#include "registry/auth/bindings.h"
#include "registry/auth/operation.h"
#include "registry/auth/roles.h"
#include "registry/base/data_file.h"
#include "registry/base/watch.h"

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
	struct tables *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		error_memory(err);
		return NULL;
	}
	if (roles_read(a->data, &t->roles, &a->roles_id, err) == 0)
		t->bindings = bindings_read(a->data, &t->roles, &a->bindings_id, err);
	if (t->bindings != NULL)
		return t;
	tables_free(t);
	return NULL;
}

/* Take the files over; the old stay in force on failure.  The caller looks. */
static int
load(struct access *a, struct error *err)
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
	return file_identify(path, &now, NULL) != 0 || !file_id_equal(&now, id);
}

static void
refresh(struct access *a)
{
	if (!watch_begin(&a->watch))
		return;
	if (has_changed(a->bindings_path, &a->bindings_id) ||
	    has_changed(a->roles_path, &a->roles_id))
		(void)load(a, NULL);
	watch_end(&a->watch);
}

struct access *
access_open(const char *data, struct error *err)
{
	struct access *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		error_memory(err);
		return NULL;
	}
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
	rc = load(a, err);
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

void
access_roles_default(struct buf *out)
{
	struct roles r;

	roles_builtin(&r);
	roles_append_json(&r, out);
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
