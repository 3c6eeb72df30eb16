#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/app.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/term.h"

#define UNFOLD_PATHS 50		/* fewer are shown with their keys at once */
#define BUDGET_MS 5		/* of reading configuration files at a time */
#define ROTATION_MS 1000	/* how often the progress is asked for by itself */

/* --- the rows: paths with their keys; versions and uses --- */

static size_t
paths_groups(const void *registry)
{
	const struct registry *r = registry;

	return registry_shown(r) ? r->names.paths.len : 0;
}

static size_t
paths_items(const void *registry, size_t group)
{
	return registry_path_at(&((const struct registry *)registry)->names, group)->keys.len;
}

static struct outline_id
paths_id(const void *registry, size_t group, size_t item)
{
	const struct registry_path *p =
	    registry_path_at(&((const struct registry *)registry)->names, group);
	const char *name = item == OUTLINE_HEAD ? p->name : registry_key_at(p, item)->name;

	return (struct outline_id){ name, strlen(name), 0 };
}

static const struct outline_ops paths_ops = {
	.groups = paths_groups,
	.items = paths_items,
	.id = paths_id,
};

size_t
registry_right_count(const struct registry *r)
{
	const struct outline_row *row = outline_at(&r->panes.left);
	const struct registry_path *p;
	const struct registry_key *k;

	if (row == NULL)
		return 0;
	p = registry_path_at(&r->names, row->group);
	if (row->item == OUTLINE_HEAD)
		return registry_uses_count(&r->uses, p->name, NULL);
	k = registry_key_at(p, row->item);
	return k->versions.len + registry_uses_count(&r->uses, p->name, k->name);
}

static size_t
versions_groups(const void *registry)
{
	return registry_right_count(registry);
}

static const struct outline_ops versions_ops = {
	.groups = versions_groups,
};

void
registry_rows_build(struct registry *r)
{
	struct panes *p = &r->panes;

	/* Without memory the lists end early. */
	(void)outline_build(&p->left);
	if (!outline_restore(&p->left))
		registry_rows_moved(r);
	(void)outline_build(&p->right);
	(void)outline_restore(&p->right);
}

void
registry_rows_moved(struct registry *r)
{
	if (outline_at(&r->panes.left) == NULL)
		return;
	outline_hold(&r->panes.left);
	r->marked = 0;
	(void)outline_build(&r->panes.right);
	r->panes.right.list.cursor = 0;
	(void)outline_restore(&r->panes.right);
}

void
registry_rows_go(struct registry *r, const char *path, const char *key)
{
	struct outline_id group = { path, strlen(path), 0 }, item = { key, strlen(key), 0 };
	size_t i;

	for (i = 0; i < r->names.paths.len; i++)
		if (strcmp(registry_path_at(&r->names, i)->name, path) == 0)
			(void)outline_fold(&r->panes.left, i, false);
	outline_hold_id(&r->panes.left, &group, &item);
	registry_rows_build(r);
	registry_rows_moved(r);
}

struct registry_selection
registry_selected(const struct registry *r)
{
	const struct outline_row *row = outline_at(&r->panes.left);
	struct registry_selection s = { .path = NULL };
	size_t at = r->panes.right.list.cursor, versions;

	if (row == NULL)
		return s;
	s.path = registry_path_at(&r->names, row->group);
	s.key = row->item != OUTLINE_HEAD ? registry_key_at(s.path, row->item) : NULL;
	if (!r->panes.right_active)
		return s;
	versions = s.key != NULL ? s.key->versions.len : 0;
	if (at < versions)
		s.version = vec_at(&s.key->versions, at);
	else
		s.use = registry_uses_find(&r->uses, s.path->name,
		    s.key != NULL ? s.key->name : NULL, at - versions);
	return s;
}

/* --- answers to what was asked by itself --- */

