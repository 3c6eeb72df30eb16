#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "common/ask.h"
#include "common/report.h"
#include "file/file.h"

#define ASKPASS_TERMINAL "/dev/tty"
#define LINE_LENGTH_MAX 4096	/* what a terminal passes at once */
#define TRIES 3

#define CONFIRM_TERMINAL "/dev/tty"
#define ANSWER_MAX 64

/* Signals that must not leave the terminal without echo. */
static const int caught[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU
};
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

static volatile sig_atomic_t pending[CAUGHT];

static void
on_signal(int number)
{
	size_t i;

	for (i = 0; i < CAUGHT; i++) {
		if (caught[i] == number)
			pending[i] = 1;
	}
}

/*
 * Catch them, and hold them back but for moments when they are waited for, so
 * that none comes between a look and a wait.  The two that the terminal sends
 * to a background process are not held back: held back, they would let it in.
 */
static void
catch_signals(struct sigaction old[CAUGHT], sigset_t *mask)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t hold;
	size_t i;

	sigemptyset(&action.sa_mask);
	sigemptyset(&hold);
	for (i = 0; i < CAUGHT; i++) {
		pending[i] = 0;
		sigaction(caught[i], &action, &old[i]);
		if (caught[i] != SIGTTIN && caught[i] != SIGTTOU)
			sigaddset(&hold, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &hold, mask);
}

static void
askpass_restore_signals(const struct sigaction old[CAUGHT], const sigset_t *mask)
{
	size_t i;

	/* Those that came and were not waited for are caught here. */
	sigprocmask(SIG_SETMASK, mask, NULL);
	for (i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &old[i], NULL);
}

static bool
is_pending(int number)
{
	size_t i;

	for (i = 0; i < CAUGHT; i++) {
		if (pending[i] != 0 && (number == 0 || caught[i] == number))
			return true;
	}
	return false;
}

/* Let what came meanwhile have its effect.  True: it stopped us, ask again. */
static bool
deliver(void)
{
	bool stopped = false;
	size_t i;

	for (i = 0; i < CAUGHT; i++) {
		if (pending[i] == 0)
			continue;
		kill(getpid(), caught[i]);
		stopped |= caught[i] == SIGTSTP || caught[i] == SIGTTIN || caught[i] == SIGTTOU;
	}
	return stopped;
}

/* Read up to the line end.  1: a line, 0: end or a signal, -1: error. */
static int
read_line(int fd, const sigset_t *mask, struct buf *out)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t n;
	char c;

	while (!is_pending(0)) {
		if (ppoll(&ready, 1, NULL, mask) < 0) {
			if (errno != EINTR)
				return -1;
			continue;
		}
		n = read(fd, &c, 1);
		if (n == 0)
			return out->len > 0;
		if (n < 0 && errno != EINTR)
			return -1;
		if (n < 0)
			continue;
		if (c == '\n' || c == '\r')
			return 1;
		buf_append_char(out, c);
	}
	return 0;
}

static int
set_terminal(int fd, const struct termios *mode)
{
	while (tcsetattr(fd, TCSAFLUSH, mode) != 0) {
		if (errno != EINTR || is_pending(SIGTTOU))
			return -1;
	}
	return 0;
}

/* Ask once.  As read_line; signals are pending and not yet delivered. */
static int
askpass_ask(int fd, const char *text, const sigset_t *mask, struct buf *out)
{
	struct termios old, quiet;
	int rc;

	if (tcgetattr(fd, &old) != 0)
		return -1;
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	if (set_terminal(fd, &quiet) != 0)
		return is_pending(0) ? 0 : -1;
	output_write_fd(fd, ASKPASS_TERMINAL, text, strlen(text), NULL);
	rc = read_line(fd, mask, out);
	output_write_fd(fd, ASKPASS_TERMINAL, "\n", 1, NULL);
	set_terminal(fd, &old);
	return rc;
}

