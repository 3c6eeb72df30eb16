#ifndef UI_LOOP_H
#define UI_LOOP_H

#include <stdbool.h>

struct app;
struct view;

/**
 * loop_run(a, v):
 * Put ${v} on top and handle events until it is done.  False when it was
 * taken away before that: the program ends, or the screen is locked; then the
 * caller undoes what it began and returns too.  The scan goes on only while
 * the browser is on top, so that nothing moves under a dialog.
 */
bool loop_run(struct app *a, struct view *v);

/* Draw a frame now, such as the progress of a long step. */
void loop_draw(struct app *a);

/* The keys are wiped: cover the screen until a key is pressed. */
void lock_screen_run(struct app *a);

#endif /* !UI_LOOP_H */
