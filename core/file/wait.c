#include <stdbool.h>
#include <stddef.h>

#include "file/wait.h"

#define SLEEP_FIRST_NS 1000000L		/* 1 ms, then double */
#define SLEEP_MAX_NS 50000000L		/* 50 ms */
#define MS_NS 1000000L
#define SECOND_NS 1000000000L

void
wait_start(struct wait *w)
{
	clock_gettime(CLOCK_MONOTONIC, &w->start);
}

/* Nanoseconds until the time is up, at most ${most}. */
static long
time_left(const struct wait *w, long most)
{
	struct timespec now;
	long long left;

	if (w->timeout_ms < 0)
		return most;
	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (long long)w->timeout_ms * MS_NS -
	    ((long long)(now.tv_sec - w->start.tv_sec) * SECOND_NS +
	    (now.tv_nsec - w->start.tv_nsec));
	if (left <= 0)
		return 0;
	return left < most ? (long)left : most;
}

enum wait_outcome
wait_for(const struct wait *w, enum wait_outcome (*try)(void *what, struct error *err), void *what,
    const char *path, struct error *err)
{
	struct timespec pause = { 0, 0 };
	long next = SLEEP_FIRST_NS;
	enum wait_outcome outcome;
	bool told = false;

	while ((outcome = try(what, err)) == WAIT_BUSY) {
		pause.tv_nsec = time_left(w, next);
		if (pause.tv_nsec == 0)
			break;
		if (!told && w->waiting != NULL)
			w->waiting(w->cookie, path);
		told = true;
		nanosleep(&pause, NULL);
		next = next < SLEEP_MAX_NS / 2 ? 2 * next : SLEEP_MAX_NS;
	}
	return outcome;
}
