#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/key.h"
#include "registry/base/clock.h"
#include "registry/kafka/kafka.h"
#include "registry/keys/keyring.h"
#include "registry/store/store_log.h"

#define RETRY_MS 1000		/* a claim that failed is tried again */
#define CLAIM_MS 20000
#define LOCKED "the topic's keyring is under another master secret than this node has"

/*
 * What the writer decides goes to the topic: the rows that an action changed are
 * noted by triggers, become records, and the transaction is rolled back.  They come
 * into the tables as everything in the topic does, by the reader (store_fold.c).  So
 * leader and followers cannot differ.
 *
 * One batch is under way at a time.  A thread of its own, the courier, waits for the
 * brokers; the writer goes on with the audit lines of reads meanwhile.
 */

/* --- waking the writer --- */

void
log_wake(void *store)
{
	struct store *s = store;

	(void)pthread_mutex_lock(&s->mutex);
	s->woken = true;
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->mutex);
}

/* --- the courier --- */

static void *
courier(void *store)
{
	struct store *s = store;
	struct log_courier *c = &s->log->courier;
	enum kafka_outcome outcome = KAFKA_DONE;
	struct error why;
	enum log_job job;

	(void)pthread_mutex_lock(&c->mutex);
	while (!c->stopping) {
		if (c->job == JOB_NONE || c->finished) {
			(void)pthread_cond_wait(&c->wake, &c->mutex);
			continue;
		}
		job = c->job;
		(void)pthread_mutex_unlock(&c->mutex);
		memset(&why, 0, sizeof(why));
		if (job == JOB_CLAIM)
			outcome = kafka_claim(s->log->kafka, CLAIM_MS, &why) == 0 ? KAFKA_DONE :
			    KAFKA_REFUSED;
		else if (job == JOB_UNCLAIM)
			kafka_unclaim(s->log->kafka);
		else
			outcome = kafka_append(s->log->kafka, c->records.items, c->records.len,
			    CLAIM_MS, &why);
		(void)pthread_mutex_lock(&c->mutex);
		c->outcome = outcome;
		c->why = why;
		c->finished = true;
		(void)pthread_mutex_unlock(&c->mutex);
		log_wake(s);
		(void)pthread_mutex_lock(&c->mutex);
	}
	(void)pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static void
courier_send(struct store *s, enum log_job job)
{
	struct log_courier *c = &s->log->courier;

	s->log->busy = true;
	(void)pthread_mutex_lock(&c->mutex);
	c->job = job;
	c->finished = false;
	(void)pthread_cond_signal(&c->wake);
	(void)pthread_mutex_unlock(&c->mutex);
}

/* What it has brought back; JOB_NONE: nothing (yet). */
static enum log_job
courier_take(struct store *s, enum kafka_outcome *outcome, struct error *why)
{
	struct log_courier *c = &s->log->courier;
	enum log_job job = JOB_NONE;

	(void)pthread_mutex_lock(&c->mutex);
	if (c->finished) {
		job = c->job;
		*outcome = c->outcome;
		*why = c->why;
		c->job = JOB_NONE;
		c->finished = false;
		s->log->busy = false;
	}
	(void)pthread_mutex_unlock(&c->mutex);
	return job;
}

/* --- a batch --- */

bool
log_may_write(const struct store *s)
{
	const struct store_log *l = s->log;

	return l == NULL || (l->role == LOG_LEADER && !l->flying && !l->busy &&
	    l->wrong[0] == '\0');
}

bool
log_is_settled(const struct store *s)
{
	return s->log == NULL || !s->log->flying ||
	    clock_ms() - s->log->flown_ms > LOG_END_MS;
}

int
log_not_leading(const struct store *s, struct error *err)
{
	const struct store_log *l = s->log;

	if (l->stopped != NULL)
		return error_set(err, ERROR_BUSY, "%s", l->stopped);
	if (l->wrong[0] != '\0')
		return error_set(err, ERROR_BUSY, "%s", l->wrong);
	if (l->role == LOG_CLAIMING)
		return error_set(err, ERROR_BUSY, "this node is about to lead");
	return l->leader[0] == '\0' ? error_set(err, ERROR_BUSY, "no node leads now") :
	    error_set(err, ERROR_BUSY, "another node leads: %s", l->leader);
}

/* A batch that cannot be sent now: 0: there is none, commit the rest. */
static int
refuse_batch(struct store *s, struct error *err)
{
	struct error why = { 0 };
	int64_t n = 0;

	if (database_number(s->log->statements[LOG_ANY_TOUCHED], &n, s->path, &why) == 0 && n == 0)
		return 0;
	store_rollback(s);
	if (why.code != ERROR_NONE) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	return s->log->role != LOG_LEADER ? log_not_leading(s, err) :
	    error_set(err, ERROR_BUSY, "another change is being written");
}

/* What is collected is on its way, and ${ops} will be told. */
static void
batch_fly(struct store *s, struct store_op *ops)
{
	struct store_log *l = s->log;

	l->flying = true;
	l->ops = ops;
	l->flown_ms = clock_ms();
	courier_send(s, JOB_APPEND);
}

int
log_send(struct store *s, struct store_op *ops, struct error *err)
{
	struct store_log *l = s->log;
	struct error why = { 0 };
	int rc;

	if (!log_may_write(s))
		return refuse_batch(s, err);
	rc = batch_collect(s, &why);
	if (rc == 0)
		return 0;
	store_rollback(s);
	if (rc == -1) {
		batch_clear(l);
		if (err != NULL)
			*err = why;
		return -1;
	}
	batch_fly(s, ops);
	return 1;
}

/* Tell the actions of the batch what became of it; ${why} NULL: it is done. */
static void
tell_batch(struct store *s, const struct error *why)
{
	struct store_op *op = s->log->ops, *next;

	s->log->ops = NULL;
	for (; op != NULL; op = next) {
		next = op->next;
		op->next = NULL;
		if (why == NULL)
			store_tell(op);
		else
			store_fail(op, why);
	}
}

static void
claim_again(struct store *s, int64_t in_ms)
{
	struct store_log *l = s->log;

	l->role = LOG_CLAIMING;
	l->led = l->taking = false;
	l->retry_ms = clock_ms() + in_ms;
}

/* The batch is surely not in the topic. */
static void
batch_failed(struct store *s, const struct error *why)
{
	struct store_log *l = s->log;

	if (!l->flying)
		return;
	l->flying = false;
	l->now.refused++;
	l->heal |= l->healing;
	l->healing = false;
	tell_batch(s, why);
	/* Of a rotation's step nothing was done: it begins again. */
	s->rotation.offset = s->rotation.unreadable = 0;
	s->rotation.needed_count = 0;
	/* The one that was to say who leads. */
	if (l->role == LOG_CLAIMING && l->led && !l->taking)
		claim_again(s, RETRY_MS);
}

void
log_batch_seen(struct store *s, const unsigned char batch[LOG_ID])
{
	struct store_log *l = s->log;

	if (!l->flying || memcmp(batch, l->batch, LOG_ID) != 0)
		return;
	l->flying = false;
	l->now.commits++;
	if (s->ring_dirty && l->ring_sent == keyring_generation(s->ring))
		s->ring_dirty = false;
	l->ring_sent = 0;
	if (l->healing)
		(void)database_run(l->statements[LOG_HEALED], s->path, NULL);
	l->healing = false;
	tell_batch(s, NULL);
}

/* What was sent before somebody else claimed is there by now, or nowhere. */
static void
batch_overtaken(struct store *s)
{
	struct error why;

	error_set(&why, ERROR_BUSY, "the leader changed");
	batch_failed(s, &why);
}

/* --- roles --- */

static void
step_down(struct store *s)
{
	struct store_log *l = s->log;

	if (l->role == LOG_LEADER) {
		l->leader[0] = '\0';
		store_rotation_leave(s);
	}
	l->role = LOG_FOLLOWER;
	l->led = l->taking = false;
}

/* Somebody else has claimed the topic, or a broker has given the claim up.  Whoever has
 * the lease claims again; but when that goes on, somebody without a lease does so, too. */
static void
fenced(struct store *s)
{
	struct store_log *l = s->log;
	int64_t now = clock_ms();

	step_down(s);
	l->claimed = false;
	l->retry_ms = now + RETRY_MS;
	/* Told by the courier, and by what was read. */
	if (l->fences_ms[0] != 0 && now - l->fences_ms[0] < RETRY_MS)
		return;
	l->now.fenced++;
	memmove(&l->fences_ms[1], &l->fences_ms[0], sizeof(l->fences_ms) - sizeof(l->fences_ms[0]));
	l->fences_ms[0] = now;
	if (l->fences_ms[LOG_FENCES - 1] != 0 &&
	    now - l->fences_ms[LOG_FENCES - 1] < LOG_FENCES_MS) {
		memset(l->fences_ms, 0, sizeof(l->fences_ms));
		kafka_resign(l->kafka);
	}
}

/* The claim stands.  Once this record is read, everything older is. */
static int
send_noop(struct store *s, struct error *err)
{
	struct store_log *l = s->log;

	batch_clear(l);
	if (random_bytes(l->term, LOG_ID, err) != 0 || batch_leader(s, RECORD_NOOP, err) != 0)
		return -1;
	l->led = true;
	courier_send(s, JOB_NOOP);
	return 0;
}

/* Everything is read, and nobody else can write. */
static void
lead(struct store *s)
{
	struct store_log *l = s->log;
	struct error why = { 0 };

	l->role = LOG_LEADER;
	l->folded = true;
	l->now.claims++;
	(void)snprintf(l->leader, sizeof(l->leader), "%s", l->url);
	s->due = true;
	if (l->renew && keyring_add(s->ring, &why) == 0) {
		l->renew = false;
		s->ring_dirty = true;
		(void)store_rotation_resume(s, "started", &why);
	} else if (!s->rotation.active) {
		(void)store_rotation_resume(s, "resumed", &why);
	}
}

/* Nobody else's batch can come any more: say with one of ours who leads.  What is on
 * its way in doubt is there by now, or nowhere. */
void
log_noop_seen(struct store *s, const unsigned char term[LOG_ID], int64_t offset)
{
	struct store_log *l = s->log;
	uint64_t older;

	if (!l->led || l->role != LOG_CLAIMING || memcmp(term, l->term, LOG_ID) != 0)
		return;
	l->taking = true;
	/* There are no more batches in a topic than offsets: whatever another leader had
	 * refused is older than this. */
	older = l->revision - l->revision % LOG_AGE + (uint64_t)offset;
	if (l->sealed < older)
		l->sealed = older;
	batch_overtaken(s);
}

static void
take_lead(struct store *s)
{
	struct store_log *l = s->log;
	struct error ignored;
	int found = -1;

	if (store_begin(s, &ignored) == 0) {
		found = batch_collect(s, &ignored);
		store_rollback(s);
	}
	l->taking = false;
	if (found == 1)
		batch_fly(s, NULL);
	else
		claim_again(s, RETRY_MS);
}

void
log_leader_seen(struct store *s, const unsigned char term[LOG_ID], const char *url)
{
	struct store_log *l = s->log;

	if (l->led && memcmp(term, l->term, LOG_ID) == 0) {
		if (l->role == LOG_CLAIMING)
			lead(s);
		return;
	}
	batch_overtaken(s);
	if (l->role == LOG_LEADER)
		fenced(s);
	/* A claim of this node that it does not stand by any more leads nobody. */
	(void)snprintf(l->leader, sizeof(l->leader), "%s",
	    memcmp(term, l->term, LOG_ID) != 0 ? url : "");
}

void
log_stop(struct store *s, const char *why)
{
	struct store_log *l = s->log;
	struct error err;

	if (l->stopped != NULL)
		return;
	l->stopped = why;
	step_down(s);
	error_set(&err, ERROR_STALE, "%s", why);
	if (l->flying) {
		tell_batch(s, &err);
		l->flying = false;
	}
}

/* What the courier has brought. */
static bool
courier_came(struct store *s)
{
	struct store_log *l = s->log;
	enum kafka_outcome outcome = KAFKA_DONE;
	struct error why, ignored;
	enum log_job job = courier_take(s, &outcome, &why);

	if (job == JOB_NONE)
		return false;
	if (l->stopped != NULL)
		return true;
	if (job == JOB_CLAIM) {
		l->claimed = outcome == KAFKA_DONE;
		/* Not any more, if the lease went meanwhile. */
		if (l->role == LOG_CLAIMING && (outcome != KAFKA_DONE ||
		    send_noop(s, &ignored) != 0))
			claim_again(s, RETRY_MS);
		return true;
	}
	if (job == JOB_UNCLAIM)
		return true;
	if (job == JOB_NOOP) {
		/* Nothing is lost by another claim. */
		if (outcome != KAFKA_DONE && l->role == LOG_CLAIMING)
			claim_again(s, RETRY_MS);
		return true;
	}
	switch (outcome) {
	case KAFKA_DONE:
		break;
	case KAFKA_TOO_LARGE:
	case KAFKA_REFUSED:
		if (outcome == KAFKA_TOO_LARGE)
			why.code = ERROR_LIMIT;
		batch_failed(s, &why);
		/* Its records may stand in the topic, aborted: a batch behind them makes
		 * them old, should somebody write them there again. */
		l->heal = true;
		break;
	case KAFKA_FENCED:
		batch_failed(s, &why);
		fenced(s);
		break;
	case KAFKA_UNKNOWN:
	default:
		/* The next claim's record is behind it, if it is there. */
		if (l->flying)
			l->now.unknown++;
		l->claimed = false;
		if (l->role != LOG_FOLLOWER)
			claim_again(s, 0);
		break;
	}
	return true;
}

/* Are actions to wait until they can be written, rather than to be refused? */
static bool
is_waited_for(const struct store *s)
{
	const struct store_log *l = s->log;

	return l->stopped == NULL && l->wrong[0] == '\0' &&
	    (l->role != LOG_FOLLOWER || kafka_is_ours(l->kafka));
}

/* Those who have waited too long. */
static void
expire(struct store *s)
{
	struct store_log *l = s->log;
	int64_t now = clock_ms(), before = now - l->options->timeout_ms;
	struct store_op *late = NULL, **at, *op;
	struct error why;

	if (l->flying && l->ops != NULL && l->flown_ms < before) {
		error_set(&why, ERROR_STALE, "the topic did not answer in time");
		tell_batch(s, &why);
	}
	(void)pthread_mutex_lock(&s->mutex);
	for (at = &s->first; (op = *at) != NULL; ) {
		if (is_waited_for(s) && op->submitted_ms >= before) {
			at = &op->next;
			continue;
		}
		if (log_may_write(s))
			break;
		*at = op->next;
		s->waiting--;
		op->next = late;
		late = op;
	}
	if (op == NULL)
		s->last = at;
	(void)pthread_mutex_unlock(&s->mutex);
	if (late == NULL)
		return;
	if (is_waited_for(s))
		error_set(&why, ERROR_BUSY, "the topic takes nothing now");
	else
		(void)log_not_leading(s, &why);
	while ((op = late) != NULL) {
		late = op->next;
		op->next = NULL;
		store_fail(op, &why);
	}
}

static void
show(struct store *s)
{
	struct store_log *l = s->log;

	l->now.role = l->role;
	l->now.folded = l->folded;
	l->now.locked = l->locked;
	l->now.stopped = l->stopped;
	l->now.position = l->position;
	l->now.revision = l->revision;
	(void)snprintf(l->now.wrong, sizeof(l->now.wrong), "%s", l->wrong);
	(void)snprintf(l->now.leader, sizeof(l->now.leader), "%s", l->leader);
	(void)pthread_mutex_lock(&s->mutex);
	l->shown = l->now;
	(void)pthread_mutex_unlock(&s->mutex);
}

/* Somebody else has written under keys of ours, and compaction would keep that: write
 * what is in the tables again. */
static void
heal(struct store *s)
{
	struct store_log *l = s->log;
	static const enum log_statement steps[] = { LOG_HEAL_SECRETS, LOG_HEAL_SETTINGS,
	    LOG_HEAL_ACCESS };

	l->heal_ms = clock_ms() + RETRY_MS;
	if (store_begin(s, NULL) != 0)
		return;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (database_run(l->statements[steps[i]], s->path, NULL) != 0) {
			store_rollback(s);
			return;
		}
	}
	l->taking = true;
	if (log_send(s, NULL, NULL) == 1) {
		l->heal = false;
		l->healing = true;
		(void)database_run(l->statements[LOG_HEAL_SENT], s->path, NULL);
	}
	l->taking = false;
}

