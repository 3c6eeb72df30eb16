#include <jansson.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "registry/auth/access.h"
#include "registry/base/data_records.h"
#include "registry/database/database.h"
#include "registry/service/service.h"
#include "registry/store/store.h"

#define CHUNK_BYTES ((size_t)256 << 10)	/* of one action, about; see STORE_VALUE_MAX */
#define LOCK_MS 10000
#define BY "User:propseal"

struct service_records {
	struct data_records calls;
	struct store *store;
	bool due;		/* the files are to be looked at */
	bool told;		/* ... and why they were not taken is told */
	bool marked;		/* DATA/in-topic is there */
};

/* --- what data_file.h goes through --- */

static uint64_t
on_stamp(void *cookie)
{
	const struct service_records *r = cookie;

	return store_access_stamp(r->store);
}

/* Of the node that leads the files are taken over. */
static int
on_may_edit_files(void *cookie, struct error *err)
{
	const struct service_records *r = cookie;
	struct store_log_state l;

	store_log_state(r->store, &l);
	if (l.role == LOG_LEADER)
		return 0;
	return l.leader[0] == '\0' ? error_set(err, ERROR_BUSY, "no node leads now") :
	    error_set(err, ERROR_BUSY, "another node leads: %s", l.leader);
}

static int
read_database(void *database, enum data_kind kind, data_record_visit_fn *visit,
    void *visit_cookie, struct error *err)
{
	return store_access_read(database, kind, kind == DATA_BINDINGS, visit, visit_cookie, err);
}

static int
on_read(void *cookie, enum data_kind kind, data_record_visit_fn *visit, void *visit_cookie,
    struct error *err)
{
	const struct service_records *r = cookie;

	return read_database(store_database(r->store), kind, visit, visit_cookie, err);
}

static int
on_write(void *cookie, enum data_kind kind, const struct data_record *records, size_t n,
    struct error *err)
{
	const struct service_records *r = cookie;
	struct store_op op;
	int rc;

	store_op_init(&op, STORE_ACCESS);
	op.by = BY;
	for (size_t i = 0; i < n; i++)
		store_access_add(&op, kind, records[i].name, records[i].was, records[i].value,
		    false);
	rc = store_access_run(r->store, &op, err);
	store_op_release(&op);
	return rc;
}

struct service_records *
records_begin(const char *data, struct store *s, struct error *err)
{
	struct service_records *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	r->calls = (struct data_records){ data, r, on_stamp, on_may_edit_files, on_read, on_write };
	r->store = s;
	r->due = true;
	data_records_use(&r->calls);
	return r;
}

void
records_end(struct service_records *r)
{
	if (r == NULL)
		return;
	data_records_use(NULL);
	free(r);
}

void
records_due(struct service_records *r)
{
	r->due = true;
	r->told = false;
}

/* --- the files of the time before --- */

struct taking {
	struct service_records *r;
	enum data_kind kind;
	struct store_op op;
	size_t count;
};

static int
taking_send(struct taking *t, struct error *err)
{
	int rc = t->count > 0 ? store_access_run(t->r->store, &t->op, err) : 0;

	store_op_release(&t->op);
	store_op_init(&t->op, STORE_ACCESS);
	t->op.by = BY;
	t->count = 0;
	return rc;
}

/* ${value} NULL: it goes. */
static int
taking_add(struct taking *t, const char *name, const char *value, struct error *err)
{
	store_access_add(&t->op, t->kind, name, NULL, value, true);
	t->count++;
	return t->op.value.len < CHUNK_BYTES ? 0 : taking_send(t, err);
}

static int
take_record(void *taking, const char *name, const char *value, size_t n, struct error *err)
{
	(void)n;
	return taking_add(taking, name, value, err);
}

/* What is left of another attempt. */
static int
take_away(void *taking, const char *name, const char *value, size_t n, struct error *err)
{
	(void)value, (void)n;
	return taking_add(taking, name, NULL, err);
}

static int
take_file(struct taking *t, struct error *err)
{
	char *path = data_file_path(t->r->calls.data, data_kind_file(t->kind), err);
	const char *paths[1] = { path };
	struct lock *lock = NULL;
	json_t *root = NULL;
	struct file_id id;
	int rc = -1;

	/* Whoever was changing it when it was marked has done so. */
	if (path != NULL && (lock = lock_files(paths, 1, LOCK_MS, NULL, NULL, err)) != NULL &&
	    data_file_read(path, DATA_FILE_MAX, &root, &id, err) == 0)
		rc = root != NULL ? data_records_of(t->kind, root, take_record, t, err) : 0;
	json_decref(root);
	lock_release(lock);
	free(path);
	return rc;
}

