#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "cli/git/git.h"
#include "common/report.h"
#include "file/file.h"
#include "secrets/secrets_file.h"

#define HEADER_MAX 256
#define AHEAD_BYTES 4096

extern char **environ;

/* Objects, one after another, from one process. */
struct git_objects {
	pid_t pid;
	int to;
	int from;
	struct buf ahead;	/* secret: what was read of the answers already */
	size_t at;		/* in it: what was not taken yet */
};

#define GIT_OBJECTS_NONE { .pid = -1, .to = -1, .from = -1 }

/* How many may be asked for before all answers were read: what git has not read of the questions
 * must fit into the smallest pipe, as it does not read on while nobody takes its answers. */
#define GIT_OBJECTS_ASKED 32

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
git_config_path(bool global, struct buf *path, struct error *err)
{
	static const char *const local[] = { "rev-parse", "--git-path", "config", NULL };
	const char *named = getenv("GIT_CONFIG_GLOBAL"), *home = getenv("HOME");
	const char *folder = getenv("XDG_CONFIG_HOME");
	struct buf other;

	if (!global)
		return git_line(local, path, NULL, err);
	if (named != NULL && named[0] != '\0') {
		buf_append_str(path, named);
		return buf_check(path, err);
	}
	buf_printf(path, "%s/.gitconfig", home != NULL ? home : "");
	buf_init(&other, 65536);
	if (folder != NULL && folder[0] != '\0')
		buf_printf(&other, "%s/git/config", folder);
	else
		buf_printf(&other, "%s/.config/git/config", home != NULL ? home : "");
	if (access(buf_cstr(path), F_OK) != 0 && access(buf_cstr(&other), F_OK) == 0)
		buf_move(path, &other);
	buf_release(&other);
	return buf_check(path, err);
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

/* Twice is fine. */
static void
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

static int
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

/* Ask for the blobs of these ids (hexadecimal, a line each). */
static int
git_objects_ask(const struct git_objects *g, const struct buf *ids, struct error *err)
{
	return output_write_fd(g->to, "git", ids->data, ids->len, err);
}

/* Append the next one that was asked for to ${out}; ${id} is for errors.  ERROR_MISSING,
 * ERROR_LIMIT, ERROR_IO: what comes behind it cannot be read, either. */
static int
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

/* Contents of files that git has: those that are staged, and all that were ever committed. */

#define COMMIT_SHOWN 12		/* digits */

/* A record of --raw -z: ":100644 100644 <id> <id> M" NUL path NUL. */
struct record {
	const char *commit;	/* of a log: the last "commit <id>" NUL before it; else NULL */
	const char *mode;	/* of the new content */
	const char *id;
	size_t id_len;
	const char *path;
};

/* A list of them, and what is done about each. */
struct contents {
	struct git_objects objects;
	struct buf list;
	size_t at;
	struct record asked[GIT_OBJECTS_ASKED];	/* whose contents are to be read next */
	size_t asked_count;
	git_content_fn *each;
	void *cookie;
};

/* Take the next record apart; false at the end. */
static bool
next_record(struct contents *c, struct record *out)
{
	static const char word[] = "commit ";
	const char *begin = (const char *)c->list.data, *end = begin + c->list.len;

	for (const char *p = begin + c->at; p < end; p += strlen(p) + 1) {
		const char *path, *id;

		while (*p == '\n')
			p++;
		if (strncmp(p, word, sizeof(word) - 1) == 0)
			out->commit = p + sizeof(word) - 1;
		if (*p != ':' || (path = p + strlen(p) + 1) >= end)
			continue;
		out->mode = id = strchr(p, ' ');
		for (int i = 0; i < 2 && id != NULL; i++)
			id = strchr(id + 1, ' ');
		if (id == NULL) {
			p = path;
			continue;
		}
		out->mode++;
		out->id = id + 1;
		out->id_len = strcspn(out->id, " ");
		out->path = path;
		c->at = (size_t)(path - begin) + strlen(path) + 1;
		return true;
	}
	return false;
}

/* Hand the content of the record on: as its path, of a commit COMMIT:PATH. */
static int
contents_read_one(struct contents *c, const struct record *r, struct error *err)
{
	struct buf content, name;
	char id[128];
	int rc;

	snprintf(id, sizeof(id), "%.*s", (int)r->id_len, r->id);
	buf_init(&name, 65536);
	if (r->commit != NULL)
		buf_printf(&name, "%.*s:", COMMIT_SHOWN, r->commit);
	buf_append_str(&name, r->path);
	buf_init_secret(&content, BUF_MAX_FILE);
	rc = git_objects_read(&c->objects, id, &content, err);
	if (rc != 0)
		error_place(err, buf_cstr(&name), 0);
	else
		rc = c->each(c->cookie, buf_cstr(&name), r->path, &content, err);
	buf_release(&content);
	buf_release(&name);
	return rc;
}

/* Ask for the contents that are to be read, all at once, and hand them on.  After an error there
 * is nothing more to be had: an answer would be read out of step. */
static int
contents_read_asked(struct contents *c, struct error *err)
{
	struct buf ids;
	int rc = 0;

	if (c->asked_count == 0)
		return 0;
	if (c->objects.pid == -1 && git_objects_open(&c->objects, err) != 0)
		return -1;
	buf_init(&ids, 65536);
	for (size_t i = 0; i < c->asked_count; i++) {
		buf_append(&ids, c->asked[i].id, c->asked[i].id_len);
		buf_append_char(&ids, '\n');
	}
	if (buf_check(&ids, err) != 0 || git_objects_ask(&c->objects, &ids, err) != 0)
		rc = -1;
	buf_release(&ids);
	for (size_t i = 0; rc == 0 && i < c->asked_count; i++)
		rc = contents_read_one(c, &c->asked[i], err);
	c->asked_count = 0;
	return rc;
}

/* Read the content of the record, when there are enough of them, or by contents_read_asked. */
static int
contents_read(struct contents *c, const struct record *r, struct error *err)
{
	c->asked[c->asked_count++] = *r;
	return c->asked_count == GIT_OBJECTS_ASKED ? contents_read_asked(c, err) : 0;
}

/* List the records that git tells with the ${fixed} arguments (up to NULL) and the paths. */
static int
contents_list(struct contents *c, const char *const fixed[], const char *const paths[], size_t n,
    struct error *err)
{
	const char **argv;
	struct buf top;
	size_t k = 0;
	int rc, status = 0;

	while (fixed[k] != NULL)
		k++;
	if ((argv = calloc(k + n + 1, sizeof(*argv))) == NULL)
		return error_memory(err);
	memcpy(argv, fixed, k * sizeof(*argv));
	for (size_t i = 0; i < n; i++)
		argv[k + i] = paths[i];
	buf_init(&top, 65536);
	rc = git_run(argv, &c->list, &status, err);
	/* Why it failed is worth two more of its processes: where there is no work tree, it says
	 * how it is called. */
	if (rc == 0 && status != 0) {
		buf_clear(&c->list);
		rc = git_top(&top, err) != 0 || git_run(argv, &c->list, NULL, err) != 0 ? -1 : 0;
	}
	(void)buf_cstr(&c->list);
	buf_release(&top);
	free(argv);
	return rc;
}

static void
contents_init(struct contents *c, git_content_fn *each, void *cookie)
{
	*c = (struct contents){ .objects = GIT_OBJECTS_NONE, .each = each, .cookie = cookie };
	buf_init(&c->list, BUF_MAX_FILE);
}

static void
contents_release(struct contents *c)
{
	git_objects_close(&c->objects);
	buf_release(&c->list);
}

/* Is it a file, and neither a link nor another repository? */
static bool
record_is_file(const struct record *r)
{
	return strncmp(r->mode, "100", 3) == 0;
}

int
git_staged(const char *const paths[], size_t n, git_takes_fn *takes, git_content_fn *each,
    void *cookie, struct error *err)
{
	static const char *const fixed[] = { "diff", "--cached", "--raw", "-z", "--no-renames",
		"--no-abbrev", "--no-ext-diff", "--diff-filter=AMT", "--", NULL };
	struct record r = { .commit = NULL };
	struct contents c;
	int rc;

	contents_init(&c, each, cookie);
	rc = contents_list(&c, fixed, paths, n, err);
	while (rc == 0 && next_record(&c, &r))
		if (record_is_file(&r) && takes(cookie, r.path))
			rc = contents_read(&c, &r, err);
	if (rc == 0)
		rc = contents_read_asked(&c, err);
	contents_release(&c);
	return rc;
}

/* Keep that the content of the path was come across.  1: it was before. */
static int
history_is_seen(struct map *seen, const struct record *r, struct error *err)
{
	/* Behind the id stand the kind of change, a NUL and the path. */
	const size_t n = (size_t)(r->path - r->id) + strlen(r->path);
	size_t ignored;

	if (map_get(seen, r->id, n, &ignored))
		return 1;
	return map_put(seen, r->id, n, 0) == 0 ? 0 : error_memory(err);
}

int
git_history(const char *const paths[], size_t n, git_takes_fn *takes, git_content_fn *each,
    void *cookie, struct error *err)
{
	static const char *const fixed[] = { "-c", "log.showRoot=true", "log", "--all",
		"--topo-order", "--reverse", "--raw", "-z", "-m", "--no-renames", "--no-abbrev",
		"--no-ext-diff", "--no-color", "--no-show-signature", "--diff-filter=AMT",
		"--format=commit %H", "--", NULL };
	struct map *seen = map_new();
	struct record r = { .commit = "" };
	struct contents c;
	int rc, is;

	contents_init(&c, each, cookie);
	rc = seen != NULL ? contents_list(&c, fixed, paths, n, err) : error_memory(err);
	while (rc == 0 && next_record(&c, &r)) {
		if (!record_is_file(&r) || !takes(cookie, r.path))
			continue;
		if ((is = history_is_seen(seen, &r, err)) != 0) {
			rc = is == 1 ? 0 : -1;
			continue;
		}
		rc = contents_read(&c, &r, err);
	}
	if (rc == 0)
		rc = contents_read_asked(&c, err);
	contents_release(&c);
	map_free(seen);
	return rc;
}
