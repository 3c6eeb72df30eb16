#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "base/vec.h"
#include "crypto/mac.h"
#include "file/file.h"
#include "file/lock.h"
#include "trail/trail.h"

#define SET_ANOTHER "set another file in your own propseal.ini: `trail = PATH` in [files]"
#define LINE_MAX_BYTES ((size_t)64 << 20)
#define LINK_MAX 256		/* bytes of what is behind the members of a line */
#define WAIT_MS 5000		/* another writes a line in less than one */
#define DIGITS 10		/* of the number in the name of a rotated file */
#define ROTATED_MAX 1000000
#define HOST_MAX 256

#define LINK_PREV "," JSON_NAME("prev") "\""
#define LINK_N "\"," JSON_NAME("n")
#define LINK_HASH "," JSON_NAME("hash") "\""
#define LINK_END "\"}"

static const char no_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";

/* --- the end of a line --- */

static bool
is_hash(const char *p)
{
	return strspn(p, "0123456789abcdef") >= TRAIL_HASH;
}

bool
trail_link_parse(const char *line, size_t n, struct trail_link *link)
{
	static const size_t hash_len = sizeof(LINK_HASH) - 1 + TRAIL_HASH + sizeof(LINK_END) - 1;
	char end[LINK_MAX + 1];
	size_t from = n > LINK_MAX ? n - LINK_MAX : 0, len = n - from, digits;
	char *p, *hash;

	memcpy(end, line + from, len);
	end[len] = '\0';
	if (len < hash_len || strlen(end) != len)
		return false;
	hash = end + len - hash_len;
	if (memcmp(hash, LINK_HASH, sizeof(LINK_HASH) - 1) != 0 ||
	    !is_hash(hash + sizeof(LINK_HASH) - 1) || strcmp(end + len - 2, LINK_END) != 0)
		return false;
	memcpy(link->hash, hash + sizeof(LINK_HASH) - 1, TRAIL_HASH);
	link->hash[TRAIL_HASH] = '\0';
	link->body = n - hash_len;
	*hash = '\0';
	for (digits = 0; hash - digits > end && ascii_is_digit(hash[-1 - (long)digits]);)
		digits++;
	if (!number_parse(hash - digits, digits, UINT64_MAX / 2, &link->n))
		return false;
	p = hash - digits;
	if ((size_t)(p - end) < sizeof(LINK_PREV) - 1 + TRAIL_HASH + sizeof(LINK_N) - 1)
		return false;
	p -= sizeof(LINK_N) - 1;
	if (memcmp(p, LINK_N, sizeof(LINK_N) - 1) != 0)
		return false;
	p -= TRAIL_HASH;
	if (!is_hash(p) || memcmp(p - (sizeof(LINK_PREV) - 1), LINK_PREV,
	    sizeof(LINK_PREV) - 1) != 0)
		return false;
	memcpy(link->prev, p, TRAIL_HASH);
	link->prev[TRAIL_HASH] = '\0';
	return true;
}

/* --- files that were rotated away --- */

int
trail_rotated(const char *path, struct vec *files, struct error *err)
{
	const char *name = file_basename(path);
	char *folder = file_folder(path), full[4096];
	size_t len = strlen(name);
	struct dirent *e;
	DIR *dir;
	int rc = 0;

	vec_init(files, sizeof(char *), ROTATED_MAX);
	if (folder == NULL)
		return error_memory(err);
	dir = opendir(folder);
	if (dir == NULL && errno != ENOENT)
		rc = error_io(err, folder, "cannot list the folder of the trail");
	while (dir != NULL && rc == 0 && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, name, len) != 0 || e->d_name[len] != '.' ||
		    strlen(e->d_name + len + 1) != DIGITS ||
		    strspn(e->d_name + len + 1, "0123456789") != DIGITS)
			continue;
		snprintf(full, sizeof(full), "%s%s%s", folder,
		    strcmp(folder, "/") == 0 ? "" : "/", e->d_name);
		if (vec_push_string(files, full, strlen(full)) == NULL)
			rc = error_memory(err);
	}
	vec_sort_strings(files);
	if (dir != NULL)
		closedir(dir);
	free(folder);
	return rc;
}

