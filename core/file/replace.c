#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"

#define TEMPORARY_NONE { -1, NULL, false }

#define SUFFIX ".propseal-tmp"
#define PRIVATE 0600

/* Limits of Linux (XATTR_LIST_MAX, XATTR_SIZE_MAX in linux/limits.h). */
#define LIST_MAX ((size_t)65536)
#define VALUE_MAX ((size_t)65536)

#define ACCESS_ACL "system.posix_acl_access"
#define MODE_BITS ((mode_t)07777)
#define MODE_NEW 0600

/*
 * A file being written beside another: without a name (O_TMPFILE) where the
 * system can do that, so that nothing is left behind whatever happens, else
 * as `.<name>.propseal-tmp`.
 */
struct temporary {
	int fd;
	char *name;	/* in the directory of the file */
	bool named;	/* the name is there and it is ours */
};

/* ${path}, in all of these, is for errors only. */

/* Room for the lists and values that are compared. */
struct scratch {
	char list[LIST_MAX];
	char ours[VALUE_MAX];
	char theirs[VALUE_MAX];
};

struct replace {
	char *path;		/* as given, for errors */
	struct path where;
	struct file_id expected;
	int old;		/* the old file, open for reading; -1: there is none */
	struct temporary temporary;
	bool placed;		/* the new file stands at its name */
	struct file_id now;	/* what it was there, when placed */
	bool now_exact;		/* now.ctime is known */
};

