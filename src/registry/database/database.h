#ifndef REGISTRY_DATABASE_DATABASE_H
#define REGISTRY_DATABASE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct database;
struct lock;

/*
 * The registry's database: one SQLite file, 0600, WAL, synchronous=FULL,
 * secure_delete, held by one process for as long as it is open.  One
 * connection writes, of one thread; any number of others read.
 */

#define DATABASE_APPLICATION 0x50534c47	/* "PSLG", in the file's header */
#define DATABASE_VERSION 2		/* the tables of the second edition */
#define DATABASE_FIRST 1		/* one table of records: see store/takeover.c */

/* What is at ${path}: 0 nothing, else its version.  The permissions of group
 * and others are taken away.  -1: ERROR_DAMAGED (not ours, or a write-ahead log
 * alone), ERROR_REFUSED (hard links, a newer version), ERROR_IO. */
int database_look(const char *path, struct error *err);

/**
 * database_open(path, err):
 * Open the file, or make it where there is none; quick_check is run.  NULL:
 * ERROR_BUSY (another process has it), ERROR_DAMAGED (not ours, or corrupt),
 * ERROR_REFUSED, ERROR_IO.  A file that is refused is not changed.
 */
struct database *database_open(const char *path, struct error *err);

/* No connection of database_reader may be open any more.  NULL is fine. */
void database_close(struct database *d);

const char *database_path(const struct database *d);

/* Connect to the file that is there, of whatever version, alone: no other process
 * gets at it from the first use on.  The caller has its lock. */
sqlite3 *database_connect(const char *real, const char *path, struct error *err);

/* Give a file that is closed another name in its folder, over nothing, durably; its
 * write-ahead log, if there is one, goes with it.  ERROR_EXISTS, ERROR_IO. */
int database_rename(const char *from, const char *to, struct error *err);

/* Remove a file that is closed, and what stands beside it. */
void database_remove(const char *path);

/* For the one thread that writes. */
sqlite3 *database_writer(struct database *d);

/* One more connection, that sees what was committed last and changes nothing;
 * for one thread at a time, closed by sqlite3_close. */
sqlite3 *database_reader(struct database *d, struct error *err);

/* Begin a transaction of the writer.  ERROR_IO, with nothing begun. */
int database_begin(struct database *d, struct error *err);

/**
 * database_commit(d, err):
 * All of the transaction durably, or nothing.  -1: nothing (it is rolled back);
 * but ERROR_STALE: that is not known before a later transaction has begun.
 */
int database_commit(struct database *d, struct error *err);
void database_rollback(struct database *d);

/* Bytes that may be added so that enough is left on the disk for the audit log of
 * reads and for what makes room; 0: none.  INT64_MAX where that cannot be told. */
int64_t database_room(const struct database *d);

/* An online copy of what is committed, into the new file ${path}.  ERROR_EXISTS.
 * From any thread. */
int database_backup(struct database *d, const char *path, struct error *err);

/* The lock of the file, which whoever serves it has; without waiting.  ERROR_BUSY. */
struct lock *database_lock(const char *path, struct error *err);

/**
 * database_make(path, fill, cookie, err):
 * A new file at ${path}, where none is: filled by ${fill} within one
 * transaction before it has its name.
 */
int database_make(const char *path, int (*fill)(void *cookie, sqlite3 *db, struct error *err),
    void *cookie, struct error *err);

/* Make the tables in an empty file. */
int database_tables(sqlite3 *db, const char *path, struct error *err);

/* Make the one of users, tokens, bindings and roles, which a topic's nodes have. */
int database_access_table(sqlite3 *db, const char *path, struct error *err);

/* --- statements --- */

/* One that is kept.  NULL: failed. */
sqlite3_stmt *database_prepare(sqlite3 *db, const char *sql, const char *path,
    struct error *err);

/**
 * database_bind(s, types, ...):
 * Bind the parameters from the first on: i int64_t; t const char * and size_t;
 * b const void * and size_t; n (nothing) NULL; z an int64_t that is NULL if it is 0.
 * Bytes must stay until the statement is reset.
 */
void database_bind(sqlite3_stmt *s, const char *types, ...);

/* Run a statement that gives no row, and reset it: its result code. */
int database_step_once(sqlite3_stmt *s);

/* The same: 0, or -1 with the error. */
int database_run(sqlite3_stmt *s, const char *path, struct error *err);

/**
 * database_next(s, path, err):
 * The next row: 1; 0: there is none (more), or -1; then it is reset.
 */
int database_next(sqlite3_stmt *s, const char *path, struct error *err);

/* The number in the first column of the only row; 0 where there is none. */
int database_number(sqlite3_stmt *s, int64_t *out, const char *path, struct error *err);

/* A column's bytes, never NULL. */
const void *database_blob(sqlite3_stmt *s, int column, size_t *n);
const char *database_text(sqlite3_stmt *s, int column, size_t *n);

/* Run statements as they stand. */
int database_exec(sqlite3 *db, const char *sql, const char *path, struct error *err);

/* ERROR_DAMAGED at ${path}, with the way out.  Returns -1. */
int database_damaged(const char *path, const char *what, struct error *err);

/* --- names and values that stand alone (table meta) --- */

/* ${*out} is ${absent} where there is none. */
int database_meta(sqlite3 *db, const char *name, int64_t absent, int64_t *out,
    const char *path, struct error *err);
int database_set_meta(sqlite3 *db, const char *name, int64_t value, const char *path,
    struct error *err);

#endif /* !REGISTRY_DATABASE_DATABASE_H */
