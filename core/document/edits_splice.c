#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/edits_internal.h"
#include "document/splices.h"

/* Note the new cut ${number}, or put the text into the place of an older one. */
static void
keep_splice(struct edits *e, struct change *made, uint32_t number, bool again)
{
	struct splice *x = splices_at(e->splices, number);
	size_t last = e->changes.len - 1;

	made->splice = number;
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
	bool again;

	if (edits_check_entry(e, i, err) == -1 || edits_index(e, err) == -1 ||
	    edits_check_room(e, label_len, n, err) == -1)
		return -1;
	c = edits_change_of(e, i);
	if (c != NULL && c->kind != EDIT_SPLICE)
		return edits_refuse_both(e, i, err);
	if (c != NULL)
		first = c->splice;
	if (e->splices == NULL)
		e->splices = splices_new();
	if (e->splices == NULL)
		return error_memory(err);
	/* All that can fail comes before the cut, which cannot be taken back. */
	if (edits_keep_text(e, text, n, &made.value, &made.value_len, err) == -1 ||
	    edits_keep_text(e, label, label_len, &made.key, &made.key_len, err) == -1 ||
	    edits_new_change(e, err) == NULL)
		return -1;
	number = splices_add(e->splices, e->d, made.entry, first, from, to, &again, err);
	if (number == SPLICES_NONE) {
		e->changes.len--;
		return -1;
	}
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
	order = splices_of(e->splices, splices_at(e->splices, first->splice)->group, &n);
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
edits_render_splices(const struct edits *e, const struct change *first,
    struct document_render *r, struct error *err)
{
	struct document_splice *splices;
	const struct change *c;
	const struct splice *x;
	const uint32_t *order;
	size_t i, n;

	order = splices_of(e->splices, splices_at(e->splices, first->splice)->group, &n);
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
