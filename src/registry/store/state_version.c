#include <stdlib.h>
#include <string.h>

#include "registry/keys/keyring.h"
#include "registry/store/state_internal.h"

/* The versions of a key, and the counts that go with them. */

#define EXPIRES_SIZE sizeof(int64_t)
#define IDEM_SIZE 64

static size_t
head_size(const struct state_version *v)
{
	return (v->expires ? EXPIRES_SIZE : 0) + (v->has_idem ? (size_t)IDEM_SIZE : 0);
}

const unsigned char *
state_version_sealed(const struct state_version *v)
{
	return v->bytes + head_size(v);
}

const unsigned char *
state_version_idem(const struct state_version *v)
{
	return v->has_idem ? v->bytes + (v->expires ? EXPIRES_SIZE : 0) : NULL;
}

int64_t
state_version_expires(const struct state_version *v)
{
	int64_t at = 0;

	if (v->expires)
		memcpy(&at, v->bytes, sizeof(at));
	return at;
}

/* Where records under a data key are counted; NULL: with the others. */
static uint64_t *
kid_count(struct state *s, const struct state_version *v)
{
	uint32_t kid = sealed_kid(state_version_sealed(v), v->sealed_len);
	size_t i;

	for (i = 0; i < s->kid_count; i++) {
		if (s->kids[i].kid == kid)
			return &s->kids[i].count;
	}
	if (s->kid_count == STATE_KIDS_MAX)
		return &s->kid_others;
	s->kids[i].kid = kid;
	s->kids[i].count = 0;
	s->kid_count++;
	return &s->kids[i].count;
}

static uint64_t
state_version_cost(const struct state_version *v)
{
	return state_cost(offsetof(struct state_version, bytes) + head_size(v) + v->sealed_len);
}

struct state_version *
state_version_new(struct state *s, uint64_t offset, const char *by,
    const struct record *r)
{
	size_t head = (r->expires_ms != 0 ? EXPIRES_SIZE : 0) + (r->has_idem ? IDEM_SIZE : 0);
	size_t size = offsetof(struct state_version, bytes) + head + r->sealed_len;
	struct state_version *v;

	v = malloc(size > sizeof(*v) ? size : sizeof(*v));
	if (v == NULL)
		return NULL;
	memset(v, 0, sizeof(*v));
	v->offset = offset;
	v->created_ms = r->created_ms;
	v->number = r->version;
	v->by = by;
	v->sealed_len = (uint32_t)r->sealed_len;
	memcpy(v->claim, r->claim, sizeof(v->claim));
	v->expires = r->expires_ms != 0;
	v->has_idem = r->has_idem;
	if (v->expires)
		memcpy(v->bytes, &r->expires_ms, EXPIRES_SIZE);
	if (v->has_idem)
		memcpy(v->bytes + head - IDEM_SIZE, r->idem, IDEM_SIZE);
	memcpy(v->bytes + head, r->sealed, r->sealed_len);
	++*kid_count(s, v);
	s->counts.bytes += state_version_cost(v);
	return v;
}

void
state_version_free(struct state *s, struct state_version *v)
{
	--*kid_count(s, v);
	s->counts.bytes -= state_version_cost(v);
	free(v);
}

struct state_version *
state_version_of(const struct state_key *k, size_t i)
{
	return k->count > 1 ? k->versions.many[i] : k->versions.one;
}

size_t
state_version_rank(const struct state_key *k, uint32_t number)
{
	size_t low = 0, high = k->count, middle;

	/* Mostly it is the newest one, or a new one. */
	if (high > 0 && state_version_of(k, high - 1)->number < number)
		return high;
	while (low < high) {
		middle = (low + high) / 2;
		if (state_version_of(k, middle)->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A version begins, or ceases, to be live (${live}) or soft-deleted. */
static void
count(struct state *s, struct state_key *k, bool deleted, int by)
{
	bool was = k->live > 0;

	if (deleted) {
		s->counts.deleted += (uint64_t)(int64_t)by;
		return;
	}
	s->counts.versions += (uint64_t)(int64_t)by;
	k->live += (uint32_t)by;
	if (was == (k->live > 0))
		return;
	s->counts.keys += (uint64_t)(int64_t)by;
	was = k->path->live > 0;
	k->path->live += (uint32_t)by;
	if (was != (k->path->live > 0))
		s->counts.paths += (uint64_t)(int64_t)by;
}

bool
state_version_mark(struct state *s, struct state_key *k, struct state_version *v, bool deleted)
{
	if (v->deleted == deleted)
		return false;
	count(s, k, v->deleted, -1);
	v->deleted = deleted;
	count(s, k, deleted, 1);
	return true;
}

/* Memory of the list for ${n} versions. */
static uint64_t
list_cost(size_t n)
{
	size_t cap = 2;

	if (n < 2)
		return 0;
	while (cap < n)
		cap *= 2;
	return state_cost(cap * sizeof(struct state_version *));
}

int
state_version_insert(struct state *s, struct state_key *k, struct state_version *v)
{
	size_t n = k->count;
	size_t i = state_version_rank(k, v->number);
	struct state_version **many, **more;

	if (n == 0) {
		k->versions.one = v;
	} else {
		many = n == 1 ? NULL : k->versions.many;
		if ((n & (n - 1)) == 0) {
			more = realloc(many, 2 * n * sizeof(struct state_version *));
			if (more == NULL)
				return -1;
			if (n == 1)
				more[0] = k->versions.one;
			k->versions.many = many = more;
		}
		memmove(many + i + 1, many + i, (n - i) * sizeof(struct state_version *));
		many[i] = v;
	}
	k->count++;
	s->counts.bytes += list_cost(n + 1) - list_cost(n);
	count(s, k, v->deleted, 1);
	return 0;
}

struct state_version *
state_version_remove(struct state *s, struct state_key *k, size_t i)
{
	struct state_version *v = state_version_of(k, i);
	struct state_version **many = k->versions.many, **fewer;
	size_t n = k->count - 1U;

	count(s, k, v->deleted, -1);
	k->count--;
	s->counts.bytes -= list_cost(n + 1) - list_cost(n);
	if (n == 0) {
		k->versions.one = NULL;
		return v;
	}
	memmove(many + i, many + i + 1, (n - i) * sizeof(struct state_version *));
	if (n == 1) {
		k->versions.one = many[0];
		free(many);
	} else if ((n & (n - 1)) == 0) {
		/* The room is for the next power of two at least: give some back. */
		fewer = realloc(many, n * sizeof(struct state_version *));
		if (fewer != NULL)
			k->versions.many = fewer;
	}
	return v;
}

struct state_version *
state_version_swap(struct state *s, struct state_key *k, size_t i, struct state_version *v)
{
	struct state_version *old = state_version_of(k, i);

	count(s, k, old->deleted, -1);
	if (k->count > 1)
		k->versions.many[i] = v;
	else
		k->versions.one = v;
	count(s, k, v->deleted, 1);
	return old;
}
