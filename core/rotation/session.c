#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "file/file.h"
#include "file/lock.h"
#include "rotation/rotation_internal.h"

/* The folder of a session, and the folder of sessions: making, listing, locking
 * them, the files of parts.  What stands in plan and journal is records.c's. */

static const char *const store_names[STORES] = { "originals", "values", "keys" };

struct held *
session_held(const struct rotation *r, size_t i)
{
	return vec_at(&r->items, i);
}

struct held *
session_add(struct rotation *r, const char *file, const char *environment)
{
	const size_t n = strlen(file) + 1, m = strlen(environment) + 1;
	char *names = malloc(n + m);
	struct held *h = names != NULL ? vec_push(&r->items) : NULL;

	if (h == NULL) {
		free(names);
		return NULL;
	}
	memcpy(names, file, n);
	memcpy(names + n, environment, m);
	h->face.file = names;
	h->face.environment = names + n;
	return h;
}

struct rotation *
session_new(struct error *err)
{
	struct rotation *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	vec_init(&r->items, sizeof(struct held), 1U << 24);
	vec_init(&r->paths, sizeof(char *), 1U << 24);
	vec_init(&r->warnings, sizeof(char *), 1U << 24);
	vec_init(&r->ticks, sizeof(char *), 1U << 24);
	for (size_t i = 0; i < STORES; i++)
		r->stores[i] = -1;
	r->plan = r->spool = r->journal = -1;
	if ((r->digest = digest_new(err)) != NULL && (r->aead = aead_new(err)) != NULL &&
	    (r->hkdf = hkdf_new(err)) != NULL)
		return r;
	rotation_close(r);
	return NULL;
}

void
session_clear(struct held *h)
{
	free(h->face.error);
	h->face.error = NULL;
}

int
session_fail(struct held *h, const struct error *why)
{
	if (h->face.error == NULL)
		h->face.error = malloc(sizeof(*why));
	if (h->face.error != NULL)
		*h->face.error = *why;
	h->face.state = ROTATION_FILE_FAILED;
	return -1;
}

void
rotation_close(struct rotation *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->items.len; i++) {
		struct held *h = session_held(r, i);

		session_clear(h);
		free(h->changed);
		free((char *)(uintptr_t)h->face.file);
	}
	vec_release(&r->items);
	vec_release_strings(&r->paths);
	vec_release_strings(&r->warnings);
	vec_release_strings(&r->ticks);
	for (size_t i = 0; i < STORES; i++)
		if (r->stores[i] != -1)
			close(r->stores[i]);
	if (r->plan != -1)
		close(r->plan);
	if (r->spool != -1)
		close(r->spool);
	if (r->journal != -1)
		close(r->journal);
	lock_release(r->lock);
	digest_free(r->digest);
	aead_free(r->aead);
	hkdf_free(r->hkdf);
	free(r->dir);
	free(r->id);
	free(r->root);
	free(r);
}

/* --- the folder of sessions --- */

char *
rotation_home(struct error *err)
{
	struct buf path;
	char *out = NULL;

	buf_init(&path, PATH_MAX);
	if (!file_in_home("XDG_STATE_HOME", "/.local/state", "rotations", &path)) {
		error_set(err, ERROR_MISSING, "there is no folder for sessions");
		error_hint(err, "set XDG_STATE_HOME or HOME to an absolute path");
	} else if (buf_check(&path, err) == 0 && (out = strdup(buf_cstr(&path))) == NULL)
		error_memory(err);
	buf_release(&path);
	return out;
}

/* When it was made, to the millisecond, so that names sort by age, and some random digits. */
static int
make_id(struct rotation *r, struct error *err)
{
	unsigned char tail[4];		/* milliseconds, random */
	char date[TIME_TEXT];
	int64_t now = time_now();
	struct buf id;
	int rc;

	if (random_bytes(tail + 2, sizeof(tail) - 2, err) != 0)
		return -1;
	tail[0] = (unsigned char)(now % 1000 >> 8);
	tail[1] = (unsigned char)(now % 1000);
	(void)time_text(now, TIME_NAME, date);
	buf_init(&id, 128);
	buf_append_str(&id, date);
	buf_append_char(&id, '-');
	hex_append(&id, tail, sizeof(tail));
	rc = buf_check(&id, err);
	if (rc == 0 && (r->id = strdup(buf_cstr(&id))) == NULL)
		rc = error_memory(err);
	buf_release(&id);
	return rc;
}

