#include "ui/act_registry.h"
#include "ui/app.h"
#include "ui/model.h"
#include "ui/registry.h"
#include "ui/registry_rows.h"
#include "ui/registry_source.h"

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

	if (a->registry->source == NULL)
		return "no registry is configured";
	if (s.key == NULL)
		return "select a key first";
	return s.key->exists ? NULL : "the registry has no such key; create it";
}

const char *
act_registry_needs_name(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (a->registry->source == NULL)
		return "no registry is configured";
	if (s.use != NULL)
		return "this is a reference in a file, which the registry does not keep";
	if (s.path == NULL || (a->registry->right_active && s.version == NULL))
		return "select a path, a key or a version first";
	if (s.version != NULL && s.version->state != REGISTRY_LIVE)
		return "this version is not live any more";
	return s.key != NULL ? s.key->exists ? NULL : "the registry has no such key" :
	    s.path->exists ? NULL : "the registry has no such path";
}

const char *
act_registry_needs_live(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

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
	const struct registry_version *v;
	size_t live = 0;
	size_t i;

	for (i = 0; s.key != NULL && i < s.key->versions.len; i++) {
		v = vec_at(&s.key->versions, i);
		live += v->state == REGISTRY_LIVE;
	}
	if (live < 2)
		return "there are no two live versions of a key to compare";
	return s.version != NULL && s.version->state != REGISTRY_LIVE ?
	    "only a live version can be read" : NULL;
}

const char *
act_registry_needs_deleted(const struct app *a)
{
	struct registry_selection s = registry_selected(a->registry);

	if (s.version == NULL)
		return "select a deleted version on the right first";
	return s.version->state != REGISTRY_DELETED ? "this version is not deleted" : NULL;
}