/* What was found about the topic itself. */
static void
look(struct store *s)
{
	struct error why = { .code = ERROR_NONE };
	struct store_log *l = s->log;

	(void)kafka_watched(l->kafka, l->position, &why);
	if (why.code == ERROR_MISSING)
		log_stop(s, "the topic is gone");
	else if (why.code == ERROR_STALE)
		log_stop(s, LOG_ANEW);
	(void)snprintf(l->wrong, sizeof(l->wrong), "%.255s",
	    l->locked ? LOCKED : why.code == ERROR_REFUSED ? why.text : "");
}

void
store_give_master(struct store *s, struct master *m)
{
	struct store_log *l = s->log;

	(void)pthread_mutex_lock(&s->mutex);
	master_free(l->given);
	l->given = m;
	(void)pthread_mutex_unlock(&s->mutex);
	log_wake(s);
}

/* A master secret was given: what was locked may open now. */
static void
take_given(struct store *s)
{
	struct store_log *l = s->log;
	struct master *m;

	(void)pthread_mutex_lock(&s->mutex);
	m = l->given;
	l->given = NULL;
	(void)pthread_mutex_unlock(&s->mutex);
	if (m == NULL)
		return;
	master_free(l->spare);
	l->spare = m;
	l->again |= l->locked;
	l->locked = false;
}

