#include <stdio.h>
#include <string.h>

#include "ui/registry.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"
#include "ui/registry_take.h"

#define UNFOLD_PATHS 50	/* fewer are shown with their keys at once */

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
		registry_path_at(&r->names, i)->unfolded = true;
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
summarize(struct registry_key *k)
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
	summarize(k);
}

static void
merge_rotation(struct registry *r, const struct registry_answer *a)
{
	r->rotating = a->rc == 0 && a->running;
	r->rotated = a->done;
	r->rotation_total = a->total;
}

void
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
	if (r->pending_path == NULL ||
	    (p = registry_path_find(&r->names, r->pending_path)) == NULL)
		return;
	if (a->kind == REGISTRY_KEYS)
		merge_keys(p, a);
	else if (a->kind == REGISTRY_HISTORY && r->pending_key != NULL &&
	    (k = registry_key_find(p, r->pending_key)) != NULL)
		merge_history(k, a);
}
