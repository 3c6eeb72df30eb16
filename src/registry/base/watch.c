#include "registry/base/watch.h"

#include <time.h>

#include "registry/base/data_file.h"

int64_t
watch_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
watch_init(struct watch *w)
{
	atomic_init(&w->next_ms, 0);
	atomic_init(&w->applied, data_file_edits());
	w->claimed = 0;
	pthread_mutex_init(&w->looking, NULL);
}

void
watch_destroy(struct watch *w)
{
	pthread_mutex_destroy(&w->looking);
}

static bool
is_applied(struct watch *w)
{
	return atomic_load_explicit(&w->applied, memory_order_acquire) == data_file_edits();
}

bool
watch_begin(struct watch *w)
{
	int64_t now, next;

	/* What this process has written is in force for all that comes later. */
	if (!is_applied(w)) {
		watch_begin_now(w);
		if (!is_applied(w))
			return true;
		pthread_mutex_unlock(&w->looking);
		return false;
	}
	now = watch_now_ms();
	next = atomic_load_explicit(&w->next_ms, memory_order_relaxed);
	if (now < next || !atomic_compare_exchange_strong(&w->next_ms, &next, now + WATCH_MS) ||
	    pthread_mutex_trylock(&w->looking) != 0)
		return false;
	w->claimed = data_file_edits();
	return true;
}

void
watch_begin_now(struct watch *w)
{
	pthread_mutex_lock(&w->looking);
	w->claimed = data_file_edits();
}

void
watch_end(struct watch *w)
{
	atomic_store_explicit(&w->applied, w->claimed, memory_order_release);
	pthread_mutex_unlock(&w->looking);
}