bool
log_step(struct store *s)
{
	struct store_log *l = s->log;
	bool moved;

	take_given(s);
	moved = fold_drain(s);
	moved = courier_came(s) || moved;
	look(s);
	/* Who cannot read on is not to keep others from leading. */
	if (l->stopped != NULL || l->locked) {
		if (kafka_is_ours(l->kafka))
			kafka_resign(l->kafka);
		if (l->role != LOG_FOLLOWER)
			step_down(s);
	}
	if (l->role != LOG_FOLLOWER && !kafka_is_ours(l->kafka))
		step_down(s);
	if (l->role == LOG_FOLLOWER && l->claimed && !l->busy) {
		l->claimed = false;
		courier_send(s, JOB_UNCLAIM);
	}
	if (l->stopped == NULL && !l->locked && l->role == LOG_FOLLOWER &&
	    kafka_is_ours(l->kafka) && clock_ms() >= l->retry_ms)
		claim_again(s, 0);
	if (l->role == LOG_CLAIMING && !l->led && l->trusted && !l->busy &&
	    clock_ms() >= l->retry_ms)
		courier_send(s, JOB_CLAIM);
	if (l->role == LOG_CLAIMING && l->taking && !l->busy)
		take_lead(s);
	if (log_may_write(s) && s->ring_dirty)
		(void)store_save_keyring(s, NULL);
	if (log_may_write(s) && l->heal && clock_ms() >= l->heal_ms)
		heal(s);
	expire(s);
	show(s);
	return moved;
}

