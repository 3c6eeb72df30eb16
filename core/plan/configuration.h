#ifndef PLAN_CONFIGURATION_H
#define PLAN_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/file.h"
#include "base/vec.h"

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
 * configuration_borrower(c, name, len, entry, err):
 * Does a key refer to the sealed entry of another key of this file?  ${*entry}
 * is one that refers to ${name} and is not the key that ${name} is made from,
 * or DOCUMENT_NONE.  Lines that nobody reads do not count.  ERROR_MEMORY.
 */
int configuration_borrower(struct configuration *c, const char *name,
    size_t len, size_t *entry, struct error *err);

#endif /* !PLAN_CONFIGURATION_H */
