#ifndef PLAN_SEAL_PUT_H
#define PLAN_SEAL_PUT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct configuration;
struct error;
struct plan;
struct seal_options;

/* Planning one sealed value, wherever its reference goes (for seal*.c). */
struct sealing {
	const char *key;	/* names the sealed entry: <base name>/<key> */
	size_t len;
	const void *plain;
	size_t n;
	bool replace;		/* a sealed entry of another value */

	/* Plan ${ref} in the place of the clear text. */
	int (*refer)(struct plan *p, struct configuration *c, const struct sealing *x,
	    const struct buf *ref, struct error *err);
	const void *cookie;	/* for refer */
};

/**
 * seal_put(p, c, x, o, err):
 * Plan the sealed entry, the reference and the provider.  What may be refused
 * comes first, so that a refusal plans nothing.  1: the plan seals this key
 * already.  -1: as seal_entry.
 */
int seal_put(struct plan *p, struct configuration *c, const struct sealing *x,
    const struct seal_options *o, struct error *err);

/* Note that a reference was left as it is, unless it is in order. */
struct reference;
void seal_note_reference(struct plan *p, const struct configuration *c,
    size_t entry, const char *key, size_t len, const struct reference *r);

#endif /* !PLAN_SEAL_PUT_H */
