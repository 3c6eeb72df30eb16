#ifndef PLAN_SEALED_ENTRY_H
#define PLAN_SEALED_ENTRY_H

#include <stddef.h>

struct buf;
struct error;
struct plan;

/* A sealed entry and its tag (secrets/tag.h) are planned together, here. */

/**
 * sealed_entry_put(p, name, len, text, n, err):
 * Plan the (winning) sealed entry ${name} of the secrets file to be the
 * ENC[...] ${text}: in its line, or on a new one at the end.
 */
int sealed_entry_put(struct plan *p, const char *name, size_t len,
    const void *text, size_t n, struct error *err);

/* Plan the removal of every line of the entry; how many in ${*count}. */
int sealed_entry_remove(struct plan *p, const char *name, size_t len,
    size_t *count, struct error *err);

#endif /* !PLAN_SEALED_ENTRY_H */
