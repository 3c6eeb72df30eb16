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
batch_find(const struct batch *b, const char *path, size_t path_len, const char *key,
    size_t key_len)
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
	struct draft *d = batch_find(b, path, path_len, key, key_len);
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
