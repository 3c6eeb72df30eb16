#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/log/log.h"
#include "registry/log/log_index.h"
#include "registry/log/log_sqlite_internal.h"
#include "registry/log/sqlite_db.h"

int
sqlite_append_run(sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);
	int reset = sqlite3_reset(s);

	return rc == SQLITE_DONE || reset == SQLITE_OK ? rc : reset;
}

int
sqlite_append_usable(const struct log_sqlite *l, struct error *err)
{
	if (!l->lost)
		return 0;
	error_set(err, ERROR_IO, "the log failed and must be opened again");
	return error_place(err, l->path, 0);
}

static int
sqlite_append_fail(struct log_sqlite *l, int rc, struct error *err)
{
	return sqlite_db_error(l->db, rc, l->path, "cannot append to the log", err);
}

/* 1: the record at ${offset} has this key. */
static int
key_is_at(struct log_sqlite *l, uint64_t offset, const void *key, size_t len,
    struct error *err)
{
	sqlite3_stmt *s = l->statements[STATEMENT_KEY_AT];
	int rc, same;

	sqlite3_bind_int64(s, 1, (sqlite3_int64)offset);
	rc = sqlite3_step(s);
	same = rc == SQLITE_ROW && (size_t)sqlite3_column_bytes(s, 0) == len &&
	    memcmp(sqlite3_column_blob(s, 0), key, len) == 0;
	sqlite3_reset(s);
	if (rc == SQLITE_ROW)
		return same;
	return rc != SQLITE_DONE ? sqlite_append_fail(l, rc, err) :
	    sqlite_db_damaged(l->path, "a record of the log is gone", err);
}

int
sqlite_append_find(struct log_sqlite *l, const void *key, size_t len,
    uint32_t hash, uint64_t *offset, struct error *err)
{
	size_t step = 0;
	int found = 0;

	while (found == 0 && log_index_find(l->index, hash, &step, offset))
		found = key_is_at(l, *offset, key, len, err);
	return found;
}

static int
sqlite_append_insert(struct log_sqlite *l, uint64_t offset, const struct log_record *r)
{
	sqlite3_stmt *s = l->statements[STATEMENT_INSERT_RECORD];

	/* Bound until the next record, but never read in between. */
	sqlite3_bind_int64(s, 1, (sqlite3_int64)offset);
	sqlite3_bind_blob(s, 2, r->key, (int)r->key_len, SQLITE_STATIC);
	sqlite3_bind_blob(s, 3, r->value, (int)r->value_len, SQLITE_STATIC);
	return sqlite_append_run(s);
}

/* One record into the open transaction, and what it does to the index. */
static int
sqlite_append_put(struct log_sqlite *l, uint64_t offset, const struct log_record *r,
    struct sqlite_change *c, struct error *err)
{
	uint64_t old;
	int found, rc;

	c->hash = log_index_hash(l->index, r->key, r->key_len);
	c->dropped = c->put = NO_OFFSET;
	found = sqlite_append_find(l, r->key, r->key_len, c->hash, &old, err);
	if (found == -1)
		return -1;
	if (found == 1) {
		sqlite3_bind_int64(l->statements[STATEMENT_DELETE_RECORD], 1, (sqlite3_int64)old);
		rc = sqlite_append_run(l->statements[STATEMENT_DELETE_RECORD]);
		if (rc != SQLITE_DONE)
			return sqlite_append_fail(l, rc, err);
		log_index_drop(l->index, c->hash, old);
		c->dropped = old;
	}
	if (r->value != NULL) {
		rc = sqlite_append_insert(l, offset, r);
		if (rc != SQLITE_DONE)
			return sqlite_append_fail(l, rc, err);
		log_index_put(l->index, c->hash, offset);
		c->put = offset;
	}
	return 0;
}

static void
sqlite_append_undo(struct log_sqlite *l, size_t n)
{
	while (n-- > 0) {
		const struct sqlite_change *c = &l->changes[n];

		if (c->put != NO_OFFSET)
			log_index_drop(l->index, c->hash, c->put);
		if (c->dropped != NO_OFFSET)
			log_index_put(l->index, c->hash, c->dropped);
	}
}

/* End a transaction that is still open.  -1: it cannot be ended. */
static int
rollback(struct log_sqlite *l)
{
	if (!sqlite3_get_autocommit(l->db))
		(void)sqlite_append_run(l->statements[STATEMENT_ROLLBACK]);
	return sqlite3_get_autocommit(l->db) ? 0 : -1;
}

static int
set_next(struct log_sqlite *l, uint64_t next)
{
	sqlite3_bind_int64(l->statements[STATEMENT_SET_NEXT], 1, (sqlite3_int64)next);
	return sqlite_append_run(l->statements[STATEMENT_SET_NEXT]);
}

/* Is the batch of which the last record was to get ${last} in the file, as
 * this connection sees it?  -1: it cannot be read. */
