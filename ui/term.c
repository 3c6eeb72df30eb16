#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "base/error.h"
#include "ui/event.h"
#include "ui/signals.h"
#include "ui/term.h"
#include "ui/term_key.h"
#include "ui/theme.h"

#define FOCUS_ON "\033[?1004h"
#define FOCUS_OFF "\033[?1004l"
#define ESCAPE_MS 50	/* how long the rest of a key's sequence may take */

static SCREEN *screen;
static struct termios saved_tio;
static bool private_screen;
static bool focus_on;
static bool sync_wanted;
static int watched = -1;

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
put_back(void)
{
	if (focus_on)
		(void)!write(STDOUT_FILENO, FOCUS_OFF, sizeof(FOCUS_OFF) - 1);
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

int
term_open(struct error *err)
{
	TERMINAL *probed;

	if (check_terminal(err) == -1)
		return -1;
	tcgetattr(STDIN_FILENO, &saved_tio);
	make_restore();
	private_screen = capability("smcup") != NULL && capability("rmcup") != NULL;
	sync_wanted = getenv("PROPSEAL_TUI_SYNC") != NULL;
	/* Before curses: it leaves alone what has a handler. */
	signals_catch(put_back);
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
	if (getenv("ESCDELAY") == NULL)
		set_escdelay(ESCAPE_MS);
	theme_open();
	term_key_open();
	return 0;
}

void
term_close(void)
{
	if (screen == NULL)
		return;
	term_report_focus(false);
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
	e->signal = signals_end();
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
term_watch(int fd)
{
	watched = fd;
}

/* Wait for input or a signal.  Bits of poll, 0 for a timeout or a signal;
 * ${*answer}: the watched descriptor can be read. */
static short
wait_input(int timeout_ms, bool *answer)
{
	struct pollfd pfd[2] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = watched, .events = POLLIN },	/* -1 is passed over */
	};
	struct timespec ts;

	ts.tv_sec = timeout_ms / 1000;
	ts.tv_nsec = (long)(timeout_ms % 1000) * 1000000L;
	if (ppoll(pfd, 2, timeout_ms < 0 ? NULL : &ts, signals_wait_mask()) <= 0)
		return 0;
	*answer = (pfd[1].revents & POLLIN) != 0;
	return pfd[0].revents;
}

void
term_wait(struct event *e, int timeout_ms, bool secret)
{
	bool answer = false;
	short got;

	memset(e, 0, sizeof(*e));
	e->kind = EVENT_TIMEOUT;
	/* Signals only come in while waiting, so look at them first. */
	if (from_signal(e))
		return;
	if (secret ? term_key_held() && term_key_read_secret(e) : term_key_read(e))
		return;
	got = wait_input(timeout_ms, &answer);
	if (from_signal(e))
		return;
	if ((got & POLLIN) && (secret ? term_key_read_secret(e) : term_key_read(e)))
		return;
	if (got & (POLLHUP | POLLERR | POLLNVAL))
		e->kind = EVENT_HANGUP;
	else if (answer)
		e->kind = EVENT_ANSWER;
}

void
term_stop(void)
{
	term_report_focus(false);
	endwin();
	signals_stop_self();
	term_redraw();
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

static void
write_all(const char *p, size_t n)
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
	write_all(move_to, move_len);
}

void
term_write_at(int y, int x, const void *bytes, size_t n)
{
	term_move(y, x);
	write_all(bytes, n);
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
	write_all(s, strlen(s));
}

void
term_sync(unsigned long count)
{
	char text[64];
	int n;

	if (!sync_wanted)
		return;
	n = snprintf(text, sizeof(text), "\033]7770;%lu\033\\", count);
	write_all(text, (size_t)n);
}
