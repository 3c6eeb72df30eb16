#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/document.h"
#include "merge/merge.h"
#include "secrets/sealed.h"

#define UNIT_SLOTS 2
#define WIDTH 7
#define END SIZE_MAX
#define NAMES_MAX (1U << 20)

/* The entries of three versions of a file side by side (inside core/merge). */

/* An entry, and the entry that holds its tag. */
enum unit_slot { UNIT_MAIN, UNIT_TAG };

/* What is merged as one thing. */
struct unit {
	const char *name;
	size_t len;
	size_t entry[MERGE_SIDES][UNIT_SLOTS];	/* of the documents, or DOCUMENT_NONE */
	enum merge_side take;	/* OURS, THEIRS; BASE: conflict */
	bool written;		/* its conflict is in the text */
};

struct units {
	const struct document *doc[MERGE_SIDES];
	struct vec list;		/* struct unit */
	struct map *by_name;
	size_t *of[MERGE_SIDES];	/* entry -> unit; DOCUMENT_NONE: shadowed */
	size_t *lead[MERGE_SIDES];	/* entry -> where the lines in front of it begin */
	size_t tail[MERGE_SIDES];	/* where the lines behind the last one begin */
};

/* Bytes of one version. */
struct text {
	const unsigned char *p;
	size_t n;
};

struct lines {
	const unsigned char *p;
	size_t n;
	size_t at;
};

/* Which versions of one slot are the same. */
struct sames {
	bool both;	/* ours and theirs */
	bool ours;	/* as base */
	bool theirs;
};

/* A piece is a slot of a unit: unit * UNIT_SLOTS + slot. */
struct merging {
	struct units *u;
	size_t *next;		/* the order of pieces; the last element is the head */
	size_t *follower;	/* theirs: the next entry that base has, or DOCUMENT_NONE */
	size_t head;
	const char *line_end;
	struct buf *out;
	struct merge_result *r;
};

/* The next line, which ends in LF, CR LF or CR; false at the end. */
static bool
markers_next(struct lines *l, const unsigned char **line, size_t *len)
{
	size_t start = l->at;

	if (start >= l->n)
		return false;
	while (l->at < l->n && l->p[l->at] != '\n' && l->p[l->at] != '\r')
		l->at++;
	*line = l->p + start;
	*len = l->at - start;
	if (l->at < l->n && l->p[l->at++] == '\r' && l->at < l->n && l->p[l->at] == '\n')
		l->at++;
	return true;
}

static bool
is_marker(const unsigned char *line, size_t len, unsigned char c)
{
	size_t i;

	if (len < WIDTH || (len > WIDTH && line[WIDTH] != ' '))
		return false;
	for (i = 0; i < WIDTH && line[i] == c; i++)
		;
	return i == WIDTH;
}

size_t
markers_line(const struct buf *text)
{
	struct lines l = { text->data, text->len, 0 };
	const unsigned char *line;
	size_t len, n = 1;

	while (markers_next(&l, &line, &len)) {
		if (is_marker(line, len, '<') || is_marker(line, len, '>'))
			return n;
		n += l.p[l.at - 1] == '\n';
	}
	return 0;
}

void
markers_count(const struct buf *text, size_t *begin, size_t *end)
{
	struct lines l = { text->data, text->len, 0 };
	const unsigned char *line;
	size_t len;

	*begin = *end = 0;
	while (markers_next(&l, &line, &len)) {
		*begin += is_marker(line, len, '<');
		*end += is_marker(line, len, '>');
	}
}

static struct unit *
units_at(const struct units *u, size_t i)
{
	return vec_at(&u->list, i);
}

/* Which of the two is entry ${i}? */
static enum unit_slot
units_slot(const struct units *u, enum merge_side side, size_t i)
{
	return tag_is_key(u->doc[side], i) ? UNIT_TAG : UNIT_MAIN;
}

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

static int
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

/* ERROR_MEMORY.  Release ${u} also after a failure. */
static void
units_release(struct units *u)
{
	for (size_t side = 0; side < MERGE_SIDES; side++) {
		free(u->of[side]);
		free(u->lead[side]);
	}
	map_free(u->by_name);
	vec_release(&u->list);
}

