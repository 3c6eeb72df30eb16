#include <sys/statvfs.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "file/file.h"
#include "file/lock.h"
#include "registry/database/database_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define STRING(x) STRING_OF(x)
#define STRING_OF(x) #x

/*
 * One process alone: it holds the file's lock from the first use on, and the
 * index of the write-ahead log is in its memory instead of a file.
 */
#define VFS "unix-excl"

/*
 * A checkpoint after 1000 pages syncs the file each 4 MB.  The log of pages
 * is kept at its size, which makes the syncs of commits cheaper; one that a
 * great batch made larger is cut.
 */
#define DURABLE "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;" \
	"PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=67108864"

#define BACKUP_PAGES 256
#define BUSY_MS 2000
#define RESERVE_MAX ((uint64_t)16 << 20)	/* bytes of the disk, ... */
#define RESERVE_SHARE 4				/* or a quarter of it */

/*
 * secret: a version each; offset is that of its creation.  state: 0 live, 1
 * expired, 2 deleted; due: since when it is, or when a live one will expire.  A
 * number up to the key's highest that has no row is destroyed.  setting: of
 * keys that have any, and of those of which the highest number is destroyed.
 * keyring: its text is 0; 1 is room for it, and 2, of a node of a topic, who leads.
 * change: what was done at each offset, the last ones only.  idempotency: by
 * the offset of the version that was made.  audit: a row holds the events that
 * were handed in together, as audit/audit_row.c writes them, under the number of
 * their first line; hash is that of their last line.
 */
static const char *const tables[][2] = {
	{ "secret", "CREATE TABLE secret(offset INTEGER PRIMARY KEY,path TEXT NOT NULL,"
	    "key TEXT NOT NULL,version INTEGER NOT NULL,state INTEGER NOT NULL,due INTEGER,"
	    "created INTEGER NOT NULL,principal TEXT NOT NULL,expires INTEGER,deleter TEXT,"
	    "sealed BLOB NOT NULL,UNIQUE(path,key,version)) STRICT" },
	{ "sqlite_autoindex_secret_1", NULL },
	{ "secret_due", "CREATE INDEX secret_due ON secret(state,due) WHERE due IS NOT NULL" },
	{ "setting", "CREATE TABLE setting(path TEXT NOT NULL,key TEXT NOT NULL,"
	    "high INTEGER NOT NULL,max_versions INTEGER NOT NULL,cas_required INTEGER NOT NULL,"
	    "custom TEXT NOT NULL,mcas INTEGER NOT NULL,updated INTEGER NOT NULL,"
	    "updater TEXT NOT NULL,PRIMARY KEY(path,key)) STRICT,WITHOUT ROWID" },
	{ "idempotency", "CREATE TABLE idempotency(offset INTEGER PRIMARY KEY,"
	    "digest BLOB NOT NULL UNIQUE,content BLOB NOT NULL) STRICT" },
	{ "sqlite_autoindex_idempotency_1", NULL },
	{ "change", "CREATE TABLE change(offset INTEGER PRIMARY KEY,at INTEGER NOT NULL,"
	    "path TEXT NOT NULL,key TEXT NOT NULL,version INTEGER NOT NULL,"
	    "what INTEGER NOT NULL) STRICT" },
	{ "keyring", "CREATE TABLE keyring(id INTEGER PRIMARY KEY,text TEXT NOT NULL) STRICT" },
	{ "audit", "CREATE TABLE audit(seq INTEGER PRIMARY KEY,start INTEGER NOT NULL,"
	    "lines INTEGER NOT NULL,events BLOB NOT NULL,hash BLOB NOT NULL) STRICT" },
	{ "start", "CREATE TABLE start(number INTEGER PRIMARY KEY,style BLOB NOT NULL) STRICT" },
	{ "meta", "CREATE TABLE meta(name TEXT PRIMARY KEY,value INTEGER NOT NULL) "
	    "STRICT,WITHOUT ROWID" },
};

