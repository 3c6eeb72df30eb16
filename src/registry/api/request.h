#ifndef REGISTRY_API_REQUEST_H
#define REGISTRY_API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/auth/access.h"
#include "registry/api/route.h"

struct buf;
struct exchange;
struct settings;
struct state;
struct store;

/* What an endpoint asks of its request. */

const struct settings *request_settings(const struct exchange *x);
struct store *request_store(const struct exchange *x);
struct state *request_state(const struct exchange *x);
bool request_mredjem(const struct exchange *x);

/* A parameter of the route: decoded, NUL-terminated. */
const char *request_param(const struct exchange *x, enum param p, size_t *n);

/* The caller's name without "User:". */
const char *request_principal(const struct exchange *x);

/* May the caller do this?  ${why} is filled when so. */
bool request_allows(struct exchange *x, enum operation op, const char *path, size_t n);

/* Is the query's ${name} "true" or "1"? */
bool request_flag(const struct exchange *x, const char *name);

/* Does the query have ${name} with another value than true, 1, false and 0? */
bool request_flag_odd(const struct exchange *x, const char *name);

/* The query's ${name}, appended to ${out}.  1: found; 0: not there; -1: bad
 * encoding, and the request has been failed. */
int request_query(struct exchange *x, const char *name, struct buf *out);

/* As a number from ${low} to ${high}; -1: failed with 422. */
int request_number(struct exchange *x, const char *name, uint64_t low, uint64_t high,
    uint64_t *value);

#endif /* !REGISTRY_API_REQUEST_H */
