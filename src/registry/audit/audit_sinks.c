#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/time.h"
#include "file/file.h"
#include "registry/audit/audit_internal.h"

#define LOOK_MS 100		/* how often it is asked whether to stop */
#define NAME "standard output"
#define WHAT "cannot write the audit log to syslog"
#define REMOVED_MAX 8		/* times in a row that FILE may be removed under our hands */

/* Writing to something that may take its time: others watch the clock. */
struct audit_io {
	int fd;
	const char *name;		/* for errors */
	size_t step;			/* most bytes at once, 0: any number */
	bool poll_first;		/* the descriptor blocks: ask before each step */
	const atomic_bool *stop;	/* set: give up */
};

struct moved {
	char *name;
	uint64_t seq;
};

struct moved_list {
	struct moved *files;
	size_t count;
};

/* Wait until it can be written to.  -1: told to stop, or it is broken. */
static int
audit_io_wait(const struct audit_io *io, struct error *err)
{
	struct pollfd p = { .fd = io->fd, .events = POLLOUT };
	int n;

	for (;;) {
		n = poll(&p, 1, LOOK_MS);
		if (n > 0 && (p.revents & POLLOUT) != 0)
			return 0;
		if (n > 0) {
			errno = (p.revents & POLLNVAL) != 0 ? EBADF : EPIPE;
			return error_io(err, io->name, "cannot write");
		}
		if (n < 0 && errno != EINTR)
			return error_io(err, io->name, "cannot wait");
		if (atomic_load(io->stop)) {
			errno = ETIMEDOUT;
			return error_io(err, io->name, "cannot write");
		}
	}
}

/* Write all of it.  ${*done} counts bytes, also when it fails. */
static int
audit_io_write(const struct audit_io *io, const void *bytes, size_t n, size_t *done,
    struct error *err)
{
	const char *p = bytes;
	ssize_t now;
	size_t step;

	*done = 0;
	while (*done < n) {
		if (io->poll_first && audit_io_wait(io, err) != 0)
			return -1;
		step = n - *done;
		if (io->step > 0 && step > io->step)
			step = io->step;
		now = write(io->fd, p + *done, step);
		if (now >= 0)
			*done += (size_t)now;
		else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (audit_io_wait(io, err) != 0)
				return -1;
		} else if (errno != EINTR)
			return error_io(err, io->name, "cannot write");
	}
	return 0;
}

int
audit_stdout_write(int fd, const void *bytes, size_t n, size_t *done, const atomic_bool *stop,
    struct error *err)
{
	struct stat st;
	bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	/* A pipe that says it is ready takes PIPE_BUF bytes without blocking. */
	struct audit_io io = {
		.fd = fd, .name = NAME, .step = regular ? 0 : PIPE_BUF,
		.poll_first = !regular, .stop = stop,
	};

	return audit_io_write(&io, bytes, n, done, err);
}

void
audit_syslog_init(struct audit_syslog *s, const char *path, const atomic_bool *stop)
{
	*s = (struct audit_syslog){ .path = path, .fd = -1, .stop = stop };
}

