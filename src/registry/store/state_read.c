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

const struct state_path *
state_path_find(const struct state *s, const char *name, size_t n)
{
	const struct state_path *p = state_path_any(s, name, n);

	return p != NULL && p->seen > 0 ? p : NULL;
}

const struct state_path *
state_path_after(const struct state *s, const char *name, size_t n)
{
	const struct state_path *p = state_index_after(&s->paths, name, n);

	while (p != NULL && p->seen == 0)
		p = state_index_after(&s->paths, p->name, p->name_len);
	return p;
}

const char *
state_path_name(const struct state_path *p, size_t *n)
{
	*n = p->name_len;
	return p->name;
}

const struct state_key *
state_key_find(const struct state_path *p, const char *name, size_t n)
{
	const struct state_key *k = state_index_find(&p->keys, name, n);

	return k != NULL && k->high > 0 ? k : NULL;
}

const struct state_key *
state_key_known(const struct state *s, const char *path, size_t path_len, const char *key,
    size_t key_len)
{
	const struct state_path *p = state_path_any(s, path, path_len);
	const struct state_key *k = p != NULL ? state_index_find(&p->keys, key, key_len) : NULL;

	return k != NULL && (k->high > 0 || (k->more != NULL && k->more->mcas > 0)) ? k : NULL;
}

const struct state_key *
state_key_after(const struct state_path *p, const char *name, size_t n)
{
	const struct state_key *k = state_index_after(&p->keys, name, n);

	while (k != NULL && k->high == 0)
		k = state_index_after(&p->keys, k->name, k->name_len);
	return k;
}

const char *
state_key_name(const struct state_key *k, size_t *n)
{
	*n = k->name_len;
	return k->name;
}

static bool
is_live(const struct state_version *v, int64_t now_ms)
{
	return !v->deleted && (!v->expires || state_version_expires(v) > now_ms);
}

static void
view(const struct state_key *k, const struct state_version *v, int64_t now_ms,
    struct version_view *out)
{
	const struct state_deleted *d = v->deleted ? state_deleted_find(k->more, v->number) : NULL;

	out->number = v->number;
	out->status = d != NULL ? VERSION_DELETED :
	    is_live(v, now_ms) ? VERSION_LIVE : VERSION_EXPIRED;
	out->created_ms = v->created_ms;
	out->expires_ms = state_version_expires(v);
	out->deleted_ms = d != NULL ? d->at_ms : 0;
	out->created_by = v->by;
	out->deleted_by = d != NULL ? d->by : "";
	out->sealed = state_version_sealed(v);
	out->sealed_len = v->sealed_len;
	out->offset = v->offset;
	memcpy(out->claim, v->claim, sizeof(out->claim));
	out->idem = state_version_idem(v);
}

size_t
state_version_count(const struct state_key *k)
{
	return k->count;
}

void
state_version_at(const struct state_key *k, size_t i, int64_t now_ms, struct version_view *out)
{
	view(k, state_version_of(k, i), now_ms, out);
}

bool
state_version_find(const struct state_key *k, uint32_t number, int64_t now_ms,
    struct version_view *out)
{
	size_t i = state_version_rank(k, number);

	if (i == k->count || state_version_of(k, i)->number != number)
		return false;
	view(k, state_version_of(k, i), now_ms, out);
	return true;
}

bool
state_version_latest(const struct state_key *k, int64_t now_ms, struct version_view *out)
{
	size_t i;

	for (i = k->live > 0 ? k->count : 0; i-- > 0; ) {
		const struct state_version *v = state_version_of(k, i);

		if (is_live(v, now_ms)) {
			view(k, v, now_ms, out);
			return true;
		}
	}
	return false;
}

bool
state_key_live(const struct state_key *k, int64_t now_ms)
{
	size_t i;

	for (i = k->live > 0 ? k->count : 0; i-- > 0; ) {
		if (is_live(state_version_of(k, i), now_ms))
			return true;
	}
	return false;
}

bool
state_path_live(const struct state_path *p, int64_t now_ms)
{
	const struct state_key *k;

	if (p->live == 0)
		return false;
	for (k = state_key_after(p, "", 0); k != NULL;
	    k = state_key_after(p, k->name, k->name_len)) {
		if (state_key_live(k, now_ms))
			return true;
	}
	return false;
}

bool
state_version_by_idem(const struct state_key *k, const unsigned char digest[32],
    struct version_view *out)
{
	const unsigned char *idem;
	size_t i;

	for (i = k->count; i-- > 0; ) {
		idem = state_version_idem(state_version_of(k, i));
		if (idem != NULL && memcmp(idem, digest, 32) == 0) {
			view(k, state_version_of(k, i), INT64_MIN, out);
			return true;
		}
	}
	return false;
}

void
state_key_meta(const struct state_key *k, struct key_meta *out)
{
	static const struct state_more none;
	const struct state_more *m = k->more != NULL ? k->more : &none;

	out->high = k->high;
	out->max_versions = m->max_versions;
	out->cas_required = m->cas_required;
	out->custom = m->custom != NULL ? m->custom : "{}";
	out->updated_ms = m->updated_ms;
	out->updated_by = m->updated_by != NULL ? m->updated_by : "";
	out->mcas = m->mcas;
	out->destroyed_count = m->destroyed_count;
}

void
state_key_destroyed(const struct state_key *k, size_t i, uint32_t *from, uint32_t *to)
{
	*from = k->more->destroyed[i].from;
	*to = k->more->destroyed[i].to;
}
