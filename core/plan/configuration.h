#ifndef PLAN_CONFIGURATION_H
#define PLAN_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "file/file.h"

struct document;
struct document_format;
struct jaas;
struct scope;

/* A configuration file that was read: its document, and what it was on disk. */
struct configuration {
	char *path;
	const char *base;	/* the last component of path: names its sealed entries */
	struct file_id id;
	struct document *doc;
	struct vec borrowers;	/* of size_t: see configuration_borrower */
	bool looked;		/* they are known */
};

/* As file_read, but nothing that the kernel makes up (/proc): ERROR_REFUSED. */
int configuration_read(const char *path, struct buf *content, struct file_id *id,
    struct error *err);

/* Where the path of a configuration says that it comes from standard input. */
#define CONFIGURATION_INPUT "-"

/* NULL: ERROR_MISSING, ERROR_IO, ERROR_REFUSED (no format that ${scope} knows),
 * ERROR_FORMAT (a reader of the format refuses it).  Standard input, or
 * /dev/stdin, has the format that its text has, unless the scope says one; it
 * is no file that could be changed (id.exists is false). */
struct configuration *configuration_load(const char *path, const struct scope *scope,
    struct error *err);
void configuration_free(struct configuration *c);

/* Refuse what entry ${i} of the document of ${path} is for.  Returns -1. */
int configuration_refuse(const char *path, const struct document *d, size_t i, const char *text,
    const char *hint, struct error *err);

/* The same for any reason, about a key of entry ${i} (DOCUMENT_NONE: of none). */
int configuration_fail(const struct configuration *c, size_t i, const char *key, size_t len,
    enum error_code code, const char *text, struct error *err);

/* ERROR_MISSING: there is no such key (told up to a `=`, behind which a value may stand). */
int configuration_fail_missing(const struct configuration *c, const char *key, size_t len,
    struct error *err);

/**
 * configuration_entry_name(c, key, len, out, err):
 * Append the name of a key's sealed entry: <base name>/<key>.  The path to a
 * JSON value goes in without its backslashes, which the reference would lose.
 */
int configuration_entry_name(const struct configuration *c, const char *key,
    size_t len, struct buf *out, struct error *err);

/* The same of a file that was not loaded; ${format} NULL: one whose keys are no paths. */
void configuration_append_name(const char *base, const struct document_format *format,
    const char *key, size_t len, struct buf *out);

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

/*
 * What a key names in a configuration: a whole entry, or one option of an
 * entry whose value is a JAAS configuration (<key>/<LoginModule>/<option>).
 */
enum target_kind {
	TARGET_NONE,		/* neither */
	TARGET_ENTRY,
	TARGET_OPTION,
	TARGET_NEW_OPTION	/* the login module is there, the option is not */
};

struct target {
	enum target_kind kind;
	size_t entry;		/* the winning document entry */
	struct buf value;	/* OPTION, NEW_OPTION: its decoded value (secret) */
	struct jaas *jaas;	/* of value */
	size_t option;		/* OPTION: the one that Kafka reads */
	size_t module;		/* NEW_OPTION */
	const char *name;	/* NEW_OPTION: of the option, inside the key */
	size_t name_len;
	const char *key;	/* NEW_OPTION: as it was asked for */
	size_t key_len;
};

/* Start an empty target; target_release is optional then. */
void target_init(struct target *t);
void target_release(struct target *t);

/**
 * target_find(d, key, len, t, err):
 * Find what ${key} names, and fill ${t}.  -1: ERROR_MEMORY, or ERROR_REFUSED
 * for an option in a JAAS value that cannot be read in one way only.
 */
int target_find(const struct document *d, const char *key, size_t len,
    struct target *t, struct error *err);

/**
 * target_jaas(d, i, t, err):
 * Read entry ${i} as JAAS: 1 and kind TARGET_ENTRY with ->value and ->jaas, 0
 * when its key or value is none, -1: ERROR_MEMORY, ERROR_REFUSED with the
 * place.
 */
int target_jaas(const struct document *d, size_t i, struct target *t,
    struct error *err);

#endif /* !PLAN_CONFIGURATION_H */
