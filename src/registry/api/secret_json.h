#ifndef REGISTRY_API_SECRET_JSON_H
#define REGISTRY_API_SECRET_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;
struct exchange;
struct json_out;
struct version_view;

/* A secret's names. */
struct secret_name {
	const char *path, *key;
	size_t path_len, key_len;
};

/* What goes on with a secret that is no longer live. */
const char *secret_json_state(const struct version_view *v);

/* Open a value into the thread's scratch buffer, which stays valid until the
 * next call.  NULL: it cannot be opened (counted). */
const struct buf *secret_json_open(struct exchange *x, const struct secret_name *name,
    const struct version_view *v, struct error *err);

/**
 * secret_json_append(name, v, value, n, metadata, out):
 * A value {"path":,"key":,"version":,"secret":}; without "secret" if ${value} is NULL;
 * with who, when and until if ${metadata}.
 */
void secret_json_append(const struct secret_name *name, const struct version_view *v,
    const void *value, size_t n, bool metadata, struct json_out *out);

#endif /* !REGISTRY_API_SECRET_JSON_H */
