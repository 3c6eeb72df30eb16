#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_out.h"
#include "registry/audit/audit_internal.h"
#include "registry/base/clock.h"

#define CHECKPOINT_BYTES ((uint64_t)4 << 20)
#define OUT_KEEP ((size_t)8 << 20)
#define OWN_AT_ONCE 4		/* lines made by seal_own in one write */

#define RETRY_MS 100		/* between attempts while nothing can be written */
#define ROOM ((size_t)64 << 10)	/* that must be there before it is said to work again */
#define ANCHOR_MS 60000
#define OWN_LINES_MAX 16384U	/* kept until they can be written */

static int
audit_seal_reserve(struct audit *a, size_t n, struct error *err)
{
	char *more;

	/* Memory of a burst is given back. */
	if (a->out_cap > OUT_KEEP && n < OUT_KEEP / 2) {
		free(a->out);
		a->out = NULL;
		a->out_cap = 0;
	}
	if (n <= a->out_cap)
		return 0;
	if ((more = realloc(a->out, n + n / 2)) == NULL)
		return error_memory(err);
	a->out = more;
	a->out_cap = n + n / 2;
	return 0;
}

static int
seal_own(struct audit *a, const struct audit_own *own, struct audit_text *out, struct error *err)
{
	struct audit_event e = { .phase = AUDIT_OUTCOME };
	size_t n = audit_event_write(a->style, &e, own, a->own_body);

	return audit_chain_seal(&a->chain, a->mac, a->id, a->own_body, n, 0, out, err);
}

int
audit_seal_batch(struct audit *a, struct audit_batch *b, struct audit_text *out, struct error *err)
{
	struct audit_entry *e;
	struct audit_line head;
	const char *body;
	uint64_t intent;
	size_t i, at;
	uint32_t j;

	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		e->seq = e->lines > 0 ? a->chain.seq + 1 : 0;
		at = e->at;
		for (j = 0; j < e->lines; j++) {
			body = audit_batch_next(b, &at, &head);
			intent = head.intent;
			if (intent == 0 && j > 0 && head.kind == AUDIT_LINE_ENDS)
				intent = e->seq;
			if (audit_chain_seal(&a->chain, a->mac, a->id, body, head.len, intent, out,
			    err) != 0)
				return -1;
		}
	}
	return 0;
}

static int
seal_news(struct audit *a, bool resumed, uint64_t lost, struct audit_text *out, struct error *err)
{
	uint64_t torn = a->sink_file != NULL ? audit_sink_file_torn(a->sink_file) : 0;
	struct audit_own torn_own = { .phase = "torn", .has_count = true, .count = torn,
	    .message = "bytes of lines that were not written as a whole stand before this" };
	struct audit_own cut_own = { .phase = "torn", .has_count = true, .count = a->cut,
	    .message = "bytes of a line that was not written as a whole were cut off here" };
	struct audit_own resumed_own = { .phase = "resumed", .has_count = true, .count = lost,
	    .message = "the audit log can be written again; so many events were refused" };

	if (torn > 0 && seal_own(a, &torn_own, out, err) != 0)
		return -1;
	if (a->cut > 0 && seal_own(a, &cut_own, out, err) != 0)
		return -1;
	if ((resumed || lost > 0) && seal_own(a, &resumed_own, out, err) != 0)
		return -1;
	return 0;
}

/* Where a later start need not look before, with the last line or now and then. */
static int
seal_checkpoint(struct audit *a, bool last, struct audit_text *out, struct error *err)
{
	struct audit_own own = { .phase = last ? "stop" : "checkpoint",
	    .has_open = a->open_known, .open = audit_open_set_first(&a->open) };

	if (!last && (!a->open_known ||
	    (!a->want_checkpoint && a->since_checkpoint < CHECKPOINT_BYTES)))
		return 0;
	a->want_checkpoint = false;
	a->since_checkpoint = 0;
	return seal_own(a, &own, out, err);
}

void
audit_seal_track_batch(struct audit *a, const struct audit_batch *b)
{
	const struct audit_entry *e;
	struct audit_line head;
	size_t i, at;
	uint32_t j;

	for (i = 0; i < b->count; i++) {
		e = &b->entries[i];
		at = e->at;
		for (j = 0; j < e->lines; j++) {
			audit_batch_next(b, &at, &head);
			if (head.kind == AUDIT_LINE_BEGINS)
				audit_open_set_add(&a->open, e->seq + j);
			else if (head.kind == AUDIT_LINE_ENDS)
				audit_open_set_remove(&a->open, head.intent != 0 ? head.intent :
				    e->seq);
		}
	}
}

