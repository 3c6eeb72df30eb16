#ifndef REGISTRY_AUTH_THROTTLE_H
#define REGISTRY_AUTH_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * Failed logins by address and minute: who had too many is refused until the
 * minute is over, and after the first few not each of them gets its own line
 * in the audit log, but none goes uncounted.  IPv6 addresses count by their
 * /64.  The table is bounded: the address with the fewest failures goes.
 */
struct throttle;

#define THROTTLE_WINDOW_MS 60000
#define THROTTLE_LINES 5	/* failures of a window with a line of their own ... */
#define THROTTLE_FOLD_MS 10000	/* ... then one line in so long a time */

/* ${failures_max} 0: nobody is refused. */
struct throttle *throttle_new(unsigned failures_max, struct error *err);
void throttle_free(struct throttle *t);

/* Times are of one clock that never goes back.  ${retry_after}: seconds. */
bool throttle_refuses(struct throttle *t, const char *peer, int64_t now_ms,
    unsigned *retry_after);

/* One more.  ${report}: it is to have a line, which stands for ${folded}
 * more before it. */
void throttle_failure(struct throttle *t, const char *peer, int64_t now_ms, bool *report,
    uint64_t *folded);

/* Hand over what was folded and has waited long enough (${all}: whatever has
 * been folded).  ${peer} NULL: of addresses that are not known any more. */
void throttle_folded(struct throttle *t, int64_t now_ms, bool all,
    void (*visit)(void *cookie, const char *peer, uint64_t folded), void *cookie);

#endif /* !REGISTRY_AUTH_THROTTLE_H */
