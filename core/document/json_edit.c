#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "document/document_internal.h"
#include "document/json_internal.h"
#include "document/json_path.h"

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

static int
json_place_refuse(const struct document *d, enum error_code code, const char *path, size_t n,
    const char *text, const char *hint, struct error *err)
{
	error_set(err, code, "%s", text);
	error_place(err, document_file(d), 0);
	error_key(err, path, n);
	return error_hint(err, "%s", hint);
}

static bool
json_place_is_within(const struct document *d, size_t box, size_t i)
{
	const struct document_entry *outer = document_entry(d, box);
	const struct document_entry *x = document_entry(d, i);

	return x->start > outer->value && x->value_end < outer->value_end;
}

static unsigned char
first_byte(const struct document *d, size_t i)
{
	return d->bytes.data[document_entry(d, i)->value];
}

static bool
is_number(const struct json_part *part)
{
	size_t i;

	for (i = 0; i < part->len && ascii_is_digit(part->text[i]); i++)
		;
	return i > 0 && i == part->len;
}

static size_t
parts_of(const struct document *d, size_t i)
{
	struct json_part part;
	size_t at = 0;
	size_t count = 0;
	size_t n;
	const char *path = document_key(d, i, &n);

	/* The whole document, which is the first to open. */
	if (i == document_count(d))
		return 0;
	while (json_path_next(path, n, &at, &part))
		count++;
	return count;
}

/* Does entry ${i} stand in the object (or array) ${box} itself? */
static bool
json_place_is_child(const struct document *d, size_t box, size_t i)
{
	return json_place_is_within(d, box, i) && parts_of(d, i) == parts_of(d, box) + 1;
}

/* A number behind a missing name would ask for a new array. */
static int
check_rest(const struct document *d, const char *path, size_t n, size_t at, size_t parts,
    struct error *err)
{
	struct json_part part;

	while (json_path_next(path, n, &at, &part)) {
		if (is_number(&part))
			return json_place_refuse(d, ERROR_REFUSED, path, n,
			    "no new array is made for a "
			    "number in a path", "write the array into the file first", err);
		parts++;
	}
	if (parts > JSON_MAX_DEPTH)
		return json_place_refuse(d, ERROR_LIMIT, path, n,
		    "the path has more than 512 parts",
		    "is it the right one?", err);
	return 0;
}

/* Entry ${i}, which the path leads to, has to take a new member. */
static int
check_object(const struct document *d, size_t i, const char *path, size_t n, struct error *err)
{
	unsigned char c = i < document_numbers(d) ? first_byte(d, i) : '"';

	if (c == '{')
		return 0;
	return json_place_refuse(d, ERROR_REFUSED, path, n,
	    c == '[' ? "nothing is added to an array" :
	    "what the path goes through is not an object",
	    "`propseal file show` lists the paths; a dot inside a name is written \\.", err);
}

/*
 * A name that stands twice: only what is in the last one counts, as for
 * Jackson, so the walk stays inside the object that it has come to.
 */
static int
json_place_find(const struct document *d, const char *path, size_t n, struct json_place *place,
    struct error *err)
{
	struct json_part part;
	size_t box = document_count(d);
	size_t at = 0;
	size_t parts = 0;
	size_t i;

	for (;;) {
		place->object = box;
		place->rest = at;
		if (!json_path_next(path, n, &at, &part))
			return json_place_refuse(d, ERROR_EXISTS, path, n,
			    "the path is there already",
			    "set its value instead of adding it", err);
		parts++;
		i = document_index_last(d, path, (size_t)(part.text - path) + part.len);
		if (box == document_numbers(d) || i == DOCUMENT_NONE || !json_place_is_within(d,
		    box, i))
			break;
		box = i;
	}
	if (check_object(d, box, path, n, err) == -1)
		return -1;
	return check_rest(d, path, n, at, parts, err);
}

/* Whatever stands in an array, and the whole document, has no name. */
static int
check_removal(const struct document *d, size_t i, struct error *err)
{
	const struct document_entry *x = document_entry(d, i);
	size_t n;
	const char *path = document_key(d, i, &n);

	if (x->start < x->value)
		return 0;
	json_place_refuse(d, ERROR_REFUSED, path, n, "only a member of an object can be removed",
	    "without an element of an array, those behind it would get other numbers: edit the "
	    "file, or set the value to something else", err);
	return error_place(err, document_file(d), x->line);
}

