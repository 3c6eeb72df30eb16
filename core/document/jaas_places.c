#include <stdlib.h>
#include <string.h>

#include "document/jaas_syntax.h"

/* By group, name, and place in the text. */
static int
compare_places(const void *a, const void *b)
{
	const struct jaas_place *x = a, *y = b;
	int order;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
	if (order != 0)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static bool
is_same_name(const struct jaas_place *x, const struct jaas_place *y)
{
	return x->group == y->group && x->len == y->len && memcmp(x->name, y->name, x->len) == 0;
}

static int
sort_modules(struct jaas *j)
{
	struct jaas_module *modules = j->modules.items;
	struct jaas_place *x = calloc(j->modules.len, sizeof(*x));
	size_t i;

	if (x == NULL)
		return -1;
	for (i = 0; i < j->modules.len; i++)
		x[i] = (struct jaas_place){ .name = j->p + modules[i].class,
		    .len = modules[i].class_len, .index = (uint32_t)i };
	qsort(x, j->modules.len, sizeof(*x), compare_places);
	for (i = 0; i < j->modules.len; i++)
		modules[x[i].index].ordinal = i > 0 && is_same_name(&x[i - 1], &x[i]) ?
		    modules[x[i - 1].index].ordinal + 1 : 1;
	j->by_class = x;
	return 0;
}

static int
sort_options(struct jaas *j)
{
	struct jaas_item *items = j->items.items;
	struct jaas_place *x = calloc(j->items.len + 1, sizeof(*x));
	size_t i;

	if (x == NULL)
		return -1;
	for (i = 0; i < j->items.len; i++)
		x[i] = (struct jaas_place){ .name = j->p + items[i].name,
		    .len = items[i].name_len, .group = items[i].module, .index = (uint32_t)i };
	qsort(x, j->items.len, sizeof(*x), compare_places);
	for (i = 1; i < j->items.len; i++) {
		if (!is_same_name(&x[i - 1], &x[i]))
			continue;
		items[x[i - 1].index].shadowed = true;
		items[x[i].index].previous = x[i - 1].index + 1;
	}
	j->by_name = x;
	return 0;
}

int
jaas_places_sort(struct jaas *j)
{
	return sort_modules(j) == 0 ? sort_options(j) : -1;
}

/* Does it come before the name, in the same order? */
static bool
is_before(const struct jaas_place *x, size_t group, const char *name, size_t len)
{
	int order;

	if (x->group != group)
		return x->group < group;
	order = memcmp(x->name, name, x->len < len ? x->len : len);
	return order != 0 ? order < 0 : x->len < len;
}

bool
jaas_places_is_named(const struct jaas_place *x, size_t group, const char *name, size_t len)
{
	return x->group == group && x->len == len && memcmp(x->name, name, len) == 0;
}

size_t
jaas_places_search(const struct jaas_place *x, size_t n, size_t group, const char *name,
    size_t len, bool behind)
{
	size_t low = 0;
	size_t middle;

	while (low < n) {
		middle = low + (n - low) / 2;
		if (is_before(&x[middle], group, name, len) ||
		    (behind && jaas_places_is_named(&x[middle], group, name, len)))
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}
