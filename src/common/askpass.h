#ifndef ASKPASS_H
#define ASKPASS_H

#include <stdbool.h>

struct buf;
struct error;

/* Is there a terminal and somebody at it?  (Standard input or standard error
 * is a terminal, and the controlling terminal can be opened.) */
bool askpass_available(void);

/**
 * askpass_line(text, out, err):
 * Ask for a line on the controlling terminal, without echo, and append it
 * without its line end to ${out} (secret).  A signal restores the terminal
 * first and then has its usual effect.  ERROR_IO; ERROR_REFUSED when the
 * line is empty or the input ends.
 */
int askpass_line(const char *text, struct buf *out, struct error *err);

/* Ask twice until both are the same, at most three times.  ERROR_REFUSED. */
int askpass_twice(const char *text, struct buf *out, struct error *err);

#endif /* !ASKPASS_H */
