#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/number.h"
#include "base/secmem.h"
#include "file/file.h"

#define ATTEMPTS 4		/* the first and three more */
#define HASH_DIGITS 16		/* of a 64-bit hash */

enum outcome { READ_DONE, READ_CHANGED, READ_FAILED };

bool
file_user_name(uid_t uid, char out[FILE_USER_MAX])
{
	FILE *f = fopen("/etc/passwd", "re");
	char *line = NULL, *p, *end;
	size_t cap = 0;
	bool found = false;
	uint64_t id;

	while (f != NULL && !found && getline(&line, &cap, f) != -1) {
		if ((p = strchr(line, ':')) == NULL || (end = strchr(p + 1, ':')) == NULL)
			continue;
		*p = '\0';
		p = end + 1;
		end = p + strcspn(p, ":");
		if (number_parse(p, (size_t)(end - p), UINT32_MAX, &id) && id == uid &&
		    strlen(line) < FILE_USER_MAX) {
			memcpy(out, line, strlen(line) + 1);
			found = true;
		}
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

void
file_id_set(struct file_id *id, const struct stat *st)
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

static bool
is_missing(int code)
{
	return code == ENOENT || code == ENOTDIR;
}

static int
open_error(const char *path, struct error *err)
{
	if (!is_missing(errno))
		return error_io(err, path, "cannot open");
	error_set(err, ERROR_MISSING, "no such file");
	return error_place(err, path, 0);
}

/* The descriptor is not ready although it should block: wait for it. */
static int
wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, -1) == -1 && errno != EINTR ? -1 : 0;
}

static ssize_t
read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	for (;;) {
		got = read(fd, p, n);
		if (got != -1)
			return got;
		if (errno == EAGAIN && wait_readable(fd) == 0)
			continue;
		if (errno != EINTR)
			return -1;
	}
}

/* Append up to the end; errors leave what was read so far. */
static int
file_read_all(int fd, const char *name, struct buf *out, struct error *err)
{
	unsigned char more;
	size_t room;
	ssize_t got;

	for (;;) {
		room = out->cap - out->len;
		if (room > out->max - out->len)
			room = out->max - out->len;
		/* A full buffer is not enlarged before there is more to read. */
		got = read_some(fd, room > 0 ? out->data + out->len : &more,
		    room > 0 ? room : 1);
		if (got == -1)
			return error_io(err, name, "cannot read");
		if (got == 0)
			break;
		if (room > 0)
			out->len += (size_t)got;
		else
			buf_append(out, &more, 1);
		secmem_wipe(&more, 1);
		if (out->failed)
			break;
	}
	return buf_check(out, err) == -1 ? error_place(err, name, 0) : 0;
}

int
file_read_fd(int fd, const char *name, struct buf *out, struct error *err)
{
	size_t start = out->len;

	if (file_read_all(fd, name, out, err) == 0)
		return 0;
	buf_truncate(out, start);
	return -1;
}

static int
refuse_irregular(const char *path, struct error *err)
{
	error_set(err, ERROR_REFUSED, "not a regular file");
	return error_place(err, path, 0);
}

static enum outcome
read_regular(int fd, const char *path, struct buf *out, struct file_id *id, struct error *err)
{
	struct stat st;
	struct file_id after;
	size_t start = out->len;
	size_t size;

	if (fstat(fd, &st) == -1) {
		error_io(err, path, "cannot examine");
		return READ_FAILED;
	}
	if (!S_ISREG(st.st_mode)) {
		refuse_irregular(path, err);
		return READ_FAILED;
	}
	file_id_set(id, &st);
	size = (size_t)st.st_size;
	if (size > out->max - start) {
		error_set(err, ERROR_LIMIT, "larger than %zu bytes", out->max - start);
		error_place(err, path, 0);
		return READ_FAILED;
	}
	/* With room for buf_cstr's NUL, where the maximum allows. */
	if (buf_reserve(out, size < out->max - start ? size + 1 : size) == -1) {
		buf_check(out, err);
		error_place(err, path, 0);
		return READ_FAILED;
	}
	/* What is behind the size is seen by it, so the end need not be read. */
	while (size > 0 && out->len - start < size) {
		ssize_t got = read_some(fd, out->data + out->len, size - (out->len - start));

		if (got == -1) {
			error_io(err, path, "cannot read");
			buf_truncate(out, start);
			return READ_FAILED;
		}
		if (got == 0)
			break;
		out->len += (size_t)got;
	}
	if (size == 0 && file_read_fd(fd, path, out, err) == -1)
		return READ_FAILED;
	if (fstat(fd, &st) == -1) {
		error_io(err, path, "cannot examine");
		buf_truncate(out, start);
		return READ_FAILED;
	}
	file_id_set(&after, &st);
	/* Files that the kernel makes up (proc) say 0 and hold more. */
	if (file_id_equal(id, &after) && (size == 0 || out->len - start == size))
		return READ_DONE;
	buf_truncate(out, start);
	return READ_CHANGED;
}

