#ifndef REGISTRY_DATABASE_DATABASE_INTERNAL_H
#define REGISTRY_DATABASE_DATABASE_INTERNAL_H

#include <stdbool.h>

#include "file/file.h"
#include "registry/database/database.h"

/* What is done to a database's file without SQLite: before it is opened, as
 * SQLite changes what it opens, and when a new one is put in place. */

/* As database_look. */
int database_file_look(const struct path *p, const char *path, struct error *err);

/* Does a write-ahead log with something in it stand beside the file? */
bool database_file_has_wal(const struct path *p);

/* A new file that is being written beside its place. */
struct database_aside {
	const struct path *place;
	const char *path;	/* for errors */
	char *name;		/* in the place's directory; NULL: none */
	char *real;		/* its absolute path */
};

#define DATABASE_ASIDE_NONE { NULL, NULL, NULL, NULL }

/* Make it, empty, 0600; ${path} and ${p} must last. */
int database_aside_start(struct database_aside *a, const struct path *p, const char *path,
    struct error *err);

/* Sync it (it must be closed) and give it its name.  ERROR_EXISTS. */
int database_aside_finish(struct database_aside *a, struct error *err);

/* Remove it unless it is in place. */
void database_aside_drop(struct database_aside *a);

#endif /* !REGISTRY_DATABASE_DATABASE_INTERNAL_H */
