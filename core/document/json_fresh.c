#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "document/document_internal.h"
#include "document/json_edit.h"
#include "document/json_path.h"
#include "document/json_syntax.h"

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
refuse(const struct json_fresh *f, const char *path, size_t n, struct error *err)
{
	error_set(err, ERROR_EXISTS, "the path is to be added twice, or one inside another");
	error_place(err, document_file(edits_document(f->edits)), 0);
	error_key(err, path, n);
	return error_hint(err, "name each path once");
}

/* A new member for a part of the path; its number, 0: no memory. */
static size_t
add_member(struct json_fresh *f, size_t parent, const struct json_part *part)
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
take_path(struct json_fresh *f, size_t k, const char *path, size_t n, struct error *err)
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
			number = add_member(f, parent, &part);
			if (number == 0 || map_put(f->known, path, len, number) == -1)
				return error_memory(err);
			member(f, number)->object = place.object;
			member(f, number)->after = edit.entry;
		} else if (len == n || !member(f, number)->is_object) {
			return refuse(f, path, n, err);
		}
		parent = number;
	}
	member(f, parent)->edit = k;
	member(f, parent)->is_object = false;
	return 0;
}

/* All paths stand in one buffer before the first is looked at, so that none moves. */
static int
keep_paths(struct json_fresh *f, struct vec *ends, struct error *err)
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

int
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
	result = f->known == NULL ? error_memory(err) : keep_paths(f, &ends, err);
	for (k = 0; result == 0 && k < ends.len; k++) {
		end = *(size_t *)vec_at(&ends, k);
		if (edits_at(e, k).kind == EDIT_INSERT)
			result = take_path(f, k, path_at(f, from), end - from, err);
		from = end;
	}
	vec_release(&ends);
	return result;
}

void
json_fresh_release(struct json_fresh *f)
{
	map_free(f->known);
	vec_release(&f->members);
	buf_release(&f->keys);
}

static void
append_name(const struct json_fresh *f, const struct json_fresh_member *m,
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

void
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
		append_name(f, m, s, &name, out);
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