static int
sqlite_append_is_there(struct log_sqlite *l, uint64_t last)
{
	sqlite3_stmt *s = l->statements[STATEMENT_KEY_AT];
	int there, rc;

	sqlite3_bind_int64(s, 1, (sqlite3_int64)last);
	rc = sqlite3_step(s);
	there = rc == SQLITE_ROW;
	sqlite3_reset(s);
	if (rc == SQLITE_DONE) {
		s = l->statements[STATEMENT_META];
		rc = sqlite3_step(s);
		there = rc == SQLITE_ROW && sqlite3_column_int64(s, 0) > (sqlite3_int64)last;
		sqlite3_reset(s);
	}
	return rc == SQLITE_ROW ? there : -1;
}

/*
 * A commit failed.  Usually nothing of it will ever be seen; but when the sync
 * is what failed, all of it may stand in the write-ahead log, for whoever
 * reads that after a crash.  A transaction that succeeds now goes over it in
 * the same place.  When that fails too, nobody knows.
 * 0: committed after all; -1: not, or not known (ERROR_STALE).
 */
static int
sqlite_append_settle(struct log_sqlite *l, int rc, size_t n, struct error *err)
{
	int code = sqlite_db_errno(l->db, rc);
	/* The last write, which makes it a commit, did not come about. */
	bool refused = rc == SQLITE_FULL || (rc & 0xff) != SQLITE_IOERR ||
	    (rc == SQLITE_IOERR_WRITE && (code == ENOSPC || code == EDQUOT || code == EFBIG));
	int there;

	sqlite_append_fail(l, rc, err);
	l->lost = rollback(l) == -1;
	there = l->lost ? -1 : sqlite_append_is_there(l, l->next + n - 1);
	if (there == 0 && refused)
		return -1;
	/* Whatever comes next must not share an offset with what may turn up. */
	l->next += n;
	if (there != -1 && set_next(l, l->next) == SQLITE_DONE)
		return there == 1 ? 0 : -1;
	if (there != 0)
		l->lost = true;
	if (err != NULL)
		err->code = ERROR_STALE;
	return -1;
}

/* Everything before the commit. */
static int
sqlite_append_write_batch(struct log_sqlite *l, const struct log_record *batch, size_t n,
    size_t *done, struct error *err)
{
	int rc = sqlite_append_run(l->statements[STATEMENT_BEGIN]);

	if (rc != SQLITE_DONE)
		return sqlite_append_fail(l, rc, err);
	for (; *done < n; ++*done) {
		if (sqlite_append_put(l, l->next + *done, &batch[*done], &l->changes[*done],
		    err) == -1) {
			/* What of it had been done is undone with the others. */
			++*done;
			return -1;
		}
	}
	/* A row tells its offset; what is not there must be told of. */
	if (batch[n - 1].value == NULL) {
		rc = set_next(l, l->next + n);
		if (rc != SQLITE_DONE)
			return sqlite_append_fail(l, rc, err);
	}
	return 0;
}

/* What can fail without anything having been done. */
static int
make_ready(struct log_sqlite *l, size_t n, struct error *err)
{
	struct sqlite_change *more;
	int moved = 0;

	if (sqlite_append_usable(l, err) == -1)
		return -1;
	if (rollback(l) == -1) {
		l->lost = true;
		return sqlite_append_usable(l, err);
	}
	if (n > INT64_MAX - l->next)
		return error_set(err, ERROR_LIMIT, "the log has no offsets left");
	/* Nobody would ever find what is written to a file without a name. */
	if (sqlite3_file_control(l->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	    moved) {
		error_set(err, ERROR_IO, "the log's file was removed or replaced while in use");
		error_place(err, l->path, 0);
		return error_hint(err, "put it back, or start the registry again");
	}
	if (n > l->changes_max) {
		more = reallocarray(l->changes, n, sizeof(*more));
		if (more == NULL)
			return error_memory(err);
		l->changes = more;
		l->changes_max = n;
	}
	return log_index_reserve(l->index, n, err);
}

static int
sqlite_append_append(struct log_sqlite *l, const struct log_record *batch, size_t n,
    uint64_t *first, struct error *err)
{
	uint64_t at = l->next;
	size_t done = 0;
	int rc;

	if (make_ready(l, n, err) == -1)
		return -1;
	if (sqlite_append_write_batch(l, batch, n, &done, err) == -1) {
		sqlite_append_undo(l, done);
		l->lost = rollback(l) == -1;
		return -1;
	}
	rc = sqlite_append_run(l->statements[STATEMENT_COMMIT]);
	if (rc != SQLITE_DONE && sqlite_append_settle(l, rc, n, err) == -1) {
		sqlite_append_undo(l, n);
		return -1;
	}
	*first = at;
	l->next = at + n;
	return 0;
}

int
sqlite_append(void *self, const struct log_record *batch, size_t n,
    uint64_t *first, struct error *err)
{
	struct log_sqlite *l = self;
	int result;

	pthread_mutex_lock(&l->mutex);
	result = sqlite_append_append(l, batch, n, first, err);
	pthread_mutex_unlock(&l->mutex);
	return result;
}