/* One more, of a node of a topic: users, tokens, bindings and roles.  The last one, so
 * that a database without it is as it always was. */
static const char *const access_table[2] = {
	"access", "CREATE TABLE access(kind INTEGER NOT NULL,name TEXT NOT NULL,"
	    "value TEXT NOT NULL,PRIMARY KEY(kind,name)) STRICT,WITHOUT ROWID"
};

struct database {
	char *path;			/* as given, for errors */
	struct path place;
	struct lock *lock;
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *settle;
	bool unsettled;			/* a commit's outcome is not known */
	bool lost;			/* a transaction could not even be rolled back */
};

int
database_damaged(const char *path, const char *what, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", what);
	error_place(err, path, 0);
	return error_hint(err, "put the last backup in its place with `propseal registry restore`");
}

/* A commit's failure is known to the file of the write-ahead log alone. */
static int
database_errno(sqlite3 *db, int rc)
{
	sqlite3_file *wal = NULL;
	int code = sqlite3_system_errno(db);

	if (rc != SQLITE_IOERR_WRITE && rc != SQLITE_IOERR_FSYNC)
		return code;
	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK &&
	    wal != NULL && wal->pMethods != NULL)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &code);
	return code;
}

/* Set the error for the result ${rc}: "<what>: ..." at ${path}.  Says nothing
 * of what is in the file.  Returns -1. */
static int
database_error(sqlite3 *db, int rc, const char *path, const char *what, struct error *err)
{
	int code = db != NULL ? database_errno(db, rc) : 0;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		error_set(err, ERROR_BUSY, "%s: another process has the file open", what);
		error_place(err, path, 0);
		return error_hint(err, "stop the other process: one alone may use the file");
	case SQLITE_NOMEM:
		return error_memory(err);
	case SQLITE_TOOBIG:
		error_set(err, ERROR_LIMIT, "%s: %s", what, sqlite3_errstr(rc));
		return error_place(err, path, 0);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return database_damaged(path, "the database is damaged", err);
	case SQLITE_FULL:
		errno = ENOSPC;
		return error_io(err, path, what);
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return error_memory(err);
		if (rc == SQLITE_IOERR_SHORT_READ)
			return database_damaged(path, "the database is cut short", err);
		break;
	default:
		break;
	}
	if (code != 0) {
		errno = code;
		return error_io(err, path, what);
	}
	error_set(err, ERROR_IO, "%s: %s", what, sqlite3_errstr(rc));
	return error_place(err, path, 0);
}

int
database_exec(sqlite3 *db, const char *sql, const char *path, struct error *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : database_error(db, rc, path, "cannot use the database", err);
}

/* --- statements --- */

sqlite3_stmt *
database_prepare(sqlite3 *db, const char *sql, const char *path, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL);

	if (rc != SQLITE_OK)
		database_error(db, rc, path, "cannot read the database", err);
	return s;
}

void
database_bind(sqlite3_stmt *s, const char *types, ...)
{
	const void *bytes;
	int64_t number;
	va_list ap;
	size_t n;

	va_start(ap, types);
	for (int i = 1; *types != '\0'; i++, types++) {
		switch (*types) {
		case 'i':
			(void)sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
			break;
		case 'z':
			number = va_arg(ap, int64_t);
			if (number != 0)
				(void)sqlite3_bind_int64(s, i, number);
			else
				(void)sqlite3_bind_null(s, i);
			break;
		case 't':
		case 'b':
			bytes = va_arg(ap, const void *);
			n = va_arg(ap, size_t);
			if (*types == 't')
				(void)sqlite3_bind_text64(s, i, bytes, n, SQLITE_STATIC,
				    SQLITE_UTF8);
			else
				(void)sqlite3_bind_blob64(s, i, bytes, n, SQLITE_STATIC);
			break;
		default:
			(void)sqlite3_bind_null(s, i);
			break;
		}
	}
	va_end(ap);
}

int
database_step_once(sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);
	int reset = sqlite3_reset(s);

	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_DONE : reset;
}

