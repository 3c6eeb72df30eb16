#ifndef PLAN_ATTRIBUTES_H
#define PLAN_ATTRIBUTES_H

#include <sys/types.h>

struct error;

/**
 * attributes_copy(from, to, path, err):
 * Give the open file ${to} the owner, group, extended attributes (POSIX ACL
 * among them) and mode of ${from}, in this order: the mode last, as it lets
 * others in.  ${path} is for errors.  Attributes that the file system of
 * ${to} does not know are left out.  ERROR_REFUSED: we may not give it this
 * owner, attribute or mode.  ERROR_IO.
 */
int attributes_copy(int from, int to, const char *path, struct error *err);

/* Set the mode of a new file and make sure that it took. */
int attributes_set_mode(int fd, mode_t mode, const char *path,
    struct error *err);

#endif /* !PLAN_ATTRIBUTES_H */
