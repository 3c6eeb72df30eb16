#include <sys/stat.h>
#include <sys/xattr.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/map.h"
#include "base/secmem.h"
#include "base/vec.h"
#include "file/file.h"
#include "file/temporary.h"

#define PRIVATE 0600
#define PIECES_MAX (2 * BUF_MAX_FILE / BUF_DRAIN)

/*
 * A piece that was written.  No copy of a large file is held to compare it with: the sum is
 * keyed at random (siphash_seed), so what reads back otherwise has another one but once in
 * 2^64 times.
 */
struct temporary_sum {
	size_t n;
	uint64_t sum;
};

/* Where a file without a name can be reached to give it one. */
#define FD_PATH_SIZE 32
static void
fd_path(char path[FD_PATH_SIZE], int fd)
{
	snprintf(path, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* Limits of Linux (XATTR_LIST_MAX, XATTR_SIZE_MAX in linux/limits.h). */
#define LIST_MAX ((size_t)65536)
#define VALUE_MAX ((size_t)65536)

#define ACCESS_ACL "system.posix_acl_access"
#define MODE_BITS ((mode_t)07777)

/* Room for the lists and values that are compared. */
struct scratch {
	char list[LIST_MAX];
	char ours[VALUE_MAX];
	char theirs[VALUE_MAX];
};

/* The kernel computes these from the file itself; a copy would be wrong. */
static bool
is_computed(const char *name)
{
	return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

static bool
is_unsupported(int code)
{
	return code == ENOTSUP || code == EOPNOTSUPP || code == ENOSYS;
}

static int
refuse_attribute(struct error *err, const char *path, const char *name)
{
	const char *why = strerror(errno);

	error_set(err, ERROR_REFUSED,
	    "the new file cannot get the attribute %s of the old one: %s", name, why);
	error_place(err, path, 0);
	return error_hint(err, "run as root, or remove the attribute first (setfattr -x)");
}

static int
copy_one(int from, int to, const char *name, struct scratch *s, const char *path, struct error *err)
{
	ssize_t n = fgetxattr(from, name, s->theirs, sizeof(s->theirs));
	ssize_t have;

	if (n == -1 && (errno == ENODATA || is_unsupported(errno)))
		return 0;
	if (n == -1)
		return refuse_attribute(err, path, name);
	/* Often it is there already: a security label, an inherited ACL. */
	have = fgetxattr(to, name, s->ours, sizeof(s->ours));
	if (have == n && memcmp(s->ours, s->theirs, (size_t)n) == 0)
		return 0;
	if (fsetxattr(to, name, s->theirs, (size_t)n, 0) == -1 &&
	    !is_unsupported(errno))
		return refuse_attribute(err, path, name);
	return 0;
}

/* An ACL that the directory gave the new file and the old one has not. */
static int
drop_inherited_acl(int from, int to, const char *path, struct error *err)
{
	if (fgetxattr(from, ACCESS_ACL, NULL, 0) != -1 ||
	    fgetxattr(to, ACCESS_ACL, NULL, 0) == -1)
		return 0;
	if (fremovexattr(to, ACCESS_ACL) == -1 && errno != ENODATA &&
	    !is_unsupported(errno))
		return refuse_attribute(err, path, ACCESS_ACL);
	return 0;
}

static int
copy_extended(int from, int to, const char *path, struct error *err)
{
	struct scratch *s = malloc(sizeof(*s));
	const char *name;
	ssize_t n;
	int result = -1;

	if (s == NULL)
		return error_memory(err);
	n = flistxattr(from, s->list, sizeof(s->list));
	if (n == -1 && is_unsupported(errno))
		n = 0;
	if (n == -1) {
		error_io(err, path, "cannot list its extended attributes");
		goto done;
	}
	for (name = s->list; name < s->list + n; name += strlen(name) + 1) {
		if (!is_computed(name) && copy_one(from, to, name, s, path, err) == -1)
			goto done;
	}
	result = drop_inherited_acl(from, to, path, err);
done:
	free(s);
	return result;
}

static int
copy_owner(int to, const struct stat *want, const char *path, struct error *err)
{
	struct stat st;
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (fstat(to, &st) == -1)
		return error_io(err, path, "cannot examine the new file");
	if (st.st_uid != want->st_uid)
		uid = want->st_uid;
	if (st.st_gid != want->st_gid)
		gid = want->st_gid;
	if (uid == (uid_t)-1 && gid == (gid_t)-1)
		return 0;
	if (fchown(to, uid, gid) == 0)
		return 0;
	if (errno != EPERM && errno != EINVAL)
		return error_io(err, path, "cannot keep its owner and group");
	error_set(err, ERROR_REFUSED, "its owner and group (%lu:%lu) cannot be kept",
	    (unsigned long)want->st_uid, (unsigned long)want->st_gid);
	error_place(err, path, 0);
	return error_hint(err, "run as the file's owner, in its group, or as root");
}

int
attributes_set_mode(int fd, mode_t mode, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_io(err, path, "cannot examine the new file");
	/* Not every file system has modes: right by itself is right. */
	if ((st.st_mode & MODE_BITS) == (mode & MODE_BITS))
		return 0;
	if (fchmod(fd, mode & MODE_BITS) == -1 && errno != EPERM && !is_unsupported(errno))
		return error_io(err, path, "cannot set the mode of the new file");
	if (fstat(fd, &st) == -1)
		return error_io(err, path, "cannot examine the new file");
	if ((st.st_mode & MODE_BITS) == (mode & MODE_BITS))
		return 0;
	error_set(err, ERROR_REFUSED, "the new file gets the mode %04o instead of %04o",
	    (unsigned)(st.st_mode & MODE_BITS), (unsigned)(mode & MODE_BITS));
	error_place(err, path, 0);
	return error_hint(err, "use a file system that keeps permissions, "
	    "or run as the file's owner");
}

int
attributes_copy(int from, int to, const char *path, struct error *err)
{
	struct stat want;

	if (fstat(from, &want) == -1)
		return error_io(err, path, "cannot examine");
	/* The owner first: a change of it drops capabilities and set-id bits. */
	if (copy_owner(to, &want, path, err) == -1 ||
	    copy_extended(from, to, path, err) == -1)
		return -1;
	return attributes_set_mode(to, want.st_mode, path, err);
}

/* Why the open file is not ours to change; NULL: it is. */
static const char *
narrow_refuses(const struct stat *st)
{
	if (st->st_uid != geteuid())
		return "it belongs to another user";
	if (S_ISREG(st->st_mode) && st->st_nlink > 1)
		return "it has other names, too (hard links)";
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? NULL :
	    "it is neither a file nor a folder";
}

int
attributes_narrow(const char *path, mode_t bits, bool dry, mode_t *mode, struct error *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *why = NULL;
	struct stat st;
	int rc = -1;

	*mode = 0;
	if (fd == -1 && errno != ELOOP)
		return error_io(err, path, "cannot open it to change its mode");
	if (fd == -1)
		why = "it is a symbolic link";
	else if (fstat(fd, &st) == -1)
		error_io(err, path, "cannot examine");
	else if ((why = narrow_refuses(&st)) == NULL) {
		*mode = st.st_mode & MODE_BITS;
		if (!dry && (*mode & bits) != 0 && (fchmod(fd, *mode & ~bits) == -1 ||
		    fstat(fd, &st) == -1 || (st.st_mode & bits) != 0))
			error_io(err, path, "cannot change its mode");
		else
			rc = 0;
	}
	if (why != NULL) {
		error_set(err, ERROR_REFUSED, "%s", why);
		error_place(err, path, 0);
	}
	if (fd != -1)
		close(fd);
	return rc;
}

/* -1: it cannot be done here, use a name. */
static int
open_nameless(const struct path *p)
{
#ifdef O_TMPFILE
	char path[FD_PATH_SIZE];
	int fd = openat(p->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, PRIVATE);

	if (fd == -1)
		return -1;
	/* Without proc it could never be given its name. */
	fd_path(path, fd);
	if (faccessat(AT_FDCWD, path, F_OK, 0) == 0)
		return fd;
	close(fd);
#else
	(void)p;
#endif
	return -1;
}

void
temporary_close(struct temporary *a, const struct path *p)
{
	if (a->named)
		(void)unlinkat(p->dir, a->name, 0);
	if (a->fd != -1)
		close(a->fd);
	free(a->name);
	vec_release(&a->sums);
	*a = (struct temporary)TEMPORARY_NONE;
}

int
temporary_open(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	*a = (struct temporary)TEMPORARY_NONE;
	a->name = path_sidecar(p, PATH_TEMPORARY);
	if (a->name == NULL)
		return error_memory(err);
	if (unlinkat(p->dir, a->name, 0) == -1 && errno != ENOENT) {
		error_io(err, path, "cannot remove what an interrupted run left");
		error_hint(err, "remove %s beside it", a->name);
		goto fail;
	}
	a->fd = open_nameless(p);
	if (a->fd == -1) {
		a->fd = openat(p->dir, a->name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, PRIVATE);
		a->named = a->fd != -1;
	}
	if (a->fd == -1) {
		error_io(err, path, "cannot write a new file beside it");
		if (errno == EACCES || errno == EPERM)
			error_hint(err, "its directory must be writable");
		goto fail;
	}
	return 0;

fail:
	temporary_close(a, p);
	return -1;
}

static int
sum_of(const unsigned char *bytes, size_t n, uint64_t *sum)
{
	unsigned char seed[SIPHASH_KEY];

	if (siphash_seed(seed) != 0)
		return -1;
	*sum = siphash_13(seed, bytes, n);
	return 0;
}

/* A temporary file on its way to the disk. */
struct writing {
	struct temporary *a;
	struct error why;	/* why it cannot be written */
};

/* Write a piece, and remember it. */
static int
write_piece(struct writing *w, const unsigned char *bytes, size_t n)
{
	struct temporary_sum *x = vec_push(&w->a->sums);

	if (x == NULL || sum_of(bytes, n, &x->sum) != 0)
		return error_memory(&w->why);
	x->n = n;
	return file_write(w->a->fd, bytes, n) == 0 ? 0 :
	    error_io(&w->why, "", "cannot write the new file");
}

static int
write_pieces(void *cookie, const unsigned char *bytes, size_t n)
{
	struct writing *w = cookie;

	for (size_t at = 0; at < n; at += BUF_DRAIN)
		if (write_piece(w, bytes + at, n - at < BUF_DRAIN ? n - at : BUF_DRAIN) == -1)
			return (int)w->why.code;
	return 0;
}

int
temporary_write(struct temporary *a, const struct file_content *content, const char *path,
    struct error *err)
{
	struct writing w = { .a = a };
	struct buf out;
	int rc;

	vec_init(&a->sums, sizeof(struct temporary_sum), PIECES_MAX);
	buf_init_drain(&out, BUF_MAX_FILE, write_pieces, &w);
	rc = content->write(content->cookie, &out, err);
	if (rc == 0) {
		buf_drain(&out);
		rc = buf_check(&out, err);
	}
	buf_release(&out);
	if (w.why.code == ERROR_NONE)
		return rc;
	if (err != NULL)
		*err = w.why;
	return error_place(err, path, 0);
}

/* Read so many bytes, or to the end.  -1: errno. */
static ssize_t
read_piece(const struct temporary *a, unsigned char *to, size_t n)
{
	size_t done = 0;
	ssize_t k;

	while (done < n && (k = read(a->fd, to + done, n - done)) != 0) {
		if (k == -1 && errno != EINTR)
			return -1;
		done += k > 0 ? (size_t)k : 0;
	}
	return (ssize_t)done;
}

static int
reads_differently(const char *path, struct error *err)
{
	error_set(err, ERROR_IO, "the new file reads back differently from what was written");
	error_place(err, path, 0);
	return error_hint(err, "check the disk; the file was left as it was");
}

/* All that was written, and nothing behind it. */
static int
read_back(struct temporary *a, const struct file_content *content, unsigned char *to,
    const char *path, struct error *err)
{
	const struct temporary_sum *x;
	uint64_t sum;
	ssize_t n;

	if (lseek(a->fd, 0, SEEK_SET) == -1)
		return error_io(err, path, "cannot read the new file back");
	for (size_t i = 0; i <= a->sums.len; i++) {
		x = i < a->sums.len ? vec_at(&a->sums, i) : NULL;
		n = read_piece(a, to, x != NULL ? x->n : 1);
		if (n == -1)
			return error_io(err, path, "cannot read the new file back");
		if (x == NULL)
			return n == 0 ? 0 : reads_differently(path, err);
		if (sum_of(to, (size_t)n, &sum) != 0)
			return error_memory(err);
		if ((size_t)n != x->n || sum != x->sum)
			return reads_differently(path, err);
		if (content->look != NULL &&
		    content->look(content->cookie, to, (size_t)n, err) == -1)
			return -1;
	}
	return 0;
}

int
temporary_check(struct temporary *a, const struct file_content *content, const char *path,
    struct error *err)
{
	unsigned char *piece;
	size_t most = 1, cap;
	int rc;

	for (size_t i = 0; i < a->sums.len; i++) {
		const struct temporary_sum *x = vec_at(&a->sums, i);

		most = x->n > most ? x->n : most;
	}
	if (fsync(a->fd) == -1)
		return error_io(err, path, "cannot put the new file on disk");
	/* Ask for the disk's bytes, not for those that we left in the cache. */
	(void)posix_fadvise(a->fd, 0, 0, POSIX_FADV_DONTNEED);
	if ((piece = secmem_map(most, &cap)) == NULL)
		return error_memory(err);
	rc = read_back(a, content, piece, path, err);
	secmem_unmap(piece, cap);
	vec_release(&a->sums);
	return rc == 0 && content->end != NULL ? content->end(content->cookie, err) : rc;
}

/* Give a nameless file the name ${name}. */
static int
give_name(const struct temporary *a, const struct path *p, const char *name)
{
	char path[FD_PATH_SIZE];

	fd_path(path, a->fd);
	return linkat(AT_FDCWD, path, p->dir, name, AT_SYMLINK_FOLLOW);
}

/* Does its name still lead to it?  Whoever may write the directory could swap it. */
static int
check_there(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	struct stat here, there;

	if (fstat(a->fd, &here) == -1)
		return error_io(err, path, "cannot examine the new file");
	if (fstatat(p->dir, a->name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
		if (here.st_dev == there.st_dev && here.st_ino == there.st_ino)
			return 0;
	} else if (errno != ENOENT) {
		return error_io(err, path, "cannot examine the new file");
	}
	a->named = false;
	error_set(err, ERROR_STALE, "%s, the new file beside it, was removed or replaced",
	    a->name);
	return error_place(err, path, 0);
}

int
temporary_name(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	if (!a->named) {
		/* A link cannot replace a name, only a rename can. */
		if (give_name(a, p, a->name) == -1)
			return error_io(err, path, "cannot give the new file a name");
		a->named = true;
	}
	return check_there(a, p, path, err);
}

/* Rename without replacing; systems that cannot promise it just look first. */
static int
rename_new(const struct path *p, const char *from)
{
	struct file_id id;

	if (compat_rename(p->dir, from, p->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (!compat_rename_is_missing())
		return -1;
	if (path_identify(p, &id) == -1)
		return -1;
	if (id.exists) {
		errno = EEXIST;
		return -1;
	}
	return renameat(p->dir, from, p->dir, p->name);
}

int
temporary_create(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	int result;

	if (a->named && check_there(a, p, path, err) == -1)
		return -1;
	result = a->named ? rename_new(p, a->name) : give_name(a, p, p->name);
	if (result == 0) {
		a->named = false;
		return 0;
	}
	if (errno != EEXIST)
		return error_io(err, path, "cannot put the new file in its place");
	error_set(err, ERROR_STALE, "another program made this file meanwhile");
	return error_place(err, path, 0);
}