static struct text
between(const struct units *u, enum merge_side side, size_t start, size_t end)
{
	const struct buf *b = document_bytes(u->doc[side]);
	struct text none = { (const unsigned char *)"", 0 };

	return start == end ? none : (struct text){ b->data + start, end - start };
}

static struct text
units_entry_text(const struct units *u, enum merge_side side, size_t i)
{
	size_t start, end;

	document_span(u->doc[side], i, &start, &end);
	return between(u, side, start, end);
}

static struct text
units_lead(const struct units *u, enum merge_side side, size_t i)
{
	size_t start, end;

	document_span(u->doc[side], i, &start, &end);
	return between(u, side, u->lead[side][i], start);
}

static struct text
units_tail(const struct units *u, enum merge_side side)
{
	return between(u, side, u->tail[side], document_bytes(u->doc[side])->len);
}

static bool
units_text_same(struct text a, struct text b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool
units_text_blank(struct text t)
{
	while (t.n > 0 && memchr(" \t\f\r\n", t.p[t.n - 1], 5) != NULL)
		t.n--;
	return t.n == 0;
}

/* Have both sides the same value in this slot, or both none?  ERROR_MEMORY. */
static int
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

/* The same for a piece of text that all three have; BASE: a conflict. */
static enum merge_side
merge_decide_text(const struct text text[MERGE_SIDES])
{
	if (units_text_same(text[MERGE_OURS], text[MERGE_THEIRS]) ||
	    units_text_same(text[MERGE_BASE], text[MERGE_THEIRS]))
		return MERGE_OURS;
	return units_text_same(text[MERGE_BASE], text[MERGE_OURS]) ? MERGE_THEIRS : MERGE_BASE;
}

/* The lines in front of an entry that both sides have. */
static enum merge_side
merge_decide_lead(const struct units *u, const struct unit *x, int slot)
{
	struct text text[MERGE_SIDES] = { { (const unsigned char *)"", 0 } };

	text[MERGE_OURS] = units_lead(u, MERGE_OURS, x->entry[MERGE_OURS][slot]);
	text[MERGE_THEIRS] = units_lead(u, MERGE_THEIRS, x->entry[MERGE_THEIRS][slot]);
	if (x->entry[MERGE_BASE][slot] != DOCUMENT_NONE)
		text[MERGE_BASE] = units_lead(u, MERGE_BASE, x->entry[MERGE_BASE][slot]);
	return merge_decide_text(text);
}

static int
compare_slot(const struct units *u, const struct unit *x, enum unit_slot slot, struct sames *s,
    struct error *err)
{
	if (units_same(u, x, slot, MERGE_OURS, MERGE_THEIRS, &s->both, err) != 0 ||
	    units_same(u, x, slot, MERGE_BASE, MERGE_OURS, &s->ours, err) != 0)
		return -1;
	return units_same(u, x, slot, MERGE_BASE, MERGE_THEIRS, &s->theirs, err);
}

/* The side that differs from the base. */
static enum merge_side
pick(const struct sames *s)
{
	return s->theirs ? MERGE_OURS : s->ours ? MERGE_THEIRS : MERGE_BASE;
}

/* Of values that are the same, the bytes that changed. */
static enum merge_side
pick_spelling(const struct units *u, const struct unit *x)
{
	size_t base = x->entry[MERGE_BASE][UNIT_MAIN];
	size_t ours = x->entry[MERGE_OURS][UNIT_MAIN];

	if (base != DOCUMENT_NONE && ours != DOCUMENT_NONE &&
	    units_text_same(units_entry_text(u, MERGE_BASE, base),
	    units_entry_text(u, MERGE_OURS, ours)))
		return MERGE_THEIRS;
	return MERGE_OURS;
}

/* All but the name of the variable and the noted paths, which say nothing of the keys. */
static bool
is_key_metadata(const struct units *u, const struct unit *x)
{
	size_t i;

	if ((x->len == strlen(SECRETS_ENVVAR) && memcmp(x->name, SECRETS_ENVVAR, x->len) == 0) ||
	    metadata_is_remote(x->name, x->len))
		return false;
	for (size_t side = 0; side < MERGE_SIDES; side++) {
		i = x->entry[side][UNIT_MAIN];
		if (i != DOCUMENT_NONE)
			return metadata_is_key(u->doc[side], i);
	}
	return false;
}

static bool
is_sealed(const struct document *d, size_t i)
{
	const unsigned char *raw;
	size_t n;

	if (i == DOCUMENT_NONE || metadata_is_key(d, i))
		return false;
	raw = document_raw_value(d, i, &n);
	return sealed_claims(raw, n) || (n > 0 && raw[0] == '\\');
}

/* A comment that both changed: only where both have the entry it stands at. */
static bool
leads_differ(const struct units *u, const struct unit *x)
{
	for (int slot = 0; slot < UNIT_SLOTS; slot++) {
		if (x->entry[MERGE_OURS][slot] != DOCUMENT_NONE &&
		    x->entry[MERGE_THEIRS][slot] != DOCUMENT_NONE &&
		    merge_decide_lead(u, x, slot) == MERGE_BASE)
			return true;
	}
	return false;
}

static int
decide_unit(struct units *u, struct unit *x, const struct merge_input *in, struct error *err)
{
	struct sames main, tag;
	enum merge_side take;

	if (compare_slot(u, x, UNIT_MAIN, &main, err) != 0 || compare_slot(u, x, UNIT_TAG,
	    &tag, err) != 0)
		return -1;
	if (is_key_metadata(u, x))
		take = main.both ? MERGE_OURS : in->keys;
	else if (!main.both)
		/* A tag follows its entry. */
		take = pick(&main);
	else if (!tag.both)
		take = pick(&tag);
	else
		take = pick_spelling(u, x);
	if (take != MERGE_BASE && !main.both && in->locked[take] &&
	    is_sealed(u->doc[take], x->entry[take][UNIT_MAIN]))
		take = MERGE_BASE;
	x->take = take != MERGE_BASE && leads_differ(u, x) ? MERGE_BASE : take;
	return 0;
}

/* Which side each unit comes from (inside core/merge): fills struct unit's take. */
static int
merge_decide(struct units *u, const struct merge_input *in, struct error *err)
{
	for (size_t i = 0; i < u->list.len; i++)
		if (decide_unit(u, units_at(u, i), in, err) != 0)
			return -1;
	return 0;
}

static size_t
piece_of(const struct merging *m, enum merge_side side, size_t i)
{
	return m->u->of[side][i] * UNIT_SLOTS + units_slot(m->u, side, i);
}

static size_t
entry_of(const struct merging *m, size_t piece, enum merge_side side)
{
	return units_at(m->u, piece / UNIT_SLOTS)->entry[side][piece % UNIT_SLOTS];
}

static void
put_behind(struct merging *m, size_t at, size_t piece)
{
	m->next[piece] = m->next[at];
	m->next[at] = piece;
}

/* Ours in its order, and what only theirs has behind what it follows there. */
static void
arrange(struct merging *m)
{
	const struct units *u = m->u;
	size_t at = m->head, piece, next, i;

	m->next[at] = END;
	for (i = 0; i < document_count(u->doc[MERGE_OURS]); i++) {
		if (u->of[MERGE_OURS][i] == DOCUMENT_NONE)
			continue;
		piece = piece_of(m, MERGE_OURS, i);
		put_behind(m, at, piece);
		at = piece;
	}
	at = m->head;
	for (i = 0; i < document_count(u->doc[MERGE_THEIRS]); i++) {
		if (u->of[MERGE_THEIRS][i] == DOCUMENT_NONE)
			continue;
		piece = piece_of(m, MERGE_THEIRS, i);
		if (entry_of(m, piece, MERGE_OURS) == DOCUMENT_NONE) {
			/* Behind what ours added at the same place. */
			while ((next = m->next[at]) != END &&
			    entry_of(m, next, MERGE_BASE) == DOCUMENT_NONE &&
			    entry_of(m, next, MERGE_THEIRS) == DOCUMENT_NONE)
				at = next;
			put_behind(m, at, piece);
		}
		at = piece;
	}
}

static void
find_followers(struct merging *m)
{
	const struct units *u = m->u;
	size_t follower = DOCUMENT_NONE;

	for (size_t i = document_count(u->doc[MERGE_THEIRS]); i-- > 0;) {
		m->follower[i] = follower;
		if (u->of[MERGE_THEIRS][i] != DOCUMENT_NONE &&
		    entry_of(m, piece_of(m, MERGE_THEIRS, i), MERGE_BASE) != DOCUMENT_NONE)
			follower = i;
	}
}

static void
append_text(struct merging *m, struct text t)
{
	unsigned char last = m->out->len > 0 ? m->out->data[m->out->len - 1] : '\n';

	if (t.n == 0)
		return;
	if (last != '\n' && last != '\r')
		buf_append_str(m->out, m->line_end);
	buf_append(m->out, t.p, t.n);
}

static void
append_marker(struct merging *m, const char *marker)
{
	append_text(m, (struct text){ (const unsigned char *)marker, strlen(marker) });
	buf_append_str(m->out, m->line_end);
}

/*
 * Theirs put a new entry between an old one and the comment in front of it,
 * and ours did the same: the comment is in the text already.
 */
static bool
is_twice(const struct merging *m, size_t entry, struct text lead)
{
	const struct units *u = m->u;
	size_t follower = m->follower[entry], base, ours;
	struct text then;
	const struct unit *x;
	enum unit_slot slot;

	if (follower == DOCUMENT_NONE) {
		then = units_tail(u, MERGE_BASE);
		return units_text_same(lead, then) &&
		    !units_text_same(then, units_tail(u, MERGE_OURS));
	}
	x = units_at(u, u->of[MERGE_THEIRS][follower]);
	slot = units_slot(u, MERGE_THEIRS, follower);
	base = x->entry[MERGE_BASE][slot];
	ours = x->entry[MERGE_OURS][slot];
	if (ours == DOCUMENT_NONE)
		return false;
	then = units_lead(u, MERGE_BASE, base);
	return units_text_same(lead, then) &&
	    !units_text_same(then, units_lead(u, MERGE_OURS, ours));
}

/* The lines in front of a piece that is not in conflict, taken or not. */
static void
append_lead(struct merging *m, size_t piece)
{
	struct unit *x = units_at(m->u, piece / UNIT_SLOTS);
	int slot = (int)(piece % UNIT_SLOTS);
	size_t base = x->entry[MERGE_BASE][slot];
	enum merge_side side = MERGE_OURS;
	struct text lead;

	if (x->entry[MERGE_OURS][slot] != DOCUMENT_NONE &&
	    x->entry[MERGE_THEIRS][slot] != DOCUMENT_NONE)
		side = merge_decide_lead(m->u, x, slot);
	else if (x->entry[MERGE_OURS][slot] == DOCUMENT_NONE)
		side = MERGE_THEIRS;
	lead = units_lead(m->u, side, x->entry[side][slot]);
	/* An entry that goes takes its comment along, but not a new one. */
	if (x->entry[x->take][slot] == DOCUMENT_NONE && (units_text_blank(lead) ||
	    (base != DOCUMENT_NONE && units_text_same(lead, units_lead(m->u, MERGE_BASE, base)))))
		return;
	if (base == DOCUMENT_NONE && side == MERGE_THEIRS && lead.n > 0 &&
	    x->entry[MERGE_OURS][slot] == DOCUMENT_NONE &&
	    is_twice(m, x->entry[MERGE_THEIRS][slot], lead))
		return;
	append_text(m, lead);
}

static void
append_version(struct merging *m, const struct unit *x, enum merge_side side, bool with_lead)
{
	for (int slot = 0; slot < UNIT_SLOTS; slot++) {
		size_t i = x->entry[side][slot];

		if (i == DOCUMENT_NONE)
			continue;
		if (with_lead || slot != UNIT_MAIN)
			append_text(m, units_lead(m->u, side, i));
		append_text(m, units_entry_text(m->u, side, i));
	}
}

/* The main entry and its tag, of both sides; the comment in front if it is none. */
static void
append_conflict(struct merging *m, struct unit *x)
{
	bool has_main = x->entry[MERGE_OURS][UNIT_MAIN] != DOCUMENT_NONE &&
	    x->entry[MERGE_THEIRS][UNIT_MAIN] != DOCUMENT_NONE;
	enum merge_side lead = has_main ? merge_decide_lead(m->u, x, UNIT_MAIN) : MERGE_BASE;

	if (lead != MERGE_BASE)
		append_text(m, units_lead(m->u, lead, x->entry[lead][UNIT_MAIN]));
	append_marker(m, MARKERS_OURS);
	append_version(m, x, MERGE_OURS, lead == MERGE_BASE);
	append_marker(m, MARKERS_BETWEEN);
	append_version(m, x, MERGE_THEIRS, lead == MERGE_BASE);
	append_marker(m, MARKERS_THEIRS);
	x->written = true;
	m->r->conflicts++;
	text_append_visible(&m->r->names, x->name, x->len);
	buf_append_char(&m->r->names, '\n');
}

static void
append_tail(struct merging *m)
{
	struct text tail[MERGE_SIDES];
	enum merge_side side;

	for (int i = 0; i < MERGE_SIDES; i++)
		tail[i] = units_tail(m->u, (enum merge_side)i);
	side = merge_decide_text(tail);
	if (side != MERGE_BASE) {
		append_text(m, tail[side]);
		return;
	}
	append_marker(m, MARKERS_OURS);
	append_text(m, tail[MERGE_OURS]);
	append_marker(m, MARKERS_BETWEEN);
	append_text(m, tail[MERGE_THEIRS]);
	append_marker(m, MARKERS_THEIRS);
	m->r->conflicts++;
	buf_append_str(&m->r->names, "the lines behind the last entry\n");
}

static void
append_pieces(struct merging *m)
{
	struct unit *x;
	size_t piece, entry;

	for (piece = m->next[m->head]; piece != END; piece = m->next[piece]) {
		x = units_at(m->u, piece / UNIT_SLOTS);
		if (x->take == MERGE_BASE) {
			if (!x->written)
				append_conflict(m, x);
			continue;
		}
		append_lead(m, piece);
		entry = x->entry[x->take][piece % UNIT_SLOTS];
		if (entry != DOCUMENT_NONE)
			append_text(m, units_entry_text(m->u, x->take, entry));
	}
}

/* The first line end of ours, or else of theirs. */
static const char *
line_end_of(const struct units *u)
{
	for (int side = MERGE_OURS; side < MERGE_SIDES; side++) {
		const struct buf *b = document_bytes(u->doc[side]);

		for (size_t i = 0; i < b->len; i++) {
			if (b->data[i] == '\n')
				return "\n";
			if (b->data[i] == '\r')
				return i + 1 < b->len && b->data[i + 1] == '\n' ? "\r\n" : "\r";
		}
	}
	return "\n";
}

/* The text of a merge whose units are decided (inside core/merge). */
static int
merge_write(struct units *u, struct buf *out, struct merge_result *r, struct error *err)
{
	struct merging m = { .u = u, .out = out, .r = r, .head = u->list.len * UNIT_SLOTS };
	int rc = -1;

	m.next = calloc(m.head + 1, sizeof(*m.next));
	m.follower = calloc(document_count(u->doc[MERGE_THEIRS]) + 1, sizeof(*m.follower));
	if (m.next == NULL || m.follower == NULL) {
		error_memory(err);
		goto done;
	}
	m.line_end = line_end_of(u);
	arrange(&m);
	find_followers(&m);
	append_pieces(&m);
	append_tail(&m);
	rc = buf_check(out, err);
done:
	free(m.follower);
	free(m.next);
	return rc;
}

static void
result_init(struct merge_result *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->names, NAMES_MAX);
}

