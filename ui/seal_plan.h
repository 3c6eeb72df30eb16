#ifndef UI_SEAL_PLAN_H
#define UI_SEAL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/vec.h"

struct app;
struct buf;
struct change;
struct environment;
struct estate_file;
struct goal;

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

/*
 * What is to be sealed, and where it goes: files with what is marked in them,
 * or one value for one key.  Each file goes to the environment that its own
 * references use; one change for each environment is planned, reviewed with
 * the others, and applied.
 */
struct seal_plan {
	struct vec files;	/* of struct seal_file */
	struct vec parts;	/* of struct seal_part * */

	/* A value for one key of the only file; NULL: what is marked. */
	const char *key;
	size_t key_len;
	const struct buf *value;	/* secret */
	bool must_exist;		/* the key is in the file already */

	/* How many values in how many files were applied: files may have been left out. */
	size_t values, changed;
};

/* How it is asked about. */
struct seal_question {
	const char *title;
	const char *text;	/* before the list of what goes where */
	bool ask_now;		/* over the diff */
};

void seal_plan_init(struct seal_plan *p);
void seal_plan_release(struct seal_plan *p);

/* Add a file, whose secrets go there.  -1: no memory. */
int seal_plan_add(struct seal_plan *p, const struct estate_file *f, struct goal *g);

/* What goes where, for people. */
void seal_plan_print(const struct app *a, const struct seal_plan *p, struct buf *out);

/* How many values in how many files. */
size_t seal_plan_values(const struct app *a, const struct seal_plan *p, size_t *files);

/* See that there is a key for every environment.  False: there is not. */
bool seal_plan_unlock(struct app *a, const struct seal_plan *p);

/**
 * seal_plan_run(a, p, q):
 * Make the plans, review, ask, apply; the path in references can be changed on
 * the way.  A file whose entries are another's already can be left out.  True:
 * it is done, and the marks of what is sealed go as the files are read again; the
 * plan's files may be gone with that.
 */
bool seal_plan_run(struct app *a, struct seal_plan *p, const struct seal_question *q);

#endif /* !UI_SEAL_PLAN_H */
