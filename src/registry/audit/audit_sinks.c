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

#define FIRST_CAP ((size_t)64 << 10)
#define NAME "standard output"
#define WHAT "cannot write the audit log to syslog"
#define REMOVED_MAX 8		/* times in a row that FILE may be removed under our hands */
#define AGAIN_MS 10000		/* after a rename that failed */

struct audit_sink_file {
	char *path;
	char *folder;
	const atomic_bool *stop;
	int fd;			/* -1: none */
	bool regular;
	dev_t dev;
	ino_t ino;
	uint64_t size;		/* as far as it is written, or torn */
	uint64_t synced;	/* as far as it was synced: the rest is ... */
	struct audit_unsynced unsynced;	/* ... this */
	bool doubtful;		/* a sync failed: the rest may be lost, and is written again */
	bool must_sync;		/* the next lines, whatever they need themselves */
	struct audit_journal *journal;	/* NULL: none */
	uint64_t torn;		/* bytes behind the last whole line */
	bool unclosed;		/* the last byte is no line end */
};

struct moved {
	char *name;
	uint64_t seq;
};

struct moved_list {
	struct moved *files;
	size_t count;
};

/* -1: no memory, or too many: it is to be synced. */
static int
audit_unsynced_add(struct audit_unsynced *u, const void *bytes, size_t n)
{
	size_t cap = u->cap > 0 ? u->cap : FIRST_CAP;
	char *more;

	if (n > AUDIT_UNSYNCED_MAX || u->len > AUDIT_UNSYNCED_MAX - n)
		return -1;
	while (cap < u->len + n)
		cap *= 2;
	if (cap > u->cap) {
		if ((more = realloc(u->bytes, cap)) == NULL)
			return -1;
		u->bytes = more;
		u->cap = cap;
	}
	memcpy(u->bytes + u->len, bytes, n);
	u->len += n;
	return 0;
}

static void
audit_unsynced_release(struct audit_unsynced *u)
{
	free(u->bytes);
	*u = (struct audit_unsynced){ NULL, 0, 0 };
}

void
audit_sink_stdout_init(struct audit_sink_stdout *s, int fd, const atomic_bool *stop)
{
	struct stat st;

	*s = (struct audit_sink_stdout){ .fd = fd, .stop = stop };
	s->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int
audit_sink_stdout_ready(const struct audit_sink_stdout *s, struct error *err)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	if (poll(&p, 1, 0) <= 0 || (p.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0)
		return 0;
	errno = (p.revents & POLLNVAL) != 0 ? EBADF : EPIPE;
	return error_io(err, NAME, "cannot write the audit log");
}

int
audit_sink_stdout_write(struct audit_sink_stdout *s, const void *bytes, size_t n, struct error *err)
{
	/* A pipe that says it is ready takes PIPE_BUF bytes without blocking. */
	struct audit_io io = {
		.fd = s->fd, .name = NAME, .step = s->regular ? 0 : PIPE_BUF,
		.poll_first = !s->regular, .stop = s->stop,
	};
	size_t done;

	if (s->torn && audit_io_write(&io, "\n", 1, &done, err) != 0)
		return -1;
	s->torn = false;
	if (audit_io_write(&io, bytes, n, &done, err) == 0)
		return 0;
	s->torn = done > 0 && ((const char *)bytes)[done - 1] != '\n';
	return -1;
}

void
audit_sink_syslog_init(struct audit_sink_syslog *s, const char *path, const atomic_bool *stop)
{
	*s = (struct audit_sink_syslog){ .path = path, .fd = -1, .stop = stop };
}

void
audit_sink_syslog_release(struct audit_sink_syslog *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int
audit_sink_syslog_ready(struct audit_sink_syslog *s, struct error *err)
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
	audit_sink_syslog_release(s);
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
send_one(struct audit_sink_syslog *s, struct iovec parts[2], struct error *err)
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
			audit_sink_syslog_release(s);
			if (audit_sink_syslog_ready(s, err) != 0)
				return -1;
			io.fd = s->fd;
		} else if (errno != EINTR)
			return error_io(err, s->path, WHAT);
	}
}

int
audit_sink_syslog_write(struct audit_sink_syslog *s, const void *bytes, size_t n, struct error *err)
{
	const char *p = bytes, *end = p + n, *next;
	char head[128];
	struct iovec parts[2] = { { head, header(head, sizeof(head)) }, { NULL, 0 } };

	if (audit_sink_syslog_ready(s, err) != 0)
		return -1;
	for (; p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (next == NULL)
			next = end;
		parts[1].iov_base = (void *)(uintptr_t)p;
		parts[1].iov_len = (size_t)(next - p);
		if (send_one(s, parts, err) == 0)
			continue;
		audit_sink_syslog_release(s);
		return -1;
	}
	return 0;
}

