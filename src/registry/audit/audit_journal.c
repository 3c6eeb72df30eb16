#include <sys/stat.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "registry/audit/audit_journal.h"

#define AGAIN_S 10	/* between attempts to make one that was removed */

struct audit_journal {
	char *path;
	char *folder;
	int fd;			/* -1: none, since it was removed */
	dev_t dev;
	ino_t ino;
	size_t at;
	time_t again;		/* no attempt before */
};

static int
write_at(int fd, const char *bytes, size_t n, size_t at)
{
	ssize_t put;

	for (; n > 0; bytes += put, n -= (size_t)put, at += (size_t)put) {
		put = pwrite(fd, bytes, n, (off_t)at);
		if (put <= 0)
			return -1;
	}
	return 0;
}

/* Written, not only set aside: so that no later write changes where it is. */
static int
audit_journal_fill(int fd)
{
	char *zeros = calloc(1, AUDIT_JOURNAL_BYTES);
	int rc = -1;

	if (zeros != NULL && ftruncate(fd, 0) == 0 &&
	    write_at(fd, zeros, AUDIT_JOURNAL_BYTES, 0) == 0)
		rc = fsync(fd);
	free(zeros);
	/* Others may need the room more. */
	if (rc != 0)
		(void)!ftruncate(fd, 0);
	return rc;
}

/* Its name is to outlast a crash too. */
static int
audit_journal_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd != -1 ? fsync(fd) : -1;

	if (fd != -1)
		close(fd);
	return rc;
}

static int
audit_journal_open_file(struct audit_journal *j)
{
	struct stat st;

	j->fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (j->fd == -1)
		return -1;
	if (fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    ((size_t)st.st_size == AUDIT_JOURNAL_BYTES || audit_journal_fill(j->fd) == 0) &&
	    audit_journal_sync_folder(j->folder) == 0) {
		j->dev = st.st_dev;
		j->ino = st.st_ino;
		return 0;
	}
	if (fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		(void)!unlink(j->path);
	close(j->fd);
	j->fd = -1;
	return -1;
}

struct audit_journal *
audit_journal_open(const char *file)
{
	struct audit_journal *j = calloc(1, sizeof(*j));
	const char *base = file_basename(file);
	char path[PATH_MAX];

	if (j == NULL)
		return NULL;
	j->fd = -1;
	if ((size_t)snprintf(path, sizeof(path), "%.*s.%s.journal", (int)(base - file), file,
	    base) < sizeof(path)) {
		j->path = strdup(path);
		j->folder = base > file ? strndup(file, (size_t)(base - file)) : strdup(".");
	}
	if (j->path != NULL && j->folder != NULL && audit_journal_open_file(j) == 0)
		return j;
	audit_journal_free(j);
	return NULL;
}

void
audit_journal_free(struct audit_journal *j)
{
	if (j == NULL)
		return;
	if (j->fd != -1)
		close(j->fd);
	free(j->path);
	free(j->folder);
	free(j);
}

/* Nobody would find what is in a file without this name.  Another is made. */
static bool
in_place(struct audit_journal *j)
{
	struct timespec now;
	struct stat st;

	if (j->fd != -1 && stat(j->path, &st) == 0 && st.st_dev == j->dev && st.st_ino == j->ino)
		return true;
	if (j->fd != -1)
		close(j->fd);
	j->fd = -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec >= j->again) {
		j->again = now.tv_sec + AGAIN_S;
		(void)audit_journal_open_file(j);
	}
	return false;
}

int
audit_journal_add(struct audit_journal *j, const void *lines, size_t n, struct error *err)
{
	if (!in_place(j) || n > AUDIT_JOURNAL_BYTES - j->at)
		return 1;
	if (write_at(j->fd, lines, n, j->at) != 0 || fdatasync(j->fd) != 0)
		return error_io(err, j->path, "cannot make the audit log durable");
	j->at += n;
	return 0;
}

void
audit_journal_reset(struct audit_journal *j)
{
	j->at = 0;
}

char *
audit_journal_read(const struct audit_journal *j, struct error *err)
{
	char *bytes = malloc(AUDIT_JOURNAL_BYTES);
	size_t n = 0;
	ssize_t got;

	if (bytes == NULL) {
		error_memory(err);
		return NULL;
	}
	while (n < AUDIT_JOURNAL_BYTES) {
		got = pread(j->fd, bytes + n, AUDIT_JOURNAL_BYTES - n, (off_t)n);
		if (got <= 0) {
			error_io(err, j->path, "cannot read the audit log's journal");
			free(bytes);
			return NULL;
		}
		n += (size_t)got;
	}
	return bytes;
}
