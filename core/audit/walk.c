#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_internal.h"
#include "audit/ignore.h"
#include "base/buf.h"
#include "base/error.h"
#include "document/scope.h"
#include "file/file.h"

/*
 * Files below a folder, in the order of their names.  At any time the names of
 * the folders between the root and the file at hand are held, and no more.
 */

#define PATH_BYTES_MAX 65536
#define NAMES_MAX ((size_t)1 << 24)
#define DEPTH_MAX 4000
#define STEP_BYTES 2048

/* Larger files are passed over: no configuration is that large. */
#define FILE_MAX ((size_t)64 << 20)

/* The same where nothing in its name says that a file is one.  What is larger is looked at by one
 * thread at a time, as it is there several times over. */
#define SMALL_MAX ((size_t)1 << 20)

/* Fewer files are looked at before threads would have begun. */
#define ALONE_MAX 64

struct audit_walk {
	struct audit *a;
	audit_walk_fn *each;	/* for all files; NULL: they are looked at by their forms */
	struct buf path;
	struct audit_reader reader;
	struct audit_pool *pool;	/* NULL: files were few so far */
	bool added;		/* the entry at hand went there, which asks whether to go on */
	size_t alone;		/* files that are still looked at without it */
	size_t strip;
	char *root;		/* the real path of the folder that was named */
	size_t above;		/* of ->path, what is not below it */
	struct ignore *ignore;	/* NULL: nothing is */
	struct buf real;	/* for walk_real */
	size_t depth;
};

void
audit_reader_init(struct audit_reader *r)
{
	buf_init_secret(&r->small, SMALL_MAX);
	buf_init_secret(&r->large, FILE_MAX);
}

void
audit_reader_release(struct audit_reader *r)
{
	buf_release(&r->small);
	buf_release(&r->large);
}

const char *
audit_below_root(const char *path, size_t strip)
{
	if (strip >= strlen(path))
		strip = 0;
	while (path[strip] == '/' && strip > 0)
		strip++;
	while (path[strip] == '.' && path[strip + 1] == '/')
		strip += 2;
	return path + strip;
}

static const char *
walk_name(struct audit_walk *w)
{
	return audit_below_root(buf_cstr(&w->path), w->strip);
}

static bool
walk_is_keystore(const char *name)
{
	static const char *const endings[] = { ".jks", ".p12", ".pfx", ".keystore", ".truststore",
		".bcfks", ".keytab" };
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (n > strlen(endings[i]) &&
		    strcasecmp(name + n - strlen(endings[i]), endings[i]) == 0)
			return true;
	return false;
}

/* As open(2), for a path of any length: what is longer than the kernel takes, in steps. */
static int
walk_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC), next;
	char step[STEP_BYTES + 1];
	size_t n;

	if (fd != -1 || errno != ENAMETOOLONG)
		return fd;
	for (fd = AT_FDCWD; strlen(path) > STEP_BYTES; fd = next, path += n + 1) {
		for (n = STEP_BYTES; n > 0 && path[n] != '/'; n--)
			;
		memcpy(step, path, n);
		step[n] = '\0';
		next = openat(fd, step, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd != AT_FDCWD)
			close(fd);
		if (next == -1)
			return -1;
	}
	next = openat(fd, path, flags | O_CLOEXEC);
	if (fd != AT_FDCWD)
		close(fd);
	return next;
}

/* As file_read, for a path of any length. */
static int
walk_read(const char *path, struct buf *out, struct file_id *id, struct error *why)
{
	char link[32];
	int fd, rc;

	if (strlen(path) < PATH_MAX)
		return file_read(path, out, id, why);
	if ((fd = walk_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)) == -1)
		return error_io(why, path, "cannot open");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	rc = file_read(link, out, id, why);
	close(fd);
	return rc;
}

