#include <stdlib.h>
#include <string.h>

#include "registry/audit/audit_unsynced.h"

#define FIRST_CAP ((size_t)64 << 10)

int
audit_unsynced_add(struct audit_unsynced *u, const void *bytes, size_t n)
{
	size_t cap = u->cap > 0 ? u->cap : FIRST_CAP;
	char *more;

	if (n > AUDIT_UNSYNCED_MAX || u->len > AUDIT_UNSYNCED_MAX - n)
		return -1;
	while (cap < u->len + n)
		cap *= 2;
	if (cap > u->cap) {
		if ((more = realloc(u->bytes, cap)) == NULL)
			return -1;
		u->bytes = more;
		u->cap = cap;
	}
	memcpy(u->bytes + u->len, bytes, n);
	u->len += n;
	return 0;
}

void
audit_unsynced_release(struct audit_unsynced *u)
{
	free(u->bytes);
	*u = (struct audit_unsynced){ NULL, 0, 0 };
}
