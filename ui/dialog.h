#ifndef UI_DIALOG_H
#define UI_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "ui/app.h"
#include "ui/field.h"

struct about;
struct app;
struct error;
struct rect;

/* A text that may be longer than its place: where it is scrolled to. */
struct scroll {
	size_t first;	/* line that is shown */
	size_t lines;	/* of the text, and how many are shown, as of the last scroll_draw */
	size_t shown;
};

/* Draw what is shown of the text, its very first line in style ${first}; that there is more
 * shows in the column behind ${r}. */
void scroll_draw(struct scroll *s, const struct rect *r, unsigned int first, const char *text,
    size_t n);

/* Do what a movement key says; false when ${key} is none, or all is shown. */
bool scroll_key(struct scroll *s, uint32_t key);

/* Its keys, for the help; none where all is shown. */
void scroll_about(const struct scroll *s, struct about *out);

#define DIALOG_TEXT_MAX ((size_t)1 << 20)

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
	struct secret_field secret;	/* DIALOG_SECRET */
	bool makes, reads;	/* the same: it can be generated, read from a file */
	size_t focus;		/* the same: 0 the field, else a button below it */
	const char *other;	/* DIALOG_MESSAGE: a key and what it does instead; NULL: none */
	size_t done, total;	/* DIALOG_PROGRESS; total 0: not known */
	char complaint[160];	/* why Enter did not do it */
	bool accepted;
	bool focus_go;		/* the focus is not on Cancel */
	struct scroll scroll;	/* of the text */
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

/* The same for going on with what was decided before: the focus is on the button. */
bool ask_resume(struct app *a, const char *title, const char *text, const char *button);

/* Go on only when the word is typed. */
bool ask_word(struct app *a, const char *title, const char *text, const char *word);

/* A line of text; ${out} starts with what is there and gets the answer. */
bool ask_text(struct app *a, const char *title, const char *text, const char *label,
    struct buf *out);

/* A secret, appended to ${out} (secret); ${complaint} (may be NULL) says why
 * it is asked again. */
bool ask_secret(struct app *a, const char *title, const char *text, const char *label,
    const char *complaint, struct buf *out);

/* A value of any number of lines, typed twice, or once where it was seen, pasted, generated
 * or read from a file; appended to ${out} (secret).  ${text} ends in a newline. */
bool ask_value(struct app *a, const char *title, const char *text, struct buf *out);

/* The same for a new passphrase; not blank, and a weak one only when the word is typed. */
bool ask_new_passphrase(struct app *a, const char *title, const char *text, struct buf *out);

/* May this passphrase be used?  A weak one when the word is typed; else ${*complaint} says
 * why not. */
bool ask_passphrase_good(struct app *a, const char *title, const struct buf *p,
    const char **complaint);

/* A message, until it is read. */
void tell_message(struct app *a, const char *title, const char *text);

/* A message with a way out: a key, and what it does, such as "o to a file".  True: it was
 * hit. */
bool tell_offer(struct app *a, const char *title, const char *text, const char *other);

/* A failure with its place, key and hint. */
void tell_error(struct app *a, const char *title, const struct error *err);

/* One of several things, for a question. */
struct choice {
	const char *name;
	const char *note;	/* behind it; "": nothing */
};

/**
 * choice_run(a, title, text, choices, n, chosen):
 * Ask which of ${n} it is.  Enter takes the one that the cursor is on, which
 * is the first; ${*chosen} is its number.  False: cancelled, or the program
 * ends or locks.
 */
bool choice_run(struct app *a, const char *title, const char *text, const struct choice *choices,
    size_t n, size_t *chosen);

/* The same, from ${*chosen} on; ${moved} is told of each that the cursor comes to. */
bool choice_try(struct app *a, const char *title, const char *text, const struct choice *choices,
    size_t n, void (*moved)(size_t i), size_t *chosen);

#endif /* !UI_DIALOG_H */
