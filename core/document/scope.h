#ifndef DOCUMENT_SCOPE_H
#define DOCUMENT_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

struct document_format;
struct error;

/*
 * Which files are looked at below a folder, and what format they have.  A
 * pattern (text.h) without a slash is held against a name, one with slashes
 * against as many of a path's last names as it has; `*` does not match a
 * slash.  A pattern may say the format of its files behind a `=`, whatever
 * they are called: client.config=properties.  A path that is named itself, and
 * not found in a folder, is looked at whatever the scope says.  Wherever a scope
 * is taken, NULL stands for the built-in one.
 */
struct scope;

/* What scope_takes_file(NULL) takes, in words. */
#define SCOPE_BUILT_IN "*.properties *.json"

struct scope *scope_new(struct error *err);
void scope_free(struct scope *s);

/* Take files of this pattern; the first one replaces the built-in patterns. */
int scope_add_pattern(struct scope *s, const char *pattern, struct error *err);

/* Pass over files and folders of this pattern (a final slash is dropped). */
int scope_add_ignored(struct scope *s, const char *pattern, struct error *err);

/* Whatever is looked at has this format. */
void scope_set_format(struct scope *s, const struct document_format *format);

/* The format of a file, going by its name; NULL: none that is known. */
const struct document_format *scope_format(const struct scope *s, const char *path);

/* Is the file to be looked at?  Its format must be one that can be read. */
bool scope_takes_file(const struct scope *s, const char *path);

/* Is the folder to be searched? */
bool scope_takes_folder(const struct scope *s, const char *path);

/* The format that ends a pattern of ${n} characters behind a `=`, or NULL; and how much of it
 * is before that in ${*len}. */
const struct document_format *scope_pattern_format(const char *pattern, size_t n, size_t *len);

#endif /* !DOCUMENT_SCOPE_H */
