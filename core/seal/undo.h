#ifndef SEAL_UNDO_H
#define SEAL_UNDO_H

#include <stddef.h>

struct configuration;
struct error;
struct kept;
struct plan;

/**
 * undo_plan(p, configs, k, count, err):
 * Plan what takes a change back: the sealed entries and references that ${k} (trail/kept.h) has
 * of it, entry by entry, wherever the value is still the one that the change left; ${*count} of
 * them.  One that is as it was before stays.  ${configs}: the configurations among the files of
 * ${k}, in their order.  The plan's secrets file is unlocked, so that each sealed value is
 * opened, and proved by its tag, before it is put back; and the sealed text and tag are those of
 * before, byte for byte.
 *
 * ERROR_REFUSED: ${k} says why it cannot be undone, a value in CBC has no tag, or another entry
 * (plan_set_users) refers to one that would be gone; ERROR_STALE: an
 * entry was changed again since; ERROR_KEY: a value was sealed under another data key;
 * ERROR_DAMAGED: what is kept is not what was sealed for that entry; ERROR_MEMORY.
 */
int undo_plan(struct plan *p, struct configuration *const configs[], const struct kept *k,
    size_t *count, struct error *err);

#endif /* !SEAL_UNDO_H */
