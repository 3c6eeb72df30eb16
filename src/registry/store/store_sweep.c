#include "base/error.h"
#include "registry/store/batch.h"
#include "registry/store/store_internal.h"

/* Destroying versions that were deleted, or have expired, longer ago than they
 * can be undeleted. */

#define KEYS_MAX 64		/* of one step */

/* What was due at or before this time can go. */
static int64_t
limit(const struct store *s, int64_t now_ms)
{
	return now_ms > 0 && (uint64_t)now_ms >= s->window_ms ?
	    now_ms - (int64_t)s->window_ms : INT64_MIN;
}

static bool
is_due(const struct state_key *k, const struct state_version *v, int64_t until_ms)
{
	int64_t expires = state_version_expires(v);

	if (expires != 0 && expires <= until_ms)
		return true;
	return v->deleted && state_deleted_find(k->more, v->number)->at_ms <= until_ms;
}

/* Let the batch destroy what is due of a key. */
static int
sweep_key(struct batch *b, const struct state_key *k, int64_t until_ms, struct error *err)
{
	struct draft *d = NULL;
	size_t i;

	/* Metadata that are not understood must not be written over. */
	if (k->more->foreign)
		return 0;
	for (i = 0; i < k->count; i++) {
		const struct state_version *v = state_version_of(k, i);

		if (!is_due(k, v, until_ms))
			continue;
		if (d == NULL)
			d = batch_draft(b, k->path->name, k->path->name_len, k->name, k->name_len,
			    err);
		if (d == NULL)
			return -1;
		if (draft_destroy(d, v->number) == -1)
			return error_memory(err);
	}
	return 0;
}

bool
store_sweep(struct store *s)
{
	struct state_key *keys[KEYS_MAX];
	struct error err = { 0 };
	struct batch *b = NULL;
	int64_t until_ms = limit(s, store_now(s));
	size_t n = 0, i;
	bool done = false;

	if (s->state->due_count == 0 || s->state->due[0].at_ms > until_ms || s->fenced)
		return false;
	if (store_prepare(s, &err) == 0)
		b = batch_new(s, &err);
	if (b == NULL)
		return false;
	state_lock_exclusive(s->state);
	while (n < KEYS_MAX && (keys[n] = state_due_take(s->state, until_ms)) != NULL)
		n++;
	state_unlock(s->state);
	for (i = 0; i < n; i++) {
		if (sweep_key(b, keys[i], until_ms, &err) == -1)
			break;
	}
	if (i == n)
		done = batch_commit(b, &err) == 0;
	state_lock_exclusive(s->state);
	for (i = 0; i < n; i++) {
		if (!keys[i]->more->foreign && state_due_again(s->state, keys[i]) == -1)
			done = false;
	}
	state_unlock(s->state);
	batch_free(b);
	return done && n > 0;
}
