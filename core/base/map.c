#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"

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

static uint64_t
siphash_load(const unsigned char *p, size_t n)
{
	uint64_t word = 0;

	while (n-- > 0)
		word = word << 8 | p[n];
	return word;
}

/* The same of eight bytes, written so that compilers make one load of it. */
static inline uint64_t
load8(const unsigned char *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
	    (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint64_t
siphash_rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

/* Called for every eight bytes: a call would cost as much as the work. */
static inline __attribute__((always_inline)) void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = siphash_rotate(v[1], 13) ^ v[0];
	v[3] = siphash_rotate(v[3], 16) ^ v[2];
	v[0] = siphash_rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = siphash_rotate(v[1], 17) ^ v[2];
	v[3] = siphash_rotate(v[3], 21) ^ v[0];
	v[2] = siphash_rotate(v[2], 32);
}

static inline __attribute__((always_inline)) void
absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

uint64_t
siphash_13(const unsigned char key[SIPHASH_KEY], const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint64_t k0 = siphash_load(key, 8);
	uint64_t k1 = siphash_load(key + 8, 8);
	/* The paper's constants: the bytes of "somepseudorandomlygeneratedbytes". */
	uint64_t v[4] = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573)
	};
	size_t left = n;

	for (; left >= 8; p += 8, left -= 8)
		absorb(v, load8(p));
	absorb(v, (uint64_t)n << 56 | siphash_load(p, left));
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static unsigned char seed[SIPHASH_KEY];
static bool seeded;

static void
seed_once(void)
{
	seeded = getentropy(seed, sizeof(seed)) == 0;
}

int
siphash_seed(unsigned char key[SIPHASH_KEY])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, seed_once);
	memcpy(key, seed, SIPHASH_KEY);
	return seeded ? 0 : -1;
}

struct map *
map_new(void)
{
	struct map *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->slots = calloc(FIRST_SLOTS, sizeof(*m->slots));
	m->size = FIRST_SLOTS;
	if (m->slots == NULL || siphash_seed(m->seed) != 0) {
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
map_find(const struct map *m, uint64_t hash, const void *key, size_t len)
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
map_grow(struct map *m)
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
			*map_find(&bigger, s->hash, s->key, s->len) = *s;
	}
	free(m->slots);
	*m = bigger;
	return 0;
}

size_t *
map_value(struct map *m, const void *key, size_t len)
{
	uint64_t hash = siphash_13(m->seed, key, len);
	struct slot *s = map_find(m, hash, key, len);

	if (s->key != NULL)
		return &s->value;
	/* At most three quarters full, so that probes stay short. */
	if (m->count >= m->size / 4 * 3) {
		if (map_grow(m) == -1)
			return NULL;
		s = map_find(m, hash, key, len);
	}
	s->key = key != NULL ? key : "";
	s->len = len;
	s->hash = hash;
	m->count++;
	return &s->value;
}

int
map_put(struct map *m, const void *key, size_t len, size_t value)
{
	size_t *kept = map_value(m, key, len);

	if (kept == NULL)
		return -1;
	*kept = value;
	return 0;
}

bool
map_get(const struct map *m, const void *key, size_t len, size_t *value)
{
	const struct slot *s = map_find(m, siphash_13(m->seed, key, len), key, len);

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
