#ifndef UI_TELL_H
#define UI_TELL_H

#include <stddef.h>

struct app;
struct error;

/* A message, until it is read. */
void tell_message(struct app *a, const char *title, const char *text);

/* A failure with its place, key and hint. */
void tell_error(struct app *a, const char *title, const struct error *err);

/* Show that a long step is at work: ${done} of ${total} (0: not known). */
void tell_progress(struct app *a, const char *title, const char *text, size_t done,
    size_t total);

#endif /* !UI_TELL_H */
