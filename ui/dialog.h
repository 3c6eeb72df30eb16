#ifndef UI_DIALOG_H
#define UI_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "ui/app.h"

struct app;
struct error;

#define LINE_EDIT_MAX 4096	/* bytes */

/* One line of text that is being typed: UTF-8, and never a secret. */
struct line_edit {
	char text[LINE_EDIT_MAX];	/* NUL-terminated */
	size_t len;
	size_t at;	/* the cursor, in bytes */
};

/* Start with ${text}, the cursor at its end. */
void line_edit_set(struct line_edit *l, const char *text);

/* Take a key; false when it is none that edits. */
bool line_edit_key(struct line_edit *l, uint32_t key);

/* Take a pasted text; false when it is none of one line: ${why} says so. */
bool line_edit_paste(struct line_edit *l, const struct buf *text, char *why, size_t size);

/* Draw in ${w} columns and put the cursor there; a long text scrolls. */
void line_edit_draw(const struct line_edit *l, int y, int x, int w);

#define DIALOG_TEXT_MAX ((size_t)1 << 20)
#define DIALOG_SECRET_MAX ((size_t)1 << 20)	/* bytes of a typed secret */

enum dialog_kind {
	DIALOG_MESSAGE,	/* one button */
	DIALOG_CONFIRM,	/* Cancel, which has the focus, and another button */
	DIALOG_TEXT,	/* a line is asked for */
	DIALOG_WORD,	/* goes on only when the word is typed */
	DIALOG_SECRET,	/* a secret is asked for: bullets only, past curses */
	DIALOG_PROGRESS	/* a gauge, until it is done */
};

/* A box over the screen; on a small one it takes all of it.  The parts are
 * set between dialog_init and dialog_run; ask_... and tell_... do the usual. */
struct dialog {
	struct layer layer;
	enum dialog_kind kind;
	const char *title;
	struct buf text;	/* paragraphs with newlines; no secret */
	const char *label;	/* of the field */
	const char *button;	/* the one that goes on, or the only one */
	const char *word;	/* DIALOG_WORD */
	bool is_error;
	struct line_edit line;	/* DIALOG_TEXT, DIALOG_WORD */
	struct buf secret;	/* DIALOG_SECRET */
	bool many_lines;	/* DIALOG_SECRET: a pasted text may have several */
	size_t done, total;	/* DIALOG_PROGRESS; total 0: not known */
	char complaint[160];	/* why Enter did not do it */
	bool accepted;
	bool focus_go;		/* the focus is not on Cancel */
	size_t scroll;		/* first line of text shown */
	size_t lines, shown;	/* of text, as last drawn */
};

void dialog_init(struct dialog *d, enum dialog_kind kind, const char *title);
void dialog_release(struct dialog *d);

/*
 * Questions.  Texts are drawn as they are, control characters made visible.
 * All return false when the user cancels, or when the program ends or locks
 * meanwhile.
 */

/* Go on?  The focus is on Cancel. */
bool ask_confirm(struct app *a, const char *title, const char *text, const char *button);

/* Go on only when the word is typed. */
bool ask_word(struct app *a, const char *title, const char *text, const char *word);

/* A line of text; ${out} starts with what is there and gets the answer. */
bool ask_text(struct app *a, const char *title, const char *text, const char *label,
    struct buf *out);

/* A secret, appended to ${out} (secret); ${complaint} (may be NULL) says why
 * it is asked again. */
bool ask_secret(struct app *a, const char *title, const char *text, const char *label,
    const char *complaint, struct buf *out);

/* A value, typed or pasted, of any number of lines; appended to ${out} (secret).
 * ${text} ends in a newline. */
bool ask_value(struct app *a, const char *title, const char *text, struct buf *out);

/* A new passphrase, typed twice until both are the same, not blank. */
bool ask_new_passphrase(struct app *a, const char *title, const char *text, struct buf *out);

/* A message, until it is read. */
void tell_message(struct app *a, const char *title, const char *text);

/* A failure with its place, key and hint. */
void tell_error(struct app *a, const char *title, const struct error *err);

#endif /* !UI_DIALOG_H */
