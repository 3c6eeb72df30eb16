#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/siphash.h"

#define FIRST_SLOTS 16		/* a power of two, as all sizes */

struct slot {
	const void *key;	/* NULL: free */
	size_t len;
	uint64_t hash;
	size_t value;
};

struct map {
	unsigned char seed[SIPHASH_KEY];
	struct slot *slots;
	size_t size;
	size_t count;
};

struct map *
map_new(void)
{
	struct map *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->slots = calloc(FIRST_SLOTS, sizeof(*m->slots));
	m->size = FIRST_SLOTS;
	if (m->slots == NULL || getentropy(m->seed, sizeof(m->seed)) == -1) {
		map_free(m);
		return NULL;
	}
	return m;
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	free(m->slots);
	free(m);
}

/* The slot that holds the key, or the free one where it belongs. */
static struct slot *
find(const struct map *m, uint64_t hash, const void *key, size_t len)
{
	size_t i = (size_t)hash & (m->size - 1);
	struct slot *s;

	for (;;) {
		s = &m->slots[i];
		if (s->key == NULL)
			return s;
		if (s->hash == hash && s->len == len &&
		    (len == 0 || memcmp(s->key, key, len) == 0))
			return s;
		i = (i + 1) & (m->size - 1);
	}
}

static int
grow(struct map *m)
{
	struct map bigger = *m;
	size_t i;

	if (m->size > SIZE_MAX / 2)
		return -1;
	bigger.size = 2 * m->size;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return -1;
	for (i = 0; i < m->size; i++) {
		const struct slot *s = &m->slots[i];

		if (s->key != NULL)
			*find(&bigger, s->hash, s->key, s->len) = *s;
	}
	free(m->slots);
	*m = bigger;
	return 0;
}

int
map_put(struct map *m, const void *key, size_t len, size_t value)
{
	uint64_t hash = siphash_13(m->seed, key, len);
	struct slot *s = find(m, hash, key, len);

	if (s->key != NULL) {
		s->value = value;
		return 0;
	}
	/* At most three quarters full, so that probes stay short. */
	if (m->count >= m->size / 4 * 3) {
		if (grow(m) == -1)
			return -1;
		s = find(m, hash, key, len);
	}
	s->key = key != NULL ? key : "";
	s->len = len;
	s->hash = hash;
	s->value = value;
	m->count++;
	return 0;
}

bool
map_get(const struct map *m, const void *key, size_t len, size_t *value)
{
	const struct slot *s = find(m, siphash_13(m->seed, key, len), key, len);

	if (s->key == NULL)
		return false;
	*value = s->value;
	return true;
}

size_t
map_count(const struct map *m)
{
	return m->count;
}
