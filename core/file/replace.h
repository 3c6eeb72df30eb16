#ifndef FILE_REPLACE_H
#define FILE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "file/file.h"

struct buf;
struct error;
struct file_id;
struct replace;
struct wait;

/*
 * A new version of one file, written to a temporary file and then put in its place.
 * Between replace_prepare and replace_commit the old file is untouched.
 */

/* Bytes that are there already; the buffer must outlive it. */
struct file_content replace_content_of(const struct buf *bytes);

/**
 * replace_prepare(path, expected, content, err):
 * Write ${content} to a temporary file in the directory of ${path} (of its
 * target, for a symlink): O_TMPFILE, or `.<name>.propseal-tmp` by O_EXCL|O_NOFOLLOW, mode
 * 0600 until the end; then owner, mode, ACL and extended attributes of the
 * old file (a new file: the mode of ${expected}, or 0600), fsync, read back, compare and look.
 * The caller holds the lock of ${path} (lock.h), so a leftover of an interrupted
 * run is removed.
 * NULL: ERROR_STALE (the file is no longer ${expected}), ERROR_REFUSED (hard
 * links, not a regular file), ERROR_IO, or ${content}'s error.
 */
struct replace *replace_prepare(const char *path, const struct file_id *expected,
    const struct file_content *content, struct error *err);

/* Could the file be replaced now?  For plans; ERROR_REFUSED, ERROR_IO as above. */
int replace_possible(const char *path, struct error *err);

/* Where the new file is. */
enum replace_state {
	REPLACE_OLD,		/* aside: at the name is what was there */
	REPLACE_NEW,		/* in place */
	REPLACE_UNSURE		/* it was in place and was put back, perhaps not on disk */
};
enum replace_state replace_state(const struct replace *r);

/*
 * What follows replace_prepare is four steps, so that one sync of a folder
 * serves for many files: replace_place, replace_sync, replace_check, and then
 * replace_settle or replace_undo.
 */

/**
 * replace_place(r, w, err):
 * Put the new file in the place of the old one, which gets the temporary name.
 * What another program that knows no locks writes to the old file meanwhile is
 * not lost: a lease tells of it, and the two are exchanged back (ERROR_STALE).
 * While another has the file open for writing, wait as ${w} says, then
 * ERROR_BUSY.  ERROR_STALE: it is no longer the expected one; ERROR_IO.  On
 * failure it is undone (replace_undo).
 */
int replace_place(struct replace *r, const struct wait *w, struct error *err);

/* Put the folders of ${n} files on disk, each once.  NULLs and files that are
 * not in place are skipped.  Who asks next how it went is replace_check. */
void replace_sync(struct replace *const r[], size_t n);

/* Is it in place, on disk, and nobody was at the old file?  ERROR_IO, ERROR_STALE. */
int replace_check(const struct replace *r, struct error *err);

/* What it is in place, as we wrote it.  ERROR_IO; ERROR_STALE: another hand was at it. */
int replace_identify(const struct replace *r, struct file_id *id, struct error *err);

/* Remove the old file: there is no way back.  ERROR_IO: it is still there, and
 * named in the hint. */
int replace_settle(struct replace *r, struct error *err);

/**
 * replace_undo(r, err):
 * Put the old file back, or remove a file that was new, before replace_settle
 * removed the old one.  ${err} holds why; that the new file is still in place
 * (another hand was at it since, or a call failed), or what was put back may
 * not be on disk, is added to its text, and replace_state tells.  Returns -1.
 */
int replace_undo(struct replace *r, struct error *err);

/* Was it put in place with no more than a second look at the old file, as
 * there are no leases or exchanges here? */
bool replace_is_blind(const struct replace *r);

/* All four steps. */
int replace_commit(struct replace *r, struct error *err);

/* Forget it: what has the temporary name is removed. */
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
int replace_file_new(const char *path, int timeout_ms, const struct file_content *content,
    struct error *err);

#endif /* !FILE_REPLACE_H */
