#include "registry/store/store_internal.h"

/* Those who wait for something to change. */

void
store_wake_waiters(struct store *s)
{
	uint64_t offset = state_offset(s->state);
	struct store_waiter *ready = NULL, **at, *w;

	(void)pthread_mutex_lock(&s->mutex);
	for (at = &s->waiters; (w = *at) != NULL; ) {
		if (offset > w->since) {
			*at = w->next;
			w->next = ready;
			ready = w;
		} else {
			at = &w->next;
		}
	}
	(void)pthread_mutex_unlock(&s->mutex);
	while ((w = ready) != NULL) {
		ready = w->next;
		w->woken(w);
	}
}

void
store_wait(struct store *s, struct store_waiter *w)
{
	(void)pthread_mutex_lock(&s->mutex);
	w->next = s->waiters;
	s->waiters = w;
	/* It may be beyond already: the writer looks. */
	s->woken = true;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

bool
store_unwait(struct store *s, struct store_waiter *w)
{
	struct store_waiter **at;
	bool found;

	(void)pthread_mutex_lock(&s->mutex);
	for (at = &s->waiters; *at != NULL && *at != w; at = &(*at)->next)
		;
	found = *at != NULL;
	if (found)
		*at = w->next;
	(void)pthread_mutex_unlock(&s->mutex);
	return found;
}
