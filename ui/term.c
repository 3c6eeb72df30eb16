#include <sys/ioctl.h>
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "ui/canvas.h"
#include "ui/term.h"

#define ESC 0x1b
#define SEQUENCE_MAX 64	/* of a terminal's answers and keys */
#define WAIT_MS 50	/* for the rest of a sequence */

#define PASTE_MAX ((size_t)1 << 20)	/* bytes; a longer one is cut, which fails its buffer */
#define PASTE_WAIT_MS 1000	/* for the rest of a pasted text */

#define STRING_WAIT_MS 200	/* for the rest of what was not asked for */

/* Beyond curses' own numbers; only these are ours. */
#define CODE_FOCUS_IN (KEY_MAX + 100)
#define CODE_FOCUS_OUT (KEY_MAX + 101)
#define CODE_PASTE (KEY_MAX + 102)
#define CODE_CLIPBOARD (KEY_MAX + 103)
#define CODE_MOUSE (KEY_MAX + 104)
#define CODE_GROUND (KEY_MAX + 105)

#define FOCUS_ON "\033[?1004h"
#define FOCUS_OFF "\033[?1004l"
/* Bracketed paste: the terminal puts ESC [200~ and ESC [201~ around a text. */
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define PASTE_END "\033[201~"
/* Buttons, by numbers that are read to the end (xterm's SGR). */
#define MOUSE_ON "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"
#define CLIPBOARD "\033]52;c;"	/* what is in it follows, then BEL or ESC \ */
#define GROUND "\033]11;"	/* so does its colour */
#define BEL 0x07
#define ESCAPE_MS 50	/* how long the rest of a key's sequence may take */
#define ANSWER_MS 2000	/* and for how long a terminal may answer what it was asked, */
#define ANSWER_REST_MS 300	/* of which the rest may take longer */

/* Reading keys: the part of term.c that knows about sequences. */

uint64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t answer_until;	/* it was asked, and an answer may come; 0: it was not */
static int escape_ms = ESCAPE_MS;	/* else; ESCDELAY says so */

/* How long to wait for what stands behind an escape: an answer may come in two parts, by way of
 * a network, of which the second would be taken for keys. */
static int
escape_wait(void)
{
	if (answer_until != 0 && clock_ms() >= answer_until)
		answer_until = 0;
	return answer_until != 0 && escape_ms < ANSWER_REST_MS ? ANSWER_REST_MS : escape_ms;
}

/* Once, after curses has started. */
static void
term_key_open(void)
{
	define_key("\033[I", CODE_FOCUS_IN);
	define_key("\033[O", CODE_FOCUS_OUT);
	define_key("\033[200~", CODE_PASTE);
	define_key(CLIPBOARD, CODE_CLIPBOARD);
	define_key(GROUND, CODE_GROUND);
	/* Its start would be taken for all of it. */
	define_key(NULL, KEY_MOUSE);
	define_key("\033[<", CODE_MOUSE);
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
	case KEY_F(1):
		return INPUT_F1;
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

static struct buf pasted;	/* secret, as anything may be in it */

static bool
byte_within(unsigned char *c, int ms)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1 && read(STDIN_FILENO, c, 1) == 1;
}

/* The rest of a pasted text, past curses, its line ends as "\n": terminals
 * send what Enter sends.  One without an end ends when nothing more comes. */
static void
read_paste(struct event *e)
{
	static const char end[] = PASTE_END;
	unsigned char c, before = 0;
	size_t matched = 0;

	buf_clear(&pasted);
	while (matched < sizeof(end) - 1 && byte_within(&c, PASTE_WAIT_MS)) {
		if (c == (unsigned char)end[matched]) {
			matched++;
			continue;
		}
		buf_append(&pasted, end, matched);
		matched = c == (unsigned char)end[0];
		if (matched == 0 && (c != '\n' || before != '\r'))
			buf_append_char(&pasted, c == '\r' ? '\n' : (char)c);
		before = c;
	}
	secmem_wipe(&c, sizeof(c));
	secmem_wipe(&before, sizeof(before));
	e->kind = EVENT_PASTE;
	e->pasted = &pasted;
}

/* The rest of what a terminal tells by a string (ESC ] or ESC P), past curses, to ${out}
 * (secret; NULL: nowhere). */
static void
read_string(struct buf *out, int wait_ms)
{
	unsigned char c = 0, before = 0;

	while (byte_within(&c, wait_ms) && c != BEL && (before != ESC || c != '\\')) {
		if (out != NULL && c != ESC)
			buf_append_char(out, (char)c);
		before = c;
	}
	secmem_wipe(&c, sizeof(c));
}