/* First as what is no link, which most are: nobody needs to ask for that alone. */
static int
read_open(const char *path, bool *link)
{
	/* O_NONBLOCK: a FIFO must not hold us before fstat tells. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags | O_NOFOLLOW);

	*link = fd == -1 && errno == ELOOP;
	return *link ? open(path, flags) : fd;
}

static int
read_failed(const char *path, struct error *err)
{
	return errno == ENXIO ? refuse_irregular(path, err) : open_error(path, err);
}

int
file_open(const char *path, struct error *err)
{
	struct stat st;
	bool link;
	int fd = read_open(path, &link);

	if (fd == -1)
		return read_failed(path, err);
	if (fstat(fd, &st) == -1)
		error_io(err, path, "cannot examine");
	else if (!S_ISREG(st.st_mode))
		refuse_irregular(path, err);
	else
		return fd;
	close(fd);
	return -1;
}

int
file_read(const char *path, struct buf *out, struct file_id *id, struct error *err)
{
	struct file_id seen;
	enum outcome outcome;
	bool link;
	int i, fd;

	for (i = 0; i < ATTEMPTS; i++) {
		fd = read_open(path, &link);
		if (fd == -1)
			return read_failed(path, err);
		outcome = read_regular(fd, path, out, &seen, err);
		close(fd);
		if (outcome == READ_FAILED)
			return -1;
		if (outcome == READ_DONE) {
			seen.link = link;
			if (id != NULL)
				*id = seen;
			return 0;
		}
	}
	error_set(err, ERROR_STALE, "the file keeps changing while it is read");
	return error_place(err, path, 0);
}

int
file_read_stream(const char *path, struct buf *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int result;

	if (fd == -1)
		return open_error(path, err);
	result = file_read_fd(fd, path, out, err);
	close(fd);
	return result;
}

int
file_identify(const char *path, struct file_id *id, struct error *err)
{
	struct stat st;

	memset(id, 0, sizeof(*id));
	if (stat(path, &st) == 0) {
		file_id_set(id, &st);
		return 0;
	}
	if (is_missing(errno))
		return 0;
	return error_io(err, path, "cannot examine");
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
file_id_same(const struct file_id *a, const struct file_id *b)
{
	return a->exists && b->exists && a->dev == b->dev && a->ino == b->ino;
}

bool
file_id_equal(const struct file_id *a, const struct file_id *b)
{
	if (!a->exists || !b->exists)
		return a->exists == b->exists;
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime) &&
	    a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	    a->nlink == b->nlink;
}

bool
file_shares_readers(const struct file_id *id, const struct file_id *other)
{
	bool by_group = (other->mode & S_IRGRP) != 0 && other->gid == id->gid;

	if ((other->mode & S_IROTH) != 0)
		return true;
	if (id->uid != 0)
		return other->uid == id->uid || by_group;
	return id->gid == 0 || (id->mode & S_IRGRP) == 0 || by_group;
}

mode_t
file_writers(mode_t mode, uid_t uid, gid_t gid)
{
	return mode & (gid == uid && uid != 0 ? S_IWOTH : S_IWGRP | S_IWOTH);
}

int
file_write(int fd, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	ssize_t done;

	for (; n > 0; p += done, n -= (size_t)done) {
		while ((done = write(fd, p, n)) == -1 && errno == EINTR)
			;
		if (done == 0)
			errno = ENOSPC;
		if (done <= 0)
			return -1;
	}
	return 0;
}

const char *
file_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

char *
file_folder(const char *path)
{
	size_t n = (size_t)(file_basename(path) - path);

	return n == 0 ? strdup(".") : strndup(path, n > 1 ? n - 1 : 1);
}

bool
file_in_home(const char *variable, const char *usual, const char *name, struct buf *out)
{
	const char *folder = getenv(variable);

	if (folder == NULL || folder[0] != '/') {
		folder = getenv("HOME");
		if (folder == NULL || folder[0] != '/')
			return false;
		buf_printf(out, "%s%s/propseal/%s", folder, usual, name);
	} else
		buf_printf(out, "%s/propseal/%s", folder, name);
	return true;
}

int
file_sync_folder(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd == -1)
		return error_io(err, path, "cannot open the folder");
	/* Some file systems cannot sync a folder. */
	if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
		rc = error_io(err, path, "cannot put the folder on disk");
	close(fd);
	return rc;
}

