#include <sys/file.h>
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "file/lock.h"

#define PRIVATE 0600

/* One file's lock. */
struct hold {
	const char *path;	/* as given; the caller's, while waiting only */
	struct path where;
	char *sidecar;
	int fd;			/* -1: not held */
};

struct lock {
	size_t n;
	struct hold *holds;	/* by real path, each once */
};

#define SLEEP_FIRST_NS 1000000L		/* 1 ms, then double */
#define SLEEP_MAX_NS 50000000L		/* 50 ms */
#define MS_NS 1000000L
#define SECOND_NS 1000000000L

void
wait_start(struct wait *w)
{
	clock_gettime(CLOCK_MONOTONIC, &w->start);
}

/* Nanoseconds since a time. */
static long long
time_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)(now.tv_sec - start->tv_sec) * SECOND_NS +
	    (now.tv_nsec - start->tv_nsec);
}

/* Nanoseconds until the time is up, at most ${most}. */
static long
time_left(const struct wait *w, long most)
{
	long long left;

	if (w->timeout_ms < 0)
		return most;
	left = (long long)w->timeout_ms * MS_NS - time_since(&w->start);
	if (left <= 0)
		return 0;
	return left < most ? (long)left : most;
}

/* False: wait no longer. */
static bool
wait_tell(const struct wait *w, const struct timespec *began, bool first, const char *path)
{
	long long left = (long long)w->timeout_ms - time_since(&w->start) / MS_NS;
	long long waited = time_since(began) / MS_NS;

	if (w->waiting == NULL)
		return true;
	return w->waiting(w->cookie, path, first ? 0 : waited > INT_MAX ? INT_MAX :
	    waited > 0 ? (int)waited : 1, w->timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);
}

enum wait_outcome
wait_for(const struct wait *w, enum wait_outcome (*try)(void *what, struct error *err), void *what,
    const char *path, struct error *err)
{
	struct timespec pause = { 0, 0 }, began;
	long next = SLEEP_FIRST_NS;
	enum wait_outcome outcome;
	bool first = true;

	clock_gettime(CLOCK_MONOTONIC, &began);
	while ((outcome = try(what, err)) == WAIT_BUSY) {
		pause.tv_nsec = time_left(w, next);
		if (pause.tv_nsec == 0 || !wait_tell(w, &began, first, path))
			break;
		first = false;
		nanosleep(&pause, NULL);
		next = next < SLEEP_MAX_NS / 2 ? 2 * next : SLEEP_MAX_NS;
	}
	return outcome;
}

int
lock_descriptor(int fd)
{
#ifdef F_OFD_SETLK
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	if (errno == EACCES)
		errno = EAGAIN;
	/* A kernel or file system that does not know it. */
	if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		return -1;
#endif
	return flock(fd, LOCK_EX | LOCK_NB);
}

/* Is the open sidecar still the one of that name? */
static bool
is_current(const struct hold *h, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && here.st_nlink > 0 &&
	    fstatat(h->where.dir, h->sidecar, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* For the message of who waits.  On a full disk it stays empty. */
static void
write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n)
		(void)!ftruncate(fd, 0);
}

