#ifndef MEMFILE_H
#define MEMFILE_H

struct buf;
struct error;

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

#endif /* !MEMFILE_H */
