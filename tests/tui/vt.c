#include "vt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "vt_job.h"
#include "vt_text.h"

/* Only a broken program reaches it; a slow machine must not. */
#define DEADLINE_MS 30000
#define RAW_MAX ((size_t)8 << 20)
#define SCROLLBACK_MAX ((size_t)1 << 18)

struct vt {
	VTerm *vt;
	VTermScreen *screen;
	int fd;
	int control;		/* to the small shell, -1: none */
	pid_t child;		/* of forkpty */
	pid_t program;
	int rows, cols;
	bool altscreen, cursor_visible, exited, stopped;
	VTermPos cursor;
	int status;
	unsigned long seen, want;	/* events that are drawn, that were sent */
	char *raw;		/* every byte that the program wrote */
	size_t raw_len, raw_from;
	size_t scanned;		/* of raw, for our own sequence */
	char *scrollback;
	size_t scrollback_len;
	struct vt *next;	/* of those that are open */
};

static struct vt *open_ones;

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int
on_property(VTermProp prop, VTermValue *value, void *cookie)
{
	struct vt *v = cookie;

	if (prop == VTERM_PROP_ALTSCREEN)
		v->altscreen = value->boolean;
	else if (prop == VTERM_PROP_CURSORVISIBLE)
		v->cursor_visible = value->boolean;
	return 1;
}

static int
on_cursor(VTermPos pos, VTermPos old, int visible, void *cookie)
{
	(void)old;
	(void)visible;
	((struct vt *)cookie)->cursor = pos;
	return 1;
}

static int
on_scrolled_off(int cols, const VTermScreenCell *cells, void *cookie)
{
	struct vt *v = cookie;
	size_t room = SCROLLBACK_MAX - v->scrollback_len - 2;

	v->scrollback_len += vt_text_of(cells, cols, v->scrollback + v->scrollback_len, room);
	v->scrollback[v->scrollback_len++] = '\n';
	v->scrollback[v->scrollback_len] = '\0';
	return 1;
}

static const VTermScreenCallbacks callbacks = {
	.settermprop = on_property,
	.movecursor = on_cursor,
	.sb_pushline = on_scrolled_off,
};

static struct vt *
new_vt(const struct vt_options *o)
{
	struct vt *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	v->raw = calloc(1, RAW_MAX);
	v->scrollback = calloc(1, SCROLLBACK_MAX);
	assert_non_null(v->raw);
	assert_non_null(v->scrollback);
	v->rows = o->rows;
	v->cols = o->cols;
	v->control = -1;
	v->cursor_visible = true;
	v->want = 1;
	v->vt = vterm_new(o->rows, o->cols);
	vterm_set_utf8(v->vt, 1);
	v->screen = vterm_obtain_screen(v->vt);
	vterm_screen_enable_altscreen(v->screen, 1);
	vterm_screen_set_callbacks(v->screen, &callbacks, v);
	vterm_screen_reset(v->screen, 1);
	v->next = open_ones;
	open_ones = v;
	return v;
}

static void
exec_program(const struct vt_options *o)
{
	if (o->dir == NULL || chdir(o->dir) == 0)
		execve(o->argv[0], o->argv, o->env);
	_exit(127);
}

struct vt *
vt_spawn(const struct vt_options *o)
{
	struct winsize ws = { .ws_row = (unsigned short)o->rows,
	    .ws_col = (unsigned short)o->cols };
	struct vt *v = new_vt(o);
	int pair[2] = { -1, -1 };

	if (o->job)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	v->child = forkpty(&v->fd, NULL, NULL, &ws);
	assert_true(v->child >= 0);
	if (v->child == 0) {
		if (o->job) {
			close(pair[0]);
			vt_job_run(pair[1], o, exec_program);
		}
		exec_program(o);
	}
	v->program = v->child;
	if (o->job) {
		close(pair[1]);
		v->control = pair[0];
		assert_int_equal(read(v->control, &v->program, sizeof(v->program)),
		    (ssize_t)sizeof(v->program));
	}
	return v;
}

