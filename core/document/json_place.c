#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"
#include "document/json_edit.h"
#include "document/json_path.h"
#include "document/json_syntax.h"

static int
refuse(const struct document *d, enum error_code code, const char *path, size_t n,
    const char *text, const char *hint, struct error *err)
{
	error_set(err, code, "%s", text);
	error_place(err, document_file(d), 0);
	error_key(err, path, n);
	return error_hint(err, "%s", hint);
}

static bool
is_within(const struct document *d, size_t box, size_t i)
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

	for (i = 0; i < part->len && part->text[i] >= '0' && part->text[i] <= '9'; i++)
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

bool
json_place_is_child(const struct document *d, size_t box, size_t i)
{
	return is_within(d, box, i) && parts_of(d, i) == parts_of(d, box) + 1;
}

/* A number behind a missing name would ask for a new array. */
static int
check_rest(const struct document *d, const char *path, size_t n, size_t at, size_t parts,
    struct error *err)
{
	struct json_part part;

	while (json_path_next(path, n, &at, &part)) {
		if (is_number(&part))
			return refuse(d, ERROR_REFUSED, path, n, "no new array is made for a "
			    "number in a path", "write the array into the file first", err);
		parts++;
	}
	if (parts > JSON_MAX_DEPTH)
		return refuse(d, ERROR_LIMIT, path, n, "the path has more than 512 parts",
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
	return refuse(d, ERROR_REFUSED, path, n, c == '[' ? "nothing is added to an array" :
	    "what the path goes through is not an object",
	    "`propseal file show` lists the paths; a dot inside a name is written \\.", err);
}

/*
 * A name that stands twice: only what is in the last one counts, as for
 * Jackson, so the walk stays inside the object that it has come to.
 */
int
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
			return refuse(d, ERROR_EXISTS, path, n, "the path is there already",
			    "set its value instead of adding it", err);
		parts++;
		i = document_index_last(d, path, (size_t)(part.text - path) + part.len);
		if (box == document_numbers(d) || i == DOCUMENT_NONE || !is_within(d, box, i))
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
	refuse(d, ERROR_REFUSED, path, n, "only a member of an object can be removed",
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
		return refuse(d, ERROR_EXISTS, key, n, "the path is there already",
		    "a member of this name is written \\" JSON_PATH_WHOLE, err);
	if (!json_path_is_plain(key, n))
		return refuse(d, ERROR_USAGE, key, n, "the path does not name one member",
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

int
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