static int
check_insertion(const struct document *d, const char *key, size_t n, struct error *err)
{
	struct json_place place;
	struct buf path;
	int result;

	if (n == strlen(JSON_PATH_WHOLE) && memcmp(key, JSON_PATH_WHOLE, n) == 0)
		return json_place_refuse(d, ERROR_EXISTS, key, n, "the path is there already",
		    "a member of this name is written \\" JSON_PATH_WHOLE, err);
	if (!json_path_is_plain(key, n))
		return json_place_refuse(d, ERROR_USAGE, key, n,
		    "the path does not name one member",
		    "in a name, write \\ before each of . \\ * ? | # @ ! { [", err);
	buf_init(&path, BUF_MAX_FILE);
	json_path_canonical(&path, key, n);
	result = buf_check(&path, err);
	if (result == 0)
		result = json_place_find(d, path.data == NULL ? "" : (const char *)path.data,
		    path.len, &place, err);
	buf_release(&path);
	return result;
}

static int
json_check(const struct edits *e, const struct edit *c, struct error *err)
{
	const struct document *d = edits_document(e);

	if (c->kind == EDIT_SET)
		return 0;
	/* Where commas go can be told only when all of the text is understood. */
	if (document_problem(d, err) == -1)
		return -1;
	return c->kind == EDIT_REMOVE ? check_removal(d, c->entry, err) :
	    check_insertion(d, c->key, c->key_len, err);
}

static struct json_fresh_member *
member(const struct json_fresh *f, size_t number)
{
	return vec_at(&f->members, number - 1);
}

static const char *
path_at(const struct json_fresh *f, size_t at)
{
	return f->keys.data == NULL ? "" : (const char *)f->keys.data + at;
}

static int
json_fresh_refuse(const struct json_fresh *f, const char *path, size_t n, struct error *err)
{
	error_set(err, ERROR_EXISTS, "the path is to be added twice, or one inside another");
	error_place(err, document_file(edits_document(f->edits)), 0);
	error_key(err, path, n);
	return error_hint(err, "name each path once");
}

/* A new member for a part of the path; its number, 0: no memory. */
static size_t
json_fresh_add_member(struct json_fresh *f, size_t parent, const struct json_part *part)
{
	struct json_fresh_member *m = vec_push(&f->members);
	size_t number = f->members.len;
	struct json_fresh_member *box;

	if (m == NULL)
		return 0;
	m->name = (size_t)(part->text - path_at(f, 0));
	m->name_len = part->len;
	m->parent = parent;
	m->is_object = true;
	if (parent != 0) {
		box = member(f, parent);
		if (box->last != 0)
			member(f, box->last)->next = number;
		else
			box->first = number;
		box->last = number;
	}
	return number;
}

/* The members for the missing parts of one path, from the outermost. */
static int
json_fresh_take_path(struct json_fresh *f, size_t k, const char *path, size_t n, struct error *err)
{
	const struct edit edit = edits_at(f->edits, k);
	struct json_place place;
	struct json_part part;
	size_t parent = 0;
	size_t number, len;

	if (json_place_find(edits_document(f->edits), path, n, &place, err) == -1)
		return -1;
	while (json_path_next(path, n, &place.rest, &part)) {
		len = (size_t)(part.text - path) + part.len;
		if (!map_get(f->known, path, len, &number)) {
			number = json_fresh_add_member(f, parent, &part);
			if (number == 0 || map_put(f->known, path, len, number) == -1)
				return error_memory(err);
			member(f, number)->object = place.object;
			member(f, number)->after = edit.entry;
		} else if (len == n || !member(f, number)->is_object) {
			return json_fresh_refuse(f, path, n, err);
		}
		parent = number;
	}
	member(f, parent)->edit = k;
	member(f, parent)->is_object = false;
	return 0;
}

/* All paths stand in one buffer before the first is looked at, so that none moves. */
static int
json_fresh_keep_paths(struct json_fresh *f, struct vec *ends, struct error *err)
{
	struct edit edit;
	size_t *end;
	size_t k;

	for (k = 0; k < edits_count(f->edits); k++) {
		edit = edits_at(f->edits, k);
		if (edit.kind == EDIT_INSERT)
			json_path_canonical(&f->keys, edit.key, edit.key_len);
		end = vec_push(ends);
		if (end == NULL)
			return error_memory(err);
		*end = f->keys.len;
	}
	return buf_check(&f->keys, err);
}