/* ${stopped} as it is shown: what is not gone on with is silent for another reason. */
static int64_t
log_silence(const struct store *s, const char *stopped)
{
	return stopped != NULL ? 0 : kafka_silence(s->log->kafka);
}

const char *
store_withheld(struct store *s, unsigned bound_ms)
{
	const char *stopped;
	bool locked;

	if (s->log == NULL)
		return NULL;
	(void)pthread_mutex_lock(&s->mutex);
	stopped = s->log->shown.stopped;
	locked = s->log->shown.locked;
	(void)pthread_mutex_unlock(&s->mutex);
	if (locked)
		return LOCKED;
	return bound_ms > 0 && log_silence(s, stopped) > (int64_t)bound_ms ?
	    "the topic could not be read for longer than read.max.staleness.ms" : NULL;
}

void
store_log_state(struct store *s, struct store_log_state *out)
{
	*out = (struct store_log_state){ .role = LOG_LOCAL, .folded = true };
	if (s->log == NULL)
		return;
	(void)pthread_mutex_lock(&s->mutex);
	*out = s->log->shown;
	(void)pthread_mutex_unlock(&s->mutex);
	out->silence_ms = log_silence(s, out->stopped);
	out->denied = kafka_denied(s->log->kafka);
	kafka_complaint(s->log->kafka, out->complaint, sizeof(out->complaint));
}

