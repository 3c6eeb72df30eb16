#include "trail/trail.h"

#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/number.h"
#include "document/document.h"
#include "file/file.h"
#include "file/lock.h"
#include "trail/trail.h"

#define PATH_BYTES 4096
#define NAMES_MAX 1000000
#define ENTRIES_MAX ((size_t)1 << 24)
#define DAY 86400
#define SMALL 4096		/* bytes: what only says why is less */
#define INDEX ".index"
#define INDEX_FIELD 20		/* bytes: a number and a line end */
#define INDEX_BYTES (3 * INDEX_FIELD)
#define GAP_MAX 1000		/* numbers without a file */

/* --- the folder --- */

static int
kept_path(const char *path, char out[PATH_BYTES], struct error *err)
{
	int n = snprintf(out, PATH_BYTES, "%s.kept.%llu", path, (unsigned long long)geteuid());

	if (n >= 0 && n < PATH_BYTES - 32)
		return 0;
	error_set(err, ERROR_LIMIT, "the path of the trail is too long to keep anything beside it");
	return error_place(err, path, 0);
}

/* A folder of the user's own, of mode 0700.  -1 with ERROR_MISSING: there is none. */
static int
kept_folder(const char *path, bool make, struct error *err)
{
	struct stat st;
	int fd;

	if (make && mkdir(path, 0700) == -1 && errno != EEXIST) {
		/* Who may only write to the trail itself keeps nothing. */
		if (errno == EACCES || errno == EPERM || errno == EROFS)
			return error_set(err, ERROR_MISSING, "nothing may be kept there");
		return error_io(err, path, "cannot make the folder of what undoes changes");
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return error_set(err, ERROR_MISSING, "nothing is kept");
	if (fd == -1 || fstat(fd, &st) == -1) {
		error_io(err, path, "cannot open the folder of what undoes changes");
	} else if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		error_set(err, ERROR_REFUSED, "the folder of what undoes changes is not the user's "
		    "own, or others may open it");
		error_place(err, path, 0);
		error_hint(err, "chmod 700 it, or remove it");
	} else {
		return fd;
	}
	if (fd != -1)
		close(fd);
	return -1;
}

struct kept_name {
	uint64_t change;
	uint64_t size;
	bool old;
};

static int
by_change(const void *a, const void *b)
{
	const struct kept_name *x = a, *y = b;

	return x->change < y->change ? -1 : x->change > y->change;
}

/* What is in the folder, the oldest change first; ${days}: what is kept so long is old. */
static int
kept_list(int folder, size_t days, struct vec *names, struct error *err)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	time_t now = time(NULL);
	struct kept_name *n;
	struct dirent *e;
	struct stat st;
	uint64_t change;

	vec_init(names, sizeof(struct kept_name), NAMES_MAX);
	if (dir == NULL) {
		rc = error_io(err, "", "cannot list what undoes changes");
		if (fd != -1)
			close(fd);
		return rc;
	}
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		if (!number_parse(e->d_name, strlen(e->d_name), UINT64_MAX / 2, &change) ||
		    fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		    !S_ISREG(st.st_mode))
			continue;
		if ((n = vec_push(names)) == NULL)
			rc = error_memory(err);
		else
			*n = (struct kept_name){ change, (uint64_t)st.st_size,
				now - st.st_mtime >= (time_t)days * DAY };
	}
	closedir(dir);
	if (names->len > 0)
		qsort(names->items, names->len, sizeof(*n), by_change);
	return rc;
}

static void
kept_name_text(uint64_t change, char out[32])
{
	snprintf(out, 32, "%llu", (unsigned long long)change);
}

/* --- what there is, without a look at each --- */

/* What the file INDEX says, so that a change costs the same however many are kept.  Where it does
 * not fit, as after a change without it, the folder is listed. */
struct kept_index {
	uint64_t oldest, newest;	/* numbers of changes */
	uint64_t sum;			/* bytes */
};