void
merge_result_release(struct merge_result *r)
{
	buf_release(&r->names);
}

static void
append_side(struct buf *out, const struct buf *side)
{
	buf_append(out, side->data, side->len);
	if (side->len > 0 && side->data[side->len - 1] != '\n')
		buf_append_char(out, '\n');
}

static int
whole(const struct buf *ours, const struct buf *theirs, struct buf *out, struct merge_result *r,
    struct error *err)
{
	buf_clear(&r->names);
	r->whole = true;
	r->conflicts = 1;
	buf_append_str(out, MARKERS_OURS "\n");
	append_side(out, ours);
	buf_append_str(out, MARKERS_BETWEEN "\n");
	append_side(out, theirs);
	buf_append_str(out, MARKERS_THEIRS "\n");
	return buf_check(out, err);
}

int
merge_whole(const struct buf *ours, const struct buf *theirs, struct buf *out,
    struct merge_result *r, struct error *err)
{
	result_init(r);
	return whole(ours, theirs, out, r, err);
}

/* Is the entry of ${slot} in the merged document what was decided? */
static bool
merge_fits(const struct units *u, const struct unit *x, int slot, const struct document *merged)
{
	size_t i = x->entry[x->take][slot], j, len;
	const struct document *d = u->doc[x->take];
	const char *key;
	struct buf value;
	bool same;

	if (i == DOCUMENT_NONE)
		return true;
	key = document_key(d, i, &len);
	if ((j = document_find(merged, key, len)) == DOCUMENT_NONE)
		return false;
	buf_init_secret(&value, BUF_MAX_FILE);
	same = document_value(d, i, &value, NULL) == 0 && document_value_is(merged, j,
	    value.len > 0 ? (const char *)value.data : "", value.len);
	buf_release(&value);
	return same;
}

