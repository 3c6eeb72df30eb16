#ifndef CLI_GIT_GIT_H
#define CLI_GIT_GIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct error;

/* git as a program: started with an argv, never by a shell, without the
 * variable of the master key in its environment. */

/* What git_run gives for a git that was killed by a signal. */
#define GIT_KILLED 255

/**
 * git_run(argv, out, status, err):
 * Run git with the arguments ${argv} (up to NULL, without the word git) and
 * append its standard output to ${out} (NULL: thrown away).  With ${status}
 * its exit status goes there and its standard error is thrown away; without,
 * another status than 0 is an error.  ERROR_MISSING: there is no git.
 */
int git_run(const char *const argv[], struct buf *out, int *status, struct error *err);

/* The same, less one line end at the end of the output. */
int git_line(const char *const argv[], struct buf *out, int *status, struct error *err);

/* The top of the work tree, or ERROR_MISSING: this is none. */
int git_top(struct buf *out, struct error *err);

/* The file that `git config --local` or --global writes, as git-config(1) has it. */
int git_config_path(bool global, struct buf *path, struct error *err);

/* Is the file to be looked at?  And look at a content of it (secret), which is told as ${name}. */
typedef bool git_takes_fn(void *cookie, const char *path);
typedef int git_content_fn(void *cookie, const char *name, const char *path, struct buf *content,
    struct error *err);

/**
 * git_staged(paths, n, takes, each, cookie, err):
 * Call ${each} for what is staged of the files below ${paths} (pathspecs; none:
 * all) that ${takes} takes, as it is staged.  What ${each} returned, or git's error.
 */
int git_staged(const char *const paths[], size_t n, git_takes_fn *takes, git_content_fn *each,
    void *cookie, struct error *err);

/* The same of all that was ever committed, the oldest first; each content of a path once, named
 * COMMIT:PATH, as `git show` takes it, of the first commit with it. */
int git_history(const char *const paths[], size_t n, git_takes_fn *takes, git_content_fn *each,
    void *cookie, struct error *err);

#endif /* !CLI_GIT_GIT_H */
