#ifndef UI_LOOP_H
#define UI_LOOP_H

#include <stdbool.h>

struct app;
struct layer;

/**
 * loop_run(a, l):
 * Put ${l} on top and handle events until it is done.  False when it was
 * taken away before that: the program ends, or the screen is locked; then the
 * caller undoes what it began and returns too.  The scan and what views do by themselves
 * go on only while no dialog is open, so that nothing moves under it.
 */
bool loop_run(struct app *a, struct layer *l);

#endif /* !UI_LOOP_H */
