#include "ui/outline.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "ui/term.h"

#define MARKS_MAX 10000000
#define ROWS_MAX 100000000
#define MARKS_FEW 16	/* in a group: found without an index */

/* --- a cursor --- */

void
list_fit(struct list *l, size_t count, size_t height)
{
	l->count = count;
	l->height = height > 0 ? height : 1;
	if (l->cursor >= count)
		l->cursor = count > 0 ? count - 1 : 0;
	if (l->top > l->cursor)
		l->top = l->cursor;
	if (l->cursor - l->top >= l->height)
		l->top = l->cursor - l->height + 1;
	/* No empty rows at the end while there is something above. */
	if (count <= l->height)
		l->top = 0;
	else if (l->top > count - l->height)
		l->top = count - l->height;
}

void
list_go(struct list *l, size_t row)
{
	l->cursor = row;
	list_fit(l, l->count, l->height);
}

static void
list_move(struct list *l, bool down, size_t by)
{
	size_t last = l->count > 0 ? l->count - 1 : 0;

	if (down)
		list_go(l, last - l->cursor < by ? last : l->cursor + by);
	else
		list_go(l, l->cursor < by ? 0 : l->cursor - by);
}

bool
list_key(struct list *l, uint32_t key)
{
	size_t page = l->height > 1 ? l->height - 1 : 1;

	switch (key) {
	case INPUT_UP:
		list_move(l, false, 1);
		return true;
	case INPUT_DOWN:
		list_move(l, true, 1);
		return true;
	case INPUT_PAGE_UP:
		list_move(l, false, page);
		return true;
	case INPUT_PAGE_DOWN:
		list_move(l, true, page);
		return true;
	case INPUT_HOME:
		list_move(l, false, l->count);
		return true;
	case INPUT_END:
		list_move(l, true, l->count);
		return true;
	default:
		return false;
	}
}

/* --- marks --- */

struct mark {
	char *item;
	size_t len;
	bool on;
};

/* A group with marks: its items stand together, as they are looked at together. */
struct mark_group {
	char *name;
	struct vec items;	/* of struct mark; unmarked ones stay, for the next time */
	struct map *index;	/* by item: its place in them; NULL: they are few */
	size_t found;		/* the last that was asked for */
	unsigned char seed[SIPHASH_KEY];	/* for the sum: ours, and the name's hash */
};

struct marks {
	struct vec groups;	/* of struct mark_group */
	struct map *index;	/* by name: their places */
	size_t group;		/* the last that was asked for */
	size_t count;
	uint64_t sum;		/* of the hashes of those that are on */
	unsigned char seed[SIPHASH_KEY];
};

struct marks *
marks_new(void)
{
	struct marks *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	vec_init(&m->groups, sizeof(struct mark_group), MARKS_MAX);
	m->index = map_new();
	if (m->index == NULL || siphash_seed(m->seed) != 0) {
		marks_free(m);
		return NULL;
	}
	return m;
}

static struct mark_group *
marks_group_at(const struct marks *m, size_t i)
{
	return vec_at(&m->groups, i);
}

static struct mark *
mark_at(const struct mark_group *g, size_t i)
{
	return vec_at(&g->items, i);
}

void
marks_free(struct marks *m)
{
	if (m == NULL)
		return;
	map_free(m->index);
	for (size_t i = 0; i < m->groups.len; i++) {
		struct mark_group *g = marks_group_at(m, i);

		for (size_t k = 0; k < g->items.len; k++)
			free(mark_at(g, k)->item);
		vec_release(&g->items);
		map_free(g->index);
		free(g->name);
	}
	vec_release(&m->groups);
	free(m);
}

/* NULL: it has no marks.  Mostly it is the last one again. */
static struct mark_group *
marks_group(struct marks *m, const char *name)
{
	if (m->groups.len == 0)
		return NULL;
	if (strcmp(marks_group_at(m, m->group)->name, name) != 0 &&
	    !map_get(m->index, name, strlen(name), &m->group))
		return NULL;
	return marks_group_at(m, m->group);
}

