#ifndef REGISTRY_LOG_SQLITE_FILE_H
#define REGISTRY_LOG_SQLITE_FILE_H

#include <stdbool.h>

struct error;
struct path;

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

#endif /* !REGISTRY_LOG_SQLITE_FILE_H */
