#include "merge/units.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "document/document.h"
#include "secrets/tag.h"

/* Where the unit of a name is; a new one when there is none yet. */
static int
unit_of(struct units *u, const char *name, size_t len, size_t *at)
{
	struct unit *x;

	if (map_get(u->by_name, name, len, at))
		return 0;
	*at = u->list.len;
	if ((x = vec_push(&u->list)) == NULL || map_put(u->by_name, name, len, *at) != 0)
		return -1;
	x->name = name;
	x->len = len;
	for (size_t side = 0; side < MERGE_SIDES; side++)
		for (size_t slot = 0; slot < UNIT_SLOTS; slot++)
			x->entry[side][slot] = DOCUMENT_NONE;
	return 0;
}

static int
collect_side(struct units *u, enum merge_side side)
{
	const struct document *d = u->doc[side];
	size_t prefix = strlen(TAG_PREFIX), len, start, end, at, i;
	enum unit_slot slot;
	const char *key;

	u->of[side] = calloc(document_count(d) + 1, sizeof(size_t));
	u->lead[side] = calloc(document_count(d) + 1, sizeof(size_t));
	if (u->of[side] == NULL || u->lead[side] == NULL)
		return -1;
	for (i = 0; i < document_count(d); i++) {
		u->of[side][i] = DOCUMENT_NONE;
		u->lead[side][i] = u->tail[side];
		/* A line that nobody reads is as good as a comment. */
		if (document_shadowed(d, i))
			continue;
		key = document_key(d, i, &len);
		slot = units_slot(u, side, i);
		if (unit_of(u, slot == UNIT_TAG ? key + prefix : key,
		    slot == UNIT_TAG ? len - prefix : len, &at) != 0)
			return -1;
		u->of[side][i] = at;
		units_at(u, at)->entry[side][slot] = i;
		document_span(d, i, &start, &end);
		u->tail[side] = end;
	}
	return 0;
}

int
units_collect(struct units *u, const struct document *const doc[MERGE_SIDES], struct error *err)
{
	memset(u, 0, sizeof(*u));
	vec_init(&u->list, sizeof(struct unit), SIZE_MAX / sizeof(struct unit));
	memcpy(u->doc, doc, sizeof(u->doc));
	if ((u->by_name = map_new()) == NULL)
		return error_memory(err);
	for (int side = MERGE_BASE; side < MERGE_SIDES; side++)
		if (collect_side(u, (enum merge_side)side) != 0)
			return error_memory(err);
	return 0;
}

void
units_release(struct units *u)
{
	for (size_t side = 0; side < MERGE_SIDES; side++) {
		free(u->of[side]);
		free(u->lead[side]);
	}
	map_free(u->by_name);
	vec_release(&u->list);
}

struct unit *
units_at(const struct units *u, size_t i)
{
	return vec_at(&u->list, i);
}

enum unit_slot
units_slot(const struct units *u, enum merge_side side, size_t i)
{
	return tag_is_key(u->doc[side], i) ? UNIT_TAG : UNIT_MAIN;
}

static struct text
between(const struct units *u, enum merge_side side, size_t start, size_t end)
{
	const struct buf *b = document_bytes(u->doc[side]);
	struct text none = { (const unsigned char *)"", 0 };

	return start == end ? none : (struct text){ b->data + start, end - start };
}

struct text
units_entry_text(const struct units *u, enum merge_side side, size_t i)
{
	size_t start, end;

	document_span(u->doc[side], i, &start, &end);
	return between(u, side, start, end);
}

struct text
units_lead(const struct units *u, enum merge_side side, size_t i)
{
	size_t start, end;

	document_span(u->doc[side], i, &start, &end);
	return between(u, side, u->lead[side][i], start);
}

struct text
units_tail(const struct units *u, enum merge_side side)
{
	return between(u, side, u->tail[side], document_bytes(u->doc[side])->len);
}

bool
units_text_same(struct text a, struct text b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

bool
units_text_blank(struct text t)
{
	while (t.n > 0 && memchr(" \t\f\r\n", t.p[t.n - 1], 5) != NULL)
		t.n--;
	return t.n == 0;
}

int
units_same(const struct units *u, const struct unit *x, enum unit_slot slot, enum merge_side a,
    enum merge_side b, bool *same, struct error *err)
{
	size_t i = x->entry[a][slot], j = x->entry[b][slot], n, m;
	const unsigned char *p, *q;
	struct buf value;
	int rc;

	*same = i == DOCUMENT_NONE && j == DOCUMENT_NONE;
	if (i == DOCUMENT_NONE || j == DOCUMENT_NONE)
		return 0;
	p = document_raw_value(u->doc[a], i, &n);
	q = document_raw_value(u->doc[b], j, &m);
	*same = n == m && memcmp(p, q, n) == 0;
	if (*same || (memchr(p, '\\', n) == NULL && memchr(q, '\\', m) == NULL))
		return 0;
	/* Two spellings of one value? */
	buf_init_secret(&value, BUF_MAX_FILE);
	if ((rc = document_value(u->doc[a], i, &value, err)) == 0)
		*same = document_value_is(u->doc[b], j,
		    value.len > 0 ? (const char *)value.data : "", value.len);
	buf_release(&value);
	return rc;
}
