#include "ui/resume.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/vec.h"
#include "crypto/mac.h"
#include "estate/estate.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"
#include "ui/app.h"
#include "ui/job.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/outline.h"
#include "ui/term.h"

#define HEAD "propseal marks 1\n"
#define SOON_MS 200		/* marks that follow each other are written once */
#define SLICE_MS 3		/* of the screen's time, for a piece of them */
#define ENTRIES_AT_ONCE 4096	/* before one looks at the clock */
#define SLOTS 8			/* runs over the same files whose marks are kept at once */
#define KEPT_MAX ((size_t)256 << 20)
#define NAME_BYTES 8		/* of a hash */

struct resume {
	struct buf base;	/* the path of our files, without their number */
	struct vec roots;	/* of char *: where what is open really is */
	struct buf path;	/* our file; its lock is held */
	struct lock *lock;	/* NULL: there is none yet */
	struct marks *wanted, *off;	/* that were left, not set again yet; NULL: none */
	size_t back, gone;	/* of them, so far */
	uint64_t kept;		/* the sum of the marks that were written last */
	uint64_t at;		/* when the next ones are; 0: there are none */
	bool telling;		/* their text is begun: of which marks, of which state of which */
	const struct estate *told_of;	/* files; and how far it is */
	unsigned long told_at;
	size_t file, entry;
	bool named;		/* the file has its line */
	struct job job;		/* that writes, and what it writes */
	bool writes, told;
	struct buf text;
};

static uint64_t
resume_sum(const struct model *m)
{
	return marks_sum(m->marks) + 3 * marks_sum(m->off);
}

/* --- names --- */

/* The path of a file of the estate, wherever we were started. */
static const char *
resume_path(const struct resume *r, const struct app *a, const char *path, struct buf *out)
{
	const struct ui_options *o = a->options;

	for (size_t i = 0; i < o->path_count; i++) {
		const char *root = o->paths[i];
		size_t n = strlen(root);

		while (n > 1 && root[n - 1] == '/')
			n--;
		if (strncmp(path, root, n) != 0 ||
		    (path[n] != '/' && path[n] != '\0' && root[n - 1] != '/'))
			continue;
		buf_clear(out);
		buf_append_str(out, vec_string(&r->roots, i));
		if (path[n] != '\0' && path[n] != '/')
			buf_append_char(out, '/');
		buf_append_str(out, path + n);
		return buf_cstr(out);
	}
	return path;
}

/* Our files are named by what is open. */
static int
resume_find(struct resume *r, const struct app *a, struct error *err)
{
	const struct ui_options *o = a->options;
	unsigned char sum[DIGEST_SHA256];
	struct digest *d = digest_new(err);
	struct buf all;
	int rc = d != NULL ? 0 : -1;

	buf_init(&all, KEPT_MAX);
	for (size_t i = 0; rc == 0 && i < o->path_count; i++) {
		char *real = realpath(o->paths[i], NULL);
		const char *root = real != NULL ? real : o->paths[i];

		buf_append(&all, root, strlen(root) + 1);
		if (vec_push_string(&r->roots, root, strlen(root)) == NULL)
			rc = error_memory(err);
		free(real);
	}
	if (rc == 0 && (rc = buf_check(&all, err)) == 0 &&
	    digest_sha256(d, all.data, all.len, sum) != 0)
		rc = error_set(err, ERROR_CRYPTO, "their name cannot be made");
	if (rc == 0 && !file_in_home("XDG_STATE_HOME", "/.local/state", "marks-", &r->base))
		rc = error_set(err, ERROR_MISSING,
		    "neither XDG_STATE_HOME nor HOME names a folder");
	hex_append(&r->base, sum, rc == 0 ? NAME_BYTES : 0);
	buf_release(&all);
	digest_free(d);
	(void)buf_cstr(&r->base);
	return rc == 0 ? buf_check(&r->base, err) : rc;
}

/* Get hold of the first of our files that nobody has and that is there, or is not: whoever
 * else has the same files open keeps his. */