/* The same, and it is made where it is not there; NULL: no memory. */
static struct mark_group *
marks_group_add(struct marks *m, const char *name)
{
	struct mark_group *g = marks_group(m, name);
	size_t len = strlen(name);
	uint64_t hash;

	if (g != NULL || (g = vec_push(&m->groups)) == NULL)
		return g;
	g->name = strdup(name);
	if (g->name == NULL || map_put(m->index, g->name, len, m->groups.len - 1) == -1) {
		free(g->name);
		m->groups.len--;
		return NULL;
	}
	vec_init(&g->items, sizeof(struct mark), MARKS_MAX);
	hash = siphash_13(m->seed, name, len);
	memcpy(g->seed, m->seed, sizeof(g->seed));
	memcpy(g->seed, &hash, sizeof(hash));
	m->group = m->groups.len - 1;
	return g;
}

static bool
mark_is(const struct mark *m, const char *item, size_t len)
{
	return m->len == len && memcmp(m->item, item, len) == 0;
}

/* NULL: it was never marked. */
static struct mark *
mark_find(struct mark_group *g, const char *item, size_t len)
{
	const size_t last = g->index != NULL ? g->found + 1 : MARKS_FEW;

	/* Who asks does so in the order of the rows: mostly it is the last one again, or the
	 * next. */
	for (size_t i = g->index != NULL ? g->found : 0; i < g->items.len && i <= last; i++)
		if (mark_is(mark_at(g, i), item, len))
			return mark_at(g, g->found = i);
	if (g->index == NULL || !map_get(g->index, item, len, &g->found))
		return NULL;
	return mark_at(g, g->found);
}

bool
marks_has(struct marks *m, const char *group, const char *item, size_t len)
{
	struct mark_group *g = m->count > 0 ? marks_group(m, group) : NULL;
	const struct mark *found = g != NULL ? mark_find(g, item, len) : NULL;

	return found != NULL && found->on;
}

/* An index of those that are there; -1: no memory. */
static int
mark_index(struct mark_group *g)
{
	int rc = 0;

	if ((g->index = map_new()) == NULL)
		return -1;
	for (size_t i = 0; rc == 0 && i < g->items.len; i++)
		rc = map_put(g->index, mark_at(g, i)->item, mark_at(g, i)->len, i);
	if (rc == 0)
		return 0;
	map_free(g->index);
	g->index = NULL;
	return -1;
}

/* One that is not there; NULL: no memory. */
static struct mark *
mark_add(struct mark_group *g, const char *item, size_t len)
{
	struct mark *mark;

	if ((g->items.len == MARKS_FEW && g->index == NULL && mark_index(g) == -1) ||
	    (mark = vec_push(&g->items)) == NULL)
		return NULL;
	mark->item = text_copy(item, len);
	mark->len = len;
	if (mark->item != NULL && (g->index == NULL ||
	    map_put(g->index, mark->item, len, g->items.len - 1) == 0)) {
		g->found = g->items.len - 1;
		return mark;
	}
	free(mark->item);
	g->items.len--;
	return NULL;
}

int
marks_set(struct marks *m, const char *group, const char *item, size_t len, bool on)
{
	struct mark_group *g = marks_group_add(m, group);
	struct mark *mark = g != NULL ? mark_find(g, item, len) : NULL;

	if (g == NULL || (mark == NULL && (mark = mark_add(g, item, len)) == NULL))
		return -1;
	if (mark->on != on) {
		mark->on = on;
		m->count += on ? 1 : (size_t)-1;
		m->sum ^= siphash_13(g->seed, item, len);
	}
	return 0;
}

void
marks_clear(struct marks *m)
{
	for (size_t i = 0; i < m->groups.len; i++)
		for (size_t k = 0; k < marks_group_at(m, i)->items.len; k++)
			mark_at(marks_group_at(m, i), k)->on = false;
	m->count = 0;
	m->sum = 0;
}

size_t
marks_count(const struct marks *m)
{
	return m->count;
}

uint64_t
marks_sum(const struct marks *m)
{
	return m->sum;
}

/* --- rows --- */

void
outline_init(struct outline *o, const struct outline_ops *ops, const void *cookie)
{
	memset(o, 0, sizeof(*o));
	o->ops = ops;
	o->cookie = cookie;
	o->folded = true;
	vec_init(&o->rows, sizeof(struct outline_row), ROWS_MAX);
}

