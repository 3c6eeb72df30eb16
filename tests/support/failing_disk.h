#ifndef SUPPORT_FAILING_DISK_H
#define SUPPORT_FAILING_DISK_H

/*
 * A disk under the audit log that does as told: what fdatasync, write and
 * ftruncate do to regular files, and how far FILE_NAME is durable.  These
 * definitions stand before libc's for everything that is linked into the test.
 */

#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include "audit_support.h"

#define DISK_SLOW_MS 200

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool hang;		/* fdatasync does not return */
	bool hanging;		/* it is there */
	bool slow;		/* fdatasync takes its time */
	bool remove;		/* fdatasync finds FILE_NAME removed */
	int sync_error;		/* of fdatasync */
	int write_error;	/* of write */
	size_t some;		/* with write_error: so many bytes are written before */
	size_t piece;		/* with write_error: what is longer is written so far */
	int cut_error;		/* of ftruncate */
	bool once;		/* sync_error and cut_error are told once */
	bool lossy;		/* with sync_error, what is not durable is cut off */
	off_t durable;		/* of FILE_NAME */
	unsigned syncs;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

UNIT_HELPER void
disk_clear(void)
{
	disk.durable = 0;
	disk.syncs = 0;
	disk.once = disk.lossy = false;
	disk.some = disk.piece = 0;
	disk.sync_error = disk.write_error = disk.cut_error = 0;
}

/* Set one of disk's errors; 0: it works again. */
UNIT_HELPER void
disk_set(int *what, int error)
{
	pthread_mutex_lock(&disk.lock);
	*what = error;
	pthread_mutex_unlock(&disk.lock);
}

/* Let fdatasync hang from now on (or go on). */
UNIT_HELPER void
disk_hang(bool hang)
{
	pthread_mutex_lock(&disk.lock);
	disk.hang = hang;
	disk.hanging = false;
	pthread_cond_broadcast(&disk.change);
	pthread_mutex_unlock(&disk.lock);
}

UNIT_HELPER void
disk_await_hanging(void)
{
	pthread_mutex_lock(&disk.lock);
	while (!disk.hanging)
		pthread_cond_wait(&disk.change, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

/* Is the open file the log, and how long is it? */
UNIT_HELPER bool
disk_is_log(int fd, off_t *size)
{
	struct stat st, log;

	if (fstat(fd, &st) != 0 || stat(FILE_NAME, &log) != 0 || st.st_ino != log.st_ino)
		return false;
	*size = st.st_size;
	return true;
}

int
fdatasync(int fd)
{
	bool slow;
	off_t size;
	int error;

	pthread_mutex_lock(&disk.lock);
	disk.hanging = disk.hang;
	pthread_cond_broadcast(&disk.change);
	while (disk.hang)
		pthread_cond_wait(&disk.change, &disk.lock);
	if (disk.remove) {
		disk.remove = false;
		unlink(FILE_NAME);
	}
	error = disk.sync_error;
	if (error != 0 && disk.lossy && disk_is_log(fd, &size))
		(void)!syscall(SYS_ftruncate, fd, disk.durable);
	if (disk.once)
		disk.sync_error = 0;
	if (error == 0 && disk_is_log(fd, &size))
		disk.durable = size;
	disk.syncs++;
	slow = disk.slow;
	pthread_mutex_unlock(&disk.lock);
	if (slow)
		usleep(DISK_SLOW_MS * 1000);
	if (error == 0)
		return (int)syscall(SYS_fdatasync, fd);
	errno = error;
	return -1;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	struct stat st;
	int error;

	pthread_mutex_lock(&disk.lock);
	error = disk.write_error;
	if (error != 0 && disk.some > 0) {
		n = n < disk.some ? n : disk.some;
		disk.some = 0;
		error = 0;
	} else if (error != 0 && disk.piece > 0 && n > disk.piece) {
		n = disk.piece;
		error = 0;
	}
	pthread_mutex_unlock(&disk.lock);
	if (error == 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return syscall(SYS_write, fd, bytes, n);
	errno = error;
	return -1;
}

int
ftruncate(int fd, off_t size)
{
	int error;

	pthread_mutex_lock(&disk.lock);
	error = disk.cut_error;
	if (disk.once)
		disk.cut_error = 0;
	pthread_mutex_unlock(&disk.lock);
	if (error == 0)
		return (int)syscall(SYS_ftruncate, fd, size);
	errno = error;
	return -1;
}

#endif /* !SUPPORT_FAILING_DISK_H */
