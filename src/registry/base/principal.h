#ifndef REGISTRY_DATA_PRINCIPAL_H
#define REGISTRY_DATA_PRINCIPAL_H

#include <stdbool.h>
#include <stddef.h>

#define PRINCIPAL_MAX 256	/* bytes, the NUL included */

/**
 * principal_normalise(text, n, out):
 * The name of a user or service as it is kept and compared: one leading
 * "User:" is dropped (two are refused).  False unless 1-255 bytes of UTF-8 are left that can
 * all be seen (no control characters, no bidirectional overrides) and have no
 * blank at either end.  A ':' is fine here, as in the URI of a certificate.
 */
bool principal_normalise(const char *text, size_t n, char out[PRINCIPAL_MAX]);

/* May it log in with a password?  HTTP Basic ends a name at the first ':'. */
bool principal_is_user(const char *name);

#endif /* !REGISTRY_DATA_PRINCIPAL_H */