static void
audit_seal_track(struct audit *a)
{
	audit_seal_track_batch(a, &a->own);
	audit_seal_track_batch(a, a->inflight);
}

/**
 * audit_seal_all(a, c, resumed, lost, last, n, err):
 * Make the lines of one write in a->out: what the audit log has to say itself
 * (of a torn line, that it works again with ${lost} events refused), a->own, a
 * checkpoint when it is time, what is in flight, the intents of ${c} (with room
 * for its outcomes), and with ${last} the end.  Entries get their seq.  ${*n}: the
 * bytes.
 */
static int
audit_seal_all(struct audit *a, struct audit_commit *c, bool resumed, uint64_t lost, bool last,
    size_t *n, struct error *err)
{
	size_t lines = a->own.lines + a->inflight->lines + audit_commit_lines(c) + OWN_AT_ONCE;
	struct audit_text out;

	if (audit_seal_reserve(a, a->own.len + a->inflight->len + audit_commit_bytes(c) +
	    OWN_AT_ONCE * (size_t)AUDIT_EVENT_MAX + lines * AUDIT_CHAIN_EXTRA, err) != 0)
		return -1;
	out = (struct audit_text){ a->out, a->out + a->out_cap };
	if (seal_news(a, resumed, lost, &out, err) != 0 ||
	    audit_seal_batch(a, &a->own, &out, err) != 0 ||
	    seal_checkpoint(a, false, &out, err) != 0 ||
	    audit_seal_batch(a, a->inflight, &out, err) != 0 ||
	    (c != NULL && audit_commit_seal(a, c, &out, err) != 0))
		return -1;
	if (last) {
		audit_seal_track(a);
		if (seal_checkpoint(a, true, &out, err) != 0)
			return -1;
	}
	*n = (size_t)(out.at - a->out);
	return 0;
}

bool
audit_seal_member(const char *body, size_t n, const char *mark, char *out, size_t size)
{
	const char *from = memmem(body, n, mark, strlen(mark));
	const char *end;

	if (from == NULL)
		return false;
	from += strlen(mark);
	end = memchr(from, '"', n - (size_t)(from - body));
	if (end == NULL || (size_t)(end - from) >= size)
		return false;
	memcpy(out, from, (size_t)(end - from));
	out[end - from] = '\0';
	return true;
}

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

/* Is there any hope that the batch can be written? */
static int
audit_writer_prepare(struct audit *a, const struct audit_commit *c, bool was_failing,
    struct error *err)
{
	size_t coming = a->inflight->len + audit_commit_bytes(c);
	int rc;

	if (a->sink_file != NULL) {
		if ((rc = audit_sink_file_ready(a->sink_file, err)) < 0)
			return -1;
		a->want_checkpoint |= rc == 1;
	}
	if (a->sink_stdout != NULL && audit_sink_stdout_ready(a->sink_stdout, err) != 0)
		return -1;
	if (a->sink_syslog != NULL && audit_sink_syslog_ready(a->sink_syslog, err) != 0)
		return -1;
	if (a->sink_file == NULL)
		return 0;
	/* One that fills up must not be taken for mended by a line that just fits. */
	if (was_failing && audit_sink_file_room(a->sink_file, ROOM + coming, err) != 0)
		return -1;
	a->want_checkpoint |= audit_rotate(a, coming) == 1;
	return 0;
}

/* Of lines that failed, these could not be cut off: the chain goes on there. */
static void
stay_behind(const char *lines, size_t n, struct audit_chain *c)
{
	const char *from = memrchr(lines, '\n', n - 1);
	struct audit_tail tail;

	from = from != NULL ? from + 1 : lines;
	if (!audit_chain_tail(from, n - 1 - (size_t)(from - lines), &tail))
		return;
	c->seq = tail.seq;
	memcpy(c->hash, tail.hash, MAC_BYTES);
}

int
audit_write_sinks(struct audit *a, size_t from, size_t to, enum audit_sync how,
    struct audit_chain *before, struct error *err)
{
	const char *lines = a->out + from;
	size_t n = to - from, standing;

	if (n == 0)
		return 0;
	if (a->sink_file != NULL &&
	    audit_sink_file_write(a->sink_file, lines, n, how, &standing, err) != 0) {
		if (standing > 0)
			stay_behind(lines, standing, before);
		return -1;
	}
	if (a->sink_stdout != NULL && audit_sink_stdout_write(a->sink_stdout, lines, n, err) != 0)
		return 1;
	if (a->sink_syslog != NULL && audit_sink_syslog_write(a->sink_syslog, lines, n, err) != 0)
		return 1;
	return 0;
}

