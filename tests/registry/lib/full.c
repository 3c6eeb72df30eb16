/*
 * Preloaded, lets there be no room for one write to a file whose name ends as
 * FULL_FILE says, once there is a file named by FULL_WHEN, which it removes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
is_it(int fd)
{
	const char *name = getenv("FULL_FILE"), *when = getenv("FULL_WHEN");
	char link[64], path[4096];
	ssize_t n;

	if (name == NULL || when == NULL || access(when, F_OK) != 0)
		return 0;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n >= (ssize_t)strlen(name) &&
	    memcmp(path + n - strlen(name), name, strlen(name)) == 0 && unlink(when) == 0;
}

static ssize_t
put(int fd, const void *bytes, size_t n, off_t at)
{
	if (is_it(fd)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return put(fd, bytes, n, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
	return put(fd, bytes, n, at);
}
