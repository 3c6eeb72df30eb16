#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/random.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/names.h"
#include "registry/store/store_internal.h"

/* What a META may grow to by its estimate; the rest is for its names. */
#define META_MAX (LOG_VALUE_MAX - 4096)

/* Deciding ops against the state and what is pending: what all actions need. */

static const char *
decide_by(const struct store_op *op)
{
	return op->by != NULL ? op->by : "";
}

static void
decide_fail(struct store_op *op)
{
	op->result = STORE_FAILED;
}

/* The op (the batch's last) writes something: its offset will be that of the
 * draft's added version ${added}, or with SIZE_MAX that of its META. */
static void
decide_write(struct batch *b, struct store_op *op, struct draft *d, size_t added)
{
	struct batch_op *o = &b->ops[b->op_count - 1];

	o->draft = d;
	o->added = added;
	op->result = STORE_DONE;
}

static bool
is_foreign(const struct draft *d)
{
	return d->base != NULL && d->base->more != NULL && d->base->more->foreign;
}

/* The draft of the op's key; NULL: the op has failed. */
static struct draft *
decide_draft(struct batch *b, struct store_op *op)
{
	struct draft *d = batch_draft(b, op->path, op->path_len, op->key, op->key_len, &op->err);

	if (d != NULL && is_foreign(d)) {
		error_set(&op->err, ERROR_REFUSED, "the key's metadata were written by a newer "
		    "release, or are damaged, and would be lost");
		error_hint(&op->err, "use the release that wrote them");
		d = NULL;
	}
	if (d == NULL)
		decide_fail(op);
	return d;
}

/* Can the draft's META take so much more (draft_meta_size)?  ERROR_LIMIT. */
static int
decide_fits(const struct draft *d, size_t runs, const char *by, size_t extra, struct error *err)
{
	if (draft_meta_size(d, runs, by, extra) <= META_MAX)
		return 0;
	error_set(err, ERROR_LIMIT, "the key's metadata would be too large");
	return error_hint(err, "destroy versions that are deleted, or set max_versions");
}

static bool
is_object(struct buf *text)
{
	json_t *j;
	bool ok;

	if (memchr(text->data, '\0', text->len) != NULL)
		return false;
	j = json_loadb((const char *)text->data, text->len, 0, NULL);
	ok = json_is_object(j);
	json_decref(j);
	return ok;
}

/* Take over the op's custom metadata, if it brings any. */
static int
decide_custom(struct batch *b, struct store_op *op, struct draft *d)
{
	if (op->custom.len == 0)
		return 0;
	if (buf_check(&op->custom, &op->err) == -1)
		return -1;
	if (!is_object(&op->custom))
		return error_set(&op->err, ERROR_FORMAT, "metadata is not a JSON object");
	if (decide_fits(d, 0, "", op->custom.len, &op->err) == -1)
		return -1;
	if (draft_change(d) == -1)
		return error_memory(&op->err);
	d->custom = buf_cstr(&op->custom);
	if (op->action == STORE_CREATE) {
		d->updated_ms = store_stamp(b->store);
		d->updated_by = decide_by(op);
		d->mcas++;
	}
	return 0;
}

static void
set_meta(struct batch *b, struct store_op *op)
{
	struct draft *d = decide_draft(b, op);

	if (d == NULL)
		return;
	/* Settings may be there before the first version. */
	op->current = d->mcas;
	op->result = STORE_CAS_MISMATCH;
	if (op->cas >= 0 && op->cas != (int64_t)d->mcas)
		return;
	op->result = d->high > 0 || d->mcas > 0 ? STORE_DONE : STORE_ABSENT;
	if (op->custom.len == 0 && !op->set_max_versions && !op->set_cas_required)
		return;
	if (decide_custom(b, op, d) == -1) {
		decide_fail(op);
		return;
	}
	if (draft_change(d) == -1) {
		error_memory(&op->err);
		decide_fail(op);
		return;
	}
	if (op->set_max_versions)
		d->max_versions = op->max_versions;
	if (op->set_cas_required)
		d->cas_required = op->cas_required;
	d->updated_ms = store_stamp(b->store);
	d->updated_by = decide_by(op);
	d->mcas++;
	op->current = d->mcas;
	decide_write(b, op, d, SIZE_MAX);
}

/* Making a version. */

/* The same key again: the first answer, or another body. */
static bool
repeats(struct batch *b, struct store_op *op, struct draft *d)
{
	uint32_t number = op->has_idem ? draft_by_idem(d, op->idem) : 0;
	struct draft_version v;

	if (number == 0 || !draft_find(d, number, b->now_ms, &v))
		return false;
	if (memcmp(v.idem + 32, op->idem + 32, 32) != 0) {
		op->result = STORE_IDEM_MISMATCH;
		return true;
	}
	op->version = number;
	op->created_ms = v.created_ms;
	op->expires_ms = v.expires_ms;
	op->offset = v.offset;
	if (v.added != SIZE_MAX)
		decide_write(b, op, d, v.added);
	op->result = STORE_REPEATED;
	return true;
}

