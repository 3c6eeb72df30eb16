#ifndef UI_UI_H
#define UI_UI_H

#include "ui/options.h"

/**
 * ui_run(o):
 * Run the interface on the terminal until the user quits.  Returns the
 * program's exit status: 0, 2 when there is no usable terminal (said on
 * standard error), 128 + signal when one ended it.
 */
int ui_run(const struct ui_options *o);

#endif /* !UI_UI_H */
