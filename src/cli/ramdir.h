#ifndef RAMDIR_H
#define RAMDIR_H

#include <stdbool.h>

struct buf;
struct error;

/*
 * A private folder in a file system that lives in memory, for one file in
 * clear text and whatever an editor puts beside it.  It is overwritten and
 * removed by ramdir_wipe; should this process end without that, however it
 * ends, a second process that only waits for it does so.
 */
struct ramdir;

/**
 * ramdir_new(name, insecure, err):
 * Make the folder (0700) below /dev/shm or $XDG_RUNTIME_DIR, whichever is in
 * memory, for a file ${name}.  ${insecure}: where neither is, $TMPDIR or /tmp
 * will do, with a warning.  Better called before there are keys in memory,
 * since the second process is a copy of this one.  NULL: ERROR_REFUSED
 * (nothing is in memory), ERROR_IO, ERROR_MEMORY.
 */
struct ramdir *ramdir_new(const char *name, bool insecure, struct error *err);

/* Make the file (0600) with ${content}.  Once.  ERROR_IO. */
int ramdir_write(const struct ramdir *d, const struct buf *content,
    struct error *err);

/* The path of the file. */
const char *ramdir_path(const struct ramdir *d);

/**
 * ramdir_read(d, out, err):
 * Append what the file now holds to ${out} (secret).  It must be a regular
 * file of ours; an editor may have put a new one in its place.
 */
int ramdir_read(const struct ramdir *d, struct buf *out, struct error *err);

/* Leave the folder where it is and free ${d}: somebody still needs it. */
void ramdir_keep(struct ramdir *d);

/* Overwrite and remove all that is in it, and free ${d}.  NULL is fine. */
void ramdir_wipe(struct ramdir *d);

#endif /* !RAMDIR_H */
