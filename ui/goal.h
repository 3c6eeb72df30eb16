#ifndef UI_GOAL_H
#define UI_GOAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct app;
struct environment;
struct estate_file;

/* Where secrets of a configuration file go: to which secrets file, and under
 * which path references name it. */
struct goal {
	struct environment *environment;	/* NULL: nowhere, it is left out */
	struct buf remote;
	bool proposed;		/* no reference, section or flag says so */
};

void goal_init(struct goal *g);
void goal_release(struct goal *g);

/* See that all was scanned and that there is a secrets file, or make one.
 * False: there is none, and the user knows why. */
bool goal_ready(struct app *a);

/**
 * goal_find(a, f, count, out):
 * Where secrets of ${f}, and of ${count} - 1 files more of which the same is
 * known, go.  What is not known is asked; with ${count} 0 they cannot be left
 * out.  False: given up, and the user knows why.
 */
bool goal_find(struct app *a, const struct estate_file *f, size_t count, struct goal *out);

/* Ask for both, though they may be known; it starts with what is there.  False: given up. */
bool goal_ask(struct app *a, const struct estate_file *f, size_t count, struct goal *g);

/* Ask for the path in references; it starts with what is there. */
bool goal_ask_remote(struct app *a, struct buf *remote);

#endif /* !UI_GOAL_H */
