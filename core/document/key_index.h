#ifndef DOCUMENT_KEY_INDEX_H
#define DOCUMENT_KEY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

/*
 * From keys to the numbers of what has them, below 2^26.  A slot is an eighth of
 * one of map.h's, as most of the time goes to fetching slots from memory: the number
 * and 1 in as many bits as the table needs, and in the others what they hold of the
 * hash; 0: free.  Who has the keys compares them.  Inline, so that the comparison is.
 */
struct key_index {
	uint32_t *slots;
	uint32_t mask;		/* their number, a power of two, less 1 */
	unsigned char seed[SIPHASH_KEY];
};

typedef bool key_index_is_fn(const void *of, size_t number, const char *key, size_t n);

/* A table for numbers below ${count}, and ${count} keys, at most.  -1: no memory. */
static inline int
key_index_make(struct key_index *x, size_t count)
{
	size_t size = 16;

	while (size / 8 * 7 <= count)
		size *= 2;
	x->mask = (uint32_t)(size - 1);
	x->slots = calloc(size, sizeof(*x->slots));
	return x->slots == NULL || siphash_seed(x->seed) != 0 ? -1 : 0;
}

static inline void
key_index_release(struct key_index *x)
{
	free(x->slots);
	x->slots = NULL;
}

/* A table of so many slots is looked through from its start: that takes less than SipHash. */
#define KEY_INDEX_SMALL 128

/* Of all bytes, and quick; who makes keys that have the same one fills a small table with them. */
static inline uint64_t
key_index_quick_hash(const char *key, size_t n)
{
	uint64_t h = n, part;
	size_t i;

	for (i = 0; i + sizeof(part) <= n; i += sizeof(part)) {
		memcpy(&part, key + i, sizeof(part));
		h = (h ^ part) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	for (part = 0; i < n; i++)
		part = part << 8 | (unsigned char)key[i];
	return (h ^ part) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The slot of the key, or the free one where it belongs; ${*hash} is for key_index_put. */
static inline __attribute__((always_inline)) uint32_t *
key_index_slot(const struct key_index *x, const char *key, size_t n, key_index_is_fn *is,
    const void *of, uint32_t *hash)
{
	const bool small = x->mask < KEY_INDEX_SMALL;
	const uint64_t h = small ? key_index_quick_hash(key, n) : siphash_13(x->seed, key, n);
	uint32_t *slot;

	*hash = (uint32_t)(h >> 32) & ~x->mask;
	for (uint32_t i = small ? 0 : (uint32_t)h & x->mask;; i = (i + 1) & x->mask) {
		slot = &x->slots[i];
		if (*slot == 0 || ((*slot & ~x->mask) == *hash &&
		    is(of, (*slot & x->mask) - 1, key, n)))
			return slot;
	}
}

static inline void
key_index_put(uint32_t *slot, size_t number, uint32_t hash)
{
	*slot = hash | ((uint32_t)number + 1);
}

/* The number in a slot that is not free. */
static inline size_t
key_index_number(const struct key_index *x, const uint32_t *slot)
{
	return (*slot & x->mask) - 1;
}

#endif /* !DOCUMENT_KEY_INDEX_H */