void
audit_put_abandoned(struct audit *a, const struct audit_batch *b, const struct audit_entry *e)
{
	char method[64], request[80];
	struct audit_event event = { .phase = AUDIT_OUTCOME, .status = 503 };
	struct audit_own own = { .phase = "abandoned",
	    .message = "not written in time: the request was refused" };
	struct audit_line head, line = { .kind = AUDIT_LINE_ENDS, .intent = e->seq };
	size_t at = e->at;
	const char *body = audit_batch_next(b, &at, &head);

	if (audit_seal_member(body, head.len, JSON_NAME("methodName") "\"secret-registry.", method,
	    sizeof(method)))
		event.method = method;
	if (audit_seal_member(body, head.len, JSON_NAME("requestId") "[\"", request,
	    sizeof(request)))
		event.request_id = request;
	audit_put_own(a, &event, &own, &line);
}

/* Take the waits of the batch as done or ${failed}; those who are abandoned
 * are marked by expired.  The lock is held. */
static struct audit_wait *
audit_writer_collect(struct audit *a, int failed)
{
	struct audit_wait *list = NULL, **last = &list;
	struct audit_entry *e;
	size_t i;

	for (i = 0; i < a->inflight->count; i++) {
		e = &a->inflight->entries[i];
		if (e->wait == NULL)
			continue;
		e->wait->failed = failed;
		e->wait->seq = failed != 0 ? 0 : e->seq;
		e->wait->next = NULL;
		*last = e->wait;
		last = &e->wait->next;
		e->wait = NULL;
		e->expired = failed != 0;
		a->counts.failures += failed != 0;
	}
	return list;
}

/* The lines are in the log: each entry's end, and what is left to say. */
static void
after_written(struct audit *a, uint64_t told_lost, size_t n)
{
	size_t i;

	audit_seal_track(a);
	audit_batch_clear(&a->own);
	for (i = 0; i < a->inflight->count; i++)
		if (a->inflight->entries[i].expired && a->inflight->entries[i].seq != 0 &&
		    !a->inflight->entries[i].keep)
			audit_put_abandoned(a, a->inflight, &a->inflight->entries[i]);
	a->since_checkpoint += n;
	pthread_mutex_lock(&a->lock);
	a->lost -= told_lost;
	pthread_mutex_unlock(&a->lock);
}

/* They are not, but for those up to a->chain that could not be cut off: what
 * must not be lost is kept for later. */
static void
after_lost(struct audit *a)
{
	struct audit_entry *e;
	uint64_t lost = 0;
	size_t i;

	for (i = 0; i < a->inflight->count; i++) {
		e = &a->inflight->entries[i];
		if (e->seq != 0 && e->seq <= a->chain.seq && !e->keep)
			audit_put_abandoned(a, a->inflight, e);
		else if (!e->keep || a->own.lines + e->lines > OWN_LINES_MAX ||
		    audit_batch_copy(&a->own, a->inflight, e) != 0)
			lost += e->lines;
	}
	pthread_mutex_lock(&a->lock);
	a->lost += lost;
	pthread_mutex_unlock(&a->lock);
}

/* What the outcome means for who waits and for audit_unready. */
static struct audit_wait *
audit_writer_settle(struct audit *a, int rc, const struct error *err)
{
	char reason[AUDIT_REASON_MAX];
	struct audit_wait *list;

	pthread_mutex_lock(&a->lock);
	list = audit_writer_collect(a, rc != 0);
	a->counts.batches += rc == 0 && a->inflight->count > 0;
	a->failing = rc != 0;
	a->stuck = false;
	if (rc == 0)
		audit_set_unready(a, NULL);
	else {
		snprintf(reason, sizeof(reason), "%.100s%s%.140s", err->file,
		    err->file[0] != '\0' ? ": " : "", err->text);
		audit_set_unready(a, reason);
	}
	pthread_mutex_unlock(&a->lock);
	return list;
}

