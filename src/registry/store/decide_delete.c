#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "registry/store/batch.h"
#include "registry/store/decide.h"
#include "registry/store/store_internal.h"

/* Deleting, undeleting and destroying versions. */

/* Room for ${n} more touched versions, and for ${bytes} of their keys' names. */
static int
touch_reserve(struct store_op *op, size_t n, size_t bytes)
{
	struct store_touched *t;

	t = realloc(op->touched, (op->touched_count + n) * sizeof(*t));
	if (t == NULL || buf_reserve(&op->names, bytes) == -1) {
		if (t != NULL)
			op->touched = t;
		return error_memory(&op->err);
	}
	op->touched = t;
	return 0;
}

/* The versions touched since the last call are of this key. */
static void
touch_key(struct store_op *op, size_t from, const struct draft *d)
{
	const char *name;

	if (from == op->touched_count)
		return;
	name = (const char *)op->names.data + op->names.len;
	buf_append(&op->names, d->key, d->key_len);
	for (; from < op->touched_count; from++) {
		op->touched[from].key = name;
		op->touched[from].key_len = d->key_len;
	}
}

static bool
is_past(const struct batch *b, int64_t at_ms)
{
	int64_t now = b->now_ms;

	return at_ms != 0 && now > at_ms && (uint64_t)(now - at_ms) >= b->store->window_ms;
}

/* Does the request's If-Match allow to delete? */
static bool
decide_delete_matches(const struct batch *b, struct store_op *op, const struct draft *d)
{
	op->current = draft_latest(d, b->now_ms);
	if (op->if_match < 0 || op->if_match == (int64_t)op->current)
		return true;
	op->result = STORE_PRECONDITION;
	return false;
}

/* Delete ${number}, or every live version if it is 0; false: it failed. */
static bool
delete_versions(struct batch *b, struct store_op *op, struct draft *d, uint32_t number,
    int64_t at_ms)
{
	size_t n = (d->base != NULL ? d->base->count : 0) + d->added_count;
	size_t from = op->touched_count, runs = 0, i;
	struct draft_version v;
	uint32_t x, before = 0;

	if (touch_reserve(op, number != 0 ? 1 : n, d->key_len) == -1)
		return false;
	for (i = 0; i < n; i++) {
		x = i < n - d->added_count ? state_version_of(d->base, i)->number :
		    d->added[i - (n - d->added_count)].number;
		if ((number != 0 && x != number) || !draft_find(d, x, b->now_ms, &v) ||
		    v.status != VERSION_LIVE)
			continue;
		op->touched[op->touched_count++] = (struct store_touched){ NULL, 0, x };
		runs += runs == 0 || x != before + 1;
		before = x;
	}
	if (from == op->touched_count)
		return true;
	if (decide_fits(d, runs, decide_by(op), 0, &op->err) == -1)
		return false;
	if (draft_deleted(d) + n > RECORD_DELETED_MAX) {
		error_set(&op->err, ERROR_LIMIT, "too many deleted versions of one key");
		return false;
	}
	for (i = from; i < op->touched_count; i++) {
		if (draft_delete(d, op->touched[i].version, at_ms, decide_by(op)) == -1)
			b->broken = true;
	}
	touch_key(op, from, d);
	decide_write(b, op, d, SIZE_MAX);
	return true;
}

void
decide_delete(struct batch *b, struct store_op *op, uint32_t number)
{
	struct draft *d = decide_draft(b, op);

	if (d == NULL || !decide_delete_matches(b, op, d))
		return;
	op->result = STORE_ABSENT;
	if (!delete_versions(b, op, d, number, store_stamp(b->store)))
		decide_fail(op);
}

/* The batch has no drafts yet (store_run): the state says what there is. */
void
decide_delete_path(struct batch *b, struct store_op *op)
{
	const struct state_path *p = state_path_find(b->store->state, op->path, op->path_len);
	const struct state_key *k;
	int64_t at_ms = store_stamp(b->store);
	size_t names = 0;
	struct draft *d;

	op->result = STORE_ABSENT;
	if (p == NULL)
		return;
	for (k = state_key_after(p, "", 0); k != NULL;
	    k = state_key_after(p, k->name, k->name_len))
		names += k->name_len;
	if (touch_reserve(op, 1, names) == -1) {
		decide_fail(op);
		return;
	}
	for (k = state_key_after(p, "", 0); k != NULL;
	    k = state_key_after(p, k->name, k->name_len)) {
		if (!state_key_live(k, b->now_ms))
			continue;
		memcpy(op->key, k->name, k->name_len);
		op->key_len = k->name_len;
		d = decide_draft(b, op);
		if (d == NULL || !delete_versions(b, op, d, 0, at_ms)) {
			/* All of the path or nothing. */
			batch_forget(b);
			b->ops[b->op_count - 1].draft = NULL;
			decide_fail(op);
			break;
		}
	}
	memset(op->key, 0, sizeof(op->key));
	op->key_len = 0;
}

void
decide_undelete(struct batch *b, struct store_op *op)
{
	struct draft *d = decide_draft(b, op);
	struct draft_version v;

	if (d == NULL)
		return;
	op->result = STORE_ABSENT;
	if (!draft_find(d, op->version, b->now_ms, &v))
		return;
	if (v.status == VERSION_DESTROYED || is_past(b, v.deleted_ms)) {
		op->result = STORE_DESTROYED;
		return;
	}
	if (v.expires_ms != 0 && v.expires_ms <= b->now_ms)
		return;
	op->result = STORE_DONE;
	if (v.status == VERSION_LIVE) {
		op->offset = v.offset;
		return;
	}
	/* It may cut a run in two. */
	if (touch_reserve(op, 1, d->key_len) == -1 ||
	    decide_fits(d, 1, v.deleted_by, 0, &op->err) == -1) {
		decide_fail(op);
		return;
	}
	if (draft_undelete(d, op->version) == -1) {
		error_memory(&op->err);
		decide_fail(op);
		return;
	}
	op->touched[op->touched_count++].version = op->version;
	touch_key(op, op->touched_count - 1, d);
	decide_write(b, op, d, SIZE_MAX);
}

void
decide_destroy(struct batch *b, struct store_op *op)
{
	struct draft *d = decide_draft(b, op);
	struct draft_version v;

	if (d == NULL || !decide_delete_matches(b, op, d))
		return;
	op->result = STORE_ABSENT;
	if (!draft_find(d, op->version, b->now_ms, &v) || v.status == VERSION_DESTROYED)
		return;
	if (touch_reserve(op, 1, d->key_len) == -1 || decide_fits(d, 0, "", 512, &op->err) == -1) {
		decide_fail(op);
		return;
	}
	if (draft_destroy(d, op->version) == -1) {
		error_memory(&op->err);
		decide_fail(op);
		return;
	}
	op->touched[op->touched_count++].version = op->version;
	touch_key(op, op->touched_count - 1, d);
	decide_write(b, op, d, SIZE_MAX);
}
