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

/* There will be about ${n} elements: make room for them at once, if there is memory. */
void vec_expect(struct vec *v, size_t n);

/* Element ${i} < len. */
void *vec_at(const struct vec *v, size_t i);

/* Free the array (not what its elements own) and leave it empty. */
void vec_release(struct vec *v);

/* Of a vector of char *: append a copy of ${n} bytes with a NUL behind them
 * (NULL: no memory), and free the strings with the array. */
char *vec_push_string(struct vec *v, const char *bytes, size_t n);
char *vec_string(const struct vec *v, size_t i);
void vec_release_strings(struct vec *v);

/* Sort them, byte by byte. */
void vec_sort_strings(struct vec *v);

#endif /* !BASE_VEC_H */
