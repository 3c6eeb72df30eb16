#ifndef UI_CHANGE_H
#define UI_CHANGE_H

#include "plan/change.h"

struct app;

/* Changes of files (plan/change.h) from the interface. */

/* Start with nothing planned, to wait on the screen for locks, and not for ever. */
void change_prepare(struct app *a, struct change *c);

/* Start a plan on the model's secrets file, read again if it changed. */
int change_begin(struct app *a, struct change *c, struct error *err);

/**
 * change_carry_out(a, c, err):
 * Apply the plan, and read what changed again.  The change is closed in any
 * case, as the model's secrets file may be another one then.
 */
int change_carry_out(struct app *a, struct change *c, struct error *err);

#endif /* !UI_CHANGE_H */
