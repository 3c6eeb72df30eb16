#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "registry/log/log.h"
#include "registry/store/batch.h"
#include "registry/store/decide.h"
#include "registry/store/store_internal.h"

/* Deciding ops against the state and what is pending: what all actions need. */

/* What a META may grow to by its estimate; the rest is for its names. */
#define META_MAX (LOG_VALUE_MAX - 4096)

const char *
decide_by(const struct store_op *op)
{
	return op->by != NULL ? op->by : "";
}

void
decide_fail(struct store_op *op)
{
	op->result = STORE_FAILED;
}

void
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

struct draft *
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

int
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

int
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
