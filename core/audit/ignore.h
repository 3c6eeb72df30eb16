#ifndef AUDIT_IGNORE_H
#define AUDIT_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * What .gitignore files leave out, as gitignore(5) has it: those of the folder
 * at hand and of all above it up to the top of the work tree, and
 * .git/info/exclude there.  Of patterns that match the last one counts, a
 * deeper file's before a higher one's.  Paths are absolute, without links.
 */
struct ignore;

/* ${root}: the folder that the walk begins at; its own file is read by
 * ignore_enter.  NULL: ERROR_MEMORY, or as file_read for a file above it. */
struct ignore *ignore_new(const char *root, struct error *err);
void ignore_free(struct ignore *g);

/**
 * ignore_enter(g, folder, mark, err):
 * Take the .gitignore of ${folder}, if it has one, until ignore_leave(${*mark}).
 * Errors: those of file_read; nothing is taken then.
 */
int ignore_enter(struct ignore *g, const char *folder, size_t *mark, struct error *err);
void ignore_leave(struct ignore *g, size_t mark);

/* Is the file or folder left out?  Its folder is not. */
bool ignore_leaves_out(const struct ignore *g, const char *path, bool is_folder);

#endif /* !AUDIT_IGNORE_H */
