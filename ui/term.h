#ifndef UI_TERM_H
#define UI_TERM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct event;

/* Milliseconds on a clock that only goes forward. */
uint64_t clock_ms(void);

/* What the terminal tells the program (term_wait). */
enum event_kind {
	EVENT_TIMEOUT,		/* nothing came in time */
	EVENT_KEY,
	EVENT_PASTE,		/* a text was pasted */
	EVENT_CLIPBOARD,	/* the terminal tells what is in the clipboard, in base64 */
	EVENT_GROUND,		/* the terminal tells the colour of its ground */
	EVENT_MOUSE,		/* a button was pressed, or the wheel turned */
	EVENT_RESIZE,
	EVENT_ANSWER,		/* descriptors that can be read (term_watch): of a registry, */
	EVENT_JOB,		/* of jobs, */
	EVENT_FILES,		/* of what happens to files */
	EVENT_FOCUS_OUT,	/* the terminal window lost the focus */
	EVENT_STOP,		/* ^Z: call term_stop when it is safe */
	EVENT_RESUME,		/* continued: the screen must be drawn anew */
	EVENT_SIGNAL,		/* the program must end */
	EVENT_HANGUP		/* the terminal is gone */
};

/* Buttons, as xterm numbers them. */
enum mouse { MOUSE_LEFT = 0, MOUSE_WHEEL_UP = 64, MOUSE_WHEEL_DOWN = 65 };

/* Keys that are no characters have numbers above Unicode. */
enum input {
	INPUT_FIRST = 0x110000,
	INPUT_UP,
	INPUT_DOWN,
	INPUT_LEFT,
	INPUT_RIGHT,
	INPUT_PAGE_UP,
	INPUT_PAGE_DOWN,
	INPUT_HOME,
	INPUT_END,
	INPUT_DELETE,
	INPUT_BACKSPACE,
	INPUT_ENTER,
	INPUT_ESCAPE,
	INPUT_TAB,
	INPUT_BACKTAB,
	INPUT_F1,
	INPUT_LINE_FEED,	/* ^J, where secrets are read; elsewhere it is Enter */
	INPUT_OTHER,		/* a key that means nothing here */
	INPUT_BYTE = 0x120000	/* plus a byte that is not UTF-8 (secret input) */
};

/* The character that Ctrl and a letter make. */
#define INPUT_CTRL(c) ((uint32_t)(c) & 0x1f)

struct event {
	enum event_kind kind;
	uint32_t key;		/* EVENT_KEY: a code point or an enum input */
	struct buf *pasted;	/* secret, of paste, clipboard, ground; until term_forget */
	int button, y, x;	/* EVENT_MOUSE: enum mouse, or another one; from 0 on */
	int signal;		/* EVENT_SIGNAL */
};

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
 * only characters, Enter, ^J, Escape, Tab, Backspace and keys of movement are told apart then.
 */
void term_wait(struct event *e, int timeout_ms, bool secret);

/* The event is dealt with: wipe it, and what was pasted. */
void term_forget(struct event *e);

/* Forget what was typed and not read yet.  True: there was something. */
bool term_drop_input(void);

/* Tell by EVENT_ANSWER, EVENT_JOB or EVENT_FILES when ${fd} can be read; -1: watch none. */
void term_watch(enum event_kind kind, int fd);

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

/* Send a sequence that shows nothing, past curses. */
void term_tell(const void *bytes, size_t n);

/* Send a question to the terminal.  False: it is none that would understand it. */
bool term_ask(const void *bytes, size_t n);

/* What curses believes of these lines is wrong: the next frame draws them. */
void term_forget_lines(int y, int n);

/* Ask the terminal to tell of the mouse, which it then keeps from selecting text.  False: it
 * is none that could. */
bool term_use_mouse(bool on);

/* Ask the terminal to tell when its window loses the focus. */
void term_report_focus(bool on);

/**
 * term_sync(count, waits):
 * For tests: with PROPSEAL_TUI_SYNC in the environment, tell by the sequence
 * ESC ] 7770 ; count ESC \ that ${count} events so far are handled and drawn
 * and that the program waits now.  Where that is "all", tell by 7771 that they
 * are while it goes on with other work.
 */
void term_sync(unsigned long count, bool waits);

/*
 * Signals are blocked but in the one place where the program waits (ppoll
 * with signals_wait_mask), so none is lost and none comes at a bad time.
 * Those of a crash are not blocked: ${crash} runs in the handler, must be
 * async-signal-safe, and then the process dies by the same signal.
 */
void signals_catch(void (*crash)(void));

/* Everything as it was before signals_catch. */
void signals_release(void);

const sigset_t *signals_wait_mask(void);

/* The signal that asks the program to end and came since the last call, 0 for none. */
int signals_take_end(void);

/* Each tells whether it came since the last call. */
bool signals_take_resize(void);
bool signals_take_stop(void);
bool signals_take_continue(void);

/* Stop the process as ^Z does; returns when it is continued. */
void signals_stop_self(void);

#endif /* !UI_TERM_H */
