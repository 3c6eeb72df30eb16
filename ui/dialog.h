#ifndef UI_DIALOG_H
#define UI_DIALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "ui/line_edit.h"
#include "ui/view.h"

struct app;

#define DIALOG_TEXT_MAX ((size_t)1 << 20)
#define DIALOG_SECRET_MAX ((size_t)1 << 20)	/* bytes of a typed secret */

enum dialog_kind {
	DIALOG_MESSAGE,	/* one button */
	DIALOG_CONFIRM,	/* Cancel, which has the focus, and another button */
	DIALOG_TEXT,	/* a line is asked for */
	DIALOG_WORD,	/* goes on only when the word is typed */
	DIALOG_SECRET,	/* a secret is asked for: bullets only, past curses */
	DIALOG_PROGRESS	/* no keys: drawn by loop_draw */
};

/* A box over the screen; on a small one it takes all of it.  The parts are
 * set between dialog_init and dialog_run; ask.h and tell.h have the usual. */
struct dialog {
	struct view view;
	enum dialog_kind kind;
	const char *title;
	struct buf text;	/* paragraphs with newlines; no secret */
	const char *label;	/* of the field */
	const char *button;	/* the one that goes on, or the only one */
	const char *word;	/* DIALOG_WORD */
	bool is_error;
	struct line_edit line;	/* DIALOG_TEXT, DIALOG_WORD */
	struct buf secret;	/* DIALOG_SECRET */
	size_t done, total;	/* DIALOG_PROGRESS; total 0: not known */
	char complaint[160];	/* why Enter did not do it */
	bool accepted;
	bool focus_go;		/* the focus is not on Cancel */
	size_t scroll;		/* first line of text shown */
	size_t lines, shown;	/* of text, as last drawn */
};

void dialog_init(struct dialog *d, enum dialog_kind kind, const char *title);
void dialog_release(struct dialog *d);

/* Show it until it is answered.  True: accepted. */
bool dialog_run(struct app *a, struct dialog *d);

/* For DIALOG_PROGRESS: draw it once over what is there. */
void dialog_show(struct app *a, struct dialog *d);

#endif /* !UI_DIALOG_H */
