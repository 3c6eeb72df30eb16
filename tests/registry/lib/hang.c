/*
 * Preloaded, lets fdatasync of the file named by HANG_FILE hang once there is
 * one named by HANG_WHEN: until the process has come so far in exit() that the
 * libraries' last words are said.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIME_TO_GO_ON 500000	/* microseconds, for whoever hung */

static atomic_bool ending, hung;

static int
is_it(int fd)
{
	const char *name = getenv("HANG_FILE"), *when = getenv("HANG_WHEN");
	struct stat a, b;

	return name != NULL && when != NULL && access(when, F_OK) == 0 && fstat(fd, &a) == 0 &&
	    stat(name, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
fdatasync(int fd)
{
	if (is_it(fd)) {
		atomic_store(&hung, 1);
		while (!atomic_load(&ending))
			usleep(1000);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static void __attribute__((destructor))
end(void)
{
	atomic_store(&ending, 1);
	if (atomic_load(&hung))
		usleep(TIME_TO_GO_ON);
}
