#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Drawing a frame.  All texts may hold any bytes: control characters are
 * made visible, what the locale cannot show becomes `?`, and nothing is ever
 * drawn outside the columns given.  Never for secrets: curses keeps copies
 * (see reveal.h).
 */

struct rect {
	int y, x, h, w;
};

enum glyph {
	GLYPH_HLINE, GLYPH_VLINE, GLYPH_TOP_LEFT, GLYPH_TOP_RIGHT,
	GLYPH_BOTTOM_LEFT, GLYPH_BOTTOM_RIGHT, GLYPH_OPEN, GLYPH_FOLDED,
	GLYPH_BULLET, GLYPH_ELLIPSIS, GLYPH_DOT, GLYPH_UP, GLYPH_DOWN
};

/* A glyph as text: a Unicode one where the locale can show it, else ASCII. */
const char *canvas_glyph(enum glyph g);

void canvas_size(int *rows, int *cols);

void canvas_begin(void);

/* Bring the frame to the screen, the cursor where canvas_cursor said. */
void canvas_end(void);

void canvas_cursor(int y, int x, bool visible);
void canvas_cursor_get(int *y, int *x);

/* Columns that are blank in the given style. */
void canvas_fill(int y, int x, int w, unsigned int style);

/**
 * canvas_text(y, x, w, style, text):
 * Draw ${text} in at most ${w} columns; a longer one ends in an ellipsis.
 * Returns the columns used.
 */
int canvas_text(int y, int x, int w, unsigned int style, const char *text);
int canvas_bytes(int y, int x, int w, unsigned int style, const char *text,
    size_t n);

/* The same, but a longer one starts with the ellipsis and keeps its end. */
int canvas_tail(int y, int x, int w, unsigned int style, const char *text);
int canvas_tail_bytes(int y, int x, int w, unsigned int style, const char *text,
    size_t n);

/* Draw at the right end of the columns; returns the columns used. */
int canvas_right(int y, int x, int w, unsigned int style, const char *text);

void canvas_hline(int y, int x, int w);
void canvas_vline(int y, int x, int h);

/* A cleared box with a border and a title. */
void canvas_box(const struct rect *r, const char *title);

/* Clear a rectangle. */
void canvas_clear(const struct rect *r);

#endif /* !UI_CANVAS_H */
