#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/aside.h"
#include "file/attributes.h"
#include "file/place.h"
#include "file/replace.h"

#define MODE_NEW 0600

struct replace {
	char *path;		/* as given, for errors */
	struct place place;
	struct file_id expected;
	int old;		/* the old file, open for reading; -1: there is none */
	struct aside aside;
	bool placed;		/* the new file stands at the place's name */
	struct file_id now;	/* what it was there, when placed */
	bool now_exact;		/* now.ctime is known */
};

static int
stale(const char *path, const char *what, struct error *err)
{
	error_set(err, ERROR_STALE, "%s", what);
	error_place(err, path, 0);
	return error_hint(err, "nothing was written over it; run the command again");
}

static int
refuse(const char *path, const char *what, const char *hint, struct error *err)
{
	error_set(err, ERROR_REFUSED, "%s", what);
	error_place(err, path, 0);
	return hint == NULL ? -1 : error_hint(err, "%s", hint);
}

static int
check_stale(const struct replace *r, struct error *err)
{
	struct file_id id;

	if (place_identify(&r->place, &id) == -1)
		return error_io(err, r->path, "cannot examine");
	if (file_id_equal(&id, &r->expected))
		return 0;
	if (!id.exists)
		return stale(r->path, "the file is gone since it was read", err);
	if (!r->expected.exists)
		return stale(r->path, "another program made this file meanwhile", err);
	return stale(r->path, "the file changed since it was read", err);
}

/* What a rename would fail for, when one can tell beforehand. */
static int
check_attributes(const struct replace *r, struct error *err)
{
#ifdef STATX_ATTR_IMMUTABLE
	struct statx sx;

	if (statx(r->place.dir, r->place.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) == -1)
		return 0;
	if (sx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return refuse(r->path, "the file is marked immutable or append-only",
		    "take the mark off first (chattr -i -a)", err);
#ifdef STATX_ATTR_MOUNT_ROOT
	if (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return refuse(r->path, "the file is a mount point",
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
	if (faccessat(r->place.dir, r->place.name, W_OK, AT_EACCESS) == 0)
		return 0;
	if (errno == EACCES)
		return refuse(r->path, "the file is read-only for this user",
		    "run as a user who may write it, or make it writable (chmod u+w)", err);
	return error_io(err, r->path, "the file cannot be written");
}

static int
check_directory(const struct replace *r, struct error *err)
{
	if (faccessat(r->place.dir, ".", W_OK | X_OK, AT_EACCESS) == 0)
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

	if (place_identify(&r->place, &id) == -1)
		return error_io(err, r->path, "cannot examine");
	if (id.exists && !S_ISREG(id.mode))
		return refuse(r->path, "not a regular file", NULL, err);
	if (id.exists && id.nlink > 1)
		return refuse(r->path, "the file has several hard links",
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
	r->old = openat(r->place.dir, r->place.name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (r->old == -1 || fstat(r->old, &st) == -1)
		return error_io(err, r->path, "cannot open");
	place_id(&id, &st);
	if (!file_id_equal(&id, &r->expected))
		return stale(r->path, "the file changed since it was read", err);
	return 0;
}

static int
write_new(struct replace *r, const struct buf *content,
    replace_verify_fn *verify, void *cookie, struct error *err)
{
	struct buf back;
	int result = -1;

	buf_init_secret(&back, content->len + 1);
	if (content->len > 0)
		(void)buf_reserve(&back, content->len);
	if (aside_open(&r->aside, &r->place, r->path, err) == -1 ||
	    aside_write(&r->aside, content, r->path, err) == -1)
		goto done;
	if (r->old != -1 ? attributes_copy(r->old, r->aside.fd, r->path, err) == -1 :
	    attributes_set_mode(r->aside.fd, MODE_NEW, r->path, err) == -1)
		goto done;
	if (aside_check(&r->aside, content, &back, r->path, err) == -1)
		goto done;
	if (verify == NULL || verify(cookie, &back, err) == 0)
		result = 0;
done:
	buf_release(&back);
	return result;
}

struct replace *
replace_prepare(const char *path, const struct file_id *expected,
    const struct buf *content, replace_verify_fn *verify, void *cookie,
    struct error *err)
{
	struct replace *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		error_memory(err);
		return NULL;
	}
	r->place = (struct place)PLACE_NONE;
	r->aside = (struct aside)ASIDE_NONE;
	r->old = -1;
	r->expected = *expected;
	r->path = strdup(path);
	if (r->path == NULL) {
		error_memory(err);
		goto fail;
	}
	if (place_open(&r->place, path, err) == -1 ||
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
	if (fstat(r->aside.fd, &st) == -1)
		return error_io(err, r->path, "cannot examine the new file");
	place_id(&r->now, &st);
	r->now.nlink = 1;
	result = r->expected.exists ?
	    aside_exchange(&r->aside, &r->place, r->path, err) :
	    aside_create(&r->aside, &r->place, r->path, err);
	if (result == -1)
		return -1;
	r->placed = true;
	if (fstat(r->aside.fd, &st) == -1)
		return error_io(err, r->path, "cannot examine the new file");
	/* The rename changed this.  What else differs is another hand's. */
	r->now.ctime = st.st_ctim;
	r->now_exact = true;
	if (place_sync(&r->place, r->aside.fd) == -1)
		return error_io(err, r->path, "cannot put its directory on disk");
	return 0;
}

/* Is the file in place still what we made? */
static int
check_new(struct replace *r, struct error *err)
{
	struct file_id id;

	if (place_identify(&r->place, &id) == -1)
		return error_io(err, r->place.real, "cannot examine");
	if (!r->now_exact)
		r->now.ctime = id.ctime;
	if (!file_id_equal(&id, &r->now))
		return stale(r->place.real, "another program changed it meanwhile", err);
	return 0;
}

/* Take away a file that was new. */
static int
remove_new(struct replace *r, struct error *err)
{
	if (unlinkat(r->place.dir, r->place.name, 0) == -1)
		return error_io(err, r->place.real, "cannot remove the new file");
	r->placed = false;
	if (place_sync(&r->place, r->aside.fd) == -1)
		return error_io(err, r->place.real, "cannot put its directory on disk");
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
	if (file_read_fd(r->old, r->place.real, &bytes, err) == -1)
		goto done;
	/* Two copies of it may be all that the disk holds: let the old one go. */
	close(r->old);
	r->old = -1;
	back = replace_prepare(r->place.real, &r->now, &bytes, NULL, NULL, err);
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
	return r->placed ? r->place.real : NULL;
}

void
replace_free(struct replace *r)
{
	if (r == NULL)
		return;
	aside_close(&r->aside, &r->place);
	if (r->old != -1)
		close(r->old);
	place_close(&r->place);
	free(r->path);
	free(r);
}
