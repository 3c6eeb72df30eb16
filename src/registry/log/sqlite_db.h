#ifndef REGISTRY_LOG_SQLITE_DB_H
#define REGISTRY_LOG_SQLITE_DB_H

#include <sqlite3.h>
#include <stdint.h>

struct error;

/* Connections to SQLite files, and what its results mean to us. */

/* In the file's header: whose file it is, and the format of its tables. */
#define SQLITE_DB_APPLICATION 0x50534c47	/* "PSLG" */
#define SQLITE_DB_VERSION 1

/**
 * sqlite_db_error(db, rc, path, what, err):
 * Set the error for the result ${rc}: "<what>: ..." at ${path}.  Says nothing
 * of what is in the file.  ${db} may be NULL.  Returns -1.
 */
int sqlite_db_error(sqlite3 *db, int rc, const char *path, const char *what,
    struct error *err);

/* The errno behind a result, 0 if it is not known. */
int sqlite_db_errno(sqlite3 *db, int rc);

/* ERROR_DAMAGED at ${path}, with the way out.  Returns -1. */
int sqlite_db_damaged(const char *path, const char *what, struct error *err);

/**
 * sqlite_db_open(real, path, err):
 * Connect to the file that is there at the absolute path ${real}, alone: from
 * the first use on no other process gets at it.  ${path} is for errors.
 */
sqlite3 *sqlite_db_open(const char *real, const char *path, struct error *err);

/* Run statements that give no result. */
int sqlite_db_run(sqlite3 *db, const char *sql, const char *path, struct error *err);

/* Write-ahead log, each commit on disk before it returns, deleted data zeroed. */
int sqlite_db_durable(sqlite3 *db, const char *path, struct error *err);

/* Make the tables in an empty file. */
int sqlite_db_create(sqlite3 *db, const char *path, struct error *err);

/* Are the tables those of sqlite_db_create, and the pages sound?  ERROR_DAMAGED. */
int sqlite_db_verify(sqlite3 *db, const char *path, struct error *err);

/* A statement that is kept.  NULL: failed. */
sqlite3_stmt *sqlite_db_prepare(sqlite3 *db, const char *sql, const char *path,
    struct error *err);

#endif /* !REGISTRY_LOG_SQLITE_DB_H */
