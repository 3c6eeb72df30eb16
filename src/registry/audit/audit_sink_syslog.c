#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/audit/audit_io.h"
#include "registry/audit/audit_sink_syslog.h"

#define WHAT "cannot write the audit log to syslog"

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
audit_sink_syslog_write(struct audit_sink_syslog *s, const void *bytes, size_t n,
    struct error *err)
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
