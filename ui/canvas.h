#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/theme.h"

struct buf;

/* Added to a style. */
#define STYLE_SELECTED 0x100U	/* the cursor is here */
#define STYLE_LINKED 0x200U	/* the counterpart of what is selected */
#define STYLE_MASK 0xffU

/* Before curses starts.  ${own}: the user's looks, by style, where they are given (not owned,
 * NULL: none). */
void theme_choose(enum theme t, const struct look *own);

/* Once, after curses has started. */
void theme_open(void);

/* Another one from the next frame on. */
void theme_change(enum theme t);
enum theme theme_now(void);

/*
 * How many columns of the screen a text takes.  Texts are visible ones
 * (text_append_visible): valid UTF-8 without control characters.
 */

/* Can the locale show this character at all? */
bool columns_can_show(uint32_t cp);

int columns_text(const char *text, size_t n);

/* How many bytes from the start fit in ${max} columns; ${*used}: how many
 * columns they take (may be NULL). */
size_t columns_fit(const char *text, size_t n, int max, int *used);

/* The offset from which the end of the text fits in ${max} columns. */
size_t columns_fit_tail(const char *text, size_t n, int max);

/*
 * A text that is broken at blanks (or, for a longer word, anywhere) to some
 * columns.  A newline always ends a line; what continues an indented line is
 * indented as it is.
 */
struct wrap {
	const char *rest;	/* what is still to be broken */
	size_t n;
	int width;
	const char *line;	/* the line, without its indentation */
	size_t len;
	int indent;		/* columns before it */
	bool continues;		/* the next line goes on with this one */
};

void wrap_init(struct wrap *w, const char *text, size_t n, int width);

/* The next line; false: there is none. */
bool wrap_next(struct wrap *w);

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
	GLYPH_BULLET, GLYPH_ELLIPSIS, GLYPH_DOT, GLYPH_UP, GLYPH_DOWN, GLYPH_INTO
};

/* For whom the screen is read aloud: one list at a time, no lines and boxes, glyphs that
 * have names, nothing that moves by itself.  Before the first frame. */
void canvas_read_aloud(bool on);
bool canvas_is_read_aloud(void);

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

/* How far something is: ${done} of ${total}, which is not 0.  Read aloud: in per cent. */
void canvas_gauge(int y, int x, int w, size_t done, size_t total);

/**
 * canvas_text(y, x, w, style, text):
 * Draw ${text} in at most ${w} columns; a longer one ends in an ellipsis.
 * Returns the columns used.
 */
int canvas_text(int y, int x, int w, unsigned int style, const char *text);
int canvas_bytes(int y, int x, int w, unsigned int style, const char *text, size_t n);

/* The same, but a longer one starts with the ellipsis and keeps its end. */
int canvas_tail(int y, int x, int w, unsigned int style, const char *text);
int canvas_tail_bytes(int y, int x, int w, unsigned int style, const char *text, size_t n);

/* The same, but a longer one is cut in the middle, and keeps ${tail} columns of its end. */
int canvas_middle(int y, int x, int w, unsigned int style, const char *text, size_t n, int tail);

/* Underline the first place in a line that was drawn where this text (lower case) stands. */
void canvas_underline(const struct rect *line, const char *text);

/* Draw at the right end of the columns; returns the columns used. */
int canvas_right(int y, int x, int w, unsigned int style, const char *text);

/* Text broken at blanks to the columns of ${r}, from line ${y} on, as far as
 * there are lines; returns the next free one. */
int canvas_wrapped(const struct rect *r, int y, unsigned int style, const char *text);

void canvas_hline(int y, int x, int w);
void canvas_vline(int y, int x, int h);

/* A cleared box with a border and a title. */
void canvas_box(const struct rect *r, const char *title);

/* Clear a rectangle. */
void canvas_clear(const struct rect *r);

/* Clear all of the screen, its first line a bar with a title; where the screen is. */
struct rect canvas_page(const char *title);

/* Names in little room: what tells one from its neighbours stays. */

/* A key as it is shown: a JAAS address without the package and the word
 * LoginModule, as `key > Module > option`; a very long one without its middle. */
void name_append_short(const char *key, size_t len, struct buf *out);

/* The names beside one in a list: append the one that is ${offset} rows further
 * to ${out}; false: there is none. */
struct name_neighbours {
	bool (*at)(const void *cookie, size_t row, int offset, struct buf *out);
	const void *cookie;
	size_t row;
};

/**
 * name_draw(y, x, w, style, name, beside):
 * Draw a name in at most ${w} columns.  A longer one is cut in the middle: of a
 * path its last part stays if that fits; the cut moves to where neighbours
 * (NULL: there are none) differ.  Returns the columns used.
 */
int name_draw(int y, int x, int w, unsigned int style, const struct buf *name,
    const struct name_neighbours *beside);

#endif /* !UI_CANVAS_H */