/* --- opening and closing --- */

int
log_open(struct store *s, const struct store_options *o, struct error *err)
{
	struct store_log *l = s->log = error_alloc(sizeof(*s->log), err);

	if (l == NULL)
		return -1;
	(void)pthread_mutex_init(&l->courier.mutex, NULL);
	(void)pthread_cond_init(&l->courier.wake, NULL);
	vec_init(&l->courier.records, sizeof(struct kafka_record), LOG_RECORDS_MAX);
	buf_init(&l->key, LOG_KEY_MAX);
	buf_init(&l->value, LOG_VALUE_MAX);
	buf_init(&l->text, LOG_VALUE_MAX);
	buf_init_secret(&l->body, LOG_VALUE_MAX);
	l->options = o->kafka;
	l->url = o->url != NULL ? o->url : "";
	l->master = o->master;
	l->old = o->old;
	l->old_count = o->old_count;
	if (log_attach(s, o, err) != 0)
		return -1;
	if (o->copy != STORE_COPY_NONE)
		return 0;
	l->role = LOG_FOLLOWER;
	if (l->stopped == NULL &&
	    (kafka_lease(l->kafka, err) != 0 || kafka_watch(l->kafka, err) != 0))
		return -1;
	if (pthread_create(&l->courier.thread, NULL, courier, s) != 0)
		return error_set(err, ERROR_MEMORY, "cannot start the courier's thread");
	l->courier.started = true;
	show(s);
	return 0;
}

