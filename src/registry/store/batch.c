#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "registry/log/log.h"
#include "registry/store/batch.h"
#include "registry/store/store_internal.h"

_Static_assert(sizeof(((struct batch *)NULL)->ops) / sizeof(struct batch_op) ==
    STORE_BATCH_OPS, "a batch has room for its ops");

struct batch *
batch_new(struct store *s, struct error *err)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL || (b->index = map_new()) == NULL) {
		free(b);
		error_memory(err);
		return NULL;
	}
	b->store = s;
	b->now_ms = store_now(s);
	buf_init(&b->bytes, BUF_MAX_FILE);
	return b;
}

void
batch_free(struct batch *b)
{
	size_t i;

	if (b == NULL)
		return;
	for (i = 0; i < b->draft_count; i++)
		draft_free(b->drafts[i]);
	free(b->drafts);
	map_free(b->index);
	buf_release(&b->bytes);
	free(b);
}

void
batch_forget(struct batch *b)
{
	struct map *index = map_new();

	while (b->draft_count > 0)
		draft_free(b->drafts[--b->draft_count]);
	if (index == NULL) {
		b->broken = true;
		return;
	}
	map_free(b->index);
	b->index = index;
}

static struct draft *
find(const struct batch *b, const char *path, size_t path_len, const char *key, size_t key_len)
{
	char name[512];
	size_t at;

	memcpy(name, path, path_len);
	name[path_len] = '/';
	memcpy(name + path_len + 1, key, key_len);
	return map_get(b->index, name, path_len + 1 + key_len, &at) ? b->drafts[at] : NULL;
}

struct draft *
batch_draft(struct batch *b, const char *path, size_t path_len, const char *key, size_t key_len,
    struct error *err)
{
	struct draft *d = find(b, path, path_len, key, key_len);
	const struct state_path *p;
	struct draft **more;
	size_t cap;

	if (d != NULL)
		return d;
	if (b->draft_count == b->draft_cap) {
		cap = b->draft_cap > 0 ? 2 * b->draft_cap : 16;
		more = realloc(b->drafts, cap * sizeof(struct draft *));
		if (more == NULL)
			goto fail;
		b->drafts = more;
		b->draft_cap = cap;
	}
	/* Keys that were not seen yet may have metadata all the same. */
	p = state_path_any(b->store->state, path, path_len);
	d = draft_new(path, path_len, key, key_len,
	    p != NULL ? state_index_find(&p->keys, key, key_len) : NULL);
	if (d == NULL || map_put(b->index, d->name, d->name_len, b->draft_count) == -1)
		goto fail;
	b->drafts[b->draft_count++] = d;
	return d;
fail:
	draft_free(d);
	error_memory(err);
	return NULL;
}

int
batch_encode(struct batch *b, const struct record *r, size_t *key_len, size_t *value_len,
    struct error *err)
{
	size_t at = b->bytes.len;

	record_encode_key(r, &b->bytes);
	*key_len = b->bytes.len - at;
	if (r->tombstone)
		*value_len = 0;
	else
		record_encode_value(r, &b->bytes);
	*value_len = b->bytes.len - at - *key_len;
	if (buf_check(&b->bytes, err) == -1) {
		/* The bytes of the others are needed. */
		b->bytes.failed = false;
		buf_truncate(&b->bytes, at);
		return -1;
	}
	if (*key_len <= LOG_KEY_MAX && *value_len <= LOG_VALUE_MAX)
		return 0;
	buf_truncate(&b->bytes, at);
	return error_set(err, ERROR_LIMIT, "a record of %zu bytes is too large for the log",
	    *value_len);
}

static int
encode_metas(struct batch *b, struct error *err)
{
	struct record r;
	size_t i;

	for (i = 0; i < b->draft_count; i++) {
		struct draft *d = b->drafts[i];

		if (!d->changed)
			continue;
		draft_meta(d, &r);
		d->meta_at = b->bytes.len;
		if (batch_encode(b, &r, &d->meta_key_len, &d->meta_len, err) == -1)
			return -1;
	}
	return 0;
}

static size_t
count_records(const struct batch *b)
{
	size_t n = 0, i;

	for (i = 0; i < b->draft_count; i++)
		n += 1 + b->drafts[i]->gone_count + b->drafts[i]->added_count;
	return n;
}

/* The tombstones' keys, encoded behind everything else in one go: positions
 * go to ${at}, which has one more than there are. */
static int
encode_tombstones(struct batch *b, size_t *at, struct error *err)
{
	struct record r = { .type = RECORD_SECRET, .tombstone = true };
	size_t i, j, key_len, value_len, n = 0;

	for (i = 0; i < b->draft_count; i++) {
		const struct draft *d = b->drafts[i];

		r.path = d->path;
		r.path_len = d->path_len;
		r.key = d->key;
		r.key_len = d->key_len;
		for (j = 0; j < d->gone_count; j++) {
			r.version = d->gone[j].number;
			memcpy(r.claim, d->gone[j].claim, sizeof(r.claim));
			at[n++] = b->bytes.len;
			if (batch_encode(b, &r, &key_len, &value_len, err) == -1)
				return -1;
		}
	}
	at[n] = b->bytes.len;
	return 0;
}

/* All bytes are encoded and stay where they are: put the records together. */
static size_t
assemble(struct batch *b, const size_t *at, struct log_record *records)
{
	const unsigned char *bytes = b->bytes.data;
	size_t n = 0, i, j;

	for (i = 0; i < b->draft_count; i++) {
		struct draft *d = b->drafts[i];

		if (d->changed)
			records[n++] = (struct log_record){ bytes + d->meta_at, d->meta_key_len,
			    bytes + d->meta_at + d->meta_key_len, d->meta_len };
		for (j = 0; j < d->gone_count; j++, at++)
			records[n++] = (struct log_record){ bytes + at[0], at[1] - at[0], NULL, 0 };
		d->last = n > 0 ? n - 1 : 0;
		for (j = 0; j < d->added_count; j++) {
			struct draft_added *a = &d->added[j];
			struct draft_version v;

			/* Made and destroyed at once: its number is all that is left. */
			a->record = d->last;
			if (draft_find(d, a->number, b->now_ms, &v) &&
			    v.status == VERSION_DESTROYED)
				continue;
			a->record = n;
			records[n++] = (struct log_record){ bytes + a->key_at, a->key_len,
			    bytes + a->value_at, a->value_len };
		}
	}
	return n;
}

static void
tell_offsets(struct batch *b, uint64_t first)
{
	size_t i;

	for (i = 0; i < b->op_count; i++) {
		const struct batch_op *o = &b->ops[i];

		if (o->draft == NULL)
			continue;
		o->op->offset = first + (o->added == SIZE_MAX ? o->draft->last :
		    o->draft->added[o->added].record);
	}
}

int
batch_commit(struct batch *b, struct error *err)
{
	size_t count = count_records(b);
	struct log_record *records;
	uint64_t first = 0;
	size_t *at, n;
	int result = -1;

	if (b->broken)
		return error_memory(err);
	if (b->draft_count == 0)
		return 0;
	records = calloc(count, sizeof(*records));
	at = calloc(count + 1, sizeof(*at));
	if (records == NULL || at == NULL) {
		error_memory(err);
		goto out;
	}
	if (encode_metas(b, err) == -1 || encode_tombstones(b, at, err) == -1)
		goto out;
	n = assemble(b, at, records);
	result = n > 0 ? store_append(b->store, records, n, &first, err) : 0;
	if (result == 0 && n > 0)
		tell_offsets(b, first);
out:
	free(records);
	free(at);
	return result;
}
