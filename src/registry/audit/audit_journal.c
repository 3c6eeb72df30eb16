#include "registry/audit/audit_journal.h"

#include <sys/stat.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

struct audit_journal {
	char *path;
	int fd;
	size_t at;
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
fill(int fd)
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

struct audit_journal *
audit_journal_open(const char *file)
{
	struct audit_journal *j = calloc(1, sizeof(*j));
	const char *base = file_basename(file);
	char path[PATH_MAX];
	struct stat st;

	if (j == NULL || (size_t)snprintf(path, sizeof(path), "%.*s.%s.journal", (int)(base - file),
	    file, base) >= sizeof(path)) {
		free(j);
		return NULL;
	}
	j->path = strdup(path);
	j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (j->path != NULL && j->fd != -1 && fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_nlink == 1 &&
	    ((size_t)st.st_size == AUDIT_JOURNAL_BYTES || fill(j->fd) == 0))
		return j;
	if (j->fd != -1 && fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		(void)!unlink(path);
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
	free(j);
}

int
audit_journal_add(struct audit_journal *j, const void *lines, size_t n, struct error *err)
{
	if (n > AUDIT_JOURNAL_BYTES - j->at)
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
