#include <sys/stat.h>
#include <sys/xattr.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "file/attributes.h"

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