static int
open_store(struct rotation *r, enum store s, int flags, struct error *err)
{
	char *path = file_join(r->dir, store_names[s]);
	struct stat st;
	int rc = -1;

	if (path == NULL)
		return error_memory(err);
	r->stores[s] = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (r->stores[s] == -1 || fstat(r->stores[s], &st) != 0) {
		error_io(err, path, "cannot open a file of the session");
	} else {
		r->ends[s] = (uint64_t)st.st_size;
		rc = 0;
	}
	free(path);
	return rc;
}

/* While a plan is made its lines wait in a file without a name. */
static int
open_spool(struct rotation *r, struct error *err)
{
	char *path = file_join(r->dir, "plan.lines");
	int rc = 0;

	if (path == NULL)
		return error_memory(err);
	r->spool = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->spool == -1 || unlink(path) != 0)
		rc = error_io(err, path, "cannot make a file of the session");
	free(path);
	lines_begin(&r->spooled, r->digest);
	return rc;
}

/* A session elsewhere is found from the folder of sessions by a link. */
static int
link_session(const struct rotation *r, const char *home, struct error *err)
{
	char *link = file_join(home, r->id);
	int rc = 0;

	if (link == NULL)
		return error_memory(err);
	if (symlink(r->dir, link) != 0)
		rc = error_io(err, link, "cannot make a link to the session");
	free(link);
	return rc;
}

int
session_create(struct rotation *r, const char *home, const char *dir, struct error *err)
{
	char *path = NULL;
	int rc = -1;

	if (make_id(r, err) != 0 || file_make_folders(home, err) != 0)
		return -1;
	if ((path = dir != NULL ? strdup(dir) : file_join(home, r->id)) == NULL)
		return error_memory(err);
	if (mkdir(path, 0700) != 0) {
		if (errno == EEXIST) {
			error_set(err, ERROR_EXISTS, "it is there already");
			error_place(err, path, 0);
			error_hint(err, "a new session needs a folder of its own");
		} else {
			error_io(err, path, "cannot make the folder of the session");
		}
	} else if ((r->dir = realpath(path, NULL)) == NULL) {
		error_io(err, path, "cannot find the folder of the session");
	} else {
		rc = file_sync_made(r->dir, err);
	}
	free(path);
	for (enum store s = 0; rc == 0 && s < STORES; s++)
		rc = open_store(r, s, O_CREAT | O_EXCL, err);
	if (rc == 0)
		rc = open_spool(r, err);
	if (rc == 0 && dir != NULL && (rc = link_session(r, home, err)) == 0)
		rc = file_sync_folder(home, err);
	return rc;
}