static void
outline_forget(struct outline *o)
{
	free(o->held_group);
	free(o->held_item);
	o->held_group = o->held_item = NULL;
}

void
outline_release(struct outline *o)
{
	outline_forget(o);
	marks_free(o->folds);
	vec_release(&o->rows);
}

static size_t
outline_items(const struct outline *o, size_t group)
{
	return o->ops->items != NULL ? o->ops->items(o->cookie, group) : 0;
}

static int
outline_push(struct outline *o, size_t group, size_t item)
{
	struct outline_row *r = vec_push(&o->rows);

	if (r == NULL)
		return -1;
	r->group = group;
	r->item = item;
	return 0;
}

size_t
outline_root(const struct outline *o, size_t group)
{
	return o->ops->root != NULL ? o->ops->root(o->cookie, group) : group;
}

static bool
outline_passes_words(const struct outline *o, size_t group, size_t item)
{
	struct filter_facts facts = { .state = '\0' };

	if (o->words.count == 0 || o->ops->facts == NULL)
		return true;
	o->ops->facts(o->cookie, group, item, &facts);
	return filter_passes(&o->words, &facts);
}

static bool
outline_passes_one(const struct outline *o, size_t group, size_t item)
{
	return (o->ops->passes == NULL || o->ops->passes(o->cookie, o->filter, group, item)) &&
	    outline_passes_words(o, group, item);
}

/* With words a group is there for its items: those that have none stand for themselves. */
static bool
outline_passes_group(const struct outline *o, size_t group)
{
	size_t count = outline_items(o, group);

	if (count == 0)
		return outline_passes_one(o, group, OUTLINE_HEAD);
	for (size_t i = 0; i < count; i++)
		if (outline_passes_one(o, group, i))
			return true;
	return false;
}

bool
outline_passes(const struct outline *o, size_t group, size_t item)
{
	size_t groups;

	if (item != OUTLINE_HEAD || o->words.count == 0 || o->ops->facts == NULL)
		return outline_passes_one(o, group, item);
	if (outline_root(o, group) != group || o->ops->root == NULL)
		return outline_passes_group(o, group);
	groups = o->ops->groups(o->cookie);
	for (size_t i = group + 1; i < groups && outline_root(o, i) == group; i++)
		if (outline_passes_group(o, i))
			return true;
	return false;
}

/* --- in an order --- */

static bool
outline_is_ordered(const struct outline *o)
{
	return o->order != 0 && o->ops->compare != NULL;
}