static void
read_told(struct event *e, enum event_kind kind)
{
	buf_clear(&pasted);
	read_string(&pasted, PASTE_WAIT_MS);
	answer_until = 0;
	e->kind = kind;
	e->pasted = &pasted;
}

/* The rest of ESC [ < button ; column ; row, past curses: M for a press, m for its end. */
static void
read_mouse(struct event *e)
{
	int n[3] = { 0, 0, 0 };
	unsigned char c = 0;
	size_t i = 0;

	e->kind = EVENT_KEY;
	e->key = INPUT_OTHER;
	while (byte_within(&c, STRING_WAIT_MS) && (ascii_is_digit(c) || c == ';')) {
		if (c == ';' && ++i == 3)
			return;
		if (c != ';' && n[i] < 10000)
			n[i] = 10 * n[i] + (c - '0');
	}
	if (c != 'M' || i != 2)
		return;
	e->kind = EVENT_MOUSE;
	e->button = n[0];
	e->x = n[1] - 1;
	e->y = n[2] - 1;
}

/* Is it the last byte of a sequence that ESC [ or ESC O started? */
static bool
is_final(wint_t c)
{
	return c >= 0x40 && c <= 0x7e;
}

/* The key of what follows an escape, ${n} bytes: as terminals have it in one mode or another,
 * whatever TERM says of them. */
static uint32_t
from_sequence(const unsigned char *c, size_t n)
{
	static const uint32_t letters[] = { ['A'] = INPUT_UP, ['B'] = INPUT_DOWN,
		['C'] = INPUT_RIGHT, ['D'] = INPUT_LEFT, ['F'] = INPUT_END, ['H'] = INPUT_HOME,
		['M'] = INPUT_ENTER, ['P'] = INPUT_F1, ['Z'] = INPUT_BACKTAB };
	static const uint32_t numbers[] = { ['1'] = INPUT_HOME, ['3'] = INPUT_DELETE,
		['4'] = INPUT_END, ['5'] = INPUT_PAGE_UP, ['6'] = INPUT_PAGE_DOWN,
		['7'] = INPUT_HOME, ['8'] = INPUT_END };
	uint32_t key = 0;

	if (n == 2 && c[1] < sizeof(letters) / sizeof(letters[0]) &&
	    (c[0] == 'O' || (c[1] != 'M' && c[1] != 'P')))
		key = letters[c[1]];
	else if (n == 3 && c[0] == '[' && c[2] == '~' &&
	    c[1] < sizeof(numbers) / sizeof(numbers[0]))
		key = numbers[c[1]];
	else if ((n == 3 && memcmp(c, "[[A", n) == 0) || (n == 4 && memcmp(c, "[11~", n) == 0))
		key = INPUT_F1;
	return key != 0 ? key : INPUT_OTHER;
}

/* An escape that curses could not read as a key: alone it is Escape, with more behind it a key
 * that this terminal does not have, or an unknown one, which must not be taken for single keys. */
static uint32_t
after_escape(void)
{
	unsigned char sequence[SEQUENCE_MAX];
	size_t n = 0;
	wint_t c;

	if (get_wch(&c) == ERR)
		return INPUT_ESCAPE;
	if (c == '[' || c == 'O') {
		sequence[n++] = (unsigned char)c;
		while (n < SEQUENCE_MAX && get_wch(&c) != ERR) {
			sequence[n++] = (unsigned char)c;
			/* A second bracket begins the function keys of Linux' console. */
			if (is_final(c) && (n > 2 || c != '['))
				break;
		}
		return from_sequence(sequence, n);
	} else if (c == ']' || c == 'P') {
		read_string(NULL, STRING_WAIT_MS);
	}
	return INPUT_OTHER;
}

/* The next key by way of curses; false when none has come. */
static bool
term_key_read(struct event *e)
{
	wint_t c;
	int kind;

	set_escdelay(escape_wait());
	do {
		kind = get_wch(&c);
		if (kind == ERR)
			return false;
		/* The signal has told about the size; the focus may come back. */
	} while (kind == KEY_CODE_YES && (c == KEY_RESIZE || c == CODE_FOCUS_IN));
	e->kind = EVENT_KEY;
	if (kind == KEY_CODE_YES && c == CODE_FOCUS_OUT)
		e->kind = EVENT_FOCUS_OUT;
	else if (kind == KEY_CODE_YES && c == CODE_PASTE)
		read_paste(e);
	else if (kind == KEY_CODE_YES && c == CODE_CLIPBOARD)
		read_told(e, EVENT_CLIPBOARD);
	else if (kind == KEY_CODE_YES && c == CODE_GROUND)
		read_told(e, EVENT_GROUND);
	else if (kind == KEY_CODE_YES && c == CODE_MOUSE)
		read_mouse(e);
	else if (kind == KEY_CODE_YES)
		e->key = from_curses(c);
	else if (c == ESC)
		e->key = after_escape();
	else
		e->key = from_character((uint32_t)c);
	return true;
}

