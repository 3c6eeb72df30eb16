#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/store_internal.h"

/* Claiming the log, and reading it again: at the start, and when an append has
 * had no answer. */

/* Reading the log again, looking out for a batch on the way. */
struct reading {
	struct store *store;
	const struct log_record *probe;	/* NULL: not looking */
	bool found;
	uint64_t offset;
};

static bool
store_claim_same(const struct log_record *a, const struct log_record *b)
{
	if (a->key_len != b->key_len || memcmp(a->key, b->key, a->key_len) != 0 ||
	    (a->value == NULL) != (b->value == NULL))
		return false;
	return a->value == NULL || (a->value_len == b->value_len &&
	    memcmp(a->value, b->value, a->value_len) == 0);
}

static int
store_claim_visit(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	struct reading *x = cookie;

	if (x->probe != NULL && store_claim_same(r, x->probe)) {
		x->found = true;
		x->offset = offset;
	}
	return state_apply(x->store->state, offset, r, err);
}

/* Readers wait, so that they see all of a batch or nothing. */
static int
store_claim_read_on(struct reading *x, struct error *err)
{
	struct store *s = x->store;
	int result;

	state_lock_exclusive(s->state);
	result = log_read(s->log, state_offset(s->state), store_claim_visit, x, err);
	state_unlock(s->state);
	s->behind = result != 0;
	return s->behind ? -1 : 0;
}

int
store_fold(struct store *s, struct error *err)
{
	struct reading x = { .store = s };

	return store_claim_read_on(&x, err);
}

int
store_catch_up(struct store *s, struct error *err)
{
	if (!s->behind)
		return 0;
	if (store_fold(s, err) == 0)
		return 0;
	atomic_store(&s->unready, "the log cannot be read");
	return -1;
}

/* The record by which a batch is known again: one with a claim, if any. */
static size_t
probe_of(const struct log_record *records, size_t n)
{
	static const char secret[] = "{" JSON_NAME("t") "\"SECRET\"";
	size_t i;

	for (i = 0; i < n; i++) {
		if (records[i].value != NULL && records[i].key_len > sizeof(secret) &&
		    memcmp(records[i].key, secret, sizeof(secret) - 1) == 0)
			return i;
	}
	return 0;
}

/* Is the log's keyring ${before}, or what this process has sent? */
static bool
store_claim_is_ours(const struct store *s, const char *before)
{
	struct buf text;
	const char *now;
	size_t n;
	bool same;

	now = state_keyring(s->state, &n);
	if ((now == NULL) == (before == NULL) && (now == NULL || strcmp(now, before) == 0))
		return true;
	buf_init(&text, LOG_VALUE_MAX);
	same = now != NULL && keyring_encode(s->ring, &text, NULL) == 0 && text.len == n &&
	    memcmp(text.data, now, n) == 0;
	buf_release(&text);
	return same;
}

/* Claim the log, and see what came in while it was not, or not yet, ours. */
static int
claim_and_read(struct reading *x, const char *keyring, struct error *err)
{
	struct store *s = x->store;

	if (log_claim(s->log, s->node, &s->epoch, err) == -1) {
		atomic_store(&s->unready, "the log cannot be claimed");
		return -1;
	}
	if (store_claim_read_on(x, err) == -1) {
		atomic_store(&s->unready, "the log cannot be read");
		return -1;
	}
	if (store_claim_is_ours(s, keyring)) {
		s->unsettled = false;
		return 0;
	}
	s->fenced = true;
	atomic_store(&s->unready, "another process has claimed the log");
	return error_set(err, ERROR_BUSY, "another process changed the keyring; start again");
}

static int
store_claim_claim(struct reading *x, struct error *err)
{
	size_t n;
	const char *text = state_keyring(x->store->state, &n);
	char *copy = text != NULL ? strdup(text) : NULL;
	int result;

	if (text != NULL && copy == NULL)
		return error_memory(err);
	result = claim_and_read(x, copy, err);
	free(copy);
	return result;
}

int
store_claim(struct store *s, struct error *err)
{
	struct reading x = { .store = s };

	return store_claim_claim(&x, err);
}

/*
 * Sent, and no answer: has it come to stand in the log?  As long as it has not
 * it still may, behind what is written later and was decided without it: what
 * was deleted would be back, or data keys gone.  A claim of our own keeps it
 * out, and then the log tells.
 */
int
store_look_for(struct store *s, const struct log_record *records, size_t n, uint64_t *first,
    struct error *err)
{
	size_t i = probe_of(records, n);
	struct reading x = { .store = s, .probe = &records[i] };
	struct error why = { 0 };

	s->unsettled = true;
	if (store_claim_read_on(&x, &why) == 0 && x.found)
		s->unsettled = false;
	else if (store_claim_claim(&x, &why) == -1)
		return error_set(err, ERROR_STALE, "the outcome is not known, and the log cannot "
		    "be asked: %s", why.text);
	if (!x.found)
		return error_set(err, ERROR_STALE, "the outcome of the append is not known");
	*first = x.offset - i;
	return 0;
}
