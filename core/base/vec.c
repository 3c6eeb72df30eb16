#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

#define FIRST_CAP 2	/* many hold one item */

void
vec_init(struct vec *v, size_t size, size_t max)
{
	v->items = NULL;
	v->len = 0;
	v->cap = 0;
	v->size = size;
	v->max = max;
}

static int
vec_resize(struct vec *v, size_t cap)
{
	/* No object is larger. */
	void *items = cap > PTRDIFF_MAX / v->size ? NULL : realloc(v->items, cap * v->size);

	if (items == NULL)
		return -1;
	v->items = items;
	v->cap = cap;
	return 0;
}

static int
vec_grow(struct vec *v)
{
	size_t cap = v->cap > 0 ? v->cap : FIRST_CAP / 2;

	return vec_resize(v, cap > v->max / 2 ? v->max : 2 * cap);
}

void
vec_expect(struct vec *v, size_t n)
{
	if (v->cap < n && n <= v->max)
		(void)vec_resize(v, n);
}

void *
vec_push(struct vec *v)
{
	void *item;

	if (v->len >= v->max || (v->len == v->cap && vec_grow(v) == -1))
		return NULL;
	item = vec_at(v, v->len++);
	memset(item, 0, v->size);
	return item;
}

void *
vec_at(const struct vec *v, size_t i)
{
	return (unsigned char *)v->items + i * v->size;
}

void
vec_release(struct vec *v)
{
	free(v->items);
	vec_init(v, v->size, v->max);
}

char *
vec_push_string(struct vec *v, const char *bytes, size_t n)
{
	char *copy = text_copy(bytes, n), **slot;

	if (copy == NULL || (slot = vec_push(v)) == NULL) {
		free(copy);
		return NULL;
	}
	*slot = copy;
	return copy;
}

char *
vec_string(const struct vec *v, size_t i)
{
	return *(char **)vec_at(v, i);
}

void
vec_release_strings(struct vec *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(vec_string(v, i));
	vec_release(v);
}

static int
vec_compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
vec_sort_strings(struct vec *v)
{
	if (v->len > 0)
		qsort(v->items, v->len, sizeof(char *), vec_compare_strings);
}