/* Where a file without a name can be reached to give it one. */
#define FD_PATH_SIZE 32
static void
fd_path(char path[FD_PATH_SIZE], int fd)
{
	snprintf(path, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
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

/* Remove it, unless it was put in place, and close.  Twice is fine. */
static void
temporary_close(struct temporary *a, const struct path *p)
{
	if (a->named)
		(void)unlinkat(p->dir, a->name, 0);
	if (a->fd != -1)
		close(a->fd);
	free(a->name);
	*a = (struct temporary)TEMPORARY_NONE;
}

/* Remove what an interrupted run left, then open a new one, mode 0600. */
static int
temporary_open(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	*a = (struct temporary)TEMPORARY_NONE;
	a->name = path_sidecar(p, SUFFIX);
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

/* Write all of ${content}, from the start. */
static int
temporary_write(struct temporary *a, const struct buf *content, const char *path, struct error *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < content->len) {
		n = write(a->fd, content->data + done, content->len - done);
		if (n == -1 && errno != EINTR)
			return error_io(err, path, "cannot write the new file");
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/**
 * temporary_check(a, content, back, path, err):
 * Sync, read back into ${back} (secret, empty) and compare with ${content}.
 */
static int
temporary_check(struct temporary *a, const struct buf *content, struct buf *back, const char *path,
    struct error *err)
{
	if (fsync(a->fd) == -1)
		return error_io(err, path, "cannot put the new file on disk");
	/* Ask for the disk's bytes, not for those that we left in the cache. */
	(void)posix_fadvise(a->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (lseek(a->fd, 0, SEEK_SET) == -1)
		return error_io(err, path, "cannot read the new file back");
	if (file_read_fd(a->fd, path, back, err) == -1)
		return -1;
	if (back->len == content->len &&
	    (back->len == 0 || memcmp(back->data, content->data, back->len) == 0))
		return 0;
	error_set(err, ERROR_IO, "the new file reads back differently from what was written");
	error_place(err, path, 0);
	return error_hint(err, "check the disk; the file was left as it was");
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
	if (fstatat(p->dir, a->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return 0;
	a->named = false;
	error_set(err, ERROR_STALE, "%s, the new file beside it, was removed or replaced",
	    a->name);
	return error_place(err, path, 0);
}

/* Put it at the file's name, where a file is (replacing it).  ERROR_IO;
 * ERROR_STALE: somebody removed or swapped it under its own name. */
static int
temporary_exchange(struct temporary *a, const struct path *p, const char *path, struct error *err)
{
	if (!a->named) {
		/* A link cannot replace a name, only a rename can. */
		if (give_name(a, p, a->name) == -1)
			return error_io(err, path, "cannot give the new file a name");
		a->named = true;
	}
	if (check_there(a, p, path, err) == -1)
		return -1;
	if (renameat(p->dir, a->name, p->dir, p->name) == -1) {
		error_io(err, path, "cannot put the new file in its place");
		if (errno == EBUSY)
			error_hint(err, "it is a mount point: change the file that is mounted");
		return -1;
	}
	a->named = false;
	return 0;
}

/* Rename without replacing; systems that cannot promise it just look first. */
static int
rename_new(const struct path *p, const char *from)
{
	struct file_id id;

	if (compat_rename_new(p->dir, from, p->name) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		return -1;
	if (path_identify(p, &id) == -1)
		return -1;
	if (id.exists) {
		errno = EEXIST;
		return -1;
	}
	return renameat(p->dir, from, p->dir, p->name);
}

/* Put it at the file's name, where no file is: ERROR_STALE if one is. */
static int
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

/* Set the mode of a new file and make sure that it took. */
static int
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

/**
 * attributes_copy(from, to, path, err):
 * Give the open file ${to} the owner, group, extended attributes (POSIX ACL
 * among them) and mode of ${from}, in this order: the mode last, as it lets
 * others in.  ${path} is for errors.  Attributes that the file system of
 * ${to} does not know are left out.  ERROR_REFUSED: we may not give it this
 * owner, attribute or mode.  ERROR_IO.
 */
static int
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

static int
replace_stale(const char *path, const char *what, struct error *err)
{
	error_set(err, ERROR_STALE, "%s", what);
	error_place(err, path, 0);
	return error_hint(err, "nothing was written over it; run the command again");
}

static int
replace_refuse(const char *path, const char *what, const char *hint, struct error *err)
{
	error_set(err, ERROR_REFUSED, "%s", what);
	error_place(err, path, 0);
	return hint == NULL ? -1 : error_hint(err, "%s", hint);
}

static int
check_stale(const struct replace *r, struct error *err)
{
	struct file_id id;

	if (path_identify(&r->where, &id) == -1)
		return error_io(err, r->path, "cannot examine");
	if (file_id_equal(&id, &r->expected))
		return 0;
	if (!id.exists)
		return replace_stale(r->path, "the file is gone since it was read", err);
	if (!r->expected.exists)
		return replace_stale(r->path, "another program made this file meanwhile", err);
	return replace_stale(r->path, "the file changed since it was read", err);
}

/* What a rename would fail for, when one can tell beforehand. */
static int
check_attributes(const struct replace *r, struct error *err)
{
#ifdef STATX_ATTR_IMMUTABLE
	struct statx sx;

	if (statx(r->where.dir, r->where.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) == -1)
		return 0;
	if (sx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return replace_refuse(r->path, "the file is marked immutable or append-only",
		    "take the mark off first (chattr -i -a)", err);
#ifdef STATX_ATTR_MOUNT_ROOT
	if (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return replace_refuse(r->path, "the file is a mount point",
		    "change the file that is mounted here", err);
#endif
#else
	(void)r;
	(void)err;
#endif
	return 0;
}

/* Replacing by rename needs no right to the file itself; we want one. */
static int
check_writable(const struct replace *r, struct error *err)
{
	if (faccessat(r->where.dir, r->where.name, W_OK, AT_EACCESS) == 0)
		return 0;
	if (errno == EACCES)
		return replace_refuse(r->path, "the file is read-only for this user",
		    "run as a user who may write it, or make it writable (chmod u+w)", err);
	return error_io(err, r->path, "the file cannot be written");
}

static int
check_directory(const struct replace *r, struct error *err)
{
	if (faccessat(r->where.dir, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	error_io(err, r->path, "its directory cannot be written");
	if (errno == EACCES || errno == EPERM)
		error_hint(err, "the directory must be writable: the new file is "
		    "written beside the old one and renamed");
	return -1;
}

/* May the file be replaced, and is it the expected one? */
static int
check_target(const struct replace *r, struct error *err)
{
	struct file_id id;

	if (path_identify(&r->where, &id) == -1)
		return error_io(err, r->path, "cannot examine");
	if (id.exists && !S_ISREG(id.mode))
		return replace_refuse(r->path, "not a regular file", NULL, err);
	if (id.exists && id.nlink > 1)
		return replace_refuse(r->path, "the file has several hard links",
		    "replacing it would part them; remove the other names, "
		    "or use symbolic links", err);
	if (check_stale(r, err) == -1)
		return -1;
	if (id.exists &&
	    (check_attributes(r, err) == -1 || check_writable(r, err) == -1))
		return -1;
	return check_directory(r, err);
}

static int
open_old(struct replace *r, struct error *err)
{
	struct file_id id;
	struct stat st;

	if (!r->expected.exists)
		return 0;
	r->old = openat(r->where.dir, r->where.name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (r->old == -1 || fstat(r->old, &st) == -1)
		return error_io(err, r->path, "cannot open");
	file_id_set(&id, &st);
	if (!file_id_equal(&id, &r->expected))
		return replace_stale(r->path, "the file changed since it was read", err);
	return 0;
}

static int
write_new(struct replace *r, const struct buf *content, replace_verify_fn *verify, void *cookie,
    struct error *err)
{
	struct buf back;
	int result = -1;

	buf_init_secret(&back, content->len + 1);
	if (content->len > 0)
		(void)buf_reserve(&back, content->len);
	if (temporary_open(&r->temporary, &r->where, r->path, err) == -1 ||
	    temporary_write(&r->temporary, content, r->path, err) == -1)
		goto done;
	if (r->old != -1 ? attributes_copy(r->old, r->temporary.fd, r->path, err) == -1 :
	    attributes_set_mode(r->temporary.fd, MODE_NEW, r->path, err) == -1)
		goto done;
	if (temporary_check(&r->temporary, content, &back, r->path, err) == -1)
		goto done;
	if (verify == NULL || verify(cookie, &back, err) == 0)
		result = 0;
done:
	buf_release(&back);
	return result;
}

struct replace *
replace_prepare(const char *path, const struct file_id *expected, const struct buf *content,
    replace_verify_fn *verify, void *cookie, struct error *err)
{
	struct replace *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	r->where = (struct path)PATH_NONE;
	r->temporary = (struct temporary)TEMPORARY_NONE;
	r->old = -1;
	r->expected = *expected;
	r->path = strdup(path);
	if (r->path == NULL) {
		error_memory(err);
		goto fail;
	}
	if (path_open(&r->where, path, err) == -1 ||
	    check_target(r, err) == -1 || open_old(r, err) == -1 ||
	    write_new(r, content, verify, cookie, err) == -1)
		goto fail;
	return r;

fail:
	replace_free(r);
	return NULL;
}

int
replace_commit(struct replace *r, struct error *err)
{
	struct stat st;
	int result;

	if (check_stale(r, err) == -1)
		return -1;
	/* Known before it is in place, so that it can be undone whatever fails. */
	if (fstat(r->temporary.fd, &st) == -1)
		return error_io(err, r->path, "cannot examine the new file");
	file_id_set(&r->now, &st);
	r->now.nlink = 1;
	result = r->expected.exists ?
	    temporary_exchange(&r->temporary, &r->where, r->path, err) :
	    temporary_create(&r->temporary, &r->where, r->path, err);
	if (result == -1)
		return -1;
	r->placed = true;
	if (fstat(r->temporary.fd, &st) == -1)
		return error_io(err, r->path, "cannot examine the new file");
	/* The rename changed this.  What else differs is another hand's. */
	r->now.ctime = st.st_ctim;
	r->now_exact = true;
	if (path_sync(&r->where, r->temporary.fd) == -1)
		return error_io(err, r->path, "cannot put its directory on disk");
	return 0;
}

/* Is the file in place still what we made? */
static int
check_new(struct replace *r, struct error *err)
{
	struct file_id id;

	if (path_identify(&r->where, &id) == -1)
		return error_io(err, r->where.real, "cannot examine");
	if (!r->now_exact)
		r->now.ctime = id.ctime;
	if (!file_id_equal(&id, &r->now))
		return replace_stale(r->where.real, "another program changed it meanwhile", err);
	return 0;
}

/* Take away a file that was new. */
static int
remove_new(struct replace *r, struct error *err)
{
	if (unlinkat(r->where.dir, r->where.name, 0) == -1)
		return error_io(err, r->where.real, "cannot remove the new file");
	r->placed = false;
	if (path_sync(&r->where, r->temporary.fd) == -1)
		return error_io(err, r->where.real, "cannot put its directory on disk");
	return 0;
}

int
replace_undo(struct replace *r, struct error *err)
{
	struct buf bytes;
	struct replace *back = NULL;
	int result = -1;

	if (!r->placed)
		return 0;
	if (check_new(r, err) == -1)
		return -1;
	if (!r->expected.exists)
		return remove_new(r, err);
	buf_init_secret(&bytes, BUF_MAX_FILE);
	if (r->expected.size > 0)
		(void)buf_reserve(&bytes, (size_t)r->expected.size);
	if (file_read_fd(r->old, r->where.real, &bytes, err) == -1)
		goto done;
	/* Two copies of it may be all that the disk holds: let the old one go. */
	close(r->old);
	r->old = -1;
	back = replace_prepare(r->where.real, &r->now, &bytes, NULL, NULL, err);
	if (back != NULL) {
		result = replace_commit(back, err);
		r->placed = !back->placed;
	}
	replace_free(back);
done:
	buf_release(&bytes);
	return result;
}

const char *
replace_placed(const struct replace *r)
{
	return r->placed ? r->where.real : NULL;
}

void
replace_free(struct replace *r)
{
	if (r == NULL)
		return;
	temporary_close(&r->temporary, &r->where);
	if (r->old != -1)
		close(r->old);
	path_close(&r->where);
	free(r->path);
	free(r);
}

int
replace_file(const char *path, const struct file_id *expected, const struct buf *content,
    struct error *err)
{
	struct replace *r = replace_prepare(path, expected, content, NULL, NULL, err);
	int rc = r != NULL ? replace_commit(r, err) : -1;

	replace_free(r);
	return rc;
}

static int
under_lock(const char *path, int timeout_ms, bool must_be_new, const struct buf *content,
    struct error *err)
{
	struct lock *l = lock_files(&path, 1, timeout_ms, NULL, NULL, err);
	struct file_id id;
	int rc = -1;

	if (l == NULL || file_identify(path, &id, err) != 0)
		goto done;
	if (must_be_new && id.exists) {
		error_set(err, ERROR_EXISTS, "the file is there already");
		error_place(err, path, 0);
		goto done;
	}
	rc = replace_file(path, &id, content, err);
done:
	lock_release(l);
	return rc;
}

int
replace_file_locked(const char *path, int timeout_ms, const struct buf *content, struct error *err)
{
	return under_lock(path, timeout_ms, false, content, err);
}

int
replace_file_new(const char *path, int timeout_ms, const struct buf *content, struct error *err)
{
	return under_lock(path, timeout_ms, true, content, err);
}
