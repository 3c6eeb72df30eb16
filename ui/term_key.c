#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <curses.h>

#include "base/secmem.h"
#include "base/text.h"
#include "ui/event.h"
#include "ui/term_key.h"

#define ESC 0x1b
#define SEQUENCE_MAX 64	/* of a terminal's answers and keys */
#define WAIT_MS 50	/* for the rest of a sequence */

/* Beyond curses' own numbers; only these two are ours. */
#define CODE_FOCUS_IN (KEY_MAX + 100)
#define CODE_FOCUS_OUT (KEY_MAX + 101)

void
term_key_open(void)
{
	define_key("\033[I", CODE_FOCUS_IN);
	define_key("\033[O", CODE_FOCUS_OUT);
	/* Its start would be taken for all of it; the mouse is not used. */
	define_key(NULL, KEY_MOUSE);
}

static uint32_t
from_curses(wint_t code)
{
	switch (code) {
	case KEY_UP:
		return INPUT_UP;
	case KEY_DOWN:
		return INPUT_DOWN;
	case KEY_LEFT:
		return INPUT_LEFT;
	case KEY_RIGHT:
		return INPUT_RIGHT;
	case KEY_PPAGE:
		return INPUT_PAGE_UP;
	case KEY_NPAGE:
		return INPUT_PAGE_DOWN;
	case KEY_HOME:
		return INPUT_HOME;
	case KEY_END:
		return INPUT_END;
	case KEY_DC:
		return INPUT_DELETE;
	case KEY_BACKSPACE:
		return INPUT_BACKSPACE;
	case KEY_ENTER:
		return INPUT_ENTER;
	case KEY_BTAB:
		return INPUT_BACKTAB;
	default:
		return INPUT_OTHER;
	}
}

static uint32_t
from_character(uint32_t c)
{
	switch (c) {
	case '\r':
	case '\n':
		return INPUT_ENTER;
	case '\t':
		return INPUT_TAB;
	case 0x7f:
	case '\b':
		return INPUT_BACKSPACE;
	case ESC:
		return INPUT_ESCAPE;
	default:
		return c;
	}
}

/* Is it the last byte of a sequence that ESC [ or ESC O started? */
static bool
is_final(wint_t c)
{
	return c >= 0x40 && c <= 0x7e;
}

/* An escape that curses could not read as a key: alone it is Escape, with
 * more behind it an unknown key, which must not be taken for single keys. */
static uint32_t
after_escape(void)
{
	wint_t c;
	int i;

	if (get_wch(&c) == ERR)
		return INPUT_ESCAPE;
	if (c == '[' || c == 'O') {
		for (i = 0; i < SEQUENCE_MAX && get_wch(&c) != ERR && !is_final(c); i++)
			;
	}
	return INPUT_OTHER;
}

bool
term_key_read(struct event *e)
{
	wint_t c;
	int kind;

	do {
		kind = get_wch(&c);
		if (kind == ERR)
			return false;
		/* The signal has told about the size; the focus may come back. */
	} while (kind == KEY_CODE_YES && (c == KEY_RESIZE || c == CODE_FOCUS_IN));
	e->kind = EVENT_KEY;
	if (kind == KEY_CODE_YES && c == CODE_FOCUS_OUT)
		e->kind = EVENT_FOCUS_OUT;
	else if (kind == KEY_CODE_YES)
		e->key = from_curses(c);
	else if (c == ESC)
		e->key = after_escape();
	else
		e->key = from_character((uint32_t)c);
	return true;
}

static bool
next_byte(unsigned char *c)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&pfd, 1, WAIT_MS) == 1 && read(STDIN_FILENO, c, 1) == 1;
}

static uint32_t
skip_sequence(void)
{
	unsigned char c;
	int i;

	if (!next_byte(&c))
		return INPUT_ESCAPE;
	if (c == '[' || c == 'O') {
		for (i = 0; i < SEQUENCE_MAX && next_byte(&c) && !is_final(c); i++)
			;
	}
	return INPUT_OTHER;
}

static size_t
sequence_length(unsigned char first)
{
	if (first < 0xc2 || first > 0xf4)
		return 1;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Bytes that turned out not to belong to the character before them. */
static struct {
	unsigned char c[4];
	size_t n;
} held;

bool
term_key_held(void)
{
	return held.n > 0;
}

static bool
secret_byte(unsigned char *c)
{
	if (held.n == 0)
		return read(STDIN_FILENO, c, 1) == 1;
	*c = held.c[0];
	memmove(held.c, held.c + 1, --held.n);
	held.c[held.n] = 0;
	return true;
}

bool
term_key_read_secret(struct event *e)
{
	unsigned char c[4];
	size_t want, n = 1;

	if (!secret_byte(c))
		return false;
	e->kind = EVENT_KEY;
	if (c[0] < 0x80) {
		e->key = c[0] == ESC ? skip_sequence() : from_character(c[0]);
		return true;
	}
	want = sequence_length(c[0]);
	if (held.n == 0)
		while (n < want && next_byte(&c[n]))
			n++;
	if (n < want || text_utf8_decode(c, n, &e->key) != n) {
		/* Another encoding: its bytes come one by one, as they are. */
		e->key = INPUT_BYTE + c[0];
		memcpy(held.c + held.n, c + 1, n - 1);
		held.n += n - 1;
	}
	secmem_wipe(c, sizeof(c));
	return true;
}