void
log_close(struct store *s)
{
	struct store_log *l = s->log;
	struct store_op *op;
	struct error why;

	if (l == NULL)
		return;
	if (l->courier.started) {
		(void)pthread_mutex_lock(&l->courier.mutex);
		l->courier.stopping = true;
		(void)pthread_cond_signal(&l->courier.wake);
		(void)pthread_mutex_unlock(&l->courier.mutex);
		(void)pthread_join(l->courier.thread, NULL);
	}
	error_set(&why, ERROR_STALE, "the service ended");
	tell_batch(s, &why);
	error_set(&why, ERROR_BUSY, "the service ended");
	while ((op = s->first) != NULL) {
		s->first = op->next;
		store_fail(op, &why);
	}
	s->last = &s->first;
	for (int i = 0; i < LOG_STATEMENTS; i++)
		(void)sqlite3_finalize(l->statements[i]);
	kafka_close(l->kafka);
	batch_clear(l);
	record_seal_free(l->seal);
	master_free(l->given);
	master_free(l->spare);
	buf_release(&l->key);
	buf_release(&l->value);
	buf_release(&l->text);
	buf_release(&l->body);
	(void)pthread_cond_destroy(&l->courier.wake);
	(void)pthread_mutex_destroy(&l->courier.mutex);
	free(l);
	s->log = NULL;
}
