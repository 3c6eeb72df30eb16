#include "merge/decide.h"

#include <string.h>

#include "base/error.h"
#include "document/document.h"
#include "merge/units.h"
#include "secrets/metadata.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

enum merge_side
decide_text(const struct text text[MERGE_SIDES])
{
	if (units_text_same(text[MERGE_OURS], text[MERGE_THEIRS]) ||
	    units_text_same(text[MERGE_BASE], text[MERGE_THEIRS]))
		return MERGE_OURS;
	return units_text_same(text[MERGE_BASE], text[MERGE_OURS]) ? MERGE_THEIRS : MERGE_BASE;
}

enum merge_side
decide_lead(const struct units *u, const struct unit *x, int slot)
{
	struct text text[MERGE_SIDES] = { { (const unsigned char *)"", 0 } };

	text[MERGE_OURS] = units_lead(u, MERGE_OURS, x->entry[MERGE_OURS][slot]);
	text[MERGE_THEIRS] = units_lead(u, MERGE_THEIRS, x->entry[MERGE_THEIRS][slot]);
	if (x->entry[MERGE_BASE][slot] != DOCUMENT_NONE)
		text[MERGE_BASE] = units_lead(u, MERGE_BASE, x->entry[MERGE_BASE][slot]);
	return decide_text(text);
}

/* Which versions of one slot are the same. */
struct sames {
	bool both;	/* ours and theirs */
	bool ours;	/* as base */
	bool theirs;
};

static int
compare(const struct units *u, const struct unit *x, enum unit_slot slot, struct sames *s,
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

/* All but the name of the variable, which has nothing to do with the keys. */
static bool
is_key_metadata(const struct units *u, const struct unit *x)
{
	size_t i;

	if (x->len == strlen(SECRETS_ENVVAR) && memcmp(x->name, SECRETS_ENVVAR, x->len) == 0)
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
		    decide_lead(u, x, slot) == MERGE_BASE)
			return true;
	}
	return false;
}

static int
decide(struct units *u, struct unit *x, const struct merge_input *in, struct error *err)
{
	struct sames main, tag;
	enum merge_side take;

	if (compare(u, x, UNIT_MAIN, &main, err) != 0 || compare(u, x, UNIT_TAG, &tag, err) != 0)
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

int
decide_units(struct units *u, const struct merge_input *in, struct error *err)
{
	for (size_t i = 0; i < u->list.len; i++)
		if (decide(u, units_at(u, i), in, err) != 0)
			return -1;
	return 0;
}
