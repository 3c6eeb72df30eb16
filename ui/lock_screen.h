#ifndef UI_LOCK_SCREEN_H
#define UI_LOCK_SCREEN_H

struct app;

/* The keys are wiped: cover the screen until a key is pressed. */
void lock_screen_run(struct app *a);

#endif /* !UI_LOCK_SCREEN_H */
