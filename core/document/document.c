#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"
#include "document/key_index.h"
#include "document/properties.h"

#define NO_ENTRY (UINT32_MAX >> 1)
#define SHADOWED ((uint32_t)1 << 31)

struct document_index {
	struct key_index keys;	/* each with the number of its last entry; no slots: not there */
	uint32_t *previous;	/* by entry: the one before of the same key, SHADOWED; NULL: no
				 * key stands twice */
	size_t found;		/* the last answer: who asks for keys in the order of another
				 * file mostly finds the next one behind it */
	bool tried;
};

/* How far behind the last answer the next one may stand: a tag is between entries. */
#define NEAR 2

static struct document_index *
document_index_new(void)
{
	return calloc(1, sizeof(struct document_index));
}

static void
document_index_empty(struct document_index *x)
{
	key_index_release(&x->keys);
	free(x->previous);
	x->previous = NULL;
}

static void
document_index_free(struct document_index *x)
{
	if (x == NULL)
		return;
	document_index_empty(x);
	free(x);
}

static bool
key_is(const void *document, size_t i, const char *key, size_t n)
{
	size_t len;
	const char *own = document_key(document, i, &len);

	return len == n && (n == 0 || memcmp(own, key, n) == 0);
}

/* Entry ${i} has the key of ${before}, which it hides. */
static int
document_index_hide(struct document_index *x, const struct document *d, size_t before, size_t i)
{
	size_t n = document_numbers(d);

	if (x->previous == NULL) {
		if ((x->previous = malloc(n * sizeof(*x->previous))) == NULL)
			return -1;
		for (size_t k = 0; k < n; k++)
			x->previous[k] = NO_ENTRY;
	}
	x->previous[i] = (uint32_t)before;
	x->previous[before] |= SHADOWED;
	return 0;
}

static int
document_index_fill(struct document_index *x, const struct document *d)
{
	struct document_walk walk = { 0, document_count(d) };
	uint32_t *slot, hash;
	const char *key;
	size_t i, len;

	x->found = DOCUMENT_NONE;
	if (key_index_make(&x->keys, document_numbers(d)) == -1)
		return -1;
	while (document_walk_next(d, &walk, &i)) {
		key = document_key(d, i, &len);
		slot = key_index_slot(&x->keys, key, len, key_is, d, &hash);
		if (*slot != 0 &&
		    document_index_hide(x, d, key_index_number(&x->keys, slot), i) == -1)
			return -1;
		key_index_put(slot, i, hash);
	}
	return 0;
}

/* False: there is no memory for an index, look through the entries. */
static bool
document_index_ready(const struct document *d)
{
	struct document_index *x = d->index;

	if (!x->tried) {
		x->tried = true;
		if (document_index_fill(x, d) == -1)
			document_index_empty(x);
	}
	return x->keys.slots != NULL;
}

static bool
index_is_shadowed(const struct document_index *x, size_t i)
{
	return x->previous != NULL && (x->previous[i] & SHADOWED) != 0;
}

/* The last entry of the key that starts before ${offset}. */
static size_t
search_before(const struct document *d, size_t offset, const char *key, size_t n)
{
	size_t found = DOCUMENT_NONE;
	size_t from = 0;
	size_t i, start;

	for (i = 0; i < document_numbers(d); i++) {
		start = document_entry(d, i)->start;
		if (start >= from && start < offset && key_is(d, i, key, n)) {
			found = i;
			from = start;
		}
	}
	return found;
}

size_t
document_index_last(const struct document *d, const char *key, size_t n)
{
	struct document_index *x = d->index;
	uint32_t *slot, hash;

	if (!document_index_ready(d))
		return search_before(d, SIZE_MAX, key, n);
	for (size_t i = x->found + 1; x->found != DOCUMENT_NONE && i <= x->found + NEAR &&
	    i < document_count(d); i++)
		if (!index_is_shadowed(x, i) && key_is(d, i, key, n))
			return x->found = i;
	slot = key_index_slot(&x->keys, key, n, key_is, d, &hash);
	if (*slot == 0)
		return DOCUMENT_NONE;
	return x->found = key_index_number(&x->keys, slot);
}

static size_t
document_index_previous(const struct document *d, size_t i)
{
	const char *key;
	size_t n;
	uint32_t previous;

	if (!document_index_ready(d)) {
		key = document_key(d, i, &n);
		return search_before(d, document_entry(d, i)->start, key, n);
	}
	if (d->index->previous == NULL)
		return DOCUMENT_NONE;
	previous = d->index->previous[i] & ~SHADOWED;
	return previous == NO_ENTRY ? DOCUMENT_NONE : previous;
}

static bool
document_index_shadowed(const struct document *d, size_t i)
{
	const char *key;
	size_t n;

	if (document_index_ready(d))
		return index_is_shadowed(d->index, i);
	key = document_key(d, i, &n);
	return search_before(d, SIZE_MAX, key, n) != i;
}

