#ifndef REGISTRY_AUDIT_AUDIT_SEAL_H
#define REGISTRY_AUDIT_AUDIT_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit;
struct audit_batch;
struct audit_commit;
struct audit_text;
struct error;

/**
 * audit_seal_all(a, c, resumed, lost, last, n, err):
 * Make the lines of one write in a->out: what the audit log has to say itself
 * (of a torn line, that it works again with ${lost} events refused), a->own, a
 * checkpoint when it is time, what is in flight, the intents of ${c} (with room
 * for its outcomes), and with ${last} the end.  Entries get their seq.  ${*n}: the
 * bytes.
 */
int audit_seal_all(struct audit *a, struct audit_commit *c, bool resumed, uint64_t lost,
    bool last, size_t *n, struct error *err);

/* Seal a batch's lines; its entries get their seq. */
int audit_seal_batch(struct audit *a, struct audit_batch *b, struct audit_text *out,
    struct error *err);

/* The lines that were sealed are in the log: note intents and outcomes. */
void audit_seal_track(struct audit *a);
void audit_seal_track_batch(struct audit *a, const struct audit_batch *b);

/* The text behind ${mark} (which ends with a quote) up to the next quote, in a
 * body that audit_event_write made.  False: it is not there or too long. */
bool audit_seal_member(const char *body, size_t n, const char *mark, char *out, size_t size);

#endif /* !REGISTRY_AUDIT_AUDIT_SEAL_H */