static int
resume_claim(struct resume *r, bool there, struct error *err)
{
	const char *path;

	error_set(err, ERROR_BUSY, "too many runs have the same files open");
	for (unsigned int i = 1; i <= SLOTS; i++) {
		buf_clear(&r->path);
		buf_append(&r->path, r->base.data, r->base.len);
		buf_printf(&r->path, "-%u", i);
		path = buf_cstr(&r->path);
		if ((access(path, F_OK) == 0) != there)
			continue;
		r->lock = lock_files(&path, 1, 0, NULL, NULL, err);
		if (r->lock == NULL && err->code != ERROR_BUSY)
			return -1;
		if (r->lock != NULL && (access(path, F_OK) == 0) == there)
			return 0;
		lock_release(r->lock);
		r->lock = NULL;
	}
	return -1;
}

/* --- writing --- */

/* `f` a file, then `m` each of its keys that is marked, or `o` where it is off: the length and
 * the bytes. */
static void
resume_append(struct buf *out, char kind, const char *bytes, size_t n)
{
	buf_append_char(out, kind);
	buf_append_char(out, ' ');
	number_append(out, n);
	buf_append_char(out, ' ');
	buf_append(out, bytes, n);
	buf_append_char(out, '\n');
}

/* Some of a file's marks, from ${r->entry} on: at most so many of its entries are looked at. */
static void
resume_append_file(struct resume *r, const struct app *a, const struct estate_file *f, size_t most)
{
	const struct model *m = a->model;
	struct buf path;

	for (; r->entry < f->count && most > 0; r->entry++, most--) {
		const struct estate_entry *e = &f->entries[r->entry];

		if (e->shadowed || !marks_has(m->marks, f->path, e->key, e->key_len))
			continue;
		if (!r->named) {
			const char *name;

			buf_init(&path, KEPT_MAX);
			name = resume_path(r, a, f->path, &path);
			resume_append(&r->text, 'f', name, strlen(name));
			buf_release(&path);
			r->named = true;
		}
		resume_append(&r->text, marks_has(m->off, f->path, e->key, e->key_len) ? 'o' : 'm',
		    e->key, e->key_len);
	}
}

static const struct estate *
resume_estate(const struct model *m)
{
	return m->former != NULL ? m->former : m->estate;
}

/* Another piece of what is to be written (nothing, where nothing is marked), until a time is up
 * (UINT64_MAX: all of it); from the start, if what it is of is another one now.  True: it is
 * whole. */
static bool
resume_tell(struct resume *r, const struct app *a, uint64_t until)
{
	const struct model *m = a->model;
	const struct estate *e = resume_estate(m);

	if (!r->telling || r->kept != resume_sum(m) || r->told_of != e ||
	    r->told_at != m->changes) {
		buf_clear(&r->text);
		r->kept = resume_sum(m);
		r->told_of = e;
		r->told_at = m->changes;
		r->file = r->entry = 0;
		r->named = false;
		r->telling = true;
		if (marks_count(m->marks) > 0)
			buf_append_str(&r->text, HEAD);
	}
	while (marks_count(m->marks) > 0 && r->file < estate_count(e)) {
		resume_append_file(r, a, estate_file(e, r->file), ENTRIES_AT_ONCE);
		if (r->entry >= estate_file(e, r->file)->count) {
			r->file++;
			r->entry = 0;
			r->named = false;
		}
		if (clock_ms() >= until)
			return false;
	}
	if (marks_count(m->marks) > 0)
		buf_append_str(&r->text, "end\n");
	r->at = 0;
	r->telling = false;
	return true;
}

static int
resume_remove(const struct resume *r, struct error *err)
{
	const char *path = (const char *)r->path.data;

	return unlink(path) == 0 || access(path, F_OK) != 0 ? 0 :
	    error_io(err, path, "cannot remove the file");
}

/* In the job's thread, or at the end. */
static int
resume_write(struct job *j, void *resume, struct error *err)
{
	struct resume *r = resume;
	struct file_id id;
	char *folder;
	int rc = 0;

	(void)j;
	if (r->lock == NULL && r->text.len == 0)
		return 0;
	if (r->lock == NULL) {
		if ((folder = file_folder((const char *)r->base.data)) == NULL)
			return error_memory(err);
		rc = file_make_folders(folder, err);
		free(folder);
		if (rc != 0 || (rc = resume_claim(r, false, err)) != 0)
			return rc;
	}
	if (r->text.len == 0)
		return resume_remove(r, err);
	if (buf_check(&r->text, err) != 0 ||
	    file_identify((const char *)r->path.data, &id, err) != 0)
		return -1;
	return replace_file((const char *)r->path.data, &id, &r->text, err);
}

