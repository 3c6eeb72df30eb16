#ifndef PLAN_SEAL_OPTION_H
#define PLAN_SEAL_OPTION_H

#include <stddef.h>

struct configuration;
struct error;
struct plan;
struct seal_options;
struct target;

/* Sealing inside JAAS values (for seal.c). */

/**
 * seal_option(p, c, t, o, err):
 * Plan to seal option t->option of t->entry: its value, quotes and all, in
 * every line of the key that has it.  A reference is left alone with a note.
 * 1: planned, 0: it is our reference, 2: another provider's, -1 as seal_entry.
 */
int seal_option(struct plan *p, struct configuration *c,
    const struct target *t, const struct seal_options *o, struct error *err);

/**
 * seal_option_value(p, c, t, value, n, o, err):
 * The same with a given value, which is quoted if it is not one word; the
 * option is made when ${t} is TARGET_NEW_OPTION.
 */
int seal_option_value(struct plan *p, struct configuration *c,
    const struct target *t, const void *value, size_t n,
    const struct seal_options *o, struct error *err);

#endif /* !PLAN_SEAL_OPTION_H */
