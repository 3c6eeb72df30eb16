#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/audit/audit_io.h"

#define LOOK_MS 100		/* how often it is asked whether to stop */

int
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

int
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
