#ifndef UI_REVIEW_H
#define UI_REVIEW_H

#include <stdbool.h>

struct app;
struct change;

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

#endif /* !UI_REVIEW_H */
