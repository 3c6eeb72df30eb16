#include <string.h>

#include "registry/store/state_internal.h"

/* Folding a SECRET record. */

static bool
is_claim(const struct state_version *v, const struct record *r)
{
	return v->number == r->version && memcmp(v->claim, r->claim, sizeof(v->claim)) == 0;
}

/* Where this very claim is among the losers; SIZE_MAX: nowhere. */
static size_t
loser_of(const struct state_key *k, const struct record *r)
{
	size_t i;

	if (k->more == NULL)
		return SIZE_MAX;
	for (i = 0; i < k->more->loser_count; i++) {
		if (is_claim(k->more->losers[i], r))
			return i;
	}
	return SIZE_MAX;
}

static int
fold_tombstone(struct state *s, uint64_t offset, const struct record *r)
{
	struct state_path *p = state_path_any(s, r->path, r->path_len);
	struct state_key *k = p != NULL ? state_index_find(&p->keys, r->key, r->key_len) : NULL;
	size_t i;

	if (k == NULL)
		return 0;
	i = state_version_rank(k, r->version);
	if (i < k->count && is_claim(state_version_of(k, i), r)) {
		state_version_free(s, state_version_remove(s, k, i));
		if (state_change_add(s, offset, k, r->version, STATE_DESTROYED) == -1)
			return -1;
		return state_settle(s, k, r->version, offset);
	}
	i = loser_of(k, r);
	if (i != SIZE_MAX)
		state_version_free(s, state_loser_remove(s, k, i));
	return 0;
}

static int
state_fold_add(struct state *s, uint64_t offset, struct state_key *k, struct state_version *v)
{
	size_t i = state_version_rank(k, v->number);
	struct state_version *old = i < k->count ? state_version_of(k, i) : NULL;
	int64_t expires = state_version_expires(v);

	v->deleted = k->more != NULL && state_deleted_find(k->more, v->number) != NULL;
	if (old != NULL && old->number == v->number &&
	    memcmp(old->claim, v->claim, sizeof(v->claim)) == 0) {
		/* The same version, sealed again: a later offset may lose. */
		state_version_free(s, state_version_swap(s, k, i, v));
		return state_settle(s, k, v->number, offset);
	}
	if (state_is_destroyed(k->more, v->number))
		return state_loser_add(s, k, v);
	if (old != NULL && old->number == v->number) {
		if (state_loser_add(s, k, v) == -1)
			return -1;
		return state_settle(s, k, v->number, offset);
	}
	if (state_version_insert(s, k, v) == -1)
		return -1;
	if (expires != 0 && state_due_add(s, k, expires) == -1)
		return -1;
	if (v->deleted && state_due_again(s, k) == -1)
		return -1;
	return state_change_add(s, offset, k, v->number, STATE_CREATED);
}

int
state_fold_secret(struct state *s, uint64_t offset, const struct record *r)
{
	struct state_version *v;
	struct state_path *p;
	struct state_key *k;
	const char *by;
	size_t i;

	if (r->tombstone)
		return fold_tombstone(s, offset, r);
	p = state_path_put(s, r->path, r->path_len);
	k = p != NULL ? state_key_put(s, p, r->key, r->key_len) : NULL;
	if (k == NULL)
		return -1;
	/* Even a record that cannot be read takes its number. */
	state_raise_high(s, k, r->version);
	if (r->type != RECORD_SECRET)
		return 0;
	if (r->created_ms > s->last_ms)
		s->last_ms = r->created_ms;
	by = state_principal_put(s, r->created_by);
	if (by == NULL)
		return -1;
	v = state_version_new(s, offset, by, r);
	if (v == NULL)
		return -1;
	i = loser_of(k, r);
	if (i != SIZE_MAX) {
		state_version_free(s, k->more->losers[i]);
		k->more->losers[i] = v;
		return state_settle(s, k, r->version, offset);
	}
	return state_fold_add(s, offset, k, v);
}
