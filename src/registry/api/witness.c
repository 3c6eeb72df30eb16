#include "registry/api/witness.h"

#include "base/error.h"
#include "registry/api/answer.h"
#include "registry/api/change.h"
#include "registry/api/exchange.h"
#include "registry/api/internal.h"
#include "registry/audit/audit.h"
#include "registry/store/record.h"
#include "registry/store/store.h"

_Static_assert(AUDIT_CARRY_PARTS <= STORE_CARRY_PARTS, "the store takes what the audit gives");
_Static_assert(AUDIT_CARRY_SLOTS <= RECORD_SLOT_MAX + 1, "a record's key can tell each slot");

/*
 * On the store's writer's thread, while the event threads that submitted the
 * changes wait for them.
 */

static int
add(struct audit_commit *commit, struct change *c, struct error *err)
{
	struct audit_event intent, outcome;

	answer_describe(c->x, AUDIT_INTENT, &intent);
	change_done(c);
	answer_describe(c->x, AUDIT_OUTCOME, &outcome);
	return audit_commit_add(commit, &intent, &outcome, err);
}

static int
before(void *cookie, struct store_op *const *ops, size_t n, struct store_carry *parts,
    size_t *count, struct error *err)
{
	struct api *a = cookie;
	struct audit_carry carry[AUDIT_CARRY_PARTS];
	struct change *c;
	size_t i;

	a->commit = audit_commit_new(a->parts.audit, err);
	for (i = 0; a->commit != NULL && i < n; i++) {
		if (add(a->commit, ops[i]->cookie, err) != 0)
			goto fail;
	}
	if (a->commit == NULL || audit_commit_begin(a->commit, carry, count, err) != 0)
		goto fail;
	for (i = 0; i < n; i++) {
		c = ops[i]->cookie;
		c->x->intended = true;
		c->x->wait.seq = audit_commit_intent(a->commit, i);
	}
	for (i = 0; i < *count; i++)
		parts[i] = (struct store_carry){ carry[i].lines, carry[i].n, carry[i].slot };
	return 0;
fail:
	audit_commit_free(a->commit);
	return -1;
}

static void
after(void *cookie, struct store_op *const *ops, size_t n, bool written)
{
	struct api *a = cookie;
	bool failed = audit_commit_end(a->commit, written) != 0;
	struct change *c;
	size_t i;

	for (i = 0; i < n; i++) {
		c = ops[i]->cookie;
		c->x->ended = written;
		c->x->unrecorded = failed;
	}
	audit_commit_free(a->commit);
}

void
witness_begin(struct api *a)
{
	struct store_witness w = { .before = before, .after = after, .cookie = a };

	store_set_witness(a->parts.store, &w);
}
