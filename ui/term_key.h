#ifndef UI_TERM_KEY_H
#define UI_TERM_KEY_H

#include <stdbool.h>

struct event;

/* Reading keys: the part of term.c that knows about sequences. */

/* Once, after curses has started. */
void term_key_open(void);

/* The next key by way of curses; false when none has come. */
bool term_key_read(struct event *e);

/* Is there a secret key that was read from the terminal already? */
bool term_key_held(void);

/* The next key read past curses, so that no copy of it stays there. */
bool term_key_read_secret(struct event *e);

#endif /* !UI_TERM_KEY_H */