static void
close_fd(struct audit_sink_file *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->unclosed = false;
}

/* Give back what was set aside beyond the end. */
static void
audit_sink_file_trim(const struct audit_sink_file *s)
{
	struct stat st;

	if (s->fd >= 0 && s->regular && fstat(s->fd, &st) == 0)
		(void)!ftruncate(s->fd, st.st_size);
}

void
audit_sink_file_free(struct audit_sink_file *s)
{
	if (s == NULL)
		return;
	audit_sink_file_trim(s);
	if (s->unsynced.len > 0)
		(void)!fdatasync(s->fd);
	close_fd(s);
	audit_unsynced_release(&s->unsynced);
	audit_journal_free(s->journal);
	free(s->path);
	free(s->folder);
	free(s);
}

static int
audit_sink_file_sync_folder(const struct audit_sink_file *s, struct error *err)
{
	int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : error_io(err, s->folder, "cannot sync");

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Does the last line of what another process left want its line end? */
static void
audit_sink_file_look_at_end(struct audit_sink_file *s)
{
	char last = '\n';

	if (s->size > 0 && pread(s->fd, &last, 1, (off_t)s->size - 1) == 1 && last != '\n')
		s->unclosed = true;
}

int
audit_sink_file_sync(struct audit_sink_file *s, struct error *err)
{
	if (s->doubtful)
		errno = EIO;
	/* A second try may succeed although the first lost something. */
	if (s->doubtful || (fdatasync(s->fd) != 0 && s->regular)) {
		s->doubtful = true;
		return error_io(err, s->path, "cannot make the audit log durable");
	}
	s->synced = s->size;
	s->unsynced.len = 0;
	if (s->journal != NULL)
		audit_journal_reset(s->journal);
	return 0;
}

bool
audit_sink_file_synced(const struct audit_sink_file *s)
{
	return s->unsynced.len == 0;
}

static int
open_path(struct audit_sink_file *s, struct error *err)
{
	struct stat st;
	int fd = open(s->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK, 0600);
	bool made = fd >= 0;

	if (fd == -1 && errno == EEXIST)
		/* A pipe that nobody reads from is no place for a log: not O_RDWR. */
		fd = open(s->path, (stat(s->path, &st) == 0 && !S_ISREG(st.st_mode) ? O_WRONLY :
		    O_RDWR) | O_APPEND | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return error_io(err, s->path, "cannot open the audit log");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		close(fd);
		error_set(err, ERROR_BUSY, "another process writes this audit log");
		return error_place(err, s->path, 0);
	}
	if (fstat(fd, &st) != 0 || (made && audit_sink_file_sync_folder(s, err) != 0)) {
		error_io(err, s->path, "cannot open the audit log");
		close(fd);
		return -1;
	}
	if (s->unsynced.len > 0 && audit_sink_file_sync(s, err) != 0) {
		close(fd);
		return -1;
	}
	close_fd(s);
	s->fd = fd;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->regular = S_ISREG(st.st_mode);
	s->size = s->synced = s->regular ? (uint64_t)st.st_size : 0;
	/* What a crash leaves of a file without lines is taken for a new log, and
	 * of what is there already nobody knows whether it was synced. */
	s->must_sync = true;
	audit_sink_file_look_at_end(s);
	return 0;
}

struct audit_sink_file *
audit_sink_file_new(const char *path, const atomic_bool *stop, struct error *err)
{
	struct audit_sink_file *s = error_alloc(sizeof(*s), err);
	size_t n = (size_t)(file_basename(path) - path);

	if (s == NULL)
		return NULL;
	s->fd = -1;
	s->stop = stop;
	s->path = strdup(path);
	s->folder = n > 0 ? strndup(path, n) : strdup(".");
	if (s->path == NULL || s->folder == NULL)
		error_memory(err);
	else if (open_path(s, err) == 0) {
		if (s->regular)
			s->journal = audit_journal_open(path);
		return s;
	}
	audit_sink_file_free(s);
	return NULL;
}

static struct audit_io
io_of(const struct audit_sink_file *s)
{
	return (struct audit_io){ .fd = s->fd, .name = s->path, .stop = s->stop };
}

/* End a torn line, so that the next stands on its own. */
static int
close_line(struct audit_sink_file *s, struct error *err)
{
	struct audit_io io = io_of(s);
	size_t done;

	if (!s->unclosed)
		return 0;
	if (audit_io_write(&io, "\n", 1, &done, err) != 0)
		return -1;
	s->unclosed = false;
	s->size += s->regular;
	s->torn += s->torn > 0;
	if (s->regular)
		(void)audit_unsynced_add(&s->unsynced, "\n", 1);
	return 0;
}

/* Write once more what a failed sync may have lost.  Unless another hand was
 * here too: what is there stays. */
static int
write_again(struct audit_sink_file *s, struct error *err)
{
	struct audit_io io = io_of(s);
	size_t done;

	if (s->size == s->synced + s->unsynced.len) {
		if (ftruncate(s->fd, (off_t)s->synced) != 0)
			return error_io(err, s->path, "cannot cut the audit log");
		if (audit_io_write(&io, s->unsynced.bytes, s->unsynced.len, &done, err) != 0)
			return -1;
	}
	s->doubtful = false;
	return audit_sink_file_sync(s, err);
}

int
audit_sink_file_ready(struct audit_sink_file *s, struct error *err)
{
	struct stat st;
	bool same;

	if (s->doubtful && write_again(s, err) != 0)
		return -1;
	same = s->fd >= 0 && stat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino;
	if (!same && open_path(s, err) != 0)
		return -1;
	/* Another hand added to it, or cut it: what is there stays. */
	if (same && s->regular && (uint64_t)st.st_size != s->size) {
		s->size = (uint64_t)st.st_size;
		if (audit_sink_file_sync(s, err) != 0)
			return -1;
		audit_sink_file_look_at_end(s);
	}
	return close_line(s, err) != 0 ? -1 : !same;
}

/* After a failure: the file as it was, or else remember what stands there.
 * Returns the bytes of its whole lines. */
static size_t
take_back(struct audit_sink_file *s, const char *bytes, size_t n, size_t written)
{
	const char *last;
	struct stat st;
	size_t whole;

	if (s->regular && ftruncate(s->fd, (off_t)s->size) == 0)
		return 0;
	if (s->regular && fstat(s->fd, &st) == 0)
		written = (uint64_t)st.st_size > s->size ? (size_t)st.st_size - s->size : 0;
	if (written > n)
		written = n;
	last = memrchr(bytes, '\n', written);
	whole = last != NULL ? (size_t)(last - bytes) + 1 : 0;
	s->size += s->regular ? written : 0;
	if (s->regular)
		(void)audit_unsynced_add(&s->unsynced, bytes, written);
	/* A line that tells of what was torn before comes first in a write. */
	if (whole > 0)
		s->torn = 0;
	s->torn += written - whole;
	s->unclosed = written > whole;
	return whole;
}

static int
make_durable(struct audit_sink_file *s, const void *bytes, size_t n, enum audit_sync how,
    struct error *err)
{
	int rc = 1;

	if (s->regular && !s->must_sync && how != AUDIT_SYNCED &&
	    audit_unsynced_add(&s->unsynced, bytes, n) == 0) {
		rc = 0;
		if (how == AUDIT_DURABLE)
			rc = s->journal != NULL ? audit_journal_add(s->journal, bytes, n, err) : 1;
	}
	if (rc != 1)
		return rc;
	if (audit_sink_file_sync(s, err) != 0)
		return -1;
	s->must_sync = false;
	return 0;
}

/* 1: it was removed meanwhile. */
static int
write_once(struct audit_sink_file *s, const void *bytes, size_t n, enum audit_sync how,
    size_t *standing, struct error *err)
{
	struct audit_io io = io_of(s);
	size_t done, unsynced = s->unsynced.len;
	struct stat st;

	if (audit_io_write(&io, bytes, n, &done, err) != 0) {
		*standing = take_back(s, bytes, n, done);
		return -1;
	}
	if (s->regular)
		s->size += n;
	if (make_durable(s, bytes, n, how, err) != 0) {
		s->size -= s->regular ? n : 0;
		s->unsynced.len = unsynced;
		*standing = take_back(s, bytes, n, done);
		return -1;
	}
	return s->regular && fstat(s->fd, &st) == 0 && st.st_nlink == 0;
}

int
audit_sink_file_write(struct audit_sink_file *s, const void *bytes, size_t n, enum audit_sync how,
    size_t *standing, struct error *err)
{
	int i, rc = 1;

	*standing = 0;
	for (i = 0; i < REMOVED_MAX && rc == 1; i++) {
		if (i > 0 && audit_sink_file_ready(s, err) < 0)
			return -1;
		rc = write_once(s, bytes, n, how, standing, err);
	}
	if (rc != 1)
		return rc;
	error_set(err, ERROR_IO, "another process keeps removing the audit log");
	return error_place(err, s->path, 0);
}

void
audit_sink_file_must_sync(struct audit_sink_file *s)
{
	s->must_sync = true;
}

uint64_t
audit_sink_file_torn(const struct audit_sink_file *s)
{
	return s->torn;
}

void
audit_sink_file_set_torn(struct audit_sink_file *s, uint64_t bytes)
{
	s->torn = bytes;
}

int
audit_sink_file_cut_torn(struct audit_sink_file *s)
{
	if (!s->regular || ftruncate(s->fd, (off_t)(s->size - s->torn)) != 0)
		return -1;
	s->size = s->synced = s->size - s->torn;
	s->torn = 0;
	s->unclosed = false;
	return 0;
}

int
audit_sink_file_room(struct audit_sink_file *s, size_t n, struct error *err)
{
	if (!s->regular || fallocate(s->fd, FALLOC_FL_KEEP_SIZE, (off_t)s->size, (off_t)n) == 0 ||
	    errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == EINTR)
		return 0;
	return error_io(err, s->path, "no room in the audit log");
}

uint64_t
audit_sink_file_size(const struct audit_sink_file *s)
{
	return s->size;
}

/* Move FILE to ${name}, which must be free, and begin a new one. */
static int
audit_sink_file_move(struct audit_sink_file *s, const char *name, struct error *err)
{
	if (!s->regular)
		return 0;
	audit_sink_file_trim(s);
	/* What a crash takes from its end would be taken under that name. */
	if (s->unsynced.len > 0 && audit_sink_file_sync(s, err) != 0)
		return -1;
	if (compat_rename(AT_FDCWD, s->path, name, RENAME_NOREPLACE) != 0 &&
	    (errno != EINVAL || rename(s->path, name) != 0))
		return error_io(err, s->path, "cannot rename the audit log");
	return open_path(s, err);
}

char *
audit_sink_file_journal(const struct audit_sink_file *s, size_t *n, struct error *err)
{
	*n = s->journal != NULL ? AUDIT_JOURNAL_BYTES : 0;
	return s->journal != NULL ? audit_journal_read(s->journal, err) : calloc(1, 1);
}

int
audit_sink_file_fd(const struct audit_sink_file *s)
{
	return s->regular ? s->fd : -1;
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

/* Remove all but the newest.  The anchor says first where the log begins then. */
static void
audit_rotate_prune(struct audit *a)
{
	size_t n = (size_t)(file_basename(a->file) - a->file);
	char folder[PATH_MAX] = ".", path[PATH_MAX];
	struct moved_list list;
	size_t i, extra;

	if (a->keep == 0 || n >= sizeof(folder))
		return;
	if (n > 0)
		snprintf(folder, sizeof(folder), "%.*s", (int)n, a->file);
	list_moved(folder, file_basename(a->file), &list);
	extra = list.count > a->keep ? list.count - a->keep : 0;
	if (extra > 0) {
		a->first = list.files[extra - 1].seq + 1;
		if (audit_anchor_write(a->file, a->key, &a->chain, a->first, NULL) != 0)
			extra = 0;
		else
			a->anchored = a->chain.seq;
	}
	for (i = 0; i < extra; i++)
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, list.files[i].name) <
		    sizeof(path))
			(void)!unlink(path);
	for (i = 0; i < list.count; i++)
		free(list.files[i].name);
	free(list.files);
}

/* Apart from audit_rotate, which almost never comes here: a name is large. */
static int
audit_rotate_now(struct audit *a)
{
	char name[PATH_MAX], stamp[TIME_TEXT];

	(void)time_text((int64_t)time(NULL) * 1000, TIME_NAME, stamp);
	if ((size_t)snprintf(name, sizeof(name), "%s.%s-%" PRIu64, a->file, stamp, a->chain.seq) >=
	    sizeof(name))
		return 0;
	if (audit_sink_file_move(a->sink_file, name, NULL) != 0) {
		/* The log goes on in the old file. */
		a->rotate_again_ms = audit_now() + AGAIN_MS;
		return 0;
	}
	audit_rotate_prune(a);
	return 1;
}

int
audit_rotate(struct audit *a, size_t coming)
{
	uint64_t size = audit_sink_file_size(a->sink_file);

	if (a->rotate_bytes == 0 || size == 0 || size + coming <= a->rotate_bytes ||
	    audit_sink_file_fd(a->sink_file) < 0 || a->chain.seq == 0 ||
	    audit_sink_file_torn(a->sink_file) > 0 || audit_now() < a->rotate_again_ms)
		return 0;
	return audit_rotate_now(a);
}
