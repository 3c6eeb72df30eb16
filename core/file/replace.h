#ifndef FILE_REPLACE_H
#define FILE_REPLACE_H

#include "file/file.h"

struct buf;
struct error;
struct file_id;
struct replace;

/*
 * A new version of one file, written to a temporary file and then put in its place.
 * Between replace_prepare and replace_commit the old file is untouched.
 */

/* May use ${content} (secret) up. */
typedef int replace_verify_fn(void *cookie, struct buf *content,
    struct error *err);

/**
 * replace_prepare(path, expected, content, verify, cookie, err):
 * Write ${content} to a temporary file in the directory of ${path} (of its
 * target, for a symlink): O_TMPFILE, or `.<name>.propseal-tmp` by O_EXCL|O_NOFOLLOW, mode
 * 0600 until the end; then owner, mode, ACL and extended attributes of the
 * old file (a new file: 0600), fsync, read back, compare, and call
 * ${verify} (may be NULL) with what was read.  The caller holds the lock of
 * ${path} (lock.h), so a leftover of an interrupted run is removed.
 * NULL: ERROR_STALE (the file is no longer ${expected}), ERROR_REFUSED (hard
 * links, not a regular file), ERROR_IO, or ${verify}'s error.
 */
struct replace *replace_prepare(const char *path,
    const struct file_id *expected, const struct buf *content,
    replace_verify_fn *verify, void *cookie, struct error *err);

/* Rename into place (refusing once more when stale) and fsync the directory. */
int replace_commit(struct replace *r, struct error *err);

/**
 * replace_undo(r, err):
 * After a replace_commit, whether it succeeded or not: if the new file is in
 * place, put the old one back from its bytes, or remove a file that was new.
 * ERROR_STALE when another hand was at it since, ERROR_IO: the new file is
 * still in place (replace_placed), or what was put back is not surely on disk.
 */
int replace_undo(struct replace *r, struct error *err);

/* The path (no symlink in it) at which the new file stands, NULL when it does not. */
const char *replace_placed(const struct replace *r);

/* Forget it: the temporary file is removed unless committed. */
void replace_free(struct replace *r);

/*
 * One file replaced as a whole (replace.h), for what is no plan over a user's
 * configurations: data files of our own, exports.
 */

/* Replace ${path}, which must still be ${expected}.  The caller holds its
 * lock.  Errors: those of replace_prepare and replace_commit. */
int replace_file(const char *path, const struct file_id *expected,
    const struct buf *content, struct error *err);

/* The same under a lock of its own, of ${timeout_ms} (lock.h), whatever is
 * there: a new file is 0600. */
int replace_file_locked(const char *path, int timeout_ms, const struct buf *content,
    struct error *err);

/* The same where nothing is.  ERROR_EXISTS. */
int replace_file_new(const char *path, int timeout_ms, const struct buf *content,
    struct error *err);

#endif /* !FILE_REPLACE_H */
