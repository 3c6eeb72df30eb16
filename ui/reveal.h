#ifndef UI_REVEAL_H
#define UI_REVEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct rect;
struct reveal;

/*
 * A secret on the screen for a while.  It is written past curses, which
 * would keep copies of it, out of secret memory, after each frame is drawn;
 * to mask it again the lines are drawn anew.  One at a time.
 */

struct reveal *reveal_new(void);
void reveal_free(struct reveal *r);

/* Show ${n} bytes (copied into secret memory) for ${ms} milliseconds, 0: until
 * reveal_hide.  -1: no memory, or the terminal has no private screen. */
int reveal_show(struct reveal *r, const void *bytes, size_t n, int ms);

/* Show what is shown for so many seconds more.  False: nothing is shown. */
#define REVEAL_LONGER 10
bool reveal_longer(struct reveal *r);

/* Mask it and wipe the copy.  True when something was shown.  The caller
 * draws a frame next. */
bool reveal_hide(struct reveal *r);

bool reveal_shown(const struct reveal *r);

/* What is shown, as it was given. */
const struct buf *reveal_value(const struct reveal *r);

/* The clock_ms time at which it must be hidden, 0 for never. */
uint64_t reveal_until(const struct reveal *r);

/* How many lines of ${width} columns it takes. */
int reveal_lines(const struct reveal *r, int width);

/* While a frame is drawn: here it goes; curses leaves the place blank. */
void reveal_place(struct reveal *r, const struct rect *where);

/* The same for its end, as much as goes into one line; the columns it takes. */
int reveal_place_end(struct reveal *r, const struct rect *where);

/* While a frame is drawn: how much of its time is left, at the right end of some
 * columns; how many are used. */
int reveal_draw_time(const struct reveal *r, int y, int x, int w);

/* After a frame is drawn. */
void reveal_paint(struct reveal *r);

#endif /* !UI_REVEAL_H */
