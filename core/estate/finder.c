#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
#include "base/vec.h"
#include "document/scope.h"
#include "estate/finder.h"
#include "file/lock.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"

#define PATHS_MAX 1000000

struct finder {
	struct finder_terms terms;
	struct vec folders;	/* of char *: still to be read */
	struct vec pending;	/* of char *: files still to be read */
	struct collection collection;
	pthread_mutex_t lock;	/* of the rest; what is above is whoever's who looks */
	pthread_cond_t more;	/* something was found, or all */
	struct vec found;	/* of struct found */
	size_t taken;		/* so many of them, from the first on */
	unsigned int owners;
	bool lent;		/* another thread looks */
	bool ended;		/* it does no more */
	bool stopped;		/* nobody wants more of it */
	bool failed;		/* no memory */
};

#define PATH_BYTES_MAX 65536

char *
walk_pop(struct vec *v)
{
	return v->len == 0 ? NULL : vec_string(v, --v->len);
}

/* DT_DIR, DT_REG or something else; a symlink to a file counts as a file. */
static int
type_of(int dirfd_, const struct dirent *ent)
{
	struct stat st;

	if (ent->d_type == DT_DIR || ent->d_type == DT_REG)
		return ent->d_type;
	if (ent->d_type == DT_UNKNOWN &&
	    fstatat(dirfd_, ent->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return DT_DIR;
	if ((ent->d_type == DT_UNKNOWN || ent->d_type == DT_LNK) &&
	    fstatat(dirfd_, ent->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
		return DT_REG;
	return DT_UNKNOWN;
}

static int
take_entry(const char *folder, int fd, const struct dirent *ent, const struct scope *scope,
    struct vec *files, struct vec *folders, struct vec *leftovers)
{
	struct vec *to = NULL;
	struct buf path;
	int rc, type;

	if (ent->d_name[0] == '.') {
		if (leftovers == NULL)
			lock_sweep_name(fd, ent->d_name);
		else if (leftovers->max > 0 && lock_is_leftover(fd, ent->d_name))
			to = leftovers;
	} else {
		/* Most names are neither: ask for the type only when it matters. */
		type = type_of(fd, ent);
		if (type == DT_DIR)
			to = folders;
		else if (type == DT_REG && scope_format(scope, ent->d_name) != NULL)
			to = files;
	}
	if (to == NULL)
		return 0;
	buf_init(&path, PATH_BYTES_MAX);
	if (strcmp(folder, ".") != 0) {
		buf_append_str(&path, folder);
		if (folder[strlen(folder) - 1] != '/')
			buf_append_char(&path, '/');
	}
	buf_append_str(&path, ent->d_name);
	rc = buf_check(&path, NULL);
	if (rc == 0 && (to == leftovers || (to == folders ?
	    scope_takes_folder(scope, buf_cstr(&path)) :
	    scope_takes_file(scope, buf_cstr(&path)))))
		rc = vec_push_string(to, buf_cstr(&path), path.len) != NULL ? 0 : -1;
	buf_release(&path);
	return rc;
}

int
walk_folder(const char *path, const struct scope *scope, struct vec *files, struct vec *folders,
    struct vec *leftovers, struct error *problem)
{
	struct dirent *ent;
	DIR *dir;
	int rc = 0;

	if ((dir = opendir(path)) == NULL)
		return error_io(problem, path, "cannot read the folder");
	for (;;) {
		errno = 0;
		if ((ent = readdir(dir)) == NULL) {
			if (errno != 0)
				rc = error_io(problem, path, "cannot read the folder");
			break;
		}
		if (take_entry(path, dirfd(dir), ent, scope, files, folders, leftovers) != 0) {
			rc = error_memory(problem);
			break;
		}
	}
	closedir(dir);
	return rc;
}

/* --- reading a file --- */

struct listed *
listed_new(char *path)
{
	struct listed *f = path != NULL ? calloc(1, sizeof(*f)) : NULL;

	if (f == NULL)
		free(path);
	else
		f->face.path = path;
	return f;
}

static void
listed_forget(struct listed *f)
{
	struct estate_file *face = &f->face;

	free(face->problem);
	face->problem = NULL;
	collected_release(&f->held);
	face->entries = NULL;
	face->count = face->others = 0;
	configuration_free(f->secrets);
	f->secrets = NULL;
	face->is_secrets_file = false;
	face->environment = NULL;
}

void
listed_free(struct listed *f)
{
	if (f == NULL)
		return;
	listed_forget(f);
	free((void *)(uintptr_t)f->face.path);
	free(f);
}

/* Give it a problem (copied).  -1: ERROR_MEMORY. */
static int
listed_fail(struct listed *f, const struct error *problem, struct error *err)
{
	if ((f->face.problem = malloc(sizeof(*f->face.problem))) == NULL)
		return error_memory(err);
	*f->face.problem = *problem;
	return 0;
}

/* What could not be read: is it a link, and when did anything about the file change last (0:
 * not known)? */
static void
listed_examine(struct listed *f)
{
	struct stat st;
	int rc = lstat(f->face.path, &st);

	f->face.is_link = rc == 0 && S_ISLNK(st.st_mode);
	if (f->face.is_link)
		rc = stat(f->face.path, &st);
	f->face.changed = rc == 0 ? time_of(&st.st_ctim) : 0;
}

int
listed_read(struct listed *f, const struct finder_terms *terms, struct collection *x,
    struct error *err)
{
	struct configuration *c;
	struct error problem;
	int rc = 0;

	listed_forget(f);
	f->stale = true;
	if ((c = configuration_load(f->face.path, terms->scope, &problem)) == NULL) {
		listed_examine(f);
		return problem.code == ERROR_MEMORY ? error_memory(err) :
		    listed_fail(f, &problem, err);
	}
	f->id = c->id;
	f->face.is_link = c->id.link;
	f->face.changed = time_of(&c->id.mtime);
	f->face.mode = c->id.mode & 07777;
	f->face.owner = c->id.uid;
	if (secrets_file_recognise(c->doc)) {
		f->face.is_secrets_file = true;
		f->secrets = c;
		return 0;
	}
	x->rules = terms->rules;
	x->brief = terms->brief || terms->references;
	x->references = terms->references;
	if (collect_entries(x, c->doc, &f->held) != 0)
		rc = error_memory(err);
	f->face.entries = f->held.entries;
	f->face.count = f->held.count;
	f->face.others = f->held.others;
	configuration_free(c);
	return rc;
}

/* --- finding them --- */

struct finder *
finder_new(void)
{
	struct finder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	vec_init(&f->folders, sizeof(char *), PATHS_MAX);
	vec_init(&f->pending, sizeof(char *), PATHS_MAX);
	vec_init(&f->found, sizeof(struct found), 2 * PATHS_MAX);
	collection_init(&f->collection);
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->more, NULL);
	f->owners = 1;
	return f;
}

static struct found *
finder_at(const struct finder *f, size_t i)
{
	return vec_at(&f->found, i);
}

void
finder_release(struct finder *f)
{
	unsigned int owners;

	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->lock);
	owners = --f->owners;
	(void)pthread_mutex_unlock(&f->lock);
	if (owners > 0)
		return;
	for (; f->taken < f->found.len; f->taken++) {
		listed_free(finder_at(f, f->taken)->file);
		free(finder_at(f, f->taken)->folder);
	}
	vec_release(&f->found);
	vec_release_strings(&f->folders);
	vec_release_strings(&f->pending);
	collection_release(&f->collection);
	(void)pthread_cond_destroy(&f->more);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

struct finder_terms *
finder_terms(struct finder *f)
{
	return &f->terms;
}

int
finder_add(struct finder *f, const char *path, bool folder)
{
	return vec_push_string(folder ? &f->folders : &f->pending, path, strlen(path)) != NULL ?
	    0 : -1;
}

/* Put what was found, with ${*out} taken over, where it is taken. */
static int
finder_put(struct finder *f, const struct found *x, struct error *err)
{
	struct found *slot;

	(void)pthread_mutex_lock(&f->lock);
	/* Nothing is left: from the start again. */
	if (f->taken == f->found.len)
		f->taken = f->found.len = 0;
	if ((slot = vec_push(&f->found)) != NULL)
		*slot = *x;
	(void)pthread_cond_signal(&f->more);
	(void)pthread_mutex_unlock(&f->lock);
	if (slot != NULL)
		return 0;
	listed_free(x->file);
	free(x->folder);
	return error_memory(err);
}

static int
finder_read_file(struct finder *f, struct error *err)
{
	struct found x = { .file = listed_new(walk_pop(&f->pending)) };

	if (x.file == NULL)
		return error_memory(err);
	if (listed_read(x.file, &f->terms, &f->collection, err) == 0)
		return finder_put(f, &x, err);
	listed_free(x.file);
	return -1;
}

static int
finder_read_folder(struct finder *f, struct error *err)
{
	struct found x = { .folder = walk_pop(&f->folders) };
	struct error problem;

	if (walk_folder(x.folder, f->terms.scope, &f->pending, &f->folders, f->terms.leftovers,
	    &problem) == 0)
		return finder_put(f, &x, err);
	if (problem.code == ERROR_MEMORY) {
		free(x.folder);
		return error_memory(err);
	}
	x = (struct found){ .file = listed_new(x.folder) };
	if (x.file == NULL)
		return error_memory(err);
	if (listed_fail(x.file, &problem, err) == 0)
		return finder_put(f, &x, err);
	listed_free(x.file);
	return -1;
}

/* Find one more file or folder.  0: there is none. */
static int
finder_step(struct finder *f, struct error *err)
{
	if (f->pending.len > 0)
		return finder_read_file(f, err) == 0 ? 1 : -1;
	if (f->folders.len > 0)
		return finder_read_folder(f, err) == 0 ? 1 : -1;
	return 0;
}

enum finder_got
finder_take(struct finder *f, struct found *out, struct error *err)
{
	enum finder_got got = FINDER_ALL;

	(void)pthread_mutex_lock(&f->lock);
	if (f->taken < f->found.len) {
		*out = *finder_at(f, f->taken++);
		got = FINDER_ONE;
	} else if (f->failed) {
		got = FINDER_FAILED;
	} else if (f->lent && !f->ended) {
		got = FINDER_LATER;
	}
	(void)pthread_mutex_unlock(&f->lock);
	if (got == FINDER_FAILED)
		error_memory(err);
	/* Nobody else looks, or has left something. */
	if (got != FINDER_ALL)
		return got;
	switch (finder_step(f, err)) {
	case 0:
		return FINDER_ALL;
	case 1:
		*out = *finder_at(f, f->taken++);
		return FINDER_ONE;
	default:
		return FINDER_FAILED;
	}
}

bool
finder_looks(struct finder *f)
{
	bool looks;

	(void)pthread_mutex_lock(&f->lock);
	looks = f->lent && !f->ended;
	(void)pthread_mutex_unlock(&f->lock);
	return looks;
}

/* With the lock. */
static bool
finder_is_empty(const struct finder *f)
{
	return f->lent && !f->ended && f->taken == f->found.len;
}

bool
finder_waits(struct finder *f)
{
	bool waits;

	(void)pthread_mutex_lock(&f->lock);
	waits = finder_is_empty(f);
	(void)pthread_mutex_unlock(&f->lock);
	return waits;
}

void
finder_wait(struct finder *f)
{
	(void)pthread_mutex_lock(&f->lock);
	while (finder_is_empty(f))
		(void)pthread_cond_wait(&f->more, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

void
finder_stop(struct finder *f)
{
	(void)pthread_mutex_lock(&f->lock);
	f->stopped = true;
	(void)pthread_mutex_unlock(&f->lock);
}

/* --- by another thread --- */

bool
finder_lend(struct finder *f)
{
	bool first;

	(void)pthread_mutex_lock(&f->lock);
	first = !f->lent;
	f->lent = true;
	f->owners += first;
	(void)pthread_mutex_unlock(&f->lock);
	return first;
}

/* Does it still look? */
static bool
finder_goes_on(struct finder *f)
{
	bool stopped;

	(void)pthread_mutex_lock(&f->lock);
	stopped = f->stopped;
	(void)pthread_mutex_unlock(&f->lock);
	return !stopped;
}

void
finder_run(struct finder *f, bool (*go_on)(void *cookie), void *cookie)
{
	struct error err;
	int rc = 1;

	while (rc == 1 && finder_goes_on(f) && go_on(cookie))
		rc = finder_step(f, &err);
	(void)pthread_mutex_lock(&f->lock);
	f->ended = true;
	f->failed = rc == -1;
	(void)pthread_cond_signal(&f->more);
	(void)pthread_mutex_unlock(&f->lock);
}
