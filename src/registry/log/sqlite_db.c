#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "registry/log/sqlite_db.h"

/*
 * No index over the keys: they hold random numbers, so each record would
 * change a page of its own.  log_index.h stands for it while the file is open.
 */
static const char *const tables[][2] = {
	{ "record", "CREATE TABLE record(offset INTEGER PRIMARY KEY,"
	    "key BLOB NOT NULL,value BLOB NOT NULL)" },
	{ "meta", "CREATE TABLE meta(id INTEGER PRIMARY KEY,"
	    "next INTEGER NOT NULL,epoch INTEGER NOT NULL)" },
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))
#define STRING(x) STRING_OF(x)
#define STRING_OF(x) #x

/*
 * A checkpoint after 1000 pages syncs the file each 4 MB.  The log of pages
 * is kept at its size, which makes the syncs of commits cheaper; one that a
 * great batch made larger is cut.
 */
#define DURABLE "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;" \
	"PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=67108864"

int
sqlite_db_damaged(const char *path, const char *what, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "%s", what);
	error_place(err, path, 0);
	return error_hint(err, "put the last backup in its place, and move the -wal file "
	    "beside it away with the old one");
}

/* A commit's failure is known to the file of the write-ahead log alone. */
int
sqlite_db_errno(sqlite3 *db, int rc)
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

int
sqlite_db_error(sqlite3 *db, int rc, const char *path, const char *what,
    struct error *err)
{
	int code = db != NULL ? sqlite_db_errno(db, rc) : 0;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		error_set(err, ERROR_BUSY, "%s: another process has the file open", what);
		error_place(err, path, 0);
		return error_hint(err, "stop the other process: "
		    "one alone may use the file");
	case SQLITE_NOMEM:
		return error_memory(err);
	case SQLITE_TOOBIG:
		error_set(err, ERROR_LIMIT, "%s: %s", what, sqlite3_errstr(rc));
		return error_place(err, path, 0);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return sqlite_db_damaged(path, "the log's file is damaged", err);
	case SQLITE_FULL:
		errno = ENOSPC;
		return error_io(err, path, what);
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return error_memory(err);
		if (rc == SQLITE_IOERR_SHORT_READ)
			return sqlite_db_damaged(path, "the log's file is cut short", err);
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
sqlite_db_run(sqlite3 *db, const char *sql, const char *path, struct error *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 :
	    sqlite_db_error(db, rc, path, "cannot set up the log's file", err);
}

sqlite3_stmt *
sqlite_db_prepare(sqlite3 *db, const char *sql, const char *path, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL);

	if (rc != SQLITE_OK)
		sqlite_db_error(db, rc, path, "cannot read the log's file", err);
	return s;
}

sqlite3 *
sqlite_db_open(const char *real, const char *path, struct error *err)
{
	sqlite3 *db = NULL;
	int rc;

	/* The caller serializes; and there is no file of its own for temporary data. */
	rc = sqlite3_open_v2(real, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc != SQLITE_OK) {
		sqlite_db_error(db, rc, path, "cannot open the log's file", err);
		goto fail;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (sqlite_db_run(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY;"
	    "PRAGMA cell_size_check=ON; PRAGMA cache_size=-8192", path, err) == -1)
		goto fail;
	return db;
fail:
	sqlite3_close(db);
	return NULL;
}

int
sqlite_db_durable(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s = sqlite_db_prepare(db, "PRAGMA journal_mode=WAL", path, err);
	const unsigned char *mode;
	bool wal;
	int rc;

	if (s == NULL)
		return -1;
	rc = sqlite3_step(s);
	mode = rc == SQLITE_ROW ? sqlite3_column_text(s, 0) : NULL;
	wal = mode != NULL && strcmp((const char *)mode, "wal") == 0;
	sqlite3_finalize(s);
	if (rc != SQLITE_ROW)
		return sqlite_db_error(db, rc, path, "cannot open the log's file", err);
	if (!wal) {
		error_set(err, ERROR_IO, "this file system takes no write-ahead log");
		return error_place(err, path, 0);
	}
	return sqlite_db_run(db, DURABLE, path, err);
}

int
sqlite_db_create(sqlite3 *db, const char *path, struct error *err)
{
	size_t i;

	if (sqlite_db_run(db, "BEGIN IMMEDIATE; PRAGMA application_id="
	    STRING(SQLITE_DB_APPLICATION) "; PRAGMA user_version="
	    STRING(SQLITE_DB_VERSION), path, err) == -1)
		return -1;
	for (i = 0; i < TABLES; i++) {
		if (sqlite_db_run(db, tables[i][1], path, err) == -1)
			return -1;
	}
	return sqlite_db_run(db, "INSERT INTO meta VALUES(0,0,0); COMMIT", path, err);
}

/* Nothing more than our tables, as no trigger of another's is to run. */
static int
verify_tables(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s = sqlite_db_prepare(db,
	    "SELECT name, sql FROM sqlite_master ORDER BY rowid", path, err);
	size_t n = 0;
	bool same = true;
	int rc;

	if (s == NULL)
		return -1;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		const unsigned char *name = sqlite3_column_text(s, 0);
		const unsigned char *sql = sqlite3_column_text(s, 1);

		same = same && n < TABLES && name != NULL && sql != NULL &&
		    strcmp((const char *)name, tables[n][0]) == 0 &&
		    strcmp((const char *)sql, tables[n][1]) == 0;
		n++;
	}
	sqlite3_finalize(s);
	if (rc != SQLITE_DONE)
		return sqlite_db_error(db, rc, path, "cannot read the log's file", err);
	if (!same || n != TABLES)
		return sqlite_db_damaged(path, "the log's file has other tables than it should",
		    err);
	return 0;
}

int
sqlite_db_verify(sqlite3 *db, const char *path, struct error *err)
{
	sqlite3_stmt *s;
	const unsigned char *text;
	bool sound;
	int rc;

	if (verify_tables(db, path, err) == -1)
		return -1;
	s = sqlite_db_prepare(db, "PRAGMA quick_check(1)", path, err);
	if (s == NULL)
		return -1;
	rc = sqlite3_step(s);
	text = rc == SQLITE_ROW ? sqlite3_column_text(s, 0) : NULL;
	sound = text != NULL && strcmp((const char *)text, "ok") == 0;
	sqlite3_finalize(s);
	if (rc != SQLITE_ROW)
		return sqlite_db_error(db, rc, path, "cannot read the log's file", err);
	if (!sound)
		return sqlite_db_damaged(path, "the log's file is damaged", err);
	return 0;
}
