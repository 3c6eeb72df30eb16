#ifndef REGISTRY_ACCESS_BINDINGS_H
#define REGISTRY_ACCESS_BINDINGS_H

#include <stddef.h>

#include "registry/auth/access.h"

struct error;
struct file_id;
struct roles;

#define BINDINGS_FILE "bindings.json"
#define BINDINGS_MAX 1000000

/*
 * The bindings as they are looked up: by principal, and below it the
 * cluster's, then those of paths in the order of their bytes, then prefixes.
 */
struct bindings;

/**
 * bindings_read(data, roles, id, err):
 * From DATA/bindings.json; none where there is no such file.  A binding to a
 * role that is not in the table, or that has not this scope, grants nothing.
 * Needs ${roles} (by its numbers) as long as it lives.
 */
struct bindings *bindings_read(const char *data, const struct roles *roles,
    struct file_id *id, struct error *err);
void bindings_free(struct bindings *b);

/* The operations that a principal has somewhere. */
unsigned bindings_anywhere(const struct bindings *b, const char *principal);

/* As access_allows. */
bool bindings_allow(const struct bindings *b, const char *principal, enum operation op,
    const char *path, size_t n, struct access_reason *why);

#endif /* !REGISTRY_ACCESS_BINDINGS_H */