void
vt_free(struct vt *v)
{
	struct vt **at = &open_ones;

	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	if (!v->exited) {
		if (v->program != v->child)
			kill(v->program, SIGKILL);
		kill(v->child, SIGKILL);
		waitpid(v->child, NULL, 0);
	}
	if (v->control >= 0)
		close(v->control);
	if (v->fd >= 0)
		close(v->fd);
	vterm_free(v->vt);
	free(v->scrollback);
	free(v->raw);
	free(v);
}

void
vt_free_all(void)
{
	while (open_ones != NULL)
		vt_free(open_ones);
}

/*
 * Our own sequence is read from the raw bytes, as libvterm's callbacks for
 * it differ between versions.  A sequence may end in BEL, too: curses sends
 * such ones.
 */
static void
scan_sequences(struct vt *v)
{
	const char *stop = v->raw + v->raw_len;
	const char *p, *end;

	while ((p = memmem(v->raw + v->scanned, v->raw_len - v->scanned, "\033]", 2)) != NULL) {
		p += 2;
		for (end = p; end < stop && *end != '\a' && *end != '\033'; end++)
			;
		if (end == stop)
			return;
		if (strncmp(p, "7770;", 5) == 0)
			v->seen = strtoul(p + 5, NULL, 10) + 1;
		v->scanned = (size_t)(end - v->raw);
	}
}

/* Take what comes within ${ms}; false once the line is dead. */
static bool
pump(struct vt *v, int ms)
{
	struct pollfd pfd[2] = {
		{ .fd = v->fd, .events = POLLIN },
		{ .fd = v->control, .events = POLLIN },
	};
	char buf[8192];
	ssize_t n;

	if (poll(pfd, 2, ms) <= 0)
		return true;
	if (pfd[1].revents & POLLIN)
		v->stopped = read(v->control, buf, 1) == 1;
	if (!(pfd[0].revents & (POLLIN | POLLHUP)))
		return true;
	n = read(v->fd, buf, sizeof(buf));
	if (n <= 0)
		return false;
	assert_true(v->raw_len + (size_t)n < RAW_MAX);
	memcpy(v->raw + v->raw_len, buf, (size_t)n);
	v->raw_len += (size_t)n;
	vterm_input_write(v->vt, buf, (size_t)n);
	scan_sequences(v);
	return true;
}

void
vt_fail(struct vt *v, const char *why, const char *what)
{
	char line[4096];
	int r;

	fprintf(stderr, "%s \"%s\"; the screen is:\n", why, what);
	for (r = 0; r < v->rows; r++) {
		vt_row(v, r, line, sizeof(line));
		fprintf(stderr, "%3d|%s\n", r, line);
	}
	fail();
}

void
vt_settle(struct vt *v)
{
	uint64_t end = now_ms() + DEADLINE_MS;

	while (v->seen < v->want)
		if (now_ms() > end || !pump(v, 20))
			vt_fail(v, "no frame after", "the last key");
}