const struct document_format document_properties = {
	.name = "properties",
	.ending = ".properties",
	.providers = "config.providers",
	.dot = ".",
	.comments = true,
	.lines = true,
	.last_wins = true,
	.latin1 = true,
	.strict = true,
	.ops = &properties_ops
};

/* Of several members of one name any may count (RFC 8259, section 4). */
const struct document_format document_json = {
	.name = "json",
	.ending = ".json",
	.providers = "config\\.providers",
	.dot = "\\.",
	.escape = '\\',
	.null = "null",
	.ops = &json_ops
};

const struct document_format *const document_formats[] = {
	&document_properties, &document_json, NULL
};

const struct document_format *
document_format_of_text(const void *text, size_t n)
{
	const unsigned char *p = text;
	size_t i = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
		i++;
	return i < n && (p[i] == '{' || p[i] == '[') ? &document_json : DOCUMENT_ENTRIES;
}

const struct document_format *
document_format_of(const char *path)
{
	size_t n = strlen(path), m;

	for (size_t i = 0; document_formats[i] != NULL; i++) {
		m = strlen(document_formats[i]->ending);
		if (n >= m && memcmp(path + n - m, document_formats[i]->ending, m) == 0)
			return document_formats[i];
	}
	return NULL;
}

const struct document_format *
document_format_within(const char *name)
{
	for (size_t i = 0; document_formats[i] != NULL; i++) {
		if (strstr(name, document_formats[i]->ending) != NULL)
			return document_formats[i];
	}
	return NULL;
}

static struct document *
new_document(const struct document_format *format, const char *file)
{
	struct document *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->format = format;
	d->ops = format->ops;
	buf_init_secret(&d->bytes, BUF_MAX_FILE);
	vec_init(&d->entries, sizeof(struct document_entry), DOCUMENT_MAX_ENTRIES);
	buf_init(&d->keys, DOCUMENT_MAX_KEYS);
	d->file = strdup(file);
	d->index = document_index_new();
	if (d->file == NULL || d->index == NULL) {
		document_free(d);
		return NULL;
	}
	return d;
}

struct document *
document_parse(struct buf *content, const struct document_format *format, const char *file,
    struct error *err)
{
	struct document *d = NULL;

	if (buf_check(content, err) == -1)
		goto refuse;
	if (content->len > BUF_MAX_FILE) {
		error_set(err, ERROR_LIMIT, "larger than %zu bytes", BUF_MAX_FILE);
		error_place(err, file, 0);
		goto refuse;
	}
	d = new_document(format, file);
	if (d == NULL) {
		error_memory(err);
		goto refuse;
	}
	buf_move(&d->bytes, content);
	if (d->ops->parse(d, err) == 0)
		return d;
	error_place(err, file, 0);
refuse:
	document_free(d);
	buf_release(content);
	return NULL;
}

void
document_settle(struct document *d)
{
	buf_settle(&d->bytes);
}

void
document_free(struct document *d)
{
	if (d == NULL)
		return;
	document_index_free(d->index);
	buf_release(&d->keys);
	vec_release(&d->entries);
	buf_release(&d->bytes);
	free(d->file);
	free(d);
}

const struct document_format *
document_format(const struct document *d)
{
	return d->format;
}

const char *
document_file(const struct document *d)
{
	return d->file;
}

const struct buf *
document_bytes(const struct document *d)
{
	return &d->bytes;
}

bool
document_has_any(const struct document *d, const char *bytes)
{
	while (*bytes != '\0' && d->bytes.len > 0 &&
	    memchr(d->bytes.data, *bytes, d->bytes.len) == NULL)
		bytes++;
	return *bytes != '\0' && d->bytes.len > 0;
}

int
document_problem(const struct document *d, struct error *err)
{
	const char *key;
	size_t len;

	if (d->problem == NULL)
		return 0;
	if (d->problem_column == 0)
		error_set(err, ERROR_FORMAT, "%s", d->problem);
	else
		error_set(err, ERROR_FORMAT, "%s at column %zu", d->problem, d->problem_column);
	error_place(err, d->file, d->problem_line);
	if (d->problem_behind) {
		key = document_key(d, document_count(d) - 1, &len);
		error_key(err, key, len);
	}
	return error_hint(err, "%s", d->problem_hint);
}

int
document_problem_line(const struct document *d, struct error *err)
{
	if (d->problem == NULL)
		return 0;
	error_set(err, ERROR_FORMAT, "%s", d->problem);
	error_place(err, d->file, d->problem_line);
	return error_hint(err, "%s", d->problem_hint);
}

