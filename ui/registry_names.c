#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "document/document.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/reference.h"
#include "ui/registry.h"

#define NAMES_MAX (2 * (size_t)REGISTRY_NAMES_MAX)	/* those of files too */

#define PROVIDER "secret"	/* what a Connect worker calls the registry's provider */
#define NAME "name"		/* of a connector, in its configuration */
#define USES_MAX 1000000

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
names_key_free(struct registry_key *k)
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
		names_key_free(registry_key_at(p, i));
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
names_lower_bound(const struct vec *v, const char *name)
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
names_find(const struct vec *v, const char *name)
{
	size_t i = names_lower_bound(v, name);

	return i < v->len && strcmp(name_at(v, i), name) == 0 ? *(void **)vec_at(v, i) : NULL;
}

/* Put ${item} where its name belongs. */
static int
names_insert(struct vec *v, const char *name, void *item)
{
	size_t at = names_lower_bound(v, name);
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
	return names_find(&n->paths, name);
}

struct registry_key *
registry_key_find(const struct registry_path *p, const char *name)
{
	return names_find(&p->keys, name);
}

struct registry_path *
registry_path_get(struct registry_names *n, const char *name)
{
	struct registry_path *p = registry_path_find(n, name);

	if (p != NULL || (p = calloc(1, sizeof(*p))) == NULL)
		return p;
	vec_init(&p->keys, sizeof(void *), NAMES_MAX);
	p->name = strdup(name);
	if (p->name == NULL || names_insert(&n->paths, name, p) == -1) {
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
	if (k->name == NULL || names_insert(&p->keys, name, k) == -1) {
		names_key_free(k);
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
			names_key_free(k);
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

void
registry_uses_init(struct registry_uses *u)
{
	memset(u, 0, sizeof(*u));
	vec_init(&u->list, sizeof(struct registry_use), USES_MAX);
}

void
registry_uses_restart(struct registry_uses *u)
{
	struct registry_use *use;
	size_t i;

	for (i = 0; i < u->list.len; i++) {
		use = vec_at(&u->list, i);
		free(use->path);
		free(use->key);
		free(use->file);
		free(use->entry);
	}
	u->list.len = 0;
	u->next = 0;
	u->done = false;
}

void
registry_uses_release(struct registry_uses *u)
{
	registry_uses_restart(u);
	vec_release(&u->list);
}

/* One that is not there yet, or NULL. */
static struct registry_use *
uses_add(struct registry_uses *u, const struct reference *r, const struct document *d, size_t i)
{
	struct registry_use *use = vec_push(&u->list);
	const char *key;
	size_t len;

	if (use == NULL)
		return NULL;
	key = document_key(d, i, &len);
	use->path = text_copy(r->path, r->path_len);
	use->key = text_copy(r->name, r->name_len);
	use->file = strdup(document_file(d));
	use->line = document_line(d, i);
	use->entry = text_copy(key, len);
	use->entry_len = len;
	/* registry_uses_restart frees what there is. */
	return use->path == NULL || use->key == NULL || use->file == NULL ||
	    use->entry == NULL ? NULL : use;
}

static int
uses_count(struct registry_names *names, const struct registry_use *use)
{
	struct registry_path *p = registry_path_get(names, use->path);
	struct registry_key *k = p != NULL ? registry_key_get(p, use->key) : NULL;

	if (k == NULL)
		return -1;
	p->uses++;
	k->uses++;
	return 0;
}

/* Is the connector of this file, if it is one, called like the path? */
static bool
is_misplaced(const struct document *d, const struct registry_use *use)
{
	size_t i = document_find(d, NAME, strlen(NAME));

	return i != DOCUMENT_NONE && !document_value_is(d, i, use->path, strlen(use->path));
}

/* The references in one value. */
static int
uses_read_value(struct registry_uses *u, const struct document *d, size_t i,
    const struct buf *value, struct registry_names *names)
{
	const char *text = (const char *)value->data;
	struct registry_use *use;
	struct reference r;
	size_t from = 0;
	size_t start, end;

	while (resolve_next(text, value->len, from, &r, &start, &end)) {
		from = end;
		if (r.provider_len != strlen(PROVIDER) || r.path == NULL || r.path_len == 0 ||
		    memcmp(r.provider, PROVIDER, r.provider_len) != 0)
			continue;
		use = uses_add(u, &r, d, i);
		if (use == NULL || uses_count(names, use) == -1)
			return -1;
		use->misplaced = is_misplaced(d, use);
	}
	return 0;
}

static int
read_document(struct registry_uses *u, const struct document *d, struct registry_names *names)
{
	const struct buf *bytes = document_bytes(d);
	const unsigned char *raw;
	struct buf value;
	size_t i, len;
	int rc = 0;

	if (memmem(bytes->data, bytes->len, PROVIDER, strlen(PROVIDER)) == NULL)
		return 0;
	buf_init_secret(&value, BUF_MAX_FILE);
	for (i = 0; rc == 0 && i < document_count(d); i++) {
		raw = document_raw_value(d, i, &len);
		if (document_shadowed(d, i) || memmem(raw, len, PROVIDER, strlen(PROVIDER)) == NULL)
			continue;
		buf_clear(&value);
		if (document_value(d, i, &value, NULL) == 0)
			rc = uses_read_value(u, d, i, &value, names);
	}
	buf_release(&value);
	return rc;
}

int
registry_uses_step(struct registry_uses *u, const struct estate *e, struct registry_names *names,
    struct error *err)
{
	const struct estate_file *f;
	struct configuration *c;
	int rc = 0;

	if (u->next >= estate_count(e)) {
		u->done = true;
		return 0;
	}
	f = estate_file(e, u->next++);
	if (f->is_secrets_file || f->problem != NULL ||
	    (c = configuration_load(f->path, estate_scope(e), NULL)) == NULL)
		return 0;
	rc = read_document(u, c->doc, names);
	configuration_free(c);
	return rc == 0 ? 0 : error_memory(err);
}

static bool
is_of(const struct registry_use *use, const char *path, const char *key)
{
	return strcmp(use->path, path) == 0 && (key == NULL || strcmp(use->key, key) == 0);
}

size_t
registry_uses_count(const struct registry_uses *u, const char *path, const char *key)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < u->list.len; i++)
		n += is_of(vec_at(&u->list, i), path, key);
	return n;
}

const struct registry_use *
registry_uses_find(const struct registry_uses *u, const char *path, const char *key, size_t nth)
{
	size_t i;

	for (i = 0; i < u->list.len; i++)
		if (is_of(vec_at(&u->list, i), path, key) && nth-- == 0)
			return vec_at(&u->list, i);
	return NULL;
}

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

struct registry_answer *
registry_answer_new(unsigned long id, enum registry_kind kind)
{
	struct registry_answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->id = id;
	a->kind = kind;
	vec_init(&a->names, sizeof(char *), REGISTRY_NAMES_MAX);
	vec_init(&a->deleted, sizeof(char *), REGISTRY_NAMES_MAX);
	vec_init(&a->keys, sizeof(struct registry_summary), REGISTRY_NAMES_MAX);
	vec_init(&a->versions, sizeof(struct registry_version), REGISTRY_VERSIONS_MAX);
	vec_init(&a->events, sizeof(struct registry_event), REGISTRY_EVENTS_MAX);
	buf_init_secret(&a->value, REGISTRY_VALUE_MAX);
	return a;
}

static void
names_free(struct vec *names)
{
	size_t i;

	for (i = 0; i < names->len; i++)
		free(*(char **)vec_at(names, i));
	vec_release(names);
}

void
registry_answer_free(struct registry_answer *a)
{
	if (a == NULL)
		return;
	names_free(&a->names);
	names_free(&a->deleted);
	vec_release(&a->keys);
	vec_release(&a->versions);
	vec_release(&a->events);
	buf_release(&a->value);
	free(a);
}

const char *
registry_state_name(enum registry_version_state s)
{
	switch (s) {
	case REGISTRY_DELETED:
		return "deleted";
	case REGISTRY_EXPIRED:
		return "expired";
	case REGISTRY_DESTROYED:
		return "destroyed";
	case REGISTRY_LIVE:
	default:
		return "live";
	}
}
