#include "ui/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/app.h"
#include "ui/clock.h"
#include "ui/model.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_take.h"
#include "ui/view.h"

#define ROWS_MAX 10000000
#define BUDGET_MS 5		/* of reading configuration files at a time */
#define ROTATION_MS 1000	/* how often the progress is asked for by itself */

struct registry *
registry_new(const struct registry_source *source)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->source = source;
	registry_names_init(&r->names);
	registry_uses_init(&r->uses);
	vec_init(&r->rows, sizeof(struct registry_row), ROWS_MAX);
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
	vec_release(&r->rows);
	free(r->pending_path);
	free(r->pending_key);
	free(r->held_path);
	free(r->held_key);
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
drop_pending(struct registry *r)
{
	if (r->pending != 0)
		r->source->cancel(r->source->cookie, r->pending);
	r->pending = 0;
}

void
registry_refresh(struct registry *r)
{
	if (r->source != NULL)
		drop_pending(r);
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

	drop_pending(r);
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
registry_log_in(struct registry *r, const char *user, const struct buf *password,
    struct error *err)
{
	drop_pending(r);
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
	drop_pending(r);
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
		if (wants_keys(p) && (p->unfolded || p->uses > 0))
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
	if (registry_unavailable(r) != NULL || r->known == REGISTRY_FAILED ||
	    !next_request(r, req))
		return false;
	return r->pending == 0 || (r->pending_poll && req->kind != REGISTRY_ROTATION);
}

static bool
may_read(const struct app *a)
{
	return !a->registry->uses.done && !a->model->scanning;
}

static bool
is_active(const struct app *a)
{
	return a->in_registry && a->top->below == NULL && !a->locking;
}

bool
registry_may_step(const struct app *a)
{
	struct registry_request req;

	return is_active(a) && (may_read(a) || wants_request(a->registry, &req));
}

/* Read some configuration files.  True: all are read. */
static bool
read_files(struct app *a)
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
	if (!r->uses.done)
		return false;
	if (r->known == REGISTRY_KNOWN)
		registry_names_prune(&r->names);
	registry_rows_build(r);
	return true;
}

bool
registry_step(struct app *a)
{
	struct registry_request req;
	bool draw = false;

	if (!is_active(a))
		return false;
	if (wants_request(a->registry, &req)) {
		drop_pending(a->registry);
		request(a->registry, &req);
		draw = a->registry->pending == 0;
	}
	if (may_read(a) && read_files(a))
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
take_pending(struct app *a, const struct registry_answer *answer)
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
			take_pending(a, answer);
			draw = true;
		}
		registry_answer_free(answer);
	}
	return draw;
}
