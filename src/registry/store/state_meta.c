#include <stdlib.h>
#include <string.h>

#include "registry/store/state_internal.h"

/* Folding a META record. */

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
		/* It must not be overwritten: see decide_op.c. */
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
