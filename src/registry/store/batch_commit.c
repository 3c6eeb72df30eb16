#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/log/log.h"
#include "registry/store/batch.h"
#include "registry/store/store_internal.h"

/* From drafts to records, and into the log. */

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

/* The ops that write something, in the order in which they were decided. */
static size_t
writing(const struct batch *b, struct store_op **ops)
{
	size_t n = 0, i;

	for (i = 0; i < b->op_count; i++) {
		if (b->ops[i].draft != NULL)
			ops[n++] = b->ops[i].op;
	}
	return n;
}

/* What the witness wants to be kept, as records behind the others. */
static size_t
add_carried(const struct store_carry *parts, size_t count, struct buf keys[STORE_CARRY_PARTS],
    struct log_record *records)
{
	struct record r = { .type = RECORD_AUDIT };
	size_t i;

	for (i = 0; i < count; i++) {
		r.slot = parts[i].slot;
		record_encode_key(&r, &keys[i]);
		records[i] = (struct log_record){ keys[i].data, keys[i].len, parts[i].text,
		    parts[i].n };
	}
	return count;
}

static int
check_keys(const struct buf keys[STORE_CARRY_PARTS], struct error *err)
{
	size_t i;

	for (i = 0; i < STORE_CARRY_PARTS; i++) {
		if (buf_check(&keys[i], err) == -1)
			return -1;
	}
	return 0;
}

/* Append them, and let the witness see it. */
static int
append_witnessed(struct batch *b, const struct store_commit_hook *w, struct log_record *records,
    size_t n, struct error *err)
{
	struct store_op *ops[STORE_BATCH_OPS];
	struct store_carry parts[STORE_CARRY_PARTS];
	struct buf keys[STORE_CARRY_PARTS];
	size_t op_count = writing(b, ops), count = 0, i;
	uint64_t first;
	int result = -1;

	if (log_end(b->store->log, &first, err) == -1)
		return -1;
	tell_offsets(b, first);
	if (w->before(w->cookie, ops, op_count, parts, &count, err) != 0)
		return -1;
	for (i = 0; i < STORE_CARRY_PARTS; i++)
		buf_init(&keys[i], LOG_KEY_MAX);
	n += add_carried(parts, count, keys, records + n);
	if (check_keys(keys, err) == 0)
		result = store_append(b->store, records, n, &first, err);
	w->after(w->cookie, ops, op_count, result == 0);
	for (i = 0; i < STORE_CARRY_PARTS; i++)
		buf_release(&keys[i]);
	if (result == 0)
		tell_offsets(b, first);
	return result;
}

static int
batch_commit_append(struct batch *b, struct log_record *records, size_t n, struct error *err)
{
	struct store *s = b->store;
	struct store_commit_hook w;
	uint64_t first;

	if (n == 0)
		return 0;
	/* It may be given while the writer sweeps already. */
	(void)pthread_mutex_lock(&s->mutex);
	w = s->witness;
	(void)pthread_mutex_unlock(&s->mutex);
	/* A sweep is no action of anybody. */
	if (w.before != NULL && b->op_count > 0)
		return append_witnessed(b, &w, records, n, err);
	if (store_append(b->store, records, n, &first, err) == -1)
		return -1;
	tell_offsets(b, first);
	return 0;
}

int
batch_commit(struct batch *b, struct error *err)
{
	size_t count = count_records(b);
	struct log_record *records;
	size_t *at;
	int result = -1;

	if (b->broken)
		return error_memory(err);
	if (b->draft_count == 0)
		return 0;
	records = calloc(count + STORE_CARRY_PARTS, sizeof(*records));
	at = calloc(count + 1, sizeof(*at));
	if (records == NULL || at == NULL)
		error_memory(err);
	else if (encode_metas(b, err) == 0 && encode_tombstones(b, at, err) == 0)
		result = batch_commit_append(b, records, assemble(b, at, records), err);
	free(records);
	free(at);
	return result;
}
