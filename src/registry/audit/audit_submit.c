#include <string.h>

#include "registry/audit/audit_event.h"
#include "registry/audit/audit_internal.h"

#define EVENTS_MAX 2

/* The lines of one audit_submit: static, as clearing them would take longer
 * than writing them. */
static _Thread_local char bodies[EVENTS_MAX][AUDIT_EVENT_MAX];

struct audit_line
audit_line_of(const struct audit_event *e, size_t len)
{
	struct audit_line head = { .len = (uint32_t)len, .kind = AUDIT_LINE_OTHER,
	    .intent = e->intent };

	if (e->phase != AUDIT_INTENT)
		head.kind = AUDIT_LINE_ENDS;
	else if (audit_event_changes(e->method) && !(e->authorization && !e->granted))
		head.kind = AUDIT_LINE_BEGINS;
	return head;
}

/*
 * Must it be written also when it comes too late for those who wait?  What a
 * change came to must, and what nobody waits for; a line about something that
 * was then refused need not.
 */
static bool
must_keep(const struct audit_event *events, const struct audit_wait *w)
{
	if (w == NULL)
		return true;
	return events[0].phase != AUDIT_INTENT && audit_event_changes(events[0].method);
}

/* The lock is held. */
static int
audit_submit_append(struct audit *a, const struct audit_line *heads, size_t n, struct audit_wait *w,
    bool keep)
{
	struct audit_entry *e;
	size_t i;

	if (a->writer_done || ((a->failing || a->stuck) && !keep) ||
	    a->pending->lines + n > AUDIT_BATCH_LINES)
		return -1;
	if ((e = audit_batch_entry(a->pending)) == NULL)
		return -1;
	e->wait = w;
	e->deadline = w != NULL ? w->deadline : 0;
	e->keep = keep;
	for (i = 0; i < n; i++)
		if (audit_batch_line(a->pending, &heads[i], bodies[i]) != 0) {
			audit_batch_undo(a->pending);
			return -1;
		}
	return 0;
}

void
audit_wake(struct audit *a)
{
	bool wake;

	pthread_mutex_lock(&a->lock);
	wake = a->asleep;
	a->asleep = false;
	pthread_mutex_unlock(&a->lock);
	if (wake)
		pthread_cond_signal(&a->work);
}

void
audit_submit(struct audit *a, const struct audit_event *events, size_t n, struct audit_wait *w)
{
	struct audit_line heads[EVENTS_MAX];
	bool keep = must_keep(events, w);
	bool wake = false;
	size_t i;

	for (i = 0; i < n && i < EVENTS_MAX; i++)
		heads[i] = audit_line_of(&events[i], audit_event_write(a->style, &events[i], NULL,
		    bodies[i]));
	if (w != NULL) {
		w->failed = 0;
		w->seq = 0;
		w->next = NULL;
		w->deadline = audit_now() + a->deadline_ms;
	}
	pthread_mutex_lock(&a->lock);
	if (audit_submit_append(a, heads, i, w, keep) == 0) {
		wake = a->asleep && (w == NULL || !w->lazy);
		a->asleep = a->asleep && !wake;
		pthread_mutex_unlock(&a->lock);
		if (wake)
			pthread_cond_signal(&a->work);
		return;
	}
	a->lost += i;
	a->counts.failures++;
	if (w != NULL) {
		/* Told by the watch: the caller may not expect it before we return. */
		w->failed = 1;
		w->next = a->refused;
		a->refused = w;
		pthread_cond_signal(&a->tick);
	}
	pthread_mutex_unlock(&a->lock);
}
