#ifndef UI_TERM_H
#define UI_TERM_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct event;

/*
 * The terminal: the only place that sets it up, reads it, and puts it back.
 * There is one, as curses and signal handlers have it.
 */

/**
 * term_open(err):
 * Take the terminal over (standard input and output).  ERROR_USAGE, and not
 * a byte sent, when it is none, or of a kind that cannot move the cursor.
 */
int term_open(struct error *err);

/* Put everything back.  Twice is fine. */
void term_close(void);

/**
 * term_wait(e, timeout_ms, secret):
 * The next event, waiting at most ${timeout_ms} (-1: for ever).  With
 * ${secret} keys are read past curses, which would keep them in its queue:
 * only characters, Enter, Escape, Tab and Backspace are told apart then.
 */
void term_wait(struct event *e, int timeout_ms, bool secret);

/* Tell by EVENT_ANSWER when ${fd} can be read; -1: watch none. */
void term_watch(int fd);

/* After EVENT_STOP: give the terminal back, stop, and take it again. */
void term_stop(void);

/* After EVENT_RESIZE or EVENT_RESUME, or when the screen is a mess: the next
 * frame is drawn on an empty screen of the size that it has now. */
void term_redraw(void);

/* Does it have a second screen that leaves no trace (smcup)?  Without one
 * secrets are not shown. */
bool term_has_private_screen(void);

/**
 * term_write_at(y, x, bytes, n):
 * Show visible text past curses, which keeps no copy then, after a frame is
 * drawn.  The cursor is left anywhere: call term_move after the last.
 */
void term_write_at(int y, int x, const void *bytes, size_t n);
void term_move(int y, int x);

/* What curses believes of these lines is wrong: the next frame draws them. */
void term_forget_lines(int y, int n);

/* Ask the terminal to tell when its window loses the focus. */
void term_report_focus(bool on);

/**
 * term_sync(count):
 * For tests: with PROPSEAL_TUI_SYNC in the environment, tell by the sequence
 * ESC ] 7770 ; count ESC \ that ${count} events so far are handled and drawn
 * and that the program waits now.
 */
void term_sync(unsigned long count);

#endif /* !UI_TERM_H */
