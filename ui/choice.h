#ifndef UI_CHOICE_H
#define UI_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

struct app;

/* One of several things, for a question. */
struct choice {
	const char *name;
	const char *note;	/* behind it; "": nothing */
};

/**
 * choice_run(a, title, text, choices, n, chosen):
 * Ask which of ${n} it is.  Enter takes the one that the cursor is on, which
 * is the first; ${*chosen} is its number.  False: cancelled, or the program
 * ends or locks.
 */
bool choice_run(struct app *a, const char *title, const char *text, const struct choice *choices,
    size_t n, size_t *chosen);

/* The same, from ${*chosen} on; ${moved} is told of each that the cursor comes to. */
bool choice_try(struct app *a, const char *title, const char *text, const struct choice *choices,
    size_t n, void (*moved)(size_t i), size_t *chosen);

#endif /* !UI_CHOICE_H */