void
vt_send(struct vt *v, const char *bytes)
{
	assert_int_equal(write(v->fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

void
vt_key(struct vt *v, const char *bytes)
{
	vt_settle(v);
	v->want = v->seen + 1;
	vt_send(v, bytes);
	vt_settle(v);
}

/* Stop and start what goes to the terminal, on the program's own side of it. */
static void
vt_flow(struct vt *v, int action)
{
	int fd = open(ptsname(v->fd), O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(tcflow(fd, action), 0);
	close(fd);
}

static bool
is_writing(const struct vt *v)
{
	char path[64], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)v->program);
	f = fopen(path, "re");
	assert_non_null(f);
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	return strtol(text, NULL, 10) == SYS_write && isdigit((unsigned char)text[0]);
}

void
vt_key_held(struct vt *v, const char *bytes)
{
	uint64_t end = now_ms() + DEADLINE_MS;

	vt_settle(v);
	v->want = v->seen + 1;
	vt_flow(v, TCOOFF);
	vt_send(v, bytes);
	while (!is_writing(v)) {
		if (now_ms() > end)
			vt_fail(v, "no frame after", "a key");
		poll(NULL, 0, 1);
	}
}

void
vt_let_go(struct vt *v)
{
	vt_flow(v, TCOON);
	vt_settle(v);
}

void
vt_type(struct vt *v, const char *s)
{
	char key[2] = { 0, 0 };

	for (; *s != '\0'; s++) {
		key[0] = *s;
		vt_key(v, key);
	}
}

void
vt_resize(struct vt *v, int rows, int cols)
{
	struct winsize ws = { .ws_row = (unsigned short)rows,
	    .ws_col = (unsigned short)cols };

	vt_settle(v);
	v->want = v->seen + 1;
	v->rows = rows;
	v->cols = cols;
	vterm_set_size(v->vt, rows, cols);
	assert_int_equal(ioctl(v->fd, TIOCSWINSZ, &ws), 0);
	vt_settle(v);
}

void
vt_wait_text(struct vt *v, const char *text, bool want)
{
	uint64_t end = now_ms() + DEADLINE_MS;

	while (vt_has(v, text) != want)
		if (now_ms() > end || !pump(v, 20))
			vt_fail(v, want ? "did not see" : "still see", text);
}

void
vt_linger(struct vt *v, int ms)
{
	uint64_t end = now_ms() + (uint64_t)ms;

	while (now_ms() < end && pump(v, 20))
		;
}

int
vt_wait_exit(struct vt *v)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	pid_t got = 0;

	while (v->fd >= 0 && pump(v, 20)) {
		/* The line stays open while a stopped or hung program lives. */
		if (now_ms() > end)
			vt_fail(v, "still running", "");
	}
	while (!v->exited && got == 0) {
		got = waitpid(v->child, &v->status, WNOHANG);
		assert_true(got >= 0);
		if (got == 0 && now_ms() > end)
			vt_fail(v, "closed the terminal but still runs", "");
		if (got == 0)
			poll(NULL, 0, 5);
	}
	v->exited = true;
	return v->status;
}

void
vt_wait_stopped(struct vt *v)
{
	uint64_t end = now_ms() + DEADLINE_MS;

	while (!v->stopped)
		if (now_ms() > end || !pump(v, 20))
			vt_fail(v, "did not stop", "");
	/* What it wrote before it stopped is all there now. */
	while (poll(&(struct pollfd){ .fd = v->fd, .events = POLLIN }, 1, 50) > 0)
		if (!pump(v, 0))
			break;
}

void
vt_continue(struct vt *v)
{
	v->stopped = false;
	assert_int_equal(write(v->control, "C", 1), 1);
}

void
vt_hang_up(struct vt *v)
{
	close(v->fd);
	v->fd = -1;
}

pid_t
vt_pid(const struct vt *v)
{
	return v->program;
}

int
vt_rows(const struct vt *v)
{
	return v->rows;
}

int
vt_cols(const struct vt *v)
{
	return v->cols;
}

VTermScreenCell
vt_cell(struct vt *v, int row, int col)
{
	VTermScreenCell cell = { .width = 1 };

	vterm_screen_get_cell(v->screen, (VTermPos){ row, col }, &cell);
	return cell;
}

void
vt_cursor(const struct vt *v, int *row, int *col)
{
	*row = v->cursor.row;
	*col = v->cursor.col;
}

bool
vt_cursor_visible(const struct vt *v)
{
	return v->cursor_visible;
}

bool
vt_altscreen(const struct vt *v)
{
	return v->altscreen;
}

bool
vt_cooked(const struct vt *v)
{
	struct termios tio;

	return tcgetattr(v->fd, &tio) == 0 &&
	    (tio.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG) &&
	    (tio.c_oflag & OPOST) != 0;
}

bool
vt_sent(const struct vt *v, const char *text)
{
	return memmem(v->raw + v->raw_from, v->raw_len - v->raw_from, text, strlen(text)) != NULL;
}

void
vt_forget_raw(struct vt *v)
{
	v->raw_from = v->raw_len;
}

size_t
vt_sent_size(const struct vt *v)
{
	return v->raw_len - v->raw_from;
}

const char *
vt_scrollback(const struct vt *v)
{
	return v->scrollback;
}
