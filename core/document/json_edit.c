#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"
#include "document/edits_internal.h"
#include "document/json_edit.h"
#include "document/json_syntax.h"

/*
 * Every change becomes splices, [from, to) each, which are sorted by place
 * and then written.  At one place what is added comes first, then the end of
 * an object that was empty, then what is cut out behind it.
 */
enum splice_kind { SPLICE_ADD, SPLICE_CLOSE, SPLICE_CUT, SPLICE_SET };

struct splice {
	uint32_t from;
	uint32_t to;
	enum splice_kind kind;
	bool joins;		/* ADD: a member stands before it */
	size_t what;		/* SET: the edit; CUT: an entry; ADD, CLOSE: the new member */
};

struct editor {
	const struct edits *e;
	const struct document *d;
	const unsigned char *p;
	size_t n;
	struct json_fresh fresh;
	struct json_text colon;
	struct vec removed;	/* uint64_t: where they start, and their numbers */
	struct vec splices;
	size_t cuts;		/* they are the first of the splices */
};

static struct splice *
splice_at(const struct editor *r, size_t i)
{
	return vec_at(&r->splices, i);
}

static int
add_splice(struct editor *r, const struct splice *made, struct error *err)
{
	struct splice *s = vec_push(&r->splices);

	if (s == NULL)
		return error_memory(err);
	*s = *made;
	return 0;
}

static int
compare_removed(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int
compare_splices(const void *a, const void *b)
{
	const struct splice *x = a;
	const struct splice *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->what < y->what ? -1 : x->what > y->what;
}

/*
 * What goes when the members from ${first} to ${last}, side by side, go: one
 * comma each, and the blanks that stood before them, so that what stays keeps
 * its own line.  Only the first of the members that stay moves up to the
 * brace, if those before it went.
 */
static struct splice
cut_out(const struct editor *r, const struct document_entry *first,
    const struct document_entry *last)
{
	struct splice cut = { .kind = SPLICE_CUT, .to = last->value_end };
	size_t before = json_before_blanks(r->p, first->start);
	size_t behind = json_after_blanks(r->p, r->n, last->value_end);
	bool leads = r->p[before - 1] != ',';

	if (r->p[behind] == ',') {
		cut.from = leads ? first->start : (uint32_t)before;
		cut.to = (uint32_t)(leads ? json_after_blanks(r->p, r->n, behind + 1) : behind + 1);
	} else {
		cut.from = (uint32_t)(leads ? before : json_before_blanks(r->p, before - 1));
	}
	return cut;
}

/* Does ${y} stand next to ${x}, with nothing but a comma between? */
static bool
is_next(const struct editor *r, const struct document_entry *x, const struct document_entry *y)
{
	size_t comma = json_after_blanks(r->p, r->n, x->value_end);

	return r->p[comma] == ',' && json_after_blanks(r->p, r->n, comma + 1) == y->start;
}

static const struct document_entry *
removed_at(const struct editor *r, size_t i, size_t *number)
{
	*number = *(uint64_t *)vec_at(&r->removed, i) & UINT32_MAX;
	return document_entry(r->d, *number);
}

static int
add_cuts(struct editor *r, struct error *err)
{
	const struct document_entry *first, *last, *x;
	struct splice cut;
	size_t number, next;
	size_t i = 0;

	while (i < r->removed.len) {
		first = last = removed_at(r, i, &number);
		while (++i < r->removed.len) {
			x = removed_at(r, i, &next);
			if (!is_next(r, last, x))
				break;
			last = x;
		}
		cut = cut_out(r, first, last);
		cut.what = number;
		if (add_splice(r, &cut, err) == -1)
			return -1;
	}
	r->cuts = r->splices.len;
	return 0;
}

/*
 * The cut in which ${offset} stands or with which it ends, NULL: none.  (Any
 * will do when they overlap: then nothing is written.)
 */
static const struct splice *
cut_at(const struct editor *r, size_t offset)
{
	const struct splice *cut;
	size_t low = 0;
	size_t high = r->cuts;
	size_t middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		cut = splice_at(r, middle);
		if (offset > cut->to)
			low = middle + 1;
		else if (offset <= cut->from)
			high = middle;
		else
			return cut;
	}
	return NULL;
}

/* Where new member ${number}, which has no parent, goes. */
static int
add_member(struct editor *r, size_t number, struct error *err)
{
	const struct json_fresh_member *m = vec_at(&r->fresh.members, number - 1);
	const struct document_entry *box = document_entry(r->d, m->object);
	struct splice add = { .kind = SPLICE_ADD, .what = number };
	const struct splice *cut;
	size_t end = json_before_blanks(r->p, box->value_end - (size_t)1);

	if (m->after != DOCUMENT_NONE && json_place_is_child(r->d, m->object, m->after) &&
	    cut_at(r, document_entry(r->d, m->after)->start + (size_t)1) == NULL) {
		add.from = document_entry(r->d, m->after)->value_end;
		add.joins = true;
	} else if (end == box->value + (size_t)1) {
		add.from = (uint32_t)end;
	} else {
		cut = cut_at(r, end);
		add.from = cut == NULL || cut->to != end ? (uint32_t)end : cut->from;
		add.joins = add.from > box->value + (size_t)1;
	}
	add.to = add.from;
	if (add_splice(r, &add, err) == -1)
		return -1;
	if (end > box->value + (size_t)1)
		return 0;
	/* There were blanks at most between its braces. */
	add.kind = SPLICE_CLOSE;
	add.to = box->value_end - 1;
	return add_splice(r, &add, err);
}