bool
registry_merge_failure(struct registry *r, const struct registry_answer *a)
{
	if (a->status != 401 && a->status != 0)
		return false;
	r->known = REGISTRY_FAILED;
	r->rotating = false;
	r->no_login = a->status == 401;
	if (r->no_login)
		snprintf(r->problem, sizeof(r->problem), "%s", r->user[0] != '\0' ?
		    "The registry refuses the login." : "The registry wants a login.");
	else
		snprintf(r->problem, sizeof(r->problem), "%s", a->err.text);
	return true;
}

static void
merge_paths(struct registry *r, const struct registry_answer *a)
{
	size_t i;

	if (a->rc != 0) {
		r->known = REGISTRY_FAILED;
		snprintf(r->problem, sizeof(r->problem), "%s", a->err.text);
		return;
	}
	r->known = REGISTRY_KNOWN;
	r->cut = a->cut;
	if (registry_names_take(&r->names, a) == -1)
		r->cut = true;
	for (i = 0; !r->looked && a->names.len < UNFOLD_PATHS && i < r->names.paths.len; i++)
		(void)outline_fold(&r->panes.left, i, false);
	r->looked = true;
}

static void
merge_keys(struct registry_path *p, const struct registry_answer *a)
{
	if (a->rc == 0 && registry_path_take(p, a) == 0)
		return;
	p->known = REGISTRY_FAILED;
	snprintf(p->problem, sizeof(p->problem), "%.255s", a->rc != 0 ? a->err.text :
	    "not enough memory");
}

/* As its path's metadata would tell it. */
static void
merge_summarize(struct registry_key *k)
{
	const struct registry_version *v = registry_key_latest(k);

	k->counted = true;
	memset(&k->summary, 0, sizeof(k->summary));
	k->summary.current = v != NULL ? v->number : 0;
	k->summary.state = REGISTRY_DESTROYED;
	if (v == NULL && k->versions.len > 0)
		v = vec_at(&k->versions, 0);
	if (v == NULL)
		return;
	k->summary.state = v->state;
	snprintf(k->summary.created, sizeof(k->summary.created), "%s", v->created);
	snprintf(k->summary.created_by, sizeof(k->summary.created_by), "%.63s", v->created_by);
}

static void
merge_history(struct registry_key *k, const struct registry_answer *a)
{
	struct registry_version *v;
	size_t i;

	k->versions.len = 0;
	k->history = REGISTRY_KNOWN;
	if (a->rc != 0) {
		k->history = REGISTRY_FAILED;
		snprintf(k->problem, sizeof(k->problem), "%.255s", a->err.text);
		return;
	}
	for (i = a->versions.len; i-- > 0;) {
		v = vec_push(&k->versions);
		if (v == NULL)
			return;
		*v = *(const struct registry_version *)vec_at(&a->versions, i);
	}
	merge_summarize(k);
}

static void
merge_rotation(struct registry *r, const struct registry_answer *a)
{
	r->rotating = a->rc == 0 && a->running;
	r->rotated = a->done;
	r->rotation_total = a->total;
}

/* Take what was asked for by itself into what is known. */
static void
registry_merge(struct registry *r, const struct registry_answer *a)
{
	struct registry_path *p;
	struct registry_key *k;

	if (a->rc != 0 && registry_merge_failure(r, a))
		return;
	if (a->kind == REGISTRY_PATHS)
		merge_paths(r, a);
	else if (a->kind == REGISTRY_ROTATION)
		merge_rotation(r, a);
	if (r->pending_path == NULL || (p = registry_path_find(&r->names, r->pending_path)) == NULL)
		return;
	if (a->kind == REGISTRY_KEYS)
		merge_keys(p, a);
	else if (a->kind == REGISTRY_HISTORY && r->pending_key != NULL &&
	    (k = registry_key_find(p, r->pending_key)) != NULL)
		merge_history(k, a);
}

