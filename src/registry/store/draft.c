#include <stdlib.h>
#include <string.h>

#include "registry/store/store.h"
#include "registry/store/store_internal.h"

struct draft *
draft_new(const char *path, size_t path_len, const char *key, size_t key_len,
    const struct state_key *base)
{
	struct draft *d = calloc(1, sizeof(*d));
	struct key_meta meta;

	if (d == NULL)
		return NULL;
	d->name_len = path_len + 1 + key_len;
	d->name = malloc(d->name_len + 1);
	if (d->name == NULL) {
		free(d);
		return NULL;
	}
	memcpy(d->name, path, path_len);
	d->name[path_len] = '/';
	memcpy(d->name + path_len + 1, key, key_len);
	d->name[d->name_len] = '\0';
	d->path = d->name;
	d->path_len = path_len;
	d->key = d->name + path_len + 1;
	d->key_len = key_len;
	d->base = base;
	d->custom = "{}";
	d->updated_by = "";
	if (base != NULL) {
		state_key_meta(base, &meta);
		d->high = meta.high;
		d->max_versions = meta.max_versions;
		d->cas_required = meta.cas_required;
		d->custom = meta.custom;
		d->updated_ms = meta.updated_ms;
		d->updated_by = meta.updated_by;
		d->mcas = meta.mcas;
	}
	return d;
}

void
draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	free(d->name);
	free(d->added);
	free(d->gone);
	free(d->deleted);
	free(d->destroyed);
	free(d);
}

static size_t
draft_deleted_rank(const struct draft *d, uint32_t number)
{
	size_t low = 0, high = d->deleted_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (d->deleted[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* In its copied lists: where a number is among the deleted ones, or would be;
 * the first range that does not end before it. */
static size_t
draft_destroyed_rank(const struct draft *d, uint32_t number)
{
	size_t low = 0, high = d->destroyed_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (d->destroyed[middle].to < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* 0: it is not soft-deleted; else when it was, and by whom. */
static int64_t
deleted_at(const struct draft *d, uint32_t number, const char **by)
{
	const struct state_deleted *s;
	int64_t at;
	size_t i;

	*by = "";
	if (!d->loaded) {
		s = d->base != NULL ? state_deleted_find(d->base->more, number) : NULL;
		if (s == NULL)
			return 0;
		*by = s->by;
		at = s->at_ms;
	} else {
		i = draft_deleted_rank(d, number);
		if (i == d->deleted_count || d->deleted[i].number != number)
			return 0;
		*by = d->deleted[i].by;
		at = d->deleted[i].at_ms;
	}
	return at > 0 ? at : 1;
}

static bool
is_destroyed(const struct draft *d, uint32_t number)
{
	size_t i;

	if (!d->loaded)
		return d->base != NULL && state_is_destroyed(d->base->more, number);
	i = draft_destroyed_rank(d, number);
	return i < d->destroyed_count && d->destroyed[i].from <= number;
}

static void
draft_judge(const struct draft *d, uint32_t number, int64_t now_ms, struct draft_version *out)
{
	out->deleted_ms = deleted_at(d, number, &out->deleted_by);
	out->status = out->deleted_ms != 0 ? VERSION_DELETED :
	    out->expires_ms != 0 && out->expires_ms <= now_ms ? VERSION_EXPIRED : VERSION_LIVE;
}

bool
draft_find(const struct draft *d, uint32_t number, int64_t now_ms, struct draft_version *out)
{
	const struct state_version *v;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->added = SIZE_MAX;
	out->deleted_by = "";
	if (is_destroyed(d, number)) {
		out->status = VERSION_DESTROYED;
		return true;
	}
	for (i = d->added_count; i-- > 0; ) {
		if (d->added[i].number != number)
			continue;
		out->added = i;
		out->created_ms = d->added[i].created_ms;
		out->expires_ms = d->added[i].expires_ms;
		out->idem = d->added[i].op->has_idem ? d->added[i].op->idem : NULL;
		draft_judge(d, number, now_ms, out);
		return true;
	}
	if (d->base == NULL)
		return false;
	i = state_version_rank(d->base, number);
	v = i < d->base->count ? state_version_of(d->base, i) : NULL;
	if (v == NULL || v->number != number)
		return false;
	out->created_ms = v->created_ms;
	out->expires_ms = state_version_expires(v);
	out->offset = v->offset;
	out->idem = state_version_idem(v);
	draft_judge(d, number, now_ms, out);
	return true;
}

uint32_t
draft_latest(const struct draft *d, int64_t now_ms)
{
	struct draft_version v;
	uint32_t number;
	size_t i;

	for (i = d->added_count; i-- > 0; ) {
		if (draft_find(d, d->added[i].number, now_ms, &v) && v.status == VERSION_LIVE)
			return d->added[i].number;
	}
	for (i = d->base != NULL ? d->base->count : 0; i-- > 0; ) {
		number = state_version_of(d->base, i)->number;
		if (draft_find(d, number, now_ms, &v) && v.status == VERSION_LIVE)
			return number;
	}
	return 0;
}

size_t
draft_deleted(const struct draft *d)
{
	if (d->loaded)
		return d->deleted_count;
	return d->base != NULL && d->base->more != NULL ? d->base->more->deleted_count : 0;
}

size_t
draft_held(const struct draft *d)
{
	size_t n = (d->base != NULL ? d->base->count : 0) - d->gone_count;
	size_t i;

	for (i = 0; i < d->added_count; i++)
		n += !is_destroyed(d, d->added[i].number);
	return n;
}

uint32_t
draft_oldest(const struct draft *d)
{
	uint32_t number;
	size_t i;

	for (i = 0; d->base != NULL && i < d->base->count; i++) {
		number = state_version_of(d->base, i)->number;
		if (!is_destroyed(d, number))
			return number;
	}
	for (i = 0; i < d->added_count; i++) {
		if (!is_destroyed(d, d->added[i].number))
			return d->added[i].number;
	}
	return 0;
}

uint32_t
draft_by_idem(const struct draft *d, const unsigned char digest[32])
{
	struct version_view v;
	const struct draft_added *a;
	size_t i;

	for (i = d->added_count; i-- > 0; ) {
		a = &d->added[i];
		if (a->op->has_idem && memcmp(a->op->idem, digest, 32) == 0 &&
		    !is_destroyed(d, a->number))
			return a->number;
	}
	if (d->base != NULL && state_version_by_idem(d->base, digest, &v) &&
	    !is_destroyed(d, v.number))
		return v.number;
	return 0;
}

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
