#include "document/splices.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"

/*
 * Raw offsets are found from the nearest place that is known, so that a
 * thousand cuts into a large value do not walk it a thousand times.
 */
#define STEP 1024

struct group {
	struct vec order;	/* uint32_t, numbers of splices */
	struct vec places;	/* struct document_place, STEP decoded bytes apart */
	bool whole;		/* they reach the end of the value */
};

struct splices {
	struct vec all;		/* struct splice */
	struct vec groups;	/* struct group */
};

struct splices *
splices_new(void)
{
	struct splices *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	vec_init(&s->all, sizeof(struct splice), DOCUMENT_MAX_ENTRIES);
	vec_init(&s->groups, sizeof(struct group), DOCUMENT_MAX_ENTRIES);
	return s;
}

static struct group *
group_at(const struct splices *s, size_t i)
{
	return vec_at(&s->groups, i);
}

void
splices_free(struct splices *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->groups.len; i++) {
		vec_release(&group_at(s, i)->order);
		vec_release(&group_at(s, i)->places);
	}
	vec_release(&s->groups);
	vec_release(&s->all);
	free(s);
}

struct splice *
splices_at(const struct splices *s, uint32_t number)
{
	return vec_at(&s->all, number);
}

const uint32_t *
splices_of(const struct splices *s, uint32_t group, size_t *n)
{
	*n = group_at(s, group)->order.len;
	return group_at(s, group)->order.items;
}

static int
add_place(struct group *g, struct document_place place, struct error *err)
{
	struct document_place *kept = vec_push(&g->places);

	if (kept == NULL)
		return error_memory(err);
	*kept = place;
	return 0;
}

/* Have places up to ${decoded}, or up to the end of the value. */
static int
extend(struct group *g, const struct document *d, const struct document_entry *x,
    size_t decoded, struct error *err)
{
	struct document_place last, next;

	if (g->places.len == 0 &&
	    add_place(g, (struct document_place){ .raw = x->value }, err) == -1)
		return -1;
	last = *(struct document_place *)vec_at(&g->places, g->places.len - 1);
	while (!g->whole && decoded >= last.decoded + STEP) {
		next = last;
		d->ops->seek(d, x, &next, last.decoded + STEP);
		g->whole = next.decoded == last.decoded;
		if (!g->whole && add_place(g, next, err) == -1)
			return -1;
		last = next;
	}
	return 0;
}

/* The last place that is not behind ${decoded}. */
static struct document_place
nearest(const struct group *g, size_t decoded)
{
	const struct document_place *places = g->places.items;
	size_t low = 0;
	size_t high = g->places.len;
	size_t middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (places[middle].decoded <= decoded)
			low = middle;
		else
			high = middle;
	}
	return places[low];
}

static int
locate(struct group *g, const struct document *d, const struct document_entry *x,
    size_t decoded, uint32_t *raw, struct error *err)
{
	struct document_place place, further;

	if (extend(g, d, x, decoded, err) == -1)
		return -1;
	place = nearest(g, decoded);
	d->ops->seek(d, x, &place, decoded);
	if (place.decoded == decoded) {
		*raw = place.raw;
		return 0;
	}
	further = place;
	d->ops->seek(d, x, &further, decoded + STEP);
	if (further.decoded > place.decoded)
		error_set(err, ERROR_REFUSED, "a cut inside an escape");
	else
		error_set(err, ERROR_USAGE, "a cut behind the end of the value");
	return error_place(err, document_file(d), x->line);
}

/*
 * Where in the order it goes.  What is inserted comes before what is cut out
 * from the same place on, and behind what was inserted there earlier.
 */
static size_t
position(const struct splices *s, const struct group *g, size_t from)
{
	const uint32_t *order = g->order.items;
	const struct splice *x;
	size_t low = 0;
	size_t high = g->order.len;
	size_t middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		x = splices_at(s, order[middle]);
		if (x->from > from || (x->from == from && x->to > from))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int
overlap(const struct document *d, uint32_t entry, struct error *err)
{
	error_set(err, ERROR_REFUSED, "two changes to one piece of the value");
	return error_place(err, document_file(d), document_line(d, entry));
}

/* 1: the cut is there already, as ${*number}. */
static int
check_room(const struct splices *s, const struct group *g, const struct document *d,
    const struct splice *made, size_t at, uint32_t *number, struct error *err)
{
	const uint32_t *order = g->order.items;
	const struct splice *x;

	if (at > 0 && splices_at(s, order[at - 1])->to > made->from)
		return overlap(d, made->entry, err);
	if (at == g->order.len)
		return 0;
	x = splices_at(s, order[at]);
	if (x->from == made->from && x->to == made->to) {
		*number = order[at];
		return 1;
	}
	return x->from < made->to ? overlap(d, made->entry, err) : 0;
}

/* Make it the last of all, and give it its place in the group. */
static uint32_t
keep(struct splices *s, struct group *g, const struct splice *made, size_t at,
    struct error *err)
{
	struct splice *kept;
	uint32_t *order;

	if (g->order.len == g->order.max || s->all.len == s->all.max) {
		error_set(err, ERROR_LIMIT, "more than %zu changes to one value", g->order.max);
		return SPLICES_NONE;
	}
	if (vec_push(&g->order) == NULL) {
		error_memory(err);
		return SPLICES_NONE;
	}
	kept = vec_push(&s->all);
	if (kept == NULL) {
		g->order.len--;
		error_memory(err);
		return SPLICES_NONE;
	}
	*kept = *made;
	order = g->order.items;
	memmove(order + at + 1, order + at, (g->order.len - 1 - at) * sizeof(*order));
	order[at] = (uint32_t)s->all.len - 1;
	return order[at];
}

static struct group *
new_group(struct splices *s, struct error *err)
{
	struct group *g = vec_push(&s->groups);

	if (g == NULL) {
		error_memory(err);
		return NULL;
	}
	vec_init(&g->order, sizeof(uint32_t), SPLICES_MAX);
	vec_init(&g->places, sizeof(struct document_place), BUF_MAX_FILE / STEP + 2);
	return g;
}

uint32_t
splices_add(struct splices *s, const struct document *d, uint32_t entry, uint32_t first,
    size_t from, size_t to, bool *again, struct error *err)
{
	const struct document_entry *x = document_entry(d, entry);
	struct splice made = { .entry = entry, .from = (uint32_t)from, .to = (uint32_t)to };
	struct group *g;
	uint32_t number = SPLICES_NONE;
	size_t at;
	int found;

	*again = false;
	if (from > to || to > BUF_MAX_FILE) {
		error_set(err, ERROR_USAGE, "a cut behind the end of the value");
		return SPLICES_NONE;
	}
	if (d->ops->seek == NULL) {
		error_set(err, ERROR_REFUSED, "parts of a value cannot be changed in this format");
		error_place(err, document_file(d), x->line);
		return SPLICES_NONE;
	}
	if (first == SPLICES_NONE) {
		made.group = (uint32_t)s->groups.len;
		g = new_group(s, err);
		if (g == NULL)
			return SPLICES_NONE;
	} else {
		made.group = splices_at(s, first)->group;
		g = group_at(s, made.group);
	}
	if (locate(g, d, x, from, &made.raw_from, err) == -1 ||
	    locate(g, d, x, to, &made.raw_to, err) == -1)
		return SPLICES_NONE;
	at = position(s, g, from);
	found = check_room(s, g, d, &made, at, &number, err);
	*again = found == 1;
	if (found == -1)
		return SPLICES_NONE;
	return found == 1 ? number : keep(s, g, &made, at, err);
}
