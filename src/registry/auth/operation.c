#include "registry/auth/operation.h"

#include <stddef.h>
#include <string.h>

static const char *const names[OPERATION_COUNT] = {
	[SECRET_LIST] = "SecretList",
	[SECRET_READ] = "SecretRead",
	[SECRET_RESOLVE] = "SecretResolve",
	[SECRET_WRITE] = "SecretWrite",
	[SECRET_DELETE] = "SecretDelete",
	[SECRET_DESTROY] = "SecretDestroy",
	[SECRET_METADATA] = "SecretMetadata",
	[AUDIT_READ] = "AuditRead",
	[ROTATE_KEY] = "RotateKey",
	[ALTER_ACCESS] = "AlterAccess",
};

const char *
operation_name(enum operation op)
{
	return (unsigned)op < OPERATION_COUNT ? names[op] : "Unknown";
}

bool
operation_find(const char *name, enum operation *op)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*op = (enum operation)i;
			return true;
		}
	}
	return false;
}