int
database_run(sqlite3_stmt *s, const char *path, struct error *err)
{
	int rc = database_step_once(s);

	return rc == SQLITE_DONE ? 0 :
	    database_error(sqlite3_db_handle(s), rc, path, "cannot write the database", err);
}

int
database_next(sqlite3_stmt *s, const char *path, struct error *err)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 1;
	(void)sqlite3_reset(s);
	return rc == SQLITE_DONE ? 0 :
	    database_error(sqlite3_db_handle(s), rc, path, "cannot read the database", err);
}

int
database_number(sqlite3_stmt *s, int64_t *out, const char *path, struct error *err)
{
	int found = database_next(s, path, err);

	*out = found == 1 ? sqlite3_column_int64(s, 0) : 0;
	(void)sqlite3_reset(s);
	return found == -1 ? -1 : 0;
}

const void *
database_blob(sqlite3_stmt *s, int column, size_t *n)
{
	const void *bytes = sqlite3_column_blob(s, column);

	*n = (size_t)sqlite3_column_bytes(s, column);
	return bytes != NULL ? bytes : "";
}

const char *
database_text(sqlite3_stmt *s, int column, size_t *n)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	if (n != NULL)
		*n = (size_t)sqlite3_column_bytes(s, column);
	return text != NULL ? (const char *)text : "";
}

int
database_meta(sqlite3 *db, const char *name, int64_t absent, int64_t *out, const char *path,
    struct error *err)
{
	sqlite3_stmt *s = database_prepare(db, "SELECT value FROM meta WHERE name=?", path, err);
	int found;

	if (s == NULL)
		return -1;
	database_bind(s, "t", name, strlen(name));
	found = database_next(s, path, err);
	*out = found == 1 ? sqlite3_column_int64(s, 0) : absent;
	(void)sqlite3_finalize(s);
	return found == -1 ? -1 : 0;
}

int
database_set_meta(sqlite3 *db, const char *name, int64_t value, const char *path,
    struct error *err)
{
	sqlite3_stmt *s = database_prepare(db, "INSERT INTO meta VALUES(?,?) "
	    "ON CONFLICT DO UPDATE SET value=excluded.value", path, err);
	int result;

	if (s == NULL)
		return -1;
	database_bind(s, "ti", name, strlen(name), value);
	result = database_run(s, path, err);
	(void)sqlite3_finalize(s);
	return result;
}

/* --- connections --- */

sqlite3 *
database_connect(const char *real, const char *path, struct error *err)
{
	sqlite3 *db = NULL;
	int rc;

	/* Each is one thread's; and there is no file of its own for temporary data. */
	rc = sqlite3_open_v2(real, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW, VFS);
	if (rc != SQLITE_OK) {
		database_error(db, rc, path, "cannot open the database", err);
		goto fail;
	}
	sqlite3_extended_result_codes(db, 1);
	/* One that is being closed keeps those that are being opened out for a moment. */
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (database_exec(db, "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;"
	    "PRAGMA cache_size=-4096", path, err) == -1)
		goto fail;
	return db;
fail:
	sqlite3_close(db);
	return NULL;
}

/* The text of a statement's only row; "": none. */
static int
first_text(sqlite3 *db, const char *sql, char out[64], const char *path, struct error *err)
{
	sqlite3_stmt *s = database_prepare(db, sql, path, err);
	int found;

	out[0] = '\0';
	if (s == NULL)
		return -1;
	found = database_next(s, path, err);
	if (found == 1)
		snprintf(out, 64, "%s", database_text(s, 0, NULL));
	sqlite3_finalize(s);
	return found == -1 ? -1 : 0;
}

/* Write-ahead log, each commit on disk before it returns, deleted data zeroed. */
static int
make_durable(sqlite3 *db, const char *path, struct error *err)
{
	char mode[64];

	if (first_text(db, "PRAGMA journal_mode=WAL", mode, path, err) == -1)
		return -1;
	if (strcmp(mode, "wal") != 0) {
		error_set(err, ERROR_IO, "this file system takes no write-ahead log");
		return error_place(err, path, 0);
	}
	return database_exec(db, DURABLE, path, err);
}

