#ifndef REGISTRY_AUDIT_AUDIT_COMMIT_H
#define REGISTRY_AUDIT_AUDIT_COMMIT_H

#include <stddef.h>

struct audit;
struct audit_commit;
struct audit_text;
struct error;

/* The writer's side of the commits of audit.h. */

/* Bytes and lines of its events, for the room that sealing needs; NULL: 0. */
size_t audit_commit_bytes(const struct audit_commit *c);
size_t audit_commit_lines(const struct audit_commit *c);

/* The one that wants to begin; NULL: none.  The lock is held. */
struct audit_commit *audit_commit_take(struct audit *a);

/* Seal the intents. */
int audit_commit_seal(struct audit *a, struct audit_commit *c, struct audit_text *out,
    struct error *err);

/**
 * audit_commit_run(a, c, n, err):
 * The first ${n} bytes of a->out, with the intents at their end, stand in the
 * sinks: let the changes be made, write the outcomes.  0: what stands there is
 * durable, or carried.  ${*c} becomes NULL if nothing is left to be settled.
 */
int audit_commit_run(struct audit *a, struct audit_commit **c, size_t n, struct error *err);

/* It was refused, given up, or its outcomes could not be written: put down what
 * has to be said of it later, and tell. */
void audit_commit_settle(struct audit *a, struct audit_commit *c, const struct error *why);

#endif /* !REGISTRY_AUDIT_AUDIT_COMMIT_H */