bool
askpass_available(void)
{
	int fd;

	if (!isatty(STDIN_FILENO) && !isatty(STDERR_FILENO))
		return false;
	if ((fd = open(ASKPASS_TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY)) < 0)
		return false;
	close(fd);
	return true;
}

static int
nothing_entered(struct error *err)
{
	error_set(err, ERROR_REFUSED, "nothing was entered");
	return error_hint(err, "start the command again");
}

int
askpass_line(const char *text, struct buf *out, struct error *err)
{
	struct sigaction old[CAUGHT];
	sigset_t mask;
	struct buf line;
	int fd, rc, code;
	bool again;

	if ((fd = open(ASKPASS_TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY)) < 0)
		return error_io(err, ASKPASS_TERMINAL, "cannot open");
	buf_init_secret(&line, LINE_LENGTH_MAX);
	do {
		buf_clear(&line);
		catch_signals(old, &mask);
		rc = askpass_ask(fd, text, &mask, &line);
		code = errno;
		askpass_restore_signals(old, &mask);
		again = deliver();
	} while (rc == 0 && again);
	close(fd);
	errno = code;
	if (rc < 0)
		error_io(err, ASKPASS_TERMINAL, "cannot ask");
	else if (rc == 0 || (line.len == 0 && !line.failed))
		rc = nothing_entered(err);
	else {
		buf_append(out, line.data, line.len);
		rc = buf_check(&line, err) != 0 ? -1 : buf_check(out, err);
	}
	buf_release(&line);
	return rc;
}

int
askpass_twice(const char *text, struct buf *out, struct error *err)
{
	struct buf first, second;
	int rc = -1;
	int i;

	buf_init_secret(&first, LINE_LENGTH_MAX);
	buf_init_secret(&second, LINE_LENGTH_MAX);
	for (i = 0; i < TRIES; i++) {
		buf_clear(&first);
		buf_clear(&second);
		if (askpass_line(text, &first, err) != 0 ||
		    askpass_line("The same again: ", &second, err) != 0)
			goto out;
		if (secret_equal(first.data, first.len, second.data, second.len)) {
			buf_append(out, first.data, first.len);
			rc = buf_check(out, err);
			goto out;
		}
		report_note("the two are not the same");
	}
	error_set(err, ERROR_REFUSED, "the two were not the same");
	error_hint(err, "start the command again");
out:
	buf_release(&first);
	buf_release(&second);
	return rc;
}

int
askpass_or_input(const char *text, struct buf *out, struct error *err)
{
	if (isatty(STDIN_FILENO) && askpass_available())
		return askpass_twice(text, out, err);
	if (file_read_fd(STDIN_FILENO, "standard input", out, err) != 0)
		return -1;
	if (out->len == 0 || out->data[out->len - 1] != '\n')
		return 0;
	buf_truncate(out, out->len - 1);
	if (out->len > 0 && out->data[out->len - 1] == '\r')
		buf_truncate(out, out->len - 1);
	return 0;
}

int
confirm(const struct buf *text, const char *question, bool *yes, struct error *err)
{
	char answer[ANSWER_MAX + 1] = "", c = 0;
	size_t len = 0;
	ssize_t n = 0;
	int fd, rc = -1;

	*yes = false;
	if ((fd = open(CONFIRM_TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1)
		return error_io(err, CONFIRM_TERMINAL, "cannot ask");
	if ((text != NULL && output_write_fd(fd, CONFIRM_TERMINAL, text->data, text->len,
	    err) != 0) ||
	    output_write_fd(fd, CONFIRM_TERMINAL, question, strlen(question), err) != 0)
		goto done;
	while (c != '\n' && ((n = read(fd, &c, 1)) == 1 || (n == -1 && errno == EINTR))) {
		if (n == 1 && c != '\n' && len < ANSWER_MAX)
			answer[len++] = c;
	}
	if (n == -1) {
		error_io(err, CONFIRM_TERMINAL, "cannot read the answer");
		goto done;
	}
	answer[len] = '\0';
	*yes = strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
	rc = 0;
done:
	close(fd);
	return rc;
}
