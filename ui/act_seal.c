#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/vec.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/keymap.h"
#include "ui/model.h"
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
	char title[96], text[128];

	/* What was seen to collide is as of the last look at the view. */
	if (a->pending->collide > 0)
		pending_build(a);
	if (a->pending->collide > 0 && a->pending->on == 0) {
		app_refuse(a, "nothing to apply: what is on collides; %s shows with what",
		    KEY(ACTION_VIEW_PENDING));
		return;
	}
	seal_plan_init(&p);
	if (!seal_gather_all(a, &p))
		goto done;
	if (!seal_plan_unlock(a, &p))
		goto done;
	values = seal_plan_values(a, &p, &files);
	snprintf(title, sizeof(title), "Seal %zu %s in %zu %s", values,
	    values == 1 ? "value" : "values", files, files == 1 ? "file" : "files");
	q.title = title;
	snprintf(text, sizeof(text), "%zu more %s, %s left out and %s pending.",
	    a->pending->collide, a->pending->collide == 1 ? "collides" : "collide",
	    a->pending->collide == 1 ? "is" : "are", a->pending->collide == 1 ? "stays" : "stay");
	if (a->pending->collide > 0)
		q.text = text;
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
