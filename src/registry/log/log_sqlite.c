#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "file/lock.h"
#include "registry/log/log.h"
#include "registry/log/log_sqlite.h"
#include "registry/log/log_sqlite_internal.h"

#define STEP_PAGES 256		/* copied while appends wait: 1 MB */
#define PAUSE_NS 500000L	/* for appends to come in between */

/* A column's bytes, never NULL. */
static const void *
sqlite_read_blob(sqlite3_stmt *s, int i)
{
	const void *bytes = sqlite3_column_blob(s, i);

	/* SQLite has no pointer for a blob of no bytes. */
	return bytes != NULL ? bytes : "";
}

static int
visit_rows(struct log_sqlite *l, sqlite3_stmt *s, log_visit *visit, void *cookie, struct error *err)
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

/* -1: a commit failed in such a way that what this connection sees may not be
 * what the file will be. */
static int
sqlite_append_usable(const struct log_sqlite *l, struct error *err)
{
	if (!l->lost)
		return 0;
	error_set(err, ERROR_IO, "the log failed and must be opened again");
	return error_place(err, l->path, 0);
}

static int
sqlite_read(void *self, uint64_t from, log_visit *visit, void *cookie, struct error *err)
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

static int
sqlite_read_end(void *self, uint64_t *end, struct error *err)
{
	struct log_sqlite *l = self;

	(void)err;
	pthread_mutex_lock(&l->mutex);
	*end = l->next;
	pthread_mutex_unlock(&l->mutex);
	return 0;
}

/* What the one row of meta says. */
static int
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

/* Run a statement that gives no row; its result code. */
static int
sqlite_append_run(sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);
	int reset = sqlite3_reset(s);

	return rc == SQLITE_DONE || reset == SQLITE_OK ? rc : reset;
}

static int
sqlite_append_fail(struct log_sqlite *l, int rc, struct error *err)
{
	return sqlite_db_error(l->db, rc, l->path, "cannot append to the log", err);
}

/* 1: the record at ${offset} has this key. */
static int
key_is_at(struct log_sqlite *l, uint64_t offset, const void *key, size_t len, struct error *err)
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

/**
 * sqlite_append_find(l, key, len, hash, offset, err):
 * 1: the key has a record, at ${*offset}; 0: it has none; -1: failed.
 */
static int
sqlite_append_find(struct log_sqlite *l, const void *key, size_t len, uint32_t hash,
    uint64_t *offset, struct error *err)
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

static int
sqlite_append(void *self, const struct log_record *batch, size_t n, uint64_t *first,
    struct error *err)
{
	struct log_sqlite *l = self;
	int result;

	pthread_mutex_lock(&l->mutex);
	result = sqlite_append_append(l, batch, n, first, err);
	pthread_mutex_unlock(&l->mutex);
	return result;
}

/* One row into the index: 0, or -1. */
static int
load_row(struct log_sqlite *l, sqlite3_stmt *s, struct error *err)
{
	sqlite3_int64 offset = sqlite3_column_int64(s, 0);
	const void *key = sqlite_read_blob(s, 1);
	size_t len = (size_t)sqlite3_column_bytes(s, 1);
	uint32_t hash = log_index_hash(l->index, key, len);
	uint64_t other;
	int found;

	if (offset < 0 || len == 0 || len > LOG_KEY_MAX || sqlite3_column_int(s, 2) != 1)
		return sqlite_db_damaged(l->path, "a record of the log is not as it should be",
		    err);
	found = sqlite_append_find(l, key, len, hash, &other, err);
	if (found == -1)
		return -1;
	if (found == 1)
		return sqlite_db_damaged(l->path, "the log has two records of one key", err);
	if (log_index_reserve(l->index, 1, err) == -1)
		return -1;
	log_index_put(l->index, hash, (uint64_t)offset);
	l->next = (uint64_t)offset + 1;
	return 0;
}

/* Fill the index, and find the next record's offset: that after the last
 * row, or what meta says when tombstones came later.  ERROR_DAMAGED. */
