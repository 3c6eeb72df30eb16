#ifndef REGISTRY_AUDIT_AUDIT_MACS_H
#define REGISTRY_AUDIT_AUDIT_MACS_H

#include "crypto/mac.h"

struct audit_macs;
struct error;
struct key;

/* HMAC contexts of one purpose, lent to one thread at a time: OpenSSL is slow
 * at making one. */

struct audit_macs *audit_macs_new(const struct key *k, const char *purpose, struct error *err);
void audit_macs_free(struct audit_macs *m);

/* NULL: none could be made. */
struct mac *audit_macs_take(struct audit_macs *m);
void audit_macs_give(struct audit_macs *m, struct mac *one);

#endif /* !REGISTRY_AUDIT_AUDIT_MACS_H */
