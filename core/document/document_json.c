#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"
#include "document/document_json.h"
#include "document/json_path.h"

enum document_json_type
document_json_type(const struct document *d, size_t i)
{
	switch (d->bytes.data[document_entry(d, i)->value]) {
	case '"':
		return DOCUMENT_JSON_STRING;
	case '{':
		return DOCUMENT_JSON_OBJECT;
	case '[':
		return DOCUMENT_JSON_ARRAY;
	case 't':
	case 'f':
		return DOCUMENT_JSON_BOOLEAN;
	case 'n':
		return DOCUMENT_JSON_NULL;
	default:
		return DOCUMENT_JSON_NUMBER;
	}
}

/* Is what the path's first ${n} bytes name, 0 for the whole document, an array? */
static bool
is_array(const struct document *d, const char *path, size_t n)
{
	size_t i = n == 0 ? document_count(d) : document_index_last(d, path, n - 1);

	return i != DOCUMENT_NONE && document_json_type(d, i) == DOCUMENT_JSON_ARRAY;
}

/* Does the pattern stand for entry ${i}? */
static bool
fits(const struct document *d, const char *pattern, size_t n, size_t i)
{
	struct json_part want, have;
	size_t at = 0;
	size_t k = 0;
	size_t from, len;
	const char *path = document_key(d, i, &len);
	bool more;

	for (;;) {
		from = k;
		more = json_path_next(path, len, &k, &have);
		if (json_path_next(pattern, n, &at, &want) != more)
			return false;
		if (!more)
			return true;
		/* The whole document: no name fits it. */
		if (have.kind == JSON_PART_REFUSED)
			return false;
		if (want.kind == JSON_PART_EACH ? !is_array(d, path, from) :
		    !json_path_fits(&want, &have))
			return false;
	}
}

/* The parts that cannot be answered, if there are any. */
static int
check(const struct document *d, const char *path, size_t n, struct error *err)
{
	struct json_part part;
	size_t at = 0;

	while (json_path_next(path, n, &at, &part)) {
		if (part.kind != JSON_PART_REFUSED)
			continue;
		error_set(err, ERROR_USAGE, "queries, modifiers, pipes and multipaths are not "
		    "answered in a path");
		error_place(err, document_file(d), 0);
		error_key(err, path, n);
		return error_hint(err, "in a name, write \\ before each of . \\ * ? | # @ ! { [");
	}
	return 0;
}

static int
keep(struct vec *entries, size_t i, struct error *err)
{
	size_t *entry = vec_push(entries);

	if (entry == NULL)
		return error_memory(err);
	*entry = i;
	return 0;
}

int
document_json_expand(const struct document *d, const char *path, size_t n, struct vec *entries,
    struct error *err)
{
	struct document_walk walk = { 0, document_count(d) };
	size_t i;

	if (json_path_is_plain(path, n)) {
		i = document_find(d, path, n);
		return i == DOCUMENT_NONE ? 0 : keep(entries, i, err);
	}
	if (check(d, path, n, err) == -1)
		return -1;
	while (document_walk_next(d, &walk, &i)) {
		if (fits(d, path, n, i) && !document_shadowed(d, i) && keep(entries, i, err) == -1)
			return -1;
	}
	return 0;
}