static int
sqlite_load(struct log_sqlite *l, struct error *err)
{
	sqlite3_stmt *s = sqlite_db_prepare(l->db, "SELECT offset,key,typeof(key)='blob' AND "
	    "typeof(value)='blob' AND length(value)<=1048576 FROM record ORDER BY offset",
	    l->path, err);
	uint64_t next, epoch;
	int rc;

	_Static_assert(LOG_VALUE_MAX == 1048576, "the limit in the statement");
	if (s == NULL)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (load_row(l, s, err) == -1) {
			sqlite3_finalize(s);
			return -1;
		}
	}
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return sqlite_db_error(l->db, rc, l->path, "cannot read the log", err);
	if (sqlite_read_meta(l, &next, &epoch, err) == -1)
		return -1;
	if (next > l->next)
		l->next = next;
	return 0;
}

/* What is appended meanwhile is in the copy, too. */
static int
sqlite_backup_copy(struct log_sqlite *l, sqlite3 *to, const char *path, struct error *err)
{
	const struct timespec pause = { 0, PAUSE_NS };
	sqlite3_backup *b;
	int rc = SQLITE_OK, end;

	pthread_mutex_lock(&l->mutex);
	b = sqlite3_backup_init(to, "main", l->db, "main");
	while (b != NULL && (rc = sqlite3_backup_step(b, STEP_PAGES)) == SQLITE_OK) {
		pthread_mutex_unlock(&l->mutex);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&l->mutex);
	}
	end = b != NULL ? sqlite3_backup_finish(b) : sqlite3_extended_errcode(to);
	pthread_mutex_unlock(&l->mutex);
	if (b != NULL && rc == SQLITE_DONE && end == SQLITE_OK)
		return 0;
	return sqlite_db_error(to, end != SQLITE_OK ? end : rc, path, "cannot back up the log",
	    err);
}

static int
back_up(struct log_sqlite *l, const struct path *p, const char *path, struct error *err)
{
	struct sqlite_aside aside = SQLITE_ASIDE_NONE;
	sqlite3 *to = NULL;
	int result = -1;

	if (sqlite_file_start(&aside, p, path, err) == -1)
		goto done;
	to = sqlite_db_open(aside.real, path, err);
	/* It is thrown away unless all of it succeeds, and synced at the end. */
	if (to == NULL || sqlite_db_run(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF",
	    path, err) == -1)
		goto done;
	if (sqlite_backup_copy(l, to, path, err) == -1 || sqlite_db_verify(to, path, err) == -1)
		goto done;
	if (sqlite3_close(to) == SQLITE_OK) {
		to = NULL;
		result = sqlite_file_finish(&aside, err);
	}
done:
	sqlite3_close(to);
	sqlite_file_drop(&aside);
	return result;
}

/* The ops of log.h. */
static int
sqlite_backup(void *self, const char *path, struct error *err)
{
	struct path place = PATH_NONE;
	struct lock *lock = NULL;
	struct file_id id;
	int result = -1;

	if (path_open(&place, path, err) == -1)
		goto done;
	if (path_identify(&place, &id) == -1) {
		error_io(err, path, "cannot look for the backup");
		goto done;
	}
	if (id.exists) {
		error_set(err, ERROR_EXISTS, "there is a file of this name");
		error_place(err, path, 0);
		goto done;
	}
	/* Two backups to one name. */
	lock = lock_files(&path, 1, 0, NULL, NULL, err);
	if (lock == NULL)
		goto done;
	result = back_up(self, &place, path, err);
done:
	lock_release(lock);
	path_close(&place);
	return result;
}

static const char *const statements[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_INSERT_RECORD] = "INSERT INTO record VALUES(?,?,?)",
	[STATEMENT_DELETE_RECORD] = "DELETE FROM record WHERE offset=?",
	[STATEMENT_KEY_AT] = "SELECT key FROM record WHERE offset=?",
	[STATEMENT_READ_FROM] =
	    "SELECT offset,key,value FROM record WHERE offset>=? ORDER BY offset",
	[STATEMENT_SET_NEXT] = "UPDATE meta SET next=? WHERE id=0",
	[STATEMENT_ADD_EPOCH] = "UPDATE meta SET epoch=epoch+1 WHERE id=0",
	[STATEMENT_META] = "SELECT next,epoch FROM meta WHERE id=0",
};

