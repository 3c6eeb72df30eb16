#include "ui/registry_names.h"

#include <stdlib.h>
#include <string.h>

#include "ui/registry_source.h"

#define NAMES_MAX (2 * (size_t)REGISTRY_NAMES_MAX)	/* those of files too */

void
registry_names_init(struct registry_names *n)
{
	vec_init(&n->paths, sizeof(void *), NAMES_MAX);
}

struct registry_path *
registry_path_at(const struct registry_names *n, size_t i)
{
	return *(void **)vec_at(&n->paths, i);
}

struct registry_key *
registry_key_at(const struct registry_path *p, size_t i)
{
	return *(void **)vec_at(&p->keys, i);
}

static void
key_free(struct registry_key *k)
{
	if (k == NULL)
		return;
	vec_release(&k->versions);
	free(k->name);
	free(k);
}

static void
path_free(struct registry_path *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->keys.len; i++)
		key_free(registry_key_at(p, i));
	vec_release(&p->keys);
	free(p->name);
	free(p);
}

void
registry_names_release(struct registry_names *n)
{
	size_t i;

	for (i = 0; i < n->paths.len; i++)
		path_free(registry_path_at(n, i));
	vec_release(&n->paths);
}

/* Both kinds begin with a pointer to their name. */
static const char *
name_at(const struct vec *v, size_t i)
{
	return *(char *const *)*(void **)vec_at(v, i);
}

/* The place of a name in a sorted list. */
static size_t
lower_bound(const struct vec *v, const char *name)
{
	size_t from = 0, to = v->len, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (strcmp(name_at(v, mid), name) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void *
find(const struct vec *v, const char *name)
{
	size_t i = lower_bound(v, name);

	return i < v->len && strcmp(name_at(v, i), name) == 0 ? *(void **)vec_at(v, i) : NULL;
}

/* Put ${item} where its name belongs. */
static int
insert(struct vec *v, const char *name, void *item)
{
	size_t at = lower_bound(v, name);
	void **items;

	if (vec_push(v) == NULL)
		return -1;
	items = v->items;
	memmove(items + at + 1, items + at, (v->len - 1 - at) * sizeof(*items));
	items[at] = item;
	return 0;
}

struct registry_path *
registry_path_find(const struct registry_names *n, const char *name)
{
	return find(&n->paths, name);
}

struct registry_key *
registry_key_find(const struct registry_path *p, const char *name)
{
	return find(&p->keys, name);
}

struct registry_path *
registry_path_get(struct registry_names *n, const char *name)
{
	struct registry_path *p = registry_path_find(n, name);

	if (p != NULL || (p = calloc(1, sizeof(*p))) == NULL)
		return p;
	vec_init(&p->keys, sizeof(void *), NAMES_MAX);
	p->name = strdup(name);
	if (p->name == NULL || insert(&n->paths, name, p) == -1) {
		path_free(p);
		return NULL;
	}
	return p;
}

struct registry_key *
registry_key_get(struct registry_path *p, const char *name)
{
	struct registry_key *k = registry_key_find(p, name);

	if (k != NULL || (k = calloc(1, sizeof(*k))) == NULL)
		return k;
	vec_init(&k->versions, sizeof(struct registry_version), REGISTRY_VERSIONS_MAX);
	k->name = strdup(name);
	if (k->name == NULL || insert(&p->keys, name, k) == -1) {
		key_free(k);
		return NULL;
	}
	return k;
}

/* Find or make those that the registry has. */
static int
take_paths(struct registry_names *n, const struct vec *names, bool deleted)
{
	struct registry_path *p;
	size_t i;

	for (i = 0; i < names->len; i++) {
		p = registry_path_get(n, *(char **)vec_at(names, i));
		if (p == NULL)
			return -1;
		/* Other registries tell the live ones again when asked for the deleted ones. */
		p->deleted = deleted && !p->exists;
		p->exists = true;
	}
	return 0;
}

int
registry_names_take(struct registry_names *n, const struct registry_answer *a)
{
	struct registry_path *p;
	size_t i;

	for (i = 0; i < n->paths.len; i++) {
		p = registry_path_at(n, i);
		p->exists = false;
		p->known = REGISTRY_UNKNOWN;
	}
	if (take_paths(n, &a->names, false) == -1 || take_paths(n, &a->deleted, true) == -1)
		return -1;
	registry_names_prune(n);
	return 0;
}

/* Drop the keys that nobody knows. */
static void
prune_keys(struct registry_path *p)
{
	struct registry_key *k;
	size_t kept = 0;
	size_t i;

	for (i = 0; i < p->keys.len; i++) {
		k = registry_key_at(p, i);
		if (k->exists || k->uses > 0)
			*(void **)vec_at(&p->keys, kept++) = k;
		else
			key_free(k);
	}
	p->keys.len = kept;
}

int
registry_path_take(struct registry_path *p, const struct registry_answer *a)
{
	struct registry_key *k;
	size_t i;

	for (i = 0; i < p->keys.len; i++) {
		k = registry_key_at(p, i);
		k->exists = false;
		k->history = REGISTRY_UNKNOWN;
	}
	for (i = 0; i < a->names.len; i++) {
		k = registry_key_get(p, *(char **)vec_at(&a->names, i));
		if (k == NULL)
			return -1;
		k->exists = true;
		k->counted = i < a->keys.len;
		if (k->counted)
			k->summary = *(const struct registry_summary *)vec_at(&a->keys, i);
	}
	prune_keys(p);
	p->known = REGISTRY_KNOWN;
	p->cut = a->cut;
	return 0;
}

void
registry_names_prune(struct registry_names *n)
{
	struct registry_path *p;
	size_t kept = 0;
	size_t i;

	for (i = 0; i < n->paths.len; i++) {
		p = registry_path_at(n, i);
		prune_keys(p);
		if (p->exists || p->uses > 0)
			*(void **)vec_at(&n->paths, kept++) = p;
		else
			path_free(p);
	}
	n->paths.len = kept;
}

void
registry_names_forget_uses(struct registry_names *n)
{
	struct registry_path *p;
	size_t i, k;

	for (i = 0; i < n->paths.len; i++) {
		p = registry_path_at(n, i);
		p->uses = 0;
		for (k = 0; k < p->keys.len; k++)
			registry_key_at(p, k)->uses = 0;
	}
}