static void
resume_written(struct app *a, struct job *j)
{
	struct resume *r = a->resume;

	r->writes = false;
	buf_release(&r->text);
	if (j->rc == 0 || r->told)
		return;
	r->told = true;
	app_complain(a, "marks would be lost by a crash: %s", j->err.text);
}

/* --- reading --- */

/* One line of resume_append; false: it is none. */
static bool
resume_line(const char **at, const char *end, char *kind, const char **bytes, size_t *n)
{
	const char *p = *at, *space;
	uint64_t len;

	if (end - p < 4 || p[1] != ' ' ||
	    (space = memchr(p + 2, ' ', (size_t)(end - p - 2))) == NULL ||
	    !number_parse(p + 2, (size_t)(space - p - 2), KEPT_MAX, &len) ||
	    (uint64_t)(end - space) < len + 2 || space[1 + len] != '\n')
		return false;
	*kind = *p;
	*bytes = space + 1;
	*n = (size_t)len;
	*at = space + len + 2;
	return true;
}

/* False: the text is damaged, or there is no memory. */
static bool
resume_parse(struct resume *r, const char *at, const char *end)
{
	const char *bytes;
	char *file = NULL;
	bool ok = true;
	size_t n;
	char kind;

	at += sizeof(HEAD) - 1;
	while (ok && resume_line(&at, end, &kind, &bytes, &n)) {
		if (kind == 'f') {
			free(file);
			file = NULL;
			ok = memchr(bytes, '\0', n) == NULL && (file = malloc(n + 1)) != NULL;
			if (!ok)
				break;
			memcpy(file, bytes, n);
			file[n] = '\0';
		} else {
			ok = file != NULL && (kind == 'm' || kind == 'o') &&
			    marks_set(r->wanted, file, bytes, n, true) == 0 &&
			    (kind == 'm' || marks_set(r->off, file, bytes, n, true) == 0);
		}
	}
	free(file);
	return ok && end - at == 4 && memcmp(at, "end\n", 4) == 0;
}

static void
resume_forget(struct resume *r)
{
	marks_free(r->wanted);
	marks_free(r->off);
	r->wanted = r->off = NULL;
}

static void
resume_read(struct resume *r, struct app *a)
{
	struct error err;
	struct buf text;

	if (resume_claim(r, true, &err) != 0)
		return;
	buf_init(&text, KEPT_MAX);
	r->wanted = marks_new();
	r->off = marks_new();
	if (r->wanted == NULL || r->off == NULL) {
		error_memory(&err);
		goto failed;
	}
	if (file_read((const char *)r->path.data, &text, NULL, &err) != 0)
		goto failed;
	if (text.len < sizeof(HEAD) || memcmp(text.data, HEAD, sizeof(HEAD) - 1) != 0 ||
	    !resume_parse(r, (const char *)text.data, (const char *)text.data + text.len)) {
		app_complain(a, "marks of a run cut short are damaged, and removed");
		(void)resume_remove(r, &err);
		resume_forget(r);
	}
	buf_release(&text);
	return;
failed:
	app_complain(a, "marks of a run cut short cannot be read: %s", err.text);
	resume_forget(r);
	lock_release(r->lock);
	r->lock = NULL;
	buf_release(&text);
}

