#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/error.h"
#include "registry/base/data_file.h"
#include "registry/store/record.h"
#include "registry/store/store_internal.h"
#include "registry/store/store_log.h"

/* Who may log in and do what, as rows that are in a topic, too. */

/* --- an action's rows --- */

enum access_was { WAS_ABSENT, WAS_THIS, WAS_ANYTHING };

struct access_row {
	uint32_t kind;
	const char *name, *was, *value;
	size_t name_len, was_len, value_len;
	enum access_was before;
	bool stays;			/* there is a value */
};

void
store_access_add(struct store_op *op, uint32_t kind, const char *name, const char *was,
    const char *value, bool anyway)
{
	struct buf *out = &op->value;

	record_put(out, (int64_t)kind);
	record_put_bytes(out, name, strlen(name));
	record_put(out, anyway ? WAS_ANYTHING : was != NULL ? WAS_THIS : WAS_ABSENT);
	record_put_bytes(out, was != NULL ? was : "", was != NULL ? strlen(was) : 0);
	record_put(out, value != NULL);
	record_put_bytes(out, value != NULL ? value : "", value != NULL ? strlen(value) : 0);
}

static bool
access_row_get(struct record_body *b, struct access_row *out)
{
	out->kind = (uint32_t)record_get(b);
	out->name = record_get_bytes(b, &out->name_len);
	out->before = (enum access_was)record_get(b);
	out->was = record_get_bytes(b, &out->was_len);
	out->stays = record_get(b) != 0;
	out->value = record_get_bytes(b, &out->value_len);
	return !b->bad;
}

/* Is the row as whoever changes it knew it?  1, 0, -1. */
static int
access_is_as_known(struct store *s, const struct access_row *row, struct error *err)
{
	sqlite3_stmt *look = s->log->statements[LOG_LOOK_ACCESS];
	const char *text;
	bool same;
	size_t n;
	int found;

	if (row->before == WAS_ANYTHING)
		return 1;
	database_bind(look, "it", (int64_t)row->kind, row->name, row->name_len);
	if ((found = database_next(look, s->path, err)) != 1)
		return found == -1 ? -1 : row->before == WAS_ABSENT;
	text = database_text(look, 0, &n);
	same = row->before == WAS_THIS && n == row->was_len && memcmp(text, row->was, n) == 0;
	(void)sqlite3_reset(look);
	return same;
}

int
access_put(struct store *s, uint32_t kind, const char *name, size_t name_len, const char *value,
    size_t n, struct error *err)
{
	sqlite3_stmt *w = s->log->statements[value != NULL ? LOG_PUT_ACCESS : LOG_DROP_ACCESS];
	int rc;

	if (value != NULL)
		database_bind(w, "itt", (int64_t)kind, name, name_len, value, n);
	else
		database_bind(w, "it", (int64_t)kind, name, name_len);
	rc = database_run(w, s->path, err);
	s->access_touched |= rc == 0;
	return rc;
}

int
access_decide(struct store *s, struct store_op *op, struct error *err)
{
	struct record_body b = { op->value.data, op->value.len, false };
	struct access_row row;
	int same = 1;

	if (s->log == NULL) {
		op->result = STORE_FAILED;
		error_set(&op->err, ERROR_REFUSED, "there is no topic");
		return 0;
	}
	if (buf_check(&op->value, &op->err) != 0) {
		op->result = STORE_FAILED;
		return 0;
	}
	while (same == 1 && b.left > 0 && access_row_get(&b, &row))
		same = access_is_as_known(s, &row, err);
	if (same != 1) {
		op->result = STORE_CAS_MISMATCH;
		return same;
	}
	b = (struct record_body){ op->value.data, op->value.len, false };
	while (b.left > 0 && access_row_get(&b, &row)) {
		if (access_put(s, row.kind, row.name, row.name_len,
		    row.stays ? row.value : NULL, row.value_len, err) != 0)
			return -1;
	}
	return 1;
}

/* --- what is in force --- */

void
access_committed(struct store *s)
{
	sqlite3_stmt *r = database_prepare(database_writer(s->db), "SELECT count(*) FROM access "
	    "WHERE kind=0", s->path, NULL);
	uint64_t stamp = atomic_load(&s->access_stamp);
	int64_t n = 0;

	s->access_touched = false;
	if (r != NULL && database_number(r, &n, s->path, NULL) == 0)
		atomic_store(&s->access_stamp, n > 0 ? stamp + 1 : 0);
	(void)sqlite3_finalize(r);
	data_file_changed();
}

uint64_t
store_access_stamp(const struct store *s)
{
	return atomic_load(&s->access_stamp);
}

int
store_access_read(struct database *d, uint32_t kind, bool by_value,
    int (*visit)(void *cookie, const char *name, const char *value, size_t n,
    struct error *err), void *cookie, struct error *err)
{
	const char *path = database_path(d);
	sqlite3 *db = database_reader(d, err);
	sqlite3_stmt *r = NULL;
	const char *value;
	size_t n;
	int found = -1;

	if (db != NULL && (r = database_prepare(db, by_value ?
	    "SELECT name,value FROM access WHERE kind=? ORDER BY value" :
	    "SELECT name,value FROM access WHERE kind=? ORDER BY name", path, err)) != NULL) {
		database_bind(r, "i", (int64_t)kind);
		while ((found = database_next(r, path, err)) == 1) {
			value = database_text(r, 1, &n);
			if (visit(cookie, database_text(r, 0, NULL), value, n, err) != 0) {
				found = -1;
				break;
			}
		}
	}
	(void)sqlite3_finalize(r);
	(void)sqlite3_close(db);
	return found;
}

/* --- one change from elsewhere --- */

struct access_wait {
	pthread_mutex_t mutex;
	pthread_cond_t told;
	bool done;
};

static void
access_done(struct store_op *op)
{
	struct access_wait *w = op->cookie;

	(void)pthread_mutex_lock(&w->mutex);
	w->done = true;
	(void)pthread_cond_signal(&w->told);
	(void)pthread_mutex_unlock(&w->mutex);
}

int
store_access_run(struct store *s, struct store_op *op, struct error *err)
{
	struct access_wait w = { .done = false };

	(void)pthread_mutex_init(&w.mutex, NULL);
	(void)pthread_cond_init(&w.told, NULL);
	op->done = access_done;
	op->cookie = &w;
	store_submit(s, op);
	(void)pthread_mutex_lock(&w.mutex);
	while (!w.done)
		(void)pthread_cond_wait(&w.told, &w.mutex);
	(void)pthread_mutex_unlock(&w.mutex);
	op->cookie = NULL;
	(void)pthread_cond_destroy(&w.told);
	(void)pthread_mutex_destroy(&w.mutex);
	switch (op->result) {
	case STORE_DONE:
		return 0;
	case STORE_CAS_MISMATCH:
		return error_set(err, ERROR_STALE, "another change came between");
	case STORE_UNKNOWN:
		return error_set(err, ERROR_UNKNOWN, "it is not known whether this was written: "
		    "%.700s", op->err.text);
	default:
		*err = op->err;
		return -1;
	}
}