static int
records_mark(struct service_records *r, struct error *err)
{
	static const char text[] = "The users, tokens, bindings and roles of this registry are "
	    "records of its topic.\n";
	char *path;
	struct buf content;
	int rc;

	if (r->marked)
		return 0;
	if ((path = data_file_path(r->calls.data, DATA_FILE_MARK, err)) == NULL)
		return -1;
	buf_init(&content, sizeof(text));
	buf_append(&content, text, sizeof(text) - 1);
	rc = replace_file_locked(path, LOCK_MS, &content, err);
	buf_release(&content);
	free(path);
	r->marked = rc == 0;
	return rc;
}

static int
take_all(struct service_records *r, struct error *err)
{
	struct taking t = { .r = r };
	int rc = 0;

	store_op_init(&t.op, STORE_ACCESS);
	t.op.by = BY;
	for (unsigned k = DATA_USERS; k < DATA_KINDS && rc == 0; k++) {
		t.kind = (enum data_kind)k;
		rc = store_access_read(store_database(r->store), k, false, take_away, &t, err);
		if (rc == 0)
			rc = taking_send(&t, err);
		if (rc == 0)
			rc = take_file(&t, err);
	}
	/* The last one puts them in force. */
	if (rc == 0) {
		store_access_add(&t.op, ACCESS_TAKEN, "taken", NULL, "true", true);
		t.count++;
		rc = taking_send(&t, err);
	}
	store_op_release(&t.op);
	return rc;
}

struct administrators_look {
	struct roles roles;
	bool any;
};

static void
look_for_administrator(void *cookie, const struct binding *b)
{
	struct administrators_look *l = cookie;

	l->any |= b->pattern == NULL && roles_administers(roles_find(&l->roles, b->role));
}

/* Is there somebody in the files who could change anything afterwards?  1, 0, -1. */
static int
has_administrator(const char *data, struct error *err)
{
	struct administrators_look l = { .any = false };
	struct file_id id;
	int rc = roles_read(data, &l.roles, &id, err);

	if (rc == 0)
		rc = access_list(data, look_for_administrator, &l, err);
	roles_release(&l.roles);
	return rc != 0 ? -1 : l.any;
}

int
records_step(struct service_records *r, struct error *err)
{
	struct store_log_state l;
	int rc;

	if (store_access_stamp(r->store) != 0) {
		r->due = false;
		return records_mark(r, err) == 0 || r->told ? 0 : (r->told = true, -1);
	}
	store_log_state(r->store, &l);
	if (!r->due || l.role != LOG_LEADER)
		return 0;
	rc = has_administrator(r->calls.data, err);
	if (rc == 0) {
		r->due = false;
		return 0;
	}
	/* Marked first, so that nobody changes a file that was read already. */
	if (rc == 1 && records_mark(r, err) == 0 && take_all(r, err) == 0) {
		r->due = false;
		return 1;
	}
	if (r->told || err->code == ERROR_BUSY)
		return 0;
	r->told = true;
	return -1;
}

/* --- back --- */

/* Beside what else the file has. */
static int
fill_file(void *cookie, json_t *root, struct error *err)
{
	return json_object_update(root, cookie) == 0 ? 1 : error_memory(err);
}

static int
count_one(void *cookie, const char *name, const char *value, size_t n, struct error *err)
{
	(void)name, (void)value, (void)n, (void)err;
	++*(size_t *)cookie;
	return 0;
}

/* Without a record of a kind there is no such file: its absence may mean something. */
static int
remove_file(const char *data, const char *name, struct error *err)
{
	char *path = data_file_path(data, name, err);
	int rc = -1;

	if (path != NULL)
		rc = unlink(path) == 0 || errno == ENOENT ? 0 :
		    error_io(err, path, "cannot remove");
	free(path);
	return rc;
}

int
records_to_files(const char *data, struct database *d, struct error *err)
{
	const struct data_records from = { .cookie = d, .read = read_database };
	size_t taken = 0, count;
	enum data_kind kind;
	json_t *root;
	int rc;

	if (store_access_read(d, ACCESS_TAKEN, false, count_one, &taken, err) != 0 ||
	    remove_file(data, DATA_FILE_MARK, err) != 0)
		return -1;
	if (taken == 0)
		return 0;
	for (kind = DATA_USERS; kind < DATA_KINDS; kind++) {
		rc = data_records_root(&from, kind, &root, NULL, &count, err);
		if (rc == 0)
			rc = count > 0 ? data_file_edit(data, data_kind_file(kind), fill_file, root,
			    err) : remove_file(data, data_kind_file(kind), err);
		json_decref(root);
		if (rc != 0)
			return -1;
	}
	return database_exec(database_writer(d), "DELETE FROM access", database_path(d), err);
}