/* Has the merged document what was decided on and nothing else? */
static bool
merge_check_entries(const struct units *u, const struct document *merged)
{
	size_t expected = 0, found = 0, i;

	for (i = 0; i < u->list.len; i++) {
		const struct unit *x = units_at(u, i);

		for (int slot = 0; slot < UNIT_SLOTS; slot++) {
			if (!merge_fits(u, x, slot, merged))
				return false;
			expected += x->entry[x->take][slot] != DOCUMENT_NONE;
		}
	}
	for (i = 0; i < document_count(merged); i++)
		found += !document_shadowed(merged, i);
	return found == expected;
}

/* A line that runs on into the next one, say, can make something else of it. */
static bool
merge_check_text(const struct units *u, const struct buf *text, const struct merge_result *r)
{
	struct document *merged;
	size_t begin, end;
	struct buf copy;
	bool good;

	markers_count(text, &begin, &end);
	if (begin != r->conflicts || end != r->conflicts)
		return false;
	if (r->conflicts > 0)
		return true;
	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, text->data, text->len);
	merged = document_parse(&copy, DOCUMENT_ENTRIES, "", NULL);
	good = merged != NULL && document_problem(merged, NULL) == 0 && merge_check_entries(u,
	    merged);
	document_free(merged);
	buf_release(&copy);
	return good;
}

