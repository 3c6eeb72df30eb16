#ifndef UI_RESUME_H
#define UI_RESUME_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct resume;

/*
 * The marks of a run that ends without being left, as by a crash, a signal or a terminal that
 * is gone: which entries of which files, and whether they are on, and nothing of any value.
 * They are kept in the folder for propseal's own state, in a file for the folders and files
 * that are open, whose lock is held as long as the run goes on.  Whoever leaves, or applies or
 * takes away the last mark, removes it.
 */

/* Take what a run that is gone has left, if there is any; what is wrong with it is told.  NULL:
 * no memory, a lesson is on, or nothing is to be written. */
struct resume *resume_new(struct app *a);

/* When (clock_ms) there is something for resume_run; UINT64_MAX: there is nothing. */
uint64_t resume_until(const struct app *a);

/* Set again what was left, once all files are read, and keep marks that are others now.
 * ${may_set}: no dialog is open.  True: draw. */
bool resume_run(struct app *a, bool may_set);

/* Behind jobs_free: if the user has not left, keep the last marks, too. */
void resume_end(struct app *a);

#endif /* !UI_RESUME_H */
