#ifndef UI_HELP_H
#define UI_HELP_H

#include "ui/keymap.h"

struct app;

/* The list of all actions; typing searches it.  Returns the one to run, or
 * ACTION_COUNT. */
enum action_id help_run(struct app *a);

#endif /* !UI_HELP_H */
