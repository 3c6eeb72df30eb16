#ifndef REGISTRY_AUDIT_AUDIT_ANCHOR_H
#define REGISTRY_AUDIT_AUDIT_ANCHOR_H

#include <stdint.h>

#include "registry/audit/audit_chain.h"

struct error;
struct key;

/*
 * FILE.anchor: how far the chain went, and where it begins, under a sum of its
 * own; so that lines missing at either end are noticed.  Written every minute
 * and at the end.
 */
struct audit_anchor {
	struct audit_chain chain;	/* a line that was durable, seq 0: no anchor */
	uint64_t first;			/* seq of the oldest line that is kept */
};

int audit_anchor_write(const char *file, const struct key *k, const struct audit_chain *c,
    uint64_t first, struct error *err);

/* No file: no error, seq is 0.  ERROR_DAMAGED. */
int audit_anchor_read(const char *file, const struct key *k, struct audit_anchor *out,
    struct error *err);

#endif /* !REGISTRY_AUDIT_AUDIT_ANCHOR_H */
