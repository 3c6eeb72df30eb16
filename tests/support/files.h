#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

/* For tests of what happens on disk: each test runs in an empty folder. */

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include "unit.h"

#define NOBODY 65534
#define SKIPPED 77		/* exit status of a child that could not run its test */

/* cmocka's assertions do not work in a child. */
#define CHECK(what) do { \
	if (!(what)) { \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
		_exit(1); \
	} \
} while (0)

UNIT_HELPER int
files_setup(void **state)
{
	char *folder = unit_folder();

	umask(022);
	*state = folder;
	return chdir(folder);
}

UNIT_HELPER int
files_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

UNIT_HELPER int
files_teardown(void **state)
{
	int result = chdir("/");

	if (nftw(*state, files_remove_one, 16, FTW_DEPTH | FTW_PHYS) == -1)
		result = -1;
	free(*state);
	return result;
}

/* Make a file, whatever the umask. */
UNIT_HELPER void
files_put_bytes(const char *path, const void *bytes, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t done;
	ssize_t now;

	assert_int_not_equal(fd, -1);
	for (done = 0; done < n; done += (size_t)now) {
		now = write(fd, (const char *)bytes + done, n - done);
		assert_true(now > 0);
	}
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

UNIT_HELPER void
files_put(const char *path, const char *text, mode_t mode)
{
	files_put_bytes(path, text, strlen(text), mode);
}

/* Does it hold exactly these bytes? */
UNIT_HELPER bool
files_hold(const char *path, const void *bytes, size_t n)
{
	char *back = malloc(n + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool same = fd != -1 && back != NULL && read(fd, back, n + 1) == (ssize_t)n &&
	    memcmp(back, bytes, n) == 0;

	if (fd != -1)
		close(fd);
	free(back);
	return same;
}

UNIT_HELPER bool
files_have(const char *path, const char *text)
{
	return files_hold(path, text, strlen(text));
}

UNIT_HELPER struct stat
files_stat(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st;
}

/* How many names stand in a folder, hidden ones too. */
UNIT_HELPER int
files_count(const char *folder)
{
	DIR *dir = opendir(folder);
	int n = 0;

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

/* Run ${body} in a child; skip the test when the child says so. */
UNIT_HELPER void
files_in_child(void (*body)(void *), void *arg)
{
	int status = unit_in_child(body, arg);

	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

/* In a child: be an ordinary user (skips unless we are root). */
UNIT_HELPER void
files_become_nobody(void)
{
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		_exit(SKIPPED);
	}
	CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

UNIT_HELPER bool
files_write_line(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	/* At once: not by way of a write() that tests shorten. */
	bool good = fd != -1 &&
	    syscall(SYS_write, fd, text, strlen(text)) == (long)strlen(text);

	if (fd != -1)
		close(fd);
	return good;
}

/* In a child: mounts of our own, which end with it (skips where forbidden). */
UNIT_HELPER void
files_private_mounts(void)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof(uids), "0 %lu 1", (unsigned long)geteuid());
	snprintf(gids, sizeof(gids), "0 %lu 1", (unsigned long)getegid());
	if (geteuid() != 0 && (unshare(CLONE_NEWUSER) == -1 ||
	    !files_write_line("/proc/self/uid_map", uids) ||
	    !files_write_line("/proc/self/setgroups", "deny") ||
	    !files_write_line("/proc/self/gid_map", gids)))
		goto skip;
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0)
		return;
skip:
	fprintf(stderr, "skipped: may not mount\n");
	_exit(SKIPPED);
}

UNIT_HELPER void
files_mount_small(const char *where, const char *options)
{
	if (mount("tmpfs", where, "tmpfs", 0, options) == -1) {
		fprintf(stderr, "skipped: may not mount a tmpfs\n");
		_exit(SKIPPED);
	}
}

#endif /* !SUPPORT_FILES_H */