int
database_tables(sqlite3 *db, const char *path, struct error *err)
{
	if (database_exec(db, "PRAGMA application_id=" STRING(DATABASE_APPLICATION)
	    "; PRAGMA user_version=" STRING(DATABASE_VERSION), path, err) == -1)
		return -1;
	for (size_t i = 0; i < COUNT(tables); i++) {
		if (tables[i][1] != NULL && database_exec(db, tables[i][1], path, err) == -1)
			return -1;
	}
	return 0;
}

int
database_access_table(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s = database_prepare(db, "SELECT count(*) FROM sqlite_master WHERE "
	    "name='access'", path, err);
	int64_t n = 0;
	int rc = s != NULL ? database_number(s, &n, path, err) : -1;

	(void)sqlite3_finalize(s);
	return rc == 0 && n == 0 ? database_exec(db, access_table[1], path, err) : rc;
}

/* Nothing more than our tables, as no trigger of another's is to run; and sound pages. */
static int
database_verify(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s = database_prepare(db,
	    "SELECT name,sql FROM sqlite_master ORDER BY rowid", path, err);
	char sound[64];
	size_t n = 0;
	bool same = true;
	int found;

	if (s == NULL)
		return -1;
	while ((found = database_next(s, path, err)) == 1) {
		const char *sql = (const char *)sqlite3_column_text(s, 1);
		const char *const *t = n < COUNT(tables) ? tables[n] : access_table;

		same = same && n <= COUNT(tables) &&
		    strcmp(database_text(s, 0, NULL), t[0]) == 0 &&
		    (sql == NULL) == (t[1] == NULL) && (sql == NULL || strcmp(sql, t[1]) == 0);
		n++;
	}
	sqlite3_finalize(s);
	if (found == -1)
		return -1;
	if (!same || n < COUNT(tables))
		return database_damaged(path, "the database has other tables than it should", err);
	if (first_text(db, "PRAGMA quick_check(1)", sound, path, err) == -1)
		return -1;
	return strcmp(sound, "ok") == 0 ? 0 :
	    database_damaged(path, "the database is damaged", err);
}

/* --- making, opening, closing --- */

static int
make_at(const struct path *place, const char *path,
    int (*fill)(void *cookie, sqlite3 *db, struct error *err), void *cookie, struct error *err)
{
	struct database_aside aside = DATABASE_ASIDE_NONE;
	sqlite3 *db = NULL;
	int result = -1;

	/* A whole new file, so that one without its header is never one of ours. */
	if (database_aside_start(&aside, place, path, err) == -1 ||
	    (db = database_connect(aside.real, path, err)) == NULL ||
	    make_durable(db, path, err) == -1 ||
	    database_exec(db, "BEGIN IMMEDIATE", path, err) == -1 ||
	    database_tables(db, path, err) == -1 ||
	    (fill != NULL && fill(cookie, db, err) == -1) ||
	    database_exec(db, "COMMIT", path, err) == -1)
		goto done;
	if (sqlite3_close(db) == SQLITE_OK) {
		db = NULL;
		result = database_aside_finish(&aside, err);
	}
done:
	sqlite3_close(db);
	database_aside_drop(&aside);
	return result;
}

struct lock *
database_lock(const char *path, struct error *err)
{
	struct lock *lock = lock_files(&path, 1, 0, NULL, NULL, err);

	if (lock == NULL && err != NULL && err->code == ERROR_BUSY)
		error_hint(err, "one process alone may serve a registry's file: "
		    "stop the other, or give this one a folder of its own");
	return lock;
}