int
file_sync_made(const char *path, struct error *err)
{
	char *above = file_folder(path);
	int rc = above == NULL ? error_memory(err) : 0;

	/* Who may not list the one that it is in cannot sync that. */
	if (rc == 0 && access(above, R_OK) == 0)
		rc = file_sync_folder(above, err);
	free(above);
	return rc;
}

int
file_make_folders(const char *path, struct error *err)
{
	char *copy = strdup(path);
	int rc = copy == NULL ? error_memory(err) : 0;

	for (char *p = copy; rc == 0 && p != NULL && *p != '\0';) {
		p = strchr(p + 1, '/');
		if (p != NULL)
			*p = '\0';
		if (mkdir(copy, 0700) == 0)
			rc = file_sync_made(copy, err);
		else if (errno != EEXIST)
			rc = error_io(err, copy, "cannot make the folder");
		if (p != NULL)
			*p = '/';
	}
	free(copy);
	return rc;
}

bool
file_in_work_tree(const char *real)
{
	struct buf path;
	struct stat st;
	size_t n = strlen(real);
	bool found = false;

	buf_init(&path, PATH_MAX * 16);
	for (;;) {
		buf_clear(&path);
		buf_append(&path, real, n);
		buf_append_str(&path, "/.git");
		found = buf_check(&path, NULL) != 0 || lstat(buf_cstr(&path), &st) == 0;
		if (found || n == 0)
			break;
		while (n > 0 && real[n - 1] != '/')
			n--;
		n -= n > 0;
	}
	buf_release(&path);
	return found;
}

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

char *
file_join(const char *folder, const char *name)
{
	return path_join(folder, strlen(folder), name);
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
	if ((directory = file_folder(path)) == NULL)
		return NULL;
	real = realpath(directory, NULL);
	if (real != NULL)
		found = file_join(real, name);
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

/* Is every symbolic link on the way to ${path} ours or root's?  ${*links}: met so far. */
static bool
links_are_ours(const char *path, int *links)
{
	size_t len = strlen(path), n = 0;
	bool ours = true;
	char *part, *next;
	struct stat st;

	while (ours && n < len) {
		n += strspn(path + n, "/");
		n += strcspn(path + n, "/");
		if ((part = strndup(path, n)) == NULL)
			return false;
		if (lstat(part, &st) == 0 && S_ISLNK(st.st_mode)) {
			ours = (st.st_uid == geteuid() || st.st_uid == 0) &&
			    ++*links <= PATH_LINKS_MAX && (next = path_follow(part)) != NULL;
			if (ours) {
				ours = links_are_ours(next, links);
				free(next);
			}
		}
		free(part);
	}
	return ours;
}

int
file_check_links(const char *path, struct error *err)
{
	int links = 0;

	if (links_are_ours(path, &links))
		return 0;
	error_set(err, ERROR_REFUSED, "it is reached by a symbolic link of another user");
	error_place(err, path, 0);
	return error_hint(err, "name the file itself");
}

int
file_check_output(const char *path, struct error *err)
{
	struct file_id id;

	if (file_check_links(path, err) != 0 || file_identify(path, &id, err) != 0)
		return -1;
	if (!id.exists || !S_ISREG(id.mode) || id.uid == geteuid())
		return 0;
	error_set(err, ERROR_REFUSED, "the file belongs to another user (%lu), who could read "
	    "what is written there", (unsigned long)id.uid);
	error_place(err, path, 0);
	return error_hint(err, "remove it first, or name another file");
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
	if ((directory = file_folder(p->real)) == NULL)
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

int
path_identify(const struct path *p, struct file_id *id)
{
	struct stat st;

	memset(id, 0, sizeof(*id));
	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		file_id_set(id, &st);
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