/* --- the file that is written to --- */

/* The trail, opened and locked, and where the chain goes on. */
struct trail_end {
	const struct trail *t;
	int fd;
	struct stat st;
	char prev[TRAIL_HASH + 1];
	uint64_t n;		/* of the last line */
	bool torn;		/* it ends within a line */
	bool is_new;
};

static int
trail_error(const struct trail *t, const char *what, struct error *err)
{
	int code = errno;

	error_io(err, t->path, what);
	if (err != NULL && (code == EACCES || code == EPERM || code == EROFS || code == ENOENT ||
	    code == ENOTDIR))
		error_hint(err, "see to its folder, or " SET_ANOTHER);
	return -1;
}

/* Make the last ${n} folders of a path, for us alone. */
static void
make_folders(const char *path, int n)
{
	char *folder = n > 0 ? file_folder(path) : NULL;

	if (folder != NULL && mkdir(folder, 0700) == -1 && errno == ENOENT) {
		make_folders(folder, n - 1);
		(void)mkdir(folder, 0700);
	}
	free(folder);
}

static enum wait_outcome
trail_try(void *what, struct error *err)
{
	struct trail_end *e = what;
	struct stat there;

	for (int tries = 0; tries < 100; tries++) {
		e->fd = open(e->t->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
		    O_CLOEXEC, 0600);
		if (e->fd == -1) {
			trail_error(e->t, errno == ELOOP ? "the trail must not be a symbolic link" :
			    "cannot open the trail", err);
			return WAIT_FAILED;
		}
		if (lock_descriptor(e->fd) == -1) {
			int code = errno;

			close(e->fd);
			e->fd = -1;
			if (code == EAGAIN || code == EWOULDBLOCK)
				return WAIT_BUSY;
			errno = code;
			trail_error(e->t, "cannot lock the trail", err);
			return WAIT_FAILED;
		}
		/* It may have been rotated away before we had the lock. */
		if (fstat(e->fd, &e->st) == 0 && lstat(e->t->path, &there) == 0 &&
		    e->st.st_dev == there.st_dev && e->st.st_ino == there.st_ino)
			return WAIT_GOT;
		close(e->fd);
		e->fd = -1;
	}
	return WAIT_BUSY;
}

static int
trail_lock(struct trail_end *e, struct error *err)
{
	struct wait w = { .timeout_ms = WAIT_MS };
	enum wait_outcome got;

	wait_start(&w);
	got = wait_for(&w, trail_try, e, e->t->path, err);
	if (got == WAIT_BUSY) {
		error_set(err, ERROR_BUSY, "another process holds the trail");
		return error_place(err, e->t->path, 0);
	}
	if (got != WAIT_GOT)
		return -1;
	if (S_ISREG(e->st.st_mode) && e->st.st_nlink == 1)
		return 0;
	error_set(err, ERROR_REFUSED, S_ISREG(e->st.st_mode) ? "the trail has another name (hard "
	    "link)" : "the trail is not a regular file");
	error_place(err, e->t->path, 0);
	return error_hint(err, SET_ANOTHER);
}

/* Read the last line of ${fd}, ${size} bytes, far enough for the chain; if it
 * is cut, the one before. */
