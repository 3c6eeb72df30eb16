#ifndef CLI_MEMORY_H
#define CLI_MEMORY_H

#include <stdbool.h>

struct buf;
struct error;
struct ramdir;

/*
 * A file without a name, in memory, that a command inherits as a descriptor
 * and opens as /proc/self/fd/N.
 */

/**
 * memfile_new(content, err):
 * Make one that can be read only and never changed.  A descriptor that is
 * closed on execution, with a number that shell scripts do not use for
 * themselves.  -1: ERROR_IO, also where there are no such files.
 */
int memfile_new(const struct buf *content, struct error *err);

/*
 * A private folder in a file system that lives in memory, for one file in
 * clear text and whatever an editor puts beside it.  It is overwritten and
 * removed by ramdir_wipe; should this process end without that, however it
 * ends, a second process that only waits for it does so.
 */

/**
 * ramdir_new(name, insecure, err):
 * Make the folder (0700) below /dev/shm or $XDG_RUNTIME_DIR, whichever is in
 * memory, for a file ${name}.  ${insecure}: where neither is, $TMPDIR or /tmp
 * will do, with a warning.  Better called before there are keys in memory,
 * since the second process is a copy of this one.  NULL: ERROR_REFUSED
 * (nothing is in memory), ERROR_IO, ERROR_MEMORY.
 */
struct ramdir *ramdir_new(const char *name, bool insecure, struct error *err);

/* Wipe what processes left that were killed together with their second ones. */
void ramdir_sweep(void);

/* Make the file (0600) with ${content}.  Once.  ERROR_IO. */
int ramdir_write(const struct ramdir *d, const struct buf *content, struct error *err);

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

/* Overwrite and remove all that is in it, and free ${d}.  NULL is fine.  Warns of what stays. */
void ramdir_wipe(struct ramdir *d);

#endif /* !CLI_MEMORY_H */