void
session_discard(struct rotation *r, const char *home)
{
	static const char *const names[] = { "plan", "plan.lines", "journal", "originals",
		"values", "keys" };
	char *path;

	if (r->dir == NULL)
		return;
	lock_release(r->lock);
	r->lock = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((path = file_join(r->dir, names[i])) != NULL) {
			(void)unlink(path);
			free(path);
		}
	(void)rmdir(r->dir);
	if ((path = file_join(home, r->id)) != NULL) {
		(void)unlink(path);
		free(path);
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

static int
session_list(const char *home, struct vec *out, struct error *err)
{
	DIR *d = opendir(home);
	const struct dirent *e;
	char *path, *plan;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : error_io(err, home, "cannot read the folder");
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		path = file_join(home, e->d_name);
		plan = path != NULL ? file_join(path, "plan") : NULL;
		if (plan == NULL)
			rc = error_memory(err);
		else if (access(plan, F_OK) == 0 &&
		    vec_push_string(out, path, strlen(path)) == NULL)
			rc = error_memory(err);
		free(plan);
		free(path);
	}
	closedir(d);
	if (out->len > 1)
		qsort(out->items, out->len, sizeof(char *), by_name);
	return rc;
}

bool
session_is_done(const struct rotation *r)
{
	return r->state == ROTATION_FINISHED || r->state == ROTATION_ROLLED_BACK;
}

int
rotation_unfinished(const char *home, struct vec *out, struct error *err)
{
	struct rotation *r;
	struct vec all;
	int rc;

	vec_init(&all, sizeof(char *), 1U << 20);
	rc = session_list(home, &all, err);
	for (size_t i = 0; rc == 0 && i < all.len; i++) {
		const char *dir = vec_string(&all, i);

		/* One that cannot be read must not be passed over in silence, unless there is a
		 * newer one to go on with. */
		if ((r = session_read(dir, out->len == 0 ? err : NULL)) == NULL) {
			rc = out->len == 0 ? -1 : 0;
			continue;
		}
		if (!session_is_done(r) && vec_push_string(out, dir, strlen(dir)) == NULL)
			rc = error_memory(err);
		rotation_close(r);
	}
	vec_release_strings(&all);
	if (rc != 0 || out->len > 0)
		return rc;
	error_set(err, ERROR_MISSING, "there is no session that is not done");
	error_place(err, home, 0);
	return error_hint(err, "`propseal rotation plan` makes one; --session DIR names one that "
	    "is elsewhere or done");
}

/* What tells a file from all others, and which one it is. */
struct place {
	dev_t dev;
	ino_t ino;
	size_t item;
};

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static bool
find_place(const struct rotation *r, const char *file, struct place *out)
{
	char *path = rotation_path(r, file);
	struct stat st;
	bool found = path != NULL && stat(path, &st) == 0;

	if (found) {
		out->dev = st.st_dev;
		out->ino = st.st_ino;
	}
	free(path);
	return found;
}

static int
check_other(const struct rotation *r, const struct vec *own, const struct rotation *other,
    struct error *err)
{
	const struct place *found;
	char word[TEXT_WORD_MAX];
	struct place place;

	for (size_t k = 0; k < other->items.len; k++) {
		const struct rotation_file *f = rotation_file(other, k);

		if (f->state == ROTATION_FILE_SKIPPED || f->state == ROTATION_FILE_ROLLED_BACK ||
		    !find_place(other, f->file, &place) || own->len == 0 || (found =
		    bsearch(&place, own->items, own->len, sizeof(place), by_place)) == NULL)
			continue;
		error_set(err, ERROR_REFUSED, "the rotation %s has this file, and is not done",
		    other->id);
		error_place(err, rotation_file(r, found->item)->file, 0);
		return error_hint(err, "`propseal rotation finish` or `rollback --session %s` ends "
		    "it; or plan with --skip", text_word(other->dir, word));
	}
	return 0;
}

int
session_check_others(const struct rotation *r, const char *home, struct error *err)
{
	struct place place, *slot;
	struct rotation *other;
	struct vec own, all;
	int rc = 0;

	vec_init(&own, sizeof(struct place), 1U << 24);
	vec_init(&all, sizeof(char *), 1U << 20);
	for (place.item = 0; rc == 0 && place.item < r->items.len; place.item++) {
		const struct rotation_file *f = rotation_file(r, place.item);

		if (f->state == ROTATION_FILE_SKIPPED || !find_place(r, f->file, &place))
			continue;
		if ((slot = vec_push(&own)) == NULL)
			rc = error_memory(err);
		else
			*slot = place;
	}
	if (own.len > 0)
		qsort(own.items, own.len, sizeof(place), by_place);
	if (rc == 0)
		rc = session_list(home, &all, err);
	for (size_t i = 0; rc == 0 && i < all.len; i++) {
		if ((other = session_read(vec_string(&all, i), err)) == NULL) {
			rc = -1;
			break;
		}
		if (!session_is_done(other) && strcmp(other->dir, r->dir) != 0)
			rc = check_other(r, &own, other, err);
		rotation_close(other);
	}
	vec_release_strings(&all);
	vec_release(&own);
	return rc;
}

/* --- parts --- */

bool
session_write(int fd, const void *bytes, size_t n, uint64_t at)
{
	const char *p = bytes;
	size_t done = 0;
	ssize_t k;

	while (done < n) {
		k = pwrite(fd, p + done, n - done, (off_t)(at + done));
		if (k > 0)
			done += (size_t)k;
		else if (k == 0 || errno != EINTR)
			return false;
	}
	return true;
}

int
session_put(struct rotation *r, enum store s, const void *bytes, size_t n, struct part *out,
    struct error *err)
{
	if (!session_write(r->stores[s], bytes, n, r->ends[s]))
		return error_io(err, r->dir, "cannot write to the session");
	*out = (struct part){ r->ends[s], n };
	r->ends[s] += n;
	return 0;
}

int
session_sync(struct rotation *r, enum store s, struct error *err)
{
	return fsync(r->stores[s]) == 0 ? 0 :
	    error_io(err, r->dir, "cannot put the session on disk");
}

int
session_get(struct rotation *r, enum store s, const struct part *p, struct buf *out,
    struct error *err)
{
	size_t done = 0;
	ssize_t k;

	if (r->stores[s] == -1 && open_store(r, s, 0, err) != 0)
		return error_hint(err, "without it there is no way back for this session");
	if (p->len > BUF_MAX_FILE || p->at > r->ends[s] || p->len > r->ends[s] - p->at) {
		error_set(err, ERROR_DAMAGED, "`%s` of the session is shorter than it was written",
		    store_names[s]);
		return error_place(err, r->dir, 0);
	}
	if (buf_reserve(out, (size_t)p->len) != 0)
		return buf_check(out, err);
	while (done < p->len) {
		k = pread(r->stores[s], out->data + out->len, (size_t)p->len - done,
		    (off_t)(p->at + done));
		if (k <= 0 && !(k < 0 && errno == EINTR))
			return error_io(err, r->dir, "cannot read the session");
		if (k > 0) {
			done += (size_t)k;
			out->len += (size_t)k;
		}
	}
	return 0;
}

int
session_original(struct rotation *r, const struct item *x, struct buf *out, struct error *err)
{
	unsigned char sum[DIGEST_SHA256];

	if (session_get(r, STORE_ORIGINALS, &x->parts[STORE_ORIGINALS], out, err) != 0)
		return -1;
	if (digest_sha256(r->digest, out->data, out->len, sum) == 0 &&
	    memcmp(sum, x->before, sizeof(sum)) == 0)
		return 0;
	error_set(err, ERROR_DAMAGED, "the original that the session kept of %s is not as it was "
	    "written", x->file);
	error_place(err, r->dir, 0);
	return error_hint(err, "put the session's folder back from a copy");
}

int
session_wipe(struct rotation *r, enum store s, struct error *err)
{
	static const char zeroes[4096];
	char *path = file_join(r->dir, store_names[s]);
	struct part ignored;
	uint64_t left;
	int rc = 0;

	if (path == NULL)
		return error_memory(err);
	/* It may be gone already, by a run that was interrupted. */
	if (r->stores[s] == -1 && access(path, F_OK) != 0 && errno == ENOENT)
		goto out;
	if (r->stores[s] == -1)
		rc = open_store(r, s, 0, err);
	left = r->ends[s];
	r->ends[s] = 0;
	while (rc == 0 && left > 0) {
		size_t n = left < sizeof(zeroes) ? (size_t)left : sizeof(zeroes);

		rc = session_put(r, s, zeroes, n, &ignored, err);
		left -= n;
	}
	if (rc == 0)
		rc = session_sync(r, s, err);
	if (rc == 0 && unlink(path) != 0)
		rc = error_io(err, path, "cannot remove the file");
	if (rc == 0)
		rc = file_sync_folder(r->dir, err);
	if (rc == 0) {
		close(r->stores[s]);
		r->stores[s] = -1;
	}
out:
	free(path);
	return rc;
}

/* --- opening --- */

/* A file of the session that is another's, or a way to somewhere else, is none. */
static int
check_file(const char *dir, const char *name, struct error *err)
{
	char *path = file_join(dir, name);
	struct stat st;
	int rc = 0;

	if (path == NULL)
		return error_memory(err);
	if (lstat(path, &st) != 0) {
		/* What is missing is told by who needs it. */
		if (errno != ENOENT)
			rc = error_io(err, path, "cannot look at a file of the session");
	} else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		error_set(err, ERROR_REFUSED, S_ISREG(st.st_mode) ? "this file of the session "
		    "belongs to another user, or others can write to it" :
		    "this file of the session is a link, or no file");
		error_place(err, path, 0);
		rc = error_hint(err, "what is in it goes into your files: put it back from a copy "
		    "that nobody else could write to, with chmod 600");
	}
	free(path);
	return rc;
}