static int
outline_compare(const void *one, const void *other, void *outline)
{
	const struct outline *o = outline;
	const struct outline_row *a = one, *b = other;
	int c = o->ops->compare(o->cookie, o->order, a, b);

	if (c != 0)
		return c;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

static void
outline_sort(const struct outline *o, struct outline_row *rows, size_t n)
{
	if (n > 1 && outline_is_ordered(o))
		qsort_r(rows, n, sizeof(*rows), outline_compare, (void *)(uintptr_t)o);
}

static int
outline_push_items(struct outline *o, size_t group)
{
	size_t count = outline_items(o, group), from = o->rows.len;

	for (size_t i = 0; i < count; i++)
		if (outline_passes(o, group, i) && outline_push(o, group, i) == -1)
			return -1;
	if (o->rows.len > from && !o->flat)
		outline_sort(o, vec_at(&o->rows, from), o->rows.len - from);
	return 0;
}

/* Append the head of a group to ${heads} (of struct outline_row), if it passes. */
static int
outline_take_head(const struct outline *o, size_t group, struct vec *heads)
{
	struct outline_row *r;

	if (!outline_passes(o, group, OUTLINE_HEAD))
		return 0;
	if ((r = vec_push(heads)) == NULL)
		return -1;
	*r = (struct outline_row){ group, OUTLINE_HEAD };
	return 0;
}

/* These groups in their order, each with what is ${below} it if it is unfolded. */
static int
outline_push_heads(struct outline *o, const struct vec *heads,
    int (*below)(struct outline *o, size_t group))
{
	int rc = 0;

	outline_sort(o, heads->items, heads->len);
	for (size_t i = 0; rc == 0 && i < heads->len; i++) {
		size_t group = ((const struct outline_row *)vec_at(heads, i))->group;

		rc = outline_push(o, group, OUTLINE_HEAD);
		if (rc == 0 && !outline_folded(o, group))
			rc = below(o, group);
	}
	return rc;
}

/* The groups below a root that pass, with their items. */
static int
outline_push_below(struct outline *o, size_t root)
{
	size_t groups = o->ops->groups(o->cookie);
	struct vec heads;
	int rc = 0;

	vec_init(&heads, sizeof(struct outline_row), ROWS_MAX);
	for (size_t i = root + 1; rc == 0 && i < groups && outline_root(o, i) == root; i++)
		rc = outline_take_head(o, i, &heads);
	if (rc == 0)
		rc = outline_push_heads(o, &heads, outline_push_items);
	vec_release(&heads);
	return rc;
}

/* The roots that pass, and what is unfolded below them. */
static int
outline_push_all(struct outline *o, size_t groups)
{
	struct vec roots;
	int rc = 0;

	vec_init(&roots, sizeof(struct outline_row), ROWS_MAX);
	for (size_t i = 0; rc == 0 && i < groups; i++)
		if (outline_root(o, i) == i)
			rc = outline_take_head(o, i, &roots);
	if (rc == 0)
		rc = outline_push_heads(o, &roots, o->ops->root != NULL ? outline_push_below :
		    outline_push_items);
	vec_release(&roots);
	return rc;
}

/* Items alone, and groups that have none. */
static int
outline_push_flat(struct outline *o, size_t groups)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < groups; i++) {
		if (outline_items(o, i) > 0)
			rc = outline_push_items(o, i);
		else if ((o->ops->root == NULL || outline_root(o, i) != i) &&
		    outline_passes(o, i, OUTLINE_HEAD))
			rc = outline_push(o, i, OUTLINE_HEAD);
	}
	outline_sort(o, o->rows.items, o->rows.len);
	return rc;
}

int
outline_build(struct outline *o)
{
	size_t groups = o->ops->groups(o->cookie);
	size_t before = o->list.count;
	int rc;

	o->rows.len = 0;
	rc = o->flat ? outline_push_flat(o, groups) : outline_push_all(o, groups);
	if (o->rows.len != before)
		o->ranging = false;
	o->list.count = o->rows.len;
	return rc;
}

const struct outline_row *
outline_row(const struct outline *o, size_t i)
{
	return vec_at(&o->rows, i);
}

const struct outline_row *
outline_at(const struct outline *o)
{
	return o->list.cursor < o->rows.len ? outline_row(o, o->list.cursor) : NULL;
}

/* The order of rows that are not sorted. */
static int
outline_order(const struct outline_row *r, size_t group, size_t item)
{
	if (r->group != group)
		return r->group < group ? -1 : 1;
	if (r->item == item)
		return 0;
	if (r->item == OUTLINE_HEAD)
		return -1;
	return item == OUTLINE_HEAD || r->item > item ? 1 : -1;
}

