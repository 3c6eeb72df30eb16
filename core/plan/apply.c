#include <stdbool.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/edits.h"
#include "plan/apply.h"
#include "plan/lock.h"
#include "plan/plan.h"
#include "plan/replace.h"

#define ANY_WRITE 0222

struct verify {
	const struct plan *plan;
	const struct plan_file *file;
};

static int
verify(void *cookie, struct buf *content, struct error *err)
{
	const struct verify *v = cookie;

	return plan_verify_take(v->plan, v->file, content, err);
}

static bool
is_unchanged(const struct plan_file *f)
{
	return f->content == NULL && (f->edits == NULL || edits_count(f->edits) == 0);
}

static struct replace *
prepare(const struct plan *p, const struct plan_file *f, struct error *err)
{
	struct verify v = { p, f };
	struct replace *r = NULL;
	struct buf rendered;

	if (f->content != NULL)
		return replace_prepare(f->path, f->id, f->content, verify, &v, err);
	buf_init_secret(&rendered, BUF_MAX_FILE);
	if (edits_render(f->edits, &rendered, err) == 0)
		r = replace_prepare(f->path, f->id, &rendered, verify, &v, err);
	buf_release(&rendered);
	return r;
}

/* Say in the text of ${err} that a file could not be put back. */
static void
add_not_undone(struct error *err, const struct error *why)
{
	struct error first = *err;

	error_set(err, first.code, "%s; %s is changed already and could not be put back (%s)",
	    first.text, why->file, why->text);
	error_place(err, first.file, first.line);
	error_hint(err, "run the command again to finish it");
}

/* Put back, last first, what was put in place. */
static void
undo(struct replace **r, size_t n, struct error *err)
{
	struct error why;

	while (n-- > 0) {
		if (r[n] != NULL && replace_undo(r[n], &why) == -1 && err != NULL)
			add_not_undone(err, &why);
	}
}

/*
 * Permission bits do not bind root, who edits files of mode 0440 every day.
 * But a file without a write bit beside one that has some was protected on
 * purpose, so one of the two is not to be changed without the other.
 */
static int
check_protected(const struct plan *p, struct error *err)
{
	const struct plan_file *f, *protected = NULL;
	bool writable = false;

	for (size_t i = 0; i < plan_file_count(p); i++) {
		f = plan_file(p, i);
		if (f->id->exists && (f->id->mode & ANY_WRITE) == 0)
			protected = f;
		else if (f->id->exists)
			writable = true;
	}
	if (protected == NULL || !writable)
		return 0;
	error_set(err, ERROR_REFUSED, "the file is read-only");
	error_place(err, protected->path, 0);
	return error_hint(err, "if it may be changed, make it writable first (chmod u+w)");
}

int
apply_plan(struct plan *p, struct error *err)
{
	size_t n = plan_file_count(p), i;
	struct replace **r;
	int result = -1;

	if (n == 0)
		return 0;
	if (check_protected(p, err) == -1)
		return -1;
	r = calloc(n, sizeof(struct replace *));
	if (r == NULL)
		return error_memory(err);
	for (i = 0; i < n; i++) {
		if (is_unchanged(plan_file(p, i)))
			continue;
		r[i] = prepare(p, plan_file(p, i), err);
		if (r[i] == NULL)
			goto done;
	}
	for (i = 0; i < n; i++) {
		if (r[i] != NULL && replace_commit(r[i], err) == -1) {
			undo(r, i + 1, err);
			goto done;
		}
	}
	result = 0;
done:
	for (i = 0; i < n; i++)
		replace_free(r[i]);
	free(r);
	return result;
}

struct lock *
apply_lock(const struct plan *p, int timeout_ms,
    void (*waiting)(void *cookie, const char *path), void *cookie,
    struct error *err)
{
	size_t n = plan_file_count(p), i;
	const char **paths = calloc(n + 1, sizeof(char *));
	struct lock *l;

	if (paths == NULL) {
		error_memory(err);
		return NULL;
	}
	for (i = 0; i < n; i++)
		paths[i] = plan_file(p, i)->path;
	l = lock_files(paths, n, timeout_ms, waiting, cookie, err);
	free(paths);
	return l;
}
