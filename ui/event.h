#ifndef UI_EVENT_H
#define UI_EVENT_H

#include <stdbool.h>
#include <stdint.h>

/* What the terminal tells the program (term_wait). */
enum event_kind {
	EVENT_TIMEOUT,		/* nothing came in time */
	EVENT_KEY,
	EVENT_RESIZE,
	EVENT_ANSWER,		/* the watched descriptor (term_watch) can be read */
	EVENT_FOCUS_OUT,	/* the terminal window lost the focus */
	EVENT_STOP,		/* ^Z: call term_stop when it is safe */
	EVENT_RESUME,		/* continued: the screen must be drawn anew */
	EVENT_SIGNAL,		/* the program must end */
	EVENT_HANGUP		/* the terminal is gone */
};

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
	INPUT_OTHER,		/* a key that means nothing here */
	INPUT_BYTE = 0x120000	/* plus a byte that is not UTF-8 (secret input) */
};

/* The character that Ctrl and a letter make. */
#define INPUT_CTRL(c) ((uint32_t)(c) & 0x1f)

struct event {
	enum event_kind kind;
	uint32_t key;		/* EVENT_KEY: a code point or an enum input */
	int signal;		/* EVENT_SIGNAL */
};

#endif /* !UI_EVENT_H */
