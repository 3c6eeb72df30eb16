#ifndef PLAN_KEEP_H
#define PLAN_KEEP_H

#include <stdint.h>

struct error;
struct plan;
struct trail;

/**
 * keep_change(p, t, change, err):
 * Keep what undoes a plan that is about to be applied as ${change} (trail/kept.h): what its
 * sealed entries and references are now.  Of a plan that cannot be undone from that the reason.
 * Errors: those of kept_write.
 */
int keep_change(const struct plan *p, const struct trail *t, uint64_t change, struct error *err);

#endif /* !PLAN_KEEP_H */
