#include "ui/registry_state.h"

#include <limits.h>
#include <stddef.h>

#include "ui/registry_names.h"

enum registry_version_state
registry_key_state(const struct registry_key *k)
{
	if (!k->exists || !k->counted || k->summary.current != 0)
		return REGISTRY_LIVE;
	return k->summary.state;
}

enum registry_version_state
registry_path_state(const struct registry_path *p)
{
	enum registry_version_state found = REGISTRY_LIVE, state;
	size_t i;

	if (!p->exists)
		return REGISTRY_LIVE;
	/* Its keys know better: something may have been deleted or brought back since. */
	if (p->known != REGISTRY_KNOWN)
		return p->deleted ? REGISTRY_DELETED : REGISTRY_LIVE;
	for (i = 0; i < p->keys.len; i++) {
		if (!registry_key_at(p, i)->exists)
			continue;
		state = registry_key_state(registry_key_at(p, i));
		if (state == REGISTRY_LIVE)
			return REGISTRY_LIVE;
		/* Of several, what can be brought back counts. */
		if (found != REGISTRY_DELETED)
			found = state;
	}
	return found;
}

bool
registry_key_dangles(const struct registry_path *p, const struct registry_key *k)
{
	if (k->uses == 0 || p->known == REGISTRY_FAILED)
		return false;
	return k->exists ? registry_key_state(k) != REGISTRY_LIVE :
	    p->known == REGISTRY_KNOWN || !p->exists;
}

const struct registry_version *
registry_key_live_before(const struct registry_key *k, unsigned int number)
{
	const struct registry_version *v;
	size_t i;

	for (i = 0; i < k->versions.len; i++) {
		v = vec_at(&k->versions, i);
		if (v->number < number && v->state == REGISTRY_LIVE)
			return v;
	}
	return NULL;
}

const struct registry_version *
registry_key_latest(const struct registry_key *k)
{
	return registry_key_live_before(k, UINT_MAX);
}

const struct registry_version *
registry_key_lost(const struct registry_key *k)
{
	const struct registry_version *v;
	size_t i;

	for (i = 0; registry_key_latest(k) == NULL && i < k->versions.len; i++) {
		v = vec_at(&k->versions, i);
		if (v->state == REGISTRY_DELETED)
			return v;
	}
	return NULL;
}
