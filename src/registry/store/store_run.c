#include <stdlib.h>

#include "base/error.h"
#include "registry/store/batch.h"
#include "registry/store/decide.h"
#include "registry/store/store_internal.h"

/* Running ops: in batches, each decided, written, told. */

static void
fail_op(struct store_op *op, const struct error *why)
{
	op->result = why->code == ERROR_STALE ? STORE_UNKNOWN : STORE_FAILED;
	op->err = *why;
	op->touched_count = 0;
	op->offset = 0;
}

/* ${why} NULL: the ops have their results. */
static void
store_run_tell(struct batch_op *ops, size_t n, const struct error *why)
{
	struct store_op *op;
	size_t i;

	for (i = 0; i < n; i++) {
		op = ops[i].op;
		if (why != NULL)
			fail_op(op, why);
		if (op->done != NULL)
			op->done(op);
	}
}

static void
store_run_fail_all(struct store_op *ops, const struct error *why)
{
	struct store_op *next;

	for (; ops != NULL; ops = next) {
		next = ops->next;
		fail_op(ops, why);
		if (ops->done != NULL)
			ops->done(ops);
	}
}

static bool
has_room(const struct batch *b, const struct store_op *op)
{
	if (b->op_count == STORE_BATCH_OPS || b->bytes.len >= STORE_BATCH_BYTES)
		return false;
	/* It looks at the state alone, so nothing may be pending. */
	return op->action != STORE_DELETE_PATH || b->draft_count == 0;
}

/* Whether anything of a failed batch may have come about is for STALE alone. */
static void
run_batch(struct batch *b)
{
	struct error why = { 0 };

	store_run_tell(b->ops, b->op_count, batch_commit(b, &why) == -1 ? &why : NULL);
}

void
store_run(struct store *s, struct store_op *ops)
{
	struct error why = { 0 };
	struct store_op *op;
	struct batch *b;

	while (ops != NULL) {
		b = store_prepare(s, &why) == 0 ? batch_new(s, &why) : NULL;
		if (b == NULL) {
			/* Not even begun: nothing was written. */
			why.code = why.code == ERROR_STALE ? ERROR_IO : why.code;
			store_run_fail_all(ops, &why);
			return;
		}
		while (ops != NULL && has_room(b, ops)) {
			op = ops;
			ops = op->next;
			decide_op(b, op);
		}
		run_batch(b);
		batch_free(b);
	}
}