int
database_make(const char *path, int (*fill)(void *cookie, sqlite3 *db, struct error *err),
    void *cookie, struct error *err)
{
	struct path place = PATH_NONE;
	struct lock *lock = database_lock(path, err);
	int result = -1;

	if (lock != NULL && path_open(&place, path, err) == 0)
		result = make_at(&place, path, fill, cookie, err);
	path_close(&place);
	lock_release(lock);
	return result;
}

static int
open_file(struct database *d, struct error *err)
{
	/* Unless all is well, what SQLite holds back beside the file stays there. */
	bool keep = database_file_has_wal(&d->place);

	d->db = database_connect(d->place.real, d->path, err);
	if (d->db == NULL)
		return -1;
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, NULL);
	if (make_durable(d->db, d->path, err) == -1 ||
	    database_verify(d->db, d->path, err) == -1 ||
	    (d->begin = database_prepare(d->db, "BEGIN IMMEDIATE", d->path, err)) == NULL ||
	    (d->commit = database_prepare(d->db, "COMMIT", d->path, err)) == NULL ||
	    (d->settle = database_prepare(d->db, "INSERT INTO meta VALUES('settled',1) "
	    "ON CONFLICT DO UPDATE SET value=value+1", d->path, err)) == NULL)
		return -1;
	sqlite3_db_config(d->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return 0;
}

struct database *
database_open(const char *path, struct error *err)
{
	struct database *d = error_alloc(sizeof(*d), err);
	int version;

	if (d == NULL)
		return NULL;
	d->place = (struct path)PATH_NONE;
	if ((d->path = strdup(path)) == NULL) {
		error_memory(err);
		goto fail;
	}
	if ((d->lock = database_lock(path, err)) == NULL || path_open(&d->place, path, err) == -1 ||
	    (version = database_file_look(&d->place, path, err)) == -1)
		goto fail;
	if (version == DATABASE_FIRST) {
		error_set(err, ERROR_REFUSED, "this is a registry's file of the first edition");
		error_place(err, path, 0);
		error_hint(err, "`propseal registry serve` takes it over at its start");
		goto fail;
	}
	if ((version == 0 && make_at(&d->place, path, NULL, NULL, err) == -1) ||
	    open_file(d, err) == -1)
		goto fail;
	return d;
fail:
	database_close(d);
	return NULL;
}

void
database_close(struct database *d)
{
	if (d == NULL)
		return;
	sqlite3_finalize(d->begin);
	sqlite3_finalize(d->commit);
	sqlite3_finalize(d->settle);
	sqlite3_close(d->db);
	lock_release(d->lock);
	path_close(&d->place);
	free(d->path);
	free(d);
}

const char *
database_path(const struct database *d)
{
	return d->path;
}

sqlite3 *
database_writer(struct database *d)
{
	return d->db;
}

sqlite3 *
database_reader(struct database *d, struct error *err)
{
	sqlite3 *db = database_connect(d->place.real, d->path, err);

	if (db != NULL && database_exec(db, "PRAGMA query_only=ON", d->path, err) == -1) {
		sqlite3_close(db);
		db = NULL;
	}
	return db;
}

/* --- transactions --- */

