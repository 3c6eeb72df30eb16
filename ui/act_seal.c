#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/mask.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/goal.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/pending.h"
#include "ui/seal_plan.h"

#define FILES_MAX 1000000

/* Sealing what is marked. */

/* Files of which the same is known about where their secrets go. */
struct seal_group {
	struct destination to;
	size_t count;
	bool found;
	struct goal goal;
};

static bool
is_pending(const struct app *a, const struct estate_file *f)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (model_is_pending(a->model, f, &f->entries[i]))
			return true;
	return false;
}

static void
unmark(struct app *a, const struct estate_file *f)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		(void)marks_set(a->model->marks, f->path, f->entries[i].key, f->entries[i].key_len,
		    false);
}

static bool
same_destination(const struct destination *one, const struct destination *other)
{
	const char *a = one->remote != NULL ? one->remote : "";
	const char *b = other->remote != NULL ? other->remote : "";

	return one->kind == other->kind && one->environment == other->environment &&
	    strcmp(a, b) == 0;
}

/* The group of a file; a new one joins.  NULL: no memory. */
static struct seal_group *
seal_group_of(struct vec *groups, const struct destination *to)
{
	struct seal_group *g;
	size_t i;

	for (i = 0; i < groups->len; i++) {
		g = vec_at(groups, i);
		if (same_destination(&g->to, to))
			return g;
	}
	g = vec_push(groups);
	if (g != NULL) {
		g->to = *to;
		goal_init(&g->goal);
	}
	return g;
}

/* Add a file where the user said that it goes.  0: nothing was said. */
static int
seal_add_said(struct app *a, const struct estate_file *f, struct seal_plan *p)
{
	struct goal goal;
	int rc = 0;

	goal_init(&goal);
	if (pending_goal(a, f, &goal))
		rc = p == NULL || seal_plan_add(p, f, &goal) == 0 ? 1 : -1;
	goal_release(&goal);
	return rc;
}

/* Count the marked files of each group, or (${p} not NULL) ask where each group
 * goes and add its files to the plan. */
static bool
seal_gather(struct app *a, struct vec *groups, struct seal_plan *p)
{
	const struct estate *e = a->model->estate;
	const struct estate_file *f;
	struct destination to;
	struct seal_group *g;
	struct error err;
	size_t i;
	int rc = 0;

	for (i = 0; i < estate_count(e); i++) {
		f = estate_file(e, i);
		if (!is_pending(a, f) || (rc = seal_add_said(a, f, p)) == 1)
			continue;
		if (rc == -1) {
			app_complain(a, "not enough memory");
			return false;
		}
		if (estate_destination(e, f, &to, &err) == -1) {
			tell_error(a, "It is not known where this goes", &err);
			return false;
		}
		if ((g = seal_group_of(groups, &to)) == NULL) {
			app_complain(a, "not enough memory");
			return false;
		}
		g->count += p == NULL;
		if (p == NULL)
			continue;
		if (!g->found && !goal_find(a, f, g->count, &g->goal))
			return false;
		g->found = true;
		if (g->goal.environment == NULL)
			unmark(a, f);
		else if (seal_plan_add(p, f, &g->goal) == -1) {
			app_complain(a, "not enough memory");
			return false;
		}
	}
	return true;
}

/* Where everything that is marked goes.  Nothing is known before the scan is done. */
static bool
seal_gather_all(struct app *a, struct seal_plan *p)
{
	struct vec groups;
	bool done;
	size_t i;

	if (!goal_ready(a))
		return false;
	vec_init(&groups, sizeof(struct seal_group), FILES_MAX);
	done = seal_gather(a, &groups, NULL) && seal_gather(a, &groups, p);
	for (i = 0; i < groups.len; i++)
		goal_release(&((struct seal_group *)vec_at(&groups, i))->goal);
	vec_release(&groups);
	return done && p->files.len > 0;
}

static void
seal_marked(struct app *a, bool ask_now)
{
	struct seal_question q = { .ask_now = ask_now };
	struct seal_plan p;
	size_t values, files;
	char title[96];

	seal_plan_init(&p);
	if (!seal_gather_all(a, &p))
		goto done;
	if (!seal_plan_unlock(a, &p))
		goto done;
	values = seal_plan_values(a, &p, &files);
	snprintf(title, sizeof(title), "Seal %zu %s in %zu %s", values,
	    values == 1 ? "value" : "values", files, files == 1 ? "file" : "files");
	q.title = title;
	if (seal_plan_run(a, &p, &q))
		app_notice(a, "sealed %zu %s in %zu %s, and read back", p.values,
		    p.values == 1 ? "value" : "values", p.changed,
		    p.changed == 1 ? "file" : "files");
done:
	seal_plan_release(&p);
	pending_restore(a);
}

/* The whole change, as a masked diff. */
void
act_diff(struct app *a)
{
	seal_marked(a, false);
}

void
act_apply(struct app *a)
{
	seal_marked(a, true);
}

