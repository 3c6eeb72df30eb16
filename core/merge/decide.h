#ifndef MERGE_DECIDE_H
#define MERGE_DECIDE_H

#include "merge/merge.h"
#include "merge/units.h"

struct error;
struct text;

/* Which side each unit comes from (inside core/merge): fills struct unit's take. */
int decide_units(struct units *u, const struct merge_input *in, struct error *err);

/* The same for a piece of text that all three have; BASE: a conflict. */
enum merge_side decide_text(const struct text text[MERGE_SIDES]);

/* The lines in front of an entry that both sides have. */
enum merge_side decide_lead(const struct units *u, const struct unit *x, int slot);

#endif /* !MERGE_DECIDE_H */
