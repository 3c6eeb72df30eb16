#ifndef MERGE_UNITS_H
#define MERGE_UNITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "merge/merge.h"

struct document;
struct error;
struct map;

/* The entries of three versions of a file side by side (inside core/merge). */

/* An entry, and the entry that holds its tag. */
enum unit_slot { UNIT_MAIN, UNIT_TAG };

#define UNIT_SLOTS 2

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

/* ERROR_MEMORY.  Release ${u} also after a failure. */
int units_collect(struct units *u, const struct document *const doc[MERGE_SIDES],
    struct error *err);
void units_release(struct units *u);

struct unit *units_at(const struct units *u, size_t i);

/* Which of the two is entry ${i}? */
enum unit_slot units_slot(const struct units *u, enum merge_side side, size_t i);

/* Bytes of one version. */
struct text {
	const unsigned char *p;
	size_t n;
};

struct text units_entry_text(const struct units *u, enum merge_side side, size_t i);
struct text units_lead(const struct units *u, enum merge_side side, size_t i);
struct text units_tail(const struct units *u, enum merge_side side);

bool units_text_same(struct text a, struct text b);
bool units_text_blank(struct text t);

/* Have both sides the same value in this slot, or both none?  ERROR_MEMORY. */
int units_same(const struct units *u, const struct unit *x, enum unit_slot slot,
    enum merge_side a, enum merge_side b, bool *same, struct error *err);

#endif /* !MERGE_UNITS_H */
