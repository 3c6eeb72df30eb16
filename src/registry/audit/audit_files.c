#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "file/file.h"
#include "registry/audit/audit_chain.h"
#include "registry/audit/audit_files.h"
#include "registry/audit/audit_lines.h"

#define FILES_MAX 100000U
#define HEAD_LINES 64U		/* among which the first whole line is looked for */

uint64_t
audit_files_named(const char *name)
{
	const char *form = ".00000000T000000Z-";
	char *end;
	unsigned long long seq;

	for (; *form != '\0'; form++, name++)
		if (*form == '0' ? *name < '0' || *name > '9' : *name != *form)
			return 0;
	if (*name < '0' || *name > '9')
		return 0;
	errno = 0;
	seq = strtoull(name, &end, 10);
	return *end == '\0' && errno == 0 ? seq : 0;
}

int
audit_files_open(struct audit_file *f, struct error *err)
{
	if (f->fd >= 0)
		return f->fd;
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd >= 0)
		return f->fd;
	if (errno != ENOENT)
		return error_io(err, f->path, "cannot open");
	error_set(err, ERROR_MISSING, "no such file");
	return error_place(err, f->path, 0);
}

/* The first line that has our form; 0: none. */
static int
first_seq(int fd, const char *path, uint64_t *out, struct error *err)
{
	struct audit_lines *l = audit_lines_new(fd, path, 0, err);
	struct audit_lines_line line;
	struct audit_tail tail;
	size_t i;
	int rc = 1;

	*out = 0;
	if (l == NULL)
		return -1;
	for (i = 0; i < HEAD_LINES && *out == 0; i++) {
		if ((rc = audit_lines_next(l, &line, err)) != 1)
			break;
		if (line.whole && audit_chain_tail(line.text, line.len, &tail))
			*out = tail.seq;
	}
	audit_lines_free(l);
	return rc < 0 ? -1 : 0;
}

/* Take it if it is one; 0 also when it is not. */
static int
audit_files_add(struct audit_files *f, const char *path, const char *rest, struct error *err)
{
	struct audit_file one = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
	struct audit_file *more;
	struct stat st, other;
	size_t i;

	if (one.fd == -1)
		return errno == ENOENT ? 0 : error_io(err, path, "cannot open");
	if (fstat(one.fd, &st) != 0 || !S_ISREG(st.st_mode))
		goto no;
	for (i = 0; i < f->count; i++)
		if (f->files[i].fd >= 0 && fstat(f->files[i].fd, &other) == 0 &&
		    other.st_dev == st.st_dev && other.st_ino == st.st_ino)
			goto no;
	if (first_seq(one.fd, path, &one.first, err) != 0)
		goto fail;
	one.named = audit_files_named(rest);
	if (one.first == 0 && one.named == 0 && *rest != '\0')
		goto no;
	more = f->count < FILES_MAX ? realloc(f->files, (f->count + 1) * sizeof(*more)) : NULL;
	if (more == NULL || (one.path = strdup(path)) == NULL) {
		if (more != NULL)
			f->files = more;
		error_memory(err);
		goto fail;
	}
	/* FILE itself may be moved while the others are read. */
	if (*rest != '\0') {
		close(one.fd);
		one.fd = -1;
	}
	f->files = more;
	f->files[f->count++] = one;
	return 0;
fail:
	close(one.fd);
	return -1;
no:
	close(one.fd);
	return 0;
}

/* A file without lines: by its name if we gave it, else it is the newest. */
static uint64_t
audit_files_place(const struct audit_file *f)
{
	if (f->first != 0)
		return f->first;
	return f->named != 0 ? f->named : UINT64_MAX;
}

static int
audit_files_by_seq(const void *a, const void *b)
{
	uint64_t x = audit_files_place(a), y = audit_files_place(b);

	return (x > y) - (x < y);
}

static int
add_moved(struct audit_files *f, const char *folder, const char *file, struct error *err)
{
	const char *base = file_basename(file);
	size_t n = strlen(base);
	char path[PATH_MAX];
	struct dirent *d;
	DIR *dir = opendir(folder);
	int rc = 0;

	if (dir == NULL)
		return errno == ENOENT ? 0 : error_io(err, folder, "cannot read the folder");
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, base, n) != 0 || d->d_name[n] != '.')
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%.*s%s", (int)(base - file), file,
		    d->d_name) < sizeof(path))
			rc = audit_files_add(f, path, d->d_name + n, err);
	}
	closedir(dir);
	return rc;
}

int
audit_files_list(const char *file, bool none_is_fine, struct audit_files *out,
    struct error *err)
{
	size_t n = (size_t)(file_basename(file) - file);
	char folder[PATH_MAX];

	*out = (struct audit_files){ NULL, 0 };
	if (n >= sizeof(folder))
		return error_set(err, ERROR_LIMIT, "the file's name is too long");
	snprintf(folder, sizeof(folder), "%.*s", (int)n, file);
	if (audit_files_add(out, file, "", err) != 0 ||
	    add_moved(out, n == 0 ? "." : folder, file, err) != 0) {
		audit_files_release(out);
		return -1;
	}
	if (out->count > 0)
		qsort(out->files, out->count, sizeof(*out->files), audit_files_by_seq);
	if (out->count > 0 || none_is_fine)
		return 0;
	error_set(err, ERROR_MISSING, "no audit log");
	return error_place(err, file, 0);
}

void
audit_files_release(struct audit_files *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (f->files[i].fd >= 0)
			close(f->files[i].fd);
		free(f->files[i].path);
	}
	free(f->files);
	*f = (struct audit_files){ NULL, 0 };
}
