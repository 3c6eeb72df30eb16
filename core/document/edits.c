#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"

/* Of one value; finding a place for one more takes longer the more there are. */
#define SPLICES_MAX ((size_t)1 << 16)

/**
 * splices_add(s, d, entry, first, from, to, again, err):
 * A new splice of ${entry}, to be found as the last; ${first} is another of
 * the entry, or SPLICES_NONE.  The number of the splice, ${*again} set if
 * exactly this cut was there before; SPLICES_NONE: ERROR_REFUSED for a cut
 * across another, or inside an escape, ERROR_USAGE behind the end of the
 * value, ERROR_LIMIT, ERROR_MEMORY.
 */
#define SPLICES_NONE UINT32_MAX

/*
 * Raw offsets are found from the nearest place that is known, so that a
 * thousand cuts into a large value do not walk it a thousand times.
 */
#define STEP 1024

/* What a few references take, so that they are not copied four times while it grows. */
#define FIRST_TEXT 512

/*
 * Where the values of a document's entries are to be cut: decoded offsets as
 * they were asked for, and the raw offsets that they stand for.  No bytes of
 * a value are kept.
 */

struct splice {
	uint32_t entry;
	uint32_t group;		/* of all splices of the entry */
	uint32_t from, to;	/* in the decoded value */
	uint32_t raw_from, raw_to;	/* in the document's bytes */
	uint32_t change;	/* what takes the place */
	uint32_t label, label_len;
};

struct group {
	struct vec order;	/* uint32_t, numbers of splices */
	struct vec places;	/* struct document_place, STEP decoded bytes apart */
	bool whole;		/* they reach the end of the value */
};

struct splices {
	struct vec all;		/* struct splice */
	struct vec groups;	/* struct group */
};

static struct splices *
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

static void
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

static struct splice *
splices_at(const struct splices *s, uint32_t number)
{
	return vec_at(&s->all, number);
}

