#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/torture/gate.h"

/* Which argument is the descriptor, or the folder that a path starts from, or a path. */
enum place { FD_0, AT_0, AT_2, PATH_0 };

#define CHANGES 1
#define TAKES_ROOM 2

static const struct watched {
	int nr;
	enum place place;
	int what;
} watched[] = {
	{ SYS_openat, AT_0, 0 },	/* what it does depends on its flags */
	{ SYS_read, FD_0, 0 },
	{ SYS_pread64, FD_0, 0 },
	{ SYS_getdents64, FD_0, 0 },
	{ SYS_write, FD_0, CHANGES | TAKES_ROOM },
	{ SYS_pwrite64, FD_0, CHANGES | TAKES_ROOM },
	{ SYS_ftruncate, FD_0, CHANGES | TAKES_ROOM },
	{ SYS_fsync, FD_0, CHANGES | TAKES_ROOM },
	{ SYS_fdatasync, FD_0, CHANGES | TAKES_ROOM },
	{ SYS_syncfs, FD_0, CHANGES },
	{ SYS_newfstatat, AT_0, 0 },
#ifdef SYS_mkdir
	{ SYS_mkdir, PATH_0, CHANGES | TAKES_ROOM },
#endif
	{ SYS_mkdirat, AT_0, CHANGES | TAKES_ROOM },
	{ SYS_linkat, AT_2, CHANGES | TAKES_ROOM },
	{ SYS_renameat2, AT_0, CHANGES },
#ifdef SYS_renameat
	{ SYS_renameat, AT_0, CHANGES },
#endif
	{ SYS_unlinkat, AT_0, CHANGES },
	{ SYS_fchmod, FD_0, CHANGES },
	{ SYS_fchown, FD_0, CHANGES },
	{ SYS_fsetxattr, FD_0, CHANGES | TAKES_ROOM },
	{ SYS_fremovexattr, FD_0, CHANGES },
	{ SYS_fcntl, FD_0, 0 },
	{ SYS_close, FD_0, 0 }
};

enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

static const struct watched *
watched_of(const struct gate_call *c)
{
	for (size_t i = 0; i < WATCHED; i++)
		if (watched[i].nr == c->nr)
			return &watched[i];
	return NULL;
}

bool
gate_changes(const struct gate_call *c)
{
	if (c->nr == SYS_openat)
		return (c->args[2] & (O_CREAT | O_WRONLY | O_RDWR)) != 0;
	return (watched_of(c)->what & CHANGES) != 0;
}

bool
gate_takes_room(const struct gate_call *c)
{
	if (c->nr == SYS_openat)
		return (c->args[2] & O_CREAT) != 0 || (c->args[2] & O_TMPFILE) == O_TMPFILE;
	return (watched_of(c)->what & TAKES_ROOM) != 0;
}

static bool
starts_with(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool
gate_is_below(const struct gate_call *c, const char *folder)
{
	const struct watched *w = watched_of(c);
	unsigned int first = w->place == AT_2 ? 2 : 0, path_at = w->place == PATH_0 ? 0 : first + 1;
	unsigned long long at = c->args[first];
	char link[64], base[4096] = "", name[4096] = "", path[8200];
	struct iovec to = { name, sizeof(name) - 1 }, from;
	ssize_t n;

	if (w->place != FD_0) {
		from = (struct iovec){ (void *)(uintptr_t)c->args[path_at], 1 };
		/* A path may end just before memory that is not there. */
		for (size_t k = 0; k + 1 < sizeof(name); k++) {
			from.iov_len = to.iov_len = 1;
			to.iov_base = name + k;
			if (process_vm_readv(c->pid, &to, 1, &from, 1, 0) != 1 || name[k] == '\0')
				break;
			from.iov_base = (char *)from.iov_base + 1;
		}
		if (name[0] == '/')
			return starts_with(name, folder);
	}
	if (w->place == PATH_0 || (int)at == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%ld/cwd", (long)c->pid);
	else
		snprintf(link, sizeof(link), "/proc/%ld/fd/%d", (long)c->pid, (int)at);
	n = readlink(link, base, sizeof(base) - 1);
	base[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof(path), "%s%s%s", base, name[0] != '\0' ? "/" : "", name);
	return starts_with(path, folder);
}

/* --- the child --- */

static void
send_descriptor(int socket, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS } };
	struct iovec one = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (sendmsg(socket, &m, 0) != 1)
		_exit(125);
}

