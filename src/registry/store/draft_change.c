#include <stdlib.h>
#include <string.h>

#include "registry/store/draft.h"

/* Changing a draft, and what becomes of it. */

/* Have room for one more element. */
static int
draft_change_reserve(void *list, size_t count, size_t *cap, size_t size)
{
	void **items = list;
	size_t more = *cap > 0 ? 2 * *cap : 4;
	void *new;

	if (count < *cap)
		return 0;
	new = realloc(*items, more * size);
	if (new == NULL)
		return -1;
	*items = new;
	*cap = more;
	return 0;
}

/* Copy the state's lists, to change them. */
static int
draft_change_load(struct draft *d)
{
	const struct state_more *m = d->base != NULL ? d->base->more : NULL;
	size_t i;

	if (d->loaded || m == NULL) {
		d->loaded = true;
		return 0;
	}
	d->deleted_cap = m->deleted_count + 4;
	d->destroyed_cap = m->destroyed_count + 4;
	d->deleted = malloc(d->deleted_cap * sizeof(*d->deleted));
	d->destroyed = malloc(d->destroyed_cap * sizeof(*d->destroyed));
	if (d->deleted == NULL || d->destroyed == NULL) {
		free(d->deleted);
		free(d->destroyed);
		d->deleted = NULL;
		d->destroyed = NULL;
		d->deleted_cap = d->destroyed_cap = 0;
		return -1;
	}
	for (i = 0; i < m->deleted_count; i++)
		d->deleted[i] = (struct record_deleted){ m->deleted[i].number,
		    m->deleted[i].at_ms, m->deleted[i].by };
	d->deleted_count = m->deleted_count;
	if (m->destroyed_count > 0)
		memcpy(d->destroyed, m->destroyed, m->destroyed_count * sizeof(*d->destroyed));
	d->destroyed_count = m->destroyed_count;
	d->loaded = true;
	return 0;
}

struct draft_added *
draft_add(struct draft *d, uint32_t number)
{
	struct draft_added *a;

	if (draft_change_reserve(&d->added, d->added_count, &d->added_cap, sizeof(*a)) == -1)
		return NULL;
	a = &d->added[d->added_count++];
	memset(a, 0, sizeof(*a));
	a->number = number;
	d->high = number;
	return a;
}

int
draft_change(struct draft *d)
{
	if (draft_change_load(d) == -1)
		return -1;
	d->changed = true;
	return 0;
}

int
draft_delete(struct draft *d, uint32_t number, int64_t at_ms, const char *by)
{
	size_t i;

	if (draft_change_load(d) == -1 ||
	    draft_change_reserve(&d->deleted, d->deleted_count, &d->deleted_cap,
	    sizeof(*d->deleted)) == -1)
		return -1;
	i = draft_deleted_rank(d, number);
	memmove(d->deleted + i + 1, d->deleted + i,
	    (d->deleted_count - i) * sizeof(*d->deleted));
	d->deleted[i] = (struct record_deleted){ number, at_ms, by };
	d->deleted_count++;
	d->changed = true;
	return 0;
}

int
draft_undelete(struct draft *d, uint32_t number)
{
	size_t i;

	if (draft_change_load(d) == -1)
		return -1;
	i = draft_deleted_rank(d, number);
	if (i == d->deleted_count || d->deleted[i].number != number)
		return 0;
	d->deleted_count--;
	memmove(d->deleted + i, d->deleted + i + 1,
	    (d->deleted_count - i) * sizeof(*d->deleted));
	d->changed = true;
	return 0;
}

/* Add a number to the ranges, which stay apart. */
static void
draft_change_widen(struct draft *d, uint32_t number)
{
	struct record_range *r = d->destroyed;
	size_t i = draft_destroyed_rank(d, number);
	bool below = i > 0 && r[i - 1].to == number - 1;
	bool above = i < d->destroyed_count && r[i].from == number + 1;

	if (below && above) {
		r[i - 1].to = r[i].to;
		d->destroyed_count--;
		memmove(r + i, r + i + 1, (d->destroyed_count - i) * sizeof(*r));
	} else if (below) {
		r[i - 1].to = number;
	} else if (above) {
		r[i].from = number;
	} else {
		memmove(r + i + 1, r + i, (d->destroyed_count - i) * sizeof(*r));
		r[i] = (struct record_range){ number, number };
		d->destroyed_count++;
	}
}

int
draft_destroy(struct draft *d, uint32_t number)
{
	const struct state_version *v = NULL;
	size_t i;

	if (draft_change_load(d) == -1 ||
	    draft_change_reserve(&d->destroyed, d->destroyed_count, &d->destroyed_cap,
	    sizeof(*d->destroyed)) == -1 ||
	    draft_change_reserve(&d->gone, d->gone_count, &d->gone_cap, sizeof(*d->gone)) == -1 ||
	    draft_undelete(d, number) == -1)
		return -1;
	if (d->base != NULL) {
		i = state_version_rank(d->base, number);
		v = i < d->base->count ? state_version_of(d->base, i) : NULL;
	}
	if (v != NULL && v->number == number) {
		d->gone[d->gone_count].number = number;
		memcpy(d->gone[d->gone_count++].claim, v->claim, sizeof(v->claim));
	}
	draft_change_widen(d, number);
	d->changed = true;
	return 0;
}

/* What one run takes, whatever its numbers and times are. */
static size_t
run_size(const char *by)
{
	return 80 + 6 * strlen(by);
}

size_t
draft_meta_size(const struct draft *d, size_t runs, const char *by, size_t extra)
{
	const struct state_more *m = d->base != NULL ? d->base->more : NULL;
	size_t size = 256 + strlen(d->custom) + 6 * strlen(d->updated_by) + extra +
	    runs * run_size(by);
	size_t i;

	if (d->loaded) {
		for (i = 0; i < d->deleted_count; i++) {
			const struct record_deleted *x = &d->deleted[i];

			if (i == 0 || x->number != x[-1].number + 1 ||
			    x->at_ms != x[-1].at_ms || strcmp(x->by, x[-1].by) != 0)
				size += run_size(x->by);
		}
		return size + d->destroyed_count * 24;
	}
	for (i = 0; m != NULL && i < m->deleted_count; i++) {
		const struct state_deleted *x = &m->deleted[i];

		if (i == 0 || x->number != x[-1].number + 1 || x->at_ms != x[-1].at_ms ||
		    x->by != x[-1].by)
			size += run_size(x->by);
	}
	return size + (m != NULL ? m->destroyed_count * 24 : 0);
}

void
draft_meta(const struct draft *d, struct record *out)
{
	memset(out, 0, sizeof(*out));
	out->type = out->key_type = RECORD_META;
	out->path = d->path;
	out->path_len = d->path_len;
	out->key = d->key;
	out->key_len = d->key_len;
	out->high = d->high;
	out->deleted = d->deleted;
	out->deleted_count = d->deleted_count;
	out->destroyed = d->destroyed;
	out->destroyed_count = d->destroyed_count;
	out->max_versions = d->max_versions;
	out->cas_required = d->cas_required;
	out->custom = d->custom;
	out->updated_ms = d->updated_ms;
	out->updated_by = d->updated_by;
	out->mcas = d->mcas;
}
