#ifndef REGISTRY_ACCESS_BINDING_JSON_H
#define REGISTRY_ACCESS_BINDING_JSON_H

#include <stddef.h>

#include <jansson.h>

struct error;

enum binding_pattern { BINDING_CLUSTER, BINDING_LITERAL, BINDING_PREFIXED };

/* One element of "bindings" in bindings.json; the strings are the JSON's. */
struct binding_json {
	const char *role;
	const char *principal;
	enum binding_pattern pattern;
	const char *path;	/* NULL: the cluster */
	size_t path_len;
	const char *by;		/* may be NULL */
};

/* The list, which must be one.  NULL: ERROR_FORMAT. */
json_t *binding_json_list(const json_t *root, struct error *err);

/* Check and read element ${i}.  ERROR_FORMAT. */
int binding_json_read(const json_t *item, size_t i, struct binding_json *out,
    struct error *err);

#endif /* !REGISTRY_ACCESS_BINDING_JSON_H */
