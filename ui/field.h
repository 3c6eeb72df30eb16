#ifndef UI_FIELD_H
#define UI_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct app;
struct error;

/* Where something is typed: fields of dialogs, and of the steps of a wizard. */

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

#define SECRET_FIELD_MAX ((size_t)1 << 20)	/* bytes of a typed secret */

/*
 * A secret that is being typed, pasted, generated or read from a file.  Bullets
 * stand for it; what is shown of it goes past curses (reveal.h), and is masked by
 * the time.  The layer that has the field sets `secret`.
 */
struct secret_field {
	struct buf text;	/* secret */
	bool many_lines;	/* it may have several */
	bool weighed;		/* a new passphrase: say how strong it is */
	bool certain;		/* as it stands it was seen, pasted, generated or read from a
				   file: it need not be typed twice */
};

void secret_field_init(struct secret_field *f);
void secret_field_release(struct secret_field *f);

/* Take a key; false when it is none that edits. */
bool secret_field_key(struct app *a, struct secret_field *f, uint32_t key);

/* Take a pasted text; else ${why} says why it is not taken. */
void secret_field_paste(struct app *a, struct secret_field *f, const struct buf *text,
    char *why, size_t size);

/* Show it, or mask it again. */
void secret_field_show(struct app *a, struct secret_field *f, char *why, size_t size);

/* Put a generated text in its place, and show it.  No passphrase where it could not be
 * shown: ${why} says so. */
void secret_field_generate(struct app *a, struct secret_field *f, char *why, size_t size);

/* Put what is in a file in its place, without its last line end.  Errors: those of
 * file_read; then it is as before. */
int secret_field_load(struct app *a, struct secret_field *f, const char *path,
    struct error *err);

/* Draw in ${w} columns; with ${focus} the cursor is put there. */
void secret_field_draw(struct app *a, const struct secret_field *f, int y, int x, int w,
    bool focus);

#endif /* !UI_FIELD_H */
