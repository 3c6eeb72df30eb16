#ifndef CLEAR_CHECK_H
#define CLEAR_CHECK_H

#include <stddef.h>

struct buf;
struct error;
struct findings;
struct rules;

/* What `git check` looks for in one file, whether from git or from the disk. */
struct clear_check {
	struct findings *findings;
	const struct rules *rules;
	size_t files;		/* looked at */
	size_t unreadable;
};

/**
 * clear_check_content(c, path, content, err):
 * Look through the content (secret, moved) of the configuration file or
 * secrets file ${path}: secrets in clear text, conflict markers, sealed
 * values that are malformed.  What is no configuration file by its name is
 * passed over.  ERROR_MEMORY.
 */
int clear_check_content(struct clear_check *c, const char *path, struct buf *content,
    struct error *err);

/* One that cannot be read. */
void clear_check_unreadable(struct clear_check *c, const struct error *why);

#endif /* !CLEAR_CHECK_H */