static int
add_removed(struct editor *r, struct error *err)
{
	struct edit edit;
	uint64_t *removed;
	size_t k;

	for (k = 0; k < edits_count(r->e); k++) {
		edit = edits_at(r->e, k);
		if (edit.kind != EDIT_REMOVE)
			continue;
		removed = vec_push(&r->removed);
		if (removed == NULL)
			return error_memory(err);
		*removed = (uint64_t)document_entry(r->d, edit.entry)->start << 32 | edit.entry;
	}
	if (r->removed.len > 1)
		qsort(r->removed.items, r->removed.len, sizeof(*removed), compare_removed);
	return add_cuts(r, err);
}

static int
add_added(struct editor *r, struct error *err)
{
	const struct json_fresh_member *m;
	size_t i;

	for (i = 0; i < r->fresh.members.len; i++) {
		m = vec_at(&r->fresh.members, i);
		if (m->parent == 0 && add_member(r, i + 1, err) == -1)
			return -1;
	}
	return 0;
}

static int
add_set(struct editor *r, struct error *err)
{
	const struct document_entry *x;
	struct splice set = { .kind = SPLICE_SET };
	struct edit edit;

	for (set.what = 0; set.what < edits_count(r->e); set.what++) {
		edit = edits_at(r->e, set.what);
		/* Of several splices of one value the first stands for all. */
		if (edit.kind != EDIT_SET && (edit.kind != EDIT_SPLICE ||
		    edits_change_at(r->e, set.what) != edits_change_of(r->e, edit.entry)))
			continue;
		x = document_entry(r->d, edit.entry);
		set.from = x->value;
		set.to = x->value_end;
		if (add_splice(r, &set, err) == -1)
			return -1;
	}
	return 0;
}

/* The splice stands inside of another one: name what it was to change. */
static int
refuse_splice(const struct editor *r, const struct splice *s, struct error *err)
{
	const struct json_fresh_member *m;
	struct edit edit = { 0 };

	if (s->kind == SPLICE_CUT) {
		edit.key = document_key(r->d, s->what, &edit.key_len);
	} else if (s->kind == SPLICE_SET) {
		edit = edits_at(r->e, s->what);
	} else {
		m = vec_at(&r->fresh.members, s->what - 1);
		while (m->is_object)
			m = vec_at(&r->fresh.members, m->first - 1);
		edit = edits_at(r->e, m->edit);
	}
	error_set(err, ERROR_REFUSED, "a value is to be changed, and something inside it too");
	error_place(err, document_file(r->d), 0);
	error_key(err, edit.key, edit.key_len);
	return error_hint(err, "change one of them at a time");
}

static int
write_value(const struct editor *r, size_t k, struct buf *out, struct error *err)
{
	struct edit edit = edits_at(r->e, k);
	struct document_render render = { .d = r->d, .out = out };

	if (edit.kind == EDIT_SET) {
		json_write_string(out, edit.value, edit.value_len);
		return 0;
	}
	render.done = document_entry(r->d, edit.entry)->value;
	return edits_render_splices(r->e, edits_change_at(r->e, k), &render, err);
}

/* ${again}: it is not the first at its place. */
static int
write_splice(const struct editor *r, const struct splice *s, bool again, struct buf *out,
    struct error *err)
{
	const struct json_fresh_member *m;
	struct json_style style;

	if (s->kind == SPLICE_SET)
		return write_value(r, s->what, out, err);
	if (s->kind == SPLICE_CUT)
		return 0;
	m = vec_at(&r->fresh.members, s->what - 1);
	json_style_look(&style, r->d, m->object, r->colon);
	if (s->kind == SPLICE_CLOSE) {
		json_style_append_close(&style, 0, out);
		return 0;
	}
	if (s->joins || again)
		json_style_append_next(&style, 0, out);
	else
		json_style_append_first(&style, 0, out);
	json_fresh_append(&r->fresh, s->what, &style, out);
	return 0;
}

static int
write_all(const struct editor *r, struct buf *out, struct error *err)
{
	const struct splice *last = NULL;
	const struct splice *s;
	size_t done = 0;
	size_t i;

	for (i = 0; i < r->splices.len; i++) {
		s = splice_at(r, i);
		if (last != NULL && last->kind == SPLICE_CLOSE && s->kind == SPLICE_CLOSE &&
		    s->from == last->from)
			continue;
		if (s->from < done)
			return refuse_splice(r, s, err);
		buf_append(out, r->p + done, s->from - done);
		if (write_splice(r, s, last != NULL && last->from == s->from, out, err) == -1)
			return -1;
		done = s->to;
		last = s;
	}
	buf_append(out, r->p + done, r->n - done);
	return buf_check(out, err);
}

int
json_edit_render(const struct edits *e, struct buf *out, struct error *err)
{
	const struct document *d = edits_document(e);
	struct editor r = { .e = e, .d = d, .p = d->bytes.data, .n = d->bytes.len };
	int result;

	vec_init(&r.removed, sizeof(uint64_t), DOCUMENT_MAX_ENTRIES);
	vec_init(&r.splices, sizeof(struct splice), 2 * DOCUMENT_MAX_ENTRIES);
	r.colon = json_style_colon(d);
	result = json_fresh_init(&r.fresh, e, err);
	if (result == 0)
		result = add_removed(&r, err);
	if (result == 0)
		result = add_added(&r, err);
	if (result == 0)
		result = add_set(&r, err);
	if (result == 0) {
		if (r.splices.len > 1)
			qsort(r.splices.items, r.splices.len, sizeof(struct splice),
			    compare_splices);
		result = write_all(&r, out, err);
	}
	json_fresh_release(&r.fresh);
	vec_release(&r.splices);
	vec_release(&r.removed);
	return result;
}
