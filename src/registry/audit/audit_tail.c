#include <sys/stat.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/audit/audit.h"

/* Read the end of the file: ${*n} bytes, of which ${*cut} tells whether the
 * first line's beginning is missing. */
static char *
audit_tail_read_end(const char *file, size_t *n, bool *cut, struct error *err)
{
	char *bytes = NULL;
	struct stat st;
	ssize_t got;
	off_t from;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1 || fstat(fd, &st) == -1) {
		error_io(err, file, "the audit log cannot be read");
		goto done;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERROR_REFUSED, "the audit log is no file that could be read again");
		error_place(err, file, 0);
		goto done;
	}
	from = st.st_size > (off_t)AUDIT_TAIL_BYTES ? st.st_size - (off_t)AUDIT_TAIL_BYTES : 0;
	*cut = from > 0;
	if ((bytes = malloc(AUDIT_TAIL_BYTES)) == NULL) {
		error_memory(err);
		goto done;
	}
	for (*n = 0; *n < AUDIT_TAIL_BYTES; *n += (size_t)got) {
		got = pread(fd, bytes + *n, AUDIT_TAIL_BYTES - *n, from + (off_t)*n);
		if (got <= 0)
			break;
	}
done:
	if (fd != -1)
		close(fd);
	return bytes;
}

int
audit_tail(const char *file, size_t max, int (*line)(void *cookie, const char *text, size_t n),
    void *cookie, struct error *err)
{
	size_t n = 0, at, lines = 0;
	bool cut = false;
	char *bytes = audit_tail_read_end(file, &n, &cut, err);
	char *end;
	int rc = 0;

	if (bytes == NULL)
		return -1;
	/* A line that is being written has no end yet. */
	while (n > 0 && bytes[n - 1] != '\n')
		n--;
	for (at = n; at > 0 && lines <= max; at--)
		lines += bytes[at - 1] == '\n';
	if (lines > max)
		at++;	/* behind the line end that was one too many */
	else if (cut && (end = memchr(bytes, '\n', n)) != NULL)
		at = (size_t)(end - bytes) + 1;
	for (; at < n && rc == 0; at = (size_t)(end - bytes) + 1) {
		end = memchr(bytes + at, '\n', n - at);
		rc = line(cookie, bytes + at, (size_t)(end - bytes) - at);
	}
	free(bytes);
	return rc;
}
