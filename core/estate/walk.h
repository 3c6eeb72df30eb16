#ifndef ESTATE_WALK_H
#define ESTATE_WALK_H

#include <stdbool.h>

#include "base/vec.h"

struct error;
struct scope;

/**
 * walk_folder(path, scope, files, folders, leftovers, problem):
 * Read one folder: append the paths of its configuration files to ${files}
 * and of its sub-folders to ${folders} (vectors of char *, caller frees),
 * as far as ${scope} takes them.  What a run that was killed left there
 * (lock_sweep_name) is removed, or, if ${leftovers} is not NULL, appended to it.
 * -1: ${problem} says why it could not be read (whole or in part).
 */
int walk_folder(const char *path, const struct scope *scope, struct vec *files,
    struct vec *folders, struct vec *leftovers, struct error *problem);

/* Take the last one off, NULL for none; the caller frees it. */
char *walk_pop(struct vec *v);

#endif /* !ESTATE_WALK_H */
