#ifndef REGISTRY_AUDIT_AUDIT_UNSYNCED_H
#define REGISTRY_AUDIT_AUDIT_UNSYNCED_H

#include <stddef.h>

/* The bytes that were written to a file since it was last synced. */
struct audit_unsynced {
	char *bytes;
	size_t len, cap;
};

#define AUDIT_UNSYNCED_MAX ((size_t)4 << 20)

/* -1: no memory, or too many: it is to be synced. */
int audit_unsynced_add(struct audit_unsynced *u, const void *bytes, size_t n);

void audit_unsynced_release(struct audit_unsynced *u);

#endif /* !REGISTRY_AUDIT_AUDIT_UNSYNCED_H */
