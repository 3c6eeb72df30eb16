#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/change.h"
#include "ui/dialog.h"
#include "ui/history.h"
#include "ui/model.h"
#include "ui/options.h"

/* Taking a change of the history back: by what is kept of it, as a plan like any other. */

#define TITLE_BYTES 64

const char *
act_history_needs_change(const struct app *a)
{
	return history_selected(a) == NULL ? "there is no change on this line" : history_why(a);
}

static const struct kept_file *
kept_secrets(const struct kept *k)
{
	for (size_t i = 0; i < k->files.len; i++) {
		const struct kept_file *f = vec_at(&k->files, i);

		if (f->is_secrets)
			return f;
	}
	return NULL;
}

/* The environment whose secrets file that is; NULL: it is not among those that are shown. */
static struct environment *
undo_environment(const struct app *a, const char *path)
{
	const struct environments *e = model_environments(a->model);
	struct environment *found = NULL;

	for (size_t i = 0; e != NULL && found == NULL && i < environments_count(e); i++) {
		char *real = realpath(environments_at(e, i)->path, NULL);

		if (real != NULL && strcmp(real, path) == 0)
			found = environments_at(e, i);
		free(real);
	}
	return found;
}

/* What the files that are shown refer to. */
struct shown_users {
	struct plan_users face;
	const struct app *app;
	const struct environment *environment;
	const struct change *change;
};

/* plan_users.find */
static int
shown_users_find(void *cookie, const struct configuration *c, const char *name, size_t len,
    const char **path, size_t *line, struct error *err)
{
	const struct shown_users *u = cookie;

	(void)c;
	(void)err;
	return estate_refers(u->app->model->estate, u->environment, name, len,
	    u->change->configs.items, u->change->configs.len, path, line);
}

/* Plan it, with nothing locked. */
static int
undo_prepare(struct app *a, struct environment *x, const struct kept *k, struct change *c,
    size_t *count, struct error *err)
{
	struct shown_users users = { { shown_users_find, &users }, a, x, c };
	const struct kept_file *f;
	int rc;

	if (change_begin(a, x, c, err) != 0)
		return -1;
	for (size_t i = 0; i < k->files.len; i++) {
		f = vec_at(&k->files, i);
		if (!f->is_secrets && change_config(c, f->path, err) == NULL)
			return -1;
	}
	plan_set_users(c->plan, &users.face);
	rc = undo_plan(c->plan, c->configs.items, k, count, err);
	plan_set_users(c->plan, NULL);
	return rc;
}

static void
undo_review(struct app *a, struct change *c, uint64_t change, size_t count)
{
	char title[TITLE_BYTES], question[256];
	const struct review_options o = { .title = title, .question = question,
		.button = "Undo it" };
	struct change *const all[] = { c };

	snprintf(title, sizeof(title), "Undo change %llu", (unsigned long long)change);
	snprintf(question, sizeof(question), "%zu %s put back as %s before change %llu. "
	    "It is written down as a change, which can be undone, too.", count,
	    count == 1 ? "entry is" : "entries are", count == 1 ? "it was" : "they were",
	    (unsigned long long)change);
	if (review_run(a, all, 1, &o) == REVIEW_APPLY &&
	    change_carry_out(a, all, 1, "It is not undone"))
		app_notice(a, "undid change %llu: %zu %s", (unsigned long long)change, count,
		    count == 1 ? "entry" : "entries");
	history_read(a);
}

static void
undo_run(struct app *a, uint64_t change, const struct kept *k)
{
	const struct kept_file *f = kept_secrets(k);
	struct environment *x = f != NULL ? undo_environment(a, f->path) : NULL;
	struct change c;
	struct error err;
	size_t count = 0;

	if (x == NULL) {
		app_refuse(a, "its secrets file is not among those that are shown");
		return;
	}
	if (unlock_run(a, x) == -1)
		return;
	change_prepare(a, &c);
	if (undo_prepare(a, x, k, &c, &count, &err) != 0)
		tell_error(a, "It cannot be undone", &err);
	else if (count == 0)
		app_notice(a, "all is as it was before change %llu", (unsigned long long)change);
	else
		undo_review(a, &c, change, count);
	change_close(&c);
}

void
act_history_undo(struct app *a)
{
	const struct trail_change *c = history_selected(a);
	const uint64_t n = c->n;
	struct error err;
	struct kept k;

	if (kept_read(a->options->trail->path, n, &k, &err) != 0)
		tell_error(a, "It cannot be undone", &err);
	else
		undo_run(a, n, &k);
	kept_release(&k);
}
