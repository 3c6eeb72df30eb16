#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/error.h"
#include "file/file.h"
#include "registry/database/database_internal.h"

#define PRIVATE 0600
#define SUFFIX ".propseal-tmp"

/* https://www.sqlite.org/fileformat.html#the_database_header */
#define HEADER 100
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_VERSION 60
#define HEADER_APPLICATION 68

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint32_t
number_at(const unsigned char *header, size_t at)
{
	return (uint32_t)header[at] << 24 | (uint32_t)header[at + 1] << 16 |
	    (uint32_t)header[at + 2] << 8 | header[at + 3];
}

/* The version of an open file. */
static int
look_at_fd(int fd, const char *path, struct error *err)
{
	unsigned char header[HEADER];
	struct stat st;
	uint32_t version;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return error_io(err, path, "cannot read the database");
	if (!S_ISREG(st.st_mode))
		return database_damaged(path, "this is not a regular file", err);
	if (st.st_nlink > 1) {
		error_set(err, ERROR_REFUSED, "the file has %lu names (hard links), each of "
		    "which would have a write-ahead log of its own",
		    (unsigned long)st.st_nlink);
		return error_place(err, path, 0);
	}
	n = pread(fd, header, sizeof(header), 0);
	if (n == -1)
		return error_io(err, path, "cannot read the database");
	if (n != HEADER || memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		return database_damaged(path, "this is no SQLite file", err);
	if (number_at(header, HEADER_APPLICATION) != DATABASE_APPLICATION)
		return database_damaged(path, "this SQLite file is not a registry's", err);
	version = number_at(header, HEADER_VERSION);
	if (version < DATABASE_FIRST || version > DATABASE_VERSION) {
		error_set(err, ERROR_REFUSED, "the database's format is %u, and not %d",
		    (unsigned)version, DATABASE_VERSION);
		error_place(err, path, 0);
		return error_hint(err, "it was written by a newer propseal: use that one");
	}
	/* SQLite gives the files beside it the same mode. */
	if ((st.st_mode & 07777) != PRIVATE && fchmod(fd, PRIVATE) == -1)
		return error_io(err, path, "cannot take the file's permissions from others");
	return (int)version;
}

bool
database_file_has_wal(const struct path *p)
{
	struct stat st;
	char *name;
	bool has;

	if (asprintf(&name, "%s-wal", p->name) == -1)
		return true;	/* the careful answer */
	has = fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
	free(name);
	return has;
}

int
database_file_look(const struct path *p, const char *path, struct error *err)
{
	int fd = openat(p->dir, p->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int result;

	if (fd == -1 && errno != ENOENT)
		return error_io(err, path, "cannot open the database");
	if (fd == -1) {
		if (!database_file_has_wal(p))
			return 0;
		/* SQLite would take what is in it for the new file's. */
		error_set(err, ERROR_DAMAGED, "the file is missing, and its write-ahead log "
		    "(%s-wal) is there", p->name);
		error_place(err, path, 0);
		return error_hint(err, "put both files back, or move the -wal file away");
	}
	result = look_at_fd(fd, path, err);
	close(fd);
	return result;
}

int
database_look(const char *path, struct error *err)
{
	struct path place = PATH_NONE;
	int result = path_open(&place, path, err);

	if (result == 0)
		result = database_file_look(&place, path, err);
	path_close(&place);
	return result;
}

/* The name and those that SQLite makes of it. */
static void
remove_all(const struct path *p, const char *name)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char *each;

	for (size_t i = 0; i < COUNT(suffixes); i++) {
		if (asprintf(&each, "%s%s", name, suffixes[i]) == -1)
			return;
		(void)unlinkat(p->dir, each, 0);
		free(each);
	}
}

int
database_aside_start(struct database_aside *a, const struct path *p, const char *path,
    struct error *err)
{
	size_t dir_len = strlen(p->real) - strlen(p->name);
	int fd;

	a->place = p;
	a->path = path;
	a->name = path_sidecar(p, SUFFIX);
	if (a->name == NULL ||
	    asprintf(&a->real, "%.*s%s", (int)dir_len, p->real, a->name) == -1) {
		free(a->name);
		a->name = a->real = NULL;
		return error_memory(err);
	}
	remove_all(p, a->name);
	fd = openat(p->dir, a->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, PRIVATE);
	if (fd == -1 || fchmod(fd, PRIVATE) == -1) {
		error_io(err, path, "cannot make a file beside it");
		if (fd != -1)
			close(fd);
		return -1;
	}
	/* Before SQLite opens it: closing any descriptor would drop its locks. */
	close(fd);
	return 0;
}

/* As rename, but over nothing.  -1: errno. */
static int
rename_new(int dir, const char *from, const char *to)
{
	if (compat_rename(dir, from, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		return -1;
	if (linkat(dir, from, dir, to, 0) == -1)
		return -1;
	(void)unlinkat(dir, from, 0);
	return 0;
}

int
database_aside_finish(struct database_aside *a, struct error *err)
{
	const struct path *p = a->place;
	int fd = openat(p->dir, a->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int result = -1;

	if (fd == -1 || fsync(fd) == -1) {
		error_io(err, a->path, "cannot put the new file on disk");
	} else if (rename_new(p->dir, a->name, p->name) == -1) {
		if (errno == EEXIST) {
			error_set(err, ERROR_EXISTS, "there is a file of this name");
			error_place(err, a->path, 0);
		} else {
			error_io(err, a->path, "cannot put the new file in its place");
		}
	} else if (path_sync(p, fd) == -1) {
		error_io(err, a->path, "cannot put the new file's name on disk");
		(void)unlinkat(p->dir, p->name, 0);
	} else {
		result = 0;
	}
	if (fd != -1)
		close(fd);
	return result;
}

void
database_aside_drop(struct database_aside *a)
{
	if (a->name != NULL)
		remove_all(a->place, a->name);
	free(a->name);
	free(a->real);
}

void
database_remove(const char *path)
{
	struct path place = PATH_NONE;

	if (path_open(&place, path, NULL) == 0)
		remove_all(&place, place.name);
	path_close(&place);
}

/* The write-ahead log of ${from} becomes that of ${to}.  -1: errno. */
static int
rename_wal(int dir, const char *from, const char *to)
{
	char *a = NULL, *b = NULL;
	int result = -1;

	if (asprintf(&a, "%s-wal", from) == -1)
		a = NULL;
	else if (asprintf(&b, "%s-wal", to) == -1)
		b = NULL;
	else if (rename_new(dir, a, b) == 0 || errno == ENOENT)
		result = 0;
	free(a);
	free(b);
	return result;
}

int
database_rename(const char *from, const char *to, struct error *err)
{
	struct path a = PATH_NONE, b = PATH_NONE;
	int result = -1, fd = -1;

	if (path_open(&a, from, err) == -1 || path_open(&b, to, err) == -1)
		goto done;
	if ((fd = openat(a.dir, a.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) == -1 ||
	    rename_new(a.dir, a.name, b.name) == -1 || rename_wal(a.dir, a.name, b.name) == -1) {
		if (errno == EEXIST) {
			error_set(err, ERROR_EXISTS, "there is a file of this name");
			error_place(err, to, 0);
		} else {
			error_io(err, from, "cannot be renamed");
		}
	} else {
		result = path_sync(&a, fd) == 0 ? 0 :
		    error_io(err, to, "cannot put the file's name on disk");
	}
done:
	if (fd != -1)
		close(fd);
	path_close(&a);
	path_close(&b);
	return result;
}
