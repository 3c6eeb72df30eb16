#include "ui/goal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/files.h"
#include "ui/model.h"
#include "ui/options.h"

#define PATH_MAX_BYTES 4096
#define TITLE "Where to?"

void
goal_init(struct goal *g)
{
	memset(g, 0, sizeof(*g));
	buf_init(&g->remote, PATH_MAX_BYTES);
}

void
goal_release(struct goal *g)
{
	buf_release(&g->remote);
}

bool
goal_ask_remote(struct app *a, struct buf *remote)
{
	return ask_text(a, "Path in references", "Services look the secrets file up at this path, "
	    "on the machine where they run. It stands in every reference "
	    "${securepass:PATH:NAME}.", "Path:", remote) &&
	    !text_is_blank(remote->data, remote->len);
}

/* Where references go is known when all of them were seen. */
static size_t
goal_finish_scan(struct app *a)
{
	files_hold(a);
	if (model_finish(a->model) == -1)
		app_complain(a, "not enough memory");
	files_restore(a);
	return model_secrets_files(a->model);
}

bool
goal_ready(struct app *a)
{
	const struct environments *e = model_environments(a->model);

	if (!a->model->looked) {
		app_refuse(a, STILL_LOOKING);
		return false;
	}
	if (goal_finish_scan(a) > 0)
		return true;
	if (environments_count(e) > 0 && environments_at(e, 0)->problem != NULL) {
		tell_error(a, "The secrets file cannot be used", environments_at(e, 0)->problem);
		return false;
	}
	if (!ask_confirm(a, "No secrets file", "Sealed values go into a secrets file, and there "
	    "is none yet. Make one with its first master key now?", "Make one"))
		return false;
	return act_make_secrets_file(a) && goal_finish_scan(a) > 0;
}

/* Which of the environments?  The one that is there comes first.  NULL: none of them. */
static bool
goal_choose(struct app *a, const struct estate_file *f, size_t count, bool known, bool may_leave,
    struct environment **out)
{
	const struct environments *e = model_environments(a->model);
	struct environment **found = calloc(environments_count(e) + 1, sizeof(*found));
	struct choice *choices = calloc(environments_count(e) + 1, sizeof(*choices));
	struct environment *x;
	size_t i, chosen, n = 0;
	char more[48] = "";
	bool yes = false;
	struct buf text;

	buf_init(&text, 4 * PATH_MAX_BYTES);
	if (count > 1)
		snprintf(more, sizeof(more), " and of %zu files more", count - 1);
	buf_printf(&text, known ? "Into which secrets file do secrets of %s%s go?" :
	    "No reference and no propseal.ini says where secrets of %s%s go. Into which secrets "
	    "file?", model_show_path(a->model, f->path), more);
	if (found == NULL || choices == NULL)
		goto done;
	if (*out != NULL)
		found[n++] = *out;
	for (i = 0; i < environments_count(e); i++) {
		x = environments_at(e, i);
		if (x != *out && x->secrets != NULL)
			found[n++] = x;
	}
	for (i = 0; i < n; i++)
		choices[i] = (struct choice){ model_show_path(a->model, found[i]->path),
		    found[i] != *out ? "" : known ? "as it is" : "the nearest" };
	if (may_leave)
		choices[n++] = (struct choice){ "none of these",
		    "it is left out, and its marks are taken away" };
	yes = n > 0 && choice_run(a, TITLE, buf_cstr(&text), choices, n, &chosen);
	if (yes)
		*out = found[chosen];
done:
	buf_release(&text);
	free(choices);
	free(found);
	return yes;
}

/* The path under which references name the environment. */
static bool
goal_remote(struct app *a, struct goal *g)
{
	const struct ui_options *o = a->options;
	const char *known = environment_remote(g->environment);
	struct error err;

	if (o->remote_path != NULL)
		known = o->remote_path;
	buf_clear(&g->remote);
	if (known != NULL) {
		buf_append_str(&g->remote, known);
		return true;
	}
	if (model_absolute_path(g->environment->path, &g->remote, &err) == -1)
		buf_clear(&g->remote);
	return goal_ask_remote(a, &g->remote);
}

bool
goal_ask(struct app *a, const struct estate_file *f, size_t count, struct goal *g)
{
	struct environment *before = g->environment;
	const char *known;

	if ((g->environment == NULL || model_secrets_files(a->model) > 1) &&
	    !goal_choose(a, f, count, before != NULL, false, &g->environment))
		return false;
	known = environment_remote(g->environment);
	if (g->environment != before || g->remote.len == 0) {
		buf_clear(&g->remote);
		buf_append_str(&g->remote, known != NULL ? known : "");
	}
	return goal_ask_remote(a, &g->remote);
}

bool
goal_find(struct app *a, const struct estate_file *f, size_t count, struct goal *out)
{
	struct destination to;
	struct error err;

	if (estate_destination(a->model->estate, f, &to, &err) == -1) {
		tell_error(a, "It is not known where this goes", &err);
		return false;
	}
	out->environment = to.environment;
	out->proposed = to.kind != DESTINATION_KNOWN;
	if (to.kind == DESTINATION_KNOWN) {
		buf_clear(&out->remote);
		buf_append_str(&out->remote, a->options->remote_path != NULL ?
		    a->options->remote_path : to.remote);
		return true;
	}
	/* The only one, if it is near: the question before the change names it. */
	if (to.environment == NULL || model_secrets_files(a->model) > 1) {
		if (!goal_choose(a, f, count, false, count > 0, &out->environment))
			return false;
	}
	return out->environment == NULL || goal_remote(a, out);
}
