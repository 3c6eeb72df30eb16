#ifndef REGISTRY_CLI_SECRETS_OF_H
#define REGISTRY_CLI_SECRETS_OF_H

#include <stddef.h>

struct error;
struct remote;

/* One version that was read; strings valid during the visit. */
struct secret_read {
	const char *path, *key;
	long long version;
	const char *value;
	size_t value_len;
};

/* -1 to stop, with the error filled. */
typedef int secret_visit(void *cookie, const struct secret_read *s, struct error *err);

/**
 * secrets_of_registry(r, visit, cookie, err):
 * Visit every live version that the caller may read, of every path and key,
 * versions ascending: with calls of the oldest dialect alone (lists, then all
 * versions of a key).  ${*denied} counts the keys whose names may be seen, but
 * not their values.
 */
int secrets_of_registry(struct remote *r, secret_visit *visit, void *cookie,
    size_t *denied, struct error *err);

/* The same for the lines of an export's file. */
int secrets_of_file(const char *file, secret_visit *visit, void *cookie, struct error *err);

#endif /* !REGISTRY_CLI_SECRETS_OF_H */
