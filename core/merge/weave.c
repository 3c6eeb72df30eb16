#include "merge/weave.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "merge/decide.h"
#include "merge/markers.h"
#include "merge/merge.h"
#include "merge/units.h"

#define END SIZE_MAX

/* A piece is a slot of a unit: unit * UNIT_SLOTS + slot. */
struct weave {
	struct units *u;
	size_t *next;		/* the order of pieces; the last element is the head */
	size_t *follower;	/* theirs: the next entry that base has, or DOCUMENT_NONE */
	size_t head;
	const char *line_end;
	struct buf *out;
	struct merge_result *r;
};

static size_t
piece_of(const struct weave *w, enum merge_side side, size_t i)
{
	return w->u->of[side][i] * UNIT_SLOTS + units_slot(w->u, side, i);
}

static size_t
entry_of(const struct weave *w, size_t piece, enum merge_side side)
{
	return units_at(w->u, piece / UNIT_SLOTS)->entry[side][piece % UNIT_SLOTS];
}

static void
put_behind(struct weave *w, size_t at, size_t piece)
{
	w->next[piece] = w->next[at];
	w->next[at] = piece;
}

/* Ours in its order, and what only theirs has behind what it follows there. */
static void
arrange(struct weave *w)
{
	const struct units *u = w->u;
	size_t at = w->head, piece, next, i;

	w->next[at] = END;
	for (i = 0; i < document_count(u->doc[MERGE_OURS]); i++) {
		if (u->of[MERGE_OURS][i] == DOCUMENT_NONE)
			continue;
		piece = piece_of(w, MERGE_OURS, i);
		put_behind(w, at, piece);
		at = piece;
	}
	at = w->head;
	for (i = 0; i < document_count(u->doc[MERGE_THEIRS]); i++) {
		if (u->of[MERGE_THEIRS][i] == DOCUMENT_NONE)
			continue;
		piece = piece_of(w, MERGE_THEIRS, i);
		if (entry_of(w, piece, MERGE_OURS) == DOCUMENT_NONE) {
			/* Behind what ours added at the same place. */
			while ((next = w->next[at]) != END &&
			    entry_of(w, next, MERGE_BASE) == DOCUMENT_NONE &&
			    entry_of(w, next, MERGE_THEIRS) == DOCUMENT_NONE)
				at = next;
			put_behind(w, at, piece);
		}
		at = piece;
	}
}

static void
find_followers(struct weave *w)
{
	const struct units *u = w->u;
	size_t follower = DOCUMENT_NONE;

	for (size_t i = document_count(u->doc[MERGE_THEIRS]); i-- > 0;) {
		w->follower[i] = follower;
		if (u->of[MERGE_THEIRS][i] != DOCUMENT_NONE &&
		    entry_of(w, piece_of(w, MERGE_THEIRS, i), MERGE_BASE) != DOCUMENT_NONE)
			follower = i;
	}
}

static void
append(struct weave *w, struct text t)
{
	unsigned char last = w->out->len > 0 ? w->out->data[w->out->len - 1] : '\n';

	if (t.n == 0)
		return;
	if (last != '\n' && last != '\r')
		buf_append_str(w->out, w->line_end);
	buf_append(w->out, t.p, t.n);
}

static void
append_marker(struct weave *w, const char *marker)
{
	append(w, (struct text){ (const unsigned char *)marker, strlen(marker) });
	buf_append_str(w->out, w->line_end);
}

/*
 * Theirs put a new entry between an old one and the comment in front of it,
 * and ours did the same: the comment is in the text already.
 */