static int
read_last(int fd, const char *path, off_t size, struct trail_end *e, struct error *err)
{
	size_t want = LINK_MAX + 2;
	struct trail_link link;

	for (;;) {
		size_t n = (size_t)size < want ? (size_t)size : want;
		char *text = malloc(n + 1), *end;
		bool found = false;

		if (text == NULL)
			return error_memory(err);
		if (pread(fd, text, n, size - (off_t)n) != (ssize_t)n) {
			free(text);
			return error_io(err, path, "cannot read the trail");
		}
		/* From the end on, the first line end that has a whole link before it. */
		e->torn = text[n - 1] != '\n';
		/* Only the line end may be cut off. */
		if (e->torn && (end = memrchr(text, '\n', n)) != NULL)
			found = trail_link_parse(end + 1, (size_t)(text + n - end - 1), &link);
		else if (e->torn && n == (size_t)size)
			found = trail_link_parse(text, n, &link);
		for (end = text + n; !found && (end = memrchr(text, '\n', (size_t)(end - text))) !=
		    NULL;)
			found = trail_link_parse(text, (size_t)(end - text), &link);
		free(text);
		if (found) {
			memcpy(e->prev, link.hash, sizeof(e->prev));
			e->n = link.n;
			return 0;
		}
		if (n == (size_t)size)
			return 0;	/* no whole line at all: verify tells */
		want *= 16;
	}
}

/* A new file goes on where the newest of the others ends, and is for the same people. */
static int
trail_continue(struct trail_end *e, struct error *err)
{
	char *folder = file_folder(e->t->path);
	mode_t mode = 0600;
	struct vec files;
	struct stat st;
	int fd, rc = 0;

	e->is_new = true;
	if (folder != NULL && stat(folder, &st) == 0 && (st.st_mode & (S_ISGID | S_IWGRP)) ==
	    (S_ISGID | S_IWGRP))
		mode = 0660;	/* shared by the group that the folder gives it */
	free(folder);
	if (trail_rotated(e->t->path, &files, err) == 0 && files.len > 0) {
		const char *last = vec_string(&files, files.len - 1);

		fd = open(last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd == -1 || fstat(fd, &st) == -1) {
			rc = error_io(err, last, "cannot read the trail that was before");
		} else {
			mode = st.st_mode & 0660;
			rc = read_last(fd, last, st.st_size, e, err);
			e->torn = false;
			if (st.st_gid != e->st.st_gid && e->st.st_uid == geteuid())
				(void)!fchown(e->fd, (uid_t)-1, st.st_gid);
		}
		if (fd != -1)
			close(fd);
	}
	vec_release_strings(&files);
	if (e->st.st_uid == geteuid())
		(void)fchmod(e->fd, mode);
	return rc;
}

/* Move a file that is full out of the way.  Where that cannot be, it grows. */
static bool
trail_rotate(struct trail_end *e)
{
	size_t limit = e->t->rotate_at > 0 ? e->t->rotate_at : TRAIL_ROTATE_AT;
	char name[4096];

	if ((uint64_t)e->st.st_size < limit || e->torn ||
	    (size_t)snprintf(name, sizeof(name), "%s.%0*llu", e->t->path, DIGITS,
	    (unsigned long long)e->n) >= sizeof(name))
		return false;
	if (compat_rename(AT_FDCWD, e->t->path, name, RENAME_NOREPLACE) == 0)
		return true;
	return compat_rename_is_missing() && access(name, F_OK) == -1 &&
	    rename(e->t->path, name) == 0;
}

static int
trail_open(struct trail_end *e, struct error *err)
{
	make_folders(e->t->path, e->t->makes_folders);
	for (int turn = 0;; turn++) {
		memcpy(e->prev, no_hash, sizeof(e->prev));
		e->n = 0;
		e->torn = false;
		if (trail_lock(e, err) == -1)
			return -1;
		if (e->st.st_size == 0)
			return trail_continue(e, err);
		if (read_last(e->fd, e->t->path, e->st.st_size, e, err) == -1)
			return -1;
		if (turn > 0 || !trail_rotate(e))
			return 0;
		close(e->fd);
		e->fd = -1;
	}
}

static void
trail_close(struct trail_end *e)
{
	if (e->fd != -1)
		close(e->fd);
}

