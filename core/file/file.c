#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "file/file.h"

#define ATTEMPTS 4		/* the first and three more */

enum outcome { READ_DONE, READ_CHANGED, READ_FAILED };

static void
fill_id(struct file_id *id, const struct stat *st)
{
	id->exists = true;
	id->dev = st->st_dev;
	id->ino = st->st_ino;
	id->size = st->st_size;
	id->mtime = st->st_mtim;
	id->ctime = st->st_ctim;
	id->mode = st->st_mode;
	id->uid = st->st_uid;
	id->gid = st->st_gid;
	id->nlink = st->st_nlink;
}

static bool
is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR;
}

static int
open_error(const char *path, struct error *err)
{
	if (!is_missing(errno))
		return error_io(err, path, "cannot open");
	error_set(err, ERROR_MISSING, "no such file");
	return error_place(err, path, 0);
}

/* The descriptor is not ready although it should block: wait for it. */
static int
wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, -1) == -1 && errno != EINTR ? -1 : 0;
}

static ssize_t
read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	for (;;) {
		got = read(fd, p, n);
		if (got != -1)
			return got;
		if (errno == EAGAIN && wait_readable(fd) == 0)
			continue;
		if (errno != EINTR)
			return -1;
	}
}

/* Append up to the end; errors leave what was read so far. */
static int
file_read_all(int fd, const char *name, struct buf *out, struct error *err)
{
	unsigned char more;
	size_t room;
	ssize_t got;

	for (;;) {
		room = out->cap - out->len;
		if (room > out->max - out->len)
			room = out->max - out->len;
		/* A full buffer is not enlarged before there is more to read. */
		got = read_some(fd, room > 0 ? out->data + out->len : &more,
		    room > 0 ? room : 1);
		if (got == -1)
			return error_io(err, name, "cannot read");
		if (got == 0)
			break;
		if (room > 0)
			out->len += (size_t)got;
		else
			buf_append(out, &more, 1);
		secmem_wipe(&more, 1);
		if (out->failed)
			break;
	}
	return buf_check(out, err) == -1 ? error_place(err, name, 0) : 0;
}

int
file_read_fd(int fd, const char *name, struct buf *out, struct error *err)
{
	size_t start = out->len;

	if (file_read_all(fd, name, out, err) == 0)
		return 0;
	buf_truncate(out, start);
	return -1;
}

static enum outcome
read_regular(int fd, const char *path, struct buf *out, struct file_id *id, struct error *err)
{
	struct stat st;
	struct file_id after;
	size_t start = out->len;
	size_t size;

	if (fstat(fd, &st) == -1) {
		error_io(err, path, "cannot examine");
		return READ_FAILED;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERROR_REFUSED, "not a regular file");
		error_place(err, path, 0);
		return READ_FAILED;
	}
	fill_id(id, &st);
	size = (size_t)st.st_size;
	if (size > out->max - start) {
		error_set(err, ERROR_LIMIT, "larger than %zu bytes", out->max - start);
		error_place(err, path, 0);
		return READ_FAILED;
	}
	/* With room for buf_cstr's NUL, where the maximum allows. */
	if (buf_reserve(out, size < out->max - start ? size + 1 : size) == -1) {
		buf_check(out, err);
		error_place(err, path, 0);
		return READ_FAILED;
	}
	if (file_read_fd(fd, path, out, err) == -1)
		return READ_FAILED;
	if (fstat(fd, &st) == -1) {
		error_io(err, path, "cannot examine");
		buf_truncate(out, start);
		return READ_FAILED;
	}
	fill_id(&after, &st);
	/* Files that the kernel makes up (proc) say 0 and hold more. */
	if (file_id_equal(id, &after) && (size == 0 || out->len - start == size))
		return READ_DONE;
	buf_truncate(out, start);
	return READ_CHANGED;
}

int
file_read(const char *path, struct buf *out, struct file_id *id, struct error *err)
{
	struct file_id seen;
	enum outcome outcome;
	int i, fd;

	for (i = 0; i < ATTEMPTS; i++) {
		/* O_NONBLOCK: a FIFO must not hold us before fstat tells. */
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd == -1 && errno == ENXIO) {
			error_set(err, ERROR_REFUSED, "not a regular file");
			return error_place(err, path, 0);
		}
		if (fd == -1)
			return open_error(path, err);
		outcome = read_regular(fd, path, out, &seen, err);
		close(fd);
		if (outcome == READ_FAILED)
			return -1;
		if (outcome == READ_DONE) {
			if (id != NULL)
				*id = seen;
			return 0;
		}
	}
	error_set(err, ERROR_STALE, "the file keeps changing while it is read");
	return error_place(err, path, 0);
}

int
file_read_stream(const char *path, struct buf *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int result;

	if (fd == -1)
		return open_error(path, err);
	result = file_read_fd(fd, path, out, err);
	close(fd);
	return result;
}

int
file_identify(const char *path, struct file_id *id, struct error *err)
{
	struct stat st;

	memset(id, 0, sizeof(*id));
	if (stat(path, &st) == 0) {
		fill_id(id, &st);
		return 0;
	}
	if (is_missing(errno))
		return 0;
	return error_io(err, path, "cannot examine");
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
file_id_equal(const struct file_id *a, const struct file_id *b)
{
	if (!a->exists || !b->exists)
		return a->exists == b->exists;
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime) &&
	    a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	    a->nlink == b->nlink;
}

const char *
file_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}