/* There is no second holder of the file, so nobody to be kept out. */
static int
log_sqlite_claim(void *self, const char *node, uint64_t *epoch, struct error *err)
{
	struct log_sqlite *l = self;
	uint64_t next;
	int result = -1;
	int rc;

	(void)node;
	pthread_mutex_lock(&l->mutex);
	if (sqlite_append_usable(l, err) == 0) {
		rc = sqlite_append_run(l->statements[STATEMENT_ADD_EPOCH]);
		if (rc != SQLITE_DONE)
			sqlite_db_error(l->db, rc, l->path, "cannot claim the log", err);
		else
			result = sqlite_read_meta(l, &next, epoch, err);
	}
	pthread_mutex_unlock(&l->mutex);
	return result;
}

static void
log_sqlite_free(void *self)
{
	struct log_sqlite *l = self;
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(l->statements[i]);
	sqlite3_close(l->db);
	lock_release(l->lock);
	path_close(&l->place);
	log_index_free(l->index);
	free(l->changes);
	free(l->path);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}

/* A whole new file, so that one without its header is never one of ours. */
static int
log_sqlite_create(struct log_sqlite *l, struct error *err)
{
	struct sqlite_aside aside = SQLITE_ASIDE_NONE;
	sqlite3 *db = NULL;
	int result = -1;

	if (sqlite_file_start(&aside, &l->place, l->path, err) == -1)
		goto done;
	db = sqlite_db_open(aside.real, l->path, err);
	if (db == NULL || sqlite_db_durable(db, l->path, err) == -1 ||
	    sqlite_db_create(db, l->path, err) == -1)
		goto done;
	if (sqlite3_close(db) == SQLITE_OK) {
		db = NULL;
		result = sqlite_file_finish(&aside, err);
	}
done:
	sqlite3_close(db);
	sqlite_file_drop(&aside);
	return result;
}

static int
log_sqlite_prepare(struct log_sqlite *l, struct error *err)
{
	size_t i;

	for (i = 0; i < STATEMENT_COUNT; i++) {
		l->statements[i] = sqlite_db_prepare(l->db, statements[i], l->path, err);
		if (l->statements[i] == NULL)
			return -1;
	}
	return 0;
}

static int
log_sqlite_open_file(struct log_sqlite *l, struct error *err)
{
	/* Unless all is well, what SQLite holds back beside the file stays there. */
	bool keep = sqlite_file_has_wal(&l->place);

	l->db = sqlite_db_open(l->place.real, l->path, err);
	if (l->db == NULL)
		return -1;
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, NULL);
	if (sqlite_db_durable(l->db, l->path, err) == -1 ||
	    sqlite_db_verify(l->db, l->path, err) == -1 || log_sqlite_prepare(l, err) == -1 ||
	    sqlite_load(l, err) == -1)
		return -1;
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return 0;
}

static int
take_lock(struct log_sqlite *l, struct error *err)
{
	const char *path = l->path;

	l->lock = lock_files(&path, 1, 0, NULL, NULL, err);
	if (l->lock != NULL)
		return 0;
	if (err != NULL && err->code == ERROR_BUSY)
		error_hint(err, "one process alone may serve a registry's file: "
		    "stop the other, or give this one a folder of its own");
	return -1;
}

static const struct log_ops ops = {
	.append = sqlite_append,
	.read = sqlite_read,
	.end = sqlite_read_end,
	.claim = log_sqlite_claim,
	.backup = sqlite_backup,
	.free = log_sqlite_free,
};

struct log *
log_sqlite_open(const char *path, struct error *err)
{
	struct log *log = calloc(1, sizeof(*log));
	struct log_sqlite *l = calloc(1, sizeof(*l));
	bool exists;

	if (log == NULL || l == NULL) {
		error_memory(err);
		free(l);
		free(log);
		return NULL;
	}
	log->ops = &ops;
	log->self = l;
	l->place = (struct path)PATH_NONE;
	pthread_mutex_init(&l->mutex, NULL);
	l->path = strdup(path);
	l->index = log_index_new(err);
	if (l->path == NULL)
		error_memory(err);
	if (l->path == NULL || l->index == NULL || take_lock(l, err) == -1 ||
	    path_open(&l->place, path, err) == -1 ||
	    sqlite_file_check(&l->place, path, &exists, err) == -1 ||
	    (!exists && log_sqlite_create(l, err) == -1) || log_sqlite_open_file(l, err) == -1) {
		log_free(log);
		return NULL;
	}
	return log;
}