/* Others must not have had their hands in it: a rollback puts in place what is there. */
static int
check_owner(const char *dir, struct error *err)
{
	static const char *const names[] = { "plan", "journal" };
	struct stat st;
	int rc = 0;

	if (stat(dir, &st) != 0) {
		if (errno != ENOENT)
			return error_io(err, dir, "cannot look at the session");
		error_set(err, ERROR_MISSING, "there is no such session");
		error_place(err, dir, 0);
		return error_hint(err, "`propseal rotation plan` makes one");
	}
	if (!S_ISDIR(st.st_mode))
		error_set(err, ERROR_REFUSED, "a session is a folder, and this is none");
	else if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		error_set(err, ERROR_REFUSED, "the session belongs to another user, or others can "
		    "write to it");
	else {
		for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(names[0]); i++)
			rc = check_file(dir, names[i], err);
		for (size_t i = 0; rc == 0 && i < STORES; i++)
			rc = check_file(dir, store_names[i], err);
		return rc;
	}
	error_place(err, dir, 0);
	return error_hint(err, "what is in it goes into your files: let it be yours alone, by "
	    "chown and chmod 700, if you know who wrote it");
}

static int
take_root(struct rotation *r, const char *root, struct error *err)
{
	struct stat st;
	char *real;

	if (root != NULL) {
		if ((real = realpath(root, NULL)) == NULL)
			return error_io(err, root, "cannot find the folder");
		free(r->root);
		r->root = real;
	}
	if (session_is_done(r) || (stat(r->root, &st) == 0 && S_ISDIR(st.st_mode)))
		return 0;
	error_set(err, ERROR_MISSING, "the folder of the configurations is not there any more");
	error_place(err, r->root, 0);
	return error_hint(err, "where it is now is said by --root DIR");
}

