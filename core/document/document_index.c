#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "document/document_internal.h"

#define NO_ENTRY (UINT32_MAX >> 1)
#define SHADOWED ((uint32_t)1 << 31)

struct document_index {
	struct map *last;	/* key: its last entry */
	uint32_t *previous;	/* by entry: the one before of the same key, SHADOWED */
	bool tried;
};

struct document_index *
document_index_new(void)
{
	return calloc(1, sizeof(struct document_index));
}

static void
empty(struct document_index *x)
{
	map_free(x->last);
	free(x->previous);
	x->last = NULL;
	x->previous = NULL;
}

void
document_index_free(struct document_index *x)
{
	if (x == NULL)
		return;
	empty(x);
	free(x);
}

static int
enter(struct document_index *x, const struct document *d, size_t i)
{
	size_t len, old;
	const char *key = document_key(d, i, &len);

	x->previous[i] = NO_ENTRY;
	if (map_get(x->last, key, len, &old)) {
		x->previous[i] = (uint32_t)old;
		x->previous[old] |= SHADOWED;
	}
	return map_put(x->last, key, len, i);
}

static int
fill(struct document_index *x, const struct document *d)
{
	struct document_walk walk = { 0, document_count(d) };
	size_t i;

	x->last = map_new();
	x->previous = malloc((document_numbers(d) + 1) * sizeof(*x->previous));
	if (x->last == NULL || x->previous == NULL)
		return -1;
	while (document_walk_next(d, &walk, &i)) {
		if (enter(x, d, i) == -1)
			return -1;
	}
	return 0;
}

/* False: there is no memory for an index, look through the entries. */
static bool
ready(const struct document *d)
{
	struct document_index *x = d->index;

	if (!x->tried) {
		x->tried = true;
		if (fill(x, d) == -1)
			empty(x);
	}
	return x->last != NULL;
}

static bool
key_is(const struct document *d, size_t i, const char *key, size_t n)
{
	size_t len;
	const char *own = document_key(d, i, &len);

	return len == n && (n == 0 || memcmp(own, key, n) == 0);
}

/* The last entry of the key that starts before ${offset}. */
static size_t
search_before(const struct document *d, size_t offset, const char *key, size_t n)
{
	size_t found = DOCUMENT_NONE;
	size_t from = 0;
	size_t i, start;

	for (i = 0; i < document_numbers(d); i++) {
		start = document_entry(d, i)->start;
		if (start >= from && start < offset && key_is(d, i, key, n)) {
			found = i;
			from = start;
		}
	}
	return found;
}

size_t
document_index_last(const struct document *d, const char *key, size_t n)
{
	size_t i;

	if (!ready(d))
		return search_before(d, SIZE_MAX, key, n);
	return map_get(d->index->last, key, n, &i) ? i : DOCUMENT_NONE;
}

size_t
document_index_previous(const struct document *d, size_t i)
{
	const char *key;
	size_t n;
	uint32_t previous;

	if (!ready(d)) {
		key = document_key(d, i, &n);
		return search_before(d, document_entry(d, i)->start, key, n);
	}
	previous = d->index->previous[i] & ~SHADOWED;
	return previous == NO_ENTRY ? DOCUMENT_NONE : previous;
}

bool
document_index_shadowed(const struct document *d, size_t i)
{
	const char *key;
	size_t n;

	if (ready(d))
		return (d->index->previous[i] & SHADOWED) != 0;
	key = document_key(d, i, &n);
	return search_before(d, SIZE_MAX, key, n) != i;
}
