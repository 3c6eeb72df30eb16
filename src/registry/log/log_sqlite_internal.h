#ifndef REGISTRY_LOG_LOG_SQLITE_INTERNAL_H
#define REGISTRY_LOG_LOG_SQLITE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/file.h"
#include "registry/log/log.h"

struct lock;

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

/* What is done to a log's file without SQLite: before it is opened, as SQLite
 * changes what it opens, and when a new one is put in place. */

/**
 * sqlite_file_check(p, path, exists, err):
 * Is it ours, by its header?  The permissions of group and others are taken
 * away.  A missing file is no error (${*exists} false) unless a write-ahead
 * log stands alone.  ERROR_DAMAGED: not ours; ERROR_REFUSED: hard links, or a
 * format that is newer than this program.
 */
int sqlite_file_check(const struct path *p, const char *path, bool *exists,
    struct error *err);

/* Does a write-ahead log with something in it stand beside the file? */
bool sqlite_file_has_wal(const struct path *p);

/* A new SQLite file that is being written beside its place. */
struct sqlite_aside {
	const struct path *place;
	const char *path;	/* for errors */
	char *name;		/* in the place's directory; NULL: none */
	char *real;		/* its absolute path, for sqlite_db_open */
};

#define SQLITE_ASIDE_NONE { NULL, NULL, NULL, NULL }

/* Make it, empty, 0600; ${path} and ${p} must last. */
int sqlite_file_start(struct sqlite_aside *a, const struct path *p,
    const char *path, struct error *err);

/* Sync it (it must be closed) and give it its name.  ERROR_EXISTS. */
int sqlite_file_finish(struct sqlite_aside *a, struct error *err);

/* Remove it unless it is in place.  Twice is fine. */
void sqlite_file_drop(struct sqlite_aside *a);

/* What the files of the SQLite kind share. */

enum sqlite_statement {
	STATEMENT_BEGIN, STATEMENT_COMMIT, STATEMENT_ROLLBACK,
	STATEMENT_INSERT_RECORD,	/* offset, key, value */
	STATEMENT_DELETE_RECORD,	/* offset */
	STATEMENT_KEY_AT,		/* offset -> key */
	STATEMENT_READ_FROM,	/* offset -> offset, key, value */
	STATEMENT_SET_NEXT,	/* next */
	STATEMENT_ADD_EPOCH,
	STATEMENT_META,		/* -> next, epoch */
	STATEMENT_COUNT
};

/* What an append did to the index, to be undone when it fails. */
struct sqlite_change {
	uint32_t hash;
	uint64_t dropped, put;	/* NO_OFFSET: nothing */
};

#define NO_OFFSET UINT64_MAX

struct log_sqlite {
	pthread_mutex_t mutex;		/* for all that follows */
	char *path;			/* as given, for errors */
	struct path place;
	struct lock *lock;
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	struct log_index *index;
	uint64_t next;			/* the next record's offset */
	struct sqlite_change *changes;
	size_t changes_max;
	bool lost;	/* index and file may differ: to be opened again */
};

#endif /* !REGISTRY_LOG_LOG_SQLITE_INTERNAL_H */
