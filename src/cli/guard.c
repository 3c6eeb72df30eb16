#include "cli/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secmem.h"

struct guard {
	pid_t pid;
	int pipe;	/* closed by the end of this process */
};

/* Let go of all that this process holds open, but for the pipe, which becomes 3. */
static void
let_go(int pipe)
{
	int fd, null = open("/dev/null", O_RDWR);

	if (null > STDERR_FILENO)
		for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			(void)dup2(null, fd);
	if (pipe != 3)
		(void)dup2(pipe, 3);
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 4, ~0U, 0) == 0)
		return;
#endif
	for (fd = 4; fd < sysconf(_SC_OPEN_MAX); fd++)
		close(fd);
}

static void __attribute__((noreturn))
wait_and_do(int pipe, void (*last)(void *cookie), void *cookie)
{
	sigset_t all;
	ssize_t n;
	char **v, c;

	/* What ends the other process, from a terminal or a supervisor, must
	 * not end this one. */
	(void)setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	let_go(pipe);
	/* There may be a key in it that this process has nothing to do with. */
	for (v = environ; *v != NULL; v++)
		secmem_wipe(*v, strlen(*v));
	while ((n = read(3, &c, 1)) < 0 && errno == EINTR)
		;
	if (n != 1)
		last(cookie);
	_exit(0);
}

struct guard *
guard_new(void (*last)(void *cookie), void *cookie, struct error *err)
{
	struct guard *g = calloc(1, sizeof(*g));
	int ends[2];

	if (g == NULL) {
		error_memory(err);
		return NULL;
	}
	if (pipe2(ends, O_CLOEXEC) != 0) {
		error_io(err, "", "cannot make a pipe");
		free(g);
		return NULL;
	}
	if ((g->pid = fork()) == 0) {
		close(ends[1]);
		wait_and_do(ends[0], last, cookie);
	}
	close(ends[0]);
	g->pipe = ends[1];
	if (g->pid != -1)
		return g;
	error_io(err, "", "cannot start a process");
	close(g->pipe);
	free(g);
	return NULL;
}

void
guard_dismiss(struct guard *g)
{
	if (g == NULL)
		return;
	(void)!write(g->pipe, "", 1);
	close(g->pipe);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(g);
}
