#include <stdlib.h>
#include <string.h>

#include "registry/keys/keyring.h"
#include "registry/store/state_internal.h"

#define EXPIRES_SIZE sizeof(int64_t)
#define IDEM_SIZE 64

/* Folding a META record. */

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

static const struct state_deleted *
find_deleted(const struct state_deleted *list, size_t count, uint32_t number)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (list[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && list[low].number == number ? &list[low] : NULL;
}

const struct state_deleted *
state_deleted_find(const struct state_more *m, uint32_t number)
{
	return m != NULL ? find_deleted(m->deleted, m->deleted_count, number) : NULL;
}

bool
state_is_destroyed(const struct state_more *m, uint32_t number)
{
	size_t low = 0, high, middle;

	if (m == NULL)
		return false;
	high = m->destroyed_count;
	while (low < high) {
		middle = (low + high) / 2;
		if (m->destroyed[middle].to < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->destroyed_count && m->destroyed[low].from <= number;
}

static uint64_t
state_meta_cost(const struct state_more *m)
{
	return (m->deleted != NULL ? state_cost(m->deleted_count * sizeof(*m->deleted)) : 0) +
	    (m->destroyed != NULL ? state_cost(m->destroyed_count * sizeof(*m->destroyed)) : 0) +
	    (m->custom != NULL ? state_cost(strlen(m->custom) + 1) : 0);
}

static int
copy_deleted(struct state *s, struct state_more *m, const struct record *r)
{
	size_t i;

	if (r->deleted_count == 0)
		return 0;
	m->deleted = calloc(r->deleted_count, sizeof(*m->deleted));
	if (m->deleted == NULL)
		return -1;
	for (i = 0; i < r->deleted_count; i++) {
		m->deleted[i].number = r->deleted[i].number;
		m->deleted[i].at_ms = r->deleted[i].at_ms;
		if (r->deleted[i].at_ms > s->last_ms)
			s->last_ms = r->deleted[i].at_ms;
		if (i > 0 && r->deleted[i].by == r->deleted[i - 1].by)
			m->deleted[i].by = m->deleted[i - 1].by;
		else
			m->deleted[i].by = state_principal_put(s, r->deleted[i].by);
		if (m->deleted[i].by == NULL)
			return -1;
	}
	m->deleted_count = r->deleted_count;
	return 0;
}

/* What the record says, as a state_more; a tombstone says nothing. */
static int
state_meta_copy(struct state *s, struct state_more *m, const struct record *r)
{
	m->updated_by = state_principal_put(s, r->updated_by != NULL ? r->updated_by : "");
	if (m->updated_by == NULL || copy_deleted(s, m, r) == -1)
		return -1;
	if (r->destroyed_count > 0) {
		m->destroyed = malloc(r->destroyed_count * sizeof(*m->destroyed));
		if (m->destroyed == NULL)
			return -1;
		memcpy(m->destroyed, r->destroyed, r->destroyed_count * sizeof(*m->destroyed));
		m->destroyed_count = r->destroyed_count;
	}
	if (r->custom != NULL && strcmp(r->custom, "{}") != 0) {
		m->custom = strdup(r->custom);
		if (m->custom == NULL)
			return -1;
	}
	m->max_versions = r->max_versions;
	m->cas_required = r->cas_required;
	m->mcas = r->mcas;
	m->updated_ms = r->updated_ms;
	if (r->updated_ms > s->last_ms)
		s->last_ms = r->updated_ms;
	return 0;
}

static bool
same_settings(const struct state_more *a, const struct state_more *b)
{
	const char *x = a->custom != NULL ? a->custom : "{}";
	const char *y = b->custom != NULL ? b->custom : "{}";

	return a->mcas == b->mcas && a->max_versions == b->max_versions &&
	    a->cas_required == b->cas_required && strcmp(x, y) == 0;
}

/* Move the contents of ${from} over; ${to} keeps its losers and its place. */
static void
state_meta_take(struct state *s, struct state_more *to, struct state_more *from)
{
	s->counts.bytes -= state_meta_cost(to);
	free(to->deleted);
	free(to->destroyed);
	free(to->custom);
	to->deleted = from->deleted;
	to->deleted_count = from->deleted_count;
	to->destroyed = from->destroyed;
	to->destroyed_count = from->destroyed_count;
	to->custom = from->custom;
	to->foreign = false;
	to->cas_required = from->cas_required;
	to->max_versions = from->max_versions;
	to->mcas = from->mcas;
	to->updated_by = from->updated_by;
	to->updated_ms = from->updated_ms;
	s->counts.bytes += state_meta_cost(to);
}

/* Set its soft-deleted mark; false: it was so. */
static bool
state_version_mark(struct state *s, struct state_key *k, struct state_version *v, bool deleted)
{
	if (v->deleted == deleted)
		return false;
	count(s, k, v->deleted, -1);
	v->deleted = deleted;
	count(s, k, deleted, 1);
	return true;
}

/* Let the key's versions be what its META now says. */
static int
settle_all(struct state *s, uint64_t offset, struct state_key *k)
{
	struct state_more *m = k->more;
	struct state_version *v;
	uint32_t number;
	bool deleted;
	size_t i;

	for (i = 0; i < k->count; ) {
		v = state_version_of(k, i);
		number = v->number;
		if (state_is_destroyed(m, number)) {
			(void)state_version_remove(s, k, i);
			if (state_loser_add(s, k, v) == -1) {
				state_version_free(s, v);
				return -1;
			}
			if (state_change_add(s, offset, k, number, STATE_DESTROYED) == -1)
				return -1;
			continue;
		}
		deleted = state_deleted_find(m, number) != NULL;
		if (state_version_mark(s, k, v, deleted) && state_change_add(s, offset, k, number,
		    deleted ? STATE_DELETED : STATE_UNDELETED) == -1)
			return -1;
		i++;
	}
	/* A range that shrank is nothing we write, but the fold must not mind. */
	for (i = 0; i < m->loser_count; ) {
		size_t before = m->loser_count;

		if (state_settle(s, k, m->losers[i]->number, offset) == -1)
			return -1;
		i += m->loser_count == before;
	}
	return 0;
}

int
state_fold_meta(struct state *s, uint64_t offset, const struct record *r)
{
	struct state_path *p = state_path_put(s, r->path, r->path_len);
	struct state_key *k = p != NULL ? state_key_put(s, p, r->key, r->key_len) : NULL;
	struct state_more *m = k != NULL ? state_more_put(s, k) : NULL;
	struct state_more new = { 0 };
	bool same;

	if (m == NULL)
		return -1;
	if (r->type != RECORD_META) {
		/* It must not be overwritten: see decide_op. */
		m->foreign = true;
		return 0;
	}
	if (state_meta_copy(s, &new, r) == -1) {
		free(new.deleted);
		free(new.destroyed);
		free(new.custom);
		return -1;
	}
	state_raise_high(s, k, r->high);
	same = same_settings(m, &new);
	state_meta_take(s, m, &new);
	if (settle_all(s, offset, k) == -1 || state_due_again(s, k) == -1)
		return -1;
	return same ? 0 : state_change_add(s, offset, k, 0, STATE_METADATA);
}

/* Several records of one number: the lowest offset wins, the others are
 * remembered until the writer has removed them. */

int
state_loser_add(struct state *s, struct state_key *k, struct state_version *v)
{
	struct state_more *m = state_more_put(s, k);
	struct state_version **more;
	size_t n;

	if (m == NULL)
		return -1;
	n = m->loser_count;
	if ((n & (n - 1)) == 0) {
		more = realloc(m->losers, (n > 0 ? 2 * n : 1) * sizeof(struct state_version *));
		if (more == NULL)
			return -1;
		m->losers = more;
	}
	v->deleted = false;
	m->losers[m->loser_count++] = v;
	if (n == 0) {
		m->previous_loser = NULL;
		m->next_loser = s->losers;
		if (s->losers != NULL)
			s->losers->previous_loser = m;
		s->losers = m;
	}
	return 0;
}

struct state_version *
state_loser_remove(struct state *s, struct state_key *k, size_t i)
{
	struct state_more *m = k->more;
	struct state_version *v = m->losers[i];

	m->losers[i] = m->losers[--m->loser_count];
	if (m->loser_count > 0)
		return v;
	free(m->losers);
	m->losers = NULL;
	if (m->previous_loser != NULL)
		m->previous_loser->next_loser = m->next_loser;
	else
		s->losers = m->next_loser;
	if (m->next_loser != NULL)
		m->next_loser->previous_loser = m->previous_loser;
	return v;
}

int
state_settle(struct state *s, struct state_key *k, uint32_t number, uint64_t offset)
{
	struct state_more *m = k->more;
	size_t i = state_version_rank(k, number);
	struct state_version *winner = i < k->count ? state_version_of(k, i) : NULL;
	struct state_version *best;
	size_t j, at = SIZE_MAX;

	if (m == NULL || m->loser_count == 0 || state_is_destroyed(m, number))
		return 0;
	if (winner != NULL && winner->number != number)
		winner = NULL;
	best = winner;
	for (j = 0; j < m->loser_count; j++) {
		if (m->losers[j]->number == number &&
		    (best == NULL || m->losers[j]->offset < best->offset)) {
			best = m->losers[j];
			at = j;
		}
	}
	if (best == winner)
		return 0;
	best->deleted = state_deleted_find(m, number) != NULL;
	if (winner != NULL) {
		m->losers[at] = state_version_swap(s, k, i, best);
		winner->deleted = false;
	} else {
		if (state_version_insert(s, k, best) == -1)
			return -1;
		(void)state_loser_remove(s, k, at);
		if (state_due_again(s, k) == -1)
			return -1;
	}
	return state_change_add(s, offset, k, number, STATE_CREATED);
}

/* When keys have versions to be destroyed: a heap, so that the sweep looks at
 * what is due alone.  An entry counts while its key remembers its time. */

static void
state_due_swap(struct state_due *a, struct state_due *b)
{
	struct state_due t = *a;

	*a = *b;
	*b = t;
}

static int
state_due_push(struct state *s, int64_t at_ms, struct state_key *k)
{
	size_t i = s->due_count;
	struct state_due *d;

	if (i == s->due_cap) {
		size_t cap = i > 0 ? 2 * i : 16;

		d = realloc(s->due, cap * sizeof(*d));
		if (d == NULL)
			return -1;
		s->counts.bytes += (cap - i) * sizeof(*d);
		s->due = d;
		s->due_cap = cap;
	}
	s->due[i] = (struct state_due){ at_ms, k };
	s->due_count++;
	for (; i > 0 && s->due[(i - 1) / 2].at_ms > s->due[i].at_ms; i = (i - 1) / 2)
		state_due_swap(&s->due[i], &s->due[(i - 1) / 2]);
	return 0;
}

static struct state_due
pop(struct state *s)
{
	struct state_due top = s->due[0];
	size_t i = 0, child;

	s->due[0] = s->due[--s->due_count];
	for (;;) {
		child = 2 * i + 1;
		if (child >= s->due_count)
			return top;
		if (child + 1 < s->due_count && s->due[child + 1].at_ms < s->due[child].at_ms)
			child++;
		if (s->due[i].at_ms <= s->due[child].at_ms)
			return top;
		state_due_swap(&s->due[i], &s->due[child]);
		i = child;
	}
}

int
state_due_add(struct state *s, struct state_key *k, int64_t at_ms)
{
	struct state_more *m = state_more_put(s, k);

	if (m == NULL)
		return -1;
	if (at_ms < 1)
		at_ms = 1;
	if (m->due_ms != 0 && m->due_ms <= at_ms)
		return 0;
	if (state_due_push(s, at_ms, k) == -1)
		return -1;
	m->due_ms = at_ms;
	return 0;
}

struct state_key *
state_due_take(struct state *s, int64_t until_ms)
{
	struct state_due d;

	while (s->due_count > 0 && s->due[0].at_ms <= until_ms) {
		d = pop(s);
		if (d.key->more->due_ms == d.at_ms) {
			d.key->more->due_ms = 0;
			return d.key;
		}
	}
	return NULL;
}

int
state_due_again(struct state *s, struct state_key *k)
{
	const struct state_version *v;
	int64_t at = INT64_MAX, expires;
	size_t i;

	for (i = 0; i < k->count; i++) {
		v = state_version_of(k, i);
		expires = state_version_expires(v);
		if (expires != 0 && expires < at)
			at = expires;
		if (v->deleted && state_deleted_find(k->more, v->number)->at_ms < at)
			at = state_deleted_find(k->more, v->number)->at_ms;
	}
	return at == INT64_MAX ? 0 : state_due_add(s, k, at);
}

/* The versions of a key, and the counts that go with them. */

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
state_version_new(struct state *s, uint64_t offset, const char *by, const struct record *r)
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