static enum wait_outcome
open_failed(const struct hold *h, struct error *err)
{
	struct stat st;
	int code = errno;

	/* Another user's: held, or left by a run that was killed. */
	if ((code == EACCES || code == EPERM) &&
	    fstatat(h->where.dir, h->sidecar, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return WAIT_BUSY;
	errno = code;
	error_io(err, h->path, "cannot make its lock file");
	if (code == EACCES || code == EPERM)
		error_hint(err, "the directory must be writable to change a file in it");
	return WAIT_FAILED;
}

static enum wait_outcome
lock_try(void *what, struct error *err)
{
	struct hold *h = what;
	struct stat st;
	int fd, code;

	for (;;) {
		fd = openat(h->where.dir, h->sidecar,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, PRIVATE);
		if (fd == -1)
			return open_failed(h, err);
		if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
			error_set(err, ERROR_IO, "its lock file %s is not a regular file",
			    h->sidecar);
			error_place(err, h->path, 0);
			close(fd);
			return WAIT_FAILED;
		}
		if (lock_descriptor(fd) == -1) {
			code = errno;
			close(fd);
			if (code == EAGAIN || code == EWOULDBLOCK)
				return WAIT_BUSY;
			/* It is of no use, and nobody else can hold it either. */
			(void)unlinkat(h->where.dir, h->sidecar, 0);
			errno = code;
			error_io(err, h->path, "cannot lock its lock file");
			if (code == ENOLCK || code == ENOTSUP)
				error_hint(err, "the file system has no locks (NFS 3 without "
				    "lockd, or -o nolock): mount NFS 4, or work on a copy");
			return WAIT_FAILED;
		}
		if (is_current(h, fd))
			break;
		/* Its holder removed it between our open and our lock. */
		close(fd);
	}
	write_pid(fd);
	h->fd = fd;
	return WAIT_GOT;
}

/* The process that wrote its number into the sidecar; 0: cannot be told. */
static long
holder_pid(const struct hold *h)
{
	char text[32];
	ssize_t n = -1;
	int fd = openat(h->where.dir, h->sidecar,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd != -1) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

static int
set_busy(const struct hold *h, struct error *err)
{
	struct stat st;
	long pid = holder_pid(h);

	if (pid > 0)
		error_set(err, ERROR_BUSY, "locked: held by process %ld", pid);
	else
		error_set(err, ERROR_BUSY, "locked: held by another process");
	error_place(err, h->path, 0);
	if (faccessat(h->where.dir, h->sidecar, R_OK | W_OK, AT_EACCESS) == -1 &&
	    fstatat(h->where.dir, h->sidecar, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return error_hint(err, "the lock file %s belongs to user %lu; if propseal "
		    "does not run as that user, remove it", h->sidecar,
		    (unsigned long)st.st_uid);
	return error_hint(err, "try again when it is done, or wait longer (--lock-timeout)");
}

static int
lock_one(struct hold *h, const struct wait *w, struct error *err)
{
	enum wait_outcome outcome = wait_for(w, lock_try, h, h->path, err);

	return outcome == WAIT_GOT ? 0 : outcome == WAIT_BUSY ? set_busy(h, err) : -1;
}

static int
by_real_path(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	return strcmp(x->where.real, y->where.real);
}

/* The same name in the same directory, which may be mounted at two places. */
static bool
lock_is_same(const struct hold *a, const struct hold *b)
{
	struct stat x, y;

	if (strcmp(a->where.name, b->where.name) != 0)
		return false;
	return strcmp(a->where.real, b->where.real) == 0 ||
	    (fstat(a->where.dir, &x) == 0 && fstat(b->where.dir, &y) == 0 &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static void
hold_release(struct hold *h)
{
	/* Removed while held, so that nobody can get a lock that is on its way out. */
	if (h->fd != -1) {
		if (is_current(h, h->fd))
			(void)unlinkat(h->where.dir, h->sidecar, 0);
		close(h->fd);
	}
	free(h->sidecar);
	path_close(&h->where);
}

/* Add the lock of one file, unless it is there already. */
static int
add_hold(struct lock *l, const char *path, struct error *err)
{
	struct hold *h = &l->holds[l->n];
	size_t i;

	*h = (struct hold){ path, PATH_NONE, NULL, -1 };
	if (path_open(&h->where, path, err) == -1)
		return -1;
	for (i = 0; i < l->n; i++) {
		if (lock_is_same(&l->holds[i], h)) {
			hold_release(h);
			return 0;
		}
	}
	l->n++;
	h->sidecar = path_sidecar(&h->where, PATH_LOCK);
	return h->sidecar == NULL ? error_memory(err) : 0;
}

struct lock *
lock_files(const char *const paths[], size_t n, int timeout_ms,
    wait_told *waiting, void *cookie, struct error *err)
{
	struct wait w = { .timeout_ms = timeout_ms, .waiting = waiting, .cookie = cookie };
	struct lock *l = calloc(1, sizeof(*l));
	size_t i;

	if (l != NULL)
		l->holds = calloc(n + 1, sizeof(*l->holds));
	if (l == NULL || l->holds == NULL) {
		error_memory(err);
		goto fail;
	}
	for (i = 0; i < n; i++) {
		if (paths[i] != NULL && add_hold(l, paths[i], err) == -1)
			goto fail;
	}
	qsort(l->holds, l->n, sizeof(*l->holds), by_real_path);
	wait_start(&w);
	for (i = 0; i < l->n; i++) {
		if (lock_one(&l->holds[i], &w, err) == -1)
			goto fail;
	}
	return l;

fail:
	lock_release(l);
	return NULL;
}

void
lock_release(struct lock *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->n; i++)
		hold_release(&l->holds[i]);
	free(l->holds);
	free(l);
}

/* The length of ${name} before the suffix of a leftover; 0: it has none. */
static size_t
stem_of(const char *name)
{
	static const char *const suffixes[] = { PATH_TEMPORARY, PATH_LOCK };
	size_t len = strlen(name), n;

	for (size_t i = 0; i < 2; i++) {
		n = strlen(suffixes[i]);
		if (name[0] == '.' && len > n + 1 && strcmp(name + len - n, suffixes[i]) == 0)
			return len - n;
	}
	return 0;
}

/* Remove the lock, and the temporary file ${temporary}, of a run that ended
 * without; uses ${h} up. */
static void
hold_sweep(struct hold *h, const char *temporary)
{
	struct stat st;
	bool is_there = fstatat(h->where.dir, temporary, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    fstatat(h->where.dir, h->sidecar, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (is_there && lock_try(h, NULL) == WAIT_GOT)
		(void)unlinkat(h->where.dir, temporary, 0);
	hold_release(h);
}

/* Is there certainly nothing to sweep?  Of many files most have no leftovers,
 * and finding their directories costs more than to look. */
static bool
lock_is_clean(const char *path)
{
	static const char *const suffixes[] = { PATH_TEMPORARY, PATH_LOCK };
	const char *base = file_basename(path);
	bool clean = true;
	struct stat st;
	char *name;

	/* What belongs to a symlink lies beside its target. */
	if (lstat(path, &st) != 0 || S_ISLNK(st.st_mode))
		return false;
	for (size_t i = 0; clean && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (asprintf(&name, "%.*s.%s%s", (int)(base - path), path, base, suffixes[i]) == -1)
			return false;
		clean = lstat(name, &st) == -1 && errno == ENOENT;
		free(name);
	}
	return clean;
}

void
lock_sweep(const char *path)
{
	struct hold h = { path, PATH_NONE, NULL, -1 };
	char *temporary = NULL;

	if (lock_is_clean(path))
		return;
	if (path_open(&h.where, path, NULL) == 0 &&
	    (h.sidecar = path_sidecar(&h.where, PATH_LOCK)) != NULL &&
	    (temporary = path_sidecar(&h.where, PATH_TEMPORARY)) != NULL)
		hold_sweep(&h, temporary);
	else
		hold_release(&h);
	free(temporary);
}

/* Is there nothing in the folder ${path} that could be, or lead to, a leftover? */
static bool
folder_is_clean(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool clean = dir != NULL;

	while (clean && (errno = 0, entry = readdir(dir)) != NULL)
		clean = stem_of(entry->d_name) == 0 &&
		    (entry->d_type == DT_REG || entry->d_type == DT_DIR);
	clean = clean && errno == 0;
	if (dir != NULL)
		closedir(dir);
	return clean;
}

void
lock_sweep_next(struct lock_swept *s, const char *path)
{
	size_t n = (size_t)(file_basename(path) - path);

	if (s->folder != NULL && s->n == n && memcmp(s->folder, path, n) == 0) {
		/* The second in it: then to read the folder is worth it. */
		if (!s->listed)
			s->clean = folder_is_clean(n > 0 ? s->folder : ".");
		s->listed = true;
		if (s->clean)
			return;
	} else {
		free(s->folder);
		*s = (struct lock_swept){ .folder = strndup(path, n), .n = n };
	}
	lock_sweep(path);
}

/* Does another process hold the lock in this open sidecar? */
static bool
descriptor_is_held(int fd)
{
#ifdef F_OFD_GETLK
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_GETLK, &whole) == 0)
		return whole.l_type != F_UNLCK;
#endif
	/* Closed at once, which gives it back. */
	return lock_descriptor(fd) == -1;
}

bool
lock_is_leftover(int dir, const char *name)
{
	size_t stem = stem_of(name);
	char *sidecar = NULL;
	struct stat st;
	bool held;
	int fd;

	if (stem == 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    asprintf(&sidecar, "%.*s%s", (int)stem, name, PATH_LOCK) == -1)
		return false;
	fd = openat(dir, sidecar, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	/* What cannot be looked into may be held. */
	held = fd == -1 ? errno != ENOENT && errno != ELOOP : descriptor_is_held(fd);
	if (fd != -1)
		close(fd);
	free(sidecar);
	return !held;
}

void
lock_sweep_name(int dir, const char *name)
{
	struct hold h = { name, PATH_NONE, NULL, -1 };
	size_t stem = stem_of(name);
	char *temporary = NULL;

	if (stem == 0 || (h.where.dir = fcntl(dir, F_DUPFD_CLOEXEC, 0)) == -1)
		return;
	if (asprintf(&h.sidecar, "%.*s%s", (int)stem, name, PATH_LOCK) == -1)
		h.sidecar = NULL;
	else if (asprintf(&temporary, "%.*s%s", (int)stem, name, PATH_TEMPORARY) == -1)
		temporary = NULL;
	if (temporary != NULL)
		hold_sweep(&h, temporary);
	else
		hold_release(&h);
	free(temporary);
}
