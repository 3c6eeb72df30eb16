#include "cli/memfile.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "common/output.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U	/* Linux 6.3; older kernels refuse it */
#endif

#define WHERE "/proc/self/fd"
#define FIRST 100	/* above what scripts write as 3>, and shells take for themselves */

static int
create(void)
{
	int fd = memfd_create("propseal", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	return fd != -1 ? fd : memfd_create("propseal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int
memfile_new(const struct buf *content, struct error *err)
{
	int high, fd = -1;

	if (access(WHERE, X_OK) != 0 || (fd = create()) == -1)
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
