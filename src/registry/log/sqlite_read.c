#include "base/error.h"
#include "registry/log/log.h"
#include "registry/log/log_sqlite_internal.h"
#include "registry/log/sqlite_db.h"

const void *
sqlite_read_blob(sqlite3_stmt *s, int i)
{
	const void *bytes = sqlite3_column_blob(s, i);

	/* SQLite has no pointer for a blob of no bytes. */
	return bytes != NULL ? bytes : "";
}

static int
visit_rows(struct log_sqlite *l, sqlite3_stmt *s, log_visit *visit, void *cookie,
    struct error *err)
{
	int rc;

	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct log_record r = {
			.key = sqlite_read_blob(s, 1),
			.key_len = (size_t)sqlite3_column_bytes(s, 1),
			.value = sqlite_read_blob(s, 2),
			.value_len = (size_t)sqlite3_column_bytes(s, 2),
		};

		if (visit(cookie, (uint64_t)sqlite3_column_int64(s, 0), &r, err) != 0)
			return -1;
	}
	return rc == SQLITE_DONE ? 0 :
	    sqlite_db_error(l->db, rc, l->path, "cannot read the log", err);
}

int
sqlite_read(void *self, uint64_t from, log_visit *visit, void *cookie,
    struct error *err)
{
	struct log_sqlite *l = self;
	sqlite3_stmt *s = l->statements[STATEMENT_READ_FROM];
	int result;

	pthread_mutex_lock(&l->mutex);
	result = sqlite_append_usable(l, err);
	if (result == 0 && from < l->next) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)from);
		result = visit_rows(l, s, visit, cookie, err);
		sqlite3_reset(s);
	}
	pthread_mutex_unlock(&l->mutex);
	return result;
}

int
sqlite_read_end(void *self, uint64_t *end, struct error *err)
{
	struct log_sqlite *l = self;

	(void)err;
	pthread_mutex_lock(&l->mutex);
	*end = l->next;
	pthread_mutex_unlock(&l->mutex);
	return 0;
}

int
sqlite_read_meta(struct log_sqlite *l, uint64_t *next, uint64_t *epoch, struct error *err)
{
	sqlite3_stmt *s = l->statements[STATEMENT_META];
	int rc = sqlite3_step(s);
	sqlite3_int64 n = sqlite3_column_int64(s, 0), e = sqlite3_column_int64(s, 1);

	sqlite3_reset(s);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_db_error(l->db, rc, l->path, "cannot read the log", err);
	if (rc == SQLITE_DONE || n < 0 || e < 0)
		return sqlite_db_damaged(l->path, "the log's table meta is not as it should be",
		    err);
	*next = (uint64_t)n;
	*epoch = (uint64_t)e;
	return 0;
}