/* ${fd}: -1 where there is none.  False: it is of no use for ${change}. */
static bool
index_read(int fd, uint64_t change, struct kept_index *x)
{
	uint64_t *const fields[] = { &x->oldest, &x->newest, &x->sum };
	char text[INDEX_BYTES];

	if (fd == -1 || pread(fd, text, sizeof(text), 0) != sizeof(text))
		return false;
	for (size_t i = 0; i < 3; i++)
		if (text[(i + 1) * INDEX_FIELD - 1] != '\n' || !number_parse(text + i * INDEX_FIELD,
		    INDEX_FIELD - 1, UINT64_MAX / 2, fields[i]))
			return false;
	/* A trail that was begun anew counts from 1. */
	return x->newest < change && x->oldest <= change;
}

static bool
index_write(int fd, const struct kept_index *x)
{
	char text[INDEX_BYTES + 1];

	snprintf(text, sizeof(text), "%019llu\n%019llu\n%019llu\n", (unsigned long long)x->oldest,
	    (unsigned long long)x->newest, (unsigned long long)x->sum);
	return pwrite(fd, text, INDEX_BYTES, 0) == INDEX_BYTES;
}

/* From a look at each, with which what is old, and the oldest until ${room} bytes fit, are removed.
 * False in ${*whole}: there are some of a trail that was here before, which no number leads to. */
static int
index_make(int folder, size_t days, size_t room, uint64_t change, struct kept_index *x,
    bool *whole, struct error *err)
{
	struct vec names;
	char text[32];
	int rc = kept_list(folder, days, &names, err);

	*x = (struct kept_index){ .oldest = change };
	*whole = true;
	for (size_t i = 0; i < names.len; i++)
		x->sum += ((struct kept_name *)vec_at(&names, i))->size;
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const struct kept_name *n = vec_at(&names, i);

		kept_name_text(n->change, text);
		if ((n->old || x->sum + room > KEPT_MAX) && unlinkat(folder, text, 0) == 0) {
			x->sum -= n->size;
			continue;
		}
		if (n->change < x->oldest)
			x->oldest = n->change;
		*whole &= n->change < change;
	}
	vec_release(&names);
	return rc;
}

/* Remove from the oldest on what is old, and more until ${room} bytes fit.  Each number is passed
 * once.  False: there is a gap, and to list the folder is less work. */
static bool
kept_sweep(int folder, size_t days, size_t room, uint64_t change, struct kept_index *x)
{
	time_t now = time(NULL);
	size_t missing = 0;
	struct stat st;
	char text[32];

	for (; x->oldest < change; x->oldest++) {
		kept_name_text(x->oldest, text);
		if (fstatat(folder, text, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode)) {
			if (++missing == GAP_MAX)
				return false;
			continue;
		}
		if (now - st.st_mtime < (time_t)days * DAY && x->sum + room <= KEPT_MAX)
			break;
		if (unlinkat(folder, text, 0) == 0)
			x->sum -= x->sum < (uint64_t)st.st_size ? x->sum : (uint64_t)st.st_size;
	}
	return true;
}

/* The next change lists the folder. */
static void
index_drop(int folder)
{
	(void)unlinkat(folder, INDEX, 0);
}

/* --- writing --- */

static bool
kept_put(int folder, const char *name, const struct buf *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int code;

	if (fd == -1)
		return false;
	code = file_write(fd, text->data, text->len) == 0 ? 0 : errno;
	if (close(fd) == 0 && code == 0)
		return true;
	code = code != 0 ? code : errno;
	unlinkat(folder, name, 0);
	errno = code;
	return false;
}

