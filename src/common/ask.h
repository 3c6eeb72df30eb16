#ifndef COMMON_ASK_H
#define COMMON_ASK_H

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

/* From a terminal twice; else all that comes on standard input, without one line end
 * at its end. */
int askpass_or_input(const char *text, struct buf *out, struct error *err);

/**
 * confirm(text, question, yes, err):
 * Show ${text} (NULL: nothing) and then the question on the controlling
 * terminal, and read a line: ${*yes} is true for y and yes only, in any case.
 * The end of the input is a no.  ERROR_IO.
 */
int confirm(const struct buf *text, const char *question, bool *yes, struct error *err);

#endif /* !COMMON_ASK_H */
