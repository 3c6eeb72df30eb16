#include <stddef.h>
#include <stdio.h>

#include "registry/audit/audit_internal.h"

void
audit_set_stuck(struct audit *a)
{
	char reason[AUDIT_REASON_MAX];

	a->stuck = true;
	if (a->failing)
		return;
	snprintf(reason, sizeof(reason), "the audit log has not taken an event within %u ms",
	    a->deadline_ms);
	audit_set_unready(a, reason);
}

/*
 * Take the waits whose time is over out of a batch, and put them before
 * ${list}.  ${*next} becomes the earliest deadline of the others.
 */
static struct audit_wait *
audit_watch_expire(struct audit *a, struct audit_batch *b, uint64_t now, uint64_t *next,
    struct audit_wait *list)
{
	struct audit_entry *e;
	size_t i;

	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		if (e->wait == NULL)
			continue;
		if (e->deadline > now) {
			if (e->deadline < *next)
				*next = e->deadline;
			continue;
		}
		e->wait->failed = 1;
		e->wait->next = list;
		list = e->wait;
		e->wait = NULL;
		e->expired = true;
		a->counts.failures++;
		a->some_expired = true;
		a->stuck = true;
	}
	return list;
}

/* Deadlines grow with the order of submission, so what is handed in during a
 * sleep ends after it: nobody needs to wake us for that. */
void *
audit_watch_run(void *audit)
{
	struct audit *a = audit;
	struct audit_wait *list;
	uint64_t next;

	pthread_mutex_lock(&a->lock);
	while (!a->watch_stop || a->refused != NULL) {
		list = a->refused;
		a->refused = NULL;
		next = audit_now() + a->deadline_ms;
		list = audit_watch_expire(a, a->inflight, audit_now(), &next, list);
		list = audit_watch_expire(a, a->pending, audit_now(), &next, list);
		if (a->stuck)
			audit_set_stuck(a);
		if (list != NULL) {
			pthread_mutex_unlock(&a->lock);
			audit_tell(list);
			pthread_mutex_lock(&a->lock);
		} else if (!a->watch_stop)
			audit_wait_until(a, &a->tick, next);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}
