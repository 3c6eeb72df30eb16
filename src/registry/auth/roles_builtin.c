#include <stdint.h>

#include "registry/auth/operation.h"
#include "registry/auth/roles.h"

#define BIT(op) OPERATION_BIT(op)
#define LOOKING (BIT(SECRET_LIST) | BIT(SECRET_METADATA))
#define READING (BIT(SECRET_READ) | BIT(SECRET_RESOLVE))
#define CHANGING (BIT(SECRET_WRITE) | BIT(SECRET_DELETE))

/*
 * The roles of Confluent Platform, what they mean for secrets, and one of our
 * own: a Connect worker may have references resolved, but not read values as
 * such.  Who may read a value may have it resolved.  UserAdmin stores what it
 * cannot read back.
 */
static const struct role table[] = {
	{ "SystemAdmin", true, false, (1U << OPERATION_COUNT) - 1 },
	{ "UserAdmin", true, false, LOOKING | CHANGING | BIT(ALTER_ACCESS) },
	{ "ClusterAdmin", true, false, LOOKING | BIT(ROTATE_KEY) },
	{ "SecurityAdmin", true, false, LOOKING | BIT(AUDIT_READ) },
	{ "AuditAdmin", true, false, BIT(AUDIT_READ) },
	{ "Operator", true, false, LOOKING },
	{ "ResourceOwner", false, true,
	    LOOKING | READING | CHANGING | BIT(SECRET_DESTROY) | BIT(ALTER_ACCESS) },
	{ "DeveloperManage", false, true, LOOKING | BIT(SECRET_WRITE) },
	{ "DeveloperWrite", false, true, LOOKING },
	{ "DeveloperRead", false, true, LOOKING },
	{ "ConnectManager", false, true, LOOKING | READING },
	{ "ConnectWorker", true, true, LOOKING | BIT(SECRET_RESOLVE) },
};

void
roles_builtin(struct roles *out)
{
	out->items = (struct role *)(uintptr_t)table;
	out->count = sizeof(table) / sizeof(table[0]);
}
