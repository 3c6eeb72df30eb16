#include <stdlib.h>

#include "registry/store/state_internal.h"

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
