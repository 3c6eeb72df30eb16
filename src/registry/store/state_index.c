#include <stdlib.h>
#include <string.h>

#include "registry/store/state_index.h"

#define WIDTH 64		/* items of a leaf, children of a branch */
#define HEIGHT_MAX 12		/* 2^32 items need 7 */

struct leaf {
	uint16_t n, cap;
	void *item[];
};

/* min[i] is the smallest item below child[i]; that of the first is not kept. */
struct branch {
	uint16_t n;
	void *child[WIDTH];
	void *min[WIDTH];
};

uint64_t
state_cost(size_t n)
{
	uint64_t chunk = ((uint64_t)n + 8 + 15) & ~UINT64_C(15);

	return chunk < 32 ? 32 : chunk;
}

static int
state_index_compare(const struct state_index *x, const void *item, const char *name, size_t n)
{
	size_t len = *(const uint16_t *)item;
	int order = memcmp((const char *)item + x->name_at, name, len < n ? len : n);

	if (order != 0)
		return order;
	return len < n ? -1 : len > n;
}

/* How many of the items are less than the name, or (${equal}) equal to it. */
static size_t
state_index_rank(const struct state_index *x, void *const *items, size_t count, const char *name,
    size_t n,
    bool equal)
{
	size_t low = 0, high = count, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = state_index_compare(x, items[middle], name, n);
		if (order < 0 || (equal && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The child of a branch below which the name belongs. */
static size_t
child_of(const struct state_index *x, const struct branch *b, const char *name, size_t n)
{
	return state_index_rank(x, b->min + 1, b->n - 1U, name, n, true);
}

/* The leaf's items for a name; ${*next} is the item after that leaf. */
static void *const *
descend(const struct state_index *x, const char *name, size_t n, size_t *count, void **next)
{
	const void *node = x->root;
	unsigned height;
	size_t i;

	*next = NULL;
	if (x->count <= 1) {
		*count = x->count;
		return &x->root;
	}
	for (height = x->height; height > 0; height--) {
		const struct branch *b = node;

		i = child_of(x, b, name, n);
		if (i + 1 < b->n)
			*next = b->min[i + 1];
		node = b->child[i];
	}
	*count = ((const struct leaf *)node)->n;
	return ((const struct leaf *)node)->item;
}

void *
state_index_find(const struct state_index *x, const char *name, size_t n)
{
	void *next;
	size_t count, i;
	void *const *items = descend(x, name, n, &count, &next);

	i = state_index_rank(x, items, count, name, n, false);
	return i < count && state_index_compare(x, items[i], name, n) == 0 ? items[i] : NULL;
}

void *
state_index_after(const struct state_index *x, const char *name, size_t n)
{
	void *next;
	size_t count, i;
	void *const *items = descend(x, name, n, &count, &next);

	i = state_index_rank(x, items, count, name, n, true);
	return i < count ? items[i] : next;
}

static size_t
leaf_size(size_t cap)
{
	return sizeof(struct leaf) + cap * sizeof(void *);
}

static bool
is_full(const void *node, unsigned height)
{
	return (height > 0 ? ((const struct branch *)node)->n : ((const struct leaf *)node)->n) ==
	    WIDTH;
}

/* Where to cut a full node: names that come in order leave full ones behind. */
static size_t
state_index_cut(const struct state_index *x, const void *last, const char *name, size_t n)
{
	return state_index_compare(x, last, name, n) < 0 ? WIDTH - 1 : WIDTH / 2;
}

/* Cut child ${i}, which is full, in two; the branch has room for another. */
static int
state_index_split(struct state_index *x, struct branch *b, size_t i, unsigned height,
    const char *name,
    size_t n, uint64_t *bytes)
{
	void *right, *min;
	size_t at;

	if (height == 0) {
		struct leaf *from = b->child[i];
		struct leaf *to = malloc(leaf_size(WIDTH));

		if (to == NULL)
			return -1;
		at = state_index_cut(x, from->item[WIDTH - 1], name, n);
		to->cap = WIDTH;
		to->n = (uint16_t)(WIDTH - at);
		memcpy(to->item, from->item + at, to->n * sizeof(void *));
		from->n = (uint16_t)at;
		min = to->item[0];
		right = to;
		*bytes += state_cost(leaf_size(WIDTH));
	} else {
		struct branch *from = b->child[i];
		struct branch *to = malloc(sizeof(*to));

		if (to == NULL)
			return -1;
		at = state_index_cut(x, from->min[WIDTH - 1], name, n);
		to->n = (uint16_t)(WIDTH - at);
		memcpy(to->child, from->child + at, to->n * sizeof(void *));
		memcpy(to->min, from->min + at, to->n * sizeof(void *));
		from->n = (uint16_t)at;
		min = to->min[0];
		right = to;
		*bytes += state_cost(sizeof(*to));
	}
	memmove(b->child + i + 2, b->child + i + 1, (b->n - i - 1) * sizeof(void *));
	memmove(b->min + i + 2, b->min + i + 1, (b->n - i - 1) * sizeof(void *));
	b->child[i + 1] = right;
	b->min[i + 1] = min;
	b->n++;
	return 0;
}

/* A new root above the old one, which is full. */
static int
grow_up(struct state_index *x, uint64_t *bytes)
{
	struct branch *b = x->height < HEIGHT_MAX ? malloc(sizeof(*b)) : NULL;

	if (b == NULL)
		return -1;
	b->n = 1;
	b->child[0] = x->root;
	b->min[0] = NULL;
	x->root = b;
	x->height++;
	*bytes += state_cost(sizeof(*b));
	return 0;
}

/* Room for one more in the leaf, which is not at its widest. */
static struct leaf *
state_index_widen(void **slot, uint64_t *bytes)
{
	struct leaf *l = *slot;
	size_t cap = l->cap;

	if (l->n < cap)
		return l;
	l = realloc(l, leaf_size(2 * cap));
	if (l == NULL)
		return NULL;
	l->cap = (uint16_t)(2 * cap);
	*slot = l;
	*bytes += state_cost(leaf_size(2 * cap)) - state_cost(leaf_size(cap));
	return l;
}

/* The first two items. */
static int
first_leaf(struct state_index *x, void *item, const char *name, size_t n, uint64_t *bytes)
{
	struct leaf *l = malloc(leaf_size(2));
	bool before;

	if (l == NULL)
		return -1;
	before = state_index_compare(x, x->root, name, n) > 0;
	l->n = l->cap = 2;
	l->item[before ? 0 : 1] = item;
	l->item[before ? 1 : 0] = x->root;
	x->root = l;
	x->count = 2;
	*bytes += state_cost(leaf_size(2));
	return 0;
}

int
state_index_add(struct state_index *x, void *item, uint64_t *bytes)
{
	const char *name = (const char *)item + x->name_at;
	size_t n = *(const uint16_t *)item;
	void **slot = &x->root;
	unsigned height;
	struct leaf *l;
	size_t i;

	if (x->count == UINT32_MAX)
		return -1;
	if (x->count == 0) {
		x->root = item;
		x->count = 1;
		return 0;
	}
	if (x->count == 1)
		return first_leaf(x, item, name, n, bytes);
	/* Full nodes are cut on the way down, so that each cut is complete. */
	if (is_full(x->root, x->height) && grow_up(x, bytes) == -1)
		return -1;
	for (height = x->height; height > 0; height--) {
		struct branch *b = *slot;

		i = child_of(x, b, name, n);
		if (is_full(b->child[i], height - 1)) {
			if (state_index_split(x, b, i, height - 1, name, n, bytes) == -1)
				return -1;
			i = child_of(x, b, name, n);
		}
		slot = &b->child[i];
	}
	l = state_index_widen(slot, bytes);
	if (l == NULL)
		return -1;
	i = state_index_rank(x, l->item, l->n, name, n, false);
	memmove(l->item + i + 1, l->item + i, (l->n - i) * sizeof(void *));
	l->item[i] = item;
	l->n++;
	x->count++;
	return 0;
}

static void
release(void *node, unsigned height, void (*each)(void *item))
{
	size_t i;

	if (height > 0) {
		struct branch *b = node;

		for (i = 0; i < b->n; i++)
			release(b->child[i], height - 1, each);
	} else {
		struct leaf *l = node;

		for (i = 0; i < l->n; i++)
			each(l->item[i]);
	}
	free(node);
}

void
state_index_release(struct state_index *x, void (*each)(void *item))
{
	if (x->count == 1)
		each(x->root);
	else if (x->count > 1)
		release(x->root, x->height, each);
	x->root = NULL;
	x->count = 0;
	x->height = 0;
}
