#ifndef TESTS_TUI_VT_TEXT_H
#define TESTS_TUI_VT_TEXT_H

#include <stddef.h>

#include <vterm.h>

/* Cells as UTF-8 with a NUL, without blanks at the end; the length. */
size_t vt_text_of(const VTermScreenCell *cells, int cols, char *buf, size_t size);

#endif /* !TESTS_TUI_VT_TEXT_H */