/* A string that a terminal sends, read past curses from its start on. */
static void
read_answer(struct event *e, unsigned char kind)
{
	static const struct {
		const char *start;
		enum event_kind kind;
	} answers[] = { { CLIPBOARD, EVENT_CLIPBOARD }, { GROUND, EVENT_GROUND } };
	size_t i, n;

	buf_clear(&pasted);
	buf_append_char(&pasted, ESC);
	buf_append_char(&pasted, (char)kind);
	read_string(&pasted, STRING_WAIT_MS);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		n = strlen(answers[i].start);
		if (pasted.len < n || memcmp(pasted.data, answers[i].start, n) != 0)
			continue;
		memmove(pasted.data, pasted.data + n, pasted.len - n);
		buf_truncate(&pasted, pasted.len - n);
		answer_until = 0;
		e->kind = answers[i].kind;
		e->pasted = &pasted;
		return;
	}
}

/* What follows an escape that was read past curses: nothing, a key, or a pasted
 * text. */
static void
read_sequence(struct event *e)
{
	unsigned char c[SEQUENCE_MAX];
	size_t n = 0;

	e->key = INPUT_ESCAPE;
	if (!byte_within(c, escape_wait() > WAIT_MS ? escape_wait() : WAIT_MS))
		return;
	e->key = INPUT_OTHER;
	if (c[0] == ']' || c[0] == 'P') {
		read_answer(e, c[0]);
		return;
	}
	if (c[n++] != '[' && c[0] != 'O')
		return;
	/* A second bracket begins the function keys of Linux' console. */
	while (n < sizeof(c) && byte_within(&c[n], WAIT_MS) &&
	    (!is_final(c[n++]) || (n == 2 && c[1] == '[')))
		;
	if (n == 5 && memcmp(c, "[200~", n) == 0)
		read_paste(e);
	else
		e->key = from_sequence(c, n);
}

static size_t
term_key_sequence_length(unsigned char first)
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

/* Is there a secret key that was read from the terminal already? */
static bool
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

/* The next key read past curses, so that no copy of it stays there. */
static bool
term_key_read_secret(struct event *e)
{
	unsigned char c[4];
	size_t want, n = 1;

	if (!secret_byte(c))
		return false;
	e->kind = EVENT_KEY;
	if (c[0] == ESC) {
		read_sequence(e);
		return true;
	}
	if (c[0] < 0x80) {
		e->key = c[0] == '\n' ? INPUT_LINE_FEED : from_character(c[0]);
		return true;
	}
	want = term_key_sequence_length(c[0]);
	if (held.n == 0)
		while (n < want && byte_within(&c[n], WAIT_MS))
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

static SCREEN *screen;
static struct termios saved_tio;
static bool private_screen;
static bool focus_on, paste_on, mouse_on;
static bool sync_wanted, sync_all;

/* Descriptors beside the terminal, those that are told first before the others. */
static struct {
	enum event_kind kind;
	int fd;			/* -1: none */
} watched[] = { { EVENT_FILES, -1 }, { EVENT_JOB, -1 }, { EVENT_ANSWER, -1 } };

#define WATCHED (sizeof(watched) / sizeof(watched[0]))

/* What puts the terminal back, made beforehand for the crash handler. */
static char restore[256];
static size_t restore_len;

static int
restore_putc(int c)
{
	if (restore_len < sizeof(restore))
		restore[restore_len++] = (char)c;
	return c;
}

static const char *
capability(const char *name)
{
	const char *cap = tigetstr(name);

	return cap == (const char *)-1 ? NULL : cap;
}

static void
make_restore(void)
{
	static const char *const names[] = { "sgr0", "rmacs", "op", "cnorm", "rmkx", "rmcup" };
	const char *cap;
	size_t i;

	restore_len = 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cap = capability(names[i]);
		if (cap != NULL)
			tputs(cap, 1, restore_putc);
	}
}