/* One write at the end, on disk.  A part of a line does not stay. */
static int
trail_put(struct trail_end *e, const struct buf *line, struct error *err)
{
	const struct trail *t = e->t;
	char *folder;
	int code;

	if (file_write(e->fd, line->data, line->len) == 0 && fdatasync(e->fd) == 0) {
		if (!e->is_new || (folder = file_folder(t->path)) == NULL)
			return 0;
		(void)file_sync_folder(folder, NULL);
		free(folder);
		return 0;
	}
	code = errno;
	(void)!ftruncate(e->fd, e->st.st_size);
	errno = code;
	return trail_error(t, "cannot write to the trail", err);
}

/* Behind the members in ${line}: prev, n and hash. */
static int
trail_chain(const struct trail_end *e, struct buf *line, struct error *err)
{
	struct digest *d = digest_new(err);
	unsigned char sum[DIGEST_SHA256];
	size_t from = e->torn ? 1 : 0;
	int rc = -1;

	if (d == NULL)
		return -1;
	buf_append_str(line, LINK_PREV);
	buf_append(line, e->prev, TRAIL_HASH);
	buf_append_str(line, LINK_N);
	number_append(line, e->n + 1);
	if (buf_check(line, err) == 0) {
		if (digest_sha256(d, line->data + from, line->len - from, sum) == 0)
			rc = 0;
		else
			error_set(err, ERROR_CRYPTO, "the line's hash cannot be made");
	}
	buf_append_str(line, LINK_HASH);
	hex_append(line, sum, sizeof(sum));
	buf_append_str(line, LINK_END "\n");
	digest_free(d);
	return rc == 0 ? buf_check(line, err) : -1;
}

/* --- who and when --- */

static void
put_who(const struct trail *t, struct json_out *o)
{
	char user[FILE_USER_MAX], host[HOST_MAX];
	const char *sudo = geteuid() == 0 ? getenv("SUDO_USER") : NULL;

	json_out_text(o, "user", file_user_name(geteuid(), user) ? user : NULL);
	json_out_uint(o, "uid", geteuid());
	if (sudo != NULL && sudo[0] != '\0' && strlen(sudo) < FILE_USER_MAX)
		json_out_text(o, "sudo", sudo);
	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	json_out_text(o, "host", host);
	json_out_uint(o, "pid", (uint64_t)getpid());
	json_out_text(o, "command", t->command);
}

/* One line: the intent, or the outcome of ${*change}. */
static int
trail_write(const struct trail *t, bool intent, uint64_t *change, trail_fill *fill,
    const void *cookie, struct error *err)
{
	struct trail_end e = { .t = t, .fd = -1 };
	char time[TIME_TEXT];
	struct json_out o;
	struct buf body, line;
	int rc = -1;

	if (t->path == NULL) {
		error_set(err, ERROR_MISSING, "there is no place for the trail: neither "
		    "XDG_STATE_HOME nor HOME names a folder");
		return error_hint(err, "set one of them, or `trail = PATH` in [files] of your own "
		    "propseal.ini; /dev/null is none");
	}
	buf_init(&body, LINE_MAX_BYTES);
	buf_init(&line, LINE_MAX_BYTES + LINK_MAX);
	json_out_init(&o, &body);
	json_out_hide(&o);
	json_out_object(&o, NULL);
	json_out_text(&o, "schema", TRAIL_SCHEMA);
	time_text(time_now(), TIME_MILLISECONDS, time);
	json_out_text(&o, "time", time);
	json_out_text(&o, "event", intent ? "intent" : "outcome");
	if (intent)
		put_who(t, &o);
	else
		json_out_uint(&o, "change", *change);
	fill(cookie, &o);
	json_out_end(&o);
	if (json_out_check(&o, err) == -1 || trail_open(&e, err) == -1)
		goto out;
	/* A line that was cut is ended, and stays for trail_verify to tell of. */
	if (e.torn)
		buf_append_char(&line, '\n');
	buf_append(&line, body.data, body.len - 1);
	if (trail_chain(&e, &line, err) == -1 || trail_put(&e, &line, err) == -1)
		goto out;
	if (intent)
		*change = e.n + 1;
	rc = 0;
out:
	trail_close(&e);
	buf_release(&line);
	buf_release(&body);
	return rc;
}

