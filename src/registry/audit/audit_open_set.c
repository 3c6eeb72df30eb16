#include <stdlib.h>
#include <string.h>

#include "registry/audit/audit_open_set.h"

#define OPEN_MAX 65536U

void
audit_open_set_release(struct audit_open_set *s)
{
	free(s->seqs);
	memset(s, 0, sizeof(*s));
}

static int
audit_open_set_grow(struct audit_open_set *s)
{
	size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
	uint64_t *more = cap <= OPEN_MAX ? realloc(s->seqs, cap * sizeof(*more)) : NULL;

	if (more == NULL)
		return -1;
	s->seqs = more;
	s->cap = cap;
	return 0;
}

/* Where ${seq} is or belongs. */
static size_t
audit_open_set_find(const struct audit_open_set *s, uint64_t seq)
{
	size_t low = 0, high = s->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (s->seqs[middle] < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
audit_open_set_add(struct audit_open_set *s, uint64_t seq)
{
	size_t at = audit_open_set_find(s, seq);

	if (at < s->count && s->seqs[at] == seq)
		return;
	if (s->count == s->cap && audit_open_set_grow(s) != 0) {
		if (s->forgotten == 0 || seq < s->forgotten)
			s->forgotten = seq;
		return;
	}
	memmove(s->seqs + at + 1, s->seqs + at, (s->count - at) * sizeof(*s->seqs));
	s->seqs[at] = seq;
	s->count++;
}

void
audit_open_set_remove(struct audit_open_set *s, uint64_t seq)
{
	size_t at = audit_open_set_find(s, seq);

	if (at == s->count || s->seqs[at] != seq)
		return;
	memmove(s->seqs + at, s->seqs + at + 1, (s->count - at - 1) * sizeof(*s->seqs));
	s->count--;
}

uint64_t
audit_open_set_first(const struct audit_open_set *s)
{
	uint64_t first = s->count > 0 ? s->seqs[0] : 0;

	if (s->forgotten != 0 && (first == 0 || s->forgotten < first))
		return s->forgotten;
	return first;
}
