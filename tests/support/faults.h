#ifndef SUPPORT_FAULTS_H
#define SUPPORT_FAULTS_H

/*
 * System calls that fail on demand: these definitions stand before libc's for
 * everything that is linked into the test.
 */

#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/compat.h"
#include "unit.h"

enum fault_call { FAULT_NONE, FAULT_WRITE, FAULT_FSYNC, FAULT_LINKAT, FAULT_RENAMEAT,
	FAULT_FSTAT, FAULT_FSTATAT, FAULT_UNLINKAT };

static struct {
	enum fault_call call;	/* what fails */
	int at;			/* from the call of this number on, from 1 */
	int times;		/* that many times */
	int error;		/* errno */
	bool no_proc;		/* nameless files cannot be given a name */
	bool no_exchange;	/* two files cannot be exchanged */
	bool no_lease;		/* a file cannot be leased */
	int spoil;		/* bytes that a write changes on the way, ... */
	int spoil_after;	/* ... behind so many writes that go well */
	/* What another program does after this call succeeded for the nth time. */
	enum fault_call after;
	int nth;
	void (*meddle)(void);
} faults;

UNIT_HELPER void
faults_clear(void)
{
	memset(&faults, 0, sizeof(faults));
}

UNIT_HELPER void
faults_set(enum fault_call call, int at, int times, int error)
{
	faults.call = call;
	faults.at = at;
	faults.times = times;
	faults.error = error;
}

UNIT_HELPER bool
faults_hit(enum fault_call call)
{
	if (faults.call != call || faults.times == 0 || --faults.at > 0)
		return false;
	faults.times--;
	faults.at = 1;
	errno = faults.error;
	return true;
}

UNIT_HELPER void
faults_meddle(enum fault_call after, int nth, void (*meddle)(void))
{
	faults.after = after;
	faults.nth = nth;
	faults.meddle = meddle;
}

UNIT_HELPER int
faults_after(enum fault_call call, int result)
{
	if (result == 0 && faults.meddle != NULL && faults.after == call && --faults.nth == 0)
		faults.meddle();
	return result;
}

UNIT_HELPER int
faults_fstatat(int dir, const char *name, struct stat *st, int flags)
{
	return (int)syscall(SYS_newfstatat, dir, name, st, flags);
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	unsigned char first;
	struct stat st;

	if (fd <= 2 || faults_fstatat(fd, "", &st, AT_EMPTY_PATH) == -1 || !S_ISREG(st.st_mode))
		return syscall(SYS_write, fd, bytes, n);
	if (faults_hit(FAULT_WRITE))
		return -1;
	if (faults.spoil > 0 && n > 0 && faults.spoil_after-- <= 0) {
		faults.spoil--;
		memcpy(&first, bytes, 1);
		first ^= 1;
		return syscall(SYS_write, fd, &first, 1);
	}
	/* Short writes must be carried on. */
	return syscall(SYS_write, fd, bytes, n > 7 ? n / 2 : n);
}

int
fsync(int fd)
{
	if (faults_hit(FAULT_FSYNC))
		return -1;
	return faults_after(FAULT_FSYNC, (int)syscall(SYS_fsync, fd));
}

int
fstat(int fd, struct stat *st)
{
	return faults_hit(FAULT_FSTAT) ? -1 : faults_fstatat(fd, "", st, AT_EMPTY_PATH);
}

int
fstatat(int dir, const char *name, struct stat *st, int flags)
{
	if (faults_hit(FAULT_FSTATAT))
		return -1;
	return faults_after(FAULT_FSTATAT, faults_fstatat(dir, name, st, flags));
}

int
linkat(int from, const char *a, int to, const char *b, int flags)
{
	if (faults_hit(FAULT_LINKAT))
		return -1;
	return faults_after(FAULT_LINKAT, (int)syscall(SYS_linkat, from, a, to, b, flags));
}

int
renameat2(int from, const char *a, int to, const char *b, unsigned int flags)
{
	if (faults_hit(FAULT_RENAMEAT))
		return -1;
	if (faults.no_exchange && flags == RENAME_EXCHANGE) {
		errno = EINVAL;
		return -1;
	}
	return faults_after(FAULT_RENAMEAT, (int)syscall(SYS_renameat2, from, a, to, b, flags));
}

int
renameat(int from, const char *a, int to, const char *b)
{
	return renameat2(from, a, to, b, 0);
}

int
unlinkat(int dir, const char *name, int flags)
{
	return faults_hit(FAULT_UNLINKAT) ? -1 : (int)syscall(SYS_unlinkat, dir, name, flags);
}

int
fcntl(int fd, int command, ...)
{
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	if (faults.no_lease && command == F_SETLEASE) {
		errno = EACCES;
		return -1;
	}
	return (int)syscall(SYS_fcntl, fd, command, arg);
}

int
faccessat(int dir, const char *path, int mode, int flags)
{
	if (faults.no_proc && strncmp(path, "/proc/self/fd/", 14) == 0) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_faccessat2, dir, path, mode, flags);
}

#endif /* !SUPPORT_FAULTS_H */
