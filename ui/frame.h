#ifndef UI_FRAME_H
#define UI_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct app;
struct layer;
struct outline;
struct rect;

/*
 * The main screen: a title line, the two lists of the view that is shown, the
 * detail below them, a status line, and the footer with its keys.
 */

/* The lowest layer, which hands keys to the actions (keymap.h). */
void frame_init(struct layer *base);

/* What stands below the panes, or in a third one: the line above names the thing, the text
 * explains it.  A view fills it in. */
struct words {
	struct buf place;	/* environment, file:line */
	struct buf name;	/* key */
	struct buf text;
	unsigned int style;	/* of the text */
	struct buf facts;	/* words_fact */
};

/* A fact more, with its name of at most ten columns: for the third pane, the other has no room
 * for them. */
void words_fact(struct words *w, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same of a time (0: nothing is added), and how long ago it was; ${day}: only the day. */
void words_time(struct words *w, const char *name, int64_t ms, bool day);

/* How the rows of a list are drawn. */
struct frame_rows {
	/* Is it the counterpart of what the cursor of the other pane is on?  NULL: of a left
	 * list that leads it is the row of its cursor, of others none. */
	bool (*is_linked)(struct app *a, size_t row);
	/* ${extra}: STYLE_SELECTED, STYLE_LINKED or 0 */
	void (*draw)(struct app *a, size_t row, const struct rect *line, unsigned int extra);
	/* The head of the group that the first row is in stays above it, as a line of its own;
	 * ${hidden} rows of the group are further up.  NULL: it does not. */
	void (*draw_head)(struct app *a, size_t group, size_t hidden, const struct rect *line);
};

/* Draw the rows that ${r} has room for, with `>` at the cursor if ${active}, else with `=`
 * at what is linked; ${line} is what is right of these. */
void frame_draw_rows(struct app *a, struct outline *o, const struct rect *r, bool active,
    const struct frame_rows *f);

/**
 * frame_draw_chips(o, preset, r):
 * At the left of a list's heading: what it shows.  The name of its filter, its
 * words, and its order if that is not the usual one.  Returns the columns used.
 */
int frame_draw_chips(const struct outline *o, const char *preset, const struct rect *r);

#endif /* !UI_FRAME_H */