struct registry *
registry_new(const struct registry_source *source)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->source = source;
	registry_names_init(&r->names);
	registry_uses_init(&r->uses);
	outline_init(&r->panes.left, &paths_ops, r);
	outline_init(&r->panes.right, &versions_ops, r);
	if (source != NULL && source->user != NULL)
		snprintf(r->user, sizeof(r->user), "%s", source->user);
	return r;
}

void
registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	registry_names_release(&r->names);
	registry_uses_release(&r->uses);
	outline_release(&r->panes.left);
	outline_release(&r->panes.right);
	free(r->pending_path);
	free(r->pending_key);
	free(r);
}

const char *
registry_unavailable(const struct registry *r)
{
	if (r->source == NULL)
		return "no registry is configured";
	if (r->source->asks_password && !r->logged_in)
		return "log in first";
	return NULL;
}

bool
registry_shown(const struct registry *r)
{
	if (r->source == NULL || r->known == REGISTRY_FAILED)
		return false;
	return r->known == REGISTRY_KNOWN || (r->looked && registry_unavailable(r) == NULL);
}

static void
registry_drop_pending(struct registry *r)
{
	if (r->pending != 0)
		r->source->cancel(r->source->cookie, r->pending);
	r->pending = 0;
}

void
registry_refresh(struct registry *r)
{
	if (r->source != NULL)
		registry_drop_pending(r);
	r->known = REGISTRY_UNKNOWN;
	r->no_login = false;
	r->problem[0] = '\0';
	registry_uses_restart(&r->uses);
	registry_names_forget_uses(&r->names);
	registry_rows_build(r);
}

void
registry_forget(struct registry *r, const char *path, const char *key)
{
	struct registry_path *p = registry_path_find(&r->names, path);
	struct registry_key *k = p != NULL && key != NULL ? registry_key_find(p, key) : NULL;

	registry_drop_pending(r);
	r->marked = 0;
	if (p == NULL)
		r->known = REGISTRY_UNKNOWN;
	else if (k == NULL)
		p->known = REGISTRY_UNKNOWN;
	else
		k->history = REGISTRY_UNKNOWN;
	registry_rows_build(r);
}

int
registry_log_in(struct registry *r, const char *user, const struct buf *password, struct error *err)
{
	registry_drop_pending(r);
	if (r->source->authorize(r->source->cookie, user, password, err) == -1)
		return -1;
	snprintf(r->user, sizeof(r->user), "%s", user);
	r->logged_in = true;
	r->in_use = true;
	if (r->known == REGISTRY_FAILED)
		registry_refresh(r);
	registry_rows_build(r);
	return 0;
}

void
registry_lock(struct registry *r)
{
	if (r->source == NULL)
		return;
	registry_drop_pending(r);
	r->source->forget(r->source->cookie);
	r->logged_in = false;
	r->in_use = false;
	registry_rows_build(r);
}

/* Ask for something by itself. */
static void
request(struct registry *r, const struct registry_request *req)
{
	struct error err;

	free(r->pending_path);
	free(r->pending_key);
	r->pending_path = req->path != NULL ? strdup(req->path) : NULL;
	r->pending_key = req->key != NULL ? strdup(req->key) : NULL;
	r->in_use = true;
	r->pending_poll = req->kind == REGISTRY_ROTATION;
	r->pending = r->source->submit(r->source->cookie, req, &err);
	if (r->pending == 0) {
		r->known = REGISTRY_FAILED;
		snprintf(r->problem, sizeof(r->problem), "%s", err.text);
	}
}

static bool
wants_keys(const struct registry_path *p)
{
	return p->exists && p->known == REGISTRY_UNKNOWN;
}

/* The path whose keys are to be asked for next, or NULL. */
static struct registry_path *
next_path(const struct registry *r, const struct registry_selection *s)
{
	struct registry_path *p;
	size_t i;

	if (s->path != NULL && wants_keys(s->path))
		return s->path;
	if (s->key != NULL && s->key->exists && s->key->history == REGISTRY_UNKNOWN)
		return NULL;
	for (i = 0; i < r->names.paths.len; i++) {
		p = registry_path_at(&r->names, i);
		if (wants_keys(p) && (p->uses > 0 || !outline_folded(&r->panes.left, i)))
			return p;
	}
	return NULL;
}

