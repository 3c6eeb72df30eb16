#ifndef UI_LOOP_H
#define UI_LOOP_H

#include <stdbool.h>
#include <stdint.h>

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

/*
 * Looking for files beside the screen: a job finds them and reads them, and what it has
 * found so far is taken, told and shown between two events.
 */

/* When (clock_ms) there is a piece of it to be done; UINT64_MAX: there is none. */
uint64_t scan_until(const struct app *a);

/* Do what is due, and have a job look for what is not found yet.  True: draw. */
bool scan_run(struct app *a);

/* Behind jobs_free: forget those that were looking. */
void scan_end(struct app *a);

#endif /* !UI_LOOP_H */