/* The numbers of a group's splices, in the order of the value. */
static const uint32_t *
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
extend(struct group *g, const struct document *d, const struct document_entry *x, size_t decoded,
    struct error *err)
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
splices_locate(struct group *g, const struct document *d, const struct document_entry *x,
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
splices_keep(struct splices *s, struct group *g, const struct splice *made, size_t at,
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

static uint32_t
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
	if (splices_locate(g, d, x, from, &made.raw_from, err) == -1 ||
	    splices_locate(g, d, x, to, &made.raw_to, err) == -1)
		return SPLICES_NONE;
	at = position(s, g, from);
	found = check_room(s, g, d, &made, at, &number, err);
	*again = found == 1;
	if (found == -1)
		return SPLICES_NONE;
	return found == 1 ? number : splices_keep(s, g, &made, at, err);
}

struct edits *
edits_new(const struct document *d, bool secret, struct error *err)
{
	struct edits *e = error_alloc(sizeof(*e), err);

	if (e == NULL)
		return NULL;
	e->d = d;
	vec_init(&e->changes, sizeof(struct change), EDITS_MAX_CHANGES);
	if (secret) {
		buf_init_secret(&e->text, EDITS_MAX_TEXT);
	} else {
		buf_init(&e->text, EDITS_MAX_TEXT);
		(void)buf_reserve(&e->text, FIRST_TEXT);
	}
	return e;
}

void
edits_clear(struct edits *e)
{
	vec_release(&e->changes);
	buf_release(&e->text);
	free(e->by_entry);
	e->by_entry = NULL;
	splices_free(e->splices);
	e->splices = NULL;
	key_index_release(&e->index);
	e->inserts = e->indexed = 0;
}

void
edits_free(struct edits *e)
{
	if (e == NULL)
		return;
	edits_clear(e);
	free(e);
}

const struct document *
edits_document(const struct edits *e)
{
	return e->d;
}

struct change *
edits_change_at(const struct edits *e, size_t i)
{
	return vec_at(&e->changes, i);
}

static int
edits_check_room(const struct edits *e, size_t key_len, size_t value_len, struct error *err)
{
	size_t room = EDITS_MAX_TEXT - e->text.len;

	if (key_len > room || value_len > room - key_len)
		return error_set(err, ERROR_LIMIT, "the changes to %s are larger than %zu bytes",
		    document_file(e->d), EDITS_MAX_TEXT);
	return 0;
}

static int
edits_keep_text(struct edits *e, const void *bytes, size_t n, uint32_t *at, uint32_t *len,
    struct error *err)
{
	*at = (uint32_t)e->text.len;
	*len = (uint32_t)n;
	buf_append(&e->text, bytes, n);
	return buf_check(&e->text, err);
}

/* Make sure first: a buffer that has once failed takes nothing more. */
static struct change *
edits_new_change(struct edits *e, struct error *err)
{
	const struct document_ops *ops = e->d->ops;
	struct change *c;

	if (ops->render == NULL && ops->render_change == NULL) {
		error_set(err, ERROR_REFUSED,
		    "files of this format (%s) are read, but never changed", e->d->format->ending);
		error_place(err, e->d->file, 0);
		error_hint(err, "change it with an editor");
		return NULL;
	}
	c = vec_push(&e->changes);
	if (c != NULL)
		return c;
	if (e->changes.len == EDITS_MAX_CHANGES)
		error_set(err, ERROR_LIMIT, "more than %zu changes", EDITS_MAX_CHANGES);
	else
		error_memory(err);
	return NULL;
}

static int
edits_refuse_both(const struct edits *e, size_t i, struct error *err)
{
	error_set(err, ERROR_REFUSED, "the whole value and a part of it are to be changed");
	return error_place(err, document_file(e->d), document_line(e->d, i));
}

struct change *
edits_change_of(const struct edits *e, size_t i)
{
	if (e->by_entry == NULL || e->by_entry[i] == 0)
		return NULL;
	return edits_change_at(e, e->by_entry[i] - 1);
}

static int
edits_index(struct edits *e, struct error *err)
{
	if (e->by_entry == NULL)
		e->by_entry = calloc(document_numbers(e->d), sizeof(*e->by_entry));
	return e->by_entry == NULL ? error_memory(err) : 0;
}

/* Put the change to entry ${made->entry} in the place of an older one, or last. */
static int
change_entry(struct edits *e, const struct change *made, struct error *err)
{
	struct change *c;

	if (edits_index(e, err) == -1)
		return -1;
	c = edits_change_of(e, made->entry);
	if (c != NULL && c->kind == EDIT_SPLICE)
		return edits_refuse_both(e, made->entry, err);
	if (c != NULL) {
		*c = *made;
		return 0;
	}
	c = edits_new_change(e, err);
	if (c == NULL)
		return -1;
	*c = *made;
	e->by_entry[made->entry] = (uint32_t)e->changes.len;
	return 0;
}

static int
edits_check_entry(const struct edits *e, size_t i, struct error *err)
{
	if (i < document_numbers(e->d))
		return 0;
	return error_set(err, ERROR_USAGE, "%s has no entry %zu", document_file(e->d), i);
}

/* Does the format have an objection? */
static int
check_change(const struct edits *e, enum edit_kind kind, size_t entry, const char *key,
    size_t key_len, struct error *err)
{
	struct edit c = { .kind = kind, .entry = entry, .key = key, .key_len = key_len };

	return e->d->ops->check == NULL ? 0 : e->d->ops->check(e, &c, err);
}

int
edits_set(struct edits *e, size_t i, const void *value, size_t n, struct error *err)
{
	struct change c = { .kind = EDIT_SET, .entry = (uint32_t)i };

	if (edits_check_entry(e, i, err) == -1 || edits_check_room(e, 0, n, err) == -1 ||
	    edits_keep_text(e, value, n, &c.value, &c.value_len, err) == -1)
		return -1;
	return change_entry(e, &c, err);
}

/* Keep an insertion, whose texts are kept. */
static int
keep_insertion(struct edits *e, const struct change *made, struct error *err)
{
	struct change *c = edits_new_change(e, err);

	if (c == NULL)
		return -1;
	*c = *made;
	e->inserts++;
	return 0;
}

/* May it be inserted, as far as can be told? */
static int
check_insertion(const struct edits *e, size_t after, const char *key, size_t klen,
    struct error *err)
{
	/* Behind what the format's reader stumbles over nothing would be read. */
	if (after == DOCUMENT_NONE && document_problem(e->d, err) == -1)
		return -1;
	if (after != DOCUMENT_NONE && edits_check_entry(e, after, err) == -1)
		return -1;
	return check_change(e, EDIT_INSERT, after, key, klen, err);
}

int
edits_insert(struct edits *e, size_t after, const char *key, size_t klen, const void *value,
    size_t n, struct error *err)
{
	struct change made = { .kind = EDIT_INSERT, .at_end = after == DOCUMENT_NONE };

	if (check_insertion(e, after, key, klen, err) == -1 ||
	    edits_check_room(e, klen, n, err) == -1 ||
	    edits_keep_text(e, key, klen, &made.key, &made.key_len, err) == -1 ||
	    edits_keep_text(e, value, n, &made.value, &made.value_len, err) == -1)
		return -1;
	made.entry = (uint32_t)(made.at_end ? document_numbers(e->d) : after);
	return keep_insertion(e, &made, err);
}

int
edits_insert_two(struct edits *e, const char *key, size_t klen, const void *value, size_t n,
    const char *head, const void *other, size_t m, struct error *err)
{
	struct change first = { .kind = EDIT_INSERT, .at_end = true,
		.entry = (uint32_t)document_numbers(e->d) }, second = first;
	uint32_t head_len;

	if (check_insertion(e, DOCUMENT_NONE, key, klen, err) == -1 ||
	    edits_check_room(e, strlen(head) + klen, n, err) == -1 ||
	    edits_check_room(e, strlen(head) + klen + n, m, err) == -1 ||
	    edits_keep_text(e, head, strlen(head), &second.key, &head_len, err) == -1 ||
	    edits_keep_text(e, key, klen, &first.key, &first.key_len, err) == -1 ||
	    edits_keep_text(e, value, n, &first.value, &first.value_len, err) == -1 ||
	    edits_keep_text(e, other, m, &second.value, &second.value_len, err) == -1)
		return -1;
	second.key_len = head_len + first.key_len;
	second.beside = true;
	return keep_insertion(e, &first, err) == -1 ? -1 : keep_insertion(e, &second, err);
}

int
edits_remove(struct edits *e, size_t i, struct error *err)
{
	struct change c = { .kind = EDIT_REMOVE, .entry = (uint32_t)i };

	if (edits_check_entry(e, i, err) == -1 ||
	    check_change(e, EDIT_REMOVE, i, NULL, 0, err) == -1)
		return -1;
	return change_entry(e, &c, err);
}

size_t
edits_count(const struct edits *e)
{
	return e->changes.len;
}

static const char *
edits_text_at(const struct edits *e, uint32_t at)
{
	return e->text.data == NULL ? "" : (const char *)e->text.data + at;
}

struct edit
edits_at(const struct edits *e, size_t i)
{
	const struct change *c = edits_change_at(e, i);
	struct edit edit = { .kind = c->kind, .entry = c->entry };

	if (c->at_end)
		edit.entry = DOCUMENT_NONE;
	else
		edit.line = document_line(e->d, c->entry);
	if (c->kind == EDIT_INSERT) {
		edit.key = edits_text_at(e, c->key);
		edit.key_len = c->key_len;
	} else {
		edit.key = document_key(e->d, c->entry, &edit.key_len);
	}
	if (c->kind != EDIT_REMOVE) {
		edit.value = edits_text_at(e, c->value);
		edit.value_len = c->value_len;
	}
	if (c->kind == EDIT_SPLICE) {
		const struct splice *x = splices_at(e->splices, c->key);

		edit.from = x->from;
		edit.to = x->to;
		edit.label = x->label_len > 0 ? edits_text_at(e, x->label) : NULL;
		edit.label_len = x->label_len;
	}
	return edit;
}

static bool
insertion_is(const void *edits, size_t number, const char *key, size_t n)
{
	const struct change *c = edits_change_at(edits, number);

	return c->key_len == n && (n == 0 || memcmp(edits_text_at(edits, c->key), key, n) == 0);
}

/* Have all insertions in the index. */
static int
index_insertions(struct edits *e, struct error *err)
{
	size_t count = e->changes.len, len;
	uint32_t *slot, hash;
	const char *key;

	if (count > e->room || e->index.slots == NULL) {
		key_index_release(&e->index);
		e->indexed = 0;
		e->room = 4 * count;
		if (key_index_make(&e->index, e->room) == -1) {
			key_index_release(&e->index);
			return error_memory(err);
		}
	}
	for (; e->indexed < count; e->indexed++) {
		const struct change *c = edits_change_at(e, e->indexed);

		if (c->kind != EDIT_INSERT || c->beside)
			continue;
		key = edits_text_at(e, c->key);
		len = c->key_len;
		slot = key_index_slot(&e->index, key, len, insertion_is, e, &hash);
		key_index_put(slot, e->indexed, hash);
	}
	return 0;
}

int
edits_find(struct edits *e, const char *key, size_t klen, size_t *change, struct error *err)
{
	const uint32_t *slot;
	uint32_t hash;
	size_t i;

	*change = DOCUMENT_NONE;
	if (e->inserts > 0) {
		if (index_insertions(e, err) == -1)
			return -1;
		slot = key_index_slot(&e->index, key, klen, insertion_is, e, &hash);
		if (*slot != 0) {
			*change = key_index_number(&e->index, slot);
			return 0;
		}
	}
	if (e->by_entry == NULL)
		return 0;
	i = document_find(e->d, key, klen);
	if (i != DOCUMENT_NONE && e->by_entry[i] != 0)
		*change = e->by_entry[i] - 1;
	return 0;
}

void
document_render_upto(struct document_render *r, size_t offset)
{
	if (offset > r->done)
		buf_append(r->out, r->d->bytes.data + r->done, offset - r->done);
	document_render_skip(r, offset);
}

void
document_render_skip(struct document_render *r, size_t offset)
{
	if (offset > r->done)
		r->done = offset;
}

/*
 * Where a change belongs: by entry, what is inserted behind one after the
 * change to it, in the order of the calls.  Behind a last entry that ends
 * with the file is the end of the file, the same place for both ways to ask.
 */
static uint64_t
edits_rank(const struct edits *e, size_t i)
{
	const struct change *c = edits_change_at(e, i);
	size_t count = document_count(e->d);
	uint64_t entry = c->entry;
	uint64_t insert = c->kind == EDIT_INSERT ? 1 : 0;

	if (insert == 1 && entry + 1 == count &&
	    document_end(e->d, document_entry(e->d, entry)) == document_bytes(e->d)->len)
		entry = count;
	return (entry << 1 | insert) << 32 | i;
}

static int
compare_ranks(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The changes as they come in the file; their numbers are the lower halves.  NULL: in the order
 * in which they were made. */
static int
edits_sort(const struct edits *e, uint64_t **ranks, struct error *err)
{
	size_t n = e->changes.len, i;

	*ranks = NULL;
	for (i = 1; i < n && edits_rank(e, i - 1) < edits_rank(e, i); i++)
		;
	if (i >= n)
		return 0;
	if ((*ranks = malloc(n * sizeof(**ranks))) == NULL)
		return error_memory(err);
	for (i = 0; i < n; i++)
		(*ranks)[i] = edits_rank(e, i);
	qsort(*ranks, n, sizeof(**ranks), compare_ranks);
	return 0;
}

/* A format that looks at what it has written. */
static int
render_whole(const struct edits *e, struct buf *out, struct error *err)
{
	struct buf all;
	int rc;

	if (out->drain == NULL)
		return e->d->ops->render(e, out, err);
	buf_init_secret(&all, BUF_MAX_FILE);
	rc = e->d->ops->render(e, &all, err);
	if (rc == 0)
		buf_append(out, all.data, all.len);
	buf_release(&all);
	return rc == 0 ? buf_check(out, err) : -1;
}

int
edits_render(const struct edits *e, struct buf *out, struct error *err)
{
	struct document_render r = { .d = e->d, .out = out };
	const struct document_ops *ops = e->d->ops;
	size_t size = document_bytes(e->d)->len;
	size_t guess = size + e->text.len + 8 * e->changes.len;
	uint64_t *ranks = NULL;
	const struct change *c;
	struct edit edit;
	int result = 0;
	size_t i, k;

	if (buf_check(&e->text, err) == -1 || buf_check(out, err) == -1)
		return -1;
	if (ops->render != NULL && e->changes.len > 0)
		return render_whole(e, out, err);
	if (e->changes.len > 0) {
		if (edits_sort(e, &ranks, err) == -1)
			return -1;
		ops->render_begin(&r);
	}
	/* At once rather than by doubling. */
	if (out->drain == NULL && guess <= out->max - out->len)
		(void)buf_reserve(out, guess);
	for (k = 0; k < e->changes.len && result == 0; k++) {
		i = ranks != NULL ? ranks[k] & UINT32_MAX : k;
		c = edits_change_at(e, i);
		if (c->kind == EDIT_SPLICE) {
			/* The first stands for all of its value. */
			if (c == edits_change_of(e, c->entry))
				result = edits_render_splices(e, c, &r, err);
			continue;
		}
		edit = edits_at(e, i);
		ops->render_change(&r, &edit);
	}
	free(ranks);
	document_render_upto(&r, size);
	return result == -1 ? -1 : buf_check(out, err);
}

/* Note the new cut ${number}, or put the text into the place of an older one. */
static void
keep_splice(struct edits *e, struct change *made, uint32_t number, bool again)
{
	struct splice *x = splices_at(e->splices, number);
	size_t last = e->changes.len - 1;

	made->key = number;
	if (again) {
		*edits_change_at(e, x->change) = *made;
		e->changes.len--;
		return;
	}
	*edits_change_at(e, last) = *made;
	x->change = (uint32_t)last;
	if (edits_change_of(e, made->entry) == NULL)
		e->by_entry[made->entry] = (uint32_t)last + 1;
}

int
edits_splice(struct edits *e, size_t i, size_t from, size_t to, const void *text, size_t n,
    const char *label, struct error *err)
{
	struct change made = { .kind = EDIT_SPLICE, .entry = (uint32_t)i };
	size_t label_len = label != NULL ? strlen(label) : 0;
	uint32_t number, first = SPLICES_NONE;
	const struct change *c;
	uint32_t label_at, label_n;
	bool again;

	if (edits_check_entry(e, i, err) == -1 || edits_index(e, err) == -1 ||
	    edits_check_room(e, label_len, n, err) == -1)
		return -1;
	c = edits_change_of(e, i);
	if (c != NULL && c->kind != EDIT_SPLICE)
		return edits_refuse_both(e, i, err);
	if (c != NULL)
		first = c->key;
	if (e->splices == NULL)
		e->splices = splices_new();
	if (e->splices == NULL)
		return error_memory(err);
	/* All that can fail comes before the cut, which cannot be taken back. */
	if (edits_keep_text(e, text, n, &made.value, &made.value_len, err) == -1 ||
	    edits_keep_text(e, label, label_len, &label_at, &label_n, err) == -1 ||
	    edits_new_change(e, err) == NULL)
		return -1;
	number = splices_add(e->splices, e->d, made.entry, first, from, to, &again, err);
	if (number == SPLICES_NONE) {
		e->changes.len--;
		return -1;
	}
	splices_at(e->splices, number)->label = label_at;
	splices_at(e->splices, number)->label_len = label_n;
	keep_splice(e, &made, number, again);
	return 0;
}

static const struct change *
change_of_splice(const struct edits *e, uint32_t number)
{
	return edits_change_at(e, splices_at(e->splices, number)->change);
}

static int
append_spliced(const struct edits *e, const struct change *first, struct buf *out,
    struct error *err)
{
	const unsigned char *bytes;
	size_t done = 0;
	struct buf old;
	const uint32_t *order;
	const struct change *c;
	const struct splice *x;
	size_t i, n;
	int result = -1;

	buf_init_secret(&old, BUF_MAX_FILE);
	if (document_value(e->d, first->entry, &old, err) == -1)
		goto done;
	bytes = old.len > 0 ? old.data : (const unsigned char *)"";
	order = splices_of(e->splices, splices_at(e->splices, first->key)->group, &n);
	for (i = 0; i < n; i++) {
		x = splices_at(e->splices, order[i]);
		c = change_of_splice(e, order[i]);
		buf_append(out, bytes + done, x->from - done);
		buf_append(out, edits_text_at(e, c->value), c->value_len);
		done = x->to;
	}
	buf_append(out, bytes + done, old.len - done);
	result = buf_check(out, err);
done:
	buf_release(&old);
	return result;
}

int
edits_value(const struct edits *e, size_t i, struct buf *out, struct error *err)
{
	const struct change *c;

	if (edits_check_entry(e, i, err) == -1)
		return -1;
	c = edits_change_of(e, i);
	if (c == NULL)
		return document_value(e->d, i, out, err);
	switch (c->kind) {
	case EDIT_SPLICE:
		return append_spliced(e, c, out, err);
	case EDIT_SET:
		buf_append(out, edits_text_at(e, c->value), c->value_len);
		return buf_check(out, err);
	case EDIT_REMOVE:
	case EDIT_INSERT:
		break;
	}
	error_set(err, ERROR_MISSING, "the entry is to be removed");
	return error_place(err, document_file(e->d), document_line(e->d, i));
}

int
edits_render_splices(const struct edits *e, const struct change *first, struct document_render *r,
    struct error *err)
{
	struct document_splice *splices;
	const struct change *c;
	const struct splice *x;
	const uint32_t *order;
	size_t i, n;

	order = splices_of(e->splices, splices_at(e->splices, first->key)->group, &n);
	splices = calloc(n, sizeof(*splices));
	if (splices == NULL)
		return error_memory(err);
	for (i = 0; i < n; i++) {
		x = splices_at(e->splices, order[i]);
		c = change_of_splice(e, order[i]);
		splices[i] = (struct document_splice){ .from = x->raw_from, .to = x->raw_to,
		    .text = edits_text_at(e, c->value), .n = c->value_len };
	}
	e->d->ops->render_splices(r, document_entry(e->d, first->entry), splices, n);
	free(splices);
	return 0;
}
