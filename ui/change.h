#ifndef UI_CHANGE_H
#define UI_CHANGE_H

#include <stdbool.h>

#include "plan/change.h"

struct app;
struct environment;
struct job;

/* Changes of files (plan/change.h) from the interface: planned, reviewed and
 * confirmed, applied.  A change has one secrets file; what goes to several
 * environments is several changes, reviewed and applied together. */

/* In a job's thread (NULL: there is none): tell what is waited for, and for how much longer
 * (-1: without end).  False: it is to stop. */
bool change_tell_waiting(struct job *j, const char *why, const char *path, int left_ms);

/* Start with nothing planned, to wait on the screen for locks. */
void change_prepare(struct app *a, struct change *c);

/* Start a plan on the secrets file of ${x}, read again if it changed. */
int change_begin(struct app *a, struct environment *x, struct change *c, struct error *err);

enum review_answer {
	REVIEW_BACK,	/* nothing is to be done */
	REVIEW_APPLY,	/* reviewed, asked, and confirmed */
	REVIEW_REMOTE	/* another path is wanted in the references */
};

/* What is reviewed, and how the question that follows is put. */
struct review_options {
	const char *title;
	const char *question;	/* the text of the question */
	const char *button;	/* confirm by this button ... */
	const char *word;	/* ... or, if not NULL, by typing this word */
	const char *remote;	/* the path in new references; NULL: there are none */
	bool ask_now;		/* put the question at once, over the diff */
};

/* Show the masked diff of the plans; `w` asks whether to apply them. */
enum review_answer review_run(struct app *a, struct change *const c[], size_t n,
    const struct review_options *o);

/* Show lines of text in the same way, with nothing to apply. */
void review_show(struct app *a, const char *title, const char *text);

/**
 * change_carry_out(a, c, n, failed):
 * Apply the plans, one after the other, and read what changed again.  One that
 * fails does not keep the next from being applied.  The changes are closed in
 * any case, as the secrets files may be others then.  Failures are told in
 * dialogs with the title ${failed}; false then.
 */
bool change_carry_out(struct app *a, struct change *const c[], size_t n, const char *failed);

#endif /* !UI_CHANGE_H */
