#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"
#include "ui/registry_state.h"

/* Nothing is selected where no list is shown. */
static const char *
needs_list(const struct app *a)
{
	const struct registry *r = a->registry;

	if (r->source == NULL)
		return "no registry is configured";
	if (registry_shown(r))
		return NULL;
	if (registry_unavailable(r) != NULL || r->no_login)
		return "log in first";
	return r->known == REGISTRY_FAILED ? "the registry was not reached; ask again first" :
	    "the registry has not answered yet";
}

const char *
act_registry_needs_one(const struct app *a)
{
	return a->registry->source == NULL ? "no registry is configured" : NULL;
}

const char *
act_registry_needs_login(const struct app *a)
{
	return a->registry->in_use || a->model->master != NULL ? NULL :
	    "neither a key nor a password is held";
}

const char *
act_registry_needs_key(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
	if (s.key == NULL)
		return "select a key first";
	return s.key->exists ? NULL : "the registry has no such key; create it";
}

const char *
act_registry_needs_name(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
	if (s.use != NULL)
		return "this is a reference in a file, which the registry does not keep";
	if (s.path == NULL || (a->registry->right_active && s.version == NULL))
		return "select a path, a key or a version first";
	if (s.version != NULL)
		return s.version->state == REGISTRY_LIVE ? NULL :
		    "this version is not live any more";
	if (s.key != NULL ? !s.key->exists : !s.path->exists)
		return s.key != NULL ? "the registry has no such key" :
		    "the registry has no such path";
	return (s.key != NULL ? registry_key_state(s.key) : registry_path_state(s.path)) ==
	    REGISTRY_LIVE ? NULL : "no version of it is live any more";
}

const char *
act_registry_needs_live(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
	if (s.version != NULL)
		return s.version->state == REGISTRY_LIVE ? NULL :
		    "only a live version can be read";
	if (s.key == NULL || a->registry->right_active)
		return "select a key or one of its versions first";
	if (s.key->history == REGISTRY_UNKNOWN)
		return s.key->exists ? "its versions are not known yet" :
		    "the registry has no such key";
	return registry_key_latest(s.key) == NULL ? "no version of it is live" : NULL;
}

const char *
act_registry_needs_version(const struct app *a)
{
	return registry_selected(a->registry).version == NULL ?
	    "select a version on the right first" : NULL;
}

const char *
act_registry_needs_two(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);
	const struct registry_version *v = s.key != NULL ? registry_key_latest(s.key) : NULL;

	if (needs_list(a) != NULL)
		return needs_list(a);
	if (v == NULL || registry_key_live_before(s.key, v->number) == NULL)
		return "there are no two live versions of a key to compare";
	if (s.version != NULL && s.version->state != REGISTRY_LIVE)
		return "only a live version can be read";
	return s.version != NULL && a->registry->marked == 0 &&
	    registry_key_live_before(s.key, s.version->number) == NULL ?
	    "no live version before this one; mark another one first" : NULL;
}

const char *
act_registry_needs_deleted(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (needs_list(a) != NULL)
		return needs_list(a);
	if (s.version != NULL)
		return s.version->state != REGISTRY_DELETED ? "this version is not deleted" : NULL;
	return s.use == NULL && s.key != NULL && registry_key_lost(s.key) != NULL ? NULL :
	    "select a deleted version, or a key of which all are";
}
