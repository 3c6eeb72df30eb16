#ifndef GIT_ATTRIBUTES_H
#define GIT_ATTRIBUTES_H

#include "base/buf.h"

struct error;
struct git_setup;
struct options;

/* The lines of .gitattributes for `git install`. */
struct git_attributes {
	struct git_setup *setup;
	const struct options *o;
	struct buf added;	/* the new lines, without the comment; empty: none */
	struct buf text;	/* the whole file with them */
};

void git_attributes_init(struct git_attributes *a);
void git_attributes_release(struct git_attributes *a);

/**
 * git_attributes_plan(a, setup, o, err):
 * Find the secrets files: the patterns that are the arguments, the file of
 * --local-secrets-file, or every one in the work tree that git does not
 * ignore.  ERROR_MISSING: none; ERROR_USAGE: a bad pattern, or a file
 * elsewhere; ERROR_IO.
 */
int git_attributes_plan(struct git_attributes *a, struct git_setup *setup,
    const struct options *o, struct error *err);

#endif /* !GIT_ATTRIBUTES_H */
