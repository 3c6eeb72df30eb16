#ifndef CONFIRM_H
#define CONFIRM_H

#include <stdbool.h>

struct buf;
struct error;

/**
 * confirm(text, question, yes, err):
 * Show ${text} (NULL: nothing) and then the question on the controlling
 * terminal, and read a line: ${*yes} is true for y and yes only, in any case.
 * The end of the input is a no.  ERROR_IO.
 */
int confirm(const struct buf *text, const char *question, bool *yes,
    struct error *err);

#endif /* !CONFIRM_H */
