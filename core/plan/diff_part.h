#ifndef PLAN_DIFF_PART_H
#define PLAN_DIFF_PART_H

#include <stddef.h>

#include "base/buf.h"

struct edit;
struct edits;

/*
 * What one change takes away and what it brings, for both forms of a diff: a
 * whole value, or for a splice the piece of it.  Of a JAAS option that comes
 * or goes as a whole (its text is `name=value`) that is the option's value.
 */
struct diff_part {
	const char *old;	/* NULL: nothing goes */
	size_t old_len;
	const char *new;	/* NULL: nothing comes */
	size_t new_len;
};

/* The old value that was asked for last; a thousand splices of it decode it once. */
struct diff_old {
	struct buf value;	/* secret */
	const struct edits *edits;
	size_t entry;
};

void diff_part_init(struct diff_old *o);
void diff_part_release(struct diff_old *o);

/* Pointers are valid until the next call with ${o}, and the next change of ${edits}. */
struct diff_part diff_part_of(struct diff_old *o, const struct edits *edits,
    const struct edit *e);

#endif /* !PLAN_DIFF_PART_H */
