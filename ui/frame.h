#ifndef UI_FRAME_H
#define UI_FRAME_H

#include "base/buf.h"

struct app;
struct rect;

/* The title line, the status line, and the footer with its keys. */
void status_draw_title(struct app *a);
void status_draw(struct app *a);

/* What stands below the panes: the first line names the thing, the text below
 * explains it. */
struct words {
	struct buf place;	/* file:line */
	struct buf name;	/* key */
	struct buf text;
	unsigned int style;	/* of the text */
};

void words_init(struct words *w);
void words_release(struct words *w);

/* Draw them; while a value is revealed, it takes the place of the text. */
void words_draw(struct app *a, const struct rect *r, struct words *w);

/* The revealed value, and how it is masked again. */
void words_draw_reveal(struct app *a, const struct rect *r);

#endif /* !UI_FRAME_H */