int
trail_begin(const struct trail *t, trail_fill *fill, const void *cookie, uint64_t *change,
    struct error *err)
{
	return trail_write(t, true, change, fill, cookie, err);
}

int
trail_end(const struct trail *t, uint64_t change, trail_fill *fill, const void *cookie,
    struct error *err)
{
	return trail_write(t, false, &change, fill, cookie, err);
}

/* That the trail lacks something. */
static void
note_untold(struct buf *notes, const struct error *err, const char *what)
{
	buf_printf(notes, "%s%s%s: %s is not in the trail; %s\n", err->file,
	    err->file[0] != 0 ? ": " : "", err->text, what,
	    err->hint[0] != '\0' ? err->hint : "see to its file");
}

int
trail_intend(const struct trail *t, trail_fill *fill, const void *cookie, uint64_t *change,
    struct buf *notes, struct error *err)
{
	struct error why;

	*change = 0;
	if (t == NULL || trail_begin(t, fill, cookie, change, &why) == 0)
		return 0;
	*change = 0;
	if (!t->required) {
		note_untold(notes, &why, "this change");
		return 0;
	}
	error_set(err, why.code, "%s; nothing is changed, as the trail is required", why.text);
	error_place(err, why.file, 0);
	return error_hint(err, "%s", why.hint);
}

void
trail_conclude(const struct trail *t, uint64_t change, trail_fill *fill, const void *cookie,
    struct buf *notes)
{
	struct error why;

	if (change != 0 && trail_end(t, change, fill, cookie, &why) != 0)
		note_untold(notes, &why, "the outcome of this change");
}

/* --- what is no plan --- */

struct parts {
	const struct trail_part *all;
	size_t n;
};

void
trail_put_path(struct json_out *o, const char *name, const char *path)
{
	struct path where = PATH_NONE;

	json_out_text(o, name, path_open(&where, path, NULL) == 0 ? where.real : path);
	path_close(&where);
}

static void
fill_parts_intent(const void *cookie, struct json_out *o)
{
	const struct parts *p = cookie;

	json_out_null(o, "environment");
	json_out_array(o, "files");
	for (size_t i = 0; i < p->n; i++) {
		const struct trail_part *x = &p->all[i];

		json_out_object(o, NULL);
		trail_put_path(o, "file", x->path);
		json_out_text(o, "role", x->role);
		json_out_bool(o, "new", x->is_new);
		if (x->key_count > 0)
			json_out_array(o, "keys");
		for (size_t k = 0; k < x->key_count; k++)
			json_out_text(o, NULL, x->keys[k]);
		if (x->key_count > 0)
			json_out_end(o);
		json_out_end(o);
	}
	json_out_end(o);
}

static void
fill_parts_outcome(const void *cookie, struct json_out *o)
{
	const struct parts *p = cookie;
	size_t done = 0;

	for (size_t i = 0; i < p->n; i++)
		done += p->all[i].done;
	json_out_text(o, "outcome", trail_outcome_name(done == p->n ? TRAIL_DONE : done > 0 ?
	    TRAIL_PARTLY : TRAIL_FAILED));
	json_out_array(o, "files");
	for (size_t i = 0; i < p->n; i++) {
		json_out_object(o, NULL);
		json_out_bool(o, "done", p->all[i].done);
		if (!p->all[i].done)
			json_out_text(o, "error", p->all[i].why != NULL ? p->all[i].why :
			    "not come to");
		json_out_end(o);
	}
	json_out_end(o);
}

int
trail_intend_parts(const struct trail *t, const struct trail_part *parts, size_t n,
    uint64_t *change, struct buf *notes, struct error *err)
{
	const struct parts p = { parts, n };

	return trail_intend(t, fill_parts_intent, &p, change, notes, err);
}

void
trail_conclude_parts(const struct trail *t, uint64_t change, const struct trail_part *parts,
    size_t n, struct buf *notes)
{
	const struct parts p = { parts, n };

	trail_conclude(t, change, fill_parts_outcome, &p, notes);
}
