#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

/*
 * A growable array of ${size}-byte elements with a stated maximum count.
 * Never for secrets.  Pointers to elements are valid until the next push.
 */
struct vec {
	void *items;
	size_t len;
	size_t cap;
	size_t size;
	size_t max;
};

void vec_init(struct vec *v, size_t size, size_t max);

/* A new zeroed element at the end, or NULL (no memory, or at the maximum). */
void *vec_push(struct vec *v);

/* Element ${i} < len. */
void *vec_at(const struct vec *v, size_t i);

/* Free the array (not what its elements own) and leave it empty. */
void vec_release(struct vec *v);

#endif /* !BASE_VEC_H */
