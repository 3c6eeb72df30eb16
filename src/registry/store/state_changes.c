#include <stdlib.h>
#include <string.h>

#include "registry/store/state_internal.h"

/* What changed lately, for those who watch. */

static struct state_change *
state_changes_at(const struct state *s, size_t i)
{
	return &s->changes[(s->change_first + i) % s->change_cap];
}

/* More room while there may be; the ring begins at its start again. */
static int
state_changes_grow(struct state *s)
{
	size_t cap = s->change_cap > 0 ? 2 * s->change_cap : 64;
	struct state_change *c;
	size_t i;

	c = malloc(cap * sizeof(*c));
	if (c == NULL)
		return -1;
	for (i = 0; i < s->change_count; i++)
		c[i] = *state_changes_at(s, i);
	free(s->changes);
	s->counts.bytes += (cap - s->change_cap) * sizeof(*c);
	s->changes = c;
	s->change_cap = cap;
	s->change_first = 0;
	return 0;
}

int
state_change_add(struct state *s, uint64_t offset, const struct state_key *k, uint32_t version,
    enum state_what what)
{
	if (s->change_count == s->change_cap) {
		if (s->change_cap < STATE_CHANGES_MAX) {
			if (state_changes_grow(s) == -1)
				return -1;
		} else {
			s->changes_from = state_changes_at(s, 0)->offset + 1;
			s->change_first = (s->change_first + 1) % s->change_cap;
			s->change_count--;
		}
	}
	*state_changes_at(s, s->change_count++) = (struct state_change){ offset, k, version, what };
	return 0;
}

/* The first remembered change at or after an offset. */
static size_t
first_from(const struct state *s, uint64_t since)
{
	size_t low = 0, high = s->change_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (state_changes_at(s, middle)->offset < since)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t
state_changes(const struct state *s, uint64_t since, size_t max,
    void (*visit)(void *cookie, const struct change_view *c), void *cookie)
{
	static const char *const names[] = {
		[STATE_CREATED] = "created", [STATE_DELETED] = "deleted",
		[STATE_UNDELETED] = "undeleted", [STATE_DESTROYED] = "destroyed",
		[STATE_METADATA] = "metadata"
	};
	size_t first, last, i;

	if (since < s->changes_from)
		return 0;
	first = first_from(s, since);
	last = s->change_count;
	if (last - first > max) {
		/* Changes of one record stand together, or could not be gone on from. */
		for (last = first + max; last > first &&
		    state_changes_at(s, last)->offset == state_changes_at(s,
		    last - 1)->offset; last--)
			;
		for (; last == first || (last < s->change_count &&
		    state_changes_at(s, last)->offset == state_changes_at(s,
		    last - 1)->offset); last++)
			;
	}
	for (i = first; i < last; i++) {
		const struct state_change *c = state_changes_at(s, i);
		struct change_view view = {
			.offset = c->offset, .path = c->key->path->name, .key = c->key->name,
			.path_len = c->key->path->name_len, .key_len = c->key->name_len,
			.version = c->version, .what = names[c->what]
		};

		visit(cookie, &view);
	}
	if (last < s->change_count)
		return state_changes_at(s, last)->offset;
	return since > s->offset ? since : s->offset;
}