/* Async-signal-safe: write(2) and tcsetattr(3) only. */
static void
term_put_back(void)
{
	if (focus_on)
		(void)!write(STDOUT_FILENO, FOCUS_OFF, sizeof(FOCUS_OFF) - 1);
	if (mouse_on)
		(void)!write(STDOUT_FILENO, MOUSE_OFF, sizeof(MOUSE_OFF) - 1);
	if (paste_on)
		(void)!write(STDOUT_FILENO, PASTE_OFF, sizeof(PASTE_OFF) - 1);
	(void)!write(STDOUT_FILENO, restore, restore_len);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved_tio);
}

/* Look before the first byte is sent. */
static int
check_terminal(struct error *err)
{
	static const char hint[] = "the commands work without one: "
	    "propseal file show|encrypt|decrypt --help";
	const char *name = getenv("TERM");
	int status;

	if (name == NULL)
		name = "";
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		error_set(err, ERROR_USAGE, "the interface needs a terminal "
		    "on standard input and output");
		return error_hint(err, "%s", hint);
	}
	if (name[0] == '\0' || setupterm(NULL, STDOUT_FILENO, &status) != OK) {
		error_set(err, ERROR_USAGE, "unknown terminal type \"%s\" in TERM", name);
		return error_hint(err, "%s", hint);
	}
	if (capability("cup") == NULL || capability("clear") == NULL) {
		error_set(err, ERROR_USAGE, "the terminal \"%s\" cannot move the cursor", name);
		return error_hint(err, "%s", hint);
	}
	return 0;
}

static void
term_write_all(const char *p, size_t n)
{
	ssize_t done;

	while (n > 0) {
		done = write(STDOUT_FILENO, p, n);
		if (done < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
}

/* On a terminal whose sequences look like this; others would show it. */
static void
term_report_paste(bool on)
{
	const char *cup = capability("cup");
	const char *text = on ? PASTE_ON : PASTE_OFF;

	if (on == paste_on || cup == NULL || strncmp(cup, "\033[", 2) != 0)
		return;
	paste_on = on;
	term_write_all(text, strlen(text));
}

/* While it is used: tell the terminal to tell of it, or not to. */
static void
term_report_mouse(bool on)
{
	const char *text = on ? MOUSE_ON : MOUSE_OFF;

	if (mouse_on)
		term_write_all(text, strlen(text));
}

bool
term_use_mouse(bool on)
{
	const char *cup = capability("cup");

	if (!private_screen || cup == NULL || strncmp(cup, "\033[", 2) != 0)
		return false;
	if (on != mouse_on) {
		mouse_on = true;
		term_report_mouse(on);
		mouse_on = on;
	}
	return true;
}

int
term_open(struct error *err)
{
	const char *told;
	TERMINAL *probed;

	if (check_terminal(err) == -1)
		return -1;
	tcgetattr(STDIN_FILENO, &saved_tio);
	make_restore();
	private_screen = capability("smcup") != NULL && capability("rmcup") != NULL;
	told = getenv("PROPSEAL_TUI_SYNC");
	sync_wanted = told != NULL;
	sync_all = told != NULL && strcmp(told, "all") == 0;
	/* Before curses: it leaves alone what has a handler. */
	signals_catch(term_put_back);
	probed = cur_term;
	screen = newterm(NULL, stdout, stdin);
	if (cur_term != probed)
		del_curterm(probed);
	if (screen == NULL) {
		signals_release();
		return error_set(err, ERROR_USAGE, "the terminal cannot be used");
	}
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (getenv("ESCDELAY") != NULL)
		escape_ms = get_escdelay();
	theme_open();
	term_key_open();
	buf_init_secret(&pasted, PASTE_MAX);
	term_report_paste(true);
	return 0;
}

void
term_close(void)
{
	if (screen == NULL)
		return;
	term_report_focus(false);
	term_report_paste(false);
	(void)term_use_mouse(false);
	buf_release(&pasted);
	erase();
	refresh();
	endwin();
	delscreen(screen);
	screen = NULL;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_tio);
	signals_release();
}

/* What a signal asks for, if any came. */
static bool
from_signal(struct event *e)
{
	e->signal = signals_take_end();
	if (e->signal != 0)
		e->kind = EVENT_SIGNAL;
	else if (signals_take_stop())
		e->kind = EVENT_STOP;
	else if (signals_take_continue())
		e->kind = EVENT_RESUME;
	else if (signals_take_resize())
		e->kind = EVENT_RESIZE;
	else
		return false;
	return true;
}

void
term_watch(enum event_kind kind, int fd)
{
	for (size_t i = 0; i < WATCHED; i++)
		if (watched[i].kind == kind)
			watched[i].fd = fd;
}

/* Wait for input or a signal.  Bits of poll, 0 for a timeout or a signal;
 * ${*other}: the event of another descriptor that can be read. */
static short
wait_input(int timeout_ms, enum event_kind *other)
{
	struct pollfd pfd[1 + WATCHED] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	struct timespec ts;
	size_t i;

	for (i = 0; i < WATCHED; i++)	/* -1 is passed over */
		pfd[1 + i] = (struct pollfd){ .fd = watched[i].fd, .events = POLLIN };
	ts.tv_sec = timeout_ms / 1000;
	ts.tv_nsec = (long)(timeout_ms % 1000) * 1000000L;
	if (ppoll(pfd, 1 + WATCHED, timeout_ms < 0 ? NULL : &ts, signals_wait_mask()) <= 0)
		return 0;
	for (i = WATCHED; i-- > 0;)
		if (pfd[1 + i].revents & POLLIN)
			*other = watched[i].kind;
	return pfd[0].revents;
}

void
term_wait(struct event *e, int timeout_ms, bool secret)
{
	enum event_kind other = EVENT_TIMEOUT;
	short got;

	memset(e, 0, sizeof(*e));
	e->kind = EVENT_TIMEOUT;
	buf_release(&pasted);
	/* Signals only come in while waiting, so look at them first. */
	if (from_signal(e))
		return;
	if (secret ? term_key_held() && term_key_read_secret(e) : term_key_read(e))
		return;
	got = wait_input(timeout_ms, &other);
	if (from_signal(e))
		return;
	if ((got & POLLIN) && (secret ? term_key_read_secret(e) : term_key_read(e)))
		return;
	if (got & (POLLHUP | POLLERR | POLLNVAL))
		e->kind = EVENT_HANGUP;
	else
		e->kind = other;
}

void
term_forget(struct event *e)
{
	buf_release(&pasted);
	secmem_wipe(e, sizeof(*e));
}

bool
term_drop_input(void)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	bool some = held.n > 0 || poll(&pfd, 1, 0) == 1;

	secmem_wipe(&held, sizeof(held));
	flushinp();
	tcflush(STDIN_FILENO, TCIFLUSH);
	return some;
}

