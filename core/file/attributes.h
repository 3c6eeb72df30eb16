#ifndef FILE_ATTRIBUTES_H
#define FILE_ATTRIBUTES_H

#include <sys/types.h>
#include <stdbool.h>

struct error;

/* What a new file has besides its bytes (for replace.c).  ${path} is for errors. */

/**
 * attributes_copy(from, to, path, err):
 * Give the open file ${to} the owner, group, extended attributes (POSIX ACL
 * among them) and mode of ${from}, in this order: the mode last, as it lets
 * others in.  ${path} is for errors.  Attributes that the file system of
 * ${to} does not know are left out.  ERROR_REFUSED: we may not give it this
 * owner, attribute or mode.  ERROR_IO.
 */
int attributes_copy(int from, int to, const char *path, struct error *err);

/**
 * attributes_narrow(path, bits, dry, mode, err):
 * Take ${bits} from the mode of a file or folder of our own, unless ${dry}, which only
 * asks whether that may be done.  ${*mode} is the one before.  ERROR_REFUSED: it is a
 * symbolic link, of another user, or a file with other names (hard links).  ERROR_IO.
 */
int attributes_narrow(const char *path, mode_t bits, bool dry, mode_t *mode, struct error *err);

/* Set the mode of a new file and make sure that it took.  ERROR_IO, ERROR_REFUSED. */
int attributes_set_mode(int fd, mode_t mode, const char *path, struct error *err);

#endif /* !FILE_ATTRIBUTES_H */
