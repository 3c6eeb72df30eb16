#ifndef UI_WIZARD_H
#define UI_WIZARD_H

#include <stdbool.h>

struct app;

/*
 * The way of a new secrets file: where it lies and who reads it, a passphrase, the master
 * key with the proof that it is saved, and only then the file; then a first value, and what
 * a service needs.
 */

/* All of it; ${explain}: from what it is about on. */
void wizard_run(struct app *a, bool explain);

/* Up to the file alone, as there is something to be sealed that waits.  False: given up. */
bool wizard_make(struct app *a);

#endif /* !UI_WIZARD_H */