void
term_stop(void)
{
	term_report_focus(false);
	term_report_paste(false);
	term_report_mouse(false);
	endwin();
	signals_stop_self();
	term_redraw();
	term_report_paste(true);
	term_report_mouse(true);
}

void
term_redraw(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0 &&
	    (ws.ws_row != LINES || ws.ws_col != COLS))
		resize_term(ws.ws_row, ws.ws_col);
	reset_prog_mode();
	clearok(curscr, TRUE);
}

bool
term_has_private_screen(void)
{
	return private_screen;
}

static char move_to[64];
static size_t move_len;

static int
move_putc(int c)
{
	if (move_len < sizeof(move_to))
		move_to[move_len++] = (char)c;
	return c;
}

void
term_move(int y, int x)
{
	move_len = 0;
	tputs(tiparm(cursor_address, y, x), 1, move_putc);
	term_write_all(move_to, move_len);
}

void
term_write_at(int y, int x, const void *bytes, size_t n)
{
	term_move(y, x);
	term_write_all(bytes, n);
}

void
term_tell(const void *bytes, size_t n)
{
	term_write_all(bytes, n);
}

bool
term_ask(const void *bytes, size_t n)
{
	const char *cup = capability("cup");

	if (!private_screen || cup == NULL || strncmp(cup, "\033[", 2) != 0)
		return false;
	term_write_all(bytes, n);
	answer_until = clock_ms() + ANSWER_MS;
	return true;
}

void
term_forget_lines(int y, int n)
{
	int rows = getmaxy(stdscr);

	if (y < rows && n > 0)
		wredrawln(stdscr, y, n < rows - y ? n : rows - y);
}

void
term_report_focus(bool on)
{
	const char *s = on ? FOCUS_ON : FOCUS_OFF;

	if (on == focus_on || !private_screen)
		return;
	focus_on = on;
	term_write_all(s, strlen(s));
}

void
term_sync(unsigned long count, bool waits)
{
	static unsigned long told;
	char text[64];
	int n;

	if (!sync_wanted || (!waits && (!sync_all || count == told)))
		return;
	told = count;
	n = snprintf(text, sizeof(text), "\033]%d;%lu\033\\", waits ? 7770 : 7771, count);
	term_write_all(text, (size_t)n);
}