/* What is needed next, asked for.  False: nothing is. */
static bool
next_request(const struct registry *r, struct registry_request *req)
{
	struct registry_selection s = registry_selected(r);
	struct registry_path *p;

	memset(req, 0, sizeof(*req));
	req->kind = REGISTRY_PATHS;
	if (r->known == REGISTRY_UNKNOWN)
		return true;
	if ((p = next_path(r, &s)) != NULL) {
		req->kind = REGISTRY_KEYS;
		req->path = p->name;
		return true;
	}
	if (s.key != NULL && s.key->exists && s.key->history == REGISTRY_UNKNOWN) {
		req->kind = REGISTRY_HISTORY;
		req->path = s.path->name;
		req->key = s.key->name;
		return true;
	}
	req->kind = REGISTRY_ROTATION;
	req->delay_ms = ROTATION_MS;
	return r->rotating;
}

static bool
wants_request(const struct registry *r, struct registry_request *req)
{
	if (registry_unavailable(r) != NULL || r->known == REGISTRY_FAILED || !next_request(r, req))
		return false;
	return r->pending == 0 || (r->pending_poll && req->kind != REGISTRY_ROTATION);
}

static bool
may_read(const struct app *a)
{
	return !a->registry->uses.done && !a->model->scanning;
}

bool
registry_is_due(const struct app *a)
{
	struct registry_request req;

	return may_read(a) || wants_request(a->registry, &req);
}

/* Read some configuration files.  True: all are read. */
static bool
registry_read_files(struct app *a)
{
	struct registry *r = a->registry;
	uint64_t until = clock_ms() + BUDGET_MS;
	struct error err;

	do {
		if (registry_uses_step(&r->uses, a->model->estate, &r->names, &err) == -1) {
			app_complain(a, "%s", err.text);
			r->uses.done = true;
		}
	} while (!r->uses.done && clock_ms() < until);
	if (r->uses.done && r->known == REGISTRY_KNOWN)
		registry_names_prune(&r->names);
	registry_rows_build(r);
	return r->uses.done;
}

bool
registry_step(struct app *a)
{
	struct registry_request req;
	bool draw = false;

	if (wants_request(a->registry, &req)) {
		registry_drop_pending(a->registry);
		request(a->registry, &req);
		draw = a->registry->pending == 0;
	}
	if (may_read(a) && registry_read_files(a))
		draw = true;
	return draw;
}

/* The rotation that was left to itself: does it go on? */
static void
say_rotation(struct app *a, const struct registry_answer *answer)
{
	if (answer->rc != 0)
		app_complain(a, "how far the rotation is, is not known any more: %s",
		    answer->err.text);
	else if (answer->failure[0] != '\0')
		app_complain(a, "the rotation stopped: %s", answer->failure);
	else
		app_notice(a, "the rotation is at its end: every secret is sealed again");
}

static void
registry_take_pending(struct app *a, const struct registry_answer *answer)
{
	struct registry *r = a->registry;
	bool rotating = r->rotating;

	r->pending = 0;
	registry_merge(r, answer);
	registry_rows_build(r);
	if (rotating && !r->rotating)
		say_rotation(a, answer);
}

bool
registry_take(struct app *a)
{
	struct registry *r = a->registry;
	struct registry_answer *answer;
	bool draw = false;

	while (r->source != NULL && (answer = r->source->take(r->source->cookie)) != NULL) {
		if (r->waiting != NULL && r->waiting->id == answer->id) {
			r->waiting->take(r->waiting, a, answer);
			draw = true;
			continue;
		}
		if (answer->id == r->pending) {
			registry_take_pending(a, answer);
			draw = true;
		}
		registry_answer_free(answer);
	}
	return draw;
}
