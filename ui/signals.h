#ifndef UI_SIGNALS_H
#define UI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Signals are blocked but in the one place where the program waits (ppoll
 * with signals_wait_mask), so none is lost and none comes at a bad time.
 * Those of a crash are not blocked: ${crash} runs in the handler, must be
 * async-signal-safe, and then the process dies by the same signal.
 */
void signals_catch(void (*crash)(void));

/* Everything as it was before signals_catch. */
void signals_release(void);

const sigset_t *signals_wait_mask(void);

/* The signal that asks the program to end and came since the last call, 0 for none. */
int signals_take_end(void);

/* Each tells whether it came since the last call. */
bool signals_take_resize(void);
bool signals_take_stop(void);
bool signals_take_continue(void);

/* Stop the process as ^Z does; returns when it is continued. */
void signals_stop_self(void);

#endif /* !UI_SIGNALS_H */
