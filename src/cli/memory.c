#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/time.h"
#include "cli/memory.h"
#include "common/report.h"
#include "file/file.h"

#define WHERE "/proc/self/fd"
#define FIRST 100	/* above what scripts write as 3>, and shells take for themselves */

#define FOLDER "/propseal.XXXXXX"
#define MARK ".in-use"
#define MARK_NEW ".in-use.new"
#define FILES_OPEN 16	/* by nftw at once */
#define UNMARKED_AGE_MS 60000	/* longer than anybody takes to mark a new folder */

/*
 * A process that waits for the end of this one, however it ends, and then
 * does what was not done.
 */

struct guard {
	pid_t pid;
	int pipe;	/* closed by the end of this process */
};

struct ramdir {
	char *folder;
	int mark;	/* the locked file that says it is in use; -1: none */
	char *path;	/* of the file */
	struct guard *guard;
};

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U	/* Linux 6.3; older kernels refuse it */
#endif

static int
memfile_create(void)
{
	int fd = memfd_create("propseal", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	return fd != -1 ? fd : memfd_create("propseal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int
memfile_new(const struct buf *content, struct error *err)
{
	int high, fd = -1;

	if (access(WHERE, X_OK) != 0 || (fd = memfile_create()) == -1)
		return error_io(err, WHERE, "cannot make a file in memory");
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST);
	if (high != -1) {
		close(fd);
		fd = high;
	}
	if (output_write_fd(fd, "a file in memory", content->data, content->len, err) != 0)
		goto fail;
	if (fchmod(fd, 0400) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
		error_io(err, WHERE, "cannot close the file in memory to changes");
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

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

/* ${last} is called with ${cookie} in the other process, which has no
 * secrets: memory for them is empty there.  NULL: ERROR_IO, ERROR_MEMORY. */
static struct guard *
guard_new(void (*last)(void *cookie), void *cookie, struct error *err)
{
	struct guard *g = error_alloc(sizeof(*g), err);
	int ends[2];

	if (g == NULL)
		return NULL;
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

/* It is done, or not to be done: send the other process away and free ${g}. */
static void
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

/* Is the folder in memory, and ours to write in? */
static bool
is_in_memory(const char *path)
{
	struct statfs fs;

	if (path == NULL || path[0] != '/' || statfs(path, &fs) != 0 ||
	    access(path, W_OK | X_OK) != 0)
		return false;
	return (unsigned long)fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC;
}

/* The folder to make ours in, NULL: none will do. */
static const char *
find_parent(bool insecure, struct error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *other = getenv("TMPDIR");

	if (is_in_memory("/dev/shm"))
		return "/dev/shm";
	if (is_in_memory(runtime))
		return runtime;
	if (!insecure) {
		error_set(err, ERROR_REFUSED, "no place in memory for a file in clear text: "
		    "neither /dev/shm nor $XDG_RUNTIME_DIR is a tmpfs that can be written");
		error_hint(err, "on a disk the clear text could be found again: mount a tmpfs on "
		    "/dev/shm, or give --insecure-tmp");
		return NULL;
	}
	other = other == NULL || other[0] != '/' ? "/tmp" : other;
	if (!is_in_memory(other))
		report_warning("change the secrets if somebody else may get that disk",
		    "%s is on a disk, where the clear text could be found again", other);
	return other;
}

/* Overwrite with zeros; what cannot be is removed all the same. */
static void
overwrite(const char *path, off_t size)
{
	static const char zeros[65536];
	ssize_t n;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return;
	while (size > 0) {
		n = write(fd, zeros, size < (off_t)sizeof(zeros) ? (size_t)size : sizeof(zeros));
		if (n <= 0 && errno != EINTR)
			break;
		size -= n > 0 ? n : 0;
	}
	(void)fsync(fd);
	close(fd);
}

/* All but the folder and its mark, by which the next start would know it. */
static int
wipe_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (ftw->level == 0 || (ftw->level == 1 && strcmp(path + ftw->base, MARK) == 0))
		return 0;
	if (type == FTW_F && S_ISREG(st->st_mode))
		overwrite(path, st->st_size);
	(void)remove(path);
	return 0;
}

/* Is it gone?  What stays is marked as ours again: the next start tries once more. */
static bool
wipe(const char *folder)
{
	char mark[PATH_MAX];
	int fd;

	if (nftw(folder, wipe_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS) == -1 && errno == ENOENT)
		return true;
	if (snprintf(mark, sizeof(mark), "%s/" MARK, folder) >= (int)sizeof(mark))
		return false;
	(void)unlink(mark);
	if (rmdir(folder) != 0 && errno != ENOENT &&
	    (fd = open(mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) != -1)
		close(fd);
	return access(folder, F_OK) != 0;
}

static void
wipe_at_last(void *folder)
{
	(void)wipe(folder);
}

/*
 * Put the mark into a new folder, locked as long as this process lives.  It gets
 * its name when it is locked, so that nobody takes the folder for one left over.
 */
static int
ramdir_mark(struct ramdir *d, struct error *err)
{
	int folder = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (folder == -1)
		return error_io(err, d->folder, "cannot open");
	d->mark = openat(folder, MARK_NEW, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (d->mark == -1 || flock(d->mark, LOCK_EX) != 0 ||
	    renameat(folder, MARK_NEW, folder, MARK) != 0)
		rc = error_io(err, d->folder, "cannot mark as in use");
	close(folder);
	return rc;
}

/* What was killed when it had made its folder, and not marked it yet, left nothing in it. */
static void
sweep_unmarked(int parent, const char *name, int folder, const struct stat *st)
{
	if (time_now() - time_of(&st->st_mtim) < UNMARKED_AGE_MS)
		return;
	(void)unlinkat(folder, MARK_NEW, 0);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* Is it a folder of ours that a process left which was killed together with its guard? */
static bool
is_left_over(int parent, const char *name)
{
	int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), mark;
	struct stat st;
	bool left = false;

	if (folder == -1)
		return false;
	if (fstat(folder, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0) {
		mark = openat(folder, MARK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		left = mark != -1 && flock(mark, LOCK_EX | LOCK_NB) == 0;
		if (mark != -1)
			close(mark);
		else if (errno == ENOENT)
			sweep_unmarked(parent, name, folder, &st);
	}
	close(folder);
	return left;
}

static void
sweep(const char *parent)
{
	const char *base = strrchr(FOLDER, '/') + 1;
	DIR *dir = is_in_memory(parent) ? opendir(parent) : NULL;
	struct dirent *e;
	char *path;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strlen(e->d_name) != strlen(base) || strncmp(e->d_name, base,
		    strcspn(base, "X")) != 0 || !is_left_over(dirfd(dir), e->d_name) ||
		    asprintf(&path, "%s/%s", parent, e->d_name) < 0)
			continue;
		(void)wipe(path);
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
}

void
ramdir_sweep(void)
{
	sweep("/dev/shm");
	sweep(getenv("XDG_RUNTIME_DIR"));
}

static void
ramdir_free(struct ramdir *d)
{
	if (d->mark != -1)
		close(d->mark);
	guard_dismiss(d->guard);
	free(d->folder);
	free(d->path);
	free(d);
}

static char *
ramdir_join(const char *folder, const char *name, struct error *err)
{
	char *path;

	if (asprintf(&path, "%s%s", folder, name) >= 0)
		return path;
	error_memory(err);
	return NULL;
}

struct ramdir *
ramdir_new(const char *name, bool insecure, struct error *err)
{
	const char *parent = find_parent(insecure, err);
	struct ramdir *d;
	char *template;

	if (parent == NULL)
		return NULL;
	if ((d = error_alloc(sizeof(*d), err)) == NULL)
		return NULL;
	d->mark = -1;
	if ((template = ramdir_join(parent, FOLDER, err)) == NULL)
		goto fail;
	if (mkdtemp(template) == NULL) {
		error_io(err, parent, "cannot make a folder in it");
		free(template);
		goto fail;
	}
	d->folder = template;
	if (ramdir_mark(d, err) != 0)
		goto fail;
	if ((template = ramdir_join(d->folder, "/", err)) == NULL)
		goto fail;
	d->path = ramdir_join(template, name, err);
	free(template);
	if (d->path != NULL && (d->guard = guard_new(wipe_at_last, d->folder, err)) != NULL)
		return d;
fail:
	ramdir_wipe(d);
	return NULL;
}

int
ramdir_write(const struct ramdir *d, const struct buf *content, struct error *err)
{
	int fd, rc;

	fd = open(d->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return error_io(err, d->path, "cannot make the file");
	rc = output_write_fd(fd, d->path, content->data, content->len, err);
	close(fd);
	return rc;
}

const char *
ramdir_path(const struct ramdir *d)
{
	return d->path;
}

int
ramdir_read(const struct ramdir *d, struct buf *out, struct error *err)
{
	struct stat st;

	if (lstat(d->path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_uid != geteuid())) {
		error_set(err, ERROR_REFUSED, "another thing is in the place of the file");
		return error_place(err, d->path, 0);
	}
	return file_read(d->path, out, NULL, err);
}

void
ramdir_keep(struct ramdir *d)
{
	char *mark;

	if (asprintf(&mark, "%s/%s", d->folder, MARK) >= 0) {
		(void)unlink(mark);
		free(mark);
	}
	ramdir_free(d);
}

void
ramdir_wipe(struct ramdir *d)
{
	if (d == NULL)
		return;
	if (d->folder != NULL && !wipe(d->folder))
		report_warning("remove it; the next start of propseal tries that, too",
		    "%s, which had clear text in it, cannot be removed", d->folder);
	ramdir_free(d);
}
