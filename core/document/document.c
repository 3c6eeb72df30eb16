#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/document_internal.h"

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s);
	size_t m = strlen(end);

	return n >= m && memcmp(s + n - m, end, m) == 0;
}

bool
document_format_of(const char *path, enum document_format *format)
{
	if (ends_with(path, ".properties"))
		*format = DOCUMENT_PROPERTIES;
	else if (ends_with(path, ".json"))
		*format = DOCUMENT_JSON;
	else
		return false;
	return true;
}

static struct document *
new_document(enum document_format format, const char *file)
{
	struct document *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->format = format;
	d->ops = format == DOCUMENT_JSON ? &json_ops : &properties_ops;
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
document_parse(struct buf *content, enum document_format format, const char *file,
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

enum document_format
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

int
document_problem(const struct document *d, struct error *err)
{
	if (d->problem == NULL)
		return 0;
	if (d->problem_column == 0)
		error_set(err, ERROR_FORMAT, "%s", d->problem);
	else
		error_set(err, ERROR_FORMAT, "%s at column %zu", d->problem, d->problem_column);
	error_place(err, d->file, d->problem_line);
	return error_hint(err, "%s", d->problem_hint);
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

uint32_t
document_add_key(struct document *d, const void *key, size_t n)
{
	uint32_t len = (uint32_t)n;
	size_t at = d->keys.len;

	buf_append(&d->keys, &len, sizeof(len));
	buf_append(&d->keys, key, n);
	/* One more than the offset, so that 0 is free to mean none. */
	return d->keys.failed ? 0 : (uint32_t)at + 1;
}

const char *
document_key(const struct document *d, size_t i, size_t *len)
{
	const struct document_entry *x = document_entry(d, i);
	const unsigned char *kept;
	uint32_t n;

	if (x->decoded == 0) {
		*len = x->key_end - x->key;
		return (const char *)d->bytes.data + x->key;
	}
	kept = d->keys.data + x->decoded - 1;
	memcpy(&n, kept, sizeof(n));
	*len = n;
	return (const char *)kept + sizeof(n);
}

size_t
document_line(const struct document *d, size_t i)
{
	return document_entry(d, i)->line;
}

void
document_span(const struct document *d, size_t i, size_t *start, size_t *end)
{
	const struct document_entry *x = document_entry(d, i);

	*start = x->start;
	*end = x->end;
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