static DIR *
walk_opendir(const char *folder)
{
	int fd = walk_open(folder, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;

	if (dir == NULL && fd != -1)
		close(fd);
	return dir;
}

static int
walk_skip(struct audit_walk *w, enum audit_skip why)
{
	w->a->counts.seen++;
	w->a->counts.skipped[why]++;
	return 0;
}

/* ${why}: of w->reader, which the files before may need. */
static int
walk_unreadable(struct audit_walk *w, struct error *err)
{
	struct error why = w->reader.why;

	if (why.code == ERROR_MEMORY)
		return error_memory(err);
	if (w->pool != NULL && audit_pool_drain(w->pool, err) != 0)
		return -1;
	return audit_unreadable(w->a, walk_name(w), &why, err);
}

/* What is in ${content}, or why it is not: ${rc} is of walk_read. */
static int
walk_look(struct audit *a, const struct audit_target *t, const struct buf *content,
    const struct file_id *id, int rc, const struct error *why, struct error *err)
{
	if (rc == 0) {
		a->path = t->path;
		rc = audit_text(a, t->name, content, id, err);
		a->path = NULL;
		return rc;
	}
	if (why->code == ERROR_MEMORY)
		return error_memory(err);
	a->counts.seen++;
	if (why->code != ERROR_LIMIT)
		return audit_unreadable(a, t->name, why, err);
	a->counts.skipped[AUDIT_SKIP_LARGE]++;
	return 0;
}

int
audit_look(struct audit *a, const struct audit_target *t, struct audit_reader *r,
    struct error *err)
{
	struct file_id id;
	int rc;

	buf_clear(&r->small);
	rc = walk_read(t->path, &r->small, &id, &r->why);
	if (rc == 0 || r->why.code != ERROR_LIMIT || !t->claimed)
		return walk_look(a, t, &r->small, &id, rc, &r->why, err);
	if (r->lock != NULL)
		(void)pthread_mutex_lock(r->lock);
	buf_clear(&r->large);
	rc = walk_read(t->path, &r->large, &id, &r->why);
	rc = walk_look(a, t, &r->large, &id, rc, &r->why, err);
	if (r->lock != NULL) {
		buf_release(&r->large);
		(void)pthread_mutex_unlock(r->lock);
	}
	return rc;
}

/* What seems to be a regular file. */
static int
walk_file(struct audit_walk *w, bool named, struct error *err)
{
	const char *path = buf_cstr(&w->path);
	const struct form_name f = audit_form_name(w->a, path);
	const struct audit_target t = { .path = path, .name = walk_name(w),
		.claimed = named || f.form != FORM_NONE };

	if (w->each != NULL)
		return w->each(w->a, path, t.name, err);
	if (walk_is_keystore(path))
		return walk_skip(w, AUDIT_SKIP_KEYSTORE);
	if (!t.claimed && !f.text)
		return walk_skip(w, AUDIT_SKIP_OTHER);
	/* What it names is read behind it. */
	if (named || w->alone > 0) {
		w->alone -= w->alone > 0;
		return audit_look(w->a, &t, &w->reader, err);
	}
	if (w->pool == NULL && (w->pool = audit_pool_new(w->a, &w->reader, err)) == NULL)
		return -1;
	w->added = true;
	return audit_pool_add(w->pool, &t, err);
}

/* Is the link's target a file below the root that the walk does not come to by itself? */
static bool
walk_follows(const struct audit_walk *w, const char *path)
{
	char *real = realpath(path, NULL);
	size_t n = w->root != NULL ? strlen(w->root) : 0;
	bool follow;

	if (real == NULL || w->root == NULL)
		return false;
	/* Kubernetes puts files into folders named ..2026_01_31, and links to them. */
	follow = strncmp(real, w->root, n) == 0 && real[n] == '/' &&
	    strstr(real + n, "/..") != NULL;
	free(real);
	return follow;
}

/* The real path of ->path, which is a folder or file below ->root. */
static const char *
walk_real(struct audit_walk *w)
{
	const char *below = buf_cstr(&w->path);

	below += w->above < w->path.len ? w->above : w->path.len;
	below += strspn(below, "/");
	buf_clear(&w->real);
	buf_append_str(&w->real, w->root);
	if (*below != '\0' && strcmp(w->root, "/") != 0)
		buf_append_char(&w->real, '/');
	buf_append_str(&w->real, below);
	return buf_cstr(&w->real);
}

static bool
walk_leaves_out(struct audit_walk *w, bool is_folder)
{
	return w->ignore != NULL && ignore_leaves_out(w->ignore, walk_real(w), is_folder);
}

/* Take the folder's .gitignore.  One that cannot be read is told, and leaves nothing out. */
static int
walk_enter(struct audit_walk *w, size_t *mark, struct error *err)
{
	const size_t len = w->path.len;
	int rc;

	if (w->ignore == NULL || ignore_enter(w->ignore, walk_real(w), mark, &w->reader.why) == 0)
		return 0;
	buf_append_str(&w->path, "/.gitignore");
	rc = walk_unreadable(w, err);
	buf_truncate(&w->path, len);
	return rc;
}

static int walk_folder_below(struct audit_walk *w, struct error *err);

static int
walk_entry(struct audit_walk *w, const char *name, unsigned char type, struct error *err)
{
	const size_t len = w->path.len;
	const struct scope *scope = w->a->o->scope;
	struct stat st;
	int rc = 0;

	if (!(len == 1 && w->path.data[0] == '.') && len > 0 && w->path.data[len - 1] != '/')
		buf_append_char(&w->path, '/');
	else if (len == 1 && w->path.data[0] == '.')
		buf_truncate(&w->path, 0);
	buf_append_str(&w->path, name);
	if (buf_check(&w->path, err) != 0)
		return -1;
	if (type == DT_UNKNOWN || type == DT_LNK) {
		if (lstat(buf_cstr(&w->path), &st) != 0)
			goto done;
		type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG :
		    S_ISLNK(st.st_mode) ? DT_LNK : DT_CHR;
	}
	if (type != DT_DIR && walk_leaves_out(w, false)) {
		rc = walk_skip(w, AUDIT_SKIP_GITIGNORE);
	} else if (type == DT_LNK) {
		if (stat(buf_cstr(&w->path), &st) != 0 || !S_ISREG(st.st_mode) ||
		    !walk_follows(w, buf_cstr(&w->path)))
			rc = walk_skip(w, AUDIT_SKIP_LINK);
		else
			rc = walk_file(w, false, err);
	} else if (type == DT_DIR) {
		if (strcmp(name, ".git") == 0 || strncmp(name, "..", 2) == 0)
			goto done;
		if (walk_leaves_out(w, true)) {
			w->a->counts.skipped[AUDIT_SKIP_GITIGNORE]++;
			goto done;
		}
		if (!scope_takes_folder(scope, buf_cstr(&w->path)))
			w->a->counts.skipped[AUDIT_SKIP_IGNORED]++;
		else
			rc = walk_folder_below(w, err);
	} else if (type == DT_REG) {
		rc = scope_takes_folder(scope, buf_cstr(&w->path)) ?
		    walk_file(w, false, err) :
		    walk_skip(w, AUDIT_SKIP_IGNORED);
	} else {
		rc = walk_skip(w, AUDIT_SKIP_SPECIAL);
	}
done:
	buf_truncate(&w->path, 0);
	return rc;
}

/* The folder w->path and all below it. */
static int
walk_folder_below(struct audit_walk *w, struct error *err)
{
	struct vec names;	/* of char *: the type, then the name */
	struct dirent *ent;
	char *folder, *slot;
	size_t mark = 0;
	DIR *dir;
	int rc = 0;

	if ((folder = strdup(buf_cstr(&w->path))) == NULL)
		return error_memory(err);
	vec_init(&names, sizeof(char *), NAMES_MAX);
	if (w->depth == DEPTH_MAX || (dir = walk_opendir(folder)) == NULL) {
		if (w->depth == DEPTH_MAX)
			error_set(&w->reader.why, ERROR_LIMIT, "folders are nested too deeply");
		else
			error_io(&w->reader.why, folder, "cannot read the folder");
		rc = walk_unreadable(w, err);
		free(folder);
		return rc;
	}
	for (errno = 0; (ent = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
			continue;
		slot = vec_push_string(&names, ent->d_name, strlen(ent->d_name) + 1);
		if (slot == NULL) {
			rc = error_memory(err);
			break;
		}
		/* Behind the name's NUL. */
		slot[strlen(ent->d_name) + 1] = (char)ent->d_type;
	}
	if (rc == 0 && errno != 0) {
		error_io(&w->reader.why, folder, "cannot read the folder");
		rc = walk_unreadable(w, err);
	}
	closedir(dir);
	vec_sort_strings(&names);
	w->depth++;
	if (rc == 0)
		rc = walk_enter(w, &mark, err);
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		const char *name = vec_string(&names, i);

		buf_truncate(&w->path, 0);
		buf_append_str(&w->path, folder);
		w->added = false;
		rc = walk_entry(w, name, (unsigned char)name[strlen(name) + 1], err);
		free((char *)(uintptr_t)name);
		*(char **)vec_at(&names, i) = NULL;
		if (rc == 0 && !w->added)
			rc = audit_goes_on(w->a, err);
	}
	w->depth--;
	if (w->ignore != NULL)
		ignore_leave(w->ignore, mark);
	vec_release_strings(&names);
	free(folder);
	return rc;
}

/* A file that a unit names, unless the walk comes to it by itself. */
static int
walk_named_one(struct audit_walk *w, const char *path, struct error *err)
{
	const struct form_name f = audit_form_name(w->a, path);
	const size_t n = w->root != NULL ? strlen(w->root) : 0;
	char *real = realpath(path, NULL);
	int rc = 0;

	if (real != NULL && !(n > 0 && strncmp(real, w->root, n) == 0 &&
	    (f.form != FORM_NONE || f.text))) {
		buf_clear(&w->path);
		buf_append_str(&w->path, path);
		rc = walk_file(w, true, err);
	}
	free(real);
	return rc;
}

/* Files of variables that units name, or patterns of such. */
static int
walk_named(struct audit_walk *w, struct error *err)
{
	struct vec *named = &w->a->named;
	glob_t found;
	int rc = 0;

	w->strip = 0;
	vec_sort_strings(named);
	for (size_t i = 0; rc == 0 && i < named->len; i++) {
		if (i > 0 && strcmp(vec_string(named, i), vec_string(named, i - 1)) == 0)
			continue;
		buf_clear(&w->path);
		buf_append_str(&w->path, w->a->o->host != NULL ? w->a->o->host : "");
		buf_append_str(&w->path, vec_string(named, i));
		if (glob(buf_cstr(&w->path), 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; rc == 0 && k < found.gl_pathc; k++)
			rc = walk_named_one(w, found.gl_pathv[k], err);
		globfree(&found);
	}
	vec_release_strings(named);
	vec_init(named, sizeof(char *), NAMES_MAX);
	return rc;
}

const char *
audit_root(const char *const paths[], size_t n, size_t *strip)
{
	struct stat st;

	*strip = 0;
	if (n != 1 || paths[0][0] != '/' || stat(paths[0], &st) != 0 || !S_ISDIR(st.st_mode))
		return ".";
	*strip = strlen(paths[0]);
	return paths[0];
}

static int
walk_all(struct audit *a, const char *path, size_t strip, audit_walk_fn *each, struct error *err)
{
	struct audit_walk w = { .a = a, .strip = strip, .each = each };
	struct stat st;
	int rc;

	if (stat(path, &st) != 0)
		return error_io(err, path, "cannot look at it");
	buf_init(&w.path, PATH_BYTES_MAX);
	audit_reader_init(&w.reader);
	w.alone = audit_pool_threads(a->o) > 1 ? ALONE_MAX : SIZE_MAX;
	buf_append_str(&w.path, path);
	/* Of a/b/ the same as of a/b. */
	while (w.path.len > 1 && w.path.data[w.path.len - 1] == '/')
		buf_truncate(&w.path, w.path.len - 1);
	w.root = S_ISDIR(st.st_mode) ? realpath(path, NULL) : NULL;
	w.above = strcmp(buf_cstr(&w.path), ".") == 0 ? 0 : w.path.len;
	buf_init(&w.real, PATH_BYTES_MAX);
	if (each == NULL && a->o->gitignore && w.root != NULL)
		w.ignore = ignore_new(w.root, err);
	if (each == NULL && a->o->gitignore && w.root != NULL && w.ignore == NULL)
		rc = -1;
	else if (S_ISDIR(st.st_mode))
		rc = walk_folder_below(&w, err);
	else if (S_ISREG(st.st_mode))
		rc = each == NULL && audit_estate_named(a, path, err) != 0 ? -1 :
		    walk_file(&w, true, err);
	else
		rc = walk_skip(&w, AUDIT_SKIP_SPECIAL);
	if (rc == 0 && w.pool != NULL)
		rc = audit_pool_drain(w.pool, err);
	audit_pool_free(w.pool);
	w.pool = NULL;
	if (rc == 0)
		rc = walk_named(&w, err);
	ignore_free(w.ignore);
	free(w.root);
	buf_release(&w.real);
	audit_reader_release(&w.reader);
	buf_release(&w.path);
	return rc;
}

int
audit_path(struct audit *a, const char *path, size_t strip, struct error *err)
{
	a->path_number++;
	return walk_all(a, path, strip, NULL, err);
}

int
audit_walk(struct audit *a, const char *path, audit_walk_fn *each, struct error *err)
{
	return walk_all(a, path, 0, each, err);
}
