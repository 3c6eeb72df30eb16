#ifndef ESTATE_WALK_H
#define ESTATE_WALK_H

#include <stdbool.h>

#include "base/vec.h"

struct error;
struct scope;

/*
 * Which files below a folder are looked at.  A pattern (text.h) without a
 * slash is held against a name, one with slashes against as many of a path's
 * last names as it has; `*` does not match a slash.  A path that is named
 * itself, and not found in a folder, is looked at whatever the scope says.
 * Wherever a scope is taken, NULL stands for the built-in one.
 */

/* What scope_takes_file(NULL) takes, in words. */
#define SCOPE_BUILT_IN "*.properties *.json"

struct scope *scope_new(struct error *err);
void scope_free(struct scope *s);

/* Take files of this pattern; the first one replaces the built-in patterns. */
int scope_add_pattern(struct scope *s, const char *pattern, struct error *err);

/* Pass over files and folders of this pattern (a final slash is dropped). */
int scope_add_ignored(struct scope *s, const char *pattern, struct error *err);

/* Is the file to be looked at?  Its format must be one that can be read. */
bool scope_takes_file(const struct scope *s, const char *path);

/* Is the folder to be searched? */
bool scope_takes_folder(const struct scope *s, const char *path);

/**
 * walk_folder(path, scope, files, folders, problem):
 * Read one folder: append the paths of its configuration files to ${files}
 * and of its sub-folders to ${folders} (vectors of char *, caller frees),
 * as far as ${scope} takes them.
 * -1: ${problem} says why it could not be read (whole or in part).
 */
int walk_folder(const char *path, const struct scope *scope, struct vec *files,
    struct vec *folders, struct error *problem);

/* Take the last one off, NULL for none; the caller frees it. */
char *walk_pop(struct vec *v);

#endif /* !ESTATE_WALK_H */
