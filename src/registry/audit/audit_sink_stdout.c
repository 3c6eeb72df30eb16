#include <sys/stat.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/error.h"
#include "registry/audit/audit_io.h"
#include "registry/audit/audit_sink_stdout.h"

#define NAME "standard output"

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
audit_sink_stdout_write(struct audit_sink_stdout *s, const void *bytes, size_t n,
    struct error *err)
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
