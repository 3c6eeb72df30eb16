#ifndef REGISTRY_LOG_LOG_SQLITE_INTERNAL_H
#define REGISTRY_LOG_LOG_SQLITE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/path.h"
#include "registry/log/log.h"

struct error;
struct lock;
struct log_index;

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

/* The ops of log.h. */
int sqlite_read(void *self, uint64_t from, log_visit *visit, void *cookie,
    struct error *err);
int sqlite_read_end(void *self, uint64_t *end, struct error *err);
int sqlite_append(void *self, const struct log_record *batch, size_t n,
    uint64_t *first, struct error *err);
int sqlite_backup(void *self, const char *path, struct error *err);

/* A column's bytes, never NULL. */
const void *sqlite_read_blob(sqlite3_stmt *s, int i);

/* What the one row of meta says. */
int sqlite_read_meta(struct log_sqlite *l, uint64_t *next, uint64_t *epoch,
    struct error *err);

/* Fill the index, and find the next record's offset: that after the last
 * row, or what meta says when tombstones came later.  ERROR_DAMAGED. */
int sqlite_load(struct log_sqlite *l, struct error *err);

/**
 * sqlite_append_find(l, key, len, hash, offset, err):
 * 1: the key has a record, at ${*offset}; 0: it has none; -1: failed.
 */
int sqlite_append_find(struct log_sqlite *l, const void *key, size_t len,
    uint32_t hash, uint64_t *offset, struct error *err);

/* -1: a commit failed in such a way that what this connection sees may not be
 * what the file will be. */
int sqlite_append_usable(const struct log_sqlite *l, struct error *err);

/* Run a statement that gives no row; its result code. */
int sqlite_append_run(sqlite3_stmt *s);

#endif /* !REGISTRY_LOG_LOG_SQLITE_INTERNAL_H */
