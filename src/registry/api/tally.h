#ifndef REGISTRY_API_TALLY_H
#define REGISTRY_API_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct error;

/*
 * Counts of requests by endpoint and status.  Each event thread counts in a
 * tally of its own, which any thread may read.
 */
struct tally;

struct tally *tally_new(struct error *err);
void tally_free(struct tally *t);

/* One request answered; ${e} NULL: no such route. */
void tally_count(struct tally *t, const struct endpoint *e, int status, uint64_t ns);

void tally_undecryptable(struct tally *t);
void tally_login_failed(struct tally *t);

/* The statuses that are counted one by one; 0, the last, is every other. */
extern const int tally_statuses[];
size_t tally_status_count(void);

/* Upper bounds of the buckets of the latency histogram, nanoseconds. */
extern const uint64_t tally_bounds[];
size_t tally_bound_count(void);

/* Of endpoint ${i} (route_count(): no such route) and status number ${j}. */
uint64_t tally_requests(const struct tally *t, size_t i, size_t j);
uint64_t tally_ns(const struct tally *t, size_t i);
/* In bucket ${i} alone (not below it), tally_bound_count(): above all. */
uint64_t tally_bucket(const struct tally *t, size_t i);
uint64_t tally_undecryptables(const struct tally *t);
uint64_t tally_logins_failed(const struct tally *t);

#endif /* !REGISTRY_API_TALLY_H */