/* What the request says about the current version. */
static bool
may_create(struct batch *b, struct store_op *op, const struct draft *d)
{
	uint32_t current = draft_latest(d, b->now_ms);

	op->current = current;
	if (d->cas_required && op->cas < 0)
		op->result = STORE_CAS_MISSING;
	else if (op->cas >= 0 && op->cas != (int64_t)current)
		op->result = STORE_CAS_MISMATCH;
	else if (op->if_match >= 0 && op->if_match != (int64_t)current)
		op->result = STORE_PRECONDITION;
	else if (op->if_none_match && current != 0)
		op->result = STORE_PRECONDITION;
	else if (d->high >= NAME_VERSION_MAX)
		op->result = STORE_EXHAUSTED;
	else
		return true;
	return false;
}

static int
decide_create_encode_secret(struct batch *b, struct store_op *op, struct draft_added *a,
    const struct draft *d, struct error *err)
{
	struct store *s = b->store;
	struct sealed_name name = { d->path, d->path_len, d->key, d->key_len, a->number,
	    a->created_ms, a->expires_ms };
	struct record r = { .type = RECORD_SECRET, .path = d->path, .path_len = d->path_len,
	    .key = d->key, .key_len = d->key_len, .version = a->number,
	    .created_ms = a->created_ms, .expires_ms = a->expires_ms, .created_by = decide_by(op),
	    .epoch = s->epoch, .has_idem = op->has_idem };

	if (random_pool_take(s->pool, a->claim, sizeof(a->claim), err) == -1)
		return -1;
	memcpy(r.claim, a->claim, sizeof(r.claim));
	memcpy(r.idem, op->idem, sizeof(r.idem));
	buf_clear(&s->sealed);
	if (buf_check(&op->value, err) == -1 ||
	    sealer_seal(s->sealer, &name, op->value.data, op->value.len, &s->sealed, err) == -1)
		return -1;
	r.sealed = s->sealed.data;
	r.sealed_len = s->sealed.len;
	a->key_at = b->bytes.len;
	if (batch_encode(b, &r, &a->key_len, &a->value_len, err) == -1)
		return -1;
	a->value_at = a->key_at + a->key_len;
	return 0;
}

/* Destroy the oldest ones beyond the key's limit. */
static int
decide_create_prune(struct draft *d, struct error *err)
{
	while (d->max_versions > 0 && draft_held(d) > d->max_versions) {
		if (draft_destroy(d, draft_oldest(d)) == -1)
			return error_memory(err);
	}
	return 0;
}

static void
decide_create(struct batch *b, struct store_op *op)
{
	struct draft *d = decide_draft(b, op);
	struct draft_added new = { .op = op }, *a;

	if (d == NULL || repeats(b, op, d) || !may_create(b, op, d))
		return;
	new.number = d->high + 1;
	new.created_ms = store_stamp(b->store);
	if (op->ttl_ms > 0)
		new.expires_ms = op->ttl_ms < INT64_MAX - new.created_ms ?
		    new.created_ms + op->ttl_ms : INT64_MAX;
	/* Nothing of the draft changes before all that may fail has been done. */
	if (decide_fits(d, 0, "", op->custom.len + (d->max_versions > 0 ? 4096 : 0),
	    &op->err) == -1 ||
	    decide_create_encode_secret(b, op, &new, d, &op->err) == -1 || decide_custom(b, op,
	    d) == -1) {
		decide_fail(op);
		return;
	}
	a = draft_add(d, new.number);
	if (a == NULL) {
		error_memory(&op->err);
		decide_fail(op);
		return;
	}
	*a = new;
	op->version = new.number;
	op->created_ms = new.created_ms;
	op->expires_ms = new.expires_ms;
	decide_write(b, op, d, d->added_count - 1);
	if (decide_create_prune(d, &op->err) == -1)
		b->broken = true;
}

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

static void
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
static void
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

/* The op's version was changed in the draft, or there was no memory. */
static void
end_one(struct batch *b, struct store_op *op, struct draft *d, int result)
{
	if (result == -1) {
		error_memory(&op->err);
		decide_fail(op);
		return;
	}
	op->touched[op->touched_count++].version = op->version;
	touch_key(op, op->touched_count - 1, d);
	decide_write(b, op, d, SIZE_MAX);
}

static void
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
	end_one(b, op, d, draft_undelete(d, op->version));
}

static void
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
	end_one(b, op, d, draft_destroy(d, op->version));
}

/* The actions: each sets the op's result, and adds to the batch what is to be
 * written; what fails leaves the drafts as they were. */
void
decide_op(struct batch *b, struct store_op *op)
{
	struct batch_op *o = &b->ops[b->op_count++];

	o->op = op;
	o->draft = NULL;
	o->added = SIZE_MAX;
	op->result = STORE_DONE;
	switch (op->action) {
	case STORE_CREATE:
		decide_create(b, op);
		break;
	case STORE_DELETE_VERSION:
		decide_delete(b, op, op->version);
		break;
	case STORE_DELETE_KEY:
		decide_delete(b, op, 0);
		break;
	case STORE_DELETE_PATH:
		decide_delete_path(b, op);
		break;
	case STORE_UNDELETE:
		decide_undelete(b, op);
		break;
	case STORE_DESTROY:
		decide_destroy(b, op);
		break;
	case STORE_META:
		set_meta(b, op);
		break;
	case STORE_BARRIER:
		break;
	}
}