int
kept_write(const struct trail *t, uint64_t change, const struct buf *text, struct error *err)
{
	char path[PATH_BYTES], name[32];
	struct kept_index x;
	struct error why;
	bool whole = true;
	int folder, index, rc = 0;

	if (kept_path(t->path, path, err) != 0)
		return -1;
	if ((folder = kept_folder(path, t->keep_days > 0, &why)) == -1) {
		if (why.code == ERROR_MISSING)
			return 0;
		*err = why;
		return -1;
	}
	index = openat(folder, INDEX, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	/* Without what another process is at, which is made anew then. */
	if (index != -1 && lock_descriptor(index) == -1) {
		close(index);
		index = -1;
	}
	if (!index_read(index, change, &x) ||
	    !kept_sweep(folder, t->keep_days, text->len, change, &x))
		rc = index_make(folder, t->keep_days, text->len, change, &x, &whole, err);
	kept_name_text(change, name);
	if (rc == 0 && t->keep_days > 0) {
		/* Of a trail that was here before. */
		(void)unlinkat(folder, name, 0);
		errno = 0;
		if (!kept_put(folder, name, text))
			rc = error_io(err, path, "cannot keep what undoes the change");
		x.newest = change;
		x.sum += text->len;
	}
	if (index == -1 || rc != 0 || !whole || t->keep_days == 0 || !index_write(index, &x))
		index_drop(folder);
	if (index != -1)
		close(index);
	close(folder);
	return rc;
}

void
kept_drop(const struct trail *t, uint64_t change)
{
	char path[PATH_BYTES], name[32];
	int folder;

	if (kept_path(t->path, path, NULL) != 0 || (folder = kept_folder(path, false, NULL)) == -1)
		return;
	kept_name_text(change, name);
	(void)unlinkat(folder, name, 0);
	index_drop(folder);
	close(folder);
}

/* --- reading --- */

static void
kept_file_release(struct kept_file *f)
{
	free(f->path);
	for (size_t i = 0; i < f->entries.len; i++) {
		struct kept_entry *e = vec_at(&f->entries, i);

		free(e->key);
		free(e->was);
		free(e->now);
		free(e->tag);
		free(e->after);
	}
	vec_release(&f->entries);
}

void
kept_release(struct kept *k)
{
	free(k->why);
	for (size_t i = 0; i < k->files.len; i++)
		kept_file_release(vec_at(&k->files, i));
	vec_release(&k->files);
}

/* The last part of a path to a value, such as `was` of files.0.entries.12.was, and how many
 * parts there are before it. */
static const char *
last_part(const char *key, size_t len, size_t *depth, size_t *n)
{
	const char *part = key;

	*depth = 0;
	for (const char *dot = key; (dot = memchr(dot, '.', len - (size_t)(dot - key))) != NULL;
	    dot++) {
		part = dot + 1;
		++*depth;
	}
	*n = len - (size_t)(part - key);
	return part;
}

static bool
part_is(const char *part, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(part, name, n) == 0;
}

/* One value of the document: of the file that was named last, or of the entry. */
static int
kept_take(struct kept *k, const struct document *d, size_t i, struct error *err)
{
	struct kept_file *f = k->files.len > 0 ? vec_at(&k->files, k->files.len - 1) : NULL;
	struct kept_entry *e = f != NULL && f->entries.len > 0 ? vec_at(&f->entries,
	    f->entries.len - 1) : NULL;
	size_t len, n, depth;
	const char *key = document_key(d, i, &len), *part = last_part(key, len, &depth, &n);
	char **text = NULL;

	if (depth == 0 && part_is(part, n, "why")) {
		text = &k->why;
	} else if (depth == 2 && part_is(part, n, "file")) {
		if ((f = vec_push(&k->files)) == NULL)
			return error_memory(err);
		vec_init(&f->entries, sizeof(struct kept_entry), ENTRIES_MAX);
		text = &f->path;
	} else if (depth == 2 && part_is(part, n, "secrets") && f != NULL) {
		f->is_secrets = document_value_is(d, i, "true", 4);
	} else if (depth == 4 && part_is(part, n, "key") && f != NULL) {
		if ((e = vec_push(&f->entries)) == NULL)
			return error_memory(err);
		text = &e->key;
	} else if (depth == 4 && e != NULL) {
		text = part_is(part, n, "was") ? &e->was : part_is(part, n, "now") ? &e->now :
		    part_is(part, n, "tag") ? &e->tag :
		    part_is(part, n, "after") ? &e->after : NULL;
	}
	if (text != NULL && *text == NULL)
		*text = trail_text(d, i);
	return 0;
}

static bool
kept_is_whole(const struct kept *k)
{
	for (size_t i = 0; i < k->files.len; i++) {
		const struct kept_file *f = vec_at(&k->files, i);

		if (f->path == NULL)
			return false;
		for (size_t n = 0; n < f->entries.len; n++) {
			const struct kept_entry *e = vec_at(&f->entries, n);

			if (e->key == NULL || (e->now != NULL && strlen(e->now) != KEPT_HASH))
				return false;
		}
	}
	return k->why != NULL || k->files.len > 0;
}

static int
kept_parse(struct buf *content, const char *path, struct kept *k, struct error *err)
{
	struct document *d = document_parse(content, &document_json, path, NULL);
	size_t schema = d != NULL && document_problem(d, NULL) == 0 ?
	    document_find(d, "schema", 6) : DOCUMENT_NONE;
	bool ok = schema != DOCUMENT_NONE && document_value_is(d, schema, KEPT_SCHEMA,
	    strlen(KEPT_SCHEMA));
	int rc = 0;

	for (size_t i = 0; ok && rc == 0 && i < document_count(d); i++)
		rc = kept_take(k, d, i, err);
	document_free(d);
	if (rc == 0 && (!ok || !kept_is_whole(k))) {
		error_set(err, ERROR_DAMAGED, "what undoes the change is damaged");
		rc = error_place(err, path, 0);
	}
	return rc;
}

/* From the folder that was looked at, not from what has come to its name, and through no link:
 * others may write to the folder of the trail. */
static int
kept_load(int fd, const char *folder, uint64_t change, struct kept *k, struct error *err)
{
	char path[PATH_BYTES + 32], name[32];
	struct buf content;
	struct stat st;
	int file, rc;

	snprintf(path, sizeof(path), "%s/%llu", folder, (unsigned long long)change);
	kept_name_text(change, name);
	file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file == -1 && errno == ENOENT)
		return error_set(err, ERROR_MISSING, "nothing is kept");
	if (file == -1)
		return error_io(err, path, "cannot read what undoes the change");
	buf_init_secret(&content, BUF_MAX_FILE);
	if (fstat(file, &st) == 0 && S_ISREG(st.st_mode)) {
		rc = file_read_fd(file, path, &content, err);
	} else {
		error_set(err, ERROR_REFUSED, "what undoes the change is no regular file");
		rc = error_place(err, path, 0);
	}
	if (rc == 0)
		rc = kept_parse(&content, path, k, err);
	buf_release(&content);
	close(file);
	return rc;
}

