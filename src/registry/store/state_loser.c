#include <stdlib.h>
#include <string.h>

#include "registry/store/state_internal.h"

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
