#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "document/edits.h"
#include "plan/apply.h"
#include "file/lock.h"
#include "plan/plan.h"
#include "file/replace.h"

#define ANY_WRITE 0222
#define NAMES_MAX 512	/* bytes of files' names in a message */

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

/* The files among the first ${n} that stay changed, as ", a, b and 3 more". */
static void
name_changed(struct replace **r, size_t n, char names[NAMES_MAX])
{
	size_t used = 0, left = 0;
	const char *path;

	names[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		path = r[i] != NULL ? replace_placed(r[i]) : NULL;
		if (path == NULL)
			continue;
		/* Room is kept for the number of those that find none. */
		if (left > 0 || used + strlen(path) + 32 > NAMES_MAX) {
			left++;
			continue;
		}
		used += (size_t)snprintf(names + used, NAMES_MAX - used, ", %s", path);
	}
	if (left > 0)
		snprintf(names + used, NAMES_MAX - used, " and %zu more", left);
}

/*
 * Say in the text of ${err} that file ${n} could not be put back for the
 * reason ${why}, and what is changed besides.
 */
static void
add_not_undone(struct error *err, struct replace **r, size_t n, const struct error *why)
{
	struct error first = *err;
	char names[NAMES_MAX];

	name_changed(r, n, names);
	error_set(err, first.code, "%s; %s %s (%s)%s%s", first.text, why->file,
	    replace_placed(r[n]) != NULL ? "is changed already and could not be put back" :
	    "was put back, but that may not be on disk", why->text,
	    names[0] != '\0' ? "; so these stay changed, too: " : "",
	    names[0] != '\0' ? names + 2 : "");
	error_place(err, first.file, first.line);
	error_hint(err, "no secret is lost: what a changed file refers to was left in place; the "
	    "other files are as they were; see to the cause, then run the command again");
}

/*
 * Put back, last first, what was put in place.  A later file may need an
 * earlier one (a reference its sealed entry), so where one cannot be put
 * back, those before it stay, too.
 */
static void
undo(struct replace **r, size_t n, struct error *err)
{
	struct error why;

	while (n-- > 0) {
		if (r[n] == NULL || replace_undo(r[n], &why) == 0)
			continue;
		if (err != NULL)
			add_not_undone(err, r, n, &why);
		return;
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
