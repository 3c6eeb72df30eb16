#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/git/git.h"
#include "common/report.h"
#include "file/file.h"
#include "secrets/secrets_file.h"

#define HEADER_MAX 256
#define AHEAD_BYTES 4096

extern char **environ;

/* The environment without the key.  The caller frees the array alone. */
static char **
git_environment(void)
{
	static const char key[] = SECRETS_ENVVAR_DEFAULT "=";
	size_t n = 0, kept = 0;
	char **out;

	while (environ[n] != NULL)
		n++;
	if ((out = calloc(n + 1, sizeof(*out))) == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], key, sizeof(key) - 1) != 0)
			out[kept++] = environ[i];
	return out;
}

static int
no_git(int code, struct error *err)
{
	errno = code;
	if (code != ENOENT)
		return error_io(err, "git", "cannot run");
	error_set(err, ERROR_MISSING, "there is no program git");
	return error_hint(err, "install git, or set PATH");
}

/* Start it; ${in}, ${out}: its standard input and output, -1 for /dev/null. */
static int
git_start(const char *const argv[], int in, int out, bool quiet, pid_t *pid, struct error *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t signals;
	char **env = git_environment(), **words;
	size_t n = 0;
	int code;

	while (argv[n] != NULL)
		n++;
	words = calloc(n + 2, sizeof(*words));
	if (env == NULL || words == NULL) {
		free(env);
		free(words);
		return error_memory(err);
	}
	words[0] = (char *)(uintptr_t)"git";
	for (size_t i = 0; i < n; i++)
		words[i + 1] = (char *)(uintptr_t)argv[i];
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	if (in == -1)
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	if (out == -1)
		posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (quiet)
		posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	/* We ignore it, and that would be inherited. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &signals);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	code = posix_spawnp(pid, "git", &files, &attr, words, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(words);
	free(env);
	return code == 0 ? 0 : no_git(code, err);
}

static int
git_finish(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return GIT_KILLED;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : GIT_KILLED;
}

int
git_run(const char *const argv[], struct buf *out, int *status, struct error *err)
{
	int fds[2] = { -1, -1 }, code, rc = 0;
	pid_t pid;

	if (out != NULL && pipe2(fds, O_CLOEXEC) == -1)
		return error_io(err, "git", "cannot run");
	if (git_start(argv, -1, fds[1], status != NULL, &pid, err) != 0) {
		if (out != NULL) {
			close(fds[0]);
			close(fds[1]);
		}
		return -1;
	}
	if (out != NULL) {
		close(fds[1]);
		rc = file_read_fd(fds[0], "git", out, err);
		close(fds[0]);
	}
	code = git_finish(pid);
	if (status != NULL)
		*status = code;
	else if (code != 0 && rc == 0)
		rc = error_set(err, ERROR_IO, "`git %s` failed", argv[0]);
	return rc;
}

int
git_line(const char *const argv[], struct buf *out, int *status, struct error *err)
{
	if (git_run(argv, out, status, err) != 0)
		return -1;
	if (out->len > 0 && out->data[out->len - 1] == '\n')
		buf_truncate(out, out->len - 1);
	return 0;
}

int
git_top(struct buf *out, struct error *err)
{
	static const char *const argv[] = { "rev-parse", "--show-toplevel", NULL };
	int status;

	if (git_line(argv, out, &status, err) != 0)
		return -1;
	if (status == 0 && out->len > 0)
		return 0;
	error_set(err, ERROR_MISSING, "this is not in the work tree of a git repository");
	return error_hint(err, "change to a folder of the work tree first");
}

int
git_objects_open(struct git_objects *g, struct error *err)
{
	static const char *const argv[] = { "cat-file", "--batch", NULL };
	int to[2], from[2];

	*g = (struct git_objects)GIT_OBJECTS_NONE;
	buf_init_secret(&g->ahead, AHEAD_BYTES);
	if (buf_reserve(&g->ahead, AHEAD_BYTES) != 0)
		return error_memory(err);
	if (pipe2(to, O_CLOEXEC) == -1)
		return error_io(err, "git", "cannot run");
	if (pipe2(from, O_CLOEXEC) == -1) {
		close(to[0]);
		close(to[1]);
		return error_io(err, "git", "cannot run");
	}
	g->to = to[1];
	g->from = from[0];
	if (git_start(argv, to[0], from[1], false, &g->pid, err) != 0)
		g->pid = -1;
	close(to[0]);
	close(from[1]);
	if (g->pid != -1)
		return 0;
	git_objects_close(g);
	return -1;
}

/* Some bytes, at most ${n}; 0: it ended, or failed. */
static size_t
git_read_some(int fd, unsigned char *p, size_t n)
{
	ssize_t done;

	do
		done = read(fd, p, n);
	while (done == -1 && errno == EINTR);
	return done > 0 ? (size_t)done : 0;
}

/* Exactly ${n} bytes, of which those that were read already come first; false: no more. */
static bool
git_read_all(struct git_objects *g, unsigned char *p, size_t n)
{
	size_t done = g->ahead.len - g->at;

	if (done > n)
		done = n;
	if (done > 0)
		memcpy(p, g->ahead.data + g->at, done);
	g->at += done;
	for (p += done, n -= done; n > 0; p += done, n -= done)
		if ((done = git_read_some(g->from, p, n)) == 0)
			return false;
	return true;
}

/* "<id> blob <size>"; the size, or -1. */
static long long
git_read_header(struct git_objects *g)
{
	char line[HEADER_MAX], *word, *end;
	long long size;
	size_t n;

	for (n = 0; n + 1 < sizeof(line); n++) {
		if (g->at == g->ahead.len) {
			g->ahead.len = git_read_some(g->from, g->ahead.data, AHEAD_BYTES);
			g->at = 0;
		}
		if (g->ahead.len == 0)
			return -1;
		line[n] = (char)g->ahead.data[g->at++];
		if (line[n] == '\n')
			break;
	}
	line[n] = '\0';
	if ((word = strstr(line, " blob ")) == NULL)
		return -1;
	size = strtoll(word + 6, &end, 10);
	return end != word + 6 && *end == '\0' && size >= 0 ? size : -1;
}

int
git_objects_ask(const struct git_objects *g, const struct buf *ids, struct error *err)
{
	return output_write_fd(g->to, "git", ids->data, ids->len, err);
}

int
git_objects_read(struct git_objects *g, const char *id, struct buf *out, struct error *err)
{
	unsigned char line_end;
	long long size;

	if ((size = git_read_header(g)) < 0)
		return error_set(err, ERROR_MISSING, "git has no such object: %s", id);
	if ((unsigned long long)size > BUF_MAX_FILE)
		return error_set(err, ERROR_LIMIT, "larger than %zu bytes", BUF_MAX_FILE);
	if (buf_reserve(out, (size_t)size + 1) != 0)
		return buf_check(out, err);
	/* Into the room just made, so that the bytes are in secret memory alone on their way. */
	if (!git_read_all(g, out->data + out->len, (size_t)size) ||
	    !git_read_all(g, &line_end, 1))
		return error_set(err, ERROR_IO, "git did not give the whole object %s", id);
	out->len += (size_t)size;
	return buf_check(out, err);
}

void
git_objects_close(struct git_objects *g)
{
	if (g->to != -1)
		close(g->to);
	if (g->from != -1)
		close(g->from);
	if (g->pid != -1)
		(void)git_finish(g->pid);
	buf_release(&g->ahead);
	*g = (struct git_objects)GIT_OBJECTS_NONE;
}
