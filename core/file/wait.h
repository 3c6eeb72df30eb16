#ifndef FILE_WAIT_H
#define FILE_WAIT_H

#include <time.h>

struct error;

/* How long to wait for what others hold (0: not at all, -1: without end), and
 * whom to tell when a wait starts (NULL: nobody). */
struct wait {
	int timeout_ms;
	void (*waiting)(void *cookie, const char *path);
	void *cookie;
	struct timespec start;		/* wait_start's */
};

enum wait_outcome { WAIT_GOT, WAIT_BUSY, WAIT_FAILED };

/* The time begins now. */
void wait_start(struct wait *w);

/**
 * wait_for(w, try, what, path, err):
 * Call ${try}(what, err) again and again until it says something else than
 * WAIT_BUSY, or the time is up, as leases and OFD locks cannot be waited for
 * with a time limit.
 */
enum wait_outcome wait_for(const struct wait *w, enum wait_outcome (*try)(void *what,
    struct error *err), void *what, const char *path, struct error *err);

#endif /* !FILE_WAIT_H */