static size_t
outline_find_exactly(const struct outline *o, size_t group, size_t item)
{
	size_t from = 0, to = o->rows.len, mid;
	int c;

	if (outline_is_ordered(o)) {
		while (from < to && outline_order(outline_row(o, from), group, item) != 0)
			from++;
		return from;
	}
	while (from < to) {
		mid = from + (to - from) / 2;
		c = outline_order(outline_row(o, mid), group, item);
		if (c == 0)
			return mid;
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return o->rows.len;
}

size_t
outline_find(const struct outline *o, size_t group, size_t item)
{
	size_t row = outline_find_exactly(o, group, item);

	if (row == o->rows.len && item != OUTLINE_HEAD)
		row = outline_find_exactly(o, group, OUTLINE_HEAD);
	if (row == o->rows.len && !o->flat)
		row = outline_find_exactly(o, outline_root(o, group), OUTLINE_HEAD);
	/* A flat list has no groups: the first of its items that is shown. */
	for (size_t i = 0; o->flat && row == o->rows.len && i < o->rows.len; i++)
		if (outline_row(o, i)->group == group)
			row = i;
	return row;
}

/* --- what the cursor is on --- */

void
outline_hold_id(struct outline *o, const struct outline_id *group, const struct outline_id *item)
{
	outline_forget(o);
	o->held_group = text_copy(group->bytes, group->len);
	o->held_group_len = group->len;
	if (item == NULL)
		return;
	o->held_item = text_copy(item->bytes, item->len);
	o->held_item_len = item->len;
	o->held_place = item->place;
}

void
outline_hold(struct outline *o)
{
	const struct outline_row *row = outline_at(o);
	struct outline_id group, item;

	if (row == NULL)
		return;
	group = o->ops->id(o->cookie, row->group, OUTLINE_HEAD);
	if (row->item != OUTLINE_HEAD)
		item = o->ops->id(o->cookie, row->group, row->item);
	outline_hold_id(o, &group, row->item != OUTLINE_HEAD ? &item : NULL);
}

/* The item of the held name: at the held place, else the first of that name.
 * When it is gone, what stands there now. */
static size_t
outline_held_item(const struct outline *o, size_t group)
{
	size_t count = o->held_item != NULL ? outline_items(o, group) : 0;
	size_t same = OUTLINE_HEAD, near = OUTLINE_HEAD;
	struct outline_id id;
	size_t near_place = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		id = o->ops->id(o->cookie, group, i);
		/* Places ascend. */
		if (id.place != 0 && (near == OUTLINE_HEAD || near_place < o->held_place)) {
			near = i;
			near_place = id.place;
		}
		if (id.len != o->held_item_len || memcmp(id.bytes, o->held_item, id.len) != 0)
			continue;
		if (same == OUTLINE_HEAD || id.place == o->held_place)
			same = i;
	}
	return same != OUTLINE_HEAD ? same : near;
}

bool
outline_restore(struct outline *o)
{
	size_t groups = o->held_group != NULL ? o->ops->groups(o->cookie) : 0;
	struct outline_id id;
	size_t row, i;

	for (i = 0; i < groups; i++) {
		id = o->ops->id(o->cookie, i, OUTLINE_HEAD);
		if (id.len == o->held_group_len && memcmp(id.bytes, o->held_group, id.len) == 0)
			break;
	}
	row = i < groups ? outline_find(o, i, outline_held_item(o, i)) : o->rows.len;
	if (row < o->rows.len)
		o->list.cursor = row;
	list_fit(&o->list, o->rows.len, o->list.height);
	return row < o->rows.len;
}

/* --- folding --- */

bool
outline_folded(const struct outline *o, size_t group)
{
	struct mark_group *g = o->folds == NULL ? NULL :
	    marks_group(o->folds, o->ops->id(o->cookie, group, OUTLINE_HEAD).bytes);
	const struct mark *m = g != NULL ? mark_find(g, "", 0) : NULL;

	if (m != NULL)
		return m->on;
	return o->ops->root != NULL && outline_root(o, group) == group ? o->roots_folded :
	    o->folded;
}

int
outline_fold(struct outline *o, size_t group, bool fold)
{
	if (o->folds == NULL && (o->folds = marks_new()) == NULL)
		return -1;
	return marks_set(o->folds, o->ops->id(o->cookie, group, OUTLINE_HEAD).bytes, "", 0, fold);
}

void
outline_fold_all(struct outline *o, bool fold)
{
	marks_free(o->folds);
	o->folds = NULL;
	o->folded = fold;
	o->roots_folded = false;
}

/* --- ranges and searching --- */

bool
outline_in_range(const struct outline *o, size_t row)
{
	if (!o->ranging)
		return false;
	return row >= o->range_from ? row <= o->list.cursor : row >= o->list.cursor;
}

bool
outline_matches(const struct outline *o, size_t group, size_t item, const char *needle)
{
	struct outline_id text = o->ops->text != NULL ? o->ops->text(o->cookie, group, item) :
	    o->ops->id(o->cookie, group, item);

	return needle[0] != '\0' && text_contains_nocase(text.bytes, text.len, needle);
}

/* What is looked for: a text in lower case, or one of some states. */
struct sought {
	const char *needle;	/* NULL: a state */
	const char *states;
};

