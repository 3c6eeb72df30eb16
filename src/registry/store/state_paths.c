#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "registry/store/state_internal.h"

/* Paths and keys: made when first seen, and kept, since numbers are never
 * used again. */

#define FIRST_SLOTS 64

static uint32_t
hash(const struct state *s, const char *name, size_t n)
{
	return (uint32_t)siphash_13(s->seed, name, n);
}

/* The slot that holds the name, or the free one where it belongs. */
static struct state_path **
slot_of(const struct state *s, uint32_t h, const char *name, size_t n)
{
	size_t i = h & (s->table_size - 1);
	const struct state_path *p;

	while ((p = s->table[i]) != NULL) {
		if (p->hash == h && p->name_len == n && memcmp(p->name, name, n) == 0)
			break;
		i = (i + 1) & (s->table_size - 1);
	}
	return &s->table[i];
}

static int
state_paths_grow(struct state *s)
{
	size_t size = s->table_size > 0 ? 2 * s->table_size : FIRST_SLOTS;
	struct state_path **old = s->table;
	size_t i, j, old_size = s->table_size;

	s->table = calloc(size, sizeof(*s->table));
	if (s->table == NULL) {
		s->table = old;
		return -1;
	}
	s->table_size = size;
	s->counts.bytes += (size - old_size) * sizeof(*s->table);
	for (i = 0; i < old_size; i++) {
		if (old[i] == NULL)
			continue;
		for (j = old[i]->hash & (size - 1); s->table[j] != NULL; )
			j = (j + 1) & (size - 1);
		s->table[j] = old[i];
	}
	free(old);
	return 0;
}

struct state_path *
state_path_any(const struct state *s, const char *name, size_t n)
{
	return s->table_size > 0 ? *slot_of(s, hash(s, name, n), name, n) : NULL;
}

struct state_path *
state_path_put(struct state *s, const char *name, size_t n)
{
	struct state_path *p = state_path_any(s, name, n);
	size_t size = offsetof(struct state_path, name) + n + 1;

	if (p != NULL)
		return p;
	if (s->paths.count >= s->table_size / 4 * 3 && state_paths_grow(s) == -1)
		return NULL;
	p = calloc(1, size);
	if (p == NULL)
		return NULL;
	p->name_len = (uint16_t)n;
	memcpy(p->name, name, n);
	p->hash = hash(s, name, n);
	p->keys.name_at = offsetof(struct state_key, name);
	if (state_index_add(&s->paths, p, &s->counts.bytes) == -1) {
		free(p);
		return NULL;
	}
	*slot_of(s, p->hash, name, n) = p;
	s->counts.bytes += state_cost(size);
	return p;
}

struct state_key *
state_key_put(struct state *s, struct state_path *p, const char *name, size_t n)
{
	struct state_key *k = state_index_find(&p->keys, name, n);
	size_t size = offsetof(struct state_key, name) + n + 1;

	if (k != NULL)
		return k;
	k = calloc(1, size);
	if (k == NULL)
		return NULL;
	k->name_len = (uint16_t)n;
	k->path = p;
	memcpy(k->name, name, n);
	if (state_index_add(&p->keys, k, &s->counts.bytes) == -1) {
		free(k);
		return NULL;
	}
	s->counts.bytes += state_cost(size);
	return k;
}

struct state_more *
state_more_put(struct state *s, struct state_key *k)
{
	if (k->more != NULL)
		return k->more;
	k->more = calloc(1, sizeof(*k->more));
	if (k->more == NULL)
		return NULL;
	k->more->key = k;
	s->counts.bytes += state_cost(sizeof(*k->more));
	return k->more;
}

void
state_raise_high(struct state *s, struct state_key *k, uint32_t high)
{
	(void)s;
	if (high <= k->high)
		return;
	if (k->high == 0)
		k->path->seen++;
	k->high = high;
}

static void
free_key(void *item)
{
	struct state_key *k = item;
	struct state_more *m = k->more;
	size_t i;

	if (k->count > 1) {
		for (i = 0; i < k->count; i++)
			free(k->versions.many[i]);
		free(k->versions.many);
	} else {
		free(k->versions.one);
	}
	if (m != NULL) {
		for (i = 0; i < m->loser_count; i++)
			free(m->losers[i]);
		free(m->losers);
		free(m->custom);
		free(m->deleted);
		free(m->destroyed);
		free(m);
	}
	free(k);
}

static void
free_path(void *item)
{
	struct state_path *p = item;

	state_index_release(&p->keys, free_key);
	free(p);
}

void
state_paths_release(struct state *s)
{
	state_index_release(&s->paths, free_path);
}

const char *
state_principal_put(struct state *s, const char *name)
{
	size_t n = s->principal_count;
	size_t len = strlen(name);
	char **more, *copy;
	size_t found;

	if (map_get(s->principal_index, name, len, &found))
		return s->principals[found];
	if ((n & (n - 1)) == 0) {
		more = realloc(s->principals, (n > 0 ? 2 * n : 1) * sizeof(*more));
		if (more == NULL)
			return NULL;
		s->principals = more;
	}
	copy = strdup(name);
	if (copy == NULL || map_put(s->principal_index, copy, len, n) == -1) {
		free(copy);
		return NULL;
	}
	s->principals[s->principal_count++] = copy;
	s->counts.bytes += state_cost(len + 1) + 64;
	return copy;
}
