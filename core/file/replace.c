#include <sys/stat.h>
#include <sys/types.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "file/temporary.h"

#define KEPT ".propseal-kept"
#define COMMIT_WAIT_MS 1000	/* of replace_commit, for a lease */
#define MODE_NEW 0600

struct replace {
	char *path;		/* as given, for errors */
	struct path where;
	struct file_id expected;
	int old;		/* the old file, open for reading; -1: there is none */
	struct temporary temporary;	/* after an exchange its name leads to the old file */
	enum replace_state state;
	bool exchanged;		/* it can be exchanged back */
	bool leased;		/* there is, or was, a lease on the old file */
	bool kept;		/* what has the temporary name is another program's, and stays */
	struct file_id now;	/* what the new file is, but for the time of the rename */
	int sync_error;		/* errno; 0: its folder is on disk, -1: not synced */
};

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

int
replace_possible(const char *path, struct error *err)
{
	struct replace r = { .path = strdup(path), .old = -1 };
	int rc = r.path == NULL ? error_memory(err) : 0;

	if (rc == 0 && (rc = path_open(&r.where, path, err)) == 0) {
		if (path_identify(&r.where, &r.expected) == -1)
			rc = error_io(err, path, "cannot examine");
		else
			rc = check_target(&r, err);
		path_close(&r.where);
	}
	free(r.path);
	return rc;
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
write_bytes(void *cookie, struct buf *out, struct error *err)
{
	const struct buf *bytes = cookie;

	buf_append(out, bytes->data, bytes->len);
	return buf_check(out, err);
}

struct file_content
replace_content_of(const struct buf *bytes)
{
	return (struct file_content){ .write = write_bytes, .cookie = (void *)(uintptr_t)bytes };
}

static int
write_new(struct replace *r, const struct file_content *content, struct error *err)
{
	if (temporary_open(&r->temporary, &r->where, r->path, err) == -1 ||
	    temporary_write(&r->temporary, content, r->path, err) == -1)
		return -1;
	if (r->old != -1 ? attributes_copy(r->old, r->temporary.fd, r->path, err) == -1 :
	    attributes_set_mode(r->temporary.fd, r->expected.mode != 0 ? r->expected.mode :
	    MODE_NEW, r->path, err) == -1)
		return -1;
	return temporary_check(&r->temporary, content, r->path, err);
}

struct replace *
replace_prepare(const char *path, const struct file_id *expected,
    const struct file_content *content, struct error *err)
{
	struct replace *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	r->where = (struct path)PATH_NONE;
	r->temporary = (struct temporary)TEMPORARY_NONE;
	r->old = -1;
	r->sync_error = -1;
	r->expected = *expected;
	r->path = strdup(path);
	if (r->path == NULL) {
		error_memory(err);
		goto fail;
	}
	if (path_open(&r->where, path, err) == -1 ||
	    check_target(r, err) == -1 || open_old(r, err) == -1 ||
	    write_new(r, content, err) == -1)
		goto fail;
	return r;

fail:
	replace_free(r);
	return NULL;
}

/*
 * A lease for reading on the old file: it is refused while somebody has the
 * file open for writing, and broken when somebody opens it so, who then waits
 * until we give it back.  So nobody writes to the old file while it changes
 * places with the new one without its being seen.
 */
static enum wait_outcome
lease_try(void *what, struct error *err)
{
	struct replace *r = what;

	(void)err;
#ifdef F_SETLEASE
	/* The signal that tells of a break would end us: take one that is ignored. */
	if (fcntl(r->old, F_SETSIG, SIGURG) == 0 && fcntl(r->old, F_SETLEASE, F_RDLCK) == 0)
		r->leased = true;
	else if (errno == EAGAIN && !compat_is_on_network(r->old))
		return WAIT_BUSY;
#endif
	/* Not our file, or a file system without leases: replace_is_blind. */
	return WAIT_GOT;
}

static bool
lease_is_broken(const struct replace *r)
{
#ifdef F_SETLEASE
	return r->leased && fcntl(r->old, F_GETLEASE) != F_RDLCK;
#else
	return false;
#endif
}

static int
lease_take(struct replace *r, const struct wait *w, struct error *err)
{
	if (wait_for(w, lease_try, r, r->path, err) == WAIT_GOT)
		return 0;
	error_set(err, ERROR_BUSY, "another program has the file open for writing");
	error_place(err, r->path, 0);
	return error_hint(err, "try again when it is done, or wait longer (--lock-timeout)");
}

/* Does ${name}, beside the file, lead to ${id}?  A rename changes its ctime,
 * which ${there} gets. */
static int
check_name(const struct replace *r, const char *name, struct file_id id, struct file_id *there,
    struct error *err)
{
	const struct path beside = { r->where.dir, NULL, name };

	if (path_identify(&beside, there) == -1)
		return error_io(err, r->path, "cannot examine");
	id.ctime = there->ctime;
	return file_id_equal(there, &id) ? 0 :
	    replace_stale(r->path, "another program changed it meanwhile", err);
}

static int
exchange(const struct replace *r)
{
	return compat_rename(r->where.dir, r->temporary.name, r->where.name, RENAME_EXCHANGE);
}

/* Put the new file at the old one's name; the old one gets the temporary name. */
static int
replace_exchange(struct replace *r, struct error *err)
{
	struct temporary *a = &r->temporary;

	/* With the lease: who changed it before is seen now, who comes later waits. */
	if (temporary_name(a, &r->where, r->path, err) == -1 || check_stale(r, err) == -1)
		return -1;
	if (exchange(r) == 0) {
		r->exchanged = true;
		r->state = REPLACE_NEW;
		return 0;
	}
	if (compat_rename_is_missing()) {
		if (check_stale(r, err) == -1)
			return -1;
		if (renameat(r->where.dir, a->name, r->where.dir, r->where.name) == 0) {
			a->named = false;
			r->state = REPLACE_NEW;
			return 0;
		}
	}
	error_io(err, r->path, "cannot put the new file in its place");
	if (errno == EBUSY)
		error_hint(err, "it is a mount point: change the file that is mounted");
	return -1;
}

int
replace_place(struct replace *r, const struct wait *w, struct error *err)
{
	struct file_id old;
	struct stat st;

	/* Known before it is in place, so that it can be undone whatever fails. */
	if (fstat(r->temporary.fd, &st) == -1)
		return error_io(err, r->path, "cannot examine the new file");
	file_id_set(&r->now, &st);
	r->now.nlink = 1;
	if (!r->expected.exists) {
		if (check_stale(r, err) == -1 ||
		    temporary_create(&r->temporary, &r->where, r->path, err) == -1)
			return -1;
		r->state = REPLACE_NEW;
		return 0;
	}
	if (lease_take(r, w, err) == -1 || replace_exchange(r, err) == -1)
		return -1;
	if (!r->exchanged)
		return 0;
	if (lease_is_broken(r))
		replace_stale(r->path, "another program opened it meanwhile", err);
	else if (check_name(r, r->temporary.name, r->expected, &old, err) == 0)
		return 0;
	return replace_undo(r, err);
}

/* Are both in one folder? */
static bool
is_beside(const struct replace *a, const struct replace *b)
{
	size_t n = (size_t)(a->where.name - a->where.real);

	return (size_t)(b->where.name - b->where.real) == n &&
	    memcmp(a->where.real, b->where.real, n) == 0;
}

void
replace_sync(struct replace *const r[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		if (r[i] == NULL || r[i]->state == REPLACE_OLD)
			continue;
		while (j < i && (r[j] == NULL || r[j]->state == REPLACE_OLD ||
		    !is_beside(r[i], r[j])))
			j++;
		if (j < i)
			r[i]->sync_error = r[j]->sync_error;
		else
			r[i]->sync_error = path_sync(&r[i]->where, r[i]->temporary.fd) == 0 ? 0 :
			    errno;
	}
}

int
replace_check(const struct replace *r, struct error *err)
{
	if (r->sync_error != 0) {
		errno = r->sync_error;
		return error_io(err, r->path, "cannot put its directory on disk");
	}
	return !lease_is_broken(r) ? 0 :
	    replace_stale(r->path, "another program opened it meanwhile", err);
}

int
replace_identify(const struct replace *r, struct file_id *id, struct error *err)
{
	return check_name(r, r->where.name, r->now, id, err);
}

int
replace_settle(struct replace *r, struct error *err)
{
	struct temporary *a = &r->temporary;

	/* Once more, as what stays may be clear text. */
	if (a->named && unlinkat(r->where.dir, a->name, 0) == -1 &&
	    unlinkat(r->where.dir, a->name, 0) == -1) {
		error_io(err, r->path, "cannot remove the old file");
		return error_hint(err, "%s beside it is the old file: remove it", a->name);
	}
	a->named = false;
	return 0;
}

/* What another program wrote to the old file must not be removed with it: it
 * gets a name that nothing removes. */
static void
keep_aside(struct replace *r)
{
	char *name = path_sidecar(&r->where, KEPT);

	if (name != NULL && renameat(r->where.dir, r->temporary.name, r->where.dir, name) == 0) {
		free(r->temporary.name);
		r->temporary.name = name;
	} else {
		free(name);
	}
	r->temporary.named = false;
	r->kept = true;
}

/* Put back what stood there.  -1: it is not, or may not be on disk. */
static int
replace_put_back(struct replace *r, struct error *why)
{
	struct file_id there;

	if (check_name(r, r->where.name, r->now, &there, why) == -1)
		return -1;
	if (!r->expected.exists) {
		if (unlinkat(r->where.dir, r->where.name, 0) == -1)
			return error_io(why, r->where.real, "cannot remove the new file");
	} else if (!r->exchanged) {
		return error_set(why, ERROR_IO, "two files cannot be exchanged here");
	} else if (exchange(r) == -1) {
		return error_io(why, r->where.real, "cannot put the old file back");
	} else if (check_name(r, r->temporary.name, r->now, &there, why) == -1) {
		/* Another hand was quicker: what it made stays. */
		if (exchange(r) == -1) {
			keep_aside(r);
			r->state = REPLACE_UNSURE;
		}
		return -1;
	}
	r->state = REPLACE_UNSURE;
	if (path_sync(&r->where, r->temporary.fd) == -1)
		return error_io(why, r->where.real, "cannot put its directory on disk");
	r->state = REPLACE_OLD;
	return 0;
}

int
replace_undo(struct replace *r, struct error *err)
{
	struct error first, why;

	if (r->state == REPLACE_OLD || replace_put_back(r, &why) == 0)
		return -1;
	if (r->state == REPLACE_NEW && r->exchanged && lease_is_broken(r))
		keep_aside(r);
	if (err == NULL)
		return -1;
	first = *err;
	error_set(err, first.code, "%s; %s %s (%s)", first.text, r->where.real,
	    r->state == REPLACE_NEW ? "is changed already and could not be put back" :
	    "was put back, but that may not be on disk", why.text);
	error_place(err, first.file, first.line);
	if (r->kept)
		return error_hint(err, "%s beside it is the old file with what another program "
		    "wrote to it", r->temporary.name);
	return error_hint(err, "no secret is lost: what the file refers to was left in place; see "
	    "to the cause, then run the command again");
}

enum replace_state
replace_state(const struct replace *r)
{
	return r->state;
}

bool
replace_is_blind(const struct replace *r)
{
	return r->state == REPLACE_NEW && r->expected.exists && (!r->leased || !r->exchanged);
}

void
replace_free(struct replace *r)
{
	if (r == NULL)
		return;
	temporary_close(&r->temporary, &r->where);
#ifdef F_SETLEASE
	/* A child that was just forked may have the descriptor, too. */
	if (r->leased)
		(void)fcntl(r->old, F_SETLEASE, F_UNLCK);
#endif
	if (r->old != -1)
		close(r->old);
	path_close(&r->where);
	free(r->path);
	free(r);
}

int
replace_commit(struct replace *r, struct error *err)
{
	struct wait w = { .timeout_ms = COMMIT_WAIT_MS };

	wait_start(&w);
	if (replace_place(r, &w, err) == -1)
		return -1;
	replace_sync(&r, 1);
	if (replace_check(r, err) == 0 && replace_settle(r, err) == 0)
		return 0;
	return replace_undo(r, err);
}

static int
replace_content(const char *path, const struct file_id *expected,
    const struct file_content *content, struct error *err)
{
	struct replace *r = replace_prepare(path, expected, content, err);
	int rc = r != NULL ? replace_commit(r, err) : -1;

	replace_free(r);
	return rc;
}

int
replace_file(const char *path, const struct file_id *expected, const struct buf *content,
    struct error *err)
{
	const struct file_content all = replace_content_of(content);

	return replace_content(path, expected, &all, err);
}

static int
under_lock(const char *path, int timeout_ms, bool must_be_new, const struct file_content *content,
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
	rc = replace_content(path, &id, content, err);
done:
	lock_release(l);
	return rc;
}

int
replace_file_locked(const char *path, int timeout_ms, const struct buf *content, struct error *err)
{
	const struct file_content all = replace_content_of(content);

	return under_lock(path, timeout_ms, false, &all, err);
}

int
replace_file_new(const char *path, int timeout_ms, const struct file_content *content,
    struct error *err)
{
	return under_lock(path, timeout_ms, true, content, err);
}
