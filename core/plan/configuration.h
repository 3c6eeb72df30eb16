#ifndef PLAN_CONFIGURATION_H
#define PLAN_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "file/file.h"
#include "base/vec.h"

struct buf;
struct document;
struct error;

/* A configuration file that was read: its document, and what it was on disk. */
struct configuration {
	char *path;
	const char *base;	/* the last component of path: names its sealed entries */
	struct file_id id;
	struct document *doc;
	struct vec borrowers;	/* of size_t: see configuration_borrower */
	bool looked;		/* they are known */
};

/* NULL: ERROR_MISSING, ERROR_IO, ERROR_REFUSED (neither .properties nor .json),
 * ERROR_FORMAT (a reader of the format refuses it). */
struct configuration *configuration_load(const char *path, struct error *err);
void configuration_free(struct configuration *c);

/**
 * configuration_entry_name(c, key, len, out, err):
 * Append the name of a key's sealed entry: <base name>/<key>.  The path to a
 * JSON value goes in without its backslashes, which the reference would lose.
 */
int configuration_entry_name(const struct configuration *c, const char *key,
    size_t len, struct buf *out, struct error *err);

/* Is ${name} the name of ${key}'s sealed entry (as we or the reference write it)? */
bool configuration_owns(const struct configuration *c, const char *key,
    size_t len, const char *name, size_t name_len);

/**
 * configuration_borrower(c, name, len, entry, err):
 * Does a key refer to the sealed entry of another key of this file?  ${*entry}
 * is one that refers to ${name} and is not the key that ${name} is made from,
 * or DOCUMENT_NONE.  Lines that nobody reads do not count.  ERROR_MEMORY.
 */
int configuration_borrower(struct configuration *c, const char *name,
    size_t len, size_t *entry, struct error *err);

#endif /* !PLAN_CONFIGURATION_H */
