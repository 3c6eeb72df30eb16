#include "ui/findings.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "secrets/key_source.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/findings.h"
#include "ui/job.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/term.h"

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
	a->findings->named = a->model->changes;
	if (findings_name_files(a->findings, a->model->estate, &err) != 0 ||
	    findings_arrange(a->findings, can_seal, a, &err) != 0)
		app_complain(a, "%s", err.text);
}

void
findings_entered(struct app *a)
{
	if (a->findings->audit != NULL && a->findings->named != a->model->changes)
		findings_changed(a);
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
	/* On the group of the worst, from where all of it is fixed at once. */
	list_go(&o->list, 0);
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

/* --- the look that goes on beside the screen --- */

#define FIRST_MS 250	/* what ends sooner is shown as a whole */
#define NEXT_TIMES 10	/* so many times longer than showing it took */

struct findings_look {
	struct job job;
	const struct findings *f;
	const struct ui_options *o;
	struct key_ring *keys;		/* NULL: the job has ended, and they are wiped */
	struct audit *audit;		/* the job's; then what it has made.  NULL: it failed */
	_Atomic(struct audit *) so_far;	/* a part of it, for the screen; NULL: none that is new */
	atomic_size_t seen;
	uint64_t next;			/* when the next part is made */
	bool stopped;			/* by the user: what there is so far is shown */
	bool cut;			/* it has ended early */
	bool ended;
};

/* In the job's thread: mark what the baseline knows, if there is one. */
static int
look_know(const struct findings_look *l, struct audit *a, struct error *err)
{
	const struct findings_source *source = l->o->findings;

	return source != NULL && source->baseline != NULL ?
	    source->know(source->cookie, a, err) : 0;
}

/* In the job's thread: put a copy of what there is so far where the screen takes it. */
static int
look_show(struct findings_look *l, const struct audit *a, struct error *err)
{
	struct audit *part = audit_part(a, NULL, NULL, err);

	if (part == NULL)
		return -1;
	if (look_know(l, part, err) != 0) {
		audit_free(part);
		return -1;
	}
	audit_free(atomic_exchange(&l->so_far, part));
	return 0;
}

/* audit_options.goes_on */
static int
look_goes_on(void *cookie, const struct audit *a, struct error *err)
{
	struct findings_look *l = cookie;
	uint64_t now = clock_ms();

	atomic_store(&l->seen, audit_seen(a));
	if (job_cancelled(&l->job)) {
		l->cut = true;
		(void)look_show(l, a, err);
		return error_set(err, ERROR_REFUSED, "stopped");
	}
	if (now < l->next)
		return 0;
	if (look_show(l, a, err) != 0)
		return -1;
	l->next = clock_ms() + FIRST_MS + NEXT_TIMES * (clock_ms() - now);
	job_tell(&l->job, audit_seen(a), 0, "");
	return 0;
}

static int
look_run(struct job *j, void *cookie, struct error *err)
{
	struct findings_look *l = cookie;
	const struct ui_options *o = l->o;
	size_t strip;
	int rc = 0;

	(void)j;
	l->next = clock_ms() + FIRST_MS;
	(void)audit_root(o->paths, o->path_count, &strip);
	if ((l->audit = audit_new(&l->f->options, err)) == NULL)
		return -1;
	for (size_t i = 0; rc == 0 && i < o->path_count; i++)
		rc = audit_path(l->audit, o->paths[i], strip, err);
	if (rc == 0)
		rc = audit_finish(l->audit, err);
	if (rc == 0)
		rc = look_know(l, l->audit, err);
	/* What is kept has no keys: the interface may be locked at any time. */
	audit_forget_keys(l->audit);
	if (rc == 0)
		return 0;
	audit_free(l->audit);
	l->audit = NULL;
	return -1;
}

static void
look_done(struct app *a, struct job *j)
{
	struct findings_look *l = j->cookie;

	a->findings->options.keys = NULL;
	key_ring_free(l->keys);
	l->keys = NULL;
	l->ended = true;
}

static void
look_free(struct findings_look *l)
{
	audit_free(l->audit);
	audit_free(atomic_load(&l->so_far));
	key_ring_free(l->keys);
	free(l);
}

static int
look_start(struct app *a, struct error *err)
{
	const struct ui_options *o = a->options;
	struct findings *f = a->findings;
	struct findings_look *l = error_alloc(sizeof(*l), err);

	if (l == NULL)
		return -1;
	l->f = f;
	l->o = o;
	l->job = (struct job){ .run = look_run, .done = look_done, .cookie = l,
		.has_keys = true };
	if ((l->keys = findings_keys(a, err)) == NULL) {
		look_free(l);
		return -1;
	}
	f->options = (struct audit_options){ .rules = o->rules, .scope = o->scope,
		.source = o->environments, .keep_files = true, .roots = o->paths,
		.root_count = o->path_count, .once = o->path_count > 1, .keys = l->keys,
		.policy = o->policy, .now = time_now(),
		.goes_on = look_goes_on, .cookie = l };
	if (job_start(a, &l->job, err) != 0) {
		f->options.keys = NULL;
		look_free(l);
		return -1;
	}
	f->look = l;
	return 0;
}

/* Show an audit (taken). */
static void
look_take(struct app *a, struct audit *audit, bool is_whole)
{
	struct findings *f = a->findings;
	bool first = f->audit == NULL;

	findings_take(f, audit);
	f->is_whole = is_whole;
	findings_changed(a);
	if (first)
		findings_fold_large(a);
}

/* It has ended: show what it has made, or why there is nothing. */
static void
look_end(struct app *a, struct findings_look *l)
{
	struct audit *part = atomic_exchange(&l->so_far, NULL);

	a->findings->look = NULL;
	if (l->audit != NULL) {
		look_take(a, l->audit, true);
		l->audit = NULL;
	} else if (l->stopped && part != NULL) {
		look_take(a, part, false);
		part = NULL;
	} else if (!l->cut) {
		tell_error(a, "The files could not be looked at", &l->job.err);
	}
	audit_free(part);
	look_free(l);
}

bool
findings_are_due(const struct app *a)
{
	const struct findings *f = a->findings;

	if (f->look != NULL)
		return f->look->ended || atomic_load(&f->look->so_far) != NULL;
	return !a->model->scanning && a->model->looked &&
	    (!f->looked || f->of != a->model->changes);
}

bool
findings_tick(struct app *a)
{
	struct findings *f = a->findings;
	struct audit *part;
	struct error err;

	if (!findings_are_due(a))
		return false;
	if (f->look != NULL && f->look->ended) {
		look_end(a, f->look);
	} else if (f->look != NULL) {
		/* What is whole, if older, says more than a part. */
		part = atomic_exchange(&f->look->so_far, NULL);
		if (!f->is_whole)
			look_take(a, part, false);
		else
			audit_free(part);
	} else {
		f->looked = true;
		f->of = a->model->changes;
		if (look_start(a, &err) != 0)
			tell_error(a, "The files could not be looked at", &err);
	}
	return true;
}

bool
findings_progress(const struct app *a, size_t *seen)
{
	const struct findings_look *l = a->findings->look;

	*seen = l != NULL ? atomic_load(&l->seen) : 0;
	return l != NULL && !l->ended;
}

void
findings_cancel(struct app *a)
{
	struct findings_look *l = a->findings->look;

	if (l == NULL || l->ended)
		return;
	l->stopped = true;
	job_cancel(&l->job);
}

void
findings_end(struct app *a)
{
	if (a->findings->look != NULL)
		look_free(a->findings->look);
	a->findings->look = NULL;
}
