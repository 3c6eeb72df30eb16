#ifndef REGISTRY_BASE_CLOCK_H
#define REGISTRY_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t clock_ns(void);

/* The same in milliseconds. */
int64_t clock_ms(void);

/**
 * clock_gather_until(batch_ns):
 * Until when, by CLOCK_MONOTONIC, one who syncs or commits batches waits for the
 * rest of one to come: half of what a batch took (${batch_ns}), but 0.3 to 5 ms.
 */
struct timespec clock_gather_until(uint64_t batch_ns);

void clock_pause(unsigned ms);

#endif /* !REGISTRY_BASE_CLOCK_H */
