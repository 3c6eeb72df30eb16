#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/map.h"
#include "file/path.h"

#define HASH_DIGITS 16		/* of a 64-bit hash */

#ifndef O_PATH
#define O_PATH O_SEARCH
#endif

/* `<a>/<b>`, where ${a} may be the root. */
static char *
path_join(const char *a, size_t alen, const char *b)
{
	const char *slash = alen > 0 && a[alen - 1] == '/' ? "" : "/";
	char *path;

	if (alen > INT_MAX || asprintf(&path, "%.*s%s%s", (int)alen, a, slash, b) == -1)
		return NULL;
	return path;
}

/* How much of ${path} names its directory: 0 for a name alone. */
static size_t
directory_length(const char *path)
{
	return (size_t)(file_basename(path) - path);
}

/* The real path of a file that is not there, in a directory that must be. */
static char *
resolve_missing(const char *path)
{
	const char *name = file_basename(path);
	char *directory, *real, *found = NULL;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		return NULL;
	}
	directory = directory_length(path) == 0 ? strdup(".") :
	    strndup(path, directory_length(path));
	if (directory == NULL)
		return NULL;
	real = realpath(directory, NULL);
	if (real != NULL)
		found = path_join(real, strlen(real), name);
	free(real);
	free(directory);
	return found;
}

/* What a symlink at ${path} points to, as a path.  NULL, EINVAL: it is none. */
static char *
path_follow(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n == -1)
		return NULL;
	if ((size_t)n == sizeof(target)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	target[n] = '\0';
	if (target[0] == '/' || directory_length(path) == 0)
		return strdup(target);
	return path_join(path, directory_length(path), target);
}

static char *
path_resolve(const char *path)
{
	char *at = strdup(path);
	char *real, *next;
	int links;

	for (links = 0; at != NULL && links <= PATH_LINKS_MAX; links++) {
		real = realpath(at, NULL);
		if (real == NULL && errno == ENOENT) {
			next = path_follow(at);
			if (next != NULL) {
				free(at);
				at = next;
				continue;
			}
			if (errno == EINVAL || errno == ENOENT)
				real = resolve_missing(at);
		}
		free(at);
		return real;
	}
	if (at != NULL)
		errno = ELOOP;
	free(at);
	return NULL;
}

int
path_open(struct path *p, const char *path, struct error *err)
{
	char *directory;

	*p = (struct path)PATH_NONE;
	p->real = path_resolve(path);
	if (p->real != NULL && strcmp(p->real, "/") == 0) {
		errno = EINVAL;
		goto fail;
	}
	if (p->real == NULL)
		goto fail;
	p->name = file_basename(p->real);
	directory = directory_length(p->real) == 1 ? strdup("/") :
	    strndup(p->real, directory_length(p->real) - 1);
	if (directory == NULL)
		goto fail;
	p->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* One may be allowed to change a directory and not to list it. */
	if (p->dir == -1 && errno == EACCES)
		p->dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(directory);
	if (p->dir == -1)
		goto fail;
	return 0;

fail:
	if (errno == ENOMEM)
		error_memory(err);
	else if (errno == EINVAL)
		error_set(err, ERROR_REFUSED, "this is not the name of a file");
	else
		error_io(err, path, "cannot find its directory");
	error_place(err, path, 0);
	path_close(p);
	return -1;
}

void
path_close(struct path *p)
{
	if (p->dir != -1)
		close(p->dir);
	free(p->real);
	*p = (struct path)PATH_NONE;
}

char *
path_sidecar(const struct path *p, const char *suffix)
{
	static const unsigned char no_key[SIPHASH_KEY];
	size_t len = strlen(p->name), keep;
	long max = fpathconf(p->dir, _PC_NAME_MAX);
	char *name;
	int n;

	keep = 1 + strlen(suffix) + 1 + HASH_DIGITS;
	if (max < (long)keep)
		max = NAME_MAX;
	if (1 + len + strlen(suffix) <= (size_t)max) {
		n = asprintf(&name, ".%s%s", p->name, suffix);
		return n == -1 ? NULL : name;
	}
	keep = (size_t)max - keep;
	/* Some file systems want whole UTF-8 sequences. */
	while (keep > 0 && ((unsigned char)p->name[keep] & 0xc0) == 0x80)
		keep--;
	n = asprintf(&name, ".%.*s-%016llx%s", (int)keep, p->name,
	    (unsigned long long)siphash_13(no_key, p->name, len), suffix);
	return n == -1 ? NULL : name;
}

void
path_id(struct file_id *id, const struct stat *st)
{
	memset(id, 0, sizeof(*id));
	id->exists = true;
	id->dev = st->st_dev;
	id->ino = st->st_ino;
	id->size = st->st_size;
	id->mtime = st->st_mtim;
	id->ctime = st->st_ctim;
	id->mode = st->st_mode;
	id->uid = st->st_uid;
	id->gid = st->st_gid;
	id->nlink = st->st_nlink;
}

int
path_identify(const struct path *p, struct file_id *id)
{
	struct stat st;

	memset(id, 0, sizeof(*id));
	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		path_id(id, &st);
	else if (errno != ENOENT)
		return -1;
	return 0;
}

int
path_sync(const struct path *p, int fd)
{
	if (fsync(p->dir) == 0)
		return 0;
	/* EBADF: opened O_PATH.  EINVAL: this file system cannot. */
	if (errno != EBADF && errno != EINVAL)
		return -1;
#ifdef __linux__
	return syncfs(fd);
#else
	sync();
	(void)fd;
	return 0;
#endif
}