static bool
is_twice(const struct weave *w, size_t entry, struct text lead)
{
	const struct units *u = w->u;
	size_t follower = w->follower[entry], base, ours;
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
append_lead(struct weave *w, size_t piece)
{
	struct unit *x = units_at(w->u, piece / UNIT_SLOTS);
	int slot = (int)(piece % UNIT_SLOTS);
	size_t base = x->entry[MERGE_BASE][slot];
	enum merge_side side = MERGE_OURS;
	struct text lead;

	if (x->entry[MERGE_OURS][slot] != DOCUMENT_NONE &&
	    x->entry[MERGE_THEIRS][slot] != DOCUMENT_NONE)
		side = decide_lead(w->u, x, slot);
	else if (x->entry[MERGE_OURS][slot] == DOCUMENT_NONE)
		side = MERGE_THEIRS;
	lead = units_lead(w->u, side, x->entry[side][slot]);
	/* An entry that goes takes its comment along, but not a new one. */
	if (x->entry[x->take][slot] == DOCUMENT_NONE && (units_text_blank(lead) ||
	    (base != DOCUMENT_NONE && units_text_same(lead, units_lead(w->u, MERGE_BASE, base)))))
		return;
	if (base == DOCUMENT_NONE && side == MERGE_THEIRS && lead.n > 0 &&
	    x->entry[MERGE_OURS][slot] == DOCUMENT_NONE &&
	    is_twice(w, x->entry[MERGE_THEIRS][slot], lead))
		return;
	append(w, lead);
}

static void
append_version(struct weave *w, const struct unit *x, enum merge_side side, bool with_lead)
{
	for (int slot = 0; slot < UNIT_SLOTS; slot++) {
		size_t i = x->entry[side][slot];

		if (i == DOCUMENT_NONE)
			continue;
		if (with_lead || slot != UNIT_MAIN)
			append(w, units_lead(w->u, side, i));
		append(w, units_entry_text(w->u, side, i));
	}
}

/* The main entry and its tag, of both sides; the comment in front if it is none. */
static void
append_conflict(struct weave *w, struct unit *x)
{
	bool has_main = x->entry[MERGE_OURS][UNIT_MAIN] != DOCUMENT_NONE &&
	    x->entry[MERGE_THEIRS][UNIT_MAIN] != DOCUMENT_NONE;
	enum merge_side lead = has_main ? decide_lead(w->u, x, UNIT_MAIN) : MERGE_BASE;

	if (lead != MERGE_BASE)
		append(w, units_lead(w->u, lead, x->entry[lead][UNIT_MAIN]));
	append_marker(w, MARKERS_OURS);
	append_version(w, x, MERGE_OURS, lead == MERGE_BASE);
	append_marker(w, MARKERS_BETWEEN);
	append_version(w, x, MERGE_THEIRS, lead == MERGE_BASE);
	append_marker(w, MARKERS_THEIRS);
	x->written = true;
	w->r->conflicts++;
	text_append_visible(&w->r->names, x->name, x->len);
	buf_append_char(&w->r->names, '\n');
}

static void
append_tail(struct weave *w)
{
	struct text tail[MERGE_SIDES];
	enum merge_side side;

	for (int i = 0; i < MERGE_SIDES; i++)
		tail[i] = units_tail(w->u, (enum merge_side)i);
	side = decide_text(tail);
	if (side != MERGE_BASE) {
		append(w, tail[side]);
		return;
	}
	append_marker(w, MARKERS_OURS);
	append(w, tail[MERGE_OURS]);
	append_marker(w, MARKERS_BETWEEN);
	append(w, tail[MERGE_THEIRS]);
	append_marker(w, MARKERS_THEIRS);
	w->r->conflicts++;
	buf_append_str(&w->r->names, "the lines behind the last entry\n");
}

static void
append_pieces(struct weave *w)
{
	struct unit *x;
	size_t piece, entry;

	for (piece = w->next[w->head]; piece != END; piece = w->next[piece]) {
		x = units_at(w->u, piece / UNIT_SLOTS);
		if (x->take == MERGE_BASE) {
			if (!x->written)
				append_conflict(w, x);
			continue;
		}
		append_lead(w, piece);
		entry = x->entry[x->take][piece % UNIT_SLOTS];
		if (entry != DOCUMENT_NONE)
			append(w, units_entry_text(w->u, x->take, entry));
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

int
weave_write(struct units *u, struct buf *out, struct merge_result *r, struct error *err)
{
	struct weave w = { .u = u, .out = out, .r = r, .head = u->list.len * UNIT_SLOTS };
	int rc = -1;

	w.next = calloc(w.head + 1, sizeof(*w.next));
	w.follower = calloc(document_count(u->doc[MERGE_THEIRS]) + 1, sizeof(*w.follower));
	if (w.next == NULL || w.follower == NULL) {
		error_memory(err);
		goto done;
	}
	w.line_end = line_end_of(u);
	arrange(&w);
	find_followers(&w);
	append_pieces(&w);
	append_tail(&w);
	rc = buf_check(out, err);
done:
	free(w.follower);
	free(w.next);
	return rc;
}
