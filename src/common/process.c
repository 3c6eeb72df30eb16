#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secmem.h"
#include "common/process.h"
#include "crypto/memory.h"

/* What has to be as it was in the child. */
struct kept {
	sigset_t mask;
	struct sigaction child;
};

/* What was found; limits that could not be read are not given back. */
static struct {
	struct rlimit core;
	struct rlimit files;
	bool has_core;
	bool has_files;
	mode_t mask;
	struct sigaction pipe;
} found;

/*
 * A standard descriptor that the caller closed would be given to the next
 * file that is opened.  It is taken by /dev/null instead, opened the wrong
 * way round, so that reading standard input or writing output still fails.
 */
static void
open_standard(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(1);
	}
}

/* A plan over many files holds a few descriptors of each until it is applied. */
static void
raise_file_limit(void)
{
	struct rlimit limit = found.files;

	limit.rlim_cur = limit.rlim_max;
	if (found.has_files)
		(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void
process_begin(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	open_standard();
	found.has_core = getrlimit(RLIMIT_CORE, &found.core) == 0;
	found.has_files = getrlimit(RLIMIT_NOFILE, &found.files) == 0;
	secmem_harden_process();
	/* Without it keys lie on the heap while they are used: a layer is lost, no more. */
	(void)openssl_memory_begin(false, NULL);
	raise_file_limit();
	found.mask = umask(077);
	sigaction(SIGPIPE, &ignore, &found.pipe);
}

/**
 * process_restore(all):
 * In a child, before it executes another program: what process_begin found.
 * With ${all} false the file mask and the ban of core files stay, for a
 * program that gets secrets from us and has no say in it.
 */
static void
process_restore(bool all)
{
	sigaction(SIGPIPE, &found.pipe, NULL);
	if (found.has_files)
		(void)setrlimit(RLIMIT_NOFILE, &found.files);
	if (!all)
		return;
	umask(found.mask);
	if (found.has_core)
		(void)setrlimit(RLIMIT_CORE, &found.core);
}

/* Signals of our own: faults, and what the kernel tells a process about itself. */
static const int unforwarded[] = {
	SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS,
	SIGTTIN, SIGTTOU, SIGPIPE, SIGURG, SIGWINCH
};

static void
block_signals(sigset_t *waited, struct kept *kept)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	size_t i;

	sigfillset(waited);
	for (i = 0; i < sizeof(unforwarded) / sizeof(unforwarded[0]); i++)
		sigdelset(waited, unforwarded[i]);
	sigaddset(waited, SIGCHLD);
	sigprocmask(SIG_BLOCK, waited, &kept->mask);
	/* Ignored, there would be nothing to wait for. */
	sigaction(SIGCHLD, &action, &kept->child);
}

static void
child_restore_signals(const struct kept *kept)
{
	sigaction(SIGCHLD, &kept->child, NULL);
	sigprocmask(SIG_SETMASK, &kept->mask, NULL);
}

/* In the child.  Tells why it failed on ${tell}, which an execution closes. */
static void __attribute__((noreturn))
become(const struct child *c, const struct kept *kept, pid_t parent, int tell)
{
	char *const *argv = (char *const *)(size_t)c->argv;
	size_t i;
	int why;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	process_restore(c->trusted);
	if (c->out > 0 && dup2(c->out, STDOUT_FILENO) == -1)
		_exit(1);
	for (i = 0; i < c->fd_count; i++)
		(void)fcntl(c->fds[i], F_SETFD, 0);
	child_restore_signals(kept);
	if (c->envp != NULL)
		execvpe(argv[0], argv, c->envp);
	else
		execvp(argv[0], argv);
	why = errno;
	(void)!write(tell, &why, sizeof(why));
	_exit(1);
}

static int
not_run(const char *name, int why, struct error *err)
{
	if (why == ENOENT || why == ENOTDIR) {
		error_set(err, ERROR_MISSING, "no such command");
		error_place(err, name, 0);
		return error_hint(err, "the command stands behind --, and is looked for in PATH");
	}
	errno = why;
	error_io(err, name, "cannot run");
	if (why == E2BIG)
		return error_hint(err, "a value may be too long for the environment: give the "
		    "command a file, with --config-file and {}");
	return -1;
}

/* Start it.  The child's id, or -1, with ${*status} if it is the command's fault. */
static pid_t
child_start(const struct child *c, const struct kept *kept, int *status, struct error *err)
{
	pid_t parent = getpid(), pid;
	int tell[2], why = 0;
	ssize_t n;

	if (pipe2(tell, O_CLOEXEC) != 0)
		return error_io(err, c->argv[0], "cannot run");
	if ((pid = fork()) == 0)
		become(c, kept, parent, tell[1]);
	close(tell[1]);
	if (pid == -1)
		error_io(err, c->argv[0], "cannot run");
	while (pid != -1 && (n = read(tell[0], &why, sizeof(why))) < 0 && errno == EINTR)
		;
	close(tell[0]);
	if (pid == -1 || why == 0)
		return pid;
	waitpid(pid, NULL, 0);
	*status = why == ENOENT || why == ENOTDIR ? CHILD_NOT_FOUND : CHILD_NOT_RUN;
	return not_run(c->argv[0], why, err);
}

/* Wait until ${end} (NULL: for ever).  A signal, or 0 when the time is over. */
static int
next_signal(const sigset_t *waited, const struct timespec *end, siginfo_t *info)
{
	struct timespec now, left;
	int number;

	do {
		if (end == NULL) {
			number = sigwaitinfo(waited, info);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = end->tv_sec - now.tv_sec;
		left.tv_nsec = end->tv_nsec - now.tv_nsec;
		if (left.tv_nsec < 0) {
			left.tv_sec--;
			left.tv_nsec += 1000000000;
		}
		if (left.tv_sec < 0)
			return 0;
		number = sigtimedwait(waited, info, &left);
		if (number == -1 && errno == EAGAIN)
			return 0;
	} while (number == -1);
	return number;
}

/*
 * Look after the child.  True: it ended, with ${*status}.  The first process
 * of a container is given orphans, which nobody else would take away.
 */
static bool
look_after(pid_t pid, int *status)
{
	pid_t all = getpid() == 1 ? -1 : pid, who;
	int state, stop;

	while ((who = waitpid(all, &state, WNOHANG | WUNTRACED)) > 0) {
		if (who != pid)
			continue;
		if (!WIFSTOPPED(state)) {
			*status = WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
			return true;
		}
		/* Job control: whoever started us must see us stop, and wakes us. */
		stop = WSTOPSIG(state);
		if (stop == SIGTSTP || stop == SIGTTIN || stop == SIGTTOU) {
			(void)kill(getpid(), SIGSTOP);
			(void)kill(pid, SIGCONT);
		}
	}
	return false;
}

/* The terminal sends its signals to the command too, and so may the command itself. */
static bool
is_for_us(const siginfo_t *info, pid_t pid)
{
	return info->si_code != SI_KERNEL && info->si_pid != pid;
}

static bool
ends(int number)
{
	return number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM;
}

int
child_run(const struct child *c, int *status, int *signal, struct error *err)
{
	struct timespec end;
	siginfo_t info;
	sigset_t waited;
	struct kept kept;
	pid_t pid;
	int number, last = 0;

	block_signals(&waited, &kept);
	if ((pid = child_start(c, &kept, status, err)) == -1) {
		child_restore_signals(&kept);
		return -1;
	}
	if (c->started != NULL)
		c->started(c->cookie);
	do {
		number = next_signal(&waited, last != 0 && c->patience_ms > 0 ? &end : NULL, &info);
		if (number == 0) {
			(void)kill(pid, SIGKILL);
			waitpid(pid, status, 0);
			*status = 128 + SIGKILL;
			break;
		}
		if (number == SIGCHLD || !is_for_us(&info, pid))
			continue;
		(void)kill(pid, number);
		if (ends(number) && last == 0) {
			clock_gettime(CLOCK_MONOTONIC, &end);
			end.tv_sec += c->patience_ms / 1000;
		}
		if (ends(number))
			last = number;
	} while (!look_after(pid, status));
	child_restore_signals(&kept);
	if (signal != NULL)
		*signal = last;
	return 0;
}
