#ifndef FILE_FILE_H
#define FILE_FILE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct buf;
struct error;

/* What tells whether a file is still the one that was read. */
struct file_id {
	bool exists;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct timespec ctime;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	nlink_t nlink;
};

/**
 * file_read(path, out, id, err):
 * Append the whole of the regular file ${path} (symlinks followed) to
 * ${out}, bounded by its max, and fill ${id} (may be NULL).  A file that
 * changes while it is read is read again, a few times.  On failure ${out}
 * has its old contents.  Errors: ERROR_MISSING (no such file), ERROR_IO,
 * ERROR_REFUSED (not a regular file), ERROR_LIMIT (larger than ${out}'s
 * maximum), ERROR_STALE (it never stopped changing), ERROR_MEMORY.
 */
int file_read(const char *path, struct buf *out, struct file_id *id,
    struct error *err);

/* As file_read, but any readable thing: a pipe, a terminal, /dev/fd/N. */
int file_read_stream(const char *path, struct buf *out, struct error *err);

/* Append all that comes from descriptor ${fd}; ${name} is for errors. */
int file_read_fd(int fd, const char *name, struct buf *out, struct error *err);

/* Fill ${id}; a missing file is no error (exists is false). */
int file_identify(const char *path, struct file_id *id, struct error *err);

/* True when both name the same unchanged file, or both none. */
bool file_id_equal(const struct file_id *a, const struct file_id *b);

/* The last component of ${path} (a pointer into it). */
const char *file_basename(const char *path);

#endif /* !FILE_FILE_H */
