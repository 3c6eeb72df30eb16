#ifndef REGISTRY_AUTH_RATE_H
#define REGISTRY_AUTH_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/*
 * A bucket of tokens for each principal: ${limit} come in a second, at most
 * ${burst} are kept.  The table is bounded; who is forgotten has a full one.
 */
struct rate;

/* ${limit} 0: no limit; ${burst} 0: as many as ${limit}. */
struct rate *rate_new(unsigned limit, unsigned burst, struct error *err);
void rate_free(struct rate *r);

/* Take one.  false: none is left for ${retry_after} seconds. */
bool rate_take(struct rate *r, const char *principal, int64_t now_us,
    unsigned *retry_after);

#endif /* !REGISTRY_AUTH_RATE_H */
