#ifndef REGISTRY_DATA_WATCH_H
#define REGISTRY_DATA_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * When to look whether files have changed: by one thread every few
 * milliseconds, and before anything else goes on when this process has
 * changed one itself.  The usual answer costs a few loads and the coarse
 * clock.
 */
struct watch {
	_Atomic int64_t next_ms;
	atomic_uint applied;	/* data_file_edits() as of the last look */
	unsigned claimed;
	pthread_mutex_t looking;
};

#define WATCH_MS 5

void watch_init(struct watch *w);
void watch_destroy(struct watch *w);

/* true: look now; nobody else does until watch_end. */
bool watch_begin(struct watch *w);

/* The same without a condition, for the start and SIGHUP. */
void watch_begin_now(struct watch *w);
void watch_end(struct watch *w);

/* The coarse monotonic clock (its step is 4 ms on most kernels). */
int64_t watch_now_ms(void);

#endif /* !REGISTRY_DATA_WATCH_H */
