#ifndef PLAN_REPLACE_FILE_H
#define PLAN_REPLACE_FILE_H

struct buf;
struct error;
struct file_id;

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

#endif /* !PLAN_REPLACE_FILE_H */
