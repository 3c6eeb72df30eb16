#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/secmem.h"
#include "file/file.h"
#include "file/temporary.h"

#define PRIVATE 0600
#define PIECE ((size_t)64 << 10)	/* bytes that are read back at a time */

/* Where a file without a name can be reached to give it one. */
#define FD_PATH_SIZE 32
static void
fd_path(char path[FD_PATH_SIZE], int fd)
{
	snprintf(path, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* -1: it cannot be done here, use a name. */
static int
open_nameless(const struct path *p)
{
#ifdef O_TMPFILE
	char path[FD_PATH_SIZE];
	int fd = openat(p->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, PRIVATE);

	if (fd == -1)
		return -1;
	/* Without proc it could never be given its name. */
	fd_path(path, fd);
	if (faccessat(AT_FDCWD, path, F_OK, 0) == 0)
		return fd;
	close(fd);
#else
	(void)p;
#endif
	return -1;
}

void
temporary_close(struct temporary *a, const struct path *p)
{
	if (a->named)
		(void)unlinkat(p->dir, a->name, 0);
	if (a->fd != -1)
		close(a->fd);
	free(a->name);
	*a = (struct temporary)TEMPORARY_NONE;
}

int
temporary_open(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	*a = (struct temporary)TEMPORARY_NONE;
	a->name = path_sidecar(p, PATH_TEMPORARY);
	if (a->name == NULL)
		return error_memory(err);
	if (unlinkat(p->dir, a->name, 0) == -1 && errno != ENOENT) {
		error_io(err, path, "cannot remove what an interrupted run left");
		error_hint(err, "remove %s beside it", a->name);
		goto fail;
	}
	a->fd = open_nameless(p);
	if (a->fd == -1) {
		a->fd = openat(p->dir, a->name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, PRIVATE);
		a->named = a->fd != -1;
	}
	if (a->fd == -1) {
		error_io(err, path, "cannot write a new file beside it");
		if (errno == EACCES || errno == EPERM)
			error_hint(err, "its directory must be writable");
		goto fail;
	}
	return 0;

fail:
	temporary_close(a, p);
	return -1;
}

int
temporary_write(struct temporary *a, const struct buf *content, const char *path, struct error *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < content->len) {
		n = write(a->fd, content->data + done, content->len - done);
		if (n == -1 && errno != EINTR)
			return error_io(err, path, "cannot write the new file");
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Read it from its start, a piece at a time: no second copy of a large file is held.
 * 1: it is ${content}, 0: it is not, -1: errno. */
static int
temporary_compare(const struct temporary *a, const struct buf *content, unsigned char *piece)
{
	size_t at = 0;
	ssize_t n;

	if (lseek(a->fd, 0, SEEK_SET) == -1)
		return -1;
	while ((n = read(a->fd, piece, PIECE)) != 0) {
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0 && ((size_t)n > content->len - at ||
		    memcmp(piece, content->data + at, (size_t)n) != 0))
			return 0;
		at += n > 0 ? (size_t)n : 0;
	}
	return at == content->len;
}

int
temporary_check(struct temporary *a, const struct buf *content, const char *path,
    struct error *err)
{
	unsigned char *piece;
	size_t cap;
	int same;

	if (fsync(a->fd) == -1)
		return error_io(err, path, "cannot put the new file on disk");
	/* Ask for the disk's bytes, not for those that we left in the cache. */
	(void)posix_fadvise(a->fd, 0, 0, POSIX_FADV_DONTNEED);
	if ((piece = secmem_map(PIECE, &cap)) == NULL)
		return error_memory(err);
	if ((same = temporary_compare(a, content, piece)) == -1)
		error_io(err, path, "cannot read the new file back");
	secmem_unmap(piece, cap);
	if (same != 0)
		return same == 1 ? 0 : -1;
	error_set(err, ERROR_IO, "the new file reads back differently from what was written");
	error_place(err, path, 0);
	return error_hint(err, "check the disk; the file was left as it was");
}

/* Give a nameless file the name ${name}. */
static int
give_name(const struct temporary *a, const struct path *p, const char *name)
{
	char path[FD_PATH_SIZE];

	fd_path(path, a->fd);
	return linkat(AT_FDCWD, path, p->dir, name, AT_SYMLINK_FOLLOW);
}

/* Does its name still lead to it?  Whoever may write the directory could swap it. */
static int
check_there(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	struct stat here, there;

	if (fstat(a->fd, &here) == -1)
		return error_io(err, path, "cannot examine the new file");
	if (fstatat(p->dir, a->name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
		if (here.st_dev == there.st_dev && here.st_ino == there.st_ino)
			return 0;
	} else if (errno != ENOENT) {
		return error_io(err, path, "cannot examine the new file");
	}
	a->named = false;
	error_set(err, ERROR_STALE, "%s, the new file beside it, was removed or replaced",
	    a->name);
	return error_place(err, path, 0);
}

int
temporary_name(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	if (!a->named) {
		/* A link cannot replace a name, only a rename can. */
		if (give_name(a, p, a->name) == -1)
			return error_io(err, path, "cannot give the new file a name");
		a->named = true;
	}
	return check_there(a, p, path, err);
}

/* Rename without replacing; systems that cannot promise it just look first. */
static int
rename_new(const struct path *p, const char *from)
{
	struct file_id id;

	if (compat_rename(p->dir, from, p->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (!compat_rename_is_missing())
		return -1;
	if (path_identify(p, &id) == -1)
		return -1;
	if (id.exists) {
		errno = EEXIST;
		return -1;
	}
	return renameat(p->dir, from, p->dir, p->name);
}

int
temporary_create(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	int result;

	if (a->named && check_there(a, p, path, err) == -1)
		return -1;
	result = a->named ? rename_new(p, a->name) : give_name(a, p, p->name);
	if (result == 0) {
		a->named = false;
		return 0;
	}
	if (errno != EEXIST)
		return error_io(err, path, "cannot put the new file in its place");
	error_set(err, ERROR_STALE, "another program made this file meanwhile");
	return error_place(err, path, 0);
}
