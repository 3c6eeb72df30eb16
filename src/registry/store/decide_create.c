#include <string.h>

#include "base/error.h"
#include "crypto/random.h"
#include "registry/keys/keyring.h"
#include "registry/store/batch.h"
#include "registry/store/decide.h"
#include "registry/store/names.h"
#include "registry/store/store_internal.h"

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
    const struct draft *d,
    struct error *err)
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

void
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
