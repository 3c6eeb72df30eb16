#ifndef UI_KEY_SHOW_H
#define UI_KEY_SHOW_H

#include <stdbool.h>

struct app;
struct key;

/**
 * key_show_run(a, key, title):
 * Show a new master key, this once, and have the user prove that it is saved:
 * with the key masked again, its last characters must be typed.  False when
 * the user gives up; then nothing may be changed.
 */
bool key_show_run(struct app *a, const struct key *key, const char *title);

#endif /* !UI_KEY_SHOW_H */