void
audit_syslog_release(struct audit_syslog *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int
audit_syslog_ready(struct audit_syslog *s, struct error *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (s->fd >= 0)
		return 0;
	if (strlen(s->path) >= sizeof(to.sun_path))
		return error_set(err, ERROR_LIMIT, "the socket's name is too long");
	memcpy(to.sun_path, s->path, strlen(s->path) + 1);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return 0;
	error_io(err, s->path, WHAT);
	audit_syslog_release(s);
	return -1;
}

/* As much of a header as syslog(3) sends: RFC 3164 without a host. */
static size_t
header(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32] = "";
	int n;

	if (localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S ", &tm);
	n = snprintf(out, size, "<%d>%spropseal-registry[%ld]: ", LOG_AUTHPRIV | LOG_INFO, stamp,
	    (long)getpid());
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static int
send_one(struct audit_syslog *s, struct iovec parts[2], struct error *err)
{
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	struct audit_io io = { .fd = s->fd, .name = s->path, .stop = s->stop };
	int tries = 0;

	for (;;) {
		if (sendmsg(s->fd, &m, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
			if (audit_io_wait(&io, err) != 0)
				return -1;
		} else if ((errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET ||
		    errno == EPIPE) && tries++ == 0) {
			/* It was started anew. */
			audit_syslog_release(s);
			if (audit_syslog_ready(s, err) != 0)
				return -1;
			io.fd = s->fd;
		} else if (errno != EINTR)
			return error_io(err, s->path, WHAT);
	}
}

int
audit_syslog_write(struct audit_syslog *s, const void *bytes, size_t n, size_t *done,
    struct error *err)
{
	const char *p = bytes, *end = p + n, *next;
	char head[128];
	struct iovec parts[2] = { { head, header(head, sizeof(head)) }, { NULL, 0 } };

	*done = 0;
	if (audit_syslog_ready(s, err) != 0)
		return -1;
	for (; p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (next == NULL)
			next = end;
		parts[1].iov_base = (void *)(uintptr_t)p;
		parts[1].iov_len = (size_t)(next - p);
		if (send_one(s, parts, err) == 0) {
			*done = (size_t)(next + 1 - (const char *)bytes);
			continue;
		}
		audit_syslog_release(s);
		return -1;
	}
	return 0;
}

/* --- the file --- */

static void
close_fd(struct audit_log_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

void
audit_log_file_release(struct audit_log_file *f)
{
	close_fd(f);
	free(f->path);
	free(f->folder);
	f->path = f->folder = NULL;
}

static int
sync_folder(const struct audit_log_file *f, struct error *err)
{
	int fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : error_io(err, f->folder, "cannot sync");

	if (fd >= 0)
		close(fd);
	return rc;
}

int
audit_log_file_sync(struct audit_log_file *f, struct error *err)
{
	/* A second try may succeed although the first lost something, which stands
	 * in the database and is found missing by verify. */
	if (f->fd >= 0 && f->regular && fdatasync(f->fd) != 0)
		return error_io(err, f->path, "cannot make the audit log durable");
	f->unsynced = 0;
	return 0;
}

static int
open_path(struct audit_log_file *f, struct error *err)
{
	struct stat st;
	int fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK, 0600);
	bool made = fd >= 0;

	if (fd == -1 && errno == EEXIST)
		/* A pipe that nobody reads from is no place for a log: not O_RDWR. */
		fd = open(f->path, (stat(f->path, &st) == 0 && !S_ISREG(st.st_mode) ? O_WRONLY :
		    O_RDWR) | O_APPEND | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return error_io(err, f->path, "cannot open the audit log");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		close(fd);
		error_set(err, ERROR_BUSY, "another process writes this audit log");
		return error_place(err, f->path, 0);
	}
	if (fstat(fd, &st) != 0 || (made && sync_folder(f, err) != 0)) {
		error_io(err, f->path, "cannot open the audit log");
		close(fd);
		return -1;
	}
	(void)audit_log_file_sync(f, NULL);
	close_fd(f);
	f->fd = fd;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->regular = S_ISREG(st.st_mode);
	f->size = f->regular ? (uint64_t)st.st_size : 0;
	return 0;
}

int
audit_log_file_open(struct audit_log_file *f, const char *path, const atomic_bool *stop,
    struct error *err)
{
	*f = (struct audit_log_file){ .fd = -1, .stop = stop };
	f->path = strdup(path);
	f->folder = file_folder(path);
	if (f->path == NULL || f->folder == NULL)
		return error_memory(err);
	return open_path(f, err);
}

int
audit_log_file_ready(struct audit_log_file *f, struct error *err)
{
	struct stat st;

	if (f->fd < 0 || stat(f->path, &st) != 0 || st.st_dev != f->dev || st.st_ino != f->ino)
		return open_path(f, err);
	/* Another hand added to it, or cut it: what is there stays. */
	if (f->regular)
		f->size = (uint64_t)st.st_size;
	return 0;
}

int
audit_log_file_cut(struct audit_log_file *f, uint64_t size, struct error *err)
{
	if (!f->regular || ftruncate(f->fd, (off_t)size) != 0)
		return error_io(err, f->path, "cannot cut off what is behind the last line");
	f->size = size;
	return 0;
}

/* 1: it was removed meanwhile. */
static int
write_once(struct audit_log_file *f, const void *bytes, size_t n, struct error *err)
{
	struct audit_io io = { .fd = f->fd, .name = f->path, .stop = f->stop };
	struct stat st;
	size_t done;

	if (audit_io_write(&io, bytes, n, &done, err) != 0) {
		if (f->regular && done > 0)
			(void)!ftruncate(f->fd, (off_t)f->size);
		return -1;
	}
	f->size += f->regular ? n : 0;
	f->unsynced += n;
	return f->regular && fstat(f->fd, &st) == 0 && st.st_nlink == 0;
}

int
audit_log_file_write(struct audit_log_file *f, const void *bytes, size_t n, struct error *err)
{
	int rc = 1;

	for (int i = 0; i < REMOVED_MAX && rc == 1; i++) {
		if (i > 0 && audit_log_file_ready(f, err) < 0)
			return -1;
		rc = write_once(f, bytes, n, err);
	}
	if (rc != 1)
		return rc;
	error_set(err, ERROR_IO, "another process keeps removing the audit log");
	return error_place(err, f->path, 0);
}

static int
audit_rotate_by_seq(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The files that we moved away, oldest first. */
static void
list_moved(const char *folder, const char *base, struct moved_list *out)
{
	size_t n = strlen(base);
	struct moved *more;
	struct dirent *d;
	DIR *dir = opendir(folder);
	uint64_t seq;

	*out = (struct moved_list){ NULL, 0 };
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, base, n) != 0 ||
		    (seq = audit_files_named(d->d_name + n)) == 0)
			continue;
		more = realloc(out->files, (out->count + 1) * sizeof(*more));
		if (more == NULL)
			break;
		out->files = more;
		more[out->count] = (struct moved){ strdup(d->d_name), seq };
		out->count += more[out->count].name != NULL;
	}
	if (dir != NULL)
		closedir(dir);
	if (out->count > 0)
		qsort(out->files, out->count, sizeof(*out->files), audit_rotate_by_seq);
}

uint64_t
audit_log_file_prune(const struct audit_log_file *f, unsigned keep, bool remove)
{
	uint64_t first = 0;

	const char *base = file_basename(f->path);
	char path[PATH_MAX];
	struct moved_list list;
	size_t i, extra;

	list_moved(f->folder, base, &list);
	extra = keep > 0 && list.count > keep ? list.count - keep : 0;
	if (extra > 0)
		first = list.files[extra - 1].seq + 1;
	for (i = 0; i < extra && remove; i++)
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", f->folder, list.files[i].name) <
		    sizeof(path))
			(void)!unlink(path);
	for (i = 0; i < list.count; i++)
		free(list.files[i].name);
	free(list.files);
	return first;
}

int
audit_log_file_rotate(struct audit_log_file *f, uint64_t seq)
{
	char name[PATH_MAX], stamp[TIME_TEXT];

	(void)time_text(time_now(), TIME_NAME, stamp);
	if ((size_t)snprintf(name, sizeof(name), "%s.%s-%" PRIu64, f->path, stamp, seq) >=
	    sizeof(name))
		return 0;
	if ((compat_rename(AT_FDCWD, f->path, name, RENAME_NOREPLACE) != 0 &&
	    (errno != EINVAL || rename(f->path, name) != 0)))
		return 0;
	(void)open_path(f, NULL);
	return 1;
}