struct lock *
session_lock(const char *dir, int timeout_ms, struct error *err)
{
	char *journal = file_join(dir, "journal");
	struct lock *lock = NULL;

	if (journal == NULL)
		error_memory(err);
	else
		lock = lock_files((const char *const *)&journal, 1, timeout_ms, NULL, NULL, err);
	free(journal);
	return lock;
}

static struct rotation *
open_session(const char *dir, const char *root, struct lock *lock, struct error *err)
{
	struct rotation *r = session_read(dir, err);

	if (r == NULL) {
		lock_release(lock);
		return NULL;
	}
	r->lock = lock;
	if (take_root(r, root, err) != 0 || session_look_all(r, err) != 0) {
		rotation_close(r);
		return NULL;
	}
	return r;
}

struct rotation *
rotation_open(const char *dir, const char *root, struct error *err)
{
	return check_owner(dir, err) != 0 ? NULL : open_session(dir, root, NULL, err);
}

struct rotation *
rotation_open_locked(const char *dir, const char *root, int timeout_ms, struct error *err)
{
	struct rotation *r;
	struct lock *lock;

	if (check_owner(dir, err) != 0 || (lock = session_lock(dir, timeout_ms, err)) == NULL ||
	    (r = open_session(dir, root, lock, err)) == NULL)
		return NULL;
	r->lock_timeout_ms = timeout_ms;
	if (session_open_journal(r, err) != 0) {
		rotation_close(r);
		return NULL;
	}
	for (enum store s = 0; s < STORES; s++)
		if (!session_is_done(r) && !r->finishing && r->stores[s] == -1 &&
		    open_store(r, s, 0, err) != 0) {
			error_hint(err, "without it the session cannot go on: put it back from a "
			    "copy of the folder");
			rotation_close(r);
			return NULL;
		}
	return r;
}

/* --- what there is to know of it --- */

void
rotation_set_trail(struct rotation *r, const struct trail *trail)
{
	r->trail = trail;
}

const char *
rotation_id(const struct rotation *r)
{
	return r->id;
}

const char *
rotation_dir(const struct rotation *r)
{
	return r->dir;
}

const char *
rotation_root(const struct rotation *r)
{
	return r->root;
}

enum rotation_kind
rotation_kind(const struct rotation *r)
{
	return r->kind;
}

enum rotation_state
rotation_state(const struct rotation *r)
{
	return r->state;
}

bool
rotation_is_common(const struct rotation *r)
{
	return r->common;
}

bool
rotation_is_rolling_back(const struct rotation *r)
{
	return r->rolling_back;
}

bool
rotation_is_finishing(const struct rotation *r)
{
	return r->finishing;
}

size_t
rotation_count(const struct rotation *r)
{
	return r->items.len;
}

const struct rotation_file *
rotation_file(const struct rotation *r, size_t i)
{
	return &session_held(r, i)->face;
}

const struct vec *
rotation_paths(const struct rotation *r)
{
	return &r->paths;
}

char *
rotation_path(const struct rotation *r, const char *file)
{
	if (file[0] == '/' || strcmp(file, ".") == 0)
		return strdup(file[0] == '/' ? file : r->root);
	return file_join(r->root, file);
}

const struct rotation_counts *
rotation_counts(const struct rotation *r)
{
	return &r->counts;
}
