#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/vec.h"

struct error;

/* The environment of a command, made from ours; in secret memory. */
struct environment {
	struct buf text;	/* NAME=VALUE, a NUL behind each */
	struct vec places;	/* of size_t: where each begins in text */
	char **envp;
};

void environment_init(struct environment *e);
void environment_release(struct environment *e);

/**
 * environment_set(e, name, value, n, err):
 * Set a variable, in the place of one of that name.  ERROR_REFUSED: the value
 * has a NUL.
 */
int environment_set(struct environment *e, const char *name, const void *value,
    size_t n, struct error *err);

/* Take a variable out. */
void environment_unset(struct environment *e, const char *name);

/**
 * environment_finish(e, err):
 * What execve takes; a forked child finds it as it is.  Valid until the
 * release; nothing may be set any more.
 */
char *const *environment_finish(struct environment *e, struct error *err);

#endif /* !ENVIRONMENT_H */