static bool
outline_is(const struct outline *o, size_t group, size_t item, const struct sought *s)
{
	struct filter_facts facts = { .state = '\0' };

	if (s->needle != NULL)
		return outline_matches(o, group, item, s->needle);
	o->ops->facts(o->cookie, group, item, &facts);
	return facts.state != '\0' && strchr(s->states, facts.state) != NULL;
}

/* Is an item of the group looked for that the filter lets through? */
static bool
outline_has(const struct outline *o, size_t group, const struct sought *s)
{
	size_t count = outline_items(o, group);
	size_t i;

	for (i = 0; i < count; i++)
		if (outline_passes(o, group, i) && outline_is(o, group, i, s))
			return true;
	return false;
}

/* Does a folded group hide something that is looked for? */
static bool
outline_hides(const struct outline *o, size_t row, const struct sought *s)
{
	size_t group = outline_row(o, row)->group;
	size_t groups = o->ops->groups(o->cookie);
	size_t i;

	if (outline_row(o, row)->item != OUTLINE_HEAD || o->flat || !outline_folded(o, group))
		return false;
	if (outline_has(o, group, s))
		return true;
	for (i = group + 1; i < groups && outline_root(o, i) == group; i++)
		if (outline_passes(o, i, OUTLINE_HEAD) &&
		    (outline_is(o, i, OUTLINE_HEAD, s) || outline_has(o, i, s)))
			return true;
	return false;
}

static bool
outline_seek(struct outline *o, const struct sought *s, size_t from, bool back)
{
	const struct outline_row *row;
	size_t step, i;

	for (step = 0; step < o->rows.len; step++) {
		i = (back ? from + o->rows.len - step : from + step) % o->rows.len;
		row = outline_row(o, i);
		if (outline_is(o, row->group, row->item, s)) {
			list_go(&o->list, i);
			return true;
		}
		if (back || !outline_hides(o, i, s))
			continue;
		if (outline_fold(o, row->group, false) == -1 || outline_build(o) == -1)
			return false;
		(void)outline_restore(o);
		/* Its items follow. */
		from = i;
		step = 0;
	}
	return false;
}

bool
outline_search(struct outline *o, const char *needle, size_t from, bool back)
{
	const struct sought s = { .needle = needle };

	return outline_seek(o, &s, from, back);
}

bool
outline_next_problem(struct outline *o, bool back)
{
	const struct sought s = { .states = o->ops->problems };
	size_t n = o->list.count;

	return n > 0 && outline_seek(o, &s, (o->list.cursor + (back ? n - 1 : 1)) % n, back);
}

static size_t
outline_count_items(const struct outline *o, size_t group, const char *needle)
{
	size_t count = outline_items(o, group), n = 0;

	for (size_t i = 0; i < count; i++)
		n += outline_matches(o, group, i, needle) && outline_passes(o, group, i);
	return n;
}

/* What matches in a folded group, or below a folded root. */
static size_t
outline_count_hidden(const struct outline *o, const struct outline_row *r, const char *needle)
{
	size_t groups = o->ops->groups(o->cookie), n;

	if (r->item != OUTLINE_HEAD || o->flat || !outline_folded(o, r->group))
		return 0;
	n = outline_count_items(o, r->group, needle);
	for (size_t i = r->group + 1; i < groups && outline_root(o, i) == r->group; i++)
		if (outline_passes(o, i, OUTLINE_HEAD))
			n += outline_matches(o, i, OUTLINE_HEAD, needle) +
			    outline_count_items(o, i, needle);
	return n;
}

size_t
outline_count(const struct outline *o, const char *needle, size_t *at)
{
	size_t n = 0;

	*at = 0;
	for (size_t i = 0; i < o->rows.len; i++) {
		const struct outline_row *r = outline_row(o, i);
		bool matches = outline_matches(o, r->group, r->item, needle);

		n += matches;
		if (matches && i == o->list.cursor)
			*at = n;
		n += outline_count_hidden(o, r, needle);
	}
	return n;
}

struct outline *
panes_active(struct panes *p)
{
	return p->right_active ? &p->right : &p->left;
}