int
kept_read(const char *path, uint64_t change, struct kept *k, struct error *err)
{
	char folder[PATH_BYTES];
	struct error why;
	int fd = -1;

	memset(k, 0, sizeof(*k));
	vec_init(&k->files, sizeof(struct kept_file), ENTRIES_MAX);
	if (kept_path(path, folder, &why) == 0 && (fd = kept_folder(folder, false, &why)) != -1 &&
	    kept_load(fd, folder, change, k, &why) == 0) {
		close(fd);
		return 0;
	}
	if (fd != -1)
		close(fd);
	if (why.code == ERROR_MISSING) {
		error_set(&why, ERROR_MISSING, "nothing is kept that undoes change %llu",
		    (unsigned long long)change);
		error_hint(&why, "it is kept for the user who made the change, for as many days as "
		    "`undo-days` in [files] of propseal.ini says, until a rotation of its secrets "
		    "file is finished");
	}
	if (err != NULL)
		*err = why;
	return -1;
}

bool
kept_is_of_another(const struct trail_change *c)
{
	return c->uid != geteuid();
}

char *
kept_why(const char *path, const struct trail_change *c)
{
	char folder[PATH_BYTES], name[PATH_BYTES + 32];
	struct error err;
	struct kept k;
	struct stat st;
	char *why = NULL;

	if (c->running || c->outcome == TRAIL_FAILED || kept_is_of_another(c))
		return strdup(c->running ? "it is at work" : c->outcome == TRAIL_FAILED ?
		    "nothing was changed" : "another user made it, and has what undoes it");
	if (kept_path(path, folder, NULL) == 0) {
		snprintf(name, sizeof(name), "%s/%llu", folder, (unsigned long long)c->n);
		if (lstat(name, &st) == 0 && st.st_size > SMALL)
			return NULL;
	}
	if (kept_read(path, c->n, &k, &err) != 0) {
		why = strdup(err.text);
	} else {
		why = k.why;
		k.why = NULL;
	}
	kept_release(&k);
	return why;
}