static void
audit_writer_write_batch(struct audit *a, struct audit_commit *c, bool was_failing, uint64_t lost,
    bool last)
{
	struct audit_chain before = a->chain;
	struct audit_wait *list;
	struct error err = { 0 };
	uint64_t from = a->chain.seq, begun = clock_ns();
	enum audit_sync how = last ? AUDIT_SYNCED : c != NULL ? AUDIT_CARRIED : AUDIT_DURABLE;
	bool chained = false;
	size_t n = 0;
	int rc;

	rc = audit_writer_prepare(a, c, was_failing, &err);
	if (rc == 0)
		rc = audit_seal_all(a, c, was_failing, lost, last, &n, &err);
	if (rc == 0) {
		rc = audit_write_sinks(a, 0, n, how, &before, &err);
		chained = n > 0 && rc >= 0;
	}
	if (!chained)
		a->chain = before;
	else if (a->sink_file != NULL) {
		/* It is told; more may be torn from now on. */
		a->cut = 0;
		audit_sink_file_set_torn(a->sink_file, 0);
	}
	if (c != NULL && rc == 0)
		rc = audit_commit_run(a, &c, n, &err);
	if (rc != 0 && a->sink_file != NULL)
		audit_sink_file_must_sync(a->sink_file);
	list = audit_writer_settle(a, rc, &err);
	if (chained)
		after_written(a, lost, n);
	else if (rc != 0)
		after_lost(a);
	if (c != NULL)
		audit_commit_settle(a, c, &err);
	pthread_mutex_lock(&a->lock);
	a->counts.lines += a->chain.seq - from;
	a->batch_ns = clock_ns() - begun;
	/* Who was told now comes again together with who came meanwhile. */
	a->together = a->inflight->count + a->pending->count;
	audit_batch_clear(a->inflight);
	pthread_mutex_unlock(&a->lock);
	audit_tell(list);
}

/* Is there something to do?  The lock is held. */
static bool
has_work(const struct audit *a)
{
	return a->pending->count > 0 || a->commit != NULL || a->closing || a->reopen || a->adopt ||
	    a->own.count > 0 || a->stuck;
}

/* The lock is held. */
static void
audit_writer_wait_for_work(struct audit *a)
{
	uint64_t until = audit_now() + (a->failing ? RETRY_MS : ANCHOR_MS);

	if (a->failing ? a->closing : has_work(a))
		return;
	a->asleep = !a->failing;
	audit_wait_until(a, &a->work, until);
	a->asleep = false;
}

/*
 * Those who came together lately will likely do so again: wait a moment for
 * the rest of them, as one sync for all costs less than two.  The lock is held.
 */
static void
audit_writer_gather(struct audit *a)
{
	struct timespec until;

	if (a->failing || a->pending->count == 0 || a->pending->count >= a->together ||
	    a->commit != NULL)
		return;
	until = clock_gather_until(a->batch_ns);
	while (a->pending->count < a->together && a->commit == NULL && !a->closing) {
		a->asleep = true;
		if (pthread_cond_timedwait(&a->work, &a->lock, &until) != 0)
			break;
	}
	a->asleep = false;
}

/* Swap, and mark what has expired meanwhile as not to be written. */
static void
audit_writer_take_pending(struct audit *a)
{
	struct audit_batch *b = a->pending;
	struct audit_entry *e;
	size_t i;

	a->pending = a->inflight;
	a->inflight = b;
	for (i = 0; a->some_expired && i < b->count; i++) {
		e = &b->entries[i];
		if (e->expired && !e->keep) {
			a->lost += e->lines;
			e->lines = 0;
		}
	}
	a->some_expired = false;
}

static void
take_adopted(struct audit *a)
{
	size_t i;

	if (!a->adopt)
		return;
	for (i = 0; i < a->adopted_count; i++)
		audit_open_set_add(&a->open, a->adopted[i]);
	free(a->adopted);
	a->adopted = NULL;
	a->adopted_count = 0;
	a->adopt = false;
	a->open_known = true;
	a->want_checkpoint = true;
}

static void
keep_anchor(struct audit *a, bool last)
{
	if (a->sink_file == NULL || a->chain.seq == a->anchored ||
	    (!last && audit_now() < a->anchored_ms + ANCHOR_MS))
		return;
	a->anchored_ms = audit_now();
	if (audit_sink_file_sync(a->sink_file, NULL) == 0 &&
	    audit_anchor_write(a->file, a->key, &a->chain, a->first, NULL) == 0)
		a->anchored = a->chain.seq;
}

void *
audit_writer_run(void *audit)
{
	struct audit *a = audit;
	struct audit_commit *c;
	bool was_failing, last;
	uint64_t lost;

	pthread_mutex_lock(&a->lock);
	do {
		audit_writer_wait_for_work(a);
		audit_writer_gather(a);
		audit_writer_take_pending(a);
		c = audit_commit_take(a);
		take_adopted(a);
		was_failing = a->failing;
		lost = a->lost;
		last = a->closing;
		a->reopen = false;
		pthread_mutex_unlock(&a->lock);
		audit_writer_write_batch(a, c, was_failing, lost, last);
		keep_anchor(a, last);
		pthread_mutex_lock(&a->lock);
	} while (!last);
	a->writer_done = true;
	pthread_cond_signal(&a->ended);
	last = a->orphan;
	pthread_mutex_unlock(&a->lock);
	if (last)
		audit_release(a);
	return NULL;
}