int
document_check_encoding(const struct document *d, struct error *err)
{
	const unsigned char *p = d->bytes.data, *nul;
	bool wide = d->bytes.len > 1 && ((p[0] == 0xff && p[1] == 0xfe) ||
	    (p[0] == 0xfe && p[1] == 0xff));
	size_t line = 1;

	nul = d->bytes.len > 0 ? memchr(p, '\0', d->bytes.len) : NULL;
	if (!wide && nul == NULL)
		return 0;
	for (; !wide && p < nul; p++)
		line += *p == '\n';
	error_set(err, ERROR_FORMAT, wide ? "this is UTF-16, and no configuration file in UTF-8" :
	    "there is a NUL byte: this is no text in UTF-8");
	error_place(err, d->file, line);
	return error_hint(err, "convert it: iconv -f UTF-16 -t UTF-8 (PowerShell's > writes "
	    "UTF-16)");
}

size_t
document_count(const struct document *d)
{
	return d->entries.len - d->unlisted;
}

bool
document_is_container(const struct document *d, size_t i)
{
	return i >= document_count(d);
}

int
document_add_key(struct document *d, struct document_entry *x, const void *key, size_t n)
{
	uint32_t len = (uint32_t)n;

	x->key = DOCUMENT_DECODED | (uint32_t)d->keys.len;
	buf_append(&d->keys, &len, sizeof(len));
	buf_append(&d->keys, key, n);
	return d->keys.failed ? -1 : 0;
}

const char *
document_key(const struct document *d, size_t i, size_t *len)
{
	const struct document_entry *x = document_entry(d, i);
	const unsigned char *kept;
	uint32_t n;

	if ((x->key & DOCUMENT_DECODED) == 0) {
		*len = x->key_end - x->key;
		return (const char *)d->bytes.data + x->key;
	}
	kept = d->keys.data + (x->key & ~DOCUMENT_DECODED);
	memcpy(&n, kept, sizeof(n));
	*len = n;
	return (const char *)kept + sizeof(n);
}

size_t
document_line(const struct document *d, size_t i)
{
	return document_entry(d, i)->line;
}

size_t
document_end(const struct document *d, const struct document_entry *x)
{
	return d->format->lines && x->value_end < d->bytes.len ?
	    properties_after_line_end(d->bytes.data, d->bytes.len, x->value_end) : x->value_end;
}

void
document_span(const struct document *d, size_t i, size_t *start, size_t *end)
{
	const struct document_entry *x = document_entry(d, i);

	*start = x->start;
	*end = document_end(d, x);
}

bool
document_shadowed(const struct document *d, size_t i)
{
	return document_index_shadowed(d, i);
}

size_t
document_find(const struct document *d, const char *key, size_t len)
{
	size_t i = document_index_last(d, key, len);
	struct buf own;

	if (i != DOCUMENT_NONE || d->ops->respell == NULL)
		return i;
	buf_init(&own, DOCUMENT_MAX_KEYS);
	if (d->ops->respell(key, len, &own) && !own.failed && own.len > 0)
		i = document_index_last(d, (const char *)own.data, own.len);
	buf_release(&own);
	return i;
}

size_t
document_previous(const struct document *d, size_t i)
{
	return document_index_previous(d, i);
}

bool
document_is_bare(const struct document *d, size_t i)
{
	const unsigned char *p = document_bytes(d)->data;
	size_t start, end, n;

	(void)document_raw_value(d, i, &n);
	document_span(d, i, &start, &end);
	return n == 0 && memchr(p + start, '=', end - start) == NULL &&
	    memchr(p + start, ':', end - start) == NULL;
}

bool
document_is_null(const struct document *d, size_t i)
{
	const char *null = d->format->null;
	const unsigned char *raw;
	size_t n;

	raw = document_raw_value(d, i, &n);
	return null != NULL && n == strlen(null) && memcmp(raw, null, n) == 0;
}

int
document_value(const struct document *d, size_t i, struct buf *out, struct error *err)
{
	d->ops->append_value(d, document_entry(d, i), out);
	return buf_check(out, err);
}

bool
document_value_is(const struct document *d, size_t i, const char *value, size_t n)
{
	return d->ops->value_is(d, document_entry(d, i), value, n);
}

const unsigned char *
document_raw_value(const struct document *d, size_t i, size_t *len)
{
	const struct document_entry *x = document_entry(d, i);

	*len = x->value_end - x->value;
	return d->bytes.data + x->value;
}

void
document_append_value(const struct document_format *format, struct buf *out, const void *bytes,
    size_t n)
{
	if (format->ops->write_value != NULL)
		format->ops->write_value(out, bytes, n);
	else
		buf_append(out, bytes, n);
}

int
document_expand(const struct document *d, const char *key, size_t n, struct vec *entries,
    struct error *err)
{
	size_t *entry, i;

	if (d->ops->expand != NULL)
		return d->ops->expand(d, key, n, entries, err);
	if ((i = document_find(d, key, n)) == DOCUMENT_NONE)
		return 0;
	if ((entry = vec_push(entries)) == NULL)
		return error_memory(err);
	*entry = i;
	return 0;
}
