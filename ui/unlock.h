#ifndef UI_UNLOCK_H
#define UI_UNLOCK_H

struct app;

/**
 * unlock_run(a):
 * See that the model has the master key of its secrets file: from the option,
 * the environment or the credential, else by asking for the key or the
 * passphrase.  0: it has.  -1: it has not, and the user knows why.
 */
int unlock_run(struct app *a);

#endif /* !UI_UNLOCK_H */
