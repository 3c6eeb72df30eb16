#ifndef REGISTRY_AUDIT_AUDIT_SEAL_H
#define REGISTRY_AUDIT_AUDIT_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit;
struct error;

/**
 * audit_seal_all(a, resumed, lost, last, n, err):
 * Make the lines of one write in a->out: what the audit log has to say itself
 * (of a torn line, that it works again with ${lost} events refused), a->own, a
 * checkpoint when it is time, what is in flight, and with ${last} the end.  Entries get their
 * seq.  ${*n}: the bytes.
 */
int audit_seal_all(struct audit *a, bool resumed, uint64_t lost, bool last, size_t *n,
    struct error *err);

/* The lines that were sealed are in the log: note intents and outcomes. */
void audit_seal_track(struct audit *a);

/* The text behind ${mark} (which ends with a quote) up to the next quote, in a
 * body that audit_event_write made.  False: it is not there or too long. */
bool audit_seal_member(const char *body, size_t n, const char *mark, char *out, size_t size);

#endif /* !REGISTRY_AUDIT_AUDIT_SEAL_H */
