#ifndef UI_CHANGE_H
#define UI_CHANGE_H

#include <stdbool.h>

#include "plan/change.h"

struct app;

/* Changes of files (plan/change.h) from the interface: planned, reviewed and
 * confirmed, applied. */

/* Start with nothing planned, to wait on the screen for locks, and not for ever. */
void change_prepare(struct app *a, struct change *c);

/* Start a plan on the model's secrets file, read again if it changed. */
int change_begin(struct app *a, struct change *c, struct error *err);

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

/* Show the masked diff of a plan; `w` asks whether to apply it. */
enum review_answer review_run(struct app *a, const struct change *c,
    const struct review_options *o);

/* Show lines of text in the same way, with nothing to apply. */
void review_show(struct app *a, const char *title, const char *text);

/**
 * change_carry_out(a, c, failed):
 * Apply the plan, and read what changed again.  The change is closed in any
 * case, as the model's secrets file may be another one then.  A failure is told
 * in a dialog with the title ${failed}; false then.
 */
bool change_carry_out(struct app *a, struct change *c, const char *failed);

#endif /* !UI_CHANGE_H */