static int
receive_descriptor(int socket)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec one = { &byte, 1 };
	struct msghdr m = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	int fd = -1;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) == 1 && m.msg_controllen >= CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

/* The listener, or -1. */
static int
install(void)
{
	struct sock_filter code[WATCHED + 4];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	for (size_t i = 0; i < WATCHED; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    (unsigned int)watched[i].nr, (unsigned char)(WATCHED + 1 - i), 0);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void
child(const struct gate_run *r, int socket)
{
	int null = open("/dev/null", O_RDWR), listener;

	if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1 || chdir(r->folder) == -1)
		_exit(125);
	/* Tests of what is wrong here want to see it. */
	if (getenv("GATE_VERBOSE") == NULL)
		(void)dup2(null, 2);
	listener = install();
	if (listener == -1)
		_exit(125);
	send_descriptor(socket, listener);
	if (r->call != NULL) {
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		_exit(r->call(r->what));
	}
	execv(r->argv[0], r->argv);
	_exit(126);
}

/* --- the parent --- */

static void
answer(int listener, struct gate_run *r, const struct seccomp_notif *asked, bool *started)
{
	struct seccomp_notif_resp resp = { .id = asked->id };
	struct gate_call c = { .nr = asked->data.nr, .pid = (pid_t)asked->pid };
	int error = 0;

	memcpy(c.args, asked->data.args, sizeof(c.args));
	if (c.nr == SYS_prctl && c.args[0] == PR_SET_DUMPABLE) {
		/* Not done, so that what its descriptors are can be looked up. */
		*started = true;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
		return;
	}
	if (*started && c.nr != SYS_prctl) {
		c.number = ++r->calls;
		if (r->decide != NULL)
			error = r->decide(r->cookie, &c);
	}
	if (error != 0)
		resp.error = -error;
	else
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static void
serve(int listener, struct gate_run *r)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct seccomp_notif asked;
	bool started = false;

	for (;;) {
		if (poll(&p, 1, -1) == -1 && errno != EINTR)
			return;
		if ((p.revents & POLLIN) == 0)
			return;
		memset(&asked, 0, sizeof(asked));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0)
			answer(listener, r, &asked, &started);
	}
}

int
gate_run(struct gate_run *r)
{
	int ends[2], listener, status = 0;
	pid_t pid;

	r->calls = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return 125;
	pid = fork();
	if (pid == 0)
		child(r, ends[1]);
	close(ends[1]);
	listener = pid == -1 ? -1 : receive_descriptor(ends[0]);
	close(ends[0]);
	if (listener != -1) {
		serve(listener, r);
		close(listener);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
nothing(const void *what)
{
	(void)what;
	return 0;
}

static bool
gate_works(void)
{
	struct gate_run r = { .call = nothing, .folder = "/" };

	return gate_run(&r) == 0;
}

static void
no_folder(const char *name)
{
	fprintf(stderr, "%s: %s\n", name, strerror(errno));
	exit(1);
}

static void
gate_folder_make(char *folder)
{
	const char *tmp = getenv("TMPDIR");
	char text[PATH_MAX], state[PATH_MAX + 10];

	/* What a disk adds to a sweep is time. */
	if (tmp == NULL)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(text, sizeof(text), "%s/propseal-torture.XXXXXX", tmp);
	if (mkdtemp(text) == NULL || realpath(text, folder) == NULL || chdir(folder) != 0)
		no_folder(text);
	snprintf(state, sizeof(state), "%s.state", folder);
	if (setenv("XDG_STATE_HOME", state, 1) != 0)
		no_folder(state);
}

bool
gate_begin(char *folder)
{
	if (!gate_works()) {
		printf("skipped: no seccomp user notification here\n0 passed, 0 failed, 1 skipped\n");
		return false;
	}
	umask(022);
	gate_folder_make(folder);
	return true;
}

void
gate_folder_remove(const char *folder)
{
	char command[2 * PATH_MAX + 32];

	snprintf(command, sizeof(command), "rm -rf '%s' '%s.state'", folder, folder);
	if (chdir("/") != 0 || system(command) != 0)
		no_folder(folder);
}