/* A whole file as it is on disk, masked, and below each reference what stands behind it. */

#define TEXT_MAX ((size_t)64 << 20)
#define TITLE_MAX 512
#define CLEAR_MARK "<clear text"	/* as mask_append has it */

const char *
act_needs_readable(const struct app *a)
{
	const struct selection s = selection_get(a);

	if (s.kind == SELECTION_SEALED)
		return NULL;
	if (s.file == NULL)
		return "select a file or one of its entries first";
	return s.file->problem != NULL ? "this file cannot be read" : NULL;
}

/* What a service that reads this line would get. */
static void
whole_say_reference(const struct app *a, const struct estate_entry *e, struct buf *out)
{
	const char *in = e->environment != NULL ? model_show_path(a->model, e->environment->path) :
	    "";

	buf_printf(out, "#      %c ", entry_letter(e));
	switch (e->state) {
	case STATE_SEALED:
		buf_printf(out, "%s: %s in %s", e->checked ? "opens" : "not checked, locked",
		    e->name, in);
		break;
	case STATE_DANGLING:
		buf_printf(out, "the service would not start: no such entry in %s", in);
		break;
	case STATE_DAMAGED:
		buf_printf(out, "the service would not start: does not open: %s in %s",
		    e->name, in);
		break;
	case STATE_OTHER:
		buf_append_str(out, "of another provider");
		break;
	default:
		buf_append_str(out, "it is not known which secrets file this names");
		break;
	}
	buf_append_char(out, '\n');
}

/* What is to be said of the lines before this number, from entry ${i} on.  Returns the next one. */
static size_t
whole_say_lines(const struct app *a, const struct estate_file *f, size_t i, size_t number,
    struct buf *out)
{
	for (; f != NULL && i < f->count && f->entries[i].line < number; i++)
		if (f->entries[i].state != STATE_PLAIN)
			whole_say_reference(a, &f->entries[i], out);
	return i;
}

/* Lines have the numbers that they have in the file, where a secret may be of several. */
static void
whole_number(const struct app *a, const struct estate_file *f, const struct buf *masked,
    const struct vec *folds, struct buf *out)
{
	const char *start = (const char *)masked->data, *p = start, *end = p + masked->len;
	size_t number = 1, entry = 0, fold = 0, n;
	const struct mask_fold *x;

	while (p < end) {
		n = strcspn(p, "\r\n");
		buf_printf(out, "%c%5zu  ", memmem(p, n, CLEAR_MARK, sizeof(CLEAR_MARK) - 1) !=
		    NULL ? '!' : ' ', number);
		buf_append(out, p, n);
		buf_append_char(out, '\n');
		p += n;
		for (; fold < folds->len; fold++) {
			x = vec_at(folds, fold);
			if (x->at > (size_t)(p - start))
				break;
			number += x->lines;
		}
		p += p[0] == '\r' && p[1] == '\n' ? 2 : 1;
		entry = whole_say_lines(a, f, entry, ++number, out);
	}
}

/* ${f}: what is known of it, NULL: it is a secrets file. */
static int
whole_append(const struct app *a, const char *path, const struct estate_file *f,
    const struct environment *x, struct buf *out, struct error *err)
{
	struct configuration *c = configuration_load(path, a->options->scope, err);
	struct buf masked;
	struct vec folds;
	int rc;

	if (c == NULL)
		return -1;
	buf_init(&masked, TEXT_MAX);
	vec_init(&folds, sizeof(struct mask_fold), TEXT_MAX);
	rc = mask_append(c->doc, f == NULL && x != NULL ? x->secrets : NULL, NULL,
	    a->options->rules, &masked, &folds, err);
	/* A NUL in it ends no line. */
	for (size_t i = 0; rc == 0 && i < masked.len; i++)
		if (masked.data[i] == '\0')
			masked.data[i] = ' ';
	if (rc == 0) {
		(void)buf_cstr(&masked);
		whole_number(a, f, &masked, &folds, out);
		rc = buf_check(out, err);
	}
	vec_release(&folds);
	buf_release(&masked);
	configuration_free(c);
	return rc;
}

void
act_whole(struct app *a)
{
	const struct selection s = selection_get(a);
	const bool sealed = s.kind == SELECTION_SEALED || s.file->is_secrets_file;
	const char *path = s.kind == SELECTION_SEALED ? s.environment->path : s.file->path;
	char title[TITLE_MAX];
	struct error err;
	struct buf text;

	buf_init(&text, TEXT_MAX);
	snprintf(title, sizeof(title), "%s, values masked", model_show_path(a->model, path));
	if (whole_append(a, path, sealed ? NULL : s.file, s.environment, &text, &err) != 0)
		tell_error(a, "The file cannot be shown", &err);
	else
		review_show_at(a, title, buf_cstr(&text), s.kind == SELECTION_ENTRY ?
		    s.entry->line : 0);
	buf_release(&text);
}