static void
kept_wipe(int folder, uint64_t change)
{
	static const unsigned char zeroes[4096];
	char name[32];
	struct stat st;
	int fd;

	kept_name_text(change, name);
	fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 && fstat(fd, &st) == 0) {
		for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(zeroes))
			if (pwrite(fd, zeroes, (size_t)(st.st_size - at < (off_t)sizeof(zeroes) ?
			    st.st_size - at : (off_t)sizeof(zeroes)), at) <= 0)
				break;
		(void)fdatasync(fd);
	}
	if (fd != -1)
		close(fd);
	(void)unlinkat(folder, name, 0);
}

/* Is it about one of the files?  What cannot be read is of no use to anybody but who keeps old
 * keys. */
static bool
kept_is_about(const char *path, uint64_t change, const struct map *files)
{
	struct kept k;
	size_t ignored;
	bool has = kept_read(path, change, &k, NULL) != 0;

	for (size_t i = 0; !has && i < k.files.len; i++) {
		const char *file = ((struct kept_file *)vec_at(&k.files, i))->path;

		has = map_get(files, file, strlen(file), &ignored);
	}
	kept_release(&k);
	return has;
}

/* The files by their paths without links, which ${paths} holds. */
static struct map *
real_paths(const char *const files[], size_t n, struct vec *paths, struct error *err)
{
	struct map *all = map_new();

	for (size_t i = 0; all != NULL && i < n; i++) {
		char *real = realpath(files[i], NULL);
		const char *path = real != NULL ? real : files[i];

		path = vec_push_string(paths, path, strlen(path));
		if (path == NULL || map_put(all, path, strlen(path), i) != 0) {
			map_free(all);
			all = NULL;
		}
		free(real);
	}
	if (all == NULL)
		error_memory(err);
	return all;
}

int
kept_forget(const char *path, const char *const files[], size_t n, size_t *count,
    struct error *err)
{
	char folder[PATH_BYTES];
	struct error why;
	struct vec names, paths;
	struct map *all;
	int fd, rc;

	*count = 0;
	if (kept_path(path, folder, err) != 0)
		return -1;
	if ((fd = kept_folder(folder, false, &why)) == -1) {
		if (why.code == ERROR_MISSING)
			return 0;
		if (err != NULL)
			*err = why;
		return -1;
	}
	rc = kept_list(fd, 0, &names, err);
	vec_init(&paths, sizeof(char *), n);
	if ((all = real_paths(files, n, &paths, err)) == NULL)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const struct kept_name *x = vec_at(&names, i);

		if (kept_is_about(path, x->change, all)) {
			kept_wipe(fd, x->change);
			++*count;
		}
	}
	if (*count > 0)
		index_drop(fd);
	map_free(all);
	vec_release_strings(&paths);
	vec_release(&names);
	close(fd);
	return rc;
}
