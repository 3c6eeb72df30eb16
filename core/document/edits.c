#include <stdlib.h>

#include "base/error.h"
#include "document/document_internal.h"
#include "document/edits_internal.h"
#include "document/splices.h"

struct edits *
edits_new(const struct document *d, bool secret, struct error *err)
{
	struct edits *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		error_memory(err);
		return NULL;
	}
	e->d = d;
	vec_init(&e->changes, sizeof(struct change), EDITS_MAX_CHANGES);
	if (secret)
		buf_init_secret(&e->text, EDITS_MAX_TEXT);
	else
		buf_init(&e->text, EDITS_MAX_TEXT);
	return e;
}

void
edits_free(struct edits *e)
{
	if (e == NULL)
		return;
	vec_release(&e->changes);
	buf_release(&e->text);
	free(e->by_entry);
	splices_free(e->splices);
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

int
edits_check_room(const struct edits *e, size_t key_len, size_t value_len, struct error *err)
{
	size_t room = EDITS_MAX_TEXT - e->text.len;

	if (key_len > room || value_len > room - key_len)
		return error_set(err, ERROR_LIMIT, "the changes to %s are larger than %zu bytes",
		    document_file(e->d), EDITS_MAX_TEXT);
	return 0;
}

int
edits_keep_text(struct edits *e, const void *bytes, size_t n, uint32_t *at, uint32_t *len,
    struct error *err)
{
	*at = (uint32_t)e->text.len;
	*len = (uint32_t)n;
	buf_append(&e->text, bytes, n);
	return buf_check(&e->text, err);
}

struct change *
edits_new_change(struct edits *e, struct error *err)
{
	struct change *c = vec_push(&e->changes);

	if (c != NULL)
		return c;
	if (e->changes.len == EDITS_MAX_CHANGES)
		error_set(err, ERROR_LIMIT, "more than %zu changes", EDITS_MAX_CHANGES);
	else
		error_memory(err);
	return NULL;
}

int
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

int
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

int
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

int
edits_insert(struct edits *e, size_t after, const char *key, size_t klen, const void *value,
    size_t n, struct error *err)
{
	struct change made = { .kind = EDIT_INSERT, .at_end = after == DOCUMENT_NONE };
	struct change *c;

	/* Behind what the format's reader stumbles over nothing would be read. */
	if (after == DOCUMENT_NONE && document_problem(e->d, err) == -1)
		return -1;
	if (after != DOCUMENT_NONE && edits_check_entry(e, after, err) == -1)
		return -1;
	if (check_change(e, EDIT_INSERT, after, key, klen, err) == -1)
		return -1;
	if (edits_check_room(e, klen, n, err) == -1 ||
	    edits_keep_text(e, key, klen, &made.key, &made.key_len, err) == -1 ||
	    edits_keep_text(e, value, n, &made.value, &made.value_len, err) == -1)
		return -1;
	made.entry = (uint32_t)(made.at_end ? document_numbers(e->d) : after);
	c = edits_new_change(e, err);
	if (c == NULL)
		return -1;
	*c = made;
	return 0;
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

const char *
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
		edit.from = splices_at(e->splices, c->splice)->from;
		edit.to = splices_at(e->splices, c->splice)->to;
		edit.label = c->key_len > 0 ? edits_text_at(e, c->key) : NULL;
		edit.label_len = c->key_len;
	}
	return edit;
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
rank(const struct edits *e, size_t i)
{
	const struct change *c = edits_change_at(e, i);
	size_t count = document_count(e->d);
	uint64_t entry = c->entry;
	uint64_t insert = c->kind == EDIT_INSERT ? 1 : 0;

	if (insert == 1 && entry + 1 == count &&
	    document_entry(e->d, entry)->end == document_bytes(e->d)->len)
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

/* The changes as they come in the file; their numbers are the lower halves. */
static uint64_t *
sorted(const struct edits *e)
{
	size_t n = e->changes.len;
	uint64_t *ranks = malloc(n * sizeof(*ranks));
	bool in_order = true;
	size_t i;

	if (ranks == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		ranks[i] = rank(e, i);
		in_order = in_order && (i == 0 || ranks[i - 1] < ranks[i]);
	}
	if (!in_order)
		qsort(ranks, n, sizeof(*ranks), compare_ranks);
	return ranks;
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
	size_t i;

	if (buf_check(&e->text, err) == -1 || buf_check(out, err) == -1)
		return -1;
	if (ops->render != NULL && e->changes.len > 0)
		return ops->render(e, out, err);
	if (e->changes.len > 0) {
		ranks = sorted(e);
		if (ranks == NULL)
			return error_memory(err);
		ops->render_begin(&r);
	}
	/* At once rather than by doubling. */
	if (guess <= out->max - out->len)
		(void)buf_reserve(out, guess);
	for (i = 0; i < e->changes.len && result == 0; i++) {
		c = edits_change_at(e, ranks[i] & UINT32_MAX);
		if (c->kind == EDIT_SPLICE) {
			/* The first stands for all of its value. */
			if (c == edits_change_of(e, c->entry))
				result = edits_render_splices(e, c, &r, err);
			continue;
		}
		edit = edits_at(e, ranks[i] & UINT32_MAX);
		ops->render_change(&r, &edit);
	}
	free(ranks);
	document_render_upto(&r, size);
	return result == -1 ? -1 : buf_check(out, err);
}