static int
json_fresh_init(struct json_fresh *f, const struct edits *e, struct error *err)
{
	struct vec ends;	/* of each edit's path */
	size_t from = 0;
	size_t k, end;
	int result;

	memset(f, 0, sizeof(*f));
	f->edits = e;
	buf_init(&f->keys, DOCUMENT_MAX_KEYS);
	vec_init(&f->members, sizeof(struct json_fresh_member), DOCUMENT_MAX_ENTRIES);
	vec_init(&ends, sizeof(size_t), DOCUMENT_MAX_ENTRIES);
	f->known = map_new();
	result = f->known == NULL ? error_memory(err) : json_fresh_keep_paths(f, &ends, err);
	for (k = 0; result == 0 && k < ends.len; k++) {
		end = *(size_t *)vec_at(&ends, k);
		if (edits_at(e, k).kind == EDIT_INSERT)
			result = json_fresh_take_path(f, k, path_at(f, from), end - from, err);
		from = end;
	}
	vec_release(&ends);
	return result;
}

/* Take in all insertions of ${e}.  -1: ERROR_EXISTS, ERROR_REFUSED, ERROR_MEMORY. */
static void
json_fresh_release(struct json_fresh *f)
{
	map_free(f->known);
	vec_release(&f->members);
	buf_release(&f->keys);
}

static void
json_fresh_append_name(const struct json_fresh *f, const struct json_fresh_member *m,
    const struct json_style *s, struct buf *name, struct buf *out)
{
	const struct json_part part = { .text = path_at(f, m->name), .len = m->name_len };

	buf_clear(name);
	json_path_unescape(name, &part);
	if (name->failed)
		(void)buf_fail(out, name->why);
	json_write_string(out, name->data, name->len);
	buf_append(out, s->colon.p, s->colon.n);
}

/* The member behind ${m} in the order of the text; closes the objects that end there. */
static size_t
next_member(const struct json_fresh *f, const struct json_fresh_member *m,
    const struct json_style *s, size_t *depth, struct buf *out)
{
	while (m->next == 0 && m->parent != 0) {
		json_style_append_close(s, (*depth)--, out);
		buf_append_char(out, '}');
		m = member(f, m->parent);
	}
	return m->parent == 0 ? 0 : m->next;
}

/* Append a member that has no parent, with all that is in it. */
static void
json_fresh_append(const struct json_fresh *f, size_t number, const struct json_style *s,
    struct buf *out)
{
	const struct json_fresh_member *m;
	struct edit edit;
	struct buf name;
	size_t depth = 0;

	buf_init(&name, BUF_MAX_FILE);
	while (number != 0) {
		m = member(f, number);
		json_fresh_append_name(f, m, s, &name, out);
		if (m->is_object) {
			buf_append_char(out, '{');
			json_style_append_first(s, ++depth, out);
			number = m->first;
			continue;
		}
		edit = edits_at(f->edits, m->edit);
		json_write_string(out, edit.value, edit.value_len);
		number = next_member(f, m, s, &depth, out);
		if (number != 0)
			json_style_append_next(s, depth, out);
	}
	buf_release(&name);
}

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
json_edit_add_member(struct editor *r, size_t number, struct error *err)
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
		if (m->parent == 0 && json_edit_add_member(r, i + 1, err) == -1)
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
json_edit_write_all(const struct editor *r, struct buf *out, struct error *err)
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

static int
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
		result = json_edit_write_all(&r, out, err);
	}
	json_fresh_release(&r.fresh);
	vec_release(&r.splices);
	vec_release(&r.removed);
	return result;
}

static bool
respell(const char *key, size_t n, struct buf *out)
{
	if (!json_path_is_plain(key, n))
		return false;
	json_path_canonical(out, key, n);
	return true;
}

const struct document_ops json_ops = {
	.parse = json_parse,
	.append_value = json_decode_value,
	.value_is = json_decode_is,
	.seek = json_decode_seek,
	.render_splices = json_splice_render,
	.render = json_edit_render,
	.check = json_check,
	.expand = json_expand,
	.write_value = text_append_json,
	.respell = respell
};
