#ifndef UI_COLUMNS_H
#define UI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many columns of the screen a text takes.  Texts are visible ones
 * (text_append_visible): valid UTF-8 without control characters.
 */

/* Columns of one character: 0 (combining), 1, or 2; what the locale cannot
 * show is drawn as `?` and takes 1. */
int columns_of(uint32_t cp);

/* Can the locale show this character at all? */
bool columns_can_show(uint32_t cp);

int columns_text(const char *text, size_t n);

/* How many bytes from the start fit in ${max} columns; ${*used}: how many
 * columns they take (may be NULL). */
size_t columns_fit(const char *text, size_t n, int max, int *used);

/* The offset from which the end of the text fits in ${max} columns. */
size_t columns_fit_tail(const char *text, size_t n, int max);

/**
 * columns_wrap(text, n, width, next):
 * The length of the first line of ${text} when it is broken at blanks (or,
 * for a longer word, anywhere) to ${width} columns; ${*next} is where the
 * second line starts.  A newline always ends a line.
 */
size_t columns_wrap(const char *text, size_t n, int width, size_t *next);

#endif /* !UI_COLUMNS_H */
