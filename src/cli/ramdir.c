#include "cli/ramdir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "file/file.h"
#include "cli/guard.h"
#include "common/output.h"
#include "common/report.h"

#define FOLDER "/propseal.XXXXXX"
#define FILES_OPEN 16	/* by nftw at once */

struct ramdir {
	char *folder;
	char *path;	/* of the file */
	struct guard *guard;
};

/* Is the folder in memory, and ours to write in? */
static bool
is_in_memory(const char *path)
{
	struct statfs fs;

	if (path == NULL || path[0] != '/' || statfs(path, &fs) != 0 ||
	    access(path, W_OK | X_OK) != 0)
		return false;
	return (unsigned long)fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC;
}

/* The folder to make ours in, NULL: none will do. */
static const char *
find_parent(bool insecure, struct error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *other = getenv("TMPDIR");

	if (is_in_memory("/dev/shm"))
		return "/dev/shm";
	if (is_in_memory(runtime))
		return runtime;
	if (!insecure) {
		error_set(err, ERROR_REFUSED, "no place in memory for a file in clear text: "
		    "neither /dev/shm nor $XDG_RUNTIME_DIR is a tmpfs that can be written");
		error_hint(err, "on a disk the clear text could be found again: mount a tmpfs on "
		    "/dev/shm, or give --insecure-tmp");
		return NULL;
	}
	other = other == NULL || other[0] != '/' ? "/tmp" : other;
	if (!is_in_memory(other))
		report_warning("change the secrets if somebody else may get that disk",
		    "%s is on a disk, where the clear text could be found again", other);
	return other;
}

/* Overwrite with zeros; what cannot be is removed all the same. */
static void
overwrite(const char *path, off_t size)
{
	static const char zeros[65536];
	ssize_t n;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return;
	while (size > 0) {
		n = write(fd, zeros, size < (off_t)sizeof(zeros) ? (size_t)size : sizeof(zeros));
		if (n <= 0 && errno != EINTR)
			break;
		size -= n > 0 ? n : 0;
	}
	(void)fsync(fd);
	close(fd);
}

static int
wipe_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_F && S_ISREG(st->st_mode))
		overwrite(path, st->st_size);
	(void)remove(path);
	return 0;
}

static void
wipe(void *folder)
{
	(void)nftw(folder, wipe_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS);
}

static void
ramdir_free(struct ramdir *d)
{
	guard_dismiss(d->guard);
	free(d->folder);
	free(d->path);
	free(d);
}

static char *
join(const char *folder, const char *name, struct error *err)
{
	char *path;

	if (asprintf(&path, "%s%s", folder, name) >= 0)
		return path;
	error_memory(err);
	return NULL;
}

struct ramdir *
ramdir_new(const char *name, bool insecure, struct error *err)
{
	const char *parent = find_parent(insecure, err);
	struct ramdir *d;
	char *template;

	if (parent == NULL)
		return NULL;
	if ((d = calloc(1, sizeof(*d))) == NULL) {
		error_memory(err);
		return NULL;
	}
	if ((template = join(parent, FOLDER, err)) == NULL)
		goto fail;
	if (mkdtemp(template) == NULL) {
		error_io(err, parent, "cannot make a folder in it");
		free(template);
		goto fail;
	}
	d->folder = template;
	if ((template = join(d->folder, "/", err)) == NULL)
		goto fail;
	d->path = join(template, name, err);
	free(template);
	if (d->path != NULL && (d->guard = guard_new(wipe, d->folder, err)) != NULL)
		return d;
fail:
	ramdir_wipe(d);
	return NULL;
}

int
ramdir_write(const struct ramdir *d, const struct buf *content, struct error *err)
{
	int fd, rc;

	fd = open(d->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return error_io(err, d->path, "cannot make the file");
	rc = output_write_fd(fd, d->path, content->data, content->len, err);
	close(fd);
	return rc;
}

const char *
ramdir_path(const struct ramdir *d)
{
	return d->path;
}

int
ramdir_read(const struct ramdir *d, struct buf *out, struct error *err)
{
	struct stat st;

	if (lstat(d->path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_uid != geteuid())) {
		error_set(err, ERROR_REFUSED, "another thing is in the place of the file");
		return error_place(err, d->path, 0);
	}
	return file_read(d->path, out, NULL, err);
}

void
ramdir_keep(struct ramdir *d)
{
	ramdir_free(d);
}

void
ramdir_wipe(struct ramdir *d)
{
	if (d == NULL)
		return;
	if (d->folder != NULL)
		wipe(d->folder);
	ramdir_free(d);
}
