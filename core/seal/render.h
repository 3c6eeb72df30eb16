#ifndef PLAN_RENDER_H
#define PLAN_RENDER_H

#include <stddef.h>

struct buf;
struct configuration;
struct error;
struct plan;

/*
 * A configuration with its references resolved (secrets/resolve.h).  The
 * plan's secrets file must be unlocked; remarks become notes of the plan, and
 * nothing is planned.
 */

enum render_reader {
	RENDER_PROGRAM,	/* it takes the file's place: all of ours must resolve */
	RENDER_PERSON	/* to be edited: what does not resolve stays, with a note */
};

/**
 * render_document(p, c, reader, out, err):
 * Append the whole file to ${out} (secret), every byte outside the resolved
 * values as it is.  For a program the provider that nothing refers to any
 * more is taken out again (provider.h); references to other providers stay,
 * with a note.  Errors as for render_value.
 */
int render_document(struct plan *p, const struct configuration *c,
    enum render_reader reader, struct buf *out, struct error *err);

/**
 * render_value(p, c, i, out, err):
 * Append the resolved value of entry ${i} to ${out} (secret).  ERROR_MISSING
 * (a dangling reference) at the configuration's line; ERROR_DAMAGED at the
 * secrets file's.
 */
int render_value(struct plan *p, const struct configuration *c, size_t i,
    struct buf *out, struct error *err);

#endif /* !PLAN_RENDER_H */
