#ifndef FILE_TEMPORARY_H
#define FILE_TEMPORARY_H

#include <sys/types.h>
#include <stdbool.h>

#include "base/vec.h"

struct error;
struct path;
struct file_content;

/*
 * A file being written beside another (for replace.c): without a name
 * (O_TMPFILE) where the system can do that, so that nothing is left behind
 * whatever happens, else as `.<name>.propseal-tmp`.  ${path} is for errors.
 */
struct temporary {
	int fd;
	char *name;	/* in the directory of the file */
	bool named;	/* the name is there and it is ours */
	struct vec sums;	/* of struct temporary_sum: what was written, piece by piece */
};

#define TEMPORARY_NONE { .fd = -1 }

/* Remove what an interrupted run left, then open a new one, mode 0600.  ERROR_IO. */
int temporary_open(struct temporary *a, const struct path *p, const char *path, struct error *err);

/* Remove it, unless it was put in place, and close.  Twice is fine. */
void temporary_close(struct temporary *a, const struct path *p);

/* Write all of ${content}, from the start.  ERROR_IO, ERROR_LIMIT, or the content's error. */
int temporary_write(struct temporary *a, const struct file_content *content,
    const char *path, struct error *err);

/* Sync, read back piece by piece, compare with what was written, and have ${content} look at
 * it.  ERROR_IO, or the content's error. */
int temporary_check(struct temporary *a, const struct file_content *content,
    const char *path, struct error *err);

/* Give it the name beside the file, if it has none.  ERROR_IO; ERROR_STALE:
 * somebody removed or swapped it under that name. */
int temporary_name(struct temporary *a, const struct path *p, const char *path, struct error *err);

/* Put it at the file's name, where no file is: ERROR_STALE if one is. */
int temporary_create(struct temporary *a, const struct path *p, const char *path,
    struct error *err);

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

#endif /* !FILE_TEMPORARY_H */
