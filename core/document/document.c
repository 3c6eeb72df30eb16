#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "document/document_internal.h"

#define NO_ENTRY (UINT32_MAX >> 1)
#define SHADOWED ((uint32_t)1 << 31)

/* A hash table of its own: a slot is an eighth of one of map.h's, and most of
 * the time goes to fetching slots from memory. */
struct document_slot {
	uint32_t hash;
	uint32_t number;	/* of the key's last entry, and 1; 0: free */
};

struct document_index {
	struct document_slot *slots;	/* at most three quarters are taken */
	size_t mask;			/* their number, a power of two, less 1 */
	unsigned char seed[SIPHASH_KEY];
	uint32_t *previous;	/* by entry: the one before of the same key, SHADOWED */
	size_t found;		/* the last answer: who asks for keys in the order of another
				 * file mostly finds the next one behind it */
	bool tried;
};

/* A table of so many slots is looked through from its start: that takes less than SipHash. */
#define SMALL_TABLE 128

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
	free(x->slots);
	free(x->previous);
	x->slots = NULL;
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
key_is(const struct document *d, size_t i, const char *key, size_t n)
{
	size_t len;
	const char *own = document_key(d, i, &len);

	return len == n && (n == 0 || memcmp(own, key, n) == 0);
}

/* Of all bytes, and quick; who makes keys that have the same one fills a small table with them. */
static uint64_t
quick_hash(const char *key, size_t n)
{
	uint64_t h = n, part;
	size_t i;

	for (i = 0; i + sizeof(part) <= n; i += sizeof(part)) {
		memcpy(&part, key + i, sizeof(part));
		h = (h ^ part) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	for (part = 0; i < n; i++)
		part = part << 8 | (unsigned char)key[i];
	return (h ^ part) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The slot of the key, or the free one where it belongs. */
static struct document_slot *
document_index_slot(const struct document_index *x, const struct document *d, const char *key,
    size_t n, uint32_t *hash)
{
	const bool small = x->mask < SMALL_TABLE;
	const uint64_t h = small ? quick_hash(key, n) : siphash_13(x->seed, key, n);
	struct document_slot *slot;
	size_t i = small ? 0 : (size_t)h & x->mask;

	*hash = (uint32_t)(h >> 32);
	for (;; i = (i + 1) & x->mask) {
		slot = &x->slots[i];
		if (slot->number == 0 ||
		    (slot->hash == *hash && key_is(d, slot->number - 1, key, n)))
			return slot;
	}
}

static void
document_index_enter(struct document_index *x, const struct document *d, size_t i)
{
	struct document_slot *slot;
	const char *key;
	uint32_t hash;
	size_t len;

	key = document_key(d, i, &len);
	slot = document_index_slot(x, d, key, len, &hash);
	x->previous[i] = NO_ENTRY;
	if (slot->number != 0) {
		x->previous[i] = slot->number - 1;
		x->previous[slot->number - 1] |= SHADOWED;
	}
	slot->number = (uint32_t)i + 1;
	slot->hash = hash;
}

static int
document_index_fill(struct document_index *x, const struct document *d)
{
	struct document_walk walk = { 0, document_count(d) };
	size_t size = 16, i;

	while (size / 4 * 3 < document_numbers(d))
		size *= 2;
	x->mask = size - 1;
	x->found = DOCUMENT_NONE;
	x->slots = calloc(size, sizeof(*x->slots));
	x->previous = malloc((document_numbers(d) + 1) * sizeof(*x->previous));
	if (x->slots == NULL || x->previous == NULL || siphash_seed(x->seed) != 0)
		return -1;
	while (document_walk_next(d, &walk, &i))
		document_index_enter(x, d, i);
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
	return x->slots != NULL;
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
	const struct document_slot *slot;
	uint32_t hash;

	if (!document_index_ready(d))
		return search_before(d, SIZE_MAX, key, n);
	for (size_t i = x->found + 1; x->found != DOCUMENT_NONE && i <= x->found + NEAR &&
	    i < document_count(d); i++)
		if ((x->previous[i] & SHADOWED) == 0 && key_is(d, i, key, n))
			return x->found = i;
	slot = document_index_slot(x, d, key, n, &hash);
	if (slot->number == 0)
		return DOCUMENT_NONE;
	return x->found = slot->number - 1;
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
	previous = d->index->previous[i] & ~SHADOWED;
	return previous == NO_ENTRY ? DOCUMENT_NONE : previous;
}

static bool
document_index_shadowed(const struct document *d, size_t i)
{
	const char *key;
	size_t n;

	if (document_index_ready(d))
		return (d->index->previous[i] & SHADOWED) != 0;
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
