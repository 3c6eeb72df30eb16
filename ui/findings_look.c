#include "ui/findings_look.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/key_source.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/findings.h"
#include "ui/model.h"
#include "ui/options.h"

/* May it be sealed from here? */
static bool
can_seal(const void *app, const struct audit_finding *finding)
{
	const struct app *a = app;
	const struct estate_file *file;
	const struct estate_entry *e;

	switch (finding->rule) {
	case AUDIT_CLEAR_TEXT:
	case AUDIT_PRIVATE_KEY:
	case AUDIT_URL_CREDENTIALS:
	case AUDIT_SEALED_AND_CLEAR:
		break;
	default:
		return false;
	}
	return findings_find(a->findings, a->model->estate, finding, &file, &e) && e != NULL &&
	    !e->shadowed && entry_is_clear(e) && model_can_seal(e);
}

bool
findings_fix(const struct app *a, const struct findings_row *r, const struct estate_file **file,
    const struct estate_entry **entry)
{
	return r->fixable &&
	    findings_find(a->findings, a->model->estate, r->finding, file, entry) &&
	    *entry != NULL;
}

bool
findings_is_marked(const struct app *a, const struct findings_row *r)
{
	const struct estate_file *file;
	const struct estate_entry *e;

	return findings_fix(a, r, &file, &e) &&
	    marks_has(a->model->marks, file->path, e->key, e->key_len);
}

void
findings_changed(struct app *a)
{
	struct error err;

	if (a->model->scanning)
		return;
	if (findings_name_files(a->findings, a->model->estate, &err) != 0 ||
	    findings_arrange(a->findings, can_seal, a, &err) != 0)
		app_complain(a, "%s", err.text);
}

bool
findings_are_due(const struct app *a)
{
	return !a->model->scanning && a->model->looked &&
	    (!a->findings->looked || a->findings->of != a->model->changes);
}

/* What does not fit on the screen starts folded, but for the worst. */
static void
findings_fold_large(struct app *a)
{
	struct findings *f = a->findings;
	struct outline *o = &f->panes.left;

	if (o->rows.len <= (size_t)a->layout.left.h || f->groups.len < 2)
		return;
	outline_fold_all(o, true);
	if (outline_fold(o, 0, false) == -1 || outline_build(o) == -1)
		app_complain(a, "not enough memory");
	/* On the worst finding, not on its group. */
	list_go(&o->list, 1);
	outline_hold(o);
}

/* The keys that are held, however they came: more than a ring has room for stay out of it, and
 * the audit says what it could not open. */
static struct key_ring *
findings_keys(const struct app *a, struct error *err)
{
	const struct environments *e = model_environments(a->model);
	struct key_ring *ring = key_ring_new(err);
	struct error full;

	for (size_t i = 0; ring != NULL && i < environments_count(e); i++) {
		const struct environment *x = environments_at(e, i);

		if (x->master == NULL || key_ring_take(ring, x->master, x->path, &full) == 0)
			continue;
		if (full.code == ERROR_LIMIT)
			break;
		*err = full;
		key_ring_free(ring);
		return NULL;
	}
	return ring;
}

static struct audit *
findings_look(struct app *a, struct error *err)
{
	const struct ui_options *o = a->options;
	const struct findings_source *source = o->findings;
	struct findings *f = a->findings;
	struct audit *audit;
	struct key_ring *keys = findings_keys(a, err);
	size_t strip;
	int rc = 0;

	if (keys == NULL)
		return NULL;
	f->options = (struct audit_options){ .rules = o->rules, .scope = o->scope,
		.source = o->environments, .keep_files = true, .roots = o->paths,
		.root_count = o->path_count, .once = o->path_count > 1, .keys = keys,
		.policy = o->policy,
		.now = (int64_t)time(NULL) * 1000 };
	(void)audit_root(o->paths, o->path_count, &strip);
	if ((audit = audit_new(&f->options, err)) == NULL)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < o->path_count; i++)
		rc = audit_path(audit, o->paths[i], strip, err);
	if (rc == 0)
		rc = audit_finish(audit, err);
	if (rc == 0 && source != NULL && source->baseline != NULL)
		rc = source->know(source->cookie, audit, err);
	/* What is kept has no keys: the interface may be locked at any time. */
	if (audit != NULL)
		audit_forget_keys(audit);
	f->options.keys = NULL;
	key_ring_free(keys);
	if (rc == 0)
		return audit;
	audit_free(audit);
	return NULL;
}

bool
findings_tick(struct app *a)
{
	bool first = a->findings->audit == NULL;
	struct audit *audit;
	struct error err;

	if (!findings_are_due(a))
		return false;
	a->findings->looked = true;
	a->findings->of = a->model->changes;
	audit = findings_look(a, &err);
	if (audit == NULL) {
		tell_error(a, "The files could not be looked at", &err);
		return true;
	}
	findings_take(a->findings, audit);
	findings_changed(a);
	if (first)
		findings_fold_large(a);
	return true;
}
