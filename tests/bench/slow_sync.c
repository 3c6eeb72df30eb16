/*
 * Loaded before libc: each sync of a file takes SYNC_US microseconds more, as on
 * a disk that has no quick memory before it.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
wait_for_disk(void)
{
	const char *text = getenv("SYNC_US");
	long us = text != NULL ? strtol(text, NULL, 10) : 0;
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

int
fdatasync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fsync, fd);
}
