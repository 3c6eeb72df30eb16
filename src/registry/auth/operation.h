#ifndef REGISTRY_ACCESS_OPERATION_H
#define REGISTRY_ACCESS_OPERATION_H

#include <stdbool.h>

#include "registry/auth/access.h"

/* Sets of operations are bits. */
#define OPERATION_BIT(op) (1U << (unsigned)(op))

/* Those that are about no single path: only a cluster role may have them. */
#define OPERATIONS_OF_CLUSTER (OPERATION_BIT(AUDIT_READ) | OPERATION_BIT(ROTATE_KEY))

/* The operation of that name (see operation_name).  false: none. */
bool operation_find(const char *name, enum operation *op);

#endif /* !REGISTRY_ACCESS_OPERATION_H */
