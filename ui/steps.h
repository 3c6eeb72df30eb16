#ifndef UI_STEPS_H
#define UI_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/app.h"
#include "ui/dialog.h"

struct buf;
struct rect;
struct steps;

/*
 * A wizard: steps over all of the screen, one at a time.  Enter goes on, Esc goes one step
 * back, and from the first one (or from where there is no way back) out of it.  What was
 * typed is the wizard's own and stays.  All members but name and draw may be NULL.
 */
struct step {
	const char *name;	/* in the line of steps */
	const char *keys;	/* the footer, without Enter and Esc; */
	const char *(*keys_now)(const struct steps *s);	/* where it is not always the same */
	void (*draw)(struct steps *s, struct app *a, const struct rect *r);

	/* In the place of draw: append what the step says, which is scrolled. */
	void (*text)(struct steps *s, struct app *a, struct buf *out);

	/* It is shown from now on, come from either side. */
	void (*entered)(struct steps *s, struct app *a);

	/* False: it is none of this step's keys. */
	bool (*key)(struct steps *s, struct app *a, uint32_t key);
	void (*paste)(struct steps *s, struct app *a, const struct buf *text);

	/* Do what the step is for.  False: stay; s->why may say why. */
	bool (*next)(struct steps *s, struct app *a);

	/* Its keys beside Enter and Esc, for the help, and whether characters are text now. */
	void (*about)(const struct steps *s, struct about *out);

	/* Is a secret being typed, so that keys are read past curses? */
	bool (*secret)(const struct steps *s);
};

struct steps {
	struct layer layer;
	const char *title;
	const char *note;		/* how things are, at the right of the title */
	const struct step *all;
	size_t count, at;
	size_t floor;			/* there is no way back below this one */
	struct scroll scroll;		/* of the step's text */
	char why[160];			/* why it does not go on; until the next key */
	bool finished;			/* the last step was left by Enter */
};

/* Run it from ${s}->at on.  False: it was left before its end, or taken away (loop.h). */
bool steps_run(struct app *a, struct steps *s);

/* As Enter does: do what the step is for, and go on. */
void steps_next(struct app *a, struct steps *s);

/* One step back, if there is one. */
void steps_back(struct app *a, struct steps *s);

/* A paragraph from line ${y} of ${r} on; the next free line. */
int steps_text(const struct rect *r, int y, const char *text);

#endif /* !UI_STEPS_H */