struct resume *
resume_new(struct app *a)
{
	struct resume *r = NULL;
	struct error err;

	if (a->options->lessons != NULL || a->options->read_only ||
	    (r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	buf_init(&r->base, KEPT_MAX);
	buf_init(&r->path, KEPT_MAX);
	buf_init(&r->text, KEPT_MAX);
	vec_init(&r->roots, sizeof(char *), a->options->path_count);
	r->job = (struct job){ .run = resume_write, .done = resume_written, .cookie = r };
	r->kept = resume_sum(a->model);
	if (resume_find(r, a, &err) == 0)
		resume_read(r, a);
	else
		buf_release(&r->base);
	return r;
}

/* --- setting them again --- */

/* What of the file was marked, if it can still be sealed. */
static int
resume_set_file(struct resume *r, struct app *a, const struct estate_file *f)
{
	struct model *m = a->model;
	struct buf room;
	const char *path;
	int rc = 0;

	buf_init(&room, KEPT_MAX);
	path = resume_path(r, a, f->path, &room);
	for (size_t i = 0; rc == 0 && i < f->count; i++) {
		const struct estate_entry *e = &f->entries[i];

		if (e->shadowed || !marks_has(r->wanted, path, e->key, e->key_len))
			continue;
		(void)marks_set(r->wanted, path, e->key, e->key_len, false);
		r->gone += !model_can_seal(e);
		if (!model_can_seal(e))
			continue;
		r->back++;
		rc = model_mark(m, f, e, true);
		if (rc == 0 && marks_has(r->off, path, e->key, e->key_len))
			rc = marks_set(m->off, f->path, e->key, e->key_len, true);
	}
	buf_release(&room);
	return rc;
}

static void
resume_say(struct app *a, size_t back, size_t gone)
{
	struct buf text;

	buf_init(&text, APP_NOTICE_MAX);
	buf_printf(&text, "%zu %s of a run cut short ", back > 0 ? back : gone,
	    (back > 0 ? back : gone) == 1 ? "mark" : "marks");
	if (back > 0)
		buf_append_str(&text, back == 1 ? "is back" : "are back");
	if (back > 0 && gone > 0)
		buf_printf(&text, "; %zu ", gone);
	if (gone > 0)
		buf_append_str(&text, gone == 1 ? "no longer fits" : "no longer fit");
	app_add_notice(a, buf_cstr(&text));
	buf_release(&text);
}

static bool
resume_set(struct app *a)
{
	const struct estate *e = a->model->estate;
	struct resume *r = a->resume;
	struct error err;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < estate_count(e); i++)
		rc = resume_set_file(r, a, estate_file(e, i));
	if (rc == -1)
		app_complain(a, "not enough memory");
	/* The others may be among those that are only counted, and read when all are shown. */
	else if (marks_count(r->wanted) > 0 && !a->model->keeps_all &&
	    model_keep_all(a->model, &err) == 0)
		return true;
	r->gone += marks_count(r->wanted);
	if (r->back + r->gone > 0)
		resume_say(a, r->back, r->gone);
	resume_forget(r);
	r->kept = resume_sum(a->model) + 1;	/* what is on disk is others */
	return true;
}

/* --- the run --- */

uint64_t
resume_until(const struct app *a)
{
	const struct resume *r = a->resume;

	return r == NULL || r->at == 0 || r->writes || a->job != NULL ? UINT64_MAX : r->at;
}

bool
resume_run(struct app *a, bool may_set)
{
	const struct model *m = a->model;
	struct resume *r = a->resume;
	bool draw = false;
	struct error err;

	if (r == NULL || r->base.len == 0)
		return false;
	if (r->wanted != NULL) {
		if (!may_set || !m->looked || m->scanning || m->next != NULL)
			return false;
		draw = resume_set(a);
	}
	if (r->wanted != NULL)
		return draw;
	if (r->kept == resume_sum(m) && !r->telling)
		r->at = 0;
	else if (r->at == 0)
		r->at = clock_ms() + SOON_MS;
	if (clock_ms() < resume_until(a))
		return draw;
	if (!resume_tell(r, a, clock_ms() + SLICE_MS))
		return draw;
	r->writes = job_start(a, &r->job, &err) == 0;
	return draw;
}

void
resume_end(struct app *a)
{
	struct resume *r = a->resume;
	struct error ignored;

	if (r == NULL)
		return;
	/* What was not set again is for the next run. */
	if (r->wanted == NULL && (a->quit || a->end_signal == SIGINT)) {
		if (r->lock != NULL)
			(void)resume_remove(r, &ignored);
	} else if (r->wanted == NULL && r->base.len > 0 &&
	    (r->telling || r->kept != resume_sum(a->model))) {
		(void)resume_tell(r, a, UINT64_MAX);
		(void)resume_write(NULL, r, &ignored);
	}
	resume_forget(r);
	lock_release(r->lock);
	vec_release_strings(&r->roots);
	buf_release(&r->text);
	buf_release(&r->path);
	buf_release(&r->base);
	free(r);
}