static bool
merge_is_readable(const struct merge_input *in)
{
	for (size_t side = 0; side < MERGE_SIDES; side++) {
		if (!document_format(in->doc[side])->lines ||
		    document_problem(in->doc[side], NULL) != 0)
			return false;
	}
	return true;
}

static int
by_entry(const struct merge_input *in, struct buf *out, struct merge_result *r, bool *good,
    struct error *err)
{
	struct units u;
	int rc = -1;

	if (units_collect(&u, in->doc, err) == 0 && merge_decide(&u, in, err) == 0 &&
	    (rc = merge_write(&u, out, r, err)) == 0)
		*good = merge_check_text(&u, out, r);
	units_release(&u);
	return rc;
}

static bool
merge_same_bytes(const struct merge_input *in, enum merge_side a, enum merge_side b)
{
	return buf_equal(document_bytes(in->doc[a]), document_bytes(in->doc[b]));
}

int
merge_documents(const struct merge_input *in, struct buf *out, struct merge_result *r,
    struct error *err)
{
	const struct buf *ours = document_bytes(in->doc[MERGE_OURS]);
	const struct buf *theirs = document_bytes(in->doc[MERGE_THEIRS]);
	bool good = false;
	struct buf text;
	int rc = 0;

	result_init(r);
	buf_init_secret(&text, out->max);
	if (merge_same_bytes(in, MERGE_OURS, MERGE_THEIRS) || merge_same_bytes(in, MERGE_BASE,
	    MERGE_THEIRS)) {
		buf_append(out, ours->data, ours->len);
		rc = buf_check(out, err);
	} else if (merge_same_bytes(in, MERGE_BASE, MERGE_OURS)) {
		buf_append(out, theirs->data, theirs->len);
		rc = buf_check(out, err);
	} else if (merge_is_readable(in) && (rc = by_entry(in, &text, r, &good, err)) == 0 &&
	    good) {
		buf_append(out, text.data, text.len);
		rc = buf_check(out, err);
	} else if (rc == 0)
		rc = whole(ours, theirs, out, r, err);
	buf_release(&text);
	return rc;
}