void
database_rollback(struct database *d)
{
	if (!sqlite3_get_autocommit(d->db))
		(void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
	d->lost |= !sqlite3_get_autocommit(d->db);
}

/*
 * A commit failed.  Usually nothing of it will ever be seen; but when the sync
 * is what failed, all of it may stand in the write-ahead log, for whoever
 * reads that after a crash.  A transaction that succeeds now goes over it in
 * the same place.
 */
static bool
database_settle(struct database *d)
{
	if (d->unsettled && !d->lost && database_step_once(d->settle) == SQLITE_DONE)
		d->unsettled = false;
	return !d->unsettled && !d->lost;
}

int
database_begin(struct database *d, struct error *err)
{
	int moved = 0, rc;

	if (!database_settle(d)) {
		error_set(err, ERROR_IO, "the database failed, and takes nothing yet");
		return error_place(err, d->path, 0);
	}
	/* Nobody would ever find what is written to a file without a name. */
	if (sqlite3_file_control(d->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	    moved) {
		error_set(err, ERROR_IO, "the database was removed or replaced while in use");
		error_place(err, d->path, 0);
		return error_hint(err, "put it back, or start the registry again");
	}
	rc = database_step_once(d->begin);
	return rc == SQLITE_DONE ? 0 :
	    database_error(d->db, rc, d->path, "cannot write the database", err);
}

int
database_commit(struct database *d, struct error *err)
{
	int rc = database_step_once(d->commit), code;
	bool refused;

	if (rc == SQLITE_DONE)
		return 0;
	code = database_errno(d->db, rc);
	/* The last write, which makes it a commit, did not come about. */
	refused = (rc & 0xff) != SQLITE_IOERR || (rc == SQLITE_IOERR_WRITE &&
	    (code == ENOSPC || code == EDQUOT || code == EFBIG));
	database_error(d->db, rc, d->path, "cannot write the database", err);
	database_rollback(d);
	d->unsettled = !refused;
	if (!database_settle(d) && err != NULL)
		err->code = ERROR_STALE;
	return -1;
}

int64_t
database_room(const struct database *d)
{
	struct statvfs st;
	uint64_t available, reserve;

	if (fstatvfs(d->place.dir, &st) == -1 || st.f_blocks == 0)
		return INT64_MAX;
	available = (uint64_t)st.f_bavail * st.f_frsize;
	reserve = (uint64_t)st.f_blocks * st.f_frsize / RESERVE_SHARE;
	reserve = reserve < RESERVE_MAX ? reserve : RESERVE_MAX;
	return available > reserve ? (int64_t)(available - reserve) : 0;
}

/* --- backups --- */

static int
copy_all(sqlite3 *from, sqlite3 *to, const char *path, struct error *err)
{
	sqlite3_backup *b;
	int64_t tables_there;
	sqlite3_stmt *s;
	int rc = SQLITE_OK, end;

	/* One moment's state, whatever is committed meanwhile. */
	if (database_exec(from, "BEGIN", path, err) == -1 || (s = database_prepare(from,
	    "SELECT count(*) FROM sqlite_master", path, err)) == NULL)
		return -1;
	rc = database_number(s, &tables_there, path, err);
	sqlite3_finalize(s);
	if (rc == -1)
		return -1;
	b = sqlite3_backup_init(to, "main", from, "main");
	while (b != NULL && (rc = sqlite3_backup_step(b, BACKUP_PAGES)) == SQLITE_OK)
		continue;
	end = b != NULL ? sqlite3_backup_finish(b) : sqlite3_extended_errcode(to);
	if (b != NULL && rc == SQLITE_DONE && end == SQLITE_OK)
		return database_exec(from, "COMMIT", path, err);
	return database_error(to, end != SQLITE_OK ? end : rc, path, "cannot back up the database",
	    err);
}

static int
back_up(struct database *d, const struct path *p, const char *path, struct error *err)
{
	struct database_aside aside = DATABASE_ASIDE_NONE;
	sqlite3 *from = NULL, *to = NULL;
	int result = -1;

	/* It is thrown away unless all of it succeeds, and synced at the end. */
	if (database_aside_start(&aside, p, path, err) == -1 ||
	    (from = database_reader(d, err)) == NULL ||
	    (to = database_connect(aside.real, path, err)) == NULL ||
	    database_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", path, err) == -1 ||
	    copy_all(from, to, path, err) == -1 || database_verify(to, path, err) == -1)
		goto done;
	if (sqlite3_close(to) == SQLITE_OK) {
		to = NULL;
		result = database_aside_finish(&aside, err);
	}
done:
	sqlite3_close(from);
	sqlite3_close(to);
	database_aside_drop(&aside);
	return result;
}

int
database_backup(struct database *d, const char *path, struct error *err)
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
	if (lock != NULL)
		result = back_up(d, &place, path, err);
done:
	lock_release(lock);
	path_close(&place);
	return result;
}
